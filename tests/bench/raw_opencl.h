// OpenCL used directly, for comparison: the first device of a library that is opened at run time, an in-order queue, a
// kernel with two arguments and SVM memory. What a careful programmer would write by hand, and nothing else.
#pragma once

#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

#define BENCH_OPENCL_FUNCTIONS(X)                                                                                       \
    X(clGetPlatformIDs) X(clGetDeviceIDs) X(clCreateContext) X(clCreateCommandQueueWithProperties) X(clFlush) X(clFinish) \
    X(clCreateProgramWithSource) X(clBuildProgram) X(clCreateKernel) X(clSetKernelArg) X(clSetKernelArgSVMPointer)        \
    X(clEnqueueNDRangeKernel) X(clWaitForEvents) X(clReleaseEvent) X(clSVMAlloc) X(clEnqueueSVMMemcpy)

class RawOpenCl {
public:
    explicit RawOpenCl(const char* library, const char* source = kNoop) {
        void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) die(dlerror());
#define BENCH_LOAD(name)                                                            \
    name = reinterpret_cast<decltype(&::name)>(dlsym(handle, #name));               \
    if (name == nullptr) die("the OpenCL library lacks " #name);
        BENCH_OPENCL_FUNCTIONS(BENCH_LOAD)
#undef BENCH_LOAD
        cl_platform_id platform;
        ok(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
        ok(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs");
        cl_int code;
        context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
        ok(code, "clCreateContext");
        queue = clCreateCommandQueueWithProperties(context, device, nullptr, &code);
        ok(code, "clCreateCommandQueueWithProperties");
        program = clCreateProgramWithSource(context, 1, &source, nullptr, &code);
        ok(code, "clCreateProgramWithSource");
        ok(clBuildProgram(program, 1, &device, "", nullptr, nullptr), "clBuildProgram");
        kernel = clCreateKernel(program, "noop", &code);
        ok(code, "clCreateKernel");
        memory = clSVMAlloc(context, CL_MEM_READ_WRITE, 4096, 0);
        ok(clSetKernelArgSVMPointer(kernel, 0, memory), "clSetKernelArgSVMPointer");
        set_count(0);
    }

    void set_count(uint32_t count) { ok(clSetKernelArg(kernel, 1, sizeof count, &count), "clSetKernelArg"); }
    void launch(size_t items, size_t group, cl_event* event) {
        ok(clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &items, &group, 0, nullptr, event), "clEnqueueNDRangeKernel");
    }
    static void ok(cl_int code, const char* what) {
        if (code != CL_SUCCESS) {
            std::fprintf(stderr, "%s: %d\n", what, code);
            std::exit(1);
        }
    }

    static constexpr const char* kNoop = "kernel void noop(global uint* data, uint count) {}";
    cl_device_id device = nullptr;
    cl_context context = nullptr;
    cl_command_queue queue = nullptr;
    cl_program program = nullptr;
    cl_kernel kernel = nullptr;
    void* memory = nullptr;
#define BENCH_DECLARE(name) decltype(&::name) name = nullptr;
    BENCH_OPENCL_FUNCTIONS(BENCH_DECLARE)
#undef BENCH_DECLARE

private:
    static void die(const char* text) {
        std::fprintf(stderr, "%s\n", text);
        std::exit(1);
    }
};

}  // namespace bench
