// One operation's shared memory: found by its addresses, locked in one order, made resident, sent, and booked.
#include <algorithm>
#include <cinttypes>
#include <cstring>

#include "dispatch/device.h"
#include "emulation/deferred.h"
#include "emulation/residency.h"
#include "emulation/shared.h"

namespace qiao {

SharedUses::Use* SharedUses::enter(const Memory& memory) {
    const std::shared_ptr<SharedMemory>& shared = memory.shared;
    if (shared == nullptr) return nullptr;
    const auto after = std::lower_bound(uses_.begin(), uses_.end(), shared, [](const Use& use, const auto& other) { return use.shared < other; });
    if (after != uses_.end() && after->shared == shared) return &*after;
    return &*uses_.insert(after, Use{shared, {0, 0}, false});
}

void SharedUses::add(const Memory& memory, const Range& reached, bool is_written) {
    Use* use = enter(memory);
    if (use == nullptr || !is_written) return;
    const bool was_written = use->written.begin != use->written.end;
    use->written = was_written ? Range{std::min(use->written.begin, reached.begin), std::max(use->written.end, reached.end)} : reached;
}

void SharedUses::add_arguments(const Kernel& kernel, const void* block) {
    const Device& device = kernel.device->body;
    for (const uint32_t position : kernel.address_arguments) {
        const Argument& argument = kernel.arguments[position];
        uint64_t address;
        std::memcpy(&address, static_cast<const std::byte*>(block) + argument.offset, sizeof address);
        const FoundMemory found = address == 0 ? FoundMemory{} : find_memory(device, address);
        if (found.memory == nullptr) continue;
        Use* use = enter(found.memory->body);
        if (use == nullptr) continue;
        use->by_launch = true;
        if (argument.access != QIAO_ACCESS_READ) use->written = {0, found.memory->body.size_bytes};
    }
}

bool SharedUses::contains(const SharedMemory* shared) const {
    return std::any_of(uses_.begin(), uses_.end(), [shared](const Use& use) { return use.shared.get() == shared; });
}

void SharedUses::lock() {
    for (const Use& use : uses_) use.shared->mutex_.lock();
    locked_ = true;
}

void SharedUses::unlock() {
    if (!locked_) return;
    for (const Use& use : uses_) use.shared->mutex_.unlock();
    locked_ = false;
}

bool SharedUses::are_resident() const {
    return std::all_of(uses_.begin(), uses_.end(), [](const Use& use) { return use.shared->is_resident_; });
}

qiao_status SharedUses::send() {
    QIAO_RETURN_IF_ERROR(lock_resident());
    for (const Use& use : uses_) QIAO_RETURN_IF_ERROR(use.shared->send({0, use.shared->view_->size_bytes()}, use.written.begin != use.written.end));
    return QIAO_OK;
}

qiao_status SharedUses::prefetch(const Range& range) {
    QIAO_RETURN_IF_ERROR(lock_resident());
    return uses_.front().shared->prefetch(range);
}

void SharedUses::book(const Queue& queue, uint64_t value) {
    for (const Use& use : uses_) {
        Ranges written;
        if (use.written.begin != use.written.end) written.add(use.written);
        if (use.by_launch) {
            for (const Range& range : use.shared->read_mostly_) written.remove(range);
        }
        use.shared->book(queue.timeline, value, written);
    }
}

/* ---------------------------------------------------------------- room */

qiao_status SharedUses::lock_resident() {
    for (const Use& use : uses_) use.shared->touch();
    lock();
    if (are_resident()) return QIAO_OK;
    const uint64_t deadline_ns = on_queue_worker() ? 0 : now_ns() + kRoomPatienceNs;
    for (;;) {
        unlock();
        std::unique_lock guard(room_mutex());
        lock();
        Room room = Room::kMade;
        const qiao_status status = make_resident(room);
        if (status != QIAO_ERROR_OUT_OF_MEMORY) return status;
        if (room == Room::kNone || now_ns() >= deadline_ns) return fail_without_room();
        unlock();
        guard.unlock();
        pause_for_room();
    }
}

qiao_status SharedUses::make_resident(Room& out_room) {
    for (const Use& use : uses_) QIAO_RETURN_IF_ERROR(attempt_with_room(use.shared->device(), this, [&] { return use.shared->restore(); }, out_room));
    return QIAO_OK;
}

qiao_status SharedUses::fail_without_room() const {
    uint64_t needed = 0, resident = 0;
    const Device* device = nullptr;
    for (const Use& use : uses_) {
        if (!use.shared->is_resident_) device = &use.shared->device()->body;
        needed += use.shared->view_->size_bytes();
        resident += use.shared->is_resident_ ? use.shared->view_->size_bytes() : 0;
    }
    fail(QIAO_ERROR_OUT_OF_MEMORY,
         "the operation reaches %" PRIu64 " bytes of shared memory in %zu allocations; there is room for %" PRIu64 " of them in the %" PRIu64 " bytes of %s", needed,
         uses_.size(), resident, device->info.memory_bytes, device->id.c_str());
    set_object(device->id);
    set_remedy("let one operation reach less, or release other memory; nothing was submitted, and all memory is as it was");
    return QIAO_ERROR_OUT_OF_MEMORY;
}

}  // namespace qiao
