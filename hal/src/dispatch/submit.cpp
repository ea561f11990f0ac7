// The unlikely halves of submission: marks, wake-ups and failures.
#include "dispatch/submit.h"

#include "dispatch/device.h"

namespace qiao {

void wake_unsubmitted_waiters(Queue& queue) {
    queue.unsubmitted_waiter = false;
    timeline_changed(queue.timeline->body);
}

qiao_status queue_mark_submitted(Queue& queue) {
    if (queue.plugin_queue == nullptr || queue.marked_value >= queue.submitted_value) return QIAO_OK;
    const qiao_status status = queue.device->body.tables.queue.queue_mark(queue.plugin_queue, queue.submitted_value);
    if (status == QIAO_OK) queue.marked_value = queue.submitted_value;
    return status;
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
