#include "cli/cards/inventory.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/facts.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "loader/pci.h"

namespace qiao::cli {
namespace {

/* Display controllers, coprocessors and processing accelerators; other functions of a card, and other products of its vendor, are none. */
bool is_card(const loader::PciFunction& function) {
    constexpr std::string_view kDisplay = "0x03", kCoprocessor = "0x0b40", kAccelerator = "0x12";
    const std::string& kind = function.kind;
    if (kind.empty()) return vendor_of(function.vendor) != nullptr;
    if (kind.starts_with(kAccelerator)) return true;
    return (kind.starts_with(kDisplay) || kind.starts_with(kCoprocessor)) && vendor_of(function.vendor) != nullptr;
}

const Device* device_at(const std::vector<Device>& devices, const std::string& address) {
    const auto found = std::ranges::find_if(devices, [&](const Device& device) { return pci_text(device.properties) == address; });
    return found != devices.end() ? &*found : nullptr;
}

const Family* family_of(const std::vector<Family>& families, const std::string& id) {
    const auto found = std::ranges::find(families, id, &Family::id);
    return found != families.end() ? &*found : nullptr;
}

/* Why the first plugin that the ledger knows does not drive it. */
void explain(Card& card, const std::vector<qiao_candidate>& candidates) {
    for (const std::string& plugin : card.plugins) {
        const auto known = std::ranges::find_if(candidates, [&](const qiao_candidate& each) { return each.plugin == plugin; });
        if (known == candidates.end()) continue;
        card.state = CardState::Undriven;
        card.reason = *known->reason != '\0'
                          ? known->reason
                          : text("the plugin ", plugin, " is ", candidate_state_name(known->state), " and has no device at this address");
        card.remedy = *known->remedy != '\0' ? known->remedy : "see `qiao doctor`";
        return;
    }
    const bool possible = card.vendor != nullptr && (!card.vendor->families.empty() || !card.vendor->other_plugins.empty());
    card.state = possible ? CardState::Undriven : CardState::NoPlugin;
    if (possible) {
        card.reason = "the plugin " + join(card.plugins, " or ") + " is not installed";
        card.remedy = "install it; see `qiao doctor`";
    } else if (card.plugins.empty()) {
        card.reason = "nothing is known of how it is driven";
    } else {
        card.reason = "it needs a plugin " + join(card.plugins, " or ") + ", which does not exist yet";
        card.remedy = "see hal/docs/plugin_guide.md, if you can write it";
    }
}

/* A vendor's library sees fewer cards than the machine has where somebody has said so. */
void name_variables(Card& card, const std::vector<Family>& families) {
    for (const std::string& plugin : card.plugins) {
        const Family* family = family_of(families, plugin);
        if (family == nullptr) continue;
        for (const std::string& name : family->visible) {
            if (const char* value = std::getenv(name.c_str())) card.reason += text("; ", name, "='", value, "' may hide it");
        }
    }
}

Card card_of(const loader::PciFunction& function, const std::vector<Device>& devices, const std::vector<qiao_candidate>& candidates,
             const std::vector<Family>& families) {
    Card card;
    card.address = function.address;
    card.pci_vendor = function.vendor;
    card.pci_device = function.device;
    card.driver = function.driver;
    card.vendor = vendor_of(function.vendor);
    if (card.vendor != nullptr) {
        if (const auto product = card.vendor->products.find(function.device); product != card.vendor->products.end()) card.product = product->second;
        card.plugins = card.vendor->families;
        if (!card.vendor->plugin.empty()) card.plugins.push_back(card.vendor->plugin);
        for (const Graded& other : card.vendor->other_plugins)
            card.plugins.push_back(other.text);
        for (const std::string& id : card.vendor->families) {
            if (const Family* family = family_of(families, id)) card.status = family->state;
        }
    }
    if (const Device* device = device_at(devices, function.address)) {
        card.state = CardState::Driven;
        card.device = device->id;
        return card;
    }
    explain(card, candidates);
    name_variables(card, families);
    return card;
}

const char* state_name(CardState state) {
    return state == CardState::Driven ? "driven" : state == CardState::Undriven ? "undriven" : "no-plugin";
}

std::string name_of(const Card& card) {
    std::string name = card.vendor != nullptr ? card.vendor->name : "unknown vendor";
    if (!card.product.text.empty())
        name += text(" ", card.product.text, card.product.grade == "V" ? "" : text(" (", grade_name(card.product.grade), ")"));
    return name;
}

} // namespace

std::vector<Card> inventory(const std::vector<Device>& devices, const std::vector<qiao_candidate>& candidates, const std::vector<Family>& families) {
    std::vector<Card> cards;
    for (const loader::PciFunction& function : loader::pci_functions(loader::sysfs_root())) {
        if (is_card(function)) cards.push_back(card_of(function, devices, candidates, families));
    }
    return cards;
}

nlohmann::ordered_json card_json(const Card& card) {
    return {{"pci", card.address},
            {"pci_vendor", card.pci_vendor},
            {"pci_device", card.pci_device},
            {"vendor", card.vendor != nullptr ? card.vendor->name : ""},
            {"aliases", card.vendor != nullptr ? card.vendor->aliases : std::vector<std::string>()},
            {"product", card.product.text},
            {"product_grade", card.product.text.empty() ? "" : grade_name(card.product.grade)},
            {"driver", card.driver},
            {"nodes", card.vendor != nullptr ? card.vendor->nodes : std::vector<std::string>()},
            {"state", state_name(card.state)},
            {"device", card.device},
            {"plugins", card.plugins},
            {"status", card.status},
            {"reason", card.reason},
            {"remedy", card.remedy}};
}

std::string cards_text(const std::vector<Card>& cards) {
    Table table;
    for (const Card& card : cards) {
        if (card.state == CardState::Driven) continue;
        const std::string status = card.status.empty() ? "" : " (" + card.status + ")";
        table.add_row({coloured(Colour::Title, printable(card.address)), printable(name_of(card)),
                       card.driver.empty() ? "no driver" : printable(card.driver), join(card.plugins, " or ") + status, printable(card.reason)});
    }
    return table.empty() ? "" : coloured(Colour::Title, "Cards without a device") + "\n" + table.text("  ");
}

} // namespace qiao::cli
