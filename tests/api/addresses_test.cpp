// Addresses as kernels, copies and fills take them: at any element, several in one allocation, none at all. The suite
// addresses.made is for cards without addresses of their own, where a wrong one is always recognised.
#include <cstring>

#include "support/session.h"

using namespace api;

namespace {

constexpr const char* kSource = R"(
kernel void add(global const uint* a, global const uint* b, global uint* out) {
    size_t i = get_global_id(0);
    out[i] = a[i] + b[i];
}
kernel void pick(global const uint* maybe, uint otherwise, global uint* out) { out[0] = maybe ? maybe[0] : otherwise; }
kernel void sum(global const uint* data, uint count, global uint* out) {
    uint total = 0;
    for (uint i = 0; i < count; ++i) total += data[i];
    out[0] = total;
}
kernel void turn(global const uint* in, global uint* out) {
    local uint mine[64];
    for (int i = 0; i < 20; ++i) {
        mine[get_local_id(0)] = in[get_global_id(0)];
        barrier(CLK_LOCAL_MEM_FENCE);
        out[get_global_id(0)] = mine[63 - get_local_id(0)];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
typedef struct { uint factor; uchar shift; } scaling;
kernel __attribute__((reqd_work_group_size(16, 1, 1)))
void scale(constant uint* table, global uint* out, scaling s, local uint* scratch) {
    local uint mine[16];
    size_t l = get_local_id(0);
    mine[l] = table[l];
    scratch[15 - l] = get_group_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    out[get_global_id(0)] = ((mine[15 - l] * s.factor) << s.shift) + scratch[l];
}
)";

struct Add { uint64_t a, b, out; };
struct Pick { uint64_t maybe; uint32_t otherwise, padding; uint64_t out; };
struct Sum { uint64_t data; uint32_t count, padding; uint64_t out; };
struct Turn { uint64_t in, out; };
struct Scale { uint64_t table, out; struct { uint32_t factor; uint8_t shift; } scaling; uint32_t scratch_bytes, padding; };

Program compile(Session& session, const std::string& source) {
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.name = "addresses.cl";
    desc.data = source.data();
    desc.size_bytes = source.size();
    qiao_program* program = nullptr;
    REQUIRE_OK(qiao_program_create_from_source(session.device, &desc, &program));
    return Program(program);
}

struct Fixture : Session {
    Program program = compile(*this, kSource);
    Queue queue = Session::queue();

    template <class Block>
    void run(const char* name, const qiao_launch& shape, const Block& block) {
        wait_for(queue, launch(queue, kernel_of(program, name), shape, block));
    }
    uint32_t result(const Memory& memory, size_t index = 0) { return download<uint32_t>(memory, 1, 4 * index)[0]; }
};

template <class Block>
qiao_status try_launch(const Fixture& fixture, const char* name, const Block& block, uint64_t* out_value) {
    const qiao_launch shape = items(1);
    return qiao_queue_launch(fixture.queue.get(), kernel_of(fixture.program, name), &shape, &block, sizeof block, out_value);
}

std::string hex(uint64_t address) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%lx", static_cast<unsigned long>(address));
    return text;
}

}  // namespace

