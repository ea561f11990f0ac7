// Queues: launches, copies and fills in order on a stream, and the values of a timeline over events. Events are recorded where the core
// asks for a mark, and around each operation where the queue profiles.
#include "queue.h"

#include <string.h>

#include <algorithm>

#include "memory.h"
#include "program.h"

namespace qiao::cuda {
namespace {

// The core marks at least every 32 operations, so this many marks are 8,192 operations.
constexpr uint32_t kMarks = 256;
// A profiling queue marks each operation.
constexpr uint32_t kProfilingMarks = 1024;

// ---------------------------------------------------------------------------------------------- operations

// Runs one operation, `enqueue`, with the device's context; measured where the queue profiles.
template <typename Enqueue>
[[gnu::always_inline]] inline Code operate(Queue& queue, uint64_t value, Enqueue&& enqueue) {
    if (!queue.profiling) [[likely]]
        return enqueue();
    Code code = queue.marks.start(queue.stream);
    if (code != queue.success || (code = enqueue()) != queue.success) return code;
    queue.marked = value;
    return queue.marks.push(value, queue.stream);
}

[[gnu::noinline]] qiao_status launch_failed(Queue& queue, const Kernel& kernel, Code code) noexcept {
    return device_failed(queue.device, code, "launching kernel '" + kernel.name + "'");
}

// Any launch: another context is the thread's, arguments go one by one, the queue profiles.
[[gnu::noinline]] qiao_status launch_anyhow(Queue& queue, const Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block, uint64_t value) noexcept {
    const Current current(queue.device);
    const Code code = operate(queue, value, [&] { return launch(queue.device, queue.launch, kernel, queue.stream, geometry, block); });
    return code == queue.success ? static_cast<qiao_status>(QIAO_OK) : launch_failed(queue, kernel, code);
}

// ---------------------------------------------------------------------------------------------- copies

// One end of a copy: host memory, or an address on a device.
struct End {
    const char* host = nullptr;
    Address address = 0;
    Device* device = nullptr;
};

End end_of(const qiao_plugin_place& place, void* device) {
    End end;
    end.device = static_cast<Device*>(device);
    end.address = place.address;
    if (place.allocation == nullptr) {
        end.host = reinterpret_cast<const char*>(static_cast<uintptr_t>(place.address));
    } else if (const auto& allocation = *static_cast<const Allocation*>(place.allocation); allocation.is_host()) {
        end.host = allocation.host + place.offset;
    }
    return end;
}

enum class Route { kNone, kToDevice, kToHost, kOnDevice, kPeer };

Route route_of(const Queue& queue, const End& source, const End& target) {
    const Device& device = queue.device;
    const auto elsewhere = [&](const End& end) { return end.host == nullptr && end.device != &device; };
    if (source.host != nullptr && target.host != nullptr) return Route::kNone;
    if (source.host != nullptr) return elsewhere(target) ? Route::kNone : Route::kToDevice;
    if (target.host != nullptr) return elsewhere(source) ? Route::kNone : Route::kToHost;
    if (!elsewhere(source) && !elsewhere(target)) return device.works.direct_copies ? Route::kOnDevice : Route::kNone;
    if (source.device == target.device || source.device->driver != target.device->driver || !device.driver->has_peer_copies()) return Route::kNone;
    return device.driver->peer_works(source.device->record->ordinal, target.device->record->ordinal,
                                     [&] { return peer_copies_work(*source.device, *target.device); })
               ? Route::kPeer
               : Route::kNone;
}

bool is_plain(const qiao_plugin_copy& copy) {
    return copy.slices <= 1 && (copy.rows <= 1 || (copy.source_pitch == copy.size_bytes && copy.target_pitch == copy.size_bytes));
}

// Whether the copy is one call of the library's, and which.
Route find_route(const Queue& queue, const qiao_plugin_copy& copy) {
    const End source = end_of(copy.source, copy.source_device), target = end_of(copy.target, copy.target_device);
    const Route route = route_of(queue, source, target);
    const bool rows = copy.slices <= 1 && queue.device.works.rows && route != Route::kPeer;
    return is_plain(copy) || rows ? route : Route::kNone;
}

Code enqueue_plain(Queue& queue, Route route, const End& source, const End& target, uint64_t size_bytes) {
    const Driver& driver = *queue.device.driver;
    switch (route) {
        case Route::kToDevice:
            return driver.write_async(target.address, source.host, size_bytes, queue.stream);
        case Route::kToHost:
            return driver.read_async(const_cast<char*>(target.host), source.address, size_bytes, queue.stream);
        case Route::kOnDevice:
            return driver.copy_async(target.address, source.address, size_bytes, queue.stream);
        default:
            return driver.peer_copy_async(target.address, target.device->context, source.address, source.device->context, size_bytes, queue.stream);
    }
}

Code enqueue_rows(Queue& queue, const End& source, const End& target, const qiao_plugin_copy& copy) {
    Rows rows = {};
    rows.target = target.address, rows.source = source.address;
    rows.target_host = const_cast<char*>(target.host), rows.source_host = source.host;
    rows.width = copy.size_bytes, rows.height = copy.rows;
    rows.target_pitch = copy.target_pitch, rows.source_pitch = copy.source_pitch;
    return queue.device.driver->copy_rows_async(rows, queue.stream);
}

// ---------------------------------------------------------------------------------------------- fills

struct Pattern {
    uint32_t value = 0;
    unsigned bytes = 0; // 0 = none of the library's
};

// The shortest pattern that says the same: a fill of eight equal bytes is one of bytes.
Pattern shorten(const qiao_plugin_fill& fill, const Works& works) {
    for (const unsigned bytes : {1u, 2u, 4u}) {
        const bool there = bytes == 1 ? works.fill8 : bytes == 2 ? works.fill16 : works.fill32;
        if (!there || bytes > fill.pattern_size || fill.target.address % bytes != 0 || fill.size_bytes % bytes != 0) continue;
        bool repeats = true;
        for (uint32_t i = bytes; i < fill.pattern_size && repeats; ++i) repeats = fill.pattern[i] == fill.pattern[i - bytes];
        if (!repeats) continue;
        Pattern pattern = {0, bytes};
        memcpy(&pattern.value, fill.pattern, bytes);
        return pattern;
    }
    return {};
}

// The queue's own moment on the device's clock, for what it measures.
void anchor(Queue& queue) {
    Device& device = queue.device;
    const Symbols& call = device.driver->call();
    void* event = nullptr;
    if (!device.works.elapsed || !device.driver->ok(call.event_create(&event, 0))) return;
    if (!device.driver->ok(call.event_record(event, queue.stream)) || wait_event(device, event, QIAO_TIMEOUT_INFINITE, "a queue's first mark") != QIAO_OK) {
        call.event_destroy(event);
        return;
    }
    const std::lock_guard lock(device.mutex);
    float milliseconds = 0;
    if (!device.driver->ok(call.event_elapsed(&milliseconds, device.clock.event, event))) milliseconds = 0;
    queue.marks.set_anchor({event, device.clock.ns + static_cast<double>(milliseconds) * 1e6});
}

} // namespace

// ---------------------------------------------------------------------------------------------- life

Queue::Queue(Device& owner, uint32_t capacity, bool profiles)
    : device(owner),
      ask_context(profiles ? nullptr : owner.driver->call().context_get),
      context(owner.context.handle),
      launch(owner.driver->launch()),
      success(owner.driver->family().results.success),
      profiling(profiles),
      marks(owner, capacity, profiles) {}

qiao_status make_queue(Device& device, void* stream, bool owned, const qiao_plugin_queue_desc& desc, void** out_queue) {
    const auto release = [&](void* unused) {
        if (owned) device.driver->call().stream_destroy(unused);
    };
    std::unique_ptr<void, decltype(release)> owner(stream, release);
    const bool profiling = (desc.flags & QIAO_PLUGIN_QUEUE_PROFILING) != 0 && device.works.elapsed;
    auto queue = std::make_unique<Queue>(device, profiling ? kProfilingMarks : kMarks, profiling);
    queue->stream = stream;
    queue->owned = owned;
    if (profiling) anchor(*queue);
    {
        const std::lock_guard lock(device.mutex);
        device.queues.push_back(queue.get());
    }
    static_cast<void>(owner.release());
    *out_queue = queue.release();
    return QIAO_OK;
}

static qiao_status cuda_queue_create(void* device_pointer, const qiao_plugin_queue_desc* desc, void** out_queue) {
    Device& device = *static_cast<Device*>(device_pointer);
    return plugin::guarded(device.driver->host(), "queue_create", [&]() -> qiao_status {
        const Current current(device);
        const Symbols& call = device.driver->call();
        void* stream = nullptr;
        const Code code = desc->priority != 0 && device.priorities[1] != device.priorities[0]
                              ? call.stream_create_with_priority(&stream, kStreamFlags, device.priorities[1])
                              : call.stream_create(&stream, kStreamFlags);
        if (!device.driver->ok(code)) return device_failed(device, code, std::string("a stream on ") + device.record->info.name);
        return make_queue(device, stream, true, *desc, out_queue);
    });
}

static void cuda_queue_destroy(void* queue_pointer) {
    const std::unique_ptr<Queue> queue(static_cast<Queue*>(queue_pointer));
    Device& device = queue->device;
    {
        const std::lock_guard lock(device.mutex);
        std::erase(device.queues, queue.get());
    }
    const Current current(device);
    queue->marks.clear();
    if (queue->owned && !device.lost.load()) device.driver->call().stream_destroy(queue->stream); // a driver may wait in here
}

// ---------------------------------------------------------------------------------------------- slots

static qiao_status cuda_queue_launch(void* queue_pointer, void* kernel_pointer, const qiao_plugin_geometry* geometry, const void* block,
                                     const qiao_plugin_binding*, uint64_t value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    const Kernel& kernel = *static_cast<const Kernel*>(kernel_pointer);
    if (queue.ask_context != nullptr && kernel.form == ArgumentForm::kBuffer) [[likely]] {
        void* now = nullptr;
        queue.ask_context(&now);
        if (now == queue.context) [[likely]] {
            const Code code = launch_by_buffer(queue.launch, kernel, queue.stream, *geometry, block);
            return code == queue.success ? static_cast<qiao_status>(QIAO_OK) : launch_failed(queue, kernel, code);
        }
    }
    return launch_anyhow(queue, kernel, *geometry, block, value);
}

static qiao_status cuda_queue_can_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    return plugin::guarded(queue.device.driver->host(), "queue_can_copy",
                           [&]() -> qiao_status { return find_route(queue, *copy) == Route::kNone ? QIAO_ERROR_UNSUPPORTED : QIAO_OK; });
}

