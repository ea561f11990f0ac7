/* Where nothing names the library, what lies beside it says why: a file that is no JSON, a manifest of the plugin's id that
 * names another library. */
#include "cli/plugin/manifest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kCorrectLibrary = "correct \"library\": a path, absolute or relative to the manifest";

Json read_json(const fs::path& path) {
    std::ifstream stream(path);
    return Json::parse(stream, nullptr, false);
}

fs::path library_of(const fs::path& manifest, const Json& json) {
    const Json library = json.is_object() ? json.value("library", Json()) : Json();
    if (!library.is_string()) return {};
    return manifest.parent_path() / library.get<std::string>(); /* an absolute one replaces the folder */
}

bool same_file(const fs::path& left, const fs::path& right) {
    std::error_code error;
    return fs::equivalent(left, right, error);
}

/* Files that may be manifests of the library, as build and installation lay them. */
std::vector<fs::path> candidates(const fs::path& library) {
    std::vector<fs::path> files;
    for (const fs::path& folder : {library.parent_path() / "plugins.d", library.parent_path()}) {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(folder, error)) {
            if (entry.path().extension() == ".json") files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::string id_of(const Json& facts) {
    return facts.contains("plugin") ? facts["plugin"]["id"].get<std::string>() : "";
}

/* What was meant to be the library's manifest, perhaps. `state` is how bad that is. */
std::vector<Check> check_neighbours(const std::string& library, const std::string& id, const std::string& own, CheckState state) {
    std::vector<Check> checks;
    for (const fs::path& path : candidates(library)) {
        if (path == own) continue;
        const Json json = read_json(path);
        if (!json.is_object()) {
            checks.push_back({"manifest", state, text(path.string(), " is no JSON object"), "correct the file, or remove it"});
        } else if (!id.empty() && json.value("id", Json()) == id) {
            checks.push_back({"manifest", state, text(path.string(), " has the id \"", id, "\" and names the library ", json.value("library", Json()).dump(), ", not ", library),
                              own.empty() ? kCorrectLibrary : "remove one of the two: the first by name is taken"});
        }
    }
    return checks;
}

/* "" = the manifest asks for no more than the plugin was built for. */
std::string wrong_abi(const Json& json, const Json& plugin) {
    const Json abi = json.value("abi", Json());
    if (!abi.is_object()) return ""; /* the loader says so */
    const Json major = abi.value("major", Json()), minor = abi.value("minor", Json());
    if (!major.is_number_unsigned() || !minor.is_number_unsigned()) return "";
    if (major == plugin["abi_major"] && minor <= plugin["abi_minor"]) return "";
    return text("says that it needs plugin ABI ", major.dump(), ".", minor.dump(), "; the plugin is built for ", plugin["abi_major"].dump(), ".",
                plugin["abi_minor"].dump());
}

Check check_own(const std::string& path, const std::string& library, const Json& facts) {
    const Json json = read_json(path);
    if (!json.is_object()) return {"manifest", CheckState::Problem, path + " is no JSON object", "correct the file"};
    if (!same_file(library_of(path, json), library)) {
        return {"manifest", CheckState::Problem, text(path, " names the library ", json.value("library", Json()).dump(), ", not ", library),
                kCorrectLibrary};
    }
    if (!facts.contains("plugin")) return {"manifest", CheckState::Ok, path, ""};
    const Json& plugin = facts["plugin"];
    const Json id = json.value("id", Json()), version = json.value("version", Json());
    if (id != plugin["id"]) {
        return {"manifest", CheckState::Problem, text(path, " says id ", id.dump(), ", the plugin says ", plugin["id"].dump()),
                "let both say the same"};
    }
    if (const std::string wrong = wrong_abi(json, plugin); !wrong.empty()) {
        return {"manifest", CheckState::Problem, path + " " + wrong, "correct \"abi\": the least plugin ABI that the plugin needs from its host"};
    }
    if (version.is_string() && version != plugin["version"]) {
        return {"manifest", CheckState::Warning, text(path, " says version ", version.dump(), ", the plugin says ", plugin["version"].dump()),
                "take both from one place: qiao_add_plugin gives QIAO_PLUGIN_VERSION and @PROJECT_VERSION@"};
    }
    return {"manifest", CheckState::Ok, path, ""};
}

} // namespace

std::string find_manifest(const std::string& library) {
    for (const fs::path& path : candidates(library)) {
        if (same_file(library_of(path, read_json(path)), library)) return path.string();
    }
    return "";
}

std::vector<Check> check_manifest(const std::string& path, const std::string& library, const Json& facts) {
    if (!path.empty()) {
        std::vector<Check> checks = {check_own(path, library, facts)};
        for (Check& check : check_neighbours(library, id_of(facts), path, CheckState::Warning))
            checks.push_back(std::move(check));
        return checks;
    }
    std::vector<Check> checks = check_neighbours(library, id_of(facts), "", CheckState::Problem);
    if (!checks.empty()) return checks;
    return {{"manifest", CheckState::Warning, text("none names ", library, ", so nothing loads it"),
             "write one (hal/docs/manifest.md), or name it with --manifest"}};
}

} // namespace qiao::cli
