// A fence is a (timeline, value) pair that is asked, never waited for. Finishing happens outside the device's lock, since
// it enters the plugin.

#include "dispatch/retire.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "dispatch/submit.h"
#include "dispatch/wait.h"
#include "emulation/deferred.h"
#include "object/queue.h"

namespace qiao {
namespace {

using Fence = std::pair<qiao_timeline*, uint64_t>;

void drop_passed(std::vector<Fence>& fences) {
    std::erase_if(fences, [](const Fence& fence) {
        if (!timeline_has_passed(fence.first, fence.second)) return false;
        drop_use(fence.first);
        return true;
    });
}

// One fence for each queue that has work which may use something of the device.
std::vector<Fence> fences_of(qiao_device* device) {
    std::vector<Fence> fences;
    std::vector<qiao_queue*> queues = device_use_queues(device), visitors = device_use_visitors(device);
    queues.insert(queues.end(), visitors.begin(), visitors.end());
    for (qiao_queue* queue : queues) {
        add_use(queue->body.timeline);
        fences.emplace_back(queue->body.timeline, queue_last_value(queue->body));
        drop_use(queue);
    }
    drop_passed(fences);
    return fences;
}

}  // namespace

// A failed queue has passed every value, but its worker may still be inside an operation.
bool timeline_has_passed(qiao_timeline* timeline, uint64_t value) {
    if (timeline_poll(timeline, value) == QIAO_NOT_READY) return false;
    const QueueUse queue(timeline->body);
    return queue.get() == nullptr || queue.get()->body.deferred->has_left(value);
}

void retire(qiao_device* device, std::function<void()> finish) {
    std::vector<Fence> fences = fences_of(device);
    if (fences.empty()) {
        finish();
        return;
    }
    std::lock_guard guard(device->body.state);
    device->body.retired.push_back({std::move(fences), std::move(finish)});
}

void retire_passed(qiao_device* device) {
    std::vector<Retired> waiting;
    {
        std::lock_guard guard(device->body.state);
        if (device->body.retired.empty()) return;
        waiting.swap(device->body.retired);
        device->body.retiring += waiting.size();
    }
    const size_t taken = waiting.size();
    std::vector<Retired> passed;
    for (auto& entry : waiting) drop_passed(entry.fences);
    for (auto entry = waiting.begin(); entry != waiting.end();) {
        if (entry->fences.empty()) {
            passed.push_back(std::move(*entry));
            entry = waiting.erase(entry);
        } else {
            ++entry;
        }
    }
    {
        std::lock_guard guard(device->body.state);
        std::move(waiting.begin(), waiting.end(), std::back_inserter(device->body.retired));
        device->body.retiring -= taken - passed.size();
    }
    for (Retired& entry : passed) entry.finish();
    std::lock_guard guard(device->body.state);
    device->body.retiring -= passed.size();
}

bool retire_is_empty(qiao_device* device) {
    std::lock_guard guard(device->body.state);
    return device->body.retired.empty() && device->body.retiring == 0 && device->body.destroying == 0 && device->body.live_queues.load() == 0;
}

void destroy_in_plugin(qiao_device* device, std::function<void()> destroy) {
    Device& body = device->body;
    {
        std::lock_guard guard(body.state);
        if (body.resetting) {
            body.retired.push_back({{}, [device, destroy = std::move(destroy)] { destroy_in_plugin(device, destroy); }});
            return;
        }
        ++body.destroying;
    }
    if (SlotGuard guard(body); guard) {
        destroy();
    } else {
        body.abandoned = true;
    }
    std::lock_guard guard(body.state);
    --body.destroying;
}

DestructionPause::DestructionPause(qiao_device* device) : device_(device) {
    std::lock_guard guard(device_->body.state);
    device_->body.resetting = true;
}

DestructionPause::~DestructionPause() {
    std::lock_guard guard(device_->body.state);
    device_->body.resetting = false;
}

bool DestructionPause::wait(uint64_t deadline_ns) const {
    const timespec pause{0, 1'000'000};
    for (;; nanosleep(&pause, nullptr)) {
        {
            std::lock_guard guard(device_->body.state);
            if (device_->body.destroying == 0) return true;
        }
        if (now_ns() >= deadline_ns) return false;
    }
}

}  // namespace qiao
