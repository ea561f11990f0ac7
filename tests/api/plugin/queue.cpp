// Queues: each has a thread that runs its operations in order. What is not marked is not told: poll, wait and
// notification know marks only. A failure ends the queue; loss of the device ends all that waits.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

#include "queued.h"

namespace queued {

namespace {

uint64_t now_ns() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

struct Operation {
    uint64_t value;
    std::function<Ended()> run;
    Users users;
    Kernel* kernel = nullptr;
};

// Outlives its queue for the queues that wait for it.
struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Operation> operations;
    std::set<uint64_t> marks, notifications;
    std::map<uint64_t, std::pair<uint64_t, uint64_t>> times;
    uint64_t completed = 0;
    Ended failure;
    bool stop = false;

    std::optional<uint64_t> mark_for(uint64_t value) const {
        const auto mark = marks.lower_bound(value);
        return mark == marks.end() ? std::nullopt : std::optional(*mark);
    }
};

}  // namespace

struct Queue {
    Device* device;
    uint64_t token, flags, epoch;
    uint64_t last_value = 0;
    std::atomic<int> inside{0};
    std::shared_ptr<State> state = std::make_shared<State>();
    std::thread worker;

    bool is_lost() const { return device->lost || device->epoch != epoch; }
    void run();
    void tell(std::unique_lock<std::mutex>& guard);
};

// Hands out the notifications that are due; gives the lock up meanwhile.
void Queue::tell(std::unique_lock<std::mutex>& guard) {
    for (;;) {
        auto& due = state->notifications;
        if (due.empty() || (*due.begin() > state->completed && state->failure.status == QIAO_OK)) return;
        const uint64_t mark = *due.begin();
        due.erase(due.begin());
        const qiao_status status = mark <= state->completed ? QIAO_OK : state->failure.status;
        guard.unlock();
        device->plugin->host.completed(token, mark, status);
        guard.lock();
    }
}

void Queue::run() {
    std::unique_lock guard(state->mutex);
    for (;;) {
        state->changed.wait(guard, [&] { return state->stop || !state->operations.empty(); });
        if (state->operations.empty()) return;
        Operation operation = std::move(state->operations.front());
        state->operations.pop_front();
        const bool runs = state->failure.status == QIAO_OK && !is_lost();
        guard.unlock();
        const uint64_t start_ns = now_ns();
        Ended ended{QIAO_ERROR_DEVICE_LOST, "the device is lost"};
        if (runs) ended = operation.run();
        if (operation.kernel != nullptr) operation.kernel->users.fetch_sub(1);
        { const Users done = std::move(operation.users); }
        guard.lock();
        if (runs && ended.status == QIAO_OK) {
            state->completed = operation.value;
            if (flags != 0) state->times[operation.value] = {start_ns, now_ns()};
        } else if (state->failure.status == QIAO_OK) {
            state->failure = ended;
        }
        state->changed.notify_all();
        tell(guard);
    }
}

namespace {

// While it lives a thread is inside a slot of the queue that submits.
class InQueue {
   public:
    InQueue(Queue& queue, const char* slot) : queue_(queue), inside_(*queue.device, slot) {
        if (queue_.inside.fetch_add(1) != 0) violation("%s was entered while another slot of the queue ran", slot);
    }
    ~InQueue() { queue_.inside.fetch_sub(1); }

   private:
    Queue& queue_;
    Inside inside_;
};

qiao_status submit(Queue& queue, Operation operation, const char* slot) {
    if (operation.value <= queue.last_value) {
        violation("%s with value %llu after %llu", slot, static_cast<unsigned long long>(operation.value),
                  static_cast<unsigned long long>(queue.last_value));
    }
    if (queue.is_lost()) return fail_lost(*queue.device);
    queue.last_value = operation.value;
    {
        const std::lock_guard guard(queue.state->mutex);
        if (operation.kernel != nullptr) operation.kernel->users.fetch_add(1);
        queue.state->operations.push_back(std::move(operation));
    }
    queue.state->changed.notify_all();
    return QIAO_OK;
}

qiao_status report(const Queue& queue, const Ended& ended) {
    if (ended.status == QIAO_ERROR_DEVICE_LOST) return fail_lost(*queue.device);
    return queue.device->plugin->host.fail({.status = ended.status, .message = ended.message, .vendor_code = -719,
                                            .vendor_text = "QUEUED_FAILED"});
}

qiao_status queue_create(void* handle, const qiao_plugin_queue_desc* desc, void** out_queue) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "queue_create");
    if (device.lost) return fail_lost(device);
    auto* queue = new Queue{&device, desc->token, desc->flags, device.epoch, 0, {}, std::make_shared<State>(), {}};
    queue->worker = std::thread([queue] { queue->run(); });
    const std::lock_guard guard(device.mutex);
    device.queues.insert(queue);
    *out_queue = queue;
    return QIAO_OK;
}

