// Whether the hardware that a manifest asks for is there, as sysfs tells it: no library is opened to find out.
#pragma once

#include <string>
#include <vector>

#include "loader/problem.h"

namespace qiao::loader {

// One kind of card: all that is given must be true of it.
struct HardwareMatch {
    std::string pci_vendor;               // as sysfs writes it: "0x1d94"; "" = any bus
    std::vector<std::string> pci_devices; // of that vendor; empty = all
    std::vector<std::string> drivers;     // the kernel drivers that may drive it; empty = any or none
};

// Nothing: one of the kinds is there, there are none to look for, or this system does not tell. Else NO_DEVICES, with what
// is missing. Looks below QIAO_SYSFS_ROOT, which is /sys.
Verdict check_hardware(const std::vector<HardwareMatch>& kinds);

// Names and versions of the named drivers that are loaded; for keys, not for readers.
std::string driver_versions(const std::vector<HardwareMatch>& kinds);

} // namespace qiao::loader
