// Queues: a stream, and the marks behind its values.
#pragma once

#include "marks.h"

namespace qiao::cuda {

struct Queue {
    Queue(Device& owner, uint32_t capacity, bool profiles)
        : device(owner), launch(owner.driver->launch()), success(owner.driver->family().results.success), profiling(profiles), marks(owner, capacity, profiles) {}

    Device& device;
    void* stream = nullptr;
    const LaunchFunction launch; // null: by configuration
    const Code success;
    const bool profiling;
    bool owned = true; // else the application's
    uint64_t marked = 0; // the last value in `marks`
    Marks marks;
};

// A queue over a stream, which it owns unless `owned` is false; also when it fails.
qiao_status make_queue(Device& device, void* stream, bool owned, const qiao_plugin_queue_desc& desc, void** out_queue);

} // namespace qiao::cuda
