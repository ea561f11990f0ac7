// Which allocation of one device contains an address. Native ranges may be unaligned and share a page, so this is an
// ordered map under a reader-writer lock; launches never come here.
#pragma once

#include <map>
#include <mutex>
#include <shared_mutex>

#include "qiao/types.h"

namespace qiao {

template <class Allocation>
class AddressMap {
public:
    void insert(uint64_t address, uint64_t size_bytes, Allocation* allocation) {
        std::unique_lock guard(mutex_);
        ranges_[address] = {size_bytes, allocation};
    }
    void erase(uint64_t address) {
        std::unique_lock guard(mutex_);
        ranges_.erase(address);
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

    bool overlaps(uint64_t address, uint64_t size_bytes) const {
        std::shared_lock guard(mutex_);
        const auto after = ranges_.lower_bound(address);
        if (after != ranges_.end() && after->first - address < size_bytes) return true;
        if (after == ranges_.begin()) return false;
        const auto& [base, range] = *std::prev(after);
        return address - base < range.size_bytes;
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
