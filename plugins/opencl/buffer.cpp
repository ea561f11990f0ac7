// Buffers: allocation, blocking copies on the device's immediate queue, the host's view, and transfers for queue.cpp.
#include "buffer.h"

#include "completion.h"

namespace qiao::opencl {
namespace {

const Allocation* allocation_of(const qiao_plugin_place& place) {
    return static_cast<const Allocation*>(place.allocation);
}

void* host_pointer(const qiao_plugin_place& place) {
    return reinterpret_cast<void*>(static_cast<uintptr_t>(place.address));
}

cl_int enqueue_bytes(const Symbols& cl, cl_command_queue queue, const qiao_plugin_copy& copy, cl_event* event) {
    const Allocation *source = allocation_of(copy.source), *target = allocation_of(copy.target);
    if (source == nullptr)
        return cl.clEnqueueWriteBuffer(queue, target->buffer, CL_FALSE, copy.target.offset, copy.size_bytes,
                                       host_pointer(copy.source), 0, nullptr, event);
    if (target == nullptr)
        return cl.clEnqueueReadBuffer(queue, source->buffer, CL_FALSE, copy.source.offset, copy.size_bytes,
                                      host_pointer(copy.target), 0, nullptr, event);
    return cl.clEnqueueCopyBuffer(queue, source->buffer, target->buffer, copy.source.offset, copy.target.offset,
                                  copy.size_bytes, 0, nullptr, event);
}

// A rectangle's first byte: OpenCL adds row * pitch + byte.
struct Origin {
    size_t at[3];
    Origin(const qiao_plugin_place& place, uint64_t pitch)
        : at{place.allocation == nullptr ? 0 : place.offset % pitch, place.allocation == nullptr ? 0 : place.offset / pitch,
             0} {}
};

cl_int enqueue_rows(const Symbols& cl, cl_command_queue queue, const qiao_plugin_copy& copy, cl_event* event) {
    const Allocation *source = allocation_of(copy.source), *target = allocation_of(copy.target);
    const Origin from(copy.source, copy.source_pitch), to(copy.target, copy.target_pitch);
    const size_t region[3] = {copy.size_bytes, copy.rows, std::max<uint64_t>(copy.slices, 1)};
    if (source == nullptr)
        return cl.clEnqueueWriteBufferRect(queue, target->buffer, CL_FALSE, to.at, from.at, region, copy.target_pitch,
                                           copy.target_slice_pitch, copy.source_pitch, copy.source_slice_pitch, host_pointer(copy.source), 0, nullptr, event);
    if (target == nullptr)
        return cl.clEnqueueReadBufferRect(queue, source->buffer, CL_FALSE, from.at, to.at, region, copy.source_pitch, copy.source_slice_pitch,
                                          copy.target_pitch, copy.target_slice_pitch, host_pointer(copy.target), 0, nullptr, event);
    return cl.clEnqueueCopyBufferRect(queue, source->buffer, target->buffer, from.at, to.at, region, copy.source_pitch,
                                      copy.source_slice_pitch, copy.target_pitch, copy.target_slice_pitch, 0, nullptr, event);
}

// One blocking copy; drivers' blocking calls have no time limit, so it is enqueued and waited for.
qiao_status transfer_now(Device& device, const qiao_plugin_copy& copy, const char* what) {
    if (copy.size_bytes == 0) return QIAO_OK;
    cl_event event = nullptr;
    const cl_command_queue queue = device.immediate.queue;
    const cl_int code = enqueue_bytes(*device.cl, queue, copy, &event);
    if (code != CL_SUCCESS)
        return device_failed(device, code, "%s of %llu bytes", what, static_cast<unsigned long long>(copy.size_bytes));
    device.cl->clFlush(queue);
    return finish(device, event, what);
}

qiao_plugin_place host_place(const void* pointer) {
    return {nullptr, 0, reinterpret_cast<uintptr_t>(pointer)};
}

} // namespace

cl_int enqueue_transfer(Device& device, cl_command_queue queue, const qiao_plugin_copy& copy, cl_event* event) noexcept {
    return copy.rows > 1 ? enqueue_rows(*device.cl, queue, copy, event) : enqueue_bytes(*device.cl, queue, copy, event);
}

// ---------------------------------------------------------------------------------------------- slots

static qiao_status opencl_buffer_allocate(void* device_pointer, const qiao_plugin_memory_desc* desc,
                                          qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        auto allocation = std::make_unique<Allocation>();
        cl_int code = CL_SUCCESS;
        allocation->buffer =
            device.cl->clCreateBuffer(device.context, CL_MEM_READ_WRITE, desc->size_bytes, nullptr, &code);
        if (allocation->buffer == nullptr) return allocation_failed(device, *desc, code);
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        out_allocation->size_bytes = desc->size_bytes;
        out_allocation->allocation = allocation.release();
        return QIAO_OK;
    });
}

