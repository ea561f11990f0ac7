/* The records of a queue's operations that wait for their turn: a ring of bytes with one producer and one consumer at a
 * time. Nothing is allocated after it was made. */
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace mock {

/* Records are multiples of Ring::kUnit long, aligned to it, and begin with this. */
struct RecordHead {
    uint64_t size = 0; /* of the whole record */
    bool skip = false; /* filler up to the ring's end */
};

class Ring {
  public:
    static constexpr size_t kUnit = 128;
    static constexpr size_t kBytes = 256 << 10;

    Ring() {
        void* data = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        data_ = data == MAP_FAILED ? nullptr : static_cast<std::byte*>(data);
    }
    ~Ring() {
        if (data_ != nullptr) munmap(data_, kBytes);
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    bool valid() const { return data_ != nullptr; }

    /* True for the producer means: everything put in has been taken out. */
    bool empty() const { return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_relaxed); }

    /* Producer: room for a record of `size` bytes (a multiple of kUnit, far below kBytes), or null if there is none. */
    std::byte* reserve(size_t size) {
        const uint64_t tail = tail_.load(std::memory_order_relaxed);
        const size_t to_end = kBytes - tail % kBytes;
        const size_t needed = to_end < size ? to_end + size : size;
        if (tail + needed - head_.load(std::memory_order_acquire) > kBytes) return nullptr;
        if (to_end < size) *reinterpret_cast<RecordHead*>(data_ + tail % kBytes) = {to_end, true};
        next_tail_ = tail + needed;
        return data_ + (next_tail_ - size) % kBytes;
    }
    /* Producer: the reserved record is complete. Ordered before the caller's next look at who consumes. */
    void publish() { tail_.exchange(next_tail_, std::memory_order_seq_cst); }

    /* Anybody, from the outside: something waits. Ordered after the caller's last read-modify-write. */
    bool waiting() const { return head_.load(std::memory_order_seq_cst) != tail_.load(std::memory_order_seq_cst); }

    /* Consumer: the oldest record, or null. */
    RecordHead* front() {
        for (;;) {
            const uint64_t head = head_.load(std::memory_order_relaxed);
            if (head == tail_.load(std::memory_order_seq_cst)) return nullptr;
            auto* record = reinterpret_cast<RecordHead*>(data_ + head % kBytes);
            if (!record->skip) return record;
            head_.store(head + record->size, std::memory_order_release);
        }
    }
    void pop(const RecordHead* record) {
        head_.store(head_.load(std::memory_order_relaxed) + record->size, std::memory_order_release);
    }

  private:
    std::byte* data_ = nullptr;
    uint64_t next_tail_ = 0; /* the producer's */
    alignas(64) std::atomic<uint64_t> tail_{0};
    alignas(64) std::atomic<uint64_t> head_{0};
};

} // namespace mock
