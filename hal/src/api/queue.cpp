// Entries for queues. qiao_queue_launch is the hot path: one fused check, the queue's lock, the plugin's slot.
#include "qiao/queue.h"

#include <utility>

#include "api/entry.h"
#include "api/instance.h"
#include "api/native.h"
#include "api/submission.h"
#include "dispatch/device.h"
#include "dispatch/geometry.h"
#include "dispatch/queue.h"
#include "dispatch/resolve.h"
#include "dispatch/retire.h"
#include "dispatch/shared_wait.h"
#include "dispatch/submit.h"
#include "dispatch/wait.h"
#include "emulation/deferred.h"
#include "emulation/shared.h"
#include "object/memory.h"

using namespace qiao;

namespace {

/* ---------------------------------------------------------------- launch */

typedef uint64_t WordPair __attribute__((vector_size(16)));

template <size_t kIndex>
inline WordPair difference_of_pair(const void* remembered, const void* launch) {
    WordPair a, b;
    std::memcpy(&a, static_cast<const char*>(remembered) + kIndex * sizeof a, sizeof a);
    std::memcpy(&b, static_cast<const char*>(launch) + kIndex * sizeof b, sizeof b);
    return a ^ b;
}

// Not zero if the launch differs from the remembered one: five 16-byte compares on every architecture that has them.
inline uint64_t shape_difference(const LaunchShape& shape, const qiao_launch& launch) {
    static_assert(sizeof(qiao_launch) == 5 * sizeof(WordPair));
    const void* remembered = __builtin_assume_aligned(&shape.launch, alignof(LaunchShape));
    const WordPair difference = difference_of_pair<0>(remembered, &launch) | difference_of_pair<1>(remembered, &launch) |
                                difference_of_pair<2>(remembered, &launch) | difference_of_pair<3>(remembered, &launch) |
                                difference_of_pair<4>(remembered, &launch);
    return difference[0] | difference[1];
}

// Only the first axis differs, and its group fits and divides: the rest of the geometry stands. False, with the launch
// remembered forgotten, if that was not all.
[[gnu::noinline]] bool change_first_axis(Queue& queue, LaunchShape& shape, const Kernel& kernel, const qiao_launch& launch) {
    const uint64_t global = launch.global_size[0], size = launch.group_size[0];
    qiao_plugin_geometry& geometry = shape.geometry;
    if (shape.kernel_serial != kernel.serial || (kernel.required_group[0] | geometry.tail[0]) != 0 || shape.launch.group_size[0] == 0) return false;
    if (size - 1 >= kernel.axis_limit[0] || size * geometry.group_size[1] * geometry.group_size[2] > kernel.max_group_size) return false;
    const uint64_t count = global / size;
    if (count * size != global || count - 1 >= kernel.group_count_limit[0]) return false;
    shape.launch.global_size[0] = global;
    shape.launch.group_size[0] = size;
    if (shape_difference(shape, launch) != 0) {
        shape.kernel_serial = 0;
        return false;
    }
    geometry.group_count[0] = static_cast<uint32_t>(count);
    geometry.group_size[0] = static_cast<uint32_t>(size);
    geometry.generation = ++queue.next_generation;
    return true;
}

// The launch does not look like the kernel's last one: a new geometry, unless only its local byte counts had to be compared.
[[gnu::cold, gnu::noinline]] qiao_status change_shape(Queue& queue, LaunchShape& shape, const Kernel& kernel, const qiao_launch& launch, const void* block) {
    const void* local_counts = static_cast<const std::byte*>(block) + kernel.local_counts_at;
    const size_t local_bytes = kernel.local_count * sizeof(uint32_t);
    if (local_bytes - 1 < sizeof shape.local_counts && shape.kernel_serial == (kernel.serial | kWithLocalCounts) && shape_difference(shape, launch) == 0 &&
        std::memcmp(shape.local_counts, local_counts, local_bytes) == 0) {
        return QIAO_OK;
    }
    QIAO_RETURN_IF_ERROR(make_geometry(kernel, launch, block, ++queue.next_generation, shape.geometry));
    shape.launch = launch;
    shape.kernel_serial = kernel.serial;
    if (local_bytes == 0) return QIAO_OK;
    shape.kernel_serial |= kWithLocalCounts;
    std::memcpy(shape.local_counts, local_counts, std::min(local_bytes, sizeof shape.local_counts));
    return QIAO_OK;
}

// `bindings` may be null.
[[gnu::cold, gnu::noinline]] qiao_status defer_launch(Queue& queue, qiao_kernel* kernel, const qiao_plugin_geometry& geometry, const void* block,
                                                      const qiao_plugin_binding* bindings, uint64_t* out_value) {
    return entry([&]() -> qiao_status {
        const auto* bytes = static_cast<const std::byte*>(block);
        LaunchOperation operation{kernel, geometry, {bytes, bytes + kernel->body.block_size}, {}};
        if (bindings != nullptr) operation.bindings.assign(bindings, bindings + geometry.binding_count);
        defer(queue, std::move(operation), out_value);
        return QIAO_OK;
    });
}

// The unlikely ways out of a launch, with the queue's lock held.
[[gnu::cold, gnu::noinline]] qiao_status leave_launch(Queue& queue, qiao_status status, uint64_t* out_value) {
    queue.lock->unlock();
    if (status != QIAO_OK && out_value != nullptr) *out_value = 0;
    return status;
}

// The device was lost while another thread was inside a slot of the queue.
[[gnu::cold, gnu::noinline]] qiao_status give_up_launch(const Queue& queue, uint64_t* out_value) {
    if (out_value != nullptr) *out_value = 0;
    return device_fail_lost(queue.device);
}

// What is left once queue, kernel and block are known to fit: shape, value and slot, under the queue's lock. `bindings` has room
// for the kernel's, or is null where the device takes addresses: both callers have a copy of this of their own.
[[gnu::always_inline]] inline qiao_status submit_launch(qiao_queue& queue, qiao_kernel& kernel, const qiao_launch& launch, const void* arguments,
                                                        qiao_plugin_binding* bindings, uint64_t* out_value) {
    Queue& body = queue.body;
    if (!queue_lock(body)) [[unlikely]] return give_up_launch(body, out_value);
    LaunchShape& shape = body.shapes[kernel.body.serial % kLaunchShapes];
    if (((shape.kernel_serial ^ kernel.body.serial) | shape_difference(shape, launch)) != 0 &&
        !change_first_axis(body, shape, kernel.body, launch)) [[unlikely]] {
        const qiao_status status = change_shape(body, shape, kernel.body, launch, arguments);
        if (status != QIAO_OK) return leave_launch(body, status, out_value);
    }
    if (bindings != nullptr) {
        const qiao_status status = resolve_arguments(kernel.body, arguments, bindings);
        if (status != QIAO_OK) [[unlikely]] return leave_launch(body, status, out_value);
    }
    if (!queue_is_direct(body)) [[unlikely]] {
        return leave_launch(body, defer_launch(body, &kernel, shape.geometry, arguments, bindings, out_value), out_value);
    }
    const uint64_t value = queue_last_value(body) + 1;
    const qiao_status status = body.launch_slot(body.plugin_queue, kernel.body.plugin_kernel, &shape.geometry, arguments, bindings, value);
    if (status != QIAO_OK) [[unlikely]] {
        return leave_launch(body, device_slot_failed(body.device, status, "queue_launch", body.losses), out_value);
    }
    queue_give_out(body, value);
    if (out_value != nullptr) *out_value = value;
    queue_accepted(body, value);
    body.lock->unlock();
    return QIAO_OK;
}

[[gnu::noinline]] qiao_status launch_resolved(qiao_queue& queue, qiao_kernel& kernel, const qiao_launch& launch, const void* arguments,
                                              uint64_t* out_value) {
    qiao_plugin_binding bindings[QIAO_MAX_ARGUMENTS];
    return submit_launch(queue, kernel, launch, arguments, bindings, out_value);
}

// As qiao_queue_launch ends, behind what is done for shared memory.
[[gnu::cold, gnu::noinline]] qiao_status launch_checked(qiao_queue& queue, qiao_kernel& kernel, const qiao_launch& launch, const void* arguments,
                                                        uint64_t* out_value) {
    if (kernel.body.launch_device == nullptr) return launch_resolved(queue, kernel, launch, arguments, out_value);
    return submit_launch(queue, kernel, launch, arguments, nullptr, out_value);
}

// The device has emulated shared memory: what the host has written goes there before.
[[gnu::cold, gnu::noinline]] qiao_status launch_with_shared(qiao_queue& queue, qiao_kernel& kernel, const qiao_launch& launch, const void* arguments,
                                                            uint64_t* out_value) {
    return entry([&]() -> qiao_status {
        SharedUses uses;
        uses.add_arguments(kernel.body, arguments);
        if (uses.empty()) return launch_checked(queue, kernel, launch, arguments, out_value);
        uint64_t value = 0;
        QIAO_RETURN_IF_ERROR(uses.send());
        QIAO_RETURN_IF_ERROR(launch_checked(queue, kernel, launch, arguments, &value));
        uses.book(queue.body, value);
        if (out_value != nullptr) *out_value = value;
        return QIAO_OK;
    });
}

// The launch's checks once more, in words. What goes on: a kernel without arguments, which needs no block, and what never takes
// the short way: addresses must be resolved, or the device has emulated shared memory.
[[gnu::noinline]] qiao_status check_launch(qiao_queue* queue, qiao_kernel* kernel, const qiao_launch* launch, const void* arguments,
                                                      size_t argument_bytes, uint64_t* out_value) {
    if (out_value != nullptr) *out_value = 0;
    if (!is_healthy(queue)) return fail_submission(queue);
    QIAO_CHECK_HANDLE(kernel);
    QIAO_CHECK_POINTER(launch);
    if (queue->body.device != kernel->body.device) {
        return fail(QIAO_ERROR_INVALID_HANDLE, "kernel %s was loaded for %s, the queue is on %s", kernel->body.name.c_str(),
                    device_name(kernel->body.device), device_name(queue->body.device));
    }
    if (argument_bytes != kernel->body.block_size) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s takes an argument block of %u bytes, %zu were given", kernel->body.name.c_str(), kernel->body.block_size,
             argument_bytes);
        set_remedy("its layout: qiao_kernel_query_argument, or `qiao package inspect`; sizes of local arguments come last");
        return QIAO_ERROR_INVALID_ARGUMENT;
    }
    if (argument_bytes != 0) QIAO_CHECK_POINTER(arguments);
    const uint64_t no_arguments = 0;
    if (queue->body.launch_device.load(std::memory_order_relaxed) == looks_for_shared()) {
        return launch_with_shared(*queue, *kernel, *launch, arguments == nullptr ? &no_arguments : arguments, out_value);
    }
    if (kernel->body.launch_device == nullptr) return launch_resolved(*queue, *kernel, *launch, arguments, out_value);
    return qiao_queue_launch(queue, kernel, launch, &no_arguments, 0, out_value);
}

}  // namespace

