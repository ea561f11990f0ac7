/* The allocator of one arena; see the header. Allocating takes a lock and system calls: speed is the business of pools. */
#include "arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mock {
namespace {

constexpr uint64_t kHugePage = 2 << 20;

uint64_t page_size() {
    static const uint64_t size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    return size;
}

uint64_t round_up(uint64_t value, uint64_t unit) {
    return (value + unit - 1) & ~(unit - 1);
}

std::string bytes(uint64_t count) {
    return std::to_string(count) + " bytes";
}

/* Pages [from, to) that contain the allocation. */
struct Pages {
    void* start;
    size_t size;
};
Pages pages_of(const Allocation& allocation) {
    const uint64_t address = allocation.address.load(std::memory_order_relaxed);
    const uint64_t from = address & ~(page_size() - 1);
    const uint64_t to = round_up(address + allocation.size.load(std::memory_order_relaxed), page_size());
    return {reinterpret_cast<void*>(from), to - from};
}

} // namespace

Arena::Arena(std::string owner, uint64_t limit_bytes, bool guarded)
    : owner_(std::move(owner)), limit_(limit_bytes), guarded_(guarded) {}

Arena::~Arena() {
    const uint64_t base = base_.load(std::memory_order_relaxed);
    if (base == 0) return;
    munmap(table_, span_ / kGranule * sizeof(*table_));
    munmap(reinterpret_cast<void*>(base), span_);
}

/* Addresses cost nothing, so there are enough for the smallest allocations to fill the limit: a page each in a granule of
 * its own. Where the process may not have so many, fewer small ones fit. */
