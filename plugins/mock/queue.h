// A queue of the core's: one of the model's.
#pragma once

#include <memory>
#include <mutex>

#include "device.h"

namespace qiao::mock_plugin {

// What a notification may touch after its queue has gone.
struct NotifyLink {
    std::mutex mutex;
    bool open = true;
    plugin::Host host;
    uint64_t token = 0;
};

struct Queue {
    Device* device = nullptr;
    plugin::Host host; // the device's
    std::unique_ptr<mock::Queue> native;
    std::shared_ptr<NotifyLink> link;
};

qiao_status mock_queue_can_copy(void* queue, const qiao_plugin_copy* copy);

} // namespace qiao::mock_plugin
