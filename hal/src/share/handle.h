// The handles that name what is shared. They come from other processes: nothing in them is believed before it is checked.
#pragma once

#include "object/error.h"
#include "qiao/share.h"

namespace qiao {

// "host file", ...; types of a later release have none.
const char* share_type_name(qiao_share_type type);
// "host-pointer, host-file", of a set; "none" for an empty one.
std::string share_type_names(uint32_t types);

qiao_share_handle make_handle(qiao_share_type type, uint64_t size_bytes);

// INVALID_ARGUMENT for what no library has made, UNSUPPORTED for what a later one has.
qiao_status check_handle(const qiao_share_handle& handle);

}  // namespace qiao
