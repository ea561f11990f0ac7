// Entry that moves memory to where it is used next: by the plugin, or of emulated shared memory by the core.
#include "api/place.h"
#include "api/submission.h"
#include "dispatch/device.h"

using namespace qiao;

namespace {

// By the plugin, where it has a way; else the memory is where it is, and nothing has to be done.
qiao_status prefetch_natively(Queue& queue, const Resolved& memory, uint64_t size_bytes, bool to_host, uint64_t* out_value) {
    const auto slot = queue.device->body.tables.queue.queue_prefetch;
    if (slot == nullptr || queue.plugin_queue == nullptr) return QIAO_OK;
    QueueGuard guard(queue);
    if (!guard) return device_fail_lost(queue.device);
    if (!queue_is_direct(queue)) return QIAO_OK;
    const uint64_t value = queue_last_value(queue) + 1;
    const qiao_plugin_prefetch prefetch = {memory.place, size_bytes, value, to_host ? QIAO_PLUGIN_PREFETCH_TO_HOST : 0};
    const qiao_status status = book(queue, slot(queue.plugin_queue, &prefetch), "queue_prefetch", value, out_value);
    return status == QIAO_ERROR_UNSUPPORTED ? QIAO_OK : status;
}

qiao_status prefetch_to_host(Queue& queue, const Resolved& memory, const Range& range, uint64_t* out_value) {
    const std::shared_ptr<SharedMemory>& shared = memory.memory->shared;
    if (!shared->has_results(range)) return QIAO_OK;
    QueueGuard guard(queue);
    if (!guard) return device_fail_lost(queue.device);
    defer(queue, FetchOperation{shared, range}, out_value);
    return QIAO_OK;
}

qiao_status prefetch_to_device(const Resolved& memory, const Range& range) {
    SharedUses uses;
    uses.add(*memory.memory, range, false);
    return uses.prefetch(range);
}

}  // namespace

qiao_status qiao_queue_prefetch(qiao_queue* queue, qiao_place place, uint64_t size_bytes, qiao_device* target, uint64_t* out_value) {
    uint64_t ignored = 0;
    if (out_value == nullptr) out_value = &ignored;
    *out_value = 0;
    QIAO_CHECK_QUEUE(queue);
    if (target != nullptr) QIAO_CHECK_HANDLE(target);
    return entry([&]() -> qiao_status {
        Queue& body = queue->body;
        if (place.device != body.device || (target != nullptr && target != body.device)) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s: a queue moves memory of its own device, %s, to it or (null) to the host",
                        place.device != body.device ? "place is not on the queue's device" : "target is another device", device_name(body.device));
        }
        if (size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; prefetch at least one byte");
        Resolved memory;
        QIAO_RETURN_IF_ERROR(resolve(place, size_bytes, body, "place", memory));
        const Range range = {memory.place.offset, memory.place.offset + size_bytes};
        uint64_t value = queue_last_value(body);
        qiao_status status;
        if (memory.memory->shared == nullptr) {
            status = prefetch_natively(body, memory, size_bytes, target == nullptr, &value);
        } else if (target == nullptr) {
            status = prefetch_to_host(body, memory, range, &value);
        } else {
            status = prefetch_to_device(memory, range);
        }
        if (status == QIAO_OK) *out_value = value;
        return status;
    });
}
