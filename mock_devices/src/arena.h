/* One reserved range of addresses and the allocator inside it. Ranges are granules of 64 KiB, so that a flat table finds an
 * allocation with one load; behind each allocation at least one page stays free. Sizes are charged in pages against the
 * limit, as the process really pays for them. */
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "mock/memory.h"

namespace mock {

class Arena {
  public:
    /* With `guarded`, nothing in the arena can be touched but allocations inside open() ... close(). Reserves nothing yet. */
    Arena(std::string owner, uint64_t limit_bytes, bool guarded);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    Result<Allocation*> allocate(uint64_t size, uint64_t alignment, MemoryKind kind);
    void free(Allocation* allocation);
    /* Memory that counts, but lies elsewhere. */
    Status charge(uint64_t bytes);
    void discharge(uint64_t bytes);
    Status evict(Allocation* allocation);
    Status restore(Allocation* allocation);

    const Allocation* find(uint64_t address) const noexcept {
        const uint64_t base = base_.load(std::memory_order_acquire);
        /* Below the base wraps round; the span is 0 until reserved. */
        if (address - base >= span_.load(std::memory_order_relaxed)) return nullptr;
        const Allocation* found = table_[(address - base) / kGranule].load(std::memory_order_acquire);
        if (found == nullptr) return nullptr;
        const uint64_t start = found->address.load(std::memory_order_relaxed);
        return address - start < found->size.load(std::memory_order_relaxed) ? found : nullptr;
    }
    /* The live allocation with the greatest start at or below the address, or the first one; null if there is none. */
    const Allocation* nearest(uint64_t address) const;

    uint64_t free_bytes() const { return limit_ - used_.load(std::memory_order_relaxed); }

    void open();
    void close();

  private:
    static constexpr uint64_t kGranule = 64 << 10;
    /* Each guarded allocation costs two mappings while open; the system allows 65,530 (vm.max_map_count). */
    static constexpr size_t kMaxGuarded = 24'000;

    struct Range { /* of granules, relative to base_ */
        uint64_t offset;
        uint64_t size;
    };

    Status reserve();
    Status check_room(uint64_t charged) const;
    bool take_range(uint64_t size, uint64_t alignment, Range& out);
    void return_range(Range range);
    Allocation* new_record();
    void enter(Allocation* allocation, Allocation* value, Range range);
    void give_up(Allocation& allocation, Range range);
    void protect(const Allocation& allocation, bool accessible);

    const std::string owner_;
    const uint64_t limit_;
    const bool guarded_;

    mutable std::mutex mutex_;
    std::atomic<uint64_t> base_{0};
    std::atomic<uint64_t> span_{0};
    std::atomic<Allocation*>* table_ = nullptr;
    std::atomic<uint64_t> used_{0};
    std::map<uint64_t, uint64_t> free_by_offset_;            /* offset -> size, neighbours merged */
    std::set<std::pair<uint64_t, uint64_t>> free_by_size_;   /* (size, offset): best fit, lowest address first */
    std::map<uint64_t, std::pair<Allocation*, Range>> live_; /* by address */
    std::deque<Allocation> records_;
    std::vector<Allocation*> spare_records_;
    uint32_t open_count_ = 0;
};

} // namespace mock
