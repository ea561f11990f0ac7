/* `qiao cache`: what is kept of compilations, and away with it. */
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cache.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

struct CacheOptions {
    std::string kind;
    bool files = false;
    bool json = false;
};

constexpr struct {
    const char* kind;
    const char* what;
} kKinds[] = {{"kernels", "compiled kernels"}, {"pipelines", "pipelines of Vulkan drivers"}, {"binaries", "what OpenCL drivers built"},
             {"plugins", "what trials of plugins found"}, {"other", "not Qiao's"}};

struct Sum {
    uint64_t files = 0;
    uint64_t bytes = 0;
};

std::map<std::string, Sum> sums(const std::vector<CachedFile>& files) {
    std::map<std::string, Sum> sums;
    for (const CachedFile& file : files) {
        ++sums[file.kind].files;
        sums[file.kind].bytes += file.size_bytes;
    }
    return sums;
}

Json report_json(const std::vector<CachedFile>& files, const char* schema) {
    Json json = {{"schema", schema}, {"folder", cache_folder()}, {"size_bytes", 0}, {"files", Json::array()}};
    uint64_t total = 0;
    for (const CachedFile& file : files) {
        json["files"].push_back({{"name", file.name}, {"kind", file.kind}, {"size_bytes", file.size_bytes}, {"age_s", file.age.count()}});
        total += file.size_bytes;
    }
    json["size_bytes"] = total;
    return json;
}

std::string report_text(const std::vector<CachedFile>& files, bool each) {
    Table table;
    std::map<std::string, Sum> by_kind = sums(files);
    for (const auto& [kind, what] : kKinds) {
        if (by_kind.contains(kind)) table.add_row({kind, text(by_kind[kind].files, " files"), bytes_text(by_kind[kind].bytes), what});
    }
    std::string words = coloured(Colour::Title, printable(cache_folder())) + "\n" + table.text("  ");
    if (!each) return words;
    Table list;
    for (const CachedFile& file : files)
        list.add_row({printable(file.name), bytes_text(file.size_bytes), text("used ", file.age.count(), " s ago")});
    return words + list.text("  ");
}

void require_folder() {
    if (cache_folder().empty())
        throw Failure(kExitFailed, "there is no cache: neither XDG_CACHE_HOME nor HOME is set", "set XDG_CACHE_HOME to a folder of your own");
}

int run_show(const CacheOptions& options) {
    require_folder();
    const std::vector<CachedFile> files = cached_files();
    if (options.json) {
        print_json(report_json(files, "qiao.cache/1"));
    } else {
        print(report_text(files, options.files));
    }
    return kExitOk;
}

int run_clear(const CacheOptions& options) {
    require_folder();
    const std::vector<CachedFile> gone = clear_cache(options.kind);
    if (options.json) {
        print_json(report_json(gone, "qiao.cache.clear/1"));
        return kExitOk;
    }
    uint64_t bytes = 0;
    for (const CachedFile& file : gone)
        bytes += file.size_bytes;
    print(text("removed: ", gone.size(), " files, ", bytes_text(bytes), "\n"));
    return kExitOk;
}

} // namespace

std::vector<Command> cache_commands(CLI::App& root) {
    CLI::App* cache = root.add_subcommand("cache", "See what is kept of compilations, or clear it");
    cache->require_subcommand(1);
    auto options = std::make_shared<CacheOptions>();
    CLI::App* show = cache->add_subcommand("show", "Show what is in the cache, by kind");
    show->add_flag("--files", options->files, "Show each file too, least recently used last");
    show->add_flag("--json", options->json, "Print JSON (schema qiao.cache/1)");
    CLI::App* clear = cache->add_subcommand("clear", "Remove what is in the cache; it is made again when it is needed");
    clear->add_option("--kind", options->kind, "Only this: kernels, pipelines, binaries or plugins")
        ->check(CLI::IsMember({"kernels", "pipelines", "binaries", "plugins"}));
    clear->add_flag("--json", options->json, "Print JSON (schema qiao.cache.clear/1)");
    return {{show, [options] { return run_show(*options); }}, {clear, [options] { return run_clear(*options); }}};
}

} // namespace qiao::cli
