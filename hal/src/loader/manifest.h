// A plugin's manifest: a small JSON file that says which library to load and what it was built for. Untrusted: bounded
// and checked before anything is loaded.
#pragma once

#include <string>
#include <vector>

#include "qiao/types.h"

namespace qiao::loader {

struct Manifest {
    std::string text;  // as read, for the plugin
    std::string id, library, version, architecture, description;
    uint32_t abi_major = 0, abi_minor = 0;
    std::vector<std::string> unknown_keys;
};

inline constexpr size_t kMaxManifestBytes = 64 * 1024;

// False, with what is wrong in `error`, if the file cannot be used.
bool read_manifest(const std::string& path, Manifest& out_manifest, std::string& error);

// "x86_64", "aarch64", ...: what this library was built for.
std::string own_architecture();

}  // namespace qiao::loader
