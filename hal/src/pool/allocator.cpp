// The way of an allocation: the thread's cache; the heap; the heap with all caches emptied into it; with the work asked that
// free memory waits behind; a new segment; and, if there is none to be had, with that work waited for.
#include "pool/allocator.h"

#include <time.h>

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "dispatch/retire.h"
#include "dispatch/wait.h"
#include "emulation/deferred.h"

namespace qiao {
namespace {

// How long an allocation waits for work, if there is no other memory left; and for one queue's, before it looks at others'.
constexpr uint64_t kPatienceNs = 10'000'000'000;
constexpr uint64_t kSliceNs = 10'000'000;
constexpr timespec kPause = {0, 1'000'000};

// Threads take caches in turn.
size_t thread_number() {
    static std::atomic<uint32_t> g_threads{0};
    thread_local const uint32_t number = g_threads.fetch_add(1, std::memory_order_relaxed);
    return number;
}

}  // namespace

/* ---------------------------------------------------------------- locks */

// All caches' locks. The pool's is held.
class PoolAllocator::AllCaches {
public:
    explicit AllCaches(PoolAllocator& pool) : pool_(pool) {
        for (Cache& cache : pool_.caches_) cache.lock.lock();
    }
    ~AllCaches() {
        for (Cache& cache : pool_.caches_) cache.lock.unlock();
    }
    AllCaches(const AllCaches&) = delete;
    AllCaches& operator=(const AllCaches&) = delete;

private:
    PoolAllocator& pool_;
};

// The pool's lock. Segments that leave under it are given back when it is given up.
class PoolAllocator::Central {
public:
    explicit Central(PoolAllocator& pool) : pool_(pool) { resume(); }
    ~Central() {
        if (is_held_) pause();
    }
    Central(const Central&) = delete;
    Central& operator=(const Central&) = delete;

    void resume() {
        pool_.lock_.lock();
        is_held_ = true;
    }
    void pause() {
        Segment* leaving = take_leaving();
        pool_.lock_.unlock();
        is_held_ = false;
        while (leaving != nullptr) {
            const std::unique_ptr<Segment> segment(std::exchange(leaving, leaving->next));
            pool_.source_->release(segment->handle);
        }
    }

private:
    Segment* take_leaving() {
        if (!pool_.heap_.has_leaving()) return nullptr;
        Segment* leaving = pool_.heap_.take_leaving();
        const AllCaches caches(pool_);
        for (const Segment* segment = leaving; segment != nullptr; segment = segment->next) {
            pool_.index_.erase(segment);
            pool_.reserved_bytes_ -= segment->size_bytes;
        }
        return leaving;
    }

    PoolAllocator& pool_;
    bool is_held_ = false;
};

/* ---------------------------------------------------------------- lifetime */

PoolAllocator::PoolAllocator(std::unique_ptr<SegmentSource> source, const PoolLimits& limits)
    : source_(std::move(source)),
      alignment_(limits.alignment),
      granule_bits_(static_cast<uint32_t>(std::countr_zero(limits.alignment))),
      largest_shared_granules_(std::min(class_granules(class_above(limits.largest_shared_bytes >> granule_bits_)),
                                        class_granules(class_below(limits.max_segment_bytes >> granule_bits_)))),
      segment_bytes_(std::max(std::min(4 * limits.largest_shared_bytes, limits.max_segment_bytes) & ~(alignment_ - 1), alignment_)),
      limits_(limits),
      heap_(limits.idle_limit_bytes) {
    for (Cache& cache : caches_) cache.forget_lanes(heap_.clean());
}

PoolAllocator::~PoolAllocator() {
    for (Segment* left = heap_.segments(); left != nullptr;) {
        const std::unique_ptr<Segment> segment(std::exchange(left, left->next));
        source_->release(segment->handle);
    }
}

Cache& PoolAllocator::own_cache() {
    return caches_[thread_number() % kCaches];
}

/* ---------------------------------------------------------------- accounts */

void PoolAllocator::book_used(uint64_t bytes) {
    const uint64_t used = used_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    uint64_t peak = used_peak_bytes_.load(std::memory_order_relaxed);
    while (peak < used && !used_peak_bytes_.compare_exchange_weak(peak, used, std::memory_order_relaxed)) {
    }
}

// Whether nothing is used any more, and that must be looked at.
bool PoolAllocator::book_unused(uint64_t bytes) {
    return used_bytes_.fetch_sub(bytes, std::memory_order_relaxed) == bytes && limits_.idle_limit_bytes != 0;
}

// The block, in state kCached, becomes an allocation. `counts` is guarded by a lock that is held.
inline void PoolAllocator::hand_out(Block* block, const Want& want, bool in_order, PoolCounts& counts, uint64_t& out_address) {
    out_address = block->address();
    block->requested_bytes = want.size_bytes;
    ++counts.allocated;
    ++counts.alive;
    counts.reused_in_order += in_order;
    counts.requested_bytes += want.size_bytes;
    book_used(block->size_bytes());
    block->set(out_address, BlockState::kUsed);
}

/* ---------------------------------------------------------------- allocation */

qiao_status PoolAllocator::allocate(qiao_timeline* timeline, uint64_t size_bytes, uint64_t& out_address) {
    if (size_bytes > kMaxGranules << granule_bits_) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes %" PRIu64 " is over the limit of a pool, %" PRIu64, size_bytes, kMaxGranules << granule_bits_);
    }
    const uint64_t granules = granules_of(size_bytes);
    const Want want{timeline, size_bytes, granules, class_above(granules), granules <= largest_shared_granules_};
    if (granules <= std::min(largest_shared_granules_, Cache::kMaxGranules)) [[likely]] {
        Cache& cache = own_cache();
        const std::lock_guard guard(cache.lock);
        bool in_order = false;
        if (Block* block = cache.take(want.size_class, timeline, in_order); block != nullptr) [[likely]] {
            hand_out(block, want, in_order, cache.counts, out_address);
            return QIAO_OK;
        }
    }
    return allocate_centrally(want, out_address);
}

