// Vulkan's result codes in our words: one list of code, name and status. What a failure means for a device is device.cpp's.
#pragma once

#include <type_traits>

#include "common/host.h"
#include "symbols.h"

namespace qiao::vulkan {

using plugin::Failure;
using plugin::guarded;
using plugin::Host;
using plugin::object;

// "VK_ERROR_DEVICE_LOST"; never null, also for codes that are not in the list.
const char* result_name(VkResult result);

// What a failed Vulkan call means to Qiao.
qiao_status status_of(VkResult result);

// The same as the detail of a failure; `message` says what was tried.
Failure failure_of(VkResult result, std::string message, std::string remedy = {});

// Text out of pieces and numbers, for messages.
inline std::string piece(const char* text) { return text; }
inline std::string piece(const std::string& text) { return text; }
template <typename Number>
    requires std::is_arithmetic_v<Number>
std::string piece(Number number) {
    return std::to_string(number);
}
template <typename... Pieces>
std::string text(const Pieces&... pieces) { return (std::string() + ... + piece(pieces)); }

} // namespace qiao::vulkan
