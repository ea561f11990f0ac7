/* Queues on a virtual clock. An operation is done when it is submitted, alone and in order; the timing model says when it is
 * over, and its value is reached when somebody's wait or question has moved the clock that far. */
#include <algorithm>
#include <cstring>

#include "clock.h"
#include "queue_core.h"

namespace mock {
namespace {

constexpr uint64_t kLookNs = 10'000'000; /* how often who waits for a worker looks whether the card is lost */

Direction direction_of(const Memory* source, const Memory* target) {
    return source == nullptr ? Direction::kToCard : target == nullptr ? Direction::kFromCard : Direction::kInside;
}

Unit unit_of(Direction direction) {
    return direction == Direction::kToCard     ? Unit::kToCard
           : direction == Direction::kFromCard ? Unit::kFromCard
                                               : Unit::kCompute;
}

/* Work on its way to a worker, whose stack holds any work-group. */
struct Errand final : Task {
    std::function<void()> work;
    Progress done;
    void run() override {
        work();
        done.reach(1);
    }
};

} // namespace

/* ------------------------------------------------------------------------------------------------ submission */

/* The block outlives this call where the card is lost meanwhile: a worker may still be inside the kernel. */
Status QueueCore::launch_virtually(const Launch& launch, const std::byte* block, uint64_t value) {
    const uint64_t duration_ns = card_->profile_.timing.launch_ns(launch.group_count, launch.items);
    struct alignas(kMaxAlignment) Block {
        std::byte bytes[kMaxBlockBytes];
    };
    auto copy = std::make_shared<Block>();
    if (const size_t size = launch.kernel->desc().block_size; size > 0) std::memcpy(copy->bytes, block, size);
    const auto work = [launch, copy, memory = memory_, self = shared_from_this()] {
        const AccessScope access(memory.get());
        const FloatingPointScope floating_point;
        run_groups(launch, copy->bytes, self->local_.data(), 0, launch.group_count);
    };
    return do_virtually(value, duration_ns, Unit::kCompute, work);
}

Status QueueCore::copy_virtually(const Copy& copy, Memory* source, Memory* target, uint64_t value) {
    const Direction direction = direction_of(source, target);
    const uint64_t duration_ns = card_->profile_.timing.copy_ns(copy.size * copy.rows * copy.slices, direction);
    return do_virtually(value, duration_ns, unit_of(direction), [=, self = shared_from_this()] {
        self->execute_copy(copy, source, target);
    });
}

Status QueueCore::fill_virtually(const Fill& fill, Memory* target, uint64_t value) {
    const uint64_t duration_ns = card_->profile_.timing.copy_ns(fill.size, Direction::kInside);
    return do_virtually(value, duration_ns, Unit::kCompute, [=, self = shared_from_this()] {
        self->execute_fill(fill, target);
    });
}

/* What the other queue was given is done already: only time is waited for. */
Status QueueCore::after_virtually(QueueCore& other, uint64_t other_value, uint64_t value) {
    if (other.progress_.failed() && other.progress_.reached() < other_value) {
        fail({Code::kCancelled, "a queue that this one waited for failed: " + other.progress_.failure().message()});
        return refuse();
    }
    const std::lock_guard executor(card_->clock_->executor()); /* what the other was given is done */
    const uint64_t other_end_ns = other.end_of(other_value);
    const std::lock_guard lock(card_->clock_->mutex());
    schedule_virtually(value, 0, Unit::kNone, other_end_ns);
    return {};
}

/* Nothing is done behind an operation that never ends. */
Status QueueCore::do_virtually(uint64_t value, uint64_t duration_ns, Unit unit, const std::function<void()>& work) {
    VirtualClock& clock = *card_->clock_;
    const std::lock_guard executor(clock.executor());
    bool stalled = false;
    {
        const std::lock_guard lock(clock.mutex());
        stalled = last_end_ns_ == kNever;
    }
    if (!stalled) {
        submitted_.store(value, std::memory_order_release); /* in flight from now on */
        if (Status status = run_on_worker(work); !status.ok()) return status;
    }
    const std::lock_guard lock(clock.mutex());
    schedule_virtually(value, duration_ns, unit, 0);
    return {};
}

Status QueueCore::run_on_worker(std::function<void()> work) {
    auto errand = std::make_shared<Errand>();
    if (!take_role()) return refuse(); /* the worker that drops a failed queue's records has it */
    errand->work = [this, work = std::move(work)] {
        work(); /* keeps this queue */
        release_role(Engine::Urgency::kSoon);
    };
    engine_->schedule(errand, options_.priority, Engine::Urgency::kNow);
    while (errand->done.park(1, deadline_after(kLookNs)) == WaitResult::kTimeout) {
        if (progress_.failed()) return refuse();
    }
    return {};
}

/* ------------------------------------------------------------------------------------------------ time */

/* With the clock's mutex held. An operation starts when the queue's last one is over and its unit is free. */
void QueueCore::schedule_virtually(uint64_t value, uint64_t duration_ns, Unit unit, uint64_t not_before_ns) {
    uint64_t start_ns = std::max({card_->clock_->now_locked(), last_end_ns_, not_before_ns});
    uint64_t* free_ns = unit == Unit::kNone ? nullptr : &card_->unit_free_ns_[static_cast<size_t>(unit)];
    if (free_ns != nullptr) start_ns = std::max(start_ns, *free_ns);
    last_end_ns_ = duration_ns < kNever - start_ns ? start_ns + duration_ns : kNever;
    if (free_ns != nullptr && last_end_ns_ != kNever) *free_ns = last_end_ns_;
    pending_.push_back({value, last_end_ns_});
    if (options_.profiling) remember(value, start_ns, last_end_ns_);
    submitted_.store(value, std::memory_order_release);
}

/* When a submitted value is over; 0 if it is. */
uint64_t QueueCore::end_of(uint64_t value) const {
    const std::lock_guard lock(card_->clock_->mutex());
    for (const Scheduled& entry : pending_) {
        if (entry.value >= value) return entry.end_ns;
    }
    return 0;
}

void QueueCore::settle() {
    const std::lock_guard lock(card_->clock_->mutex());
    settle_locked();
}

void QueueCore::settle_locked() {
    uint64_t over = 0;
    while (!pending_.empty() && pending_.front().end_ns <= card_->clock_->now_locked()) {
        over = pending_.front().value;
        pending_.pop_front();
    }
    if (over != 0 && !progress_.failed()) progress_.reach(over);
}

uint64_t QueueCore::ask_virtually() {
    const std::lock_guard lock(card_->clock_->mutex());
    settle_locked();
    if (!pending_.empty()) {
        card_->clock_->pass(VirtualClock::kAskNs);
        settle_locked();
    }
    return progress_.reached();
}

/* A wait moves the clock to the end of what it waits for, or by its time limit. Only for what never ends, or is not submitted
 * yet, does it sleep: then nothing but the card's loss or another thread can help. */
WaitResult QueueCore::wait_virtually(uint64_t value, uint64_t timeout_ns) {
    VirtualClock& clock = *card_->clock_;
    for (;;) {
        {
            const std::lock_guard lock(clock.mutex());
            settle_locked();
            if (progress_.reached() >= value) return WaitResult::kReached;
            if (progress_.failed()) return WaitResult::kFailed;
            const auto found = std::find_if(pending_.begin(), pending_.end(),
                                            [value](const Scheduled& entry) { return entry.value >= value; });
            const uint64_t end_ns = found != pending_.end() ? found->end_ns : kNever;
            const uint64_t now_ns = clock.now_locked();
            if (end_ns != kNever && end_ns - now_ns <= timeout_ns) {
                clock.pass(end_ns - now_ns);
                settle_locked();
                return WaitResult::kReached;
            }
            if (timeout_ns != UINT64_MAX) {
                clock.pass(timeout_ns == 0 ? VirtualClock::kAskNs : timeout_ns);
                settle_locked();
                return progress_.reached() >= value ? WaitResult::kReached : WaitResult::kTimeout;
            }
        }
        progress_.park(value, deadline_after(kLookNs));
    }
}

} // namespace mock
