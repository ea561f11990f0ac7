// Kernels on lavapipe: where their arguments go, and what a pipeline is specialised for.
#include "support.h"

#include <cstring>

using namespace test;

TEST_SUITE("vulkan.launch") {
    TEST_CASE_FIXTURE(Fixture, "a sum, with every group size that divides it") {
        Program program(device, "kernel void add(global const uint* a, global const uint* b, global uint* out, uint scale) {"
                                " size_t i = get_global_id(0); out[i] = a[i] + scale * b[i]; }");
        const auto kernel = program.kernel("add");
        const auto a = upload(iota(1024)), b = upload(iota(1024, 5)), out = upload(std::vector<uint32_t>(1024));
        Queue queue(device);
        for (uint32_t group = 1; group <= 1024; group *= 4) {
            const Block block = Block(program.layout("add")).set(0, a.address).set(1, b.address).set(2, out.address).set(3, group);
            queue.wait(queue.launch(kernel, geometry(1024 / group, group), block));
            const auto result = download<uint32_t>(out, 1024);
            for (uint32_t i = 0; i < 1024; ++i)
                REQUIRE(result[i] == i + group * (i + 5));
        }
        for (const auto& each : {a, b, out}) device.free(each);
    }

    TEST_CASE_FIXTURE(Fixture, "local arguments of one sum and different parts are different pipelines") {
        Program program(device, "kernel void swap(global uint* out, local uint* a, local ulong* b, uint offset) {"
                                " uint i = get_local_id(0); a[offset + i] = i; b[i] = 10 * i; barrier(CLK_LOCAL_MEM_FENCE);"
                                " uint j = get_local_size(0) - 1 - i; out[i] = a[offset + j] + (uint)b[j]; }");
        const auto kernel = program.kernel("swap");
        const auto out = upload(std::vector<uint32_t>(32));
        Queue queue(device);
        qiao_plugin_geometry shape = geometry(1, 32);
        shape.local_bytes = 1024 + 512;
        for (const uint32_t larger : {0u, 1u, 0u}) {
            const uint32_t a_bytes = larger ? 1024 : 512, b_bytes = larger ? 512 : 1024;
            const uint32_t offset = a_bytes / 4 - 32; // the last elements there are
            const Block block = Block(program.layout("swap")).set(0, out.address).set(1, a_bytes).set(2, b_bytes).set(3, offset);
            queue.wait(queue.launch(kernel, shape, block));
            const auto result = download<uint32_t>(out, 32);
            for (uint32_t i = 0; i < 32; ++i)
                REQUIRE(result[i] == 11 * (31 - i));
        }
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "arguments beyond push constants go through a uniform block, also many launches of a batch") {
        std::string source = "kernel void many(global uint* out, uint4 v, uint at";
        for (int i = 0; i < 20; ++i) source += ", global const uint* p" + std::to_string(i);
        source += ", char last) { uint sum = v.x + v.w + last";
        for (int i = 0; i < 20; ++i) source += " + *p" + std::to_string(i);
        source += "; out[at] = sum; }";
        Program program(device, source);
        const auto kernel = program.kernel("many");
        const auto numbers = upload(iota(20, 100)), out = upload(std::vector<uint32_t>(1000));
        Block block(program.layout("many"));
        const uint32_t v[4] = {1, 2, 3, 4};
        block.set(0, out.address).set(1, v).set(23, char{-2});
        for (uint32_t i = 0; i < 20; ++i)
            block.set(3 + i, numbers.address + 4 * i);
        Queue queue(device);
        const auto shape = geometry(1, 1);
        uint64_t last = 0;
        for (uint32_t i = 0; i < 1000; ++i)
            last = queue.launch(kernel, shape, block.set(2, i));
        queue.wait(last);
        CHECK(download<uint32_t>(out, 1000) == std::vector<uint32_t>(1000, 1 + 4 - 2 + 20 * 100 + 190));
        device.free(numbers);
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "a block of one byte, and one of a struct with padding") {
        Program program(device, "struct p { char tag; int a; long b; float c; short d[3]; };\n"
                                "kernel void take(global int* out, char first, struct p p, ushort last) {"
                                " out[0] = first; out[1] = p.tag; out[2] = p.a; out[3] = (int)(p.b >> 32); out[4] = (int)p.c;"
                                " out[5] = p.d[2]; out[6] = last; }");
        struct {
            char tag;
            int32_t a;
            int64_t b;
            float c;
            int16_t d[3];
        } p = {};
        p.tag = -3;
        p.a = 70000;
        p.b = int64_t{5} << 32;
        p.c = 2.5f;
        p.d[2] = -9;
        const auto out = upload(std::vector<int32_t>(7));
        Queue queue(device);
        queue.wait(queue.launch(program.kernel("take"), geometry(1, 1),
                                Block(program.layout("take")).set(0, out.address).set(1, char{-1}).set(2, p).set(3, uint16_t{65535})));
        CHECK(download<int32_t>(out, 7) == std::vector<int32_t>{-1, -3, 70000, 5, 2, -9, 65535});
        device.free(out);

        Program small(device, "kernel void nothing(char c) {}");
        queue.wait(queue.launch(small.kernel("nothing"), geometry(1, 1), Block(small.layout("nothing")).set(0, char{1})));
    }

    TEST_CASE_FIXTURE(Fixture, "three dimensions, their number, and a global offset") {
        Program program(device, "kernel void grid(global uint* out) {"
                                " size_t x = get_global_id(0) - get_global_offset(0), y = get_global_id(1) - get_global_offset(1);"
                                " size_t z = get_global_id(2) - get_global_offset(2);"
                                " size_t i = x + get_global_size(0) * (y + get_global_size(1) * z);"
                                " out[i] = get_global_id(0) + 100 * get_global_id(1) + 10000 * get_global_id(2) + 1000000 * get_work_dim(); }");
        const auto kernel = program.kernel("grid");
        CHECK((kernel.flags & QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET) != 0);
        const auto out = upload(std::vector<uint32_t>(4 * 6 * 2));
        Queue queue(device);
        qiao_plugin_geometry shape = geometry(2, 2);
        shape.group_count[1] = 2, shape.group_size[1] = 3, shape.group_count[2] = 2;
        shape.dimensions = 3;
        for (const uint32_t offset : {0u, 7u}) {
            shape.global_offset[0] = offset, shape.global_offset[2] = 2 * offset;
            shape.generation += 1000;
            queue.wait(queue.launch(kernel, shape, Block(program.layout("grid")).set(0, out.address)));
            const auto result = download<uint32_t>(out, 48);
            for (uint32_t i = 0; i < 48; ++i)
                REQUIRE(result[i] == i % 4 + offset + 100 * (i / 4 % 6) + 10000 * (i / 24 + 2 * offset) + 3000000);
        }
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "doubles and 64-bit atomics") {
        Program program(device, "#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable\n"
                                "kernel void half_of(global double* a) { a[get_global_id(0)] *= 0.5; }\n"
                                "kernel void total(global long* sum) { atom_add(sum, (long)get_global_id(0) << 32); }\n");
        Queue queue(device);
        const auto numbers = upload(std::vector<double>(64, 3.0));
        queue.wait(queue.launch(program.kernel("half_of"), geometry(2, 32), Block(program.layout("half_of")).set(0, numbers.address)));
        CHECK(download<double>(numbers, 64) == std::vector<double>(64, 1.5));
        const auto sum = upload(std::vector<int64_t>{1});
        queue.wait(queue.launch(program.kernel("total"), geometry(4, 25), Block(program.layout("total")).set(0, sum.address)));
        CHECK(download<int64_t>(sum, 1)[0] == (int64_t{4950} << 32) + 1);
        device.free(numbers);
        device.free(sum);
    }

    TEST_CASE_FIXTURE(Fixture, "an address one past the end, in no allocation, and none at all, for kernels that get buffers") {
        if (!std::string(format()).ends_with("+offset")) return; // others are given what the host says
        Program program(device, "kernel void pick(global const uint* maybe, uint otherwise, global uint* out) {"
                                " out[0] = maybe ? maybe[0] : otherwise; }\n"
                                "kernel void sum(global const uint* data, uint count, global uint* out) {"
                                " uint total = 0; for (uint i = 0; i < count; ++i) total += data[i]; out[0] = total; }");
        const auto data = upload(iota(16, 50)), out = upload(std::vector<uint32_t>{9});
        Queue queue(device);
        const auto pick = program.kernel("pick"), sum = program.kernel("sum");
        const auto shape = geometry(1, 1);
        Block block(program.layout("pick"));
        queue.wait(queue.launch(pick, shape, block.set(0, uint64_t{0}).set(1, uint32_t{7}).set(2, out.address)));
        CHECK(download<uint32_t>(out, 1)[0] == 7);
        queue.wait(queue.launch(pick, shape, block.set(0, data.address + 12)));
        CHECK(download<uint32_t>(out, 1)[0] == 53);
        Block empty(program.layout("sum"));
        queue.wait(queue.launch(sum, shape, empty.set(0, data.address + 64).set(1, uint32_t{0}).set(2, out.address)));
        CHECK(download<uint32_t>(out, 1)[0] == 0);
        empty.set(0, uint64_t{4096});
        CHECK(queue.ops->queue_launch(queue.queue, sum.kernel, &shape, empty.data(), nullptr, queue.value + 1) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(host.take_error().message.find("'sum__at' is given address 4096, which is in no allocation") != std::string::npos);
        queue.mark(); // of nothing
        queue.wait(queue.launch(pick, shape, block));
        CHECK(download<uint32_t>(out, 1)[0] == 53);
        device.free(data);
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "more launches in a batch than there is room for their buffers") {
        std::string source = "kernel void many(global uint* out";
        for (int i = 0; i < 12; ++i) source += ", global const uint* p" + std::to_string(i);
        source += ") { out[0] = 0";
        for (int i = 0; i < 12; ++i) source += " + *p" + std::to_string(i);
        source += "; }";
        Program program(device, source);
        std::vector<qiao_plugin_allocation> numbers, outs;
        for (uint32_t i = 0; i < 12; ++i) numbers.push_back(upload(std::vector<uint32_t>{i}));
        for (uint32_t i = 0; i < 100; ++i) outs.push_back(upload(std::vector<uint32_t>{0}));
        const auto kernel = program.kernel("many");
        const auto shape = geometry(1, 1);
        Block block(program.layout("many"));
        for (uint32_t i = 0; i < 12; ++i) block.set(1 + i, numbers[i].address);
        Queue queue(device);
        for (const auto& out : outs) queue.launch(kernel, shape, block.set(0, out.address));
        queue.wait(queue.value);
        for (const auto& out : outs) {
            REQUIRE(download<uint32_t>(out, 1)[0] == 66);
            device.free(out);
        }
        for (const auto& number : numbers) device.free(number);
    }

    TEST_CASE_FIXTURE(Fixture, "addresses in data are followed") {
        if (std::string(format()).ends_with("+offset")) return; // the compiler refuses such a kernel
        Program program(device, "kernel void gather(global const ulong* table, global uint* out) {"
                                " size_t i = get_global_id(0); out[i] = ((global const uint*)table[i])[1]; }\n");
        Queue queue(device);
        const auto values = upload(iota(64));
        const auto table = upload(std::vector<uint64_t>{values.address + 4 * 40, values.address, values.address + 4 * 62});
        const auto out = upload(std::vector<uint32_t>(3));
        queue.wait(queue.launch(program.kernel("gather"), geometry(1, 3),
                                Block(program.layout("gather")).set(0, table.address).set(1, out.address)));
        CHECK(download<uint32_t>(out, 3) == std::vector<uint32_t>{41, 1, 63});
        for (const auto& each : {values, table, out}) device.free(each);
    }

    TEST_CASE_FIXTURE(Fixture, "a group size that the source requires") {
        Program program(device, "kernel __attribute__((reqd_work_group_size(8, 2, 1))) void sized(global uint* out) {"
                                " out[get_global_id(0) + get_global_size(0) * get_global_id(1)] = 100 * get_local_size(0) + get_local_size(1); }");
        const auto out = upload(std::vector<uint32_t>(32));
        qiao_plugin_geometry shape = geometry(2, 8);
        shape.group_size[1] = 2;
        shape.dimensions = 2;
        Queue queue(device);
        queue.wait(queue.launch(program.kernel("sized"), shape, Block(program.layout("sized")).set(0, out.address)));
        CHECK(download<uint32_t>(out, 32) == std::vector<uint32_t>(32, 802));
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "a host without queues launches too, in order") {
        Program program(device, "kernel void twice(global uint* cell) { *cell = 2 * *cell + 1; }");
        const auto cell = upload(std::vector<uint32_t>{0});
        const auto kernel = program.kernel("twice");
        const auto shape = geometry(1, 1);
        const Block block = Block(program.layout("twice")).set(0, cell.address);
        for (int i = 0; i < 20; ++i)
            REQUIRE(device.tables->program->kernel_launch(device.device, kernel.kernel, &shape, block.data(), nullptr) == QIAO_OK);
        REQUIRE(device.tables->device->device_synchronize(device.device, 60'000'000'000) == QIAO_OK);
        CHECK(download<uint32_t>(cell, 1)[0] == (1u << 20) - 1);
        device.free(cell);
    }

    TEST_CASE_FIXTURE(Fixture, "kernels of one module do not disturb each other") {
        // Lavapipe 22.3.6 cannot compile `add` where it also sees the push constants of `take`.
        Program program(device, "uint helper(uint a) { return 3 * a; }\n"
                                "kernel void add(global uint* a, global uint* out) { out[0] = a[0] + helper(a[1]); }\n"
                                "struct p { char tag; int a; long b; float c; short d[3]; };\n"
                                "kernel void take(global uint* out, struct p p) { out[0] = helper(p.a) + p.d[1]; }\n");
        const auto in = upload(std::vector<uint32_t>{1, 10}), out = upload(std::vector<uint32_t>(1));
        Queue queue(device);
        queue.wait(queue.launch(program.kernel("add"), geometry(1, 1), Block(program.layout("add")).set(0, in.address).set(1, out.address)));
        CHECK(download<uint32_t>(out, 1)[0] == 31);
        struct {
            char tag;
            int32_t a;
            int64_t b;
            float c;
            int16_t d[3];
        } p = {};
        p.a = 100;
        p.d[1] = 7;
        queue.wait(queue.launch(program.kernel("take"), geometry(1, 1), Block(program.layout("take")).set(0, out.address).set(1, p)));
        CHECK(download<uint32_t>(out, 1)[0] == 307);
        device.free(in);
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "a kernel's number comes back after unload, its pipelines do not") {
        Queue queue(device);
        const auto out = upload(std::vector<uint32_t>(1));
        const auto shape = geometry(1, 1);
        for (const uint32_t value : {3u, 4u, 5u}) {
            Program program(device, "kernel void set(global uint* out) { *out = " + std::to_string(value) + "; }");
            queue.wait(queue.launch(program.kernel("set"), shape, Block(program.layout("set")).set(0, out.address)));
            CHECK(download<uint32_t>(out, 1)[0] == value);
        }
        device.free(out);
    }
}
