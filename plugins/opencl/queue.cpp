// Queues: launches, copies and fills in order, and the values of a timeline over OpenCL's events. Events are made lazily:
// see Launcher::event. Arguments are launch.h's, the history of events is marks.h's.
#include "queue.h"

#include <algorithm>
#include <utility>

#include "buffer.h"
#include "completion.h"

namespace qiao::opencl {

// What a driver's callback may touch after its queue has gone.
struct NotifyLink {
    std::mutex mutex;
    Queue* queue = nullptr; // null once destroyed
    Device* device = nullptr;
    uint64_t token = 0;
    std::atomic<uint32_t> owners{1};
};

namespace {

// The core marks at least every 32 operations, so this many marks are 8,192 operations.
constexpr uint32_t kMarks = 256;
// A profiling queue marks each operation.
constexpr uint32_t kProfilingMarks = 4096;

Device& device_of(const Queue& queue) {
    return *queue.launcher.device;
}

// ---------------------------------------------------------------------------------------------- events of operations

// Call before an operation; its event goes where the result points.
cl_event* event_of_next(Queue& queue) {
    if (queue.pending != nullptr) [[unlikely]] { // the guess that each operation is marked was wrong
        device_of(queue).cl->clReleaseEvent(std::exchange(queue.pending, nullptr));
        queue.launcher.event = nullptr;
    }
    return queue.launcher.event;
}

// Call after an operation that was enqueued.
void submitted(Queue& queue, uint64_t value) {
    if (!queue.profiling) [[likely]]
        return;
    queue.marks.push(value, std::exchange(queue.pending, nullptr));
    queue.marked = value;
}

qiao_status queue_failure(Queue& queue) noexcept {
    const cl_int code = queue.marks.failure();
    return device_failed(device_of(queue), code, "an operation of the queue failed on the device");
}

// ---------------------------------------------------------------------------------------------- notification

struct Notification {
    NotifyLink* link;
    uint64_t value;
};

void release(NotifyLink* link) {
    if (link->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete link;
}

void CL_CALLBACK on_end(cl_event, cl_int state, void* user) {
    const std::unique_ptr<Notification> notification(static_cast<Notification*>(user));
    NotifyLink* link = notification->link;
    {
        std::lock_guard lock(link->mutex);
        if (link->queue != nullptr) {
            const qiao_host_api* host = link->device->host;
            qiao_status status = QIAO_OK;
            if (state < CL_COMPLETE) {
                log(host, QIAO_LOG_LEVEL_ERROR, "an operation of a queue failed on %s: %s (%d)",
                    link->device->record->info.name, error_name(state), state);
                status = check_lost(*link->device, state) ? static_cast<qiao_status>(QIAO_ERROR_DEVICE_LOST)
                                                          : status_of(state);
            }
            host->completed(host->host, link->token, notification->value, status);
        }
    }
    release(link);
}

qiao_status notify(Queue& queue, cl_event event, uint64_t value) {
    NotifyLink* link = queue.link;
    auto notification = std::make_unique<Notification>(Notification{link, value});
    link->owners.fetch_add(1, std::memory_order_relaxed);
    const cl_int code = device_of(queue).cl->clSetEventCallback(event, CL_COMPLETE, on_end, notification.get());
    if (code != CL_SUCCESS) {
        release(link);
        return device_failed(device_of(queue), code, "a callback for an event");
    }
    notification.release();
    return QIAO_OK;
}

void disconnect(NotifyLink* link) {
    {
        std::lock_guard lock(link->mutex);
        link->queue = nullptr;
    }
    release(link);
}

} // namespace

// ---------------------------------------------------------------------------------------------- life

qiao_status make_queue(Device& device, cl_command_queue native, const qiao_plugin_queue_desc& desc, void** out_queue) {
    const auto release = [&device](cl_command_queue unused) { device.cl->clReleaseCommandQueue(unused); };
    std::unique_ptr<std::remove_pointer_t<cl_command_queue>, decltype(release)> owner(native, release);
    const bool profiling = (desc.flags & QIAO_PLUGIN_QUEUE_PROFILING) != 0;
    auto queue = std::make_unique<Queue>(*device.cl, profiling ? kProfilingMarks : kMarks, profiling);
    if (profiling) queue->launcher.event = &queue->pending;
    auto link = std::make_unique<NotifyLink>();
    link->queue = queue.get();
    link->device = &device;
    link->token = desc.token;
    launcher_create(queue->launcher, device, native);
    {
        std::lock_guard lock(device.mutex);
        device.queues.push_back(queue.get());
    }
    static_cast<void>(owner.release()); // the launcher's now
    queue->link = link.release();
    *out_queue = queue.release();
    return QIAO_OK;
}

static qiao_status opencl_queue_create(void* device_pointer, const qiao_plugin_queue_desc* desc, void** out_queue) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        const bool profiling = (desc->flags & QIAO_PLUGIN_QUEUE_PROFILING) != 0;
        cl_int code = CL_SUCCESS;
        cl_command_queue native = create_command_queue(device, profiling, desc->priority, &code);
        if (native == nullptr) return device_failed(device, code, "a command queue on %s", device.record->info.name);
        return make_queue(device, native, *desc, out_queue);
    });
}