bool PoolAllocator::take(const Want& want, uint64_t& out_address) {
    Lane* lane = want.timeline == nullptr ? nullptr : heap_.find_lane(want.timeline);
    Block* block = heap_.take(lane, want.granules, want.is_shared);
    if (block == nullptr) return false;
    hand_out(block, want, lane != nullptr && block->lane == lane, counts_, out_address);
    return true;
}

[[gnu::noinline]] qiao_status PoolAllocator::allocate_centrally(const Want& want, uint64_t& out_address) {
    Central central(*this);
    if (take(want, out_address)) return QIAO_OK;
    flush_caches();
    if (take(want, out_address)) return QIAO_OK;
    ask_lanes(central, 0);
    if (take(want, out_address)) return QIAO_OK;

    const uint64_t least = std::min(class_granules(want.size_class) << granule_bits_, std::max(limits_.max_segment_bytes, want.size_bytes));
    const qiao_status status = grow(central, want, least, want.is_shared ? std::max(segment_bytes_, least) : least, out_address);
    const uint64_t limit = limits_.reserve_limit_bytes;
    if (status != QIAO_ERROR_OUT_OF_MEMORY || (limit != 0 && least > limit)) return status;
    if (limit != 0) {
        const qiao_status instead = grow_instead(central, want, least, Unused::kEnded, out_address);
        if (instead != QIAO_ERROR_OUT_OF_MEMORY) return instead;
    }

    const uint64_t deadline_ns = deadline_after(on_queue_worker() ? 0 : kPatienceNs);
    while (heap_.pending_bytes() != 0 && now_ns() < deadline_ns) {
        ask_lanes(central, kSliceNs);
        flush_caches();
        if (take(want, out_address)) return QIAO_OK;
    }
    return limit != 0 ? grow_instead(central, want, least, Unused::kAny, out_address) : grow(central, want, least, least, out_address);
}

// A new segment in place of unused ones, if there is a limit.
qiao_status PoolAllocator::grow_instead(Central& central, const Want& want, uint64_t bytes, Unused which, uint64_t& out_address) {
    heap_.trim(limits_.reserve_limit_bytes - bytes, which);
    central.pause();
    central.resume();
    return grow(central, want, bytes, bytes, out_address);
}

qiao_status PoolAllocator::fail_full(const Want& want, uint64_t reserved, bool is_limit) {
    const uint64_t used = used_bytes_.load(std::memory_order_relaxed);
    if (is_limit) {
        fail(QIAO_ERROR_OUT_OF_MEMORY, "%" PRIu64 " bytes have no room in the pool: %" PRIu64 " of its %" PRIu64 " reserved bytes are in use, and its limit is %" PRIu64,
             want.size_bytes, used, reserved, limits_.reserve_limit_bytes);
        set_remedy("free allocations, or create the pool with a higher reserve_limit_bytes");
    } else {
        const std::string reason = last_error().message;
        fail(QIAO_ERROR_OUT_OF_MEMORY, "%" PRIu64 " bytes have no room in the pool: %" PRIu64 " of its %" PRIu64 " reserved bytes are in use, and the device has no more: %s",
             want.size_bytes, used, reserved, reason.c_str());
        set_remedy("free allocations, here or elsewhere on the device");
    }
    return QIAO_ERROR_OUT_OF_MEMORY;
}

