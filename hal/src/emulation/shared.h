// Shared memory on a device that has none: the host's bytes beside the device's. Before an operation that reaches it goes
// what the host has written; after a wait that covers one that writes it comes what the device has written. Since the host
// has all bytes, the device's part can be taken away to make room and given back (emulation/residency.h says when).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "emulation/copy.h"
#include "emulation/ranges.h"
#include "object/memory.h"
#include "object/program.h"
#include "object/queue.h"
#include "tracking/host_view.h"

namespace qiao {

// Whether the core makes the device's shared memory.
inline bool emulates_shared(const Device& device) {
    constexpr uint32_t kDevice = 1u << QIAO_MEMORY_KIND_DEVICE, kShared = 1u << QIAO_MEMORY_KIND_SHARED;
    return (device.info.memory_kinds & (kDevice | kShared)) == kDevice;
}

// What can be allocated on the device, one bit for each kind.
inline uint32_t memory_kinds(const Device& device) {
    return device.info.memory_kinds | (emulates_shared(device) ? 1u << QIAO_MEMORY_KIND_SHARED : 0u);
}

// What of an allocation is on the device.
struct DevicePart {
    void* allocation;  // the plugin's; null = none
    uint64_t resident_bytes;
};

// Whether room was made on a device.
enum class Room {
    kMade,
    kBusy,  // not now: pending work, or another thread, uses what could go
    kNone,  // there is nothing that could go
};

class SharedMemory : public std::enable_shared_from_this<SharedMemory> {
public:
    // The host's bytes for an allocation of the plugin's; `desc` is the application's.
    static qiao_status create(const Owner& owner, void* allocation, const qiao_memory_desc& desc, std::shared_ptr<SharedMemory>& out);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    void* host_pointer() const { return view_->app(); }
    qiao_device* device() const { return owner_.device; }
    // The plugin's; to be read by who has it locked and resident.
    void* allocation() const { return allocation_; }

    qiao_memory_traffic traffic();
    void advise(const Range& range, qiao_memory_advice advice);
    // The plugin's allocation, which stays where it is from now on: its native object is given out.
    qiao_status pin(void*& out_allocation);
    // What the device has written in the range, to the host now. NOT_READY while work that writes the memory runs.
    qiao_status fetch(const Range& range);
    // All that the device has written, to the host, if the work that writes it has ended.
    qiao_status bring_results();
    // The same of a range before anybody waits for it, on a queue's worker: what cannot be brought now comes with the wait.
    void bring_ahead(const Range& range);
    bool has_results(const Range& range);
    // Nobody waits for results any more.
    void give_up_results();
    // The application has let go of it: what is there to be freed once the work that uses it has ended.
    DevicePart release();

    // Takes the device's part away if nothing uses it. Never waits. Its results come to the host before.
    Room evict();
    // It is used now.
    void touch();
    // Who is to leave first; may change at any time.
    std::pair<uint32_t, uint64_t> order_of_eviction() const { return {preference_.load(std::memory_order_relaxed), last_use_.load(std::memory_order_relaxed)}; }

private:
    friend class SharedUses;
    friend void shared_added(const std::shared_ptr<SharedMemory>& shared, uint64_t address);
    enum class Work { kRunning, kEnded, kFailed };
    using Use = std::pair<qiao_timeline*, uint64_t>;  // with a use of the timeline

    SharedMemory(const Owner& owner, void* allocation, const qiao_memory_desc& desc) : owner_(owner), desc_(desc), allocation_(allocation) {}

    // All with the mutex held.
    uint64_t conflict_of(const std::vector<Run>& runs) const;
    qiao_status refuse_conflicts();
    qiao_status find_written(const Range& range, bool will_be_written);
    qiao_status send(const Range& range, bool will_be_written);
    qiao_status prefetch(const Range& range);
    void book(qiao_timeline* timeline, uint64_t value, const Ranges& written);
    bool has_pending_uses();
    bool has_conflicts();
    qiao_status take_away();
    qiao_status restore();
    Work ask_writers() const;
    void give_up_failed_results();
    qiao_status bring(const Range& range, uint64_t& kept_bytes);
    void forget_results();
    qiao_status report_conflict(uint64_t bytes);

