#include "property/shrink.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace property {
namespace {

class Shrinker {
public:
    Shrinker(Sequence sequence, const std::function<bool(const Sequence&)>& fails, size_t patience)
        : sequence_(std::move(sequence)), fails_(fails), left_(patience) {}

    Sequence run() {
        while (take_out() && left_ > 0) {
        }
        for (size_t at = 0; at < sequence_.size(); ++at)
            for (size_t i = 0; i < sequence_[at].numbers.size(); ++i) make_small(at, i);
        return std::move(sequence_);
    }

private:
    bool still_fails(Sequence candidate) {
        if (left_ == 0) return false;
        --left_;
        if (!fails_(candidate)) return false;
        sequence_ = std::move(candidate);
        return true;
    }

    // Parts of half the length, then a quarter, down to single operations. Whether anything could go.
    bool take_out() {
        const size_t before = sequence_.size();
        for (size_t size = std::max<size_t>(1, before / 2);; size /= 2) {
            for (size_t end = sequence_.size(); end > 0;) {
                const size_t begin = end > size ? end - size : 0;
                Sequence candidate = sequence_;
                candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(begin), candidate.begin() + static_cast<std::ptrdiff_t>(end));
                still_fails(std::move(candidate));
                end = begin;
            }
            if (size <= 1) break;
        }
        return sequence_.size() < before;
    }

    void make_small(size_t at, size_t i) {
        for (const uint32_t small : {0u, 1u, 2u, 16u, 256u, 4096u}) {
            if (sequence_[at].numbers[i] <= small) return;
            Sequence candidate = sequence_;
            candidate[at].numbers[i] = small;
            if (still_fails(std::move(candidate))) return;
        }
    }

    Sequence sequence_;
    const std::function<bool(const Sequence&)>& fails_;
    size_t left_;
};

}  // namespace

Sequence shrink(Sequence sequence, const std::function<bool(const Sequence&)>& fails, size_t patience) {
    return Shrinker(std::move(sequence), fails, patience).run();
}

}  // namespace property
