#include "emulation/staging.h"

#include <algorithm>

namespace qiao {

Staging& Staging::get() {
    static Staging staging;
    return staging;
}

// The smallest that is large enough: a small copy leaves the large ones to others.
Staging::Buffer Staging::take(uint64_t size_bytes) {
    {
        const std::lock_guard guard(mutex_);
        auto best = kept_.end();
        for (auto at = kept_.begin(); at != kept_.end(); ++at) {
            if (at->size_bytes >= size_bytes && (best == kept_.end() || at->size_bytes < best->size_bytes)) best = at;
        }
        if (best != kept_.end()) {
            Buffer buffer = std::move(*best);
            kept_.erase(best);
            kept_bytes_ -= buffer.size_bytes;
            return buffer;
        }
    }
    return {std::make_unique_for_overwrite<std::byte[]>(size_bytes), size_bytes};
}

void Staging::give(Buffer buffer) {
    const std::lock_guard guard(mutex_);
    if (kept_bytes_ + buffer.size_bytes > kKeptBytes) return;
    try {
        kept_.push_back(std::move(buffer));
        kept_bytes_ += kept_.back().size_bytes;
    } catch (...) {
        // Then it is not kept.
    }
}

void Staging::give_back_all() {
    const std::lock_guard guard(mutex_);
    kept_.clear();
    kept_bytes_ = 0;
}

uint64_t Staging::kept_bytes() {
    const std::lock_guard guard(mutex_);
    return kept_bytes_;
}

}  // namespace qiao
