// SVM and USM of the null driver: host memory. Coarse SVM has no access rights for the host while it is not mapped, so that
// touching it then crashes as it would go wrong on a card.
#include <sys/mman.h>

#include <cstring>
#include <map>

#include "driver.h"

using namespace null_driver;

namespace {

NULL_POINT(clSVMAlloc)
NULL_POINT(clEnqueueSVMMemcpy)
NULL_POINT(clEnqueueSVMMemFill)
NULL_POINT(clEnqueueSVMMap)
NULL_POINT(clDeviceMemAllocINTEL)

struct Allocation {
    size_t size = 0;
    bool locked = false; // kept away from the host while neither mapped nor in the driver's hands
    unsigned users = 0;
};

std::map<uintptr_t, Allocation>& allocations() { // guarded by the driver's mutex
    static auto* all = new std::map<uintptr_t, Allocation>;
    return *all;
}

uintptr_t number(const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

std::map<uintptr_t, Allocation>::iterator containing(const void* pointer) {
    auto at = allocations().upper_bound(number(pointer));
    if (at == allocations().begin()) return allocations().end();
    --at;
    return number(pointer) < at->first + at->second.size ? at : allocations().end();
}

void protect(std::map<uintptr_t, Allocation>::iterator at, bool use) {
    Allocation& allocation = at->second;
    const unsigned before = allocation.users;
    allocation.users += use ? 1 : -1;
    if (!allocation.locked || (before != 0 && allocation.users != 0)) return;
    mprotect(reinterpret_cast<void*>(at->first), allocation.size, use ? PROT_READ | PROT_WRITE : PROT_NONE);
}

void* allocate(size_t size, size_t alignment, bool locked, cl_int* out_code) {
    if (out_code != nullptr) *out_code = CL_SUCCESS;
    if (alignment > 128 || (alignment & (alignment - 1)) != 0 || size == 0 || size > (size_t{2} << 30)) {
        if (out_code != nullptr) *out_code = size > (size_t{2} << 30) ? CL_INVALID_BUFFER_SIZE : CL_INVALID_VALUE;
        if (alignment > 128) misuse("an alignment above 128", CL_INVALID_VALUE);
        return nullptr;
    }
    void* pointer = mmap(nullptr, size, locked ? PROT_NONE : PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pointer == MAP_FAILED) {
        if (out_code != nullptr) *out_code = CL_OUT_OF_HOST_MEMORY;
        return nullptr;
    }
    std::lock_guard lock(mutex);
    allocations()[number(pointer)] = {size, locked, 0};
    ++counts.allocations;
    return pointer;
}

cl_int release(void* pointer) {
    std::lock_guard lock(mutex);
    const auto at = allocations().find(number(pointer));
    if (at == allocations().end()) return misuse("a free of what was not allocated", CL_INVALID_VALUE);
    munmap(pointer, at->second.size);
    allocations().erase(at);
    --counts.allocations;
    ++frees;
    return CL_SUCCESS;
}

cl_int copy(cl_command_queue queue, cl_bool blocking, void* target, const void* source, size_t size, cl_uint wait_count,
            const cl_event* waits, cl_event* event) {
    if (!alive(queue)) return misuse("a copy on no queue", CL_INVALID_COMMAND_QUEUE);
    if (blocking) misuse("a blocking copy: it would wait without limit", CL_SUCCESS);
    if (target == nullptr || source == nullptr) return misuse("a copy of or to null", CL_INVALID_VALUE);
    if (settings.strict && (!reachable(target, size, true) || !reachable(source, size, true)))
        return misuse("a copy that leaves an allocation", CL_INVALID_VALUE);
    {
        const Unlocked unlocked(target, source);
        std::memcpy(target, source, size);
    }
    return submit(queue, wait_count, waits, event);
}

cl_int fill(cl_command_queue queue, void* target, const void* pattern, size_t pattern_size, size_t size,
            cl_uint wait_count, const cl_event* waits, cl_event* event) {
    if (!alive(queue)) return misuse("a fill on no queue", CL_INVALID_COMMAND_QUEUE);
    if (pattern_size == 0 || number(target) % pattern_size != 0 || size % pattern_size != 0)
        return misuse("a fill whose target or size is no multiple of its pattern", CL_INVALID_VALUE);
    if (settings.strict && !reachable(target, size, false))
        return misuse("a fill that leaves an allocation", CL_INVALID_VALUE);
    {
        const Unlocked unlocked(target, nullptr);
        for (size_t i = 0; i < size; i += pattern_size)
            std::memcpy(static_cast<char*>(target) + i, pattern, pattern_size);
    }
    return submit(queue, wait_count, waits, event);
}

} // namespace

namespace null_driver {

std::atomic<uint64_t> frees{0};

bool reachable(const void* pointer, size_t size, bool host_too) {
    std::lock_guard lock(mutex);
    const auto at = containing(pointer);
    if (at == allocations().end()) return host_too;
    return number(pointer) + size <= at->first + at->second.size;
}

Unlocked::Unlocked(const void* first, const void* second) : pointers_{first, second} {
    if (settings.svm != Svm::kCoarse) return;
    std::lock_guard lock(mutex);
    for (const void* pointer : pointers_)
        if (const auto at = containing(pointer); at != allocations().end()) protect(at, true);
}

Unlocked::~Unlocked() {
    if (settings.svm != Svm::kCoarse) return;
    std::lock_guard lock(mutex);
    for (const void* pointer : pointers_)
        if (const auto at = containing(pointer); at != allocations().end()) protect(at, false);
}

} // namespace null_driver

NULL_EXPORT void* clSVMAlloc(cl_context context, cl_svm_mem_flags flags, size_t size, cl_uint alignment) {
    if (NULL_UNLIKELY(point_clSVMAlloc.remaining != 0) && --point_clSVMAlloc.remaining == 0) return nullptr;
    if (!alive(context)) return misuse("clSVMAlloc in no context", 0), nullptr;
    const bool fine = (flags & CL_MEM_SVM_FINE_GRAIN_BUFFER) != 0;
    if (settings.svm == Svm::kNone || (fine && settings.svm == Svm::kCoarse)) return nullptr;
    return allocate(size, alignment, settings.svm == Svm::kCoarse, nullptr);
}

NULL_EXPORT void clSVMFree(cl_context context, void* pointer) {
    if (!alive(context)) misuse("clSVMFree in no context", 0);
    release(pointer);
}

NULL_EXPORT cl_int clEnqueueSVMMemcpy(cl_command_queue queue, cl_bool blocking, void* target, const void* source,
                                      size_t size, cl_uint wait_count, const cl_event* waits, cl_event* event) {
    NULL_FAIL(clEnqueueSVMMemcpy);
    return copy(queue, blocking, target, source, size, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueSVMMemFill(cl_command_queue queue, void* target, const void* pattern, size_t pattern_size,
                                       size_t size, cl_uint wait_count, const cl_event* waits, cl_event* event) {
    NULL_FAIL(clEnqueueSVMMemFill);
    return fill(queue, target, pattern, pattern_size, size, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueSVMMap(cl_command_queue queue, cl_bool blocking, cl_map_flags, void* pointer, size_t size,
                                   cl_uint wait_count, const cl_event* waits, cl_event* event) {
    NULL_FAIL(clEnqueueSVMMap);
    if (blocking) misuse("a blocking map: it would wait without limit", CL_SUCCESS);
    if (!reachable(pointer, size, false)) return misuse("a map that leaves an allocation", CL_INVALID_VALUE);
    {
        std::lock_guard lock(mutex);
        protect(containing(pointer), true);
    }
    ++counts.maps;
    return submit(queue, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueSVMUnmap(cl_command_queue queue, void* pointer, cl_uint wait_count, const cl_event* waits,
                                     cl_event* event) {
    if (!reachable(pointer, 1, false) || counts.maps == 0)
        return misuse("an unmap of what is not mapped", CL_INVALID_VALUE);
    {
        std::lock_guard lock(mutex);
        protect(containing(pointer), false);
    }
    --counts.maps;
    return submit(queue, wait_count, waits, event);
}

// ---------------------------------------------------------------------------------------------- USM

static void* CL_API_CALL usm_device(cl_context, cl_device_id, const cl_mem_properties_intel*, size_t size,
                                    cl_uint alignment, cl_int* out_code) {
    NULL_FAIL_OBJECT(clDeviceMemAllocINTEL, out_code);
    return allocate(size, alignment, false, out_code);
}

static void* CL_API_CALL usm_host(cl_context, const cl_mem_properties_intel*, size_t size, cl_uint alignment,
                                  cl_int* out_code) {
    return allocate(size, alignment, false, out_code);
}

static cl_int CL_API_CALL usm_free(cl_context, void* pointer) {
    return release(pointer);
}

extern "C" cl_int clSetKernelArgSVMPointer(cl_kernel kernel, cl_uint index, const void* value);

NULL_EXPORT void* clGetExtensionFunctionAddressForPlatform(cl_platform_id, const char* name) {
    if (!settings.usm) return nullptr;
    const struct {
        const char* name;
        void* function;
    } all[] = {
        {"clDeviceMemAllocINTEL", reinterpret_cast<void*>(usm_device)},
        {"clSharedMemAllocINTEL", reinterpret_cast<void*>(usm_device)},
        {"clHostMemAllocINTEL", reinterpret_cast<void*>(usm_host)},
        {"clMemFreeINTEL", reinterpret_cast<void*>(usm_free)},
        {"clSetKernelArgMemPointerINTEL", reinterpret_cast<void*>(&::clSetKernelArgSVMPointer)},
        {"clEnqueueMemcpyINTEL", reinterpret_cast<void*>(copy)},
        {"clEnqueueMemFillINTEL", reinterpret_cast<void*>(fill)},
    };
    for (const auto& entry : all)
        if (std::strcmp(entry.name, name) == 0) return entry.function;
    return nullptr;
}
