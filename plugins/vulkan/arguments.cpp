// In the block of a kernel without addresses each address is replaced by the byte offset in the buffer that is bound for it;
// UINT64_MAX is a null pointer. See arguments.h.
#include "arguments.h"

#include <algorithm>

#include "pipeline.h"

namespace qiao::vulkan {
namespace {

// Of one batch; the core ends one after 32 operations.
constexpr uint32_t kBlockBytes = 64u << 10, kSets = 64, kBuffers = 8 * kSets;
static_assert(kBuffers > QIAO_MAX_ARGUMENTS);

} // namespace

void ArgumentRoom::destroy(Device& device) {
    if (pool_ != VK_NULL_HANDLE) device.vk.vkDestroyDescriptorPool(device.device, pool_, nullptr);
    destroy_buffer(device, blocks_);
}

VkResult ArgumentRoom::reset(Device& device) {
    block_bytes_ = 0;
    layout_ = VK_NULL_HANDLE;
    groups_ = VK_NULL_HANDLE;
    if (sets_ == 0) return VK_SUCCESS;
    sets_ = buffers_ = 0;
    return device.vk.vkResetDescriptorPool(device.device, pool_, 0);
}

bool ArgumentRoom::has_room(const Kernel& kernel) const {
    // The number of groups may need a set too; its words fit behind any block.
    return block_bytes_ <= kBlockBytes - QIAO_MAX_ARGUMENT_BYTES && sets_ + 2 <= kSets && buffers_ + kernel.buffers.size() <= kBuffers;
}

VkResult ArgumentRoom::take_block(Device& device, uint32_t size_bytes, char** out_block, uint32_t* out_offset) {
    if (blocks_.buffer == VK_NULL_HANDLE) {
        // Every binding reaches over the largest block, also the last one's.
        const VkResult result = create_buffer(device, kBlockBytes + QIAO_MAX_ARGUMENT_BYTES, device.record->types.staging,
                                              VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT, &blocks_);
        if (result != VK_SUCCESS) return result;
    }
    const auto alignment = static_cast<uint32_t>(
        std::max<VkDeviceSize>(device.record->properties.limits.minUniformBufferOffsetAlignment, 16));
    *out_offset = block_bytes_;
    *out_block = blocks_.mapped + block_bytes_;
    block_bytes_ = (block_bytes_ + size_bytes + alignment - 1) / alignment * alignment;
    return VK_SUCCESS;
}

bool ArgumentRoom::is_bound(const Kernel& kernel, const VkBuffer* buffers) const {
    return layout_ == kernel.set_layout && std::equal(buffers, buffers + kernel.buffers.size(), bound_);
}

VkResult ArgumentRoom::take_set(Device& device, VkDescriptorSetLayout layout, VkDescriptorSet* out) {
    const DeviceSymbols& vk = device.vk;
    if (pool_ == VK_NULL_HANDLE) {
        const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kBuffers},
                                              {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, kSets}};
        VkDescriptorPoolCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
        info.maxSets = kSets;
        info.poolSizeCount = 2;
        info.pPoolSizes = sizes;
        if (const VkResult result = vk.vkCreateDescriptorPool(device.device, &info, nullptr, &pool_); result != VK_SUCCESS)
            return result;
    }
    VkDescriptorSetAllocateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    info.descriptorPool = pool_;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &layout;
    const VkResult result = vk.vkAllocateDescriptorSets(device.device, &info, out);
    if (result == VK_SUCCESS) ++sets_;
    return result;
}

VkResult ArgumentRoom::make_set(Device& device, const Kernel& kernel, const VkBuffer* buffers) {
    layout_ = VK_NULL_HANDLE;
    if (const VkResult result = take_set(device, kernel.set_layout, &set_); result != VK_SUCCESS) return result;
    VkDescriptorBufferInfo ranges[QIAO_MAX_ARGUMENTS + 2];
    VkWriteDescriptorSet writes[QIAO_MAX_ARGUMENTS + 2];
    uint32_t count = 0;
    const auto write = [&](uint32_t binding, VkDescriptorType type, VkDescriptorBufferInfo range) {
        ranges[count] = range;
        writes[count] = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set_, binding, 0, 1, type, nullptr, &ranges[count], nullptr};
        ++count;
    };
    for (size_t i = 0; i < kernel.buffers.size(); ++i)
        write(kernel.buffers[i].binding, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, {buffers[i], 0, VK_WHOLE_SIZE});
    if (kernel.metadata.uniform >= 0)
        write(static_cast<uint32_t>(kernel.metadata.uniform), VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC,
              {blocks_.buffer, 0, QIAO_MAX_ARGUMENT_BYTES});
    device.vk.vkUpdateDescriptorSets(device.device, count, writes, 0, nullptr);
    buffers_ += static_cast<uint32_t>(kernel.buffers.size());
    layout_ = kernel.set_layout;
    std::copy_n(buffers, kernel.buffers.size(), bound_);
    return VK_SUCCESS;
}

VkResult ArgumentRoom::bind(Device& device, VkCommandBuffer commands, const Kernel& kernel, const VkBuffer* buffers,
                            uint32_t block_offset) {
    const bool uniform = kernel.metadata.uniform >= 0;
    if (!is_bound(kernel, buffers)) {
        if (const VkResult result = make_set(device, kernel, buffers); result != VK_SUCCESS) return result;
    } else if (!uniform) {
        return VK_SUCCESS;
    }
    device.vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1, &set_, uniform ? 1 : 0,
                                      &block_offset);
    return VK_SUCCESS;
}

