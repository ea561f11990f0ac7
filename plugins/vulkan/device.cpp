// Devices: listed once; opening one, its loss and its clock.
#include "device.h"

#include <time.h>

#include <algorithm>

#include "queue.h"

namespace qiao::vulkan {

uint32_t KernelNumbers::take() {
    if (free_.empty()) {
        free_.reserve(next_ + 1); // so that give_back() cannot fail
        return next_++;
    }
    const uint32_t number = free_.back();
    free_.pop_back();
    return number;
}

namespace {

constexpr uint32_t kMaxLanes = 8;
constexpr uint64_t kNothingBytes = 256;

// What kernels may use, of what the device has. Robust access and capture for replay cost time, and are not asked for.
FeatureChain wanted_features(const FeatureChain& has) {
    FeatureChain wanted;
    wanted.core.features.shaderFloat64 = has.core.features.shaderFloat64;
    wanted.core.features.shaderInt64 = has.core.features.shaderInt64;
    wanted.core.features.shaderInt16 = has.core.features.shaderInt16;
    wanted.v11.storageBuffer16BitAccess = has.v11.storageBuffer16BitAccess;
    wanted.v11.uniformAndStorageBuffer16BitAccess = has.v11.uniformAndStorageBuffer16BitAccess;
    wanted.v11.storagePushConstant16 = has.v11.storagePushConstant16;
    wanted.v11.variablePointersStorageBuffer = has.v11.variablePointersStorageBuffer;
    wanted.v11.variablePointers = has.v11.variablePointers;
    wanted.v12.storageBuffer8BitAccess = has.v12.storageBuffer8BitAccess;
    wanted.v12.uniformAndStorageBuffer8BitAccess = has.v12.uniformAndStorageBuffer8BitAccess;
    wanted.v12.storagePushConstant8 = has.v12.storagePushConstant8;
    wanted.v12.shaderBufferInt64Atomics = has.v12.shaderBufferInt64Atomics;
    wanted.v12.shaderSharedInt64Atomics = has.v12.shaderSharedInt64Atomics;
    wanted.v12.shaderFloat16 = has.v12.shaderFloat16;
    wanted.v12.shaderInt8 = has.v12.shaderInt8;
    wanted.v12.scalarBlockLayout = has.v12.scalarBlockLayout;
    wanted.v12.uniformBufferStandardLayout = has.v12.uniformBufferStandardLayout;
    wanted.v12.bufferDeviceAddress = has.v12.bufferDeviceAddress;
    wanted.v12.timelineSemaphore = VK_TRUE;
    return wanted;
}

constexpr VkPipelineStageFlags kCopies = VK_PIPELINE_STAGE_TRANSFER_BIT,
                               kComputes = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | kCopies;

void get_lane(Device& device, const Family& family, uint32_t index, VkPipelineStageFlags work, Lane& lane) {
    lane.family = family.index;
    lane.work = work;
    device.vk.vkGetDeviceQueue(device.device, family.index, index, &lane.queue);
}

VkResult create_device(Device& device) {
    const DeviceRecord& record = *device.record;
    const uint32_t lanes = std::min(record.families.compute.queues, kMaxLanes);
    const std::vector<float> priorities(lanes, 1.0f);
    const VkDeviceQueueCreateInfo queues[] = {
        {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, record.families.compute.index, lanes, priorities.data()},
        {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, record.families.transfer.index, 1, priorities.data()}};
    const FeatureChain features = wanted_features(record.features);
    std::vector<const char*> extensions;
    if (record.has(VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME)) extensions.push_back(VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME);
    add_sharing_extensions(record, extensions);
    VkDeviceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &features.core;
    info.queueCreateInfoCount = record.families.transfer.queues != 0 ? 2 : 1;
    info.pQueueCreateInfos = queues;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    const VkResult result = device.plugin->vk.vkCreateDevice(record.physical, &info, nullptr, &device.device);
    if (result != VK_SUCCESS) return result;
    if (!load_device(device.plugin->vk, device.device, &device.vk).empty()) return VK_ERROR_INCOMPATIBLE_DRIVER;
    for (uint32_t i = 0; i < lanes; ++i) {
        device.lanes.push_back(std::make_unique<Lane>());
        get_lane(device, record.families.compute, i, kComputes, *device.lanes.back());
    }
    if (record.families.transfer.queues != 0) get_lane(device, record.families.transfer, 0, kCopies, device.copies);
    return VK_SUCCESS;
}

VkResult create_block_set(Device& device) {
    VkDescriptorSetLayoutBinding binding = {};
    binding.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC;
    binding.descriptorCount = 1;
    binding.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    VkDescriptorSetLayoutCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
    info.bindingCount = 1;
    info.pBindings = &binding;
    return device.vk.vkCreateDescriptorSetLayout(device.device, &info, nullptr, &device.block_set);
}

// The driver gives its own time and CLOCK_MONOTONIC, both at once.
bool can_calibrate(const Device& device) {
    const auto ask = device.plugin->vk.vkGetPhysicalDeviceCalibrateableTimeDomainsEXT;
    if (ask == nullptr || device.vk.vkGetCalibratedTimestampsEXT == nullptr) return false;
    uint32_t count = 0;
    if (ask(device.record->physical, &count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkTimeDomainEXT> domains(count);
    if (ask(device.record->physical, &count, domains.data()) != VK_SUCCESS) return false;
    const auto has = [&](VkTimeDomainEXT domain) { return std::find(domains.begin(), domains.end(), domain) != domains.end(); };
    return has(VK_TIME_DOMAIN_DEVICE_EXT) && has(VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT);
}

void close_device(Device& device) {
    if (device.device == VK_NULL_HANDLE) return;
    if (device.copier != nullptr) destroy_queue(device.copier);
    if (device.immediate != nullptr) destroy_queue(device.immediate);
    if (device.vk.vkDestroyDevice == nullptr) return; // a driver without its functions
    if (!device.lost.load()) device.vk.vkDeviceWaitIdle(device.device); // its threads have let go of the semaphores
    device.spent.destroy(device);
    destroy_buffer(device, device.nothing);
    device.pipelines.destroy(device);
    if (device.block_set != VK_NULL_HANDLE)
        device.vk.vkDestroyDescriptorSetLayout(device.device, device.block_set, nullptr);
    device.vk.vkDestroyDevice(device.device, nullptr);
}

qiao_status open_device(Device& device) {
    const DeviceRecord& record = *device.record;
    if (!record.unusable.empty())
        return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                 .message = text(record.info.name, " cannot be opened: ", record.unusable),
                                 .remedy = "use a newer driver, or another device"});
    VkResult result = create_device(device);
    if (result == VK_SUCCESS) result = create_block_set(device);
    if (result == VK_SUCCESS)
        result = create_buffer(device, kNothingBytes, record.types.device, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &device.nothing);
    if (result != VK_SUCCESS) return device_failed(device, result, text(record.info.name, " cannot be opened"));
    device.calibrated = can_calibrate(device);
    device.pipelines.create(device);
    qiao_status status = create_queue(device, false, &device.immediate);
    if (status == QIAO_OK && device.copies.queue != VK_NULL_HANDLE) status = create_queue_on(device, device.copies, &device.copier);
    return status;
}

qiao_status read_calibrated(Device& device, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    const VkCalibratedTimestampInfoEXT wanted[2] = {
        {VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT, nullptr, VK_TIME_DOMAIN_DEVICE_EXT},
        {VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT, nullptr, VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT}};
    uint64_t times[2] = {}, deviation = 0;
    const VkResult result = device.vk.vkGetCalibratedTimestampsEXT(device.device, 2, wanted, times, &deviation);
    if (result != VK_SUCCESS) return device_failed(device, result, "reading the device's clock");
    *out_device_ns = nanoseconds_of(device, times[0]);
    *out_host_ns = times[1];
    return QIAO_OK;
}

// A timestamp between two readings of the host's clock, the narrowest of four.
qiao_status read_bracketed(Device& device, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    if (device.record->families.compute.timestamp_bits == 0)
        return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                 .message = text(device.record->info.name, "'s queues keep no timestamps")});
    std::lock_guard lock(device.immediate_mutex);
    uint64_t narrowest = UINT64_MAX;
    for (int i = 0; i < 4; ++i) {
        uint64_t ticks = 0, before = 0, after = 0;
        if (const qiao_status status = stamp_now(*device.immediate, &ticks, &before, &after); status != QIAO_OK) return status;
        if (after - before >= narrowest) continue;
        narrowest = after - before;
        *out_device_ns = nanoseconds_of(device, ticks);
        *out_host_ns = before + narrowest / 2;
    }
    return QIAO_OK;
}

} // namespace

