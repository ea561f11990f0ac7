// What every handle begins with, and where handles live: type-stable slabs that are never returned to the system. So a
// null, wrong-kind, lost, forked or recently destroyed handle is recognised by one load and compare. Knows no noun.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

#include "object/error.h"

namespace qiao {

// The word of a live, healthy handle is exactly its kind's tag; these bits are added when something befell it. A destroyed
// handle's word is kTagDestroyed.
inline constexpr uint64_t kStateLost = 1;
inline constexpr uint64_t kStateForked = 2;
inline constexpr uint64_t kStateFailed = 4;
inline constexpr uint64_t kStateMask = 0xff;

inline constexpr uint64_t kTagInstance = 0x71696e7374616e00;
inline constexpr uint64_t kTagDevice = 0x7164657669636500;
inline constexpr uint64_t kTagMemory = 0x716d656d6f727900;
inline constexpr uint64_t kTagProgram = 0x7170726f67726100;
inline constexpr uint64_t kTagKernel = 0x716b65726e656c00;
inline constexpr uint64_t kTagQueue = 0x7171756575650000;
inline constexpr uint64_t kTagPool = 0x71706f6f6c000000;
inline constexpr uint64_t kTagTimeline = 0x7174696d656c6900;
inline constexpr uint64_t kTagTopology = 0x71746f706f6c6f00;
inline constexpr uint64_t kTagDestroyed = 0x7164656164000000;

struct Header {
    std::atomic<uint64_t> word{0};
    std::atomic<uint32_t> references{0};  // the application's
    std::atomic<uint32_t> uses{0};        // the core's own, and one for all of the application's
};

template <class Handle>
bool is_healthy(const Handle* handle) {
    return handle != nullptr && handle->header.word.load(std::memory_order_relaxed) == Handle::kTag;
}

// Words the error for a handle that is_healthy() refused.
qiao_status fail_handle(const Header* header, uint64_t expected_tag, const char* argument) noexcept;

// For calls that must work on lost and failed objects too (release, queries).
template <class Handle>
bool is_alive(const Handle* handle) {
    return handle != nullptr && (handle->header.word.load(std::memory_order_relaxed) & ~(kStateLost | kStateFailed)) == Handle::kTag;
}

#define QIAO_CHECK_HANDLE(handle)                                                                       \
    do {                                                                                                \
        if (!::qiao::is_healthy(handle)) [[unlikely]] {                                                 \
            return ::qiao::fail_handle(reinterpret_cast<const ::qiao::Header*>(handle), std::remove_reference_t<decltype(*(handle))>::kTag, #handle); \
        }                                                                                               \
    } while (false)
#define QIAO_CHECK_ALIVE(handle)                                                                        \
    do {                                                                                                \
        if (!::qiao::is_alive(handle)) [[unlikely]] {                                                   \
            return ::qiao::fail_handle(reinterpret_cast<const ::qiao::Header*>(handle), std::remove_reference_t<decltype(*(handle))>::kTag, #handle); \
        }                                                                                               \
    } while (false)

// All slots of one kind of handle. `Handle` is `struct { static constexpr uint64_t kTag; Header header; union { Body body; }; }`.
template <class Handle>
class Slab {
public:
    // One per kind and process, never destroyed: handles stay recognisable until the process ends.
    static Slab& get() {
        static Slab* const slab = new Slab;
        return *slab;
    }

    template <class... Arguments>
    Handle* create(Arguments&&... arguments) {
        Handle* handle = take_slot();
        try {
            ::new (static_cast<void*>(&handle->body)) decltype(handle->body){std::forward<Arguments>(arguments)...};
        } catch (...) {
            give_slot(handle);
            throw;
        }
        handle->header.references.store(1, std::memory_order_relaxed);
        handle->header.uses.store(1, std::memory_order_relaxed);
        // In one order with mark(): a creator that then finds nothing lost has been seen by whoever marks later.
        handle->header.word.store(Handle::kTag, std::memory_order_seq_cst);
        return handle;
    }

    void destroy(Handle* handle) {
        handle->header.word.store(kTagDestroyed, std::memory_order_release);
        std::destroy_at(&handle->body);
        give_slot(handle);
    }

    // Adds state bits to each live handle that `chosen` accepts. Bodies are stable meanwhile only for handles that the
    // caller keeps from being destroyed; `chosen` may read what never changes after creation.
    template <class Predicate>
    void mark(uint64_t bits, Predicate&& chosen) {
        std::lock_guard guard(mutex_);
        mark_unlocked(bits, chosen);
    }

    // Around a fork: the child must not find the mutex held by a thread that it has not.
    void lock() { mutex_.lock(); }
    void unlock() { mutex_.unlock(); }

    // With the lock held.
    template <class Predicate>
    void mark_unlocked(uint64_t bits, Predicate&& chosen) {
        for (Chunk* chunk = chunks_.load(std::memory_order_acquire); chunk != nullptr; chunk = chunk->next) {
            for (Handle& handle : chunk->slots) {
                uint64_t word = handle.header.word.load(std::memory_order_seq_cst);
                if ((word & ~kStateMask) != Handle::kTag || !chosen(handle)) continue;
                while ((word & ~kStateMask) == Handle::kTag && !handle.header.word.compare_exchange_weak(word, word | bits)) {
                }
            }
        }
    }

private:
    // A destroyed handle's slot rests until this many others wait behind it.
    static constexpr size_t kQuarantine = 256;
    struct Chunk {
        std::array<Handle, 64> slots;
        Chunk* next = nullptr;
    };

    Handle* take_slot() {
        std::lock_guard guard(mutex_);
        if (free_.size() <= kQuarantine && fresh_ == 0) {
            auto* chunk = new Chunk;
            chunk->next = chunks_.load(std::memory_order_relaxed);
            chunks_.store(chunk, std::memory_order_release);
            fresh_ = chunk->slots.size();
        }
        if (fresh_ > 0) {
            Chunk* chunk = chunks_.load(std::memory_order_relaxed);
            return &chunk->slots[chunk->slots.size() - fresh_--];
        }
        Handle* handle = free_.front();
        free_.pop_front();
        return handle;
    }

    void give_slot(Handle* handle) {
        std::lock_guard guard(mutex_);
        handle->header.word.store(kTagDestroyed, std::memory_order_release);
        free_.push_back(handle);
    }

    std::mutex mutex_;
    std::atomic<Chunk*> chunks_{nullptr};
    size_t fresh_ = 0;
    std::deque<Handle*> free_;
};

// One more reference of the application; the handle was checked.
template <class Handle>
void retain(Handle* handle) {
    handle->header.references.fetch_add(1, std::memory_order_relaxed);
}

// One less; true for the last one, and then the handle is dead to the application. The use that stood for the
// application's references still has to be dropped.
template <class Handle>
bool release(Handle* handle) {
    if (handle->header.references.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
    handle->header.word.store(kTagDestroyed, std::memory_order_release);
    return true;
}

template <class Handle>
void add_use(Handle* handle) {
    handle->header.uses.fetch_add(1, std::memory_order_relaxed);
}

// The last use destroys the body.
template <class Handle>
void drop_use(Handle* handle) {
    if (handle->header.uses.fetch_sub(1, std::memory_order_acq_rel) == 1) Slab<Handle>::get().destroy(handle);
}

}  // namespace qiao
