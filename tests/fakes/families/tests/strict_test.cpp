/* What is wrong fails, with the family's own codes, and changes nothing. */
#include <doctest/doctest.h>

#include "driver.h"

using namespace fakes_test;

namespace {

struct Fixture {
    Library library{library_file()};
    Driver driver = driver_of(library);
    const bool hip = driver.id == "hip" || driver.id == "mc";
    const int max_threads = driver.id == "hip" ? 56 : driver.id == "mc" ? 0 : driver.id == "ta" ? 4 : 1; /* the attribute */

    Fixture() {
        REQUIRE(driver.init() == 0);
        REQUIRE(driver.use(0) == 0);
    }
};

} // namespace

TEST_SUITE_BEGIN("fakes.strict");

TEST_CASE_FIXTURE(Fixture, "the names of codes are the family's") {
    const std::string prefix = hip ? driver.id + "Error" : driver.id == "cu" ? "CUDA_ERROR_" : driver.id == "mu" ? "MUSA_ERROR_"
                               : driver.id == "hg" ? "HGGC_ERROR_" : driver.id == "ta" ? "TANG_ERROR_" : "SU_ERROR_";
    CHECK(driver.error_name(2) == prefix + (hip ? "OutOfMemory" : "OUT_OF_MEMORY"));
}

TEST_CASE_FIXTURE(Fixture, "memory is freed once, where it begins") {
    Address memory = 0;
    REQUIRE(driver.allocate(&memory, 1024) == 0);
    CHECK(driver.free(memory + 256) == driver.codes.bad_pointer);
    CHECK(driver.free(memory) == 0);
    CHECK(driver.free(memory) == driver.codes.bad_pointer);
    CHECK(driver.free(12345678) == driver.codes.bad_pointer);
}

TEST_CASE_FIXTURE(Fixture, "copies and fills stay inside an allocation") {
    Address memory = 0;
    REQUIRE(driver.allocate(&memory, 1024) == 0);
    std::vector<char> bytes(2048, 'x'), zero(1024, 0);
    CHECK(driver.write(memory, zero.data(), 1024) == 0);
    CHECK(driver.write(memory, bytes.data(), 1025) == 1);
    CHECK(driver.write(memory + 1000, bytes.data(), 25) == 1);
    CHECK(driver.fill(memory + 1000, 1, 25) == 1);
    CHECK(driver.write(99, bytes.data(), 1) == driver.codes.bad_pointer);
    CHECK(driver.read(bytes.data(), memory, 1024) == 0);
    CHECK(std::vector<char>(bytes.begin(), bytes.begin() + 1024) == zero);
    CHECK(driver.free(memory) == 0);
    CHECK(driver.read(bytes.data(), memory, 16) == driver.codes.bad_pointer);
}

TEST_CASE_FIXTURE(Fixture, "there is no more memory than the card has") {
    Address memory = 0;
    CHECK(driver.allocate(&memory, size_t{1} << 40) == 2);
    CHECK(driver.allocate(&memory, 0) == 1);
}

TEST_CASE_FIXTURE(Fixture, "ordinals are those of the count") {
    int count = 0, value = 0;
    CHECK(driver.count(&count) == 0);
    CHECK(count == 2);
    CHECK(driver.use(2) == 101);
    CHECK(driver.use(-1) == 101);
    CHECK(driver.attribute(&value, max_threads, 2) == 101);
    CHECK(driver.attribute(&value, max_threads, 1) == 0);
    CHECK(value == 1024);
    CHECK(driver.attribute(&value, 777777, 0) == 1);
}

TEST_CASE_FIXTURE(Fixture, "a thread without a context does nothing") {
    if (!driver.use_none) return;
    REQUIRE(driver.use_none() == 0);
    Address memory = 0;
    CHECK(driver.allocate(&memory, 64) == driver.codes.no_context);
}

