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
#include "object/instance.h"
#include "object/lock.h"

struct qiao_memory;
struct qiao_queue;
struct qiao_timeline;

namespace qiao {

// Every slot of this core's ABI; null where the plugin has none.
struct DeviceTables {
    qiao_plugin_device_ops device{};
    qiao_plugin_memory_ops memory{};
    qiao_plugin_program_ops program{};
    qiao_plugin_queue_ops queue{};
};

// Something to be freed once each timeline has passed the value beside it.
struct Retired {
    std::vector<std::pair<qiao_timeline*, uint64_t>> fences;
    std::function<void()> finish;
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
    std::mutex state;                    // guards what follows
    std::string lost_reason;
    std::vector<qiao_queue*> queues;     // live and retiring
    std::vector<Retired> retired;
    AddressMap<qiao_memory> addresses;                          // the device's own
    std::unique_ptr<AddressTable<qiao_memory>> made_addresses;  // for a device that has none; else null
    std::atomic<uint64_t> allocated_bytes{0};
};

}  // namespace qiao

struct qiao_device {
    static constexpr uint64_t kTag = qiao::kTagDevice;
    qiao::Header header;
    union {
        qiao::Device body;
    };
    qiao_device() {}
    ~qiao_device() {}
};

namespace qiao {

// Held while a slot of the device runs; does nothing for a free-threaded plugin.
class SlotGuard {
public:
    explicit SlotGuard(Device& device) : lock_(device.free_threaded ? nullptr : &device.slots) {
        if (lock_ != nullptr) lock_->lock();
    }
    ~SlotGuard() {
        if (lock_ != nullptr) lock_->unlock();
    }
    SlotGuard(const SlotGuard&) = delete;
    SlotGuard& operator=(const SlotGuard&) = delete;

private:
    Lock* lock_;
};

}  // namespace qiao
