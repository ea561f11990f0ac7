// A Vulkan loader in front of the real one, which takes something away from the driver, or fails: see shim.h. Forwards everything
// else.
#define VK_NO_PROTOTYPES
#include "shim.h"

#include <dlfcn.h>
#include <vulkan/vulkan_core.h>

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace {

constexpr uint32_t kFamilies = 3, kCopies = 2;

std::mutex mutex; // guards what follows
std::string words;
std::string failing; // the function that fails; "" = none
VkResult failure = VK_SUCCESS;
std::map<VkCommandPool, uint32_t> pools;
std::map<VkCommandBuffer, uint32_t> commands;
std::map<std::string, uint32_t> calls;
std::atomic<uint32_t> submissions[kFamilies], mistakes, failures;

bool mode(std::string_view word) {
    std::lock_guard lock(mutex);
    const std::string all = "," + words + ",";
    return all.find("," + std::string(word) + ",") != std::string::npos;
}

PFN_vkGetInstanceProcAddr real_instance() {
    static void* library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    static const auto function = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
    return function;
}

// The real functions that were asked for last; the tests have one instance and one device at a time.
#define QIAO_SHIM_REPLACED_OF_INSTANCE(X)           \
    X(vkGetPhysicalDeviceFeatures2)                 \
    X(vkGetPhysicalDeviceMemoryProperties2)         \
    X(vkGetPhysicalDeviceQueueFamilyProperties2)    \
    X(vkEnumerateDeviceExtensionProperties)         \
    X(vkCreateDevice)                               \
    X(vkGetDeviceProcAddr)
#define QIAO_SHIM_REPLACED_OF_DEVICE(X) \
    X(vkGetDeviceQueue)                 \
    X(vkQueueSubmit)                    \
    X(vkCreateCommandPool)              \
    X(vkAllocateCommandBuffers)         \
    X(vkCmdPipelineBarrier)             \
    X(vkCreateBuffer)
// Functions of a device that can fail, and are not replaced otherwise.
#define QIAO_SHIM_FAILING(X)       \
    X(vkAllocateMemory)            \
    X(vkMapMemory)                 \
    X(vkBindBufferMemory)          \
    X(vkCreateSemaphore)           \
    X(vkGetSemaphoreCounterValue)  \
    X(vkWaitSemaphores)            \
    X(vkResetCommandPool)          \
    X(vkBeginCommandBuffer)        \
    X(vkEndCommandBuffer)          \
    X(vkCreateQueryPool)           \
    X(vkGetQueryPoolResults)       \
    X(vkCreateShaderModule)        \
    X(vkCreatePipelineLayout)      \
    X(vkCreateComputePipelines)    \
    X(vkCreatePipelineCache)       \
    X(vkGetPipelineCacheData)      \
    X(vkMergePipelineCaches)       \
    X(vkCreateDescriptorSetLayout) \
    X(vkCreateDescriptorPool)      \
    X(vkAllocateDescriptorSets)    \
    X(vkResetDescriptorPool)       \
    X(vkGetCalibratedTimestampsEXT)

struct Real {
#define MEMBER(name) PFN_##name name = nullptr;
    QIAO_SHIM_REPLACED_OF_INSTANCE(MEMBER)
    QIAO_SHIM_REPLACED_OF_DEVICE(MEMBER)
    QIAO_SHIM_FAILING(MEMBER)
#undef MEMBER
} real;

VkDevice device_behind;
PFN_vkDeviceWaitIdle wait_idle;

// Whether that function is to fail, and with what. A lost device runs nothing any more, so the real one ends its work first.
bool fails(const char* name, VkResult* out) {
    {
        std::lock_guard lock(mutex);
        ++calls[name];
        if (failing != name) return false;
        *out = failure;
    }
    if (wait_idle != nullptr) wait_idle(device_behind);
    ++failures;
    return true;
}

// ---------------------------------------------------------------------------------------------- what is taken away

VKAPI_ATTR void VKAPI_CALL shim_vkGetPhysicalDeviceFeatures2(VkPhysicalDevice device, VkPhysicalDeviceFeatures2* out) {
    real.vkGetPhysicalDeviceFeatures2(device, out);
    for (auto* each = static_cast<VkBaseOutStructure*>(out->pNext); each != nullptr; each = each->pNext)
        if (each->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES && mode("no_addresses"))
            reinterpret_cast<VkPhysicalDeviceVulkan12Features*>(each)->bufferDeviceAddress = VK_FALSE;
}

VKAPI_ATTR void VKAPI_CALL shim_vkGetPhysicalDeviceMemoryProperties2(VkPhysicalDevice device,
                                                                     VkPhysicalDeviceMemoryProperties2* out) {
    real.vkGetPhysicalDeviceMemoryProperties2(device, out);
    for (uint32_t i = 0; i < out->memoryProperties.memoryTypeCount && mode("uncached"); ++i)
        out->memoryProperties.memoryTypes[i].propertyFlags &= ~VkMemoryPropertyFlags{VK_MEMORY_PROPERTY_HOST_CACHED_BIT};
}

VKAPI_ATTR VkResult VKAPI_CALL shim_vkEnumerateDeviceExtensionProperties(VkPhysicalDevice device, const char* layer,
                                                                         uint32_t* count, VkExtensionProperties* out) {
    const VkResult result = real.vkEnumerateDeviceExtensionProperties(device, layer, count, out);
    for (uint32_t i = 0; out != nullptr && i < *count && mode("uncalibrated"); ++i)
        if (std::strcmp(out[i].extensionName, VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME) == 0)
            std::strcpy(out[i].extensionName, "VK_EXT_removed");
    return result;
}

// ---------------------------------------------------------------------------------------------- families

// A queue of a family that is not there: the real one is behind all of them.
struct FakeQueue {
    uint32_t family;
};
FakeQueue fake_queues[kFamilies] = {{0}, {1}, {2}};
VkQueue real_queue;

VKAPI_ATTR void VKAPI_CALL shim_vkGetPhysicalDeviceQueueFamilyProperties2(VkPhysicalDevice device, uint32_t* count,
                                                                          VkQueueFamilyProperties2* out) {
    if (!mode("families") || out == nullptr) {
        real.vkGetPhysicalDeviceQueueFamilyProperties2(device, count, out);
        if (mode("families")) *count = kFamilies;
        return;
    }
    uint32_t one = 1;
    real.vkGetPhysicalDeviceQueueFamilyProperties2(device, &one, out);
    for (uint32_t i = 1; i < kFamilies; ++i)
        out[i].queueFamilyProperties = out[0].queueFamilyProperties;
    out[1].queueFamilyProperties.queueFlags = VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
    out[1].queueFamilyProperties.queueCount = 4;
    out[kCopies].queueFamilyProperties.queueFlags = VK_QUEUE_TRANSFER_BIT;
}

VKAPI_ATTR VkResult VKAPI_CALL shim_vkCreateDevice(VkPhysicalDevice device, const VkDeviceCreateInfo* info,
                                                   const VkAllocationCallbacks* callbacks, VkDevice* out) {
    VkResult result;
    wait_idle = nullptr; // the device before this one is gone
    if (fails("vkCreateDevice", &result)) return result;
    const float priority = 1.0f;
    const VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
    VkDeviceCreateInfo changed = *info;
    if (mode("families")) {
        changed.queueCreateInfoCount = 1;
        changed.pQueueCreateInfos = &queue;
    }
    result = real.vkCreateDevice(device, &changed, callbacks, out);
    if (result == VK_SUCCESS) device_behind = *out;
    return result;
}

VKAPI_ATTR void VKAPI_CALL shim_vkGetDeviceQueue(VkDevice device, uint32_t family, uint32_t index, VkQueue* out) {
    real.vkGetDeviceQueue(device, 0, 0, &real_queue);
    *out = real_queue;
    if (!mode("families")) return real.vkGetDeviceQueue(device, family, index, out);
    *out = reinterpret_cast<VkQueue>(&fake_queues[family]);
}

VKAPI_ATTR VkResult VKAPI_CALL shim_vkCreateCommandPool(VkDevice device, const VkCommandPoolCreateInfo* info,
                                                        const VkAllocationCallbacks* callbacks, VkCommandPool* out) {
    VkResult result;
    if (fails("vkCreateCommandPool", &result)) return result;
    VkCommandPoolCreateInfo changed = *info;
    if (mode("families")) changed.queueFamilyIndex = 0;
    result = real.vkCreateCommandPool(device, &changed, callbacks, out);
    std::lock_guard lock(mutex);
    if (result == VK_SUCCESS) pools[*out] = info->queueFamilyIndex;
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL shim_vkAllocateCommandBuffers(VkDevice device, const VkCommandBufferAllocateInfo* info,
                                                             VkCommandBuffer* out) {
    VkResult result;
    if (fails("vkAllocateCommandBuffers", &result)) return result;
    result = real.vkAllocateCommandBuffers(device, info, out);
    std::lock_guard lock(mutex);
    for (uint32_t i = 0; i < info->commandBufferCount && result == VK_SUCCESS; ++i)
        commands[out[i]] = pools[info->commandPool];
    return result;
}

uint32_t family_of(VkCommandBuffer buffer) {
    std::lock_guard lock(mutex);
    return commands[buffer];
}

VKAPI_ATTR void VKAPI_CALL shim_vkCmdPipelineBarrier(VkCommandBuffer buffer, VkPipelineStageFlags from, VkPipelineStageFlags to,
                                                     VkDependencyFlags flags, uint32_t count, const VkMemoryBarrier* barriers,
                                                     uint32_t buffer_count, const VkBufferMemoryBarrier* buffers,
                                                     uint32_t image_count, const VkImageMemoryBarrier* images) {
    if (((from | to) & VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT) != 0 && mode("families") && family_of(buffer) == kCopies) ++mistakes;
    real.vkCmdPipelineBarrier(buffer, from, to, flags, count, barriers, buffer_count, buffers, image_count, images);
}

VKAPI_ATTR VkResult VKAPI_CALL shim_vkQueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos, VkFence fence) {
    VkResult result;
    if (fails("vkQueueSubmit", &result)) return result;
    if (!mode("families")) return real.vkQueueSubmit(queue, count, infos, fence);
    const uint32_t family = reinterpret_cast<FakeQueue*>(queue)->family;
    ++submissions[family];
    for (uint32_t i = 0; i < count; ++i)
        for (uint32_t j = 0; j < infos[i].commandBufferCount; ++j)
            if (family_of(infos[i].pCommandBuffers[j]) != family) ++mistakes;
    static std::mutex one_at_a_time; // the lanes have a lock each, and are one queue here
    std::lock_guard lock(one_at_a_time);
    return real.vkQueueSubmit(real_queue, count, infos, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL shim_vkCreateBuffer(VkDevice device, const VkBufferCreateInfo* info,
                                                   const VkAllocationCallbacks* callbacks, VkBuffer* out) {
    VkResult result;
    if (fails("vkCreateBuffer", &result)) return result;
    VkBufferCreateInfo changed = *info;
    if (mode("families")) {
        if (info->sharingMode != VK_SHARING_MODE_CONCURRENT || info->queueFamilyIndexCount != 2) ++mistakes;
        changed.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
        changed.queueFamilyIndexCount = 0;
    }
    return real.vkCreateBuffer(device, &changed, callbacks, out);
}

// ---------------------------------------------------------------------------------------------- what fails

#define FAILING(name)                                                              \
    template <typename... Arguments>                                               \
    PFN_vkVoidFunction failing_##name(VkResult(VKAPI_PTR*)(Arguments...)) {        \
        VkResult(VKAPI_PTR * function)(Arguments...) = [](Arguments... arguments) { \
            VkResult result;                                                       \
            return fails(#name, &result) ? result : real.name(arguments...);       \
        };                                                                         \
        return reinterpret_cast<PFN_vkVoidFunction>(function);                     \
    }
QIAO_SHIM_FAILING(FAILING)
#undef FAILING

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL shim_vkGetDeviceProcAddr(VkDevice device, const char* name) {
    const PFN_vkVoidFunction function = real.vkGetDeviceProcAddr(device, name);
    const std::string_view wanted = name;
    if (function == nullptr) return nullptr;
    wait_idle = reinterpret_cast<PFN_vkDeviceWaitIdle>(real.vkGetDeviceProcAddr(device, "vkDeviceWaitIdle"));
#define REPLACE(each)                                           \
    if (wanted == #each) {                                      \
        real.each = reinterpret_cast<PFN_##each>(function);     \
        return reinterpret_cast<PFN_vkVoidFunction>(shim_##each); \
    }
    QIAO_SHIM_REPLACED_OF_DEVICE(REPLACE)
#undef REPLACE
#define REPLACE(each)                                       \
    if (wanted == #each) {                                  \
        real.each = reinterpret_cast<PFN_##each>(function); \
        return failing_##each(real.each);                   \
    }
    QIAO_SHIM_FAILING(REPLACE)
#undef REPLACE
    return function;
}

} // namespace

extern "C" {

#define EXPORT __attribute__((visibility("default")))

EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name) {
    const PFN_vkVoidFunction function = real_instance()(instance, name);
    const std::string_view wanted = name;
#define REPLACE(each)                                           \
    if (wanted == #each && function != nullptr) {               \
        real.each = reinterpret_cast<PFN_##each>(function);     \
        return reinterpret_cast<PFN_vkVoidFunction>(shim_##each); \
    }
    QIAO_SHIM_REPLACED_OF_INSTANCE(REPLACE)
#undef REPLACE
    return function;
}

EXPORT void qiao_test_shim_become(const char* text) {
    std::lock_guard lock(mutex);
    words = text;
    failing.clear();
    if (const size_t at = words.find("fail:"); at != std::string::npos) {
        const size_t colon = words.find(':', at + 5);
        failing = words.substr(at + 5, colon - at - 5);
        failure = static_cast<VkResult>(std::stoi(words.substr(colon + 1)));
    }
    mistakes = failures = 0;
    calls.clear();
    for (auto& each : submissions)
        each = 0;
}

EXPORT uint32_t qiao_test_shim_submissions(uint32_t family) {
    return submissions[family];
}

EXPORT uint32_t qiao_test_shim_mistakes() {
    return mistakes;
}

EXPORT uint32_t qiao_test_shim_failures() {
    return failures;
}

EXPORT uint32_t qiao_test_shim_calls(const char* name) {
    std::lock_guard lock(mutex);
    return calls[name];
}

#undef EXPORT
}
