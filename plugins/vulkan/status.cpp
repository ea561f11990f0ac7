// The list of result codes. See status.h.
#include "status.h"

namespace qiao::vulkan {
namespace {

#define QIAO_VULKAN_RESULTS(X)                                         \
    X(VK_NOT_READY, QIAO_NOT_READY)                                    \
    X(VK_TIMEOUT, QIAO_TIMEOUT)                                        \
    X(VK_INCOMPLETE, QIAO_ERROR_PLUGIN)                                \
    X(VK_ERROR_OUT_OF_HOST_MEMORY, QIAO_ERROR_OUT_OF_MEMORY)           \
    X(VK_ERROR_OUT_OF_DEVICE_MEMORY, QIAO_ERROR_OUT_OF_MEMORY)         \
    X(VK_ERROR_INITIALIZATION_FAILED, QIAO_ERROR_PLUGIN)               \
    X(VK_ERROR_DEVICE_LOST, QIAO_ERROR_DEVICE_LOST)                    \
    X(VK_ERROR_MEMORY_MAP_FAILED, QIAO_ERROR_OUT_OF_MEMORY)            \
    X(VK_ERROR_LAYER_NOT_PRESENT, QIAO_ERROR_NOT_FOUND)                \
    X(VK_ERROR_EXTENSION_NOT_PRESENT, QIAO_ERROR_UNSUPPORTED)          \
    X(VK_ERROR_FEATURE_NOT_PRESENT, QIAO_ERROR_UNSUPPORTED)            \
    X(VK_ERROR_INCOMPATIBLE_DRIVER, QIAO_ERROR_NOT_FOUND)              \
    X(VK_ERROR_TOO_MANY_OBJECTS, QIAO_ERROR_OUT_OF_MEMORY)             \
    X(VK_ERROR_FORMAT_NOT_SUPPORTED, QIAO_ERROR_UNSUPPORTED)           \
    X(VK_ERROR_FRAGMENTED_POOL, QIAO_ERROR_OUT_OF_MEMORY)              \
    X(VK_ERROR_OUT_OF_POOL_MEMORY, QIAO_ERROR_OUT_OF_MEMORY)           \
    X(VK_ERROR_INVALID_EXTERNAL_HANDLE, QIAO_ERROR_INVALID_ARGUMENT)   \
    X(VK_ERROR_FRAGMENTATION, QIAO_ERROR_OUT_OF_MEMORY)                \
    X(VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS, QIAO_ERROR_PLUGIN)      \
    X(VK_ERROR_INVALID_SHADER_NV, QIAO_ERROR_BUILD)                    \
    X(VK_ERROR_VALIDATION_FAILED_EXT, QIAO_ERROR_PLUGIN)               \
    X(VK_ERROR_UNKNOWN, QIAO_ERROR_PLUGIN)

} // namespace

const char* result_name(VkResult result) {
    switch (result) {
#define CASE(name, status) \
    case name:             \
        return #name;
        QIAO_VULKAN_RESULTS(CASE)
#undef CASE
        case VK_SUCCESS:
            return "VK_SUCCESS";
        default:
            return "a code this plugin does not know";
    }
}

qiao_status status_of(VkResult result) {
    switch (result) {
#define CASE(name, status) \
    case name:             \
        return status;
        QIAO_VULKAN_RESULTS(CASE)
#undef CASE
        case VK_SUCCESS:
            return QIAO_OK;
        default:
            return QIAO_ERROR_PLUGIN;
    }
}

Failure failure_of(VkResult result, std::string message, std::string remedy) {
    return {.status = status_of(result),
            .message = text(message, ": ", result_name(result), " (", static_cast<int>(result), ")"),
            .remedy = std::move(remedy),
            .vendor_code = result,
            .vendor_text = result_name(result)};
}

} // namespace qiao::vulkan