    const Owner owner_;
    const qiao_memory_desc desc_;  // the application's; the kind is the device part's
    uint64_t address_ = 0;  // set before anybody else knows it
    std::unique_ptr<HostView> view_;
    Tracking tracking_ = Tracking::kFull;
    bool conflicts_are_errors_ = false;
    std::atomic<uint32_t> preference_{1};  // 0 = leaves the device first, 2 = last
    std::atomic<uint64_t> last_use_{0};

    std::mutex mutex_;  // guards what follows, and the calls of the view but for its pointers
    void* allocation_;  // the plugin's; null while the core has freed it
    bool is_resident_ = true;
    bool is_pinned_ = false;    // its native object was given out: it stays where it is
    bool is_released_ = false;  // by the application
    Ranges read_mostly_;  // no launch writes them, the application says
    std::vector<Use> uses_;  // work that reaches it, the last of each queue
    Ranges unfetched_;  // written by the device, and not yet at the host
    std::vector<Use> writers_;  // the work that writes them
    bool device_is_behind_ = false;  // it lacks bytes of the host's that no longer count as written
    std::vector<Run> runs_;          // kept for its room
    qiao_memory_traffic traffic_ = QIAO_MEMORY_TRAFFIC_INIT;
};

// The shared memory that one operation reaches, locked from before its bytes are sent until the operation is booked.
class SharedUses {
public:
    SharedUses() = default;
    ~SharedUses() { unlock(); }
    SharedUses(const SharedUses&) = delete;
    SharedUses& operator=(const SharedUses&) = delete;

    // Nothing for memory of which nothing is moved. `reached` is what of it is read or written.
    void add(const Memory& memory, const Range& reached, bool is_written);
    // Each allocation that an argument points to.
    void add_arguments(const Kernel& kernel, const void* block);
    bool empty() const { return uses_.empty(); }

    // Locks, sees that the device has room, and sends what the host has written. On failure the operation must not be submitted.
    qiao_status send();
    // The same of a range of the only one, before an operation needs it.
    qiao_status prefetch(const Range& range);
    // The operation was accepted with this value.
    void book(const Queue& queue, uint64_t value);

    bool contains(const SharedMemory* shared) const;

private:
    struct Use {
        std::shared_ptr<SharedMemory> shared;
        Range written;   // empty = none of it
        bool by_launch;  // else exactly these bytes
    };
    Use* enter(const Memory& memory);
    void lock();
    void unlock();
    bool are_resident() const;
    qiao_status lock_resident();
    qiao_status make_resident(Room& out_room);
    qiao_status fail_without_room() const;

    std::vector<Use> uses_;  // by address, each allocation once
    bool locked_ = false;
};

// Allocations with results that a wait has to bring to the host, in the process.
extern std::atomic<uint32_t> g_awaited_allocations;
qiao_status bring_awaited(qiao_instance* instance, const qiao_device* waited_for);

// At the end of each wait: brings the results of the instance's work that has ended. Costs a load where there are none. That
// results were lost with their device is told to who waits for work of that device, or of none (null), not to others.
inline qiao_status bring_results(qiao_instance* instance, const qiao_device* waited_for) {
    return g_awaited_allocations.load(std::memory_order_relaxed) == 0 ? QIAO_OK : bring_awaited(instance, waited_for);
}

// The device has one more, or one less, emulated shared allocation: while it has any, launches look for them.
void shared_added(const std::shared_ptr<SharedMemory>& shared, uint64_t address);
void shared_removed(const std::shared_ptr<SharedMemory>& shared);

// The sums over all there were.
qiao_memory_traffic device_traffic(qiao_device* device);

}  // namespace qiao
