// Memory: allocations of each kind, addresses, mapping, and the blocking copies.
#include <cstring>
#include <numeric>

#include "support/session.h"

using namespace api;

namespace {

qiao_memory_desc desc_of(uint64_t size_bytes) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = size_bytes;
    return desc;
}

std::vector<qiao_memory_kind> kinds_of(const Session& session) {
    std::vector<qiao_memory_kind> kinds;
    for (qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE; kind <= QIAO_MEMORY_KIND_SHARED; ++kind) {
        if (session.has_kind(kind)) kinds.push_back(kind);
    }
    return kinds;
}

std::vector<uint8_t> pattern(size_t count) {
    std::vector<uint8_t> bytes(count);
    for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(7 * i + i / 251);
    return bytes;
}

}  // namespace

TEST_SUITE("memory.allocate") {
    TEST_CASE("each kind has an address, a size, and keeps what is written") {
        Session session;
        for (const qiao_memory_kind kind : kinds_of(session)) {
            INFO("kind ", kind);
            const Memory memory = session.allocate(1000, kind);
            qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
            REQUIRE_OK(qiao_memory_query(memory.get(), &properties));
            CHECK(properties.device == session.device);
            CHECK(properties.kind == kind);
            CHECK(properties.size_bytes == 1000);
            CHECK(properties.address == address_of(memory));
            CHECK(properties.address != 0);
            CHECK(properties.address % 128 == 0);
            const auto bytes = pattern(1000);
            REQUIRE_OK(qiao_memory_write(memory.get(), 0, bytes.data(), 1000));
            CHECK(download<uint8_t>(memory, 1000) == bytes);
            if (properties.host_pointer != nullptr) CHECK(std::memcmp(properties.host_pointer, bytes.data(), 1000) == 0);
        }
    }

    TEST_CASE("a kind that the device has not is unsupported") {
        Session session;
        for (const qiao_memory_kind kind : {QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED}) {
            if (session.has_kind(kind)) continue;
            qiao_memory_desc desc = desc_of(100);
            desc.kind = kind;
            qiao_memory* memory = nullptr;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_UNSUPPORTED, session.properties.id, kind == QIAO_MEMORY_KIND_HOST ? "host" : "shared");
        }
        check_works(session);
    }

    TEST_CASE("every alignment up to 2 MiB is honoured") {
        Session session;
        for (uint64_t alignment = 1; alignment <= 2u << 20; alignment *= 2) {
            qiao_memory_desc desc = desc_of(64);
            desc.alignment = alignment;
            qiao_memory* memory = nullptr;
            REQUIRE_OK(qiao_memory_allocate(session.device, &desc, &memory));
            const Memory owner(memory);
            CHECK(address_of(owner) % alignment == 0);
        }
    }

    TEST_CASE("allocations do not overlap, and each is found from any of its addresses") {
        Session session;
        std::vector<Memory> all;
        for (uint64_t size = 1; size < 4096; size = size * 3 + 1) all.push_back(session.allocate(size));
        for (const Memory& memory : all) {
            qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
            REQUIRE_OK(qiao_memory_query(memory.get(), &properties));
            for (const uint64_t offset : {UINT64_C(0), properties.size_bytes / 2, properties.size_bytes - 1}) {
                qiao_memory* found = nullptr;
                uint64_t found_offset = 99;
                REQUIRE_OK(qiao_memory_find(session.device, properties.address + offset, &found, &found_offset));
                CHECK(found == memory.get());
                CHECK(found_offset == offset);
            }
        }
    }

    TEST_CASE("an address in no allocation is NOT_FOUND") {
        Session session;
        uint64_t end = 0;
        {
            const Memory memory = session.allocate(64);
            end = address_of(memory) + 64;
            qiao_memory* found = memory.get();
            uint64_t offset = 7;
            CHECK_FAILS(qiao_memory_find(session.device, end, &found, &offset), QIAO_ERROR_NOT_FOUND, session.properties.id);
            CHECK(found == nullptr);
            CHECK(offset == 0);
            CHECK_FAILS(qiao_memory_find(session.device, 0, &found, &offset), QIAO_ERROR_NOT_FOUND, "0x0");
            CHECK_FAILS(qiao_memory_find(session.device, UINT64_MAX, &found, &offset), QIAO_ERROR_NOT_FOUND, "0xffffffffffffffff");
        }
        qiao_memory* found = nullptr;
        uint64_t offset = 0;
        CHECK_FAILS(qiao_memory_find(session.device, end - 64, &found, &offset), QIAO_ERROR_NOT_FOUND);
    }

    TEST_CASE("sizes and alignments that cannot be are refused, and nothing is allocated") {
        Session session;
        uint64_t before = 0, after = 0, total = 0;
        session.allocate(1);
        REQUIRE_OK(qiao_device_query_memory(session.device, &before, &total));
        qiao_memory* memory = reinterpret_cast<qiao_memory*>(1);
        qiao_memory_desc desc = desc_of(100);
        SUBCASE("size 0") {
            desc.size_bytes = 0;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0");
        }
        SUBCASE("one byte above the limit") {
            desc.size_bytes = session.properties.max_allocation_bytes + 1;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_OUT_OF_RANGE, std::to_string(desc.size_bytes).c_str(),
                        std::to_string(session.properties.max_allocation_bytes).c_str());
        }
        SUBCASE("a size near 2^64") {
            desc.size_bytes = UINT64_MAX - 3;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_OUT_OF_RANGE);
        }
        SUBCASE("an alignment that is no power of two") {
            desc.alignment = 96;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "96");
        }
        SUBCASE("an alignment above 2 MiB") {
            desc.alignment = 4u << 20;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "4194304", "2097152");
        }
        SUBCASE("an unknown kind") {
            desc.kind = 4;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "kind 4");
            desc.kind = UINT32_MAX;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "kind");
        }
        SUBCASE("an unknown flag") {
            desc.flags = 8;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "flags", "0x8");
        }
        SUBCASE("a reserved field that is not 0") {
            desc.reserved0 = 1;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "reserved0");
        }
        SUBCASE("a chained struct") {
            desc.next = &desc;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "next");
        }
        SUBCASE("struct_size 0") {
            desc.struct_size = 0;
            CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 0");
        }
        CHECK(memory == nullptr);
        REQUIRE_OK(qiao_device_query_memory(session.device, &after, &total));
        CHECK(after == before);
        CHECK(session.allocate(100) != nullptr);
    }

    TEST_CASE("more than there is left is out of memory, and what is freed can be had again") {
        Session session;
        const uint64_t most = std::min(session.properties.max_allocation_bytes, session.properties.memory_bytes);
        if (most > 256u << 20 || session.properties.memory_bytes > 1u << 30) return;  // a machine's whole memory is not this test's to take
        std::vector<Memory> all;
        qiao_status status = QIAO_OK;
        while (status == QIAO_OK && all.size() < 100) {
            const qiao_memory_desc desc = desc_of(most);
            qiao_memory* memory = nullptr;
            status = qiao_memory_allocate(session.device, &desc, &memory);
            if (status == QIAO_OK) all.emplace_back(memory);
        }
        CHECK_FAILS(status, QIAO_ERROR_OUT_OF_MEMORY);
        REQUIRE(!all.empty());
        all.clear();
        check_works(session);
    }
}

