// Host memory used where it lies. OpenCL promises it nowhere but with fine-grained system sharing: a driver may keep a copy of a
// buffer's host memory, and need not know a pointer that is none of its own. So both are tried before they are relied on.
#include <cstdlib>

#include "completion.h"
#include "memory.h"

namespace qiao::opencl {
namespace {

constexpr uint64_t kTryLimitNs = 10'000'000'000;
constexpr size_t kPageBytes = 4096;
constexpr uint32_t kItems = 64;
constexpr const char* kTouch = "kernel void touch(global uint* x) { x[get_global_id(0)] = x[get_global_id(0)] * 3 + 1; }";

// A page that looks like any other memory of the process; left behind if the device does not answer, for it may still write there.
class Page {
  public:
    Page() : bytes_(static_cast<uint32_t*>(std::aligned_alloc(kPageBytes, kPageBytes))) {
        if (bytes_ == nullptr) throw std::bad_alloc();
        for (uint32_t i = 0; i < kPageBytes / sizeof *bytes_; ++i)
            bytes_[i] = i;
    }
    ~Page() {
        if (!silent_) std::free(bytes_);
    }
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;

    uint32_t* words() const { return bytes_; }
    // The device may write to it for ever.
    void leave() { silent_ = true; }
    // Waits for the event of a call that returned `code`.
    bool ends_well(Device& device, cl_int code, cl_event event) {
        if (code != CL_SUCCESS) return false;
        cl_int end = CL_COMPLETE;
        device.cl->clFlush(device.immediate.queue);
        silent_ = wait_event(device, event, kTryLimitNs, &end) != QIAO_OK;
        device.cl->clReleaseEvent(event);
        return !silent_ && end == CL_COMPLETE;
    }

  private:
    uint32_t* bytes_;
    bool silent_ = false;
};

// What the device writes to the buffer is in the host memory, and the other way round, though nobody maps it.
bool buffer_works(Device& device) {
    const Symbols& cl = *device.cl;
    const cl_command_queue queue = device.immediate.queue;
    Page page, copy;
    cl_int code = CL_SUCCESS;
    const cl_mem buffer = cl.clCreateBuffer(device.context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, kPageBytes, page.words(), &code);
    if (buffer == nullptr) return false;
    const uint32_t pattern = 0xa5c3e187u;
    cl_event event = nullptr;
    code = cl.clEnqueueFillBuffer(queue, buffer, &pattern, sizeof pattern, 64, 128, 0, nullptr, &event);
    bool works = page.ends_well(device, code, event) && page.words()[15] == 15 && page.words()[16] == pattern && page.words()[47] == pattern;
    if (works) {
        page.words()[20] = 7;
        code = cl.clEnqueueReadBuffer(queue, buffer, CL_FALSE, 64, 128, copy.words(), 0, nullptr, &event);
        works = copy.ends_well(device, code, event) && copy.words()[4] == 7 && copy.words()[5] == pattern;
    }
    cl.clReleaseMemObject(buffer);
    return works;
}

bool kernel_works(Device& device, cl_kernel kernel) {
    Page page;
    uint32_t* const first = page.words() + 5;
    const size_t items = kItems;
    cl_event event = nullptr;
    cl_int code = device.set_pointer(kernel, 0, first);
    if (code == CL_SUCCESS)
        code = device.cl->clEnqueueNDRangeKernel(device.immediate.queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, &event);
    if (!page.ends_well(device, code, event)) return false;
    for (uint32_t i = 0; i < kPageBytes / sizeof *first; ++i)
        if (page.words()[i] != (i >= 5 && i < 5 + kItems ? 3 * i + 1 : i)) return false;
    return true;
}

// A kernel and copies work on memory that is none of OpenCL's.
bool pointer_works(Device& device) {
    const Symbols& cl = *device.cl;
    Page page;
    if (!copies_work(device, reinterpret_cast<char*>(page.words()))) {
        page.leave();
        return false;
    }
    if ((device.record->svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM) != 0) return true;
    cl_int code = CL_SUCCESS;
    const char* source = kTouch;
    const cl_program program = cl.clCreateProgramWithSource(device.context, 1, &source, nullptr, &code);
    if (program == nullptr) return false;
    bool works = cl.clBuildProgram(program, 1, &device.record->id, "", nullptr, nullptr) == CL_SUCCESS;
    const cl_kernel kernel = works ? cl.clCreateKernel(program, "touch", &code) : nullptr;
    works = kernel != nullptr && kernel_works(device, kernel);
    if (kernel != nullptr) cl.clReleaseKernel(kernel);
    cl.clReleaseProgram(program);
    return works;
}

qiao_status check_import_works(Device& device) {
    std::lock_guard lock(device.trying_import);
    if (device.import_works < 0) device.import_works = (device.addresses == Addresses::kTable ? buffer_works(device) : pointer_works(device)) ? 1 : 0;
    if (device.import_works != 0) return QIAO_OK;
    return fail(device.host, QIAO_ERROR_UNSUPPORTED, "copy the memory (qiao_queue_copy)",
                "the driver of %s does not use host memory where it lies: it was tried, and the other side did not see what was written",
                device.record->info.name);
}

} // namespace

qiao_status opencl_memory_import(void* device_pointer, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import,
                                 qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        if (const qiao_status status = check_import_works(device); status != QIAO_OK) return status;
        auto allocation = std::make_unique<Allocation>();
        allocation->pointer = static_cast<char*>(import->host_pointer);
        allocation->base = allocation->pointer;
        allocation->owned = false;
        allocation->imported = true;
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        allocation->host_visible = true;
        out_allocation->address = reinterpret_cast<uintptr_t>(import->host_pointer);
        out_allocation->host_pointer = import->host_pointer;
        out_allocation->size_bytes = desc->size_bytes;
        out_allocation->allocation = allocation.release();
        return QIAO_OK;
    });
}

qiao_status opencl_buffer_import(void* device_pointer, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import,
                                 qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        if (const qiao_status status = check_import_works(device); status != QIAO_OK) return status;
        auto allocation = std::make_unique<Allocation>();
        cl_int code = CL_SUCCESS;
        allocation->buffer = device.cl->clCreateBuffer(device.context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, desc->size_bytes,
                                                       import->host_pointer, &code);
        if (allocation->buffer == nullptr) return allocation_failed(device, *desc, code);
        allocation->size_bytes = desc->size_bytes;
        allocation->kind = desc->kind;
        out_allocation->host_pointer = import->host_pointer;
        out_allocation->size_bytes = desc->size_bytes;
        out_allocation->allocation = allocation.release();
        return QIAO_OK;
    });
}

} // namespace qiao::opencl
