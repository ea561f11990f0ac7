/* What memory and timelines are exported as, and imported from. */
#ifndef QIAO_HPP_SHARE_HPP
#define QIAO_HPP_SHARE_HPP

#include <cstdint>

#include "qiao/share.h"

namespace qiao {
inline namespace v0 {

/// Goes to another device or process: bytes, and one descriptor that whoever exported it closes, and whoever received it.
struct ExportedHandle {
    qiao_share_handle handle = {};
    int32_t descriptor = -1;
};

} // namespace v0
} // namespace qiao

#endif
