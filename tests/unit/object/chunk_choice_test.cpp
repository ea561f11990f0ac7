// Which chunk sizes are tried, how much copying that takes, and what is kept.
#include "object/chunk_choice.h"

#include <doctest/doctest.h>

using qiao::ChunkChoice;

namespace {

// Copies all with a model of the time that a chunk takes; the number of trials.
template <class Time>
int copy(ChunkChoice& choice, uint64_t bytes, Time&& time_of_chunk) {
    int trials = 0;
    while (bytes != 0) {
        const ChunkChoice::Part part = choice.next(bytes);
        REQUIRE(part.bytes <= bytes);
        REQUIRE(part.bytes != 0);
        bytes -= part.bytes;
        if (!part.is_trial) continue;
        REQUIRE(part.bytes % part.chunk_bytes == 0);
        choice.learn(part, (part.bytes / part.chunk_bytes + 1) * time_of_chunk(part.chunk_bytes));
        ++trials;
    }
    return trials;
}

// Calls cost 10 us, and bytes more where a chunk does not fit a cache of 2 MiB.
uint64_t with_cache(uint64_t chunk) {
    return 10'000 + chunk / (chunk > (2u << 20) ? 5 : 10);
}

}  // namespace

TEST_SUITE_BEGIN("chunk_choice");

TEST_CASE("short copies try nothing") {
    ChunkChoice choice;
    CHECK(copy(choice, 1, with_cache) == 0);
    CHECK(copy(choice, (16u << 20) - 1, with_cache) == 0);
    CHECK(choice.best() == ChunkChoice::kDefault);
}

TEST_CASE("a large copy tries all sizes once, and what is best is kept") {
    ChunkChoice choice;
    CHECK(copy(choice, 200u << 20, with_cache) == 4);
    CHECK(choice.best() == 1u << 20);
    CHECK(copy(choice, 200u << 20, with_cache) == 0);
    CHECK(choice.next(12345).chunk_bytes == 1u << 20);
}

TEST_CASE("several copies try what each is long enough for") {
    ChunkChoice choice;
    CHECK(copy(choice, 16u << 20, with_cache) == 1);
    CHECK(choice.best() == 4u << 20);
    CHECK(copy(choice, 16u << 20, with_cache) == 2);
    CHECK(choice.best() == 1u << 20);
    CHECK(copy(choice, 63u << 20, with_cache) == 0);
    CHECK(copy(choice, 64u << 20, with_cache) == 1);
}

TEST_CASE("where calls are dear the largest wins, where large ones are the smallest does") {
    ChunkChoice dear, large;
    copy(dear, 200u << 20, [](uint64_t chunk) { return 1'000'000 + chunk / 10; });
    CHECK(dear.best() == 16u << 20);
    copy(large, 200u << 20, [](uint64_t chunk) { return chunk / (chunk > (512u << 10) ? 5 : 10); });
    CHECK(large.best() == 256u << 10);
}

TEST_SUITE_END();
