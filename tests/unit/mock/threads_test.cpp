/* Many threads at once: own queues, one queue with many waiters, queues that wait for each other. */
#include <random>

#include "kernels.h"

using namespace kernels;
using mock::Card;
using mock::Queue;
using mock::WaitResult;

TEST_SUITE("threads") {
    TEST_CASE("own queues, one kernel, mixed work") {
        Card card(discrete(), {});
        const Kernel increment(increment_desc()), add(add_desc());
        const auto work = [&](unsigned seed) {
            std::mt19937 random(seed);
            auto queue = make_queue(card, {.profiling = seed % 2 == 0, .priority = seed % 2});
            Buffer counter(card, 8), in(card, 40'000), out(card, 40'000);
            counter.write<uint64_t>({0});
            in.write(std::vector<uint32_t>(10'000, seed));
            uint64_t value = 0, increments = 0;
            for (int round = 0; round < 600; ++round) {
                const uint64_t counter_block = counter.address();
                const AddBlock add_block{in.address(), out.address(), 1, 0};
                switch (random() % 4) {
                    case 0:
                        CHECK(queue->launch(add, groups(100, 100), &add_block, ++value).ok());
                        break;
                    case 1:
                        CHECK(queue->copy({in.place(), out.place(), 40'000, 1, 0, 0}, ++value).ok());
                        break;
                    case 2:
                        CHECK(queue->wait(value, random() % 2 == 0 ? kForever : 0) != WaitResult::kFailed);
                        break;
                    default:
                        CHECK(queue->launch(increment, {}, &counter_block, ++value).ok());
                        ++increments;
                }
            }
            CHECK(queue->wait(value, kForever) == WaitResult::kReached);
            CHECK(counter.read<uint64_t>(1).at(0) == increments);
        };
        std::vector<std::thread> threads;
        for (unsigned seed = 1; seed <= 6; ++seed)
            threads.emplace_back(work, seed);
        for (auto& thread : threads)
            thread.join();
    }

    TEST_CASE("one submitter, many waiters, each for its own value") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(increment_desc());
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        constexpr uint64_t kCount = 2000;
        std::vector<std::thread> waiters;
        for (uint64_t first = 1; first <= 5; ++first) {
            waiters.emplace_back([&queue, first] {
                for (uint64_t value = first; value <= kCount; value += 7) {
                    CHECK(queue->wait(value, kForever) == WaitResult::kReached);
                    CHECK(queue->reached() >= value);
                }
            });
        }
        const uint64_t block = counter.address();
        for (uint64_t value = 1; value <= kCount; ++value) {
            kernel.learn(1, value % 3 == 0 ? UINT64_MAX / 2 : 1);
            CHECK(queue->launch(kernel, {}, &block, value).ok());
        }
        for (auto& waiter : waiters)
            waiter.join();
        CHECK(counter.read<uint64_t>(1).at(0) == kCount);
    }

    TEST_CASE("queues of several threads wait for each other in a ring") {
        Card card(discrete(), {});
        constexpr size_t kQueues = 4;
        constexpr uint64_t kRounds = 300;
        std::vector<std::unique_ptr<Queue>> queues;
        while (queues.size() < kQueues)
            queues.push_back(make_queue(card));
        const Kernel kernel(increment_desc());
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        std::vector<std::thread> threads;
        for (size_t index = 0; index < kQueues; ++index) {
            threads.emplace_back([&, index] {
                Queue& own = *queues[index];
                Queue& other = *queues[(index + kQueues - 1) % kQueues];
                for (uint64_t round = 1; round <= kRounds; ++round) {
                    /* The first queue of a round follows the last one of the round before. */
                    const uint64_t wanted = (index == 0 ? round - 1 : round) * 2;
                    while (other.submitted() < wanted)
                        std::this_thread::yield();
                    CHECK(own.after(other, wanted, round * 2 - 1).ok());
                    CHECK(own.launch(kernel, {}, &block, round * 2).ok());
                }
            });
        }
        for (auto& thread : threads)
            thread.join();
        CHECK(queues.back()->wait(kRounds * 2, kForever) == WaitResult::kReached);
        CHECK(counter.read<uint64_t>(1).at(0) == kRounds * kQueues);
    }

    TEST_CASE("machines come and go while others work") {
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([] {
                const Kernel kernel(empty_desc());
                for (int round = 0; round < 20; ++round) {
                    Card card(discrete(), {});
                    auto queue = make_queue(card);
                    for (uint64_t value = 1; value <= 20; ++value)
                        CHECK(queue->launch(kernel, {}, nullptr, value).ok());
                    CHECK(queue->wait(20, kForever) == WaitResult::kReached);
                }
            });
        }
        for (auto& thread : threads)
            thread.join();
    }

    TEST_CASE("memory is allocated, found and freed from many threads") {
        Card card(discrete(), {});
        std::vector<std::thread> threads;
        for (unsigned seed = 1; seed <= 4; ++seed) {
            threads.emplace_back([&card, seed] {
                std::mt19937 random(seed);
                auto queue = make_queue(card);
                const Kernel kernel(increment_desc());
                uint64_t value = 0;
                for (int round = 0; round < 300; ++round) {
                    Buffer buffer(card, 8 + random() % 100'000);
                    buffer.write<uint64_t>({41});
                    const uint64_t block = buffer.address();
                    CHECK(queue->launch(kernel, {}, &block, ++value).ok());
                    CHECK(queue->wait(value, kForever) == WaitResult::kReached);
                    CHECK(buffer.read<uint64_t>(1).at(0) == 42);
                }
            });
        }
        for (auto& thread : threads)
            thread.join();
        CHECK(card.synchronize(kForever) == WaitResult::kReached);
    }
}
