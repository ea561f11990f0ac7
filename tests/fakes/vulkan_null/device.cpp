// Work is done when it is waited for, or kLag submissions later, as if the device were always busy; it runs nothing. Objects without
// contents are numbers. For programs of one thread.
#include "functions.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<uint64_t> last_object{0};

template <typename Handle>
Handle number() {
    return reinterpret_cast<Handle>(++last_object);
}

// ---------------------------------------------------------------------------------------------- memory: the host's

VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice, const VkMemoryAllocateInfo* info, const VkAllocationCallbacks*, VkDeviceMemory* out) {
    *out = reinterpret_cast<VkDeviceMemory>(std::aligned_alloc(4096, (info->allocationSize + 4095) / 4096 * 4096));
    return *out != nullptr ? VK_SUCCESS : VK_ERROR_OUT_OF_DEVICE_MEMORY;
}
VKAPI_ATTR void VKAPI_CALL release(VkDevice, VkDeviceMemory memory, const VkAllocationCallbacks*) {
    std::free(memory);
}
VKAPI_ATTR VkResult VKAPI_CALL map(VkDevice, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize, VkMemoryMapFlags, void** out) {
    *out = reinterpret_cast<char*>(memory) + offset;
    return VK_SUCCESS;
}

struct NullBuffer {
    VkDeviceSize size;
    VkDeviceMemory memory;
};
NullBuffer& buffer_of(VkBuffer buffer) {
    return *reinterpret_cast<NullBuffer*>(buffer);
}
VKAPI_ATTR VkResult VKAPI_CALL create_buffer(VkDevice, const VkBufferCreateInfo* info, const VkAllocationCallbacks*, VkBuffer* out) {
    *out = reinterpret_cast<VkBuffer>(new NullBuffer{info->size, nullptr});
    return VK_SUCCESS;
}
VKAPI_ATTR void VKAPI_CALL destroy_buffer(VkDevice, VkBuffer buffer, const VkAllocationCallbacks*) {
    delete reinterpret_cast<NullBuffer*>(buffer);
}
VKAPI_ATTR void VKAPI_CALL buffer_needs(VkDevice, VkBuffer buffer, VkMemoryRequirements* out) {
    *out = {buffer_of(buffer).size, 256, 1};
}
VKAPI_ATTR VkResult VKAPI_CALL bind_buffer(VkDevice, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize) {
    buffer_of(buffer).memory = memory;
    return VK_SUCCESS;
}
VKAPI_ATTR VkDeviceAddress VKAPI_CALL buffer_address(VkDevice, const VkBufferDeviceAddressInfo* info) {
    return reinterpret_cast<VkDeviceAddress>(buffer_of(info->buffer).memory);
}

// ---------------------------------------------------------------------------------------------- timelines

constexpr uint32_t kLag = 3;

