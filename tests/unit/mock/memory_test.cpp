/* Memory: limits, alignment, gaps, reuse, and the answer to "whose address is this". */
#include "mock/memory.h"

#include <random>
#include <set>

#include "kernels.h"

using kernels::contains;
using mock::Allocation;
using mock::Code;
using mock::Memory;
using mock::MemoryKind;

namespace {

Allocation* take(Memory& memory, uint64_t size, uint64_t alignment = 256, MemoryKind kind = MemoryKind::kDevice) {
    auto result = memory.allocate(size, alignment, kind);
    REQUIRE_MESSAGE(result.ok(), result.status().message());
    return result.value();
}

} // namespace

TEST_SUITE("memory.evict") {
    TEST_CASE("evicted memory keeps its addresses, is not charged and not found, and comes back") {
        for (const bool strict : {false, true}) {
            INFO("strict ", strict);
            Memory memory(kernels::discrete(1 << 20), strict);
            Allocation* one = take(memory, 600 << 10);
            const uint64_t address = one->address.load();
            REQUIRE(memory.evict(one).ok());
            CHECK(memory.free_bytes() == 1 << 20);
            CHECK(memory.find(address) == nullptr);
            CHECK(contains(memory.explain(address), "it is in one that was evicted"));
            CHECK(memory.evict(one).code() == Code::kInvalid);
            Allocation* other = take(memory, 600 << 10);
            CHECK(other->address.load() != address);
            const mock::Status refused = memory.restore(one);
            CHECK(refused.code() == Code::kOutOfMemory);
            CHECK(contains(refused.message(), "614400 bytes are needed"));
            memory.free(other);
            REQUIRE(memory.restore(one).ok());
            CHECK(memory.restore(one).code() == Code::kInvalid);
            CHECK(memory.free_bytes() == (1 << 20) - (600 << 10));
            CHECK(memory.find(address + 5) == one);
            {
                const mock::AccessScope access(&memory);
                *reinterpret_cast<volatile char*>(address) = 1;
            }
            memory.free(one);
            CHECK(memory.free_bytes() == 1 << 20);
        }
    }

    TEST_CASE("evicted memory is freed like any other, and its addresses are used again") {
        for (const bool strict : {false, true}) {
            Memory memory(kernels::discrete(1 << 20), strict);
            Allocation* one = take(memory, 1000);
            const uint64_t address = one->address.load();
            REQUIRE(memory.evict(one).ok());
            memory.free(one);
            CHECK(memory.free_bytes() == 1 << 20);
            Allocation* again = take(memory, 1000);
            CHECK(again->address.load() == address);
            const mock::AccessScope access(&memory);
            *reinterpret_cast<volatile char*>(address) = 1;
        }
    }

    TEST_CASE("only a discrete card's own memory") {
        Memory memory(kernels::discrete(1 << 20), false);
        CHECK(memory.evict(take(memory, 100, 256, MemoryKind::kHost)).code() == Code::kUnsupported);
    }
}

TEST_SUITE("memory.allocate") {
    TEST_CASE("reaches the limit, refuses one page more, and gives all of it again") {
        Memory memory(kernels::discrete(1 << 20), false);
        CHECK(memory.free_bytes() == 1 << 20);
        Allocation* most = take(memory, (1 << 20) - 4096);
        CHECK(memory.free_bytes() == 4096);
        Allocation* rest = take(memory, 1);
        CHECK(memory.free_bytes() == 0);
        auto over = memory.allocate(1, 1, MemoryKind::kDevice);
        REQUIRE_FALSE(over.ok());
        CHECK(over.status().code() == Code::kOutOfMemory);
        CHECK(contains(over.status().message(), "4096 bytes are needed, 0 bytes of 1048576 bytes are free"));
        memory.free(most);
        memory.free(rest);
        CHECK(memory.free_bytes() == 1 << 20);
        memory.free(take(memory, 1 << 20));
    }

    TEST_CASE("refuses 0 bytes and more than the limit at once") {
        mock::CardProfile profile = kernels::discrete(1 << 20);
        profile.max_allocation_bytes = 65536;
        Memory memory(profile, false);
        CHECK(memory.allocate(0, 1, MemoryKind::kDevice).status().code() == Code::kOutOfRange);
        memory.free(take(memory, 65536));
        auto over = memory.allocate(65537, 1, MemoryKind::kDevice);
        REQUIRE_FALSE(over.ok());
        CHECK(over.status().code() == Code::kOutOfRange);
        CHECK(contains(over.status().message(), "65537"));
        CHECK(contains(over.status().message(), "65536"));
        CHECK_FALSE(memory.allocate(UINT64_MAX, 1, MemoryKind::kDevice).ok());
    }

    TEST_CASE("honours alignments up to 2 MiB and refuses others") {
        Memory memory(kernels::discrete(), false);
        for (uint64_t alignment = 1; alignment <= 2 << 20; alignment *= 2) {
            CHECK(take(memory, 100, alignment)->address.load() % alignment == 0);
        }
        for (uint64_t alignment : {uint64_t{0}, uint64_t{3}, uint64_t{4} << 20}) {
            CHECK(memory.allocate(100, alignment, MemoryKind::kDevice).status().code() == Code::kInvalid);
        }
    }

    TEST_CASE("keeps a gap behind each allocation") {
        Memory memory(kernels::discrete(), false);
        std::set<uint64_t> ends;
        for (uint64_t size : {1, 4096, 65536, 65535, 131072, 100000}) {
            Allocation* allocation = take(memory, size);
            const uint64_t end = allocation->address.load() + size;
            CHECK(memory.find(end - 1) == allocation);
            CHECK(memory.find(end) == nullptr);
            CHECK(memory.find(allocation->address.load() - 1) == nullptr);
        }
    }

    TEST_CASE("keeps device and host memory of a discrete card apart") {
        Memory memory(kernels::discrete(1 << 20), false);
        Allocation* pinned = take(memory, 1 << 20, 256, MemoryKind::kHost);
        Allocation* device = take(memory, 1 << 20);
        CHECK(memory.find(pinned->address.load()) == pinned);
        CHECK(memory.find(device->address.load()) == device);
        CHECK(memory.allocate(64, 64, MemoryKind::kShared).status().code() == Code::kUnsupported);
    }

    TEST_CASE("counts all kinds of a unified card against one limit") {
        Memory memory(kernels::unified(1 << 20), true);
        Allocation* shared = take(memory, 1 << 19, 256, MemoryKind::kShared);
        take(memory, 1 << 19, 256, MemoryKind::kHost);
        CHECK_FALSE(memory.allocate(1, 1, MemoryKind::kDevice).ok());
        *reinterpret_cast<int*>(shared->address.load()) = 7; /* strict mode does not reach it */
        CHECK(*reinterpret_cast<int*>(shared->address.load()) == 7);
    }

    TEST_CASE("gives clean memory again") {
        Memory memory(kernels::discrete(1 << 20), false);
        Allocation* first = take(memory, 4096);
        std::memset(reinterpret_cast<void*>(first->address.load()), 0xab, 4096);
        const uint64_t address = first->address.load();
        memory.free(first);
        Allocation* second = take(memory, 4096);
        REQUIRE(second->address.load() == address);
        CHECK(*reinterpret_cast<unsigned char*>(address + 100) == 0);
    }
}

