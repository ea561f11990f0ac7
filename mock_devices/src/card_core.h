/* The part of a card that outlives its handle while queues are at work: memory, the list of queues, loss. */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine.h"
#include "mock/card.h"
#include "virtual_clock.h"

namespace mock {

class CardCore {
  public:
    CardCore(const CardProfile& profile, const MachineOptions& options, std::shared_ptr<VirtualClock> clock);

    /* One more operation is submitted: false once the card is lost, which this one may have caused. */
    bool take_operation() {
        if (profile_.lost_after_operations != 0) [[unlikely]]
            count_operation();
        return !lost_.load(std::memory_order_acquire);
    }
    /* Ends all that is waited for, and tells who asked to be told. */
    void set_lost(const std::string& reason);
    /* The same without telling; false if the card was lost before. */
    bool end_all(const std::string& reason);
    Status loss() const;
    void report(const std::string& text) const;

    /* Queues with work that has not ended, each with the last value it was given; of one memory only, or (null) also those
     * that a kernel from before a reset still runs in. */
    std::vector<std::pair<std::shared_ptr<QueueCore>, uint64_t>> in_flight(const Memory* memory = nullptr) const;
    /* Keeps memory (freed) or an object (retired) until `users` have passed their values. */
    void defer(Allocation* allocation, std::shared_ptr<const void> object,
               std::vector<std::pair<std::shared_ptr<QueueCore>, uint64_t>> users);
    /* Frees and forgets what no queue can be using any more. */
    void reap();
    /* That of now: a reset replaces it. */
    std::shared_ptr<Memory> memory() const {
        std::lock_guard lock(mutex_);
        return memory_;
    }
    bool has_deferred() const { return deferred_count_.load(std::memory_order_relaxed) != 0; }

    const CardProfile profile_;
    const MachineOptions options_;
    const std::shared_ptr<VirtualClock> clock_; /* null = the host's */
    const uint64_t made_ns_;
    uint64_t unit_free_ns_[kUnits] = {}; /* guarded by the virtual clock's mutex */
    const std::shared_ptr<Engine> engine_;
    std::function<void(const std::string&)> told_lost_;

    mutable std::mutex mutex_;
    std::shared_ptr<Memory> memory_;               /* replaced by reset */
    std::vector<std::weak_ptr<QueueCore>> queues_;
    std::atomic<bool> lost_{false};
    std::string lost_reason_;
    bool removed_ = false;
    std::atomic<uint32_t> losses_{0}; /* what threads that wait for a loss park on */

  private:
    /* Freed or retired while queues were at work: kept until these have passed these values. */
    struct Deferred {
        Allocation* allocation = nullptr;
        std::shared_ptr<Memory> memory;
        std::shared_ptr<const void> object;
        std::vector<std::pair<std::shared_ptr<QueueCore>, uint64_t>> users;
    };
    void count_operation();

    std::atomic<uint64_t> operations_{0};
    std::vector<Deferred> deferred_;
    std::atomic<size_t> deferred_count_{0};
};

} // namespace mock
