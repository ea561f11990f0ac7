/* `qiao info`: all that the library says of a device: properties, limits, features, and who implements each slot. */
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/devices.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InfoOptions {
    bool json = false;
    std::vector<std::string> selectors;
};

struct Slot {
    std::string name;
    std::string provenance;
};

std::vector<Slot> slots_of(const Device& device) {
    std::vector<Slot> slots;
    for (uint32_t index = 0;; ++index) {
        const char* name = nullptr;
        qiao_provenance provenance = QIAO_PROVENANCE_ABSENT;
        const qiao_status status = qiao_device_query_slot(device.handle, index, &name, &provenance);
        if (status == QIAO_ERROR_NOT_FOUND) return slots;
        check(status, "asking for the plugin's slots");
        slots.push_back({name, provenance_name(provenance)});
    }
}

std::vector<std::string> extensions_of(const Device& device) {
    std::vector<std::string> names;
    for (uint32_t index = 0;; ++index) {
        const char* name = nullptr;
        const qiao_status status = qiao_device_query_extension(device.handle, index, &name);
        if (status == QIAO_ERROR_NOT_FOUND) return names;
        check(status, "asking for the device's extensions");
        names.emplace_back(name);
    }
}

Json limits_json(const qiao_device_properties& properties) {
    return {{"max_allocation_bytes", properties.max_allocation_bytes},
            {"max_group_size", properties.max_group_size},
            {"max_group", properties.max_group},
            {"max_group_count", properties.max_group_count},
            {"local_memory_bytes", properties.local_memory_bytes},
            {"subgroup_width", properties.subgroup_width},
            {"preferred_group_multiple", properties.preferred_group_multiple},
            {"max_argument_bytes", properties.max_argument_bytes},
            {"queue_priorities", properties.queue_priorities}};
}

/* What can change from call to call. Asking may open the device, so it may fail where the properties did not. */
Json present_state(const Device& device) {
    qiao_device_state state = QIAO_DEVICE_STATE_OK;
    const char* reason = "";
    check(qiao_device_query_state(device.handle, &state, &reason), "asking for the device's state");
    Json json = {{"state", device_state_name(state)}, {"state_reason", reason == nullptr ? "" : reason}};
    uint64_t free_bytes = 0;
    uint64_t total_bytes = 0;
    const bool known = qiao_device_query_memory(device.handle, &free_bytes, &total_bytes) == QIAO_OK;
    json["memory_free_bytes"] = known ? Json(free_bytes) : Json(nullptr);
    json["memory_total_bytes"] = known ? Json(total_bytes) : Json(nullptr);
    return json;
}

const char* shared_memory(const qiao_device_properties& properties) {
    if ((properties.memory_kinds & (1u << QIAO_MEMORY_KIND_SHARED)) == 0) return provenance_name(QIAO_PROVENANCE_ABSENT);
    return provenance_name((properties.flags & QIAO_DEVICE_SHARED_EMULATED) != 0 ? QIAO_PROVENANCE_EMULATED : QIAO_PROVENANCE_NATIVE);
}

/* One entry for each kind that the device has. */
Json memory_levels_json(const Device& device) {
    Json levels = Json::array();
    for (const qiao_memory_kind kind : {QIAO_MEMORY_KIND_DEVICE, QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED}) {
        if ((device.properties.memory_kinds & (1u << kind)) == 0) continue;
        qiao_memory_kind_properties about = QIAO_MEMORY_KIND_PROPERTIES_INIT;
        check(qiao_device_query_memory_kind(device.handle, kind, &about), "asking for the kinds of memory");
        levels.push_back({{"kind", memory_kind_names(1u << kind).front()},
                          {"level", about.level},
                          {"level_name", memory_level_name(about.level)},
                          {"provenance", provenance_name(about.provenance)}});
    }
    return levels;
}

