// What the host reaches is read and written in place. Between two devices whose memory it does not reach the bytes pass through
// a host buffer of two halves: while one is written to the target, a thread reads the next chunk into the other.
#include "emulation/copy.h"

#include <stdlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <numeric>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "dispatch/device.h"
#include "emulation/staging.h"

namespace qiao {
namespace {

constexpr uint64_t kFillBytes = 4u << 20;
constexpr uint64_t kMinForcedChunk = 4096, kMaxForcedChunk = 1u << 30;
// How much is moved in place by one call, so that a copy that fails knows how far it came, and others get at a device between.
constexpr uint64_t kInPlaceBytes = 64u << 20;

/* ---------------------------------------------------------------- where the bytes are */

struct End {
    Side side;
    qiao_plugin_place place;
    uint64_t pitch, slice_pitch;
};

struct Ends {
    End source, target;
    uint64_t row_bytes, rows, slices;
    uint64_t total() const { return row_bytes * rows * slices; }
    // From the end's first byte to a row, counted through all slices.
    uint64_t offset(const End& end, uint64_t row) const { return row / rows * end.slice_pitch + row % rows * end.pitch; }
};

Ends ends_of(const Side& source, const Side& target, const qiao_plugin_copy& copy) {
    return {{source, copy.source, copy.source_pitch, copy.source_slice_pitch}, {target, copy.target, copy.target_pitch, copy.target_slice_pitch},
            copy.size_bytes, copy.rows, copy.slices};
}

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

// How many pieces there are in chunks of one size: a row is cut where a chunk ends inside of it.
uint64_t count_pieces(const Ends& ends, uint64_t chunk_bytes) {
    if (ends.total() == 0) return 0;
    const uint64_t last = ends.total() - 1;
    uint64_t common = 0;
    const bool is_beyond = __builtin_mul_overflow(ends.row_bytes / std::gcd(ends.row_bytes, chunk_bytes), chunk_bytes, &common);
    return ends.rows * ends.slices + last / chunk_bytes - (is_beyond ? 0 : last / common);
}

qiao_status read_piece(const Ends& ends, uint64_t row, uint64_t at, void* target, uint64_t bytes) {
    const End& source = ends.source;
    return device_read(source.side.owner, source.place.allocation, source.place.offset + ends.offset(source, row) + at, target, bytes);
}
qiao_status write_piece(const Ends& ends, uint64_t row, uint64_t at, const void* source, uint64_t bytes) {
    const End& target = ends.target;
    return device_write(target.side.owner, target.place.allocation, target.place.offset + ends.offset(target, row) + at, source, bytes);
}

/* ---------------------------------------------------------------- in place */

// A device's own blocking slot moves its bytes better than the host, which may reach them over a slow window.
qiao_copy_path path_of(const Side& source, const Side& target) {
    if (source.in_place != nullptr && target.in_place != nullptr && source.is_host_memory && target.is_host_memory) return QIAO_COPY_PATH_HOST;
    return source.in_place != nullptr || target.in_place != nullptr ? QIAO_COPY_PATH_MAPPED : QIAO_COPY_PATH_STAGED;
}

qiao_status copy_in_place(const Ends& ends, CopyProgress& progress) {
    const auto& [source, target, row_bytes, rows, slices] = ends;
    const bool reads = target.side.in_place != nullptr && source.side.owner.device != nullptr;
    return for_pieces(ends, 0, ends.total(), [&](uint64_t row, uint64_t begin, uint64_t size_bytes) {
        for (uint64_t at = begin; at < begin + size_bytes;) {
            const uint64_t bytes = std::min(begin + size_bytes - at, kInPlaceBytes);
            if (progress.path == QIAO_COPY_PATH_HOST) {
                QIAO_RETURN_IF_ERROR(check_owner(source.side.owner));
                QIAO_RETURN_IF_ERROR(check_owner(target.side.owner));
                std::memcpy(target.side.in_place + ends.offset(target, row) + at, source.side.in_place + ends.offset(source, row) + at, bytes);
            } else {
                ++progress.operations;
                QIAO_RETURN_IF_ERROR(check_owner(reads ? target.side.owner : source.side.owner));
                QIAO_RETURN_IF_ERROR(reads ? read_piece(ends, row, at, target.side.in_place + ends.offset(target, row) + at, bytes)
                                           : write_piece(ends, row, at, source.side.in_place + ends.offset(source, row) + at, bytes));
            }
            at += bytes;
            progress.done_bytes += bytes;
        }
        return qiao_status{QIAO_OK};
    });
}

/* ---------------------------------------------------------------- staged */

qiao_status read_into(const Ends& ends, std::byte* buffer, uint64_t begin, uint64_t end, uint64_t& reads) {
    return for_pieces(ends, begin, end, [&](uint64_t row, uint64_t at, uint64_t bytes) {
        ++reads;
        return read_piece(ends, row, at, std::exchange(buffer, buffer + bytes), bytes);
    });
}

qiao_status write_from(const Ends& ends, const std::byte* buffer, uint64_t begin, uint64_t end, CopyProgress& progress) {
    return for_pieces(ends, begin, end, [&](uint64_t row, uint64_t at, uint64_t bytes) {
        ++progress.operations;
        QIAO_RETURN_IF_ERROR(write_piece(ends, row, at, std::exchange(buffer, buffer + bytes), bytes));
        progress.done_bytes += bytes;
        return qiao_status{QIAO_OK};
    });
}

// The reader's thread fills halves, the caller's empties them, each in turn. Whichever fails stops the other.
class Pipeline {
public:
    Pipeline(const Ends& ends, uint64_t largest_chunk_bytes) : ends_(ends), buffer_(2 * largest_chunk_bytes) {
        halves_[0].bytes = buffer_.data();
        halves_[1].bytes = buffer_.data() + largest_chunk_bytes;
        reader_ = std::thread([this] { read(); });
    }
    ~Pipeline() {
        change([this] { stop_ = true; });
        reader_.join();
    }
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    // The next bytes of the copy, in chunks of this size; both halves are empty before and behind.
    qiao_status run(uint64_t bytes, uint64_t chunk_bytes, CopyProgress& progress) {
        const uint64_t end = progress.done_bytes + bytes;
        change([&] { chunk_bytes_ = chunk_bytes, read_to_ = end; });
        for (uint64_t begin = progress.done_bytes; begin < end; begin = std::min(begin + chunk_bytes, end)) {
            Half& half = halves_[write_count_++ % halves_.size()];
            {
                std::unique_lock guard(mutex_);
                changed_.wait(guard, [&] { return half.full || failure_.status != QIAO_OK; });
                progress.operations += std::exchange(reads_, 0);
                if (!half.full) return fail(failure_);
            }
            QIAO_RETURN_IF_ERROR(write_from(ends_, half.bytes, begin, std::min(begin + chunk_bytes, end), progress));
            change([&] { half.full = false; });
        }
        return QIAO_OK;
    }

private:
    struct Half {
        std::byte* bytes = nullptr;
        bool full = false;
    };

