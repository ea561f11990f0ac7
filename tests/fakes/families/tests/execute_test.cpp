/* What a family's fake library computes is really computed, by each way to say it. */
#include <doctest/doctest.h>

#include <cstring>
#include <numeric>

#include "driver.h"

using namespace fakes_test;

namespace {

struct Fixture {
    Library library{library_file()};
    Driver driver = driver_of(library);
    void* module = nullptr;

    Fixture() {
        REQUIRE(driver.init() == 0);
        REQUIRE(driver.use(0) == 0);
        REQUIRE(driver.load(&module, image_for(driver.id)) == 0);
    }
    void* function(const char* name) {
        void* found = nullptr;
        REQUIRE(driver.function(&found, module, name) == 0);
        return found;
    }
    Address allocate(size_t size) {
        Address made = 0;
        REQUIRE(driver.allocate(&made, size) == 0);
        return made;
    }
    template <class T>
    Address upload(const std::vector<T>& values) {
        const Address made = allocate(values.size() * sizeof(T));
        REQUIRE(driver.write(made, values.data(), values.size() * sizeof(T)) == 0);
        return made;
    }
    template <class T>
    std::vector<T> download(Address from, size_t count) {
        std::vector<T> values(count);
        REQUIRE(driver.read(values.data(), from, count * sizeof(T)) == 0);
        return values;
    }
    uintptr_t extra_end() const { return driver.id == "hip" || driver.id == "mc" ? 3 : 0; }
};

std::vector<uint32_t> numbers(size_t count, uint32_t first = 0) {
    std::vector<uint32_t> made(count);
    std::iota(made.begin(), made.end(), first);
    return made;
}

Shape items(unsigned count, unsigned group) {
    Shape shape;
    shape.groups[0] = count / group;
    shape.group[0] = group;
    return shape;
}

} // namespace

TEST_SUITE_BEGIN("fakes.execute");

