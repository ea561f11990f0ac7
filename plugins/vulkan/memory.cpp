// Memory: allocations with native addresses, and blocking copies. Where the host reaches device memory it copies itself;
// elsewhere bytes go through a staging buffer, on a queue that only copies if there is one.
#include "memory.h"

#include <algorithm>

#include "queue.h"

namespace qiao::vulkan {

VkResult create_buffer(Device& device, uint64_t size_bytes, uint32_t memory_type, VkBufferUsageFlags usage, Buffer* out,
                       const ExternalMemory* external) {
    const DeviceSymbols& vk = device.vk;
    Buffer made;
    VkExternalMemoryBufferCreateInfo external_info = {};
    external_info.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
    external_info.handleTypes = external != nullptr ? external->type : 0;
    VkBufferCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.pNext = external != nullptr ? &external_info : nullptr;
    info.size = size_bytes;
    info.usage = usage;
    const uint32_t families[] = {device.record->families.compute.index, device.record->families.transfer.index};
    if (device.copies.queue != VK_NULL_HANDLE) { // both touch it, without handing it over each time
        info.sharingMode = VK_SHARING_MODE_CONCURRENT;
        info.queueFamilyIndexCount = 2;
        info.pQueueFamilyIndices = families;
    }
    VkResult result = vk.vkCreateBuffer(device.device, &info, nullptr, &made.buffer);
    if (result != VK_SUCCESS) return result;
    VkMemoryRequirements requirements;
    vk.vkGetBufferMemoryRequirements(device.device, made.buffer, &requirements);
    const bool addressed = (usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) != 0;
    VkMemoryAllocateFlagsInfo flags = {};
    flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
    flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
    flags.pNext = external != nullptr ? external->request : nullptr;
    made.memory_bytes = external != nullptr && external->memory_bytes != 0 ? external->memory_bytes : requirements.size;
    VkMemoryAllocateInfo allocate = {};
    allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    allocate.pNext = addressed ? &flags : flags.pNext;
    allocate.allocationSize = made.memory_bytes;
    allocate.memoryTypeIndex = memory_type;
    result = (requirements.memoryTypeBits >> memory_type & 1) != 0 && requirements.size <= made.memory_bytes
                 ? vk.vkAllocateMemory(device.device, &allocate, nullptr, &made.memory)
                 : VK_ERROR_FEATURE_NOT_PRESENT;
    if (result == VK_SUCCESS) result = vk.vkBindBufferMemory(device.device, made.buffer, made.memory, 0);
    constexpr VkMemoryPropertyFlags visible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    void* mapped = external != nullptr ? external->mapped : nullptr;
    if (result == VK_SUCCESS && mapped == nullptr && (device.record->type_flags(memory_type) & visible) == visible)
        result = vk.vkMapMemory(device.device, made.memory, 0, VK_WHOLE_SIZE, 0, &mapped);
    if (result != VK_SUCCESS) {
        destroy_buffer(device, made);
        return result;
    }
    made.mapped = static_cast<char*>(mapped);
    if (addressed) {
        VkBufferDeviceAddressInfo where = {VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, nullptr, made.buffer};
        made.address = vk.vkGetBufferDeviceAddress(device.device, &where);
    }
    *out = made;
    return VK_SUCCESS;
}

void destroy_buffer(Device& device, Buffer& buffer) {
    if (buffer.buffer != VK_NULL_HANDLE) device.vk.vkDestroyBuffer(device.device, buffer.buffer, nullptr);
    if (buffer.memory != VK_NULL_HANDLE) device.vk.vkFreeMemory(device.device, buffer.memory, nullptr);
    buffer = {};
}

namespace {

/* Pieces of at most a staging buffer: `body(staging, done, piece)` fills or empties it around the copy. */
template <typename Body>
qiao_status stage(Device& device, uint64_t size_bytes, Body body) noexcept {
    return guarded(device.host, "memory copy", [&]() -> qiao_status {
        const bool copier = device.copier != nullptr;
        std::lock_guard lock(copier ? device.copier_mutex : device.immediate_mutex);
        Queue& queue = copier ? *device.copier : *device.immediate;
        Buffer* staging = nullptr;
        qiao_status status = staging_of(queue, &staging);
        for (uint64_t done = 0; done < size_bytes && status == QIAO_OK; done += kStagingBytes)
            status = body(queue, *staging, done, std::min<uint64_t>(size_bytes - done, kStagingBytes));
        return status;
    });
}

} // namespace

qiao_status write_staged(Device& device, const Allocation& to, uint64_t offset, const void* from, uint64_t size_bytes) noexcept {
    return stage(device, size_bytes, [&](Queue& queue, Buffer& staging, uint64_t done, uint64_t piece_bytes) {
        std::memcpy(staging.mapped, static_cast<const char*>(from) + done, piece_bytes);
        return copy_and_wait(queue, staging.buffer, to.buffer.buffer, {0, to.offset + offset + done, piece_bytes});
    });
}

qiao_status read_staged(Device& device, const Allocation& from, uint64_t offset, void* to, uint64_t size_bytes) noexcept {
    return stage(device, size_bytes, [&](Queue& queue, Buffer& staging, uint64_t done, uint64_t piece_bytes) {
        const qiao_status status =
            copy_and_wait(queue, from.buffer.buffer, staging.buffer, {from.offset + offset + done, 0, piece_bytes});
        if (status == QIAO_OK) std::memcpy(static_cast<char*>(to) + done, staging.mapped, piece_bytes);
        return status;
    });
}

namespace {

constexpr VkBufferUsageFlags kUsage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                      VK_BUFFER_USAGE_TRANSFER_DST_BIT;

const char* kind_name(qiao_memory_kind kind) {
    return kind == QIAO_MEMORY_KIND_HOST ? "host" : kind == QIAO_MEMORY_KIND_SHARED ? "shared" : "device";
}

uint64_t align_up(uint64_t value, uint64_t alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}

} // namespace

VkBufferUsageFlags usage_of(const Device& device) {
    return device.record->table ? kUsage : kUsage | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
}

void hand_out(Device& device, std::unique_ptr<Allocation> allocation, qiao_plugin_allocation* out_allocation) {
    allocation->address = allocation->buffer.address + allocation->offset;
    out_allocation->address = allocation->address;
    out_allocation->host_pointer = allocation->kind == QIAO_MEMORY_KIND_HOST ? allocation->buffer.mapped + allocation->offset : nullptr;
    if (allocation->host_copies) out_allocation->in_place = allocation->buffer.mapped + allocation->offset;
    out_allocation->size_bytes = allocation->size_bytes;
    if (device.plugin->validation)
        name_object(device, VK_OBJECT_TYPE_BUFFER, number_of(allocation->buffer.buffer),
                    text(kind_name(allocation->kind), " memory of ", allocation->size_bytes, " bytes"));
    if (!device.record->table) device.allocations.add(allocation->address, allocation->size_bytes, allocation.get());
    out_allocation->allocation = allocation.release();
}

// ---------------------------------------------------------------------------------------------- slots

static qiao_status vulkan_memory_allocate(void* device_pointer, const qiao_plugin_memory_desc* desc,
                                          qiao_plugin_allocation* out_allocation) {
    Device& device = object<Device>(device_pointer);
    return guarded(device.host, "memory_allocate", [&]() -> qiao_status {
        const DeviceRecord& record = *device.record;
        if ((record.info.memory_kinds & (1u << desc->kind)) == 0)
            return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                     .message = text(record.info.name, " has no ", kind_name(desc->kind), " memory"),
                                     .remedy = "ask for device or host memory"});
        const bool host_kind = desc->kind == QIAO_MEMORY_KIND_HOST;
        auto allocation = std::make_unique<Allocation>();
        // Drivers align buffers to 256 bytes at most by themselves; more is made by allocating more.
        // Without addresses the core keeps alignments.
        const uint64_t excess = desc->alignment > 16 && !record.table ? desc->alignment : 0;
        VkExportMemoryAllocateInfo to_export = {};
        to_export.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO;
        to_export.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
        const ExternalMemory external = {VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT, &to_export};
        const bool shareable = (desc->flags & QIAO_PLUGIN_MEMORY_SHAREABLE) != 0;
        const VkResult result =
            create_buffer(device, desc->size_bytes + excess, host_kind ? record.types.host : record.types.device, usage_of(device),
                          &allocation->buffer, shareable ? &external : nullptr);
        if (result != VK_SUCCESS) {
            if (result == VK_ERROR_DEVICE_LOST) return device_failed(device, result, "an allocation");
            return device.host.fail(failure_of(
                result,
                text(record.info.name, " could not allocate ", desc->size_bytes, " bytes of ", kind_name(desc->kind),
                     " memory; it has ", record.info.memory_bytes, " in all, at most ", record.info.max_allocation_bytes, " at once"),
                "free memory or ask for less"));
        }
        allocation->offset = align_up(allocation->buffer.address, std::max<uint64_t>(desc->alignment, 1)) - allocation->buffer.address;
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        allocation->host_copies = host_kind || record.host_reaches_device();
        hand_out(device, std::move(allocation), out_allocation);
        return QIAO_OK;
    });
}

