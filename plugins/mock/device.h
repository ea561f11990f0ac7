// The plugin with its machine of mock cards, and a card that is open.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "../common/host.h"
#include "coinciding.h"
#include "mock/card.h"
#include "status.h"

namespace qiao::mock_plugin {

struct Plugin {
    plugin::Host host;
    std::string profile; // name or path
    mock::MachineOptions options;
    bool all_faulty = false; // the environment has faults: for all cards
    bool least = false;      // cards have the functions only that they must have
    mock::Faults faults;
    std::mutex mutex;                       // guards what follows
    std::unique_ptr<mock::Machine> machine; // made when its cards are counted
};

// Where what kernels print goes. Outlives the device: a lost card's kernel may still be running, and nobody listens to it.
struct Outlet {
    plugin::Host host;
    uint64_t token = 0; // the host's name for the device
    std::mutex mutex;   // guards what follows
    bool open = true;
};

struct Device {
    Plugin* plugin = nullptr;
    plugin::Host host; // the plugin's
    mock::Card* card = nullptr;
    uint32_t index = 0;
    std::shared_ptr<Outlet> outlet = std::make_shared<Outlet>();

    std::mutex mutex;   // guards what follows
    uint64_t epoch = 0; // counts resets: what was made before one is only forgotten
    CoincidingAddresses numbers; // of a card of which the profile says so
    // Launches of hosts that have no queues.
    std::unique_ptr<mock::Queue> immediate;
    uint64_t immediate_value = 0;
};

// What the core holds of the model's memory. The model's record goes with its memory at a reset; this one stays until the core
// lets go of it.
struct Allocation {
    mock::Allocation* native = nullptr;
    uint64_t address = 0;
    uint64_t number = 0; // the address that the host is told, where that is another
    uint64_t epoch = 0; // of the device when it was made
    bool host_visible = false;
};

// The end of a wait as a status; the failure's text goes to the host.
qiao_status finish_wait(const plugin::Host& host, mock::WaitResult result, const mock::Status& failure) noexcept;

qiao_features features_of(const mock::CardProfile& profile) noexcept;

extern const qiao_plugin_tables mock_tables;
extern const qiao_plugin_tables mock_t0_tables; // the required functions alone
extern const qiao_plugin_tables mock_faulty_tables, mock_faulty_t0_tables; // faults.cpp
extern const qiao_plugin_tables mock_coinciding_tables, mock_coinciding_t0_tables; // coinciding.cpp
extern const qiao_plugin_device_ops mock_device_ops;
extern const qiao_plugin_memory_ops mock_memory_ops;
extern const qiao_plugin_program_ops mock_program_ops;
extern const qiao_plugin_queue_ops mock_queue_ops;
extern const qiao_plugin_link_ops mock_link_ops; // link.cpp

// The functions that a card must have; with them goes the score: which of a package's variants this processor can run.
constexpr qiao_plugin_device_ops required_of(const qiao_plugin_device_ops& all) {
    qiao_plugin_device_ops ops = {};
    ops.struct_size = sizeof(ops);
    ops.device_count = all.device_count;
    ops.device_query = all.device_query;
    ops.device_open = all.device_open;
    ops.device_close = all.device_close;
    ops.device_synchronize = all.device_synchronize;
    return ops;
}
constexpr qiao_plugin_memory_ops required_of(const qiao_plugin_memory_ops& all) {
    qiao_plugin_memory_ops ops = {};
    ops.struct_size = sizeof(ops);
    ops.memory_allocate = all.memory_allocate;
    ops.memory_free = all.memory_free;
    ops.memory_write = all.memory_write;
    ops.memory_read = all.memory_read;
    return ops;
}

} // namespace qiao::mock_plugin
