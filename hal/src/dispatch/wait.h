// Asking and waiting for timelines. A wait always ends: by the value, the time limit, failure or loss of the device; it
// never enters a vendor call without a short time limit, and no other thread's call that does not return keeps it.
#pragma once

#include <vector>

#include "object/device.h"
#include "object/queue.h"

namespace qiao {

// How long a question that must not block waits for a queue's lock.
inline constexpr uint64_t kAskingNs = 2'000'000;

// QIAO_OK, NOT_READY, or the status with which the value failed; asks the device, and blocks only while another thread is
// inside a slot of the queue.
qiao_status timeline_poll(qiao_timeline* timeline, uint64_t value, uint64_t patience_ns = kAskingNs);

// QIAO_OK, TIMEOUT, or how the value failed (then with the thread's error record).
qiao_status timeline_wait(qiao_timeline* timeline, uint64_t value, uint64_t timeout_ns);
// The same for the application, which then may read what the work has written: results for emulated shared memory are there.
qiao_status timeline_wait_by_host(qiao_timeline* timeline, uint64_t value, uint64_t timeout_ns);

// The error record and status of a value that timeline_poll found failed.
qiao_status timeline_report_failure(qiao_timeline* timeline, uint64_t value);

// Learns how far a queue's timeline has come.
void timeline_poll_last(qiao_timeline* timeline);

// A timeline of the application that nobody can raise any more: waits for it end.
void timeline_close_if_unraisable(qiao_timeline* timeline);

// Keeps a timeline's queue from being destroyed while it is asked; null if it is gone already.
class QueueUse {
public:
    explicit QueueUse(Timeline& timeline) {
        timeline.lock.lock();
        queue_ = timeline.source;
        if (queue_ != nullptr) add_use(queue_);
        timeline.lock.unlock();
    }
    ~QueueUse() {
        if (queue_ != nullptr) drop_use(queue_);
    }
    QueueUse(const QueueUse&) = delete;
    QueueUse& operator=(const QueueUse&) = delete;
    qiao_queue* get() const { return queue_; }

private:
    qiao_queue* queue_;
};

enum class Submission {
    kMarked,   // the plugin has the value and will tell of it
    kWaiting,  // it has not yet
    kBusy,     // another thread was inside a slot of the queue all the time
};
// Makes the value known to the plugin, if it has it. If not, a thread that `will_park` is woken when that changes. Waits
// for the queue's lock until the deadline at most.
Submission mark_if_submitted(qiao_queue* queue, uint64_t value, bool will_park, uint64_t deadline_ns);

// The device's queues, each with a use that the caller drops. Never ask a queue while holding the device's state lock: a
// plugin may report loss, which takes it, from inside a slot.
std::vector<qiao_queue*> device_use_queues(qiao_device* device);

// A queue of another device is about to be given work that touches the device's memory.
void device_add_visitor(qiao_device* device, qiao_queue* queue);
// The same as device_use_queues for those.
std::vector<qiao_queue*> device_use_visitors(qiao_device* device);

// Until all that the device's queues were given before the call has ended. Failed queues count as ended.
qiao_status device_wait_idle(qiao_device* device, uint64_t deadline_ns);

}  // namespace qiao
