// A timeline's value only rises, its first failure stays, and no parked thread misses a change.
#include "object/timeline.h"

#include "../threads.h"

using qiao::ErrorRecord;
using qiao::Parking;
using qiao::Timeline;

namespace {

ErrorRecord record_of(qiao_status status, const char* message) {
    ErrorRecord record;
    record.status = status;
    record.message = message;
    return record;
}

}  // namespace

TEST_SUITE_BEGIN("timeline");

TEST_CASE("advancing never lowers the value") {
    Timeline timeline(nullptr, nullptr, 5);
    CHECK(timeline.reached == 5);
    qiao::timeline_advance(timeline, 9);
    CHECK(timeline.reached == 9);
    qiao::timeline_advance(timeline, 7);
    CHECK(timeline.reached == 9);
    qiao::timeline_advance(timeline, UINT64_MAX);
    CHECK(timeline.reached == UINT64_MAX);
}

TEST_CASE("threads that advance it at once leave the highest value") {
    Timeline timeline(nullptr, nullptr, 0);
    test::on_threads(4, [&](int index) {
        for (uint64_t value = 1; value <= 5'000; ++value) {
            qiao::timeline_advance(timeline, 4 * value + static_cast<uint64_t>(index));
        }
    });
    CHECK(timeline.reached == 4 * 5'000 + 3);
}

TEST_CASE("the first failure stays") {
    Timeline timeline(nullptr, nullptr, 0);
    qiao::timeline_fail(timeline, record_of(QIAO_ERROR_PLUGIN, "the first"));
    qiao::timeline_fail(timeline, record_of(QIAO_ERROR_DEVICE_LOST, "the second"));
    CHECK(timeline.failed);
    CHECK(timeline.failure.status == QIAO_ERROR_PLUGIN);
    CHECK(timeline.failure.message == "the first");
}

TEST_CASE("of threads that fail it at once exactly one wins, with its whole record") {
    for (int round = 0; round < 50; ++round) {
        Timeline timeline(nullptr, nullptr, 0);
        test::on_threads(3, [&](int index) {
            qiao::timeline_fail(timeline, record_of(QIAO_ERROR_INVALID_ARGUMENT - index, std::to_string(index).c_str()));
        });
        const int winner = QIAO_ERROR_INVALID_ARGUMENT - timeline.failure.status;
        CHECK(winner >= 0);
        CHECK(winner < 3);
        CHECK(timeline.failure.message == std::to_string(winner));
    }
}

TEST_CASE("what changes after a thread has announced that it parks is not missed") {
    Timeline timeline(nullptr, nullptr, 0);
    Parking parking(timeline);
    qiao::timeline_advance(timeline, 1);
    parking.wait(UINT64_MAX); /* returns: the change came between announcement and wait */
    CHECK(timeline.reached == 1);
}

TEST_CASE("a parked thread wakes by value, by failure and by deadline") {
    Timeline timeline(nullptr, nullptr, 0);
    SUBCASE("value") {
        test::ObservedThread waiter([&] {
            for (;;) {
                Parking parking(timeline);
                if (timeline.reached >= 3) return;
                parking.wait(UINT64_MAX);
            }
        });
        CHECK(waiter.comes_to_rest());
        qiao::timeline_advance(timeline, 2); /* wakes it in vain */
        qiao::timeline_advance(timeline, 3);
        waiter.join();
        CHECK(waiter.has_ended());
    }
    SUBCASE("failure") {
        test::ObservedThread waiter([&] {
            for (;;) {
                Parking parking(timeline);
                if (timeline.failed) return;
                parking.wait(UINT64_MAX);
            }
        });
        CHECK(waiter.comes_to_rest());
        qiao::timeline_fail(timeline, record_of(QIAO_ERROR_DEVICE_LOST, "lost"));
        waiter.join();
        CHECK(waiter.has_ended());
    }
    SUBCASE("deadline") {
        const uint64_t deadline = qiao::deadline_after(2'000'000);
        while (qiao::now_ns() < deadline) Parking(timeline).wait(deadline);
        CHECK(timeline.reached == 0);
    }
    CHECK(timeline.parked == 0);
}

TEST_CASE("every parked thread sees every value in turn") {
    Timeline timeline(nullptr, nullptr, 0);
    constexpr uint64_t kLast = 300;
    std::atomic<uint64_t> seen{0};
    test::on_threads(4, [&](int index) {
        if (index == 0) {
            for (uint64_t value = 1; value <= kLast; ++value) qiao::timeline_advance(timeline, value);
            return;
        }
        for (uint64_t value = 1; value <= kLast; ++value) {
            for (;;) {
                Parking parking(timeline);
                if (timeline.reached >= value) break;
                parking.wait(UINT64_MAX);
            }
            ++seen;
        }
    });
    CHECK(seen == 3 * kLast);
    CHECK(timeline.parked == 0);
}

TEST_SUITE_END();
