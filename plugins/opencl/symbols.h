// The OpenCL functions this plugin calls: one list, from which both the struct of pointers and its loading are made.
// Knows names only; when a function may be null is said here, what to do without it is the caller's.
#pragma once

#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS // clCreateCommandQueue, for platforms below 2.0
#include <CL/cl.h>
#include <CL/cl_ext.h>

#include <string>

// X(name): every loader exports it; without it the library is refused.
#define QIAO_OPENCL_REQUIRED(X)    \
    X(clGetPlatformIDs)            \
    X(clGetPlatformInfo)           \
    X(clGetDeviceIDs)              \
    X(clGetDeviceInfo)             \
    X(clCreateContext)             \
    X(clReleaseContext)            \
    X(clReleaseCommandQueue)       \
    X(clCreateProgramWithSource)   \
    X(clBuildProgram)              \
    X(clReleaseProgram)            \
    X(clGetProgramInfo)            \
    X(clGetProgramBuildInfo)       \
    X(clCreateKernel)              \
    X(clReleaseKernel)             \
    X(clSetKernelArg)              \
    X(clGetKernelInfo)             \
    X(clGetKernelWorkGroupInfo)    \
    X(clGetEventInfo)              \
    X(clRetainEvent)               \
    X(clReleaseEvent)              \
    X(clCreateBuffer)              \
    X(clReleaseMemObject)          \
    X(clEnqueueReadBuffer)         \
    X(clEnqueueReadBufferRect)     \
    X(clEnqueueWriteBuffer)        \
    X(clEnqueueWriteBufferRect)    \
    X(clEnqueueCopyBuffer)         \
    X(clEnqueueCopyBufferRect)     \
    X(clEnqueueFillBuffer)         \
    X(clEnqueueMapBuffer)          \
    X(clEnqueueUnmapMemObject)     \
    X(clSetEventCallback)          \
    X(clGetEventProfilingInfo)     \
    X(clFlush)                     \
    X(clEnqueueNDRangeKernel)      \
    X(clEnqueueMarkerWithWaitList) \
    X(clEnqueueBarrierWithWaitList)

// X(name): null where the loader is older (OpenCL 1.2 to 2.0).
#define QIAO_OPENCL_OPTIONAL(X)                 \
    X(clGetExtensionFunctionAddressForPlatform) \
    X(clCreateCommandQueueWithProperties)       \
    X(clCreateCommandQueue)                     \
    X(clRetainCommandQueue)                     \
    X(clGetCommandQueueInfo)                    \
    X(clRetainMemObject)                        \
    X(clGetMemObjectInfo)                       \
    X(clCreateProgramWithIL)                    \
    X(clCreateProgramWithBinary)                \
    X(clSVMAlloc)                               \
    X(clSVMFree)                                \
    X(clSetKernelArgSVMPointer)                 \
    X(clSetKernelExecInfo)                      \
    X(clEnqueueSVMMemcpy)                       \
    X(clEnqueueSVMMemFill)                      \
    X(clEnqueueSVMMap)                          \
    X(clEnqueueSVMUnmap)                        \
    X(clEnqueueSVMMigrateMem)                   \
    X(clGetDeviceAndHostTimer)

// X(name): found through the platform, which may return a pointer that does not work: try it before relying on it.
#define QIAO_OPENCL_EXTENSIONS(X)    \
    X(clCreateProgramWithILKHR)      \
    X(clHostMemAllocINTEL)           \
    X(clDeviceMemAllocINTEL)         \
    X(clSharedMemAllocINTEL)         \
    X(clMemFreeINTEL)                \
    X(clSetKernelArgMemPointerINTEL) \
    X(clEnqueueMemcpyINTEL)          \
    X(clEnqueueMemFillINTEL)

namespace qiao::opencl {

#define QIAO_OPENCL_MEMBER(name) decltype(&::name) name = nullptr;
#define QIAO_OPENCL_EXTENSION_MEMBER(name) name##_fn name = nullptr;

struct Symbols {
    QIAO_OPENCL_REQUIRED(QIAO_OPENCL_MEMBER)
    QIAO_OPENCL_OPTIONAL(QIAO_OPENCL_MEMBER)
};

// Differs from platform to platform.
struct Extensions {
    QIAO_OPENCL_EXTENSIONS(QIAO_OPENCL_EXTENSION_MEMBER)
};

#undef QIAO_OPENCL_MEMBER
#undef QIAO_OPENCL_EXTENSION_MEMBER

// The library's name: QIAO_OPENCL_LIBRARY if set, else the ICD loader.
const char* library_name();

// Opens the library and fills `out`. Returns "" or why it could not. Never closes what it opened: vendors' threads and
// exit handlers live in there.
std::string load_symbols(const char* library, Symbols* out);

// Nulls for what the platform has not.
Extensions load_extensions(const Symbols& cl, cl_platform_id platform);

} // namespace qiao::opencl
