/* A card's arenas: which kind of memory lies where, and the words for an address that is not there. */
#include "mock/memory.h"

#include <cinttypes>
#include <cstdio>

#include "arena.h"
#include "imports.h"

namespace mock {
namespace {

constexpr uint64_t kMaxAlignment = 2 << 20;
constexpr uint64_t kPage = 4096; /* of the card's view of the host */

std::string hex(uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof(text), "0x%" PRIx64, value);
    return text;
}

} // namespace

Memory::Memory(const CardProfile& profile, bool strict)
    : card_name_(profile.name),
      card_kind_(profile.kind),
      total_bytes_(profile.memory_bytes),
      max_allocation_bytes_(profile.max_allocation_bytes),
      strict_(strict && profile.kind == CardKind::kDiscrete),
      device_(std::make_unique<Arena>(profile.name, profile.memory_bytes, strict_)),
      imports_(std::make_unique<Imports>()) {
    if (profile.kind == CardKind::kDiscrete) {
        host_ = std::make_unique<Arena>(profile.name + " (host memory)", profile.host_memory_bytes, false);
    }
}

Memory::~Memory() = default;

Arena& Memory::arena_of(MemoryKind kind) const {
    return kind == MemoryKind::kDevice || host_ == nullptr ? *device_ : *host_;
}

Result<Allocation*> Memory::allocate(uint64_t size, uint64_t alignment, MemoryKind kind) {
    if (size == 0)
        return Status(Code::kOutOfRange, card_name_ + ": an allocation of 0 bytes", "ask for at least 1 byte");
    if (size > max_allocation_bytes_) {
        return Status(Code::kOutOfRange,
                      card_name_ + ": " + std::to_string(size) + " bytes at once; the limit of one allocation is " +
                          std::to_string(max_allocation_bytes_),
                      "divide the data over several allocations");
    }
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > kMaxAlignment) {
        return Status(Code::kInvalid, card_name_ + ": alignment " + std::to_string(alignment) +
                                          " is not a power of two from 1 to " + std::to_string(kMaxAlignment));
    }
    if (kind == MemoryKind::kShared && card_kind_ == CardKind::kDiscrete) {
        return Status(Code::kUnsupported, card_name_ + ": a discrete card has no memory that it shares with the host",
                      "use device memory and copies, or a unified card");
    }
    return arena_of(kind).allocate(size, alignment, kind);
}

Result<Allocation*> Memory::import(uint64_t address, uint64_t size) {
    if (address % kPage != 0)
        return Status(Code::kInvalid, card_name_ + ": address " + hex(address) + " does not begin a page of " + std::to_string(kPage) + " bytes");
    const uint64_t charged = (size + kPage - 1) & ~(kPage - 1);
    Arena& arena = arena_of(MemoryKind::kHost);
    if (Status status = arena.charge(charged); !status.ok()) return status;
    return imports_->enter(address, size, charged);
}

void Memory::free(Allocation* allocation) {
    Arena& arena = arena_of(allocation->kind);
    if (!allocation->imported) return arena.free(allocation);
    arena.discharge(allocation->charged);
    imports_->leave(allocation);
}

Status Memory::evict(Allocation* allocation) {
    if (card_kind_ == CardKind::kUnified || allocation->kind != MemoryKind::kDevice) {
        return {Code::kUnsupported, card_name_ + ": only a discrete card's own memory can be evicted", "free it"};
    }
    return device_->evict(allocation);
}

Status Memory::restore(Allocation* allocation) {
    return arena_of(allocation->kind).restore(allocation);
}

[[gnu::hot]] const Allocation* Memory::find(uint64_t address) const noexcept {
    const Allocation* found = device_->find(address);
    if (found == nullptr && host_ != nullptr) found = host_->find(address);
    return found != nullptr ? found : find_imported(address);
}

[[gnu::cold]] const Allocation* Memory::find_imported(uint64_t address) const noexcept {
    return imports_->find(address);
}

Status Memory::check_range(uint64_t address, uint64_t size, const char* what) const {
    const Allocation* found = find(address);
    if (found == nullptr) {
        return {Code::kOutOfRange, std::string(what) + ": " + explain(address),
                "give an address of this card's memory"};
    }
    const uint64_t start = found->address.load(std::memory_order_relaxed);
    const uint64_t room = found->size.load(std::memory_order_relaxed) - (address - start);
    if (size <= room) return {};
    return {Code::kOutOfRange,
            std::string(what) + ": " + std::to_string(size) + " bytes from address " + hex(address) +
                " leave the allocation [" + hex(start) + ", " + hex(address + room) + ") of " + card_name_ + " by " +
                std::to_string(size - room) + " bytes",
            "copy at most " + std::to_string(room) + " bytes from there"};
}

std::string Memory::explain(uint64_t address) const {
    std::string text = "address " + hex(address) + " is in no allocation of " + card_name_;
    const Allocation* near = device_->nearest(address);
    if (near == nullptr) return text + "; it has none";
    const uint64_t start = near->address.load(std::memory_order_relaxed);
    if (near->evicted && address - start < near->size.load(std::memory_order_relaxed)) return text + ": it is in one that was evicted";
    return text + "; the nearest is [" + hex(start) + ", " + hex(start + near->size.load(std::memory_order_relaxed)) +
           ")";
}

uint64_t Memory::free_bytes() const {
    return device_->free_bytes();
}

[[gnu::hot]] AccessScope::AccessScope(Memory* memory) : memory_(memory != nullptr && memory->strict() ? memory : nullptr) {
    if (memory_ != nullptr) memory_->device_->open();
}

[[gnu::hot]] AccessScope::~AccessScope() {
    if (memory_ != nullptr) memory_->device_->close();
}

} // namespace mock
