// Memory: allocations with native addresses (shared virtual memory, or Intel's unified shared memory), blocking copies on
// the device's immediate queue, and the host's view of coarse-grained memory. Asynchronous copies are queue.cpp's.
#include "memory.h"

#include <algorithm>

#include "completion.h"

namespace qiao::opencl {
namespace {

constexpr uint64_t kProbeLimitNs = 10'000'000'000;
constexpr size_t kDriverAlignment = 128; // the largest OpenCL data type; drivers refuse more

// ---------------------------------------------------------------------------------------------- native calls

// Null on failure; SVM has no error code, so that one is guessed.
void* allocate_native(Device& device, Addresses addresses, qiao_memory_kind kind, size_t size, cl_int* out_code) {
    *out_code = CL_SUCCESS;
    if (addresses == Addresses::kSvm) {
        const cl_svm_mem_flags fine = kind == QIAO_MEMORY_KIND_DEVICE ? 0 : CL_MEM_SVM_FINE_GRAIN_BUFFER;
        void* pointer = device.cl->clSVMAlloc(device.context, CL_MEM_READ_WRITE | fine, size, kDriverAlignment);
        if (pointer == nullptr) *out_code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
        return pointer;
    }
    const Extensions& x = device.record->extensions;
    switch (kind) {
        case QIAO_MEMORY_KIND_HOST:
            return x.clHostMemAllocINTEL(device.context, nullptr, size, kDriverAlignment, out_code);
        case QIAO_MEMORY_KIND_SHARED:
            return x.clSharedMemAllocINTEL(device.context, device.record->id, nullptr, size, kDriverAlignment,
                                           out_code);
        default:
            return x.clDeviceMemAllocINTEL(device.context, device.record->id, nullptr, size, kDriverAlignment,
                                           out_code);
    }
}

void free_native(Device& device, Addresses addresses, void* base) {
    if (addresses == Addresses::kSvm)
        device.cl->clSVMFree(device.context, base);
    else
        device.record->extensions.clMemFreeINTEL(device.context, base);
}

bool use_svm(Device& device) {
    const Symbols& cl = *device.cl;
    device.addresses = Addresses::kSvm;
    device.set_pointer = cl.clSetKernelArgSVMPointer;
    device.copy = cl.clEnqueueSVMMemcpy;
    device.fill = cl.clEnqueueSVMMemFill;
    return (device.record->svm & CL_DEVICE_SVM_COARSE_GRAIN_BUFFER) != 0 && cl.clSVMAlloc && cl.clSVMFree &&
           device.set_pointer && device.copy && device.fill && cl.clEnqueueSVMMap && cl.clEnqueueSVMUnmap;
}

bool use_usm(Device& device) {
    const Extensions& x = device.record->extensions;
    device.addresses = Addresses::kUsm;
    device.set_pointer = x.clSetKernelArgMemPointerINTEL;
    device.copy = x.clEnqueueMemcpyINTEL;
    device.fill = x.clEnqueueMemFillINTEL;
    return device.record->usm && x.clDeviceMemAllocINTEL && x.clHostMemAllocINTEL && x.clSharedMemAllocINTEL &&
           x.clMemFreeINTEL && device.set_pointer && device.copy && device.fill;
}

// ---------------------------------------------------------------------------------------------- trying out

// What a probe copies from and to. Left behind if the device does not answer: it may still write there.
struct ProbeBytes {
    unsigned char out[64];
    unsigned char back[64] = {};
    uint32_t pattern = 0xa5c3e187u;
};

bool ends_well(Device& device, cl_int code, cl_event event, bool* out_silent) {
    if (code != CL_SUCCESS) return false;
    cl_int end = CL_COMPLETE;
    const qiao_status status = wait_event(device, event, kProbeLimitNs, &end);
    *out_silent = status != QIAO_OK;
    device.cl->clReleaseEvent(event);
    return status == QIAO_OK && end == CL_COMPLETE;
}

bool copy_there_and_back(Device& device, char* pointer, ProbeBytes& bytes, bool* out_silent) {
    cl_event event = nullptr;
    const cl_command_queue queue = device.immediate.queue;
    cl_int code = device.copy(queue, CL_FALSE, pointer, bytes.out, sizeof bytes.out, 0, nullptr, &event);
    if (!ends_well(device, code, event, out_silent)) return false;
    code = device.fill(queue, pointer + 16, &bytes.pattern, sizeof bytes.pattern, 8, 0, nullptr, &event);
    if (!ends_well(device, code, event, out_silent)) return false;
    code = device.copy(queue, CL_FALSE, bytes.back, pointer, sizeof bytes.back, 0, nullptr, &event);
    return ends_well(device, code, event, out_silent);
}

} // namespace

bool copies_work(Device& device, char* pointer) {
    auto bytes = std::make_unique<ProbeBytes>();
    for (unsigned i = 0; i < sizeof bytes->out; ++i)
        bytes->out[i] = static_cast<unsigned char>(7 * i + 1);
    bool silent = false;
    const bool copied = copy_there_and_back(device, pointer, *bytes, &silent);
    if (silent) static_cast<void>(bytes.release());
    if (!copied) return false;
    std::memcpy(bytes->out + 16, &bytes->pattern, 4);
    std::memcpy(bytes->out + 20, &bytes->pattern, 4);
    return std::memcmp(bytes->out, bytes->back, sizeof bytes->out) == 0;
}

namespace {

bool kind_works(Device& device, qiao_memory_kind kind) {
    cl_int code = CL_SUCCESS;
    void* base = allocate_native(device, device.addresses, kind, 256, &code);
    if (base == nullptr) return false;
    const bool works = copies_work(device, static_cast<char*>(base));
    free_native(device, device.addresses, base);
    return works;
}

void try_kinds(Device& device) {
    device.memory_kinds = 0;
    const bool fine =
        device.addresses == Addresses::kUsm || (device.record->svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER) != 0;
    for (const qiao_memory_kind kind : {QIAO_MEMORY_KIND_DEVICE, QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED})
        if ((kind == QIAO_MEMORY_KIND_DEVICE || fine) && kind_works(device, kind)) device.memory_kinds |= 1u << kind;
}

} // namespace

bool choose_addresses(Device& device) {
    if (device.record->table) {
        device.addresses = Addresses::kTable;
        device.memory_kinds = device.record->info.memory_kinds;
        return true;
    }
    if (use_usm(device)) try_kinds(device);
    if ((device.memory_kinds & (1u << QIAO_MEMORY_KIND_DEVICE)) != 0) return true;
    if (use_svm(device)) try_kinds(device);
    return (device.memory_kinds & (1u << QIAO_MEMORY_KIND_DEVICE)) != 0;
}

cl_int tell_allocations(Device& device, cl_kernel kernel) noexcept {
    const auto set = device.cl->clSetKernelExecInfo;
    if (set == nullptr) return CL_SUCCESS;
    if (device.addresses == Addresses::kUsm) {
        const cl_bool yes = CL_TRUE;
        for (const cl_kernel_exec_info info :
             {CL_KERNEL_EXEC_INFO_INDIRECT_DEVICE_ACCESS_INTEL, CL_KERNEL_EXEC_INFO_INDIRECT_HOST_ACCESS_INTEL,
              CL_KERNEL_EXEC_INFO_INDIRECT_SHARED_ACCESS_INTEL})
            if (const cl_int code = set(kernel, info, sizeof yes, &yes); code != CL_SUCCESS) return code;
        return CL_SUCCESS;
    }
    if ((device.record->svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM) != 0) return CL_SUCCESS;
    std::lock_guard lock(device.mutex);
    if (device.allocations.empty()) return CL_SUCCESS;
    try {
        std::vector<void*> pointers;
        for (const Allocation* allocation : device.allocations)
            pointers.push_back(allocation->base);
        return set(kernel, CL_KERNEL_EXEC_INFO_SVM_PTRS, pointers.size() * sizeof(void*), pointers.data());
    } catch (const std::bad_alloc&) {
        return CL_OUT_OF_HOST_MEMORY;
    }
}

// ---------------------------------------------------------------------------------------------- slots

static const char* kind_name(qiao_memory_kind kind) {
    return kind == QIAO_MEMORY_KIND_HOST ? "host" : kind == QIAO_MEMORY_KIND_SHARED ? "shared" : "device";
}

qiao_status allocation_failed(Device& device, const qiao_plugin_memory_desc& desc, cl_int code) noexcept {
    check_lost(device, code);
    return fail_call(device.host, code, "free memory or ask for less",
                     "%s could not allocate %llu bytes of %s memory; it has %llu in all, at most %llu at once",
                     device.record->info.name, static_cast<unsigned long long>(desc.size_bytes), kind_name(desc.kind),
                     static_cast<unsigned long long>(device.record->info.memory_bytes),
                     static_cast<unsigned long long>(device.record->info.max_allocation_bytes));
}

void remember(Device& device, Allocation* allocation) {
    {
        std::lock_guard lock(device.mutex);
        allocation->index = device.allocations.size();
        device.allocations.push_back(allocation);
    }
    device.changes.fetch_add(1, std::memory_order_release);
}

static void forget(Device& device, Allocation* allocation) {
    {
        std::lock_guard lock(device.mutex);
        Allocation* last = device.allocations.back();
        device.allocations[allocation->index] = last;
        last->index = allocation->index;
        device.allocations.pop_back();
    }
    device.changes.fetch_add(1, std::memory_order_release);
    device.frees.fetch_add(1, std::memory_order_release);
}

static qiao_status opencl_memory_allocate(void* device_pointer, const qiao_plugin_memory_desc* desc,
                                          qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        if ((device.memory_kinds & (1u << desc->kind)) == 0)
            return fail(device.host, QIAO_ERROR_UNSUPPORTED, "ask for device memory", "%s has no %s memory",
                        device.record->info.name, kind_name(desc->kind));
        const size_t excess = desc->alignment > kDriverAlignment ? static_cast<size_t>(desc->alignment) : 0;
        auto allocation = std::make_unique<Allocation>();
        cl_int code = CL_SUCCESS;
        allocation->base = allocate_native(device, device.addresses, desc->kind, desc->size_bytes + excess, &code);
        if (allocation->base == nullptr) return allocation_failed(device, *desc, code);
        uintptr_t address = reinterpret_cast<uintptr_t>(allocation->base);
        if (excess != 0) address = (address + excess - 1) & ~static_cast<uintptr_t>(excess - 1);
        allocation->pointer = reinterpret_cast<char*>(address);
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        allocation->host_visible = desc->kind != QIAO_MEMORY_KIND_DEVICE;
        try {
            remember(device, allocation.get());
        } catch (...) {
            free_native(device, device.addresses, allocation->base);
            throw;
        }
        out_allocation->address = address;
        out_allocation->host_pointer = allocation->host_visible ? allocation->pointer : nullptr;
        out_allocation->size_bytes = desc->size_bytes;
        out_allocation->allocation = allocation.release();
        return QIAO_OK;
    });
}

