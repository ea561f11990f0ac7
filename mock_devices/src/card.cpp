/* Cards and machines, and the handles of queues: thin shells over the cores, which may outlive them. */
#include "mock/card.h"

#include <algorithm>
#include <cstring>

#include "card_core.h"
#include "clock.h"
#include "futex.h"
#include "launch.h"
#include "queue_core.h"

namespace mock {

/* ------------------------------------------------------------------------------------------------ the core of a card */

CardCore::CardCore(const CardProfile& profile, const MachineOptions& options, std::shared_ptr<VirtualClock> clock)
    : profile_(profile),
      options_(options),
      clock_(std::move(clock)),
      made_ns_(now_ns()),
      engine_(Engine::shared()),
      memory_(std::make_shared<Memory>(profile, options.strict)) {}

void CardCore::count_operation() {
    if (operations_.fetch_add(1, std::memory_order_relaxed) + 1 != profile_.lost_after_operations) return;
    set_lost("the profile loses it at operation " + std::to_string(profile_.lost_after_operations));
}

void CardCore::set_lost(const std::string& reason) {
    if (end_all(reason) && told_lost_) told_lost_(reason);
}

bool CardCore::end_all(const std::string& reason) {
    std::vector<std::weak_ptr<QueueCore>> queues;
    {
        std::lock_guard lock(mutex_);
        if (lost_.load(std::memory_order_relaxed)) return false;
        lost_reason_ = reason;
        lost_.store(true, std::memory_order_release);
        queues = queues_;
    }
    for (const auto& weak : queues) {
        if (const std::shared_ptr<QueueCore> queue = weak.lock()) queue->fail(loss());
    }
    losses_.fetch_add(1, std::memory_order_release);
    futex_wake(losses_, INT_MAX);
    return true;
}

Status CardCore::loss() const {
    if (!lost_.load(std::memory_order_acquire)) return {};
    std::lock_guard lock(mutex_);
    return {Code::kLost, profile_.name + " is lost: " + lost_reason_, "reset the card, or use another one"};
}

void CardCore::report(const std::string& text) const {
    if (options_.report) options_.report(profile_.name + ": " + text);
}

std::vector<std::pair<std::shared_ptr<QueueCore>, uint64_t>> CardCore::in_flight(const Memory* memory) const {
    std::vector<std::pair<std::shared_ptr<QueueCore>, uint64_t>> busy;
    std::lock_guard lock(mutex_);
    for (const auto& weak : queues_) {
        std::shared_ptr<QueueCore> queue = weak.lock();
        if (queue == nullptr || (memory != nullptr && queue->memory() != memory)) continue;
        if (queue->in_flight()) busy.emplace_back(queue, queue->submitted());
    }
    return busy;
}

void CardCore::defer(Allocation* allocation, std::shared_ptr<const void> object,
                     std::vector<std::pair<std::shared_ptr<QueueCore>, uint64_t>> users) {
    {
        std::lock_guard lock(mutex_);
        deferred_.push_back({allocation, memory_, std::move(object), std::move(users)});
        deferred_count_.store(deferred_.size(), std::memory_order_relaxed);
    }
    reap(); /* the users may have ended before they could see it */
}

void CardCore::reap() {
    std::vector<Deferred> done;
    {
        std::lock_guard lock(mutex_);
        const auto over = [](const auto& user) {
            return user.first->progress().reached() >= user.second || !user.first->in_flight();
        };
        const auto rest = std::stable_partition(deferred_.begin(), deferred_.end(), [&](const Deferred& entry) {
            return !std::all_of(entry.users.begin(), entry.users.end(), over);
        });
        done.assign(std::make_move_iterator(rest), std::make_move_iterator(deferred_.end()));
        /* Before anyone else may look: who allocates next can count on it. */
        for (const Deferred& entry : done) {
            if (entry.allocation != nullptr) entry.memory->free(entry.allocation);
        }
        deferred_.erase(rest, deferred_.end());
        deferred_count_.store(deferred_.size(), std::memory_order_relaxed);
        std::erase_if(queues_, [](const auto& weak) { return weak.expired(); });
    }
    /* Objects may lead to anything, and end without the lock. */
}

/* ------------------------------------------------------------------------------------------------ cards */

Card::Card(const CardProfile& profile, const MachineOptions& options)
    : Card(profile, options,
           options.clock == ClockKind::kVirtual ? std::make_shared<VirtualClock>() : std::shared_ptr<VirtualClock>()) {}

Card::Card(const CardProfile& profile, const MachineOptions& options, std::shared_ptr<VirtualClock> clock)
    : core_(std::make_shared<CardCore>(profile, options, std::move(clock))) {}

/* What is deferred refers to queues, and they to the core: the last of them to end reaps it. */
Card::~Card() {
    core_->reap();
}

const CardProfile& Card::profile() const {
    return core_->profile_;
}
bool Card::strict() const {
    return core_->options_.strict;
}
ClockKind Card::clock_kind() const {
    return core_->clock_ != nullptr ? ClockKind::kVirtual : ClockKind::kHost;
}
uint32_t Card::compute_units() const {
    return core_->engine_->worker_count();
}
uint64_t Card::private_memory_bytes() const {
    return core_->engine_->stack_bytes() - kStackMargin;
}
uint64_t Card::free_bytes() const {
    core_->reap();
    return core_->memory()->free_bytes();
}
uint64_t Card::total_bytes() const {
    return core_->memory()->total_bytes();
}
uint64_t Card::clock_ns() const {
    return core_->clock_ != nullptr ? core_->clock_->now() : now_ns() - core_->made_ns_;
}
uint64_t Card::host_ns() {
    return now_ns();
}
void Card::pass_time(uint64_t duration_ns) {
    if (core_->clock_ != nullptr) return core_->clock_->advance(duration_ns);
    sleep_ns(duration_ns);
}

Result<Allocation*> Card::allocate(uint64_t size, uint64_t alignment, MemoryKind kind) {
    if (lost()) return loss();
    core_->reap();
    return core_->memory()->allocate(size, alignment, kind);
}

Result<Allocation*> Card::import(uint64_t address, uint64_t size) {
    if (lost()) return loss();
    core_->reap();
    return core_->memory()->import(address, size);
}

void Card::free(Allocation* allocation) {
    core_->reap();
    const std::shared_ptr<Memory> memory = core_->memory();
    auto users = core_->in_flight(memory.get());
    /* Where imported memory was, something else may be, and be imported, once this has returned. */
    if (users.empty() || allocation->imported) return memory->free(allocation);
    allocation->released.store(true, std::memory_order_release);
    core_->defer(allocation, nullptr, std::move(users));
}

Status Card::evict(Allocation* allocation) {
    if (lost()) return loss();
    return core_->memory()->evict(allocation);
}

Status Card::restore(Allocation* allocation) {
    if (lost()) return loss();
    core_->reap();
    return core_->memory()->restore(allocation);
}

void Card::retire(std::shared_ptr<const void> object) {
    core_->reap();
    auto users = core_->in_flight();
    if (!users.empty()) core_->defer(nullptr, std::move(object), std::move(users));
}

Status Card::write(uint64_t address, const void* source, uint64_t size) {
    if (lost()) return loss();
    if (size == 0) return {};
    const std::shared_ptr<Memory> memory = core_->memory();
    if (Status status = memory->check_range(address, size, "write"); !status.ok()) return status;
    if (core_->clock_ != nullptr) core_->clock_->advance(core_->profile_.timing.copy_ns(size, Direction::kToCard));
    const AccessScope access(memory.get());
    std::memmove(reinterpret_cast<void*>(address), source, size);
    return {};
}

Status Card::read(uint64_t address, void* target, uint64_t size) {
    if (lost()) return loss();
    if (size == 0) return {};
    const std::shared_ptr<Memory> memory = core_->memory();
    if (Status status = memory->check_range(address, size, "read"); !status.ok()) return status;
    if (core_->clock_ != nullptr) core_->clock_->advance(core_->profile_.timing.copy_ns(size, Direction::kFromCard));
    const AccessScope access(memory.get());
    std::memmove(target, reinterpret_cast<const void*>(address), size);
    return {};
}

Result<std::unique_ptr<Queue>> Card::create_queue(const QueueOptions& options) {
    if (lost()) return loss();
    if (const uint32_t priorities = core_->profile_.queue_priorities; options.priority >= priorities) {
        return Status(Code::kOutOfRange, "queue priority " + std::to_string(options.priority) + "; the highest is " +
                                             std::to_string(priorities - 1));
    }
    if (Status status = core_->engine_->start(); !status.ok()) return status;
    auto queue = std::make_shared<QueueCore>(core_, options);
    if (Status status = queue->prepare(); !status.ok()) return status;
    core_->reap();
    {
        std::lock_guard lock(core_->mutex_);
        core_->queues_.push_back(queue);
    }
    if (lost()) queue->fail(loss());
    return std::make_unique<Queue>(std::move(queue));
}

/* The time limit counts on the card's clock. */
WaitResult Card::synchronize(uint64_t timeout_ns) {
    const uint64_t start_ns = clock_ns();
    for (const auto& [queue, value] : core_->in_flight()) {
        if (lost()) break;
        uint64_t left_ns = UINT64_MAX;
        if (timeout_ns != UINT64_MAX) {
            const uint64_t passed_ns = clock_ns() - start_ns;
            left_ns = timeout_ns > passed_ns ? timeout_ns - passed_ns : 0;
        }
        if (queue->wait(value, left_ns) == WaitResult::kTimeout) return WaitResult::kTimeout;
    }
    return lost() ? WaitResult::kFailed : WaitResult::kReached;
}

void Card::set_lost(const std::string& reason) {
    core_->set_lost(reason);
}
void Card::set_removed(const std::string& reason) {
    {
        std::lock_guard lock(core_->mutex_);
        core_->removed_ = true;
    }
    core_->set_lost(reason);
}

bool Card::removed() const {
    std::lock_guard lock(core_->mutex_);
    return core_->removed_;
}

Status Card::await_loss() {
    const uint32_t seen = core_->losses_.load(std::memory_order_acquire);
    while (!lost() && core_->losses_.load(std::memory_order_acquire) == seen)
        futex_wait(core_->losses_, seen, UINT64_MAX);
    const Status told = loss(); // asked once: a reset may come at any time
    return told.ok() ? Status(Code::kLost, core_->profile_.name + " was reset meanwhile") : told;
}

bool Card::lost() const noexcept {
    return core_->lost_.load(std::memory_order_acquire);
}
Status Card::loss() const {
    return core_->loss();
}
void Card::on_lost(std::function<void(const std::string&)> told) {
    core_->told_lost_ = std::move(told);
}

Status Card::reset() {
    core_->end_all("it is being reset");
    core_->reap();
    std::lock_guard lock(core_->mutex_);
    if (core_->removed_) {
        return {Code::kLost, core_->profile_.name + " was removed and cannot be reset", "use another card"};
    }
    core_->memory_ = std::make_shared<Memory>(core_->profile_, core_->options_.strict);
    core_->lost_reason_.clear();
    core_->lost_.store(false, std::memory_order_release);
    return {};
}

Machine::Machine(const Profile& profile, const MachineOptions& options)
    : profile_name_(profile.name),
      clock_kind_(profile.clock == ClockKind::kVirtual ? ClockKind::kVirtual : options.clock),
      topology_(profile.topology) {
    const auto clock = clock_kind_ == ClockKind::kVirtual ? std::make_shared<VirtualClock>() : nullptr;
    for (const CardProfile& card : profile.cards)
        cards_.push_back(std::make_unique<Card>(card, options, clock));
}

/* ------------------------------------------------------------------------------------------------ handles of queues */

Queue::Queue(std::shared_ptr<QueueCore> core) : core_(std::move(core)) {}

Queue::~Queue() {
    if (!core_->in_flight() || core_->progress().failed()) return;
    core_->fail({Code::kCancelled, "the queue was destroyed"});
    core_->drain_failed();
}

[[gnu::hot]] Status Queue::launch(const Kernel& kernel, const Shape& shape, const void* block, uint64_t value) {
    return core_->launch(kernel, shape, static_cast<const std::byte*>(block), value);
}

/* The memory behind a place; kept by the queue, since another card may be reset while the copy is pending. */
Memory* Queue::memory_of(const Place& place) {
    if (place.card == nullptr) return nullptr;
    const std::shared_ptr<Memory> memory = place.card->core_->memory();
    core_->keep_memory(memory);
    return memory.get();
}

Status Queue::copy(const Copy& copy, uint64_t value) {
    return core_->copy(copy, memory_of(copy.source), memory_of(copy.target), value);
}

Status Queue::fill(const Fill& fill, uint64_t value) {
    return core_->fill(fill, memory_of(fill.target), value);
}

Status Queue::after(const Queue& other, uint64_t other_value, uint64_t value) {
    return core_->after(other.core_, other_value, value);
}

Status Queue::stall(uint64_t value) {
    return core_->stall(value);
}

uint64_t Queue::reached() const noexcept {
    return core_->ask_reached();
}
uint64_t Queue::submitted() const noexcept {
    return core_->submitted();
}
Status Queue::failure() const {
    return core_->progress().failure();
}
bool Queue::failed() const noexcept {
    return core_->progress().failed();
}
[[gnu::hot]] WaitResult Queue::wait(uint64_t value, uint64_t timeout_ns) {
    return core_->wait(value, timeout_ns);
}
Result<Times> Queue::times(uint64_t value) const {
    return core_->times(value);
}

void Queue::notify(uint64_t value, std::function<void(const Status&)> told) {
    core_->notify(value, std::move(told));
}

} // namespace mock
