// The plugin, the devices it found, and a device that is open. Whether a device has addresses is decided when it is listed;
// which functions reach its memory (SVM or USM) when it is opened: everybody else calls through the pointers kept here.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "launch.h"
#include "status.h"
#include "symbols.h"

namespace qiao::opencl {

struct Queue;
struct Allocation;

// A device as found; filled once and then constant.
struct DeviceRecord {
    cl_platform_id platform = nullptr;
    cl_device_id id = nullptr;
    Extensions extensions;
    std::string platform_name;
    std::string cl_extensions;
    std::string formats;
    unsigned version = 0; // 120, 200, 300
    cl_device_svm_capabilities svm = 0;
    bool usm = false; // says so; opening finds out
    bool priorities = false;
    bool source = false; // builds OpenCL C
    std::string il;      // "SPIR-V_1.0 SPIR-V_1.2"; "" = none
    bool remainder_groups = false;
    bool hands_out_output = false; // what kernels print; else the driver writes it to stdout
    bool table = false; // buffers, and addresses made by the host
    bool cpu = false;   // the host's processor: kernels run in the process
    qiao_plugin_device_info info = {}; // struct_size 0: not filled yet
};

// QIAO_OPENCL_ADDRESSES: the driver's where it says it has some, never anything else, or the host's always.
enum class AddressMode { kAuto, kNative, kTable };

struct Plugin {
    const qiao_host_api* host = nullptr;
    std::string library;
    Symbols cl;
    AddressMode mode = AddressMode::kAuto;
    std::mutex mutex; // guards what follows
    bool enumerated = false;
    std::vector<DeviceRecord> records;
};

enum class Addresses { kSvm, kUsm, kTable };

struct Device {
    Plugin* plugin = nullptr;
    const qiao_host_api* host = nullptr;
    const Symbols* cl = nullptr;
    const DeviceRecord* record = nullptr;
    uint64_t token = 0;
    cl_context context = nullptr;

    Addresses addresses = Addresses::kSvm;
    uint32_t memory_kinds = 0; // tried out, unlike the record's
    decltype(&::clSetKernelArgSVMPointer) set_pointer = nullptr;
    decltype(&::clEnqueueSVMMemcpy) copy = nullptr;
    decltype(&::clEnqueueSVMMemFill) fill = nullptr;

    // A freed address may come back with equal bytes, so every free makes all arguments be set again; kernels that follow
    // addresses in data must be told of every allocation, so for them each change counts.
    alignas(64) std::atomic<uint64_t> frees{1};
    std::atomic<uint64_t> changes{1};
    std::atomic<bool> lost{false};

    alignas(64) std::mutex mutex; // guards what follows
    std::vector<Queue*> queues;
    std::vector<Allocation*> allocations;
    KernelNumbers kernels;
    int spirv_works = -1; // not tried yet

    std::mutex trying_import; // guards what follows
    int import_works = -1;    // not tried yet

    // For blocking copies, map and the launches of hosts that have no queues.
    std::mutex immediate_mutex;
    Launcher immediate;
};

// Fills what a record knows without opening the device (device_info.cpp).
void describe_device(Plugin& plugin, DeviceRecord& record);

// An in-order command queue; null and *out_code on failure. `priority` above 0 is "high".
cl_command_queue create_command_queue(Device& device, bool profiling, uint32_t priority, cl_int* out_code);

// Reports a failed call of a running device: the host's error record, and the device's loss if the code means that.
[[gnu::format(printf, 3, 4)]] qiao_status device_failed(Device& device, cl_int code, const char* format, ...) noexcept;

// Whether the code, which may mean several things, means that the device is gone. Tells the host once.
bool check_lost(Device& device, cl_int code) noexcept;

// Slots of several tables (native.cpp).
qiao_status opencl_device_native(void* device, qiao_native* out_native);
qiao_status opencl_memory_native(void* device, void* allocation, qiao_native* out_native);
qiao_status opencl_memory_wrap(void* device, const qiao_plugin_memory_desc* desc, const qiao_native* native,
                               qiao_plugin_allocation* out_allocation);
qiao_status opencl_buffer_native(void* device, void* allocation, qiao_native* out_native);
qiao_status opencl_buffer_wrap(void* device, const qiao_plugin_memory_desc* desc, const qiao_native* native,
                               qiao_plugin_allocation* out_allocation);
qiao_status opencl_memory_import(void* device, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import,
                                 qiao_plugin_allocation* out_allocation); // import.cpp
qiao_status opencl_buffer_import(void* device, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import,
                                 qiao_plugin_allocation* out_allocation);
qiao_status opencl_queue_native(void* queue, qiao_native* out_native);
qiao_status opencl_queue_wrap(void* device, const qiao_plugin_queue_desc* desc, const qiao_native* native, void** out_queue);

extern const qiao_plugin_device_ops opencl_device_ops;
extern const qiao_plugin_memory_ops opencl_memory_ops;
extern const qiao_plugin_memory_ops opencl_usm_memory_ops; // without map: the host cannot reach USM device memory
extern const qiao_plugin_memory_ops opencl_buffer_memory_ops;
extern const qiao_plugin_program_ops opencl_program_ops, opencl_buffer_program_ops;
extern const qiao_plugin_queue_ops opencl_queue_ops, opencl_buffer_queue_ops;
extern const qiao_plugin_tables opencl_tables;
extern const qiao_plugin_tables opencl_usm_tables;
extern const qiao_plugin_tables opencl_buffer_tables;

} // namespace qiao::opencl