static void opencl_memory_free(void* device_pointer, void* allocation_pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    auto* allocation = static_cast<Allocation*>(allocation_pointer);
    if (allocation->imported)
        device.frees.fetch_add(1, std::memory_order_release);
    else
        forget(device, allocation);
    if (allocation->owned && !device.lost.load()) free_native(device, device.addresses, allocation->base);
    delete allocation;
}

// One blocking copy; drivers' blocking calls have no time limit, so it is enqueued and waited for.
static qiao_status copy_now(Device& device, void* target, const void* source, uint64_t size_bytes, const char* what) {
    if (size_bytes == 0) return QIAO_OK;
    cl_event event = nullptr;
    const cl_int code = device.copy(device.immediate.queue, CL_FALSE, target, source, size_bytes, 0, nullptr, &event);
    if (code != CL_SUCCESS)
        return device_failed(device, code, "%s of %llu bytes", what, static_cast<unsigned long long>(size_bytes));
    device.cl->clFlush(device.immediate.queue);
    return finish(device, event, what);
}

static qiao_status opencl_memory_write(void* device_pointer, void* allocation_pointer, uint64_t offset,
                                       const void* source, uint64_t size_bytes) {
    const auto* allocation = static_cast<const Allocation*>(allocation_pointer);
    return copy_now(*static_cast<Device*>(device_pointer), allocation->pointer + offset, source, size_bytes,
                    "a write to memory");
}

