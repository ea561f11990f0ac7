/* Checks of a kernel's description, and the history of its running times. */
#include "mock/kernel.h"

#include <algorithm>
#include <bit>

namespace mock {
namespace {

uint32_t round_up_128(uint32_t value) {
    return (value + 127) & ~uint32_t{127};
}

Status check_argument(const KernelDesc& desc, size_t index) {
    const Argument& argument = desc.arguments[index];
    const std::string who =
        "kernel " + desc.name + ": argument " + std::to_string(index) + " \"" + argument.name + "\"";
    if (!std::has_single_bit(argument.alignment) || argument.alignment > kMaxAlignment) {
        return {Code::kInvalid, who + ": alignment " + std::to_string(argument.alignment) +
                                    " is not a power of two from 1 to " + std::to_string(kMaxAlignment)};
    }
    const uint32_t size = argument.kind == ArgumentKind::kValue     ? argument.size
                          : argument.kind == ArgumentKind::kAddress ? 8
                                                                    : 4;
    if (size == 0 || argument.size != size) {
        return {Code::kInvalid, who + ": " + std::to_string(argument.size) +
                                    " bytes; an address has 8, the size of local memory 4, "
                                    "a value at least 1"};
    }
    if (argument.offset % argument.alignment != 0 || argument.offset > desc.block_size ||
        size > desc.block_size - argument.offset) {
        return {Code::kInvalid, who + ": offset " + std::to_string(argument.offset) + " with " + std::to_string(size) +
                                    " bytes, aligned to " + std::to_string(argument.alignment) +
                                    ", does not fit a block of " + std::to_string(desc.block_size)};
    }
    return {};
}

} // namespace

Status Kernel::validate(const KernelDesc& desc) {
    const std::string who = "kernel " + desc.name;
    if (desc.function == nullptr) return {Code::kInvalid, who + ": has no function"};
    if (desc.arguments.size() > kMaxArguments) {
        return {Code::kOutOfRange, who + ": " + std::to_string(desc.arguments.size()) + " arguments; the limit is " +
                                       std::to_string(kMaxArguments)};
    }
    if (desc.automatic_locals.size() > kMaxAutomaticLocals) {
        return {Code::kOutOfRange, who + ": " + std::to_string(desc.automatic_locals.size()) +
                                       " local variables; the limit is " + std::to_string(kMaxAutomaticLocals)};
    }
    if (desc.block_size > kMaxBlockBytes) {
        return {Code::kOutOfRange, who + ": an argument block of " + std::to_string(desc.block_size) +
                                       " bytes; the limit is " + std::to_string(kMaxBlockBytes)};
    }
    uint64_t local = 0;
    for (uint32_t bytes : desc.automatic_locals)
        local += bytes;
    if (local > UINT32_MAX / 2)
        return {Code::kOutOfRange, who + ": " + std::to_string(local) + " bytes of local variables"};
    for (size_t index = 0; index < desc.arguments.size(); ++index) {
        if (Status status = check_argument(desc, index); !status.ok()) return status;
    }
    return {};
}

Kernel::Kernel(KernelDesc desc) : desc_(std::move(desc)) {
    for (uint32_t index = 0; index < desc_.arguments.size(); ++index) {
        const Argument& argument = desc_.arguments[index];
        max_alignment_ = std::max(max_alignment_, argument.alignment);
        if (argument.kind == ArgumentKind::kAddress) addresses_.push_back({argument.offset, index});
        if (argument.kind == ArgumentKind::kLocal) uses_local_ = true;
    }
    for (uint32_t bytes : desc_.automatic_locals)
        automatic_bytes_ += round_up_128(bytes);
    if (automatic_bytes_ > 0) uses_local_ = true;
    for (auto& entry : history_)
        entry.store(0, std::memory_order_relaxed);
}

/* More work-items were never faster: where this size has no history that of the next larger one is an upper bound. */
[[gnu::hot]] uint64_t Kernel::predict(uint64_t items) const {
    for (size_t bucket = static_cast<size_t>(std::bit_width(items)); bucket < history_.size(); ++bucket) {
        const uint64_t ticks = history_[bucket].load(std::memory_order_relaxed);
        if (ticks != 0) return ticks;
    }
    return kUnknown;
}

/* Rises at once and falls by halves, so that one slow run keeps the kernel from its submitter for a while. Mostly writes
 * nothing: threads that launch the same kernel share this cache line. */
[[gnu::hot]] void Kernel::learn(uint64_t items, uint64_t ticks) const {
    std::atomic<uint64_t>& entry = history_[static_cast<size_t>(std::bit_width(items))];
    const uint64_t known = entry.load(std::memory_order_relaxed);
    if (ticks > known) {
        entry.store(ticks, std::memory_order_relaxed);
    } else if (ticks < known / 2) {
        entry.store(std::max<uint64_t>(known - (known - ticks) / 2, 1), std::memory_order_relaxed);
    }
}

} // namespace mock
