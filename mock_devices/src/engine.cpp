/* The worker pool; see the header. Threads sleep on one futex word; after work one of them looks round every 200 us for
 * 20 ms, so that a stream of short work wakes nobody. */
#include "engine.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "clock.h"
#include "futex.h"

namespace mock {
namespace {

constexpr size_t kStackBytes = size_t{256} << 20;
constexpr size_t kLeastStackBytes = size_t{4} << 20;
constexpr size_t kGuardBytes = 1 << 20; /* larger than the frames that step over a page */
constexpr uint64_t kLookEveryNs = 200'000;
constexpr uint64_t kLookForNs = 20'000'000;
constexpr uint64_t kStopLimitNs = 1'000'000'000;

thread_local bool is_worker = false;

uint32_t processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    const int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    /* Two at least: a kernel that waits for another queue's must not keep it from running. */
    return static_cast<uint32_t>(std::max(count, 2));
}

} // namespace

LocalArena::LocalArena(size_t size) : size_(size) {
    void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    data_ = data == MAP_FAILED ? nullptr : static_cast<std::byte*>(data);
}

LocalArena::~LocalArena() {
    if (data_ != nullptr) munmap(data_, size_);
}

/* Users share the owner; workers share the engine itself, so that one that is stuck in a kernel may outlive the users. */
struct Engine::Owner {
    std::shared_ptr<Engine> engine = std::make_shared<Engine>();
    ~Owner() { engine->stop(); }
};

std::shared_ptr<Engine> Engine::shared() {
    static std::mutex mutex;
    static std::weak_ptr<Owner> current;
    std::lock_guard lock(mutex);
    std::shared_ptr<Owner> owner = current.lock();
    if (owner == nullptr || owner->engine->owner_pid_ != getpid()) {
        owner = std::make_shared<Owner>();
        current = owner;
    }
    Engine* engine = owner->engine.get();
    return {std::move(owner), engine};
}

Engine::Engine() : worker_count_(processors()), owner_pid_(getpid()) {}

/* Workers leave signals to the application's threads. Where the address space is limited they get smaller stacks. */
Status Engine::start() {
    std::lock_guard lock(mutex_);
    if (!threads_.empty()) return {};
    ticks_per_us();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = 0;
    for (stack_bytes_ = kStackBytes; stack_bytes_ >= kLeastStackBytes && threads_.empty(); stack_bytes_ /= 2) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, stack_bytes_ + kGuardBytes);
        pthread_attr_setguardsize(&attributes, kGuardBytes);
        while (threads_.size() < worker_count_) {
            auto self = std::make_unique<std::shared_ptr<Engine>>(shared_from_this());
            pthread_t thread;
            error = pthread_create(&thread, &attributes, thread_main, self.get());
            if (error != 0) break;
            self.release();
            alive_.fetch_add(1, std::memory_order_relaxed);
            threads_.push_back(thread);
        }
        pthread_attr_destroy(&attributes);
        if (!threads_.empty()) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!threads_.empty()) return {};
    return {Code::kOutOfMemory, std::string("the mock cards' workers cannot be started: ") + std::strerror(error),
            "raise the limits of threads (ulimit -u) and address space (ulimit -v)"};
}

void* Engine::thread_main(void* self) {
    const std::unique_ptr<std::shared_ptr<Engine>> engine(static_cast<std::shared_ptr<Engine>*>(self));
    pthread_setname_np(pthread_self(), "mock worker");
    is_worker = true;
    (*engine)->worker_loop();
    (*engine)->alive_.fetch_sub(1, std::memory_order_release);
    futex_wake((*engine)->alive_, INT_MAX);
    return nullptr;
}

/* Everybody's work has ended or was given up with its card: then a worker may still be inside a kernel that never returns,
 * and is left behind. */
void Engine::stop() {
    if (getpid() != owner_pid_) return;
    uint32_t sleepers = 0;
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        sleepers = call_workers(UINT32_MAX);
    }
    futex_wake(bell_, static_cast<int>(sleepers));
    const uint64_t deadline = now_ns() + (is_worker ? 0 : kStopLimitNs);
    uint32_t alive = 0;
    while ((alive = alive_.load(std::memory_order_acquire)) > 0 && now_ns() < deadline)
        futex_wait(alive_, alive, deadline);
    for (pthread_t thread : threads_) {
        if (alive == 0) {
            pthread_join(thread, nullptr);
        } else {
            pthread_detach(thread);
        }
    }
    threads_.clear();
}

/* Hands out wakes under the mutex; the caller rings the bell for that many after unlocking. */
uint32_t Engine::call_workers(uint32_t count) {
    count = std::min(count, sleeping_);
    if (count == 0) return 0;
    sleeping_ -= count;
    tickets_ += count;
    bell_.fetch_add(1, std::memory_order_release);
    return count;
}

