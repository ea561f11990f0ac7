// The unlikely halves of submission: marks, wake-ups and failures.
#include "dispatch/submit.h"

#include "dispatch/device.h"

namespace qiao {

[[gnu::cold, gnu::noinline]] bool queue_lock_contended(Queue& queue) {
    return queue.lock->lock_unless(LossPatience(queue.device->body));
}

void queue_attend(Queue& queue) {
    if (queue.unsubmitted_waiter) {
        queue.unsubmitted_waiter = false;
        timeline_changed(queue.timeline->body);
    }
    if (queue.plugin_queue != nullptr && queue.submitted_value - queue.marked_value >= queue.mark_interval) queue_mark(queue);
    queue.attention_value = queue.marked_value + queue.mark_interval;
}

void queue_completed_with_error(qiao_queue* queue, qiao_status status) {
    ErrorRecord record = take_plugin_error(status, queue->body.device->body.plugin_id, "work of the queue");
    record.object = queue->body.device->body.id;
    if (record.status == QIAO_ERROR_DEVICE_LOST) device_declare_lost(queue->body.device, record.message.c_str());
    queue_fail(queue, record);
}

void queue_fail(qiao_queue* queue, const ErrorRecord& record) {
    queue->header.word.fetch_or(kStateFailed, std::memory_order_acq_rel);
    timeline_fail(queue->body.timeline->body, record);
}

void queue_fail_from_slot(qiao_queue* queue, qiao_status status, const char* slot) {
    device_slot_failed(queue->body.device, status, slot);
    queue_fail(queue, last_error());
}

}  // namespace qiao