static qiao_status opencl_memory_read(void* device_pointer, void* allocation_pointer, uint64_t offset, void* target,
                                      uint64_t size_bytes) {
    const auto* allocation = static_cast<const Allocation*>(allocation_pointer);
    return copy_now(*static_cast<Device*>(device_pointer), target, allocation->pointer + offset, size_bytes,
                    "a read from memory");
}

static qiao_status opencl_memory_map(void* device_pointer, void* allocation_pointer, uint64_t offset,
                                     uint64_t size_bytes, uint64_t flags, void** out_pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    const auto* allocation = static_cast<const Allocation*>(allocation_pointer);
    char* pointer = allocation->pointer + offset;
    if (!allocation->host_visible) {
        cl_map_flags access =
            (flags & QIAO_ACCESS_READ ? CL_MAP_READ : 0) | (flags & QIAO_ACCESS_WRITE ? CL_MAP_WRITE : 0);
        if (access == 0) access = CL_MAP_READ | CL_MAP_WRITE;
        cl_event event = nullptr;
        const cl_command_queue queue = device.immediate.queue;
        const cl_int code =
            device.cl->clEnqueueSVMMap(queue, CL_FALSE, access, pointer, size_bytes, 0, nullptr, &event);
        if (code != CL_SUCCESS)
            return device_failed(device, code, "a map of %llu bytes", static_cast<unsigned long long>(size_bytes));
        device.cl->clFlush(queue);
        if (const qiao_status status = finish(device, event, "a map of memory"); status != QIAO_OK) return status;
    }
    *out_pointer = pointer;
    return QIAO_OK;
}

