// The core's full-length copy of a plugin's tables: after it, nobody tests a version or a size again. Also the list of
// all slots with their provenance on a device.
#pragma once

#include "object/device.h"
#include "qiao/device.h"

namespace qiao {

// Copies what the plugin's tables cover; the rest is null.
DeviceTables copy_tables(const qiao_plugin_tables& tables);

// The plugin's list without its end mark; names and tables stay the plugin's.
std::vector<qiao_plugin_extension> copy_extensions(const qiao_plugin_tables& tables);

// The six slots that make a queue native are all there.
bool has_native_queues(const DeviceTables& tables);

// Queue timestamps are the core's, on the host's clock; so the device's clock is that one.
bool core_keeps_time(const DeviceTables& tables);

// An out-struct for a plugin, with room behind it: a later plugin that assigns its own larger one whole does no harm.
template <class Struct>
struct WithSlack {
    WithSlack() { value.struct_size = sizeof value; }
    Struct value{};
    uint64_t slack[32]{};
};

struct SlotInfo {
    const char* name;
    qiao_provenance provenance;
};
inline constexpr uint32_t kSlotCount = 43;
SlotInfo slot_info(const Device& device, uint32_t index);

}  // namespace qiao
