// The OpenCL plugin on a real driver: PoCL. Each case loads the plugin anew and opens the device.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "environment.h"
#include "host.h"

using namespace test;

namespace {

struct Pocl {
    Pocl() { use_pocl(); }
};

struct Fixture : Pocl {
    Host host;
    Device device{host, 0};
    Fixture() {
        INFO(host.take_error().message);
        REQUIRE(device.opened == QIAO_OK);
    }

    qiao_plugin_allocation upload(const std::vector<int>& values) {
        const qiao_plugin_allocation out = device.allocate(values.size() * sizeof(int));
        device.write(out, values.data(), values.size() * sizeof(int));
        return out;
    }
    std::vector<int> download(const qiao_plugin_allocation& from, size_t count) {
        std::vector<int> values(count);
        device.read(from, values.data(), count * sizeof(int));
        return values;
    }
    void unload(void* program) { device.tables->program->program_unload(device.device, program); }
};

std::vector<int> iota(size_t count, int first = 0) {
    std::vector<int> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
}

constexpr const char* kAdd = R"(
kernel void add(global const int* a, global const int* b, global int* out, int scale) {
    size_t i = get_global_id(0);
    out[i] = a[i] + scale * b[i];
})";

Layout add_layout() {
    return Layout().address().address().address().value(4, 4);
}

constexpr const char* kAppend = R"(
kernel void append(global int* log, int value) { int at = log[0]; log[at + 1] = value; log[0] = at + 1; }
kernel void touch(global int* cell, int from, int to) { if (*cell == from) *cell = to; }
)";

} // namespace

