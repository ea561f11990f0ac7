/* The shape of a launch: how many work-items, in what groups, from where. */
#ifndef QIAO_HPP_SHAPE_HPP
#define QIAO_HPP_SHAPE_HPP

#include <cstdint>

#include "qiao/queue.h"

namespace qiao {
inline namespace v0 {

/// Work-items in one to three dimensions: `Shape(640, 480).in_groups(16, 16)`, or just a number where a launch takes one.
/// Without groups the core chooses; groups must divide the items unless the kernel has QIAO_KERNEL_REMAINDER. Nothing is
/// checked here: the launch says what is wrong. Build it once where every nanosecond counts.
class Shape {
  public:
    constexpr Shape(uint64_t x) noexcept : launch_{{x, 1, 1}, {0, 0, 0}, {0, 0, 0}, 1, 0} {}
    constexpr Shape(uint64_t x, uint64_t y) noexcept : launch_{{x, y, 1}, {0, 0, 0}, {0, 0, 0}, 2, 0} {}
    constexpr Shape(uint64_t x, uint64_t y, uint64_t z) noexcept : launch_{{x, y, z}, {0, 0, 0}, {0, 0, 0}, 3, 0} {}
    constexpr explicit Shape(const qiao_launch& launch) noexcept : launch_(launch) {}

    /// With groups of this many work-items.
    constexpr Shape in_groups(uint64_t x, uint64_t y = 1, uint64_t z = 1) const noexcept {
        Shape shape = *this;
        shape.launch_.group_size[0] = x;
        shape.launch_.group_size[1] = y;
        shape.launch_.group_size[2] = z;
        return shape;
    }
    /// With global ids that begin here; the kernel must have QIAO_KERNEL_GLOBAL_OFFSET.
    constexpr Shape starting_at(uint64_t x, uint64_t y = 0, uint64_t z = 0) const noexcept {
        Shape shape = *this;
        shape.launch_.global_offset[0] = x;
        shape.launch_.global_offset[1] = y;
        shape.launch_.global_offset[2] = z;
        return shape;
    }

    constexpr const qiao_launch& get() const noexcept { return launch_; }

  private:
    qiao_launch launch_;
};

} // namespace v0
} // namespace qiao

#endif