static void vulkan_memory_free(void* device_pointer, void* allocation_pointer) {
    Device& device = object<Device>(device_pointer);
    auto* allocation = static_cast<Allocation*>(allocation_pointer);
    if (!device.record->table) device.allocations.remove(allocation->address);
    if (allocation->owned) destroy_buffer(device, allocation->buffer);
    delete allocation;
}

static qiao_status vulkan_memory_write(void* device_pointer, void* allocation_pointer, uint64_t offset, const void* source,
                                       uint64_t size_bytes) {
    const Allocation& allocation = object<Allocation>(allocation_pointer);
    if (!allocation.host_copies)
        return write_staged(object<Device>(device_pointer), allocation, offset, source, size_bytes);
    std::memcpy(allocation.buffer.mapped + allocation.offset + offset, source, size_bytes);
    return QIAO_OK;
}

static qiao_status vulkan_memory_read(void* device_pointer, void* allocation_pointer, uint64_t offset, void* target,
                                      uint64_t size_bytes) {
    const Allocation& allocation = object<Allocation>(allocation_pointer);
    if (!allocation.host_copies)
        return read_staged(object<Device>(device_pointer), allocation, offset, target, size_bytes);
    std::memcpy(target, allocation.buffer.mapped + allocation.offset + offset, size_bytes);
    return QIAO_OK;
}