TEST_SUITE("opencl.device") {
    TEST_CASE_FIXTURE(Fixture, "PoCL is listed with its limits, and what it lacks is not claimed") {
        CHECK(device.info.struct_size == sizeof device.info);
        CHECK(std::string(device.info.name).find("pthread") == 0);
        CHECK(std::string(device.info.driver).find("Portable Computing Language") == 0);
        CHECK(std::string(device.info.formats) == "opencl-c");
        CHECK(device.info.max_group_size >= 256);
        CHECK(device.info.compute_units > 0);
        CHECK(device.info.memory_bytes >= device.info.max_allocation_bytes);
        CHECK(device.info.max_allocation_bytes > 0);
        CHECK(device.info.local_memory_bytes > 0);
        CHECK(device.info.address_bits == 64);
        CHECK(device.info.memory_kinds == (1u << 1 | 1u << 2 | 1u << 3));
        CHECK((device.info.flags & QIAO_PLUGIN_DEVICE_FREE_THREADED) != 0);
        CHECK((device.info.flags & QIAO_PLUGIN_DEVICE_SIMULATED) == 0);
        CHECK((device.info.features & QIAO_FEATURE_ADDRESSES) != 0);
        CHECK((device.info.features & QIAO_FEATURE_INT64) != 0);
        CHECK(device.info.pci_vendor_id == 0);
        CHECK(std::string(device.info.note).find("the host's CPU") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "a query writes no byte beyond struct_size") {
        struct {
            qiao_plugin_device_info info;
            char canary[64];
        } out;
        std::memset(&out, 0x5a, sizeof out);
        out.info.struct_size = offsetof(qiao_plugin_device_info, vendor);
        REQUIRE(host.info.tables->device->device_query(host.info.plugin, 0, &out.info) == QIAO_OK);
        CHECK(out.info.vendor[0] == 0x5a);
        CHECK(out.info.struct_size == offsetof(qiao_plugin_device_info, vendor));
    }

    TEST_CASE_FIXTURE(Fixture, "an index that does not exist is refused by number") {
        qiao_plugin_device_info out = {};
        out.struct_size = sizeof out;
        CHECK(host.info.tables->device->device_query(host.info.plugin, 1000, &out) == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(host.take_error().message.find("1000") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "the device's clock rises with the host's") {
        uint64_t device_first = 0, host_first = 0, device_second = 0, host_second = 0;
        REQUIRE(device.tables->device->device_clock(device.device, &device_first, &host_first) == QIAO_OK);
        REQUIRE(device.tables->device->device_clock(device.device, &device_second, &host_second) == QIAO_OK);
        CHECK(device_second > device_first);
        CHECK(host_second > host_first);
    }

    TEST_CASE_FIXTURE(Fixture, "a well device says so") {
        qiao_plugin_device_state state = 9;
        char reason[16] = "x";
        REQUIRE(device.tables->device->device_state(device.device, &state, reason, sizeof reason) == QIAO_OK);
        CHECK(state == QIAO_PLUGIN_DEVICE_STATE_OK);
        CHECK(std::string(reason).empty());
    }
}

TEST_SUITE("opencl.memory") {
    TEST_CASE_FIXTURE(Fixture, "what is written comes back, at odd offsets too") {
        const qiao_plugin_allocation memory = device.allocate(1000);
        const std::vector<int> all = iota(250);
        device.write(memory, all.data(), 1000);
        const char patch[5] = {1, 2, 3, 4, 5};
        device.write(memory, patch, 5, 333);
        std::vector<char> expected(1000), back(1000);
        std::memcpy(expected.data(), all.data(), 1000);
        std::memcpy(expected.data() + 333, patch, 5);
        device.read(memory, back.data(), 1000);
        CHECK(back == expected);
        device.free(memory);
    }

    TEST_CASE_FIXTURE(Fixture, "every alignment up to 2 MiB is honoured") {
        for (uint64_t alignment = 128; alignment <= 2u << 20; alignment *= 2) {
            qiao_plugin_allocation memory;
            REQUIRE(device.try_allocate(100, QIAO_MEMORY_KIND_DEVICE, &memory, alignment) == QIAO_OK);
            CHECK(memory.address % alignment == 0);
            device.write(memory, &alignment, sizeof alignment, 92);
            device.free(memory);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "host and shared memory have a host pointer, device memory has none") {
        for (const qiao_memory_kind kind : {QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED}) {
            const qiao_plugin_allocation memory = device.allocate(64, kind);
            CHECK(reinterpret_cast<uintptr_t>(memory.host_pointer) == memory.address);
            std::memset(memory.host_pointer, 0x11, 64);
            unsigned char back[64];
            device.read(memory, back, 64);
            CHECK(back[63] == 0x11);
            device.free(memory);
        }
        const qiao_plugin_allocation memory = device.allocate(64);
        CHECK(memory.host_pointer == nullptr);
        device.free(memory);
    }

    TEST_CASE_FIXTURE(Fixture, "a map shows the bytes, and what is written there arrives") {
        const qiao_plugin_allocation memory = upload(iota(64));
        void* pointer = nullptr;
        REQUIRE(device.tables->memory->memory_map(device.device, memory.allocation, 40, 80,
                                                  QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &pointer) == QIAO_OK);
        CHECK(static_cast<int*>(pointer)[0] == 10);
        static_cast<int*>(pointer)[1] = -1;
        REQUIRE(device.tables->memory->memory_unmap(device.device, memory.allocation, pointer) == QIAO_OK);
        CHECK(download(memory, 12)[11] == -1);
        device.free(memory);
    }

    TEST_CASE_FIXTURE(Fixture, "more than the device has is out of memory, with the sizes in the message") {
        qiao_plugin_allocation memory;
        CHECK(device.try_allocate(uint64_t{1} << 50, QIAO_MEMORY_KIND_DEVICE, &memory) == QIAO_ERROR_OUT_OF_MEMORY);
        const Error error = host.take_error();
        CHECK(error.message.find("1125899906842624") != std::string::npos);
        CHECK(!error.remedy.empty());
    }
}

TEST_SUITE("opencl.program") {
    TEST_CASE_FIXTURE(Fixture, "a build failure carries the log and the line") {
        void* program = nullptr;
        CHECK(device.try_load("kernel void f(global int* a) {\n    a[0] = 1;\n    a[1] = undeclared_name;\n}\n", "",
                              &program) == QIAO_ERROR_BUILD);
        const Error error = host.take_error();
        CHECK(program == nullptr);
        CHECK(error.status == QIAO_ERROR_BUILD);
        CHECK(error.line == 3);
        CHECK(error.log.find("undeclared_name") != std::string::npos);
        CHECK(error.message.find("undeclared_name") != std::string::npos);
        CHECK(error.vendor_text.find("CL_") == 0);
    }

    TEST_CASE_FIXTURE(Fixture, "build options reach the compiler") {
        void* program = device.load("kernel void f(global int* a) { a[0] = VALUE; }", "-DVALUE=42");
        Layout layout;
        const qiao_plugin_kernel kernel = layout.address().find(device, program, "f");
        const qiao_plugin_allocation memory = upload({0});
        Queue queue(device);
        queue.wait(queue.launch(kernel, geometry(1, 1), Block(layout).set(0, memory.address)));
        CHECK(download(memory, 1)[0] == 42);
        unload(program);
        device.free(memory);
    }

    TEST_CASE_FIXTURE(Fixture, "an unknown kernel names those that exist") {
        void* program = device.load(kAppend);
        qiao_plugin_kernel kernel;
        CHECK(Layout().try_find(device, program, "nope", &kernel) == QIAO_ERROR_NOT_FOUND);
        const Error error = host.take_error();
        CHECK(error.message.find("'nope'") != std::string::npos);
        CHECK(error.message.find("append") != std::string::npos);
        CHECK(error.message.find("touch") != std::string::npos);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "a description with another number of arguments is refused") {
        void* program = device.load(kAdd);
        qiao_plugin_kernel kernel;
        CHECK(Layout().address().try_find(device, program, "add", &kernel) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(host.take_error().message.find("takes 4 arguments, its description has 1") != std::string::npos);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "a kernel's facts are told") {
        void* program = device.load(
            "kernel void f(global int* a) { local int t[32]; t[get_local_id(0)] = a[0]; barrier(1); a[0] = t[0]; }");
        Layout layout;
        const qiao_plugin_kernel kernel = layout.address().find(device, program, "f");
        CHECK(kernel.max_group_size > 0);
        CHECK(kernel.preferred_group_multiple > 0);
        CHECK((kernel.flags & QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET) != 0);
        CHECK(kernel.kernel != nullptr);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "the score says what the device cannot run, and why") {
        const auto score = [&](const char* format, const void* data, size_t size, qiao_features features,
                               std::string* reason) {
            qiao_plugin_program_desc desc = {};
            desc.struct_size = sizeof desc;
            desc.format = format;
            desc.target = "";
            desc.data = data;
            desc.size_bytes = size;
            desc.features = features;
            uint32_t out = 99;
            char text[256];
            REQUIRE(device.tables->program->program_score(device.device, &desc, &out, text, sizeof text) == QIAO_OK);
            *reason = text;
            return out;
        };
        std::string reason;
        CHECK(score("opencl-c", kAdd, strlen(kAdd), 0, &reason) > 0);
        CHECK(reason.empty());
        CHECK(score("ptx", "x", 1, 0, &reason) == 0);
        CHECK(reason.find("'ptx'") != std::string::npos);
        CHECK(score("spirv-opencl", kAdd, strlen(kAdd), 0, &reason) == 0);
        CHECK(reason.find("no SPIR-V") != std::string::npos);
        CHECK(score("opencl-c", kAdd, strlen(kAdd), QIAO_FEATURE_SUBGROUPS, &reason) == 0);
        CHECK(reason.find("subgroups") != std::string::npos);
    }
}

TEST_SUITE("opencl.queue") {
    TEST_CASE_FIXTURE(Fixture, "vector addition, at addresses inside allocations of odd element offsets") {
        void* program = device.load(kAdd);
        Layout layout = add_layout();
        const qiao_plugin_kernel kernel = layout.find(device, program, "add");
        const qiao_plugin_allocation a = upload(iota(1100)), b = upload(iota(1100, 1000)),
                                     out = upload(std::vector<int>(1100, -7));
        Queue queue(device);
        queue.wait(queue.launch(
            kernel, geometry(8, 128),
            Block(layout).set(0, a.address + 4).set(1, b.address + 12).set(2, out.address + 20).set(3, 3)));
        const std::vector<int> result = download(out, 1100);
        for (int i = 0; i < 5; ++i)
            CHECK(result[i] == -7);
        for (int i = 0; i < 1024; ++i)
            REQUIRE(result[i + 5] == (i + 1) + 3 * (1000 + i + 3));
        for (int i = 1029; i < 1100; ++i)
            REQUIRE(result[i] == -7);
        for (const auto& memory : {a, b, out})
            device.free(memory);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "local memory has the size the block gives, launch by launch") {
        void* program = device.load(R"(
kernel void turn(global int* data, local int* first, char salt, local int* second) {
    size_t i = get_local_id(0), n = get_local_size(0), at = get_group_id(0) * n;
    first[i] = data[at + i];
    second[i] = salt;
    barrier(CLK_LOCAL_MEM_FENCE);
    data[at + i] = first[n - 1 - i] + second[n - 1 - i];
})");
        Layout layout = Layout().address().local().value(1, 1).local();
        const qiao_plugin_kernel kernel = layout.find(device, program, "turn");
        const qiao_plugin_allocation memory = upload(iota(256));
        Queue queue(device);
        std::vector<int> expected = iota(256);
        for (const uint32_t group : {16u, 64u, 16u}) {
            const uint32_t bytes = group * 4;
            queue.launch(kernel, geometry(256 / group, group),
                         Block(layout).set(0, memory.address).set(1, bytes).set(2, char(-3)).set(3, bytes));
            for (uint32_t i = 0; i < 256; i += group)
                std::reverse(expected.begin() + i, expected.begin() + i + group);
            for (int& value : expected)
                value -= 3;
        }
        queue.wait(queue.value);
        CHECK(download(memory, 256) == expected);
        device.free(memory);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "structs by value, small values side by side, and an address of zero") {
        void* program = device.load(R"(
typedef struct { char tag; long big; float third; } Thing;
kernel void pick(global int* out, Thing thing, char a, short b, global int* maybe, uchar c) {
    out[0] = thing.tag; out[1] = (int)(thing.big >> 32); out[2] = (int)thing.third;
    out[3] = a; out[4] = b; out[5] = maybe == 0; out[6] = c;
})");
        struct Thing {
            char tag;
            int64_t big;
            float third;
        };
        Layout layout = Layout().address().value(sizeof(Thing), 8).value(1, 1).value(2, 2).address().value(1, 1);
        const qiao_plugin_kernel kernel = layout.find(device, program, "pick");
        const qiao_plugin_allocation memory = upload(std::vector<int>(7));
        Queue queue(device);
        Thing thing = {'x', int64_t{5} << 32, 7.5f};
        Block block(layout);
        const qiao_plugin_geometry shape = geometry(1, 1);
        block.set(0, memory.address)
            .set(1, thing)
            .set(2, char(1))
            .set(3, int16_t(-2))
            .set(4, uint64_t{0})
            .set(5, uint8_t(200));
        queue.wait(queue.launch(kernel, shape, block));
        CHECK(download(memory, 7) == std::vector<int>{'x', 5, 7, 1, -2, 1, 200});
        // One field after the other: only it may change.
        thing.third = 9.0f;
        queue.wait(queue.launch(kernel, shape, block.set(1, thing)));
        CHECK(download(memory, 7) == std::vector<int>{'x', 5, 9, 1, -2, 1, 200});
        queue.wait(queue.launch(kernel, shape, block.set(3, int16_t(300))));
        CHECK(download(memory, 7) == std::vector<int>{'x', 5, 9, 1, 300, 1, 200});
        queue.wait(queue.launch(kernel, shape, block.set(5, uint8_t(3)).set(4, memory.address)));
        CHECK(download(memory, 7) == std::vector<int>{'x', 5, 9, 1, 300, 0, 3});
        device.free(memory);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "offsets, two dimensions and their sizes arrive") {
        void* program = device.load(
            "kernel void where(global int* out) { size_t x = get_global_id(0), y = get_global_id(1);"
            " out[y * 8 + x] = (int)(get_global_offset(0) * 100 + get_local_size(1) * 10 + get_work_dim()); }");
        Layout layout;
        const qiao_plugin_kernel kernel = layout.address().find(device, program, "where");
        const qiao_plugin_allocation memory = upload(std::vector<int>(64, 0));
        qiao_plugin_geometry shape = geometry(2, 2);
        shape.group_count[1] = 1;
        shape.group_size[1] = 3;
        shape.global_offset[0] = 3;
        shape.dimensions = 2;
        Queue queue(device);
        queue.wait(queue.launch(kernel, shape, Block(layout).set(0, memory.address)));
        std::vector<int> expected(64, 0);
        for (int y = 0; y < 3; ++y)
            for (int x = 3; x < 7; ++x)
                expected[y * 8 + x] = 332;
        CHECK(download(memory, 64) == expected);
        device.free(memory);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "operations of a queue run in order: launches, copies and fills") {
        void* program = device.load(kAppend);
        Layout layout = Layout().address().value(4, 4);
        const qiao_plugin_kernel kernel = layout.find(device, program, "append");
        constexpr int kCount = 500;
        const qiao_plugin_allocation memory = upload(std::vector<int>(kCount + 1, 0)),
                                     twin = upload(std::vector<int>(kCount + 1));
        Queue queue(device);
        const qiao_plugin_geometry shape = geometry(1, 1);
        Block block(layout);
        for (int i = 0; i < kCount; ++i)
            queue.launch(kernel, shape, block.set(0, memory.address).set(1, i));
        queue.copy(twin.address, memory.address, 4 * (kCount + 1), &twin, &memory);
        qiao_plugin_fill fill = {};
        fill.target = {memory.allocation, 4, memory.address + 4};
        fill.size_bytes = 4 * kCount;
        fill.value = ++queue.value;
        fill.pattern[0] = 0xee;
        fill.pattern_size = 4;
        REQUIRE(queue.ops->queue_fill(queue.queue, &fill) == QIAO_OK);
        std::vector<int> direct(kCount + 1);
        queue.copy(reinterpret_cast<uintptr_t>(direct.data()), twin.address, 4 * (kCount + 1), nullptr, &twin);
        queue.wait(queue.value);
        std::vector<int> expected = iota(kCount + 1, -1);
        expected[0] = kCount;
        CHECK(direct == expected);
        std::vector<int> filled(kCount + 1, 0xee);
        filled[0] = kCount;
        CHECK(download(memory, kCount + 1) == filled);
        device.free(memory);
        device.free(twin);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "a fill that OpenCL cannot align is left to the core, unless its bytes are equal") {
        const qiao_plugin_allocation memory = upload(std::vector<int>(8, 0));
        Queue queue(device);
        qiao_plugin_fill fill = {};
        fill.target = {memory.allocation, 2, memory.address + 2};
        fill.size_bytes = 8;
        fill.value = 1;
        fill.pattern[0] = 1;
        fill.pattern_size = 4;
        CHECK(queue.ops->queue_fill(queue.queue, &fill) == QIAO_ERROR_UNSUPPORTED);
        std::memset(fill.pattern, 0x22, 4);
        CHECK(queue.ops->queue_fill(queue.queue, &fill) == QIAO_OK);
        queue.value = 1;
        queue.wait(1);
        CHECK(download(memory, 4) == std::vector<int>{0x22220000, 0x22222222, 0x2222, 0});
        device.free(memory);
    }

    TEST_CASE_FIXTURE(Fixture, "strided rows and other devices' memory are left to the core") {
        const qiao_plugin_allocation memory = upload(iota(64));
        Queue queue(device);
        int back[16] = {};
        qiao_plugin_copy copy = {};
        copy.source = {memory.allocation, 0, memory.address};
        copy.target.address = reinterpret_cast<uintptr_t>(back);
        copy.source_device = device.device;
        copy.size_bytes = 8;
        copy.rows = 4;
        copy.source_pitch = 16;
        copy.target_pitch = 8;
        copy.value = 1;
        CHECK(queue.ops->queue_copy(queue.queue, &copy) == QIAO_ERROR_UNSUPPORTED);
        copy.source_pitch = 8;
        REQUIRE(queue.ops->queue_copy(queue.queue, &copy) == QIAO_OK);
        queue.value = 1;
        queue.wait(1);
        CHECK(std::vector<int>(back, back + 9) == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 0});
        copy.source_device = &copy;
        CHECK(queue.ops->queue_copy(queue.queue, &copy) == QIAO_ERROR_UNSUPPORTED);
        device.free(memory);
    }

    TEST_CASE_FIXTURE(Fixture, "one queue waits for another's value") {
        void* program = device.load(R"(
kernel void slow(global volatile int* cell, int n) { int x = 0; for (int i = 0; i < n; ++i) x += cell[1]; cell[0] = x + 1; }
kernel void twice(global int* cell, int unused) { cell[0] *= 2; })");
        Layout layout = Layout().address().value(4, 4);
        const qiao_plugin_kernel slow = layout.find(device, program, "slow"),
                                 twice = layout.find(device, program, "twice");
        Queue first(device, 0, 1), second(device, 0, 2);
        for (int round = 0; round < 5; ++round) {
            const qiao_plugin_allocation memory = upload({0, 0});
            const Block block = Block(layout).set(0, memory.address).set(1, 20'000'000);
            first.launch(slow, geometry(1, 1), block);
            first.mark();
            REQUIRE(second.ops->queue_after(second.queue, first.queue, first.value, ++second.value) == QIAO_OK);
            second.wait(second.launch(twice, geometry(1, 1), block));
            CHECK(download(memory, 1)[0] == 2);
            first.wait(first.value);
            device.free(memory);
        }
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "a waiting thread comes back when the time is over") {
        void* program = device.load(
            "kernel void spin(global volatile int* cell, int n) { while (n-- > 0 && *cell == 0) {} cell[1] = 1; }");
        Layout layout = Layout().address().value(4, 4);
        const qiao_plugin_kernel kernel = layout.find(device, program, "spin");
        const qiao_plugin_allocation cell = device.allocate(8, QIAO_MEMORY_KIND_SHARED);
        volatile int* host_cell = static_cast<volatile int*>(cell.host_pointer);
        host_cell[0] = 0;
        host_cell[1] = 0;
        Queue queue(device);
        queue.launch(kernel, geometry(1, 1), Block(layout).set(0, cell.address).set(1, 2'000'000'000));
        queue.mark();
        CHECK(queue.ops->queue_wait(queue.queue, 1, 1'000'000) == QIAO_TIMEOUT);
        CHECK(queue.ops->queue_wait(queue.queue, 1, 0) == QIAO_TIMEOUT);
        CHECK(queue.poll() == 0);
        CHECK(device.tables->device->device_synchronize(device.device, 1'000'000) == QIAO_TIMEOUT);
        host_cell[0] = 1;
        CHECK(device.tables->device->device_synchronize(device.device, QIAO_TIMEOUT_INFINITE) == QIAO_OK);
        CHECK(host_cell[1] == 1);
        CHECK(queue.poll() == 1);
        device.free(cell);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "a notification comes once for each value asked for") {
        void* program = device.load(kAppend);
        Layout layout = Layout().address().value(4, 4);
        const qiao_plugin_kernel kernel = layout.find(device, program, "append");
        const qiao_plugin_allocation memory = upload(std::vector<int>(300, 0));
        {
            Queue queue(device, 0, 4711);
            Block block(layout);
            for (int i = 0; i < 200; ++i) {
                queue.launch(kernel, geometry(1, 1), block.set(0, memory.address).set(1, i));
                queue.mark();
                REQUIRE(queue.ops->queue_notify(queue.queue, queue.value) == QIAO_OK);
            }
            for (uint64_t value = 1; value <= 200; ++value) {
                qiao_status status = -99;
                REQUIRE(host.await_completed(4711, value, &status));
                CHECK(status == QIAO_OK);
            }
            CHECK(queue.poll() == 200);
            qiao_status status = -99;
            REQUIRE(queue.ops->queue_notify(queue.queue, 7) == QIAO_OK); // long reached: at once
            REQUIRE(host.await_completed(4711, 7, &status));
        }
        CHECK(host.completed_count() == 201);
        device.free(memory);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "profiling tells when each operation ran, on a rising clock") {
        void* program = device.load(kAppend);
        Layout layout = Layout().address().value(4, 4);
        const qiao_plugin_kernel kernel = layout.find(device, program, "append");
        const qiao_plugin_allocation memory = upload(std::vector<int>(200, 0));
        uint64_t device_before = 0, device_after = 0, host_now = 0;
        REQUIRE(device.tables->device->device_clock(device.device, &device_before, &host_now) == QIAO_OK);
        {
            Queue queue(device, QIAO_PLUGIN_QUEUE_PROFILING);
            Block block(layout);
            for (int i = 0; i < 100; ++i)
                queue.launch(kernel, geometry(1, 1), block.set(0, memory.address).set(1, i));
            queue.wait(100);
            REQUIRE(device.tables->device->device_clock(device.device, &device_after, &host_now) == QIAO_OK);
            uint64_t last_end = device_before;
            for (uint64_t value = 1; value <= 100; ++value) {
                uint64_t start = 0, end = 0;
                REQUIRE(queue.ops->queue_timestamps(queue.queue, value, &start, &end) == QIAO_OK);
                CHECK(start >= last_end);
                CHECK(end >= start);
                last_end = end;
            }
            CHECK(last_end <= device_after);
            uint64_t start = 0, end = 0;
            CHECK(queue.ops->queue_timestamps(queue.queue, 101, &start, &end) == QIAO_NOT_READY);
        }
        Queue plain(device);
        uint64_t start = 0, end = 0;
        CHECK(plain.ops->queue_timestamps(plain.queue, 1, &start, &end) == QIAO_ERROR_UNSUPPORTED);
        device.free(memory);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "many threads share one kernel, each on its own queue") {
        void* program = device.load(kAdd);
        Layout layout = add_layout();
        const qiao_plugin_kernel kernel = layout.find(device, program, "add");
        constexpr int kThreads = 4, kRounds = 150, kItems = 64;
        std::atomic<int> wrong{0};
        const auto work = [&](int number) {
            const auto memory = [&] {
                qiao_plugin_allocation out;
                if (device.try_allocate(kItems * 4, QIAO_MEMORY_KIND_SHARED, &out) != QIAO_OK) ++wrong;
                return out;
            };
            const qiao_plugin_allocation a = memory(), b = memory(), out = memory();
            for (int i = 0; i < kItems; ++i) {
                static_cast<int*>(a.host_pointer)[i] = i;
                static_cast<int*>(b.host_pointer)[i] = number;
            }
            Queue queue(device, 0, static_cast<uint64_t>(number));
            const qiao_plugin_geometry shape = geometry(4, kItems / 4);
            Block block(layout);
            block.set(0, a.address).set(1, b.address).set(2, out.address);
            for (int round = 0; round < kRounds; ++round) {
                queue.wait(queue.launch(kernel, shape, block.set(3, round)));
                for (int i = 0; i < kItems; ++i)
                    if (static_cast<int*>(out.host_pointer)[i] != i + round * number) ++wrong;
            }
            for (const auto& allocation : {a, b, out})
                device.free(allocation);
        };
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back(work, i + 1);
        for (std::thread& thread : threads)
            thread.join();
        CHECK(wrong == 0);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "kernels that follow addresses in data see every allocation, also later ones") {
        void* program = device.load(R"(
typedef struct Node { global struct Node* next; long value; } Node;
kernel void sum(global Node* node, global long* out) { long s = 0; while (node) { s += node->value; node = node->next; } *out = s; })");
        Layout layout = Layout().address().address();
        const qiao_plugin_kernel kernel = layout.find(device, program, "sum", QIAO_FEATURE_ADDRESSES);
        const qiao_plugin_allocation out = device.allocate(8);
        Queue queue(device);
        struct Node {
            uint64_t next;
            int64_t value;
        };
        std::vector<qiao_plugin_allocation> nodes;
        uint64_t head = 0;
        int64_t expected = 0;
        for (int i = 1; i <= 10; ++i) {
            nodes.push_back(device.allocate(sizeof(Node)));
            const Node node = {head, i};
            device.write(nodes.back(), &node, sizeof node);
            head = nodes.back().address;
            expected += i;
            queue.wait(queue.launch(kernel, geometry(1, 1), Block(layout).set(0, head).set(1, out.address)));
            int64_t sum = 0;
            device.read(out, &sum, sizeof sum);
            CHECK(sum == expected);
        }
        for (const auto& node : nodes)
            device.free(node);
        device.free(out);
        unload(program);
    }

    TEST_CASE_FIXTURE(Fixture, "a host without queues launches in order on the device") {
        void* program = device.load(kAppend);
        Layout layout = Layout().address().value(4, 4);
        const qiao_plugin_kernel kernel = layout.find(device, program, "append");
        const qiao_plugin_allocation memory = upload(std::vector<int>(11, 0));
        for (int i = 0; i < 10; ++i) {
            const qiao_plugin_geometry shape = geometry(1, 1);
            REQUIRE(device.tables->program->kernel_launch(device.device, kernel.kernel, &shape,
                                                          Block(layout).set(0, memory.address).set(1, i).data(),
                                                          nullptr) == QIAO_OK);
        }
        REQUIRE(device.tables->device->device_synchronize(device.device, QIAO_TIMEOUT_INFINITE) == QIAO_OK);
        std::vector<int> expected = iota(11, -1);
        expected[0] = 10;
        CHECK(download(memory, 11) == expected);
        device.free(memory);
        unload(program);
    }
}
