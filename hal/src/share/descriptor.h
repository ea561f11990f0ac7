// Descriptors that come from the application or from a plugin: what they are is found out before they are used.
#pragma once

#include "tracking/mapping.h"

namespace qiao {

// A descriptor of our own for what the application's refers to. INVALID_ARGUMENT if that is none, OUT_OF_MEMORY if there can be no more.
qiao_status duplicate(int32_t descriptor, Descriptor& out);

// Whether it is one, which is then closed on exec.
bool keep_from_children(int32_t descriptor);

// Something that may be memory. INVALID_ARGUMENT for pipes, sockets, folders and devices: a driver that reads one would hang.
qiao_status check_may_be_memory(const Descriptor& descriptor);

// A file of `size_bytes` (whole pages) as create_sealed_file makes them, that may be read and written. INVALID_ARGUMENT, with what it is instead.
qiao_status check_sealed_file(const Descriptor& file, uint64_t size_bytes);

}  // namespace qiao
