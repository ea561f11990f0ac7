// PCI functions below bus/pci/devices with their vendor, device and driver; drivers below module and bus/*/drivers.
#include "loader/hardware.h"

#include <algorithm>
#include <filesystem>

#include "loader/pci.h"

namespace qiao::loader {
namespace {

namespace fs = std::filesystem;

// The kernel writes a module's folder with '_' for '-'.
fs::path module_folder(const fs::path& root, std::string driver) {
    std::replace(driver.begin(), driver.end(), '-', '_');
    return root / "module" / driver;
}

bool is_loaded(const fs::path& root, const std::string& driver) {
    std::error_code error;
    if (fs::exists(module_folder(root, driver), error)) return true;
    for (fs::directory_iterator bus(root / "bus", error), end; !error && bus != end; bus.increment(error)) {
        std::error_code none;
        if (fs::exists(bus->path() / "drivers" / driver, none)) return true;
    }
    return false;
}

bool holds(const std::vector<std::string>& list, const std::string& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

std::string any_of(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : " or ") + name;
    return text;
}

Problem absent(std::string reason, std::string remedy) {
    return {QIAO_CANDIDATE_STATE_NO_DEVICES, std::move(reason), std::move(remedy)};
}

std::string load_driver(const HardwareMatch& kind) {
    return "install and load the card's kernel driver (" + any_of(kind.drivers) + ")";
}

// Why this kind is not there.
Verdict check_kind(const fs::path& root, const std::vector<PciFunction>& functions, const HardwareMatch& kind) {
    if (kind.pci_vendor.empty()) {
        for (const std::string& driver : kind.drivers) {
            if (is_loaded(root, driver)) return std::nullopt;
        }
        return absent("the kernel driver " + any_of(kind.drivers) + " is not loaded", load_driver(kind));
    }
    const PciFunction* undriven = nullptr;
    for (const PciFunction& function : functions) {
        if (function.vendor != kind.pci_vendor) continue;
        if (!kind.pci_devices.empty() && !holds(kind.pci_devices, function.device)) continue;
        if (kind.drivers.empty() || holds(kind.drivers, function.driver)) return std::nullopt;
        if (undriven == nullptr) undriven = &function;
    }
    if (undriven != nullptr) {
        return absent("the card " + undriven->address + " (PCI " + undriven->vendor + ":" + undriven->device +
                          ") is driven by " + (undriven->driver.empty() ? "no driver" : undriven->driver) +
                          " instead of " + any_of(kind.drivers),
                      load_driver(kind) + ", and see that it takes the card");
    }
    return absent("there is no PCI device of vendor " + kind.pci_vendor +
                      (kind.pci_devices.empty() ? "" : " with one of the " + std::to_string(kind.pci_devices.size()) +
                                                           " device ids of its manifest"),
                  "nothing, if no such card is installed; else see whether `lspci -n` lists it");
}

} // namespace

Verdict check_hardware(const std::vector<HardwareMatch>& kinds) {
    const fs::path root = sysfs_root();
    std::error_code error;
    if (kinds.empty() || !fs::exists(root / "bus", error)) return std::nullopt;
    const std::vector<PciFunction> functions = pci_functions(root);
    // A card without its driver says more than one that is not there at all.
    Verdict told;
    for (const HardwareMatch& kind : kinds) {
        Verdict problem = check_kind(root, functions, kind);
        if (!problem) return std::nullopt;
        if (!told || problem->reason.starts_with("the card ")) told = std::move(problem);
    }
    return told;
}

std::string driver_versions(const std::vector<HardwareMatch>& kinds) {
    const fs::path root = sysfs_root();
    std::string versions;
    for (const HardwareMatch& kind : kinds) {
        for (const std::string& driver : kind.drivers) {
            const fs::path folder = module_folder(root, driver);
            versions += driver + '=' + sysfs_attribute(folder / "version") + '/' + sysfs_attribute(folder / "srcversion") + ';';
        }
    }
    return versions;
}

} // namespace qiao::loader
