// Buffers of the null driver: host memory behind a tagged handle. Ranges, pitches and overlaps are checked as OpenCL says.
#include <cstring>
#include <memory>

#include "driver.h"

struct _cl_mem {
    void* dispatch;
    uint32_t tag;
    static constexpr uint32_t kTag = 0xc0c0c006u;
    std::unique_ptr<char[]> bytes;
    size_t size;
    uint64_t maps;
};

using namespace null_driver;

namespace {

NULL_POINT(clCreateBuffer)
NULL_POINT(clEnqueueReadBuffer)
NULL_POINT(clEnqueueWriteBuffer)
NULL_POINT(clEnqueueCopyBuffer)
NULL_POINT(clEnqueueFillBuffer)
NULL_POINT(clEnqueueMapBuffer)

// Rows at one end of a transfer.
struct Rows {
    char* first;
    size_t pitch;
};

bool holds(cl_mem buffer, size_t offset, size_t size) {
    return alive(buffer) && size != 0 && offset <= buffer->size && size <= buffer->size - offset;
}

cl_int check(cl_command_queue queue, cl_bool blocking) {
    if (!alive(queue)) return misuse("a transfer on no queue", CL_INVALID_COMMAND_QUEUE);
    if (blocking) misuse("a blocking transfer: it would wait without limit", CL_SUCCESS);
    return CL_SUCCESS;
}

// The rows of a buffer's rectangle, or null first with misuse told.
Rows rows_of(cl_mem buffer, const size_t* origin, const size_t* region, size_t pitch, size_t slice) {
    if (region[2] != 1 || slice != 0 || pitch < region[0]) {
        misuse("a rectangle of slices, or with a pitch below its rows", 0);
        return {nullptr, 0};
    }
    const size_t first = origin[2] * pitch * region[1] + origin[1] * pitch + origin[0];
    if (!holds(buffer, first, (region[1] - 1) * pitch + region[0])) {
        misuse("a rectangle that leaves its buffer", 0);
        return {nullptr, 0};
    }
    return {buffer->bytes.get() + first, pitch};
}

cl_int move(cl_command_queue queue, const Rows& target, const Rows& source, const size_t* region, cl_uint wait_count,
            const cl_event* waits, cl_event* event) {
    if (target.first == nullptr || source.first == nullptr) return CL_INVALID_VALUE;
    for (size_t row = 0; row < region[1]; ++row)
        std::memcpy(target.first + row * target.pitch, source.first + row * source.pitch, region[0]);
    return submit(queue, wait_count, waits, event);
}

} // namespace

namespace null_driver {

bool is_live_buffer(const void* value) {
    cl_mem buffer;
    std::memcpy(&buffer, value, sizeof buffer);
    return buffer == nullptr || alive(buffer);
}

} // namespace null_driver

NULL_EXPORT cl_mem clCreateBuffer(cl_context context, cl_mem_flags, size_t size, void* host, cl_int* out_code) {
    NULL_FAIL_OBJECT(clCreateBuffer, out_code);
    if (!alive(context) || host != nullptr) return misuse("clCreateBuffer in no context", 0), nullptr;
    if (size == 0 || size > (size_t{2} << 30)) {
        *out_code = CL_INVALID_BUFFER_SIZE;
        return nullptr;
    }
    ++counts.allocations;
    *out_code = CL_SUCCESS;
    return keep(new _cl_mem{nullptr, _cl_mem::kTag, std::make_unique<char[]>(size), size, 0});
}

