// Shared memory on a device that has none: the host's bytes beside the device's. Before an operation that reaches it goes
// what the host has written; after a wait that covers one that writes it comes what the device has written.
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

class SharedMemory : public std::enable_shared_from_this<SharedMemory> {
public:
    // The host's bytes for an allocation of the plugin's; `desc` is the application's.
    static qiao_status create(const Owner& owner, void* allocation, const qiao_memory_desc& desc, std::shared_ptr<SharedMemory>& out);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    void* host_pointer() const { return view_->app(); }
    qiao_device* device() const { return owner_.device; }

    qiao_memory_traffic traffic();
    // What the device has written in the range, to the host now. NOT_READY while work that writes the memory runs.
    qiao_status fetch(const Range& range);
    // All that the device has written, to the host, if the work that writes it has ended.
    qiao_status bring_results();
    // The application has let go of it, or the device is lost: nobody waits for results any more.
    void release();

private:
    friend class SharedUses;
    enum class Work { kRunning, kEnded, kFailed };

    SharedMemory(const Owner& owner, void* allocation, uint64_t flags) : owner_(owner), allocation_(allocation), flags_(flags) {}

    // All with the mutex held.
    uint64_t conflict_of(const std::vector<Run>& runs) const;
    qiao_status refuse_conflicts();
    qiao_status find_written(bool will_be_written);
    qiao_status send(bool will_be_written);
    void book(qiao_timeline* timeline, uint64_t value, const Range& written);
    Work ask_writers() const;
    void give_up_failed_results();
    qiao_status bring(const Range& range, uint64_t& kept_bytes);
    void forget_results();
    qiao_status report_conflict(uint64_t bytes);

    const Owner owner_;
    void* const allocation_;
    const uint64_t flags_;
    std::unique_ptr<HostView> view_;
    Tracking tracking_ = Tracking::kFull;
    bool conflicts_are_errors_ = false;

    std::mutex mutex_;  // guards what follows, and the calls of the view but for its pointers
    Ranges unfetched_;  // written by the device, and not yet at the host
    std::vector<std::pair<qiao_timeline*, uint64_t>> writers_;  // the work that writes them; with a use
    bool device_is_behind_ = false;  // it lacks bytes of the host's that no longer count as written
    std::vector<Run> runs_;          // kept for its room
    qiao_memory_traffic traffic_ = QIAO_MEMORY_TRAFFIC_INIT;
};

// The shared memory that one operation reaches, locked from before its bytes are sent until the operation is booked.
class SharedUses {
public:
    SharedUses() = default;
    ~SharedUses();
    SharedUses(const SharedUses&) = delete;
    SharedUses& operator=(const SharedUses&) = delete;

    // Nothing for memory of which nothing is moved. `reached` is what of it is read or written.
    void add(const Memory& memory, const Range& reached, bool is_written);
    // Each allocation that an argument points to.
    void add_arguments(const Kernel& kernel, const void* block);
    bool empty() const { return uses_.empty(); }

    // Locks, and sends what the host has written. On failure the operation must not be submitted.
    qiao_status send();
    // The operation was accepted with this value.
    void book(const Queue& queue, uint64_t value);

private:
    struct Use {
        SharedMemory* shared;
        Range written;  // empty = none of it
    };
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
void shared_added(qiao_device* device);
void shared_removed(qiao_device* device);

}  // namespace qiao
