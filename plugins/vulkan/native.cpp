// Vulkan's own objects, given to applications, and buffers taken from them. What is taken stays the application's.
#include "queue.h"

namespace qiao::vulkan {

qiao_status vulkan_device_native(void* device_pointer, qiao_native* out_native) {
    const Device& device = object<Device>(device_pointer);
    *out_native = {QIAO_NATIVE_TYPE_VULKAN_DEVICE,
                   0,
                   {number_of(device.device), number_of(device.record->physical), number_of(device.plugin->instance),
                    device.record->families.compute.index}};
    return QIAO_OK;
}

qiao_status vulkan_queue_native(void* queue_pointer, qiao_native* out_native) {
    const Queue& queue = object<Queue>(queue_pointer);
    *out_native = {QIAO_NATIVE_TYPE_VULKAN_QUEUE,
                   0,
                   {number_of(queue.lane->queue), number_of(queue.timeline->semaphore), queue.lane->family, 0}};
    return QIAO_OK;
}

qiao_status vulkan_memory_native(void*, void* allocation_pointer, qiao_native* out_native) {
    const Allocation& allocation = object<Allocation>(allocation_pointer);
    *out_native = {QIAO_NATIVE_TYPE_VULKAN_BUFFER,
                   0,
                   {number_of(allocation.buffer.buffer), allocation.offset, number_of(allocation.buffer.memory), 0}};
    return QIAO_OK;
}

qiao_status vulkan_memory_wrap(void* device_pointer, const qiao_plugin_memory_desc* desc, const qiao_native* native,
                               qiao_plugin_allocation* out_allocation) {
    Device& device = object<Device>(device_pointer);
    return guarded(device.host, "memory_wrap", [&]() -> qiao_status {
        if (native->type != QIAO_NATIVE_TYPE_VULKAN_BUFFER)
            return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                     .message = text("a native handle of type ", native->type, " is no memory of ",
                                                     device.record->info.name, ", which is ", QIAO_NATIVE_TYPE_VULKAN_BUFFER),
                                     .remedy = "give a VkBuffer of the device of qiao_device_get_native"});
        if (desc->kind != QIAO_MEMORY_KIND_DEVICE)
            return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                     .message = "a VkBuffer does not tell where the host sees it",
                                     .remedy = "wrap it as device memory"});
        auto allocation = std::make_unique<Allocation>();
        allocation->buffer.buffer = reinterpret_cast<VkBuffer>(native->handles[0]);
        allocation->offset = native->handles[1];
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        allocation->owned = false;
        if (!device.record->table) {
            const VkBufferDeviceAddressInfo where = {VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, nullptr,
                                                     allocation->buffer.buffer};
            allocation->buffer.address = device.vk.vkGetBufferDeviceAddress(device.device, &where);
            allocation->address = allocation->buffer.address + allocation->offset;
            device.allocations.add(allocation->address, desc->size_bytes, allocation.get());
        }
        out_allocation->address = allocation->address;
        out_allocation->host_pointer = nullptr;
        out_allocation->size_bytes = desc->size_bytes;
        out_allocation->allocation = allocation.release();
        return QIAO_OK;
    });
}

} // namespace qiao::vulkan