    void read() {
        uint64_t begin = 0;
        for (size_t index = 0;; ++index) {
            Half& half = halves_[index % halves_.size()];
            uint64_t end;
            {
                std::unique_lock guard(mutex_);
                changed_.wait(guard, [&] { return (!half.full && begin < read_to_) || stop_; });
                if (stop_) return;
                end = std::min(begin + chunk_bytes_, read_to_);
            }
            uint64_t reads = 0;
            const qiao_status status = read_into(ends_, half.bytes, begin, end, reads);
            begin = end;
            change([&] {
                reads_ += reads;
                if (status != QIAO_OK) failure_ = last_error();
                half.full = status == QIAO_OK;
            });
            if (status != QIAO_OK) return;
        }
    }

    template <class Change>
    void change(Change&& apply) {
        {
            const std::lock_guard guard(mutex_);
            apply();
        }
        changed_.notify_all();
    }

    const Ends& ends_;
    StagingBuffer buffer_;
    size_t write_count_ = 0;
    std::mutex mutex_;  // guards what follows, but for the bytes of a half: those belong to one side at a time
    std::condition_variable changed_;
    std::array<Half, 2> halves_;
    uint64_t chunk_bytes_ = 0, read_to_ = 0;
    uint64_t reads_ = 0;  // not counted yet
    bool stop_ = false;
    ErrorRecord failure_;  // of the reader
    std::thread reader_;
};

// A simulated card's time is that of its model, and so the same in every run.
uint64_t time_of(qiao_device* device) {
    uint64_t device_ns = 0, host_ns = 0;
    const bool is_simulated = (device->body.info.flags & QIAO_PLUGIN_DEVICE_SIMULATED) != 0 && device->body.tables.device.device_clock != nullptr;
    return is_simulated && device_read_clock(device, &device_ns, &host_ns) == QIAO_OK ? device_ns : now_ns();
}

ChunkChoice::Part next_part(const Ends& ends, uint64_t remaining) {
    uint64_t forced = 0;
    if (forced_chunk(forced) == QIAO_OK && forced != 0) return {remaining, forced, false};
    return ends.source.side.owner.device->body.chunks.of(ends.target.side.owner.device).next(remaining);
}

qiao_status copy_staged(const Ends& ends, CopyProgress& progress) {
    const uint64_t total = ends.total();
    qiao_device *source = ends.source.side.owner.device, *target = ends.target.side.owner.device;
    ChunkChoice::Part part = next_part(ends, total);
    if (total <= part.chunk_bytes) {
        // Too little for two halves to be at work.
        progress.chunk_bytes = total;
        StagingBuffer buffer(total);
        QIAO_RETURN_IF_ERROR(read_into(ends, buffer.data(), 0, total, progress.operations));
        return write_from(ends, buffer.data(), 0, total, progress);
    }
    // Trials may follow, with chunks of any size that the rest is long enough for.
    uint64_t largest = part.chunk_bytes;
    for (const uint64_t size : ChunkChoice::kSizes) {
        if (part.is_trial && ChunkChoice::trial_bytes(size) <= total) largest = std::max(largest, size);
    }
    Pipeline pipeline(ends, largest);
    while (progress.done_bytes < total) {
        part = next_part(ends, total - progress.done_bytes);
        part.chunk_bytes = std::min(part.chunk_bytes, largest);
        progress.chunk_bytes = std::max(progress.chunk_bytes, part.chunk_bytes);
        const uint64_t start_ns = part.is_trial ? time_of(source) : 0;
        QIAO_RETURN_IF_ERROR(pipeline.run(part.bytes, part.chunk_bytes, progress));
        if (part.is_trial) source->body.chunks.learn(target, part, time_of(source) - start_ns);
    }
    return QIAO_OK;
}

// Adds to the thread's error how far the copy had come.
qiao_status fail_after(uint64_t done, uint64_t total) {
    ErrorRecord record = last_error();
    record.message += "; " + std::to_string(done) + " of " + std::to_string(total) + " bytes had been copied";
    return fail(std::move(record));
}

}  // namespace

qiao_status forced_chunk(uint64_t& out_bytes) {
    out_bytes = 0;
    const char* text = secure_getenv("QIAO_COPY_CHUNK");
    if (text == nullptr || *text == '\0') return QIAO_OK;
    const std::string_view digits = text;
    uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bytes);
    if (error == std::errc() && end == digits.data() + digits.size() && bytes >= kMinForcedChunk && bytes <= kMaxForcedChunk) {
        out_bytes = bytes;
        return QIAO_OK;
    }
    fail(QIAO_ERROR_INVALID_ARGUMENT, "QIAO_COPY_CHUNK=%s is no number of bytes from %" PRIu64 " to %" PRIu64, text, kMinForcedChunk, kMaxForcedChunk);
    set_remedy("set it to such a number, or unset it");
    return QIAO_ERROR_INVALID_ARGUMENT;
}

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

