// What a physical device says of itself; what Vulkan does not tell stays zero. Opens nothing.
#include <algorithm>
#include <bit>
#include <thread>

#include "device.h"
#include "quirks.h"

namespace qiao::vulkan {

FeatureChain::FeatureChain() {
    v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    core.pNext = &v11;
    v11.pNext = &v12;
}

FeatureChain& FeatureChain::operator=(const FeatureChain& other) {
    core.features = other.core.features;
    v11 = other.v11;
    v12 = other.v12;
    v11.pNext = &v12;
    v12.pNext = nullptr;
    return *this;
}

bool DeviceRecord::has(const char* extension) const {
    return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

bool DeviceRecord::host_reaches_device() const {
    constexpr VkMemoryPropertyFlags wanted = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
                                             VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    return (type_flags(device_type) & wanted) == wanted && (quirks & kNeverReadMapped) == 0;
}

namespace {

std::string version_text(uint32_t version) {
    return text(VK_API_VERSION_MAJOR(version), ".", VK_API_VERSION_MINOR(version), ".", VK_API_VERSION_PATCH(version));
}

void ask_extensions(const InstanceSymbols& vk, DeviceRecord& record) {
    uint32_t count = 0;
    if (vk.vkEnumerateDeviceExtensionProperties(record.physical, nullptr, &count, nullptr) != VK_SUCCESS) return;
    std::vector<VkExtensionProperties> extensions(count);
    if (vk.vkEnumerateDeviceExtensionProperties(record.physical, nullptr, &count, extensions.data()) != VK_SUCCESS) return;
    for (const VkExtensionProperties& extension : extensions)
        record.extensions.emplace_back(extension.extensionName);
}

/* A family that only computes is a card's own path around its graphics; else the first that computes. */
void choose_family(const InstanceSymbols& vk, DeviceRecord& record) {
    uint32_t count = 0;
    vk.vkGetPhysicalDeviceQueueFamilyProperties2(record.physical, &count, nullptr);
    std::vector<VkQueueFamilyProperties2> families(count);
    for (VkQueueFamilyProperties2& family : families)
        family.sType = VK_STRUCTURE_TYPE_QUEUE_FAMILY_PROPERTIES_2;
    vk.vkGetPhysicalDeviceQueueFamilyProperties2(record.physical, &count, families.data());
    for (const bool graphics : {false, true}) {
        for (uint32_t i = 0; i < count && record.family_queues == 0; ++i) {
            const VkQueueFamilyProperties& family = families[i].queueFamilyProperties;
            if ((family.queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) continue;
            if (((family.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0) != graphics) continue;
            record.family = i;
            record.family_queues = family.queueCount;
            record.timestamp_bits = family.timestampValidBits;
        }
    }
}

/* The type with all of `required` and most of `liked`; UINT32_MAX if there is none. Earlier types are faster. */
uint32_t choose_type(const DeviceRecord& record, VkMemoryPropertyFlags required, VkMemoryPropertyFlags liked,
                     VkMemoryPropertyFlags disliked) {
    uint32_t best = UINT32_MAX;
    int best_points = 0;
    for (uint32_t i = 0; i < record.memory.memoryTypeCount; ++i) {
        const VkMemoryPropertyFlags flags = record.type_flags(i);
        constexpr VkMemoryPropertyFlags never = VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
                                                VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD;
        if ((flags & required) != required || (flags & never) != 0) continue;
        const int points = 64 + 8 * std::popcount(flags & liked) - std::popcount(flags & disliked);
        if (points <= best_points) continue;
        best = i;
        best_points = points;
    }
    return best;
}

void choose_memory(DeviceRecord& record) {
    constexpr VkMemoryPropertyFlags device = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    constexpr VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    constexpr VkMemoryPropertyFlags cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    // Where all memory is one, the host reaches it; a window onto a card's memory is slow to read and is not wanted.
    record.device_type = choose_type(record, device, cached, host);
    record.host_type = choose_type(record, host, cached, device);
    record.staging_type = record.host_type;
    if (record.device_type == UINT32_MAX) record.device_type = choose_type(record, 0, 0, host);
}

void describe_limits(const DeviceRecord& record, qiao_plugin_device_info& info) {
    const VkPhysicalDeviceLimits& limits = record.properties.limits;
    info.max_group_size = limits.maxComputeWorkGroupInvocations;
    info.local_memory_bytes = limits.maxComputeSharedMemorySize;
    info.max_argument_bytes = std::min<uint32_t>(limits.maxUniformBufferRange, QIAO_MAX_ARGUMENT_BYTES);
    for (int i = 0; i < 3; ++i) {
        info.max_group[i] = limits.maxComputeWorkGroupSize[i];
        info.max_group_count[i] = limits.maxComputeWorkGroupCount[i];
    }
    for (uint32_t i = 0; i < record.memory.memoryHeapCount; ++i)
        if ((record.memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0)
            info.memory_bytes += record.memory.memoryHeaps[i].size;
    info.queue_priorities = 1;
    info.address_bits = 64;
}

// What Vulkan itself does not tell, vendors' extensions do; 0 = unknown. A CPU runs kernels on its processors.
uint32_t compute_units_of(const InstanceSymbols& vk, const DeviceRecord& record) {
    if (record.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU) return std::max(1u, std::thread::hardware_concurrency());
    VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nvidia = {};
    nvidia.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV;
    VkPhysicalDeviceShaderCorePropertiesAMD amd = {};
    amd.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD;
    VkPhysicalDeviceProperties2 properties = {};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    if (record.has(VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME))
        properties.pNext = &nvidia;
    else if (record.has(VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME))
        properties.pNext = &amd;
    else
        return 0;
    vk.vkGetPhysicalDeviceProperties2(record.physical, &properties);
    return nvidia.shaderSMCount + amd.shaderEngineCount * amd.shaderArraysPerEngineCount * amd.computeUnitsPerShaderArray;
}

void describe_identity(const DeviceRecord& record, const VkPhysicalDeviceIDProperties& id,
                       const VkPhysicalDevicePCIBusInfoPropertiesEXT& pci, qiao_plugin_device_info& info) {
    std::memcpy(info.uuid, id.deviceUUID, sizeof info.uuid);
    const bool cpu = record.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    if (!cpu && record.properties.vendorID <= 0xffff) { // larger numbers are Khronos's, not PCI's
        info.pci_vendor_id = record.properties.vendorID;
        info.pci_device_id = record.properties.deviceID;
    }
    if (!record.has(VK_EXT_PCI_BUS_INFO_EXTENSION_NAME)) return;
    info.pci_domain = pci.pciDomain;
    info.pci_bus = pci.pciBus;
    info.pci_device = pci.pciDevice;
    info.pci_function = pci.pciFunction;
}

qiao_features features_of(const DeviceRecord& record) {
    qiao_features features = 0;
    if (record.features.core.features.shaderFloat64) features |= QIAO_FEATURE_FP64;
    if (record.features.v12.shaderFloat16) features |= QIAO_FEATURE_FP16;
    if (record.features.core.features.shaderInt64) features |= QIAO_FEATURE_INT64;
    if (record.features.v12.shaderBufferInt64Atomics) features |= QIAO_FEATURE_INT64_ATOMICS;
    if (record.features.v12.bufferDeviceAddress) features |= QIAO_FEATURE_ADDRESSES;
    return features;
}

std::string why_unusable(const DeviceRecord& record) {
    if (record.properties.apiVersion < VK_API_VERSION_1_2)
        return text("its driver speaks Vulkan ", version_text(record.properties.apiVersion), ", 1.2 is needed");
    if (!record.features.v12.bufferDeviceAddress) return "its driver has no buffer device addresses";
    if (!record.features.v12.timelineSemaphore) return "its driver has no timeline semaphores";
    if (!record.features.core.features.shaderInt64) return "its driver has no 64-bit integers, which addresses are";
    if (record.device_type == UINT32_MAX || record.host_type == UINT32_MAX)
        return "its driver lists no memory that the host can write";
    return "";
}

const char* kind_text(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return "the host's CPU";
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return "an integrated GPU";
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return "a GPU";
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return "a virtual GPU";
        default:
            return "an accelerator";
    }
}

std::string cache_name_of(const VkPhysicalDeviceProperties& properties) {
    std::string name = text("vulkan-", properties.vendorID, "-", properties.deviceID, "-", properties.driverVersion, "-");
    for (const uint8_t byte : properties.pipelineCacheUUID) {
        name += "0123456789abcdef"[byte >> 4];
        name += "0123456789abcdef"[byte & 15];
    }
    return name + ".pipelines";
}

} // namespace

void describe_device(Plugin& plugin, DeviceRecord& record) {
    const InstanceSymbols& vk = plugin.vk;
    ask_extensions(vk, record);
    vk.vkGetPhysicalDeviceProperties(record.physical, &record.properties);
    VkPhysicalDevicePCIBusInfoPropertiesEXT pci = {};
    pci.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT;
    VkPhysicalDeviceDriverProperties driver = {};
    driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
    if (record.has(VK_EXT_PCI_BUS_INFO_EXTENSION_NAME)) driver.pNext = &pci;
    VkPhysicalDeviceMaintenance3Properties sizes = {};
    sizes.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
    sizes.pNext = record.properties.apiVersion >= VK_API_VERSION_1_2 ? static_cast<void*>(&driver) : driver.pNext;
    VkPhysicalDeviceSubgroupProperties subgroups = {};
    subgroups.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES;
    subgroups.pNext = &sizes;
    VkPhysicalDeviceIDProperties id = {};
    id.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
    id.pNext = &subgroups;
    VkPhysicalDeviceProperties2 properties = {};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    properties.pNext = &id;
    vk.vkGetPhysicalDeviceProperties2(record.physical, &properties);
    if (record.properties.apiVersion >= VK_API_VERSION_1_2) vk.vkGetPhysicalDeviceFeatures2(record.physical, &record.features.core);
    VkPhysicalDeviceMemoryProperties2 memory = {};
    memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
    vk.vkGetPhysicalDeviceMemoryProperties2(record.physical, &memory);
    record.memory = memory.memoryProperties;
    choose_family(vk, record);
    choose_memory(record);
    record.unusable = why_unusable(record);
    record.cache_name = cache_name_of(record.properties);

    const Vendor* vendor = find_vendor(record.properties.vendorID);
    if (vendor != nullptr) record.quirks = vendor->quirks;
    qiao_plugin_device_info& info = record.info;
    info.struct_size = sizeof info;
    info.flags = QIAO_PLUGIN_DEVICE_FREE_THREADED;
    const VkPhysicalDeviceType type = record.properties.deviceType;
    if (type == VK_PHYSICAL_DEVICE_TYPE_CPU || type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU)
        info.flags |= QIAO_PLUGIN_DEVICE_UNIFIED;
    info.roles = QIAO_PLUGIN_ROLE_COMPUTE | QIAO_PLUGIN_ROLE_DISCOVERY;
    plugin::copy_text(info.name, record.properties.deviceName);
    plugin::copy_text(info.vendor, vendor != nullptr ? std::string(vendor->name) : text("vendor ", record.properties.vendorID));
    plugin::copy_text(info.driver, text(driver.driverName, driver.driverName[0] != '\0' ? " " : "", driver.driverInfo,
                                        ", Vulkan ", version_text(record.properties.apiVersion)));
    plugin::copy_text(info.target, record.properties.deviceName);
    describe_identity(record, id, pci, info);
    describe_limits(record, info);
    info.compute_units = compute_units_of(vk, record);
    info.max_allocation_bytes = sizes.maxMemoryAllocationSize;
    info.subgroup_width = subgroups.subgroupSize;
    info.preferred_group_multiple = subgroups.subgroupSize;
    info.features = features_of(record);
    info.formats = "spirv-vulkan";
    if (record.unusable.empty()) {
        info.memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE | 1u << QIAO_MEMORY_KIND_HOST;
        info.tables = record.host_reaches_device() ? &vulkan_mapped_tables : &vulkan_tables;
    }
    std::string note = kind_text(type);
    if (!record.unusable.empty()) note += "; cannot be opened: " + record.unusable;
    if (vendor != nullptr && vendor->note[0] != '\0') note += text("; ", vendor->note);
    plugin::copy_text(info.note, note);
}

} // namespace qiao::vulkan
