// The OpenCL plugin on the null driver: a fixture that ends every case by looking for misuse and for leaks.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <memory>

#include "fakes/opencl_null/opencl_null.h"
#include "host.h"

namespace test {

constexpr const char* kAlive[] = {"events", "kernels", "programs", "contexts", "queues", "allocations", "maps"};

struct NullDriver {
    explicit NullDriver(const char* settings = "") {
        setenv("QIAO_OPENCL_LIBRARY", QIAO_TEST_OPENCL_NULL, 1);
        REQUIRE(opencl_null_configure(settings) == 1);
        for (const char* what : kAlive)
            alive_before.push_back(opencl_null_count(what));
    }
    ~NullDriver() {
        INFO(std::string(opencl_null_misuse()));
        CHECK(opencl_null_count("misuses") == 0);
        CHECK(opencl_null_count("endless_waits") == 0);
        if (lost) return;
        for (size_t i = 0; i < alive_before.size(); ++i) {
            INFO(std::string(kAlive[i]));
            CHECK(opencl_null_count(kAlive[i]) == alive_before[i]);
        }
    }
    std::vector<uint64_t> alive_before;
    bool lost = false; // what a lost device leaves to its driver is not released: it might never return
};

// QIAO_OPENCL_ADDRESSES, as long as it lives.
struct AddressMode {
    explicit AddressMode(const char* mode) { setenv("QIAO_OPENCL_ADDRESSES", mode, 1); }
    ~AddressMode() { unsetenv("QIAO_OPENCL_ADDRESSES"); }
    AddressMode(const AddressMode&) = delete;
    AddressMode& operator=(const AddressMode&) = delete;
};

struct NullFixture : NullDriver {
    explicit NullFixture(const char* settings = "strict") : NullDriver(settings) {
        host = std::make_unique<Host>();
        device = std::make_unique<Device>(*host, 0);
        INFO(host->take_error().message);
        REQUIRE(device->opened == QIAO_OK);
    }
    void unload(void* program) { device->tables->program->program_unload(device->device, program); }

    std::unique_ptr<Host> host;
    std::unique_ptr<Device> device;
};

// kernel void k(global int* a, int n): what most cases launch.
struct Launching : NullFixture {
    explicit Launching(const char* settings = "strict") : NullFixture(settings) {
        program = device->load("kernel void k(global int* a, int n) {}");
        kernel = layout.find(*device, program, "k");
        memory = device->allocate(4096);
    }
    ~Launching() {
        device->free(memory);
        unload(program);
    }
    Block block(int n = 1) const { return Block(layout).set(0, memory.address).set(1, n); }

    Layout layout = Layout().address().value(4, 4);
    void* program = nullptr;
    qiao_plugin_kernel kernel = {};
    qiao_plugin_allocation memory = {};
    qiao_plugin_geometry shape = geometry(4, 64);
};

} // namespace test
