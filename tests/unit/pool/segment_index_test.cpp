// The index of segments against a plain list: segments that share a megabyte, that cover several, that come and go.
#include "pool/segment_index.h"

#include <doctest/doctest.h>

#include <iostream>
#include <random>

using namespace qiao;

namespace {

std::unique_ptr<Segment> make_segment(uint64_t address, uint64_t size_bytes, bool is_shared) {
    auto segment = std::make_unique<Segment>();
    segment->address = address;
    segment->size_bytes = size_bytes;
    segment->granule_bits = 8;
    segment->is_shared = is_shared;
    return segment;
}

}  // namespace

TEST_SUITE("pool.segment_index") {
    TEST_CASE("an empty index finds nothing") {
        const SegmentIndex index;
        for (const uint64_t address : {UINT64_C(0), UINT64_C(1) << 20, UINT64_MAX}) CHECK(index.find(address) == nullptr);
    }

    TEST_CASE("every segment is found from its first byte, a shared one from each, and nothing beside them") {
        constexpr unsigned kSeed = 20261126;
        std::cout << "seed " << kSeed << "\n";
        std::mt19937_64 random(kSeed);
        SegmentIndex index;
        std::vector<std::unique_ptr<Segment>> all;
        uint64_t end = UINT64_C(1) << 40;
        for (int step = 0; step < 20'000; ++step) {
            if (all.size() < 200 && random() % 5 < 3) {
                const uint64_t gap = random() % 3 == 0 ? 0 : random() % (3u << 20) / 256 * 256;
                const uint64_t size = (1 + random() % (random() % 2 == 0 ? 100 : 40'000)) * 256;
                all.push_back(make_segment(end + gap, size, random() % 2 == 0));
                end += gap + size;
                index.reserve(*all.back());
                index.insert(all.back().get());
            } else if (!all.empty()) {
                std::swap(all[random() % all.size()], all.back());
                index.erase(all.back().get());
                CHECK(index.find(all.back()->address) == nullptr);
                all.pop_back();
            }
            if (all.empty()) continue;
            const Segment& one = *all[random() % all.size()];
            REQUIRE(index.find(one.address) == &one);
            if (one.is_shared) REQUIRE(index.find(one.address + random() % one.size_bytes) == &one);
            const uint64_t any = (UINT64_C(1) << 40) + random() % (end - (UINT64_C(1) << 40));
            const Segment* found = index.find(any);
            for (const auto& segment : all) {
                if (segment->is_shared) REQUIRE(segment->contains(any) == (found == segment.get()));
            }
        }
    }
}
