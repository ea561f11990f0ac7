/* Four looks: at the file, which nothing can go wrong with; then by child processes, since the plugin runs in them: as its host, as
 * an application, and with a kernel that `qiao run` launches. */
#include "cli/plugin/check.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/facts.h"
#include "cli/failure.h"
#include "cli/plugin/advice.h"
#include "cli/plugin/child.h"
#include "cli/plugin/elf.h"
#include "cli/plugin/manifest.h"

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

/* ---------------------------------------------------------------- the children */

CheckState state_of(const std::string& name) {
    return name == "ok" ? CheckState::Ok : name == "warning" ? CheckState::Warning : CheckState::Problem;
}

std::string excerpt(const std::string& output) {
    constexpr size_t kShown = 60;
    const std::string line = output.substr(0, output.find('\n'));
    return line.size() > kShown ? line.substr(0, kShown) + "..." : line;
}

/* What the plugin printed: found once, it is not told of each process again. */
void tell_output(const std::string& output, PluginReport& report) {
    const bool told = std::any_of(report.checks.begin(), report.checks.end(), [](const Check& check) { return check.name == "output"; });
    if (output.empty() || told) return;
    report.checks.push_back({"output", CheckState::Problem,
                             text("it wrote ", output.size(), " bytes to stdout, among the program's own data: \"", excerpt(output), "\""),
                             "print nothing; host->log is for words to people (QIAO_LOG=debug shows them)"});
}

/* False if the process did not end in good order: then there is no use in running the plugin once more. */
bool run_stage(const std::vector<std::string>& words, double timeout_s, PluginReport& report) {
    std::string step = "starting";
    const TrialEnd end = run_telling({words, timeout_s}, [&](const Json& told) {
        if (told.contains("step")) step = told["step"];
        if (told.contains("facts")) report.facts.update(told["facts"]);
        if (told.contains("tried")) report.tried.insert(told["tried"].get<std::string>());
        if (told.contains("check")) {
            const Json& check = told["check"];
            report.checks.push_back({check["name"], state_of(check["state"]), check["detail"], check["remedy"]});
        }
    });
    tell_output(end.output, report);
    if (end.wrong.empty()) return true;
    report.checks.push_back({"process", CheckState::Problem, text("while ", step, ": ", end.wrong),
                             "run the same under a debugger: gdb --args qiao " + join(words, " ")});
    return false;
}

/* What `qiao run --json` says of the one device. */
Check judge_run(const std::string& name, const TrialEnd& end, const Json& json, const std::string& command) {
    const std::string again = "the same by itself: " + command;
    if (!end.wrong.empty()) return {name, CheckState::Problem, end.wrong, again};
    if (!json.contains("schema")) return {name, CheckState::Problem, text("it ended the process with exit code ", end.exit_code), again};
    if (end.exit_code == kExitUsage) throw Failure(kExitUsage, json.value("message", ""), again);
    if (!json.contains("comparisons")) return {name, CheckState::Problem, json.value("message", ""), for_the_maker(json.value("remedy", again))};
    if (json["devices"][0]["error"].is_object()) {
        const Json& error = json["devices"][0]["error"];
        const std::string remedy = for_the_maker(error["remedy"]);
        return {name, CheckState::Problem, error["message"], remedy.empty() ? again : remedy};
    }
    if (end.exit_code == kExitDiffers) {
        const auto differs = [](const Json& one) { return !one["within_tolerance"].get<bool>(); };
        const Json& wrong = *std::find_if(json["comparisons"].begin(), json["comparisons"].end(), differs);
        return {name, CheckState::Problem,
                text("of ", wrong["elements"].dump(), " elements of '", wrong["argument"].get<std::string>(), "' ", wrong["differing"].dump(), " differ from ",
                     wrong["against"].get<std::string>(), ", the first is ", wrong["first_index"].dump()),
                again};
    }
    return {name, CheckState::Ok, json["comparisons"].empty() ? "runs (results: add --reference)" : "works", ""};
}

bool has_queues(const Json& facts) {
    return std::any_of(facts["slots"].begin(), facts["slots"].end(), [](const Json& slot) { return slot["name"] == "queue_create" && slot["present"].get<bool>(); });
}

