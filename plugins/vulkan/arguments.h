// Where a launch's arguments go that are more than push constants: a uniform buffer for the block and for the number of groups of a
// folded launch, and the buffers that take the place of addresses. Belongs to a batch.
#pragma once

#include "memory.h"

namespace qiao::vulkan {

struct Kernel;

class ArgumentRoom {
  public:
    void destroy(Device& device);

    // All is free again: the batch has run.
    VkResult reset(Device& device);
    // Whether another launch of the kernel fits, folded or not.
    bool has_room(const Kernel& kernel) const;

    // Where a block may be written; `out_offset` is for bind(). Made when first needed.
    VkResult take_block(Device& device, uint32_t size_bytes, char** out_block, uint32_t* out_offset);
    // Binds the kernel's buffers and, at that offset, its block.
    VkResult bind(Device& device, VkCommandBuffer commands, const Kernel& kernel, const VkBuffer* buffers, uint32_t block_offset);
    // Binds the number of groups at that offset, for a folded launch of the kernel.
    VkResult bind_groups(Device& device, VkCommandBuffer commands, const Kernel& kernel, uint32_t offset);

  private:
    bool is_bound(const Kernel& kernel, const VkBuffer* buffers) const;
    VkResult take_set(Device& device, VkDescriptorSetLayout layout, VkDescriptorSet* out);
    VkResult make_set(Device& device, const Kernel& kernel, const VkBuffer* buffers);
    VkResult make_groups_set(Device& device);

    Buffer blocks_;
    uint32_t block_bytes_ = 0; // used
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
    uint32_t sets_ = 0, buffers_ = 0; // used
    // The set bound last, and what is in it.
    VkDescriptorSet set_ = VK_NULL_HANDLE;
    VkDescriptorSetLayout layout_ = VK_NULL_HANDLE;
    VkBuffer bound_[QIAO_MAX_ARGUMENTS + 1] = {};
    VkDescriptorSet groups_ = VK_NULL_HANDLE; // of the number of groups; null = there was no folded launch yet
};

// Records what a launch of a kernel whose arguments are bound needs before the dispatch. `bindings` is null on devices with
// addresses: then allocations are looked up. `output` is for a kernel that prints.
qiao_status bind_arguments(Device& device, ArgumentRoom& room, VkCommandBuffer commands, const Kernel& kernel, const void* block,
                           const qiao_plugin_binding* bindings, const Buffer& output) noexcept;

// Records the number of groups of a folded launch, after its arguments.
qiao_status bind_groups(Device& device, ArgumentRoom& room, VkCommandBuffer commands, const Kernel& kernel,
                        const uint32_t (&groups)[3]) noexcept;

} // namespace qiao::vulkan
