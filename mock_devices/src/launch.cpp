/* Calls work-groups with PoCL 3.1's conventions. Nothing is allocated, unless the kernel prints: arguments and context live on
 * the stack. */
#include "launch.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace mock {
namespace {

/* For threads whose stack is not known; applications have as little as 64 KiB. */
constexpr uint64_t kSmallStack = 16 << 10;
constexpr uint32_t kSmallGroup = 64; /* where the private memory is not known either */

/* Where the groups of one thread print to; PoCL's printf formats, and stops at the buffer's end. */
class OutputBuffer {
  public:
    OutputBuffer(const KernelDesc& desc, GroupContext& context) : desc_(desc), text_(desc.output ? new (std::nothrow) char[kMaxOutputBytes] : nullptr) {
        context.printf_buffer = reinterpret_cast<unsigned char*>(text_.get());
        context.printf_position = &position_; /* must be valid although there is no buffer */
        context.printf_capacity = text_ != nullptr ? kMaxOutputBytes : 0;
    }
    /* A group has ended. */
    void deliver() {
        if (position_ == 0) [[likely]]
            return;
        if (text_ != nullptr) desc_.output({text_.get(), std::min(position_, kMaxOutputBytes)}, position_ >= kMaxOutputBytes);
        position_ = 0;
    }

  private:
    const KernelDesc& desc_;
    const std::unique_ptr<char[]> text_;
    uint32_t position_ = 0;
};

uint32_t round_up_128(uint32_t value) {
    return (value + 127) & ~uint32_t{127};
}

uint32_t read_u32(const std::byte* from) {
    uint32_t value;
    std::memcpy(&value, from, sizeof(value));
    return value;
}

std::string sizes(const uint32_t (&values)[3]) {
    return std::to_string(values[0]) + " x " + std::to_string(values[1]) + " x " + std::to_string(values[2]);
}

uint64_t group_items(const Shape& shape) {
    return uint64_t{shape.group_size[0]} * shape.group_size[1] * shape.group_size[2];
}

uint64_t stack_bytes(const Launch& launch) {
    const KernelDesc& desc = launch.kernel->desc();
    return desc.private_bytes * group_items(launch.shape) + desc.fixed_stack_bytes;
}

uint64_t local_bytes(const Kernel& kernel, const std::byte* block) {
    uint64_t total = kernel.automatic_bytes();
    for (const Argument& argument : kernel.desc().arguments) {
        if (argument.kind == ArgumentKind::kLocal)
            total += (uint64_t{read_u32(block + argument.offset)} + 127) & ~uint64_t{127};
    }
    return total;
}

[[gnu::cold]] Status refuse_sizes(const Launch& launch, uint32_t max_group_size) {
    const std::string who = "kernel " + launch.kernel->desc().name;
    const Shape& shape = launch.shape;
    for (int i = 0; i < 3; ++i) {
        if (shape.group_count[i] == 0 || shape.group_size[i] == 0) {
            return {Code::kOutOfRange, who + ": " + sizes(shape.group_count) + " groups of " + sizes(shape.group_size) +
                                           " work-items: none may be 0"};
        }
    }
    if (uint64_t{shape.group_size[0]} * shape.group_size[1] > max_group_size || group_items(shape) > max_group_size) {
        return {Code::kOutOfRange,
                who + ": a group of " + sizes(shape.group_size) + " work-items; the card's limit is " +
                    std::to_string(max_group_size),
                "choose a smaller group"};
    }
    return {Code::kOutOfRange, who + ": more than 2^64 work-items"};
}

[[gnu::cold]] Status refuse_required(const Launch& launch) {
    const auto& required = launch.kernel->desc().required_group;
    const uint32_t wanted[3] = {required[0], required[1], required[2]};
    return {Code::kInvalid,
            "kernel " + launch.kernel->desc().name + ": a group of " + sizes(launch.shape.group_size) +
                " work-items; the kernel requires " + sizes(wanted),
            "launch it with the group size it requires"};
}

[[gnu::cold]] Status refuse_private(const Launch& launch, uint64_t available) {
    const KernelDesc& desc = launch.kernel->desc();
    const uint64_t items = group_items(launch.shape);
    const uint64_t room = available > desc.fixed_stack_bytes ? available - desc.fixed_stack_bytes : 0;
    return {Code::kOutOfRange,
            "kernel " + desc.name + ": a group of " + std::to_string(items) + " work-items with " +
                std::to_string(desc.private_bytes) + " bytes of private memory each, and " +
                std::to_string(desc.fixed_stack_bytes) + " in common, needs " + std::to_string(stack_bytes(launch)) +
                " bytes; the card has " + std::to_string(available) + " per group",
            desc.private_bytes == 0
                ? "use smaller private arrays"
                : "choose a group of at most " + std::to_string(room / desc.private_bytes) + " work-items"};
}

[[gnu::cold]] Status refuse_local(const Launch& launch, uint64_t needed, uint32_t available) {
    return {Code::kOutOfRange,
            "kernel " + launch.kernel->desc().name + ": " + std::to_string(needed) +
                " bytes of local memory (each buffer rounded up to 128); the card has " + std::to_string(available) +
                " per group",
            "use smaller local buffers"};
}

} // namespace

