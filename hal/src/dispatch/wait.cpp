// How a timeline's value comes to be known. A value that the plugin has is marked first (bounded laziness), then awaited
// by the plugin's own timed wait, else by its notification and a futex, else by polling. A value that it has not yet is
// awaited on the futex alone.
#include "dispatch/wait.h"

#include <algorithm>
#include <cinttypes>
#include <mutex>
#include <thread>
#include <vector>

#include "dispatch/device.h"
#include "dispatch/shared_wait.h"
#include "dispatch/submit.h"
#include "emulation/shared.h"
#include "object/queue.h"

namespace qiao {
namespace {

// How long a wait may overlook a loss that its plugin does not tell it of.
constexpr uint64_t kSliceNs = 50'000'000;
uint64_t slice_until(uint64_t deadline_ns) {
    return std::min(deadline_ns, now_ns() + kSliceNs);
}

// How far a card with a clock of its own may get ahead of the host's in a wait without a time limit: more than any work
// takes there. Then it is asked at the host's pace, since what it waits for may never end.
constexpr uint64_t kMostAheadNs = 7'200'000'000'000;

// Takes the queue's lock for a wait, which ends by the deadline or by failure.
bool lock_until(Queue& queue, uint64_t deadline_ns) {
    const Timeline& timeline = queue.timeline->body;
    const auto given_up = [&] { return timeline.failed.load(std::memory_order_acquire) || now_ns() >= deadline_ns; };
    return queue.lock->try_lock() || queue.lock->lock_unless(given_up);
}

bool is_reached(const Timeline& timeline, uint64_t value) {
    return timeline.reached.load(std::memory_order_acquire) >= value;
}

qiao_status failure_status(Timeline& timeline) {
    timeline.lock.lock();
    const qiao_status status = timeline.failure.status;
    timeline.lock.unlock();
    return status;
}

bool is_out_of_reach(Timeline& timeline, uint64_t value) {
    timeline.lock.lock();
    const uint64_t highest = timeline.highest;
    timeline.lock.unlock();
    return value > highest;
}

// The plugin says what cannot be: nothing that it says of this queue is worth anything any more.
[[gnu::cold]] void queue_fail_beyond(qiao_queue* queue, const char* slot, uint64_t value) {
    const Device& device = queue->body.device->body;
    fail(QIAO_ERROR_PLUGIN, "plugin %s: %s says that value %" PRIu64 " is reached, which was not submitted yet", device.plugin_id.c_str(), slot, value);
    set_object(device.id);
    queue_fail(queue, last_error());
}

// Asks the plugin; advances the timeline by what it says.
void poll_queue(qiao_queue* queue) {
    Queue& body = queue->body;
    uint64_t value = 0;
    const qiao_status status = body.device->body.tables.queue.queue_poll(body.plugin_queue, &value);
    if (value > queue_last_value(body)) [[unlikely]] {
        // The plugin may have taken an operation that its submitter has not booked yet: then it holds the lock.
        const bool is_lost = !QueueGuard(body);
        if (is_lost) return;
        if (value > queue_last_value(body)) return queue_fail_beyond(queue, "queue_poll", value);
    }
    if (value != 0) timeline_advance(body.timeline->body, value);
    if (status != QIAO_OK && status != QIAO_NOT_READY) queue_fail_from_slot(queue, status, "queue_poll");
}

void wait_by_notification(qiao_queue* queue, uint64_t value, uint64_t deadline_ns) {
    Queue& body = queue->body;
    Timeline& timeline = body.timeline->body;
    Parking parking(timeline);
    qiao_status status = QIAO_OK;
    {
        if (!lock_until(body, deadline_ns)) return;
        const std::unique_lock<Lock> guard(*body.lock, std::adopt_lock);
        if (body.notified_value != value) {
            status = body.device->body.tables.queue.queue_notify(body.plugin_queue, value);
            if (status == QIAO_OK) body.notified_value = value;
        }
    }
    if (status != QIAO_OK) {
        queue_fail_from_slot(queue, status, "queue_notify");
    } else if (!is_reached(timeline, value) && !timeline.failed.load(std::memory_order_acquire)) {
        parking.wait(deadline_ns);
    }
}

void wait_by_polling(qiao_queue* queue, uint64_t value, uint64_t deadline_ns) {
    Timeline& timeline = queue->body.timeline->body;
    for (uint32_t round = 0; now_ns() < deadline_ns; ++round) {
        poll_queue(queue);
        if (is_reached(timeline, value) || timeline.failed.load(std::memory_order_acquire)) return;
        if (round < 64) continue;
        timespec pause{0, std::min<long>(1000L * round, 200'000L)};
        nanosleep(&pause, nullptr);
    }
}

// Whether the plugin's wait ended with the value reached.
inline bool take_answer(qiao_queue* queue, Timeline& timeline, uint64_t value, qiao_status status) {
    if (status == QIAO_OK) [[likely]] {
        timeline_advance(timeline, value);
        return true;
    }
    if (status != QIAO_TIMEOUT && status != QIAO_NOT_READY) queue_fail_from_slot(queue, status, "queue_wait");
    return false;
}

// Whether the plugin knows the value, which is marked then. Takes the queue's lock.
[[gnu::always_inline]] inline bool mark_what_is_submitted(Queue& queue, uint64_t value) {
    const QueueGuard guard(queue);
    if (!guard || queue.plugin_queue == nullptr || value > queue.submitted_value) [[unlikely]] return false;
    if (value > queue.marked_value) queue_mark(queue);
    return true;
}

// One attempt to learn that a submitted value is reached; may return early. How much of the time limit has passed by the
// plugin's words: its card may have a clock of its own.
uint64_t wait_in_plugin(qiao_queue* queue, uint64_t value, uint64_t left_ns, uint64_t deadline_ns) {
    Queue& body = queue->body;
    const qiao_plugin_queue_ops& ops = body.device->body.tables.queue;
    if (ops.queue_wait != nullptr) {
        const uint64_t slice_ns = std::min(left_ns, kSliceNs);
        const qiao_status status = ops.queue_wait(body.plugin_queue, value, slice_ns);
        take_answer(queue, body.timeline->body, value, status);
        return status == QIAO_TIMEOUT ? slice_ns : 0;
    }
    if (ops.queue_notify != nullptr) {
        wait_by_notification(queue, value, deadline_ns);
    } else {
        wait_by_polling(queue, value, deadline_ns);
    }
    return 0;
}

uint64_t time_left(uint64_t deadline_ns) {
    const uint64_t now = now_ns();
    return deadline_ns > now ? deadline_ns - now : 0;
}

// The usual wait: no time limit, a value that the plugin has, and a plugin that waits. False if anything is unusual; then
// the whole way is gone.
[[gnu::always_inline]] inline bool wait_plainly(Timeline& timeline, uint64_t value) {
    const QueueUse source(timeline);
    qiao_queue* queue = source.get();
    if (queue == nullptr || timeline.failed.load(std::memory_order_acquire)) [[unlikely]] return false;
    Queue& body = queue->body;
    if (!mark_what_is_submitted(body, value)) return false;
    if (is_reached(timeline, value)) return true;  // the core ran it itself: the plugin does not know it
    const auto slot = body.device->body.tables.queue.queue_wait;
    return slot != nullptr && take_answer(queue, timeline, value, slot(body.plugin_queue, value, kSliceNs));
}

}  // namespace

Submission mark_if_submitted(qiao_queue* queue, uint64_t value, bool will_park, uint64_t deadline_ns) {
    Queue& body = queue->body;
    if (!lock_until(body, deadline_ns)) return Submission::kBusy;
    const std::unique_lock<Lock> guard(*body.lock, std::adopt_lock);
    if (body.plugin_queue == nullptr || value > body.submitted_value) {
        if (will_park) queue_request_wakeup(body);
        return Submission::kWaiting;
    }
    if (value > body.marked_value) queue_mark(body);
    return Submission::kMarked;
}

qiao_status timeline_report_failure(qiao_timeline* handle, uint64_t value) {
    Timeline& timeline = handle->body;
    if (!timeline.failed.load(std::memory_order_acquire)) {
        return fail(QIAO_ERROR_CANCELLED, "value %" PRIu64 " of the timeline can no longer be reached: it stands at %" PRIu64 " and nobody is left to raise it",
                    value, timeline.reached.load());
    }
    timeline.lock.lock();
    ErrorRecord record = timeline.failure;
    timeline.lock.unlock();
    return fail(std::move(record));
}

void timeline_poll_last(qiao_timeline* handle) {
    QueueUse source(handle->body);
    if (source.get() != nullptr) timeline_poll(handle, queue_last_value(source.get()->body));
    if (handle->body.shared != nullptr) learn_from_others(handle->body, 0);
}

void timeline_close_if_unraisable(qiao_timeline* handle) {
    Timeline& timeline = handle->body;
    if (timeline.of_queue || timeline.shared != nullptr || handle->header.references.load() != 0 || timeline.signallers.load() != 0) return;
    timeline_limit(timeline, timeline.reached.load());
}

qiao_status timeline_poll(qiao_timeline* handle, uint64_t value, uint64_t patience_ns) {
    Timeline& timeline = handle->body;
    if (is_reached(timeline, value)) return QIAO_OK;
    {
        QueueUse source(timeline);
        if (source.get() != nullptr && !timeline.failed.load(std::memory_order_acquire) &&
            mark_if_submitted(source.get(), value, false, now_ns() + patience_ns) == Submission::kMarked) {
            poll_queue(source.get());
        } else if (timeline.shared != nullptr) {
            learn_from_others(timeline, value);
        }
    }
    if (is_reached(timeline, value)) return QIAO_OK;
    if (timeline.failed.load(std::memory_order_acquire)) return failure_status(timeline);
    return is_out_of_reach(timeline, value) ? QIAO_ERROR_CANCELLED : QIAO_NOT_READY;
}

namespace {

// A worker of the core's ends a short kernel in less time than it takes to sleep and to be woken.
constexpr uint64_t kSpinNs = 20'000;

// Only where the worker can run meanwhile, and for what has been submitted.
void wait_for_worker(const QueueUse& source, Timeline& timeline, uint64_t value) {
    static const bool has_processors = std::thread::hardware_concurrency() > 1;
    if (!has_processors || source.get() == nullptr || source.get()->body.plugin_queue != nullptr) return;
    if (value > queue_last_value(source.get()->body)) return;
    const uint64_t until = now_ns() + kSpinNs;
    while (!is_reached(timeline, value) && !timeline.failed.load(std::memory_order_acquire) && now_ns() < until) {
        for (int i = 0; i < 16; ++i) relax();
    }
}

[[gnu::noinline]] qiao_status wait_patiently(qiao_timeline* handle, uint64_t value, uint64_t timeout_ns) {
    Timeline& timeline = handle->body;
    if (timeline.shared != nullptr) return wait_for_others(handle, value, timeout_ns);
    const uint64_t deadline_ns = timeout_ns == QIAO_TIMEOUT_INFINITE ? UINT64_MAX : deadline_after(timeout_ns);
    uint64_t left_ns = timeout_ns, ahead_ns = 0;
    for (bool last_round = timeout_ns == 0;;) {
        uint64_t passed_ns = 0;
        QueueUse source(timeline);
        if (source.get() != nullptr && !timeline.failed.load(std::memory_order_acquire)) {
            const uint64_t until = last_round ? now_ns() + kAskingNs : slice_until(deadline_ns);
            const bool marked = mark_if_submitted(source.get(), value, !last_round, until) == Submission::kMarked;
            if (marked && last_round) poll_queue(source.get());
            // Not reached, so it was the plugin who got it.
            if (marked && !last_round && !is_reached(timeline, value)) {
                const uint64_t start_ns = now_ns();
                passed_ns = wait_in_plugin(source.get(), value, left_ns, deadline_ns);
                ahead_ns += passed_ns - std::min(passed_ns, now_ns() - start_ns);
            }
        }
        if (is_reached(timeline, value)) return QIAO_OK;
        if (!last_round) wait_for_worker(source, timeline, value);
        Parking parking(timeline);
        if (is_reached(timeline, value)) return QIAO_OK;
        if (timeline.failed.load(std::memory_order_acquire)) return timeline_report_failure(handle, value);
        if (is_out_of_reach(timeline, value)) return timeline_report_failure(handle, value);
        if (last_round) return QIAO_TIMEOUT;
        const bool parks = source.get() == nullptr || mark_if_submitted(source.get(), value, true, slice_until(deadline_ns)) == Submission::kWaiting;
        if (parks) parking.wait(deadline_ns);
        if (deadline_ns == UINT64_MAX) {
            if (passed_ns != 0 && ahead_ns > kMostAheadNs) parking.wait(slice_until(deadline_ns));
            continue;
        }
        left_ns = passed_ns != 0 ? left_ns - passed_ns : std::min(left_ns, time_left(deadline_ns));
        if (left_ns == 0 && passed_ns != 0) return QIAO_TIMEOUT;  // in the plugin's words
        last_round = left_ns == 0 || now_ns() >= deadline_ns;
    }
}

}  // namespace

qiao_status timeline_wait(qiao_timeline* handle, uint64_t value, uint64_t timeout_ns) {
    return is_reached(handle->body, value) ? QIAO_OK : wait_patiently(handle, value, timeout_ns);
}

namespace {

[[gnu::cold, gnu::noinline]] qiao_status bring_results_for(Timeline& timeline) {
    const QueueUse source(timeline);
    return bring_awaited(timeline.instance, source.get() == nullptr ? nullptr : source.get()->body.device);
}

}  // namespace

[[gnu::hot]] qiao_status timeline_wait_by_host(qiao_timeline* handle, uint64_t value, uint64_t timeout_ns) {
    Timeline& timeline = handle->body;
    const bool is_plain = is_reached(timeline, value) || (timeout_ns == QIAO_TIMEOUT_INFINITE && wait_plainly(timeline, value));
    if (!is_plain) QIAO_RETURN_IF_ERROR(wait_patiently(handle, value, timeout_ns));
    return g_awaited_allocations.load(std::memory_order_relaxed) == 0 ? QIAO_OK : bring_results_for(timeline);
}

std::vector<qiao_queue*> device_use_queues(qiao_device* device) {
    std::lock_guard guard(device->body.state);
    for (qiao_queue* queue : device->body.queues) add_use(queue);
    return device->body.queues;
}

void device_add_visitor(qiao_device* device, qiao_queue* queue) {
    std::lock_guard guard(device->body.state);
    auto& visitors = device->body.visitors;
    if (std::find(visitors.begin(), visitors.end(), queue) == visitors.end()) visitors.push_back(queue);
}

std::vector<qiao_queue*> device_use_visitors(qiao_device* device) {
    std::lock_guard guard(device->body.state);
    for (qiao_queue* queue : device->body.visitors) add_use(queue);
    return device->body.visitors;
}

qiao_status device_wait_idle(qiao_device* device, uint64_t deadline_ns) {
    qiao_status result = QIAO_OK;
    for (qiao_queue* queue : device_use_queues(device)) {
        const uint64_t now = now_ns();
        const uint64_t remaining = deadline_ns == UINT64_MAX ? QIAO_TIMEOUT_INFINITE : deadline_ns > now ? deadline_ns - now : 0;
        if (timeline_wait(queue->body.timeline, queue_last_value(queue->body), remaining) == QIAO_TIMEOUT) result = QIAO_TIMEOUT;
        drop_use(queue);
    }
    return result;
}

}  // namespace qiao
