/* CUDA's driver interface under the prefixes cu, mu and hg: names and signatures as in CUDA's header, the bodies are the core's. */
#include "core/device.h"
#include "core/memory.h"
#include "core/module.h"
#include "core/stream.h"
#include "exports/names.h"
#include "exports/structs.h"

using namespace fakes;
using Address = uint64_t;

extern "C" {

// ---------------------------------------------------------------------------------------------- process, devices, contexts

int FN(Init)(unsigned flags) {
    return answer_with(Needs::kNothing, "Init", init, flags);
}
int FN(DriverGetVersion)(int* version) {
    return answer_with(Needs::kNothing, "DriverGetVersion", driver_version, version);
}
int FN(GetErrorString)(int code, const char** text) {
    return error_word(error_text, code, text);
}
int FN(GetErrorName)(int code, const char** text) {
    return error_word(error_name, code, text);
}
int FN(DeviceGetCount)(int* count) {
    return answer("DeviceGetCount", device_count, count);
}
int FN(DeviceGet)(int* device, int ordinal) {
    return answer("DeviceGet", device_get, device, ordinal);
}
int FN(DeviceGetName)(char* name, int length, int device) {
    return answer("DeviceGetName", device_name, name, length, device);
}
int FN(DeviceTotalMem_v2)(size_t* bytes, int device) {
    return answer("DeviceTotalMem", device_total, bytes, device);
}
int FN(DeviceGetAttribute)(int* value, int attribute, int device) {
    return answer("DeviceGetAttribute", device_attribute, value, attribute, device);
}
int FN(DeviceGetUuid)(unsigned char* uuid, int device) {
    return answer("DeviceGetUuid", device_uuid, uuid, device);
}
int FN(DeviceGetUuid_v2)(unsigned char* uuid, int device) {
    return answer("DeviceGetUuid", device_uuid, uuid, device);
}
int FN(DeviceGetPCIBusId)(char* text, int length, int device) {
    return answer("DeviceGetPCIBusId", device_bus_id, text, length, device);
}
int FN(DeviceCanAccessPeer)(int* can, int device, int peer) {
    return answer("DeviceCanAccessPeer", peer_can, can, device, peer);
}
int FN(DevicePrimaryCtxRetain)(void** context, int device) {
    return answer("DevicePrimaryCtxRetain", context_retain, context, device);
}
int FN(DevicePrimaryCtxRelease_v2)(int device) {
    return answer("DevicePrimaryCtxRelease", context_release, device);
}
int FN(DevicePrimaryCtxReset_v2)(int device) {
    return answer("DevicePrimaryCtxReset", context_reset, device);
}
int FN(CtxSetCurrent)(void* context) {
    return answer("CtxSetCurrent", context_set, context);
}
int FN(CtxGetCurrent)(void** context) {
    return answer("CtxGetCurrent", context_get, context);
}
int FN(CtxPushCurrent_v2)(void* context) {
    return answer("CtxPushCurrent", context_push, context);
}
int FN(CtxPopCurrent_v2)(void** context) {
    return answer("CtxPopCurrent", context_pop, context);
}
int FN(CtxGetDevice)(int* device) {
    return answer("CtxGetDevice", context_device, device);
}
int FN(CtxSynchronize)() {
    return answer("CtxSynchronize", context_synchronize);
}
int FN(CtxSetLimit)(int limit, size_t value) {
    return answer("CtxSetLimit", context_set_limit, limit, value);
}
int FN(CtxGetStreamPriorityRange)(int* least, int* greatest) {
    return answer("CtxGetStreamPriorityRange", context_priorities, least, greatest);
}
int FN(CtxEnablePeerAccess)(void* context, unsigned flags) {
    return answer("CtxEnablePeerAccess", peer_enable, context, flags);
}
int FN(CtxDisablePeerAccess)(void* context) {
    return answer("CtxDisablePeerAccess", peer_disable, context);
}

// ---------------------------------------------------------------------------------------------- memory

int FN(MemAlloc_v2)(Address* address, size_t size) {
    return answer("MemAlloc", memory_allocate, address, size);
}
int FN(MemFree_v2)(Address address) {
    return answer("MemFree", memory_free, address);
}
int FN(MemAllocManaged)(Address* address, size_t size, unsigned flags) {
    return answer("MemAllocManaged", memory_allocate_managed, address, size, flags);
}
int FN(MemPrefetchAsync)(Address address, size_t size, int device, void* stream) {
    return answer("MemPrefetchAsync", memory_prefetch, address, size, device, stream);
}
int FN(MemGetInfo_v2)(size_t* free, size_t* total) {
    return answer("MemGetInfo", memory_info, free, total);
}
int FN(MemGetAddressRange_v2)(Address* base, size_t* size, Address address) {
    return answer("MemGetAddressRange", memory_range, base, size, address);
}
int FN(PointerGetAttribute)(void* data, int attribute, Address address) {
    return answer("PointerGetAttribute", memory_attribute, data, attribute, address);
}
int FN(MemHostAlloc)(void** pointer, size_t size, unsigned flags) {
    return answer("MemHostAlloc", host_allocate, pointer, size, flags);
}
int FN(MemAllocHost_v2)(void** pointer, size_t size) {
    return answer("MemAllocHost", host_allocate, pointer, size, 0u);
}
int FN(MemFreeHost)(void* pointer) {
    return answer("MemFreeHost", host_free, pointer);
}
int FN(MemHostRegister_v2)(void* pointer, size_t size, unsigned flags) {
    return answer("MemHostRegister", host_register, pointer, size, flags);
}
int FN(MemHostUnregister)(void* pointer) {
    return answer("MemHostUnregister", host_unregister, pointer);
}
int FN(MemHostGetDevicePointer_v2)(Address* address, void* pointer, unsigned flags) {
    return answer("MemHostGetDevicePointer", host_device_pointer, address, pointer, flags);
}

// ---------------------------------------------------------------------------------------------- copies and fills

int FN(Memcpy)(Address target, Address source, size_t size) {
    return answer("Memcpy", copy, End{Side::kEither, target}, End{Side::kEither, source}, size);
}
int FN(MemcpyAsync)(Address target, Address source, size_t size, void* stream) {
    return answer("MemcpyAsync", copy_async, End{Side::kEither, target}, End{Side::kEither, source}, size, stream);
}
int FN(MemcpyHtoD_v2)(Address target, const void* source, size_t size) {
    return answer("MemcpyHtoD", copy, device_end(target), host_end(source), size);
}
int FN(MemcpyDtoH_v2)(void* target, Address source, size_t size) {
    return answer("MemcpyDtoH", copy, host_end(target), device_end(source), size);
}
int FN(MemcpyDtoD_v2)(Address target, Address source, size_t size) {
    return answer("MemcpyDtoD", copy, device_end(target), device_end(source), size);
}
int FN(MemcpyHtoDAsync_v2)(Address target, const void* source, size_t size, void* stream) {
    return answer("MemcpyHtoDAsync", copy_async, device_end(target), host_end(source), size, stream);
}
int FN(MemcpyDtoHAsync_v2)(void* target, Address source, size_t size, void* stream) {
    return answer("MemcpyDtoHAsync", copy_async, host_end(target), device_end(source), size, stream);
}
int FN(MemcpyDtoDAsync_v2)(Address target, Address source, size_t size, void* stream) {
    return answer("MemcpyDtoDAsync", copy_async, device_end(target), device_end(source), size, stream);
}
int FN(MemcpyPeer)(Address target, void* target_context, Address source, void* source_context, size_t size) {
    return answer("MemcpyPeer", copy_peer, target, target_context, source, source_context, size);
}
int FN(MemcpyPeerAsync)(Address target, void* target_context, Address source, void* source_context, size_t size, void* stream) {
    return answer("MemcpyPeerAsync", copy_peer_async, target, target_context, source, source_context, size, stream);
}
int FN(Memcpy2D_v2)(const Copy2d* desc) {
    return answer("Memcpy2D", copy_described<Copy2d>, desc);
}
int FN(Memcpy2DUnaligned_v2)(const Copy2d* desc) {
    return answer("Memcpy2DUnaligned", copy_described<Copy2d>, desc);
}
int FN(Memcpy2DAsync_v2)(const Copy2d* desc, void* stream) {
    return answer("Memcpy2DAsync", copy_described_async<Copy2d>, desc, stream);
}
int FN(Memcpy3D_v2)(const Copy3d* desc) {
    return answer("Memcpy3D", copy_described<Copy3d>, desc);
}
int FN(Memcpy3DAsync_v2)(const Copy3d* desc, void* stream) {
    return answer("Memcpy3DAsync", copy_described_async<Copy3d>, desc, stream);
}
int FN(MemsetD8_v2)(Address target, unsigned char value, size_t count) {
    return answer("MemsetD8", fill, target, uint32_t{value}, 1u, count);
}
int FN(MemsetD16_v2)(Address target, unsigned short value, size_t count) {
    return answer("MemsetD16", fill, target, uint32_t{value}, 2u, count);
}
int FN(MemsetD32_v2)(Address target, unsigned value, size_t count) {
    return answer("MemsetD32", fill, target, value, 4u, count);
}
int FN(MemsetD8Async)(Address target, unsigned char value, size_t count, void* stream) {
    return answer("MemsetD8Async", fill_async, target, uint32_t{value}, 1u, count, stream);
}
int FN(MemsetD16Async)(Address target, unsigned short value, size_t count, void* stream) {
    return answer("MemsetD16Async", fill_async, target, uint32_t{value}, 2u, count, stream);
}
int FN(MemsetD32Async)(Address target, unsigned value, size_t count, void* stream) {
    return answer("MemsetD32Async", fill_async, target, value, 4u, count, stream);
}

// ---------------------------------------------------------------------------------------------- modules and launches

int FN(ModuleLoadData)(void** module, const void* image) {
    return answer("ModuleLoadData", module_load, module, image, size_t{0});
}
int FN(ModuleLoadDataEx)(void** module, const void* image, unsigned count, const int* options, void** values) {
    return answer("ModuleLoadDataEx", module_load_with_options, module, image, count, options, values);
}
int FN(ModuleLoadFatBinary)(void** module, const void* image) {
    return answer("ModuleLoadFatBinary", module_load, module, image, size_t{0});
}
int FN(ModuleUnload)(void* module) {
    return answer("ModuleUnload", module_unload, module);
}
int FN(ModuleGetFunction)(void** function, void* module, const char* name) {
    return answer("ModuleGetFunction", module_function, function, module, name);
}
int FN(ModuleGetGlobal_v2)(Address* address, size_t* size, void* module, const char* name) {
    return answer("ModuleGetGlobal", module_global, address, size, module, name);
}
int FN(FuncGetAttribute)(int* value, int attribute, void* function) {
    return answer("FuncGetAttribute", function_attribute, value, attribute, function);
}
int FN(FuncSetAttribute)(void* function, int attribute, int value) {
    return answer("FuncSetAttribute", function_set_attribute, function, attribute, value);
}
int FN(LaunchKernel)(void* function, unsigned groups_x, unsigned groups_y, unsigned groups_z, unsigned group_x, unsigned group_y,
                     unsigned group_z, unsigned shared_bytes, void* stream, void** parameters, void** extra) {
    const Grid grid{{groups_x, groups_y, groups_z}, {group_x, group_y, group_z}, shared_bytes, stream};
    return answer("LaunchKernel", [&] { launch(function, grid, parameters, extra); });
}

// ---------------------------------------------------------------------------------------------- streams and events

int FN(StreamCreate)(void** stream, unsigned flags) {
    return answer("StreamCreate", stream_create, stream, flags);
}
int FN(StreamCreateWithPriority)(void** stream, unsigned flags, int priority) {
    return answer("StreamCreateWithPriority", stream_create_with_priority, stream, flags, priority);
}
int FN(StreamDestroy_v2)(void* stream) {
    return answer("StreamDestroy", stream_destroy, stream);
}
int FN(StreamSynchronize)(void* stream) {
    return answer("StreamSynchronize", stream_synchronize, stream);
}
int FN(StreamQuery)(void* stream) {
    return answer("StreamQuery", stream_query, stream);
}
int FN(StreamWaitEvent)(void* stream, void* event, unsigned flags) {
    return answer("StreamWaitEvent", stream_wait_event, stream, event, flags);
}
int FN(StreamGetPriority)(void* stream, int* priority) {
    return answer("StreamGetPriority", stream_priority, stream, priority);
}
int FN(StreamGetFlags)(void* stream, unsigned* flags) {
    return answer("StreamGetFlags", stream_flags, stream, flags);
}
int FN(StreamAddCallback)(void* stream, StreamCallback callback, void* data, unsigned flags) {
    return answer("StreamAddCallback", stream_callback, stream, callback, data, flags);
}
int FN(LaunchHostFunc)(void* stream, HostFunction function, void* data) {
    return answer("LaunchHostFunc", stream_host_function, stream, function, data);
}
int FN(EventCreate)(void** event, unsigned flags) {
    return answer("EventCreate", event_create, event, flags);
}
int FN(EventDestroy_v2)(void* event) {
    return answer("EventDestroy", event_destroy, event);
}
int FN(EventRecord)(void* event, void* stream) {
    return answer("EventRecord", event_record, event, stream);
}
int FN(EventQuery)(void* event) {
    return answer("EventQuery", event_query, event);
}
int FN(EventSynchronize)(void* event) {
    return answer("EventSynchronize", event_synchronize, event);
}
int FN(EventElapsedTime)(float* milliseconds, void* start, void* end) {
    return answer("EventElapsedTime", event_elapsed, milliseconds, start, end);
}

// ---------------------------------------------------------------------------------------------- the first version of some names

/* Addresses and sizes had 32 bits. A program that finds these in place of the second version gets half of an address. */
using Half = unsigned;

int FN(MemAlloc)(Half* address, unsigned size) {
    return answer("MemAlloc", [&] {
        Address whole = 0;
        memory_allocate(&whole, size);
        out(address) = static_cast<Half>(whole);
    });
}
int FN(MemFree)(Half address) {
    return answer("MemFree", memory_free, Address{address});
}
int FN(MemGetInfo)(unsigned* free, unsigned* total) {
    return answer("MemGetInfo", [&] {
        size_t bytes = 0, all_bytes = 0;
        memory_info(&bytes, &all_bytes);
        out(free) = static_cast<unsigned>(bytes);
        out(total) = static_cast<unsigned>(all_bytes);
    });
}
int FN(DeviceTotalMem)(unsigned* bytes, int device) {
    return answer("DeviceTotalMem", [&] {
        size_t all_bytes = 0;
        device_total(&all_bytes, device);
        out(bytes) = static_cast<unsigned>(all_bytes);
    });
}
int FN(MemcpyHtoD)(Half target, const void* source, unsigned size) {
    return answer("MemcpyHtoD", copy, device_end(target), host_end(source), size_t{size});
}
int FN(MemcpyDtoH)(void* target, Half source, unsigned size) {
    return answer("MemcpyDtoH", copy, host_end(target), device_end(source), size_t{size});
}
int FN(MemcpyDtoD)(Half target, Half source, unsigned size) {
    return answer("MemcpyDtoD", copy, device_end(target), device_end(source), size_t{size});
}
int FN(MemcpyHtoDAsync)(Half target, const void* source, unsigned size, void* stream) {
    return answer("MemcpyHtoDAsync", copy_async, device_end(target), host_end(source), size_t{size}, stream);
}
int FN(MemcpyDtoHAsync)(void* target, Half source, unsigned size, void* stream) {
    return answer("MemcpyDtoHAsync", copy_async, host_end(target), device_end(source), size_t{size}, stream);
}
int FN(MemcpyDtoDAsync)(Half target, Half source, unsigned size, void* stream) {
    return answer("MemcpyDtoDAsync", copy_async, device_end(target), device_end(source), size_t{size}, stream);
}
int FN(MemsetD8)(Half target, unsigned char value, unsigned count) {
    return answer("MemsetD8", fill, Address{target}, uint32_t{value}, 1u, size_t{count});
}
int FN(MemsetD32)(Half target, unsigned value, unsigned count) {
    return answer("MemsetD32", fill, Address{target}, value, 4u, size_t{count});
}
int FN(StreamDestroy)(void* stream) {
    return answer("StreamDestroy", stream_destroy, stream);
}
int FN(EventDestroy)(void* event) {
    return answer("EventDestroy", event_destroy, event);
}

} // extern "C"
