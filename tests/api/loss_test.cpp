// Device loss, reset, and calls into a plugin that do not return: what is promised in hal/docs/loss.md. The fixtures are
// lost on purpose; the mock card of the profile "failing" is lost at its 100th operation.
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "plugin/control.h"
#include "support/blocks.h"
#include "support/session.h"

using namespace api;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kPromised = std::chrono::milliseconds(100);

bool is_queued(const Session& session) {
    return std::string(session.properties.plugin) == "queued";
}
// Its queues do not wait for each other's slots, and it can be reset.
bool is_full(const Session& session) {
    return is_queued(session) && std::string(session.properties.id) != "queued:1";
}

struct Control {
    explicit Control(qiao_device* device) {
        const void* found = nullptr;
        REQUIRE_OK(qiao_device_get_extension(device, QUEUED_CONTROL, &found, &context));
        table = static_cast<const queued_control*>(found);
    }
    void lose(const char* reason) const { table->lose(context, reason); }
    void jam(const char* slot) const { table->jam(context, slot); }
    void unjam() const { table->unjam(context); }
    void await_stuck() const {
        while (table->is_stuck(context) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    uint32_t live() const { return table->live(context); }
    const queued_control* table;
    void* context;
};

qiao_device_state state_of(qiao_device* device, std::string* out_reason = nullptr) {
    qiao_device_state state = 99;
    const char* reason = nullptr;
    REQUIRE_OK(qiao_device_query_state(device, &state, &reason));
    if (out_reason != nullptr) *out_reason = reason;
    return state;
}

uint64_t generation_of(qiao_device* device) {
    qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
    REQUIRE_OK(qiao_device_query_properties(device, &properties));
    return properties.generation;
}

// Lets a kernel `hold` go on, also once its session is over.
class Hold {
   public:
    Hold(const Session& session, const Memory& word) : address_(address_of(word)) {
        if (is_queued(session)) control_.emplace(session.device);
    }
    void let_go() const {
        if (control_) return control_->table->let_go(control_->context);
        // The other fixture's addresses are those of host memory.
        __atomic_store_n(reinterpret_cast<uint32_t*>(static_cast<uintptr_t>(address_)), 1u, __ATOMIC_RELEASE);
    }

   private:
    std::optional<Control> control_;
    uint64_t address_;
};

// How long the call took.
template <class Call>
Clock::duration duration_of(Call&& call) {
    const auto start = Clock::now();
    call();
    return Clock::now() - start;
}

// Times are promised for a machine that is not overloaded: the best of several attempts counts.
void check_soon(const std::function<Clock::duration()>& attempt) {
    auto best = Clock::duration::max();
    for (int i = 0; i < 5 && best >= kPromised; ++i) best = std::min(best, attempt());
    INFO("best: ", std::chrono::duration_cast<std::chrono::milliseconds>(best).count(), " ms");
    CHECK(best < kPromised);
}

// A device of the other plugin.
qiao_device* other_device(Session& session) {
    for (qiao_device* other : session.devices()) {
        qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
        REQUIRE_OK(qiao_device_query_properties(other, &properties));
        if (std::string(properties.plugin) != session.properties.plugin) return other;
    }
    FAIL("one plugin only");
    return nullptr;
}

void check_others_work(Session& session) {
    qiao_device* const own = session.device;
    for (qiao_device* other : session.devices()) {
        if (other == own) continue;
        session.device = other;
        CHECK(state_of(other) == QIAO_DEVICE_STATE_OK);
        check_works(session);
    }
    session.device = own;
}

}  // namespace

TEST_SUITE("loss") {
    TEST_CASE("a lost device has a reason, its objects are lost and can be released, other devices go on") {
        Session session;
        if (!session.is_fixture()) return;
        const Program program = session.program();
        const Queue queue = session.queue();
        const Memory memory = session.upload(numbers(16));
        uint64_t value = 0;
        const qiao_launch one = items(1);
        REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "lose"), &one, nullptr, 0, &value));
        qiao_timeline* const timeline = timeline_of(queue);
        CHECK_FAILS(qiao_timeline_wait(timeline, value, kPatience), QIAO_ERROR_DEVICE_LOST, "lost");
        CHECK_FAILS(qiao_timeline_wait(timeline, value + 5, QIAO_TIMEOUT_INFINITE), QIAO_ERROR_DEVICE_LOST, "lost");
        std::string reason;
        CHECK(state_of(session.device, &reason) == QIAO_DEVICE_STATE_LOST);
        CHECK(reason.find("'lose' lost it") != std::string::npos);

        // The objects are marked after the device: until then it is the device that a call finds lost.
        uint32_t word = 0;
        const auto marked_by = Clock::now() + std::chrono::seconds(10);
        while (Clock::now() < marked_by) {
            CHECK(qiao_memory_read(memory.get(), 0, &word, 4) == QIAO_ERROR_DEVICE_LOST);
            qiao_error error = QIAO_ERROR_INIT;
            REQUIRE_OK(qiao_error_query(&error));
            if (std::string(error.message).find("memory") != std::string::npos) break;
            std::this_thread::yield();
        }
        CHECK_FAILS(qiao_memory_read(memory.get(), 0, &word, 4), QIAO_ERROR_DEVICE_LOST, "memory", "release");
        CHECK_FAILS(qiao_queue_fill(queue.get(), {session.device, 1}, 4, &word, 4, nullptr), QIAO_ERROR_DEVICE_LOST, "queue");
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = 16;
        qiao_memory* fresh = nullptr;
        CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &fresh), QIAO_ERROR_DEVICE_LOST, session.properties.id, "'lose' lost it");
        qiao_queue* fresh_queue = nullptr;
        CHECK_FAILS(qiao_queue_create(session.device, nullptr, &fresh_queue), QIAO_ERROR_DEVICE_LOST, session.properties.id);
        CHECK_FAILS(qiao_device_synchronize(session.device, kPatience), QIAO_ERROR_DEVICE_LOST, session.properties.id);
        check_others_work(session);
    }

    TEST_CASE("all waits end within 100 ms, whatever they wait for") {
        check_soon([] {
            Session session;
            if (!is_full(session)) return Clock::duration::zero();
            const Control control(session.device);
            const Program program = session.program();
            const Memory word = session.upload(std::vector<uint32_t>{0});
            const Queue held = session.queue(), behind = session.queue();
            const Timeline signalled = session.timeline();
            const uint64_t value = launch(held, kernel_of(program, "hold"), items(1), blocks::Hold{address_of(word)});
            uint64_t behind_value = 0;
            REQUIRE_OK(qiao_queue_after(behind.get(), timeline_of(held), value, &behind_value));
            REQUIRE_OK(qiao_queue_signal(behind.get(), signalled.get(), 1, nullptr));
            std::atomic<int> waiting{0}, called{0};
            REQUIRE_OK(qiao_queue_call(held.get(), [](void* user, qiao_status status) {
                if (status == QIAO_ERROR_DEVICE_LOST) ++*static_cast<std::atomic<int>*>(user);
            }, &called, nullptr));
            std::vector<qiao_status> ended(5, QIAO_OK);
            const std::function<qiao_status()> waits[] = {
                [&] { return qiao_timeline_wait(timeline_of(held), value, QIAO_TIMEOUT_INFINITE); },
                [&] { return qiao_timeline_wait(timeline_of(held), value + 100, QIAO_TIMEOUT_INFINITE); },  // never submitted
                [&] { return qiao_timeline_wait(timeline_of(behind), behind_value, kPatience); },
                [&] { return qiao_timeline_wait(signalled.get(), 1, QIAO_TIMEOUT_INFINITE); },
                [&] { return qiao_device_synchronize(session.device, QIAO_TIMEOUT_INFINITE); }};
            std::vector<std::thread> threads;
            for (size_t i = 0; i < 5; ++i) {
                threads.emplace_back([&, i] {
                    ++waiting;
                    ended[i] = waits[i]();
                });
            }
            while (waiting != 5) std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));  // in the middle of it
            control.lose("a test took it away");
            const auto took = duration_of([&] {
                for (std::thread& thread : threads) thread.join();
            });
            for (const qiao_status status : ended) CHECK((status == QIAO_ERROR_DEVICE_LOST || status == QIAO_ERROR_CANCELLED));
            CHECK(ended[0] == QIAO_ERROR_DEVICE_LOST);
            for (int i = 0; i < 5000 && called == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            CHECK(called == 1);
            return took;
        });
    }

    TEST_CASE("a reset brings a new generation: old objects stay lost, new work runs") {
        Session session;
        if (!is_full(session)) return;
        const Control control(session.device);
        CHECK(generation_of(session.device) == 0);
        for (uint64_t generation = 1; generation <= 3; ++generation) {
            const Program program = session.program();
            const Memory word = session.upload(std::vector<uint32_t>{0});
            Queue queue = session.queue(), released = session.queue();
            const uint64_t value = launch(queue, kernel_of(program, "hold"), items(1), blocks::Hold{address_of(word)});
            launch(released, kernel_of(program, "hold"), items(1), blocks::Hold{address_of(word)});
            released.reset();  // still at work
            if (generation == 2) control.lose("lost before it is reset");
            REQUIRE_OK(qiao_device_reset(session.device));
            CHECK(generation_of(session.device) == generation);
            CHECK(state_of(session.device) == QIAO_DEVICE_STATE_OK);
            CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), value, kPatience), QIAO_ERROR_DEVICE_LOST, generation == 2 ? "before it is reset" : "being reset");
            uint32_t read = 0;
            CHECK_FAILS(qiao_memory_read(word.get(), 0, &read, 4), QIAO_ERROR_DEVICE_LOST, "lost or reset");
            const qiao_launch one = items(1);
            const blocks::Hold block = {0};
            CHECK_FAILS(qiao_queue_launch(queue.get(), nullptr, &one, &block, sizeof block, nullptr), QIAO_ERROR_DEVICE_LOST, "queue");
            check_works(session);
            CHECK_FAILS(qiao_memory_read(word.get(), 0, &read, 4), QIAO_ERROR_DEVICE_LOST, "lost or reset");
        }
        check_others_work(session);
    }

    TEST_CASE("a device that was removed says so, and cannot be reset") {
        Session session;
        if (!is_full(session)) return;
        const Control control(session.device);
        control.table->remove(control.context);
        std::string reason;
        CHECK(state_of(session.device, &reason) == QIAO_DEVICE_STATE_REMOVED);
        CHECK(reason == "it was pulled out");
        CHECK_FAILS(qiao_device_reset(session.device), QIAO_ERROR_DEVICE_LOST, session.properties.id, "removed", "new instance");
        CHECK(state_of(session.device) == QIAO_DEVICE_STATE_REMOVED);
        check_others_work(session);
    }

    TEST_CASE("what is made while the device is lost and reset is whole or fails") {
        Session session;
        if (!is_full(session)) return;
        const Control control(session.device);
        std::atomic<bool> stop{false};
        std::atomic<uint64_t> made{0}, refused{0};
        const auto maker = [&] {
            while (!stop) {
                qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
                desc.size_bytes = 64;
                qiao_memory* memory = nullptr;
                qiao_queue* queue = nullptr;
                qiao_status status = qiao_memory_allocate(session.device, &desc, &memory);
                if (status == QIAO_OK) status = qiao_queue_create(session.device, nullptr, &queue);
                uint64_t value = 0;
                const uint64_t before = generation_of(session.device);
                uint64_t address = 0;
                if (status == QIAO_OK) status = qiao_memory_get_address(memory, &address);
                if (status == QIAO_OK) status = qiao_queue_fill(queue, {session.device, address}, 64, "\1\2\3\4", 4, &value);
                qiao_timeline* timeline = nullptr;
                if (status == QIAO_OK) status = qiao_queue_get_timeline(queue, &timeline);
                if (status == QIAO_OK) status = qiao_timeline_wait(timeline, value, kPatience);
                if (status == QIAO_OK) {
                    ++made;
                } else {
                    INFO(before);
                    CHECK((status == QIAO_ERROR_DEVICE_LOST || status == QIAO_ERROR_CANCELLED || status == QIAO_ERROR_OUT_OF_RANGE));
                    ++refused;
                }
                CHECK(qiao_queue_release(queue) == QIAO_OK);
                CHECK(qiao_memory_release(memory) == QIAO_OK);
            }
        };
        std::thread first(maker), second(maker);
        for (int i = 0; i < 30; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            control.lose("again");
            std::this_thread::sleep_for(std::chrono::microseconds(200));
            CHECK_OK(qiao_device_reset(session.device));
        }
        stop = true;
        first.join();
        second.join();
        CHECK(made > 0);
        CHECK(refused > 0);
        CHECK(generation_of(session.device) == 30);
        check_works(session);
    }
}

