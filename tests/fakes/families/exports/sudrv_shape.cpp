/* Biren's driver interface: CUDA's with other names for contexts and memory, and launches by a configuration. Names that nobody has
 * read are CUDA's. */
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
int FN(GetVersion)(int* version) {
    return answer_with(Needs::kNothing, "GetVersion", driver_version, version);
}
int FN(GetErrorString)(int code, const char** text) {
    return error_word(error_text, code, text);
}
int FN(GetErrorName)(int code, const char** text) {
    return error_word(error_name, code, text);
}
int FN(GetDeviceCount)(int* count) {
    return answer("GetDeviceCount", device_count, count);
}
int FN(DeviceGet)(int* device, int ordinal) {
    return answer("DeviceGet", device_get, device, ordinal);
}
int FN(DeviceGetName)(char* name, int length, int device) {
    return answer("DeviceGetName", device_name, name, length, device);
}
int FN(DeviceTotalMem)(size_t* bytes, int device) {
    return answer("DeviceTotalMem", device_total, bytes, device);
}
int FN(DeviceGetAttribute)(int* value, int attribute, int device) {
    return answer("DeviceGetAttribute", device_attribute, value, attribute, device);
}
int FN(DeviceGetUuid)(unsigned char* uuid, int device) {
    return answer("DeviceGetUuid", device_uuid, uuid, device);
}
int FN(DeviceGetPCIBusId)(char* text, int length, int device) {
    return answer("DeviceGetPCIBusId", device_bus_id, text, length, device);
}
int FN(DeviceCanAccessPeer)(int* can, int device, int peer) {
    return answer("DeviceCanAccessPeer", peer_can, can, device, peer);
}
int FN(PrimaryContextRetain)(void** context, int device) {
    return answer("PrimaryContextRetain", context_retain, context, device);
}
int FN(PrimaryContextRelease)(int device) {
    return answer("PrimaryContextRelease", context_release, device);
}
int FN(ContextSetCurrent)(void* context) {
    return answer("ContextSetCurrent", context_set, context);
}
int FN(ContextGetCurrent)(void** context) {
    return answer("ContextGetCurrent", context_get, context);
}
int FN(ContextGetDevice)(int* device) {
    return answer("ContextGetDevice", context_device, device);
}
int FN(ContextSynchronize)() {
    return answer("ContextSynchronize", context_synchronize);
}
int FN(ContextSetLimit)(int limit, size_t value) {
    return answer("ContextSetLimit", context_set_limit, limit, value);
}
int FN(ContextGetStreamPriorityRange)(int* least, int* greatest) {
    return answer("ContextGetStreamPriorityRange", context_priorities, least, greatest);
}
int FN(ContextEnablePeerAccess)(void* context, unsigned flags) {
    return answer("ContextEnablePeerAccess", peer_enable, context, flags);
}
int FN(ContextDisablePeerAccess)(void* context) {
    return answer("ContextDisablePeerAccess", peer_disable, context);
}

// ---------------------------------------------------------------------------------------------- memory

