// Direct operations: value assignment and the plugin's slot, under the queue's lock. Everything here expects the caller to
// hold it, unless it says otherwise.
#pragma once

#include <mutex>

#include "object/program.h"
#include "object/queue.h"

namespace qiao {

// Waits for the lock while another thread submits, but not when the device is lost. True if it is held now.
bool queue_lock_contended(Queue& queue);

inline bool queue_lock(Queue& queue) {
    return queue.lock->try_lock() || queue_lock_contended(queue);
}

// False if the device was lost while another thread was inside a slot of the queue: nothing may be done then.
class QueueGuard {
public:
    explicit QueueGuard(Queue& queue) : lock_(*queue.lock), held_(queue_lock(queue)) {}
    ~QueueGuard() {
        if (held_) lock_.unlock();
    }
    QueueGuard(const QueueGuard&) = delete;
    QueueGuard& operator=(const QueueGuard&) = delete;
    explicit operator bool() const { return held_; }

private:
    Lock& lock_;
    const bool held_;
};

// A slot of the queue failed after the operation was promised to the application. Does not need the lock.
void queue_fail_from_slot(qiao_queue* queue, qiao_status status, const char* slot);

// What has been given out so far. Does not need the lock: who has to know of an operation has seen it return.
inline uint64_t queue_last_value(const Queue& queue) {
    return queue.last_value.load(std::memory_order_acquire);
}

// With the lock held: the next value is given out.
inline void queue_give_out(Queue& queue, uint64_t value) {
    queue.last_value.store(value, std::memory_order_release);
}

// A mark or a wake-up is due.
void queue_attend(Queue& queue);

// Books a value that the plugin has accepted. The mark comes at the latest after kMarkInterval operations, so that no wait
// has more than that many behind it.
inline void queue_accepted(Queue& queue, uint64_t value) {
    queue.submitted_value = value;
    if (value >= queue.attention_value) [[unlikely]] queue_attend(queue);
}

// Somebody is about to park until submitted_value rises.
inline void queue_request_wakeup(Queue& queue) {
    queue.unsubmitted_waiter = true;
    queue.attention_value = 0;
}

// Whether operations may go straight to the plugin: it has queues, and none is waiting before them.
inline bool queue_is_direct(const Queue& queue) {
    return queue.deferred_count == 0;
}

// Makes everything submitted observable. If the plugin cannot, the queue has failed. Not for queues without plugin_queue.
inline void queue_mark(Queue& queue) {
    const qiao_status status = queue.device->body.tables.queue.queue_mark(queue.plugin_queue, queue.submitted_value);
    if (status != QIAO_OK) [[unlikely]] queue_fail_from_slot(queue.self, status, "queue_mark");
    queue.marked_value = queue.submitted_value;
}

// The plugin told by notification that work of the queue failed.
void queue_completed_with_error(qiao_queue* queue, qiao_status status);

// The queue is finished: `record` is what waits return. Does not need the lock.
void queue_fail(qiao_queue* queue, const ErrorRecord& record);

}  // namespace qiao
