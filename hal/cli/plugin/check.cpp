/* Three looks: at the file, which nothing can go wrong with; then two by child processes, since the plugin runs in them. */
#include "cli/plugin/check.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/facts.h"
#include "cli/failure.h"
#include "cli/plugin/child.h"
#include "cli/plugin/elf.h"

namespace qiao::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/* ---------------------------------------------------------------- the file */

Check check_architecture(const SharedLibrary& library) {
    if (library.machine == own_machine()) return {"architecture", CheckState::Ok, library.machine, ""};
    return {"architecture", CheckState::Problem, text("built for ", library.machine, "; this Qiao is built for ", own_machine()),
            "build it for this machine, or check it on its own"};
}

Check check_exports(const SharedLibrary& library) {
    std::vector<std::string> others = library.exports;
    const auto query = std::find(others.begin(), others.end(), "qiao_plugin_query");
    if (query == others.end()) {
        return {"exports", CheckState::Problem, "qiao_plugin_query is not exported",
                "define it with QIAO_EXPORT (in C++ also extern \"C\", as qiao/plugin.h declares it)"};
    }
    others.erase(query);
    if (others.empty()) return {"exports", CheckState::Ok, "qiao_plugin_query, nothing else", ""};
    const size_t count = others.size();
    if (count > 3) others.resize(3);
    return {"exports", CheckState::Problem, text(count, " symbols besides qiao_plugin_query: ", join(others, ", "), count > 3 ? ", ..." : ""),
            "hide them with the version script that qiao_add_plugin and `pkg-config --variable=exports qiao-plugin` name"};
}

bool is_common(const std::string& library) {
    constexpr const char* kCommon[] = {"libc.so", "libm.so", "libdl.so", "librt.so", "libpthread.so", "libgcc_s.so",
                                       "libstdc++.so", "ld-linux", "libasan.so", "libubsan.so", "libtsan.so"};
    return std::any_of(std::begin(kCommon), std::end(kCommon), [&](const char* name) { return library.starts_with(name); });
}

Check check_needed(const SharedLibrary& library) {
    std::vector<std::string> vendors;
    for (const std::string& name : library.needed) {
        if (name.starts_with("libqiao")) {
            return {"libraries", CheckState::Problem, text("linked with ", name, ", which pins the plugin to one Qiao"),
                    "link qiao::headers only: the host table has all services"};
        }
        if (!is_common(name)) vendors.push_back(name);
    }
    if (vendors.empty()) return {"libraries", CheckState::Ok, "needs " + (library.needed.empty() ? "none" : join(library.needed, ", ")), ""};
    return {"libraries", CheckState::Warning, text("needs ", join(vendors, ", "), ": where they are missing the plugin cannot even say so"),
            "open the vendor's libraries with dlopen in device_count, and say with host->error what is missing"};
}

Check check_search_path(const SharedLibrary& library) {
    const std::string path = library.rpath + (library.rpath.empty() || library.runpath.empty() ? "" : ":") + library.runpath;
    for (const std::string& folder : split_list(path, ':')) {
        if (folder.starts_with("$ORIGIN") || folder.starts_with("${ORIGIN}")) continue;
        if (!folder.starts_with('/')) {
            return {"search path", CheckState::Problem, text("libraries are searched in ", folder, ", relative to the user's folder"),
                    "name folders from $ORIGIN, the plugin's own"};
        }
        return {"search path", CheckState::Warning, text("libraries are searched in ", folder, ", which other machines do not have"),
                "build with INSTALL_RPATH \"\" (installed plugins), or name folders from $ORIGIN"};
    }
    return {"search path", CheckState::Ok, path.empty() ? "the system's" : path, ""};
}

/* Whether it can be started here at all. */
bool look_at_file(const std::string& file, std::vector<Check>& checks) {
    const SharedLibrary library = read_shared_library(file);
    checks.push_back(check_architecture(library));
    checks.push_back(check_exports(library));
    checks.push_back(check_needed(library));
    checks.push_back(check_search_path(library));
    if (library.text_relocations)
        checks.push_back({"code", CheckState::Problem, "has relocations in its code", "compile with -fPIC"});
    if (library.executable_stack)
        checks.push_back({"stack", CheckState::Problem, "asks for an executable stack", "link with -z noexecstack"});
    return library.machine == own_machine() &&
           std::find(library.exports.begin(), library.exports.end(), "qiao_plugin_query") != library.exports.end();
}

/* ---------------------------------------------------------------- the manifest */

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

/* The manifest in the library's folder, or in plugins.d there, that names the library. */
std::string find_manifest(const fs::path& file) {
    for (const fs::path& folder : {file.parent_path() / "plugins.d", file.parent_path()}) {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(folder, error)) {
            if (entry.path().extension() == ".json" && same_file(library_of(entry.path(), read_json(entry.path())), file))
                return entry.path().string();
        }
    }
    return "";
}

