/* `qiao why`: which variant of a package each device would take, and why not the others. The words are the library's. */
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/devices.h"
#include "cli/package/edit.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

struct WhyOptions {
    std::string file;
    std::vector<std::string> devices;
    bool json = false;
};

/* A variant as one device sees it; copied, since the library lends it during the callback only. */
struct Seen {
    std::string format, target, reason;
    qiao_verdict verdict;
    uint32_t score;
};

std::vector<Seen> ask(const Device& device, const package::Package& package, const std::string& name) {
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = package.bytes().data();
    desc.size_bytes = package.bytes().size();
    desc.name = name.c_str();
    std::vector<Seen> all;
    const auto add = [](void* user, const qiao_variant* variant) {
        static_cast<std::vector<Seen>*>(user)->push_back(
            {variant->format, variant->target, variant->reason, variant->verdict, variant->score});
    };
    check(qiao_program_explain(device.handle, &desc, add, &all), "asking " + device.id);
    return all;
}

const char* verdict_name(qiao_verdict verdict) {
    switch (verdict) {
        case QIAO_VERDICT_TAKEN:
            return "taken";
        case QIAO_VERDICT_WORSE:
            return "worse";
        case QIAO_VERDICT_DAMAGED:
            return "damaged";
        default:
            return "refused";
    }
}

Colour colour_of(qiao_verdict verdict) {
    return verdict == QIAO_VERDICT_TAKEN     ? Colour::Good
           : verdict == QIAO_VERDICT_DAMAGED ? Colour::Bad
                                             : Colour::Quiet;
}

/* What becomes of the package on the device. */
const char* outcome(const std::vector<Seen>& seen, bool has_source) {
    const auto has = [&](qiao_verdict verdict) {
        return std::any_of(seen.begin(), seen.end(), [&](const Seen& each) { return each.verdict == verdict; });
    };
    if (has(QIAO_VERDICT_DAMAGED)) return "damaged";
    if (has(QIAO_VERDICT_TAKEN)) return "taken";
    return has_source ? "source" : "none";
}

Json device_verdicts(const Device& device, const std::vector<Seen>& seen, const char* result) {
    Json json = {{"id", device.id}, {"outcome", result}, {"variants", Json::array()}};
    for (const Seen& each : seen) {
        json["variants"].push_back({{"format", each.format},
                                    {"target", each.target},
                                    {"verdict", verdict_name(each.verdict)},
                                    {"score", each.score},
                                    {"reason", each.reason}});
    }
    return json;
}

std::string device_text(const Device& device, const std::vector<Seen>& seen, const std::string& result) {
    std::string words = coloured(Colour::Title, printable(device.id)) + "  " + printable(device.properties.name) + "\n";
    Table table;
    for (const Seen& each : seen) {
        const std::string name = each.target.empty() ? each.format : each.format + " " + each.target;
        table.add_row({coloured(colour_of(each.verdict), verdict_name(each.verdict)), printable(name),
                       each.score == 0 ? "" : text("score ", each.score), printable(each.reason)});
    }
    words += table.text("  ");
    if (result == "source") words += "  nothing fits: its source would be compiled for the device\n";
    if (result == "none") words += "  nothing fits, and the package has no source to compile\n";
    if (result == "damaged") words += "  the package cannot be loaded\n";
    return words;
}

int run(const WhyOptions& options) {
    const package::Package package = open_package(options.file);
    const Instance instance = make_instance();
    const std::vector<Device> devices =
        options.devices.empty() ? all_devices(instance.get()) : select_devices(instance.get(), options.devices);
    if (devices.empty()) throw Failure(kExitNoDevice, "there are no devices", "`qiao doctor` says why");
    Json json = {{"schema", "qiao.why/1"}, {"file", options.file}, {"devices", Json::array()}};
    std::string words;
    for (const Device& device : devices) {
        const std::vector<Seen> seen = ask(device, package, options.file);
        const char* result = outcome(seen, package.has_source());
        json["devices"].push_back(device_verdicts(device, seen, result));
        words += device_text(device, seen, result);
    }
    if (options.json) {
        print_json(json);
    } else {
        print(words);
    }
    return kExitOk;
}

} // namespace

Command why_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("why", "Say which variant of a package devices would take, and why not the others");
    auto options = std::make_shared<WhyOptions>();
    app->add_option("PACKAGE", options->file, "The package")->required();
    app->add_option("DEVICE", options->devices, "These: an id, a plugin's id, or a glob (default: all)")->type_name("SEL");
    app->add_flag("--json", options->json, "Print JSON (schema qiao.why/1)");
    return {app, [options] { return run(*options); }};
}

} // namespace qiao::cli
