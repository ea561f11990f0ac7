/* Sunrise's driver interface: CUDA's with other names for copies, modules with the image's size, and functions that are there and answer that they
 * are not implemented. Names that nobody has read are CUDA's. */
#include <climits>

#include "core/device.h"
#include "core/memory.h"
#include "core/module.h"
#include "core/stream.h"
#include "exports/names.h"

using namespace fakes;
using Address = uint64_t;

namespace {

/* There, and of no use. */
void not_implemented() {
    fail(Error::kNotImplemented);
}

/* A device is a handle as wide as a pointer, and no ordinal. */
using Handle = uintptr_t;
constexpr Handle kFirstHandle = uintptr_t{0x7a} << 40;

int ordinal_of(Handle handle) {
    require(handle >= kFirstHandle && handle - kFirstHandle <= INT_MAX, Error::kInvalidDevice);
    return static_cast<int>(handle - kFirstHandle);
}

} // namespace

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
int FN(DeviceGet)(Handle* device, int ordinal) {
    return answer("DeviceGet", [&] { out(device) = kFirstHandle + static_cast<Handle>(device_at(ordinal).ordinal); });
}
int FN(DeviceGetName)(char* name, int length, Handle device) {
    return answer("DeviceGetName", [&] { device_name(name, length, ordinal_of(device)); });
}
int FN(DeviceTotalMem)(size_t* bytes, Handle device) {
    return answer("DeviceTotalMem", [&] { device_total(bytes, ordinal_of(device)); });
}
int FN(DeviceGetAttribute)(int* value, int attribute, Handle device) {
    return answer("DeviceGetAttribute", [&] { device_attribute(value, attribute, ordinal_of(device)); });
}
int FN(DeviceGetUuid)(unsigned char* uuid, Handle device) {
    return answer("DeviceGetUuid", [&] { device_uuid(uuid, ordinal_of(device)); });
}
int FN(DeviceGetPCIBusId)(char* text, int length, Handle device) {
    return answer("DeviceGetPCIBusId", [&] { device_bus_id(text, length, ordinal_of(device)); });
}
int FN(DeviceCanAccessPeer)(int* can, Handle device, Handle peer) {
    return answer("DeviceCanAccessPeer", [&] { peer_can(can, ordinal_of(device), ordinal_of(peer)); });
}
int FN(DevicePrimaryCtxRetain)(void** context, Handle device) {
    return answer("DevicePrimaryCtxRetain", [&] { context_retain(context, ordinal_of(device)); });
}
int FN(DevicePrimaryCtxRelease)(Handle device) {
    return answer("DevicePrimaryCtxRelease", [&] { context_release(ordinal_of(device)); });
}
int FN(CtxSetCurrent)(void* context) {
    return answer("CtxSetCurrent", context_set, context);
}
int FN(CtxGetCurrent)(void** context) {
    return answer("CtxGetCurrent", context_get, context);
}
int FN(CtxGetDevice)(Handle* device) {
    return answer("CtxGetDevice", [&] { out(device) = kFirstHandle + static_cast<Handle>(current().ordinal); });
}
int FN(CtxSynchronize)(void* context) {
    return answer("CtxSynchronize", context_synchronize_other, context);
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

int FN(MemAlloc)(Address* address, size_t size) {
    return answer("MemAlloc", memory_allocate, address, size);
}
int FN(MemFree)(Address address) {
    return answer("MemFree", memory_free, address);
}
int FN(MemGetInfo)(size_t* free, size_t* total) {
    return answer("MemGetInfo", memory_info, free, total);
}
int FN(MemGetAddressRange)(Address* base, size_t* size, Address address) {
    return answer("MemGetAddressRange", memory_range, base, size, address);
}
int FN(PointerGetAttribute)(void* data, int attribute, Address address) {
    return answer("PointerGetAttribute", memory_attribute, data, attribute, address);
}
int FN(MemHostAlloc)(void** pointer, size_t size, unsigned flags) {
    return answer("MemHostAlloc", host_allocate, pointer, size, flags);
}
int FN(MemFreeHost)(void* pointer) {
    return answer("MemFreeHost", host_free, pointer);
}
int FN(MemHostRegister)(void*, size_t, unsigned) {
    return answer("MemHostRegister", not_implemented);
}
int FN(MemHostUnregister)(void*) {
    return answer("MemHostUnregister", not_implemented);
}
int FN(MemHostGetDevicePointer)(Address* address, void* pointer, unsigned flags) {
    return answer("MemHostGetDevicePointer", host_device_pointer, address, pointer, flags);
}

// ---------------------------------------------------------------------------------------------- copies and fills

int FN(MemcpyH2D)(Address target, const void* source, size_t size) {
    return answer("MemcpyH2D", copy, device_end(target), host_end(source), size);
}
int FN(MemcpyD2H)(void* target, Address source, size_t size) {
    return answer("MemcpyD2H", copy, host_end(target), device_end(source), size);
}
int FN(MemcpyH2DAsync)(Address target, const void* source, size_t size, void* stream) {
    return answer("MemcpyH2DAsync", copy_async, device_end(target), host_end(source), size, stream);
}
int FN(MemcpyD2HAsync)(void* target, Address source, size_t size, void* stream) {
    return answer("MemcpyD2HAsync", copy_async, host_end(target), device_end(source), size, stream);
}
int FN(MemcpyD2D)(Address, Address, size_t) {
    return answer("MemcpyD2D", not_implemented);
}
int FN(MemcpyD2DAsync)(Address, Address, size_t, void*) {
    return answer("MemcpyD2DAsync", not_implemented);
}
int FN(MemcpyPeer_v2)(Address target, void* target_context, Address source, void* source_context, size_t size) {
    return answer("MemcpyPeer", copy_peer, target, target_context, source, source_context, size);
}
int FN(MemcpyPeerAsync)(Address target, void* target_context, Address source, void* source_context, size_t size, void* stream) {
    return answer("MemcpyPeerAsync", copy_peer_async, target, target_context, source, source_context, size, stream);
}
int FN(Memset)(Address target, int value, size_t size) {
    return answer("Memset", fill, target, static_cast<uint32_t>(value & 0xff), 1u, size);
}
int FN(MemsetAsync)(Address target, int value, size_t size, void* stream) {
    return answer("MemsetAsync", fill_async, target, static_cast<uint32_t>(value & 0xff), 1u, size, stream);
}

// ---------------------------------------------------------------------------------------------- modules and launches

/* The size is needed: an image that is longer than said is refused. */
int FN(ModuleLoadData)(void** module, const void* image, size_t size) {
    return answer("ModuleLoadData", [&] {
        require(size > 0, Error::kInvalidValue);
        module_load(module, image, size);
    });
}

int FN(ModuleUnload)(void* module) {
    return answer("ModuleUnload", module_unload, module);
}
int FN(ModuleGetFunction)(void** function, void* module, const char* name) {
    return answer("ModuleGetFunction", module_function, function, module, name);
}
int FN(ModuleGetGlobal)(Address* address, size_t* size, void* module, const char* name) {
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
int FN(StreamDestroy)(void* stream) {
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
int FN(LaunchHostFunc)(void* stream, HostFunction function, void* data) {
    return answer("LaunchHostFunc", stream_host_function, stream, function, data);
}
int FN(EventCreate)(void** event, unsigned flags) {
    return answer("EventCreate", event_create, event, flags);
}
int FN(EventDestroy)(void* event) {
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

} // extern "C"