TEST_SUITE("memory.copy") {
    TEST_CASE("parts are written and read at any byte") {
        Session session;
        const Memory memory = session.allocate(1000);
        auto expected = pattern(1000);
        REQUIRE_OK(qiao_memory_write(memory.get(), 0, expected.data(), 1000));
        const uint8_t patch[] = {1, 2, 3, 4, 5};
        for (const uint64_t offset : {UINT64_C(0), UINT64_C(1), UINT64_C(333), UINT64_C(995)}) {
            REQUIRE_OK(qiao_memory_write(memory.get(), offset, patch, sizeof patch));
            std::memcpy(expected.data() + offset, patch, sizeof patch);
            CHECK(download<uint8_t>(memory, 7, 990) == std::vector<uint8_t>(expected.begin() + 990, expected.begin() + 997));
        }
        CHECK(download<uint8_t>(memory, 1000) == expected);
    }

    TEST_CASE("nothing is copied for a size of 0, whatever the pointer") {
        Session session;
        const Memory memory = session.upload(numbers(4));
        CHECK_OK(qiao_memory_write(memory.get(), 0, nullptr, 0));
        CHECK_OK(qiao_memory_read(memory.get(), 16, nullptr, 0));
        CHECK(download<uint32_t>(memory, 4) == numbers(4));
    }

    TEST_CASE("ranges that leave the allocation are refused whole") {
        Session session;
        const Memory memory = session.upload(numbers(250));
        std::vector<uint8_t> bytes(2000, 0xee);
        const struct { uint64_t offset, size; } wrong[] = {
            {0, 1001}, {1000, 1}, {999, 2}, {1001, 0}, {UINT64_MAX, 1}, {1, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}, {500, UINT64_MAX - 499}};
        for (const auto& range : wrong) {
            INFO("offset ", range.offset, " size ", range.size);
            CHECK_FAILS(qiao_memory_write(memory.get(), range.offset, bytes.data(), range.size), QIAO_ERROR_OUT_OF_RANGE, "1000",
                        std::to_string(range.offset).c_str(), std::to_string(range.size).c_str());
            CHECK_FAILS(qiao_memory_read(memory.get(), range.offset, bytes.data(), range.size), QIAO_ERROR_OUT_OF_RANGE, "1000");
        }
        CHECK(bytes == std::vector<uint8_t>(2000, 0xee));
        CHECK(download<uint32_t>(memory, 250) == numbers(250));
    }

    TEST_CASE("null host pointers are refused") {
        Session session;
        const Memory memory = session.upload(numbers(4));
        CHECK_FAILS(qiao_memory_write(memory.get(), 0, nullptr, 4), QIAO_ERROR_INVALID_ARGUMENT, "source");
        CHECK_FAILS(qiao_memory_read(memory.get(), 0, nullptr, 4), QIAO_ERROR_INVALID_ARGUMENT, "target");
        CHECK(download<uint32_t>(memory, 4) == numbers(4));
    }
}