// A new segment, of `best_bytes` if the limit leaves so much, from which the allocation is cut. The lock is given up meanwhile.
qiao_status PoolAllocator::grow(Central& central, const Want& want, uint64_t least_bytes, uint64_t best_bytes, uint64_t& out_address) {
    uint64_t bytes = best_bytes;
    if (const uint64_t limit = limits_.reserve_limit_bytes; limit != 0) {
        const uint64_t room = (limit - std::min(limit, reserved_bytes_)) & ~(alignment_ - 1);
        if (room < least_bytes) return fail_full(want, reserved_bytes_, true);
        bytes = std::min(bytes, room);
    }
    auto segment = std::make_unique<Segment>();
    segment->granule_bits = granule_bits_;
    segment->is_shared = want.is_shared;
    segment->size_bytes = granules_of(bytes) << granule_bits_;
    segment->starts = std::make_unique<std::atomic<Block*>[]>(want.is_shared ? segment->size_bytes >> granule_bits_ : 1);
    reserved_bytes_ += segment->size_bytes;
    central.pause();
    const qiao_status status = source_->allocate(bytes, segment->handle, segment->address);
    central.resume();
    if (status != QIAO_OK) {
        reserved_bytes_ -= segment->size_bytes;
        return status == QIAO_ERROR_OUT_OF_MEMORY ? fail_full(want, reserved_bytes_, false) : status;
    }
    enter(segment);
    reserved_peak_bytes_ = std::max(reserved_peak_bytes_, reserved_bytes_);
    Block* block = heap_.add(std::move(segment), class_granules(want.size_class));
    ++grown_;
    hand_out(block, want, false, counts_, out_address);
    return QIAO_OK;
}

// Makes the segment known by its addresses, and room for its blocks; without, gives it back.
void PoolAllocator::enter(std::unique_ptr<Segment>& segment) {
    try {
        heap_.prepare_blocks();
        const AllCaches caches(*this);
        index_.reserve(*segment);
        index_.insert(segment.get());
    } catch (...) {
        reserved_bytes_ -= segment->size_bytes;
        source_->release(segment->handle);
        throw;
    }
}

/* ---------------------------------------------------------------- free */

qiao_status PoolAllocator::free(uint64_t address, qiao_timeline* timeline, uint64_t value) {
    Cache& cache = own_cache();
    Block* block = nullptr;
    uint32_t size_class = 0;
    bool is_overfull = false, is_idle = false, is_kept = false;
    {
        const std::lock_guard guard(cache.lock);
        const Segment* segment = index_.find(address);
        if (segment != nullptr && (address & (alignment_ - 1)) == 0) [[likely]] {
            block = segment->start(address).load(std::memory_order_acquire);
            // From here on no other thread frees it.
            if (block != nullptr && !block->change(address, BlockState::kUsed, BlockState::kCached)) block = nullptr;
        }
        if (block != nullptr) [[likely]] {
            --cache.counts.alive;
            cache.counts.requested_bytes -= block->requested_bytes;
            is_idle = book_unused(block->size_bytes());
            Lane* lane = cache.lane_of(timeline);
            if (lane != nullptr && segment->is_shared && block->granules <= Cache::kMaxGranules) [[likely]] {
                block->lane = lane;
                block->value = value;
                size_class = class_below(block->granules);
                cache.put(block, size_class);
                is_overfull = cache.is_overfull(size_class);
                is_kept = true;
            }
        }
    }
    if (block == nullptr) [[unlikely]] return fail_free(address);
    if (!is_kept) [[unlikely]] free_centrally(block, timeline, value);
    if (is_overfull) [[unlikely]] reduce(cache, size_class);
    if (is_idle) [[unlikely]] trim(limits_.idle_limit_bytes);
    return QIAO_OK;
}

// The block is in state kCached, and in no cache.
[[gnu::noinline]] void PoolAllocator::free_centrally(Block* block, qiao_timeline* timeline, uint64_t value) {
    Central central(*this);
    if (heap_.has_many_lanes()) sweep_lanes();
    Lane* lane = heap_.make_lane(timeline);
    {
        Cache& cache = own_cache();
        const std::lock_guard guard(cache.lock);
        cache.know(lane);
    }
    block->lane = lane;
    block->value = value;
    heap_.give(block);
}