TEST_CASE_FIXTURE(Fixture, "a stream of another device's context is refused") {
    void* stream = nullptr;
    REQUIRE(driver.create_stream(&stream) == 0);
    REQUIRE(driver.use(1) == 0);
    Address memory = 0;
    REQUIRE(driver.allocate(&memory, 64) == 0);
    char bytes[64] = {};
    CHECK(driver.write_async(memory, bytes, 64, stream) == 201);
}

TEST_CASE_FIXTURE(Fixture, "stale and foreign handles are found out") {
    void *stream = nullptr, *event = nullptr, *module = nullptr, *function = nullptr;
    REQUIRE(driver.create_stream(&stream) == 0);
    CHECK(driver.destroy_stream(stream) == 0);
    CHECK(driver.destroy_stream(stream) == 400);
    CHECK(driver.wait_stream(stream) == 400);
    REQUIRE(driver.create_event(&event) == 0);
    CHECK(driver.wait_stream(event) == 400);
    CHECK(driver.destroy_event(event) == 0);
    CHECK(driver.record(event, nullptr) == 400);
    REQUIRE(driver.load(&module, image_for(driver.id)) == 0);
    CHECK(driver.function(&function, module, "no_such_kernel") == driver.codes.not_found);
    REQUIRE(driver.function(&function, module, "repeat") == 0);
    CHECK(driver.unload(module) == 0);
    CHECK(driver.unload(module) == 400);
    CHECK(driver.launch(function, {}, nullptr, nullptr) == 400);
}

TEST_CASE_FIXTURE(Fixture, "images of other families and damaged ones are refused") {
    void* module = nullptr;
    for (const char* id : {"cu", "mu", "hg", "hip", "mc", "sudrv", "ta"}) {
        if (id == driver.id) continue;
        const int code = driver.load(&module, image_for(id));
        INFO(std::string(id), " ", code);
        CHECK((code == 200 || code == 209));
        CHECK(module == nullptr);
    }
    std::vector<std::byte> image = image_for(driver.id);
    for (size_t index = 0; index < 64; ++index)
        image[index] = std::byte{0xff};
    CHECK(driver.load(&module, image) == 200);
}

TEST_CASE_FIXTURE(Fixture, "launches have limits") {
    void *module = nullptr, *function = nullptr;
    REQUIRE(driver.load(&module, image_for(driver.id)) == 0);
    REQUIRE(driver.function(&function, module, "repeat") == 0);
    Address cell = 0;
    REQUIRE(driver.allocate(&cell, 4) == 0);
    uint32_t rounds = 0;
    void* parameters[] = {&cell, &rounds};
    Shape shape;
    CHECK(driver.launch(function, shape, parameters, nullptr) == 0);
    shape.group[0] = 1025;
    CHECK(driver.launch(function, shape, parameters, nullptr) == driver.codes.bad_configuration);
    shape.group[0] = 0;
    CHECK(driver.launch(function, shape, parameters, nullptr) == driver.codes.bad_configuration);
    shape = {};
    shape.groups[1] = 65536;
    CHECK(driver.launch(function, shape, parameters, nullptr) == driver.codes.bad_configuration);
    shape = {};
    shape.shared_bytes = 49153;
    CHECK(driver.launch(function, shape, parameters, nullptr) == driver.codes.bad_configuration);
    CHECK(driver.launch(function, {}, nullptr, nullptr) == 1);
    size_t size = 4;
    void* extra[] = {reinterpret_cast<void*>(1), parameters, reinterpret_cast<void*>(2), &size, reinterpret_cast<void*>(hip ? 3 : 0)};
    CHECK(driver.launch(function, {}, nullptr, extra) == 1);
    cell += 1 << 20;
    CHECK(driver.launch(function, {}, parameters, nullptr) == 700);
}

TEST_CASE("nothing works before init") {
    Library library(library_file());
    const Driver driver = driver_of(library);
    if (driver.id == "hip" || driver.id == "mc") return;
    /* The library stays loaded, so only the first case that runs can see this: it has a process of its own. */
    int count = 0;
    CHECK(driver.count(&count) == 3);
}

TEST_SUITE_END();
