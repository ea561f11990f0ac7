/* One launch on its way: the kernel, its shape, and how work-groups of it are called. */
#pragma once

#include <cstddef>
#include <cstdint>

#include "mock/kernel.h"
#include "mock/queue.h"

namespace mock {

struct Launch {
    const Kernel* kernel = nullptr;
    Shape shape;
    uint64_t group_count = 0; /* in all */
    uint64_t items = 0;       /* work-items in all, at most UINT64_MAX */
};

/* Of a stack: what a work-group function and what it calls need beside the private memory of its items. */
inline constexpr uint64_t kStackMargin = 256 << 10;

/* Everything but addresses: sizes, counts, private and local memory. Fills the two products. */
Status check_launch(Launch& launch, const std::byte* block, uint32_t max_group_size, uint32_t local_memory_bytes,
                    uint64_t private_memory_bytes);

/* Whether a work-group fits a stack of which nothing is known. */
bool fits_any_stack(const Launch& launch);

/* Calls the work-groups [begin, end), x fastest. `block` is aligned as the kernel needs it, `local` to 128. */
void run_groups(const Launch& launch, const std::byte* block, std::byte* local, uint64_t begin, uint64_t end);

/* Kernels compute with the default rounding, subnormals and masked exceptions, whatever their thread has set. */
class FloatingPointScope {
  public:
    FloatingPointScope();
    ~FloatingPointScope();
    FloatingPointScope(const FloatingPointScope&) = delete;
    FloatingPointScope& operator=(const FloatingPointScope&) = delete;

  private:
    uint32_t saved_ = 0;
    bool changed_ = false;
};

} // namespace mock