static void opencl_queue_destroy(void* queue_pointer) {
    auto* queue = static_cast<Queue*>(queue_pointer);
    Device& device = device_of(*queue);
    disconnect(queue->link);
    {
        std::lock_guard lock(device.mutex);
        std::erase(device.queues, queue);
    }
    if (queue->pending != nullptr) device.cl->clReleaseEvent(queue->pending);
    queue->marks.clear();
    launcher_destroy(queue->launcher);
    delete queue;
}

// ---------------------------------------------------------------------------------------------- operations

// What becomes of the events has to be seen to: the queue profiles, or its guess of one wait per operation was wrong.
template <Arguments kArguments>
[[gnu::noinline]] static qiao_status launch_and_keep_event(Queue& queue, const Kernel& kernel,
                                                           const qiao_plugin_geometry& geometry, const void* block,
                                                           const qiao_plugin_binding* bindings, uint64_t value) {
    event_of_next(queue);
    const qiao_status status = launch<kArguments>(queue.launcher, kernel, geometry, block, bindings);
    if (status == QIAO_OK) submitted(queue, value);
    return status;
}

template <Arguments kArguments>
static qiao_status opencl_queue_launch(void* queue_pointer, void* kernel_pointer, const qiao_plugin_geometry* geometry,
                                       const void* block, const qiao_plugin_binding* bindings, uint64_t value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    const Kernel& kernel = *static_cast<const Kernel*>(kernel_pointer);
    if (queue.profiling || queue.pending != nullptr) [[unlikely]]
        return launch_and_keep_event<kArguments>(queue, kernel, *geometry, block, bindings, value);
    return launch<kArguments>(queue.launcher, kernel, *geometry, block, bindings);
}

static void* host_or_device_pointer(const qiao_plugin_place& place) {
    return reinterpret_cast<void*>(static_cast<uintptr_t>(place.address));
}

// Another device's allocation belongs to another context, where this driver takes its address for host memory.
static bool is_elsewhere(const qiao_plugin_copy& copy, const Device& device) {
    return (copy.source_device != nullptr && copy.source_device != &device) ||
           (copy.target_device != nullptr && copy.target_device != &device);
}

// OpenCL copies rows of buffers only.
static qiao_status opencl_queue_can_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    const bool is_plain = copy->rows <= 1 || (copy->source_pitch == copy->size_bytes && copy->target_pitch == copy->size_bytes);
    const bool can = !is_elsewhere(*copy, device_of(*static_cast<Queue*>(queue_pointer))) && is_plain && copy->slices <= 1;
    return can ? QIAO_OK : QIAO_ERROR_UNSUPPORTED;
}

static qiao_status opencl_queue_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Device& device = device_of(queue);
    if (opencl_queue_can_copy(queue_pointer, copy) != QIAO_OK) return QIAO_ERROR_UNSUPPORTED;
    const uint64_t size_bytes = copy->size_bytes * std::max<uint64_t>(copy->rows, 1);
    const cl_int code = device.copy(queue.launcher.queue, CL_FALSE, host_or_device_pointer(copy->target),
                                    host_or_device_pointer(copy->source), size_bytes, 0, nullptr, event_of_next(queue));
    if (code != CL_SUCCESS)
        return device_failed(device, code, "a copy of %llu bytes", static_cast<unsigned long long>(size_bytes));
    submitted(queue, copy->value);
    return QIAO_OK;
}

