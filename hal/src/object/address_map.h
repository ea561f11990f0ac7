// Which allocation of one device contains an address. Native ranges lie at any byte and may share a page, so this is a radix
// tree over an address's bits, as page tables are, down to single bytes. An entry holds a range itself as long as that is the
// only one within the entry's bytes: large and lonely ranges end near the root, and only what lies close together goes deeper.
// Look-up takes no lock and may race with changes: what it answers was true at some moment of the call.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "qiao/types.h"

namespace qiao {

template <class Allocation>
class AddressMap {
public:
    AddressMap() = default;
    AddressMap(const AddressMap&) = delete;
    AddressMap& operator=(const AddressMap&) = delete;

    // A range takes the place of those it overlaps: two that are alive never do, so these are from before a reset.
    void insert(uint64_t address, uint64_t size_bytes, Allocation* allocation) {
        static_assert(alignof(Allocation) > kIsNode);
        const std::lock_guard guard(mutex_);
        const Range range = {{address, address + size_bytes - 1}, allocation};
        for (Range overlapped = any_in(range.bytes); overlapped.allocation != nullptr; overlapped = any_in(range.bytes)) remove(overlapped);
        reach(range.bytes);
        const Root& root = *root_.load(std::memory_order_relaxed);
        try {
            put(root.node, root.level, range.bytes, range);
        } catch (...) {
            remove(range);
            throw;
        }
    }
    // Nothing happens if another allocation has taken its place.
    void erase(uint64_t address, const Allocation* allocation) {
        const std::lock_guard guard(mutex_);
        const Range range = any_in({address, address});
        if (range.bytes.first == address && range.allocation == allocation) remove(range);
    }

    struct Found {
        Allocation* allocation = nullptr;
        uint64_t offset = 0;
        uint64_t size_bytes = 0;
    };
    // The allocation that contains the address, or a null one.
    Found find(uint64_t address) const {
        const Root* root = root_.load(std::memory_order_acquire);
        if (root == nullptr || address - root->bytes.first > root->bytes.last - root->bytes.first) return {};
        const Entry* node = root->node;
        for (size_t level = root->level;; --level) {
            const Entry& entry = node[index_of(address, level)];
            const uint64_t version = entry.version.load(std::memory_order_acquire);
            const uintptr_t content = entry.content.load(std::memory_order_acquire);
            if ((content & kIsNode) == 0) return read(entry, version, content, address);
            node = node_of(content);
        }
    }

    // Whether one that `counts` shares a byte with these.
    template <class Predicate>
    bool overlaps(uint64_t address, uint64_t size_bytes, Predicate&& counts) const {
        const std::lock_guard guard(mutex_);
        return any_in({address, address + size_bytes - 1}, counts).allocation != nullptr;
    }

private:
    struct Bytes {
        uint64_t first, last;
    };
    struct Range {
        Bytes bytes{1, 0};
        Allocation* allocation = nullptr;
    };

    // One cache line answers. First and last byte change only while the content is 0, and the version before them, so that
    // who reads one version before and after has read what belongs together.
    struct alignas(32) Entry {
        std::atomic<uint64_t> version{0};
        std::atomic<uintptr_t> content{0};  // 0, an allocation, or a node of the next level
        std::atomic<uint64_t> first{0}, last{0};
    };
    static constexpr uintptr_t kIsNode = 1;  // in the content

    // Steps at 16 bytes, 128 (allocations' usual alignment), pages of 4 KiB, 2 MiB, 8 GiB, 2 TiB: few entries for each
    // range, wherever it ends.
    static constexpr std::array<uint32_t, 9> kShift = {0, 4, 7, 12, 21, 33, 41, 48, 64};
    static constexpr size_t kLevels = kShift.size() - 1, kSmallestRoot = 4;