// Says what is wrong with an address that is no allocation's.
[[gnu::cold]] qiao_status PoolAllocator::fail_free(uint64_t address) {
    Central central(*this);
    const Segment* segment = heap_.segments();
    while (segment != nullptr && !segment->contains(address)) segment = segment->next;
    if (segment == nullptr) {
        fail(QIAO_ERROR_NOT_FOUND, "address 0x%" PRIx64 " is in no segment of the pool: it was not allocated here, or its memory was given back since", address);
        set_remedy("free it where it was allocated, once; nothing was changed");
        return QIAO_ERROR_NOT_FOUND;
    }
    const Block* block = segment->first;
    while (address - block->address() >= block->size_bytes()) block = block->behind;
    if (block->state() == BlockState::kUsed) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "address 0x%" PRIx64 " is %" PRIu64 " bytes inside the allocation of %" PRIu64 " bytes at 0x%" PRIx64, address,
             address - block->address(), block->requested_bytes, block->address());
        set_remedy("free the address that qiao_pool_allocate gave; nothing was changed");
    } else {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "address 0x%" PRIx64 " is in free memory of the pool: it was freed already", address);
        set_remedy("free each allocation once; nothing was changed");
    }
    return QIAO_ERROR_INVALID_ARGUMENT;
}

/* ---------------------------------------------------------------- upkeep */

[[gnu::noinline]] void PoolAllocator::reduce(Cache& cache, uint32_t size_class) {
    Central central(*this);
    const std::lock_guard guard(cache.lock);
    cache.reduce(size_class, [this](Block* block) { heap_.give(block); });
}

// With the pool's lock held.
void PoolAllocator::flush_caches() {
    for (Cache& cache : caches_) {
        const std::lock_guard guard(cache.lock);
        cache.flush([this](Block* block) { heap_.give(block); });
    }
}

void PoolAllocator::sweep_lanes() {
    const AllCaches caches(*this);
    for (Cache& cache : caches_) {
        cache.flush([this](Block* block) { heap_.give(block); });
        cache.forget_lanes(heap_.clean());
    }
    heap_.sweep_lanes();
}

// Learns how far the work has come that free memory is behind; waits for each queue's up to so long. The lock is given up
// meanwhile, since a plugin is entered.
void PoolAllocator::ask_lanes(Central& central, uint64_t patience_ns) {
    struct Asked {
        qiao_timeline* timeline;
        uint64_t value;
        uint64_t passed;
    };
    std::vector<Asked> all;
    heap_.visit_lanes([&](const Lane& lane) {
        if (lane.bytes == 0) return;
        all.push_back({lane.timeline, lane.newest, 0});
        add_use(lane.timeline);
    });
    if (all.empty()) return;
    central.pause();
    for (Asked& asked : all) {
        const qiao_status status = patience_ns == 0 ? QIAO_OK : timeline_wait(asked.timeline, asked.value, patience_ns);
        const bool has_passed = timeline_has_passed(asked.timeline, asked.value);
        asked.passed = has_passed ? asked.value : asked.timeline->body.reached.load(std::memory_order_acquire);
        if (status < 0 && !has_passed) nanosleep(&kPause, nullptr);  // it failed, and its worker is on the way out
    }
    central.resume();
    for (const Asked& asked : all) {
        if (Lane* lane = heap_.find_lane(asked.timeline); lane != nullptr) heap_.clear(*lane, asked.passed);
        drop_use(asked.timeline);
    }
}

void PoolAllocator::trim(uint64_t keep_bytes) {
    Central central(*this);
    flush_caches();
    heap_.trim(keep_bytes);
}

qiao_pool_statistics PoolAllocator::statistics() {
    Central central(*this);
    qiao_pool_statistics values = QIAO_POOL_STATISTICS_INIT;
    PoolCounts counts = counts_;
    {
        const AllCaches caches(*this);
        for (Cache& cache : caches_) {
            cache.flush([this](Block* block) { heap_.give(block); });
            counts.allocated += cache.counts.allocated;
            counts.reused_in_order += cache.counts.reused_in_order;
            counts.alive += cache.counts.alive;
            counts.requested_bytes += cache.counts.requested_bytes;
        }
        values.used_bytes = used_bytes_.load(std::memory_order_relaxed);
        values.used_peak_bytes = used_peak_bytes_.load(std::memory_order_relaxed);
    }
    values.reserved_bytes = heap_.segment_bytes();
    values.reserved_peak_bytes = reserved_peak_bytes_;
    values.requested_bytes = counts.requested_bytes;
    values.pending_bytes = heap_.pending_bytes();
    values.largest_free_bytes = heap_.largest_free_bytes();
    values.allocation_count = counts.alive;
    values.allocated_count = counts.allocated;
    values.reused_count = counts.allocated - grown_;
    values.reused_in_order_count = counts.reused_in_order;
    values.segment_count = heap_.segment_count();
    const uint64_t free_bytes = heap_.free_bytes();
    values.fragmentation = free_bytes == 0 ? 0.0 : 1.0 - static_cast<double>(values.largest_free_bytes) / static_cast<double>(free_bytes);
    return values;
}

void PoolAllocator::reset_peaks() {
    Central central(*this);
    const AllCaches caches(*this);
    reserved_peak_bytes_ = reserved_bytes_;
    used_peak_bytes_.store(used_bytes_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

}  // namespace qiao
