// The worker takes one operation at a time. What the plugin's queue can run is handed to it, the rest is run here once
// everything before has ended. After a failure operations are cancelled, but callbacks are still called and timelines
// that would have been raised fail too, so that nobody waits for ever.
#include "emulation/deferred.h"

#include <utility>

#include "dispatch/device.h"
#include "dispatch/submit.h"
#include "dispatch/wait.h"
#include "emulation/copy.h"

namespace qiao {
namespace {

thread_local bool t_on_queue_worker = false;

// How long a wait for another queue's timeline may overlook that its own queue has failed.
constexpr uint64_t kDependencySliceNs = 20'000'000;
constexpr uint64_t kSynchronizeSliceNs = 100'000'000;

bool has_failed(const qiao_queue* queue) {
    return queue->body.timeline->body.failed.load(std::memory_order_acquire);
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
    {
        std::lock_guard guard(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    if (worker_.joinable()) worker_.join();
}

void DeferredQueue::push(Operation operation, uint64_t value) {
    {
        std::lock_guard guard(mutex_);
        if (!worker_.joinable()) worker_ = std::thread([this] { run(); });
        list_.push_back({std::move(operation), value});
    }
    wake_.notify_one();
}

std::optional<std::pair<uint64_t, uint64_t>> DeferredQueue::timestamps(uint64_t value) {
    std::lock_guard guard(mutex_);
    const Times& times = times_[value % times_.size()];
    if (times.value != value || value == 0) return std::nullopt;
    return std::pair{times.start_ns, times.end_ns};
}

void DeferredQueue::run() {
    t_on_queue_worker = true;
    for (;;) {
        std::optional<Entry> entry;
        {
            std::unique_lock guard(mutex_);
            if (unsynchronized_value_ != 0 && (list_.empty() || unsynchronized_count_ >= kMarkInterval)) {
                guard.unlock();
                if (synchronize() != QIAO_OK) queue_fail(queue_, last_error());
                guard.lock();
            }
            wake_.wait(guard, [this] { return stop_ || !list_.empty(); });
            if (list_.empty()) return;
            entry.emplace(std::move(list_.front()));
            list_.pop_front();
        }
        execute(*entry);
    }
}

void DeferredQueue::execute(Entry& entry) {
    if (has_failed(queue_)) {
        cancel(entry);
        return;
    }
    in_plugin_ = false;
    const uint64_t start_ns = now_ns();
    const qiao_status status = std::visit([&](auto& operation) { return perform(operation, entry.value); }, entry.operation);
    if (status != QIAO_OK) {
        if (!has_failed(queue_)) queue_fail(queue_, last_error());
        cancel(entry);
        return;
    }
    if (in_plugin_ || unsynchronized_value_ == entry.value) return;  // booked, or will be by synchronize()
    {
        std::lock_guard guard(mutex_);
        times_[entry.value % times_.size()] = {entry.value, start_ns, now_ns()};
    }
    complete(entry.value);
}

// Everything up to `value` has ended.
void DeferredQueue::complete(uint64_t value) {
    Queue& queue = queue_->body;
    timeline_advance(queue.timeline->body, value);
    QueueGuard guard(queue);
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
    } else if (auto* signal = std::get_if<SignalOperation>(&entry.operation)) {
        timeline_fail(signal->timeline->body, record);
        stop_signalling(signal->timeline);
    }
    QueueGuard guard(queue_->body);
    --queue_->body.deferred_count;
}

qiao_status DeferredQueue::wait_for_earlier(uint64_t value) {
    QIAO_RETURN_IF_ERROR(synchronize());
    return timeline_wait(queue_->body.timeline, value - 1, QIAO_TIMEOUT_INFINITE);
}

qiao_status DeferredQueue::synchronize() {
    if (unsynchronized_value_ == 0) return QIAO_OK;
    unsynchronized_count_ = 0;
    qiao_device* device = queue_->body.device;
    for (;;) {
        qiao_status status;
        {
            SlotGuard guard(device->body);
            status = device->body.tables.device.device_synchronize(device->body.opened.load(), kSynchronizeSliceNs);
        }
        if (has_failed(queue_)) {
            unsynchronized_value_ = 0;
            return QIAO_OK;
        }
        if (status == QIAO_TIMEOUT || status == QIAO_NOT_READY) continue;
        if (status != QIAO_OK) return device_slot_failed(device, status, "device_synchronize");
        timeline_advance(queue_->body.timeline->body, unsynchronized_value_);
        unsynchronized_value_ = 0;
        return QIAO_OK;
    }
}

// Hands an operation to the plugin's queue; value, booking and count change together.
template <class Slot>
qiao_status DeferredQueue::hand_over(uint64_t value, const char* name, Slot&& slot) {
    Queue& queue = queue_->body;
    qiao_status status;
    {
        QueueGuard guard(queue);
        status = slot();
        if (status == QIAO_OK) {
            in_plugin_ = true;
            --queue.deferred_count;
            queue_accepted(queue, value);
            return QIAO_OK;
        }
    }
    if (status == QIAO_ERROR_UNSUPPORTED) return status;
    return device_slot_failed(queue.device, status, name);
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
    Device& device = queue.device->body;
    SlotGuard guard(device);
    const uint64_t start_ns = now_ns();
    const qiao_status status = device.tables.program.kernel_launch(device.opened.load(), kernel.plugin_kernel, &operation.geometry,
                                                                   operation.block.data(), bindings);
    if (status != QIAO_OK) return device_slot_failed(queue.device, status, "kernel_launch");
    unsynchronized_value_ = value;
    ++unsynchronized_count_;
    std::lock_guard times(mutex_);
    times_[value % times_.size()] = {value, start_ns, now_ns()};
    return QIAO_OK;
}

qiao_status DeferredQueue::perform(CopyOperation& operation, uint64_t value) {
    Queue& queue = queue_->body;
    if (operation.native && queue.plugin_queue != nullptr) {
        qiao_plugin_copy copy = operation.copy;
        copy.value = value;
        const qiao_status status = hand_over(value, "queue_copy", [&] {
            return queue.device->body.tables.queue.queue_copy(queue.plugin_queue, &copy);
        });
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
    }
    QIAO_RETURN_IF_ERROR(wait_for_earlier(value));
    return staged_copy(operation.source_device, operation.target_device, operation.copy);
}

qiao_status DeferredQueue::perform(FillOperation& operation, uint64_t value) {
    Queue& queue = queue_->body;
    const auto slot = queue.device->body.tables.queue.queue_fill;
    if (operation.device == queue.device && queue.plugin_queue != nullptr && slot != nullptr) {
        qiao_plugin_fill fill = operation.fill;
        fill.value = value;
        const qiao_status status = hand_over(value, "queue_fill", [&] { return slot(queue.plugin_queue, &fill); });
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
    }
    QIAO_RETURN_IF_ERROR(wait_for_earlier(value));
    return staged_fill(operation.device, operation.fill);
}

qiao_status DeferredQueue::perform(AfterOperation& operation, uint64_t value) {
    qiao_status status;
    do {
        status = timeline_wait(operation.timeline, operation.value, kDependencySliceNs);
    } while (status == QIAO_TIMEOUT && !has_failed(queue_));
    if (status == QIAO_OK) status = wait_for_earlier(value);
    if (status == QIAO_OK) drop_use(operation.timeline);
    return status;
}

qiao_status DeferredQueue::perform(SignalOperation& operation, uint64_t value) {
    QIAO_RETURN_IF_ERROR(wait_for_earlier(value));
    timeline_advance(operation.timeline->body, operation.value);
    stop_signalling(operation.timeline);
    return QIAO_OK;
}

qiao_status DeferredQueue::perform(CallOperation& operation, uint64_t value) {
    QIAO_RETURN_IF_ERROR(wait_for_earlier(value));
    const qiao_queue_callback callback = std::exchange(operation.callback, nullptr);
    callback(operation.user, QIAO_OK);
    return QIAO_OK;
}

}  // namespace qiao
