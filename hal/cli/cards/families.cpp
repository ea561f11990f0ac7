#include "cli/cards/families.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "cli/facts.h"
#include "cli/failure.h"
#include "cuda/family_reader.h"

namespace qiao::cli {
namespace {

namespace fs = std::filesystem;

/* Plugins, and so their data, lie beside the library. */
std::string plugin_folder() {
    Dl_info about = {};
    if (dladdr(reinterpret_cast<const void*>(&qiao_query_version), &about) == 0 || about.dli_fname == nullptr) return ".";
    std::error_code error;
    const fs::path library = fs::canonical(about.dli_fname, error);
    return (library.parent_path() / "qiao").string();
}

/* The most special grade there is: of the slot, of all slots. */
std::string grade_of(const cuda::Family& family, const std::string& slot) {
    for (const std::string& key : {"slots." + slot, std::string("slots")}) {
        if (const auto found = family.grades.find(key); found != family.grades.end()) return found->second;
    }
    return "V";
}

void mark_required(std::vector<FamilySlot>& slots) {
    for (const auto& pair : cuda::kRequired) {
        for (size_t index = 0; index < 2; ++index) {
            FamilySlot& slot = slots[static_cast<size_t>(pair[index])];
            const std::string& other = slots[static_cast<size_t>(pair[1 - index])].name;
            slot.required = true;
            if (other != slot.name && slot.instead.empty()) slot.instead = other;
        }
    }
}

Family converted(const cuda::Family& family) {
    Family made{family.id,
                family.name,
                family.prefix,
                family.status.state,
                family.status.date,
                family.status.evidence,
                {},
                family.libraries,
                family.visible_in_process,
                {}};
    made.visible.insert(made.visible.end(), family.visible_in_container.begin(), family.visible_in_container.end());
    for (const cuda::Hardware& hardware : family.hardware) {
        char id[8];
        std::snprintf(id, sizeof id, "0x%04x", hardware.pci_vendor & 0xffffu);
        made.cards.push_back({hardware.vendor, id, hardware.drivers});
    }
    for (size_t index = 0; index < cuda::kSlotCount; ++index) {
        FamilySlot slot;
        slot.name = cuda::kSlotNames[index];
        slot.symbols = family.symbols[index];
        slot.grade = grade_of(family, slot.name);
        made.slots.push_back(std::move(slot));
    }
    mark_required(made.slots);
    return made;
}

Family read(const std::vector<std::string>& folders, const std::string& id) {
    cuda::Family family;
    if (const std::string reason = cuda::read_family(folders, id, &family); !reason.empty())
        throw Failure(kExitFailed, text("the family '", id, "': ", reason), "mend the data file, or install Qiao's anew");
    return converted(family);
}

std::set<std::string> ids_in(const std::vector<std::string>& folders) {
    std::set<std::string> ids;
    for (const std::string& folder : folders) {
        std::error_code error;
        for (fs::directory_iterator each(folder, error), end; !error && each != end; each.increment(error)) {
            if (each->path().extension() == ".json") ids.insert(each->path().stem().string());
        }
    }
    return ids;
}

} // namespace

std::vector<Family> all_families() {
    const std::vector<std::string> folders = cuda::family_folders(plugin_folder().c_str());
    std::vector<Family> families;
    for (const std::string& id : ids_in(folders))
        families.push_back(read(folders, id));
    return families;
}

Family family_named(const std::string& id_or_file) {
    std::vector<std::string> folders = cuda::family_folders(plugin_folder().c_str());
    if (id_or_file.find('/') != std::string::npos || id_or_file.ends_with(".json")) {
        const fs::path file = fs::absolute(id_or_file);
        folders.insert(folders.begin(), file.parent_path().string());
        return read(folders, file.stem().string());
    }
    const std::set<std::string> ids = ids_in(folders);
    if (!ids.contains(id_or_file)) {
        throw Failure(kExitUsage, text("there is no family '", id_or_file, "'"),
                      ids.empty() ? "install the plugin cuda, which brings them, or give a data file"
                                  : "take one of " + join({ids.begin(), ids.end()}, ", ") + ", or give a data file");
    }
    return read(folders, id_or_file);
}

} // namespace qiao::cli