Status Arena::reserve() {
    const uint64_t least = round_up(limit_, kHugePage) * 2 + 4 * kHugePage;
    uint64_t span = std::max(round_up(limit_, kHugePage) * (kGranule / page_size()), least);
    void* base = MAP_FAILED;
    for (; span >= least; span /= 2) {
        const int protection = guarded_ ? PROT_NONE : PROT_READ | PROT_WRITE;
        base = mmap(nullptr, span + kHugePage, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base != MAP_FAILED) break;
    }
    if (base == MAP_FAILED) {
        return {Code::kOutOfMemory,
                owner_ + ": " + bytes(least) + " of address space cannot be reserved: " + std::strerror(errno),
                "raise the limit of address space (ulimit -v), or choose a profile with less memory"};
    }
    const size_t table_bytes = span / kGranule * sizeof(*table_);
    void* table =
        mmap(nullptr, table_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (table == MAP_FAILED) {
        munmap(base, span + kHugePage);
        return {Code::kOutOfMemory, owner_ + ": no host memory for the table of addresses"};
    }
    /* Fresh pages are zero, which is what null atomics are. */
    table_ = static_cast<std::atomic<Allocation*>*>(table);
    const uint64_t start = reinterpret_cast<uint64_t>(base);
    const uint64_t aligned = round_up(start, kHugePage);
    if (aligned != start) munmap(base, aligned - start);
    if (const uint64_t tail = start + kHugePage - aligned; tail != 0)
        munmap(reinterpret_cast<void*>(aligned + span), tail);
    span_.store(span, std::memory_order_relaxed);
    base_.store(aligned, std::memory_order_release);
    return_range({0, span});
    return {};
}

/* Best fit: the smallest free range that holds the size at the alignment. */
bool Arena::take_range(uint64_t size, uint64_t alignment, Range& out) {
    for (auto fit = free_by_size_.lower_bound({size, 0}); fit != free_by_size_.end(); ++fit) {
        const auto [free_size, free_offset] = *fit;
        const uint64_t offset = round_up(free_offset, alignment); /* base_ is aligned to the greatest alignment */
        if (offset + size > free_offset + free_size) continue;
        free_by_offset_.erase(free_offset);
        free_by_size_.erase(fit);
        if (offset > free_offset) return_range({free_offset, offset - free_offset});
        const uint64_t rest = free_offset + free_size - (offset + size);
        if (rest > 0) return_range({offset + size, rest});
        out = {offset, size};
        return true;
    }
    return false;
}

void Arena::return_range(Range range) {
    auto next = free_by_offset_.lower_bound(range.offset);
    if (next != free_by_offset_.end() && range.offset + range.size == next->first) {
        range.size += next->second;
        free_by_size_.erase({next->second, next->first});
        next = free_by_offset_.erase(next);
    }
    if (next != free_by_offset_.begin()) {
        const auto before = std::prev(next);
        if (before->first + before->second == range.offset) {
            range = {before->first, before->second + range.size};
            free_by_size_.erase({before->second, before->first});
            free_by_offset_.erase(before);
        }
    }
    free_by_offset_.emplace(range.offset, range.size);
    free_by_size_.emplace(range.size, range.offset);
}

Allocation* Arena::new_record() {
    if (spare_records_.empty()) return &records_.emplace_back();
    Allocation* record = spare_records_.back();
    spare_records_.pop_back();
    return record;
}

void Arena::enter(Allocation* allocation, Allocation* value, Range range) {
    const uint64_t length = pages_of(*allocation).size;
    for (uint64_t at = 0; at < length; at += kGranule) {
        table_[(range.offset + at) / kGranule].store(value, std::memory_order_release);
    }
}

/* Cannot fail: the pages are ours, and kMaxGuarded keeps the number of mappings below the system's. */
void Arena::protect(const Allocation& allocation, bool accessible) {
    const Pages pages = pages_of(allocation);
    mprotect(pages.start, pages.size, accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
}

Status Arena::check_room(uint64_t charged) const {
    const uint64_t used = used_.load(std::memory_order_relaxed);
    if (charged <= limit_ - used) return {};
    return {Code::kOutOfMemory,
            owner_ + ": " + bytes(charged) + " are needed, " + bytes(limit_ - used) + " of " + bytes(limit_) + " are free",
            "free memory that is no longer used, or use a card with more"};
}

Status Arena::charge(uint64_t bytes) {
    std::lock_guard lock(mutex_);
    if (Status status = check_room(bytes); !status.ok()) return status;
    used_.store(used_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
    return {};
}

void Arena::discharge(uint64_t bytes) {
    std::lock_guard lock(mutex_);
    used_.store(used_.load(std::memory_order_relaxed) - bytes, std::memory_order_relaxed);
}

Result<Allocation*> Arena::allocate(uint64_t size, uint64_t alignment, MemoryKind kind) {
    std::lock_guard lock(mutex_);
    const uint64_t charged = round_up(size, page_size());
    if (Status status = check_room(charged); !status.ok()) return status;
    if (guarded_ && live_.size() >= kMaxGuarded) {
        return Status(Code::kOutOfMemory,
                      owner_ + ": strict mode allows " + std::to_string(kMaxGuarded) + " allocations at once",
                      "free some, or turn strict mode off");
    }
    if (base_.load(std::memory_order_relaxed) == 0) {
        if (Status status = reserve(); !status.ok()) return status;
    }
    if (size >= kHugePage) alignment = std::max(alignment, kHugePage);
    Range range;
    if (!take_range(round_up(charged + page_size(), kGranule), std::max(alignment, kGranule), range)) {
        return Status(Code::kOutOfMemory, owner_ + ": no range of addresses is left for " + bytes(size),
                      "free memory that is no longer used, or allocate fewer, larger pieces");
    }
    /* Guarded allocations end where their last page ends, as far as the alignment allows: an overrun faults. */
    const uint64_t shift = guarded_ ? (charged - size) & ~(alignment - 1) : 0;
    Allocation* allocation = new_record();
    allocation->charged = charged;
    allocation->kind = kind;
    allocation->released.store(false, std::memory_order_relaxed);
    allocation->evicted = false;
    allocation->address.store(base_ + range.offset + shift, std::memory_order_relaxed);
    allocation->size.store(size, std::memory_order_relaxed);
    if (guarded_ && open_count_ > 0) protect(*allocation, true);
    if (size >= kHugePage) madvise(pages_of(*allocation).start, pages_of(*allocation).size, MADV_HUGEPAGE);
    enter(allocation, allocation, range);
    live_.emplace(allocation->address.load(std::memory_order_relaxed), std::pair(allocation, range));
    used_.store(used_.load(std::memory_order_relaxed) + charged, std::memory_order_relaxed);
    return allocation;
}

void Arena::free(Allocation* allocation) {
    std::lock_guard lock(mutex_);
    const auto found = live_.find(allocation->address.load(std::memory_order_relaxed));
    const Range range = found->second.second;
    live_.erase(found);
    if (allocation->evicted) {
        protect(*allocation, !guarded_);
    } else {
        give_up(*allocation, range);
        if (guarded_ && open_count_ > 0) protect(*allocation, false);
    }
    allocation->size.store(0, std::memory_order_relaxed);
    return_range(range);
    spare_records_.push_back(allocation);
}

/* Neither found nor charged from here on. */
void Arena::give_up(Allocation& allocation, Range range) {
    enter(&allocation, nullptr, range);
    const Pages pages = pages_of(allocation);
    madvise(pages.start, pages.size, MADV_DONTNEED);
    used_.store(used_.load(std::memory_order_relaxed) - allocation.charged, std::memory_order_relaxed);
}

Status Arena::evict(Allocation* allocation) {
    std::lock_guard lock(mutex_);
    if (allocation->evicted) return {Code::kInvalid, owner_ + ": the allocation is evicted already"};
    give_up(*allocation, live_.at(allocation->address.load(std::memory_order_relaxed)).second);
    allocation->evicted = true;
    protect(*allocation, false);
    return {};
}

Status Arena::restore(Allocation* allocation) {
    std::lock_guard lock(mutex_);
    if (!allocation->evicted) return {Code::kInvalid, owner_ + ": the allocation is not evicted"};
    if (Status status = check_room(allocation->charged); !status.ok()) return status;
    allocation->evicted = false;
    protect(*allocation, !guarded_ || open_count_ > 0);
    used_.store(used_.load(std::memory_order_relaxed) + allocation->charged, std::memory_order_relaxed);
    enter(allocation, allocation, live_.at(allocation->address.load(std::memory_order_relaxed)).second);
    return {};
}

const Allocation* Arena::nearest(uint64_t address) const {
    std::lock_guard lock(mutex_);
    if (live_.empty()) return nullptr;
    auto after = live_.upper_bound(address);
    return after == live_.begin() ? after->second.first : std::prev(after)->second.first;
}

void Arena::open() {
    if (!guarded_) return;
    std::lock_guard lock(mutex_);
    if (open_count_++ > 0) return;
    for (const auto& [address, entry] : live_)
        if (!entry.first->evicted) protect(*entry.first, true);
}

void Arena::close() {
    if (!guarded_) return;
    std::lock_guard lock(mutex_);
    if (--open_count_ > 0) return;
    for (const auto& [address, entry] : live_)
        protect(*entry.first, false);
}

} // namespace mock