NULL_EXPORT cl_int clReleaseMemObject(cl_mem buffer) {
    if (!alive(buffer)) return misuse("clReleaseMemObject of no buffer", CL_INVALID_MEM_OBJECT);
    --counts.allocations;
    ++frees;
    bury(buffer);
    buffer->bytes.reset();
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                                       size_t size, void* target, cl_uint wait_count, const cl_event* waits,
                                       cl_event* event) {
    NULL_FAIL(clEnqueueReadBuffer);
    if (const cl_int code = check(queue, blocking); code != CL_SUCCESS) return code;
    if (!holds(buffer, offset, size)) return misuse("a read that leaves its buffer", CL_INVALID_VALUE);
    std::memcpy(target, buffer->bytes.get() + offset, size);
    return submit(queue, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                                        size_t size, const void* source, cl_uint wait_count, const cl_event* waits,
                                        cl_event* event) {
    NULL_FAIL(clEnqueueWriteBuffer);
    if (const cl_int code = check(queue, blocking); code != CL_SUCCESS) return code;
    if (!holds(buffer, offset, size)) return misuse("a write that leaves its buffer", CL_INVALID_VALUE);
    std::memcpy(buffer->bytes.get() + offset, source, size);
    return submit(queue, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueCopyBuffer(cl_command_queue queue, cl_mem source, cl_mem target, size_t from, size_t to,
                                       size_t size, cl_uint wait_count, const cl_event* waits, cl_event* event) {
    NULL_FAIL(clEnqueueCopyBuffer);
    if (const cl_int code = check(queue, CL_FALSE); code != CL_SUCCESS) return code;
    if (!holds(source, from, size) || !holds(target, to, size))
        return misuse("a copy that leaves a buffer", CL_INVALID_VALUE);
    if (source == target && from < to + size && to < from + size)
        return misuse("a copy onto itself", CL_MEM_COPY_OVERLAP);
    std::memcpy(target->bytes.get() + to, source->bytes.get() + from, size);
    return submit(queue, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueReadBufferRect(cl_command_queue queue, cl_mem buffer, cl_bool blocking, const size_t* from,
                                           const size_t* to, const size_t* region, size_t pitch, size_t slice,
                                           size_t host_pitch, size_t host_slice, void* target, cl_uint wait_count,
                                           const cl_event* waits, cl_event* event) {
    if (const cl_int code = check(queue, blocking); code != CL_SUCCESS) return code;
    if (host_slice != 0 || to[0] != 0 || to[1] != 0) return misuse("a rectangle within host memory", CL_INVALID_VALUE);
    return move(queue, {static_cast<char*>(target), host_pitch}, rows_of(buffer, from, region, pitch, slice), region,
                wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueWriteBufferRect(cl_command_queue queue, cl_mem buffer, cl_bool blocking, const size_t* to,
                                            const size_t* from, const size_t* region, size_t pitch, size_t slice,
                                            size_t host_pitch, size_t host_slice, const void* source,
                                            cl_uint wait_count, const cl_event* waits, cl_event* event) {
    if (const cl_int code = check(queue, blocking); code != CL_SUCCESS) return code;
    if (host_slice != 0 || from[0] != 0 || from[1] != 0)
        return misuse("a rectangle within host memory", CL_INVALID_VALUE);
    return move(queue, rows_of(buffer, to, region, pitch, slice),
                {static_cast<char*>(const_cast<void*>(source)), host_pitch}, region, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueCopyBufferRect(cl_command_queue queue, cl_mem source, cl_mem target, const size_t* from,
                                           const size_t* to, const size_t* region, size_t source_pitch,
                                           size_t source_slice, size_t target_pitch, size_t target_slice,
                                           cl_uint wait_count, const cl_event* waits, cl_event* event) {
    if (const cl_int code = check(queue, CL_FALSE); code != CL_SUCCESS) return code;
    return move(queue, rows_of(target, to, region, target_pitch, target_slice),
                rows_of(source, from, region, source_pitch, source_slice), region, wait_count, waits, event);
}

NULL_EXPORT cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem buffer, const void* pattern, size_t pattern_size,
                                       size_t offset, size_t size, cl_uint wait_count, const cl_event* waits,
                                       cl_event* event) {
    NULL_FAIL(clEnqueueFillBuffer);
    if (const cl_int code = check(queue, CL_FALSE); code != CL_SUCCESS) return code;
    if (!holds(buffer, offset, size)) return misuse("a fill that leaves its buffer", CL_INVALID_VALUE);
    if (pattern_size == 0 || offset % pattern_size != 0 || size % pattern_size != 0)
        return misuse("a fill whose offset or size is no multiple of its pattern", CL_INVALID_VALUE);
    for (size_t i = 0; i < size; i += pattern_size)
        std::memcpy(buffer->bytes.get() + offset + i, pattern, pattern_size);
    return submit(queue, wait_count, waits, event);
}

NULL_EXPORT void* clEnqueueMapBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, cl_map_flags,
                                     size_t offset, size_t size, cl_uint wait_count, const cl_event* waits,
                                     cl_event* event, cl_int* out_code) {
    NULL_FAIL_OBJECT(clEnqueueMapBuffer, out_code);
    *out_code = check(queue, blocking);
    if (*out_code == CL_SUCCESS && !holds(buffer, offset, size))
        *out_code = misuse("a map that leaves its buffer", CL_INVALID_VALUE);
    if (*out_code != CL_SUCCESS) return nullptr;
    ++buffer->maps;
    ++counts.maps;
    *out_code = submit(queue, wait_count, waits, event);
    return buffer->bytes.get() + offset;
}

NULL_EXPORT cl_int clEnqueueUnmapMemObject(cl_command_queue queue, cl_mem buffer, void* pointer, cl_uint wait_count,
                                           const cl_event* waits, cl_event* event) {
    const char* mapped = static_cast<char*>(pointer);
    if (!alive(buffer) || buffer->maps == 0 || mapped < buffer->bytes.get() ||
        mapped >= buffer->bytes.get() + buffer->size)
        return misuse("an unmap of what is not mapped", CL_INVALID_VALUE);
    --buffer->maps;
    --counts.maps;
    return submit(queue, wait_count, waits, event);
}