TEST_SUITE("addresses.arguments") {
    TEST_CASE_FIXTURE(Fixture, "point at any element, and neighbours are untouched") {
        const Memory a = upload(numbers(200)), b = upload(numbers(200, 1000)), out = upload(numbers(200, 5000));
        for (const uint32_t start : {1u, 3u, 17u, 33u}) {
            run("add", items(100), Add{address_of(a) + 4 * start, address_of(b) + 4 * (start + 2), address_of(out) + 4 * (start + 1)});
            const auto result = download<uint32_t>(out, 200);
            CHECK(result[start] != start + 5000 + 1000);
            for (uint32_t i = 0; i < 100; ++i) CHECK(result[start + 1 + i] == (start + i) + (1000 + start + 2 + i));
            CHECK(result[start + 101] == 5000 + start + 101);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "two and three of them point into one allocation") {
        const Memory all = upload(numbers(300));
        const uint64_t base = address_of(all);
        run("add", items(99), Add{base, base + 4 * 101, base + 4 * 201});
        auto expected = numbers(300);
        for (uint32_t i = 0; i < 99; ++i) expected[201 + i] = i + 101 + i;
        CHECK(download<uint32_t>(all, 300) == expected);
        run("add", items(99), Add{base, base, base + 4 * 201});
        for (uint32_t i = 0; i < 99; ++i) expected[201 + i] = 2 * i;
        CHECK(download<uint32_t>(all, 300) == expected);
    }

    TEST_CASE_FIXTURE(Fixture, "address 0 is a null pointer, and the next address is none") {
        const Memory data = upload(numbers(4, 40)), out = allocate(4);
        for (int round = 0; round < 3; ++round) {
            run("pick", items(1), Pick{0, 7, 0, address_of(out)});
            CHECK(result(out) == 7);
            run("pick", items(1), Pick{address_of(data) + 8, 7, 0, address_of(out)});
            CHECK(result(out) == 42);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "constant and local memory, structs, a required group and local arrays keep their meaning") {
        const Memory table = upload(numbers(40)), out = allocate(4 * 65);
        run("scale", items(64, 16), Scale{address_of(table) + 12, address_of(out) + 4, {10, 2}, 64, 0});
        const auto result = download<uint32_t>(out, 64, 4);
        for (uint32_t i = 0; i < 64; ++i) CHECK(result[i] == (((15 - i % 16 + 3) * 10) << 2) + i / 16);
    }

    TEST_CASE_FIXTURE(Fixture, "groups that run at the same time have local arrays of their own") {
        const uint32_t count = 64 * 2048;
        const Memory in = upload(numbers(count)), out = allocate(4 * count);
        for (int round = 0; round < 3; ++round) {
            run("turn", items(count, 64), Turn{address_of(in), address_of(out)});
            const auto result = download<uint32_t>(out, count);
            uint32_t wrong = 0;
            for (uint32_t i = 0; i < count; ++i) wrong += result[i] != i / 64 * 64 + 63 - i % 64;
            CHECK(wrong == 0);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "an allocation made after another was freed is not taken for it") {
        const Memory out = allocate(4);
        for (uint32_t round = 0; round < 50; ++round) {
            const Memory data = upload(numbers(8, 100 * round));
            run("sum", items(1), Sum{address_of(data) + 4 * (round % 3), 2, 0, address_of(out)});
            CHECK(result(out) == 200 * round + 2 * (round % 3) + 1);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "copies and fills take any byte, rows too") {
        std::vector<uint8_t> bytes(1000), back(1000);
        for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 256);
        const Memory first = upload(bytes), second = upload(std::vector<uint8_t>(1000, 0xee));
        std::vector<uint8_t> expected(1000, 0xee);
        uint64_t value = 0;

        qiao_copy copy = QIAO_COPY_INIT;
        copy.source = {device, address_of(first) + 13};
        copy.target = {device, address_of(second) + 21};
        copy.size_bytes = 101;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &copy, &value));
        std::memcpy(&expected[21], &bytes[13], 101);

        copy.source = {device, address_of(first) + 301};
        copy.target = {device, address_of(second) + 203};
        copy.size_bytes = 11, copy.rows = 7, copy.source_pitch = 37, copy.target_pitch = 23;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &copy, &value));
        for (size_t row = 0; row < 7; ++row) std::memcpy(&expected[203 + 23 * row], &bytes[301 + 37 * row], 11);

        copy.source = {nullptr, reinterpret_cast<uintptr_t>(&bytes[5])};
        copy.target = {device, address_of(second) + 477};
        copy.size_bytes = 9, copy.rows = 5, copy.source_pitch = 10, copy.target_pitch = 31;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &copy, &value));
        for (size_t row = 0; row < 5; ++row) std::memcpy(&expected[477 + 31 * row], &bytes[5 + 10 * row], 9);

        const uint16_t pair = 0x1234;
        REQUIRE_OK(qiao_queue_fill(queue.get(), {device, address_of(second) + 801}, 50, &pair, 2, &value));
        for (size_t i = 0; i < 25; ++i) std::memcpy(&expected[801 + 2 * i], &pair, 2);

        copy.source = {device, address_of(second)};
        copy.target = {nullptr, reinterpret_cast<uintptr_t>(back.data())};
        copy.size_bytes = 50, copy.rows = 20, copy.source_pitch = 50, copy.target_pitch = 50;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &copy, &value));
        wait_for(queue, value);
        CHECK(back == expected);
        CHECK(download<uint8_t>(second, 1000) == expected);
    }

    TEST_CASE_FIXTURE(Fixture, "what a launch that waits was given stays until it has run") {
        const Timeline gate = timeline();
        const Memory out = allocate(4);
        Memory data = upload(numbers(8, 30));
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_after(queue.get(), gate.get(), 1, &value));
        value = launch(queue, kernel_of(program, "sum"), items(1), Sum{address_of(data) + 4, 3, 0, address_of(out)});
        data.reset();
        const Memory other = upload(numbers(8, 900));  // would get the memory, were it free
        CHECK(qiao_timeline_reached(timeline_of(queue), value) == QIAO_NOT_READY);
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(queue, value);
        CHECK(result(out) == 31 + 32 + 33);
    }
}

