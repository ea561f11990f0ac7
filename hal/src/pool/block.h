// What a pool's memory is cut into: segments, as the device gave them, and blocks, which cover each segment without a gap.
// Free blocks hang in bins by size, one set of bins for each queue that work on them may be left of: a lane.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <memory>

#include "object/timeline.h"
#include "pool/size_class.h"

namespace qiao {

struct Block;
struct Lane;

struct Segment {
    void* handle;  // the source's
    uint64_t address;
    uint64_t size_bytes;
    uint32_t granule_bits;
    bool is_shared;  // may be split
    Block* first = nullptr;
    Segment *previous = nullptr, *next = nullptr;  // of all of the pool
    // By granule: the block that starts there. Read without the pool's lock, to find what an address belongs to.
    std::unique_ptr<std::atomic<Block*>[]> starts;

    bool contains(uint64_t of) const { return of - address < size_bytes; }
    std::atomic<Block*>& start(uint64_t of) const { return starts[is_shared ? (of - address) >> granule_bits : 0]; }
};

// The low bits of a block's word; the rest is its address, so that a word tells one allocation from another.
enum class BlockState : uint64_t {
    kFree = 0,   // in a bin: guarded by the pool's lock
    kUsed = 1,   // the application's
    kCached = 2, // kept at hand by a thread's cache, or on the way from it to a bin
};

// Blocks are never destroyed before their pool: who holds a stale pointer sees by the word that it is stale.
struct Block {
    std::atomic<uint64_t> word{0};
    Segment* segment = nullptr;
    uint64_t granules = 0;
    uint64_t requested_bytes = 0;                   // while used
    Lane* lane = nullptr;                           // while free or cached: whose work comes first; none with the clean lane
    uint64_t value = 0;                             // and up to which value of its timeline
    Block *before = nullptr, *behind = nullptr;     // in the segment
    Block *previous = nullptr, *next = nullptr;     // in its bin or cache

    uint64_t address() const { return word.load(std::memory_order_relaxed) & ~UINT64_C(3); }
    BlockState state() const { return static_cast<BlockState>(word.load(std::memory_order_relaxed) & 3); }
    void set(uint64_t address, BlockState state) { word.store(address | static_cast<uint64_t>(state), std::memory_order_release); }
    bool change(uint64_t address, BlockState from, BlockState to) {
        uint64_t expected = address | static_cast<uint64_t>(from);
        return word.compare_exchange_strong(expected, address | static_cast<uint64_t>(to), std::memory_order_acq_rel, std::memory_order_relaxed);
    }
    uint64_t size_bytes() const { return granules << segment->granule_bits; }
    bool is_whole() const { return before == nullptr && behind == nullptr; }
};

// Free blocks by the class that their size reaches.
class Bins {
public:
    void insert(Block* block) {
        const uint32_t index = class_below(block->granules);
        block->previous = nullptr;
        block->next = heads_[index];
        if (block->next != nullptr) block->next->previous = block;
        heads_[index] = block;
        filled_[index / 64] |= UINT64_C(1) << index % 64;
    }
    void remove(Block* block) {
        if (block->next != nullptr) block->next->previous = block->previous;
        if (block->previous != nullptr) {
            block->previous->next = block->next;
            return;
        }
        const uint32_t index = class_below(block->granules);
        heads_[index] = block->next;
        if (block->next == nullptr) filled_[index / 64] &= ~(UINT64_C(1) << index % 64);
    }
    // A block of the first class from `index` to `last` that has one; it holds at least that class's size.
    Block* find(uint32_t index, uint32_t last = kClasses - 1) const {
        uint64_t word = filled_[index / 64] & ~UINT64_C(0) << index % 64;
        for (uint32_t at = index / 64;; word = filled_[at]) {
            if (word != 0) {
                const uint32_t found = at * 64 + static_cast<uint32_t>(std::countr_zero(word));
                return found <= last ? heads_[found] : nullptr;
            }
            if (++at == filled_.size()) return nullptr;
        }
    }
    // The first of the blocks from that class on; with `next`, all of them are visited. A visitor may take its block away.
    template <class Visitor>
    void visit(Visitor&& visitor) const {
        for (uint32_t index = 0; index < kClasses; ++index) {
            for (Block *block = heads_[index], *next; block != nullptr; block = next) {
                next = block->next;
                visitor(block);
            }
        }
    }
    uint64_t largest_bytes() const {
        for (uint32_t index = kClasses; index-- > 0;) {
            uint64_t largest = 0;
            for (const Block* block = heads_[index]; block != nullptr; block = block->next) largest = std::max(largest, block->size_bytes());
            if (largest != 0) return largest;
        }
        return 0;
    }

private:
    std::array<uint64_t, kClasses / 64> filled_{};
    std::array<Block*, kClasses> heads_{};
};

// The free blocks that work of one queue comes before; without a timeline, those that nobody's work does.
struct Lane {
    qiao_timeline* timeline = nullptr;
    uint64_t newest = 0;   // value of a block here
    uint64_t bytes = 0;    // in its bins
    Bins shared, own;      // of segments that are shared, and of those that are one block

    Bins& bins_of(const Block& block) { return block.segment->is_shared ? shared : own; }
};

}  // namespace qiao
