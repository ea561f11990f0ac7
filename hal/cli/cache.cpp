#include "cli/cache.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

namespace fs = std::filesystem;

/* By the names that their writers give them. */
std::string kind_of(const fs::path& path) {
    const std::string name = path.filename().string();
    if (path.extension() == ".qpkc" || name.starts_with("qiao-new-")) return "kernels";
    if (path.parent_path() == "probe") return "plugins";
    if (name.starts_with("vulkan-")) return "pipelines";
    if (name.starts_with("opencl-")) return "binaries";
    return "other";
}

} // namespace

std::string cache_folder() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/qiao";
    const char* home = std::getenv("HOME");
    return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/qiao" : "";
}

std::vector<CachedFile> cached_files() {
    std::vector<CachedFile> files;
    std::error_code error;
    const std::string folder = cache_folder();
    if (folder.empty()) return files;
    for (fs::recursive_directory_iterator each(folder, error), end; !error && each != end; each.increment(error)) {
        std::error_code gone;
        if (!each->is_regular_file(gone) || gone) continue;
        const uint64_t size = each->file_size(gone);
        const auto time = gone ? fs::file_time_type() : each->last_write_time(gone);
        if (gone) continue;
        const fs::path name = each->path().lexically_relative(folder);
        files.push_back({name.string(), kind_of(name), size,
                         std::chrono::duration_cast<std::chrono::seconds>(fs::file_time_type::clock::now() - time)});
    }
    std::sort(files.begin(), files.end(), [](const CachedFile& a, const CachedFile& b) { return a.age < b.age; });
    return files;
}

std::vector<CachedFile> clear_cache(const std::string& kind) {
    std::vector<CachedFile> gone;
    for (const CachedFile& file : cached_files()) {
        if (kind.empty() ? file.kind == "other" : file.kind != kind) continue;
        const fs::path path = fs::path(cache_folder()) / file.name;
        std::error_code error;
        fs::remove(path, error);
        if (error) throw Failure(kExitFailed, text(path.string(), " cannot be removed: ", error.message()), "check the rights of the folder");
        gone.push_back(file);
    }
    return gone;
}

} // namespace qiao::cli