TEST_SUITE("addresses.made") {
    TEST_CASE_FIXTURE(Fixture, "are said to be, and are none of the host's") {
        CHECK((properties.flags & QIAO_DEVICE_ADDRESSES_EMULATED) != 0);
        CHECK((properties.features & QIAO_FEATURE_ADDRESSES) == 0);
        for (qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE; kind <= QIAO_MEMORY_KIND_SHARED; ++kind) {
            if (!has_kind(kind)) continue;
            const Memory memory = allocate(64, kind);
            const int64_t upper = static_cast<int64_t>(address_of(memory)) >> 47;
            CHECK(upper != 0);
            CHECK(upper != -1);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "one past the end is an address of nothing, for an empty view") {
        const Memory data = upload(numbers(16)), out = allocate(4);
        run("sum", items(1), Sum{address_of(data) + 64, 0, 0, address_of(out)});
        CHECK(result(out) == 0);
        run("sum", items(1), Sum{address_of(data) + 60, 1, 0, address_of(out)});
        CHECK(result(out) == 15);
    }

    TEST_CASE_FIXTURE(Fixture, "that are wrong are refused by kernel, argument and address, and nothing is submitted") {
        const Memory data = upload(numbers(8, 70)), out = allocate(4);
        const uint64_t before = launch(queue, kernel_of(program, "sum"), items(1), Sum{address_of(data), 1, 0, address_of(out)});
        uint64_t wrong = 0, value = 99;
        const char* reason = nullptr;
        const std::string foreign = std::string("in no allocation of ") + properties.id;
        SUBCASE("freed") {
            Memory gone = allocate(100);
            wrong = address_of(gone) + 4;
            reason = "allocation of 100 bytes was freed";
        }
        SUBCASE("freed, and another made since") {
            wrong = address_of(allocate(100));
            reason = "freed";
            for (int i = 0; i < 100; ++i) CHECK(address_of(allocate(100)) != wrong);
        }
        SUBCASE("two past the end") {
            wrong = address_of(data) + 33;
            reason = "33 bytes from the start of an allocation of 32 bytes";
        }
        SUBCASE("before the beginning") {
            wrong = address_of(data) - 1;
            reason = "";
        }
        SUBCASE("a host pointer") {
            wrong = reinterpret_cast<uintptr_t>(&value);
            reason = foreign.c_str();
        }
        SUBCASE("of another device") {
            const Session other;
            qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
            desc.size_bytes = 64;
            qiao_memory* memory = nullptr;
            REQUIRE_OK(qiao_memory_allocate(other.device, &desc, &memory));
            const Memory owner(memory);
            wrong = address_of(owner);
            reason = foreign.c_str();
            CHECK_FAILS(try_launch(*this, "sum", Sum{wrong, 1, 0, address_of(out)}, &value), QIAO_ERROR_OUT_OF_RANGE, "'data'", reason);
        }
        CHECK_FAILS(try_launch(*this, "sum", Sum{wrong, 1, 0, address_of(out)}, &value), QIAO_ERROR_OUT_OF_RANGE, "kernel sum", "argument 'data'",
                    hex(wrong).c_str(), reason, "nothing was submitted");
        CHECK(value == 0);
        CHECK_FAILS(try_launch(*this, "sum", Sum{address_of(data), 1, 0, wrong}, &value), QIAO_ERROR_OUT_OF_RANGE, "argument 'out'");
        qiao_memory* found = nullptr;
        uint64_t offset = 0;
        CHECK_FAILS(qiao_memory_find(device, wrong, &found, &offset), QIAO_ERROR_NOT_FOUND, hex(wrong).c_str());
        qiao_copy copy = QIAO_COPY_INIT;
        copy.source = {device, wrong};
        copy.target = {device, address_of(out)};
        copy.size_bytes = 1;
        CHECK_FAILS(qiao_queue_copy(queue.get(), &copy, &value), QIAO_ERROR_OUT_OF_RANGE, "source", hex(wrong).c_str());
        CHECK_FAILS(qiao_queue_fill(queue.get(), {device, wrong}, 4, "abcd", 4, &value), QIAO_ERROR_OUT_OF_RANGE, "target");
        const uint64_t after = launch(queue, kernel_of(program, "sum"), items(1), Sum{address_of(data), 2, 0, address_of(out)});
        CHECK(after == before + 1);
        wait_for(queue, after);
        CHECK(result(out) == 70 + 71);
    }

    TEST_CASE_FIXTURE(Fixture, "of two devices differ, and copies between them work") {
        const std::vector<qiao_device*> all = devices();
        REQUIRE(all.size() >= 2);
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = 400;
        qiao_memory* made = nullptr;
        REQUIRE_OK(qiao_memory_allocate(all[1], &desc, &made));
        const Memory there(made), here = upload(numbers(100)), back = allocate(400);
        uint64_t value = 0;
        CHECK_FAILS(try_launch(*this, "sum", Sum{address_of(there), 1, 0, address_of(back)}, &value), QIAO_ERROR_OUT_OF_RANGE, "'data'");
        qiao_copy copy = QIAO_COPY_INIT;
        copy.source = {device, address_of(here) + 4};
        copy.target = {all[1], address_of(there) + 8};
        copy.size_bytes = 300;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &copy, &value));
        copy.source = {all[1], address_of(there) + 8};
        copy.target = {device, address_of(back)};
        REQUIRE_OK(qiao_queue_copy(queue.get(), &copy, &value));
        wait_for(queue, value);
        CHECK(download<uint32_t>(back, 75) == numbers(75, 1));
    }

    TEST_CASE_FIXTURE(Fixture, "cannot be followed inside data: such a program is refused with that reason") {
        const std::string source = "kernel void follow(global ulong* list) { list[0] = *(global ulong*)list[1]; }\n";
        qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
        desc.data = source.data();
        desc.size_bytes = source.size();
        qiao_program* refused = nullptr;
        CHECK_FAILS(qiao_program_create_from_source(device, &desc, &refused), QIAO_ERROR_UNSUPPORTED, "addresses inside data");
        CHECK(refused == nullptr);
    }
}