TEST_SUITE("loss.reset") {
    TEST_CASE("what is released while the device is being reset is destroyed once it has been") {
        Session session;
        if (!is_full(session)) return;
        const Control control(session.device);
        const uint32_t before = control.live();
        Program program = session.program(), working_program = session.program();
        Memory memory = session.allocate(64), word = session.upload(std::vector<uint32_t>{0});
        Queue queue = session.queue(), working = session.queue();
        launch(working, kernel_of(working_program, "hold"), items(1), blocks::Hold{address_of(word)});
        const uint32_t live = control.live();
        control.jam("device_reset");
        qiao_status reset = QIAO_NOT_READY;
        std::thread resetter([&] { reset = qiao_device_reset(session.device); });
        control.await_stuck();
        std::thread other([&] {
            memory.reset();
            working_program.reset();
            queue.reset();
        });
        word.reset();
        working.reset();
        program.reset();
        other.join();
        CHECK(control.live() == live);
        control.unjam();
        resetter.join();
        CHECK(reset == QIAO_OK);
        for (int i = 0; i < 5000 && control.live() != before; ++i) {  // the queue's thread is on its way out
            session.allocate(64);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        CHECK(control.live() == before);
        check_works(session);
    }

    TEST_CASE("what a call inside the plugin works on is destroyed when it has come back, not when the device is lost") {
        Session session;
        if (!is_queued(session)) return;
        const Control control(session.device);
        const uint32_t before = control.live();
        std::vector<Memory> spares;
        for (int i = 0; i < 2000; ++i) spares.push_back(session.allocate(16));
        Memory source = session.allocate(64);
        Queue queue = session.queue();
        session.device = other_device(session);
        const Memory target = session.allocate(64);
        const uint32_t live = control.live();
        control.jam("memory_read");
        copy(queue, place(source), place(target), 64);
        control.await_stuck();
        control.lose("it hangs");
        source.reset();
        queue.reset();
        CHECK(control.live() == live);
        control.unjam();
        while (control.live() != before + spares.size() && !spares.empty()) {  // each release looks after what is waiting
            spares.pop_back();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        CHECK(!spares.empty());
    }

    TEST_CASE("copies, fills and launches refuse addresses from before the reset") {
        Session session;
        if (!is_full(session)) return;
        const Memory old = session.upload(std::vector<uint32_t>{1, 2, 3, 4});
        const uint64_t old_address = address_of(old);
        REQUIRE_OK(qiao_device_reset(session.device));
        const Queue queue = session.queue();
        const Program program = session.program();
        const Memory fresh = session.upload(std::vector<uint32_t>{5, 6, 7, 8});
        uint64_t value = 99;
        const uint32_t pattern = 0;
        const qiao_place old_place = {session.device, old_address};
        qiao_copy request = copy_of(old_place, place(fresh), 16);
        CHECK_FAILS(qiao_queue_copy(queue.get(), &request, &value), QIAO_ERROR_DEVICE_LOST, "source", "before", "release");
        request = copy_of(place(fresh), old_place, 16);
        CHECK_FAILS(qiao_queue_copy(queue.get(), &request, &value), QIAO_ERROR_DEVICE_LOST, "target", "before", "release");
        CHECK_FAILS(qiao_queue_fill(queue.get(), old_place, 16, &pattern, 4, &value), QIAO_ERROR_DEVICE_LOST, "target", "before", "release");
        if ((session.properties.flags & QIAO_DEVICE_ADDRESSES_EMULATED) != 0) {
            const qiao_launch one = items(1);
            const blocks::Count block = {old_address};
            CHECK_FAILS(qiao_queue_launch(queue.get(), kernel_of(program, "count"), &one, &block, sizeof block, &value), QIAO_ERROR_OUT_OF_RANGE,
                        "counter", "before", "reset");
        }
        CHECK(value == 0);
        CHECK(download<uint32_t>(fresh, 4) == std::vector<uint32_t>{5, 6, 7, 8});
        wait_for(queue, fill(queue, place(fresh), 16, 9));  // the queue is as good as before
        CHECK(download<uint32_t>(fresh, 4) == std::vector<uint32_t>(4, 9));
    }

    TEST_CASE("a copy that another device's queue has waiting fails when its memory is lost meanwhile") {
        Session session;
        if (!is_full(session)) return;
        qiao_device* const device = session.device;
        const Memory source = session.upload(std::vector<uint32_t>{1, 2, 3, 4});
        session.device = other_device(session);
        const Memory target = session.upload(std::vector<uint32_t>{5, 6, 7, 8});
        const Queue queue = session.queue();
        const Timeline gate = session.timeline();
        after(queue, gate.get(), 1);
        const uint64_t value = copy(queue, place(source), place(target), 16);
        REQUIRE_OK(qiao_device_reset(device));
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), value, kPatience), QIAO_ERROR_DEVICE_LOST, "reset");
        CHECK(download<uint32_t>(target, 4) == std::vector<uint32_t>{5, 6, 7, 8});
        check_works(session);
    }
}

