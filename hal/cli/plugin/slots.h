/* What is known of the slots of the plugin ABI besides their types: to which tier each belongs, and what a plugin gains with
 * it. Knows qiao/plugin.h; asks no plugin anything. */
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace qiao::cli {

enum class SlotTable { kDevice, kMemory, kProgram, kQueue };

struct SlotKind {
    const char* name;
    SlotTable table;
    size_t offset;      /* in its table */
    const char* tier;   /* "T0", "T1", "T2"; "any" = useful at any tier */
    const char* group;  /* slots that come together or not at all; "" = by itself */
    const char* brings; /* what the card gains with it, and what happens without it */
    bool required;      /* of a plugin with the compute role */
};

/* In the order of the ABI. */
std::span<const SlotKind> slot_kinds();

struct TableKind {
    const char* name;
    size_t size; /* as this build knows it */
};
TableKind table_kind(SlotTable table);
inline constexpr SlotTable kSlotTables[] = {SlotTable::kDevice, SlotTable::kMemory, SlotTable::kProgram, SlotTable::kQueue};

} // namespace qiao::cli
