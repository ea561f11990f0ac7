// The environment as the loader reads it: programs with raised rights see none of it.
#pragma once

#include <stdlib.h>

#include <string>

namespace qiao::loader {

inline std::string environment(const char* name) {
    const char* value = secure_getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

} // namespace qiao::loader
