// Blocks that a thread keeps at hand, by size class: what it freed last it gets first, without the pool's lock. Threads have
// a cache each until there are more threads than caches. What a cache keeps is bounded in bytes and in blocks of a class.
#pragma once

#include <array>
#include <utility>

#include "object/lock.h"
#include "pool/block.h"

namespace qiao {

// What happened to allocations since the pool was made; frees may be booked elsewhere than their allocations.
struct PoolCounts {
    uint64_t allocated = 0;
    uint64_t reused_in_order = 0;
    uint64_t alive = 0;            // wraps around: the sum over all is right
    uint64_t requested_bytes = 0;  // and so does this
};

// Everything is guarded by `lock`; who holds the pool's lock may take it, not the other way round.
class alignas(64) Cache {
public:
    static constexpr uint64_t kMaxGranules = 4096;  // of a block that is cached
    static constexpr uint64_t kMaxBytes = 2u << 20;
    static constexpr uint32_t kMaxBlocks = 64;  // of one class

    Lock lock;
    PoolCounts counts;

    // A block of the class that is free for work behind the timeline, which may be null; null if none of the last few is.
    Block* take(uint32_t size_class, const qiao_timeline* timeline, bool& out_in_order) {
        Bin& bin = bins_[size_class];
        Block** place = &bin.top;
        for (int tries = 0; *place != nullptr && tries < kTries; ++tries, place = &(*place)->next) {
            Block* block = *place;
            const qiao_timeline* first = block->lane->timeline;
            out_in_order = first == timeline && first != nullptr;
            if (first != timeline && first != nullptr && first->body.reached.load(std::memory_order_acquire) < block->value) continue;
            *place = block->next;
            --bin.count;
            bytes_ -= block->size_bytes();
            return block;
        }
        return nullptr;
    }
    void put(Block* block, uint32_t size_class) {
        Bin& bin = bins_[size_class];
        block->next = bin.top;
        bin.top = block;
        ++bin.count;
        bytes_ += block->size_bytes();
    }
    // Whether more is kept than there should be; then `reduce` is due.
    bool is_overfull(uint32_t size_class) const { return bytes_ > kMaxBytes || bins_[size_class].count > kMaxBlocks; }
    // Gives away what was freed longest ago: half of the class, or everything if there are too many bytes.
    template <class Taker>
    void reduce(uint32_t size_class, Taker&& take_away) {
        if (bytes_ > kMaxBytes) return flush(take_away);
        Bin& bin = bins_[size_class];
        if (bin.count <= kMaxBlocks) return;
        Block** place = &bin.top;
        for (uint32_t kept = 0; kept < kMaxBlocks / 2; ++kept) place = &(*place)->next;
        bin.count = kMaxBlocks / 2;
        give_away(std::exchange(*place, nullptr), take_away);
    }
    template <class Taker>
    void flush(Taker&& take_away) {
        if (bytes_ == 0) return;
        for (Bin& bin : bins_) {
            bin.count = 0;
            give_away(std::exchange(bin.top, nullptr), take_away);
        }
    }

    // The lanes of the queues that the thread uses: a lane is known here until it ends.
    Lane* lane_of(const qiao_timeline* timeline) const {
        const Known& known = known_[place_of(timeline)];
        return known.timeline == timeline ? known.lane : nullptr;
    }
    void know(Lane* lane) { known_[place_of(lane->timeline)] = {lane->timeline, lane}; }
    void forget_lanes(Lane* clean) {
        known_ = {};
        know(clean);
    }

private:
    static constexpr int kTries = 4;
    struct Bin {
        Block* top = nullptr;
        uint32_t count = 0;
    };
    struct Known {
        const qiao_timeline* timeline = nullptr;
        Lane* lane = nullptr;
    };

    static size_t place_of(const qiao_timeline* timeline) {
        const auto bits = reinterpret_cast<uintptr_t>(timeline);
        return timeline == nullptr ? kKnown : (bits / sizeof(qiao_timeline)) % kKnown;
    }
    template <class Taker>
    void give_away(Block* block, Taker&& take_away) {
        while (block != nullptr) {
            Block* next = block->next;
            bytes_ -= block->size_bytes();
            take_away(block);
            block = next;
        }
    }

    static constexpr size_t kKnown = 16;
    uint64_t bytes_ = 0;
    std::array<Known, kKnown + 1> known_{};  // the last is the clean lane
    std::array<Bin, 81> bins_{};             // class_below(kMaxGranules) is 80
};

}  // namespace qiao
