// The plugin, its Vulkan instance, the devices it found, and a device that is open.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "allocations.h"
#include "families.h"
#include "memory_types.h"
#include "pipeline_cache.h"
#include "status.h"
#include "symbols.h"

namespace qiao::vulkan {

struct Queue;
struct Kernel;

// The features that kernels may need, as Vulkan's chain of structs; the same chain is asked and enabled.
struct FeatureChain {
    VkPhysicalDeviceFeatures2 core = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, nullptr, {}};
    VkPhysicalDeviceVulkan11Features v11 = {};
    VkPhysicalDeviceVulkan12Features v12 = {};

    FeatureChain();
    FeatureChain(const FeatureChain& other) : FeatureChain() { *this = other; }
    FeatureChain& operator=(const FeatureChain& other); // keeps its own chain
};

// A device as found; filled once and then constant.
struct DeviceRecord {
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkPhysicalDeviceProperties properties = {};
    VkPhysicalDeviceMemoryProperties memory = {};
    FeatureChain features;
    std::vector<std::string> extensions;
    std::string cache_name; // of its pipelines: changes with device and driver
    uint32_t quirks = 0;
    bool table = false; // has no addresses, or is not to use them: kernels get buffers and offsets
    Families families;
    MemoryTypes types;
    uint64_t host_pointer_alignment = 0; // of VK_EXT_external_memory_host; 0 = imports no host memory
    bool opaque_descriptors = false;     // VK_KHR_external_memory_fd, to export and to import
    std::string unusable; // "" or why it cannot be opened
    qiao_plugin_device_info info = {};

    bool has(const char* extension) const;
    VkMemoryPropertyFlags type_flags(uint32_t type) const { return memory.memoryTypes[type].propertyFlags; }
    // The host copies to and from device memory by itself.
    bool host_reaches_device() const;
};

enum class AddressMode { kAuto, kNative, kTable };

// A buffer, its memory, and where the host sees it.
struct Buffer {
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    VkDeviceAddress address = 0; // 0 = was not asked for
    char* mapped = nullptr;      // null = the host cannot touch it
    uint64_t memory_bytes = 0;   // that were allocated for it
};

struct Plugin {
    Host host;
    std::string library;
    AddressMode mode = AddressMode::kAuto;
    Loader loader;
    std::mutex mutex; // guards what follows
    bool enumerated = false;
    bool validation = false;
    VkInstance instance = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;
    InstanceSymbols vk;
    std::vector<std::unique_ptr<DeviceRecord>> records;
};

// One native queue. Several of ours may share it, so submission takes its lock.
struct Lane {
    VkQueue queue = VK_NULL_HANDLE;
    uint32_t family = 0;
    VkPipelineStageFlags work = 0; // the stages that its operations run in
    std::mutex mutex;
    uint32_t users = 0; // guarded by the device's mutex
};

// Dense numbers for kernels, used again after unload; serials tell successors apart. Guarded by the device's mutex.
class KernelNumbers {
  public:
    uint32_t take();
    void give_back(uint32_t number) { free_.push_back(number); }

  private:
    uint32_t next_ = 0;
    std::vector<uint32_t> free_;
};

// Those that nobody waits for any more. A driver's thread may touch one for a moment after it has signalled it, or has run what
// waited for it (lavapipe 22.3.6 does), so they are destroyed late.
class SpentSemaphores {
  public:
    void add(Device& device, VkSemaphore semaphore) noexcept;
    void destroy(Device& device); // the device has no work

  private:
    std::mutex mutex_; // guards what follows
    std::deque<VkSemaphore> semaphores_;
};

struct Device {
    Plugin* plugin = nullptr;
    Host host;
    const DeviceRecord* record = nullptr;
    uint64_t token = 0;
    VkDevice device = VK_NULL_HANDLE;
    DeviceSymbols vk;
    VkDescriptorSetLayout block_set = VK_NULL_HANDLE; // binding 0: a dynamic uniform buffer, the argument block
    bool calibrated = false; // the driver reads both clocks at once
    Buffer nothing;          // bound for null pointers
    Allocations allocations; // by address; of no use, and empty, where the core resolves addresses

    std::atomic<bool> lost{false};
    SpentSemaphores spent;
    std::mutex mutex; // guards what follows
    std::vector<std::unique_ptr<Lane>> lanes; // that compute
    Lane copies;                              // a queue that only copies; none = null
    std::vector<Queue*> queues;
    KernelNumbers kernels;
    uint64_t next_serial = 1;

    PipelineCache pipelines;

    // For the launches of hosts that have no queues, and for blocking copies where no queue only copies.
    std::mutex immediate_mutex;
    Queue* immediate = nullptr;
    std::mutex copier_mutex;
    Queue* copier = nullptr; // for blocking copies; null = the immediate queue does them
};

// instance.cpp: makes the instance and lists its physical devices.
qiao_status create_instance(Plugin& plugin);
void destroy_instance(Plugin& plugin);

// device_info.cpp: fills what a record knows without opening the device.
void describe_device(Plugin& plugin, DeviceRecord& record);

// share.cpp: what the driver shares; the record has its extensions. Then the extensions that it takes.
void describe_sharing(const InstanceSymbols& vk, DeviceRecord& record, const uint8_t (&driver_uuid)[VK_UUID_SIZE]);
void add_sharing_extensions(const DeviceRecord& record, std::vector<const char*>& extensions);

// Reports a failed call of a running device: the host's error record, and the device's loss if the code means that.
qiao_status device_failed(Device& device, VkResult result, const std::string& what) noexcept;

// Notes the loss, and tells the host once.
void lose_device(Device& device, const char* reason) noexcept;

// For the validation layer's messages and for debuggers; does nothing unless validation is on.
void name_object(Device& device, VkObjectType type, uint64_t handle, const std::string& name);

// A handle as a number; on 64-bit machines all are pointers.
template <typename Handle>
uint64_t number_of(Handle handle) { return reinterpret_cast<uint64_t>(handle); }

qiao_status vulkan_device_native(void* device, qiao_native* out_native); // native.cpp

extern const qiao_plugin_device_ops vulkan_device_ops;
extern const qiao_plugin_memory_ops vulkan_memory_ops;        // without map: the core maps a copy
extern const qiao_plugin_memory_ops vulkan_mapped_memory_ops; // where the host reaches device memory
extern const qiao_plugin_program_ops vulkan_program_ops;
extern const qiao_plugin_queue_ops vulkan_queue_ops;
extern const qiao_plugin_tables vulkan_tables;
extern const qiao_plugin_tables vulkan_mapped_tables;

} // namespace qiao::vulkan
