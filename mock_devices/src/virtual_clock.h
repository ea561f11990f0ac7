/* A clock that moves only when somebody waits, asks or copies: time as the timing model has it. One for all cards of a
 * machine. Who does the work, and when it is over, is known to queues (queue_virtual.cpp). */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace mock {

/* What a card has one of: operations that need the same unit follow each other, also from different queues. */
enum class Unit : uint8_t { kCompute, kToCard, kFromCard, kNone };
inline constexpr size_t kUnits = 3;

/* No moment: later than all. */
inline constexpr uint64_t kNever = UINT64_MAX;

class VirtualClock {
  public:
    /* What asking for something that is not over costs, so that a loop that asks ends. */
    static constexpr uint64_t kAskNs = 1'000;

    /* Held while work is done, so that one thing is done at a time and in the order of submission. Taken before mutex(). */
    std::mutex& executor() { return executor_; }
    /* Guards the clock and what queues have scheduled; never held while work is done. */
    std::mutex& mutex() { return mutex_; }

    uint64_t now() {
        const std::lock_guard lock(mutex_);
        return now_ns_;
    }
    void advance(uint64_t duration_ns) {
        const std::lock_guard lock(mutex_);
        pass(duration_ns);
    }

    /* With mutex() held. */
    uint64_t now_locked() const { return now_ns_; }
    void pass(uint64_t duration_ns) { now_ns_ += std::min(duration_ns, kNever - 1 - now_ns_); }

  private:
    std::mutex executor_;
    std::mutex mutex_;
    uint64_t now_ns_ = 0;
};

} // namespace mock
