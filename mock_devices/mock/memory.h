/* A card's memory: a reserved range of addresses per arena with a real allocator inside (limits, alignment, gaps), and the
 * exact answer to "which allocation contains this address", without a lock. In strict mode the memory of a discrete card
 * cannot be touched outside an AccessScope. Knows nothing of queues: who frees too early is found by the card. */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "mock/profile.h"
#include "mock/status.h"

namespace mock {

enum class MemoryKind : uint8_t { kDevice, kHost, kShared };

/* Addresses are the process's own: a kernel dereferences them. A record is never returned to the system, so a stale pointer
 * can be read, though it may describe another allocation by then. */
struct Allocation {
    std::atomic<uint64_t> address{0};
    std::atomic<uint64_t> size{0};     /* as asked for; 0 = free */
    std::atomic<bool> released{false}; /* freed by its owner while work was in flight */
    std::atomic<bool> evicted{false};  /* has its address, but no memory */
    uint64_t charged = 0;              /* of the card's memory: whole pages */
    MemoryKind kind = MemoryKind::kDevice;
    bool imported = false; /* memory of the process that the card was given where it lies */
};

class Arena;
class Imports;

class Memory {
  public:
    Memory(const CardProfile& profile, bool strict);
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    /* `alignment` is a power of two of at most 2 MiB. kShared only on unified cards. */
    Result<Allocation*> allocate(uint64_t size, uint64_t alignment, MemoryKind kind);
    /* Memory of the process, where it lies, as memory of the host's: pinned, so it counts like that. Whole pages from `address`. */
    Result<Allocation*> import(uint64_t address, uint64_t size);
    /* No work uses it any more. */
    void free(Allocation* allocation);
    /* Gives up the memory behind a discrete card's own allocation, for which it is not charged then; it keeps its range of addresses,
     * where nothing can be touched or found. */
    Status evict(Allocation* allocation);
    /* Memory of undefined contents behind it again. */
    Status restore(Allocation* allocation);

    /* The allocation that contains the address, or null. One dependent load beside the record. Thread-safe. */
    const Allocation* find(uint64_t address) const noexcept;
    /* [address, address + size) inside one allocation? `what` begins the message: "copy: source". */
    Status check_range(uint64_t address, uint64_t size, const char* what) const;
    /* Why `address` is no address of this card, with the nearest allocation. */
    std::string explain(uint64_t address) const;

    uint64_t total_bytes() const { return total_bytes_; }
    uint64_t free_bytes() const;
    bool strict() const { return strict_; }

  private:
    friend class AccessScope;
    Arena& arena_of(MemoryKind kind) const;
    const Allocation* find_imported(uint64_t address) const noexcept;

    const std::string card_name_;
    const CardKind card_kind_;
    const uint64_t total_bytes_;
    const uint64_t max_allocation_bytes_;
    const bool strict_;
    std::unique_ptr<Arena> device_;
    std::unique_ptr<Arena> host_; /* null on unified cards: all kinds lie in `device_` */
    const std::unique_ptr<Imports> imports_;
};

/* While one exists the card's memory can be touched. Costs nothing where the memory is not strict. */
class AccessScope {
  public:
    explicit AccessScope(Memory* memory);
    ~AccessScope();
    AccessScope(const AccessScope&) = delete;
    AccessScope& operator=(const AccessScope&) = delete;

  private:
    Memory* memory_;
};

} // namespace mock