void Engine::schedule(std::shared_ptr<Task> task, uint32_t priority, Urgency urgency) {
    uint32_t called = 0;
    {
        std::lock_guard lock(mutex_);
        if (task->queued_) return;
        Task* entry = task.get();
        entry->queued_ = true;
        entry->next_ = nullptr;
        entry->keep_ = std::move(task);
        TaskList& list = lists_[std::min(priority, kPriorities - 1)];
        (list.last != nullptr ? list.last->next_ : list.first) = entry;
        list.last = entry;
        waiting_.fetch_add(1, std::memory_order_relaxed);
        if (urgency == Urgency::kNow || !looking_) called = call_workers(1);
    }
    if (called > 0) futex_wake(bell_, static_cast<int>(called));
}

std::shared_ptr<Task> Engine::take_task() {
    for (uint32_t priority = kPriorities; priority-- > 0;) {
        TaskList& list = lists_[priority];
        if (list.first == nullptr) continue;
        Task* task = list.first;
        list.first = task->next_;
        if (list.first == nullptr) list.last = nullptr;
        waiting_.fetch_sub(1, std::memory_order_relaxed);
        task->queued_ = false;
        return std::move(task->keep_);
    }
    return nullptr;
}

Job* Engine::open_job() {
    for (Job* job = jobs_; job != nullptr; job = job->next_job_) {
        if (job->next.load(std::memory_order_relaxed) < job->count) return job;
    }
    return nullptr;
}

void Engine::worker_loop() {
    LocalArena local(kMaxLocalBytes);
    std::unique_lock lock(mutex_);
    uint64_t idle_since_ns = 0;
    while (!stopping_) {
        if (std::shared_ptr<Task> task = take_task()) {
            lock.unlock();
            task->run();
            task.reset();
            lock.lock();
            idle_since_ns = 0;
        } else if (Job* job = local.data() != nullptr ? open_job() : nullptr) {
            help(lock, *job, local);
            idle_since_ns = 0;
        } else {
            if (idle_since_ns == 0) idle_since_ns = now_ns();
            sleep(lock, idle_since_ns);
        }
    }
}

/* The job may be gone as soon as its owner sees no helper under the mutex. */
void Engine::help(std::unique_lock<std::mutex>& lock, Job& job, LocalArena& local) {
    ++job.helpers_;
    job.helpers_gone_.store(0, std::memory_order_relaxed);
    lock.unlock();
    work_off(job, local, true);
    lock.lock();
    if (--job.helpers_ > 0) return;
    job.helpers_gone_.store(1, std::memory_order_release);
    if (job.closed_) futex_wake(job.helpers_gone_, 1);
}

void Engine::sleep(std::unique_lock<std::mutex>& lock, uint64_t idle_since_ns) {
    const uint64_t now = now_ns();
    const bool look = !looking_ && now - idle_since_ns < kLookForNs;
    if (look) looking_ = true;
    ++sleeping_;
    const uint32_t seen = bell_.load(std::memory_order_relaxed);
    lock.unlock();
    futex_wait(bell_, seen, look ? now + kLookEveryNs : UINT64_MAX);
    lock.lock();
    if (look) looking_ = false;
    /* Who called a worker has counted one sleeper less already, whichever of them comes first. */
    if (tickets_ > 0) {
        --tickets_;
    } else {
        --sleeping_;
    }
}

void Engine::work_off(Job& job, LocalArena& local, bool helping) {
    const uint64_t start = ticks();
    uint64_t at = job.next.load(std::memory_order_relaxed);
    while (at < job.count) {
        const uint64_t left = job.count - at;
        const uint64_t share = std::min(left, std::max(job.least_share, left / (2 * worker_count_)));
        if (!job.next.compare_exchange_weak(at, at + share, std::memory_order_relaxed)) continue;
        job.work(job, local, at, at + share);
        if (helping && pressed()) break;
        at = job.next.load(std::memory_order_relaxed);
    }
    job.spent_ticks.fetch_add(ticks() - start, std::memory_order_relaxed);
}

void Engine::spread(Job& job, LocalArena& local) {
    uint32_t called = 0;
    {
        std::lock_guard lock(mutex_);
        job.next_job_ = jobs_;
        jobs_ = &job;
        const uint64_t shares = (job.count + job.least_share - 1) / job.least_share;
        called = call_workers(static_cast<uint32_t>(std::min<uint64_t>(shares - 1, worker_count_ - 1)));
    }
    if (called > 0) futex_wake(bell_, static_cast<int>(called));
    work_off(job, local, false);
    std::unique_lock lock(mutex_);
    for (Job** link = &jobs_;; link = &(*link)->next_job_) {
        if (*link != &job) continue;
        *link = job.next_job_;
        break;
    }
    job.closed_ = true;
    while (job.helpers_ > 0) {
        lock.unlock();
        for (int spin = 0; spin < 200 && job.helpers_gone_.load(std::memory_order_acquire) == 0; ++spin)
            cpu_relax();
        futex_wait(job.helpers_gone_, 0, UINT64_MAX);
        lock.lock();
    }
}

} // namespace mock
