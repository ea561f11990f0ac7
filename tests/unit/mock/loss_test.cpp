/* A card that is lost: every wait ends, nothing new is taken, destruction succeeds, others go on, reset makes it well. */
#include <chrono>

#include "kernels.h"

using namespace kernels;
using mock::Card;
using mock::Code;
using mock::Queue;
using mock::WaitResult;

namespace {

struct Lost {
    std::atomic<int> told{0};
    std::string reason;
};

void listen(Card& card, Lost& lost) {
    card.on_lost([&lost](const std::string& reason) {
        lost.reason = reason;
        ++lost.told;
    });
}

} // namespace

TEST_SUITE("card.lost") {
    TEST_CASE("ends waits at once, though a kernel goes on running") {
        Card card(discrete(), {}), healthy(discrete(), {});
        Lost lost;
        listen(card, lost);
        /* A lost card's kernel runs on when the test is over. */
        static Gate gate;
        static const Kernel hold(hold_desc()), increment(increment_desc());
        const Gate* pointer = &gate;
        {
            auto queue = make_queue(card), idle = make_queue(card), behind = make_queue(healthy);
            Buffer counter(card, 8);
            const uint64_t block = counter.address();
            REQUIRE(queue->launch(hold, {}, &pointer, 1).ok());
            REQUIRE(queue->launch(increment, {}, &block, 2).ok());
            REQUIRE(behind->after(*queue, 2, 1).ok());
            gate.await_running();
            std::atomic<int> ended{0};
            std::vector<std::thread> waiters;
            for (uint64_t value : {1, 2, 2, 1000}) {
                waiters.emplace_back([&, value] {
                    CHECK(queue->wait(value, kForever) == WaitResult::kFailed);
                    ++ended;
                });
            }
            waiters.emplace_back([&] {
                CHECK(behind->wait(1, kForever) == WaitResult::kFailed);
                ++ended;
            });
            waiters.emplace_back([&] {
                CHECK(card.synchronize(kForever) == WaitResult::kFailed);
                ++ended;
            });
            std::atomic<int> notified{0};
            queue->notify(2, [&](const mock::Status& status) { notified += status.code() == Code::kLost ? 1 : 100; });
            const auto start = std::chrono::steady_clock::now();
            card.set_lost("a test said so");
            card.set_lost("and again");
            for (auto& waiter : waiters)
                waiter.join();
            const auto taken = std::chrono::steady_clock::now() - start;
            MESSAGE("waits ended after ", std::chrono::duration_cast<std::chrono::microseconds>(taken).count(), " us");
            CHECK(ended.load() == 6);
            CHECK(notified.load() == 1);
            CHECK(lost.told.load() == 1);
            CHECK(lost.reason == "a test said so");
            CHECK(card.lost());
            CHECK(queue->failure().code() == Code::kLost);
            CHECK(contains(queue->failure().message(), "test card is lost: a test said so"));
            CHECK(behind->failure().code() == Code::kCancelled);
            CHECK(contains(behind->failure().message(), "a test said so"));

            for (const mock::Status& status :
                 {queue->launch(increment, {}, &block, 3), idle->launch(increment, {}, &block, 1),
                  queue->copy({counter.place(), counter.place(), 8, 1, 0, 0}, 4), card.write(block, &block, 8),
                  card.allocate(8, 8, mock::MemoryKind::kDevice).status(), card.create_queue({}).status()}) {
                CHECK(status.code() == Code::kLost);
            }
            auto well = make_queue(healthy);
            const Kernel kernel(empty_desc());
            CHECK(well->launch(kernel, {}, nullptr, 1).ok());
            CHECK(well->wait(1, kForever) == WaitResult::kReached);
        } /* queues and memory go while the kernel still runs */
        gate.released.store(1);
    }

    TEST_CASE("what its running kernel needs is kept until the kernel has ended") {
        Card card(discrete(), {});
        static Gate gate;
        const Gate* pointer = &gate;
        auto kernel = std::make_shared<Kernel>(hold_desc());
        const std::weak_ptr<Kernel> alive = kernel;
        auto queue = make_queue(card);
        REQUIRE(queue->launch(*kernel, {}, &pointer, 1).ok());
        gate.await_running();
        card.set_lost("test");
        queue.reset();
        card.retire(std::move(kernel));
        CHECK_FALSE(alive.expired());
        CHECK(card.reset().ok());
        CHECK_FALSE(alive.expired());
        gate.released.store(1);
        while (!alive.expired()) {
            card.retire(nullptr); /* looks whether anything has ended */
            std::this_thread::yield();
        }
    }

    TEST_CASE("ends at the operation its profile says") {
        mock::CardProfile profile = discrete();
        profile.lost_after_operations = 10;
        Card card(profile, {});
        Lost lost;
        listen(card, lost);
        auto queue = make_queue(card);
        const Kernel kernel(empty_desc());
        for (uint64_t value = 1; value <= 9; ++value)
            CHECK(queue->launch(kernel, {}, nullptr, value).ok());
        CHECK(queue->launch(kernel, {}, nullptr, 10).code() == Code::kLost);
        CHECK(lost.told.load() == 1);
        CHECK(contains(card.loss().message(), "the profile loses it at operation 10"));
    }

    TEST_CASE("reached values stay reached") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(empty_desc());
        REQUIRE(queue->launch(kernel, {}, nullptr, 1).ok());
        REQUIRE(queue->wait(1, kForever) == WaitResult::kReached);
        card.set_lost("test");
        CHECK(queue->wait(1, kForever) == WaitResult::kReached);
        CHECK(queue->wait(2, kForever) == WaitResult::kFailed);
    }
}

