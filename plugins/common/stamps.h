// When the operations of a queue ran, on the device's clock: of the last so many, found by their values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

namespace qiao::plugin {

struct Stamp {
    uint64_t value = 0;
    uint64_t start_ns = 0;
    uint64_t end_ns = 0; // 0 = the driver would not say
};

// Not for several threads at a time.
class Stamps {
  public:
    // `capacity` is a power of two; 0 keeps none. Throws std::bad_alloc.
    explicit Stamps(uint32_t capacity) : mask_(capacity - 1), ring_(capacity == 0 ? nullptr : std::make_unique<Stamp[]>(capacity)) {}

    bool are_kept() const { return ring_ != nullptr; }
    // With a value above those before.
    void keep(const Stamp& stamp) { ring_[count_++ & mask_] = stamp; }
    // False if the value's is not kept, or not any more.
    bool find(uint64_t value, Stamp* out) const {
        if (ring_ == nullptr) return false;
        const uint32_t kept = std::min(count_, mask_ + 1);
        for (uint32_t i = 1; i <= kept; ++i) {
            const Stamp& stamp = ring_[(count_ - i) & mask_];
            if (stamp.value < value) return false;
            if (stamp.value != value) continue;
            *out = stamp;
            return true;
        }
        return false;
    }

  private:
    const uint32_t mask_;
    const std::unique_ptr<Stamp[]> ring_;
    uint32_t count_ = 0;
};

} // namespace qiao::plugin
