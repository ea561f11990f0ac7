// Addresses for a device that has none: 4 bits of tag, 22 of index, 38 of offset. Tags are such that no host address looks
// like one (on x86-64 a host dereference faults), and differ from device to device. Look-up is a shift, a mask, a load and a
// bounds check, takes no lock and may race with changes. A freed index is used again last, and not before many others were
// freed, so that a stale address is recognised.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "qiao/types.h"

namespace qiao {

// `Allocation` is the core's, the `void*` beside it the plugin's.
template <class Allocation>
class AddressTable {
public:
    static constexpr uint32_t kOffsetBits = 38, kIndexBits = 22, kTagBits = 4;
    static constexpr uint64_t kMaxBytes = (UINT64_C(1) << kOffsetBits) - 1;  // the address behind the last byte still fits
    static constexpr uint32_t kMaxAllocations = (1u << kIndexBits) - 1;      // index 0 is never used
    // So many indices are free before the first is used again.
    static constexpr size_t kIdle = 1u << 16;

    // The number-th table of the process; tags repeat after 14.
    explicit AddressTable(uint32_t number) : tag_(1 + number % 14) {}
    ~AddressTable() {
        for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
    }
    AddressTable(const AddressTable&) = delete;
    AddressTable& operator=(const AddressTable&) = delete;

    // The address of the first byte; 0 = as many allocations as there can be are alive. `size_bytes` is at most kMaxBytes.
    uint64_t insert(uint64_t size_bytes, Allocation* allocation, void* plugin_allocation) {
        std::lock_guard guard(mutex_);
        const uint32_t index = take_index();
        if (index == 0) return 0;
        Record& record = make_record(index);
        record.allocation.store(allocation, std::memory_order_relaxed);
        record.plugin_allocation.store(plugin_allocation, std::memory_order_relaxed);
        record.size_bytes.store(size_bytes, std::memory_order_relaxed);
        record.end.store(size_bytes + 1, std::memory_order_release);
        return tag_ << (kIndexBits + kOffsetBits) | uint64_t{index} << kOffsetBits;
    }

    // Another allocation of the plugin's, or none, behind an address that insert returned.
    void replace(uint64_t address, void* plugin_allocation) { record_of(address)->plugin_allocation.store(plugin_allocation, std::memory_order_release); }

    // `address` is what insert returned.
    void erase(uint64_t address) {
        std::lock_guard guard(mutex_);
        freed_.push_back(index_of(address));
        record_of(address)->end.store(0, std::memory_order_release);
    }

    // The plugin has lost all allocations made so far: their addresses stay known, but are found without one.
    void lose_all() {
        std::lock_guard guard(mutex_);
        for (uint32_t index = 1; index < next_; ++index) make_record(index).plugin_allocation.store(nullptr, std::memory_order_relaxed);
    }

    struct Found {
        Allocation* allocation = nullptr;
        void* plugin_allocation = nullptr;
        uint64_t offset = 0;
        uint64_t size_bytes = 0;
    };
    // The allocation that contains the address or ends there, or a null one.
    Found find(uint64_t address) const {
        const Record* record = record_of(address);
        const uint64_t offset = address & kMaxBytes;
        if (record == nullptr || offset >= record->end.load(std::memory_order_acquire)) [[unlikely]] return {};
        return {record->allocation.load(std::memory_order_relaxed), record->plugin_allocation.load(std::memory_order_relaxed), offset,
                record->size_bytes.load(std::memory_order_relaxed)};
    }

    enum class Verdict { kAlive, kForeign, kFreed, kBeyond };
    // Why find() found nothing; `out_size_bytes` is that of the allocation the address belongs or belonged to.
    Verdict judge(uint64_t address, uint64_t& out_size_bytes) const {
        const Record* record = record_of(address);
        out_size_bytes = record == nullptr ? 0 : record->size_bytes.load(std::memory_order_relaxed);
        if (out_size_bytes == 0) return Verdict::kForeign;
        const uint64_t end = record->end.load(std::memory_order_acquire);
        return end == 0 ? Verdict::kFreed : (address & kMaxBytes) < end ? Verdict::kAlive : Verdict::kBeyond;
    }

private:
    static constexpr uint32_t kChunkBits = 11, kChunks = 1u << (kIndexBits - kChunkBits);
    struct alignas(32) Record {
        std::atomic<uint64_t> end{0};  // one above the last offset that is found; 0 = free
        std::atomic<uint64_t> size_bytes{0};  // stays when freed; 0 = never used
        std::atomic<Allocation*> allocation{nullptr};
        std::atomic<void*> plugin_allocation{nullptr};
    };

    static uint32_t index_of(uint64_t address) { return static_cast<uint32_t>(address >> kOffsetBits) & kMaxAllocations; }

    Record* record_of(uint64_t address) const {
        if (address >> (kIndexBits + kOffsetBits) != tag_) [[unlikely]] return nullptr;
        const uint32_t index = index_of(address);
        Record* chunk = chunks_[index >> kChunkBits].load(std::memory_order_acquire);
        return chunk == nullptr ? nullptr : &chunk[index % (1u << kChunkBits)];
    }

    Record& make_record(uint32_t index) {
        std::atomic<Record*>& chunk = chunks_[index >> kChunkBits];
        if (chunk.load(std::memory_order_relaxed) == nullptr) {
            chunk.store(new Record[1u << kChunkBits], std::memory_order_release);
        }
        return chunk.load(std::memory_order_relaxed)[index % (1u << kChunkBits)];
    }

    uint32_t take_index() {
        if (freed_.size() <= kIdle && next_ <= kMaxAllocations) return next_++;
        if (freed_.empty()) return 0;
        const uint32_t index = freed_.front();
        freed_.pop_front();
        return index;
    }

    const uint64_t tag_;
    std::mutex mutex_;  // guards changes
    std::deque<uint32_t> freed_;
    uint32_t next_ = 1;
    std::atomic<Record*> chunks_[kChunks] = {};
};

}  // namespace qiao
