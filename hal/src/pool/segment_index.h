// Which segment contains an address: a hash table by megabytes, of the pool's own so that a look-up takes no lock but the
// caller's. A segment that is shared stands under each megabyte that it touches, another under its first only: no address
// but its first is ever given out.
#pragma once

#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include "pool/block.h"

namespace qiao {

class SegmentIndex {
public:
    // Null also for an address far inside a segment that is not shared.
    Segment* find(uint64_t address) const {
        const uint64_t key = address >> kKeyBits;
        for (size_t at = place_of(key); entries_[at].segment != nullptr; at = (at + 1) & mask_) {
            if (entries_[at].key == key && entries_[at].segment->contains(address)) return entries_[at].segment;
        }
        return nullptr;
    }

    // Makes room, so that insert() does not fail.
    void reserve(const Segment& segment) {
        const size_t needed = 2 * (count_ + static_cast<size_t>(last_key(segment) - first_key(segment) + 1));
        if (needed <= entries_.size()) return;
        const std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(std::bit_ceil(needed)));
        mask_ = entries_.size() - 1;
        for (const Entry& entry : old) {
            if (entry.segment != nullptr) put(entry);
        }
    }
    void insert(Segment* segment) {
        for (uint64_t key = first_key(*segment); key <= last_key(*segment); ++key, ++count_) put({key, segment});
    }
    void erase(const Segment* segment) {
        for (uint64_t key = first_key(*segment); key <= last_key(*segment); ++key, --count_) {
            size_t at = place_of(key);
            while (entries_[at].segment != segment || entries_[at].key != key) at = (at + 1) & mask_;
            close_gap(at);
        }
    }

private:
    static constexpr uint32_t kKeyBits = 20;
    struct Entry {
        uint64_t key = 0;
        Segment* segment = nullptr;
    };

    static uint64_t first_key(const Segment& segment) { return segment.address >> kKeyBits; }
    static uint64_t last_key(const Segment& segment) {
        return segment.is_shared ? (segment.address + segment.size_bytes - 1) >> kKeyBits : first_key(segment);
    }
    size_t place_of(uint64_t key) const { return static_cast<size_t>(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask_; }

    void put(const Entry& entry) {
        size_t at = place_of(entry.key);
        while (entries_[at].segment != nullptr) at = (at + 1) & mask_;
        entries_[at] = entry;
    }
    // Entries behind the gap that were pushed past it move up, as a search ends at the first empty place.
    void close_gap(size_t gap) {
        for (size_t at = (gap + 1) & mask_; entries_[at].segment != nullptr; at = (at + 1) & mask_) {
            if (((at - place_of(entries_[at].key)) & mask_) < ((at - gap) & mask_)) continue;
            entries_[gap] = entries_[at];
            gap = at;
        }
        entries_[gap] = {};
    }

    std::vector<Entry> entries_ = std::vector<Entry>(16);
    size_t mask_ = 15;
    size_t count_ = 0;
};

}  // namespace qiao
