// Which allocation of one device contains an address. Native ranges may be unaligned and share a page, so this is an
// ordered map under a reader-writer lock; launches never come here.
#pragma once

#include <iterator>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "qiao/types.h"

namespace qiao {

template <class Allocation>
class AddressMap {
public:
    // A range takes the place of those it overlaps: two that are alive never do, so these are from before a reset.
    void insert(uint64_t address, uint64_t size_bytes, Allocation* allocation) {
        std::unique_lock guard(mutex_);
        auto overlapped = ranges_.lower_bound(address);
        if (overlapped != ranges_.begin()) {
            const auto before = std::prev(overlapped);
            if (address - before->first < before->second.size_bytes) overlapped = before;
        }
        while (overlapped != ranges_.end() && (overlapped->first < address || overlapped->first - address < size_bytes))
            overlapped = ranges_.erase(overlapped);
        ranges_[address] = {size_bytes, allocation};
    }
    // Nothing happens if another allocation has taken its place.
    void erase(uint64_t address, const Allocation* allocation) {
        std::unique_lock guard(mutex_);
        const auto range = ranges_.find(address);
        if (range != ranges_.end() && range->second.allocation == allocation) ranges_.erase(range);
    }
    struct Found {
        Allocation* allocation = nullptr;
        uint64_t offset = 0;
        uint64_t size_bytes = 0;
    };
    // The allocation that contains the address, or a null one.
    Found find(uint64_t address) const {
        std::shared_lock guard(mutex_);
        auto after = ranges_.upper_bound(address);
        if (after == ranges_.begin()) return {};
        const auto& [base, range] = *--after;
        if (address - base >= range.size_bytes) return {};
        return {range.allocation, address - base, range.size_bytes};
    }

    // Whether one that `counts` overlaps the range.
    template <class Predicate>
    bool overlaps(uint64_t address, uint64_t size_bytes, Predicate&& counts) const {
        std::shared_lock guard(mutex_);
        auto each = ranges_.lower_bound(address);
        if (each != ranges_.begin()) {
            const auto& [base, range] = *std::prev(each);
            if (address - base < range.size_bytes && counts(range.allocation)) return true;
        }
        for (; each != ranges_.end() && each->first - address < size_bytes; ++each)
            if (counts(each->second.allocation)) return true;
        return false;
    }

private:
    struct Range {
        uint64_t size_bytes = 0;
        Allocation* allocation = nullptr;
    };
    mutable std::shared_mutex mutex_;
    std::map<uint64_t, Range> ranges_;
};

}  // namespace qiao