// A slice pitch must be a whole number of rows. Of boxes in one buffer drivers say that they overlap where they only lie between
// each other, or reach over a row's end.
static qiao_status opencl_buffer_can_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    if (is_elsewhere(*copy, device_of(*static_cast<Queue*>(queue_pointer)))) return QIAO_ERROR_UNSUPPORTED;
    if (copy->rows <= 1) return QIAO_OK;
    const auto fits = [&](uint64_t pitch, uint64_t slice_pitch) {
        return copy->slices <= 1 || (slice_pitch % pitch == 0 && slice_pitch / pitch >= copy->rows);
    };
    const bool can = copy->source.allocation != copy->target.allocation && fits(copy->source_pitch, copy->source_slice_pitch) &&
                     fits(copy->target_pitch, copy->target_slice_pitch);
    return can ? QIAO_OK : QIAO_ERROR_UNSUPPORTED;
}

static qiao_status opencl_buffer_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Device& device = device_of(queue);
    if (opencl_buffer_can_copy(queue_pointer, copy) != QIAO_OK) return QIAO_ERROR_UNSUPPORTED;
    const cl_int code = enqueue_transfer(device, queue.launcher.queue, *copy, event_of_next(queue));
    if (code != CL_SUCCESS)
        return device_failed(device, code, "a copy of %llu rows of %llu bytes",
                             static_cast<unsigned long long>(copy->rows),
                             static_cast<unsigned long long>(copy->size_bytes));
    submitted(queue, copy->value);
    return QIAO_OK;
}

// OpenCL wants the target aligned to the pattern; a pattern of equal bytes needs no alignment.
static uint32_t usable_pattern(const qiao_plugin_fill& fill) {
    if (fill.target.address % fill.pattern_size == 0) return fill.pattern_size;
    const bool equal = std::all_of(fill.pattern, fill.pattern + fill.pattern_size,
                                   [&](uint8_t byte) { return byte == fill.pattern[0]; });
    return equal ? 1 : 0;
}

static qiao_status opencl_queue_fill(void* queue_pointer, const qiao_plugin_fill* fill) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Device& device = device_of(queue);
    const uint32_t pattern_size = usable_pattern(*fill);
    if (pattern_size == 0) return QIAO_ERROR_UNSUPPORTED;
    const cl_int code = device.fill(queue.launcher.queue, host_or_device_pointer(fill->target), fill->pattern,
                                    pattern_size, fill->size_bytes, 0, nullptr, event_of_next(queue));
    if (code != CL_SUCCESS)
        return device_failed(device, code, "a fill of %llu bytes", static_cast<unsigned long long>(fill->size_bytes));
    submitted(queue, fill->value);
    return QIAO_OK;
}

static qiao_status opencl_buffer_fill(void* queue_pointer, const qiao_plugin_fill* fill) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Device& device = device_of(queue);
    const uint32_t pattern_size = usable_pattern(*fill);
    if (pattern_size == 0) return QIAO_ERROR_UNSUPPORTED;
    const cl_mem buffer = static_cast<const Allocation*>(fill->target.allocation)->buffer;
    const cl_int code =
        device.cl->clEnqueueFillBuffer(queue.launcher.queue, buffer, fill->pattern, pattern_size, fill->target.offset,
                                       fill->size_bytes, 0, nullptr, event_of_next(queue));
    if (code != CL_SUCCESS)
        return device_failed(device, code, "a fill of %llu bytes", static_cast<unsigned long long>(fill->size_bytes));
    submitted(queue, fill->value);
    return QIAO_OK;
}

// From OpenCL 2.1 on, and of shared virtual memory.
static qiao_status opencl_queue_prefetch(void* queue_pointer, const qiao_plugin_prefetch* prefetch) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Device& device = device_of(queue);
    const auto migrate = device.cl->clEnqueueSVMMigrateMem;
    if (migrate == nullptr || device.record->version < 210 || device.addresses != Addresses::kSvm) return QIAO_ERROR_UNSUPPORTED;
    const void* pointer = host_or_device_pointer(prefetch->place);
    const size_t size_bytes = prefetch->size_bytes;
    const cl_mem_migration_flags flags = (prefetch->flags & QIAO_PLUGIN_PREFETCH_TO_HOST) != 0 ? CL_MIGRATE_MEM_OBJECT_HOST : 0;
    const cl_int code = migrate(queue.launcher.queue, 1, &pointer, &size_bytes, flags, 0, nullptr, event_of_next(queue));
    if (code != CL_SUCCESS)
        return device_failed(device, code, "a prefetch of %llu bytes", static_cast<unsigned long long>(prefetch->size_bytes));
    submitted(queue, prefetch->value);
    return QIAO_OK;
}