void queue_destroy(void* handle) {
    auto* queue = static_cast<Queue*>(handle);
    Device& device = *queue->device;
    const Destroying inside(device, "queue_destroy");
    {
        const std::lock_guard guard(queue->state->mutex);
        const bool ended = queue->state->completed == queue->last_value || queue->state->failure.status != QIAO_OK;
        if (!ended && !queue->is_lost()) violation("queue_destroy before its work has ended");
        queue->state->stop = true;
    }
    queue->state->changed.notify_all();
    queue->worker.join();
    const std::lock_guard guard(device.mutex);
    if (device.queues.erase(queue) == 0) violation("queue_destroy of %p, which does not exist", handle);
    delete queue;
}

qiao_status queue_launch(void* handle, void* kernel_handle, const qiao_plugin_geometry* geometry, const void* block,
                         const qiao_plugin_binding* bindings, uint64_t value) {
    auto& queue = *static_cast<Queue*>(handle);
    const InQueue inside(queue, "queue_launch");
    auto* kernel = static_cast<Kernel*>(kernel_handle);
    Operation operation{value, {}, {}, kernel};
    auto launch = std::make_shared<Launch>(make_launch(*queue.device, *kernel, *geometry, block, bindings, operation.users));
    launch->given_up = [&queue] { return queue.is_lost(); };
    operation.run = [launch, kernel] { return kernel->code->run(*launch); };
    return submit(queue, std::move(operation), "queue_launch");
}

std::byte* pointer_to(const qiao_plugin_place& place) {
    if (place.allocation != nullptr) return static_cast<Allocation*>(place.allocation)->bytes + place.offset;
    return reinterpret_cast<std::byte*>(static_cast<uintptr_t>(place.address));
}

bool refuses(const Queue& queue, const qiao_plugin_copy& copy) {
    const auto foreign = [&](const void* device) { return device != nullptr && device != queue.device; };
    return !queue.device->traits->free_threaded && (copy.rows > 1 || foreign(copy.source_device) || foreign(copy.target_device));
}

qiao_status queue_can_copy(void* handle, const qiao_plugin_copy* copy) {
    return refuses(*static_cast<Queue*>(handle), *copy) ? QIAO_ERROR_UNSUPPORTED : QIAO_OK;
}

qiao_status queue_copy(void* handle, const qiao_plugin_copy* copy) {
    auto& queue = *static_cast<Queue*>(handle);
    const InQueue inside(queue, "queue_copy");
    if (refuses(queue, *copy)) {
        queue.device->plugin->host.fail({.status = QIAO_ERROR_UNSUPPORTED, .message = "rows and other devices are not for me"});
        return QIAO_ERROR_UNSUPPORTED;
    }
    Operation operation{copy->value, {}, {}, nullptr};
    operation.users.add(static_cast<Allocation*>(copy->source.allocation));
    operation.users.add(static_cast<Allocation*>(copy->target.allocation));
    operation.run = [wanted = *copy] {
        for (uint64_t slice = 0; slice < wanted.slices; ++slice) {
            for (uint64_t row = 0; row < wanted.rows; ++row) {
                std::memcpy(pointer_to(wanted.target) + slice * wanted.target_slice_pitch + row * wanted.target_pitch,
                            pointer_to(wanted.source) + slice * wanted.source_slice_pitch + row * wanted.source_pitch, wanted.size_bytes);
            }
        }
        return Ended{};
    };
    return submit(queue, std::move(operation), "queue_copy");
}

qiao_status queue_fill(void* handle, const qiao_plugin_fill* fill) {
    auto& queue = *static_cast<Queue*>(handle);
    const InQueue inside(queue, "queue_fill");
    Operation operation{fill->value, {}, {}, nullptr};
    operation.users.add(static_cast<Allocation*>(fill->target.allocation));
    operation.run = [wanted = *fill] {
        for (uint64_t at = 0; at < wanted.size_bytes; at += wanted.pattern_size) {
            std::memcpy(pointer_to(wanted.target) + at, wanted.pattern, wanted.pattern_size);
        }
        return Ended{};
    };
    return submit(queue, std::move(operation), "queue_fill");
}

qiao_status queue_mark(void* handle, uint64_t value) {
    auto& queue = *static_cast<Queue*>(handle);
    const InQueue inside(queue, "queue_mark");
    if (value != queue.last_value) {
        violation("queue_mark of %llu, the last submitted is %llu", static_cast<unsigned long long>(value),
                  static_cast<unsigned long long>(queue.last_value));
    }
    const std::lock_guard guard(queue.state->mutex);
    auto& marks = queue.state->marks;
    marks.insert(value);
    while (marks.size() > 1 && *std::next(marks.begin()) <= queue.state->completed) marks.erase(marks.begin());
    return QIAO_OK;
}

