// Cards: what they say of themselves, opening, loss, reset and the clock.
#include "device.h"

#include <algorithm>

#include "mock/module.h"

namespace qiao::mock_plugin {
namespace {

// What PoCL vectorises over on processors with 256-bit registers; groups that are multiples leave no rest.
constexpr uint32_t kVectorItems = 8;

// Of what the card takes of the host where it lies.
constexpr uint64_t kPageBytes = 4096;

qiao_status make_machine(Plugin& plugin) {
    if (plugin.machine != nullptr) return QIAO_OK;
    const mock::Result<mock::Profile> profile = mock::load_profile(plugin.profile);
    if (!profile.ok()) return report(plugin.host, profile.status());
    for (uint32_t index = 0; index < profile.value().cards.size(); ++index) {
        for (mock::FaultRule rule : profile.value().cards[index].faults.value_or(std::vector<mock::FaultRule>())) {
            rule.card = index;
            plugin.faults.add(std::move(rule));
        }
    }
    plugin.machine = std::make_unique<mock::Machine>(profile.value(), plugin.options);
    if (plugin.machine->cards().empty()) {
        plugin.host.fail({.status = QIAO_ERROR_NOT_FOUND,
                          .message = "the mock profile '" + plugin.profile + "' has no cards",
                          .remedy = "choose another with QIAO_MOCK_PROFILE"});
    }
    return QIAO_OK;
}

bool is_faulty(const Plugin& plugin, const mock::Card& card) {
    return plugin.all_faulty || card.profile().faults.has_value();
}

// Everything that is not as on a card, in at most 191 bytes.
std::string note_of(const mock::Card& card, bool faulty) {
    const mock::CardProfile& profile = card.profile();
    std::string note = "simulated: kernels run on the host's processors";
    if (card.clock_kind() == mock::ClockKind::kVirtual) {
        note += "; times are virtual, from figures of which the weakest is ";
        note += mock::grade_name(profile.timing.weakest());
    } else {
        note += ", at their speed";
    }
    note += profile.kind == mock::CardKind::kUnified ? "; shares the host's memory" : "; own memory is modelled";
    if (card.strict()) note += "; strict";
    if (faulty) note += "; faults are injected";
    if (profile.coinciding_addresses) note += "; addresses equal other cards'";
    return note;
}

/* What kernels and host really share: they run on the same processors. With a virtual clock a launch has ended when it is
 * submitted, so no kernel runs beside the host; a discrete card's bus has no atomics. */
void describe_levels(const mock::Card& card, qiao_plugin_device_info& info) {
    const mock::CardProfile& profile = card.profile();
    if (!profile.addresses || profile.coinciding_addresses) return;
    if (profile.kind == mock::CardKind::kDiscrete) {
        info.memory_levels[QIAO_MEMORY_KIND_HOST] = QIAO_PLUGIN_MEMORY_LEVEL(QIAO_MEMORY_LEVEL_POINTER);
        return;
    }
    const qiao_memory_level level = card.clock_kind() == mock::ClockKind::kVirtual ? QIAO_MEMORY_LEVEL_POINTER
                                    : profile.host_pointers                      ? QIAO_MEMORY_LEVEL_SYSTEM
                                                                                 : QIAO_MEMORY_LEVEL_COHERENT;
    for (const qiao_memory_kind kind : {QIAO_MEMORY_KIND_DEVICE, QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED})
        info.memory_levels[kind] = QIAO_PLUGIN_MEMORY_LEVEL(level);
}

void describe(const mock::Card& card, bool faulty, qiao_plugin_device_info& info) {
    const mock::CardProfile& profile = card.profile();
    info.flags = QIAO_PLUGIN_DEVICE_FREE_THREADED | QIAO_PLUGIN_DEVICE_SIMULATED;
    info.memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE | 1u << QIAO_MEMORY_KIND_HOST;
    if (!profile.addresses) info.flags |= QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED;
    if (profile.kind == mock::CardKind::kUnified) {
        info.flags |= QIAO_PLUGIN_DEVICE_UNIFIED;
        info.memory_kinds |= 1u << QIAO_MEMORY_KIND_SHARED;
    }
    info.roles = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    plugin::copy_text(info.name, profile.name);
    plugin::copy_text(info.vendor, "Qiao");
    plugin::copy_text(info.driver, "mock " QIAO_PLUGIN_VERSION);
    plugin::copy_text(info.target, mock::host_target());
    plugin::copy_text(info.note, note_of(card, faulty));
    info.memory_bytes = profile.memory_bytes;
    info.max_allocation_bytes = profile.max_allocation_bytes;
    info.features = features_of(profile);
    info.compute_units = card.compute_units();
    info.max_group_size = profile.max_group_size;
    info.local_memory_bytes = profile.local_memory_bytes;
    for (int axis = 0; axis < 3; ++axis) {
        info.max_group[axis] = profile.max_group_size;
        info.max_group_count[axis] = UINT32_MAX;
    }
    info.subgroup_width = 1; // items of a group are independent: the card has no subgroups
    info.preferred_group_multiple = kVectorItems;
    info.max_argument_bytes = profile.max_argument_bytes;
    info.queue_priorities = profile.queue_priorities;
    info.address_bits = 64;
    info.import_types = 1u << QIAO_SHARE_TYPE_HOST_POINTER;
    info.import_alignment = kPageBytes;
    info.formats = "host-elf";
    describe_levels(card, info);
}

qiao_status make_immediate_queue(Device& device) {
    mock::Result<std::unique_ptr<mock::Queue>> queue = device.card->create_queue({});
    if (!queue.ok()) return report(device.host, queue.status());
    device.immediate = std::move(queue.value());
    device.immediate_value = 0;
    return QIAO_OK;
}

qiao_status device_count(void* pointer, uint32_t* out_count) {
    Plugin& plugin = plugin::object<Plugin>(pointer);
    return plugin::guarded(plugin.host, "device_count", [&]() -> qiao_status {
        const std::lock_guard lock(plugin.mutex);
        if (const qiao_status status = make_machine(plugin); status != QIAO_OK) return status;
        *out_count = static_cast<uint32_t>(plugin.machine->cards().size());
        return QIAO_OK;
    });
}

qiao_status device_query(void* pointer, uint32_t index, qiao_plugin_device_info* out_info) {
    Plugin& plugin = plugin::object<Plugin>(pointer);
    return plugin::guarded(plugin.host, "device_query", [&]() -> qiao_status {
        qiao_plugin_device_info info = {};
        const std::lock_guard lock(plugin.mutex);
        const mock::Card& card = *plugin.machine->cards().at(index);
        const bool faulty = is_faulty(plugin, card), coinciding = card.profile().coinciding_addresses;
        if (faulty && coinciding) {
            return plugin.host.fail({.status = QIAO_ERROR_INVALID_ARGUMENT,
                                     .message = card.profile().name + ": faults are not injected into a card with coinciding addresses",
                                     .remedy = "take another profile, or unset QIAO_MOCK_FAULTS"});
        }
        describe(card, faulty, info);
        if (faulty) info.tables = plugin.least ? &mock_faulty_t0_tables : &mock_faulty_tables;
        if (coinciding) info.tables = plugin.least ? &mock_coinciding_t0_tables : &mock_coinciding_tables;
        plugin::write_growing(out_info, info);
        return QIAO_OK;
    });
}

qiao_status device_open(void* pointer, uint32_t index, uint64_t device_token, void** out_device) {
    Plugin& plugin = plugin::object<Plugin>(pointer);
    return plugin::guarded(plugin.host, "device_open", [&]() -> qiao_status {
        auto device = std::make_unique<Device>();
        device->plugin = &plugin;
        device->host = plugin.host;
        device->index = index;
        device->outlet->host = plugin.host;
        device->outlet->token = device_token;
        {
            const std::lock_guard lock(plugin.mutex);
            device->card = plugin.machine->cards().at(index).get();
        }
        device->card->on_lost(
            [host = plugin.host, device_token](const std::string& reason) { host.device_lost(device_token, reason); });
        if (const qiao_status status = make_immediate_queue(*device); status != QIAO_OK) return status;
        *out_device = device.release();
        return QIAO_OK;
    });
}

void device_close(void* pointer) {
    auto* device = static_cast<Device*>(pointer);
    device->card->on_lost({});
    {
        const std::lock_guard lock(device->outlet->mutex);
        device->outlet->open = false;
    }
    delete device;
}

qiao_status device_synchronize(void* pointer, uint64_t timeout_ns) {
    Device& device = plugin::object<Device>(pointer);
    return finish_wait(device.host, device.card->synchronize(timeout_ns), device.card->loss());
}

qiao_status device_state(void* pointer, qiao_plugin_device_state* out_state, char* reason, size_t reason_size) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "device_state", [&]() -> qiao_status {
        const mock::Status loss = device.card->loss();
        *out_state = loss.ok()                  ? QIAO_PLUGIN_DEVICE_STATE_OK
                     : device.card->removed() ? QIAO_PLUGIN_DEVICE_STATE_REMOVED
                                              : QIAO_PLUGIN_DEVICE_STATE_LOST;
        plugin::copy_text(reason, reason_size, loss.message());
        return QIAO_OK;
    });
}

