// Queues and events of the null driver. Operations end at once, or with `manual` when the test says so.
#include <deque>

#include "driver.h"
#include "opencl_null.h"

using namespace null_driver;

namespace {

NULL_POINT(clCreateCommandQueueWithProperties)
NULL_POINT(clEnqueueNDRangeKernel)
NULL_POINT(clEnqueueMarkerWithWaitList)
NULL_POINT(clEnqueueBarrierWithWaitList)
NULL_POINT(clGetEventInfo)
NULL_POINT(clSetEventCallback)
NULL_POINT(clFlush)

// Events live in one array and are used again as late as possible, so that a released one is recognised.
constexpr uint32_t kEvents = 1u << 16;
_cl_event events[kEvents];
uint32_t free_ring[kEvents];
uint32_t free_head = 0, free_tail = 0, fresh = 0;
std::atomic_flag free_lock;

struct Locked {
    Locked() {
        while (free_lock.test_and_set(std::memory_order_acquire)) {
        }
    }
    ~Locked() { free_lock.clear(std::memory_order_release); }
};

std::deque<cl_event> pending; // guarded by the driver's mutex

cl_event take_event() {
    uint32_t index;
    {
        const Locked locked;
        if (fresh < kEvents)
            index = fresh++;
        else if (free_head != free_tail)
            index = free_ring[free_head++ % kEvents];
        else
            return nullptr;
    }
    cl_event event = &events[index];
    event->references.store(1, std::memory_order_relaxed);
    event->tag = _cl_event::kTag;
    counts.events.fetch_add(1, std::memory_order_relaxed);
    return event;
}

void drop_event(cl_event event) {
    if (event->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    event->tag = kDead;
    counts.events.fetch_sub(1, std::memory_order_relaxed);
    const Locked locked;
    free_ring[free_tail++ % kEvents] = static_cast<uint32_t>(event - events);
}

// Pointers of the kernel that were set before the latest free may name memory that has gone.
cl_int check_pointers(cl_kernel kernel, uint64_t now) {
    for (uint32_t i = 0; i < kernel->count; ++i)
        if (kernel->arguments[i].size == kPointer && kernel->arguments[i].frees != now)
            return misuse("a pointer argument was not set again after a free", CL_INVALID_KERNEL_ARGS);
    kernel->checked_frees = now;
    return CL_SUCCESS;
}

void end_event(cl_event event, cl_int code) {
    decltype(event->callbacks) callbacks;
    {
        std::lock_guard lock(mutex);
        event->state.store(code, std::memory_order_release);
        callbacks.swap(event->callbacks);
    }
    for (const auto& [function, user] : callbacks)
        function(event, code, user);
    drop_event(event);
}

} // namespace

namespace null_driver {

cl_int submit(cl_command_queue queue, cl_uint wait_count, const cl_event* waits, cl_event* out_event) {
    for (cl_uint i = 0; i < wait_count; ++i)
        if (!alive(waits[i])) return misuse("a wait for a released event", CL_INVALID_EVENT_WAIT_LIST);
    cl_event event = nullptr;
    if (out_event != nullptr || NULL_UNLIKELY(settings.manual)) {
        event = take_event();
        if (event == nullptr) return misuse("too many events are alive", CL_OUT_OF_RESOURCES);
        event->profiling = queue->profiling;
        if (queue->profiling) {
            event->start_ns = clock_ns.fetch_add(100);
            event->end_ns = event->start_ns + 50;
        }
        event->state.store(settings.manual ? CL_QUEUED : CL_COMPLETE, std::memory_order_relaxed);
    }
    if (NULL_UNLIKELY(settings.manual)) {
        if (out_event != nullptr) ++event->references; // the list keeps one reference of its own
        std::lock_guard lock(mutex);
        pending.push_back(event);
    }
    if (out_event != nullptr) *out_event = event;
    return CL_SUCCESS;
}

} // namespace null_driver

NULL_EXPORT uint64_t opencl_null_complete(uint64_t operations, int code) {
    uint64_t ended = 0;
    while (ended < operations) {
        cl_event event = nullptr;
        bool last = false;
        {
            std::lock_guard lock(mutex);
            if (pending.empty()) break;
            event = pending.front();
            pending.pop_front();
            last = ended + 1 == operations || pending.empty();
        }
        ++ended;
        end_event(event, last ? code : CL_COMPLETE);
    }
    return ended;
}

// ---------------------------------------------------------------------------------------------- queues

NULL_EXPORT cl_command_queue clCreateCommandQueueWithProperties(cl_context context, cl_device_id,
                                                                const cl_queue_properties* properties,
                                                                cl_int* out_code) {
    NULL_FAIL_OBJECT(clCreateCommandQueueWithProperties, out_code);
    if (!alive(context)) return misuse("a queue in no context", 0), nullptr;
    bool profiling = false;
    for (; properties != nullptr && properties[0] != 0; properties += 2) {
        if (properties[0] == CL_QUEUE_PROPERTIES) profiling = (properties[1] & CL_QUEUE_PROFILING_ENABLE) != 0;
        if (properties[0] == CL_QUEUE_PROPERTIES && (properties[1] & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0)
            misuse("an out-of-order queue", 0);
    }
    ++counts.queues;
    if (out_code != nullptr) *out_code = CL_SUCCESS;
    return keep(new _cl_command_queue{nullptr, _cl_command_queue::kTag, profiling, context});
}

NULL_EXPORT cl_command_queue clCreateCommandQueue(cl_context context, cl_device_id device,
                                                  cl_command_queue_properties flags, cl_int* out_code) {
    const cl_queue_properties properties[] = {CL_QUEUE_PROPERTIES, flags, 0};
    return clCreateCommandQueueWithProperties(context, device, properties, out_code);
}

NULL_EXPORT cl_int clReleaseCommandQueue(cl_command_queue queue) {
    if (!alive(queue)) return misuse("clReleaseCommandQueue of no queue", CL_INVALID_COMMAND_QUEUE);
    if (!alive(queue->context)) misuse("a queue outlived its context", 0);
    --counts.queues;
    bury(queue);
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clFlush(cl_command_queue queue) {
    NULL_FAIL(clFlush);
    if (NULL_UNLIKELY(!alive(queue))) return misuse("clFlush of no queue", CL_INVALID_COMMAND_QUEUE);
    ++counts.flushes;
    return CL_SUCCESS;
}

// Both wait without limit, which a plugin must not do on a thread of the application: counted. With `manual` they do not wait.
NULL_EXPORT cl_int clFinish(cl_command_queue queue) {
    ++counts.endless_waits;
    return NULL_UNLIKELY(!alive(queue)) ? misuse("clFinish of no queue", CL_INVALID_COMMAND_QUEUE) : CL_SUCCESS;
}

NULL_EXPORT cl_int clWaitForEvents(cl_uint count, const cl_event* list) {
    ++counts.endless_waits;
    for (cl_uint i = 0; i < count; ++i) {
        if (NULL_UNLIKELY(!alive(list[i]))) return misuse("clWaitForEvents of a released event", CL_INVALID_EVENT);
        if (list[i]->state.load(std::memory_order_acquire) < CL_COMPLETE)
            return CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
    }
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t*,
                                          const size_t* global, const size_t* local, cl_uint wait_count,
                                          const cl_event* waits, cl_event* event) {
    NULL_FAIL(clEnqueueNDRangeKernel);
    if (NULL_UNLIKELY(!alive(queue))) return misuse("a launch on no queue", CL_INVALID_COMMAND_QUEUE);
    if (NULL_UNLIKELY(!alive(kernel))) return misuse("a launch of no kernel", CL_INVALID_KERNEL);
    if (NULL_UNLIKELY(kernel->missing != 0)) return misuse("a launch with arguments missing", CL_INVALID_KERNEL_ARGS);
    if (NULL_UNLIKELY(kernel->user != queue)) {
        if (kernel->user != nullptr) return misuse("one cl_kernel on two queues", CL_INVALID_KERNEL);
        kernel->user = queue;
    }
    const uint64_t now = frees.load(std::memory_order_relaxed);
    if (NULL_UNLIKELY(kernel->checked_frees != now))
        if (const cl_int code = check_pointers(kernel, now); code != CL_SUCCESS) return code;
    if (NULL_UNLIKELY(dimensions - 1 > 2)) return misuse("a launch of no dimensions", CL_INVALID_WORK_DIMENSION);
    for (cl_uint i = 0; i < dimensions; ++i)
        if (NULL_UNLIKELY(global[i] == 0 || local[i] == 0))
            return misuse("a launch of nothing", CL_INVALID_GLOBAL_WORK_SIZE);
    ++counts.launches;
    if (event == nullptr && wait_count == 0 && !settings.manual) return CL_SUCCESS;
    return submit(queue, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint wait_count, const cl_event* waits,
                                               cl_event* event) {
    NULL_FAIL(clEnqueueMarkerWithWaitList);
    if (!alive(queue)) return misuse("a marker on no queue", CL_INVALID_COMMAND_QUEUE);
    ++counts.markers;
    return submit(queue, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueBarrierWithWaitList(cl_command_queue queue, cl_uint wait_count, const cl_event* waits,
                                                cl_event* event) {
    NULL_FAIL(clEnqueueBarrierWithWaitList);
    if (!alive(queue)) return misuse("a barrier on no queue", CL_INVALID_COMMAND_QUEUE);
    return submit(queue, wait_count, waits, event);
}

// ---------------------------------------------------------------------------------------------- events

NULL_EXPORT cl_int clGetEventInfo(cl_event event, cl_event_info what, size_t room, void* out, size_t* out_size) {
    NULL_FAIL(clGetEventInfo);
    if (NULL_UNLIKELY(!alive(event))) return misuse("clGetEventInfo of a released event", CL_INVALID_EVENT);
    if (what != CL_EVENT_COMMAND_EXECUTION_STATUS || room < sizeof(cl_int)) return CL_INVALID_VALUE;
    *static_cast<cl_int*>(out) = event->state.load(std::memory_order_acquire);
    if (out_size != nullptr) *out_size = sizeof(cl_int);
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clRetainEvent(cl_event event) {
    if (NULL_UNLIKELY(!alive(event))) return misuse("clRetainEvent of a released event", CL_INVALID_EVENT);
    event->references.fetch_add(1, std::memory_order_relaxed);
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clReleaseEvent(cl_event event) {
    if (NULL_UNLIKELY(!alive(event))) return misuse("clReleaseEvent of a released event", CL_INVALID_EVENT);
    drop_event(event);
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clSetEventCallback(cl_event event, cl_int, void(CL_CALLBACK* function)(cl_event, cl_int, void*),
                                      void* user) {
    NULL_FAIL(clSetEventCallback);
    if (!alive(event)) return misuse("clSetEventCallback of a released event", CL_INVALID_EVENT);
    {
        std::lock_guard lock(mutex);
        if (event->state.load() > CL_COMPLETE) {
            event->callbacks.emplace_back(function, user);
            return CL_SUCCESS;
        }
    }
    function(event, event->state.load(), user);
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clGetEventProfilingInfo(cl_event event, cl_profiling_info what, size_t room, void* out, size_t*) {
    if (!alive(event)) return misuse("clGetEventProfilingInfo of a released event", CL_INVALID_EVENT);
    if (!event->profiling || event->state.load() != CL_COMPLETE) return CL_PROFILING_INFO_NOT_AVAILABLE;
    if (room < sizeof(cl_ulong)) return CL_INVALID_VALUE;
    *static_cast<cl_ulong*>(out) = what == CL_PROFILING_COMMAND_START ? event->start_ns : event->end_ns;
    return CL_SUCCESS;
}
