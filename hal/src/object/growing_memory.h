// Memory of tables that only grow: taken in pieces, given back as a whole. All but the first block lies on huge pages where the
// system has them: a table so large is looked up at random, and would miss the TLB each time.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace qiao {

class GrowingMemory {
public:
    GrowingMemory() = default;
    ~GrowingMemory() {
        for (void* block : blocks_) std::free(block);
    }
    GrowingMemory(const GrowingMemory&) = delete;
    GrowingMemory& operator=(const GrowingMemory&) = delete;

    // `count` new elements, whose destructors are never called.
    template <class T>
    T* take(size_t count) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlignment);
        T* elements = static_cast<T*>(take_bytes(count * sizeof(T)));
        std::uninitialized_default_construct_n(elements, count);
        return elements;
    }

private:
    static constexpr size_t kBlockBytes = 2u << 20, kAlignment = 64;  // a huge page, a cache line

    void* take_bytes(size_t bytes) {
        bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
        if (bytes > end_ - next_) add_block(bytes);
        return blocks_.back() + std::exchange(next_, next_ + bytes);
    }

    void add_block(size_t least_bytes) {
        const size_t bytes = (least_bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
        blocks_.reserve(blocks_.size() + 1);
        auto* block = static_cast<std::byte*>(std::aligned_alloc(kBlockBytes, bytes));
        if (block == nullptr) throw std::bad_alloc();
        if (!blocks_.empty()) static_cast<void>(madvise(block, bytes, MADV_HUGEPAGE));  // works without
        blocks_.push_back(block);
        next_ = 0, end_ = bytes;
    }

    std::vector<std::byte*> blocks_;
    size_t next_ = 0, end_ = 0;  // in the last one
};

}  // namespace qiao
