// Queues: one of the model's each. The model's values are the core's, and every value is a mark.
#include "queue.h"

#include <cstring>

#include "program.h"

namespace qiao::mock_plugin {
namespace {

mock::Place place_of(mock::Card* card, const qiao_plugin_place& place) {
    if (place.allocation == nullptr) return {nullptr, place.address};
    return {card, plugin::object<Allocation>(place.allocation).address + place.offset};
}

mock::Place place_of(void* device, const qiao_plugin_place& place) {
    return place_of(device != nullptr ? plugin::object<Device>(device).card : nullptr, place);
}

qiao_status queue_create(void* pointer, const qiao_plugin_queue_desc* desc, void** out_queue) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "queue_create", [&]() -> qiao_status {
        mock::QueueOptions options;
        options.profiling = (desc->flags & QIAO_PLUGIN_QUEUE_PROFILING) != 0;
        options.priority = desc->priority;
        mock::Result<std::unique_ptr<mock::Queue>> native = device.card->create_queue(options);
        if (!native.ok()) return report(device.host, native.status());
        auto queue = std::make_unique<Queue>();
        queue->device = &device;
        queue->host = device.host;
        queue->native = std::move(native.value());
        queue->link = std::make_shared<NotifyLink>();
        queue->link->host = device.host;
        queue->link->token = desc->token;
        *out_queue = queue.release();
        return QIAO_OK;
    });
}

void queue_destroy(void* pointer) {
    const std::unique_ptr<Queue> queue(static_cast<Queue*>(pointer));
    const std::lock_guard lock(queue->link->mutex);
    queue->link->open = false;
}

[[gnu::hot]] qiao_status queue_launch(void* pointer, void* kernel, const qiao_plugin_geometry* geometry, const void* block,
                         const qiao_plugin_binding* bindings, uint64_t value) {
    Queue& queue = plugin::object<Queue>(pointer);
    const auto& native = plugin::object<const mock::Kernel>(kernel);
    if (bindings != nullptr) [[unlikely]] {
        const ResolvedBlock resolved(native, block, bindings);
        return report(queue.host, queue.native->launch(native, shape_of(*geometry), resolved.bytes, value));
    }
    return report(queue.host, queue.native->launch(native, shape_of(*geometry), block, value));
}

qiao_status queue_copy(void* pointer, const qiao_plugin_copy* copy) {
    Queue& queue = plugin::object<Queue>(pointer);
    return plugin::guarded(queue.host, "queue_copy", [&]() -> qiao_status {
        mock::Copy operation;
        operation.source = place_of(copy->source_device, copy->source);
        operation.target = place_of(copy->target_device, copy->target);
        operation.size = copy->size_bytes;
        operation.rows = copy->rows;
        operation.source_pitch = copy->source_pitch;
        operation.target_pitch = copy->target_pitch;
        operation.slices = copy->slices;
        operation.source_slice_pitch = copy->source_slice_pitch;
        operation.target_slice_pitch = copy->target_slice_pitch;
        return report(queue.host, queue.native->copy(operation, copy->value));
    });
}

// The model makes every value observable when it is submitted.
qiao_status queue_mark(void*, uint64_t) {
    return QIAO_OK;
}

qiao_status queue_poll(void* pointer, uint64_t* out_value) {
    Queue& queue = plugin::object<Queue>(pointer);
    *out_value = queue.native->reached();
    return queue.native->failed() ? report(queue.host, queue.native->failure()) : static_cast<qiao_status>(QIAO_OK);
}

[[gnu::hot]] qiao_status queue_wait(void* pointer, uint64_t value, uint64_t timeout_ns) {
    Queue& queue = plugin::object<Queue>(pointer);
    const mock::WaitResult result = queue.native->wait(value, timeout_ns);
    if (result == mock::WaitResult::kReached) [[likely]]
        return QIAO_OK;
    return finish_wait(queue.host, result, queue.native->failure());
}

qiao_status queue_fill(void* pointer, const qiao_plugin_fill* fill) {
    Queue& queue = plugin::object<Queue>(pointer);
    return plugin::guarded(queue.host, "queue_fill", [&]() -> qiao_status {
        mock::Fill operation;
        operation.target = place_of(queue.device->card, fill->target);
        operation.size = fill->size_bytes;
        std::memcpy(operation.pattern, fill->pattern, sizeof operation.pattern);
        operation.pattern_size = fill->pattern_size;
        return report(queue.host, queue.native->fill(operation, fill->value));
    });
}

qiao_status queue_after(void* pointer, void* other_queue, uint64_t other_value, uint64_t value) {
    Queue& queue = plugin::object<Queue>(pointer);
    return plugin::guarded(queue.host, "queue_after", [&]() -> qiao_status {
        return report(queue.host, queue.native->after(*plugin::object<Queue>(other_queue).native, other_value, value));
    });
}

qiao_status queue_notify(void* pointer, uint64_t value) {
    Queue& queue = plugin::object<Queue>(pointer);
    return plugin::guarded(queue.host, "queue_notify", [&]() -> qiao_status {
        queue.native->notify(value, [link = queue.link, value](const mock::Status& status) {
            const std::lock_guard lock(link->mutex);
            if (link->open) link->host.completed(link->token, value, status_of(status.code()));
        });
        return QIAO_OK;
    });
}

qiao_status queue_timestamps(void* pointer, uint64_t value, uint64_t* out_start_ns, uint64_t* out_end_ns) {
    Queue& queue = plugin::object<Queue>(pointer);
    return plugin::guarded(queue.host, "queue_timestamps", [&]() -> qiao_status {
        const mock::Result<mock::Times> times = queue.native->times(value);
        if (!times.ok()) return report(queue.host, times.status());
        *out_start_ns = times.value().start_ns;
        *out_end_ns = times.value().end_ns;
        return QIAO_OK;
    });
}

} // namespace

// The model copies any box between any two cards of its machine.
qiao_status mock_queue_can_copy(void*, const qiao_plugin_copy*) {
    return QIAO_OK;
}

const qiao_plugin_queue_ops mock_queue_ops = {
    sizeof(qiao_plugin_queue_ops),
    queue_create,
    queue_destroy,
    queue_launch,
    queue_copy,
    queue_mark,
    queue_poll,
    queue_wait,
    queue_fill,
    queue_after,
    queue_notify,
    queue_timestamps,
    nullptr, // queue_native
    nullptr, // queue_wrap
    mock_queue_can_copy,
    nullptr, // queue_prefetch: a unified card's memory is where it is
};

} // namespace qiao::mock_plugin
