// The worker takes one operation at a time. What the plugin's queue can run is handed to it, the rest is run here once
// everything before has ended. After a failure operations are cancelled, but callbacks are still called and timelines
// that would have been raised fail too, so that nobody waits for ever.
#include "emulation/deferred.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "dispatch/device.h"
#include "dispatch/shared_wait.h"
#include "dispatch/submit.h"
#include "dispatch/wait.h"
#include "emulation/copy_reports.h"
#include "emulation/shared.h"

namespace qiao {
namespace {

thread_local bool t_on_queue_worker = false;

// How long a wait for another queue's timeline may overlook that its own queue has failed.
constexpr uint64_t kDependencySliceNs = 20'000'000;
constexpr uint64_t kSynchronizeSliceNs = 50'000'000;
// How long the end of a queue waits for its worker.
constexpr uint64_t kStopPatienceNs = 50'000'000;

bool has_failed(const qiao_queue* queue) {
    return queue->body.timeline->body.failed.load(std::memory_order_acquire);
}

// The thread's error is that of a timeline which the queue waited for.
qiao_status fail_as_cancelled() {
    ErrorRecord record = last_error();
    record.status = QIAO_ERROR_CANCELLED;
    record.message = "the queue waited for a timeline that failed: " + record.message;
    return fail(std::move(record));
}

// device_synchronize did not use the time it was given: asked again at once it would keep a processor busy. Pauses grow with
// what was waited for so far, so that a short kernel's end is still seen early.
void pause_for_hasty(qiao_device* device, const char* said, uint64_t taken_ns, uint64_t waited_ns) {
    constexpr uint64_t kShortestNs = 10'000, kLongestNs = 5'000'000;
    Device& body = device->body;
    if (!body.known_as_hasty.exchange(true)) {
        char text[256];
        snprintf(text, sizeof text, "device_synchronize of %s says %s after %" PRIu64 " us of the %" PRIu64 " us it was given; it is asked again in pauses",
                 device_name(device), said, taken_ns / 1000, kSynchronizeSliceNs / 1000);
        body.instance->body.log.write(QIAO_LOG_LEVEL_WARNING, body.plugin_id.c_str(), text);
    }
    const timespec pause{0, static_cast<long>(std::clamp(waited_ns / 4, kShortestNs, kLongestNs))};
    nanosleep(&pause, nullptr);
}

// Of those that the operation takes.
uint64_t first_value(const Operation& operation, uint64_t value) {
    const auto* copy = std::get_if<CopyOperation>(&operation);
    return copy == nullptr ? value : copy->copy.value;
}

void stop_signalling(qiao_timeline* timeline) {
    timeline->body.signallers.fetch_sub(1);
    timeline_close_if_unraisable(timeline);
    drop_use(timeline);
}

}  // namespace

bool on_queue_worker() {
    return t_on_queue_worker;
}

DeferredQueue::~DeferredQueue() {
    if (!worker_.joinable()) return;
    if (worker_.get_id() == std::this_thread::get_id()) {
        worker_.detach();  // the last use was its own: nobody waited for it
    } else {
        worker_.join();  // it has dropped its use and is gone but for its last instructions
    }
}

std::thread DeferredQueue::start_thread(void (DeferredQueue::*body)()) {
    std::thread thread([this, body] {
        qiao_queue* const queue = queue_;
        (this->*body)();
        {
            std::lock_guard guard(mutex_);
            --threads_;
            ended_.notify_all();
        }
        drop_use(queue);
    });
    ++threads_;  // under the lock that the thread needs to say that it ended
    add_use(queue_);
    return thread;
}

void DeferredQueue::push(Operation operation, uint64_t value) {
    {
        std::lock_guard guard(mutex_);
        if (!worker_.joinable()) worker_ = start_thread(&DeferredQueue::run);
        list_.push_back({std::move(operation), value});
    }
    wake_.notify_all();
}

void DeferredQueue::stop() {
    std::unique_lock guard(mutex_);
    stop_ = true;
    wake_.notify_all();
    ended_.wait_for(guard, std::chrono::nanoseconds(kStopPatienceNs), [this] { return threads_ == 0; });
}

void DeferredQueue::abandon_slot() noexcept {
    try {
        std::lock_guard guard(mutex_);
        if (!inside_ || abandoned_ || worker_.get_id() == std::this_thread::get_id()) return;
        std::thread successor = start_thread(&DeferredQueue::cancel_all);
        abandoned_ = true;
        worker_.detach();
        worker_ = std::move(successor);
        timed_.notify_all();
    } catch (...) {
        // Without another thread the worker itself cancels, once its slot returns.
    }
}

bool DeferredQueue::has_left(uint64_t value) {
    std::lock_guard guard(mutex_);
    if (value_in_hand_ != 0 && value_in_hand_ <= value) return false;
    return list_.empty() || list_.front().value > value;
}

std::optional<std::pair<uint64_t, uint64_t>> DeferredQueue::timestamps(uint64_t value) {
    std::unique_lock guard(mutex_);
    // The plugin may have told that the value is reached before the worker got to its clock.
    if (queue_->body.timed_by_core) timed_.wait(guard, [&] { return timed_value_ >= value || abandoned_; });
    const Times& times = times_[value % times_.size()];
    if (times.value != value || value == 0) return std::nullopt;
    return std::pair{times.start_ns, times.end_ns};
}

bool DeferredQueue::is_abandoned() {
    std::lock_guard guard(mutex_);
    return abandoned_;
}

void DeferredQueue::run() {
    t_on_queue_worker = true;
    for (;;) {
        std::optional<Entry> entry;
        {
            std::unique_lock guard(mutex_);
            inside_ = true;
            value_in_hand_ = unsynchronized_value_;
            if (unsynchronized_value_ != 0 && (list_.empty() || unsynchronized_count_ >= kMarkInterval)) {
                guard.unlock();
                if (synchronize() != QIAO_OK) queue_fail(queue_, last_error());
                guard.lock();
                value_in_hand_ = 0;
            }
            if (abandoned_) {
                value_in_hand_ = 0;
                return;
            }
            inside_ = false;
            wake_.wait(guard, [this] { return stop_ || !list_.empty(); });
            if (list_.empty()) return;
            inside_ = true;
            entry.emplace(std::move(list_.front()));
            list_.pop_front();
            value_in_hand_ = unsynchronized_value_ != 0 ? unsynchronized_value_ : entry->value;
        }
        execute(*entry);
    }
}

void DeferredQueue::cancel_all() {
    t_on_queue_worker = true;
    for (;;) {
        std::unique_lock guard(mutex_);
        wake_.wait(guard, [this] { return stop_ || !list_.empty(); });
        if (list_.empty()) return;
        Entry entry = std::move(list_.front());
        list_.pop_front();
        guard.unlock();
        cancel(entry);
    }
}

void DeferredQueue::execute(Entry& entry) {
    if (has_failed(queue_)) {
        cancel(entry);
        return;
    }
    in_plugin_ = false;
    start_ns_ = now_ns();
    const qiao_status status = std::visit([&](auto& operation) { return perform(operation, entry.value); }, entry.operation);
    if (status != QIAO_OK) {
        const ErrorRecord record = last_error();
        if (!has_failed(queue_)) wait_for_earlier(first_value(entry.operation, entry.value));  // what is before still ends, and may be waited for
        if (!has_failed(queue_)) queue_fail(queue_, record);
        cancel(entry);
        return;
    }
    if (unsynchronized_value_ == entry.value) return;  // will be booked by synchronize()
    if (in_plugin_) {
        const bool timed = queue_->body.timed_by_core && timeline_wait(queue_->body.timeline, entry.value, QIAO_TIMEOUT_INFINITE) == QIAO_OK;
        if (timed) record_times(entry.value);
        return;
    }
    if (is_abandoned()) return;  // it has failed in everybody's eyes
    record_times(entry.value);
    complete(entry.value);
}

void DeferredQueue::record_times(uint64_t value) {
    {
        std::lock_guard guard(mutex_);
        times_[value % times_.size()] = {value, start_ns_, now_ns()};
        timed_value_ = value;
    }
    timed_.notify_all();
}

// Everything up to `value` has ended.
void DeferredQueue::complete(uint64_t value) {
    Queue& queue = queue_->body;
    timeline_advance(queue.timeline->body, value);
    QueueGuard guard(queue);
    if (!guard) return;
    queue.submitted_value = value;
    queue.marked_value = value;
    --queue.deferred_count;
    queue_attend(queue);
}

void DeferredQueue::cancel(Entry& entry) {
    const ErrorRecord record = [this] {
        Timeline& timeline = queue_->body.timeline->body;
        timeline.lock.lock();
        ErrorRecord copy = timeline.failure;
        timeline.lock.unlock();
        return copy;
    }();
    if (auto* call = std::get_if<CallOperation>(&entry.operation)) {
        if (call->callback != nullptr) call->callback(call->user, record.status);
    } else if (auto* after = std::get_if<AfterOperation>(&entry.operation)) {
        drop_use(after->timeline);
    } else if (std::holds_alternative<CopyOperation>(entry.operation)) {
        queue_->body.copies->cancel(entry.value);
    } else if (auto* signal = std::get_if<SignalOperation>(&entry.operation)) {
        timeline_fail_for_all(signal->timeline->body, record);
        stop_signalling(signal->timeline);
    }
    if (QueueGuard guard(queue_->body); guard) --queue_->body.deferred_count;  // else nothing is submitted any more
}

qiao_status DeferredQueue::wait_for_earlier(uint64_t value) {
    QIAO_RETURN_IF_ERROR(synchronize());
    const qiao_status status = timeline_wait(queue_->body.timeline, value - 1, QIAO_TIMEOUT_INFINITE);
    start_ns_ = now_ns();
    return status;
}

// Until all launches of the device have ended, or the queue has failed.
qiao_status DeferredQueue::wait_for_device() {
    qiao_device* device = queue_->body.device;
    for (const uint64_t start_ns = now_ns();;) {
        qiao_status status;
        uint64_t asked_ns;
        {
            SlotGuard guard(device->body);
            if (!guard) return device_fail_lost(device);
            asked_ns = now_ns();
            status = device->body.tables.device.device_synchronize(device->body.opened.load(), kSynchronizeSliceNs);
        }
        if (has_failed(queue_) || status == QIAO_OK) return QIAO_OK;
        if (status != QIAO_TIMEOUT && status != QIAO_NOT_READY) return device_slot_failed(device, status, "device_synchronize", queue_->body.losses);
        const uint64_t now = now_ns();
        if (now - asked_ns < kSynchronizeSliceNs / 10) pause_for_hasty(device, status == QIAO_TIMEOUT ? "TIMEOUT" : "NOT_READY", now - asked_ns, now - start_ns);
    }
}

qiao_status DeferredQueue::synchronize() {
    if (unsynchronized_value_ == 0) return QIAO_OK;
    unsynchronized_count_ = 0;
    const uint64_t value = std::exchange(unsynchronized_value_, 0);
    QIAO_RETURN_IF_ERROR(wait_for_device());
    if (!has_failed(queue_)) timeline_advance(queue_->body.timeline->body, value);
    return QIAO_OK;
}

// Hands an operation to the plugin's queue; value, booking and count change together.
template <class Slot>
qiao_status DeferredQueue::hand_over(uint64_t value, const char* name, Slot&& slot) {
    Queue& queue = queue_->body;
    qiao_status status;
    {
        QueueGuard guard(queue);
        if (!guard) return device_fail_lost(queue.device);
        status = slot();
        if (status == QIAO_OK) {
            in_plugin_ = true;
            --queue.deferred_count;
            queue_accepted(queue, value);
            return QIAO_OK;
        }
    }
    if (status != QIAO_ERROR_UNSUPPORTED) return device_slot_failed(queue.device, status, name, queue.losses);
    clear_plugin_error();
    return status;
}

qiao_status DeferredQueue::perform(LaunchOperation& operation, uint64_t value) {
    Queue& queue = queue_->body;
    const Kernel& kernel = operation.kernel->body;
    const qiao_plugin_binding* bindings = operation.bindings.empty() ? nullptr : operation.bindings.data();
    if (queue.plugin_queue != nullptr) {
        return hand_over(value, "queue_launch", [&] {
            return queue.launch_slot(queue.plugin_queue, kernel.plugin_kernel, &operation.geometry, operation.block.data(), bindings, value);
        });
    }
    QIAO_RETURN_IF_ERROR(launch_in_slot(operation));
    if ((queue.flags & QIAO_QUEUE_PROFILING) != 0) return wait_for_device();  // its end is known at once
    unsynchronized_value_ = value;
    ++unsynchronized_count_;
    return QIAO_OK;
}

qiao_status DeferredQueue::launch_in_slot(const LaunchOperation& operation) {
    qiao_device* device = queue_->body.device;
    SlotGuard guard(device->body);
    if (!guard) return device_fail_lost(device);
    const qiao_plugin_binding* bindings = operation.bindings.empty() ? nullptr : operation.bindings.data();
    const qiao_status status = device->body.tables.program.kernel_launch(device->body.opened.load(), operation.kernel->body.plugin_kernel,
                                                                         &operation.geometry, operation.block.data(), bindings);
    return status == QIAO_OK ? status : device_slot_failed(device, status, "kernel_launch", queue_->body.losses);
}

qiao_status DeferredQueue::perform(CopyOperation& operation, uint64_t value) {
    Queue& queue = queue_->body;
    QIAO_RETURN_IF_ERROR(check_owner(operation.source.owner));
    QIAO_RETURN_IF_ERROR(check_owner(operation.target.owner));
    if (operation.native) {
        QueueGuard guard(queue);
        if (!guard) return device_fail_lost(queue.device);
        --queue.deferred_count;
        const qiao_status status = submit_parts(queue, operation.native, operation.copy);
        in_plugin_ = status == QIAO_OK;
        if (!in_plugin_) ++queue.deferred_count;
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
    }
    CopyProgress progress = plan_through_host(operation.source, operation.target, operation.copy);
    queue.copies->change(value, false, progress);
    QIAO_RETURN_IF_ERROR(wait_for_earlier(operation.copy.value));
    const qiao_status status = copy_through_host(operation.source, operation.target, operation.copy, progress);
    queue.copies->end(value, status, progress);
    return status;
}

qiao_status DeferredQueue::perform(FillOperation& operation, uint64_t value) {
    Queue& queue = queue_->body;
    const auto slot = queue.device->body.tables.queue.queue_fill;
    if (operation.target.device == queue.device && queue.plugin_queue != nullptr && slot != nullptr) {
        qiao_plugin_fill fill = operation.fill;
        fill.value = value;
        const qiao_status status = hand_over(value, "queue_fill", [&] { return slot(queue.plugin_queue, &fill); });
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
    }
    QIAO_RETURN_IF_ERROR(wait_for_earlier(value));
    return staged_fill(operation.target, operation.fill);
}

qiao_status DeferredQueue::perform(AfterOperation& operation, uint64_t value) {
    QIAO_RETURN_IF_ERROR(synchronize());  // what it waits for may itself wait for a launch before this
    qiao_status status;
    do {
        status = timeline_wait(operation.timeline, operation.value, kDependencySliceNs);
    } while (status == QIAO_TIMEOUT && !has_failed(queue_));
    if (status < 0) return fail_as_cancelled();
    if (status == QIAO_OK) status = wait_for_earlier(value);
    if (status == QIAO_OK) drop_use(operation.timeline);
    return status;
}

qiao_status DeferredQueue::perform(SignalOperation& operation, uint64_t value) {
    QIAO_RETURN_IF_ERROR(wait_for_earlier(value));
    timeline_raise_by_work(operation.timeline->body, operation.value);
    stop_signalling(operation.timeline);
    return QIAO_OK;
}

qiao_status DeferredQueue::perform(FetchOperation& operation, uint64_t value) {
    QIAO_RETURN_IF_ERROR(wait_for_earlier(value));
    operation.shared->bring_ahead(operation.range);
    return QIAO_OK;
}

qiao_status DeferredQueue::perform(CallOperation& operation, uint64_t value) {
    QIAO_RETURN_IF_ERROR(wait_for_earlier(value));
    QIAO_RETURN_IF_ERROR(bring_results(queue_->body.device->body.instance, queue_->body.device));
    const qiao_queue_callback callback = std::exchange(operation.callback, nullptr);
    callback(operation.user, QIAO_OK);
    return QIAO_OK;
}

}  // namespace qiao
