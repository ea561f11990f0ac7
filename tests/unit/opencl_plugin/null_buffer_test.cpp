// Devices without addresses on the null driver: buffers, (buffer, offset) pairs as arguments, rectangles, and which mode a
// device is in.
#include "null_driver.h"

using namespace test;

namespace {

constexpr const char* kSource = "kernel void k__at(global char* a, ulong o, int n, global char* b, ulong p) {}";

uint64_t calls(const char* what) {
    return opencl_null_count(what);
}

// What the core does for `kernel void k(global char* a, int n, global char* b)`.
struct Buffers : AddressMode, NullFixture {
    Buffers() : AddressMode("table") {
        REQUIRE(device->try_load(kSource, "", &program, "opencl-c+offset") == QIAO_OK);
        kernel = layout.find(*device, program, "k__at");
        memory = device->allocate(1000);
        other = device->allocate(1000);
    }
    ~Buffers() {
        device->free(memory);
        device->free(other);
        unload(program);
    }
    qiao_status try_launch(Queue& queue, int n, const qiao_plugin_binding& a, const qiao_plugin_binding& b) {
        const qiao_plugin_binding pairs[] = {a, b};
        const Block block = Block(layout).set(0, uint64_t{1} << 62).set(1, n).set(2, uint64_t{2} << 62);
        const qiao_status status =
            queue.ops->queue_launch(queue.queue, kernel.kernel, &shape, block.data(), pairs, queue.value + 1);
        if (status == QIAO_OK) ++queue.value;
        return status;
    }
    // How many arguments a launch sets.
    uint64_t arguments_of(Queue& queue, int n, const qiao_plugin_binding& a, const qiao_plugin_binding& b) {
        const uint64_t before = calls("arguments");
        CHECK(try_launch(queue, n, a, b) == QIAO_OK);
        return calls("arguments") - before;
    }
    qiao_plugin_place place(const qiao_plugin_allocation& allocation, uint64_t offset) {
        return {allocation.allocation, offset, (UINT64_C(5) << 60) + offset};
    }
    void copy(Queue& queue, const qiao_plugin_place& source, const qiao_plugin_place& target, uint64_t size,
              uint64_t rows = 1, uint64_t source_pitch = 0, uint64_t target_pitch = 0) {
        qiao_plugin_copy copy = {};
        copy.source = source;
        copy.target = target;
        copy.source_device = source.allocation != nullptr ? device->device : nullptr;
        copy.target_device = target.allocation != nullptr ? device->device : nullptr;
        copy.size_bytes = size;
        copy.rows = rows;
        copy.source_pitch = source_pitch;
        copy.target_pitch = target_pitch;
        copy.value = queue.value + 1;
        REQUIRE(queue.ops->queue_copy(queue.queue, &copy) == QIAO_OK);
        ++queue.value;
    }

    Layout layout = Layout().address().value(4, 4).address();
    void* program = nullptr;
    qiao_plugin_kernel kernel = {};
    qiao_plugin_allocation memory = {}, other = {};
    qiao_plugin_geometry shape = geometry(4, 64);
};

qiao_plugin_binding at(const qiao_plugin_allocation& allocation, uint64_t offset) {
    return {allocation.allocation, offset};
}

qiao_plugin_place host_place(const void* pointer) {
    return {nullptr, 0, reinterpret_cast<uintptr_t>(pointer)};
}

} // namespace

TEST_SUITE("opencl.addresses") {
    TEST_CASE("a device without addresses has buffers, and says so") {
        for (const char* settings : {"svm=none", "version=120"}) {
            NullDriver driver(settings);
            Host host;
            Device device(host, 0);
            CHECK(device.opened == QIAO_OK);
            CHECK((device.info.flags & QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED) != 0);
            CHECK(device.info.memory_kinds == 1u << QIAO_MEMORY_KIND_DEVICE);
            CHECK((device.info.features & QIAO_FEATURE_ADDRESSES) == 0);
            CHECK(std::string(device.info.formats) == "opencl-c+offset");
            CHECK(std::string(device.info.note).find("buffers without addresses") != std::string::npos);
        }
    }

    TEST_CASE("the mode decides where the driver offers both") {
        const NullDriver driver("usm il");
        {
            const AddressMode automatic("auto");
            Host host;
            const Device device(host, 0);
            CHECK((device.info.flags & QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED) == 0);
            CHECK(std::string(device.info.formats) == "spirv-opencl;opencl-c");
        }
        const AddressMode table("table");
        Host host;
        Device device(host, 0);
        CHECK((device.info.flags & QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED) != 0);
        CHECK(std::string(device.info.formats) == "opencl-c+offset");
        void* program = nullptr;
        CHECK(device.try_load("kernel void k(int n) {}", "", &program) == QIAO_ERROR_UNSUPPORTED);
        CHECK(host.take_error().message.find("format 'opencl-c' is not one of opencl-c+offset") != std::string::npos);
    }

    TEST_CASE("a mode that does not exist is refused by its name") {
        const NullDriver driver;
        const AddressMode wrong("sometimes");
        Host host;
        CHECK(host.loaded == QIAO_ERROR_INVALID_ARGUMENT);
        REQUIRE(host.info.refusal != nullptr);
        CHECK(std::string(host.info.refusal) == "QIAO_OPENCL_ADDRESSES is 'sometimes'");
        CHECK(std::string(host.info.remedy).find("auto, native or table") != std::string::npos);
    }
}