static qiao_status opencl_queue_after(void* queue_pointer, void* other_pointer, uint64_t other_value, uint64_t value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Queue& other = *static_cast<Queue*>(other_pointer);
    Device& device = device_of(queue);
    if (&device_of(other) != &device) return QIAO_ERROR_UNSUPPORTED; // events do not cross contexts
    cl_event event = other.marks.find(other_value);
    if (event == nullptr && !queue.profiling) return QIAO_OK; // reached: nothing to wait for
    const cl_int code = device.cl->clEnqueueBarrierWithWaitList(
        queue.launcher.queue, event != nullptr ? 1 : 0, event != nullptr ? &event : nullptr, event_of_next(queue));
    if (event != nullptr) device.cl->clReleaseEvent(event);
    if (code != CL_SUCCESS) return device_failed(device, code, "a wait for another queue");
    submitted(queue, value);
    return QIAO_OK;
}

// ---------------------------------------------------------------------------------------------- completion

// No event came with the last operation.
[[gnu::noinline]] static cl_int make_marker(Queue& queue, uint64_t value) {
    cl_event event = nullptr;
    const Symbols& cl = *device_of(queue).cl;
    const cl_int code = cl.clEnqueueMarkerWithWaitList(queue.launcher.queue, 0, nullptr, &event);
    if (code != CL_SUCCESS) return code;
    if (value - queue.marked == 1) queue.launcher.event = &queue.pending;
    queue.pending = event;
    return CL_SUCCESS;
}

static qiao_status opencl_queue_mark(void* queue_pointer, uint64_t value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    if (value > queue.marked) {
        if (queue.pending == nullptr) {
            const cl_int code = make_marker(queue, value);
            if (code != CL_SUCCESS) return device_failed(device_of(queue), code, "a marker");
        }
        queue.marks.push(value, std::exchange(queue.pending, nullptr));
        queue.marked = value;
    } else if (!queue.profiling) { // a profiling queue marks when it submits, and flushes here only
        return QIAO_OK;
    }
    const cl_int code = queue.launcher.flush(queue.launcher.queue);
    if (code != CL_SUCCESS) [[unlikely]]
        return device_failed(device_of(queue), code, "a flush");
    return QIAO_OK;
}

static qiao_status opencl_queue_poll(void* queue_pointer, uint64_t* out_value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    queue.marks.poll();
    *out_value = queue.marks.reached();
    if (queue.marks.failure() != CL_SUCCESS) [[unlikely]]
        return queue_failure(queue);
    return QIAO_OK;
}

[[gnu::noinline]] static qiao_status wait_for_event(Queue& queue, uint64_t value, uint64_t timeout_ns) {
    queue.marks.poll();
    if (queue.marks.failure() != CL_SUCCESS) return queue_failure(queue);
    cl_event event = queue.marks.find(value);
    if (event == nullptr) return QIAO_OK;
    cl_int code = CL_COMPLETE;
    const qiao_status status = wait_event(device_of(queue), event, timeout_ns, &code);
    device_of(queue).cl->clReleaseEvent(event);
    if (status != QIAO_OK) return status;
    queue.marks.poll();
    return code == CL_COMPLETE
               ? static_cast<qiao_status>(QIAO_OK)
               : device_failed(device_of(queue), code, "an operation of the queue failed on the device");
}

static qiao_status opencl_queue_wait(void* queue_pointer, uint64_t value, uint64_t timeout_ns) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    queue.marks.poll_first();
    if (queue.marks.reached() >= value) [[likely]]
        return QIAO_OK;
    return wait_for_event(queue, value, timeout_ns);
}

static qiao_status opencl_queue_notify(void* queue_pointer, uint64_t value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Device& device = device_of(queue);
    return guarded(device.host, [&]() -> qiao_status {
        cl_event event = queue.marks.find(value);
        if (event == nullptr) {
            device.host->completed(device.host->host, queue.link->token, value, QIAO_OK);
            return QIAO_OK;
        }
        const qiao_status status = notify(queue, event, value);
        device.cl->clReleaseEvent(event);
        return status;
    });
}

