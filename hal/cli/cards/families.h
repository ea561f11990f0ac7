/* The families of vendor libraries that the plugin `cuda` drives, out of its data files: what functions are called there, which cards
 * they are for, and how sure it is. */
#pragma once

#include <string>
#include <vector>

namespace qiao::cli {

/* One function that the plugin may call. */
struct FamilySlot {
    std::string name;                 /* "memory_allocate" */
    std::vector<std::string> symbols; /* the library's names, the best first; empty = the family has none */
    std::string instead;              /* the other slot, one of the two is needed; "" = no such */
    bool required = false;
    std::string grade;                /* V, S, I or R: hal/docs/cards.md */
};

struct FamilyCards {
    std::string vendor;
    std::string pci_vendor; /* as sysfs writes it */
    std::vector<std::string> drivers;
};

struct Family {
    std::string id, name, prefix;
    std::string state, date, evidence; /* of its status */
    std::vector<FamilyCards> cards;
    std::vector<std::string> libraries;
    std::vector<std::string> visible; /* variables that choose which cards a process sees, and a container is given */
    std::vector<FamilySlot> slots;
};

/* By id. Throw Failure where a data file is wrong, naming its line. */
std::vector<Family> all_families();
/* By its id, or its data file where the name has a '/' or ends in ".json". */
Family family_named(const std::string& id_or_file);

} // namespace qiao::cli
