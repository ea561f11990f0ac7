// Devices: every platform's, listed once; opening one (context, addresses tried out), its loss and its clock. One context
// per device, so that a broken device does not take its neighbours along.
#include "device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>

#include "completion.h"
#include "memory.h"
#include "queue.h"

namespace qiao::opencl {
namespace {

// ---------------------------------------------------------------------------------------------- listing

std::string platform_name(const Symbols& cl, cl_platform_id platform) {
    char name[128] = "";
    if (cl.clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, nullptr) != CL_SUCCESS)
        return "unnamed";
    return name;
}

void tell_no_platform(const Plugin& plugin, cl_int code) {
    const char* vendors = secure_getenv("OCL_ICD_VENDORS");
    const std::string from = vendors != nullptr && vendors[0] != '\0'
                                 ? "OCL_ICD_VENDORS=" + std::string(vendors)
                                 : "OCL_ICD_VENDORS is not set, so /etc/OpenCL/vendors was read";
    fail_call(
        plugin.host, code == CL_SUCCESS ? CL_PLATFORM_NOT_FOUND_KHR : code,
        "install the card's OpenCL driver, or pocl-opencl-icd for the CPU; OCL_ICD_VENDORS must name a directory with "
        ".icd files whose libraries can be opened",
        "%s found no OpenCL platform (%s)", plugin.library.c_str(), from.c_str());
}

void list_platform(Plugin& plugin, cl_platform_id platform) {
    const Symbols& cl = plugin.cl;
    const std::string name = platform_name(cl, platform);
    cl_uint count = 0;
    cl_int code = cl.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count);
    std::vector<cl_device_id> ids(count);
    if (code == CL_SUCCESS && count != 0)
        code = cl.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids.data(), nullptr);
    if (code != CL_SUCCESS && code != CL_DEVICE_NOT_FOUND) {
        log(plugin.host, QIAO_LOG_LEVEL_WARNING,
            "OpenCL platform '%s' is left out: it cannot list its devices: %s (%d)", name.c_str(), error_name(code),
            code);
        return;
    }
    if (count == 0) log(plugin.host, QIAO_LOG_LEVEL_INFO, "OpenCL platform '%s' has no device", name.c_str());
    const Extensions extensions = load_extensions(cl, platform);
    for (cl_device_id id : ids) {
        DeviceRecord& record = plugin.records.emplace_back();
        record.platform = platform;
        record.id = id;
        record.extensions = extensions;
        record.platform_name = name;
    }
}

void enumerate(Plugin& plugin) {
    cl_uint count = 0;
    cl_int code = plugin.cl.clGetPlatformIDs(0, nullptr, &count);
    std::vector<cl_platform_id> platforms(count);
    if (code == CL_SUCCESS && count != 0) code = plugin.cl.clGetPlatformIDs(count, platforms.data(), nullptr);
    if (code != CL_SUCCESS || count == 0) return tell_no_platform(plugin, code);
    for (cl_platform_id platform : platforms)
        list_platform(plugin, platform);
    for (DeviceRecord& record : plugin.records)
        describe_device(plugin, record);
    plugin.enumerated = true; // not before: without platforms the next call looks, and tells, again
}

// ---------------------------------------------------------------------------------------------- opening

void close_device(Device& device) {
    launcher_destroy(device.immediate);
    if (device.context != nullptr && !device.lost.load()) device.cl->clReleaseContext(device.context);
}

// cl_arm_printf: in place of writing to stdout. It does not say which kernel it was.
void CL_CALLBACK take_output(const char* text, size_t size, size_t, void* device_pointer) {
    const Device& device = *static_cast<Device*>(device_pointer);
    if (QIAO_PLUGIN_HAS(qiao_host_api, device.host, output))
        device.host->output(device.host->host, device.token, nullptr, text, size);
}

// Nothing is made of these: every failure is a call's too. But a context without it takes no user data.
void CL_CALLBACK ignore_remark(const char*, const void*, size_t, void*) {}

cl_context create_context(Device& device, cl_int* out_code) {
    const DeviceRecord& record = *device.record;
    const auto platform = reinterpret_cast<cl_context_properties>(record.platform);
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, platform, CL_PRINTF_CALLBACK_ARM,
                                                reinterpret_cast<cl_context_properties>(&take_output), 0};
    const cl_context_properties without[] = {CL_CONTEXT_PLATFORM, platform, 0};
    return record.hands_out_output ? device.cl->clCreateContext(properties, 1, &record.id, &ignore_remark, &device, out_code)
                                   : device.cl->clCreateContext(without, 1, &record.id, nullptr, nullptr, out_code);
}