    static constexpr size_t entry_count(size_t level) { return size_t{1} << (kShift[level + 1] - kShift[level]); }
    static size_t index_of(uint64_t address, size_t level) { return static_cast<size_t>(address >> kShift[level]) & (entry_count(level) - 1); }
    static Entry* node_of(uintptr_t content) { return reinterpret_cast<Entry*>(content - kIsNode); }
    // How many of a node's entries are not 0: behind them, for changes only.
    static std::atomic<uint64_t>& taken(Entry* node, size_t level) { return node[entry_count(level)].version; }

    struct Root {
        Entry* node;
        size_t level;
        Bytes bytes;
    };
    static Bytes bytes_under_root(uint64_t address, size_t level) {
        const uint64_t within = level + 1 == kLevels ? UINT64_MAX : (UINT64_C(1) << kShift[level + 1]) - 1;
        return {address & ~within, address | within};
    }
    // What of the bytes is under the entry of the level that `address` is under.
    static Bytes under_entry(uint64_t address, size_t level, const Bytes& bytes) {
        const uint64_t within = (UINT64_C(1) << kShift[level]) - 1;
        return {std::max(address & ~within, bytes.first), std::min(address | within, bytes.last)};
    }
    // Calls visit(entry, the bytes under it) for each entry of the node that the bytes touch, until it returns false.
    template <class Visit>
    static void for_entries(Entry* node, size_t level, const Bytes& bytes, Visit&& visit) {
        const size_t begin = index_of(bytes.first, level), end = index_of(bytes.last, level);
        for (size_t index = begin; index <= end; ++index) {
            const uint64_t address = index == begin ? bytes.first : (bytes.first >> kShift[level] << kShift[level]) + (uint64_t{index - begin} << kShift[level]);
            if (!visit(node[index], under_entry(address, level, bytes))) return;
        }
    }

    static Found read(const Entry& entry, uint64_t version, uintptr_t content, uint64_t address) {
        const uint64_t first = entry.first.load(std::memory_order_acquire), last = entry.last.load(std::memory_order_acquire);
        const bool changed = entry.version.load(std::memory_order_relaxed) != version;
        if (content == 0 || changed || address - first > last - first) return {};
        return {reinterpret_cast<Allocation*>(content), address - first, last - first + 1};
    }
    static Range range_of(const Entry& entry) {
        return {{entry.first.load(std::memory_order_relaxed), entry.last.load(std::memory_order_relaxed)},
                reinterpret_cast<Allocation*>(entry.content.load(std::memory_order_relaxed))};
    }

    // Empty nodes are used again, but only for their level and never given back: a reader that is late inside of one finds
    // ranges there that do not contain its address.
    Entry* take_node(size_t level) {
        auto& free = free_nodes_[level];
        if (free.empty()) {
            nodes_.push_back(std::make_unique<Entry[]>(entry_count(level) + 1));
            if (free.capacity() < nodes_.size()) free.reserve(2 * nodes_.size());  // so that giving back cannot fail
            return nodes_.back().get();
        }
        Entry* node = free.back();
        free.pop_back();
        return node;
    }