static qiao_status cuda_queue_copy(void* queue_pointer, const qiao_plugin_copy* copy) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    return plugin::guarded(queue.device.driver->host(), "queue_copy", [&]() -> qiao_status {
        const Route route = find_route(queue, *copy);
        if (route == Route::kNone) return QIAO_ERROR_UNSUPPORTED;
        const End source = end_of(copy->source, copy->source_device), target = end_of(copy->target, copy->target_device);
        const Current current(queue.device);
        const Code code = operate(queue, copy->value, [&] {
            return is_plain(*copy) ? enqueue_plain(queue, route, source, target, copy->size_bytes * std::max<uint64_t>(copy->rows, 1))
                                   : enqueue_rows(queue, source, target, *copy);
        });
        if (code == queue.success) return QIAO_OK;
        return device_failed(queue.device, code,
                             text("a copy of %llu rows of %llu bytes", static_cast<unsigned long long>(copy->rows), static_cast<unsigned long long>(copy->size_bytes)));
    });
}

static qiao_status cuda_queue_fill(void* queue_pointer, const qiao_plugin_fill* fill) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    const Pattern pattern = shorten(*fill, queue.device.works);
    if (pattern.bytes == 0) return QIAO_ERROR_UNSUPPORTED;
    const Current current(queue.device);
    const Code code = operate(queue, fill->value, [&] {
        return queue.device.driver->fill_async(fill->target.address, pattern.value, pattern.bytes, fill->size_bytes / pattern.bytes, queue.stream);
    });
    if (code == queue.success) return QIAO_OK;
    return device_failed(queue.device, code, text("a fill of %llu bytes", static_cast<unsigned long long>(fill->size_bytes)));
}

