// Host memory that staged copies pass through, kept from one copy to the next: making and touching it anew costs more than small
// copies take. So much is kept at most; the rest, and all of it when memory is short, goes back to the system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace qiao {

class Staging {
public:
    static constexpr uint64_t kKeptBytes = 64u << 20;

    struct Buffer {
        std::unique_ptr<std::byte[]> bytes;
        uint64_t size_bytes = 0;
    };

    static Staging& get();

    // At least so large.
    Buffer take(uint64_t size_bytes);
    void give(Buffer buffer);
    void give_back_all();
    uint64_t kept_bytes();

private:
    std::mutex mutex_;
    std::vector<Buffer> kept_;
    uint64_t kept_bytes_ = 0;
};

// Held while a copy runs.
class StagingBuffer {
public:
    explicit StagingBuffer(uint64_t size_bytes) : buffer_(Staging::get().take(size_bytes)) {}
    ~StagingBuffer() { Staging::get().give(std::move(buffer_)); }
    StagingBuffer(const StagingBuffer&) = delete;
    StagingBuffer& operator=(const StagingBuffer&) = delete;

    std::byte* data() { return buffer_.bytes.get(); }

private:
    Staging::Buffer buffer_;
};

}  // namespace qiao