// ---------------------------------------------------------------------------------------------- for the other files

void lose_device(Device& device, const char* reason) noexcept {
    if (!device.lost.exchange(true, std::memory_order_acq_rel)) {
        const qiao_host_api* host = device.host.api();
        host->device_lost(host->host, device.token, reason);
    }
}

qiao_status device_failed(Device& device, VkResult result, const std::string& what) noexcept {
    const qiao_status status = guarded(device.host, "error", [&] { return device.host.fail(failure_of(result, what)); });
    if (result == VK_ERROR_DEVICE_LOST) lose_device(device, result_name(result));
    return status;
}

void name_object(Device& device, VkObjectType type, uint64_t handle, const std::string& name) {
    if (!device.plugin->validation || device.vk.vkSetDebugUtilsObjectNameEXT == nullptr) return;
    VkDebugUtilsObjectNameInfoEXT info = {};
    info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT;
    info.objectType = type;
    info.objectHandle = handle;
    info.pObjectName = name.c_str();
    device.vk.vkSetDebugUtilsObjectNameEXT(device.device, &info);
}

// ---------------------------------------------------------------------------------------------- slots

static qiao_status vulkan_device_count(void* plugin_pointer, uint32_t* out_count) {
    Plugin& plugin = object<Plugin>(plugin_pointer);
    return guarded(plugin.host, "device_count", [&]() -> qiao_status {
        std::lock_guard lock(plugin.mutex);
        if (!plugin.enumerated)
            if (const qiao_status status = create_instance(plugin); status != QIAO_OK) return status;
        *out_count = static_cast<uint32_t>(plugin.records.size());
        return QIAO_OK;
    });
}

