// The Vulkan functions this plugin calls: one list per level, from which both the structs of pointers and their loading are
// made. Knows names only.
#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include <string>

// X(name): of the library, before there is an instance.
#define QIAO_VULKAN_GLOBAL(X)              \
    X(vkEnumerateInstanceVersion)          \
    X(vkEnumerateInstanceLayerProperties)  \
    X(vkEnumerateInstanceExtensionProperties) \
    X(vkCreateInstance)

// X(name): of an instance of Vulkan 1.2.
#define QIAO_VULKAN_INSTANCE(X)                   \
    X(vkDestroyInstance)                          \
    X(vkEnumeratePhysicalDevices)                 \
    X(vkEnumerateDeviceExtensionProperties)       \
    X(vkGetPhysicalDeviceProperties)              \
    X(vkGetPhysicalDeviceProperties2)             \
    X(vkGetPhysicalDeviceFeatures2)               \
    X(vkGetPhysicalDeviceMemoryProperties2)       \
    X(vkGetPhysicalDeviceQueueFamilyProperties2)  \
    X(vkGetPhysicalDeviceExternalBufferProperties) \
    X(vkCreateDevice)                             \
    X(vkGetDeviceProcAddr)

// X(name): null where the extension is absent or was not asked for.
#define QIAO_VULKAN_INSTANCE_OPTIONAL(X)                \
    X(vkCreateDebugUtilsMessengerEXT)                   \
    X(vkDestroyDebugUtilsMessengerEXT)                  \
    X(vkGetPhysicalDeviceCalibrateableTimeDomainsEXT)

// X(name): of a device of Vulkan 1.2.
#define QIAO_VULKAN_DEVICE(X)         \
    X(vkDestroyDevice)                \
    X(vkDeviceWaitIdle)               \
    X(vkGetDeviceQueue)               \
    X(vkQueueSubmit)                  \
    X(vkAllocateMemory)               \
    X(vkFreeMemory)                   \
    X(vkMapMemory)                    \
    X(vkBindBufferMemory)             \
    X(vkCreateBuffer)                 \
    X(vkDestroyBuffer)                \
    X(vkGetBufferMemoryRequirements)  \
    X(vkGetBufferDeviceAddress)       \
    X(vkCreateSemaphore)              \
    X(vkDestroySemaphore)             \
    X(vkGetSemaphoreCounterValue)     \
    X(vkWaitSemaphores)               \
    X(vkCreateCommandPool)            \
    X(vkDestroyCommandPool)           \
    X(vkResetCommandPool)             \
    X(vkAllocateCommandBuffers)       \
    X(vkBeginCommandBuffer)           \
    X(vkEndCommandBuffer)             \
    X(vkCmdPipelineBarrier)           \
    X(vkCmdBindPipeline)              \
    X(vkCmdBindDescriptorSets)        \
    X(vkCmdPushConstants)             \
    X(vkCmdDispatch)                  \
    X(vkCmdCopyBuffer)                \
    X(vkCmdFillBuffer)                \
    X(vkCmdResetQueryPool)            \
    X(vkCmdWriteTimestamp)            \
    X(vkCreateQueryPool)              \
    X(vkDestroyQueryPool)             \
    X(vkGetQueryPoolResults)          \
    X(vkCreateShaderModule)           \
    X(vkDestroyShaderModule)          \
    X(vkCreatePipelineLayout)         \
    X(vkDestroyPipelineLayout)        \
    X(vkCreateComputePipelines)       \
    X(vkDestroyPipeline)              \
    X(vkCreatePipelineCache)          \
    X(vkDestroyPipelineCache)         \
    X(vkGetPipelineCacheData)         \
    X(vkMergePipelineCaches)          \
    X(vkCreateDescriptorSetLayout)    \
    X(vkDestroyDescriptorSetLayout)   \
    X(vkCreateDescriptorPool)         \
    X(vkDestroyDescriptorPool)        \
    X(vkResetDescriptorPool)          \
    X(vkAllocateDescriptorSets)       \
    X(vkUpdateDescriptorSets)

#define QIAO_VULKAN_DEVICE_OPTIONAL(X)  \
    X(vkGetCalibratedTimestampsEXT)     \
    X(vkGetMemoryFdKHR)                 \
    X(vkGetMemoryHostPointerPropertiesEXT) \
    X(vkSetDebugUtilsObjectNameEXT)

namespace qiao::vulkan {

#define QIAO_VULKAN_MEMBER(name) PFN_##name name = nullptr;

// The library, opened once and never closed: drivers' threads and exit handlers live behind it.
struct Loader {
    PFN_vkGetInstanceProcAddr vkGetInstanceProcAddr = nullptr;
    QIAO_VULKAN_GLOBAL(QIAO_VULKAN_MEMBER)
};

struct InstanceSymbols {
    QIAO_VULKAN_INSTANCE(QIAO_VULKAN_MEMBER)
    QIAO_VULKAN_INSTANCE_OPTIONAL(QIAO_VULKAN_MEMBER)
};

struct DeviceSymbols {
    QIAO_VULKAN_DEVICE(QIAO_VULKAN_MEMBER)
    QIAO_VULKAN_DEVICE_OPTIONAL(QIAO_VULKAN_MEMBER)
};

#undef QIAO_VULKAN_MEMBER

// The library's name: QIAO_VULKAN_LIBRARY if set, else the Vulkan loader.
const char* library_name();

// Each returns "" or what is missing.
std::string open_library(const char* library, Loader* out);
std::string load_instance(const Loader& loader, VkInstance instance, InstanceSymbols* out);
std::string load_device(const InstanceSymbols& symbols, VkDevice device, DeviceSymbols* out);

} // namespace qiao::vulkan
