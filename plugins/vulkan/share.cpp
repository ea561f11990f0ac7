// Sharing: host memory used where it lies (VK_EXT_external_memory_host), and device memory handed to other processes that use the
// same driver (VK_KHR_external_memory_fd). dma-bufs are left out: no driver at hand has them to be tried with.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

namespace qiao::vulkan {
namespace {

constexpr auto kHostMemory = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
constexpr auto kOpaque = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;

// Whether buffers like ours can have such memory, without one being made for the other alone.
bool can_share(const InstanceSymbols& vk, const DeviceRecord& record, VkExternalMemoryHandleTypeFlagBits type,
               VkExternalMemoryFeatureFlags wanted) {
    VkPhysicalDeviceExternalBufferInfo buffer = {};
    buffer.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO;
    buffer.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                   (record.table ? 0 : VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT);
    buffer.handleType = type;
    VkExternalBufferProperties properties = {};
    properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES;
    vk.vkGetPhysicalDeviceExternalBufferProperties(record.physical, &buffer, &properties);
    const VkExternalMemoryFeatureFlags has = properties.externalMemoryProperties.externalMemoryFeatures;
    return (has & wanted) == wanted && (has & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) == 0;
}

uint64_t host_pointer_alignment(const InstanceSymbols& vk, const DeviceRecord& record) {
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {};
    host.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
    VkPhysicalDeviceProperties2 properties = {};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    properties.pNext = &host;
    vk.vkGetPhysicalDeviceProperties2(record.physical, &properties);
    return host.minImportedHostPointerAlignment;
}

qiao_status import_failed(Device& device, const qiao_plugin_memory_desc& desc, VkResult result, const char* what) {
    if (result == VK_ERROR_DEVICE_LOST) return device_failed(device, result, "an import");
    Failure failure = failure_of(result, text(device.record->info.name, " could not import ", desc.size_bytes, " bytes of ", what));
    // Which the driver can find out only by trying.
    if (result == VK_ERROR_INVALID_EXTERNAL_HANDLE || result == VK_ERROR_FEATURE_NOT_PRESENT) {
        failure.status = QIAO_ERROR_INVALID_ARGUMENT;
        failure.remedy = "give a handle and its descriptor as the export gave them";
    }
    return device.host.fail(failure);
}

// ---------------------------------------------------------------------------------------------- host pointers

constexpr uint32_t kNoType = UINT32_MAX;

// A type of memory as which the driver takes the pointer, and that the host and the device see in the same way.
uint32_t type_for_pointer(Device& device, const void* pointer) {
    VkMemoryHostPointerPropertiesEXT properties = {};
    properties.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
    if (device.vk.vkGetMemoryHostPointerPropertiesEXT(device.device, kHostMemory, pointer, &properties) != VK_SUCCESS) return kNoType;
    constexpr VkMemoryPropertyFlags wanted = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    for (uint32_t type = 0; type < device.record->memory.memoryTypeCount; ++type)
        if ((properties.memoryTypeBits >> type & 1) != 0 && (device.record->type_flags(type) & wanted) == wanted) return type;
    return kNoType;
}

qiao_status import_pointer(Device& device, const qiao_plugin_memory_desc& desc, void* pointer, Allocation& allocation) {
    const uint32_t type = type_for_pointer(device, pointer);
    if (type == kNoType)
        return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                 .message = text(device.record->info.name, " does not take this host memory"),
                                 .remedy = "copy it (qiao_queue_copy); files and other devices' memory are not taken by all drivers"});
    const uint64_t alignment = device.record->host_pointer_alignment;
    VkImportMemoryHostPointerInfoEXT request = {};
    request.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;
    request.handleType = kHostMemory;
    request.pHostPointer = pointer;
    const uint64_t memory_bytes = (desc.size_bytes + alignment - 1) & ~(alignment - 1);
    const ExternalMemory external = {kHostMemory, &request, memory_bytes, static_cast<char*>(pointer)};
    const VkResult result = create_buffer(device, desc.size_bytes, type, usage_of(device), &allocation.buffer, &external);
    return result == VK_SUCCESS ? static_cast<qiao_status>(QIAO_OK) : import_failed(device, desc, result, "host memory");
}

// ---------------------------------------------------------------------------------------------- descriptors

// What goes with an exported descriptor.
enum DriverData { kMemoryBytes, kMemoryType, kOffset };

bool is_same_file(int descriptor, const struct stat& as) {
    struct stat status = {};
    return fstat(descriptor, &status) == 0 && status.st_dev == as.st_dev && status.st_ino == as.st_ino;
}

// The driver takes over what it imports. If it fails it does not, but lavapipe 22.3.6 has closed it all the same.
class GivenDescriptor {
  public:
    explicit GivenDescriptor(int descriptor) : number_(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) {
        if (number_ >= 0 && fstat(number_, &file_) != 0) file_ = {};
    }
    ~GivenDescriptor() {
        if (number_ >= 0 && is_same_file(number_, file_)) close(number_);
    }
    GivenDescriptor(const GivenDescriptor&) = delete;
    GivenDescriptor& operator=(const GivenDescriptor&) = delete;
    int number() const { return number_; }
    void taken() { number_ = -1; }