[[gnu::hot]] Status check_launch(Launch& launch, const std::byte* block, uint32_t max_group_size, uint32_t local_memory_bytes,
                    uint64_t private_memory_bytes) {
    const Kernel& kernel = *launch.kernel;
    const Shape& shape = launch.shape;
    /* Products of two 32-bit numbers do not overflow; that of the first two is limited before the third comes in. */
    const uint64_t plane = uint64_t{shape.group_size[0]} * shape.group_size[1];
    const uint64_t group = plane <= max_group_size ? plane * shape.group_size[2] : UINT64_MAX;
    if (group - 1 >= max_group_size ||
        __builtin_mul_overflow(uint64_t{shape.group_count[0]} * shape.group_count[1], uint64_t{shape.group_count[2]},
                               &launch.group_count) ||
        __builtin_mul_overflow(launch.group_count, group, &launch.items) || launch.items == 0) {
        return refuse_sizes(launch, max_group_size);
    }
    const auto& required = kernel.desc().required_group;
    if (required[0] != 0 && (shape.group_size[0] != required[0] || shape.group_size[1] != required[1] ||
                             shape.group_size[2] != required[2])) {
        return refuse_required(launch);
    }
    if (stack_bytes(launch) > private_memory_bytes) return refuse_private(launch, private_memory_bytes);
    if (kernel.uses_local()) {
        const uint64_t needed = local_bytes(kernel, block);
        if (needed > local_memory_bytes) return refuse_local(launch, needed, local_memory_bytes);
    }
    return {};
}

bool fits_any_stack(const Launch& launch) {
    return launch.kernel->desc().stack_known ? stack_bytes(launch) <= kSmallStack
                                             : group_items(launch.shape) <= kSmallGroup;
}

[[gnu::hot]] void run_groups(const Launch& launch, const std::byte* block, std::byte* local, uint64_t begin, uint64_t end) {
    const KernelDesc& desc = launch.kernel->desc();
    const Shape& shape = launch.shape;
    void* arguments[kMaxArguments + kMaxAutomaticLocals];
    void* locals[kMaxArguments + kMaxAutomaticLocals];
    size_t count = 0;
    size_t local_count = 0;
    for (const Argument& argument : desc.arguments) {
        std::byte* value = const_cast<std::byte*>(block) + argument.offset;
        if (argument.kind != ArgumentKind::kLocal) {
            arguments[count++] = value;
            continue;
        }
        locals[local_count] = local;
        arguments[count++] = &locals[local_count++];
        local += round_up_128(read_u32(value));
    }
    for (uint32_t bytes : desc.automatic_locals) {
        locals[local_count] = local;
        arguments[count++] = &locals[local_count++];
        local += round_up_128(bytes);
    }
    GroupContext context;
    OutputBuffer output(desc, context);
    for (int i = 0; i < 3; ++i) {
        context.group_count[i] = shape.group_count[i];
        context.global_offset[i] = shape.global_offset[i];
        context.group_size[i] = shape.group_size[i];
    }
    context.dimensions = shape.dimensions;
    if (end == 1) {
        desc.function(arguments, &context, 0, 0, 0);
        return output.deliver();
    }
    uint64_t x = begin % shape.group_count[0];
    uint64_t y = begin / shape.group_count[0] % shape.group_count[1];
    uint64_t z = begin / shape.group_count[0] / shape.group_count[1];
    for (uint64_t at = begin; at < end; ++at) {
        desc.function(arguments, &context, x, y, z);
        output.deliver();
        if (++x < shape.group_count[0]) continue;
        x = 0;
        if (++y < shape.group_count[1]) continue;
        y = 0;
        ++z;
    }
}

#if defined(__x86_64__)

namespace {
constexpr uint32_t kDefaultControl = 0x1f80;
constexpr uint32_t kFlagsMask = 0x3f; /* exceptions seen: no setting */
} // namespace

[[gnu::hot]] FloatingPointScope::FloatingPointScope() : saved_(_mm_getcsr()) {
    changed_ = (saved_ & ~kFlagsMask) != kDefaultControl;
    if (changed_) _mm_setcsr(kDefaultControl);
}

[[gnu::hot]] FloatingPointScope::~FloatingPointScope() {
    if (changed_) _mm_setcsr(saved_);
}

#else

/* Elsewhere kernels run on workers and on threads that keep the default, as the C library sets it. */
FloatingPointScope::FloatingPointScope() = default;
FloatingPointScope::~FloatingPointScope() = default;

#endif

} // namespace mock