TEST_SUITE("opencl.buffer") {
    TEST_CASE_FIXTURE(Buffers, "of a pair, the half that changed is set") {
        Queue queue(*device);
        CHECK(arguments_of(queue, 1, at(memory, 0), at(other, 8)) == 5);
        CHECK(arguments_of(queue, 1, at(memory, 0), at(other, 8)) == 0);
        CHECK(arguments_of(queue, 2, at(memory, 0), at(other, 8)) == 1);
        CHECK(arguments_of(queue, 2, at(memory, 3), at(other, 8)) == 1);
        CHECK(arguments_of(queue, 2, at(memory, 3), at(memory, 8)) == 1);
        CHECK(arguments_of(queue, 2, at(memory, 3), at(other, 1000)) == 2);
        CHECK(arguments_of(queue, 2, {nullptr, 0}, at(other, 1000)) == 2);
        CHECK(arguments_of(queue, 2, {nullptr, 0}, {nullptr, 0}) == 2);
        CHECK(arguments_of(queue, 2, at(memory, 0), {nullptr, 0}) == 1);
        queue.wait(queue.value);
    }

    TEST_CASE_FIXTURE(Buffers, "after a free of anything all arguments are set again") {
        Queue queue(*device);
        arguments_of(queue, 1, at(memory, 4), at(other, 8));
        device->free(device->allocate(64));
        CHECK(arguments_of(queue, 1, at(memory, 4), at(other, 8)) == 5);
        CHECK(arguments_of(queue, 1, at(memory, 4), at(other, 8)) == 0);
        queue.wait(queue.value);
    }

    TEST_CASE_FIXTURE(Buffers, "a pair the driver refuses is named, and set again next time") {
        for (int nth = 1; nth <= 5; ++nth) {
            INFO("the argument set as number ", nth);
            Queue queue(*device);
            const std::string fail = "fail=clSetKernelArg:" + std::to_string(nth) + ":-38";
            REQUIRE(opencl_null_change(fail.c_str()) == 1);
            CHECK(try_launch(queue, 1, at(memory, 4), at(other, 8)) < 0);
            const Error error = host->take_error();
            CHECK(error.vendor_text == "CL_INVALID_MEM_OBJECT");
            CHECK(error.message.find("kernel 'k__at'") != std::string::npos);
            CHECK(try_launch(queue, 1, at(memory, 4), at(other, 8)) == QIAO_OK);
            CHECK(arguments_of(queue, 1, at(memory, 4), at(other, 8)) == 0);
            queue.wait(queue.value);
        }
    }

    TEST_CASE_FIXTURE(Buffers, "a host without queues launches with pairs too") {
        const qiao_plugin_binding pairs[] = {at(memory, 1), at(other, 2)};
        const Block block = Block(layout).set(1, 3);
        CHECK(device->tables->program->kernel_launch(device->device, kernel.kernel, &shape, block.data(), pairs) == QIAO_OK);
        CHECK(device->tables->device->device_synchronize(device->device, 1'000'000'000) == QIAO_OK);
    }

    TEST_CASE_FIXTURE(Buffers, "a kernel without the pairs is refused by the number of its arguments") {
        void* plain = nullptr;
        REQUIRE(device->try_load("kernel void k__at(global char* a, int n, global char* b) {}", "", &plain, "opencl-c+offset") == QIAO_OK);
        qiao_plugin_kernel found;
        CHECK(layout.try_find(*device, plain, "k__at", &found) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(host->take_error().message == "kernel 'k__at' takes 3 arguments, its description has 5");
        unload(plain);
    }

    TEST_CASE_FIXTURE(Buffers, "bytes go and come at any offset, by slots, copies and maps") {
        Queue queue(*device);
        std::vector<char> bytes(1000), back(1000);
        for (size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<char>(11 * i);
        device->write(memory, bytes.data(), 900, 100);
        device->read(memory, back.data(), 899, 101);
        CHECK(std::memcmp(back.data(), bytes.data() + 1, 899) == 0);
        copy(queue, host_place(bytes.data() + 3), place(memory, 7), 50);
        copy(queue, place(memory, 9), place(other, 501), 40);
        copy(queue, place(other, 501), host_place(back.data()), 40);
        queue.wait(queue.value);
        CHECK(std::memcmp(back.data(), bytes.data() + 5, 40) == 0);
        void* pointer = nullptr;
        const auto* ops = device->tables->memory;
        REQUIRE(ops->memory_map(device->device, other.allocation, 500, 100, QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &pointer) == QIAO_OK);
        CHECK(static_cast<char*>(pointer)[1] == bytes[5]);
        static_cast<char*>(pointer)[0] = 77;
        REQUIRE(ops->memory_unmap(device->device, other.allocation, pointer) == QIAO_OK);
        device->read(other, back.data(), 1, 500);
        CHECK(back[0] == 77);
    }

    TEST_CASE_FIXTURE(Buffers, "rows are one rectangle, whatever the offset and the pitches") {
        Queue queue(*device);
        std::vector<char> bytes(1000), there(1000, 1), back(1000, 2), expected(1000, 2), middle(1000, 1);
        for (size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<char>(13 * i);
        device->write(memory, there.data(), 1000);
        device->write(other, there.data(), 1000);
        copy(queue, host_place(bytes.data() + 1), place(memory, 103), 5, 9, 17, 31);
        copy(queue, place(memory, 103), place(other, 68), 5, 9, 31, 33);
        copy(queue, place(other, 68), host_place(back.data() + 2), 5, 9, 33, 7);
        queue.wait(queue.value);
        for (size_t row = 0; row < 9; ++row) {
            std::memcpy(&expected[2 + 7 * row], &bytes[1 + 17 * row], 5);
            std::memcpy(&middle[103 + 31 * row], &bytes[1 + 17 * row], 5);
        }
        CHECK(back == expected);
        device->read(memory, there.data(), 1000);
        CHECK(there == middle);
    }

    TEST_CASE_FIXTURE(Buffers, "fills are aligned within the buffer, or left to the core") {
        Queue queue(*device);
        qiao_plugin_fill fill = {};
        fill.target = place(memory, 12);
        fill.size_bytes = 40;
        fill.pattern_size = 4;
        std::memcpy(fill.pattern, "abcd", 4);
        fill.value = ++queue.value;
        REQUIRE(queue.ops->queue_fill(queue.queue, &fill) == QIAO_OK);
        fill.target = place(memory, 13);
        CHECK(queue.ops->queue_fill(queue.queue, &fill) == QIAO_ERROR_UNSUPPORTED);
        std::memset(fill.pattern, 'z', 4);
        fill.size_bytes = 4;
        fill.value = ++queue.value;
        REQUIRE(queue.ops->queue_fill(queue.queue, &fill) == QIAO_OK);
        queue.wait(queue.value);
        char back[9] = "";
        device->read(memory, back, 8, 12);
        CHECK(std::string(back) == "azzzzbcd");
    }

    TEST_CASE_FIXTURE(Buffers, "what the driver refuses is passed on, and nothing is left behind") {
        qiao_plugin_allocation allocation;
        REQUIRE(opencl_null_change("fail=clCreateBuffer:1:-4") == 1);
        CHECK(device->try_allocate(64, QIAO_MEMORY_KIND_DEVICE, &allocation) == QIAO_ERROR_OUT_OF_MEMORY);
        CHECK(host->take_error().vendor_text == "CL_MEM_OBJECT_ALLOCATION_FAILURE");
        REQUIRE(opencl_null_change("fail=clEnqueueWriteBuffer:1:-5") == 1);
        CHECK(device->tables->memory->memory_write(device->device, memory.allocation, 0, "x", 1) < 0);
        CHECK(host->take_error().message.find("1 bytes") != std::string::npos);
        void* pointer = nullptr;
        REQUIRE(opencl_null_change("fail=clEnqueueMapBuffer:1:-12") == 1);
        CHECK(device->tables->memory->memory_map(device->device, memory.allocation, 0, 64, QIAO_ACCESS_READ, &pointer) < 0);
        CHECK(host->take_error().message.find("a map of 64 bytes") != std::string::npos);
    }
}
