// A file in memory that nobody can resize: who maps it is never surprised by SIGBUS.
#pragma once

#include <fcntl.h>

#include "tracking/mapping.h"

namespace qiao {

// Nobody may change the size, nor these seals.
inline constexpr int kSizeSeals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

// What a file for that many bytes has.
inline uint64_t whole_pages(uint64_t size_bytes) {
    return (size_bytes + page_bytes() - 1) & ~(page_bytes() - 1);
}

// Zeros; closed on exec. OUT_OF_MEMORY, with what limits it.
qiao_status create_sealed_file(uint64_t size_bytes, Descriptor& out);

}  // namespace qiao
