/* Execution: who takes the role, what a record does, and how far threads that wait may help. */
#include <algorithm>
#include <cstring>

#include "clock.h"
#include "queue_core.h"

namespace mock {
namespace {

constexpr uint32_t kHelpDepth = 16;        /* of queues that wait for each other */
constexpr uint64_t kHelpUs = 100;          /* what a thread that waits runs itself */
constexpr uint64_t kHelpBytes = 512 << 10; /* about as long */
constexpr uint64_t kSpreadUs = 50;         /* shorter launches are not worth waking anyone */
constexpr uint64_t kShareUs = 5;           /* what a helper takes at least at a time */
constexpr uint64_t kSpreadBytes = 1 << 20;
constexpr uint64_t kCopyUnit = 256 << 10;
constexpr uint32_t kFairRun = 32; /* records before a worker lets another queue have its turn */
constexpr uint64_t kSpinUs = 2;   /* before a thread that waits goes to sleep */

const std::byte* block_of(const LaunchRecord& record) {
    return reinterpret_cast<const std::byte*>(&record + 1);
}

uint64_t ticks_of_us(uint64_t us) {
    return static_cast<uint64_t>(ticks_per_us() * static_cast<double>(us));
}

uint64_t bytes_of(const Copy& copy) {
    uint64_t bytes = 0;
    return __builtin_mul_overflow(copy.size, copy.rows, &bytes) ? UINT64_MAX : bytes;
}

void* at(uint64_t address) {
    return reinterpret_cast<void*>(address);
}

} // namespace

/* ------------------------------------------------------------------------------------------------ the role */

void QueueCore::release_role(Engine::Urgency urgency) {
    role_.exchange(0, std::memory_order_seq_cst);
    if (ring_.waiting() && !stalled_.load(std::memory_order_seq_cst)) schedule(urgency);
    if (card_->has_deferred()) card_->reap();
}

void QueueCore::schedule(Engine::Urgency urgency) {
    if (scheduled_.exchange(true, std::memory_order_seq_cst)) return;
    engine_->schedule(shared_from_this(), options_.priority, urgency);
}

void QueueCore::run() {
    scheduled_.store(false, std::memory_order_seq_cst);
    if (!take_role()) return;
    drain(By::kWorker, UINT64_MAX);
    release_role(Engine::Urgency::kSoon); /* this worker looks for tasks next */
}

/* Works off records until there are none, the oldest cannot go on, or it is not for this thread; how many it did. */
uint32_t QueueCore::drain(By whom, uint64_t deadline_ns) {
    for (uint32_t done = 0;; ++done) {
        if (progress_.failed()) drop_all();
        auto* record = static_cast<Record*>(ring_.front());
        if (record == nullptr) return done;
        if (whom == By::kWaiter && !helpable(*record, deadline_ns)) return done;
        if (whom == By::kWorker && done >= kFairRun && engine_->pressed()) return done;
        if (!execute(*record) && !progress_.failed()) return done;
    }
}

bool QueueCore::execute(Record& record) {
    const uint64_t start_ns = options_.profiling ? now_ns() : 0;
    switch (record.operation) {
        case Operation::kLaunch:
            execute_launch(static_cast<const LaunchRecord&>(record));
            break;
        case Operation::kCopy: {
            const auto& entry = static_cast<const CopyRecord&>(record);
            execute_copy(entry.copy, entry.source_memory, entry.target_memory);
            break;
        }
        case Operation::kFill: {
            const auto& entry = static_cast<const FillRecord&>(record);
            execute_fill(entry.fill, entry.memory);
            break;
        }
        case Operation::kAfter:
            if (!pass_after(static_cast<AfterRecord&>(record))) return false;
            break;
        case Operation::kStall:
            stalled_.store(true, std::memory_order_seq_cst);
            return false;
    }
    const uint64_t value = record.value;
    if (options_.profiling) remember(value, start_ns, now_ns());
    destroy(record);
    ring_.pop(&record);
    if (!progress_.failed()) progress_.reach(value);
    return true;
}

void QueueCore::destroy(Record& record) {
    if (record.operation == Operation::kAfter) static_cast<AfterRecord&>(record).~AfterRecord();
}

void QueueCore::drop_all() {
    while (auto* record = static_cast<Record*>(ring_.front())) {
        destroy(*record);
        ring_.pop(record);
    }
}

/* ------------------------------------------------------------------------------------------------ what records do */

namespace {

struct GroupsContext {
    const LaunchRecord* record;
    const Progress* progress;
};

void work_on_groups(Job& job, LocalArena& local, uint64_t begin, uint64_t end) {
    const auto& context = *static_cast<const GroupsContext*>(job.context);
    if (context.progress->failed()) return; /* the card is lost: nobody will see the rest */
    const FloatingPointScope floating_point;
    run_groups(context.record->launch, block_of(*context.record), local.data(), begin, end);
}

} // namespace

void QueueCore::execute_launch(const LaunchRecord& record) {
    const Launch& launch = record.launch;
    const Kernel& kernel = *launch.kernel;
    if (memory_->strict()) report_released(record);
    const AccessScope access(memory_.get());
    const uint64_t expected = kernel.predict(launch.items);
    GroupsContext context{&record, &progress_};
    Job job;
    job.work = work_on_groups;
    job.context = &context;
    job.count = launch.group_count;
    if (launch.group_count > 1 && expected > ticks_of_us(kSpreadUs)) {
        if (expected != Kernel::kUnknown) {
            const double share = static_cast<double>(launch.group_count) * static_cast<double>(ticks_of_us(kShareUs));
            job.least_share = std::max<uint64_t>(1, static_cast<uint64_t>(share / static_cast<double>(expected)));
        }
        engine_->spread(job, local_);
        kernel.learn(launch.items, job.spent_ticks.load(std::memory_order_relaxed));
    } else {
        const uint64_t start = ticks();
        work_on_groups(job, local_, 0, launch.group_count);
        kernel.learn(launch.items, ticks() - start);
    }
    if (memory_->strict()) report_released(record);
}

/* Rows are contiguous where the pitches say so; large plain copies are shared with free workers. */
void QueueCore::execute_copy(const Copy& copy, Memory* source, Memory* target) {
    const AccessScope source_access(source);
    const AccessScope target_access(target == source ? nullptr : target);
    if (copy.slices > 1 || (copy.rows > 1 && !(copy.source_pitch == copy.size && copy.target_pitch == copy.size))) {
        for (uint64_t slice = 0; slice < copy.slices; ++slice) {
            for (uint64_t row = 0; row < copy.rows; ++row) {
                std::memmove(at(copy.target.address + slice * copy.target_slice_pitch + row * copy.target_pitch),
                             at(copy.source.address + slice * copy.source_slice_pitch + row * copy.source_pitch), copy.size);
            }
        }
        return;
    }
    const uint64_t bytes = copy.size * copy.rows; /* the spans were checked: no overflow */
    const bool apart =
        copy.source.address - copy.target.address >= bytes && copy.target.address - copy.source.address >= bytes;
    if (bytes < kSpreadBytes || !apart) {
        std::memmove(at(copy.target.address), at(copy.source.address), bytes);
        return;
    }
    struct Range {
        uint64_t source, target, bytes;
    } range{copy.source.address, copy.target.address, bytes};
    Job job;
    job.context = &range;
    job.count = (bytes + kCopyUnit - 1) / kCopyUnit;
    job.work = [](Job& shared, LocalArena&, uint64_t begin, uint64_t end) {
        const auto& all = *static_cast<const Range*>(shared.context);
        const uint64_t from = begin * kCopyUnit;
        std::memcpy(at(all.target + from), at(all.source + from), std::min(all.bytes, end * kCopyUnit) - from);
    };
    engine_->spread(job, local_);
}

void QueueCore::execute_fill(const Fill& fill, Memory* target) {
    const AccessScope access(target);
    auto* start = static_cast<std::byte*>(at(fill.target.address));
    if (fill.pattern_size == 1) {
        std::memset(start, fill.pattern[0], fill.size);
        return;
    }
    /* What is filled is the pattern of the next, twice as long part. */
    uint64_t done = fill.pattern_size;
    std::memcpy(start, fill.pattern, done);
    while (done < fill.size) {
        const uint64_t part = std::min({done, fill.size - done, uint64_t{kCopyUnit}});
        std::memcpy(start + done, start, part);
        done += part;
    }
}

/* True if the other queue is there. Else its watcher will schedule this queue; it may do so inside this call. */
bool QueueCore::pass_after(AfterRecord& record) {
    const Progress& other = record.other->progress_;
    if (other.reached() >= record.other_value) return true;
    if (other.failed()) {
        progress_.fail({Code::kCancelled, "a queue that this one waited for failed: " + other.failure().message()});
        return false;
    }
    if (stalled_.exchange(true, std::memory_order_seq_cst)) return false;
    after_watcher_.value = record.other_value;
    after_watcher_.keep = shared_from_this();
    after_watcher_.queue = this;
    after_watcher_.fire = [](Watcher* watcher, const Status&) {
        QueueCore* queue = static_cast<AfterWatcher*>(watcher)->queue;
        queue->stalled_.store(false, std::memory_order_seq_cst);
        queue->schedule(Engine::Urgency::kNow);
    };
    record.other->progress_.watch(&after_watcher_);
    return false;
}

/* ------------------------------------------------------------------------------------------------ waiting */

bool QueueCore::helpable(const Record& record, uint64_t deadline_ns) const {
    uint64_t us = kHelpUs;
    if (deadline_ns != UINT64_MAX) {
        const uint64_t now = now_ns();
        us = deadline_ns <= now ? 0 : std::min(us, (deadline_ns - now) / 4000); /* a quarter of what is left */
    }
    switch (record.operation) {
        case Operation::kLaunch: {
            const Launch& launch = static_cast<const LaunchRecord&>(record).launch;
            return !launch.kernel->desc().waits_for_host && fits_any_stack(launch) &&
                   launch.kernel->predict(launch.items) <= ticks_of_us(us);
        }
        case Operation::kCopy:
            return bytes_of(static_cast<const CopyRecord&>(record).copy) <= kHelpBytes * us / kHelpUs;
        case Operation::kFill:
            return static_cast<const FillRecord&>(record).fill.size <= kHelpBytes * us / kHelpUs;
        case Operation::kAfter:
        case Operation::kStall:
            return true;
    }
    return false;
}

/* Does what this thread may do for this queue; then `out_other` is the queue it is stalled by, or null. */
uint32_t QueueCore::help(uint64_t deadline_ns, std::shared_ptr<QueueCore>& out_other) {
    out_other = nullptr;
    if (!ring_.waiting() || role_.load(std::memory_order_relaxed) != 0 || !take_role()) return 0;
    const uint32_t done = drain(By::kWaiter, deadline_ns);
    const auto* record = static_cast<const Record*>(ring_.front());
    if (record != nullptr && record->operation == Operation::kAfter) {
        out_other = static_cast<const AfterRecord*>(record)->other;
    }
    release_role(Engine::Urgency::kNow);
    return done;
}

/* Follows queues that wait for each other; no role is held from one to the next, nor when it returns. */
bool QueueCore::help_all(uint64_t deadline_ns) {
    std::shared_ptr<QueueCore> other, next;
    uint32_t done = help(deadline_ns, other);
    for (uint32_t depth = 0; other != nullptr && depth < kHelpDepth; ++depth) {
        done += other->help(deadline_ns, next);
        other = std::move(next);
    }
    return done > 0;
}

/* What was done for a queue further on may let this one go on: look again until nothing was done. */
[[gnu::hot]] WaitResult QueueCore::wait(uint64_t value, uint64_t timeout_ns) {
    if (card_->clock_ != nullptr) return wait_virtually(value, timeout_ns);
    if (progress_.reached() >= value) return WaitResult::kReached;
    if (progress_.failed()) return WaitResult::kFailed;
    if (timeout_ns == 0) return WaitResult::kTimeout;
    const uint64_t deadline_ns = deadline_after(timeout_ns);
    while (help_all(deadline_ns) && progress_.reached() < value) {
    }
    const uint64_t spin_until = ticks() + ticks_of_us(kSpinUs);
    while (role_.load(std::memory_order_relaxed) != 0 && progress_.reached() < value && ticks() < spin_until)
        cpu_relax();
    return progress_.park(value, deadline_ns);
}

/* ------------------------------------------------------------------------------------------------ telling */

void QueueCore::notify(uint64_t value, std::function<void(const Status&)> told) {
    if (card_->clock_ != nullptr && end_of(value) != kNever) wait_virtually(value, UINT64_MAX); /* nobody else may move the clock */
    struct Told final : Watcher {
        std::function<void(const Status&)> told;
    };
    auto* watcher = new Told;
    watcher->value = value;
    watcher->told = std::move(told);
    watcher->fire = [](Watcher* base, const Status& failure) {
        const std::unique_ptr<Told> owned(static_cast<Told*>(base));
        owned->told(failure);
    };
    progress_.watch(watcher);
}

void QueueCore::remember(uint64_t value, uint64_t start_ns, uint64_t end_ns) {
    std::lock_guard lock(times_mutex_);
    const uint64_t zero_ns = card_->clock_ != nullptr ? 0 : card_->made_ns_;
    times_[times_count_++ % times_.size()] = {value, start_ns - zero_ns, end_ns - zero_ns};
}

Result<Times> QueueCore::times(uint64_t value) const {
    if (!options_.profiling) return Status(Code::kUnsupported, "the queue keeps no times", "create it with profiling");
    std::lock_guard lock(times_mutex_);
    const uint64_t kept = std::min<uint64_t>(times_count_, times_.size());
    uint64_t low = times_count_ - kept;
    uint64_t high = times_count_;
    while (low < high) { /* values rise */
        const uint64_t middle = low + (high - low) / 2;
        if (times_[middle % times_.size()].value < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < times_count_ && value <= progress_.reached() && times_[low % times_.size()].value == value) {
        const TimesEntry& entry = times_[low % times_.size()];
        return Times{entry.start_ns, entry.end_ns};
    }
    return Status(Code::kNotFound, "no times for value " + std::to_string(value) +
                                       ": not reached, not an operation's, or older than the last " +
                                       std::to_string(times_.size()));
}

bool QueueCore::in_flight() {
    if (card_->clock_ != nullptr) settle();
    if (progress_.failed()) return role_.load(std::memory_order_seq_cst) != 0;
    return progress_.reached() < submitted();
}

void QueueCore::fail(const Status& failure) {
    progress_.fail(failure);
    schedule(Engine::Urgency::kNow);
}

void QueueCore::drain_failed() {
    while (role_.load(std::memory_order_acquire) != 0) {
        timespec moment{0, 50'000};
        nanosleep(&moment, nullptr);
    }
}

void QueueCore::report_released(const LaunchRecord& record) const {
    const KernelDesc& desc = record.launch.kernel->desc();
    for (const Kernel::AddressSlot& slot : record.launch.kernel->addresses()) {
        uint64_t address;
        std::memcpy(&address, block_of(record) + slot.offset, sizeof(address));
        const Allocation* found = address == 0 ? nullptr : memory_->find(address);
        if (found == nullptr || !found->released.load(std::memory_order_acquire)) continue;
        card_->report("kernel " + desc.name + ": argument " + std::to_string(slot.index) + " \"" +
                      desc.arguments[slot.index].name +
                      "\" is in memory that was freed while the launch was in flight");
    }
}

} // namespace mock
