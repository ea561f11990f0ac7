// A pool's memory while no thread's cache has it: blocks are taken from bins, cut to size, and put together with their free
// neighbours when they come back. Blocks behind different queues' work stay apart until that work has ended. Every call
// expects the pool's lock to be held.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <utility>

#include "pool/block.h"

namespace qiao {

// Which segments without an allocation: also those that work may still use, or only those that none does.
enum class Unused { kAny, kEnded };

class Heap {
public:
    explicit Heap(uint64_t idle_limit_bytes) : idle_limit_bytes_(idle_limit_bytes) {}
    ~Heap();
    Heap(const Heap&) = delete;
    Heap& operator=(const Heap&) = delete;

    // A block of at least so many granules, free in the lane (which may be null) or, if it has none, in the clean lane; from
    // a shared segment it is cut to the size of their class. Its state is kCached. Null if there is none.
    Block* take(Lane* lane, uint64_t granules, bool is_shared);
    // Takes a block in state kCached back, behind what its lane and value say.
    void give(Block* block);

    // The queue's lane, if it has blocks in this pool or had some lately.
    Lane* find_lane(qiao_timeline* timeline);
    // The same; made if there is none.
    Lane* make_lane(qiao_timeline* timeline);
    Lane* clean() { return &clean_; }
    // Whether so many lanes have been made that those of queues that are gone should be looked for.
    bool has_many_lanes() const { return lanes_.size() >= sweep_at_; }
    // Ends the lanes of queues that are gone. No cache may have a block of them.
    void sweep_lanes();
    // Frees the lane's blocks up to the value from its order.
    void clear(Lane& lane, uint64_t passed);
    template <class Visitor>
    void visit_lanes(Visitor&& visitor) {
        for (auto& [timeline, lane] : lanes_) visitor(*lane);
    }

    // Room for two more blocks, so that take() and add() do not fail halfway.
    void prepare_blocks();
    // A new segment. Its first granules, so many, are the caller's, in state kCached.
    Block* add(std::unique_ptr<Segment> segment, uint64_t granules);
    // Takes unused segments away while more than `keep_bytes` are reserved; they are leaving then.
    void trim(uint64_t keep_bytes, Unused which = Unused::kAny);
    // Segments that were taken away: linked by `next`, the caller's from now on.
    Segment* take_leaving() { return std::exchange(leaving_, nullptr); }
    bool has_leaving() const { return leaving_ != nullptr; }

    Segment* segments() const { return segments_; }
    uint64_t segment_bytes() const { return segment_bytes_; }
    uint64_t segment_count() const { return segment_count_; }
    uint64_t free_bytes() const;
    uint64_t pending_bytes() const;
    uint64_t largest_free_bytes() const;

private:
    Block* new_block();
    void recycle(Block* block);
    void link(Block* block, Lane& lane, uint64_t value);
    void unlink(Block* block);
    void cut(Block* block, uint64_t granules);
    void absorb_behind(Block* block);
    bool is_unused(const Segment& segment, Unused which) const;
    void detach(Segment* segment);

    const uint64_t idle_limit_bytes_;  // 0 = none
    Lane clean_;
    std::unordered_map<qiao_timeline*, std::unique_ptr<Lane>> lanes_;
    size_t sweep_at_ = 16;
    Segment* segments_ = nullptr;
    Segment* leaving_ = nullptr;
    uint64_t segment_bytes_ = 0;
    uint64_t segment_count_ = 0;
    uint64_t unused_bytes_ = 0;  // in segments without an allocation
    std::deque<Block> blocks_;
    Block* idle_blocks_ = nullptr;  // linked by `next`
};

}  // namespace qiao
