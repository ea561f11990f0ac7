// Deferred freeing: what queued work may still use is freed when every queue of the device has passed the value it had at
// the time. Launches are never inspected, and nobody waits here.
#pragma once

#include <functional>

#include "object/device.h"

namespace qiao {

// Whether the value of the timeline, and with it the use of what its work was given, is over: reached, failed or lost, and
// no worker of the core's is in it any more. Asks the device, never waits.
bool timeline_has_passed(qiao_timeline* timeline, uint64_t value);

// Calls `finish` now if the device is idle, else once its present work has ended.
void retire(qiao_device* device, std::function<void()> finish);

// Finishes what can be finished by now; called where something is made or freed, and after waits.
void retire_passed(qiao_device* device);

// Whether everything that was released has been destroyed in the plugin.
bool retire_is_empty(qiao_device* device);

// Calls `destroy`, which calls a slot that destroys something: now, or after the reset that is under way. Never if a slot
// of the device does not return: then the device is abandoned.
void destroy_in_plugin(qiao_device* device, std::function<void()> destroy);

// While it lives nothing is destroyed in the plugin; what should be meanwhile is kept for retire_passed.
class DestructionPause {
public:
    explicit DestructionPause(qiao_device* device);
    ~DestructionPause();
    DestructionPause(const DestructionPause&) = delete;
    DestructionPause& operator=(const DestructionPause&) = delete;

    // Waits for what had begun before; false at the deadline.
    bool wait(uint64_t deadline_ns) const;

private:
    qiao_device* const device_;
};

}  // namespace qiao
