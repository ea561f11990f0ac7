// Pipelines are looked up one by one: a kernel has few shapes, and a queue remembers its last. See pipeline.h.
#include "pipeline.h"

#include <algorithm>

namespace qiao::vulkan {
namespace {

const char* counts_in(const Kernel& kernel, const void* block) {
    return static_cast<const char*>(block) + kernel.locals_offset;
}

Shape shape_of(const Device& device, const qiao_plugin_geometry& geometry) {
    Shape shape = {};
    std::copy_n(geometry.group_size, 3, shape.group);
    std::copy_n(geometry.global_offset, 3, shape.offset);
    shape.dimensions = geometry.dimensions;
    if (!fits(geometry.group_count, device.record->properties.limits.maxComputeWorkGroupCount))
        std::copy_n(geometry.group_count, 3, shape.folded_groups);
    return shape;
}

// Global ids are numbers of 32 bits.
qiao_status check_ids(const Kernel& kernel, const qiao_plugin_geometry& geometry) {
    for (uint32_t i = 0; i < 3; ++i) {
        const uint64_t end = uint64_t{geometry.group_count[i]} * geometry.group_size[i] + geometry.global_offset[i];
        if (end > uint64_t{1} << 32)
            return kernel.device->host.fail({.status = QIAO_ERROR_OUT_OF_RANGE,
                                             .message = text("kernel '", kernel.name, "' is launched with global ids up to ", end - 1,
                                                             " along axis ", i, "; Vulkan has 32 bits for them"),
                                             .remedy = "launch fewer work-items, several times with an offset, or along more axes"});
    }
    return QIAO_OK;
}

// Values of specialisation constants, as Vulkan wants them: one array of entries, one of data.
class Specialisation {
  public:
    Specialisation(const Kernel& kernel, const Pipeline& pipeline) {
        const Metadata& metadata = kernel.metadata;
        for (int i = 0; i < 3; ++i) {
            add(metadata.group[i], pipeline.shape.group[i]);
            add(metadata.offset[i], pipeline.shape.offset[i]);
        }
        add(metadata.dimensions, pipeline.shape.dimensions);
        for (uint32_t i = 0; i < kernel.local_count; ++i) {
            const Metadata::Local& local = metadata.locals[i];
            const uint64_t elements = (uint64_t{pipeline.local_bytes[i]} + local.element_bytes - 1) / local.element_bytes;
            add(local.constant, static_cast<uint32_t>(std::max<uint64_t>(elements, 1)));
        }
    }
    VkSpecializationInfo info() const {
        return {static_cast<uint32_t>(entries_.size()), entries_.data(), 4 * data_.size(), data_.data()};
    }