static void opencl_buffer_free(void* device_pointer, void* allocation_pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    auto* allocation = static_cast<Allocation*>(allocation_pointer);
    device.frees.fetch_add(1, std::memory_order_release);
    if (!device.lost.load()) device.cl->clReleaseMemObject(allocation->buffer);
    delete allocation;
}

static qiao_status opencl_buffer_write(void* device_pointer, void* allocation_pointer, uint64_t offset,
                                       const void* source, uint64_t size_bytes) {
    qiao_plugin_copy copy = {};
    copy.source = host_place(source);
    copy.target = {allocation_pointer, offset, 0};
    copy.size_bytes = size_bytes;
    return transfer_now(*static_cast<Device*>(device_pointer), copy, "a write to memory");
}

static qiao_status opencl_buffer_read(void* device_pointer, void* allocation_pointer, uint64_t offset, void* target,
                                      uint64_t size_bytes) {
    qiao_plugin_copy copy = {};
    copy.source = {allocation_pointer, offset, 0};
    copy.target = host_place(target);
    copy.size_bytes = size_bytes;
    return transfer_now(*static_cast<Device*>(device_pointer), copy, "a read from memory");
}

static qiao_status opencl_buffer_map(void* device_pointer, void* allocation_pointer, uint64_t offset,
                                     uint64_t size_bytes, uint64_t flags, void** out_pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    const cl_map_flags access =
        (flags & QIAO_ACCESS_READ ? CL_MAP_READ : 0) | (flags & QIAO_ACCESS_WRITE ? CL_MAP_WRITE : 0);
    const cl_command_queue queue = device.immediate.queue;
    cl_event event = nullptr;
    cl_int code = CL_SUCCESS;
    void* pointer =
        device.cl->clEnqueueMapBuffer(queue, static_cast<const Allocation*>(allocation_pointer)->buffer, CL_FALSE,
                                      access, offset, size_bytes, 0, nullptr, &event, &code);
    if (code != CL_SUCCESS)
        return device_failed(device, code, "a map of %llu bytes", static_cast<unsigned long long>(size_bytes));
    device.cl->clFlush(queue);
    if (const qiao_status status = finish(device, event, "a map of memory"); status != QIAO_OK) return status;
    *out_pointer = pointer;
    return QIAO_OK;
}

static qiao_status opencl_buffer_unmap(void* device_pointer, void* allocation_pointer, void* pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    const cl_command_queue queue = device.immediate.queue;
    cl_event event = nullptr;
    const cl_int code = device.cl->clEnqueueUnmapMemObject(
        queue, static_cast<const Allocation*>(allocation_pointer)->buffer, pointer, 0, nullptr, &event);
    if (code != CL_SUCCESS) return device_failed(device, code, "an unmap");
    device.cl->clFlush(queue);
    return finish(device, event, "an unmap of memory");
}

const qiao_plugin_memory_ops opencl_buffer_memory_ops = {
    sizeof(qiao_plugin_memory_ops),
    opencl_buffer_allocate,
    opencl_buffer_free,
    opencl_buffer_write,
    opencl_buffer_read,
    opencl_buffer_map,
    opencl_buffer_unmap,
    opencl_buffer_native,
    opencl_buffer_wrap,
    opencl_buffer_import,
    nullptr, // memory_export
    nullptr, // memory_evict: the core frees and allocates
    nullptr, // memory_restore
};

} // namespace qiao::opencl