static qiao_status opencl_memory_unmap(void* device_pointer, void* allocation_pointer, void* pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    if (static_cast<const Allocation*>(allocation_pointer)->host_visible) return QIAO_OK;
    cl_event event = nullptr;
    const cl_command_queue queue = device.immediate.queue;
    const cl_int code = device.cl->clEnqueueSVMUnmap(queue, pointer, 0, nullptr, &event);
    if (code != CL_SUCCESS) return device_failed(device, code, "an unmap");
    device.cl->clFlush(queue);
    return finish(device, event, "an unmap of memory");
}

const qiao_plugin_memory_ops opencl_memory_ops = {
    sizeof(qiao_plugin_memory_ops),
    opencl_memory_allocate,
    opencl_memory_free,
    opencl_memory_write,
    opencl_memory_read,
    opencl_memory_map,
    opencl_memory_unmap,
    opencl_memory_native,
    opencl_memory_wrap,
    opencl_memory_import,
    nullptr, // memory_export
    nullptr, // memory_evict: the address is the allocation's
    nullptr, // memory_restore
};

const qiao_plugin_memory_ops opencl_usm_memory_ops = {
    sizeof(qiao_plugin_memory_ops),
    opencl_memory_allocate,
    opencl_memory_free,
    opencl_memory_write,
    opencl_memory_read,
    nullptr,
    nullptr,
    opencl_memory_native,
    opencl_memory_wrap,
    nullptr, // memory_import: the extension takes no memory of others
    nullptr, // memory_export
    nullptr, // memory_evict: the address is the allocation's
    nullptr, // memory_restore
};

} // namespace qiao::opencl
