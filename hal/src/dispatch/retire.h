// Deferred freeing: what queued work may still use is freed when every queue of the device has passed the value it had at
// the time. Launches are never inspected, and nobody waits here.
#pragma once

#include <functional>

#include "object/device.h"

namespace qiao {

// Calls `finish` now if the device is idle, else once its present work has ended.
void retire(qiao_device* device, std::function<void()> finish);

// Finishes what can be finished by now; called where something is made or freed, and after waits.
void retire_passed(qiao_device* device);

// Whether everything that was released has been destroyed in the plugin.
bool retire_is_empty(qiao_device* device);

}  // namespace qiao
