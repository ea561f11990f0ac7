/* The command is host to the plugin itself here, since of a plugin without devices, or with a required slot missing, the
 * library's own interface tells no tables. Nothing of what the plugin says is used before it is checked. */
#include "cli/plugin/inspect.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/failure.h"
#include "cli/plugin/child.h"
#include "cli/plugin/host.h"
#include "cli/plugin/slots.h"
#include "qiao/plugin.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxTableBytes = 4096;
constexpr uint32_t kMaxDevices = 64;
/* ---------------------------------------------------------------- tables */

size_t size_of(const void* table) {
    size_t size = 0; /* every table begins with it */
    std::memcpy(&size, table, sizeof size);
    return size;
}

bool is_size(size_t size) {
    return size >= sizeof(size_t) && size <= kMaxTableBytes;
}

struct Tables {
    const void* ops[4] = {};

    /* Null pointers, and tables whose size cannot be one, are no tables. */
    explicit Tables(const qiao_plugin_tables* tables) {
        if (tables == nullptr || !is_size(tables->struct_size)) return;
        qiao_plugin_tables whole{};
        std::memcpy(&whole, tables, std::min(tables->struct_size, sizeof whole));
        const void* all[] = {whole.device, whole.memory, whole.program, whole.queue};
        for (size_t i = 0; i < std::size(all); ++i) {
            if (all[i] != nullptr && is_size(size_of(all[i]))) ops[i] = all[i];
        }
    }
    bool has(const SlotKind& slot) const {
        const void* table = ops[static_cast<size_t>(slot.table)];
        void (*function)() = nullptr;
        if (table == nullptr || size_of(table) < slot.offset + sizeof function) return false;
        std::memcpy(&function, static_cast<const char*>(table) + slot.offset, sizeof function);
        return function != nullptr;
    }
};

Json tables_json(const Tables& tables) {
    Json list = Json::array();
    for (const SlotTable table : kSlotTables) {
        const void* ops = tables.ops[static_cast<size_t>(table)];
        const TableKind kind = table_kind(table);
        list.push_back({{"name", kind.name}, {"size_bytes", ops == nullptr ? 0 : size_of(ops)}, {"known_bytes", kind.size}});
    }
    return list;
}

Json slots_json(const Tables& tables) {
    Json list = Json::array();
    for (const SlotKind& slot : slot_kinds()) {
        list.push_back({{"name", slot.name},
                        {"tier", slot.tier},
                        {"required", slot.required},
                        {"present", tables.has(slot)},
                        {"brings", slot.brings}});
    }
    return list;
}

/* Required slots, and those that come together. `whom` begins the finding. */
void check_slots(const Teller& teller, const Tables& tables, uint64_t roles, const std::string& whom) {
    const bool compute = (roles & QIAO_PLUGIN_ROLE_COMPUTE) != 0;
    std::string missing;
    for (const SlotKind& slot : slot_kinds()) {
        const bool discovery = slot.table == SlotTable::kDevice &&
                               slot.offset <= offsetof(qiao_plugin_device_ops, device_query);
        if (slot.required && (compute || discovery) && !tables.has(slot)) missing += text(missing.empty() ? "" : ", ", slot.name);
    }
    if (missing.empty()) {
        teller.check("required slots", "ok", whom + " has all of them");
    } else {
        teller.check("required slots", "problem", whom + " lacks " + missing, "write them, and name them in their tables");
    }
    for (const SlotKind& slot : slot_kinds()) {
        for (const SlotKind& other : slot_kinds()) {
            if (*slot.group == '\0' || std::strcmp(slot.group, other.group) != 0) continue;
            if (!tables.has(slot) || tables.has(other)) continue;
            teller.check("slots together", "problem", text(whom, " has ", slot.name, " but not ", other.name),
                         "they come together or not at all: write the rest, or leave the others out");
            return;
        }
    }
}

/* ---------------------------------------------------------------- steps */

constexpr size_t kGuardBytes = 256;
constexpr unsigned char kGuard = 0xa5;

template <typename Struct>
struct Guarded {
    Guarded() {
        std::memset(guard, kGuard, sizeof guard);
        value.struct_size = sizeof value;
    }
    bool overrun() const {
        for (const unsigned char byte : guard) {
            if (byte != kGuard) return true;
        }
        return false;
    }
    Struct value{};
    unsigned char guard[kGuardBytes];
};

