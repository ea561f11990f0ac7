// Size classes: every size has one, in order, and rounding up to it adds less than an eighth.
#include "pool/size_class.h"

#include <doctest/doctest.h>

using namespace qiao;

TEST_SUITE("pool.size_class") {
    TEST_CASE("classes rise, and each one's own size is in it") {
        for (uint32_t index = 1; index <= class_below(kMaxGranules); ++index) {
            CHECK(class_granules(index) > class_granules(index - 1));
            CHECK(class_below(class_granules(index)) == index);
            CHECK(class_above(class_granules(index)) == index);
        }
        CHECK(class_below(kMaxGranules) < kClasses);
    }

    TEST_CASE("a size is between the classes below and above it") {
        for (uint64_t granules = 1; granules <= kMaxGranules; granules += 1 + granules / 1000) {
            INFO("granules ", granules);
            CHECK(class_granules(class_below(granules)) <= granules);
            CHECK(class_granules(class_above(granules)) >= granules);
            CHECK(class_above(granules) - class_below(granules) <= 1);
        }
    }

    TEST_CASE("rounding up adds less than one eighth, and nothing up to 16 granules") {
        for (uint64_t granules = 1; granules <= 100'000; ++granules) {
            const uint64_t added = class_granules(class_above(granules)) - granules;
            CHECK(8 * added < granules);
            if (granules <= 16) CHECK(added == 0);
        }
    }
}
