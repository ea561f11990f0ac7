/* Each quirk, as a program sees it that has no workaround. FAKE_<ID>_QUIRKS and the like are set by ctest: one process per quirk. */
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "driver.h"

using namespace fakes_test;

namespace {

struct Fixture {
    Library library{library_file()};
    Driver driver = driver_of(library);

    Fixture() {
        REQUIRE(driver.init() == 0);
        REQUIRE(driver.use(0) == 0);
    }
    Address allocate(size_t size) {
        Address made = 0;
        REQUIRE(driver.allocate(&made, size) == 0);
        return made;
    }
    int attribute(int number) {
        int value = -1;
        return driver.attribute(&value, number, 0) == 0 ? value : -1;
    }
};

bool readable(const void* at) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const bool written = write(ends[1], at, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return written;
}

} // namespace

TEST_SUITE_BEGIN("fakes.quirks");

TEST_CASE_FIXTURE(Fixture, "strict-memory: the host cannot touch the card's memory") {
    CHECK_FALSE(readable(reinterpret_cast<const void*>(allocate(4096))));
}

TEST_CASE_FIXTURE(Fixture, "no-peer-copies: a copy between cards fails and writes nothing, though access is promised") {
    uint32_t value = 7;
    const Address here = allocate(4);
    CHECK(driver.write(here, &value, 4) == 0);
    REQUIRE(driver.use(1) == 0);
    const Address there = allocate(4);
    uint32_t before = 9;
    CHECK(driver.write(there, &before, 4) == 0);
    CHECK(driver.move_peer(there, 1, here, 0, 4) == 999);
    CHECK(driver.move(there, here, 4) == 999);
    CHECK(driver.read(&value, there, 4) == 0);
    CHECK(value == 9);
    int can = 0;
    CHECK(library.get<int(int*, int, int)>(driver.prefix + "DeviceCanAccessPeer")(&can, 0, 1) == 0);
    CHECK(can == 1);
}

TEST_CASE_FIXTURE(Fixture, "no-peer-access: it is not there") {
    int can = 1;
    CHECK(library.get<int(int*, int, int)>(driver.prefix + "DeviceCanAccessPeer")(&can, 0, 1) == 0);
    CHECK(can == 0);
}

TEST_CASE_FIXTURE(Fixture, "early-reuse: pinned memory is given out again while a copy still reads it") {
    void *stream = nullptr, *first = nullptr, *second = nullptr;
    const Address memory = allocate(4096);
    REQUIRE(driver.create_stream(&stream) == 0);
    REQUIRE(driver.allocate_host(&first, 4096) == 0);
    std::memset(first, 1, 4096);
    CHECK(driver.write_async(memory, first, 4096, stream) == 0);
    CHECK(driver.free_host(first) == 0);
    REQUIRE(driver.allocate_host(&second, 4096) == 0);
    CHECK(second == first);
    std::memset(second, 2, 4096);
    CHECK(driver.wait_stream(stream) == 0);
    char read = 0;
    CHECK(driver.read(&read, memory, 1) == 0);
    CHECK(read == 2);
}

TEST_CASE_FIXTURE(Fixture, "other-attributes: CUDA's numbers mean nothing") {
    CHECK(attribute(10) == -1);
    CHECK(attribute(1010) == 32);
}

TEST_CASE_FIXTURE(Fixture, "big-properties: more is written than the version before had") {
    std::vector<unsigned char> bytes(4096, 0xee);
    CHECK(library.get<int(unsigned char*, int)>(driver.prefix + "GetDeviceProperties")(bytes.data(), 0) == 0);
    CHECK(bytes[1471] == 0);
    CHECK(bytes[1472] == 0xee);
}

TEST_CASE_FIXTURE(Fixture, "no-managed: the name is there and answers that it is not supported") {
    Address memory = 1;
    CHECK(library.get<int(Address*, size_t, unsigned)>(driver.prefix + "MemAllocManaged")(&memory, 4096, 1) == 801);
    CHECK(attribute(83) == 0);
}

TEST_CASE_FIXTURE(Fixture, "no-host-register: memory of the process is not taken") {
    static char page[8192];
    CHECK(driver.register_host(page, 4096) == 801);
    CHECK(attribute(99) == 0);
}