/* What a slot must leave alone in an out-struct. */
template <typename Struct>
void check_struct(const Teller& teller, const Guarded<Struct>& out, const char* slot) {
    if (out.overrun()) {
        teller.check("memory", "problem", text(slot, " wrote beyond the struct_size it was given"),
                     "write no byte beyond an incoming struct_size: assign member by member");
    }
    if (out.value.struct_size != sizeof(Struct)) {
        teller.check("memory", "problem", text(slot, " changed struct_size from ", sizeof(Struct), " to ", out.value.struct_size),
                     "leave struct_size and next as they come: assign member by member, not `*out = mine`");
    }
}

/* Texts that do not end within their array would be cut. */
void check_texts(const Teller& teller, const qiao_plugin_device_info& info, const std::string& slot) {
    const auto expect = [&](const auto& array, const char* name) {
        if (std::memchr(array, 0, sizeof array) != nullptr) return;
        teller.check("texts", "problem", text(slot, ": ", name, " has no NUL within its ", sizeof array, " bytes and is cut"),
                     "end it with a NUL: snprintf, not strncpy");
    };
    expect(info.name, "name");
    expect(info.vendor, "vendor");
    expect(info.driver, "driver");
    expect(info.target, "target");
    expect(info.note, "note");
}

const char* remedy_for_status(const Host& host) {
    return !host.remedy.empty() ? host.remedy.c_str() : "return a status of qiao/status.h, and say why with host->error before";
}

Json about(const qiao_plugin_info& info) {
    return {{"id", bounded(info.id)},
            {"version", bounded(info.version)},
            {"build", bounded(info.build)},
            {"abi_major", info.abi_major},
            {"abi_minor", info.abi_minor},
            {"abi_minor_least", info.abi_minor_least},
            {"roles", info.roles}};
}

/* Whether the answer can be worked with. */
bool check_answer(const Teller& teller, const Host& host, qiao_status status, const qiao_plugin_info& info) {
    const std::string abi = text(info.abi_major, ".", info.abi_minor);
    const std::string ours = text(QIAO_PLUGIN_ABI_MAJOR, ".", QIAO_PLUGIN_ABI_MINOR);
    if (status != QIAO_OK) {
        const std::string refusal = info.abi_major == QIAO_PLUGIN_ABI_MAJOR ? bounded(info.refusal) : "";
        teller.check("answer", "problem",
                     text("qiao_plugin_query refuses (", status_text(status), "): ",
                          !refusal.empty()          ? refusal
                          : !host.message.empty() ? host.message
                                                  : "it gives no reason; set out_info->refusal"),
                     info.abi_major == QIAO_PLUGIN_ABI_MAJOR ? bounded(info.remedy) : host.remedy);
        return false;
    }
    if (info.abi_major != QIAO_PLUGIN_ABI_MAJOR || info.abi_minor_least > QIAO_PLUGIN_ABI_MINOR) {
        teller.check("abi", "problem",
                     text("built for plugin ABI ", abi, ", needs a host of at least ", info.abi_major, ".",
                          info.abi_minor_least, "; this Qiao speaks ", ours),
                     "build it with this Qiao's qiao/plugin.h");
        return false;
    }
    teller.check("abi", "ok",
                 text("built for ", abi, ", runs with hosts from ", info.abi_major, ".", info.abi_minor_least, "; this Qiao speaks ",
                      ours));
    if (bounded(info.version).empty()) {
        teller.check("version", "warning", "the plugin has no version", "set out_info->version");
    }
    return true;
}

/* The core does not enter device_synchronize where it knows of no work, so that a wrong answer would be seen late. How the
 * device opens is told by the trial. */
void check_idle_device(const Teller& teller, Host& host, const qiao_plugin_info& info, const Tables& tables, uint32_t index) {
    constexpr uint64_t kTimeNs = 1'000'000'000;
    for (const SlotKind& slot : slot_kinds().subspan(2, 3)) { /* device_open, device_close, device_synchronize */
        if (!tables.has(slot)) return;
    }
    const auto& ops = *static_cast<const qiao_plugin_device_ops*>(tables.ops[static_cast<size_t>(SlotTable::kDevice)]);
    const std::string id = text(bounded(info.id), ":", index);
    void* device = nullptr;
    teller.step("calling device_open of " + id);
    if (ops.device_open(info.plugin, index, index + 1, &device) != QIAO_OK || device == nullptr) return;
    teller.step("calling device_synchronize of " + id + ", which is idle");
    host.forget();
    const uint64_t start_ns = now_ns();
    const qiao_status status = ops.device_synchronize(device, kTimeNs);
    const uint64_t taken_us = (now_ns() - start_ns) / 1000;
    if (status == QIAO_OK) {
        teller.tried("device_synchronize");
        teller.check(id + " device_synchronize", "ok", "works");
    } else {
        teller.check(id + " device_synchronize", "problem",
                     text("returns ", status_text(status), " after ", taken_us, " us on a device without work", host.message.empty() ? "" : ": ", host.message),
                     !host.remedy.empty() ? host.remedy
                                          : "return QIAO_OK once no launched work is left, at once if there is none; QIAO_TIMEOUT only after the whole time");
    }
    teller.step("calling device_close of " + id);
    ops.device_close(device);
    teller.tried("device_open");
    teller.tried("device_close");
}

