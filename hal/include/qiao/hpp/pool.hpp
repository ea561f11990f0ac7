/* Pools: memory that is allocated and freed while work is queued, and buffers of it. */
#ifndef QIAO_HPP_POOL_HPP
#define QIAO_HPP_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "qiao/hpp/address.hpp"
#include "qiao/hpp/owner.hpp"
#include "qiao/hpp/queue.hpp"
#include "qiao/pool.h"

namespace qiao {
inline namespace v0 {

/// 0 is always the default, as in qiao_pool_desc.
struct PoolOptions {
    uint64_t reserve_limit_bytes = 0; ///< most that it takes from the device; 0 = no limit
    uint64_t idle_limit_bytes =
        0; ///< most that it keeps in segments without an allocation; 0 = no limit, 1 = keeps none
    uint64_t largest_shared_bytes = 0; ///< up to this size allocations share segments; 0 = 1 MiB
    uint64_t alignment = 0;            ///< of every address: a power of two from 256 to 2 MiB; 0 = 256
    MemoryKind kind = MemoryKind::kDevice;
};

struct PoolStatistics : qiao_pool_statistics {
    PoolStatistics() noexcept : qiao_pool_statistics(QIAO_POOL_STATISTICS_INIT) {}
};

/// Memory of a device, served in pieces in the order of queues. Destruction never waits: what was not freed goes with the
/// pool, once the work that was submitted before has ended.
class Pool : public Owner<qiao_pool, qiao_pool_retain, qiao_pool_release> {
  public:
    Pool() noexcept = default;
    explicit Pool(Device device, PoolOptions options = PoolOptions())
        : Owner(create(device, options)), device_(device) {}
    /// Takes over the caller's reference to a pool of the device.
    static Pool adopt(Device device, qiao_pool* owned) noexcept { return Pool(device, owned); }
    Pool share() const { return Pool(device_, retained()); }

    Device device() const noexcept { return device_; }

    /// `count` elements for work that is submitted to the queue from now on. OutOfMemoryError if neither device nor limit has
    /// room.
    template <class T = std::byte>
    Address<T> allocate(uint64_t count, const Queue& queue) {
        return Address<T>(allocate_bytes(bytes_of<T>(count), queue.get()));
    }
    /// The same for anybody, at once.
    template <class T = std::byte>
    Address<T> allocate(uint64_t count) {
        return Address<T>(allocate_bytes(bytes_of<T>(count), nullptr));
    }
    /// Work that was submitted to the queue may still use it. NotFoundError for an address that is not of the pool;
    /// INVALID_ARGUMENT for one inside an allocation, or freed already.
    template <class T>
    void free(Address<T> address, const Queue& queue) {
        check(qiao_pool_free(get(), address.value(), queue.get()));
    }
    /// No work uses it any more.
    template <class T>
    void free(Address<T> address) {
        check(qiao_pool_free(get(), address.value(), nullptr));
    }

    /// Gives segments without an allocation back until at most so much is reserved.
    void trim(uint64_t keep_bytes = 0) { check(qiao_pool_trim(get(), keep_bytes)); }
    PoolStatistics statistics() const {
        PoolStatistics statistics;
        check(qiao_pool_query(get(), &statistics));
        return statistics;
    }
    void reset_peaks() { check(qiao_pool_reset_peaks(get())); }

  private:
    Pool(Device device, qiao_pool* owned) noexcept : Owner(owned), device_(device) {}
    static qiao_pool* create(Device device, const PoolOptions& options) {
        qiao_pool_desc desc = QIAO_POOL_DESC_INIT;
        desc.reserve_limit_bytes = options.reserve_limit_bytes;
        desc.idle_limit_bytes = options.idle_limit_bytes;
        desc.largest_shared_bytes = options.largest_shared_bytes;
        desc.alignment = options.alignment;
        desc.kind = static_cast<qiao_memory_kind>(options.kind);
        qiao_pool* made = nullptr;
        check(qiao_pool_create(device.get(), &desc, &made));
        return made;
    }
    uint64_t allocate_bytes(uint64_t size_bytes, qiao_queue* queue) {
        uint64_t address = 0;
        check(qiao_pool_allocate(get(), queue, size_bytes, &address));
        return address;
    }
    template <class T>
    static uint64_t bytes_of(uint64_t count) {
        static_assert(std::is_trivially_copyable_v<T> && !std::is_const_v<T>,
                      "a device takes bytes: T must be trivially copyable");
        if (count > UINT64_MAX / sizeof(T)) {
            detail::refuse(QIAO_ERROR_OUT_OF_RANGE, std::to_string(count) + " elements of " +
                                                        std::to_string(sizeof(T)) + " bytes overflow 64 bits");
        }
        return count * sizeof(T);
    }

    Device device_;
};

/// Elements of a pool's memory for the work of one queue, freed in that queue's order: it may be destroyed as soon as the
/// last work that uses it is submitted. Work of other queues must be ordered behind the queue, and before its destruction
/// the queue behind that work. Keeps pool and queue alive.
template <class T>
class PoolBuffer {
  public:
    using element_type = T;

    PoolBuffer() noexcept = default;
    PoolBuffer(Pool& pool, const Queue& queue, uint64_t count)
        : pool_(pool.share()),
          queue_(queue.share()),
          address_(pool_.template allocate<T>(count, queue_)),
          size_(count) {}
    PoolBuffer(PoolBuffer&& other) noexcept
        : pool_(std::move(other.pool_)),
          queue_(std::move(other.queue_)),
          address_(std::exchange(other.address_, Address<T>())),
          size_(std::exchange(other.size_, 0)) {}
    PoolBuffer& operator=(PoolBuffer&& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(queue_, other.queue_);
        std::swap(address_, other.address_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~PoolBuffer() {
        if (address_) static_cast<void>(qiao_pool_free(pool_.get(), address_.value(), queue_.get()));
    }

    Device device() const noexcept { return pool_.device(); }
    uint64_t size() const noexcept { return size_; }
    Address<T> address() const noexcept { return address_; }
    explicit operator bool() const noexcept { return static_cast<bool>(address_); }

    /// What kernels and queues take.
    operator Address<T>() const noexcept { return address_; }
    operator Address<const T>() const noexcept { return address_; }
    operator Slice<T>() const noexcept { return {device(), address_, size_}; }
    operator Slice<const T>() const noexcept { return {device(), address_, size_}; }

  private:
    Pool pool_;
    Queue queue_;
    Address<T> address_;
    uint64_t size_ = 0;
};

} // namespace v0
} // namespace qiao

#endif
