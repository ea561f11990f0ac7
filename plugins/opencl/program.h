// Programs and the kernels found in them.
#pragma once

#include <memory>
#include <vector>

#include "device.h"

namespace qiao::opencl {

struct Program {
    Device* device = nullptr;
    cl_program binary = nullptr;
    bool modern = false; // built as OpenCL C 2.0 or later, or SPIR-V: short last groups are legal
    std::vector<std::unique_ptr<Kernel>> kernels; // guarded by the device's mutex
};

// The source line of the first error in a build log; 0 = none is named.
uint32_t error_line(const char* log);

} // namespace qiao::opencl
