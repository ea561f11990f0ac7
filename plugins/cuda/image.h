// Whether the bytes of a program are what its format says, before a vendor's driver sees them; and which targets fit a device.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "family.h"

namespace qiao::cuda {

// The family's format of that name, or null.
const Format* find_format(const Family& family, std::string_view name);

// "" or why the bytes are not of that format.
std::string check_image(const Format& format, const void* data, size_t size);

// 0 = the target does not fit the device, with the reason; else how well it does, 1 to 10. `device` is "sm_80", or "" where it does not say.
unsigned score_target(const Family& family, const Format& format, std::string_view target, std::string_view device, std::string* out_reason);

} // namespace qiao::cuda
