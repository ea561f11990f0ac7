#include "cli/cards/vendors.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace qiao::cli {

extern const char* const kVendorsJson; /* made of vendors.json */

namespace {

Vendor read(const nlohmann::json& json) {
    Vendor vendor;
    vendor.name = json.at("name");
    vendor.aliases = json.value("aliases", std::vector<std::string>());
    vendor.pci_vendor = json.at("pci_vendor");
    vendor.grade = json.at("grade");
    vendor.nodes = json.value("nodes", std::vector<std::string>());
    vendor.families = json.value("families", std::vector<std::string>());
    vendor.plugin = json.value("plugin", "");
    const auto other_plugins = json.value("other_plugins", nlohmann::json::object()), products = json.value("products", nlohmann::json::object());
    for (const auto& [plugin, grade] : other_plugins.items())
        vendor.other_plugins.push_back({plugin, grade});
    for (const auto& [id, product] : products.items())
        vendor.products[id] = {product.at(0), product.at(1)};
    return vendor;
}

} // namespace

const std::vector<Vendor>& vendors() {
    static const std::vector<Vendor> all = [] {
        std::vector<Vendor> made;
        const nlohmann::json json = nlohmann::json::parse(kVendorsJson);
        for (const nlohmann::json& each : json.at("vendors"))
            made.push_back(read(each));
        return made;
    }();
    return all;
}

const Vendor* vendor_of(const std::string& pci_vendor) {
    const auto found = std::ranges::find(vendors(), pci_vendor, &Vendor::pci_vendor);
    return found != vendors().end() ? &*found : nullptr;
}

const char* grade_name(const std::string& grade) {
    return grade == "V" ? "verified" : grade == "S" ? "second-hand" : grade == "I" ? "inferred" : "remembered";
}

} // namespace qiao::cli
