// The core's own list of a queue's operations and the worker that runs them: for plugins without queues, for host
// callbacks, for waits on timelines that the plugin cannot wait for, and for copies that need staging. Argument blocks
// are copied in. The queue goes back to direct submission when the list is empty.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "dispatch/copy_route.h"
#include "emulation/copy.h"
#include "emulation/ranges.h"
#include "object/program.h"
#include "object/queue.h"

namespace qiao {

struct LaunchOperation {
    qiao_kernel* kernel;
    qiao_plugin_geometry geometry;
    std::vector<std::byte> block;
    std::vector<qiao_plugin_binding> bindings;  // empty where the device takes addresses
};
// Places are resolved. In the plugin's queue it is an operation for each of its parts; the last one's value is the copy's.
struct CopyOperation {
    Side source;
    Side target;
    qiao_plugin_copy copy;  // with the first part's value
    NativeRoute native;     // what the plugin's queue may be able to
};
struct FillOperation {
    Owner target;
    qiao_plugin_fill fill;
};
struct AfterOperation {
    qiao_timeline* timeline;  // with a use
    uint64_t value;
};
struct SignalOperation {
    qiao_timeline* timeline;  // with a use, and counted among its signallers
    uint64_t value;
};
// Results in shared memory, brought to the host before anybody waits for them.
struct FetchOperation {
    std::shared_ptr<SharedMemory> shared;
    Range range;
};
struct CallOperation {
    qiao_queue_callback callback;
    void* user;
};
using Operation = std::variant<LaunchOperation, CopyOperation, FillOperation, AfterOperation, SignalOperation, FetchOperation, CallOperation>;

class DeferredQueue {
public:
    explicit DeferredQueue(qiao_queue* queue) : queue_(queue) {}
    // By the queue's last use: no thread works on it any more.
    ~DeferredQueue();
    DeferredQueue(const DeferredQueue&) = delete;
    DeferredQueue& operator=(const DeferredQueue&) = delete;

    // With the queue's lock held: takes the operation, which carries `value`.
    void push(Operation operation, uint64_t value);

    // No more will be pushed: the worker ends when the list is empty. Waits for it, but not for a slot that does not return;
    // that one's thread keeps the queue alive until then.
    void stop();

    // The queue has failed, and its worker may be inside a slot for ever: another thread cancels what is on the list.
    void abandon_slot() noexcept;

    // The worker, also one that was abandoned, has left all operations up to `value` behind, run or cancelled.
    bool has_left(uint64_t value);

    // Start and end of a recent operation, which has been reached, by the host's clock.
    std::optional<std::pair<uint64_t, uint64_t>> timestamps(uint64_t value);

private:
    struct Entry {
        Operation operation;
        uint64_t value;
    };
    struct Times {
        uint64_t value = 0, start_ns = 0, end_ns = 0;
    };

    // Threads hold a use of the queue while they run.
    std::thread start_thread(void (DeferredQueue::*body)());
    void run();
    void cancel_all();
    bool is_abandoned();
    void execute(Entry& entry);
    void complete(uint64_t value);
    void cancel(Entry& entry);

    // Each hands the operation to the plugin (in_plugin_), or has run it when it returns.
    qiao_status perform(LaunchOperation& operation, uint64_t value);
    qiao_status perform(CopyOperation& operation, uint64_t value);
    qiao_status perform(FillOperation& operation, uint64_t value);
    qiao_status perform(AfterOperation& operation, uint64_t value);
    qiao_status perform(SignalOperation& operation, uint64_t value);
    qiao_status perform(FetchOperation& operation, uint64_t value);
    qiao_status perform(CallOperation& operation, uint64_t value);
    template <class Slot>
    qiao_status hand_over(uint64_t value, const char* name, Slot&& slot);

    qiao_status launch_in_slot(const LaunchOperation& operation);
    qiao_status wait_for_earlier(uint64_t value);
    qiao_status wait_for_device();
    qiao_status synchronize();
    void record_times(uint64_t value);

    qiao_queue* const queue_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Entry> list_;
    std::thread worker_;
    std::condition_variable ended_;
    uint32_t threads_ = 0;    // running
    bool stop_ = false;
    uint64_t value_in_hand_ = 0;          // 0 = none
    bool inside_ = false;     // the worker is not waiting for something to do
    bool abandoned_ = false;  // another thread has taken over from it
    bool in_plugin_ = false;              // the entry in hand was handed to the plugin's queue
    uint64_t start_ns_ = 0;               // of the entry in hand
    uint64_t unsynchronized_value_ = 0;   // kernel_launch accepted it, device_synchronize has not confirmed it
    uint64_t unsynchronized_count_ = 0;
    std::array<Times, 256> times_{};
    uint64_t timed_value_ = 0;            // the last one with times
    std::condition_variable timed_;
};

// True on the worker of any queue: the application's callbacks run there.
bool on_queue_worker();

}  // namespace qiao