void list_devices(const Teller& teller, Host& host, const qiao_plugin_info& info, const Tables& tables) {
    for (const SlotKind& slot : slot_kinds().first(2)) { /* device_count, device_query */
        if (!tables.has(slot)) return;
    }
    const auto& ops = *static_cast<const qiao_plugin_device_ops*>(tables.ops[static_cast<size_t>(SlotTable::kDevice)]);
    uint32_t count = 0;
    host.forget();
    teller.step("calling device_count");
    const qiao_status status = ops.device_count(info.plugin, &count);
    if (status != QIAO_OK) {
        teller.check("devices", "problem", text("device_count fails (", status_text(status), "): ", host.message),
                     "no device is a success with *out_count = 0");
        return;
    }
    teller.facts({{"device_count", count}});
    if (count == 0) {
        const bool silent = host.message.empty();
        teller.check("devices", silent ? "problem" : "ok", silent ? "none, and no reason is given" : "none: " + host.message,
                     silent ? "call host->error before device_count returns" : host.remedy);
    }
    teller.tried("device_count");
    for (uint32_t index = 0; index < std::min(count, kMaxDevices); ++index) {
        Guarded<qiao_plugin_device_info> device;
        const std::string slot = text("device_query of device ", index);
        teller.step("calling " + slot);
        host.forget();
        const qiao_status answer = ops.device_query(info.plugin, index, &device.value);
        check_struct(teller, device, "device_query");
        if (answer != QIAO_OK) {
            teller.check("devices", "problem", text(slot, " fails (", status_text(answer), "): ", host.message), remedy_for_status(host));
            continue;
        }
        teller.tried("device_query");
        check_texts(teller, device.value, slot);
        const uint64_t roles = device.value.roles == 0 ? info.roles : device.value.roles;
        const Tables own = device.value.tables == nullptr ? tables : Tables(device.value.tables);
        if (device.value.tables != nullptr) check_slots(teller, own, roles, text("device ", index));
        if ((roles & QIAO_PLUGIN_ROLE_COMPUTE) != 0) check_idle_device(teller, host, info, own, index);
    }
}

} // namespace

int inspect_plugin(const std::string& library, const std::string& manifest, int tell) {
    const Teller teller(tell);
    teller.step("loading the library");
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        teller.check("load", "problem", bounded(dlerror()), "link what is undefined, or install what is missing");
        return teller.done();
    }
    teller.check("load", "ok", "all symbols are found");
    const auto query = reinterpret_cast<qiao_plugin_query_function>(dlsym(handle, "qiao_plugin_query"));
    if (query == nullptr) return teller.done(); /* told by the look at the file */

    std::ifstream file(manifest);
    Host host(library.substr(0, library.find_last_of('/')), {std::istreambuf_iterator<char>(file), {}});
    Guarded<qiao_plugin_info> info;
    teller.step("calling qiao_plugin_query");
    const qiao_status status = query(&host.api, &info.value);
    check_struct(teller, info, "qiao_plugin_query");
    if (!check_answer(teller, host, status, info.value)) return teller.done();
    teller.step("reading what qiao_plugin_query said");
    const Tables tables(info.value.tables);
    teller.facts({{"plugin", about(info.value)}, {"tables", tables_json(tables)}, {"slots", slots_json(tables)}});
    check_slots(teller, tables, info.value.roles, "the plugin");
    list_devices(teller, host, info.value, tables);

    teller.step("calling plugin_close");
    if (info.value.plugin_close == nullptr) {
        teller.check("close", "warning", "there is no plugin_close: the library stays in memory for good",
                     "set out_info->plugin_close, even if it only frees the plugin's object");
    } else {
        info.value.plugin_close(info.value.plugin);
    }
    teller.step("unloading the library");
    dlclose(handle);
    return teller.done();
}

} // namespace qiao::cli
