// The shape of a launch: checked against kernel and device, and turned into the plugin's 32-bit geometry. Runs only when
// the shape changes.
#pragma once

#include "object/program.h"
#include "qiao/queue.h"

namespace qiao {

// `block` is the argument block: the local byte counts stand at its end. `generation` is the geometry's new one.
qiao_status make_geometry(const Kernel& kernel, const qiao_launch& launch, const void* block, uint64_t generation,
                          qiao_plugin_geometry& out_geometry);

// Fills the limits and the starting geometry that make_geometry uses, once the kernel's own limits are known.
void prepare_geometry(Kernel& kernel);

}  // namespace qiao
