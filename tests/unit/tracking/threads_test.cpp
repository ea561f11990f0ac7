/* Threads write while another one takes all the time: in the end the card has what the host has. */
#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>

#include "../threads.h"
#include "support.h"

using namespace tracking;

namespace {

constexpr int kWriters = 3;

void store(std::byte* address, uint64_t value) {
    std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(address)).store(value, std::memory_order_relaxed);
}

/* `write(writer, round)` on each of the writers while the card is kept equal; true if it is in the end. */
bool stays_equal(HostView& view, int rounds, bool rearm_all, const std::function<void(int, int)>& write) {
    Card card(view);
    std::atomic<int> writing{kWriters};
    test::on_threads(kWriters + 1, [&](int index) {
        if (index < kWriters) {
            for (int round = 0; round < rounds; ++round) write(index, round);
            --writing;
            return;
        }
        std::vector<Run> runs;
        for (uint64_t turn = 0; writing > 0; ++turn) {
            /* Now and then a part of it. */
            const uint64_t size = turn % 3 == 0 ? view.size_bytes() / 2 + 123 : view.size_bytes();
            if (view.take(0, size, rearm_all, runs) == QIAO_OK) card.receive(view, runs);
        }
    });
    card.sync(view, rearm_all);
    return card.has(view);
}

}  // namespace

TEST_SUITE_BEGIN("threads");

TEST_CASE("writers all over the memory, sharing pages") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    for (const Tracking tracking : all_trackings()) {
        for (const bool rearm_all : {false, true}) {
            CAPTURE(name(tracking));
            CAPTURE(rearm_all);
            const auto view = make(kChunk + kPage, tracking);
            std::vector<std::mt19937_64> random;
            for (unsigned writer = 0; writer < kWriters; ++writer) random.emplace_back(seed + writer);
            const uint64_t words = view->size_bytes() / 8 / kWriters;
            CHECK(stays_equal(*view, 100'000, rearm_all, [&](int writer, int) {
                auto& mine = random[static_cast<size_t>(writer)];
                store(view->app() + 8 * (mine() % words * kWriters + static_cast<uint64_t>(writer)), mine());
            }));
        }
    }
}

/* No later write brings along what was lost of an earlier one. */
TEST_CASE("each page is written once, in any order") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (const Tracking tracking : all_trackings()) {
        for (const bool rearm_all : {false, true}) {
            CAPTURE(name(tracking));
            CAPTURE(rearm_all);
            const auto view = make(16 * kChunk, tracking);
            std::vector<uint64_t> pages(view->size_bytes() / kPage / kWriters * kWriters);
            std::iota(pages.begin(), pages.end(), 0);
            std::shuffle(pages.begin(), pages.end(), random);
            const int rounds = static_cast<int>(pages.size() / kWriters);
            CHECK(stays_equal(*view, rounds, rearm_all, [&](int writer, int round) {
                store(view->app() + pages[static_cast<size_t>(round * kWriters + writer)] * kPage + 64, 1);
                if (round % 32 == 0) std::this_thread::yield(); /* many takes in between */
            }));
        }
    }
}

TEST_CASE("words that change and change back") {
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const auto view = make(kPage, tracking);
        CHECK(stays_equal(*view, 200'000, false, [&](int writer, int round) {
            store(view->app() + 64 * static_cast<uint64_t>(writer), static_cast<uint64_t>(round % 2));
        }));
    }
}

TEST_CASE("dense writes, unprotected and protected in turn") {
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const auto view = make(2 * kChunk, tracking);
        CHECK(stays_equal(*view, 100, false, [&](int writer, int round) {
            const uint64_t share = view->size_bytes() / kWriters / 8;
            for (uint64_t word = 0; word < share; word += 64)
                store(view->app() + 8 * (share * static_cast<uint64_t>(writer) + word), static_cast<uint64_t>(round));
        }));
    }
}

TEST_CASE("views come and go on several threads") {
    for (const Tracking tracking : all_trackings()) {
        std::atomic<int> wrong{0};
        test::on_threads(4, [&](int index) {
            for (int round = 0; round < 30; ++round) {
                std::unique_ptr<HostView> view;
                std::vector<Run> runs;
                if (HostView::create(kPage * static_cast<uint64_t>(1 + index), 1, tracking, view) != QIAO_OK) ++wrong;
                view->app()[0] = std::byte{1};
                if (view->take(0, view->size_bytes(), false, runs) != QIAO_OK || runs.size() != 1) ++wrong;
            }
        });
        CHECK(wrong == 0);
    }
}

TEST_SUITE_END();
