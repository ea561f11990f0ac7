/* From parsed JSON to a profile: which keys there are, their types and ranges. */
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "mock/profile.h"

namespace mock {

using Json = nlohmann::ordered_json;

/* A value as the user wrote it, cut so that an error stays readable. */
std::string show_json(const Json& value);

/* `origin` is named in errors. The first error stops. */
Result<Profile> read_profile(const Json& root, const std::string& origin);

} // namespace mock