qiao_status queue_poll(void* handle, uint64_t* out_value) {
    auto& queue = *static_cast<Queue*>(handle);
    const std::lock_guard guard(queue.state->mutex);
    auto mark = queue.state->marks.upper_bound(queue.state->completed);
    if (mark != queue.state->marks.begin()) *out_value = *--mark;
    if (queue.state->failure.status != QIAO_OK) return report(queue, queue.state->failure);
    return QIAO_OK;
}

qiao_status queue_wait(void* handle, uint64_t value, uint64_t timeout_ns) {
    auto& queue = *static_cast<Queue*>(handle);
    std::unique_lock guard(queue.state->mutex);
    const auto mark = queue.state->mark_for(value);
    if (!mark && value > queue.state->completed) violation("queue_wait for %llu, which is above every mark", static_cast<unsigned long long>(value));
    const uint64_t needed = mark.value_or(value);
    const auto ended = [&] {
        return queue.state->completed >= needed || queue.state->failure.status != QIAO_OK || queue.is_lost();
    };
    if (timeout_ns == QIAO_TIMEOUT_INFINITE) {
        while (!ended()) queue.state->changed.wait_for(guard, std::chrono::milliseconds(10));  // loss does not notify
    } else {
        const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(std::min<uint64_t>(timeout_ns, 3600u * UINT64_C(1'000'000'000)));
        while (!ended()) {
            const auto slice = std::min(until, std::chrono::steady_clock::now() + std::chrono::milliseconds(10));
            if (queue.state->changed.wait_until(guard, slice) == std::cv_status::timeout && slice == until && !ended()) return QIAO_TIMEOUT;
        }
    }
    if (queue.state->completed >= needed) return QIAO_OK;
    if (queue.state->failure.status != QIAO_OK) return report(queue, queue.state->failure);
    return fail_lost(*queue.device);
}

qiao_status queue_after(void* handle, void* other_handle, uint64_t other_value, uint64_t value) {
    auto& queue = *static_cast<Queue*>(handle);
    const InQueue inside(queue, "queue_after");
    const std::shared_ptr<State> other = static_cast<Queue*>(other_handle)->state;
    std::optional<uint64_t> mark;
    {
        const std::lock_guard guard(other->mutex);
        mark = other->mark_for(other_value);
        if (!mark && other_value > other->completed) violation("queue_after a value that is not marked");
    }
    Operation operation{value, {}, {}, nullptr};
    operation.run = [&queue, other, needed = mark.value_or(other_value)] {
        std::unique_lock guard(other->mutex);
        while (other->completed < needed) {
            if (other->failure.status != QIAO_OK) return Ended{QIAO_ERROR_CANCELLED, "the queue that this one waited for failed"};
            if (queue.is_lost()) return Ended{QIAO_ERROR_DEVICE_LOST, "the device is lost"};
            other->changed.wait_for(guard, std::chrono::milliseconds(10));
        }
        return Ended{};
    };
    return submit(queue, std::move(operation), "queue_after");
}

qiao_status queue_notify(void* handle, uint64_t value) {
    auto& queue = *static_cast<Queue*>(handle);
    const InQueue inside(queue, "queue_notify");
    std::unique_lock guard(queue.state->mutex);
    const auto mark = queue.state->mark_for(value);
    if (!mark && value > queue.state->completed) violation("queue_notify for a value above every mark");
    queue.state->notifications.insert(mark.value_or(value));
    queue.tell(guard);
    return QIAO_OK;
}

qiao_status queue_timestamps(void* handle, uint64_t value, uint64_t* out_start_ns, uint64_t* out_end_ns) {
    auto& queue = *static_cast<Queue*>(handle);
    const InQueue inside(queue, "queue_timestamps");
    const std::lock_guard guard(queue.state->mutex);
    const auto found = queue.state->times.find(value);
    if (found == queue.state->times.end()) return QIAO_ERROR_NOT_FOUND;
    *out_start_ns = found->second.first;
    *out_end_ns = found->second.second;
    return QIAO_OK;
}

}  // namespace

const qiao_plugin_queue_ops kQueueOps = {sizeof(qiao_plugin_queue_ops), queue_create, queue_destroy, queue_launch, queue_copy,
                                         queue_mark, queue_poll, queue_wait, queue_fill, queue_after, nullptr, queue_timestamps, nullptr, nullptr,
                                         queue_can_copy, nullptr};
const qiao_plugin_queue_ops kLeastQueueOps = {sizeof(qiao_plugin_queue_ops), queue_create, queue_destroy, queue_launch, queue_copy,
                                              queue_mark, queue_poll, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
const qiao_plugin_queue_ops kNotifyingQueueOps = {sizeof(qiao_plugin_queue_ops), queue_create, queue_destroy, queue_launch, queue_copy,
                                                  queue_mark, queue_poll, nullptr, queue_fill, queue_after, queue_notify, queue_timestamps, nullptr, nullptr, nullptr, nullptr};

}  // namespace queued
