// Kernels and their pipelines: Vulkan fixes group size, local memory, offset and dimensions when a pipeline is made, so a
// kernel has one for each shape it was launched with. Pipelines live as long as their program.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "device.h"
#include "fold.h"
#include "module.h"
#include "output.h"

namespace qiao::vulkan {

struct Program;

inline constexpr uint32_t kMaxPushBytes = 256; // more than any device is known to take

// What a pipeline is made for. Local arguments' byte counts are compared apart: they stand in the argument block.
struct Shape {
    uint32_t group[3];
    uint32_t offset[3];
    uint32_t dimensions;
    Fold fold;
};

struct Pipeline {
    VkPipeline pipeline = VK_NULL_HANDLE;
    Shape shape = {};
    std::unique_ptr<uint32_t[]> local_bytes; // of the local arguments
};

struct Kernel {
    Device* device = nullptr;
    const Words* words = nullptr;           // of the program
    VkShaderModule module = VK_NULL_HANDLE; // what this kernel needs of them
    uint32_t number = 0;                    // dense; used again after unload
    uint64_t serial = 0;                    // never used again
    std::string name;
    Metadata metadata;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    uint32_t value_bytes = 0; // of the block, before the counts of local arguments
    uint32_t push_bytes = 0;  // the same rounded up to four; 0 = nothing is pushed
    uint32_t push_offset = 0; // where it goes in the push constants
    // Arguments that are not simply pushed: arguments.cpp.
    bool bound = false;
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE; // null = nothing is bound
    std::vector<uint32_t> addresses;                   // where they stand in the block, if buffers take their place
    std::vector<int64_t> buffer_of_address;            // index into `buffers`; -1 = nothing uses it
    struct BoundBuffer {
        uint32_t binding;
    };
    std::vector<BoundBuffer> buffers; // the last is that of the output, if that is bound
    std::shared_ptr<const Printing> printing; // null = the kernel prints nothing
    uint32_t locals_offset = 0;
    uint32_t local_count = 0;
    std::mutex mutex; // guards what follows
    VkPipelineLayout folded_layout = VK_NULL_HANDLE; // of folded pipelines: with the set for the number of groups; made with the first
    std::vector<std::unique_ptr<Pipeline>> pipelines;
};

// The pipeline for a geometry and the counts in the block; made where there is none yet, which may take seconds. Null and the
// host's error record on failure.
const Pipeline* find_pipeline(Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block,
                              qiao_status* out_status) noexcept;

// Of push constants, from their beginning.
uint64_t pushed_bytes(const Kernel& kernel);

// For pipelines of the kernel, with these sets.
VkResult create_layout(const Kernel& kernel, const VkDescriptorSetLayout* sets, uint32_t set_count, VkPipelineLayout* out);

VkResult create_module(Device& device, const Words& words, VkShaderModule* out);

// Its layouts and module too.
void destroy_pipelines(Kernel& kernel);

} // namespace qiao::vulkan
