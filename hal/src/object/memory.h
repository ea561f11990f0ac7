// An allocation's state, and the host copies it is mapped through where the device's memory is out of the host's reach.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "object/device.h"

namespace qiao {

class MemoryFile;
class SharedMemory;

struct HostCopy {
    std::unique_ptr<std::byte[]> bytes;
    uint64_t offset = 0;
    uint64_t size_bytes = 0;
    qiao_access access = 0;
};

// What ties an allocation to others who have the same bytes.
struct Sharing {
    std::shared_ptr<MemoryFile> file{};  // the host memory that it lies in (share/memory_file.h), else null
    void* imported = nullptr;            // host memory that the device was given where it lies
    bool is_shareable = false;           // the plugin can export it
};

struct Memory {
    qiao_device* const device;
    const uint64_t losses;  // of the device before it was made: one more, and it is lost
    void* const allocation;  // the plugin's; null for emulated shared memory, whose comes and goes
    uint64_t address;
    uint64_t size_bytes;  // what was asked for: the limit of every check
    void* host_pointer;
    qiao_memory_kind kind;
    std::byte* in_place;  // where the host may move the device's own bytes itself; null = nowhere
    std::shared_ptr<SharedMemory> shared{};  // emulated shared memory (emulation/shared.h), else null
    Sharing sharing{};
    std::mutex mapping{};               // guards what follows
    std::vector<HostCopy> host_copies{};
    std::vector<void*> native_maps{};   // made by the plugin
    std::vector<void*> pointer_maps{};  // into host_pointer
};

}  // namespace qiao

struct alignas(64) qiao_memory {
    static constexpr uint64_t kTag = qiao::kTagMemory;
    qiao::Header header;
    union {
        qiao::Memory body;
    };
    qiao_memory() {}
    ~qiao_memory() {}
};

namespace qiao {

struct FoundMemory {
    qiao_memory* memory = nullptr;
    uint64_t offset = 0;
    uint64_t size_bytes = 0;
};

// The allocation of the device that contains the address, or a null one.
inline FoundMemory find_memory(const Device& device, uint64_t address) {
    if (device.made_addresses != nullptr) {
        const auto found = device.made_addresses->find(address);
        return found.offset < found.size_bytes ? FoundMemory{found.allocation, found.offset, found.size_bytes} : FoundMemory{};
    }
    const auto found = device.addresses.find(address);
    return {found.allocation, found.offset, found.size_bytes};
}

}  // namespace qiao
