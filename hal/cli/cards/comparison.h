/* A vendor's library held against the table of a family: which of the names that the plugin calls are exported, and what those that
 * are not may be called now. Knows names only. */
#pragma once

#include <string>
#include <vector>

#include "cli/cards/families.h"

namespace qiao::cli {

enum class SlotState {
    Found,    /* the name that stands first */
    Fallback, /* another of its names */
    Missing,
    None, /* the family has no such function */
};

struct ComparedSlot {
    const FamilySlot* slot = nullptr; /* the family's */
    SlotState state = SlotState::None;
    std::string symbol;               /* found; "" = missing */
    std::vector<std::string> similar; /* exported names that a missing one may have become: the likeliest */
    bool needed = false;              /* missing, and the plugin cannot do without */
};

struct LibraryComparison {
    std::vector<ComparedSlot> slots;
    size_t found = 0, fallback = 0, missing = 0, needed = 0;
    size_t with_prefix = 0; /* exported names that begin as the family's do */
};

/* The family must outlive it. */
LibraryComparison compare(const std::vector<std::string>& exports, const Family& family);

/* Where no family was named: that of which the most names are exported; null = of none more than a few. */
const Family* likeliest_family(const std::vector<std::string>& exports, const std::vector<Family>& families);

} // namespace qiao::cli