  private:
    int number_;
    struct stat file_ = {};
};

qiao_status import_descriptor(Device& device, const qiao_plugin_memory_desc& desc, const qiao_plugin_import& import, Allocation& allocation) {
    const uint64_t memory_bytes = import.driver_data[kMemoryBytes], type = import.driver_data[kMemoryType],
                   offset = import.driver_data[kOffset];
    if (type >= device.record->memory.memoryTypeCount || offset > memory_bytes || desc.size_bytes > memory_bytes - offset)
        return device.host.fail({.status = QIAO_ERROR_INVALID_ARGUMENT,
                                 .message = text("the handle says ", desc.size_bytes, " bytes from byte ", offset, " of ", memory_bytes,
                                                 " of memory of type ", type, ", and ", device.record->info.name, " has ",
                                                 device.record->memory.memoryTypeCount, " types"),
                                 .remedy = "give a handle as the export gave it"});
    GivenDescriptor descriptor(import.descriptor);
    if (descriptor.number() < 0)
        return device.host.fail({.status = QIAO_ERROR_OUT_OF_MEMORY,
                                 .message = "the descriptor cannot be duplicated",
                                 .remedy = "close files, or raise the process's limit of open files (ulimit -n)"});
    VkImportMemoryFdInfoKHR request = {};
    request.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR;
    request.handleType = kOpaque;
    request.fd = descriptor.number();
    const ExternalMemory external = {kOpaque, &request, memory_bytes};
    const VkResult result =
        create_buffer(device, desc.size_bytes + offset, static_cast<uint32_t>(type), usage_of(device), &allocation.buffer, &external);
    if (result != VK_SUCCESS) return import_failed(device, desc, result, "device memory");
    descriptor.taken();
    allocation.offset = offset;
    return QIAO_OK;
}

} // namespace

void describe_sharing(const InstanceSymbols& vk, DeviceRecord& record, const uint8_t (&driver_uuid)[VK_UUID_SIZE]) {
    qiao_plugin_device_info& info = record.info;
    std::memcpy(info.driver_uuid, driver_uuid, sizeof info.driver_uuid);
    if (record.has(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME) && can_share(vk, record, kHostMemory, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT)) {
        record.host_pointer_alignment = host_pointer_alignment(vk, record);
        info.import_types |= 1u << QIAO_SHARE_TYPE_HOST_POINTER;
        info.import_alignment = record.host_pointer_alignment;
    }
    record.opaque_descriptors =
        record.has(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME) &&
        can_share(vk, record, kOpaque, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT);
    if (!record.opaque_descriptors) return;
    info.import_types |= 1u << QIAO_SHARE_TYPE_OPAQUE_FD;
    info.export_types |= 1u << QIAO_SHARE_TYPE_OPAQUE_FD;
}

void add_sharing_extensions(const DeviceRecord& record, std::vector<const char*>& extensions) {
    if (record.host_pointer_alignment != 0) extensions.push_back(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    if (record.opaque_descriptors) extensions.push_back(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME);
}

qiao_status vulkan_memory_import(void* device_pointer, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import,
                                 qiao_plugin_allocation* out_allocation) {
    Device& device = object<Device>(device_pointer);
    return guarded(device.host, "memory_import", [&]() -> qiao_status {
        auto allocation = std::make_unique<Allocation>();
        const bool is_pointer = import->type == QIAO_SHARE_TYPE_HOST_POINTER;
        const qiao_status status = is_pointer ? import_pointer(device, *desc, import->host_pointer, *allocation)
                                              : import_descriptor(device, *desc, *import, *allocation);
        if (status != QIAO_OK) return status;
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        allocation->host_copies = is_pointer || device.record->host_reaches_device();
        hand_out(device, std::move(allocation), out_allocation);
        return QIAO_OK;
    });
}

qiao_status vulkan_memory_export(void* device_pointer, void* allocation_pointer, qiao_share_type, qiao_plugin_export* out_export) {
    Device& device = object<Device>(device_pointer);
    const Allocation& allocation = object<Allocation>(allocation_pointer);
    return guarded(device.host, "memory_export", [&]() -> qiao_status {
        VkMemoryGetFdInfoKHR request = {};
        request.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR;
        request.memory = allocation.buffer.memory;
        request.handleType = kOpaque;
        const VkResult result = device.vk.vkGetMemoryFdKHR(device.device, &request, &out_export->descriptor);
        if (result != VK_SUCCESS) return device_failed(device, result, "an export of memory");
        out_export->driver_data[kMemoryBytes] = allocation.buffer.memory_bytes;
        out_export->driver_data[kMemoryType] = device.record->types.device;
        out_export->driver_data[kOffset] = allocation.offset;
        return QIAO_OK;
    });
}

} // namespace qiao::vulkan
