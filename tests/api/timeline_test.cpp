// Timelines: raised by hand, by queues, waited for by threads and by other queues; and how waits end that cannot be fulfilled.
#include <chrono>
#include <thread>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

constexpr uint64_t kShort = 2'000'000;

}  // namespace

TEST_SUITE("timeline.signal") {
    TEST_CASE("starts at its initial value and only rises") {
        Session session;
        const Timeline timeline = session.timeline(10);
        CHECK(value_of(timeline.get()) == 10);
        CHECK_OK(qiao_timeline_reached(timeline.get(), 0));
        CHECK_OK(qiao_timeline_wait(timeline.get(), 10, QIAO_TIMEOUT_INFINITE));
        CHECK(qiao_timeline_reached(timeline.get(), 11) == QIAO_NOT_READY);
        REQUIRE_OK(qiao_timeline_signal(timeline.get(), 20));
        CHECK_OK(qiao_timeline_reached(timeline.get(), 15));
        for (const uint64_t wrong : {UINT64_C(0), UINT64_C(19), UINT64_C(20)}) {
            CHECK_FAILS(qiao_timeline_signal(timeline.get(), wrong), QIAO_ERROR_OUT_OF_RANGE, std::to_string(wrong).c_str(), "20");
        }
        CHECK(value_of(timeline.get()) == 20);
        REQUIRE_OK(qiao_timeline_signal(timeline.get(), UINT64_MAX));
        CHECK_OK(qiao_timeline_wait(timeline.get(), UINT64_MAX, 0));
    }

    TEST_CASE("a queue's own timeline is raised by its operations only") {
        Session session;
        const Queue queue = session.queue();
        CHECK_FAILS(qiao_timeline_signal(timeline_of(queue), 1), QIAO_ERROR_INVALID_ARGUMENT, "queue");
        uint64_t value = 7;
        CHECK_FAILS(qiao_queue_signal(queue.get(), timeline_of(queue), 1, &value), QIAO_ERROR_INVALID_ARGUMENT, "queue");
        CHECK(value == 0);
        CHECK_FAILS(qiao_timeline_release(timeline_of(queue)), QIAO_ERROR_INVALID_HANDLE, "queue");
        CHECK(value_of(timeline_of(queue)) == 0);
        check_works(session);
    }

    TEST_CASE("a queue raises it when everything before has ended") {
        Session session;
        const Queue queue = session.queue();
        const Timeline gate = session.timeline(), mine = session.timeline();
        after(queue, gate.get(), 1);
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_signal(queue.get(), mine.get(), 5, &value));
        CHECK(value == 2);
        CHECK(qiao_timeline_wait(mine.get(), 5, kShort) == QIAO_TIMEOUT);
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        CHECK_OK(qiao_timeline_wait(mine.get(), 5, kPatience));
        CHECK_FAILS(qiao_queue_signal(queue.get(), mine.get(), 5, &value), QIAO_ERROR_OUT_OF_RANGE, "5");
        CHECK(value == 0);
        wait_for(queue, 2);
    }
}

TEST_SUITE("timeline.wait") {
    TEST_CASE("ends when its time is over, not much before") {
        Session session;
        const Timeline timeline = session.timeline();
        const auto begin = std::chrono::steady_clock::now();
        CHECK(qiao_timeline_wait(timeline.get(), 1, 20'000'000) == QIAO_TIMEOUT);
        CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(20));
        CHECK(qiao_timeline_wait(timeline.get(), 1, 0) == QIAO_TIMEOUT);
        const Queue queue = session.queue();
        CHECK(qiao_timeline_wait(timeline_of(queue), 1, kShort) == QIAO_TIMEOUT);
    }

    TEST_CASE("a value that nobody has submitted yet may be waited for, by several threads") {
        Session session;
        const Queue queue = session.queue();
        const Memory memory = session.allocate(64);
        const Timeline mine = session.timeline();
        std::vector<qiao_status> results(6, 99);
        std::vector<std::thread> threads;
        for (size_t index = 0; index < results.size(); ++index) {
            qiao_timeline* timeline = index % 2 == 0 ? mine.get() : timeline_of(queue);
            threads.emplace_back([&, timeline, index] { results[index] = qiao_timeline_wait(timeline, 1 + index / 2, kPatience); });
        }
        for (uint64_t value = 1; value <= 3; ++value) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            REQUIRE_OK(qiao_timeline_signal(mine.get(), value));
            fill(queue, place(memory), 64, 1);
        }
        for (std::thread& thread : threads) thread.join();
        CHECK(results == std::vector<qiao_status>(6, QIAO_OK));
    }

    TEST_CASE("a released queue finishes its work, and its retained timeline tells") {
        Session session;
        const Memory memory = session.allocate(64);
        const Timeline gate = session.timeline();
        Queue queue = session.queue();
        qiao_timeline* borrowed = timeline_of(queue);
        REQUIRE_OK(qiao_timeline_retain(borrowed));
        const Timeline kept(borrowed);
        after(queue, gate.get(), 1);
        const uint64_t value = fill(queue, place(memory), 64, 6);
        queue.reset();
        CHECK(qiao_timeline_reached(kept.get(), value) == QIAO_NOT_READY);
        CHECK_FAILS(qiao_timeline_wait(kept.get(), value + 1, kPatience), QIAO_ERROR_CANCELLED, std::to_string(value + 1).c_str());
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        CHECK_OK(qiao_timeline_wait(kept.get(), value, kPatience));
        CHECK(download<uint32_t>(memory, 16) == std::vector<uint32_t>(16, 6));
        CHECK_FAILS(qiao_timeline_reached(kept.get(), value + 1), QIAO_ERROR_CANCELLED);
    }

    TEST_CASE("a thread that waits for more than a queue will do is let go when the queue is released") {
        Session session;
        const Timeline gate = session.timeline();
        Queue queue = session.queue();
        qiao_timeline* borrowed = timeline_of(queue);
        REQUIRE_OK(qiao_timeline_retain(borrowed));
        const Timeline kept(borrowed);
        const uint64_t value = after(queue, gate.get(), 1);
        qiao_status result = 99;
        std::thread waiter([&] { result = qiao_timeline_wait(kept.get(), value + 1, kPatience); });
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        queue.reset();
        waiter.join();  // the gate is still closed
        CHECK(result == QIAO_ERROR_CANCELLED);
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        CHECK_OK(qiao_timeline_wait(kept.get(), value, kPatience));
    }

    TEST_CASE("a queue that waits for a timeline which is released fails as cancelled") {
        Session session;
        const Queue queue = session.queue();
        Timeline gate = session.timeline();
        const uint64_t value = after(queue, gate.get(), 1);
        gate.reset();
        CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), value, kPatience), QIAO_ERROR_CANCELLED, "1");
        check_works(session);
    }
}

