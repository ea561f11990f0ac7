/* Lists of runs: joined, cut, divided. */
#include "tracking/run.h"

#include <doctest/doctest.h>

#include <random>

using qiao::Run;

namespace {

using Runs = std::vector<Run>;

Runs from_bits(const std::vector<bool>& bits) {
    Runs runs;
    for (uint64_t bit = 0; bit < bits.size(); ++bit) {
        if (bits[bit]) qiao::append(runs, {bit, 1});
    }
    return runs;
}

}  // namespace

TEST_SUITE_BEGIN("run");

TEST_CASE("runs that touch become one, and gaps are bridged as far as asked") {
    Runs runs;
    for (const Run& run : {Run{0, 4}, Run{4, 4}, Run{10, 2}}) qiao::append(runs, run);
    CHECK(runs == Runs{{0, 8}, {10, 2}});
    qiao::append(runs, {14, 1}, 1);
    qiao::append(runs, {17, 1}, 2);
    CHECK(runs == Runs{{0, 8}, {10, 2}, {14, 4}});
    qiao::append(runs, {15, 1});
    CHECK(runs.back() == Run{14, 4});
    qiao::append(runs, {0, 2});
    CHECK(runs == Runs{{0, 8}, {10, 2}, {14, 4}, {0, 2}});
}

TEST_CASE("any order is sorted, overlaps are counted once") {
    Runs runs{{8, 4}, {0, 2}, {10, 4}, {2, 1}, {9, 1}};
    qiao::normalize(runs);
    CHECK(runs == Runs{{0, 3}, {8, 6}});
    runs.clear();
    qiao::normalize(runs);
    CHECK(runs.empty());
}

TEST_CASE("clip leaves what is inside") {
    Runs runs{{0, 3}, {5, 5}, {20, 4}};
    qiao::clip(runs, 2, 8);
    CHECK(runs == Runs{{2, 1}, {5, 3}});
    qiao::clip(runs, 100, 200);
    CHECK(runs.empty());
}

TEST_CASE("extract divides a list in two, as bits would be") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 500; ++round) {
        std::vector<bool> bits(40);
        for (size_t bit = 0; bit < bits.size(); ++bit) bits[bit] = random() % 3 > 0;
        const uint64_t begin = random() % bits.size(), end = begin + 1 + random() % (bits.size() - begin);
        std::vector<bool> inside(bits.size()), outside = bits;
        for (uint64_t bit = begin; bit < end; ++bit) {
            inside[bit] = bits[bit];
            outside[bit] = false;
        }
        Runs from = from_bits(bits), out{{7, 7}};
        qiao::extract(from, begin, end, out);
        CHECK(out == from_bits(inside));
        CHECK(from == from_bits(outside));
    }
}

TEST_SUITE_END();
