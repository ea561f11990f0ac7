// The functions of a CUDA-driver-shaped library that the plugin can call: one list, from which the names in the families' data
// files, the struct of pointers and its loading are made. Knows meanings and signatures; the vendors' names are data.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qiao::cuda {

using Code = int32_t;
// Device pointers are integers in some of the libraries and pointers in others: the same to a call.
using Address = uint64_t;
// An int in most libraries, a pointer in some.
using DeviceHandle = uint64_t;
using Generic = void (*)();

// X(name, result, arguments). Streams, events, modules, functions and contexts are `void*`. Functions whose shape differs between
// families are generic; driver.cpp gives each its shape.
#define QIAO_CUDA_SLOTS(X)                                                                                          \
    X(init, Code, (unsigned flags))                                                                                 \
    X(driver_version, Code, (int*))                                                                                 \
    X(error_name, Generic, )                                                                                        \
    X(error_text, Generic, )                                                                                        \
    X(device_count, Code, (int*))                                                                                   \
    X(device_get, Code, (DeviceHandle*, int ordinal))                                                               \
    X(device_name, Code, (char*, int size, DeviceHandle))                                                           \
    X(device_uuid, Code, (void* bytes16, DeviceHandle))                                                             \
    X(device_memory, Code, (size_t*, DeviceHandle))                                                                 \
    X(device_attribute, Code, (int*, int attribute, DeviceHandle))                                                  \
    X(device_pci, Code, (char*, int size, DeviceHandle))                                                            \
    X(context_retain, Code, (void** context, DeviceHandle))                                                         \
    X(context_release, Code, (DeviceHandle))                                                                        \
    X(context_set, Code, (void* context))                                                                           \
    X(context_get, Code, (void** context))                                                                          \
    X(device_set, Code, (int ordinal))                                                                              \
    X(device_current, Code, (int* ordinal))                                                                         \
    X(memory_allocate, Code, (Address*, size_t))                                                                    \
    X(memory_free, Code, (Address))                                                                                 \
    X(memory_info, Code, (size_t* free, size_t* total))                                                             \
    X(managed_allocate, Code, (Address*, size_t, unsigned flags))                                                   \
    X(host_allocate, Code, (void**, size_t, unsigned flags))                                                        \
    X(host_free, Code, (void*))                                                                                     \
    X(host_address, Code, (Address*, void* host, unsigned flags))                                                   \
    X(host_register, Code, (void*, size_t, unsigned flags))                                                         \
    X(host_unregister, Code, (void*))                                                                               \
    X(write_async, Code, (Address, const void*, size_t, void* stream))                                              \
    X(read_async, Code, (void*, Address, size_t, void* stream))                                                     \
    X(copy_async, Code, (Address to, Address from, size_t, void* stream))                                           \
    X(copy_by_kind_async, Generic, )                                                                                \
    X(copy_rows_async, Generic, )                                                                                   \
    X(peer_copy_async, Generic, )                                                                                   \
    X(peer_possible, Code, (int*, DeviceHandle from, DeviceHandle to))                                              \
    X(peer_enable, Generic, )                                                                                       \
    X(fill8_async, Generic, )                                                                                       \
    X(fill16_async, Code, (Address, unsigned short, size_t count, void* stream))                                    \
    X(fill32_async, Code, (Address, unsigned, size_t count, void* stream))                                          \
    X(prefetch_async, Code, (Address, size_t, int ordinal, void* stream))                                           \
    X(stream_create, Code, (void** stream, unsigned flags))                                                         \
    X(stream_create_with_priority, Code, (void** stream, unsigned flags, int priority))                             \
    X(stream_priorities, Code, (int* least, int* greatest))                                                         \
    X(stream_destroy, Code, (void* stream))                                                                         \
    X(stream_wait, Code, (void* stream, void* event, unsigned flags))                                               \
    X(event_create, Code, (void** event, unsigned flags))                                                           \
    X(event_destroy, Code, (void* event))                                                                           \
    X(event_record, Code, (void* event, void* stream))                                                              \
    X(event_query, Code, (void* event))                                                                             \
    X(event_elapsed, Code, (float* milliseconds, void* start, void* end))                                           \
    X(module_load, Generic, )                                                                                       \
    X(module_load_with_options, Code, (void** module, const void* image, unsigned count, int* options, void** values)) \
    X(module_unload, Code, (void* module))                                                                          \
    X(module_function, Code, (void** function, void* module, const char* name))                                     \
    X(function_attribute, Code, (int*, int attribute, void* function))                                              \
    X(launch, Generic, )

enum class Slot : uint32_t {
#define QIAO_CUDA_ENUMERATOR(name, result, arguments) name,
    QIAO_CUDA_SLOTS(QIAO_CUDA_ENUMERATOR)
#undef QIAO_CUDA_ENUMERATOR
        count
};
inline constexpr size_t kSlotCount = static_cast<size_t>(Slot::count);

// Names as the data files spell them, in the order of Slot.
inline constexpr const char* kSlotNames[kSlotCount] = {
#define QIAO_CUDA_NAME(name, result, arguments) #name,
    QIAO_CUDA_SLOTS(QIAO_CUDA_NAME)
#undef QIAO_CUDA_NAME
};

// Without one of these a library cannot be used at all. Where several stand in a row, one is enough.
inline constexpr Slot kRequired[][2] = {
    {Slot::init, Slot::init},
    {Slot::device_count, Slot::device_count},
    {Slot::device_get, Slot::device_get},
    {Slot::device_name, Slot::device_name},
    {Slot::device_memory, Slot::memory_info},
    {Slot::device_attribute, Slot::device_attribute},
    {Slot::context_set, Slot::device_set},
    {Slot::memory_allocate, Slot::memory_allocate},
    {Slot::memory_free, Slot::memory_free},
    {Slot::write_async, Slot::copy_by_kind_async},
    {Slot::read_async, Slot::copy_by_kind_async},
    {Slot::stream_create, Slot::stream_create},
    {Slot::stream_destroy, Slot::stream_destroy},
    {Slot::event_create, Slot::event_create},
    {Slot::event_destroy, Slot::event_destroy},
    {Slot::event_record, Slot::event_record},
    {Slot::event_query, Slot::event_query},
    {Slot::module_load, Slot::module_load},
    {Slot::module_unload, Slot::module_unload},
    {Slot::module_function, Slot::module_function},
    {Slot::launch, Slot::launch},
};

} // namespace qiao::cuda