qiao_status open_device(Device& device) {
    const DeviceRecord& record = *device.record;
    if (record.info.memory_kinds == 0)
        return fail(device.host, QIAO_ERROR_UNSUPPORTED, "use a newer driver, or QIAO_OPENCL_ADDRESSES=auto",
                    "%s has no device addresses: its driver offers neither shared virtual memory (OpenCL 2.0) nor "
                    "cl_intel_unified_shared_memory",
                    record.info.name);
    cl_int code = CL_SUCCESS;
    device.context = create_context(device, &code);
    if (device.context == nullptr) return device_failed(device, code, "%s cannot be opened", record.info.name);
    cl_command_queue queue = create_command_queue(device, false, 0, &code);
    if (queue == nullptr) return device_failed(device, code, "%s gives no command queue", record.info.name);
    launcher_create(device.immediate, device, queue);
    if (!choose_addresses(device))
        return fail(device.host, QIAO_ERROR_UNSUPPORTED, "use another driver, or QIAO_OPENCL_ADDRESSES=table",
                    "%s says that it has %s, but a copy through it does not work", record.info.name,
                    record.usm ? "unified shared memory" : "shared virtual memory");
    return QIAO_OK;
}

// ---------------------------------------------------------------------------------------------- clock

bool timer_clock(Device& device, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    if (device.cl->clGetDeviceAndHostTimer == nullptr || device.record->version < 210) return false;
    cl_ulong device_ns = 0, other = 0;
    const uint64_t before = device.host->now_ns(device.host->host);
    if (device.cl->clGetDeviceAndHostTimer(device.record->id, &device_ns, &other) != CL_SUCCESS) return false;
    const uint64_t after = device.host->now_ns(device.host->host);
    if (device_ns == 0) return false; // 0: the driver has no timer, whatever it returned
    *out_device_ns = device_ns;
    *out_host_ns = before + (after - before) / 2;
    return true;
}

// A marker on a profiling queue ends at a known device time between two host times.
cl_int marker_clock(Device& device, cl_command_queue queue, uint64_t* out_width, uint64_t* out_device_ns,
                    uint64_t* out_host_ns) {
    cl_event event = nullptr;
    const uint64_t before = device.host->now_ns(device.host->host);
    cl_int code = device.cl->clEnqueueMarkerWithWaitList(queue, 0, nullptr, &event);
    if (code != CL_SUCCESS) return code;
    device.cl->clFlush(queue);
    cl_int end = CL_COMPLETE;
    const qiao_status status = wait_event(device, event, QIAO_TIMEOUT_INFINITE, &end);
    const uint64_t after = device.host->now_ns(device.host->host);
    cl_ulong device_ns = 0;
    code = status != QIAO_OK ? CL_DEVICE_NOT_AVAILABLE : end;
    if (code == CL_SUCCESS)
        code =
            device.cl->clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof device_ns, &device_ns, nullptr);
    device.cl->clReleaseEvent(event);
    *out_width = after - before;
    *out_device_ns = device_ns;
    *out_host_ns = before + (after - before) / 2;
    return code;
}

} // namespace

// ---------------------------------------------------------------------------------------------- for the other files

cl_command_queue create_command_queue(Device& device, bool profiling, uint32_t priority, cl_int* out_code) {
    const Symbols& cl = *device.cl;
    const cl_device_id id = device.record->id;
    const cl_command_queue_properties flags = profiling ? CL_QUEUE_PROFILING_ENABLE : 0;
    if (cl.clCreateCommandQueueWithProperties == nullptr || device.record->version < 200) {
        if (cl.clCreateCommandQueue != nullptr) return cl.clCreateCommandQueue(device.context, id, flags, out_code);
        *out_code = CL_INVALID_OPERATION;
        return nullptr;
    }
    cl_queue_properties properties[5] = {CL_QUEUE_PROPERTIES, flags, 0, 0, 0};
    if (device.record->priorities) {
        properties[2] = CL_QUEUE_PRIORITY_KHR;
        properties[3] = priority > 0 ? CL_QUEUE_PRIORITY_HIGH_KHR : CL_QUEUE_PRIORITY_MED_KHR;
    }
    return cl.clCreateCommandQueueWithProperties(device.context, id, properties, out_code);
}

bool check_lost(Device& device, cl_int code) noexcept {
    if (status_of(code) != QIAO_ERROR_DEVICE_LOST) {
        if (code != CL_OUT_OF_RESOURCES) return false;
        cl_bool available = CL_TRUE;
        const cl_int asked =
            device.cl->clGetDeviceInfo(device.record->id, CL_DEVICE_AVAILABLE, sizeof available, &available, nullptr);
        if (asked == CL_SUCCESS && available == CL_TRUE) return false;
    }
    if (!device.lost.exchange(true, std::memory_order_acq_rel))
        device.host->device_lost(device.host->host, device.token, error_name(code));
    return true;
}

