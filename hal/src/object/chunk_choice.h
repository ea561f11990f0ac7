// How much of a staged copy passes through each half of its buffer, for one pair of devices. While large copies run their first
// parts try some sizes; the best is kept. This file knows sizes and rates; who moves bytes and reads clocks tells it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace qiao {

class ChunkChoice {
public:
    static constexpr std::array<uint64_t, 4> kSizes = {256u << 10, 1u << 20, 4u << 20, 16u << 20};
    static constexpr uint64_t kDefault = 4u << 20;  // until something is known

    // The next part of a copy: so many bytes in chunks of one size, as a trial or not.
    struct Part {
        uint64_t bytes;
        uint64_t chunk_bytes;
        bool is_trial;
    };
    Part next(uint64_t remaining) const {
        for (const size_t index : kOrder) {
            const uint64_t bytes = trial_bytes(kSizes[index]);
            if (rates_[index] != 0) continue;
            if (remaining >= bytes) return {bytes, kSizes[index], true};
            if (kSizes[index] == kDefault) break;  // what the others are compared with
        }
        return {remaining, best(), false};
    }

    // How long a trial took, from an empty buffer to an empty buffer. Its first chunk was read, and its last one written, with
    // nothing beside it: a longer copy would have taken that much less.
    void learn(const Part& part, uint64_t duration_ns) {
        const auto index = static_cast<size_t>(std::find(kSizes.begin(), kSizes.end(), part.chunk_bytes) - kSizes.begin());
        const double chunks = static_cast<double>(part.bytes / part.chunk_bytes);
        const double steady_ns = static_cast<double>(std::max<uint64_t>(duration_ns, 1)) * chunks / (chunks + 1);
        rates_[index] = static_cast<double>(part.bytes) / steady_ns;
    }

    uint64_t best() const {
        const auto best = std::max_element(rates_.begin(), rates_.end());
        return *best == 0 ? kDefault : kSizes[static_cast<size_t>(best - rates_.begin())];
    }

    static constexpr uint64_t trial_bytes(uint64_t chunk_bytes) { return std::max<uint64_t>(8u << 20, 4 * chunk_bytes); }

private:
    // The default first, then what needs the shorter copies.
    static constexpr std::array<size_t, 4> kOrder = {2, 1, 0, 3};
    std::array<double, kSizes.size()> rates_{};  // bytes per nanosecond; 0 = not tried
};

}  // namespace qiao
