// A device's state: what the plugin said of it, its full-length copy of the plugin's tables, what lives on it and what
// waits to be freed. Opening, loss and reset are in dispatch/device.h, freeing in dispatch/retire.h.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "object/address_map.h"
#include "object/address_table.h"
#include "object/chunk_choice.h"
#include "object/imported_ranges.h"
#include "object/instance.h"
#include "object/lock.h"
#include "qiao/memory.h"

struct qiao_memory;
struct qiao_pool;
struct qiao_queue;
struct qiao_timeline;

namespace qiao {

class SharedMemory;

// Every slot of this core's ABI; null where the plugin has none.
struct DeviceTables {
    qiao_plugin_device_ops device{};
    qiao_plugin_memory_ops memory{};
    qiao_plugin_program_ops program{};
    qiao_plugin_queue_ops queue{};
    qiao_plugin_link_ops link{};
};

// Something to be freed once each timeline has passed the value beside it.
struct Retired {
    std::vector<std::pair<qiao_timeline*, uint64_t>> fences;
    std::function<void()> finish;
};

// The chunk sizes of staged copies from one device, by the device they go to.
class DeviceChunks {
public:
    ChunkChoice of(const qiao_device* target) {
        const std::lock_guard guard(mutex_);
        return choice(target);
    }
    void learn(const qiao_device* target, const ChunkChoice::Part& part, uint64_t duration_ns) {
        const std::lock_guard guard(mutex_);
        choice(target).learn(part, duration_ns);
    }

private:
    ChunkChoice& choice(const qiao_device* target) {
        for (auto& [device, choice] : choices_) {
            if (device == target) return choice;
        }
        return choices_.emplace_back(target, ChunkChoice()).second;
    }

    std::mutex mutex_;
    std::vector<std::pair<const qiao_device*, ChunkChoice>> choices_;
};

struct Device {
    qiao_instance* instance = nullptr;
    std::string id, plugin_id, formats;
    uint32_t index = 0;    // in its plugin
    void* plugin = nullptr;
    qiao_plugin_device_info info{};
    DeviceTables tables;
    std::vector<qiao_plugin_extension> extensions;
    bool free_threaded = false;
    bool native_queues = false;

    std::mutex opening;
    std::atomic<void*> opened{nullptr};  // the plugin's device; null = not open yet
    Lock slots;                          // held in its slots unless it is free-threaded

    std::atomic<bool> lost{false};
    std::atomic<uint64_t> losses{0};      // so far: what was being made meanwhile was made too early
    std::atomic<uint64_t> generation{0};  // resets so far
    std::atomic<uint64_t> live_queues{0};  // not destroyed yet
    std::atomic<bool> abandoned{false};   // something could not be destroyed, since a slot has not returned: never closed
    std::mutex state;                     // guards what follows
    bool removed = false;
    std::string lost_reason;
    std::vector<qiao_queue*> queues;     // live and retiring
    std::vector<qiao_queue*> visitors;   // of other devices, that were given copies from or to this one
    std::vector<qiao_pool*> pools;       // not released yet
    void (*give_back_pools)(qiao_device* device) = nullptr;  // what they hold and nobody uses; set with the first one
    std::vector<Retired> retired;
    size_t retiring = 0;                 // entries that a thread has in hand to ask them or to finish them
    bool resetting = false;              // what is lost may still be at work: nothing is destroyed in the plugin
    uint64_t destroying = 0;             // calls that destroy something in the plugin
    std::vector<std::shared_ptr<SharedMemory>> shared;  // allocations of emulated shared memory
    qiao_memory_traffic past_traffic = QIAO_MEMORY_TRAFFIC_INIT;  // of those that were released
    AddressMap<qiao_memory> addresses;                          // the device's own
    std::unique_ptr<AddressTable<qiao_memory>> made_addresses;  // for a device that has none; else null
    ImportedRanges imported;                                    // of host memory that it was given where it lies
    std::atomic<uint64_t> allocated_bytes{0};
    std::atomic<bool> known_as_hasty{false};  // its device_synchronize does not wait, and the log says so
    DeviceChunks chunks;
};

}  // namespace qiao

struct alignas(64) qiao_device {
    static constexpr uint64_t kTag = qiao::kTagDevice;
    qiao::Header header;
    union {
        qiao::Device body;
    };
    qiao_device() {}
    ~qiao_device() {}
};

namespace qiao {

// Ends the wait for a lock: the device was lost meanwhile, and who holds the lock has had a little time to notice.
class LossPatience {
public:
    explicit LossPatience(const Device& device) : device_(device), losses_(device.losses.load(std::memory_order_relaxed)) {}
    bool operator()() {
        if (!device_.lost.load(std::memory_order_acquire) && device_.losses.load(std::memory_order_acquire) == losses_) return false;
        if (deadline_ns_ == 0) deadline_ns_ = now_ns() + kGraceNs;
        return now_ns() >= deadline_ns_;
    }

private:
    static constexpr uint64_t kGraceNs = 20'000'000;
    const Device& device_;
    const uint64_t losses_;
    uint64_t deadline_ns_ = 0;
};

// Held while a slot of the device runs; does nothing for a free-threaded plugin. Waits while others are inside, but not
// when the device is lost: a slot that does not return keeps its own thread only. False then.
class SlotGuard {
public:
    explicit SlotGuard(Device& device) : lock_(device.free_threaded ? nullptr : &device.slots) {
        held_ = lock_ == nullptr || lock_->try_lock() || lock_->lock_unless(LossPatience(device));
    }
    // Gives up at the deadline only.
    SlotGuard(Device& device, uint64_t deadline_ns) : lock_(device.free_threaded ? nullptr : &device.slots) {
        held_ = lock_ == nullptr || lock_->lock_unless([deadline_ns] { return now_ns() >= deadline_ns; });
    }
    ~SlotGuard() {
        if (held_ && lock_ != nullptr) lock_->unlock();
    }
    SlotGuard(const SlotGuard&) = delete;
    SlotGuard& operator=(const SlotGuard&) = delete;
    explicit operator bool() const { return held_; }

private:
    Lock* lock_;
    bool held_;
};

}  // namespace qiao
