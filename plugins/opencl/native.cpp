// OpenCL's own objects, given to applications and taken from them. What is taken stays the application's: queues and buffers
// are retained meanwhile, shared memory has no count and is only forgotten.
#include "memory.h"
#include "queue.h"

namespace qiao::opencl {
namespace {

template <typename Handle>
uint64_t number(Handle* handle) {
    return reinterpret_cast<uintptr_t>(handle);
}

template <typename Handle>
Handle handle_of(const qiao_native& native) {
    return reinterpret_cast<Handle>(static_cast<uintptr_t>(native.handles[0]));
}

qiao_native_type memory_type(const Device& device) {
    return device.addresses == Addresses::kSvm ? QIAO_NATIVE_TYPE_OPENCL_SVM : QIAO_NATIVE_TYPE_OPENCL_USM;
}

qiao_status check_type(const Device& device, const qiao_native& native, qiao_native_type wanted, const char* what) {
    if (native.type == wanted) return QIAO_OK;
    return fail(device.host, QIAO_ERROR_UNSUPPORTED, nullptr, "a native handle of type 0x%x is no %s of %s, which is 0x%x",
                native.type, what, device.record->info.name, wanted);
}

template <typename Value>
cl_int ask(const Device& device, cl_command_queue queue, cl_command_queue_info what, Value* out) {
    return device.cl->clGetCommandQueueInfo(queue, what, sizeof *out, out, nullptr);
}

// Whether the plugin can work on it: the same context and device, in order, and with times if they are wanted.
qiao_status check_queue(Device& device, cl_command_queue queue, bool profiling) {
    cl_context context = nullptr;
    cl_device_id id = nullptr;
    cl_command_queue_properties properties = 0;
    cl_int code = ask(device, queue, CL_QUEUE_CONTEXT, &context);
    if (code == CL_SUCCESS) code = ask(device, queue, CL_QUEUE_DEVICE, &id);
    if (code == CL_SUCCESS) code = ask(device, queue, CL_QUEUE_PROPERTIES, &properties);
    if (code != CL_SUCCESS) return device_failed(device, code, "asking a command queue what it is");
    const auto refuse = [&](const char* remedy, const char* reason) {
        return fail(device.host, QIAO_ERROR_INVALID_ARGUMENT, remedy, "the command queue %s", reason);
    };
    if (context != device.context)
        return refuse("make it in the context of qiao_device_get_native", "is of another context");
    if (id != device.record->id) return refuse("make it for the device of qiao_device_get_native", "is of another device");
    if ((properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0)
        return refuse("make it in order", "runs commands out of order");
    if (profiling && (properties & CL_QUEUE_PROFILING_ENABLE) == 0)
        return refuse("make it with CL_QUEUE_PROFILING_ENABLE, or wrap it without QIAO_QUEUE_PROFILING", "keeps no times");
    return QIAO_OK;
}

template <typename Value>
cl_int ask(const Device& device, cl_mem buffer, cl_mem_info what, Value* out) {
    return device.cl->clGetMemObjectInfo(buffer, what, sizeof *out, out, nullptr);
}

// The same for a buffer; what it has room for is known, so the descriptor cannot promise more.
qiao_status check_buffer(Device& device, cl_mem buffer, uint64_t size_bytes) {
    cl_context context = nullptr;
    cl_mem_object_type type = 0;
    size_t has = 0;
    cl_int code = ask(device, buffer, CL_MEM_CONTEXT, &context);
    if (code == CL_SUCCESS) code = ask(device, buffer, CL_MEM_TYPE, &type);
    if (code == CL_SUCCESS) code = ask(device, buffer, CL_MEM_SIZE, &has);
    if (code != CL_SUCCESS) return device_failed(device, code, "asking a memory object what it is");
    if (context != device.context)
        return fail(device.host, QIAO_ERROR_INVALID_ARGUMENT, "make it in the context of qiao_device_get_native",
                    "the buffer is of another context");
    if (type != CL_MEM_OBJECT_BUFFER)
        return fail(device.host, QIAO_ERROR_INVALID_ARGUMENT, "wrap a buffer", "the memory object is an image or a pipe");
    if (has < size_bytes)
        return fail(device.host, QIAO_ERROR_OUT_OF_RANGE, "give its own size, or less", "the buffer has %llu bytes, not %llu",
                    static_cast<unsigned long long>(has), static_cast<unsigned long long>(size_bytes));
    return QIAO_OK;
}

qiao_status fail_incomplete_loader(const Device& device, const char* what) {
    return fail(device.host, QIAO_ERROR_UNSUPPORTED, "install a complete ICD loader", "%s cannot tell what a %s is",
                device.plugin->library.c_str(), what);
}

} // namespace

qiao_status opencl_device_native(void* device_pointer, qiao_native* out_native) {
    const Device& device = *static_cast<Device*>(device_pointer);
    *out_native = {QIAO_NATIVE_TYPE_OPENCL_DEVICE,
                   0,
                   {number(device.record->id), number(device.context), number(device.record->platform), 0}};
    return QIAO_OK;
}

qiao_status opencl_memory_native(void* device_pointer, void* allocation_pointer, qiao_native* out_native) {
    const auto* allocation = static_cast<const Allocation*>(allocation_pointer);
    *out_native = {memory_type(*static_cast<Device*>(device_pointer)), 0, {number(allocation->pointer), 0, 0, 0}};
    return QIAO_OK;
}

qiao_status opencl_memory_wrap(void* device_pointer, const qiao_plugin_memory_desc* desc, const qiao_native* native,
                               qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        const qiao_status status = check_type(device, *native, memory_type(device), "memory");
        if (status != QIAO_OK) return status;
        auto allocation = std::make_unique<Allocation>();
        allocation->pointer = handle_of<char*>(*native);
        allocation->base = allocation->pointer;
        allocation->owned = false;
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        allocation->host_visible = desc->kind != QIAO_MEMORY_KIND_DEVICE;
        remember(device, allocation.get());
        out_allocation->address = native->handles[0];
        out_allocation->host_pointer = allocation->host_visible ? allocation->pointer : nullptr;
        out_allocation->size_bytes = desc->size_bytes;
        out_allocation->allocation = allocation.release();
        return QIAO_OK;
    });
}