TEST_SUITE("loss.hang") {
    TEST_CASE("a kernel that does not end keeps no other thread: waits keep their limit, releases return, other devices go on") {
        Session session;
        if (!session.is_fixture()) return;
        const Program program = session.program();
        const Memory word = session.upload(std::vector<uint32_t>{0});
        const Hold hold(session, word);
        Queue queue = session.queue(), other = session.queue();
        Memory spare = session.allocate(64);
        const Memory counter = session.upload(std::vector<uint32_t>{0});
        uint64_t value = launch(queue, kernel_of(program, "hold"), items(1), blocks::Hold{address_of(word)});
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        const auto took = duration_of([&] {
            CHECK(qiao_timeline_wait(timeline_of(queue), value, 20'000'000) == QIAO_TIMEOUT);
            CHECK(qiao_timeline_reached(timeline_of(queue), value) == QIAO_NOT_READY);
            CHECK(qiao_device_synchronize(session.device, 20'000'000) == QIAO_TIMEOUT);
            value = launch(queue, kernel_of(program, "count"), items(1), blocks::Count{address_of(counter)});
            spare.reset();
            other.reset();
            CHECK(state_of(session.device) == QIAO_DEVICE_STATE_OK);
            check_others_work(session);
        });
        CHECK(took < std::chrono::seconds(10));  // the kernel gives up after 30
        hold.let_go();
        wait_for(queue, value);
        CHECK(download<uint32_t>(counter, 1) == std::vector<uint32_t>{1});
        check_works(session);
    }

    TEST_CASE("a slot that does not return ends with the loss for everybody but its own thread") {
        for (const char* slot : {"queue_launch", "queue_mark", "kernel_launch", "memory_read"}) {
            INFO(std::string(slot));
            Session session;
            if (!is_queued(session)) return;
            const Control control(session.device);
            if (!control.table->has(control.context, slot)) continue;
            const Program program = session.program();
            qiao_kernel* const count = kernel_of(program, "count");
            const Memory counter = session.upload(std::vector<uint32_t>{0});
            const Queue queue = session.queue();
            Queue spare_queue = session.queue();
            Memory spare = session.allocate(64);
            qiao_timeline* const timeline = timeline_of(queue);
            const blocks::Count block = {address_of(counter)};
            const uint64_t value = launch(queue, count, items(1), block);
            wait_for(queue, value);
            control.jam(slot);
            qiao_status stuck_status = QIAO_OK;
            std::thread stuck([&] {
                uint32_t word = 0;
                const qiao_launch one = items(1);
                if (std::string(slot) == "memory_read") {
                    stuck_status = qiao_memory_read(counter.get(), 0, &word, 4);
                } else {
                    uint64_t next = 0;
                    stuck_status = qiao_queue_launch(queue.get(), count, &one, &block, sizeof block, &next);
                    if (stuck_status == QIAO_OK) stuck_status = qiao_timeline_wait(timeline, next, kPatience);
                }
            });
            control.await_stuck();

            // Questions and waits keep their limits.
            const auto took = duration_of([&] {
                CHECK(qiao_timeline_wait(timeline, value + 7, 10'000'000) == QIAO_TIMEOUT);
                CHECK(qiao_timeline_reached(timeline, value + 7) == QIAO_NOT_READY);
                CHECK(state_of(session.device) == QIAO_DEVICE_STATE_OK);
                check_others_work(session);
            });
            CHECK(took < std::chrono::seconds(10));

            // Threads that wait for the same queue or device are let go by the loss.
            std::atomic<int> begun{0};
            qiao_status submitted = QIAO_OK, waited = QIAO_OK, synchronized = QIAO_OK;
            std::vector<std::thread> threads;
            threads.emplace_back([&] {
                ++begun;
                const qiao_launch one = items(1);
                do {  // where slots are not serialised a read does not keep a launch
                    submitted = qiao_queue_launch(queue.get(), count, &one, &block, sizeof block, nullptr);
                } while (submitted == QIAO_OK);
            });
            threads.emplace_back([&] {
                ++begun;
                waited = qiao_timeline_wait(timeline, UINT64_MAX / 2, QIAO_TIMEOUT_INFINITE);
            });
            threads.emplace_back([&] {
                ++begun;
                do {
                    synchronized = qiao_device_synchronize(session.device, QIAO_TIMEOUT_INFINITE);
                } while (synchronized == QIAO_OK);
            });
            while (begun != 3) std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            const auto until_all_ended = duration_of([&] {
                control.lose("it hangs");
                for (std::thread& thread : threads) thread.join();
                spare_queue.reset();  // destroying succeeds
                spare.reset();
            });
            CHECK(until_all_ended < std::chrono::seconds(2));  // how soon is tested above
            CHECK((submitted == QIAO_ERROR_DEVICE_LOST || submitted == QIAO_ERROR_CANCELLED));
            CHECK(waited == QIAO_ERROR_DEVICE_LOST);
            CHECK(synchronized == QIAO_ERROR_DEVICE_LOST);
            check_others_work(session);
            control.unjam();
            stuck.join();
            CHECK((stuck_status == QIAO_OK || stuck_status == QIAO_ERROR_DEVICE_LOST));
        }
    }

    TEST_CASE("a free-threaded device is reset while a call hangs in it") {
        Session session;
        if (!is_full(session)) return;
        const Control control(session.device);
        const Memory memory = session.allocate(64);
        control.jam("memory_read");
        std::thread stuck([&] {
            uint32_t word = 0;
            static_cast<void>(qiao_memory_read(memory.get(), 0, &word, 4));
        });
        control.await_stuck();
        CHECK_OK(qiao_device_reset(session.device));
        check_works(session);
        control.unjam();
        stuck.join();
    }

    TEST_CASE("the last release gives up on work that does not end, and what comes back later finds everything in place") {
        const std::string old = getenv("QIAO_CLOSE_TIMEOUT") == nullptr ? "" : getenv("QIAO_CLOSE_TIMEOUT");
        CHECK(setenv("QIAO_CLOSE_TIMEOUT", "1", 1) == 0);
        std::optional<Hold> hold;
        {
            Session session;
            if (!session.is_fixture()) return;
            const Program program = session.program();
            const Memory word = session.upload(std::vector<uint32_t>{0});
            const Queue queue = session.queue();
            hold.emplace(session, word);
            launch(queue, kernel_of(program, "hold"), items(1), blocks::Hold{address_of(word)});
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }  // here, instead of waiting for ever
        hold->let_go();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        Session again;
        check_works(again);
        CHECK(unsetenv("QIAO_CLOSE_TIMEOUT") == 0);
        if (!old.empty()) CHECK(setenv("QIAO_CLOSE_TIMEOUT", old.c_str(), 1) == 0);
    }
}

