/* The user's cache as files: what lies there, from whom, how old. Compilers and plugins keep it; nothing here reads an entry. */
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace qiao::cli {

/* Where it is, as the library has it; "" = neither XDG_CACHE_HOME nor HOME is a folder's path. */
std::string cache_folder();

struct CachedFile {
    std::string name; /* from the folder on: "probe/0123.verdict" */
    std::string kind; /* "kernels", "pipelines", "binaries", "plugins", "other" */
    uint64_t size_bytes = 0;
    std::chrono::seconds age{0}; /* since it was used, or written */
};

/* Least recently used last; what other processes remove meanwhile is left out. */
std::vector<CachedFile> cached_files();

/* Removes files of a kind ("" = all but "other") and returns what is gone; throws Failure for what cannot be removed. */
std::vector<CachedFile> clear_cache(const std::string& kind);

} // namespace qiao::cli
