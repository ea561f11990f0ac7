// The vendor's own objects behind ours, and ours over the application's. Which family's they are the device's id says.
#include "memory.h"
#include "queue.h"

namespace qiao::cuda {
namespace {

uint64_t number(const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

qiao_status check_type(const Device& device, const qiao_native& native, qiao_native_type type, const char* what) {
    if (native.type == type) return QIAO_OK;
    return device.driver->host().fail({.status = QIAO_ERROR_UNSUPPORTED,
                                       .message = text("a native handle of type 0x%x is no %s of %s, which is 0x%x", native.type, what, device.record->info.name, type)});
}

} // namespace

qiao_status cuda_device_native(void* device_pointer, qiao_native* out_native) {
    const Device& device = *static_cast<Device*>(device_pointer);
    *out_native = {QIAO_NATIVE_TYPE_CUDA_DEVICE,
                   0,
                   {number(device.driver->library()), number(device.context.handle), device.record->handle, static_cast<uint64_t>(device.context.ordinal)}};
    return QIAO_OK;
}

qiao_status cuda_memory_native(void*, void* allocation_pointer, qiao_native* out_native) {
    const auto& allocation = *static_cast<const Allocation*>(allocation_pointer);
    *out_native = {QIAO_NATIVE_TYPE_CUDA_MEMORY, 0, {allocation.address, number(allocation.host), 0, 0}};
    return QIAO_OK;
}

qiao_status cuda_memory_wrap(void* device_pointer, const qiao_plugin_memory_desc* desc, const qiao_native* native, qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return plugin::guarded(device.driver->host(), "memory_wrap", [&]() -> qiao_status {
        if (const qiao_status status = check_type(device, *native, QIAO_NATIVE_TYPE_CUDA_MEMORY, "memory"); status != QIAO_OK) return status;
        if (native->handles[0] == 0)
            return device.driver->host().fail({.status = QIAO_ERROR_INVALID_ARGUMENT, .message = "the native address is 0", .remedy = "give the address of memory on the device"});
        auto allocation = std::make_unique<Allocation>();
        allocation->origin = Allocation::Origin::kApplication;
        allocation->address = allocation->base = native->handles[0];
        allocation->host = desc->kind == QIAO_MEMORY_KIND_DEVICE ? nullptr : reinterpret_cast<char*>(static_cast<uintptr_t>(native->handles[1]));
        allocation->size_bytes = desc->size_bytes;
        if (desc->kind != QIAO_MEMORY_KIND_DEVICE && allocation->host == nullptr)
            return device.driver->host().fail({.status = QIAO_ERROR_INVALID_ARGUMENT,
                                               .message = "memory of a kind that the host reaches needs its host pointer, the second handle; it is 0",
                                               .remedy = "give the host pointer, or wrap it as device memory"});
        out_allocation->address = allocation->address;
        out_allocation->host_pointer = allocation->host;
        out_allocation->size_bytes = desc->size_bytes;
        out_allocation->allocation = allocation.release();
        return QIAO_OK;
    });
}

qiao_status cuda_queue_native(void* queue_pointer, qiao_native* out_native) {
    const Queue& queue = *static_cast<Queue*>(queue_pointer);
    *out_native = {QIAO_NATIVE_TYPE_CUDA_STREAM, 0, {number(queue.stream), 0, 0, 0}};
    return QIAO_OK;
}

qiao_status cuda_queue_wrap(void* device_pointer, const qiao_plugin_queue_desc* desc, const qiao_native* native, void** out_queue) {
    Device& device = *static_cast<Device*>(device_pointer);
    return plugin::guarded(device.driver->host(), "queue_wrap", [&]() -> qiao_status {
        if (const qiao_status status = check_type(device, *native, QIAO_NATIVE_TYPE_CUDA_STREAM, "queue"); status != QIAO_OK) return status;
        const Current current(device);
        return make_queue(device, reinterpret_cast<void*>(static_cast<uintptr_t>(native->handles[0])), false, *desc, out_queue);
    });
}

} // namespace qiao::cuda