TEST_CASE_FIXTURE(Fixture, "a kernel runs with parameters") {
    constexpr size_t kCount = 4096;
    const Address a = upload(numbers(kCount)), b = upload(numbers(kCount, 100)), out = allocate(4 * kCount);
    void* parameters[] = {const_cast<Address*>(&a), const_cast<Address*>(&b), const_cast<Address*>(&out)};
    CHECK(driver.launch(function("add"), items(kCount, 64), parameters, nullptr) == 0);
    CHECK(driver.wait_stream(nullptr) == 0);
    const auto sums = download<uint32_t>(out, kCount);
    for (uint32_t index = 0; index < kCount; ++index)
        REQUIRE(sums[index] == 2 * index + 100);
    for (const Address each : {a, b, out})
        CHECK(driver.free(each) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a kernel runs with packed arguments, whose layout is C's") {
    struct Block {
        unsigned char small;
        Address out;
        uint64_t large;
        float real;
        Address in;
    };
    if (driver.id == "ta") return; /* takes none */
    const Address in = upload(numbers(64)), out = allocate(8 * 64);
    Block block{200, out, uint64_t{1} << 40, 3.0f, in};
    size_t size = sizeof block;
    void* extra[] = {reinterpret_cast<void*>(1), &block, reinterpret_cast<void*>(2), &size, reinterpret_cast<void*>(extra_end())};
    void* stream = nullptr;
    REQUIRE(driver.create_stream(&stream) == 0);
    Shape shape = items(64, 16);
    shape.stream = stream;
    CHECK(driver.launch(function("mixed"), shape, nullptr, extra) == 0);
    CHECK(driver.wait_stream(stream) == 0);
    const auto sums = download<uint64_t>(out, 64);
    for (uint64_t index = 0; index < 64; ++index)
        REQUIRE(sums[index] == 203 + (uint64_t{1} << 40) + index);
    CHECK(driver.destroy_stream(stream) == 0);
}

TEST_CASE_FIXTURE(Fixture, "local arguments are places in the launch's shared memory") {
    constexpr unsigned kCount = 256, kGroup = 64;
    const Address out = allocate(4 * kCount);
    const bool narrow = driver.id == "hip";
    uint64_t first = 0, second = 4 * kGroup;
    if (narrow) { /* behind the kernel's own local memory, of 32 bits */
        first += 4 * 64;
        second += 4 * 64;
    }
    void* parameters[] = {const_cast<Address*>(&out), &first, &second};
    Shape shape = items(kCount, kGroup);
    shape.shared_bytes = 8 * kGroup;
    CHECK(driver.launch(function("two_locals"), shape, parameters, nullptr) == 0);
    const auto values = download<uint32_t>(out, kCount);
    for (uint32_t index = 0; index < kCount; ++index) {
        const uint32_t other = index / kGroup * kGroup + kGroup - 1 - index % kGroup;
        REQUIRE(values[index] == 1001 * other + 7);
    }
    second += 1 << 20;
    CHECK(driver.launch(function("two_locals"), shape, parameters, nullptr) == 700);
}

TEST_CASE_FIXTURE(Fixture, "streams keep their order, and events say when") {
    void *stream = nullptr, *start = nullptr, *end = nullptr;
    REQUIRE(driver.create_stream(&stream) == 0);
    REQUIRE(driver.create_event(&start) == 0);
    REQUIRE(driver.create_event(&end) == 0);
    const Address cell = upload(std::vector<uint32_t>{1});
    uint32_t rounds = 5'000'000, result = 0;
    void* pinned = nullptr;
    REQUIRE(driver.allocate_host(&pinned, 4) == 0);
    void* parameters[] = {const_cast<Address*>(&cell), &rounds};
    Shape shape;
    shape.stream = stream;
    CHECK(driver.record(start, stream) == 0);
    CHECK(driver.launch(function("repeat"), shape, parameters, nullptr) == 0);
    CHECK(driver.record(end, stream) == 0);
    CHECK(driver.read_async(pinned, cell, 4, stream) == 0);
    CHECK(driver.wait_stream(stream) == 0);
    std::memcpy(&result, pinned, 4);
    uint32_t expected = 1;
    for (uint32_t round = 0; round < rounds; ++round)
        expected = expected * 1664525u + 1013904223u;
    CHECK(result == expected);
    float milliseconds = -1;
    CHECK(driver.wait_event(end) == 0);
    CHECK(driver.elapsed(&milliseconds, start, end) == 0);
    CHECK(milliseconds > 0);
    CHECK(driver.free_host(pinned) == 0);
    CHECK(driver.destroy_event(start) == 0);
    CHECK(driver.destroy_event(end) == 0);
    CHECK(driver.destroy_stream(stream) == 0);
}

TEST_CASE_FIXTURE(Fixture, "data goes between devices, and is filled") {
    const Address here = upload(numbers(1000));
    REQUIRE(driver.use(1) == 0);
    const Address there = allocate(4000);
    CHECK(driver.fill(there, 0xab, 4000) == 0);
    CHECK(download<uint32_t>(there, 1000) == std::vector<uint32_t>(1000, 0xabababab));
    CHECK(driver.move_peer(there, 1, here, 0, 4000) == 0);
    CHECK(download<uint32_t>(there, 1000) == numbers(1000));
}

TEST_CASE_FIXTURE(Fixture, "kernels reach another card's memory when they were given access") {
    const Address cell = upload(std::vector<uint32_t>{5});
    REQUIRE(driver.use(1) == 0);
    void *other_module = nullptr, *repeat = nullptr;
    REQUIRE(driver.load(&other_module, image_for(driver.id)) == 0);
    REQUIRE(driver.function(&repeat, other_module, "repeat") == 0);
    uint32_t rounds = 1;
    void* parameters[] = {const_cast<Address*>(&cell), &rounds};
    CHECK(driver.launch(repeat, {}, parameters, nullptr) == 700);
    CHECK(driver.enable_peer(0) == 0);
    CHECK(driver.enable_peer(0) == 704);
    CHECK(driver.launch(repeat, {}, parameters, nullptr) == 0);
    CHECK(driver.wait_stream(nullptr) == 0);
    CHECK(download<uint32_t>(cell, 1).front() == 5 * 1664525u + 1013904223u);
    CHECK(driver.free(cell) == 0);
    CHECK(driver.launch(repeat, {}, parameters, nullptr) == 700);
}

TEST_CASE_FIXTURE(Fixture, "pinned memory of the host is an argument") {
    void* pinned = nullptr;
    REQUIRE(driver.allocate_host(&pinned, 3 * 256) == 0);
    auto* words = static_cast<uint32_t*>(pinned);
    std::iota(words, words + 128, 0u);
    const auto a = reinterpret_cast<Address>(words), b = reinterpret_cast<Address>(words + 64), out = reinterpret_cast<Address>(words + 128);
    void* parameters[] = {const_cast<Address*>(&a), const_cast<Address*>(&b), const_cast<Address*>(&out)};
    CHECK(driver.launch(function("add"), items(64, 64), parameters, nullptr) == 0);
    CHECK(driver.wait_stream(nullptr) == 0);
    CHECK(words[128 + 10] == 10 + 74);
    CHECK(driver.free_host(pinned) == 0);
}

TEST_SUITE_END();