Check check_manifest(const std::string& path, const std::string& file, const Json& facts) {
    if (path.empty()) {
        return {"manifest", CheckState::Warning, text("none names ", file, ", so nothing loads it"),
                "write one (hal/docs/manifest.md), or name it with --manifest"};
    }
    const Json json = read_json(path);
    if (!json.is_object()) return {"manifest", CheckState::Problem, path + " is no JSON object", "correct the file"};
    if (!same_file(library_of(path, json), file)) {
        return {"manifest", CheckState::Problem, text(path, " names the library ", json.value("library", Json()).dump(), ", not ", file),
                "correct \"library\": a path, absolute or relative to the manifest"};
    }
    const Json id = json.value("id", Json());
    if (facts.contains("plugin") && id != facts["plugin"]["id"]) {
        return {"manifest", CheckState::Problem, text(path, " says id ", id.dump(), ", the plugin says ", facts["plugin"]["id"].dump()),
                "let both say the same"};
    }
    const Json version = json.value("version", Json());
    if (facts.contains("plugin") && version.is_string() && version != facts["plugin"]["version"]) {
        return {"manifest", CheckState::Warning,
                text(path, " says version ", version.dump(), ", the plugin says ", facts["plugin"]["version"].dump()),
                "take both from one place: qiao_add_plugin gives QIAO_PLUGIN_VERSION and @PROJECT_VERSION@"};
    }
    return {"manifest", CheckState::Ok, path, ""};
}

/* ---------------------------------------------------------------- the children */

CheckState state_of(const std::string& name) {
    return name == "ok" ? CheckState::Ok : name == "warning" ? CheckState::Warning : CheckState::Problem;
}

void run_stage(const std::vector<std::string>& words, double timeout_s, PluginReport& report) {
    std::string step = "starting";
    const std::string end = run_child(words, timeout_s, [&](const Json& told) {
        if (told.contains("step")) step = told["step"];
        if (told.contains("facts")) report.facts.update(told["facts"]);
        if (told.contains("check")) {
            const Json& check = told["check"];
            report.checks.push_back({check["name"], state_of(check["state"]), check["detail"], check["remedy"]});
        }
    });
    if (end.empty()) return;
    report.checks.push_back({"process", CheckState::Problem, text("while ", step, ": ", end),
                             "run the same under a debugger: gdb --args qiao " + join(words, " ")});
}

/* ---------------------------------------------------------------- what is next */

bool is_missing(const Json& slot, const char* tier) {
    return slot["tier"] == tier && !slot["present"].get<bool>();
}

std::string missing_of(const Json& slots, const char* tier) {
    std::vector<std::string> names;
    for (const Json& slot : slots) {
        if (is_missing(slot, tier)) names.push_back(slot["name"]);
    }
    return join(names, ", ");
}

/* A kernel needs a package in the plugin's format, which only its maker has. */
constexpr const char* kKernelNext = "run a kernel, if none has run yet (`qiao package make`, `qiao run`)";

std::string next_step(const PluginReport& report) {
    for (const Check& check : report.checks) {
        if (check.state == CheckState::Problem) return check.name + ": " + check.remedy;
    }
    if (!report.facts.contains("slots")) return "";
    for (const Check& check : report.checks) {
        if (check.name == "devices" && report.facts.value("device_count", 0) == 0)
            return "a device: " + (check.remedy.empty() ? check.detail : check.remedy);
    }
    for (const char* tier : {"T1", "T2", "any"}) {
        const std::string missing = missing_of(report.facts["slots"], tier);
        if (missing.empty()) continue;
        return text(kKernelNext, "; then, all optional: ", missing);
    }
    return kKernelNext;
}

} // namespace

bool PluginReport::problem() const {
    return std::any_of(checks.begin(), checks.end(), [](const Check& check) { return check.state == CheckState::Problem; });
}

PluginReport check_plugin(const std::string& file, const std::string& manifest, double timeout_s) {
    PluginReport report;
    std::error_code error;
    report.file = fs::weakly_canonical(fs::path(file), error).string();
    const bool runnable = look_at_file(report.file, report.checks);
    report.manifest = manifest.empty() ? find_manifest(report.file) : fs::absolute(manifest).lexically_normal().string();
    if (runnable) {
        std::vector<std::string> words = {"plugin", "inspect", report.file};
        if (!report.manifest.empty()) words.push_back(report.manifest);
        run_stage(words, timeout_s, report);
    }
    const Check about_manifest = check_manifest(report.manifest, report.file, report.facts);
    const bool loads = report.facts.contains("plugin") && about_manifest.state != CheckState::Problem && !report.manifest.empty();
    report.checks.push_back(about_manifest);
    if (loads) run_stage({"plugin", "try", report.manifest, report.facts["plugin"]["id"]}, timeout_s, report);
    report.next = next_step(report);
    return report;
}

} // namespace qiao::cli
