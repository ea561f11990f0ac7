// Host memory is read and written in place. Between two devices the bytes pass through a host buffer of two halves: while
// one is written to the target, a thread reads the next chunk into the other.
#include "emulation/copy.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "dispatch/device.h"

namespace qiao {
namespace {

constexpr uint64_t kChunkBytes = 4u << 20;

std::byte* host_pointer(const qiao_plugin_place& place) {
    return reinterpret_cast<std::byte*>(static_cast<uintptr_t>(place.address));
}

// One side of a copy.
struct End {
    Owner owner;
    qiao_plugin_place place;
    uint64_t pitch;

    std::byte* host(uint64_t row) const { return host_pointer(place) + row * pitch; }
    uint64_t offset(uint64_t row) const { return place.offset + row * pitch; }
};

struct Ends {
    End source, target;
    uint64_t row_bytes, rows;
    uint64_t total() const { return row_bytes * rows; }
};

// What [begin, end) is when the rows are laid one behind the other: calls move(row, byte in the row, bytes) for each piece.
template <class Move>
qiao_status for_pieces(const Ends& ends, uint64_t begin, uint64_t end, Move&& move) {
    while (begin < end) {
        const uint64_t at = begin % ends.row_bytes;
        const uint64_t bytes = std::min(ends.row_bytes - at, end - begin);
        QIAO_RETURN_IF_ERROR(move(begin / ends.row_bytes, at, bytes));
        begin += bytes;
    }
    return QIAO_OK;
}

qiao_status read_chunk(const Ends& ends, uint64_t begin, uint64_t end, std::byte* buffer) {
    const End& source = ends.source;
    return for_pieces(ends, begin, end, [&](uint64_t row, uint64_t at, uint64_t bytes) {
        return device_read(source.owner, source.place.allocation, source.offset(row) + at, std::exchange(buffer, buffer + bytes), bytes);
    });
}

qiao_status write_chunk(const Ends& ends, uint64_t begin, uint64_t end, const std::byte* buffer) {
    const End& target = ends.target;
    return for_pieces(ends, begin, end, [&](uint64_t row, uint64_t at, uint64_t bytes) {
        return device_write(target.owner, target.place.allocation, target.offset(row) + at, std::exchange(buffer, buffer + bytes), bytes);
    });
}

// At least one side is host memory.
qiao_status copy_in_place(const Ends& ends, uint64_t& done) {
    const auto& [source, target, bytes, rows] = ends;
    for (uint64_t row = 0; row < rows; ++row, done += bytes) {
        if (source.owner.device != nullptr) {
            QIAO_RETURN_IF_ERROR(device_read(source.owner, source.place.allocation, source.offset(row), target.host(row), bytes));
        } else if (target.owner.device != nullptr) {
            QIAO_RETURN_IF_ERROR(device_write(target.owner, target.place.allocation, target.offset(row), source.host(row), bytes));
        } else {
            std::memcpy(target.host(row), source.host(row), bytes);
        }
    }
    return QIAO_OK;
}

// The reader's thread fills halves, the caller's empties them, each in turn. Whichever fails stops the other.
class Pipeline {
public:
    explicit Pipeline(const Ends& ends) : ends_(ends) {
        for (Half& half : halves_) half.bytes.resize(kChunkBytes);
        reader_ = std::thread([this] { read(); });
    }
    ~Pipeline() {
        change([this] { stop_ = true; });
        reader_.join();
    }
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    qiao_status write(uint64_t& done) {
        for (size_t index = 0; done < ends_.total(); ++index) {
            Half& half = halves_[index % halves_.size()];
            {
                std::unique_lock guard(mutex_);
                changed_.wait(guard, [&] { return half.full || failure_.status != QIAO_OK; });
                if (!half.full) return fail(failure_);
            }
            const uint64_t end = chunk_end(done);
            QIAO_RETURN_IF_ERROR(write_chunk(ends_, done, end, half.bytes.data()));
            done = end;
            change([&] { half.full = false; });
        }
        return QIAO_OK;
    }

private:
    struct Half {
        std::vector<std::byte> bytes;
        bool full = false;
    };