static qiao_status cuda_queue_prefetch(void* queue_pointer, const qiao_plugin_prefetch* prefetch) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Device& device = queue.device;
    constexpr int kHost = -1;
    const auto* allocation = static_cast<const Allocation*>(prefetch->place.allocation);
    if (allocation == nullptr || allocation->origin != Allocation::Origin::kManaged) return QIAO_ERROR_UNSUPPORTED;
    const int where = (prefetch->flags & QIAO_PLUGIN_PREFETCH_TO_HOST) != 0 ? kHost : device.context.ordinal;
    const Current current(device);
    const Code code = operate(queue, prefetch->value, [&] { return device.driver->call().prefetch_async(prefetch->place.address, prefetch->size_bytes, where, queue.stream); });
    if (code == queue.success) return QIAO_OK;
    return device_failed(device, code, text("a prefetch of %llu bytes", static_cast<unsigned long long>(prefetch->size_bytes)));
}

static qiao_status cuda_queue_after(void* queue_pointer, void* other_pointer, uint64_t other_value, uint64_t value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    Queue& other = *static_cast<Queue*>(other_pointer);
    if (&other.device != &queue.device) return QIAO_ERROR_UNSUPPORTED; // not seen to work between contexts of every family
    const Current current(queue.device);
    const Code code = operate(queue, value, [&] { return other.marks.make_wait(queue.stream, other_value); });
    return code == queue.success ? static_cast<qiao_status>(QIAO_OK) : device_failed(queue.device, code, "a wait for another queue");
}

