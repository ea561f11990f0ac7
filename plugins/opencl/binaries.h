// What the driver made of source, kept in the folder that the host lends: the next process need not build it again.
#pragma once

#include <string>

#include "device.h"

namespace qiao::opencl {

// What the driver's answer depends on; "" where nothing can be kept (no folder, no source, an old loader).
struct BinaryKey {
    std::string path;
    std::string text;

    BinaryKey(const Device& device, const qiao_plugin_program_desc& desc);
    bool usable() const { return !path.empty(); }
};

// A built program, or null: there is none, it was damaged, or the driver does not want it any more.
cl_program load_binary(Device& device, const BinaryKey& key, const char* options);
// What cannot be kept is built the next time: no error.
void store_binary(Device& device, const BinaryKey& key, cl_program program);

} // namespace qiao::opencl
