/* The working part of a queue. Whoever holds the role executes its records: the submitter when nothing waits and the work
 * is short, a worker of the engine, or a thread that waits. If records wait and can go on, either the role is held or a
 * worker has been told. */
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "card_core.h"
#include "engine.h"
#include "launch.h"
#include "mock/queue.h"
#include "progress.h"
#include "ring.h"

namespace mock {

enum class Operation : uint8_t { kLaunch, kCopy, kFill, kAfter, kStall };

struct Record : RecordHead {
    Operation operation = Operation::kLaunch;
    uint64_t value = 0;
};

struct alignas(Ring::kUnit) LaunchRecord : Record {
    Launch launch; /* its argument block follows the record */
};

struct alignas(Ring::kUnit) CopyRecord : Record {
    Copy copy;
    Memory* source_memory = nullptr; /* null = the host's */
    Memory* target_memory = nullptr;
};

struct alignas(Ring::kUnit) FillRecord : Record {
    Fill fill;
    Memory* memory = nullptr;
};

struct alignas(Ring::kUnit) AfterRecord : Record {
    std::shared_ptr<QueueCore> other;
    uint64_t other_value = 0;
};

static_assert(sizeof(LaunchRecord) == Ring::kUnit && sizeof(CopyRecord) == Ring::kUnit);

class QueueCore final : public Task, public std::enable_shared_from_this<QueueCore> {
  public:
    QueueCore(std::shared_ptr<CardCore> card, const QueueOptions& options);
    ~QueueCore() override;
    Status prepare() const; /* whether the constructor got all it needs */

    Status launch(const Kernel& kernel, const Shape& shape, const std::byte* block, uint64_t value);
    Status copy(const Copy& copy, Memory* source, Memory* target, uint64_t value);
    Status fill(const Fill& fill, Memory* target, uint64_t value);
    Status after(std::shared_ptr<QueueCore> other, uint64_t other_value, uint64_t value);
    Status stall(uint64_t value);

    const Progress& progress() const { return progress_; }
    const Memory* memory() const { return memory_.get(); }
    uint64_t ask_reached() { return card_->clock_ != nullptr ? ask_virtually() : progress_.reached(); }
    uint64_t submitted() const { return submitted_.load(std::memory_order_acquire); }
    WaitResult wait(uint64_t value, uint64_t timeout_ns);
    void notify(uint64_t value, std::function<void(const Status&)> told);
    Result<Times> times(uint64_t value) const;

    /* Submitted work that has neither ended nor been dropped. */
    bool in_flight();
    /* Ends all waits; what waits in the ring is dropped by a worker. */
    void fail(const Status& failure);
    /* Until nobody executes anything of this queue. */
    void drain_failed();

    /* Keeps another card's memory as long as this queue. */
    void keep_memory(const std::shared_ptr<Memory>& memory);

    void run() override;

  private:
    struct AfterWatcher : Watcher {
        QueueCore* queue = nullptr;
    };

    /* queue_submit.cpp */
    Status begin(uint64_t value);
    Status refuse() const;
    Status check_addresses(const Kernel& kernel, const std::byte* block) const;
    bool take_idle_role();
    void run_now(const Launch& launch, const std::byte* block, uint64_t value);
    template <typename Work>
    void do_now(uint64_t value, const Work& work);
    template <typename T>
    T* make_record(Operation operation, uint64_t value, size_t extra_bytes);
    std::byte* make_room(size_t size);
    void publish(uint64_t value, Engine::Urgency urgency);

    /* queue_execute.cpp */
    bool take_role() { return role_.exchange(1, std::memory_order_seq_cst) == 0; }
    void release_role(Engine::Urgency urgency);
    void schedule(Engine::Urgency urgency);
    enum class By : uint8_t { kWorker, kWaiter };
    uint32_t drain(By whom, uint64_t deadline_ns);
    bool helpable(const Record& record, uint64_t deadline_ns) const;
    bool execute(Record& record);
    void execute_launch(const LaunchRecord& record);
    void execute_copy(const Copy& copy, Memory* source, Memory* target);
    void execute_fill(const Fill& fill, Memory* target);
    bool pass_after(AfterRecord& record);
    void drop_all();
    static void destroy(Record& record);
    uint32_t help(uint64_t deadline_ns, std::shared_ptr<QueueCore>& out_other);
    bool help_all(uint64_t deadline_ns);
    void remember(uint64_t value, uint64_t start_ns, uint64_t end_ns);
    void report_released(const LaunchRecord& record) const;

    /* queue_virtual.cpp: what differs where the card's clock is virtual. */
    Status launch_virtually(const Launch& launch, const std::byte* block, uint64_t value);
    Status copy_virtually(const Copy& copy, Memory* source, Memory* target, uint64_t value);
    Status fill_virtually(const Fill& fill, Memory* target, uint64_t value);
    Status after_virtually(QueueCore& other, uint64_t other_value, uint64_t value);
    Status do_virtually(uint64_t value, uint64_t duration_ns, Unit unit, const std::function<void()>& work);
    Status run_on_worker(std::function<void()> work);
    void schedule_virtually(uint64_t value, uint64_t duration_ns, Unit unit, uint64_t not_before_ns);
    uint64_t end_of(uint64_t value) const;
    void settle();
    void settle_locked();
    uint64_t ask_virtually();
    WaitResult wait_virtually(uint64_t value, uint64_t timeout_ns);

    const std::shared_ptr<CardCore> card_;
    const std::shared_ptr<Engine> engine_;
    const std::shared_ptr<Memory> memory_;
    const QueueOptions options_;
    LocalArena local_; /* of whoever holds the role */
    AfterWatcher after_watcher_;
    std::vector<std::shared_ptr<Memory>> foreign_memory_; /* the submitter's */

    std::atomic<uint64_t> submitted_{0};
    Ring ring_;
    alignas(64) std::atomic<uint32_t> role_{0};
    std::atomic<bool> scheduled_{false}; /* a worker has been told and has not come yet */
    std::atomic<bool> stalled_{false};   /* the watcher will tell when the oldest record may go on */
    alignas(64) Progress progress_;

    struct TimesEntry {
        uint64_t value, start_ns, end_ns;
    };
    mutable std::mutex times_mutex_;
    std::vector<TimesEntry> times_; /* a ring of kKeptTimes; empty unless profiling */
    uint64_t times_count_ = 0;

    struct Scheduled {
        uint64_t value, end_ns;
    };
    std::deque<Scheduled> pending_; /* done already, not over yet; guarded by the virtual clock's mutex */
    uint64_t last_end_ns_ = 0;        /* of the last one; the same guard */
};

} // namespace mock
