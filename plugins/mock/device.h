// The plugin with its machine of mock cards, and a card that is open.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "../common/host.h"
#include "mock/card.h"
#include "status.h"

namespace qiao::mock_plugin {

struct Plugin {
    plugin::Host host;
    std::string profile; // name or path
    bool strict = false;
    std::mutex mutex;                       // guards what follows
    std::unique_ptr<mock::Machine> machine; // made when its cards are counted
};

struct Device {
    plugin::Host host;
    mock::Card* card = nullptr;
    uint64_t token = 0;
    uint64_t epoch = 0; // counts resets: what was made before one is only forgotten

    std::mutex mutex; // guards what follows: launches of hosts that have no queues
    std::unique_ptr<mock::Queue> immediate;
    uint64_t immediate_value = 0;
};

// The end of a wait as a status; the failure's text goes to the host.
qiao_status finish_wait(const plugin::Host& host, mock::WaitResult result, const mock::Status& failure) noexcept;

extern const qiao_plugin_device_ops mock_device_ops;
extern const qiao_plugin_memory_ops mock_memory_ops;
extern const qiao_plugin_program_ops mock_program_ops;
extern const qiao_plugin_queue_ops mock_queue_ops;

} // namespace qiao::mock_plugin