TEST_SUITE("loss.mock") {
    TEST_CASE("the card that fails at its 100th operation is lost with a reason and works after a reset; its neighbour goes on") {
        Session session;
        if (std::string(session.properties.name) != "Mock failing card") return;
        const Queue queue = session.queue();
        const Memory memory = session.allocate(64);
        uint64_t value = 0, last = 0;
        qiao_status status = QIAO_OK;
        for (int i = 0; i < 200 && status == QIAO_OK; ++i) {
            status = qiao_queue_fill(queue.get(), {session.device, address_of(memory)}, 64, "\1\2\3\4", 4, &value);
            if (status == QIAO_OK) last = value;
            if (status == QIAO_OK && i % 7 == 0) status = qiao_timeline_wait(timeline_of(queue), last, kPatience);
        }
        CHECK(status == QIAO_ERROR_DEVICE_LOST);
        CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), last + 1, kPatience), QIAO_ERROR_DEVICE_LOST, "lost");
        std::string reason;
        CHECK(state_of(session.device, &reason) == QIAO_DEVICE_STATE_LOST);
        CHECK(!reason.empty());
        check_others_work(session);
        REQUIRE_OK(qiao_device_reset(session.device));
        CHECK(generation_of(session.device) == 1);
        uint32_t word = 0;
        CHECK_FAILS(qiao_memory_read(memory.get(), 0, &word, 4), QIAO_ERROR_DEVICE_LOST, "lost or reset");
        check_works(session);
    }
}
