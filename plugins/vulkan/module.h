// What a SPIR-V module needs of a device, and where its kernels find their arguments: the variant's words and its metadata.
#pragma once

#include <string>
#include <vector>

#include "device.h"
#include "printf_call.h"

namespace qiao::vulkan {

// "" or why the device cannot run the module.
std::string refuse_module(const DeviceRecord& record, const void* data, size_t size_bytes);

// A kernel's metadata: hal/docs/packages.md, "spirv-vulkan".
struct Metadata {
    int64_t uniform = -1; // the binding of the block as a uniform buffer; -1 = push constants
    int64_t push = 0;     // where it begins in these
    int64_t group[3] = {-1, -1, -1}; // numbers of specialisation constants, -1 = none
    int64_t offset[3] = {-1, -1, -1};
    int64_t dimensions = -1;
    struct Local {
        int64_t constant = -1; // its number of elements; -1 = nothing uses it
        uint32_t element_bytes = 1;
    };
    std::vector<Local> locals;
    std::vector<int64_t> buffers; // of "+offset": for each address argument the binding of its buffer; -1 = nothing uses it
    // Where a kernel that prints finds its buffer: the address in the push constants, or a binding.
    int64_t output_push = -1, output_binding = -1;
    int64_t output_bytes = 0; // its size
    std::vector<PrintfCall> calls; // by the number that stands in the buffer
};

// "" or what is not understood.
std::string parse_metadata(const char* text, Metadata* out);

} // namespace qiao::vulkan