/* ---------------------------------------------------------------- lifetime */

static qiao_status open_queue(qiao_device* device, const qiao_queue_desc* desc, const qiao_native* native, qiao_queue** out_queue) {
    qiao_queue_desc request = QIAO_QUEUE_DESC_INIT;
    if (desc != nullptr) QIAO_RETURN_IF_ERROR(read_desc(desc, "qiao_queue_desc", request));
    QIAO_RETURN_IF_ERROR(check_no_flags(request.flags & ~QIAO_QUEUE_PROFILING, "qiao_queue_desc"));
    QIAO_RETURN_IF_ERROR(check_reserved(request.reserved0, "qiao_queue_desc"));
    const uint32_t priorities = std::max(1u, device->body.info.queue_priorities);
    if (request.priority >= priorities) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "priority is %u; the highest of %s is %u", request.priority, device_name(device), priorities - 1);
    }
    QIAO_RETURN_IF_ERROR(device_ensure_open(device));
    retire_passed(device);
    QIAO_RETURN_IF_ERROR(queue_open(device, request, native, out_queue));
    instance_add_use(device->body.instance);
    return QIAO_OK;
}

qiao_status qiao_queue_create(qiao_device* device, const qiao_queue_desc* desc, qiao_queue** out_queue) {
    if (out_queue != nullptr) *out_queue = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(out_queue);
    return entry([&]() -> qiao_status { return open_queue(device, desc, nullptr, out_queue); });
}