/* Loading has been tried: what goes wrong now is the launch's. */
void launch_kernel(const CheckPlan& plan, PluginReport& report) {
    const bool queues = has_queues(report.facts);
    const std::vector<std::string> slots = queues ? std::vector<std::string>{"queue_create", "queue_launch", "queue_mark", "queue_destroy"}
                                                  : std::vector<std::string>{"kernel_launch", "device_synchronize"};
    const std::string folder = fs::path(report.manifest).parent_path().string();
    const std::string id = report.facts["plugin"]["id"];
    for (const Json& device : report.facts.value("devices", Json::array())) {
        std::vector<std::string> words = {"run", plan.package};
        if (!plan.kernel.empty()) words.push_back(plan.kernel);
        words.insert(words.end(), plan.launch.begin(), plan.launch.end());
        words.insert(words.end(), {"--device", device.get<std::string>(), "--json"});
        const TrialEnd end = run_silent({words, plan.timeout_s, {{"QIAO_PLUGIN_PATH", folder}, {"QIAO_PLUGINS", id}, {"QIAO_PROBE", "inprocess"}}});
        const size_t begin = std::min(end.output.find("{\n"), end.output.size());
        tell_output(end.output.substr(0, begin), report);
        Json json = Json::parse(end.output.substr(begin), nullptr, false);
        if (!json.is_object()) json = Json::object();
        const Check check = judge_run(text(device.get<std::string>(), " ", join(slots, ", ")), end, json,
                                      text("QIAO_PLUGIN_PATH=", folder, " qiao ", join(words, " ")));
        if (check.state == CheckState::Ok) report.tried.insert(slots.begin(), slots.end());
        report.checks.push_back(check);
    }
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

constexpr const char* kKernelNext = "run a kernel: --package, --kernel, --grid and -a (a package: `qiao cc`, `qiao package add`)";

std::string next_step(const PluginReport& report) {
    for (const Check& check : report.checks) {
        if (check.state == CheckState::Problem) return check.name + ": " + check.remedy;
    }
    if (!report.facts.contains("slots")) return "";
    for (const Check& check : report.checks) {
        if (check.name == "devices" && report.facts.value("device_count", 0) == 0)
            return "a device: " + (check.remedy.empty() ? check.detail : check.remedy);
    }
    std::vector<std::string> steps;
    if (!report.tried.contains("kernel_launch") && !report.tried.contains("queue_launch")) steps.push_back(kKernelNext);
    for (const char* tier : {"T1", "T2", "any"}) {
        const std::string missing = missing_of(report.facts["slots"], tier);
        if (missing.empty()) continue;
        steps.push_back("all optional: " + missing);
        break;
    }
    return join(steps, "; then, ");
}

} // namespace

bool PluginReport::problem() const {
    return std::any_of(checks.begin(), checks.end(), [](const Check& check) { return check.state == CheckState::Problem; });
}

PluginReport check_plugin(const CheckPlan& plan) {
    PluginReport report;
    std::error_code error;
    report.file = fs::weakly_canonical(fs::path(plan.file), error).string();
    bool runnable = look_at_file(report.file, report.checks);
    report.manifest = plan.manifest.empty() ? find_manifest(report.file) : fs::absolute(plan.manifest).lexically_normal().string();
    if (runnable) {
        std::vector<std::string> words = {"plugin", "inspect", report.file};
        if (!report.manifest.empty()) words.push_back(report.manifest);
        runnable = run_stage(words, plan.timeout_s, report);
    }
    bool loads = runnable && report.facts.contains("plugin") && !report.manifest.empty();
    for (const Check& check : check_manifest(report.manifest, report.file, report.facts)) {
        loads = loads && check.state != CheckState::Problem;
        report.checks.push_back(check);
    }
    if (loads) {
        std::vector<std::string> words = {"plugin", "try", report.manifest, report.facts["plugin"]["id"]};
        if (!plan.package.empty()) words.insert(words.end(), {"--package", plan.package});
        loads = run_stage(words, plan.timeout_s, report);
    }
    const bool launchable = report.tried.contains("program_load") && report.tried.contains("device_synchronize");
    if (loads && launchable && !plan.launch.empty()) launch_kernel(plan, report);
    report.next = next_step(report);
    return report;
}

} // namespace qiao::cli
