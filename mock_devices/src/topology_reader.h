/* From parsed JSON to a topology: the profile's key "topology". */
#pragma once

#include "profile_reader.h"

namespace mock {

/* `origin` is named in errors. The first error stops. */
Status read_topology(const Json& object, const std::string& origin, Topology& topology);

} // namespace mock
