// A program's and a kernel's state. A kernel never changes after its program was loaded; a launch reads its first lines.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "object/device.h"

struct qiao_kernel;

namespace qiao {

struct Argument {
    std::string name, type;
    qiao_argument_kind kind;
    qiao_access access;
    uint32_t offset, size_bytes, alignment;
};

struct Kernel {
    explicit Kernel(qiao_device* owner) : device(owner) {}

    qiao_device* const device;
    qiao_device* launch_device = nullptr;  // the device, or null where the addresses of each launch must be resolved
    void* plugin_kernel = nullptr;
    uint64_t serial = 0;  // unique in the process: a reused slot is another kernel
    uint32_t block_size = 0;
    uint32_t local_count = 0;      // LOCAL arguments; their counts are the block's last bytes
    uint32_t local_counts_at = 0;
    uint32_t max_group_size = 0;
    uint32_t preferred_group_multiple = 0;
    uint32_t static_local_bytes = 0;
    uint32_t private_bytes = 0;
    uint32_t axis_limit[3] = {1, 1, 1};          // of the group size
    uint64_t group_count_limit[3] = {1, 1, 1};
    qiao_plugin_geometry plain_geometry{};       // one group of one item: what a plain shape starts from
    uint32_t required_group[3] = {0, 0, 0};
    uint64_t flags = 0;
    qiao_features features = 0;
    std::string name, vendor_metadata;
    std::string entry;  // in the variant: "k__at" where the format ends in "+offset"
    std::vector<Argument> arguments;
    std::vector<uint32_t> address_arguments;  // positions in `arguments`
    std::vector<qiao_plugin_argument> plugin_arguments;  // views of `arguments`
    qiao_plugin_kernel_desc plugin_desc{};  // the plugin may keep a pointer to it
};

struct Program {
    explicit Program(qiao_device* owner) : device(owner) {}

    qiao_device* const device;
    void* plugin_program = nullptr;
    uint32_t score = 0;
    std::string name, format, target, tool, options, log;
    std::string selection;  // what was said of each variant
    std::string cache_directory;  // where the plugin may keep what it compiles; "" = nowhere
    std::shared_ptr<const void> package_bytes;  // variants are read in place
    std::shared_ptr<const std::string> variant_owner;  // a variant that had to be decompressed
    std::vector<qiao_kernel*> kernels;
};

}  // namespace qiao

struct alignas(64) qiao_kernel {
    static constexpr uint64_t kTag = qiao::kTagKernel;
    qiao::Header header;
    union {
        qiao::Kernel body;
    };
    qiao_kernel() {}
    ~qiao_kernel() {}
};

struct alignas(64) qiao_program {
    static constexpr uint64_t kTag = qiao::kTagProgram;
    qiao::Header header;
    union {
        qiao::Program body;
    };
    qiao_program() {}
    ~qiao_program() {}
};