TEST_SUITE("card.reset") {
    TEST_CASE("makes a lost card well, with all its memory") {
        Card card(discrete(1 << 20), {});
        {
            Buffer buffer(card, 1 << 19);
            auto queue = make_queue(card);
            card.set_lost("test");
        }
        REQUIRE(card.reset().ok());
        CHECK_FALSE(card.lost());
        CHECK(card.loss().ok());
        CHECK(card.free_bytes() == 1 << 20);
        auto queue = make_queue(card);
        Buffer counter(card, 8);
        counter.write<uint64_t>({1});
        const uint64_t block = counter.address();
        const Kernel kernel(increment_desc());
        REQUIRE(queue->launch(kernel, {}, &block, 1).ok());
        REQUIRE(queue->wait(1, kForever) == WaitResult::kReached);
        CHECK(counter.read<uint64_t>(1).at(0) == 2);
    }
}

TEST_SUITE("card.reset.running") {
    TEST_CASE("a kernel from before keeps what it needs, and memory made since can be freed") {
        Card card(discrete(1 << 20), {});
        Gate gate;
        const Gate* pointer = &gate;
        auto kernel = std::make_shared<const Kernel>(hold_desc());
        const std::weak_ptr<const Kernel> alive = kernel;
        auto queue = make_queue(card);
        REQUIRE(queue->launch(*kernel, {}, &pointer, 1).ok());
        gate.await_running();
        REQUIRE(card.reset().ok());
        card.retire(std::move(kernel)); /* after the reset, as a host unloads programs late */
        CHECK_FALSE(alive.expired());
        { Buffer buffer(card, 1 << 19); }
        CHECK(card.free_bytes() == 1 << 20);
        gate.released.store(1);
        while (!alive.expired()) {
            card.retire(nullptr);
            std::this_thread::yield();
        }
    }

    TEST_CASE("a card that was removed stays lost") {
        Card card(discrete(), {});
        card.set_removed("pulled out");
        CHECK(card.reset().code() == Code::kLost);
        CHECK(card.lost());
        CHECK(contains(card.loss().message(), "pulled out"));
    }

    TEST_CASE("who waits for a loss is told of a reset too") {
        Card card(discrete(), {});
        std::atomic<bool> told{false};
        std::thread waiter([&] {
            CHECK(card.await_loss().code() == Code::kLost);
            told.store(true);
        });
        while (!told.load()) /* the waiter may not be there yet */
            CHECK(card.reset().ok());
        waiter.join();
    }
}

TEST_SUITE("queue.stall") {
    TEST_CASE("an operation that never ends keeps those behind it, and the card's loss ends the waits") {
        Card card(discrete(), {});
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        const Kernel increment(increment_desc());
        auto queue = make_queue(card);
        REQUIRE(queue->launch(increment, {}, &block, 1).ok());
        REQUIRE(queue->stall(2).ok());
        REQUIRE(queue->launch(increment, {}, &block, 3).ok());
        CHECK(queue->wait(1, kForever) == WaitResult::kReached);
        CHECK(queue->wait(3, 5 * kMillisecond) == WaitResult::kTimeout);
        CHECK(counter.read<uint64_t>(1).at(0) == 1);
        std::thread loser([&card] { card.set_lost("test"); });
        CHECK(queue->wait(3, kForever) == WaitResult::kFailed);
        loser.join();
    }
}

TEST_SUITE("queue.destroy") {
    TEST_CASE("drops what has not started and waits for what runs") {
        Card card(discrete(), {});
        Gate gate;
        const Gate* pointer = &gate;
        const Kernel hold(hold_desc()), increment(increment_desc());
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        auto queue = make_queue(card);
        REQUIRE(queue->launch(hold, {}, &pointer, 1).ok());
        REQUIRE(queue->launch(increment, {}, &block, 2).ok());
        gate.await_running();
        std::thread opener([&gate] {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            gate.released.store(1);
        });
        queue.reset();
        CHECK(gate.released.load() == 1);
        opener.join();
        CHECK(counter.read<uint64_t>(1).at(0) == 0);
    }
}
