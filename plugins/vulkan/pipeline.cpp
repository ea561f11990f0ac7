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
    shape.fold = fold_of(geometry.group_count, device.record->properties.limits.maxComputeWorkGroupCount);
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

qiao_status check_groups(const Kernel& kernel, const qiao_plugin_geometry& geometry) {
    const DeviceRecord& record = *kernel.device->record;
    const auto& groups = geometry.group_count;
    const auto& limits = record.properties.limits.maxComputeWorkGroupCount;
    Grid grid;
    if (fold_of(groups, limits) == kAsItIs || fold(groups, limits, &grid)) return QIAO_OK;
    return kernel.device->host.fail({.status = QIAO_ERROR_OUT_OF_RANGE,
                                     .message = text("kernel '", kernel.name, "' is launched with ", groups[0], " x ", groups[1], " x ", groups[2],
                                                     " work-groups, more than ", record.info.name, " can count"),
                                     .remedy = "use larger groups, or launch several times with an offset"});
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

// Of no use once there is the pipeline.
VkResult create_folded_module(Kernel& kernel, const Shape& shape, VkShaderModule* out) {
    const Words words = folded_module(module_of(*kernel.words, kernel.name), kernel.name, shape.fold, shape.group);
    return create_module(*kernel.device, words, out);
}

// As the kernel's own, so that what is pushed and bound for that is there for this too, and with the set of the number of groups.
VkResult create_folded_layout(Kernel& kernel) {
    if (kernel.folded_layout != VK_NULL_HANDLE) return VK_SUCCESS;
    const VkDescriptorSetLayout block_set = kernel.device->block_set;
    VkDescriptorSetLayout sets[kGroupsSet + 1] = {kernel.set_layout, block_set};
    if (kernel.set_layout == VK_NULL_HANDLE) sets[0] = block_set; // any: nothing is in it
    return create_layout(kernel, sets, kGroupsSet + 1, &kernel.folded_layout);
}

VkResult create_pipeline(Kernel& kernel, VkShaderModule module, VkPipelineLayout layout, Pipeline& pipeline) {
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
    info.layout = layout;
    return device.vk.vkCreateComputePipelines(device.device, device.pipelines.get(), 1, &info, nullptr, &pipeline.pipeline);
}

qiao_status make_pipeline(Kernel& kernel, Pipeline& pipeline) {
    Device& device = *kernel.device;
    VkResult result = VK_SUCCESS;
    if (pipeline.shape.fold == kAsItIs) {
        result = create_pipeline(kernel, kernel.module, kernel.layout, pipeline);
    } else {
        VkShaderModule folded = VK_NULL_HANDLE;
        result = create_folded_layout(kernel);
        if (result == VK_SUCCESS) result = create_folded_module(kernel, pipeline.shape, &folded);
        if (result == VK_SUCCESS) result = create_pipeline(kernel, folded, kernel.folded_layout, pipeline);
        device.vk.vkDestroyShaderModule(device.device, folded, nullptr);
    }
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
    if (*out_status == QIAO_OK) *out_status = check_groups(kernel, geometry);
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

uint64_t pushed_bytes(const Kernel& kernel) {
    const uint64_t arguments = kernel.push_bytes != 0 ? uint64_t{kernel.push_offset} + kernel.push_bytes : 0;
    return std::max(arguments, kernel.metadata.output_push >= 0 ? static_cast<uint64_t>(kernel.metadata.output_push) + 8 : 0);
}

VkResult create_layout(const Kernel& kernel, const VkDescriptorSetLayout* sets, uint32_t set_count, VkPipelineLayout* out) {
    const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, static_cast<uint32_t>(pushed_bytes(kernel))};
    VkPipelineLayoutCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    info.setLayoutCount = set_count;
    info.pSetLayouts = sets;
    info.pushConstantRangeCount = range.size != 0 ? 1 : 0;
    info.pPushConstantRanges = &range;
    return kernel.device->vk.vkCreatePipelineLayout(kernel.device->device, &info, nullptr, out);
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
    for (VkPipelineLayout* layout : {&kernel.layout, &kernel.folded_layout}) {
        if (*layout != VK_NULL_HANDLE) device.vk.vkDestroyPipelineLayout(device.device, *layout, nullptr);
        *layout = VK_NULL_HANDLE;
    }
    if (kernel.set_layout != device.block_set && kernel.set_layout != VK_NULL_HANDLE)
        device.vk.vkDestroyDescriptorSetLayout(device.device, kernel.set_layout, nullptr);
    kernel.set_layout = VK_NULL_HANDLE;
    if (kernel.module != VK_NULL_HANDLE) device.vk.vkDestroyShaderModule(device.device, kernel.module, nullptr);
    kernel.module = VK_NULL_HANDLE;
}

} // namespace qiao::vulkan
