// The lock excludes, parks and wakes; deadlines saturate.
#include "object/lock.h"

#include "../threads.h"

using qiao::Lock;

TEST_SUITE_BEGIN("lock");

TEST_CASE("one thread at a time is inside") {
    Lock lock;
    uint64_t counter = 0; /* not atomic: only the lock protects it */
    constexpr int kThreads = 4, kRounds = 20'000;
    test::on_threads(kThreads, [&](int) {
        for (int round = 0; round < kRounds; ++round) {
            lock.lock();
            ++counter;
            lock.unlock();
        }
    });
    CHECK(counter == uint64_t{kThreads} * kRounds);
}

TEST_CASE("try_lock takes a free lock only") {
    Lock lock;
    REQUIRE(lock.try_lock());
    CHECK_FALSE(lock.try_lock());
    lock.unlock();
    CHECK(lock.try_lock());
    lock.unlock();
}

TEST_CASE("try_lock and lock share it fairly enough for both to end") {
    Lock lock;
    uint64_t counter = 0;
    test::on_threads(4, [&](int index) {
        for (int round = 0; round < 5'000; ++round) {
            if (index % 2 == 0) {
                lock.lock();
            } else {
                while (!lock.try_lock()) std::this_thread::yield();
            }
            ++counter;
            lock.unlock();
        }
    });
    CHECK(counter == 20'000);
}

TEST_CASE("a thread that has to wait sleeps, and the unlock wakes it") {
    Lock lock;
    std::atomic<bool> entered{false};
    lock.lock();
    test::ObservedThread waiter([&] {
        lock.lock();
        entered = true;
        lock.unlock();
    });
    CHECK(waiter.comes_to_rest());
    CHECK_FALSE(entered);
    lock.unlock();
    waiter.join();
    CHECK(entered);
}

TEST_CASE("one unlock after another wakes all that sleep") {
    Lock lock;
    std::atomic<int> entered{0};
    lock.lock();
    {
        const auto enter = [&] {
            lock.lock();
            ++entered;
            lock.unlock();
        };
        test::ObservedThread first(enter), second(enter), third(enter);
        CHECK(first.comes_to_rest());
        CHECK(second.comes_to_rest());
        CHECK(third.comes_to_rest());
        CHECK(entered == 0);
        lock.unlock();
    }
    CHECK(entered == 3);
    CHECK(lock.try_lock());
    lock.unlock();
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("futex");

TEST_CASE("a wait for a word that has changed already returns at once") {
    std::atomic<uint32_t> word{2};
    qiao::futex_wait(word, 1);
    CHECK(word == 2);
}

TEST_CASE("a wait ends at its deadline, not before") {
    std::atomic<uint32_t> word{1};
    const uint64_t deadline = qiao::deadline_after(2'000'000);
    while (qiao::now_ns() < deadline) qiao::futex_wait(word, 1, deadline);
    CHECK(qiao::now_ns() >= deadline);
    qiao::futex_wait(word, 1, 1); /* long past */
    CHECK(word == 1);
}

TEST_CASE("a wait without a deadline ends when woken") {
    std::atomic<uint32_t> word{1};
    test::ObservedThread waiter([&] {
        while (word == 1) qiao::futex_wait(word, 1);
    });
    CHECK(waiter.comes_to_rest());
    word = 2;
    qiao::futex_wake(word);
    waiter.join();
    CHECK(waiter.has_ended());
}

TEST_CASE("deadlines saturate instead of wrapping") {
    CHECK(qiao::deadline_after(QIAO_TIMEOUT_INFINITE) == UINT64_MAX);
    CHECK(qiao::deadline_after(UINT64_MAX - 1) == UINT64_MAX);
    const uint64_t before = qiao::now_ns();
    const uint64_t deadline = qiao::deadline_after(1'000'000'000);
    CHECK(deadline >= before + 1'000'000'000);
    CHECK(deadline <= qiao::now_ns() + 1'000'000'000);
}

TEST_SUITE_END();
