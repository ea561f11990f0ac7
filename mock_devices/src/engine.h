/* The processors of all mock cards of a process: a pool of workers with large stacks that run queues which have work, and
 * help with the work-groups of one kernel. Knows tasks and jobs, not what they do. Threads start with the first task. */
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "mock/status.h"

namespace mock {

/* Something that has work, at most once in the engine at a time. */
class Task {
  public:
    virtual ~Task() = default;
    /* On a worker; may be scheduled again from inside. */
    virtual void run() = 0;

  private:
    friend class Engine;
    Task* next_ = nullptr;
    std::shared_ptr<Task> keep_; /* while in the list */
    bool queued_ = false;        /* guarded by the engine's mutex */
};

/* Local memory of whoever runs a work-group. Reserved once, paid for when touched. */
class LocalArena {
  public:
    explicit LocalArena(size_t size);
    ~LocalArena();
    LocalArena(const LocalArena&) = delete;
    LocalArena& operator=(const LocalArena&) = delete;
    /* Aligned to a page; null if the system had none. */
    std::byte* data() const { return data_; }

  private:
    std::byte* data_ = nullptr;
    size_t size_ = 0;
};

/* Units [0, count) that several threads work off; each takes a share of what is left, so that all end together. */
struct Job {
    void (*work)(Job& job, LocalArena& local, uint64_t begin, uint64_t end) = nullptr;
    void* context = nullptr;
    uint64_t count = 0;
    uint64_t least_share = 1;
    std::atomic<uint64_t> next{0};
    std::atomic<uint64_t> spent_ticks{0}; /* processor time of all who took part */

  private:
    friend class Engine;
    Job* next_job_ = nullptr;
    uint32_t helpers_ = 0; /* guarded by the engine's mutex, like `closed_` */
    bool closed_ = false;
    std::atomic<uint32_t> helpers_gone_{0}; /* what the owner parks on */
};

class Engine : public std::enable_shared_from_this<Engine> {
  public:
    /* The process's engine. Its threads end with the last user. */
    static std::shared_ptr<Engine> shared();
    Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /* Before the first task; does nothing the second time. */
    Status start();
    uint32_t worker_count() const { return worker_count_; }
    /* Of each worker: what the private memory of a work-group must fit into. 0 before start. */
    size_t stack_bytes() const { return stack_bytes_; }

    enum class Urgency : uint8_t {
        kNow,  /* a sleeping worker is woken */
        kSoon, /* a worker that looks round by itself finds it in time */
    };
    void schedule(std::shared_ptr<Task> task, uint32_t priority, Urgency urgency);
    /* Runs the whole job on this thread and on workers that have nothing better to do. */
    void spread(Job& job, LocalArena& local);
    /* Somebody waits for a worker. */
    bool pressed() const noexcept { return waiting_.load(std::memory_order_relaxed) != 0; }

    static constexpr uint32_t kPriorities = 2;
    static constexpr size_t kMaxLocalBytes = 16 << 20;

  private:
    struct Owner;
    struct TaskList {
        Task* first = nullptr;
        Task* last = nullptr;
    };

    static void* thread_main(void* self);
    void stop();
    void worker_loop();
    std::shared_ptr<Task> take_task();
    Job* open_job();
    void help(std::unique_lock<std::mutex>& lock, Job& job, LocalArena& local);
    void sleep(std::unique_lock<std::mutex>& lock, uint64_t idle_since_ns);
    uint32_t call_workers(uint32_t count);
    void work_off(Job& job, LocalArena& local, bool helping);

    const uint32_t worker_count_;
    size_t stack_bytes_ = 0;
    const int owner_pid_; /* a forked child has no workers */

    std::mutex mutex_;
    bool stopping_ = false;
    std::vector<pthread_t> threads_;
    TaskList lists_[kPriorities];
    Job* jobs_ = nullptr;
    std::atomic<uint32_t> waiting_{0}; /* tasks in the lists */
    uint32_t sleeping_ = 0;            /* workers asleep that nobody has woken yet */
    uint32_t tickets_ = 0;             /* wakes under way */
    bool looking_ = false;             /* one of the sleepers looks round by itself */
    std::atomic<uint32_t> bell_{0};    /* what sleepers park on */
    std::atomic<uint32_t> alive_{0};   /* workers that have not ended */
};

} // namespace mock
