/* HIP's interface under the prefixes hip and mc: names and signatures as in HIP's header, the bodies are the core's. mc has CUDA's primary
 * contexts too. */
#include <cstdio>
#include <cstring>

#include "core/device.h"
#include "core/memory.h"
#include "core/module.h"
#include "core/stream.h"
#include "exports/names.h"

using namespace fakes;

namespace {

uint64_t address_of(const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

constexpr int kHostToHost = 0, kHostToDevice = 1, kDeviceToHost = 2, kDeviceToDevice = 3, kDefault = 4;

struct Ends {
    End target, source;
};
Ends ends_of(const void* target, const void* source, int kind) {
    require(kind >= kHostToHost && kind <= kDefault, Error::kInvalidValue);
    const Side target_side = kind == kHostToDevice || kind == kDeviceToDevice ? Side::kDevice : Side::kEither;
    const Side source_side = kind == kDeviceToHost || kind == kDeviceToDevice ? Side::kDevice : Side::kEither;
    return {{kind == kDeviceToHost || kind == kHostToHost ? Side::kHost : target_side, address_of(target)},
            {kind == kHostToDevice || kind == kHostToHost ? Side::kHost : source_side, address_of(source)}};
}

Box rows(size_t target_pitch, size_t source_pitch, size_t width, size_t height) {
    Box box;
    box.width = width;
    box.height = height;
    box.target_pitch = target_pitch;
    box.source_pitch = source_pitch;
    return box;
}

/* The first fields of the properties, up to what this version knows; by quirk the whole is larger and they stand elsewhere. */
constexpr size_t kPropertyBytes = 792, kBigPropertyBytes = 1472, kArchitectureOffset = 396;
void properties(unsigned char* bytes, int device) {
    require(bytes != nullptr, Error::kInvalidValue);
    device_at(device);
    std::memset(bytes, 0, has(Quirk::kBigProperties) ? kBigPropertyBytes : kPropertyBytes);
    device_name(reinterpret_cast<char*>(bytes), 256, device);
    size_t total = 0;
    device_total(&total, device);
    const size_t at = has(Quirk::kBigProperties) ? 288 : 256;
    std::memcpy(bytes + at, &total, sizeof total);
    if (family().architecture != 0)
        std::snprintf(reinterpret_cast<char*>(bytes) + kArchitectureOffset + at - 256, 256, "gfx%d", family().architecture);
}

/* The last error of the thread, which asking forgets. */
thread_local int last_code = 0;

template <class Body, class... Arguments>
int tell(std::string_view call, Body body, Arguments... arguments) noexcept {
    const int code = answer(call, body, arguments...);
    if (code != 0) [[unlikely]]
        last_code = code;
    return code;
}

} // namespace

extern "C" {

// ---------------------------------------------------------------------------------------------- process, devices

int FN(Init)(unsigned flags) {
    return tell("Init", init, flags);
}
int FN(DriverGetVersion)(int* version) {
    return tell("DriverGetVersion", driver_version, version);
}
const char* FN(GetErrorString)(int code) {
    const char* text = error_text(code);
    return text != nullptr ? text : "unrecognized error code";
}
const char* FN(GetErrorName)(int code) {
    const char* name = error_name(code);
    return name != nullptr ? name : "unrecognized error code";
}
int FN(GetLastError)() {
    const int code = last_code;
    last_code = 0;
    return code;
}
int FN(PeekAtLastError)() {
    return last_code;
}
int FN(GetDeviceCount)(int* count) {
    return tell("GetDeviceCount", [](int* each) {
        device_count(each);
        require(*each > 0, Error::kNoDevice);
    }, count);
}
int FN(DeviceGet)(int* device, int ordinal) {
    return tell("DeviceGet", device_get, device, ordinal);
}
int FN(DeviceGetName)(char* name, int length, int device) {
    return tell("DeviceGetName", device_name, name, length, device);
}
int FN(DeviceTotalMem)(size_t* bytes, int device) {
    return tell("DeviceTotalMem", device_total, bytes, device);
}
int FN(DeviceGetAttribute)(int* value, int attribute, int device) {
    return tell("DeviceGetAttribute", device_attribute, value, attribute, device);
}
int FN(GetDeviceProperties)(unsigned char* bytes, int device) {
    return tell("GetDeviceProperties", properties, bytes, device);
}
int FN(DeviceGetUuid)(unsigned char* uuid, int device) {
    return tell("DeviceGetUuid", device_uuid, uuid, device);
}
int FN(DeviceGetPCIBusId)(char* text, int length, int device) {
    return tell("DeviceGetPCIBusId", device_bus_id, text, length, device);
}
int FN(SetDevice)(int device) {
    return tell("SetDevice", device_select, device);
}
int FN(GetDevice)(int* device) {
    return tell("GetDevice", device_selected, device);
}
int FN(DeviceSynchronize)() {
    return tell("DeviceSynchronize", context_synchronize);
}
int FN(DeviceReset)() {
    return tell("DeviceReset", [] { context_reset(current().ordinal); });
}
int FN(DeviceGetStreamPriorityRange)(int* least, int* greatest) {
    return tell("DeviceGetStreamPriorityRange", context_priorities, least, greatest);
}
int FN(DeviceCanAccessPeer)(int* can, int device, int peer) {
    return tell("DeviceCanAccessPeer", peer_can, can, device, peer);
}
#ifndef FAKE_ENABLE_PEER /* two spellings are in use for MetaX */
#define FAKE_ENABLE_PEER DeviceEnablePeerAccess
#endif
int FN(FAKE_ENABLE_PEER)(int peer, unsigned flags) {
    return tell("DeviceEnablePeerAccess", peer_enable_ordinal, peer, flags);
}
int FN(DeviceDisablePeerAccess)(int peer) {
    return tell("DeviceDisablePeerAccess", peer_disable_ordinal, peer);
}
int FN(DevicePrimaryCtxRetain)(void** context, int device) {
    return tell("DevicePrimaryCtxRetain", context_retain, context, device);
}
int FN(DevicePrimaryCtxRelease)(int device) {
    return tell("DevicePrimaryCtxRelease", context_release, device);
}
int FN(CtxSetCurrent)(void* context) {
    return tell("CtxSetCurrent", context_set, context);
}
int FN(CtxGetCurrent)(void** context) {
    return tell("CtxGetCurrent", context_get, context);
}
int FN(CtxSynchronize)() {
    return tell("CtxSynchronize", context_synchronize);
}

// ---------------------------------------------------------------------------------------------- memory

int FN(Malloc)(void** pointer, size_t size) {
    return tell("Malloc", [](void** each, size_t bytes) { memory_allocate(reinterpret_cast<uint64_t*>(each), bytes); }, pointer, size);
}
int FN(Free)(void* pointer) {
    return tell("Free", memory_free, address_of(pointer));
}
int FN(MallocManaged)(void** pointer, size_t size, unsigned flags) {
    return tell("MallocManaged", [](void** each, size_t bytes, unsigned how) { memory_allocate_managed(reinterpret_cast<uint64_t*>(each), bytes, how); },
                pointer, size, flags);
}
int FN(MemPrefetchAsync)(const void* address, size_t size, int device, void* stream) {
    return tell("MemPrefetchAsync", memory_prefetch, address_of(address), size, device, stream);
}
int FN(MemGetInfo)(size_t* free, size_t* total) {
    return tell("MemGetInfo", memory_info, free, total);
}
int FN(MemGetAddressRange)(void** base, size_t* size, void* address) {
    return tell("MemGetAddressRange", memory_range, reinterpret_cast<uint64_t*>(base), size, address_of(address));
}
int FN(HostMalloc)(void** pointer, size_t size, unsigned flags) {
    return tell("HostMalloc", host_allocate, pointer, size, flags);
}
int FN(HostFree)(void* pointer) {
    return tell("HostFree", host_free, pointer);
}
int FN(HostRegister)(void* pointer, size_t size, unsigned flags) {
    return tell("HostRegister", host_register, pointer, size, flags);
}
int FN(HostUnregister)(void* pointer) {
    return tell("HostUnregister", host_unregister, pointer);
}
int FN(HostGetDevicePointer)(void** device_pointer, void* pointer, unsigned flags) {
    return tell("HostGetDevicePointer", host_device_pointer, reinterpret_cast<uint64_t*>(device_pointer), pointer, flags);
}

// ---------------------------------------------------------------------------------------------- copies and fills

int FN(Memcpy)(void* target, const void* source, size_t size, int kind) {
    return tell("Memcpy", [&] { const Ends ends = ends_of(target, source, kind); copy(ends.target, ends.source, size); });
}
int FN(MemcpyAsync)(void* target, const void* source, size_t size, int kind, void* stream) {
    return tell("MemcpyAsync", [&] { const Ends ends = ends_of(target, source, kind); copy_async(ends.target, ends.source, size, stream); });
}
int FN(MemcpyHtoD)(void* target, const void* source, size_t size) {
    return tell("MemcpyHtoD", copy, device_end(address_of(target)), host_end(source), size);
}
int FN(MemcpyDtoH)(void* target, void* source, size_t size) {
    return tell("MemcpyDtoH", copy, host_end(target), device_end(address_of(source)), size);
}
int FN(MemcpyDtoD)(void* target, void* source, size_t size) {
    return tell("MemcpyDtoD", copy, device_end(address_of(target)), device_end(address_of(source)), size);
}
int FN(MemcpyHtoDAsync)(void* target, const void* source, size_t size, void* stream) {
    return tell("MemcpyHtoDAsync", copy_async, device_end(address_of(target)), host_end(source), size, stream);
}
int FN(MemcpyDtoHAsync)(void* target, void* source, size_t size, void* stream) {
    return tell("MemcpyDtoHAsync", copy_async, host_end(target), device_end(address_of(source)), size, stream);
}
int FN(MemcpyDtoDAsync)(void* target, void* source, size_t size, void* stream) {
    return tell("MemcpyDtoDAsync", copy_async, device_end(address_of(target)), device_end(address_of(source)), size, stream);
}
int FN(MemcpyPeer)(void* target, int target_device, const void* source, int source_device, size_t size) {
    return tell("MemcpyPeer", copy_peer_ordinal, address_of(target), target_device, address_of(source), source_device, size);
}
int FN(MemcpyPeerAsync)(void* target, int target_device, const void* source, int source_device, size_t size, void* stream) {
    return tell("MemcpyPeerAsync", copy_peer_ordinal_async, address_of(target), target_device, address_of(source), source_device, size, stream);
}
int FN(Memcpy2D)(void* target, size_t target_pitch, const void* source, size_t source_pitch, size_t width, size_t height, int kind) {
    return tell("Memcpy2D", [&] {
        const Ends ends = ends_of(target, source, kind);
        copy_box(ends.target, ends.source, rows(target_pitch, source_pitch, width, height));
    });
}
int FN(Memcpy2DAsync)(void* target, size_t target_pitch, const void* source, size_t source_pitch, size_t width, size_t height, int kind, void* stream) {
    return tell("Memcpy2DAsync", [&] {
        const Ends ends = ends_of(target, source, kind);
        copy_box_async(ends.target, ends.source, rows(target_pitch, source_pitch, width, height), stream);
    });
}
int FN(Memset)(void* target, int value, size_t size) {
    return tell("Memset", fill, address_of(target), static_cast<uint32_t>(value & 0xff), 1u, size);
}
int FN(MemsetAsync)(void* target, int value, size_t size, void* stream) {
    return tell("MemsetAsync", fill_async, address_of(target), static_cast<uint32_t>(value & 0xff), 1u, size, stream);
}
int FN(MemsetD8)(void* target, unsigned char value, size_t count) {
    return tell("MemsetD8", fill, address_of(target), uint32_t{value}, 1u, count);
}
int FN(MemsetD16)(void* target, unsigned short value, size_t count) {
    return tell("MemsetD16", fill, address_of(target), uint32_t{value}, 2u, count);
}
int FN(MemsetD32)(void* target, int value, size_t count) {
    return tell("MemsetD32", fill, address_of(target), static_cast<uint32_t>(value), 4u, count);
}
int FN(MemsetD8Async)(void* target, unsigned char value, size_t count, void* stream) {
    return tell("MemsetD8Async", fill_async, address_of(target), uint32_t{value}, 1u, count, stream);
}
int FN(MemsetD16Async)(void* target, unsigned short value, size_t count, void* stream) {
    return tell("MemsetD16Async", fill_async, address_of(target), uint32_t{value}, 2u, count, stream);
}
int FN(MemsetD32Async)(void* target, int value, size_t count, void* stream) {
    return tell("MemsetD32Async", fill_async, address_of(target), static_cast<uint32_t>(value), 4u, count, stream);
}

// ---------------------------------------------------------------------------------------------- modules and launches

int FN(ModuleLoadData)(void** module, const void* image) {
    return tell("ModuleLoadData", module_load, module, image, size_t{0});
}
int FN(ModuleLoadDataEx)(void** module, const void* image, unsigned count, const int* options, void** values) {
    return tell("ModuleLoadDataEx", module_load_with_options, module, image, count, options, values);
}
int FN(ModuleUnload)(void* module) {
    return tell("ModuleUnload", module_unload, module);
}
int FN(ModuleGetFunction)(void** function, void* module, const char* name) {
    return tell("ModuleGetFunction", module_function, function, module, name);
}
int FN(ModuleGetGlobal)(void** address, size_t* size, void* module, const char* name) {
    return tell("ModuleGetGlobal", module_global, reinterpret_cast<uint64_t*>(address), size, module, name);
}
int FN(FuncGetAttribute)(int* value, int attribute, void* function) {
    return tell("FuncGetAttribute", function_attribute, value, attribute, function);
}
int FN(ModuleLaunchKernel)(void* function, unsigned groups_x, unsigned groups_y, unsigned groups_z, unsigned group_x, unsigned group_y,
                           unsigned group_z, unsigned shared_bytes, void* stream, void** parameters, void** extra) {
    const Grid grid{{groups_x, groups_y, groups_z}, {group_x, group_y, group_z}, shared_bytes, stream};
    return tell("ModuleLaunchKernel", [&] { launch(function, grid, parameters, extra); });
}

// ---------------------------------------------------------------------------------------------- streams and events

int FN(StreamCreate)(void** stream) {
    return tell("StreamCreate", stream_create, stream, 0u);
}
int FN(StreamCreateWithFlags)(void** stream, unsigned flags) {
    return tell("StreamCreateWithFlags", stream_create, stream, flags);
}
int FN(StreamCreateWithPriority)(void** stream, unsigned flags, int priority) {
    return tell("StreamCreateWithPriority", stream_create_with_priority, stream, flags, priority);
}
int FN(StreamDestroy)(void* stream) {
    return tell("StreamDestroy", stream_destroy, stream);
}
int FN(StreamSynchronize)(void* stream) {
    return tell("StreamSynchronize", stream_synchronize, stream);
}
int FN(StreamQuery)(void* stream) {
    return tell("StreamQuery", stream_query, stream);
}
int FN(StreamWaitEvent)(void* stream, void* event, unsigned flags) {
    return tell("StreamWaitEvent", stream_wait_event, stream, event, flags);
}
int FN(StreamGetPriority)(void* stream, int* priority) {
    return tell("StreamGetPriority", stream_priority, stream, priority);
}
int FN(StreamGetFlags)(void* stream, unsigned* flags) {
    return tell("StreamGetFlags", stream_flags, stream, flags);
}
int FN(StreamAddCallback)(void* stream, StreamCallback callback, void* data, unsigned flags) {
    return tell("StreamAddCallback", stream_callback, stream, callback, data, flags);
}
int FN(LaunchHostFunc)(void* stream, HostFunction function, void* data) {
    return tell("LaunchHostFunc", stream_host_function, stream, function, data);
}
int FN(EventCreate)(void** event) {
    return tell("EventCreate", event_create, event, 0u);
}
int FN(EventCreateWithFlags)(void** event, unsigned flags) {
    return tell("EventCreateWithFlags", event_create, event, flags);
}
int FN(EventDestroy)(void* event) {
    return tell("EventDestroy", event_destroy, event);
}
int FN(EventRecord)(void* event, void* stream) {
    return tell("EventRecord", event_record, event, stream);
}
int FN(EventQuery)(void* event) {
    return tell("EventQuery", event_query, event);
}
int FN(EventSynchronize)(void* event) {
    return tell("EventSynchronize", event_synchronize, event);
}
int FN(EventElapsedTime)(float* milliseconds, void* start, void* end) {
    return tell("EventElapsedTime", event_elapsed, milliseconds, start, end);
}

} // extern "C"
