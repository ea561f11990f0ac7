// Several threads on one pool: each writes what it gets and finds it unchanged, whoever freed it before, also while others
// trim, ask and let the work of dead queues go.
#include "pool/allocator.h"

#include <iostream>
#include <random>

#include "support.h"

using namespace test;

namespace {

struct Held {
    uint64_t address;
    uint64_t words;
    uint64_t mark;
};

// Plain stores: two owners at a time are a race, and a changed word.
void write(const Held& held) {
    auto* words = reinterpret_cast<uint64_t*>(held.address);
    for (uint64_t i = 0; i < held.words; i += 16) words[i] = held.mark + i;
}
bool is_unchanged(const Held& held) {
    const auto* words = reinterpret_cast<const uint64_t*>(held.address);
    for (uint64_t i = 0; i < held.words; i += 16) {
        if (words[i] != held.mark + i) return false;
    }
    return true;
}

}  // namespace

TEST_SUITE("pool.threads") {
    TEST_CASE("what a thread got is its own, and the accounts are right in the end") {
        constexpr unsigned kSeed = 4711;
        std::cout << "seed " << kSeed << "\n";
        Pool pool({.idle_limit_bytes = 6u << 20});
        std::vector<std::unique_ptr<Order>> orders;
        for (int i = 0; i < 3; ++i) orders.push_back(std::make_unique<Order>());
        for (const auto& order : orders) order->submit(), order->finish();  // what is freed behind it is free at once
        std::mutex exchange;
        std::vector<Held> between;  // allocated by one thread, freed by another
        std::atomic<bool> is_sound{true};
        on_threads(4, [&](int index) {
            std::mt19937_64 random(kSeed + static_cast<unsigned>(index));
            std::vector<Held> own;
            for (uint64_t step = 0; step < 3000; ++step) {
                const Order* order = random() % 2 == 0 ? nullptr : orders[random() % orders.size()].get();
                if (own.size() < random() % 40) {
                    const uint64_t words = 1 + random() % (random() % 50 == 0 ? 300'000 : 2000);
                    own.push_back({pool.allocate(words * 8, order), words, uint64_t{static_cast<unsigned>(index)} << 56 | step << 24});
                    write(own.back());
                } else if (!own.empty()) {
                    std::swap(own[random() % own.size()], own.back());
                    Held held = own.back();
                    own.pop_back();
                    if (random() % 4 == 0) {
                        const std::lock_guard guard(exchange);
                        between.push_back(held);
                        std::swap(between[random() % between.size()], between.back());
                        held = between.back();
                        between.pop_back();
                    }
                    if (!is_unchanged(held)) is_sound = false;
                    pool.free(held.address, order);
                }
                if (random() % 200 == 0) pool.allocator.trim(0);
                if (random() % 200 == 0) static_cast<void>(pool.allocator.statistics());
            }
            for (const Held& held : own) pool.free(held.address);
        });
        CHECK(is_sound);
        for (const Held& held : between) pool.free(held.address);
        const qiao_pool_statistics now = pool.allocator.statistics();
        CHECK(now.allocation_count == 0);
        CHECK(now.used_bytes == 0);
        CHECK(now.requested_bytes == 0);
        CHECK(now.reserved_bytes == pool.account.bytes);
        CHECK(now.reserved_bytes <= 6u << 20);
    }

    TEST_CASE("threads that allocate and free in turn share nothing but what one has given away") {
        Pool pool;
        constexpr int kThreads = 4;
        on_threads(kThreads, [&](int) {
            for (int i = 0; i < 20'000; ++i) pool.free(pool.allocate(4096));
        });
        const qiao_pool_statistics now = pool.allocator.statistics();
        CHECK(now.allocated_count == kThreads * 20'000);
        CHECK(pool.account.allocations <= kThreads);
        CHECK(now.used_peak_bytes <= kThreads * 4096);
    }
}
