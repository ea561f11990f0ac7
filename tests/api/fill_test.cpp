// Fills: every pattern, every kind of memory and the host, and what is refused.
#include <cstring>

#include "support/session.h"

using namespace api;

namespace {

constexpr uint8_t kPattern[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

}  // namespace

TEST_SUITE("fill.memory") {
    TEST_CASE("patterns of every size, at every offset they divide") {
        Session session;
        const Queue queue = session.queue();
        for (qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE; kind <= QIAO_MEMORY_KIND_SHARED; ++kind) {
            if (!session.has_kind(kind)) continue;
            for (const uint32_t size : {1u, 2u, 4u, 8u, 16u}) {
                INFO("kind ", kind, ", pattern of ", size);
                const Memory memory = session.allocate(512, kind);
                std::vector<uint8_t> expected(512, 0xaa);
                REQUIRE_OK(qiao_memory_write(memory.get(), 0, expected.data(), 512));
                uint64_t value = 0;
                REQUIRE_OK(qiao_queue_fill(queue.get(), place(memory, 3 * size), 11 * size, kPattern, size, &value));
                for (uint32_t at = 0; at < 11; ++at) std::memcpy(expected.data() + (3 + at) * size, kPattern, size);
                wait_for(queue, value);
                CHECK(download<uint8_t>(memory, 512) == expected);
            }
        }
    }

    TEST_CASE("a pattern is copied when the fill is submitted") {
        Session session;
        const Queue queue = session.queue();
        const Timeline gate = session.timeline();
        const Memory memory = session.allocate(64);
        after(queue, gate.get(), 1);
        uint32_t pattern = 77;
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_fill(queue.get(), place(memory), 64, &pattern, sizeof pattern, &value));
        pattern = 88;
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(queue, value);
        CHECK(download<uint32_t>(memory, 16) == std::vector<uint32_t>(16, 77));
    }

    TEST_CASE("an address that is not a multiple of the pattern's size is no obstacle") {
        Session session;
        const Queue queue = session.queue();
        for (const uint32_t size : {2u, 4u, 8u, 16u}) {
            const Memory memory = session.allocate(256);
            std::vector<uint8_t> expected(256, 0x11);
            REQUIRE_OK(qiao_memory_write(memory.get(), 0, expected.data(), 256));
            uint64_t value = 0;
            REQUIRE_OK(qiao_queue_fill(queue.get(), place(memory, 1), 5 * size, kPattern, size, &value));
            for (uint32_t at = 0; at < 5; ++at) std::memcpy(expected.data() + 1 + at * size, kPattern, size);
            wait_for(queue, value);
            CHECK(download<uint8_t>(memory, 256) == expected);
        }
    }

    TEST_CASE("host memory, and more than any buffer in between") {
        Session session;
        const Queue queue = session.queue();
        std::vector<uint8_t> host(100, 0);
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_fill(queue.get(), place(host.data() + 1), 96, kPattern, 8, &value));
        wait_for(queue, value);
        CHECK(host[0] == 0);
        for (size_t at = 0; at < 96; ++at) REQUIRE(host[1 + at] == kPattern[at % 8]);
        CHECK(host[97] == 0);
        constexpr size_t kLarge = (4u << 20) + 4096 + 16;
        const Memory memory = session.allocate(kLarge);
        REQUIRE_OK(qiao_queue_fill(queue.get(), place(memory), kLarge, kPattern, 16, &value));
        wait_for(queue, value);
        const auto bytes = download<uint8_t>(memory, kLarge);
        for (size_t at = 0; at < kLarge; ++at) {
            if (bytes[at] == kPattern[at % 16]) continue;
            FAIL("byte ", at, " is ", int(bytes[at]));
        }
    }
}

TEST_SUITE("fill.refuses") {
    TEST_CASE("patterns, sizes and ranges that cannot be") {
        Session session;
        const Queue queue = session.queue();
        const Memory memory = session.upload(numbers(250));
        const auto refuse = [&](const qiao_place& target, uint64_t size, const void* pattern, uint32_t pattern_bytes, qiao_status expected,
                                std::initializer_list<const char*> fragments) {
            uint64_t value = 4711;
            check_fails("qiao_queue_fill", qiao_queue_fill(queue.get(), target, size, pattern, pattern_bytes, &value), expected, fragments);
            CHECK(value == 0);
        };
        for (const uint32_t wrong : {0u, 3u, 5u, 12u, 17u, 32u, UINT32_MAX}) {
            refuse(place(memory), 96, kPattern, wrong, QIAO_ERROR_INVALID_ARGUMENT, {"pattern_bytes", std::to_string(wrong).c_str(), "16"});
        }
        refuse(place(memory), 96, nullptr, 4, QIAO_ERROR_INVALID_ARGUMENT, {"pattern"});
        refuse(place(memory), 0, kPattern, 4, QIAO_ERROR_OUT_OF_RANGE, {"size_bytes 0", "4"});
        refuse(place(memory), 10, kPattern, 4, QIAO_ERROR_OUT_OF_RANGE, {"10", "4"});
        refuse(place(memory), 1004, kPattern, 4, QIAO_ERROR_OUT_OF_RANGE, {"1004", "1000"});
        refuse(place(memory, 4), 1000, kPattern, 4, QIAO_ERROR_OUT_OF_RANGE, {"1000"});
        refuse(place(memory), UINT64_MAX - 3, kPattern, 4, QIAO_ERROR_OUT_OF_RANGE, {"1000"});
        refuse({session.device, 0}, 16, kPattern, 4, QIAO_ERROR_OUT_OF_RANGE, {"0x0", "no allocation"});
        refuse({nullptr, 0}, 16, kPattern, 4, QIAO_ERROR_INVALID_ARGUMENT, {"null host pointer"});
        CHECK(download<uint32_t>(memory, 250) == numbers(250));
        CHECK(fill(queue, place(memory), 16, 3) == 1);
        wait_for(queue, 1);
        CHECK(download<uint32_t>(memory, 4) == std::vector<uint32_t>(4, 3));
    }
}