TEST_SUITE("memory.find") {
    TEST_CASE("agrees with a simple model over random allocations") {
        const unsigned seed = std::random_device{}();
        INFO("seed ", seed);
        std::mt19937 random(seed);
        Memory memory(kernels::discrete(256 << 20), false);
        std::vector<Allocation*> live;
        uint64_t charged = 0;
        for (int round = 0; round < 3000; ++round) {
            if (!live.empty() && random() % 5 < 2) {
                const size_t victim = random() % live.size();
                const uint64_t address = live[victim]->address.load();
                charged -= (live[victim]->size.load() + 4095) / 4096 * 4096;
                memory.free(live[victim]);
                CHECK(memory.find(address) == nullptr);
                live.erase(live.begin() + static_cast<long>(victim));
            } else {
                const uint64_t size = 1 + random() % (1u << (random() % 20));
                Allocation* fresh = take(memory, size, uint64_t{1} << (random() % 14));
                charged += (size + 4095) / 4096 * 4096;
                live.push_back(fresh);
            }
            CHECK(memory.free_bytes() == memory.total_bytes() - charged);
        }
        for (Allocation* allocation : live) {
            const uint64_t start = allocation->address.load();
            const uint64_t size = allocation->size.load();
            CHECK(memory.find(start) == allocation);
            CHECK(memory.find(start + random() % size) == allocation);
            CHECK(memory.find(start + size) == nullptr);
        }
        for (Allocation* allocation : live)
            memory.free(allocation);
        CHECK(memory.free_bytes() == memory.total_bytes());
        memory.free(take(memory, memory.total_bytes())); /* all ranges have merged */
    }

    TEST_CASE("knows nothing before the first allocation") {
        Memory memory(kernels::discrete(), false);
        int local = 0;
        CHECK(memory.find(0) == nullptr);
        CHECK(memory.find(UINT64_MAX) == nullptr);
        CHECK(memory.find(reinterpret_cast<uint64_t>(&local)) == nullptr);
        CHECK(contains(memory.explain(0x1234), "address 0x1234 is in no allocation of test card; it has none"));
    }

    TEST_CASE("the smallest allocations fill the limit") {
        Memory memory(kernels::discrete(4 << 20), false);
        std::vector<Allocation*> all;
        for (int i = 0; i < 1024; ++i)
            all.push_back(take(memory, 1, 1));
        CHECK(memory.free_bytes() == 0);
        for (Allocation* allocation : all)
            memory.free(allocation);
    }
}

TEST_SUITE("memory.check_range") {
    TEST_CASE("says where a range leaves its allocation") {
        Memory memory(kernels::discrete(), false);
        Allocation* allocation = take(memory, 1000);
        const uint64_t start = allocation->address.load();
        CHECK(memory.check_range(start, 1000, "copy").ok());
        CHECK(memory.check_range(start + 999, 1, "copy").ok());
        const mock::Status over = memory.check_range(start + 10, 1000, "copy: target");
        CHECK(over.code() == Code::kOutOfRange);
        CHECK(contains(over.message(), "copy: target: 1000 bytes"));
        CHECK(contains(over.message(), "by 10 bytes"));
        CHECK(memory.check_range(start + 1000, 1, "copy").code() == Code::kOutOfRange);
        CHECK(memory.check_range(start, UINT64_MAX, "copy").code() == Code::kOutOfRange);
    }
}
