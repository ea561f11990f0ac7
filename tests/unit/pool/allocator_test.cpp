// A pool's rules one by one: who may have freed memory and when, limits, what is given back, and what is wrong with a free.
#include "pool/allocator.h"

#include "support.h"

using namespace test;

namespace {

constexpr uint64_t kMiB = 1u << 20;

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}
#define CHECK_MESSAGE_HAS(part)                                   \
    do {                                                          \
        INFO(qiao::last_error().message);                         \
        CHECK(has(qiao::last_error().message, part));             \
    } while (false)

}  // namespace

TEST_SUITE("pool.order") {
    TEST_CASE("the same queue gets at once what it freed, another one when the work has ended") {
        for (const uint64_t size : {UINT64_C(100), UINT64_C(300'000), 5 * kMiB}) {
            INFO("size ", size);
            Pool pool;
            Order a, b;
            const uint64_t address = pool.allocate(size, &a);
            a.submit();
            pool.free(address, &a);
            const uint64_t other = pool.allocate(size, &b);
            CHECK(other != address);
            CHECK(pool.allocate(size, nullptr) != address);
            const uint64_t again = pool.allocate(size, &a);
            CHECK(again == address);
            pool.free(again, &a);
            a.finish();
            CHECK(pool.allocate(size, &b) == address);
        }
    }

    TEST_CASE("memory that no work uses is anybody's") {
        Pool pool;
        Order a;
        const uint64_t address = pool.allocate(1000, &a);
        a.submit();
        pool.free(address, nullptr);
        CHECK(pool.allocate(1000, nullptr) == address);
    }

    TEST_CASE("pieces behind one queue's work are put together, also before it has ended") {
        Pool pool;
        Order a;
        std::vector<uint64_t> pieces;
        for (int i = 0; i < 4; ++i) pieces.push_back(pool.allocate(kMiB, &a));
        CHECK(pool.account.allocations == 1);
        a.submit();
        for (const uint64_t piece : pieces) pool.free(piece, &a);
        const qiao_pool_statistics now = pool.allocator.statistics();
        CHECK(now.largest_free_bytes == 4 * kMiB);
        CHECK(now.pending_bytes == 4 * kMiB);
        CHECK(now.fragmentation == 0.0);
    }

    TEST_CASE("pieces behind two queues' work stay apart until it has ended") {
        Pool pool;
        Order a, b;
        std::vector<uint64_t> pieces;
        for (int i = 0; i < 4; ++i) pieces.push_back(pool.allocate(kMiB, &a));
        a.submit();
        b.submit();
        for (int i = 0; i < 4; ++i) pool.free(pieces[static_cast<size_t>(i)], i % 2 == 0 ? &a : &b);
        CHECK(pool.allocator.statistics().largest_free_bytes == kMiB);
        a.finish();
        b.finish();
        pool.free(pool.allocate(2 * kMiB - 1, nullptr), nullptr);  // finds nothing, and so asks
        for (int i = 0; i < 4; ++i) pieces[static_cast<size_t>(i)] = pool.allocate(kMiB, nullptr);
        CHECK(pool.account.allocations == 2);
    }

    TEST_CASE("a free that comes after the work has ended leaves nothing pending") {
        Pool pool;
        Order a;
        const uint64_t address = pool.allocate(500'000, &a);
        a.submit();
        a.finish();
        pool.free(address, &a);
        CHECK(pool.allocator.statistics().pending_bytes == 0);
    }

    TEST_CASE("an allocation that finds no memory waits for the work that uses it") {
        Pool pool({.reserve_limit_bytes = 4 * kMiB});
        Order a, b;
        const uint64_t address = pool.allocate(4 * kMiB, &a);
        const uint64_t value = a.submit();
        pool.free(address, &a);
        ObservedThread waiter([&] { CHECK(pool.allocate(4 * kMiB, &b) == address); });
        CHECK(waiter.comes_to_rest());
        a.reach(value);
        waiter.join();
    }
}

TEST_SUITE("pool.limits") {
    TEST_CASE("under the limit nobody waits for one queue's work while another's memory is enough") {
        Pool pool({.reserve_limit_bytes = 8 * kMiB});
        Order endless, a, b;
        const uint64_t held = pool.allocate(4 * kMiB, &endless), wanted = pool.allocate(4 * kMiB, &a);
        endless.submit();
        const uint64_t value = a.submit();
        pool.free(held, &endless);
        pool.free(wanted, &a);
        ObservedThread waiter([&] { CHECK(pool.allocate(4 * kMiB, &b) == wanted); });
        CHECK(waiter.comes_to_rest());
        a.reach(value);
        waiter.join();
    }

    TEST_CASE("unused segments make room before anybody waits") {
        Pool pool({.reserve_limit_bytes = 10 * kMiB});
        Order endless;
        const uint64_t held = pool.allocate(3 * kMiB, &endless);
        endless.submit();
        pool.free(pool.allocate(5 * kMiB));
        pool.free(held, &endless);
        pool.allocate(7 * kMiB);
        CHECK(pool.account.bytes == 10 * kMiB);
        CHECK(pool.allocator.statistics().pending_bytes == 3 * kMiB);
    }

    TEST_CASE("addresses are aligned, by 256 or by what is asked for") {
        for (const uint64_t alignment : {UINT64_C(256), UINT64_C(4096), 2 * kMiB}) {
            Pool pool({.alignment = alignment});
            for (const uint64_t size : {UINT64_C(1), alignment, alignment + 1, 3 * kMiB}) CHECK(pool.allocate(size) % alignment == 0);
        }
    }

    TEST_CASE("the reserve limit holds, is used to the end, and is told") {
        Pool pool({.reserve_limit_bytes = 5 * kMiB});
        for (int i = 0; i < 5; ++i) pool.allocate(kMiB);
        CHECK(pool.account.bytes == 5 * kMiB);
        uint64_t address = 1;
        CHECK(pool.allocator.allocate(nullptr, 300, address) == QIAO_ERROR_OUT_OF_MEMORY);
        CHECK_MESSAGE_HAS("300 bytes");
        CHECK_MESSAGE_HAS("its limit is 5242880");
        CHECK(pool.allocator.statistics().reserved_bytes == 5 * kMiB);
    }

    TEST_CASE("what can never fit fails at once, and nothing is given back or waited for") {
        Pool pool({.reserve_limit_bytes = 5 * kMiB});
        Order a;
        const uint64_t pending = pool.allocate(2 * kMiB, &a);
        a.submit();
        pool.free(pending, &a);
        uint64_t address = 1;
        CHECK(pool.allocator.allocate(nullptr, 6 * kMiB, address) == QIAO_ERROR_OUT_OF_MEMORY);
        CHECK(pool.account.bytes == 2 * kMiB);
    }

    TEST_CASE("unused segments make room for one that fits under the limit") {
        Pool pool({.reserve_limit_bytes = 16 * kMiB});
        for (int i = 0; i < 4; ++i) pool.free(pool.allocate((4 + static_cast<uint64_t>(i)) * kMiB));
        pool.allocate(15 * kMiB);
        CHECK(pool.account.bytes == 15 * kMiB);
    }

    TEST_CASE("where a segment does not fit any more, one of the allocation's size may") {
        Pool pool;
        pool.account.capacity_bytes = 2 * kMiB;
        pool.allocate(1000);
        CHECK(pool.account.bytes == 1024);
        pool.account.capacity_bytes = 1024;
        uint64_t address = 1;
        CHECK(pool.allocator.allocate(nullptr, 1000, address) == QIAO_ERROR_OUT_OF_MEMORY);
        CHECK_MESSAGE_HAS("the device has no more: the source is empty");
        CHECK(pool.allocator.statistics().reserved_bytes == 1024);
    }

    TEST_CASE("a source with a largest segment gets no larger request, and that size is used again") {
        Pool pool({.max_segment_bytes = 1'000'000});
        const uint64_t address = pool.allocate(1'000'000);
        CHECK(pool.account.bytes == 1'000'000);
        pool.free(address);
        CHECK(pool.allocate(1'000'000) == address);
        CHECK(pool.allocate(400'000) != 0);
        CHECK(pool.account.segments.rbegin()->second <= 1'000'000);
    }

    TEST_CASE("a size that no pool has is refused") {
        Pool pool;
        uint64_t address = 1;
        CHECK(pool.allocator.allocate(nullptr, UINT64_MAX - 7, address) == QIAO_ERROR_OUT_OF_RANGE);
        CHECK_MESSAGE_HAS("18446744073709551608");
    }
}

TEST_SUITE("pool.give_back") {
    TEST_CASE("trim gives unused segments back, down to what is to be kept, and no others") {
        Pool pool;
        const uint64_t kept = pool.allocate(100);
        pool.free(pool.allocate(8 * kMiB));
        pool.free(pool.allocate(16 * kMiB));
        CHECK(pool.account.bytes == 28 * kMiB);
        pool.allocator.trim(28 * kMiB);
        CHECK(pool.account.bytes == 28 * kMiB);
        pool.allocator.trim(13 * kMiB);
        CHECK(pool.account.bytes == 12 * kMiB);
        pool.allocator.trim(0);
        CHECK(pool.account.bytes == 4 * kMiB);
        pool.free(kept);
        pool.allocator.trim(0);
        CHECK(pool.account.bytes == 0);
        CHECK(pool.allocator.statistics().segment_count == 0);
    }

    TEST_CASE("pending segments are given back too: the source defers") {
        Pool pool;
        Order a;
        const uint64_t address = pool.allocate(8 * kMiB, &a);
        a.submit();
        pool.free(address, &a);
        pool.allocator.trim(0);
        CHECK(pool.account.bytes == 0);
    }

    TEST_CASE("an idle limit holds whenever a segment becomes unused, and when nothing is used any more") {
        Pool pool({.idle_limit_bytes = 8 * kMiB});
        const uint64_t small = pool.allocate(100), large = pool.allocate(8 * kMiB), larger = pool.allocate(9 * kMiB);
        pool.free(larger);
        CHECK(pool.account.bytes == 12 * kMiB);
        pool.free(large);
        CHECK(pool.account.bytes == 12 * kMiB);
        pool.free(small);  // stays in the thread's cache otherwise
        CHECK(pool.account.bytes <= 8 * kMiB);
    }

    TEST_CASE("a pool ends with allocations alive, and gives everything back") {
        HostSegments::Account account;
        {
            qiao::PoolAllocator pool(std::make_unique<HostSegments>(account, 256), {});
            uint64_t address = 0;
            for (const uint64_t size : {UINT64_C(1), UINT64_C(100'000), 9 * kMiB}) REQUIRE(pool.allocate(nullptr, size, address) == QIAO_OK);
        }
        CHECK(account.segments.empty());
    }
}

TEST_SUITE("pool.free") {
    TEST_CASE("a freed, an interior and a foreign address are told apart, and nothing is changed") {
        Pool pool;
        Order a;
        int foreign = 0;
        const uint64_t small = pool.allocate(1000), other = pool.allocate(70'000), large = pool.allocate(9 * kMiB);
        pool.free(other, &a);
        const qiao_pool_statistics before = pool.allocator.statistics();
        const auto refused = [&](uint64_t address) { return pool.allocator.free(address, a.get(), 1); };
        CHECK(refused(small + 1) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK_MESSAGE_HAS("is 1 bytes inside the allocation of 1000 bytes");
        CHECK(refused(small + 256) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK_MESSAGE_HAS("is 256 bytes inside");
        CHECK(refused(large + 5 * kMiB) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK_MESSAGE_HAS("is 5242880 bytes inside the allocation of 9437184 bytes");
        CHECK(refused(other) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK_MESSAGE_HAS("freed already");
        CHECK(refused(reinterpret_cast<uintptr_t>(&foreign)) == QIAO_ERROR_NOT_FOUND);
        CHECK_MESSAGE_HAS("in no segment of the pool");
        CHECK(refused(UINT64_MAX) == QIAO_ERROR_NOT_FOUND);
        const qiao_pool_statistics after = pool.allocator.statistics();
        CHECK(after.used_bytes == before.used_bytes);
        CHECK(after.allocation_count == 2);
        pool.free(small);
        pool.free(large);
        CHECK(refused(large) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK_MESSAGE_HAS("freed already");
        CHECK(pool.allocator.statistics().used_bytes == 0);
    }

    TEST_CASE("of two threads that free one address exactly one succeeds") {
        Pool pool;
        for (int round = 0; round < 500; ++round) {
            const uint64_t size = round % 3 == 0 ? 3 * kMiB : 512;
            const uint64_t address = pool.allocate(size);
            std::atomic<int> freed{0};
            on_threads(2, [&](int) { freed += pool.allocator.free(address, nullptr, 0) == QIAO_OK ? 1 : 0; });
            REQUIRE(freed == 1);
        }
        CHECK(pool.allocator.statistics().allocation_count == 0);
    }
}

TEST_SUITE("pool.statistics") {
    TEST_CASE("peaks stay until they are reset") {
        Pool pool;
        const uint64_t address = pool.allocate(10 * kMiB);
        pool.free(address);
        pool.allocator.trim(0);
        pool.allocate(256);
        CHECK(pool.allocator.statistics().used_peak_bytes == 10 * kMiB);
        CHECK(pool.allocator.statistics().reserved_peak_bytes == 10 * kMiB);
        pool.allocator.reset_peaks();
        CHECK(pool.allocator.statistics().used_peak_bytes == 256);
        CHECK(pool.allocator.statistics().reserved_peak_bytes == 4 * kMiB);
    }

    TEST_CASE("reuse is counted, in order and otherwise") {
        Pool pool;
        Order a;
        const uint64_t address = pool.allocate(1000, &a);
        a.submit();
        pool.free(address, &a);
        pool.free(pool.allocate(1000, &a), nullptr);
        pool.allocate(1000, nullptr);
        const qiao_pool_statistics now = pool.allocator.statistics();
        CHECK(now.allocated_count == 3);
        CHECK(now.reused_count == 2);
        CHECK(now.reused_in_order_count == 1);
    }
}