qiao_status opencl_buffer_native(void*, void* allocation_pointer, qiao_native* out_native) {
    const auto* allocation = static_cast<const Allocation*>(allocation_pointer);
    *out_native = {QIAO_NATIVE_TYPE_OPENCL_BUFFER, 0, {number(allocation->buffer), 0, 0, 0}};
    return QIAO_OK;
}

qiao_status opencl_buffer_wrap(void* device_pointer, const qiao_plugin_memory_desc* desc, const qiao_native* native,
                               qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        qiao_status status = check_type(device, *native, QIAO_NATIVE_TYPE_OPENCL_BUFFER, "memory");
        if (status != QIAO_OK) return status;
        if (device.cl->clGetMemObjectInfo == nullptr || device.cl->clRetainMemObject == nullptr)
            return fail_incomplete_loader(device, "buffer");
        const auto buffer = handle_of<cl_mem>(*native);
        status = check_buffer(device, buffer, desc->size_bytes);
        if (status != QIAO_OK) return status;
        auto allocation = std::make_unique<Allocation>();
        const cl_int code = device.cl->clRetainMemObject(buffer);
        if (code != CL_SUCCESS) return device_failed(device, code, "keeping a buffer");
        allocation->buffer = buffer;
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        out_allocation->size_bytes = desc->size_bytes;
        out_allocation->allocation = allocation.release();
        return QIAO_OK;
    });
}

qiao_status opencl_queue_native(void* queue_pointer, qiao_native* out_native) {
    const Queue& queue = *static_cast<Queue*>(queue_pointer);
    *out_native = {QIAO_NATIVE_TYPE_OPENCL_QUEUE, 0, {number(queue.launcher.queue), 0, 0, 0}};
    return QIAO_OK;
}

qiao_status opencl_queue_wrap(void* device_pointer, const qiao_plugin_queue_desc* desc, const qiao_native* native,
                              void** out_queue) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        qiao_status status = check_type(device, *native, QIAO_NATIVE_TYPE_OPENCL_QUEUE, "command queue");
        if (status != QIAO_OK) return status;
        if (device.cl->clGetCommandQueueInfo == nullptr || device.cl->clRetainCommandQueue == nullptr)
            return fail_incomplete_loader(device, "command queue");
        const auto queue = handle_of<cl_command_queue>(*native);
        status = check_queue(device, queue, (desc->flags & QIAO_PLUGIN_QUEUE_PROFILING) != 0);
        if (status != QIAO_OK) return status;
        const cl_int code = device.cl->clRetainCommandQueue(queue);
        if (code != CL_SUCCESS) return device_failed(device, code, "keeping a command queue");
        return make_queue(device, queue, *desc, out_queue);
    });
}

} // namespace qiao::opencl
