// Entries for queues. qiao_queue_launch is the hot path: one fused check, the queue's lock, the plugin's slot.
#include "qiao/queue.h"

#include <utility>

#include "api/entry.h"
#include "api/instance.h"
#include "api/native.h"
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

void defer(Queue& queue, Operation operation, uint64_t* out_value) {
    const uint64_t value = queue_last_value(queue) + 1;
    queue.deferred->push(std::move(operation), value);
    ++queue.deferred_count;
    queue_give_out(queue, value);
    if (out_value != nullptr) *out_value = value;
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
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s takes an argument block of %u bytes, %zu were given", kernel->body.name.c_str(),
                    kernel->body.block_size, argument_bytes);
    }
    if (argument_bytes != 0) QIAO_CHECK_POINTER(arguments);
    const uint64_t no_arguments = 0;
    if (queue->body.launch_device.load(std::memory_order_relaxed) == looks_for_shared()) {
        return launch_with_shared(*queue, *kernel, *launch, arguments == nullptr ? &no_arguments : arguments, out_value);
    }
    if (kernel->body.launch_device == nullptr) return launch_resolved(*queue, *kernel, *launch, arguments, out_value);
    return qiao_queue_launch(queue, kernel, launch, &no_arguments, 0, out_value);
}

/* ---------------------------------------------------------------- places */

struct Resolved {
    qiao_device* device;  // null = host memory
    uint64_t losses;      // of the device before the memory was made
    qiao_plugin_place place;
    const Memory* memory = nullptr;

    Owner owner() const { return {device, losses}; }
};

qiao_status fail_old_memory(const qiao_place& place, const char* name) {
    fail(QIAO_ERROR_DEVICE_LOST, "%s 0x%" PRIx64 " is in memory from before %s was lost or reset", name, place.address, device_name(place.device));
    set_remedy("release that memory and allocate it anew; nothing was submitted");
    return QIAO_ERROR_DEVICE_LOST;
}

// `span_bytes` from the first byte to the last of all rows.
qiao_status resolve(const qiao_place& place, uint64_t span_bytes, const Queue& queue, const char* name, Resolved& out) {
    if (place.device == nullptr) {
        if (place.address == 0) return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s is a null host pointer", name);
        if (place.address > UINT64_MAX - span_bytes) return fail(QIAO_ERROR_OUT_OF_RANGE, "%s 0x%" PRIx64 " + %" PRIu64 " bytes overflows", name, place.address, span_bytes);
        out = {nullptr, 0, {nullptr, 0, place.address}};
        return QIAO_OK;
    }
    qiao_device* device = place.device;
    QIAO_CHECK_HANDLE(device);
    if (device->body.instance != queue.device->body.instance) {
        return fail(QIAO_ERROR_INVALID_HANDLE, "%s is on a device of another instance", name);
    }
    const FoundMemory found = find_memory(device->body, place.address);
    if (found.memory == nullptr) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "%s 0x%" PRIx64 " is in no allocation of %s", name, place.address, device_name(device));
    }
    if (span_bytes > found.size_bytes - found.offset) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "%s: %" PRIu64 " bytes at offset %" PRIu64 " leave the allocation of %" PRIu64 " bytes", name, span_bytes,
                    found.offset, found.size_bytes);
    }
    if (device->body.lost.load()) return device_fail_lost(device);
    const Memory& memory = found.memory->body;
    if (device_was_lost_since(device, memory.losses)) return fail_old_memory(place, name);
    out = {device, memory.losses, {memory.allocation, found.offset, place.address}, &memory};
    return QIAO_OK;
}

void add_use_of(const Resolved& side, uint64_t span_bytes, bool is_written, SharedUses& uses) {
    if (side.memory != nullptr) uses.add(*side.memory, {side.place.offset, side.place.offset + span_bytes}, is_written);
}

qiao_status span_of(const qiao_copy& copy, uint64_t pitch, const char* name, uint64_t& out_span) {
    out_span = copy.size_bytes;
    if (copy.rows <= 1) return QIAO_OK;
    if (pitch < copy.size_bytes) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s %" PRIu64 " is below the row of %" PRIu64 " bytes", name, pitch, copy.size_bytes);
    }
    if (pitch > (UINT64_MAX - copy.size_bytes) / (copy.rows - 1)) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "%s %" PRIu64 " x %" PRIu64 " rows overflows", name, pitch, copy.rows);
    }
    out_span = pitch * (copy.rows - 1) + copy.size_bytes;
    return QIAO_OK;
}

