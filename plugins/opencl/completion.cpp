// Waiting for one native event through its callback and a futex. See completion.h.
#include "completion.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "device.h"

namespace qiao::opencl {
namespace {

// A lost device is noticed this often, even if its driver never calls back.
constexpr uint64_t kSliceNs = 50'000'000;

// Shared by the waiter and the driver's callback, which may come after the waiter has given up.
struct Waiter {
    std::atomic<uint32_t> ended{0};
    std::atomic<int> owners{2};
};

void release(Waiter* waiter) {
    if (waiter->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete waiter;
}

void CL_CALLBACK on_end(cl_event, cl_int, void* user) {
    auto* waiter = static_cast<Waiter*>(user);
    waiter->ended.store(1, std::memory_order_release);
    syscall(SYS_futex, &waiter->ended, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
    release(waiter);
}

void park(Waiter& waiter, uint64_t nanoseconds) {
    timespec limit;
    limit.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
    limit.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
    syscall(SYS_futex, &waiter.ended, FUTEX_WAIT_PRIVATE, 0, &limit, nullptr, 0);
}

// True when the status could be read; a status that cannot be read ends the wait with that error.
bool ended(const Symbols& cl, cl_event event, cl_int* out_code) {
    cl_int state = CL_QUEUED;
    const cl_int code = cl.clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, nullptr);
    *out_code = code != CL_SUCCESS ? code : state;
    return *out_code <= CL_COMPLETE;
}

uint64_t deadline_of(const qiao_host_api* host, uint64_t timeout_ns) {
    const uint64_t now = host->now_ns(host->host);
    return timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
}

} // namespace

qiao_status wait_event(Device& device, cl_event event, uint64_t timeout_ns, cl_int* out_code) noexcept {
    if (ended(*device.cl, event, out_code)) return QIAO_OK;
    if (timeout_ns == 0) return QIAO_TIMEOUT;
    const qiao_host_api* host = device.host;
    const uint64_t deadline = deadline_of(host, timeout_ns);
    auto* waiter = new (std::nothrow) Waiter;
    const bool called =
        waiter != nullptr && device.cl->clSetEventCallback(event, CL_COMPLETE, on_end, waiter) == CL_SUCCESS;
    if (waiter != nullptr && !called) {
        delete waiter;
        waiter = nullptr;
    }
    qiao_status status = QIAO_OK;
    uint32_t round = 0;
    while (!ended(*device.cl, event, out_code)) {
        if (device.lost.load(std::memory_order_acquire)) {
            status = QIAO_ERROR_DEVICE_LOST;
            break;
        }
        const uint64_t now = host->now_ns(host->host);
        if (now >= deadline) {
            status = QIAO_TIMEOUT;
            break;
        }
        const uint64_t left = deadline - now;
        const uint64_t slice = left < kSliceNs ? left : kSliceNs;
        if (waiter != nullptr && waiter->ended.load(std::memory_order_acquire) == 0)
            park(*waiter, slice);
        else
            host->pause(host->host, &round, now + slice); // no callback, or it came a moment before the status
    }
    if (waiter != nullptr) release(waiter);
    return status;
}

qiao_status finish(Device& device, cl_event event, const char* what) noexcept {
    cl_int code = CL_COMPLETE;
    const qiao_status status = wait_event(device, event, QIAO_TIMEOUT_INFINITE, &code);
    device.cl->clReleaseEvent(event);
    if (status != QIAO_OK)
        return fail(device.host, status, "reset the device or restart the program", "the device was lost during %s",
                    what);
    if (code != CL_COMPLETE) return device_failed(device, code, "%s failed on the device", what);
    return QIAO_OK;
}

} // namespace qiao::opencl
