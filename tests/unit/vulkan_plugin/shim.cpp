// A Vulkan loader in front of the real one, which takes something away from the driver. QIAO_TEST_SHIM says what:
//   no_addresses   the feature bufferDeviceAddress
//   uncached       HOST_CACHED of all memory: the host must not read what it maps
//   uncalibrated   the extension VK_EXT_calibrated_timestamps
//   lost_submit, lost_wait, lost_question   a submission, a wait, a question about a semaphore finds the device lost
// Forwards everything else.
#define VK_NO_PROTOTYPES
#include <dlfcn.h>
#include <vulkan/vulkan_core.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

bool mode(std::string_view name) {
    const char* value = std::getenv("QIAO_TEST_SHIM");
    return value != nullptr && name == value;
}

PFN_vkGetInstanceProcAddr real_instance() {
    static void* library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    static const auto function = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
    return function;
}

// The real functions that were asked for last; the tests have one instance and one device at a time.
PFN_vkGetPhysicalDeviceFeatures2 real_features;
PFN_vkGetPhysicalDeviceMemoryProperties2 real_memory;
PFN_vkEnumerateDeviceExtensionProperties real_extensions;
PFN_vkGetDeviceProcAddr real_device;
PFN_vkQueueSubmit real_submit;
PFN_vkWaitSemaphores real_wait;
PFN_vkGetSemaphoreCounterValue real_counter;

VKAPI_ATTR void VKAPI_CALL features(VkPhysicalDevice device, VkPhysicalDeviceFeatures2* out) {
    real_features(device, out);
    for (auto* each = static_cast<VkBaseOutStructure*>(out->pNext); each != nullptr; each = each->pNext)
        if (each->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES && mode("no_addresses"))
            reinterpret_cast<VkPhysicalDeviceVulkan12Features*>(each)->bufferDeviceAddress = VK_FALSE;
}

VKAPI_ATTR void VKAPI_CALL memory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2* out) {
    real_memory(device, out);
    for (uint32_t i = 0; i < out->memoryProperties.memoryTypeCount && mode("uncached"); ++i)
        out->memoryProperties.memoryTypes[i].propertyFlags &= ~VkMemoryPropertyFlags{VK_MEMORY_PROPERTY_HOST_CACHED_BIT};
}

VKAPI_ATTR VkResult VKAPI_CALL extensions(VkPhysicalDevice device, const char* layer, uint32_t* count, VkExtensionProperties* out) {
    const VkResult result = real_extensions(device, layer, count, out);
    for (uint32_t i = 0; out != nullptr && i < *count && mode("uncalibrated"); ++i)
        if (std::strcmp(out[i].extensionName, VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME) == 0)
            std::strcpy(out[i].extensionName, "VK_EXT_removed");
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos, VkFence fence) {
    return mode("lost_submit") ? VK_ERROR_DEVICE_LOST : real_submit(queue, count, infos, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL wait(VkDevice device, const VkSemaphoreWaitInfo* info, uint64_t timeout_ns) {
    return mode("lost_wait") ? VK_ERROR_DEVICE_LOST : real_wait(device, info, timeout_ns);
}

VKAPI_ATTR VkResult VKAPI_CALL counter(VkDevice device, VkSemaphore semaphore, uint64_t* out_value) {
    return mode("lost_question") ? VK_ERROR_DEVICE_LOST : real_counter(device, semaphore, out_value);
}

template <typename Function>
PFN_vkVoidFunction instead(PFN_vkVoidFunction real, Function& keep, Function ours) {
    keep = reinterpret_cast<Function>(real);
    return reinterpret_cast<PFN_vkVoidFunction>(ours);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char* name) {
    const PFN_vkVoidFunction real = real_device(device, name);
    const std::string_view wanted = name;
    if (wanted == "vkQueueSubmit") return instead(real, real_submit, submit);
    if (wanted == "vkWaitSemaphores") return instead(real, real_wait, wait);
    if (wanted == "vkGetSemaphoreCounterValue") return instead(real, real_counter, counter);
    return real;
}

} // namespace

extern "C" __attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vkGetInstanceProcAddr(VkInstance instance, const char* name) {
    const PFN_vkVoidFunction real = real_instance()(instance, name);
    const std::string_view wanted = name;
    if (wanted == "vkGetPhysicalDeviceFeatures2") return instead(real, real_features, features);
    if (wanted == "vkGetPhysicalDeviceMemoryProperties2") return instead(real, real_memory, memory);
    if (wanted == "vkEnumerateDeviceExtensionProperties") return instead(real, real_extensions, extensions);
    if (wanted == "vkGetDeviceProcAddr") return instead(real, real_device, device_function);
    return real;
}