qiao_status device_reset(void* pointer) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "device_reset", [&]() -> qiao_status {
        const std::lock_guard lock(device.mutex);
        if (const mock::Status status = device.card->reset(); !status.ok()) return report(device.host, status);
        ++device.epoch;
        return make_immediate_queue(device);
    });
}

qiao_status device_memory_free(void* pointer, uint64_t* out_free_bytes, uint64_t* out_total_bytes) {
    Device& device = plugin::object<Device>(pointer);
    *out_free_bytes = device.card->free_bytes();
    *out_total_bytes = device.card->total_bytes();
    return QIAO_OK;
}

qiao_status device_clock(void* pointer, uint64_t* out_device_ns, uint64_t* out_host_ns) {
    Device& device = plugin::object<Device>(pointer);
    *out_host_ns = mock::Card::host_ns();
    *out_device_ns = device.card->clock_ns();
    return QIAO_OK;
}

} // namespace

qiao_features features_of(const mock::CardProfile& profile) noexcept {
    qiao_features features = QIAO_FEATURE_PRINTF;
    if (profile.addresses && !profile.coinciding_addresses) features |= QIAO_FEATURE_ADDRESSES;
    if (profile.features.fp64) features |= QIAO_FEATURE_FP64;
    if (profile.features.int64) features |= QIAO_FEATURE_INT64;
    if (profile.features.int64_atomics) features |= QIAO_FEATURE_INT64_ATOMICS;
    return features;
}

qiao_status finish_wait(const plugin::Host& host, mock::WaitResult result, const mock::Status& failure) noexcept {
    if (result == mock::WaitResult::kReached) return QIAO_OK;
    return result == mock::WaitResult::kTimeout ? static_cast<qiao_status>(QIAO_TIMEOUT) : report(host, failure);
}

const qiao_plugin_device_ops mock_device_ops = {
    sizeof(qiao_plugin_device_ops),
    device_count,
    device_query,
    device_open,
    device_close,
    device_synchronize,
    device_state,
    device_reset,
    device_memory_free,
    device_clock,
    nullptr, // device_native: there is no vendor behind it
};

} // namespace qiao::mock_plugin
