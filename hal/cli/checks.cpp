/* Nothing here needs a device, and nothing fails: what is wrong is a finding. */
#include "cli/checks.h"

#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/cache.h"
#include "cli/compiler.h"
#include "cli/facts.h"
#include "cli/failure.h"
#include "object/error.h"
#include "tracking/host_view.h"

namespace qiao::cli {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

bool is_directory(const std::string& path) {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string parent(const std::string& path) {
    const size_t slash = path.find_last_of('/');
    return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

bool has_manifests(const std::string& folder) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".json") return true;
    }
    return false;
}

/* What the compiler says of its tools for some formats. */
struct Tools {
    std::vector<std::string> found; /* "libclc: /usr/lib/clc/nvptx64--nvidiacl.bc" */
    std::string missing, remedy;    /* "" = none is */
    bool usable() const { return missing.empty(); }
};

Tools ask(const CompilerLibrary& compiler, const char* formats) {
    qiao_compiler_output* output = nullptr;
    const qiao_status status = compiler.check(formats, &output);
    const CompilerOutput owner = compiler.own(output);
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    if (output == nullptr || compiler.query(output, &result) != QIAO_OK)
        return {{}, text("the compiler does not answer: ", status), "install Qiao's compiler library anew"};
    return {split_list(result.log, '\n'), result.message, result.remedy};
}

/* What every installation makes (qiao/compiler.h); the others are for cards that not everybody has. */
constexpr std::string_view kNeededFormat = "host-elf";

Check check_format(const std::string& format, const Tools& tools, const Tools& common) {
    Check check{"format " + format, CheckState::Ok, format == kNeededFormat ? "" : "optional; ", tools.remedy};
    if (!tools.usable()) {
        check.state = format == kNeededFormat ? CheckState::Problem : CheckState::Warning;
        check.detail += tools.missing;
        return check;
    }
    std::vector<std::string> own;
    for (const std::string& tool : tools.found)
        if (std::find(common.found.begin(), common.found.end(), tool) == common.found.end()) own.push_back(tool);
    check.detail += own.empty() ? "no further tool" : join(own, "; ");
    return check;
}

} // namespace

std::vector<Check> check_compiler() {
    CompilerLibrary compiler;
    std::string reason;
    if (!compiler.open(reason))
        return {{"compiler", CheckState::Problem, reason, "install Qiao's compiler library; packages with variants for the device need none"}};
    const Tools common = ask(compiler, "");
    std::vector<Check> checks = {common.usable() ? Check{"compiler", CheckState::Ok, join(common.found, "; "), ""}
                                                 : Check{"compiler", CheckState::Problem, common.missing, common.remedy}};
    if (!common.usable()) return checks; /* what is common to all formats is missing */
    for (const std::string& format : split_list(compiler.formats(), ';'))
        checks.push_back(check_format(format, ask(compiler, format.c_str()), common));
    return checks;
}

Check check_cache() {
    const std::string folder = cache_folder();
    if (folder.empty()) {
        return {"cache", CheckState::Warning, "neither XDG_CACHE_HOME nor HOME is set: kernels are compiled each time",
                "set XDG_CACHE_HOME to a folder of your own"};
    }
    std::string existing = folder;
    while (!is_directory(existing) && existing != "/")
        existing = parent(existing);
    if (access(existing.c_str(), W_OK | X_OK) == 0) return {"cache", CheckState::Ok, folder, ""};
    return {"cache", CheckState::Warning,
            text(folder, " cannot be written (", std::strerror(errno), "): kernels are compiled each time"),
            "make it writable, or set XDG_CACHE_HOME"};
}

Check check_shared_memory() {
    TrackingChoice choice;
    if (choose_tracking(choice) != QIAO_OK)
        return {"shared-memory", CheckState::Problem, last_error().message, last_error().remedy};
    const std::string detail = text("tracking of host writes: ", tracking_name(choice.tracking));
    if (choice.reason.empty()) return {"shared-memory", CheckState::Ok, detail, ""};
    return {"shared-memory", CheckState::Warning, text(detail, "; ", choice.reason), choice.remedy};
}

std::vector<Check> check_device_files() {
    std::vector<Check> checks;
    for (const char* pattern : {"/dev/dri/renderD*", "/dev/accel/accel*", "/dev/kfd"}) {
        glob_t found{};
        if (glob(pattern, 0, nullptr, &found) == 0) {
            for (size_t i = 0; i < found.gl_pathc; ++i) {
                const char* path = found.gl_pathv[i];
                if (access(path, R_OK | W_OK) == 0) {
                    checks.push_back({"device-file", CheckState::Ok, path, ""});
                } else {
                    checks.push_back(
                        {"device-file", CheckState::Problem, text(path, " may not be opened: ", std::strerror(errno)),
                         "add yourself to the group that owns it (often render or video) and log in again"});
                }
            }
        }
        globfree(&found);
    }
    return checks;
}

std::vector<Check> check_environment() {
    std::vector<Check> checks;
    for (const char* name : {"QIAO_PLUGIN_PATH", "QIAO_VISIBLE_DEVICES", "QIAO_LOG", "QIAO_SHARED_TRACKING", "OCL_ICD_VENDORS"}) {
        if (!variable(name).empty())
            checks.push_back({"environment", CheckState::Ok, text(name, "=", variable(name)), ""});
    }
    for (const std::string& folder : split_list(variable("QIAO_PLUGIN_PATH"), ':')) {
        if (is_directory(folder)) {
            if (has_manifests(folder)) continue;
            checks.push_back({"environment", CheckState::Warning, text("QIAO_PLUGIN_PATH names ", folder, ", which has no manifests"),
                              "name the folder of the plugin's .json file, mostly called plugins.d"});
            continue;
        }
        checks.push_back({"environment", CheckState::Problem,
                          text("QIAO_PLUGIN_PATH names ", folder, ", which is no folder"),
                          "name folders of plugin manifests, ':' between"});
    }
    return checks;
}

} // namespace qiao::cli
