// The plugin's queue is destroyed with the body, by the last use: a wait that is still inside it keeps it.
#include "dispatch/queue.h"

#include <algorithm>
#include <cinttypes>

#include "dispatch/device.h"
#include "dispatch/retire.h"
#include "dispatch/submit.h"
#include "dispatch/tables.h"
#include "dispatch/wait.h"
#include "emulation/copy_reports.h"
#include "emulation/deferred.h"

namespace qiao {

Queue::Queue(qiao_device* owner) : launch_device(owner), device(owner) {
    device->body.live_queues.fetch_add(1);
}

Queue::~Queue() {
    deferred.reset();
    if (plugin_queue != nullptr) {
        destroy_in_plugin(device, [slot = device->body.tables.queue.queue_destroy, plugin_queue = plugin_queue] { slot(plugin_queue); });
    }
    if (timeline != nullptr) drop_use(timeline);
    device->body.live_queues.fetch_sub(1);  // from here on the device may be closed
}

namespace {

std::atomic<uint64_t> g_queue_serial{0};

qiao_status open_in_plugin(qiao_queue* queue, const qiao_queue_desc& desc, const qiao_native* native) {
    Queue& body = queue->body;
    Device& device = body.device->body;
    if (!device.native_queues) return QIAO_OK;
    const qiao_plugin_queue_desc request = {sizeof request, nullptr, desc.flags, reinterpret_cast<uint64_t>(queue), desc.priority, 0u};
    SlotGuard guard(device);
    if (!guard) return device_fail_lost(body.device);
    const qiao_plugin_queue_ops& ops = device.tables.queue;
    const qiao_status status = native == nullptr ? ops.queue_create(device.opened.load(), &request, &body.plugin_queue)
                                                 : ops.queue_wrap(device.opened.load(), &request, native, &body.plugin_queue);
    if (status != QIAO_OK) {
        body.plugin_queue = nullptr;
        return device_slot_failed(body.device, status, native == nullptr ? "queue_create" : "queue_wrap", body.losses);
    }
    if (body.plugin_queue == nullptr) return device_fail_empty(body.device, "queue_create", "queue");
    body.launch_slot = device.tables.queue.queue_launch;
    body.timed_by_core = (desc.flags & QIAO_QUEUE_PROFILING) != 0 && core_keeps_time(device.tables);
    body.deferred_count = body.timed_by_core ? 1 : 0;
    return QIAO_OK;
}

}  // namespace

qiao_status queue_open(qiao_device* device, const qiao_queue_desc& desc, const qiao_native* native, qiao_queue** out_queue) {
    const uint64_t losses = device->body.losses.load();
    if (device->body.lost.load()) return device_fail_lost(device);
    qiao_queue* queue = Slab<qiao_queue>::get().create(device);
    Queue& body = queue->body;
    body.self = queue;
    body.losses = losses;
    body.next_generation = g_queue_serial.fetch_add(1) << 32;
    body.lock = device->body.native_queues && !device->body.free_threaded ? &device->body.slots : &body.own_lock;
    body.flags = desc.flags;
    if ((desc.flags & QIAO_QUEUE_PROFILING) != 0) body.mark_interval = 1;  // timestamps hang on the marks
    body.deferred_count = 1;  // stands for the missing plugin queue
    body.timeline = Slab<qiao_timeline>::get().create(device->body.instance, queue, uint64_t{0});
    body.deferred = std::make_unique<DeferredQueue>(queue);
    qiao_status status = open_in_plugin(queue, desc, native);
    if (status == QIAO_OK) {
        std::lock_guard guard(device->body.state);
        if (!device_was_lost_since(device, losses)) {
            device->body.queues.push_back(queue);
            if (!device->body.shared.empty()) body.launch_device.store(looks_for_shared(), std::memory_order_relaxed);
            *out_queue = queue;
            return QIAO_OK;
        }
    }
    drop_use(queue);
    return status != QIAO_OK ? status : device_fail_lost(device);
}

void queue_retire(qiao_queue* queue) {
    qiao_device* device = queue->body.device;
    timeline_limit(queue->body.timeline->body, queue_last_value(queue->body));
    retire(device, [queue, device] {
        Timeline& timeline = queue->body.timeline->body;
        timeline.lock.lock();
        timeline.source = nullptr;
        timeline.lock.unlock();
        timeline_changed(timeline);
        {
            std::lock_guard guard(device->body.state);
            std::erase(device->body.queues, queue);
        }
        for (qiao_device* visited : device->body.instance->body.devices) {
            std::lock_guard guard(visited->body.state);
            std::erase(visited->body.visitors, queue);
        }
        queue->body.deferred->stop();
        drop_use(queue);
    });
}

qiao_status fail_submission(const qiao_queue* queue) {
    if (queue == nullptr || queue->header.word.load() != (kTagQueue | kStateFailed)) {
        return fail_handle(reinterpret_cast<const Header*>(queue), kTagQueue, "queue");
    }
    Timeline& timeline = queue->body.timeline->body;
    timeline.lock.lock();
    ErrorRecord record = timeline.failure;
    timeline.lock.unlock();
    record.status = QIAO_ERROR_CANCELLED;
    record.message = "the queue takes no more work, since an operation of it failed: " + record.message;
    record.remedy = "release the queue and create another";
    return fail(std::move(record));
}

qiao_status queue_after_natively(qiao_queue* queue, qiao_timeline* timeline, uint64_t value, uint64_t* out_value) {
    Queue& body = queue->body;
    const auto slot = body.device->body.tables.queue.queue_after;
    QueueUse producer(timeline->body);
    if (slot == nullptr || producer.get() == nullptr || producer.get()->body.device->body.plugin != body.device->body.plugin) {
        return QIAO_ERROR_UNSUPPORTED;
    }
    // The producer's lock is given up before this queue's is taken: no order between locks is needed.
    if (mark_if_submitted(producer.get(), value, false, now_ns() + kAskingNs) != Submission::kMarked) return QIAO_ERROR_UNSUPPORTED;
    const bool has_ended = timeline->body.reached.load(std::memory_order_acquire) >= value;  // maybe the core ran it itself: the plugin does not know it
    QueueGuard guard(body);
    if (!guard) return device_fail_lost(body.device);
    if (!queue_is_direct(body)) return QIAO_ERROR_UNSUPPORTED;
    if (has_ended) {
        *out_value = queue_last_value(body);
        return QIAO_OK;
    }
    const uint64_t own_value = queue_last_value(body) + 1;
    const qiao_status status = slot(body.plugin_queue, producer.get()->body.plugin_queue, value, own_value);
    if (status == QIAO_ERROR_UNSUPPORTED) return status;
    if (status != QIAO_OK) return device_slot_failed(body.device, status, "queue_after", body.losses);
    queue_give_out(body, own_value);
    *out_value = own_value;
    queue_accepted(body, own_value);
    return QIAO_OK;
}

namespace {

// What the host's clock, by which the core takes times, lacks of the device's, by which the plugin does; it may wrap around.
qiao_status host_clock_behind(qiao_device* device, uint64_t* out_ns) {
    uint64_t device_ns = 0, host_ns = 0;
    const DeviceTables& tables = device->body.tables;
    if (!core_keeps_time(tables) && tables.device.device_clock != nullptr) QIAO_RETURN_IF_ERROR(device_read_clock(device, &device_ns, &host_ns));
    *out_ns = device_ns - host_ns;
    return QIAO_OK;
}

}  // namespace

qiao_status queue_timestamps(qiao_queue* queue, uint64_t value, uint64_t* out_start_ns, uint64_t* out_end_ns) {
    Queue& body = queue->body;
    if ((body.flags & QIAO_QUEUE_PROFILING) == 0) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "the queue keeps no timestamps; create it with QIAO_QUEUE_PROFILING");
    }
    const uint64_t last = queue_last_value(body);
    if (value == 0 || value > last) return fail(QIAO_ERROR_OUT_OF_RANGE, "value %" PRIu64 " was never submitted; the last is %" PRIu64, value, last);
    const qiao_status reached = timeline_poll(body.timeline, value);
    if (reached == QIAO_NOT_READY) return reached;
    if (reached != QIAO_OK) return timeline_report_failure(body.timeline, value);
    if (const auto times = body.deferred->timestamps(value)) {
        uint64_t behind_ns = 0;
        QIAO_RETURN_IF_ERROR(host_clock_behind(body.device, &behind_ns));
        *out_start_ns = times->first + behind_ns;
        *out_end_ns = times->second + behind_ns;
        return QIAO_OK;
    }
    Device& device = body.device->body;
    if (body.plugin_queue == nullptr || device.tables.queue.queue_timestamps == nullptr) {
        return fail(QIAO_ERROR_NOT_FOUND, "the timestamps of value %" PRIu64 " are no longer kept", value);
    }
    QueueGuard guard(body);
    if (!guard) return device_fail_lost(body.device);
    const qiao_status status = device.tables.queue.queue_timestamps(body.plugin_queue, value, out_start_ns, out_end_ns);
    if (status < 0) return device_slot_failed(body.device, status, "queue_timestamps", body.losses);
    if (status == QIAO_OK && *out_start_ns > *out_end_ns) {
        return fail(QIAO_ERROR_PLUGIN, "plugin %s says that value %" PRIu64 " started at %" PRIu64 " ns, after its end at %" PRIu64 " ns",
                    device.plugin_id.c_str(), value, *out_start_ns, *out_end_ns);
    }
    return status;
}

}  // namespace qiao