    static void fill(Entry& entry, Entry* node, size_t level, const Range& range) {
        entry.version.store(entry.version.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        entry.first.store(range.bytes.first, std::memory_order_release);
        entry.last.store(range.bytes.last, std::memory_order_release);
        entry.content.store(reinterpret_cast<uintptr_t>(range.allocation), std::memory_order_release);
        taken(node, level).fetch_add(1, std::memory_order_relaxed);
    }
    static void clear(Entry& entry, Entry* node, size_t level) {
        entry.content.store(0, std::memory_order_release);
        taken(node, level).fetch_sub(1, std::memory_order_relaxed);
    }

    // Makes the root high enough for the bytes.
    void reach(const Bytes& bytes) {
        const Root* root = root_.load(std::memory_order_relaxed);
        for (size_t level = root == nullptr ? kSmallestRoot : root->level;; ++level) {
            const Bytes covered = bytes_under_root(root == nullptr ? bytes.first : root->bytes.first, level);
            if (root == nullptr || root->level != level) {
                Entry* node = take_node(level);
                if (root != nullptr) {
                    node[index_of(root->bytes.first, level)].content.store(reinterpret_cast<uintptr_t>(root->node) | kIsNode, std::memory_order_relaxed);
                    taken(node, level).store(1, std::memory_order_relaxed);
                }
                roots_[level] = {node, level, covered};
                root = &roots_[level];
                root_.store(root, std::memory_order_release);
            }
            if (bytes.first >= covered.first && bytes.last <= covered.last) return;
        }
    }

    void put(Entry* node, size_t level, const Bytes& bytes, const Range& range) {
        for_entries(node, level, bytes, [&](Entry& entry, const Bytes& under) {
            const uintptr_t content = entry.content.load(std::memory_order_relaxed);
            if (content == 0) {
                fill(entry, node, level, range);
            } else {
                if ((content & kIsNode) == 0) push_down(entry, level, under.first);
                put(node_of(entry.content.load(std::memory_order_relaxed)), level - 1, under, range);
            }
            return true;
        });
    }
    // The entry's only range gets company. Readers see it in the entry, or in the node.
    void push_down(Entry& entry, size_t level, uint64_t address) {
        Entry* node = take_node(level - 1);
        const Range range = range_of(entry);
        put(node, level - 1, under_entry(address, level, range.bytes), range);
        entry.content.store(reinterpret_cast<uintptr_t>(node) | kIsNode, std::memory_order_release);
    }

    void remove(const Range& range) {
        const Root& root = *root_.load(std::memory_order_relaxed);
        take_out(root.node, root.level, range.bytes, range);
    }
    void take_out(Entry* node, size_t level, const Bytes& bytes, const Range& range) {
        for_entries(node, level, bytes, [&](Entry& entry, const Bytes& under) {
            const uintptr_t content = entry.content.load(std::memory_order_relaxed);
            if ((content & kIsNode) == 0) {
                // Where not all of the range could be put, what lies in its place is another's.
                if (content == reinterpret_cast<uintptr_t>(range.allocation) && entry.first.load(std::memory_order_relaxed) == range.bytes.first)
                    clear(entry, node, level);
                return true;
            }
            Entry* child = node_of(content);
            take_out(child, level - 1, under, range);
            if (taken(child, level - 1).load(std::memory_order_relaxed) == 0) {
                clear(entry, node, level);
                free_nodes_[level - 1].push_back(child);
            }
            return true;
        });
    }

    // With the lock held: a range that shares a byte with these and `counts`, or none.
    template <class Predicate>
    Range any_in(const Bytes& bytes, Predicate&& counts) const {
        const Root* root = root_.load(std::memory_order_relaxed);
        if (root == nullptr || bytes.last < root->bytes.first || bytes.first > root->bytes.last) return {};
        return any_in(root->node, root->level, {std::max(bytes.first, root->bytes.first), std::min(bytes.last, root->bytes.last)}, counts);
    }
    template <class Predicate>
    static Range any_in(Entry* node, size_t level, const Bytes& bytes, Predicate& counts) {
        Range found;
        for_entries(node, level, bytes, [&](Entry& entry, const Bytes& under) {
            const uintptr_t content = entry.content.load(std::memory_order_relaxed);
            if ((content & kIsNode) != 0) {
                found = any_in(node_of(content), level - 1, under, counts);
            } else if (content != 0) {
                const Range range = range_of(entry);
                if (range.bytes.first <= bytes.last && range.bytes.last >= bytes.first && counts(range.allocation)) found = range;
            }
            return found.allocation == nullptr;
        });
        return found;
    }
    Range any_in(const Bytes& bytes) const {
        return any_in(bytes, [](const Allocation*) { return true; });
    }

    std::atomic<const Root*> root_{nullptr};
    mutable std::mutex mutex_;  // guards changes, and what follows
    std::array<Root, kLevels> roots_{};
    std::vector<std::unique_ptr<Entry[]>> nodes_;  // all there are
    std::array<std::vector<Entry*>, kLevels> free_nodes_;
};

}  // namespace qiao
