/* What the pool's tests share: segments of host memory with a limit, timelines that are raised by hand, and a pool on both. */
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "../threads.h"
#include "pool/allocator.h"

namespace test {

/* Gives host memory, so that what is written there is watched by the sanitizers too. */
class HostSegments final : public qiao::SegmentSource {
  public:
    struct Account {
        std::mutex mutex;
        std::map<uint64_t, uint64_t> segments; /* address -> bytes, those that are alive */
        uint64_t bytes = 0, peak_bytes = 0, allocations = 0;
        uint64_t capacity_bytes = UINT64_MAX;
    };
    HostSegments(Account& account, uint64_t alignment) : account_(account), alignment_(alignment) {}

    qiao_status allocate(uint64_t size_bytes, void*& out_handle, uint64_t& out_address) override {
        const std::lock_guard guard(account_.mutex);
        if (size_bytes > account_.capacity_bytes - account_.bytes) return qiao::fail(QIAO_ERROR_OUT_OF_MEMORY, "the source is empty");
        out_handle = std::aligned_alloc(alignment_, (size_bytes + alignment_ - 1) / alignment_ * alignment_);
        out_address = reinterpret_cast<uintptr_t>(out_handle);
        account_.segments[out_address] = size_bytes;
        account_.bytes += size_bytes;
        account_.peak_bytes = std::max(account_.peak_bytes, account_.bytes);
        ++account_.allocations;
        return QIAO_OK;
    }
    void release(void* handle) override {
        const std::lock_guard guard(account_.mutex);
        const auto segment = account_.segments.find(reinterpret_cast<uintptr_t>(handle));
        REQUIRE(segment != account_.segments.end());
        account_.bytes -= segment->second;
        account_.segments.erase(segment);
        std::free(handle);
    }

  private:
    Account& account_;
    const uint64_t alignment_;
};

/* A queue's order without a queue: values are given out and reached by hand. */
class Order {
  public:
    Order() : timeline_(qiao::Slab<qiao_timeline>::get().create(nullptr, nullptr, uint64_t{0})) {}
    ~Order() { qiao::drop_use(timeline_); }
    Order(const Order&) = delete;
    Order& operator=(const Order&) = delete;

    qiao_timeline* get() const { return timeline_; }
    uint64_t submit() { return ++submitted_; }
    uint64_t submitted() const { return submitted_; }
    uint64_t reached() const { return timeline_->body.reached.load(); }
    void reach(uint64_t value) { qiao::timeline_advance(timeline_->body, value); }
    void finish() { reach(submitted_); }

  private:
    qiao_timeline* const timeline_;
    uint64_t submitted_ = 0;
};

struct Pool {
    explicit Pool(const qiao::PoolLimits& limits = {}) : allocator(std::make_unique<HostSegments>(account, limits.alignment), limits) {}

    uint64_t allocate(uint64_t size_bytes, const Order* order = nullptr) {
        uint64_t address = 0;
        REQUIRE(allocator.allocate(order == nullptr ? nullptr : order->get(), size_bytes, address) == QIAO_OK);
        REQUIRE(address != 0);
        return address;
    }
    void free(uint64_t address, const Order* order = nullptr) {
        REQUIRE(allocator.free(address, order == nullptr ? nullptr : order->get(), order == nullptr ? 0 : order->submitted()) == QIAO_OK);
    }

    HostSegments::Account account; /* outlives the pool */
    qiao::PoolAllocator allocator;
};

}  // namespace test
