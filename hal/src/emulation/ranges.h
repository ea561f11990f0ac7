// A set of bytes as ascending ranges that neither overlap nor touch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace qiao {

struct Range {
    uint64_t begin, end;
};

class Ranges {
public:
    bool empty() const { return ranges_.empty(); }
    auto begin() const { return ranges_.begin(); }
    auto end() const { return ranges_.end(); }
    void clear() { ranges_.clear(); }

    void add(Range added) {
        auto first = std::lower_bound(ranges_.begin(), ranges_.end(), added.begin, [](const Range& range, uint64_t begin) { return range.end < begin; });
        auto last = first;
        for (; last != ranges_.end() && last->begin <= added.end; ++last) {
            added.begin = std::min(added.begin, last->begin);
            added.end = std::max(added.end, last->end);
        }
        ranges_.insert(ranges_.erase(first, last), added);
    }

    void remove(const Range& removed) {
        std::vector<Range> left;
        for (const Range& range : ranges_) {
            if (range.begin < removed.begin) left.push_back({range.begin, std::min(range.end, removed.begin)});
            if (range.end > removed.end) left.push_back({std::max(range.begin, removed.end), range.end});
        }
        ranges_ = std::move(left);
    }

    // What of the range is in the set.
    std::vector<Range> within(const Range& range) const {
        std::vector<Range> parts;
        for (const Range& part : ranges_) {
            if (part.begin < range.end && range.begin < part.end) parts.push_back({std::max(part.begin, range.begin), std::min(part.end, range.end)});
        }
        return parts;
    }

private:
    std::vector<Range> ranges_;
};

}  // namespace qiao
