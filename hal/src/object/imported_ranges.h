// Which host memory a device was given where it lies. No byte is given to a device twice, whatever addresses it has for them.
#pragma once

#include <iterator>
#include <map>
#include <mutex>

#include "qiao/types.h"

namespace qiao {

class ImportedRanges {
public:
    // `losses` of the device by then: what was given to it before a loss is in nobody's way. False if it overlaps another range.
    bool enter(const void* pointer, uint64_t size_bytes, uint64_t losses) {
        const auto begin = reinterpret_cast<uintptr_t>(pointer);
        std::lock_guard guard(mutex_);
        std::erase_if(ranges_, [losses](const auto& entry) { return entry.second.losses != losses; });
        const auto after = ranges_.lower_bound(begin);
        if (after != ranges_.end() && after->first - begin < size_bytes) return false;
        if (after != ranges_.begin() && begin - std::prev(after)->first < std::prev(after)->second.size_bytes) return false;
        ranges_[begin] = {size_bytes, losses};
        return true;
    }
    void leave(const void* pointer, uint64_t losses) {
        std::lock_guard guard(mutex_);
        const auto range = ranges_.find(reinterpret_cast<uintptr_t>(pointer));
        if (range != ranges_.end() && range->second.losses == losses) ranges_.erase(range);
    }

private:
    struct Range {
        uint64_t size_bytes = 0;
        uint64_t losses = 0;
    };
    std::mutex mutex_;
    std::map<uintptr_t, Range> ranges_;
};

}  // namespace qiao