qiao_status qiao_queue_wrap(qiao_device* device, const qiao_native* native, const qiao_queue_desc* desc, qiao_queue** out_queue) {
    if (out_queue != nullptr) *out_queue = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(native);
    QIAO_CHECK_POINTER(out_queue);
    return entry([&]() -> qiao_status {
        QIAO_RETURN_IF_ERROR(check_native(device->body, device->body.native_queues && device->body.tables.queue.queue_wrap != nullptr, *native, "queue"));
        return open_queue(device, desc, native, out_queue);
    });
}

qiao_status qiao_queue_retain(qiao_queue* queue) {
    QIAO_CHECK_ALIVE(queue);
    retain(queue);
    return QIAO_OK;
}

qiao_status qiao_queue_release(qiao_queue* queue) {
    if (queue == nullptr) return QIAO_OK;
    QIAO_CHECK_ALIVE(queue);
    return entry([&]() -> qiao_status {
        if (!release(queue)) return QIAO_OK;
        qiao_device* device = queue->body.device;
        qiao_instance* instance = device->body.instance;
        queue_retire(queue);
        retire_passed(device);
        instance_drop_use(instance);
        return QIAO_OK;
    });
}

qiao_status qiao_queue_get_timeline(qiao_queue* queue, qiao_timeline** out_timeline) {
    if (out_timeline != nullptr) *out_timeline = nullptr;
    QIAO_CHECK_ALIVE(queue);
    QIAO_CHECK_POINTER(out_timeline);
    *out_timeline = queue->body.timeline;
    return QIAO_OK;
}

