/* The texts of profiles/, put into the binary when it is built. */
#pragma once

#include <span>
#include <string_view>

namespace mock {

struct BuiltinProfile {
    std::string_view name;
    std::string_view json;
};

std::span<const BuiltinProfile> builtin_profile_texts();

} // namespace mock