VkResult ArgumentRoom::make_groups_set(Device& device) {
    VkDescriptorSet set;
    if (const VkResult result = take_set(device, device.block_set, &set); result != VK_SUCCESS) return result;
    const VkDescriptorBufferInfo range = {blocks_.buffer, 0, sizeof(Grid)};
    const VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set, 0, 0, 1,
                                        VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, nullptr, &range, nullptr};
    device.vk.vkUpdateDescriptorSets(device.device, 1, &write, 0, nullptr);
    groups_ = set;
    return VK_SUCCESS;
}

VkResult ArgumentRoom::bind_groups(Device& device, VkCommandBuffer commands, const Kernel& kernel, uint32_t offset) {
    if (groups_ == VK_NULL_HANDLE)
        if (const VkResult result = make_groups_set(device); result != VK_SUCCESS) return result;
    device.vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.folded_layout, kGroupsSet, 1, &groups_, 1, &offset);
    // What another kernel's layout had bound below is lost (Vulkan 1.2, 14.2.2, "Pipeline Layout Compatibility").
    if (layout_ != kernel.set_layout) layout_ = VK_NULL_HANDLE;
    return VK_SUCCESS;
}

namespace {

// The allocation that an address argument points into; {null, 0} for address 0.
qiao_status look_up(Device& device, const Kernel& kernel, uint64_t address, qiao_plugin_binding* out) {
    *out = {};
    if (address == 0 || device.allocations.find(address, out)) return QIAO_OK;
    return device.host.fail({.status = QIAO_ERROR_INVALID_ARGUMENT,
                             .message = text("kernel '", kernel.name, "' is given address ", address, ", which is in no allocation of ",
                                             device.record->info.name),
                             .remedy = "give addresses of memory that was allocated on the device"});
}

// Replaces the addresses in `block`, a copy of what was given, and lists the buffers that are to be bound.
qiao_status resolve(Device& device, const Kernel& kernel, const qiao_plugin_binding* bindings, const char* given, char* block,
                    VkBuffer* buffers) {
    for (size_t i = 0; i < kernel.addresses.size(); ++i) {
        qiao_plugin_binding binding;
        if (bindings != nullptr) {
            binding = bindings[i];
        } else {
            uint64_t address;
            std::memcpy(&address, given + kernel.addresses[i], sizeof address);
            if (const qiao_status status = look_up(device, kernel, address, &binding); status != QIAO_OK) return status;
        }
        const auto* allocation = static_cast<const Allocation*>(binding.allocation);
        const uint64_t offset = allocation != nullptr ? allocation->offset + binding.offset : UINT64_MAX;
        std::memcpy(block + kernel.addresses[i], &offset, sizeof offset);
        const int64_t number = kernel.buffer_of_address[i];
        if (number >= 0) buffers[number] = allocation != nullptr ? allocation->buffer.buffer : device.nothing.buffer;
    }
    return QIAO_OK;
}

} // namespace

qiao_status bind_arguments(Device& device, ArgumentRoom& room, VkCommandBuffer commands, const Kernel& kernel, const void* block,
                           const qiao_plugin_binding* bindings, const Buffer& output) noexcept {
    return guarded(device.host, "kernel launch", [&]() -> qiao_status {
        alignas(8) char pushed[kMaxPushBytes] = {};
        char* target = pushed;
        uint32_t offset = 0;
        VkResult result = VK_SUCCESS;
        if (kernel.metadata.uniform >= 0) result = room.take_block(device, kernel.value_bytes, &target, &offset);
        if (result != VK_SUCCESS) return device_failed(device, result, "a buffer for argument blocks");
        if (kernel.value_bytes != 0) std::memcpy(target, block, kernel.value_bytes);
        VkBuffer buffers[QIAO_MAX_ARGUMENTS + 1];
        if (const qiao_status status = resolve(device, kernel, bindings, static_cast<const char*>(block), target, buffers); status != QIAO_OK) return status;
        if (kernel.metadata.output_binding >= 0) buffers[kernel.buffers.size() - 1] = output.buffer;
        if (kernel.set_layout != VK_NULL_HANDLE) result = room.bind(device, commands, kernel, buffers, offset);
        if (result != VK_SUCCESS) return device_failed(device, result, "descriptors of arguments");
        if (kernel.push_bytes != 0)
            device.vk.vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, kernel.push_offset, kernel.push_bytes,
                                         pushed);
        if (kernel.metadata.output_push >= 0)
            device.vk.vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT,
                                         static_cast<uint32_t>(kernel.metadata.output_push), sizeof output.address, &output.address);
        return QIAO_OK;
    });
}

qiao_status bind_groups(Device& device, ArgumentRoom& room, VkCommandBuffer commands, const Kernel& kernel,
                        const uint32_t (&groups)[3]) noexcept {
    char* target = nullptr;
    uint32_t offset = 0;
    VkResult result = room.take_block(device, sizeof groups, &target, &offset);
    if (result != VK_SUCCESS) return device_failed(device, result, "a buffer for the number of groups");
    std::memcpy(target, groups, sizeof groups);
    result = room.bind_groups(device, commands, kernel, offset);
    return result == VK_SUCCESS ? static_cast<qiao_status>(QIAO_OK) : device_failed(device, result, "a descriptor of the number of groups");
}

} // namespace qiao::vulkan
