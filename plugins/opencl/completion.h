// Waiting for one native event, always bounded: by time, and by the loss of the device. OpenCL has no timed wait, so the
// event's callback wakes the waiting thread. Which event to wait for is queue.cpp's business.
#pragma once

#include "qiao/plugin.h"
#include "symbols.h"

namespace qiao::opencl {

struct Device;

// QIAO_OK once the event has ended, whatever its end: *out_code is CL_COMPLETE or the driver's error. Else QIAO_TIMEOUT,
// or DEVICE_LOST.
qiao_status wait_event(Device& device, cl_event event, uint64_t timeout_ns, cl_int* out_code) noexcept;

// Releases the event after waiting for it without a limit of time. Reports a failure; `what` names the operation.
qiao_status finish(Device& device, cl_event event, const char* what) noexcept;

} // namespace qiao::opencl