TEST_CASE_FIXTURE(Fixture, "no-pinned: there is no memory of the host's") {
    void* memory = nullptr;
    CHECK(driver.allocate_host(&memory, 4096) == 801);
    CHECK(memory == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "wrong-warp: a width that kernels are not made for") {
    CHECK(attribute(10) == 128);
}

TEST_CASE_FIXTURE(Fixture, "lazy-image: it must stay until functions were found") {
    void *module = nullptr, *function = nullptr;
    std::vector<std::byte> image = image_for(driver.id);
    REQUIRE(driver.load(&module, image) == 0);
    image[0] = std::byte{0};
    CHECK(driver.function(&function, module, "add") == 200);
}

TEST_CASE_FIXTURE(Fixture, "sticky-errors: a wrong address is accepted, and the end of the card") {
    void *module = nullptr, *function = nullptr;
    REQUIRE(driver.load(&module, image_for(driver.id)) == 0);
    REQUIRE(driver.function(&function, module, "repeat") == 0);
    const Address memory = allocate(64);
    Address nowhere = 4096;
    uint32_t rounds = 1;
    void* parameters[] = {&nowhere, &rounds};
    CHECK(driver.launch(function, {}, parameters, nullptr) == 0);
    CHECK(driver.wait_stream(nullptr) == 700);
    CHECK(driver.fill(memory, 1, 64) == 700);
}

TEST_CASE_FIXTURE(Fixture, "the process sees one card, which is the machine's second") {
    int count = 0;
    CHECK(driver.count(&count) == 0);
    CHECK(count == 1);
    CHECK(driver.use(1) == 101);
    char address[16] = {};
    CHECK(library.get<int(char*, int, int)>(driver.prefix + "DeviceGetPCIBusId")(address, 16, 0) == 0);
    CHECK(std::string(address) == "0000:02:00.0");
}

TEST_CASE("init fails") {
    Library library(library_file());
    const Driver driver = driver_of(library);
    CHECK(driver.init() == 804);
    int count = 0;
    CHECK(driver.count(&count) == 3);
}

TEST_CASE("init hangs") {
    const pid_t child = fork();
    if (child == 0) {
        Library library(library_file());
        (void)driver_of(library).init();
        _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK(waitpid(child, nullptr, WNOHANG) == 0);
    kill(child, SIGKILL);
    CHECK(waitpid(child, nullptr, 0) == child);
}

TEST_CASE_FIXTURE(Fixture, "a launch answers a code that nobody knows") {
    void *module = nullptr, *function = nullptr;
    REQUIRE(driver.load(&module, image_for(driver.id)) == 0);
    REQUIRE(driver.function(&function, module, "repeat") == 0);
    CHECK(driver.launch(function, {}, nullptr, nullptr) == 123456);
    CHECK(driver.error_name(123456).empty());
}

TEST_CASE("no devices") {
    Library library(library_file());
    const Driver driver = driver_of(library);
    CHECK(driver.init() == 100);
}

TEST_CASE_FIXTURE(Fixture, "a thousand devices") {
    int count = 0;
    CHECK(driver.count(&count) == 0);
    CHECK(count == 1000);
    CHECK(driver.use(999) == 0);
    const Address memory = allocate(64);
    CHECK(driver.fill(memory, 1, 64) == 0);
}

TEST_CASE_FIXTURE(Fixture, "the card is lost") {
    const Address memory = allocate(64);
    int code = 0;
    for (int count = 0; count < 20 && code == 0; ++count)
        code = driver.fill(memory, 1, 64);
    CHECK(code == 719);
    CHECK(driver.fill(memory, 1, 64) == 719);
}

TEST_CASE_FIXTURE(Fixture, "the first version of a name gives half of an address") {
    unsigned half[2] = {0, 0x55555555};
    CHECK(library.get<int(unsigned*, unsigned)>(driver.prefix + "MemAlloc")(half, 64) == 0);
    CHECK(half[1] == 0x55555555);
    CHECK(library.get<int(Address)>(driver.prefix + "MemFree_v2")(half[0]) == driver.codes.bad_pointer);
}

TEST_CASE("half the names are missing") {
    Library library(library_file());
    CHECK(library.find("cuMemAlloc_v2") != nullptr);
    for (const char* name : {"cuModuleLoadData", "cuLaunchKernel", "cuStreamCreate", "cuEventCreate"})
        CHECK(library.find(name) == nullptr);
}

TEST_CASE("only first versions are there") {
    Library library(library_file());
    for (const char* stem : {"hgMemAlloc", "hgMemFree", "hgMemcpyHtoD"}) {
        CHECK(library.find(stem) != nullptr);
        CHECK(library.find(std::string(stem) + "_v2") == nullptr);
    }
}

TEST_CASE("peer access has another spelling") {
    Library library(library_file());
    CHECK(library.find("mcDeviceEnableAccessPeer") != nullptr);
    CHECK(library.find("mcDeviceEnablePeerAccess") == nullptr);
}

TEST_CASE("the library crashes when it is closed") {
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGSEGV, SIG_DFL); /* the test program reports crashes of its own */
        Library library(library_file());
        library.close();
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
}

TEST_CASE("copies within a card are there and answer that they are not implemented") {
    Library library(library_file());
    const Driver driver = driver_of(library);
    REQUIRE(driver.init() == 0);
    REQUIRE(driver.use(0) == 0);
    Address memory = 0;
    REQUIRE(driver.allocate(&memory, 64) == 0);
    CHECK(driver.move(memory + 32, memory, 32) == driver.codes.not_implemented);
    static char page[8192];
    CHECK(driver.register_host(page, 4096) == driver.codes.not_implemented);
}

TEST_CASE_FIXTURE(Fixture, "an asynchronous copy has the stream before the kind") {
    const auto copy = library.get<int(void*, const void*, size_t, void*, int)>("suMemcpyAsync");
    const Address memory = allocate(64);
    void* stream = nullptr;
    REQUIRE(driver.create_stream(&stream) == 0);
    const char text[64] = "in order";
    CHECK(copy(reinterpret_cast<void*>(memory), text, 64, stream, 1) == 0);
    char read[64];
    CHECK(driver.read(read, memory, 64) == 0);
    CHECK(std::string(read) == "in order");
}

TEST_SUITE_END();