qiao_status device_failed(Device& device, cl_int code, const char* format, ...) noexcept {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const qiao_status status = fail_call(device.host, code, nullptr, "%s: %s (%d)", message, error_name(code), code);
    return check_lost(device, code) ? static_cast<qiao_status>(QIAO_ERROR_DEVICE_LOST) : status;
}

// ---------------------------------------------------------------------------------------------- slots

static qiao_status opencl_device_count(void* plugin_pointer, uint32_t* out_count) {
    Plugin& plugin = *static_cast<Plugin*>(plugin_pointer);
    return guarded(plugin.host, [&] {
        std::lock_guard lock(plugin.mutex);
        if (!plugin.enumerated) enumerate(plugin);
        *out_count = static_cast<uint32_t>(plugin.records.size());
        return static_cast<qiao_status>(QIAO_OK);
    });
}

static qiao_status opencl_device_query(void* plugin_pointer, uint32_t index, qiao_plugin_device_info* out_info) {
    Plugin& plugin = *static_cast<Plugin*>(plugin_pointer);
    std::lock_guard lock(plugin.mutex);
    if (index >= plugin.records.size())
        return fail(plugin.host, QIAO_ERROR_OUT_OF_RANGE, nullptr, "there is no OpenCL device %u; there are %zu", index,
                    plugin.records.size());
    const size_t room = out_info->struct_size;
    std::memcpy(out_info, &plugin.records[index].info, std::min(room, sizeof *out_info));
    out_info->struct_size = room;
    return QIAO_OK;
}

static qiao_status opencl_device_open(void* plugin_pointer, uint32_t index, uint64_t device_token, void** out_device) {
    Plugin& plugin = *static_cast<Plugin*>(plugin_pointer);
    return guarded(plugin.host, [&]() -> qiao_status {
        auto device = std::make_unique<Device>();
        device->plugin = &plugin;
        device->host = plugin.host;
        device->cl = &plugin.cl;
        device->token = device_token;
        {
            std::lock_guard lock(plugin.mutex);
            device->record = &plugin.records.at(index);
        }
        if (const qiao_status status = open_device(*device); status != QIAO_OK) {
            close_device(*device);
            return status;
        }
        *out_device = device.release();
        return QIAO_OK;
    });
}

static void opencl_device_close(void* device_pointer) {
    auto* device = static_cast<Device*>(device_pointer);
    close_device(*device);
    delete device;
}

static qiao_status opencl_device_synchronize(void* device_pointer, uint64_t timeout_ns) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status { return synchronize(device, timeout_ns); });
}

static qiao_status opencl_device_state(void* device_pointer, qiao_plugin_device_state* out_state, char* reason,
                                       size_t reason_size) {
    Device& device = *static_cast<Device*>(device_pointer);
    cl_bool available = CL_TRUE;
    const cl_int code =
        device.cl->clGetDeviceInfo(device.record->id, CL_DEVICE_AVAILABLE, sizeof available, &available, nullptr);
    const bool lost = device.lost.load() || code != CL_SUCCESS || available != CL_TRUE;
    *out_state = lost ? QIAO_PLUGIN_DEVICE_STATE_LOST : QIAO_PLUGIN_DEVICE_STATE_OK;
    if (reason_size != 0)
        snprintf(reason, reason_size, "%s",
                 !lost                ? ""
                 : device.lost.load() ? "its driver reported the loss"
                                      : "its driver says CL_DEVICE_AVAILABLE is false");
    return QIAO_OK;
}

static qiao_status opencl_device_clock(void* device_pointer, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    Device& device = *static_cast<Device*>(device_pointer);
    if (timer_clock(device, out_device_ns, out_host_ns)) return QIAO_OK;
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = create_command_queue(device, true, 0, &code);
    if (queue == nullptr) return device_failed(device, code, "a profiling queue for the clock");
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 4 && code == CL_SUCCESS; ++i) {
        uint64_t width = 0, device_ns = 0, host_ns = 0;
        code = marker_clock(device, queue, &width, &device_ns, &host_ns);
        if (code != CL_SUCCESS || width >= best) continue;
        best = width;
        *out_device_ns = device_ns;
        *out_host_ns = host_ns;
    }
    if (!device.lost.load()) device.cl->clReleaseCommandQueue(queue);
    return code == CL_SUCCESS ? static_cast<qiao_status>(QIAO_OK)
                              : device_failed(device, code, "reading the device's clock");
}

const qiao_plugin_device_ops opencl_device_ops = {
    sizeof(qiao_plugin_device_ops),
    opencl_device_count,
    opencl_device_query,
    opencl_device_open,
    opencl_device_close,
    opencl_device_synchronize,
    opencl_device_state,
    nullptr, // device_reset: OpenCL has none
    nullptr, // device_memory_free: OpenCL does not tell
    opencl_device_clock,
    opencl_device_native,
};

} // namespace qiao::opencl