    void read() {
        uint64_t begin = 0;
        for (size_t index = 0; begin < ends_.total(); ++index) {
            Half& half = halves_[index % halves_.size()];
            {
                std::unique_lock guard(mutex_);
                changed_.wait(guard, [&] { return !half.full || stop_; });
                if (stop_) return;
            }
            const uint64_t end = chunk_end(begin);
            if (read_chunk(ends_, begin, end, half.bytes.data()) != QIAO_OK) return change([&] { failure_ = last_error(); });
            begin = end;
            change([&] { half.full = true; });
        }
    }

    uint64_t chunk_end(uint64_t begin) const { return std::min(begin + kChunkBytes, ends_.total()); }

    template <class Change>
    void change(Change&& apply) {
        {
            const std::lock_guard guard(mutex_);
            apply();
        }
        changed_.notify_all();
    }

    const Ends& ends_;
    std::mutex mutex_;  // guards what follows, but for the bytes of a half: those belong to one side at a time
    std::condition_variable changed_;
    std::array<Half, 2> halves_;
    bool stop_ = false;
    ErrorRecord failure_;  // of the reader
    std::thread reader_;
};

qiao_status copy_between_devices(const Ends& ends, uint64_t& done) {
    if (ends.total() > kChunkBytes) return Pipeline(ends).write(done);
    std::vector<std::byte> buffer(ends.total());
    QIAO_RETURN_IF_ERROR(read_chunk(ends, 0, ends.total(), buffer.data()));
    return write_chunk(ends, 0, ends.total(), buffer.data());
}

// Adds to the thread's error how far the copy had come.
qiao_status fail_after(uint64_t done, uint64_t total) {
    ErrorRecord record = last_error();
    record.message += "; " + std::to_string(done) + " of " + std::to_string(total) + " bytes had been copied";
    return fail(std::move(record));
}

}  // namespace

qiao_status check_owner(const Owner& owner) {
    const bool is_lost = owner.device != nullptr && device_was_lost_since(owner.device, owner.losses);
    return is_lost ? device_fail_lost(owner.device) : QIAO_OK;
}

qiao_status device_read(const Owner& source, void* allocation, uint64_t offset, void* target, uint64_t size_bytes) {
    Device& body = source.device->body;
    SlotGuard guard(body);
    if (!guard) return device_fail_lost(source.device);
    QIAO_RETURN_IF_ERROR(check_owner(source));
    const qiao_status status = body.tables.memory.memory_read(body.opened.load(), allocation, offset, target, size_bytes);
    return status == QIAO_OK ? status : device_slot_failed(source.device, status, "memory_read", source.losses);
}

qiao_status device_write(const Owner& target, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes) {
    Device& body = target.device->body;
    SlotGuard guard(body);
    if (!guard) return device_fail_lost(target.device);
    QIAO_RETURN_IF_ERROR(check_owner(target));
    const qiao_status status = body.tables.memory.memory_write(body.opened.load(), allocation, offset, source, size_bytes);
    return status == QIAO_OK ? status : device_slot_failed(target.device, status, "memory_write", target.losses);
}

qiao_status staged_copy(const Owner& source, const Owner& target, const qiao_plugin_copy& copy) {
    const Ends ends = {{source, copy.source, copy.source_pitch}, {target, copy.target, copy.target_pitch}, copy.size_bytes, copy.rows};
    uint64_t done = 0;
    const bool in_place = source.device == nullptr || target.device == nullptr;
    const qiao_status status = in_place ? copy_in_place(ends, done) : copy_between_devices(ends, done);
    return status == QIAO_OK ? status : fail_after(done, ends.total());
}

qiao_status staged_fill(const Owner& target, const qiao_plugin_fill& fill) {
    const uint64_t chunk = std::min(fill.size_bytes, kChunkBytes);
    std::vector<std::byte> buffer(chunk);
    for (uint64_t at = 0; at < chunk; at += fill.pattern_size) std::memcpy(buffer.data() + at, fill.pattern, fill.pattern_size);
    for (uint64_t done = 0; done < fill.size_bytes;) {
        const uint64_t bytes = std::min<uint64_t>(chunk, fill.size_bytes - done);
        if (target.device == nullptr) {
            std::memcpy(host_pointer(fill.target) + done, buffer.data(), bytes);
        } else {
            QIAO_RETURN_IF_ERROR(device_write(target, fill.target.allocation, fill.target.offset + done, buffer.data(), bytes));
        }
        done += bytes;
    }
    return QIAO_OK;
}

}  // namespace qiao
