// PCI functions as sysfs tells them: who made them, what they are, who drives them. Nothing is opened.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qiao::loader {

struct PciFunction {
    std::string address;        // "0000:03:00.0"
    std::string vendor, device; // as sysfs writes them: "0x1d94"
    std::string kind;           // its class: "0x120000"; "" = not told
    std::string driver;         // "" = none
};

// What stands for /sys: QIAO_SYSFS_ROOT replaces it.
std::filesystem::path sysfs_root();

// An attribute without its line end; "" = it is not there.
std::string sysfs_attribute(const std::filesystem::path& path);

// In the order of their addresses.
std::vector<PciFunction> pci_functions(const std::filesystem::path& root);

} // namespace qiao::loader