struct Timeline {
    uint64_t reached = 0;
    uint64_t signalled[kLag] = {}; // by the last submissions
    uint32_t next = 0;
};
Timeline& timeline_of(VkSemaphore semaphore) {
    return *reinterpret_cast<Timeline*>(semaphore);
}
VKAPI_ATTR VkResult VKAPI_CALL create_semaphore(VkDevice, const VkSemaphoreCreateInfo*, const VkAllocationCallbacks*, VkSemaphore* out) {
    *out = reinterpret_cast<VkSemaphore>(new Timeline);
    return VK_SUCCESS;
}
VKAPI_ATTR void VKAPI_CALL destroy_semaphore(VkDevice, VkSemaphore semaphore, const VkAllocationCallbacks*) {
    delete reinterpret_cast<Timeline*>(semaphore);
}
VKAPI_ATTR VkResult VKAPI_CALL counter(VkDevice, VkSemaphore semaphore, uint64_t* out) {
    *out = timeline_of(semaphore).reached;
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL wait(VkDevice, const VkSemaphoreWaitInfo* info, uint64_t) {
    uint64_t& reached = timeline_of(info->pSemaphores[0]).reached;
    if (reached < info->pValues[0]) reached = info->pValues[0];
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue, uint32_t, const VkSubmitInfo* info, VkFence) {
    const auto* values = static_cast<const VkTimelineSemaphoreSubmitInfo*>(info->pNext);
    Timeline& timeline = timeline_of(info->pSignalSemaphores[0]);
    uint64_t& oldest = timeline.signalled[timeline.next++ % kLag];
    if (timeline.reached < oldest) timeline.reached = oldest;
    oldest = values->pSignalSemaphoreValues[0];
    return VK_SUCCESS;
}
VKAPI_ATTR void VKAPI_CALL get_queue(VkDevice, uint32_t, uint32_t, VkQueue* out) {
    static int queue;
    *out = reinterpret_cast<VkQueue>(&queue);
}

// ---------------------------------------------------------------------------------------------- everything else

// Any function that returns nothing, or success, without looking at what it is given.
template <typename... Arguments>
VKAPI_ATTR void VKAPI_CALL nothing(Arguments...) {}
template <typename... Arguments>
VKAPI_ATTR VkResult VKAPI_CALL success(Arguments...) {
    return VK_SUCCESS;
}
// Any function that makes an object.
template <typename Info, typename Handle>
VKAPI_ATTR VkResult VKAPI_CALL create(VkDevice, const Info*, const VkAllocationCallbacks*, Handle* out) {
    *out = number<Handle>();
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL create_pipelines(VkDevice, VkPipelineCache, uint32_t, const VkComputePipelineCreateInfo*,
                                                const VkAllocationCallbacks*, VkPipeline* out) {
    *out = number<VkPipeline>();
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL allocate_commands(VkDevice, const VkCommandBufferAllocateInfo*, VkCommandBuffer* out) {
    *out = number<VkCommandBuffer>();
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL allocate_sets(VkDevice, const VkDescriptorSetAllocateInfo*, VkDescriptorSet* out) {
    *out = number<VkDescriptorSet>();
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL cache_data(VkDevice, VkPipelineCache, size_t* size, void*) {
    *size = 0;
    return VK_SUCCESS;
}

struct Function {
    const char* name;
    PFN_vkVoidFunction function;
};
#define ENTRY(name, function) {#name, reinterpret_cast<PFN_vkVoidFunction>(static_cast<PFN_##name>(function))}
const Function kFunctions[] = {
    ENTRY(vkAllocateMemory, allocate),
    ENTRY(vkFreeMemory, release),
    ENTRY(vkMapMemory, map),
    ENTRY(vkCreateBuffer, create_buffer),
    ENTRY(vkDestroyBuffer, destroy_buffer),
    ENTRY(vkGetBufferMemoryRequirements, buffer_needs),
    ENTRY(vkBindBufferMemory, bind_buffer),
    ENTRY(vkGetBufferDeviceAddress, buffer_address),
    ENTRY(vkCreateSemaphore, create_semaphore),
    ENTRY(vkDestroySemaphore, destroy_semaphore),
    ENTRY(vkDeviceWaitIdle, success),
    ENTRY(vkGetSemaphoreCounterValue, counter),
    ENTRY(vkWaitSemaphores, wait),
    ENTRY(vkQueueSubmit, submit),
    ENTRY(vkGetDeviceQueue, get_queue),
    ENTRY(vkDestroyDevice, nothing),
    ENTRY(vkCreateCommandPool, create),
    ENTRY(vkDestroyCommandPool, nothing),
    ENTRY(vkResetCommandPool, success),
    ENTRY(vkAllocateCommandBuffers, allocate_commands),
    ENTRY(vkBeginCommandBuffer, success),
    ENTRY(vkEndCommandBuffer, success),
    ENTRY(vkCmdPipelineBarrier, nothing),
    ENTRY(vkCmdBindPipeline, nothing),
    ENTRY(vkCmdBindDescriptorSets, nothing),
    ENTRY(vkCmdPushConstants, nothing),
    ENTRY(vkCmdDispatch, nothing),
    ENTRY(vkCmdCopyBuffer, nothing),
    ENTRY(vkCmdFillBuffer, nothing),
    ENTRY(vkCmdResetQueryPool, nothing),
    ENTRY(vkCmdWriteTimestamp, nothing),
    ENTRY(vkCreateQueryPool, create),
    ENTRY(vkDestroyQueryPool, nothing),
    ENTRY(vkGetQueryPoolResults, success),
    ENTRY(vkCreateShaderModule, create),
    ENTRY(vkDestroyShaderModule, nothing),
    ENTRY(vkCreatePipelineLayout, create),
    ENTRY(vkDestroyPipelineLayout, nothing),
    ENTRY(vkCreateComputePipelines, create_pipelines),
    ENTRY(vkDestroyPipeline, nothing),
    ENTRY(vkCreatePipelineCache, create),
    ENTRY(vkDestroyPipelineCache, nothing),
    ENTRY(vkGetPipelineCacheData, cache_data),
    ENTRY(vkMergePipelineCaches, success),
    ENTRY(vkCreateDescriptorSetLayout, create),
    ENTRY(vkDestroyDescriptorSetLayout, nothing),
    ENTRY(vkCreateDescriptorPool, create),
    ENTRY(vkDestroyDescriptorPool, nothing),
    ENTRY(vkResetDescriptorPool, success),
    ENTRY(vkAllocateDescriptorSets, allocate_sets),
    ENTRY(vkUpdateDescriptorSets, nothing),
};
#undef ENTRY

} // namespace

PFN_vkVoidFunction null_device_function(const char* name) {
    for (const Function& each : kFunctions)
        if (std::strcmp(each.name, name) == 0) return each.function;
    return nullptr;
}