static qiao_status vulkan_device_query(void* plugin_pointer, uint32_t index, qiao_plugin_device_info* out_info) {
    Plugin& plugin = object<Plugin>(plugin_pointer);
    return guarded(plugin.host, "device_query", [&]() -> qiao_status {
        std::lock_guard lock(plugin.mutex);
        if (index >= plugin.records.size())
            return plugin.host.fail({.status = QIAO_ERROR_OUT_OF_RANGE,
                                     .message = text("there is no Vulkan device ", index, "; there are ", plugin.records.size())});
        plugin::write_growing(out_info, plugin.records[index]->info);
        return QIAO_OK;
    });
}

static qiao_status vulkan_device_open(void* plugin_pointer, uint32_t index, uint64_t device_token, void** out_device) {
    Plugin& plugin = object<Plugin>(plugin_pointer);
    return guarded(plugin.host, "device_open", [&]() -> qiao_status {
        auto device = std::make_unique<Device>();
        device->plugin = &plugin;
        device->host = plugin.host;
        device->token = device_token;
        {
            std::lock_guard lock(plugin.mutex);
            device->record = plugin.records.at(index).get();
        }
        if (const qiao_status status = open_device(*device); status != QIAO_OK) {
            close_device(*device);
            return status;
        }
        *out_device = device.release();
        return QIAO_OK;
    });
}

static void vulkan_device_close(void* device_pointer) {
    auto* device = static_cast<Device*>(device_pointer);
    guarded(device->host, "device_close", [&]() -> qiao_status {
        close_device(*device);
        return QIAO_OK;
    });
    delete device;
}

static qiao_status vulkan_device_synchronize(void* device_pointer, uint64_t timeout_ns) {
    Device& device = object<Device>(device_pointer);
    return guarded(device.host, "device_synchronize", [&]() -> qiao_status { return synchronize(device, timeout_ns); });
}

static qiao_status vulkan_device_state(void* device_pointer, qiao_plugin_device_state* out_state, char* reason,
                                       size_t reason_size) {
    Device& device = object<Device>(device_pointer);
    uint64_t value = 0;
    const VkResult result =
        device.vk.vkGetSemaphoreCounterValue(device.device, device.immediate->timeline->semaphore, &value);
    if (result == VK_ERROR_DEVICE_LOST) lose_device(device, result_name(result));
    const bool lost = device.lost.load();
    *out_state = lost ? QIAO_PLUGIN_DEVICE_STATE_LOST : QIAO_PLUGIN_DEVICE_STATE_OK;
    plugin::copy_text(reason, reason_size, lost ? "its driver reported VK_ERROR_DEVICE_LOST" : "");
    return QIAO_OK;
}

static qiao_status vulkan_device_clock(void* device_pointer, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    Device& device = object<Device>(device_pointer);
    return guarded(device.host, "device_clock", [&]() -> qiao_status {
        return device.calibrated ? read_calibrated(device, out_device_ns, out_host_ns)
                                 : read_bracketed(device, out_device_ns, out_host_ns);
    });
}

const qiao_plugin_device_ops vulkan_device_ops = {
    sizeof(qiao_plugin_device_ops),
    vulkan_device_count,
    vulkan_device_query,
    vulkan_device_open,
    vulkan_device_close,
    vulkan_device_synchronize,
    vulkan_device_state,
    nullptr, // device_reset: Vulkan has none
    nullptr, // device_memory_free: only an extension tells
    vulkan_device_clock,
    vulkan_device_native,
};

} // namespace qiao::vulkan
