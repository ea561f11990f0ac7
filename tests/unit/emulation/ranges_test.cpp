// Sets of bytes: adding and removing ranges in any order gives what a set of single bytes would have.
#include "emulation/ranges.h"

#include <doctest/doctest.h>

#include <iterator>
#include <random>
#include <set>

using qiao::Range;
using qiao::Ranges;

namespace {

std::set<uint64_t> bytes_of(const Ranges& ranges) {
    std::set<uint64_t> bytes;
    uint64_t last_end = 0;
    bool is_first = true;
    for (const Range& range : ranges) {
        CHECK(range.begin < range.end);
        CHECK((is_first || range.begin > last_end));  // neither overlapping nor touching
        for (uint64_t at = range.begin; at < range.end; ++at) bytes.insert(at);
        last_end = range.end;
        is_first = false;
    }
    return bytes;
}

}  // namespace

TEST_CASE("ranges that touch become one, and one that is cut becomes two") {
    Ranges ranges;
    CHECK(ranges.empty());
    ranges.add({10, 20});
    ranges.add({30, 40});
    ranges.add({20, 30});
    CHECK(std::distance(ranges.begin(), ranges.end()) == 1);
    ranges.remove({15, 16});
    CHECK(std::distance(ranges.begin(), ranges.end()) == 2);
    const auto parts = ranges.within({12, 18});
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].begin == 12);
    CHECK(parts[0].end == 15);
    CHECK(parts[1].begin == 16);
    CHECK(parts[1].end == 18);
    ranges.remove({0, 100});
    CHECK(ranges.empty());
}

TEST_CASE("any sequence leaves what a set of bytes has") {
    const uint32_t seed = 20261126;
    INFO("seed ", seed);
    std::mt19937 random(seed);
    for (int sequence = 0; sequence < 200; ++sequence) {
        Ranges ranges;
        std::set<uint64_t> model;
        for (int step = 0; step < 40; ++step) {
            const uint64_t begin = random() % 60, end = begin + 1 + random() % 20;
            const bool is_added = random() % 3 != 0;
            is_added ? ranges.add({begin, end}) : ranges.remove({begin, end});
            for (uint64_t at = begin; at < end; ++at) {
                if (is_added) model.insert(at);
                else model.erase(at);
            }
            REQUIRE(bytes_of(ranges) == model);
        }
        const uint64_t begin = random() % 60, end = begin + 1 + random() % 20;
        uint64_t within = 0;
        for (const Range& part : ranges.within({begin, end})) within += part.end - part.begin;
        CHECK(within == static_cast<uint64_t>(std::distance(model.lower_bound(begin), model.lower_bound(end))));
    }
}
