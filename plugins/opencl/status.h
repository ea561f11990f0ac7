// OpenCL's error codes in our words: one list of code, name and status; and the two ways to report a failure to the host.
// What a failure means for a device or a queue is decided by device.cpp and queue.cpp.
#pragma once

#include <new>

#include "qiao/plugin.h"
#include "symbols.h"

namespace qiao::opencl {

// "CL_OUT_OF_RESOURCES"; never null, also for codes of a vendor's own.
const char* error_name(cl_int code);

// What a failed OpenCL call means to Qiao.
qiao_status status_of(cl_int code);

// Fills the host's error record and returns `status`.
[[gnu::format(printf, 4, 5)]] qiao_status fail(const qiao_host_api* host, qiao_status status, const char* remedy,
                                               const char* format, ...) noexcept;

// The same for a failed OpenCL call; its code and name go into the record, its status is status_of(code).
[[gnu::format(printf, 4, 5)]] qiao_status fail_call(const qiao_host_api* host, cl_int code, const char* remedy,
                                                    const char* format, ...) noexcept;

[[gnu::format(printf, 3, 4)]] void log(const qiao_host_api* host, qiao_log_level level, const char* format,
                                       ...) noexcept;

// No exception crosses the C boundary. `body` returns qiao_status.
template <typename Body>
qiao_status guarded(const qiao_host_api* host, Body&& body) noexcept {
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return fail(host, QIAO_ERROR_OUT_OF_MEMORY, "close programs that use much memory",
                    "the host has no memory left");
    } catch (...) {
        return fail(host, QIAO_ERROR_INTERNAL, nullptr, "an unexpected exception in the OpenCL plugin");
    }
}

} // namespace qiao::opencl