/* ---------------------------------------------------------------- operations */

[[gnu::hot]] qiao_status qiao_queue_launch(qiao_queue* queue, qiao_kernel* kernel, const qiao_launch* launch, const void* arguments, size_t argument_bytes,
                              uint64_t* out_value) {
    if (queue == nullptr || kernel == nullptr || launch == nullptr || arguments == nullptr) [[unlikely]] {
        return check_launch(queue, kernel, launch, arguments, argument_bytes, out_value);
    }
    const uint64_t wrong = (queue->header.word.load(std::memory_order_relaxed) ^ kTagQueue) |
                           (kernel->header.word.load(std::memory_order_relaxed) ^ kTagKernel) |
                           (reinterpret_cast<uintptr_t>(queue->body.launch_device.load(std::memory_order_relaxed)) ^ reinterpret_cast<uintptr_t>(kernel->body.launch_device)) |
                           (argument_bytes ^ kernel->body.block_size);
    if (wrong != 0) [[unlikely]] return check_launch(queue, kernel, launch, arguments, argument_bytes, out_value);
    return submit_launch(*queue, *kernel, *launch, arguments, nullptr, out_value);
}

qiao_status qiao_queue_after(qiao_queue* queue, qiao_timeline* timeline, uint64_t value, uint64_t* out_value) {
    uint64_t ignored = 0;
    if (out_value == nullptr) out_value = &ignored;
    *out_value = 0;
    QIAO_CHECK_QUEUE(queue);
    QIAO_CHECK_HANDLE(timeline);
    return entry([&]() -> qiao_status {
        Queue& body = queue->body;
        if (timeline->body.instance != body.device->body.instance) {
            return fail(QIAO_ERROR_INVALID_HANDLE, "the timeline is of another instance");
        }
        if (timeline == body.timeline) {
            const uint64_t last = queue_last_value(body);
            if (value > last) {
                return fail(QIAO_ERROR_OUT_OF_RANGE, "the queue would wait for itself: value %" PRIu64 " is not submitted, the last is %" PRIu64, value, last);
            }
            *out_value = last;
            return QIAO_OK;  // the queue is in order already
        }
        const qiao_status status = queue_after_natively(queue, timeline, value, out_value);
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
        QueueGuard guard(body);
        if (!guard) return device_fail_lost(body.device);
        add_use(timeline);
        defer(body, AfterOperation{timeline, value}, out_value);
        return QIAO_OK;
    });
}

