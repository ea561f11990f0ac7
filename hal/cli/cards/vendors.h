/* Who makes cards, as far as their PCI identity tells, with the plugin that drives them or would have to; each fact with its grade. Out of
 * vendors.json, which is built in. */
#pragma once

#include <map>
#include <string>
#include <vector>

namespace qiao::cli {

/* A fact and how sure it is: V read in public source, S second-hand, I inferred, R remembered. */
struct Graded {
    std::string text;
    std::string grade;
};

struct Vendor {
    std::string name;
    std::vector<std::string> aliases; /* other names that inventories use */
    std::string pci_vendor;           /* as sysfs writes it: "0x1d94" */
    std::string grade;                /* of the PCI id */
    std::vector<std::string> nodes;             /* device files, as patterns: two vendors may have the same */
    std::vector<std::string> families;          /* of the plugin cuda; empty = of none */
    std::string plugin;                         /* that would be needed, and that there is none of yet; "" = no such */
    std::vector<Graded> other_plugins;          /* that may drive its cards through a vendor's driver */
    std::map<std::string, Graded> products;     /* by PCI device id; a hint, names differ between sources */
};

const std::vector<Vendor>& vendors();
/* Null = nobody known. */
const Vendor* vendor_of(const std::string& pci_vendor);

/* "verified", "second-hand", "inferred", "remembered". */
const char* grade_name(const std::string& grade);

} // namespace qiao::cli
