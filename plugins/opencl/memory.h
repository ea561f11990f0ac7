// Allocations: SVM or USM, each with a native device address; or buffers without one (buffer.h).
#pragma once

#include "device.h"

namespace qiao::opencl {

struct Allocation {
    cl_mem buffer = nullptr; // a buffer has this and no pointer
    char* pointer = nullptr; // the device address
    void* base = nullptr;    // what the driver gave; differs where it cannot align as asked
    uint64_t size_bytes = 0;
    qiao_memory_kind kind = 0;
    bool host_visible = false;
    bool owned = true; // false: the application's, wrapped or imported
    bool imported = false; // host memory that is none of OpenCL's: not in the device's list
    size_t index = 0; // in the device's list
};

// Finds out by trying which addresses and kinds of memory the device really has; false if none works.
bool choose_addresses(Device& device);

// Whether bytes go to the device's memory at `pointer`, are overwritten there in part, and come back. At least 64 of them.
bool copies_work(Device& device, char* pointer);

// Adds an allocation to the device's list.
void remember(Device& device, Allocation* allocation);

// The host's error record for an allocation that the driver refused with `code`.
qiao_status allocation_failed(Device& device, const qiao_plugin_memory_desc& desc, cl_int code) noexcept;

// Tells a kernel that follows addresses in data of all allocations it could reach.
cl_int tell_allocations(Device& device, cl_kernel kernel) noexcept;

} // namespace qiao::opencl
