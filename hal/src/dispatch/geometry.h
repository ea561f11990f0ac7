// The shape of a launch: checked against kernel and device, and turned into the plugin's 32-bit geometry. Runs only when
// the shape changes.
#pragma once

#include "object/program.h"
#include "qiao/queue.h"

namespace qiao {

// `block` is the argument block: the local byte counts stand at its end.
qiao_status make_geometry(const Kernel& kernel, const qiao_launch& launch, const void* block, qiao_plugin_geometry& out_geometry);

}  // namespace qiao
