// A pool's mechanism: thread caches in front of a heap of segments that a source provides. Knows timelines, not queues: the
// order of a free is a timeline and the value that its queue had given out.
//
// Locks: the pool's first, then caches'. An allocation or a free that its cache serves takes the cache's only. What readers
// of a cache's lock look at (the index of segments, lanes) changes under the pool's lock and those of all caches.
#pragma once

#include "pool/cache.h"
#include "pool/heap.h"
#include "pool/segment_index.h"
#include "qiao/pool.h"

namespace qiao {

// Where segments come from; called without a lock.
class SegmentSource {
public:
    virtual ~SegmentSource() = default;
    virtual qiao_status allocate(uint64_t size_bytes, void*& out_handle, uint64_t& out_address) = 0;
    // Never waits: work may still use the segment.
    virtual void release(void* handle) = 0;
};

struct PoolLimits {
    uint64_t alignment = 256;             // a power of two
    uint64_t largest_shared_bytes = 1u << 20;
    uint64_t reserve_limit_bytes = 0;     // 0 = none
    uint64_t idle_limit_bytes = 0;        // 0 = none
    uint64_t max_segment_bytes = UINT64_MAX;  // that the source gives
};

class PoolAllocator {
public:
    PoolAllocator(std::unique_ptr<SegmentSource> source, const PoolLimits& limits);
    // Gives all segments back, those with allocations too.
    ~PoolAllocator();
    PoolAllocator(const PoolAllocator&) = delete;
    PoolAllocator& operator=(const PoolAllocator&) = delete;

    // Memory behind the timeline's work; without one, that no work uses. `size_bytes` is above 0.
    qiao_status allocate(qiao_timeline* timeline, uint64_t size_bytes, uint64_t& out_address);
    // Work up to the value of the timeline may still use it; without one, none does.
    qiao_status free(uint64_t address, qiao_timeline* timeline, uint64_t value);
    void trim(uint64_t keep_bytes);
    qiao_pool_statistics statistics();
    void reset_peaks();

private:
    static constexpr size_t kCaches = 16;
    struct Want {
        qiao_timeline* timeline;
        uint64_t size_bytes;
        uint64_t granules;
        uint32_t size_class;
        bool is_shared;
    };
    class Central;
    class AllCaches;

    Cache& own_cache();
    uint64_t granules_of(uint64_t size_bytes) const { return (size_bytes + alignment_ - 1) >> granule_bits_; }
    void book_used(uint64_t bytes);
    bool book_unused(uint64_t bytes);
    void hand_out(Block* block, const Want& want, bool in_order, PoolCounts& counts, uint64_t& out_address);
    qiao_status allocate_centrally(const Want& want, uint64_t& out_address);
    bool take(const Want& want, uint64_t& out_address);
    qiao_status grow(Central& central, const Want& want, uint64_t least_bytes, uint64_t best_bytes, uint64_t& out_address);
    qiao_status grow_instead(Central& central, const Want& want, uint64_t bytes, Unused which, uint64_t& out_address);
    void enter(std::unique_ptr<Segment>& segment);
    qiao_status fail_full(const Want& want, uint64_t reserved, bool is_limit);
    void free_centrally(Block* block, qiao_timeline* timeline, uint64_t value);
    qiao_status fail_free(uint64_t address);
    void reduce(Cache& cache, uint32_t size_class);
    void flush_caches();
    void ask_lanes(Central& central, uint64_t patience_ns);
    void sweep_lanes();

    const std::unique_ptr<SegmentSource> source_;
    const uint64_t alignment_;
    const uint32_t granule_bits_;
    const uint64_t largest_shared_granules_;
    const uint64_t segment_bytes_;
    const PoolLimits limits_;

    Lock lock_;  // guards what follows, but for the caches
    Heap heap_;
    SegmentIndex index_;
    PoolCounts counts_;            // of what no cache served
    uint64_t grown_ = 0;           // allocations that needed a segment
    uint64_t reserved_bytes_ = 0;  // booked before the source is asked
    uint64_t reserved_peak_bytes_ = 0;

    alignas(64) std::atomic<uint64_t> used_bytes_{0};
    std::atomic<uint64_t> used_peak_bytes_{0};
    std::array<Cache, kCaches> caches_;
};

}  // namespace qiao
