/* `qiao doctor`: why there are the devices there are: the ledger of plugins, the state of devices, the machine around. */
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cards/library_report.h"
#include "cli/checks.h"
#include "cli/command.h"
#include "cli/devices.h"
#include "cli/facts.h"
#include "cli/plugin/opening.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

struct DoctorOptions {
    bool json = false;
    bool strict = false;
    bool open = false;
    LibraryOptions library; /* what is asked for instead, if it names one */
};

CheckState severity(qiao_candidate_state state) {
    switch (state) {
        case QIAO_CANDIDATE_STATE_USABLE:
        case QIAO_CANDIDATE_STATE_DISABLED:
            return CheckState::Ok;
        case QIAO_CANDIDATE_STATE_NO_DEVICES:
        case QIAO_CANDIDATE_STATE_REFUSED:
            return CheckState::Warning;
        default:
            return CheckState::Problem;
    }
}

std::vector<Check> device_checks(const std::vector<Device>& devices) {
    std::vector<Check> checks;
    for (const Device& device : devices) {
        qiao_device_state state = QIAO_DEVICE_STATE_OK;
        const char* reason = nullptr;
        check(qiao_device_query_state(device.handle, &state, &reason), "asking for a device's state");
        if (state == QIAO_DEVICE_STATE_OK) {
            checks.push_back({"device", CheckState::Ok, device.id, ""});
        } else {
            checks.push_back({"device", CheckState::Problem,
                              text(device.id, " is ", device_state_name(state), ": ", reason == nullptr ? "" : reason),
                              "reset it, or restart the program that lost it"});
        }
    }
    return checks;
}

const char* state_name(CheckState state) {
    return state == CheckState::Ok ? "ok" : state == CheckState::Warning ? "warning" : "problem";
}

std::string state_text(CheckState state, const std::string& shown) {
    return coloured(state == CheckState::Ok        ? Colour::Good
                    : state == CheckState::Warning ? Colour::Warning
                                                   : Colour::Bad,
                    shown);
}

// How the plugin was tried out before it was let into the process.
std::string probe_text(const std::string& probe) {
    return probe == "known"    ? "installed with Qiao"
           : probe == "child"  ? "probed in a process of its own"
           : probe == "cached" ? "probed before"
                               : "not probed";
}

Json to_json(const qiao_candidate& candidate) {
    return {{"state", candidate_state_name(candidate.state)},
            {"plugin", candidate.plugin},
            {"version", candidate.version},
            {"device_count", candidate.device_count},
            {"manifest", candidate.manifest},
            {"library", candidate.library},
            {"probe", candidate.probe},
            {"reason", candidate.reason},
            {"remedy", candidate.remedy}};
}

std::string candidates_text(const std::vector<qiao_candidate>& candidates) {
    std::string result = coloured(Colour::Title, "Plugins") + "\n";
    if (candidates.empty()) result += "  none was found: no manifest in any plugins.d folder; see QIAO_PLUGIN_PATH\n";
    for (const qiao_candidate& candidate : candidates) {
        const std::string name = *candidate.plugin != '\0' ? candidate.plugin : candidate.manifest;
        result += text("  ", state_text(severity(candidate.state), candidate_state_name(candidate.state)), "  ",
                       printable(name));
        if (*candidate.version != '\0') result += " " + printable(candidate.version);
        if (candidate.device_count > 0) result += text(", devices: ", candidate.device_count);
        if (*candidate.probe != '\0') result += text(" (", probe_text(candidate.probe), ")");
        result += '\n';
        if (*candidate.reason != '\0') result += "    why: " + printable(candidate.reason) + '\n';
        if (*candidate.remedy != '\0') result += "    try: " + printable(candidate.remedy) + '\n';
        if (severity(candidate.state) != CheckState::Ok)
            result += "    manifest: " + printable(candidate.manifest) + '\n';
    }
    return result;
}

std::string checks_text(const std::vector<Check>& checks) {
    std::string result = coloured(Colour::Title, "Checks") + "\n";
    for (const Check& check : checks) {
        result += text("  ", state_text(check.state, state_name(check.state)), "  ", check.name, ": ",
                       printable(check.detail), "\n");
        if (!check.remedy.empty()) result += "    try: " + printable(check.remedy) + '\n';
    }
    return result;
}

bool has_problem(const std::vector<qiao_candidate>& candidates, const std::vector<Check>& checks) {
    for (const qiao_candidate& candidate : candidates) {
        if (severity(candidate.state) == CheckState::Problem) return true;
    }
    for (const Check& check : checks) {
        if (check.state == CheckState::Problem) return true;
    }
    return false;
}

int run(const DoctorOptions& options) {
    const Instance instance = make_instance();
    const std::vector<qiao_candidate> candidates = candidates_of(instance.get());
    const std::vector<Device> devices = all_devices(instance.get());
    std::vector<Check> checks = device_checks(devices);
    for (const Device& device : devices) {
        if (options.open) checks.push_back(check_opening(device.id));
    }
    for (const Check& check : check_compiler())
        checks.push_back(check);
    checks.push_back(check_cache());
    checks.push_back(check_shared_memory());
    for (const Check& check : check_device_files())
        checks.push_back(check);
    for (const Check& check : check_environment())
        checks.push_back(check);

    const bool problem = has_problem(candidates, checks);
    const int code = devices.empty() ? kExitNoDevice : options.strict && problem ? kExitFailed : kExitOk;
    if (options.json) {
        Json json = {{"schema", "qiao.doctor/1"}, {"candidates", Json::array()}, {"checks", Json::array()}};
        for (const qiao_candidate& candidate : candidates)
            json["candidates"].push_back(to_json(candidate));
        for (const Check& check : checks) {
            json["checks"].push_back({{"name", check.name},
                                      {"state", state_name(check.state)},
                                      {"detail", check.detail},
                                      {"remedy", check.remedy}});
        }
        json["device_count"] = devices.size();
        json["problem"] = problem;
        print_json(json);
        return code;
    }
    std::string verdict = devices.empty() ? "no device is usable" : text("usable devices: ", devices.size());
    if (problem) verdict += "; there are problems, see above";
    print(candidates_text(candidates) + checks_text(checks) + coloured(Colour::Title, verdict) + "\n");
    return code;
}

} // namespace

Command doctor_command(CLI::App& root) {
    CLI::App* app =
        root.add_subcommand("doctor", "Say of every plugin, device and tool whether it is usable, why not, what to do");
    auto options = std::make_shared<DoctorOptions>();
    app->add_flag("--json", options->json, "Print JSON (schema qiao.doctor/1, or qiao.doctor.library/1)");
    app->add_flag("--strict", options->strict,
                  "Exit code 1 also if devices are usable but something else is a problem; with --library: if a needed function is missing");
    app->add_flag("--open", options->open, "Open each device too, in a process of its own: finds plugins that crash or hang there");
    CLI::Option* library = app->add_option("--library", options->library.library,
                                           "Compare a vendor's library with the functions that the plugin cuda calls; nothing else is looked at, nothing loaded")
                               ->type_name("FILE");
    app->add_option("--family", options->library.family, "The family that it is of, or a data file (default: the likeliest)")->type_name("ID")->needs(library);
    app->add_option("--report", options->library.report, "Write what was found to a file that can be sent")->type_name("FILE")->needs(library);
    return {app, [options] {
                if (options->library.library.empty()) return run(*options);
                options->library.json = options->json;
                options->library.strict = options->strict;
                return check_library(options->library);
            }};
}

} // namespace qiao::cli