static qiao_status vulkan_memory_map(void*, void* allocation_pointer, uint64_t offset, uint64_t, uint64_t,
                                     void** out_pointer) {
    const Allocation& allocation = object<Allocation>(allocation_pointer);
    *out_pointer = allocation.buffer.mapped + allocation.offset + offset;
    return QIAO_OK;
}

static qiao_status vulkan_memory_unmap(void*, void*, void*) {
    return QIAO_OK; // mapped as long as it lives, and coherent
}

const qiao_plugin_memory_ops vulkan_memory_ops = {
    sizeof(qiao_plugin_memory_ops), vulkan_memory_allocate, vulkan_memory_free, vulkan_memory_write, vulkan_memory_read,
    nullptr,                        nullptr,                vulkan_memory_native, vulkan_memory_wrap,
    vulkan_memory_import,           vulkan_memory_export,
    nullptr,                        nullptr, // evict, restore: a buffer's address goes with it
};

const qiao_plugin_memory_ops vulkan_mapped_memory_ops = {
    sizeof(qiao_plugin_memory_ops), vulkan_memory_allocate, vulkan_memory_free, vulkan_memory_write, vulkan_memory_read,
    vulkan_memory_map,              vulkan_memory_unmap,    vulkan_memory_native, vulkan_memory_wrap,
    vulkan_memory_import,           vulkan_memory_export,
    nullptr,                        nullptr, // evict, restore: a buffer's address goes with it
};

} // namespace qiao::vulkan