// Whether a byte is in a row of both. Rows of one pitch may lie between each other, as columns of a matrix do.
bool overlaps(const Resolved& source, uint64_t source_span, const Resolved& target, uint64_t target_span, const qiao_copy& copy) {
    if (source.device != target.device || source.place.address >= target.place.address + target_span ||
        target.place.address >= source.place.address + source_span) {
        return false;
    }
    if (copy.rows <= 1 || copy.source_pitch != copy.target_pitch) return true;
    const uint64_t distance = std::max(source.place.address, target.place.address) - std::min(source.place.address, target.place.address);
    const uint64_t row = distance / copy.source_pitch, within = distance % copy.source_pitch;
    return (row < copy.rows && within < copy.size_bytes) || (row + 1 < copy.rows && copy.source_pitch - within < copy.size_bytes);
}

/* ---------------------------------------------------------------- copies and fills */

// Whether the plugin's queue may know how: this device and the host, or two devices of the plugin.
bool is_native(const Queue& queue, const Resolved& source, const Resolved& target) {
    const auto own = [&](const Resolved& side) { return side.device == nullptr || side.device->body.plugin == queue.device->body.plugin; };
    return queue.plugin_queue != nullptr && own(source) && own(target) && (source.device == queue.device || target.device == queue.device);
}

// Books what a direct slot answered; at UNSUPPORTED, which is not reported, the caller tries another way.
qiao_status book(Queue& queue, qiao_status status, const char* slot, uint64_t value, uint64_t* out_value) {
    if (status == QIAO_ERROR_UNSUPPORTED) {
        clear_plugin_error();
        return status;
    }
    if (status != QIAO_OK) return device_slot_failed(queue.device, status, slot, queue.losses);
    queue_give_out(queue, value);
    *out_value = value;
    queue_accepted(queue, value);
    return QIAO_OK;
}

// Row by row where the plugin copies no rectangles: each row is an operation with a value of its own, the last one's is the
// copy's. A row that fails after others were accepted fails the queue.
qiao_status submit_in_plugin(Queue& queue, qiao_plugin_copy copy, uint64_t* out_value) {
    const auto slot = queue.device->body.tables.queue.queue_copy;
    copy.value = queue_last_value(queue) + 1;
    const qiao_status whole = book(queue, slot(queue.plugin_queue, &copy), "queue_copy", copy.value, out_value);
    if (whole != QIAO_ERROR_UNSUPPORTED || copy.rows == 1) return whole;
    const uint64_t rows = std::exchange(copy.rows, 1);
    const uint64_t source_pitch = std::exchange(copy.source_pitch, 0), target_pitch = std::exchange(copy.target_pitch, 0);
    for (uint64_t row = 0; row < rows; ++row, ++copy.value) {
        const qiao_status status = slot(queue.plugin_queue, &copy);
        if (status != QIAO_OK && row != 0) {
            queue_fail_from_slot(queue.self, status, "queue_copy");
            *out_value = 0;
            return last_error().status;
        }
        QIAO_RETURN_IF_ERROR(book(queue, status, "queue_copy", copy.value, out_value));
        copy.source.offset += source_pitch, copy.source.address += source_pitch;
        copy.target.offset += target_pitch, copy.target.address += target_pitch;
    }
    return QIAO_OK;
}

void visit(Queue& queue, qiao_device* device) {
    if (device != nullptr && device != queue.device) device_add_visitor(device, queue.self);
}

qiao_status submit_copy(Queue& queue, const Resolved& source, const Resolved& target, const qiao_copy& request, uint64_t* out_value) {
    qiao_plugin_copy copy{};
    copy.source = source.place;
    copy.target = target.place;
    copy.size_bytes = request.size_bytes;
    copy.rows = request.rows <= 1 ? 1 : request.rows;
    copy.source_pitch = copy.rows == 1 ? 0 : request.source_pitch;
    copy.target_pitch = copy.rows == 1 ? 0 : request.target_pitch;
    copy.source_device = source.device == nullptr ? nullptr : source.device->body.opened.load();
    copy.target_device = target.device == nullptr ? nullptr : target.device->body.opened.load();
    const bool native = is_native(queue, source, target);
    visit(queue, source.device);
    visit(queue, target.device);
    QueueGuard guard(queue);
    if (!guard) return device_fail_lost(queue.device);
    if (native && queue_is_direct(queue)) {
        const qiao_status status = submit_in_plugin(queue, copy, out_value);
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
    }
    defer(queue, CopyOperation{source.owner(), target.owner(), copy, native}, out_value);
    return QIAO_OK;
}

