// One device with all that the plugin asks for, one family with one queue, and no extensions.
#include "functions.h"

#include <cstring>

namespace {

VKAPI_ATTR VkResult VKAPI_CALL instance_version(uint32_t* out) {
    *out = VK_API_VERSION_1_2;
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL instance_layers(uint32_t* count, VkLayerProperties*) {
    *count = 0;
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL instance_extensions(const char*, uint32_t* count, VkExtensionProperties*) {
    *count = 0;
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo*, const VkAllocationCallbacks*, VkInstance* out) {
    static int instance;
    *out = reinterpret_cast<VkInstance>(&instance);
    return VK_SUCCESS;
}
VKAPI_ATTR void VKAPI_CALL destroy_instance(VkInstance, const VkAllocationCallbacks*) {}

VKAPI_ATTR VkResult VKAPI_CALL devices(VkInstance, uint32_t* count, VkPhysicalDevice* out) {
    static int physical;
    *count = 1;
    if (out != nullptr) *out = reinterpret_cast<VkPhysicalDevice>(&physical);
    return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL device_extensions(VkPhysicalDevice, const char*, uint32_t* count, VkExtensionProperties*) {
    *count = 0;
    return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL properties(VkPhysicalDevice, VkPhysicalDeviceProperties* out) {
    *out = {};
    out->apiVersion = VK_API_VERSION_1_2;
    out->vendorID = 0x10000;
    out->deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    std::strcpy(out->deviceName, "null");
    VkPhysicalDeviceLimits& limits = out->limits;
    limits.maxPushConstantsSize = 128;
    limits.maxUniformBufferRange = limits.maxStorageBufferRange = 1u << 30;
    limits.maxComputeSharedMemorySize = 32768;
    limits.maxComputeWorkGroupInvocations = 1024;
    limits.maxPerStageDescriptorStorageBuffers = 1024;
    limits.timestampPeriod = 1.0f;
    for (int i = 0; i < 3; ++i) {
        limits.maxComputeWorkGroupCount[i] = 65535;
        limits.maxComputeWorkGroupSize[i] = 1024;
    }
}
VKAPI_ATTR void VKAPI_CALL properties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2* out) {
    properties(device, &out->properties);
    for (auto* each = static_cast<VkBaseOutStructure*>(out->pNext); each != nullptr; each = each->pNext)
        if (each->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES)
            reinterpret_cast<VkPhysicalDeviceMaintenance3Properties*>(each)->maxMemoryAllocationSize = 1u << 30;
}

VKAPI_ATTR void VKAPI_CALL features(VkPhysicalDevice, VkPhysicalDeviceFeatures2* out) {
    out->features.shaderInt64 = VK_TRUE;
    for (auto* each = static_cast<VkBaseOutStructure*>(out->pNext); each != nullptr; each = each->pNext) {
        if (each->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES) continue;
        auto* v12 = reinterpret_cast<VkPhysicalDeviceVulkan12Features*>(each);
        v12->bufferDeviceAddress = v12->timelineSemaphore = v12->uniformBufferStandardLayout = VK_TRUE;
    }
}

VKAPI_ATTR void VKAPI_CALL memory(VkPhysicalDevice, VkPhysicalDeviceMemoryProperties2* out) {
    VkPhysicalDeviceMemoryProperties& memory = out->memoryProperties;
    memory.memoryTypeCount = memory.memoryHeapCount = 1;
    memory.memoryTypes[0] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                 VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                             0};
    memory.memoryHeaps[0] = {VkDeviceSize{1} << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
}

VKAPI_ATTR void VKAPI_CALL families(VkPhysicalDevice, uint32_t* count, VkQueueFamilyProperties2* out) {
    *count = 1;
    if (out != nullptr) out->queueFamilyProperties = {VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT, 1, 0, {1, 1, 1}};
}
VKAPI_ATTR void VKAPI_CALL families1(VkPhysicalDevice, uint32_t* count, VkQueueFamilyProperties* out) {
    *count = 1;
    if (out != nullptr) *out = {VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT, 1, 0, {1, 1, 1}};
}

// Nothing is shared.
VKAPI_ATTR void VKAPI_CALL external_buffers(VkPhysicalDevice, const VkPhysicalDeviceExternalBufferInfo*, VkExternalBufferProperties* out) {
    out->externalMemoryProperties = {};
}

VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice, const VkDeviceCreateInfo*, const VkAllocationCallbacks*, VkDevice* out) {
    static int device;
    *out = reinterpret_cast<VkDevice>(&device);
    return VK_SUCCESS;
}
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice, const char* name) {
    return null_device_function(name);
}

struct Function {
    const char* name;
    PFN_vkVoidFunction function;
};
#define ENTRY(name, function) {#name, reinterpret_cast<PFN_vkVoidFunction>(static_cast<PFN_##name>(function))}
const Function kFunctions[] = {
    ENTRY(vkEnumerateInstanceVersion, instance_version),
    ENTRY(vkEnumerateInstanceLayerProperties, instance_layers),
    ENTRY(vkEnumerateInstanceExtensionProperties, instance_extensions),
    ENTRY(vkCreateInstance, create_instance),
    ENTRY(vkDestroyInstance, destroy_instance),
    ENTRY(vkEnumeratePhysicalDevices, devices),
    ENTRY(vkEnumerateDeviceExtensionProperties, device_extensions),
    ENTRY(vkGetPhysicalDeviceProperties, properties),
    ENTRY(vkGetPhysicalDeviceProperties2, properties2),
    ENTRY(vkGetPhysicalDeviceFeatures2, features),
    ENTRY(vkGetPhysicalDeviceMemoryProperties2, memory),
    ENTRY(vkGetPhysicalDeviceQueueFamilyProperties2, families),
    ENTRY(vkGetPhysicalDeviceQueueFamilyProperties, families1),
    ENTRY(vkGetPhysicalDeviceExternalBufferProperties, external_buffers),
    ENTRY(vkCreateDevice, create_device),
    ENTRY(vkGetDeviceProcAddr, device_function),
};
#undef ENTRY

} // namespace

extern "C" __attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vkGetInstanceProcAddr(VkInstance, const char* name) {
    for (const Function& each : kFunctions)
        if (std::strcmp(each.name, name) == 0) return each.function;
    return null_device_function(name);
}