static qiao_status cuda_queue_mark(void* queue_pointer, uint64_t value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    if (value <= queue.marked) return QIAO_OK; // a profiling queue marks when it submits
    const Current current(queue.device);
    const Code code = queue.marks.push(value, queue.stream);
    if (code != queue.success) [[unlikely]]
        return device_failed(queue.device, code, "an event");
    queue.marked = value;
    return QIAO_OK;
}

static qiao_status cuda_queue_poll(void* queue_pointer, uint64_t* out_value) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    {
        const Current current(queue.device);
        queue.marks.poll();
    }
    *out_value = queue.marks.reached();
    if (queue.marks.failure() != queue.success) [[unlikely]]
        return device_failed(queue.device, queue.marks.failure(), "an operation of the queue failed on the device");
    return QIAO_OK;
}

static qiao_status cuda_queue_timestamps(void* queue_pointer, uint64_t value, uint64_t* out_start_ns, uint64_t* out_end_ns) {
    Queue& queue = *static_cast<Queue*>(queue_pointer);
    const Host& host = queue.device.driver->host();
    if (!queue.profiling) return host.fail({.status = QIAO_ERROR_UNSUPPORTED, .message = "the queue keeps no timestamps", .remedy = "create the queue for profiling"});
    {
        const Current current(queue.device);
        queue.marks.poll();
    }
    if (queue.marks.reached() < value) return QIAO_NOT_READY;
    plugin::Stamp stamp;
    if (!queue.marks.find_stamp(value, &stamp))
        return host.fail({.status = QIAO_ERROR_NOT_FOUND,
                          .message = text("value %llu is unknown: the last %u operations are kept", static_cast<unsigned long long>(value), kProfilingMarks),
                          .remedy = "ask sooner"});
    if (stamp.end_ns == 0) return host.fail({.status = QIAO_ERROR_UNSUPPORTED, .message = "the driver gives no times for this operation"});
    *out_start_ns = stamp.start_ns;
    *out_end_ns = stamp.end_ns;
    return QIAO_OK;
}

// ---------------------------------------------------------------------------------------------- whole device

qiao_status synchronize(Device& device, uint64_t timeout_ns) {
    const Symbols& call = device.driver->call();
    const Current current(device);
    std::vector<void*> streams = {device.immediate};
    std::vector<void*> events;
    {
        const std::lock_guard lock(device.mutex);
        for (const Queue* queue : device.queues) streams.push_back(queue->stream);
    }
    qiao_status status = QIAO_OK;
    for (void* stream : streams) {
        Code code;
        void* event = take_event(device, &code);
        if (event != nullptr) events.push_back(event);
        if (event == nullptr || !device.driver->ok(code = call.event_record(event, stream))) {
            status = device_failed(device, code, "an event on every stream");
            break;
        }
    }
    const uint64_t start = device.api->now_ns(device.api->host);
    for (void* event : events) {
        const uint64_t passed = device.api->now_ns(device.api->host) - start;
        const uint64_t left = timeout_ns == QIAO_TIMEOUT_INFINITE ? timeout_ns : timeout_ns - std::min(timeout_ns, passed);
        if (status == QIAO_OK) status = wait_event(device, event, left, "waiting for the device");
        give_event(device, event);
    }
    return status;
}

const qiao_plugin_queue_ops cuda_queue_ops = {
    sizeof(qiao_plugin_queue_ops),
    cuda_queue_create,
    cuda_queue_destroy,
    cuda_queue_launch,
    cuda_queue_copy,
    cuda_queue_mark,
    cuda_queue_poll,
    nullptr, // queue_wait: no library of this shape waits with a time limit; the core polls in pauses
    cuda_queue_fill,
    cuda_queue_after,
    nullptr, // queue_notify: the same
    cuda_queue_timestamps,
    cuda_queue_native,
    cuda_queue_wrap,
    cuda_queue_can_copy,
    cuda_queue_prefetch,
};

} // namespace qiao::cuda