qiao_status submit_fill(Queue& queue, const Resolved& target, qiao_plugin_fill fill, uint64_t* out_value) {
    const auto slot = queue.device->body.tables.queue.queue_fill;
    visit(queue, target.device);
    QueueGuard guard(queue);
    if (!guard) return device_fail_lost(queue.device);
    if (slot != nullptr && target.device == queue.device && queue_is_direct(queue)) {
        fill.value = queue_last_value(queue) + 1;
        const qiao_status status = book(queue, slot(queue.plugin_queue, &fill), "queue_fill", fill.value, out_value);
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
    }
    defer(queue, FillOperation{target.owner(), fill}, out_value);
    return QIAO_OK;
}

}  // namespace

#define QIAO_CHECK_QUEUE(queue)                                                \
    do {                                                                       \
        if (!is_healthy(queue)) [[unlikely]] return fail_submission(queue);    \
    } while (false)

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

qiao_status qiao_queue_copy(qiao_queue* queue, const qiao_copy* copy, uint64_t* out_value) {
    uint64_t value = 0;
    if (out_value == nullptr) out_value = &value;
    *out_value = 0;
    QIAO_CHECK_QUEUE(queue);
    QIAO_CHECK_POINTER(copy);
    return entry([&]() -> qiao_status {
        QIAO_RETURN_IF_ERROR(check_no_flags(copy->flags, "qiao_copy"));
        if (copy->size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; copy at least one byte");
        uint64_t source_span, target_span;
        QIAO_RETURN_IF_ERROR(span_of(*copy, copy->source_pitch, "source_pitch", source_span));
        QIAO_RETURN_IF_ERROR(span_of(*copy, copy->target_pitch, "target_pitch", target_span));
        Resolved source, target;
        QIAO_RETURN_IF_ERROR(resolve(copy->source, source_span, queue->body, "source", source));
        QIAO_RETURN_IF_ERROR(resolve(copy->target, target_span, queue->body, "target", target));
        if (overlaps(source, source_span, target, target_span, *copy)) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "source 0x%" PRIx64 " and target 0x%" PRIx64 " overlap", copy->source.address, copy->target.address);
        }
        SharedUses uses;
        add_use_of(source, source_span, false, uses);
        add_use_of(target, target_span, true, uses);
        QIAO_RETURN_IF_ERROR(uses.send());
        QIAO_RETURN_IF_ERROR(submit_copy(queue->body, source, target, *copy, out_value));
        uses.book(queue->body, *out_value);
        return QIAO_OK;
    });
}

qiao_status qiao_queue_fill(qiao_queue* queue, qiao_place target, uint64_t size_bytes, const void* pattern, uint32_t pattern_bytes,
                            uint64_t* out_value) {
    uint64_t value = 0;
    if (out_value == nullptr) out_value = &value;
    *out_value = 0;
    QIAO_CHECK_QUEUE(queue);
    QIAO_CHECK_POINTER(pattern);
    return entry([&]() -> qiao_status {
        if (pattern_bytes == 0 || pattern_bytes > 16 || (pattern_bytes & (pattern_bytes - 1)) != 0) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "pattern_bytes is %u; it must be 1, 2, 4, 8 or 16", pattern_bytes);
        }
        if (size_bytes == 0 || size_bytes % pattern_bytes != 0) {
            return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes %" PRIu64 " must be a multiple of the pattern's %u bytes, and above 0", size_bytes, pattern_bytes);
        }
        Resolved resolved;
        QIAO_RETURN_IF_ERROR(resolve(target, size_bytes, queue->body, "target", resolved));
        qiao_plugin_fill fill{};
        fill.target = resolved.place;
        fill.size_bytes = size_bytes;
        fill.pattern_size = pattern_bytes;
        std::memcpy(fill.pattern, pattern, pattern_bytes);
        SharedUses uses;
        add_use_of(resolved, size_bytes, true, uses);
        QIAO_RETURN_IF_ERROR(uses.send());
        QIAO_RETURN_IF_ERROR(submit_fill(queue->body, resolved, fill, out_value));
        uses.book(queue->body, *out_value);
        return QIAO_OK;
    });
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