int FN(MallocDevice)(Address* address, size_t size) {
    return answer("MallocDevice", memory_allocate, address, size);
}
/* Memory of the host's too. */
int FN(Free)(Address address) {
    return answer("Free", memory_or_host_free, address);
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
int FN(MallocHost)(void** pointer, size_t size, unsigned flags) {
    return answer("MallocHost", host_allocate, pointer, size, flags);
}
int FN(RegisterHostMemory)(void* pointer, size_t size, unsigned flags) {
    return answer("RegisterHostMemory", host_register, pointer, size, flags);
}
int FN(UnregisterHostMemory)(void* pointer) {
    return answer("UnregisterHostMemory", host_unregister, pointer);
}
int FN(MemHostGetDevicePointer)(Address* address, void* pointer, unsigned flags) {
    return answer("MemHostGetDevicePointer", host_device_pointer, address, pointer, flags);
}

// ---------------------------------------------------------------------------------------------- copies and fills

int FN(MemcpyHtoD)(Address target, const void* source, size_t size) {
    return answer("MemcpyHtoD", copy, device_end(target), host_end(source), size);
}
int FN(MemcpyDtoH)(void* target, Address source, size_t size) {
    return answer("MemcpyDtoH", copy, host_end(target), device_end(source), size);
}
int FN(MemcpyDtoD)(Address target, Address source, size_t size) {
    return answer("MemcpyDtoD", copy, device_end(target), device_end(source), size);
}
int FN(MemcpyHtoDAsync)(Address target, const void* source, size_t size, void* stream) {
    return answer("MemcpyHtoDAsync", copy_async, device_end(target), host_end(source), size, stream);
}
int FN(MemcpyDtoHAsync)(void* target, Address source, size_t size, void* stream) {
    return answer("MemcpyDtoHAsync", copy_async, host_end(target), device_end(source), size, stream);
}
int FN(MemcpyDtoDAsync)(Address target, Address source, size_t size, void* stream) {
    return answer("MemcpyDtoDAsync", copy_async, device_end(target), device_end(source), size, stream);
}
int FN(MemcpyPeer)(Address target, void* target_context, Address source, void* source_context, size_t size) {
    return answer("MemcpyPeer", copy_peer, target, target_context, source, source_context, size);
}
int FN(MemcpyPeerAsync)(Address target, void* target_context, Address source, void* source_context, size_t size, void* stream) {
    return answer("MemcpyPeerAsync", copy_peer_async, target, target_context, source, source_context, size, stream);
}
int FN(Memcpy2D)(const Copy2d* desc) {
    return answer("Memcpy2D", copy_described<Copy2d>, desc);
}
int FN(Memcpy2DAsync)(const Copy2d* desc, void* stream) {
    return answer("Memcpy2DAsync", copy_described_async<Copy2d>, desc, stream);
}
int FN(MemsetD8)(Address target, unsigned char value, size_t count) {
    return answer("MemsetD8", fill, target, uint32_t{value}, 1u, count);
}
int FN(MemsetD16)(Address target, unsigned short value, size_t count) {
    return answer("MemsetD16", fill, target, uint32_t{value}, 2u, count);
}
int FN(MemsetD32)(Address target, unsigned value, size_t count) {
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
int FN(ModuleGetGlobal)(Address* address, size_t* size, void* module, const char* name) {
    return answer("ModuleGetGlobal", module_global, address, size, module, name);
}
int FN(FuncGetAttribute)(int* value, int attribute, void* function) {
    return answer("FuncGetAttribute", function_attribute, value, attribute, function);
}
int FN(FuncSetAttribute)(void* function, int attribute, int value) {
    return answer("FuncSetAttribute", function_set_attribute, function, attribute, value);
}

int FN(LaunchKernelEx)(const LaunchConfig* config, void* function, void** parameters, void** extra) {
    return answer("LaunchKernelEx", [&] {
        require(config != nullptr && config->attribute_count == 0, Error::kInvalidValue);
        Grid grid{{}, {}, config->shared_bytes, config->stream};
        for (int axis = 0; axis < 3; ++axis) {
            grid.groups[axis] = config->groups[axis];
            grid.group[axis] = config->group[axis];
        }
        launch(function, grid, parameters, extra);
    });
}

// ---------------------------------------------------------------------------------------------- streams and events

int FN(StreamCreateWithFlags)(void** stream, unsigned flags) {
    return answer("StreamCreateWithFlags", stream_create, stream, flags);
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
int FN(StreamWaitEventWithFlags)(void* stream, void* event, unsigned flags) {
    return answer("StreamWaitEventWithFlags", stream_wait_event, stream, event, flags);
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
int FN(EventCreateWithFlags)(void** event, unsigned flags) {
    return answer("EventCreateWithFlags", event_create, event, flags);
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

// ---------------------------------------------------------------------------------------------- the runtime's, from the same library

/* The stream stands before the kind, other than in CUDA. */
int suMemcpyAsync(void* target, const void* source, size_t size, void* stream, int kind) {
    return answer("MemcpyAsync", [&] {
        require(kind >= 0 && kind <= 4, Error::kInvalidValue);
        copy_async({Side::kEither, reinterpret_cast<uintptr_t>(target)}, {Side::kEither, reinterpret_cast<uintptr_t>(source)}, size, stream);
    });
}

} // extern "C"