TEST_SUITE("memory.map") {
    TEST_CASE("shows the bytes, and takes what is written there, for each kind") {
        Session session;
        for (const qiao_memory_kind kind : kinds_of(session)) {
            INFO("kind ", kind);
            const Memory memory = session.allocate(400, kind);
            const auto values = numbers(100);
            REQUIRE_OK(qiao_memory_write(memory.get(), 0, values.data(), 400));
            void* pointer = nullptr;
            REQUIRE_OK(qiao_memory_map(memory.get(), 40, 80, QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &pointer));
            REQUIRE(pointer != nullptr);
            auto* mapped = static_cast<uint32_t*>(pointer);
            for (uint32_t i = 0; i < 20; ++i) CHECK(mapped[i] == 10 + i);
            for (uint32_t i = 0; i < 20; ++i) mapped[i] = 5000 + i;
            REQUIRE_OK(qiao_memory_unmap(memory.get(), pointer));
            const auto after = download<uint32_t>(memory, 100);
            for (uint32_t i = 0; i < 100; ++i) CHECK(after[i] == (i >= 10 && i < 30 ? 5000 + i - 10 : i));
        }
    }

    TEST_CASE("a map for writing only keeps the bytes that are left alone") {
        Session session;
        const Memory memory = session.upload(numbers(100));
        void* pointer = nullptr;
        REQUIRE_OK(qiao_memory_map(memory.get(), 0, 400, QIAO_ACCESS_WRITE, &pointer));
        static_cast<uint32_t*>(pointer)[50] = 777;
        REQUIRE_OK(qiao_memory_unmap(memory.get(), pointer));
        auto expected = numbers(100);
        expected[50] = 777;
        CHECK(download<uint32_t>(memory, 100) == expected);
    }

    TEST_CASE("several maps at once, unmapped in any order, each once") {
        Session session;
        const Memory memory = session.upload(numbers(100));
        void *first = nullptr, *second = nullptr;
        REQUIRE_OK(qiao_memory_map(memory.get(), 0, 40, QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &first));
        REQUIRE_OK(qiao_memory_map(memory.get(), 200, 40, QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &second));
        static_cast<uint32_t*>(first)[0] = 1000;
        static_cast<uint32_t*>(second)[0] = 2000;
        REQUIRE_OK(qiao_memory_unmap(memory.get(), first));
        REQUIRE_OK(qiao_memory_unmap(memory.get(), second));
        CHECK_FAILS(qiao_memory_unmap(memory.get(), first), QIAO_ERROR_INVALID_ARGUMENT, "not a mapping");
        auto expected = numbers(100);
        expected[0] = 1000;
        expected[50] = 2000;
        CHECK(download<uint32_t>(memory, 100) == expected);
    }

    TEST_CASE("what is no mapping is not unmapped") {
        Session session;
        const Memory memory = session.upload(numbers(10)), other = session.upload(numbers(10));
        int local = 0;
        CHECK_FAILS(qiao_memory_unmap(memory.get(), &local), QIAO_ERROR_INVALID_ARGUMENT, "not a mapping");
        CHECK_FAILS(qiao_memory_unmap(memory.get(), nullptr), QIAO_ERROR_INVALID_ARGUMENT, "pointer");
        void* pointer = nullptr;
        REQUIRE_OK(qiao_memory_map(memory.get(), 0, 40, QIAO_ACCESS_READ, &pointer));
        CHECK_FAILS(qiao_memory_unmap(other.get(), pointer), QIAO_ERROR_INVALID_ARGUMENT, "not a mapping");
        REQUIRE_OK(qiao_memory_unmap(memory.get(), pointer));
    }

    TEST_CASE("ranges and accesses that cannot be are refused") {
        Session session;
        const Memory memory = session.upload(numbers(10));
        void* pointer = &pointer;
        CHECK_FAILS(qiao_memory_map(memory.get(), 0, 0, QIAO_ACCESS_READ, &pointer), QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0");
        CHECK(pointer == nullptr);
        CHECK_FAILS(qiao_memory_map(memory.get(), 0, 41, QIAO_ACCESS_READ, &pointer), QIAO_ERROR_OUT_OF_RANGE, "41", "40");
        CHECK_FAILS(qiao_memory_map(memory.get(), UINT64_MAX, 2, QIAO_ACCESS_READ, &pointer), QIAO_ERROR_OUT_OF_RANGE);
        CHECK_FAILS(qiao_memory_map(memory.get(), 0, 4, 0, &pointer), QIAO_ERROR_INVALID_ARGUMENT, "access");
        CHECK_FAILS(qiao_memory_map(memory.get(), 0, 4, 4, &pointer), QIAO_ERROR_INVALID_ARGUMENT, "access", "0x4");
        CHECK_FAILS(qiao_memory_map(memory.get(), 0, 4, QIAO_ACCESS_READ, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_pointer");
        CHECK(download<uint32_t>(memory, 10) == numbers(10));
    }

    TEST_CASE("memory that is released while it is mapped goes without a crash") {
        Session session;
        for (const qiao_memory_kind kind : kinds_of(session)) {
            const Memory memory = session.allocate(4096, kind);
            void* pointer = nullptr;
            REQUIRE_OK(qiao_memory_map(memory.get(), 0, 4096, QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &pointer));
        }
        check_works(session);
    }
}
