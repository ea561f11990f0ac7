// Addresses in an argument block, turned into what a device without addresses takes: (allocation, offset) pairs.
#pragma once

#include "object/program.h"

namespace qiao {

// One binding for each ADDRESS argument; {null, 0} for address 0. The kernel's device has made_addresses. With the queue's lock
// held, an allocation that was found is not freed before a launch whose value is assigned under the same lock has ended:
// who releases it takes its address away first, then asks each queue for its last value.
qiao_status resolve_arguments(const Kernel& kernel, const void* block, qiao_plugin_binding* out_bindings);

}  // namespace qiao