TEST_SUITE("timeline.after") {
    TEST_CASE("queues of one device hand work to each other") {
        Session session;
        const Program program = session.program();
        const Queue first = session.queue(), second = session.queue();
        const Memory cell = session.upload(std::vector<uint32_t>{1});
        qiao_kernel* kernel = kernel_of(program, "iterate");
        uint32_t expected = 1;
        uint64_t value = 0;
        for (uint32_t round = 0; round < 40; ++round) {
            const Queue& queue = round % 2 == 0 ? first : second;
            const Queue& other = round % 2 == 0 ? second : first;
            if (round != 0) after(queue, timeline_of(other), value);
            value = launch(queue, kernel, items(1), blocks::Iterate{address_of(cell), 300, 0});
            for (int step = 0; step < 300; ++step) expected = expected * 1664525u + 1013904223u;
        }
        wait_for(second, value);
        CHECK(download<uint32_t>(cell, 1)[0] == expected);
    }

    TEST_CASE("what the core ran for the other queue is done, whether its plugin knows it or not") {
        Session session;
        const Queue first = session.queue(), second = session.queue();
        const Memory memory = session.allocate(64);
        wait_for(first, fill(first, place(memory), 64, 1));
        uint64_t called = 0;
        REQUIRE_OK(qiao_queue_call(first.get(), [](void*, qiao_status) {}, nullptr, &called));
        wait_for(first, called);
        after(second, timeline_of(first), called);
        wait_for(second, fill(second, place(memory), 64, 2));
        CHECK(download<uint32_t>(memory, 16) == std::vector<uint32_t>(16, 2));
        uint64_t own = 99;  // nothing was submitted before: there is nothing to wait for
        const Queue third = session.queue();
        REQUIRE_OK(qiao_queue_after(third.get(), timeline_of(first), called, &own));
        REQUIRE_OK(qiao_timeline_wait(timeline_of(third), own, kPatience));
    }

    TEST_CASE("also for a value that the other queue has not got yet") {
        Session session;
        const Queue first = session.queue(), second = session.queue();
        const Memory a = session.allocate(64), b = session.allocate(64);
        after(second, timeline_of(first), 2);
        const uint64_t last = copy(second, place(a), place(b), 64);
        fill(first, place(a), 64, 4);
        CHECK(qiao_timeline_wait(timeline_of(second), last, kShort) == QIAO_TIMEOUT);
        fill(first, place(a), 64, 5);
        wait_for(second, last);
        CHECK(download<uint32_t>(b, 16) == std::vector<uint32_t>(16, 5));
    }

    TEST_CASE("a queue does not wait for itself: what is submitted is done before, what is not is refused") {
        Session session;
        const Queue queue = session.queue();
        const Memory memory = session.allocate(64);
        const uint64_t value = fill(queue, place(memory), 64, 1);
        uint64_t own = 99;
        REQUIRE_OK(qiao_queue_after(queue.get(), timeline_of(queue), value, &own));
        CHECK(own == value);
        own = 99;
        CHECK_FAILS(qiao_queue_after(queue.get(), timeline_of(queue), value + 1, &own), QIAO_ERROR_OUT_OF_RANGE, "itself", std::to_string(value + 1).c_str());
        CHECK(own == 0);
        wait_for(queue, fill(queue, place(memory), 64, 2));
    }

    TEST_CASE("another instance's timeline is refused") {
        Session session, other;
        const Queue queue = session.queue(), foreign = other.queue();
        const Timeline timeline = other.timeline();
        for (qiao_timeline* wrong : {timeline.get(), timeline_of(foreign)}) {
            uint64_t value = 7;
            CHECK_FAILS(qiao_queue_after(queue.get(), wrong, 1, &value), QIAO_ERROR_INVALID_HANDLE, "another instance");
            CHECK(value == 0);
            value = 7;
            CHECK_FAILS(qiao_queue_signal(queue.get(), wrong, 1, &value), QIAO_ERROR_INVALID_HANDLE, "another instance");
            CHECK(value == 0);
        }
        CHECK(value_of(timeline.get()) == 0);
        check_works(session);
    }
}
