// Launches N times on the null OpenCL driver, natively or through the plugin's slots, for callgrind: two runs with different
// N tell the instructions of one launch. Usage: count_instructions MODE N, where MODE is raw or slot, "-", and what changes
// between launches: none, scalar, both; or wait: one scalar, and each launch is waited for.
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qiao/plugin.h"

namespace {

constexpr const char* kSource = "kernel void k(global int* a, int n) {}";

struct Block {
    uint64_t address;
    uint32_t n;
};

struct Changes {
    uint64_t address;
    uint32_t scalar;
};

void must(bool worked, const char* what) {
    if (worked) return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

void raw(void* library, long count, Changes change, bool wait) {
#define FUNCTION(name) const auto name = reinterpret_cast<decltype(&::name)>(dlsym(library, #name))
    FUNCTION(clGetPlatformIDs);
    FUNCTION(clGetDeviceIDs);
    FUNCTION(clCreateContext);
    FUNCTION(clCreateCommandQueueWithProperties);
    FUNCTION(clCreateProgramWithSource);
    FUNCTION(clBuildProgram);
    FUNCTION(clCreateKernel);
    FUNCTION(clSVMAlloc);
    FUNCTION(clSetKernelArg);
    FUNCTION(clSetKernelArgSVMPointer);
    FUNCTION(clEnqueueNDRangeKernel);
    FUNCTION(clWaitForEvents);
    FUNCTION(clReleaseEvent);
#undef FUNCTION
    cl_platform_id platform;
    cl_device_id device;
    must(clGetPlatformIDs(1, &platform, nullptr) == 0 &&
             clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr) == 0,
         "device");
    cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, nullptr);
    cl_command_queue queue = clCreateCommandQueueWithProperties(context, device, nullptr, nullptr);
    const char* source = kSource;
    cl_program program = clCreateProgramWithSource(context, 1, &source, nullptr, nullptr);
    must(clBuildProgram(program, 1, &device, "", nullptr, nullptr) == 0, "build");
    cl_kernel kernel = clCreateKernel(program, "k", nullptr);
    char* memory = static_cast<char*>(clSVMAlloc(context, 0, 4096, 128));
    cl_uint n = 0;
    clSetKernelArgSVMPointer(kernel, 0, memory);
    clSetKernelArg(kernel, 1, sizeof n, &n);
    const size_t global = 64, local = 4;
    uint64_t offset = 0;
    cl_int code = 0;
    for (long i = 0; i < count; ++i) {
        if (change.address != 0)
            code |= clSetKernelArgSVMPointer(kernel, 0, memory + ((offset += change.address) & 2047));
        n += change.scalar;
        if (change.scalar != 0) code |= clSetKernelArg(kernel, 1, sizeof n, &n);
        cl_event event = nullptr;
        code |= clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &global, &local, 0, nullptr, wait ? &event : nullptr);
        if (wait) code |= clWaitForEvents(1, &event) | clReleaseEvent(event);
    }
    must(code == 0, "launch");
}

void ignore_error(void*, const qiao_plugin_error* error) {
    fprintf(stderr, "%s\n", error->message);
}
uint64_t now_ns(void*) {
    return 0;
}

void through_slots(const char* module, long count, Changes change, bool wait) {
    void* library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    must(library != nullptr, module);
    const auto query = reinterpret_cast<qiao_plugin_query_function>(dlsym(library, "qiao_plugin_query"));
    qiao_host_api host = {};
    host.struct_size = sizeof host;
    host.error = ignore_error;
    host.now_ns = now_ns;
    qiao_plugin_info info = {};
    info.struct_size = sizeof info;
    must(query(&host, &info) == QIAO_OK, "query");
    const qiao_plugin_tables* tables = info.tables;
    uint32_t devices = 0;
    void *device = nullptr, *program = nullptr, *queue = nullptr;
    must(tables->device->device_count(info.plugin, &devices) == QIAO_OK && devices == 1, "count");
    must(tables->device->device_open(info.plugin, 0, 1, &device) == QIAO_OK, "open");
    qiao_plugin_memory_desc memory_desc = {};
    memory_desc.struct_size = sizeof memory_desc;
    memory_desc.size_bytes = 4096;
    memory_desc.alignment = 128;
    memory_desc.kind = QIAO_MEMORY_KIND_DEVICE;
    qiao_plugin_allocation memory = {};
    must(tables->memory->memory_allocate(device, &memory_desc, &memory) == QIAO_OK, "allocate");
    qiao_plugin_program_desc program_desc = {};
    program_desc.struct_size = sizeof program_desc;
    program_desc.format = "opencl-c";
    program_desc.data = kSource;
    program_desc.size_bytes = strlen(kSource);
    must(tables->program->program_load(device, &program_desc, &program) == QIAO_OK, "load");
    const qiao_plugin_argument arguments[] = {{"a", QIAO_ARGUMENT_KIND_ADDRESS, 3, 0, 8, 8, 0},
                                              {"n", QIAO_ARGUMENT_KIND_VALUE, 0, 8, 4, 4, 0}};
    qiao_plugin_kernel_desc kernel_desc = {};
    kernel_desc.struct_size = sizeof kernel_desc;
    kernel_desc.name = "k";
    kernel_desc.arguments = arguments;
    kernel_desc.argument_count = 2;
    kernel_desc.block_size = 12;
    qiao_plugin_kernel kernel = {};
    kernel.struct_size = sizeof kernel;
    must(tables->program->kernel_find(program, &kernel_desc, &kernel) == QIAO_OK, "kernel");
    qiao_plugin_queue_desc queue_desc = {};
    queue_desc.struct_size = sizeof queue_desc;
    must(tables->queue->queue_create(device, &queue_desc, &queue) == QIAO_OK, "queue");
    qiao_plugin_geometry geometry = {{16, 1, 1}, 0, {4, 1, 1}, 12, {}, 0, {}, 1, 1, 0, 0, 0};
    Block block = {memory.address, 0};
    const qiao_plugin_queue_ops& ops = *tables->queue;
    uint64_t offset = 0, reached = 0;
    qiao_status status = QIAO_OK;
    for (long i = 1; i <= count; ++i) {
        if (change.address != 0) block.address = memory.address + ((offset += change.address) & 2047);
        block.n += change.scalar;
        status |= ops.queue_launch(queue, kernel.kernel, &geometry, &block, nullptr, static_cast<uint64_t>(i));
        if (wait) {
            status |= ops.queue_mark(queue, static_cast<uint64_t>(i));
            status |= ops.queue_poll(queue, &reached);
        }
    }
    must(status == QIAO_OK && (!wait || reached == static_cast<uint64_t>(count)), "launch");
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const bool slots = strncmp(argv[1], "slot", 4) == 0;
    const char* what = strchr(argv[1], '-');
    const long count = atol(argv[2]);
    if (what == nullptr || count <= 0) return 2;
    const bool wait = strcmp(what, "-wait") == 0;
    const Changes change = {strcmp(what, "-both") == 0 ? 4u : 0u, strcmp(what, "-none") == 0 ? 0u : 1u};
    setenv("QIAO_OPENCL_LIBRARY", argv[3], 1);
    if (slots) {
        through_slots(argv[4], count, change, wait);
        return 0;
    }
    void* library = dlopen(argv[3], RTLD_NOW | RTLD_LOCAL);
    must(library != nullptr, argv[3]);
    raw(library, count, change, wait);
    return 0;
}
