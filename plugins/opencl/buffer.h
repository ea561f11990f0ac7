// Allocations as buffers (cl_mem), for devices without addresses: the core names their bytes, and hands (allocation, offset)
// pairs to every slot. No sub-buffers: an offset need not be aligned.
#pragma once

#include "memory.h"

namespace qiao::opencl {

// Enqueues a copy between two buffers of the device, or between one and host memory; rows are one OpenCL rectangle.
cl_int enqueue_transfer(Device& device, cl_command_queue queue, const qiao_plugin_copy& copy, cl_event* event) noexcept;

} // namespace qiao::opencl
