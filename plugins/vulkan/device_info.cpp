// What a physical device says of itself; what Vulkan does not tell stays zero. Opens nothing.
#include <algorithm>
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
    return types.host_reaches_device && (quirks & kNeverReadMapped) == 0;
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

void ask_families(const InstanceSymbols& vk, DeviceRecord& record) {
    uint32_t count = 0;
    vk.vkGetPhysicalDeviceQueueFamilyProperties2(record.physical, &count, nullptr);
    std::vector<VkQueueFamilyProperties2> families(count);
    for (VkQueueFamilyProperties2& family : families)
        family.sType = VK_STRUCTURE_TYPE_QUEUE_FAMILY_PROPERTIES_2;
    vk.vkGetPhysicalDeviceQueueFamilyProperties2(record.physical, &count, families.data());
    std::vector<VkQueueFamilyProperties> plain;
    for (const VkQueueFamilyProperties2& family : families)
        plain.push_back(family.queueFamilyProperties);
    record.families = choose_families(plain);
}

void describe_limits(const DeviceRecord& record, qiao_plugin_device_info& info) {
    const VkPhysicalDeviceLimits& limits = record.properties.limits;
    info.max_group_size = limits.maxComputeWorkGroupInvocations;
    info.local_memory_bytes = limits.maxComputeSharedMemorySize;
    info.max_argument_bytes = std::min<uint32_t>(limits.maxUniformBufferRange, QIAO_MAX_ARGUMENT_BYTES);
    for (int i = 0; i < 3; ++i) {
        info.max_group[i] = limits.maxComputeWorkGroupSize[i];
        info.max_group_count[i] = UINT32_MAX; // what the device does not take is folded: fold.h
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
    qiao_features features = QIAO_FEATURE_PRINTF;
    if (record.features.core.features.shaderFloat64) features |= QIAO_FEATURE_FP64;
    if (record.features.v12.shaderFloat16) features |= QIAO_FEATURE_FP16;
    if (record.features.core.features.shaderInt64) features |= QIAO_FEATURE_INT64;
    if (record.features.v12.shaderBufferInt64Atomics) features |= QIAO_FEATURE_INT64_ATOMICS;
    if (record.features.v12.bufferDeviceAddress && !record.table) features |= QIAO_FEATURE_ADDRESSES;
    return features;
}

std::string why_unusable(const DeviceRecord& record, AddressMode mode) {
    if (record.properties.apiVersion < VK_API_VERSION_1_2)
        return text("its driver speaks Vulkan ", version_text(record.properties.apiVersion), ", 1.2 is needed");
    if (mode == AddressMode::kNative && !record.features.v12.bufferDeviceAddress)
        return "its driver has no buffer device addresses, and QIAO_VULKAN_ADDRESSES is native";
    if (!record.features.v12.timelineSemaphore) return "its driver has no timeline semaphores";
    if (!record.features.core.features.shaderInt64) return "its driver has no 64-bit integers, which addresses and offsets are";
    if (record.types.device == UINT32_MAX || record.types.host == UINT32_MAX)
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
    ask_families(vk, record);
    record.types = choose_memory_types(record.memory);
    record.table = plugin.mode == AddressMode::kTable ||
                   (plugin.mode == AddressMode::kAuto && !record.features.v12.bufferDeviceAddress);
    record.unusable = why_unusable(record, plugin.mode);
    record.cache_name = cache_name_of(record.properties);

    const Vendor* vendor = find_vendor(record.properties.vendorID);
    if (vendor != nullptr) record.quirks = vendor->quirks;
    qiao_plugin_device_info& info = record.info;
    info.struct_size = sizeof info;
    info.flags = QIAO_PLUGIN_DEVICE_FREE_THREADED | (record.table ? QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED : 0);
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
    if (record.table) // what a kernel is given is bound as a whole
        info.max_allocation_bytes =
            std::min<uint64_t>(info.max_allocation_bytes, record.properties.limits.maxStorageBufferRange);
    info.subgroup_width = subgroups.subgroupSize;
    info.preferred_group_multiple = subgroups.subgroupSize;
    info.features = features_of(record);
    info.formats = record.table ? "spirv-vulkan+offset" : "spirv-vulkan;spirv-vulkan+offset";
    if (record.unusable.empty()) {
        // No memory_levels: a mapping's pointer need not be the buffer's address, and the host sees writes only behind a
        // fence or a semaphore.
        info.memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE | 1u << QIAO_MEMORY_KIND_HOST;
        info.tables = record.host_reaches_device() ? &vulkan_mapped_tables : &vulkan_tables;
        describe_sharing(vk, record, id.driverUUID);
    }
    std::string note = kind_text(type);
    if (!record.unusable.empty()) note += "; cannot be opened: " + record.unusable;
    if (vendor != nullptr && vendor->note[0] != '\0') note += text("; ", vendor->note);
    plugin::copy_text(info.note, note);
}

} // namespace qiao::vulkan