Json info_json(const Device& device) {
    const qiao_device_properties& properties = device.properties;
    Json json = device_json(device);
    json["note"] = properties.note;
    json["formats"] = split_list(properties.formats, ';');
    json["features"] = feature_names(properties.features);
    json["addresses"] = provenance_name((properties.flags & QIAO_DEVICE_ADDRESSES_EMULATED) != 0 ? QIAO_PROVENANCE_EMULATED : QIAO_PROVENANCE_NATIVE);
    json["shared_memory"] = shared_memory(properties);
    json["memory_kinds"] = memory_kind_names(properties.memory_kinds);
    json["memory_levels"] = memory_levels_json(device);
    json["import_types"] = share_type_names(properties.import_types);
    json["export_types"] = share_type_names(properties.export_types);
    json["import_alignment_bytes"] = properties.import_alignment;
    json["clock_mhz"] = properties.clock_mhz;
    json["address_bits"] = properties.address_bits;
    json["uuid"] = uuid_text(properties.uuid);
    json["driver_uuid"] = uuid_text(properties.driver_uuid);
    json["pci"] = pci_text(properties);
    json["pci_vendor_id"] = properties.pci_vendor_id;
    json["pci_device_id"] = properties.pci_device_id;
    json["generation"] = properties.generation;
    json.update(present_state(device));
    json["limits"] = limits_json(properties);
    json["extensions"] = extensions_of(device);
    json["slots"] = Json::array();
    for (const Slot& slot : slots_of(device))
        json["slots"].push_back({{"name", slot.name}, {"provenance", slot.provenance}});
    return json;
}

std::string value_text(const std::string& key, const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_null()) return "";
    if (value.is_array()) {
        std::vector<std::string> parts;
        for (const Json& part : value)
            parts.push_back(value_text("", part));
        return join(parts, value.empty() || value[0].is_number() ? " x " : ", ");
    }
    if (key.ends_with("_bytes")) {
        const auto bytes = value.get<uint64_t>();
        return bytes_text(bytes) + (bytes < 10 * 1024 ? "" : " (" + value.dump() + ")");
    }
    if (key.starts_with("pci_")) return value == 0 ? "" : text("0x", std::hex, value.get<uint32_t>());
    return value.dump();
}

void add_rows(Table& table, const Json& object) {
    for (const auto& [key, value] : object.items()) {
        if (key == "slots" || key == "limits" || key == "id" || key == "memory_levels") continue;
        const std::string shown = printable(value_text(key, value));
        if (!shown.empty()) table.add_row({key, shown}); /* empty = unknown */
    }
}

/* "M2 pointer, native" */
void add_memory_levels(Table& table, const Json& levels) {
    for (const Json& each : levels) {
        const std::string level = text("M", each["level"].get<uint32_t>(), " ", each["level_name"].get<std::string>());
        table.add_row({each["kind"].get<std::string>() + " memory", text(level, ", ", each["provenance"].get<std::string>())});
    }
}

/* Slots by provenance: what is native is what the vendor wrote. */
void add_slots(Table& table, const Json& slots) {
    for (const char* provenance : {"native", "emulated", "absent"}) {
        std::vector<std::string> names;
        for (const Json& slot : slots) {
            if (slot["provenance"] == provenance) names.push_back(slot["name"].get<std::string>());
        }
        if (!names.empty()) table.add_row({text(provenance, " slots (", names.size(), ")"), join(names, " ")});
    }
}

int run(const InfoOptions& options) {
    const Instance instance = make_instance();
    const std::vector<Device> devices =
        options.selectors.empty() ? all_devices(instance.get()) : select_devices(instance.get(), options.selectors);
    Json json = {{"schema", "qiao.info/1"}, {"devices", Json::array()}};
    for (const Device& device : devices)
        json["devices"].push_back(info_json(device));
    if (options.json) {
        print_json(json);
        return kExitOk;
    }
    if (devices.empty()) note("there are no devices; `qiao doctor` says why");
    for (const Json& device : json["devices"]) {
        Table table;
        add_rows(table, device);
        add_memory_levels(table, device["memory_levels"]);
        add_rows(table, device["limits"]);
        add_slots(table, device["slots"]);
        print(coloured(Colour::Title, printable(device["id"].get<std::string>())) + "\n" + table.text("  "));
    }
    return kExitOk;
}

} // namespace

Command info_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("info", "Show everything about devices: properties, limits, features, slots");
    auto options = std::make_shared<InfoOptions>();
    app->add_option("SEL", options->selectors, "Devices: an id, a plugin's id, or a glob (default: all)");
    app->add_flag("--json", options->json, "Print JSON (schema qiao.info/1)");
    return {app, [options] { return run(*options); }};
}

} // namespace qiao::cli