CopyProgress plan_through_host(const Side& source, const Side& target, const qiao_plugin_copy& copy) {
    const Ends ends = ends_of(source, target, copy);
    CopyProgress plan{.path = path_of(source, target)};
    if (plan.path == QIAO_COPY_PATH_MAPPED) {
        plan.operations = ends.rows * ends.slices * ((ends.row_bytes + kInPlaceBytes - 1) / kInPlaceBytes);
    } else if (plan.path == QIAO_COPY_PATH_STAGED) {
        const uint64_t chunk_bytes = next_part(ends, ends.total()).chunk_bytes;
        plan.chunk_bytes = std::min(chunk_bytes, ends.total());
        plan.operations = 2 * count_pieces(ends, chunk_bytes);
    }
    return plan;
}

qiao_status copy_through_host(const Side& source, const Side& target, const qiao_plugin_copy& copy, CopyProgress& out_progress) {
    const Ends ends = ends_of(source, target, copy);
    out_progress = {.path = path_of(source, target)};
    const qiao_status status = out_progress.path == QIAO_COPY_PATH_STAGED ? copy_staged(ends, out_progress) : copy_in_place(ends, out_progress);
    return status == QIAO_OK ? status : fail_after(out_progress.done_bytes, ends.total());
}

qiao_status staged_fill(const Owner& target, const qiao_plugin_fill& fill) {
    const uint64_t chunk = std::min(fill.size_bytes, kFillBytes);
    std::vector<std::byte> buffer(chunk);
    for (uint64_t at = 0; at < chunk; at += fill.pattern_size) std::memcpy(buffer.data() + at, fill.pattern, fill.pattern_size);
    for (uint64_t done = 0; done < fill.size_bytes;) {
        const uint64_t bytes = std::min<uint64_t>(chunk, fill.size_bytes - done);
        if (target.device == nullptr) {
            std::memcpy(reinterpret_cast<std::byte*>(static_cast<uintptr_t>(fill.target.address)) + done, buffer.data(), bytes);
        } else {
            QIAO_RETURN_IF_ERROR(device_write(target, fill.target.allocation, fill.target.offset + done, buffer.data(), bytes));
        }
        done += bytes;
    }
    return QIAO_OK;
}

}  // namespace qiao