  private:
    void add(int64_t constant, uint32_t value) {
        if (constant < 0) return;
        entries_.push_back({static_cast<uint32_t>(constant), static_cast<uint32_t>(4 * data_.size()), 4});
        data_.push_back(value);
    }
    std::vector<VkSpecializationMapEntry> entries_;
    std::vector<uint32_t> data_;
};

std::string shape_text(const Shape& shape) {
    return text(shape.group[0], " x ", shape.group[1], " x ", shape.group[2]);
}

// The module for a launch of more groups than the device takes along an axis. Of no use once there is the pipeline.
qiao_status create_folded_module(Kernel& kernel, Pipeline& pipeline, VkShaderModule* out) {
    Device& device = *kernel.device;
    const auto& groups = pipeline.shape.folded_groups;
    if (!fold(groups, device.record->properties.limits.maxComputeWorkGroupCount, &pipeline.grid))
        return device.host.fail({.status = QIAO_ERROR_OUT_OF_RANGE,
                                 .message = text("kernel '", kernel.name, "' is launched with ", groups[0], " x ", groups[1], " x ", groups[2],
                                                 " work-groups, more than ", device.record->info.name, " can count"),
                                 .remedy = "use larger groups, or launch several times with an offset"});
    pipeline.folded = true;
    const Words words = folded_module(module_of(*kernel.words, kernel.name), kernel.name, groups, pipeline.shape.group, pipeline.grid);
    const VkResult result = create_module(device, words, out);
    return result == VK_SUCCESS ? static_cast<qiao_status>(QIAO_OK)
                                : device_failed(device, result, text("the module of kernel '", kernel.name, "'"));
}

VkResult create_pipeline(Kernel& kernel, VkShaderModule module, Pipeline& pipeline) {
    Device& device = *kernel.device;
    const Specialisation specialisation(kernel, pipeline);
    const VkSpecializationInfo constants = specialisation.info();
    VkComputePipelineCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = module;
    info.stage.pName = kernel.name.c_str();
    info.stage.pSpecializationInfo = &constants;
    info.layout = kernel.layout;
    return device.vk.vkCreateComputePipelines(device.device, device.pipelines.get(), 1, &info, nullptr, &pipeline.pipeline);
}

qiao_status make_pipeline(Kernel& kernel, Pipeline& pipeline) {
    Device& device = *kernel.device;
    VkShaderModule folded = VK_NULL_HANDLE;
    if (pipeline.shape.folded_groups[0] != 0)
        if (const qiao_status status = create_folded_module(kernel, pipeline, &folded); status != QIAO_OK) return status;
    const VkResult result = create_pipeline(kernel, pipeline.folded ? folded : kernel.module, pipeline);
    if (folded != VK_NULL_HANDLE) device.vk.vkDestroyShaderModule(device.device, folded, nullptr);
    if (result != VK_SUCCESS)
        return device_failed(device, result, text("kernel '", kernel.name, "' cannot be compiled by the driver for groups of ",
                                                  shape_text(pipeline.shape)));
    name_object(device, VK_OBJECT_TYPE_PIPELINE, number_of(pipeline.pipeline),
                text(kernel.name, " in groups of ", shape_text(pipeline.shape)));
    return QIAO_OK;
}

} // namespace

[[gnu::noinline]] const Pipeline* find_pipeline(Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block,
                                                qiao_status* out_status) noexcept {
    *out_status = check_ids(kernel, geometry);
    if (*out_status != QIAO_OK) return nullptr;
    const Shape shape = shape_of(*kernel.device, geometry);
    const char* counts = counts_in(kernel, block);
    const Pipeline* found = nullptr;
    *out_status = guarded(kernel.device->host, "kernel launch", [&]() -> qiao_status {
        std::lock_guard lock(kernel.mutex);
        for (const auto& pipeline : kernel.pipelines) {
            if (std::memcmp(&pipeline->shape, &shape, sizeof shape) != 0 ||
                (kernel.local_count != 0 && std::memcmp(pipeline->local_bytes.get(), counts, size_t{4} * kernel.local_count) != 0))
                continue;
            found = pipeline.get();
            return QIAO_OK;
        }
        auto made = std::make_unique<Pipeline>();
        made->shape = shape;
        made->local_bytes = std::make_unique<uint32_t[]>(kernel.local_count);
        if (kernel.local_count != 0) std::memcpy(made->local_bytes.get(), counts, size_t{4} * kernel.local_count);
        kernel.pipelines.reserve(kernel.pipelines.size() + 1);
        if (const qiao_status status = make_pipeline(kernel, *made); status != QIAO_OK) return status;
        found = made.get();
        kernel.pipelines.push_back(std::move(made));
        return QIAO_OK;
    });
    return found;
}

VkResult create_module(Device& device, const Words& words, VkShaderModule* out) {
    VkShaderModuleCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
    info.codeSize = 4 * words.size();
    info.pCode = words.data();
    return device.vk.vkCreateShaderModule(device.device, &info, nullptr, out);
}

void destroy_pipelines(Kernel& kernel) {
    Device& device = *kernel.device;
    for (const auto& pipeline : kernel.pipelines)
        device.vk.vkDestroyPipeline(device.device, pipeline->pipeline, nullptr);
    kernel.pipelines.clear();
    if (kernel.layout != VK_NULL_HANDLE) device.vk.vkDestroyPipelineLayout(device.device, kernel.layout, nullptr);
    kernel.layout = VK_NULL_HANDLE;
    if (kernel.set_layout != device.block_set && kernel.set_layout != VK_NULL_HANDLE)
        device.vk.vkDestroyDescriptorSetLayout(device.device, kernel.set_layout, nullptr);
    kernel.set_layout = VK_NULL_HANDLE;
    if (kernel.module != VK_NULL_HANDLE) device.vk.vkDestroyShaderModule(device.device, kernel.module, nullptr);
    kernel.module = VK_NULL_HANDLE;
}

} // namespace qiao::vulkan