qiao_status qiao_queue_signal(qiao_queue* queue, qiao_timeline* timeline, uint64_t value, uint64_t* out_value) {
    uint64_t ignored = 0;
    if (out_value == nullptr) out_value = &ignored;
    *out_value = 0;
    QIAO_CHECK_QUEUE(queue);
    QIAO_CHECK_HANDLE(timeline);
    return entry([&]() -> qiao_status {
        Queue& body = queue->body;
        if (timeline->body.instance != body.device->body.instance) return fail(QIAO_ERROR_INVALID_HANDLE, "the timeline is of another instance");
        if (timeline->body.of_queue) return fail(QIAO_ERROR_INVALID_ARGUMENT, "the timeline belongs to a queue; only its operations raise it");
        if (timeline->body.shared != nullptr) learn_from_others(timeline->body, 0);
        if (value <= timeline->body.reached.load()) {
            return fail(QIAO_ERROR_OUT_OF_RANGE, "value %" PRIu64 " is not above the timeline's present value %" PRIu64, value, timeline->body.reached.load());
        }
        QueueGuard guard(body);
        if (!guard) return device_fail_lost(body.device);
        add_use(timeline);
        timeline->body.signallers.fetch_add(1);
        defer(body, SignalOperation{timeline, value}, out_value);
        return QIAO_OK;
    });
}

qiao_status qiao_queue_call(qiao_queue* queue, qiao_queue_callback callback, void* user, uint64_t* out_value) {
    uint64_t ignored = 0;
    if (out_value == nullptr) out_value = &ignored;
    *out_value = 0;
    QIAO_CHECK_QUEUE(queue);
    QIAO_CHECK_POINTER(callback);
    return entry([&]() -> qiao_status {
        QueueGuard guard(queue->body);
        if (!guard) return device_fail_lost(queue->body.device);
        defer(queue->body, CallOperation{callback, user}, out_value);
        return QIAO_OK;
    });
}

qiao_status qiao_queue_query_timestamps(qiao_queue* queue, uint64_t value, uint64_t* out_start_ns, uint64_t* out_end_ns) {
    if (out_start_ns != nullptr) *out_start_ns = 0;
    if (out_end_ns != nullptr) *out_end_ns = 0;
    QIAO_CHECK_ALIVE(queue);
    QIAO_CHECK_POINTER(out_start_ns);
    QIAO_CHECK_POINTER(out_end_ns);
    return entry([&]() -> qiao_status { return queue_timestamps(queue, value, out_start_ns, out_end_ns); });
}

qiao_status qiao_queue_get_native(qiao_queue* queue, qiao_native* out_native) {
    if (out_native != nullptr) *out_native = QIAO_NATIVE_INIT;
    QIAO_CHECK_HANDLE(queue);
    QIAO_CHECK_POINTER(out_native);
    return entry([&]() -> qiao_status {
        const Queue& body = queue->body;
        const auto slot = body.device->body.tables.queue.queue_native;
        if (body.plugin_queue == nullptr || slot == nullptr) return fail_no_native(body.device->body, "queue");
        return answer_native(body.device, body.losses, slot(body.plugin_queue, out_native), "queue_native", out_native);
    });
}
