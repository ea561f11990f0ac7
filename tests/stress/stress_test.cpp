// Several threads share devices, queues, kernels, memory and timelines, and make and release their own meanwhile, on the
// mock, T0 and the queued fixtures at once. Each device's counter must say at the end what was launched. QIAO_STRESS_SEED
// repeats a run's choices, QIAO_STRESS_SECONDS makes it longer, QIAO_STRESS_DEVICES lets it run with fewer than all.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "api/support/blocks.h"
#include "api/support/session.h"

using namespace api;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kThreads = 4;
constexpr uint64_t kBytes = 4096;

uint64_t setting(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What all threads use of one device.
struct Shared {
    qiao_device* device = nullptr;
    qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
    Program program;
    qiao_kernel *count = nullptr, *fill = nullptr;
    Memory counter, scratch;
    std::vector<Queue> queues;
    std::atomic<uint32_t> launches{0};
    std::mutex last_mutex;
    std::vector<uint64_t> last_values;  // per queue: seen by some thread
};

std::unique_ptr<Shared> share(Session& session, qiao_device* device) {
    auto shared = std::make_unique<Shared>();
    session.device = device;
    REQUIRE_OK(qiao_device_query_properties(device, &session.properties));
    shared->device = device;
    shared->properties = session.properties;
    shared->program = session.program();
    shared->count = kernel_of(shared->program, "count");
    shared->fill = kernel_of(shared->program, "fill");
    shared->counter = session.upload(std::vector<uint32_t>{0});
    shared->scratch = session.allocate(kThreads * kBytes);
    for (int i = 0; i < 2; ++i) shared->queues.push_back(session.queue(i == 0 ? 0 : QIAO_QUEUE_PROFILING));
    shared->last_values.resize(shared->queues.size());
    return shared;
}

// doctest's checks take a lock: failures of threads are collected instead, and stop everybody.
struct Run {
    explicit Run(qiao_instance* of_instance) : instance(of_instance) {}
    qiao_instance* const instance;
    std::vector<std::unique_ptr<Shared>> devices;
    qiao_timeline* timeline = nullptr;  // raised by everybody
    std::atomic<uint64_t> raised{0}, operations{0}, callbacks_wanted{0}, callbacks{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    std::string failure;

    void fail(const char* what, qiao_status status) {
        const std::lock_guard guard(mutex);
        if (failure.empty()) failure = std::string(what) + " -> " + describe(status);
        stop = true;
    }
};
#define EXPECT_OK(call)                                                \
    do {                                                               \
        const qiao_status expected_ = (call);                          \
        if (expected_ != QIAO_OK) return run.fail(#call, expected_);   \
    } while (false)

class Worker {
   public:
    Worker(Run& the_run, uint32_t index, uint64_t seed) : run(the_run), index_(index), random_(seed * 1000003 + index) {}

    void operator()() {
        while (!run.stop) {
            step();
            run.operations.fetch_add(1, std::memory_order_relaxed);
        }
    }

   private:
    uint64_t below(uint64_t limit) { return random_() % limit; }
    Shared& any_device() { return *run.devices[below(run.devices.size())]; }

    void step() {
        Shared& shared = any_device();
        const size_t which = below(shared.queues.size());
        const Queue& queue = shared.queues[which];
        switch (below(12)) {
            case 0:
            case 1:
            case 2: return launch_count(shared, queue, which);
            case 3: return own_fill_and_check(shared);
            case 4: return copy_between(shared, any_device(), queue);
            case 5: return wait_for_something(shared, which);
            case 6: return make_and_release(shared);
            case 7: return signal(queue);
            case 8: return after(queue, any_device());
            case 9: return call(queue);
            case 10: return ask(shared, queue);
            default: return read_and_write(shared);
        }
    }

    void seen(Shared& shared, size_t which, uint64_t value) {
        const std::lock_guard guard(shared.last_mutex);
        shared.last_values[which] = std::max(shared.last_values[which], value);
    }

    void launch_count(Shared& shared, const Queue& queue, size_t which) {
        // The counter is shared by two queues, and T0's and the fixtures' kernel is not atomic there: one queue each.
        if (which != 0) return;
        uint64_t address = 0, value = 0;
        EXPECT_OK(qiao_memory_get_address(shared.counter.get(), &address));
        const blocks::Count block = {address};
        const qiao_launch one = items(1 + below(3), 1);
        EXPECT_OK(qiao_queue_launch(queue.get(), shared.count, &one, &block, sizeof block, &value));
        shared.launches.fetch_add(static_cast<uint32_t>(one.global_size[0]));
        seen(shared, which, value);
        if (below(8) == 0) EXPECT_OK(qiao_timeline_wait(timeline_of(queue), value, kPatience));
    }

    // On this thread's part of the shared memory and a queue of its own.
    void own_fill_and_check(Shared& shared) {
        qiao_queue* made = nullptr;
        EXPECT_OK(qiao_queue_create(shared.device, nullptr, &made));
        const std::unique_ptr<qiao_queue, qiao_status (*)(qiao_queue*)> queue(made, qiao_queue_release);
        uint64_t address = 0, value = 0;
        EXPECT_OK(qiao_memory_get_address(shared.scratch.get(), &address));
        const auto pattern = static_cast<uint32_t>(random_());
        const blocks::Fill block = {address + index_ * kBytes, pattern, 0};
        const qiao_launch shape = items(64, 8);
        EXPECT_OK(qiao_queue_launch(made, shared.fill, &shape, &block, sizeof block, nullptr));
        EXPECT_OK(qiao_queue_fill(made, {shared.device, address + index_ * kBytes + 256}, 256, &pattern, 4, &value));
        qiao_timeline* timeline = nullptr;
        EXPECT_OK(qiao_queue_get_timeline(made, &timeline));
        EXPECT_OK(qiao_timeline_wait(timeline, value, kPatience));
        uint32_t words[128];
        EXPECT_OK(qiao_memory_read(shared.scratch.get(), index_ * kBytes, words, sizeof words));
        for (const uint32_t word : words) {
            if (word != pattern) return run.fail("a fill on an own queue was overwritten", QIAO_OK);
        }
    }

    void copy_between(Shared& source, Shared& target, const Queue& queue) {
        uint64_t from = 0, to = 0, value = 0;
        EXPECT_OK(qiao_memory_get_address(source.scratch.get(), &from));
        EXPECT_OK(qiao_memory_get_address(target.scratch.get(), &to));
        qiao_copy copy = QIAO_COPY_INIT;
        copy.source = {source.device, from + index_ * kBytes + 1024};
        copy.target = {target.device, to + index_ * kBytes + 2048};
        copy.size_bytes = 64 + below(512);
        EXPECT_OK(qiao_queue_copy(queue.get(), &copy, &value));
        // The next use of these bytes by this thread is on other queues.
        EXPECT_OK(qiao_timeline_wait(timeline_of(queue), value, kPatience));
    }

    void wait_for_something(Shared& shared, size_t which) {
        uint64_t value = 0;
        {
            const std::lock_guard guard(shared.last_mutex);
            value = shared.last_values[which];
        }
        qiao_timeline* timeline = timeline_of(shared.queues[which]);
        const qiao_status reached = qiao_timeline_reached(timeline, value);
        if (reached != QIAO_OK && reached != QIAO_NOT_READY) return run.fail("qiao_timeline_reached", reached);
        const qiao_status beyond = qiao_timeline_wait(timeline, UINT64_MAX / 2, below(200'000));
        if (beyond != QIAO_TIMEOUT) return run.fail("a wait for a value that nobody submits", beyond);
        EXPECT_OK(qiao_timeline_wait(timeline, value, below(2) == 0 ? kPatience : QIAO_TIMEOUT_INFINITE));
    }

    void make_and_release(Shared& shared) {
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = 16 + below(4096);
        qiao_memory* memory = nullptr;
        EXPECT_OK(qiao_memory_allocate(shared.device, &desc, &memory));
        EXPECT_OK(qiao_memory_retain(memory));
        const Queue& queue = shared.queues[1];
        uint64_t address = 0;
        EXPECT_OK(qiao_memory_get_address(memory, &address));
        const uint32_t pattern = 0x5a5a5a5a;
        EXPECT_OK(qiao_queue_fill(queue.get(), {shared.device, address}, 16, &pattern, 4, nullptr));
        EXPECT_OK(qiao_memory_release(memory));
        EXPECT_OK(qiao_memory_release(memory));  // the fill may still be on its way
        EXPECT_OK(qiao_program_retain(shared.program.get()));
        EXPECT_OK(qiao_program_release(shared.program.get()));
    }

    // Values of a shared timeline must rise: one place gives them out, and submits under the same lock.
    void signal(const Queue& queue) {
        const std::lock_guard guard(run.mutex);
        const uint64_t value = run.raised.load() + 1;
        const qiao_status status = qiao_queue_signal(queue.get(), run.timeline, value, nullptr);
        // Another queue's later value may have been reached first; that is an error the caller is told.
        if (status == QIAO_OK || status == QIAO_ERROR_OUT_OF_RANGE) run.raised = value;
    }

    void after(const Queue& queue, Shared& other) {
        const size_t which = below(other.queues.size());
        uint64_t value = 0;
        {
            const std::lock_guard guard(other.last_mutex);
            value = other.last_values[which];  // submitted, so that no two queues wait for each other
        }
        if (other.queues[which].get() == queue.get()) return;
        EXPECT_OK(qiao_queue_after(queue.get(), timeline_of(other.queues[which]), value, nullptr));
    }

    void call(const Queue& queue) {
        run.callbacks_wanted.fetch_add(1);
        EXPECT_OK(qiao_queue_call(queue.get(), [](void* user, qiao_status) { static_cast<Run*>(user)->callbacks.fetch_add(1); }, &run, nullptr));
    }

    void ask(Shared& shared, const Queue& queue) {
        qiao_device_state state = 99;
        EXPECT_OK(qiao_device_query_state(shared.device, &state, nullptr));
        if (state != QIAO_DEVICE_STATE_OK) return run.fail("a device was lost", QIAO_OK);
        uint64_t value = 0, total = 0;
        EXPECT_OK(qiao_device_query_memory(shared.device, &value, &total));
        EXPECT_OK(qiao_timeline_query_value(timeline_of(queue), &value));
        qiao_kernel* found = nullptr;
        EXPECT_OK(qiao_program_get_kernel(shared.program.get(), "fill", &found));
        qiao_memory* memory = nullptr;
        uint64_t address = 0;
        EXPECT_OK(qiao_memory_get_address(shared.scratch.get(), &address));
        EXPECT_OK(qiao_memory_find(shared.device, address + 17, &memory, &value));
        qiao_timeline* timeline = nullptr;
        EXPECT_OK(qiao_timeline_create(run.instance, 5, &timeline));
        EXPECT_OK(qiao_timeline_signal(timeline, 6));
        EXPECT_OK(qiao_timeline_release(timeline));
        if (qiao_timeline_wait(nullptr, 1, 0) != QIAO_ERROR_INVALID_HANDLE) return run.fail("a null handle", QIAO_OK);
    }

    void read_and_write(Shared& shared) {
        const uint64_t offset = index_ * kBytes + 3072;
        uint64_t written = random_(), read = 0;
        EXPECT_OK(qiao_memory_write(shared.scratch.get(), offset, &written, sizeof written));
        EXPECT_OK(qiao_memory_read(shared.scratch.get(), offset, &read, sizeof read));
        if (read != written) return run.fail("other bytes were read than written", QIAO_OK);
        void* pointer = nullptr;
        EXPECT_OK(qiao_memory_map(shared.scratch.get(), offset, sizeof read, QIAO_ACCESS_READ, &pointer));
        EXPECT_OK(qiao_memory_unmap(shared.scratch.get(), pointer));
    }

    Run& run;
    const uint32_t index_;
    std::mt19937_64 random_;
};

}  // namespace

TEST_SUITE("stress") {
    TEST_CASE("threads share devices, queues, kernels and timelines") {
        const uint64_t seed = setting("QIAO_STRESS_SEED", std::random_device()());
        const uint64_t seconds = setting("QIAO_STRESS_SECONDS", 3);
        MESSAGE("QIAO_STRESS_SEED=", seed);
        Session session;
        Run run(session.instance.get());
        for (qiao_device* device : session.devices()) run.devices.push_back(share(session, device));
        REQUIRE(run.devices.size() >= setting("QIAO_STRESS_DEVICES", 7));
        const Timeline timeline = session.timeline();
        run.timeline = timeline.get();

        std::vector<std::thread> threads;
        for (uint32_t i = 0; i < kThreads; ++i) threads.emplace_back(Worker(run, i, seed));
        const auto end = Clock::now() + std::chrono::seconds(seconds);
        while (Clock::now() < end && !run.stop) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        run.stop = true;
        for (std::thread& thread : threads) thread.join();

        INFO("seed ", seed);
        CHECK(run.failure == "");
        MESSAGE(run.operations.load(), " operations on ", run.devices.size(), " devices");
        for (const auto& shared : run.devices) {
            INFO(std::string(shared->properties.id));
            REQUIRE_OK(qiao_device_synchronize(shared->device, kPatience));
            CHECK(download<uint32_t>(shared->counter, 1)[0] == shared->launches);
        }
        CHECK(run.callbacks == run.callbacks_wanted);
        if (run.raised != 0) CHECK(qiao_timeline_wait(run.timeline, 1, kPatience) == QIAO_OK);
    }
}