static qiao_status opencl_queue_timestamps(void* queue_pointer, uint64_t value, uint64_t* out_start_ns,
                                           uint64_t* out_end_ns) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    const qiao_host_api* host = device_of(queue).host;
    if (!queue.profiling)
        return fail(host, QIAO_ERROR_UNSUPPORTED, "create the queue for profiling", "the queue keeps no timestamps");
    queue.marks.poll();
    if (queue.marks.reached() < value) return QIAO_NOT_READY;
    plugin::Stamp stamp;
    if (!queue.marks.find_stamp(value, &stamp))
        return fail(host, QIAO_ERROR_NOT_FOUND, "ask sooner", "value %llu is unknown: the last %u operations are kept",
                    static_cast<unsigned long long>(value), kProfilingMarks);
    if (stamp.end_ns == 0)
        return fail(host, QIAO_ERROR_UNSUPPORTED, nullptr, "the OpenCL driver gives no times for this operation");
    *out_start_ns = stamp.start_ns;
    *out_end_ns = stamp.end_ns;
    return QIAO_OK;
}

// ---------------------------------------------------------------------------------------------- whole device

qiao_status synchronize(Device& device, uint64_t timeout_ns) {
    const Symbols& cl = *device.cl;
    std::vector<cl_event> events;
    {
        std::lock_guard lock(device.mutex);
        events.reserve(device.queues.size() + 1);
        const auto add = [&](cl_command_queue native) {
            cl_event event = nullptr;
            if (const cl_int code = cl.clEnqueueMarkerWithWaitList(native, 0, nullptr, &event); code != CL_SUCCESS)
                return code;
            events.push_back(event);
            return cl.clFlush(native);
        };
        cl_int code = add(device.immediate.queue);
        for (Queue* queue : device.queues)
            if (code == CL_SUCCESS) code = add(queue->launcher.queue);
        if (code != CL_SUCCESS) {
            for (cl_event event : events)
                cl.clReleaseEvent(event);
            return device_failed(device, code, "a marker on every queue");
        }
    }
    const uint64_t start = device.host->now_ns(device.host->host);
    qiao_status status = QIAO_OK;
    for (cl_event event : events) {
        cl_int code = CL_COMPLETE; // an operation that failed has ended too; the failure is its queue's
        const uint64_t passed = device.host->now_ns(device.host->host) - start;
        if (status == QIAO_OK)
            status = wait_event(
                device, event,
                timeout_ns == QIAO_TIMEOUT_INFINITE ? timeout_ns : timeout_ns - std::min(timeout_ns, passed), &code);
        if (code < CL_COMPLETE && check_lost(device, code)) status = QIAO_ERROR_DEVICE_LOST;
        cl.clReleaseEvent(event);
    }
    return status;
}

const qiao_plugin_queue_ops opencl_queue_ops = {
    sizeof(qiao_plugin_queue_ops),
    opencl_queue_create,
    opencl_queue_destroy,
    opencl_queue_launch<Arguments::kAddresses>,
    opencl_queue_copy,
    opencl_queue_mark,
    opencl_queue_poll,
    opencl_queue_wait,
    opencl_queue_fill,
    opencl_queue_after,
    opencl_queue_notify,
    opencl_queue_timestamps,
    opencl_queue_native,
    opencl_queue_wrap,
    opencl_queue_can_copy,
    opencl_queue_prefetch,
};

const qiao_plugin_queue_ops opencl_buffer_queue_ops = {
    sizeof(qiao_plugin_queue_ops),
    opencl_queue_create,
    opencl_queue_destroy,
    opencl_queue_launch<Arguments::kPairs>,
    opencl_buffer_copy,
    opencl_queue_mark,
    opencl_queue_poll,
    opencl_queue_wait,
    opencl_buffer_fill,
    opencl_queue_after,
    opencl_queue_notify,
    opencl_queue_timestamps,
    opencl_queue_native,
    opencl_queue_wrap,
    opencl_buffer_can_copy,
    nullptr, // queue_prefetch: the core moves what buffers have
};

} // namespace qiao::opencl
