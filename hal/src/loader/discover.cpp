// The way of one candidate: manifest, selection, library, handshake. Whatever fails ends in the ledger.
#include <fnmatch.h>
#include <stdlib.h>

#include <filesystem>
#include <set>

#include "loader/handshake.h"
#include "loader/loader.h"
#include "loader/search.h"

namespace qiao::loader {
namespace {

std::string library_path(const std::string& manifest_path, const std::string& library) {
    const std::filesystem::path path(library);
    if (path.is_absolute() || !path.has_parent_path()) {
        const auto beside = std::filesystem::path(manifest_path).parent_path() / path;
        std::error_code status;
        return path.is_absolute() || !std::filesystem::exists(beside, status) ? library : beside.string();
    }
    return (std::filesystem::path(manifest_path).parent_path() / path).lexically_normal().string();
}

void disable(Candidate& candidate, std::string reason, std::string remedy) {
    candidate.state = QIAO_CANDIDATE_STATE_DISABLED;
    candidate.reason = std::move(reason);
    candidate.remedy = std::move(remedy);
}

Candidate examine(const std::string& path, const std::string& selection, const Sinks& sinks, std::set<std::string>& taken) {
    Candidate candidate;
    candidate.manifest = path;
    Manifest manifest;
    std::string error;
    if (!read_manifest(path, manifest, error)) {
        candidate.state = QIAO_CANDIDATE_STATE_BAD_MANIFEST;
        candidate.reason = "the manifest " + error;
        candidate.remedy = "correct or remove " + path;
        return candidate;
    }
    candidate.plugin = manifest.id;
    candidate.version = manifest.version;
    candidate.library = library_path(path, manifest.library);
    for (const std::string& key : manifest.unknown_keys) {
        sinks.log(sinks.context, QIAO_LOG_LEVEL_WARNING, "core", (path + ": unknown key \"" + key + "\"").c_str());
    }
    if (!selection.empty() && !list_match(selection, manifest.id)) {
        disable(candidate, "QIAO_PLUGINS is '" + selection + "'", "widen QIAO_PLUGINS");
    } else if (!manifest.architecture.empty() && manifest.architecture != own_architecture()) {
        candidate.state = QIAO_CANDIDATE_STATE_INCOMPATIBLE;
        candidate.reason = "it is for " + manifest.architecture + ", this machine is " + own_architecture();
        candidate.remedy = "get a build for " + own_architecture();
    } else if (manifest.abi_major != QIAO_PLUGIN_ABI_MAJOR) {
        candidate.state = QIAO_CANDIDATE_STATE_INCOMPATIBLE;
        candidate.reason = "its manifest says plugin ABI " + std::to_string(manifest.abi_major) + ", this Qiao speaks " + std::to_string(QIAO_PLUGIN_ABI_MAJOR);
        candidate.remedy = "get a build of the plugin for ABI " + std::to_string(QIAO_PLUGIN_ABI_MAJOR);
    } else if (!taken.insert(manifest.id).second) {
        disable(candidate, "another plugin \"" + manifest.id + "\" was found before it", "remove one of the two manifests");
    } else {
        load_plugin(manifest, sinks, candidate);
        if (candidate.loaded == nullptr) taken.erase(manifest.id);
    }
    return candidate;
}

}  // namespace

bool list_match(const std::string& list, const std::string& text) {
    bool matched = !list.empty() && list[0] == '!';
    for (size_t begin = 0; begin <= list.size();) {
        const size_t end = std::min(list.find(',', begin), list.size());
        std::string pattern = list.substr(begin, end - begin);
        const bool exclude = !pattern.empty() && pattern[0] == '!';
        if (exclude) pattern.erase(0, 1);
        if (!pattern.empty() && fnmatch(pattern.c_str(), text.c_str(), 0) == 0) matched = !exclude;
        begin = end + 1;
    }
    return matched;
}

std::vector<Candidate> discover(const Options& options) {
    const char* variable = secure_getenv("QIAO_PLUGINS");
    const std::string selection = variable == nullptr ? "" : variable;
    std::vector<Candidate> candidates;
    std::set<std::string> taken;
    for (const std::string& folder : manifest_folders(options.plugin_path)) {
        for (const std::string& path : manifests_in(folder)) candidates.push_back(examine(path, selection, options.sinks, taken));
    }
    return candidates;
}

}  // namespace qiao::loader
