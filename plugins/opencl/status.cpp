// OpenCL's error codes: the list, and the host's error record. A code that the list lacks is still reported, by number.
#include "status.h"

#include <stdarg.h>
#include <stdio.h>

namespace qiao::opencl {
namespace {

// X(name, status). CL_OUT_OF_RESOURCES is what some drivers say of a lost device and most say of too many registers:
// only the caller, who can ask whether the device is still available, may call it a loss.
#define QIAO_OPENCL_ERRORS(X)                                             \
    X(CL_DEVICE_NOT_FOUND, QIAO_ERROR_NOT_FOUND)                          \
    X(CL_DEVICE_NOT_AVAILABLE, QIAO_ERROR_DEVICE_LOST)                    \
    X(CL_COMPILER_NOT_AVAILABLE, QIAO_ERROR_UNSUPPORTED)                  \
    X(CL_MEM_OBJECT_ALLOCATION_FAILURE, QIAO_ERROR_OUT_OF_MEMORY)         \
    X(CL_OUT_OF_RESOURCES, QIAO_ERROR_OUT_OF_MEMORY)                      \
    X(CL_OUT_OF_HOST_MEMORY, QIAO_ERROR_OUT_OF_MEMORY)                    \
    X(CL_PROFILING_INFO_NOT_AVAILABLE, QIAO_ERROR_UNSUPPORTED)            \
    X(CL_MEM_COPY_OVERLAP, QIAO_ERROR_INVALID_ARGUMENT)                   \
    X(CL_IMAGE_FORMAT_MISMATCH, QIAO_ERROR_PLUGIN)                        \
    X(CL_IMAGE_FORMAT_NOT_SUPPORTED, QIAO_ERROR_UNSUPPORTED)              \
    X(CL_BUILD_PROGRAM_FAILURE, QIAO_ERROR_BUILD)                         \
    X(CL_MAP_FAILURE, QIAO_ERROR_OUT_OF_MEMORY)                           \
    X(CL_MISALIGNED_SUB_BUFFER_OFFSET, QIAO_ERROR_PLUGIN)                 \
    X(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, QIAO_ERROR_CANCELLED) \
    X(CL_COMPILE_PROGRAM_FAILURE, QIAO_ERROR_BUILD)                       \
    X(CL_LINKER_NOT_AVAILABLE, QIAO_ERROR_UNSUPPORTED)                    \
    X(CL_LINK_PROGRAM_FAILURE, QIAO_ERROR_BUILD)                          \
    X(CL_DEVICE_PARTITION_FAILED, QIAO_ERROR_UNSUPPORTED)                 \
    X(CL_KERNEL_ARG_INFO_NOT_AVAILABLE, QIAO_ERROR_UNSUPPORTED)           \
    X(CL_INVALID_VALUE, QIAO_ERROR_PLUGIN)                                \
    X(CL_INVALID_DEVICE_TYPE, QIAO_ERROR_PLUGIN)                          \
    X(CL_INVALID_PLATFORM, QIAO_ERROR_PLUGIN)                             \
    X(CL_INVALID_DEVICE, QIAO_ERROR_PLUGIN)                               \
    X(CL_INVALID_CONTEXT, QIAO_ERROR_PLUGIN)                              \
    X(CL_INVALID_QUEUE_PROPERTIES, QIAO_ERROR_UNSUPPORTED)                \
    X(CL_INVALID_COMMAND_QUEUE, QIAO_ERROR_PLUGIN)                        \
    X(CL_INVALID_HOST_PTR, QIAO_ERROR_PLUGIN)                             \
    X(CL_INVALID_MEM_OBJECT, QIAO_ERROR_PLUGIN)                           \
    X(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR, QIAO_ERROR_PLUGIN)              \
    X(CL_INVALID_IMAGE_SIZE, QIAO_ERROR_PLUGIN)                           \
    X(CL_INVALID_SAMPLER, QIAO_ERROR_PLUGIN)                              \
    X(CL_INVALID_BINARY, QIAO_ERROR_UNSUPPORTED)                          \
    X(CL_INVALID_BUILD_OPTIONS, QIAO_ERROR_INVALID_ARGUMENT)              \
    X(CL_INVALID_PROGRAM, QIAO_ERROR_PLUGIN)                              \
    X(CL_INVALID_PROGRAM_EXECUTABLE, QIAO_ERROR_BUILD)                    \
    X(CL_INVALID_KERNEL_NAME, QIAO_ERROR_NOT_FOUND)                       \
    X(CL_INVALID_KERNEL_DEFINITION, QIAO_ERROR_BUILD)                     \
    X(CL_INVALID_KERNEL, QIAO_ERROR_PLUGIN)                               \
    X(CL_INVALID_ARG_INDEX, QIAO_ERROR_INVALID_ARGUMENT)                  \
    X(CL_INVALID_ARG_VALUE, QIAO_ERROR_INVALID_ARGUMENT)                  \
    X(CL_INVALID_ARG_SIZE, QIAO_ERROR_INVALID_ARGUMENT)                   \
    X(CL_INVALID_KERNEL_ARGS, QIAO_ERROR_INVALID_ARGUMENT)                \
    X(CL_INVALID_WORK_DIMENSION, QIAO_ERROR_OUT_OF_RANGE)                 \
    X(CL_INVALID_WORK_GROUP_SIZE, QIAO_ERROR_OUT_OF_RANGE)                \
    X(CL_INVALID_WORK_ITEM_SIZE, QIAO_ERROR_OUT_OF_RANGE)                 \
    X(CL_INVALID_GLOBAL_OFFSET, QIAO_ERROR_OUT_OF_RANGE)                  \
    X(CL_INVALID_EVENT_WAIT_LIST, QIAO_ERROR_PLUGIN)                      \
    X(CL_INVALID_EVENT, QIAO_ERROR_PLUGIN)                                \
    X(CL_INVALID_OPERATION, QIAO_ERROR_UNSUPPORTED)                       \
    X(CL_INVALID_GL_OBJECT, QIAO_ERROR_PLUGIN)                            \
    X(CL_INVALID_BUFFER_SIZE, QIAO_ERROR_OUT_OF_RANGE)                    \
    X(CL_INVALID_MIP_LEVEL, QIAO_ERROR_PLUGIN)                            \
    X(CL_INVALID_GLOBAL_WORK_SIZE, QIAO_ERROR_OUT_OF_RANGE)               \
    X(CL_INVALID_PROPERTY, QIAO_ERROR_UNSUPPORTED)                        \
    X(CL_INVALID_COMPILER_OPTIONS, QIAO_ERROR_INVALID_ARGUMENT)           \
    X(CL_INVALID_LINKER_OPTIONS, QIAO_ERROR_INVALID_ARGUMENT)             \
    X(CL_INVALID_DEVICE_PARTITION_COUNT, QIAO_ERROR_PLUGIN)               \
    X(CL_INVALID_DEVICE_QUEUE, QIAO_ERROR_PLUGIN)                         \
    X(CL_INVALID_SPEC_ID, QIAO_ERROR_PLUGIN)                              \
    X(CL_MAX_SIZE_RESTRICTION_EXCEEDED, QIAO_ERROR_OUT_OF_RANGE)          \
    X(CL_PLATFORM_NOT_FOUND_KHR, QIAO_ERROR_NOT_FOUND)                    \
    X(CL_CONTEXT_TERMINATED_KHR, QIAO_ERROR_DEVICE_LOST)

void report(const qiao_host_api* host, qiao_status status, cl_int code, const char* remedy, const char* format,
            va_list arguments) {
    char message[768];
    vsnprintf(message, sizeof message, format, arguments);
    qiao_plugin_error error = {};
    error.struct_size = sizeof error;
    error.status = status;
    error.vendor_code = code;
    error.vendor_text = code == CL_SUCCESS ? nullptr : error_name(code);
    error.message = message;
    error.remedy = remedy;
    host->error(host->host, &error);
}

} // namespace

const char* error_name(cl_int code) {
    switch (code) {
#define CASE(name, status) \
    case name:             \
        return #name;
        QIAO_OPENCL_ERRORS(CASE)
#undef CASE
        case CL_SUCCESS:
            return "CL_SUCCESS";
        default:
            return "a code of the vendor's own";
    }
}

qiao_status status_of(cl_int code) {
    switch (code) {
#define CASE(name, status) \
    case name:             \
        return status;
        QIAO_OPENCL_ERRORS(CASE)
#undef CASE
        case CL_SUCCESS:
            return QIAO_OK;
        default:
            return QIAO_ERROR_PLUGIN;
    }
}

qiao_status fail(const qiao_host_api* host, qiao_status status, const char* remedy, const char* format, ...) noexcept {
    va_list arguments;
    va_start(arguments, format);
    report(host, status, CL_SUCCESS, remedy, format, arguments);
    va_end(arguments);
    return status;
}

qiao_status fail_call(const qiao_host_api* host, cl_int code, const char* remedy, const char* format, ...) noexcept {
    const qiao_status status = status_of(code);
    va_list arguments;
    va_start(arguments, format);
    report(host, status, code, remedy, format, arguments);
    va_end(arguments);
    return status;
}

void log(const qiao_host_api* host, qiao_log_level level, const char* format, ...) noexcept {
    char text[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    host->log(host->host, level, text);
}

} // namespace qiao::opencl
