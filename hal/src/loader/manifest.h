// A plugin's manifest: a small JSON file that says which library to load and what it was built for (hal/docs/manifest.md).
// Untrusted: size, depth and every key are checked before anything is loaded.
#pragma once

#include <string>
#include <vector>

#include "loader/hardware.h"
#include "loader/problem.h"

namespace qiao::loader {

inline constexpr size_t kMaxManifestBytes = 64 * 1024;
inline constexpr int kMaxManifestDepth = 8;
inline constexpr size_t kMaxIdLength = 32;
inline constexpr size_t kMaxHardwareKinds = 64;
inline constexpr size_t kMaxHardwareNames = 256; // device ids or drivers of one kind

struct Manifest {
    std::string path;         // of the file it was read from
    std::string text;         // as read, for the plugin
    std::string id, version;  // version: "" = the plugin will say
    std::string library;      // as dlopen takes it: a path, or a bare name that is not beside the manifest
    std::string architecture; // "" = any
    uint32_t abi_major = 0, abi_minor = 0;
    std::vector<HardwareMatch> hardware; // one of these must be there; empty = the plugin looks for itself
    std::vector<std::string> unknown_keys;
};

// On a problem what was read until then is filled in.
Verdict read_manifest(const std::string& path, Manifest& out_manifest);
// The same for a text that was read from there.
Verdict parse_manifest(const std::string& path, std::string text, Manifest& out_manifest);
// Whether this library can be host to such a plugin at all.
Verdict check_host(const Manifest& manifest);

// "core" is what the log calls Qiao itself.
bool is_plugin_id(std::string_view text);

} // namespace qiao::loader
