// What a SPIR-V module needs of a device, and where its kernels find their arguments: the variant's words and its metadata.
#pragma once

#include <string>
#include <vector>

#include "device.h"

namespace qiao::vulkan {

// "" or why the device cannot run the module.
std::string refuse_module(const DeviceRecord& record, const void* data, size_t size_bytes);

// A kernel's metadata: hal/docs/packages.md, "spirv-vulkan".
struct Metadata {
    bool uniform = false;       // the block is a uniform buffer, else push constants
    int64_t group[3] = {-1, -1, -1}; // numbers of specialisation constants, -1 = none
    int64_t offset[3] = {-1, -1, -1};
    int64_t dimensions = -1;
    struct Local {
        uint32_t constant = 0; // its number of elements
        uint32_t element_bytes = 1;
    };
    std::vector<Local> locals;
};

// "" or what is not understood.
std::string parse_metadata(const char* text, Metadata* out);

} // namespace qiao::vulkan
