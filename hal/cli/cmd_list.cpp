/* `qiao list`: one line for each device. */
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cards/inventory.h"
#include "cli/command.h"
#include "cli/devices.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

struct ListOptions {
    bool json = false;
    bool ids = false;
    bool all = false;
};

std::string traits(const Device& device) {
    std::vector<std::string> traits;
    if ((device.properties.flags & QIAO_DEVICE_SIMULATED) != 0) traits.emplace_back("simulated");
    if ((device.properties.flags & QIAO_DEVICE_UNIFIED) != 0) traits.emplace_back("unified");
    return join(traits, ", ");
}

int run(const ListOptions& options) {
    const Instance instance = make_instance();
    const std::vector<Device> devices = all_devices(instance.get());
    std::vector<Card> cards;
    if (options.all) cards = inventory(devices, candidates_of(instance.get()), all_families());
    if (options.json) {
        nlohmann::ordered_json json = {{"schema", "qiao.list/1"}, {"devices", nlohmann::ordered_json::array()}};
        for (const Device& device : devices)
            json["devices"].push_back(device_json(device));
        for (const Card& card : cards)
            json["cards"].push_back(card_json(card));
        if (options.all && cards.empty()) json["cards"] = nlohmann::ordered_json::array();
        print_json(json);
        return kExitOk;
    }
    if (devices.empty()) note("there are no devices; `qiao doctor` says why");
    Table table;
    for (const Device& device : devices) {
        const qiao_device_properties& properties = device.properties;
        if (options.ids) {
            table.add_row({device.id});
            continue;
        }
        table.add_row({coloured(Colour::Title, printable(device.id)), printable(properties.name),
                       bytes_text(properties.memory_bytes), printable(properties.target), traits(device)});
    }
    print(table.text() + cards_text(cards));
    return kExitOk;
}

} // namespace

Command list_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("list", "List the devices, one a line: id, name, memory, target, traits");
    auto options = std::make_shared<ListOptions>();
    app->add_flag("--json", options->json, "Print JSON (schema qiao.list/1)");
    app->add_flag("--ids", options->ids, "Print ids only");
    app->add_flag("--all", options->all, "Name the machine's other cards too, with the plugin that each would need")->excludes("--ids");
    return {app, [options] { return run(*options); }};
}

} // namespace qiao::cli
