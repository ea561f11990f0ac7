// The device's part of shared memory: taken away, given back, and in which order. A device with made addresses gets another allocation
// behind the same address; one with addresses of its own needs the plugin's memory_evict and memory_restore.
#include "emulation/residency.h"

#include <time.h>

#include <algorithm>

#include "dispatch/allocation.h"
#include "dispatch/device.h"
#include "dispatch/retire.h"
#include "dispatch/submit.h"
#include "dispatch/wait.h"
#include "emulation/deferred.h"

namespace qiao {
namespace {

constexpr long kPauseNs = 200'000;

bool can_evict(const Device& device) {
    return device.made_addresses != nullptr || device.tables.memory.memory_evict != nullptr;
}

// What is behind work before it is freed.
size_t count_retired(qiao_device* device) {
    const std::lock_guard guard(device->body.state);
    return device->body.retired.size() + device->body.retiring;
}

// While work runs a plugin may keep memory that it was given back, since it does not know what the work uses.
bool is_working(qiao_device* device) {
    bool is_busy = false;
    for (qiao_queue* queue : device_use_queues(device)) {
        is_busy |= !timeline_has_passed(queue->body.timeline, queue_last_value(queue->body));
        drop_use(queue);
    }
    return is_busy;
}

}  // namespace

/* ---------------------------------------------------------------- one allocation */

void SharedMemory::touch() {
    static std::atomic<uint64_t> g_clock{0};
    last_use_.store(g_clock.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
}

bool SharedMemory::has_pending_uses() {
    std::erase_if(uses_, [](const Use& use) {
        if (!timeline_has_passed(use.first, use.second)) return false;
        drop_use(use.first);
        return true;
    });
    return !uses_.empty();
}

bool SharedMemory::has_conflicts() {
    if (unfetched_.empty() || tracking_ == Tracking::kFull) return false;
    runs_.clear();
    return view_->peek(0, view_->size_bytes(), runs_) != QIAO_OK || conflict_of(runs_) != 0;
}

Room SharedMemory::evict() {
    const std::unique_lock guard(mutex_, std::try_to_lock);
    if (!guard) return Room::kBusy;
    if (!is_resident_ || is_pinned_ || is_released_ || !can_evict(owner_.device->body) || check_owner(owner_) != QIAO_OK) return Room::kNone;
    if (has_pending_uses()) return Room::kBusy;
    give_up_failed_results();
    if (conflicts_are_errors_ && has_conflicts()) return Room::kNone;  // for who launches or waits to be told
    uint64_t kept_bytes = 0;
    for (const Range& range : unfetched_) {
        if (bring(range, kept_bytes) != QIAO_OK) return Room::kNone;
    }
    if (!unfetched_.empty()) {
        ++traffic_.to_host_count;
        forget_results();
        if (kept_bytes != 0) report_conflict(kept_bytes);
    }
    return take_away() == QIAO_OK ? Room::kMade : Room::kNone;
}

qiao_status SharedMemory::take_away() {
    Device& device = owner_.device->body;
    if (device.made_addresses != nullptr) {
        device.made_addresses->replace(address_, nullptr);
        free_allocation(owner_.device, std::exchange(allocation_, nullptr));
    } else {
        SlotGuard guard(device);
        if (!guard) return device_fail_lost(owner_.device);
        const qiao_status status = device.tables.memory.memory_evict(device.opened.load(), allocation_);
        if (status != QIAO_OK) return device_slot_failed(owner_.device, status, "memory_evict", owner_.losses);
    }
    is_resident_ = false;
    device_is_behind_ = true;  // the host's bytes stand, and all of them go there with the memory
    device.allocated_bytes.fetch_sub(desc_.size_bytes);
    ++traffic_.eviction_count;
    return QIAO_OK;
}

qiao_status SharedMemory::restore() {
    if (is_resident_) return QIAO_OK;
    QIAO_RETURN_IF_ERROR(check_owner(owner_));
    if (is_released_) return fail(QIAO_ERROR_OUT_OF_RANGE, "the shared memory was released while its use was being submitted; nothing was submitted");
    Device& device = owner_.device->body;
    if (device.made_addresses != nullptr) {
        qiao_plugin_allocation made;
        QIAO_RETURN_IF_ERROR(make_allocation(owner_.device, owner_.losses, desc_, made));
        allocation_ = made.allocation;
        device.made_addresses->replace(address_, allocation_);
        if (device_was_lost_since(owner_.device, owner_.losses)) {  // asked last: a reset forgets what is known by then
            device.made_addresses->replace(address_, nullptr);
            free_allocation(owner_.device, std::exchange(allocation_, nullptr));
            return device_fail_lost(owner_.device);
        }
    } else {
        SlotGuard guard(device);
        if (!guard) return device_fail_lost(owner_.device);
        const qiao_status status = device.tables.memory.memory_restore(device.opened.load(), allocation_);
        if (status != QIAO_OK) return device_slot_failed(owner_.device, status, "memory_restore", owner_.losses);
    }
    is_resident_ = true;
    device.allocated_bytes.fetch_add(desc_.size_bytes);
    ++traffic_.restore_count;
    return QIAO_OK;
}

/* ---------------------------------------------------------------- all of a device */

namespace {

// One step.
Room make_room(qiao_device* device, const SharedUses* uses) {
    std::vector<std::shared_ptr<SharedMemory>> candidates;
    void (*give_back_pools)(qiao_device*);
    {
        const std::lock_guard guard(device->body.state);
        candidates = device->body.shared;
        give_back_pools = device->body.give_back_pools;
    }
    if (give_back_pools != nullptr) give_back_pools(device);
    const size_t retired = count_retired(device);
    retire_passed(device);
    const size_t still_retired = count_retired(device);
    if (still_retired < retired) return Room::kMade;
    std::vector<std::pair<std::pair<uint32_t, uint64_t>, SharedMemory*>> order;  // which changes while it is looked at
    for (const auto& shared : candidates) {
        if (uses == nullptr || !uses->contains(shared.get())) order.emplace_back(shared->order_of_eviction(), shared.get());
    }
    std::sort(order.begin(), order.end());
    Room room = still_retired != 0 || is_working(device) ? Room::kBusy : Room::kNone;
    for (const auto& [rank, shared] : order) {
        const Room found = shared->evict();
        if (found == Room::kMade) return found;
        if (found == Room::kBusy) room = found;
    }
    return room;
}

}  // namespace

qiao_status attempt_with_room(qiao_device* device, const SharedUses* uses, const std::function<qiao_status()>& attempt, Room& out_room) {
    out_room = Room::kMade;
    for (;;) {
        const qiao_status status = attempt();
        // That nothing is left to go is no answer to the attempt before: what was working then may have ended since.
        if (status != QIAO_ERROR_OUT_OF_MEMORY || out_room == Room::kNone) return status;
        const ErrorRecord record = last_error();
        out_room = make_room(device, uses);
        if (out_room == Room::kBusy) return fail(record);
    }
}

qiao_status with_evictions(qiao_device* device, const std::function<qiao_status()>& attempt) {
    const uint64_t deadline_ns = on_queue_worker() ? 0 : now_ns() + kRoomPatienceNs;
    for (;;) {
        std::unique_lock guard(room_mutex());
        Room room;
        const qiao_status status = attempt_with_room(device, nullptr, attempt, room);
        if (status != QIAO_ERROR_OUT_OF_MEMORY || room == Room::kNone || now_ns() >= deadline_ns) return status;
        guard.unlock();
        pause_for_room();
    }
}

std::mutex& room_mutex() {
    static std::mutex* const mutex = new std::mutex;  // launches may still run while the process ends
    return *mutex;
}

void pause_for_room() {
    const timespec pause{0, kPauseNs};
    nanosleep(&pause, nullptr);
}

}  // namespace qiao
