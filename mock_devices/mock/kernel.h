/* A kernel as the card runs it: a function that runs one work-group (PoCL 3.1's calling convention), the layout of its
 * packed arguments, and what was learned of its running time. Where the function comes from is not known here: from an ELF
 * image (module.h) or linked in. */
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mock/status.h"

namespace mock {

/* The 3.1 layout of PoCL's struct pocl_context; private to that version, so images of others are refused. */
struct GroupContext {
    uint64_t group_count[3];
    uint64_t global_offset[3];
    uint64_t group_size[3];
    unsigned char* printf_buffer;
    uint32_t* printf_position;
    uint32_t printf_capacity;
    uint32_t dimensions;
};

/* `arguments[i]` points to the value; for addresses and local memory to a variable that holds the pointer. Automatic local
 * buffers follow the declared arguments. */
using WorkGroupFunction = void (*)(void** arguments, GroupContext* context, uint64_t group_x, uint64_t group_y,
                                   uint64_t group_z);

enum class ArgumentKind : uint8_t { kValue, kAddress, kLocal };

struct Argument {
    std::string name;
    ArgumentKind kind = ArgumentKind::kValue;
    uint32_t offset = 0; /* in the packed block; kLocal: where its uint32_t byte count stands */
    uint32_t size = 0;
    uint32_t alignment = 1;
};

/* What a kernel is made from. */
struct KernelDesc {
    std::string name;
    WorkGroupFunction function = nullptr;
    std::vector<Argument> arguments;
    uint32_t block_size = 0;
    std::vector<uint32_t> automatic_locals;   /* bytes of each, in the order of the trailing arguments */
    std::array<uint32_t, 3> required_group{}; /* zero = none */
    bool stack_known = false;                 /* the next two were told */
    uint32_t private_bytes = 0;               /* of stack for each work-item of a group */
    uint32_t fixed_stack_bytes = 0;           /* of stack for the group as a whole */
    /* Told what each group printed, and whether there was no room for more; empty = the kernel prints nothing. */
    std::function<void(std::string_view text, bool cut)> output;
    bool waits_for_host = false; /* spins on memory that somebody else writes: never run by its submitter */
};

/* What one group may print; OpenCL promises as much to a whole launch. */
inline constexpr uint32_t kMaxOutputBytes = 1 << 20;

/* Limits that let a launch use arrays on the stack. */
inline constexpr uint32_t kMaxArguments = 128;
inline constexpr uint32_t kMaxAutomaticLocals = 64;
inline constexpr uint32_t kMaxBlockBytes = 4096;
inline constexpr uint32_t kMaxAlignment = 128;

class Kernel {
  public:
    /* Null description fields and layouts that do not fit their block are errors, never crashes later. */
    static Status validate(const KernelDesc& desc);
    /* `desc` has been validated. */
    explicit Kernel(KernelDesc desc);

    const KernelDesc& desc() const { return desc_; }
    uint32_t max_alignment() const { return max_alignment_; }
    uint32_t automatic_bytes() const { return automatic_bytes_; } /* each rounded up to 128 */
    bool uses_local() const { return uses_local_; }
    /* Offsets of the address arguments, with their index: what a launch checks. */
    struct AddressSlot {
        uint32_t offset;
        uint32_t index;
    };
    const std::vector<AddressSlot>& addresses() const { return addresses_; }

    /* Processor time, in ticks, that a launch with so many work-items is expected to take; kUnknown without history. */
    static constexpr uint64_t kUnknown = UINT64_MAX;
    uint64_t predict(uint64_t items) const;
    void learn(uint64_t items, uint64_t ticks) const;

  private:
    const KernelDesc desc_;
    uint32_t max_alignment_ = 1;
    uint32_t automatic_bytes_ = 0;
    bool uses_local_ = false;
    std::vector<AddressSlot> addresses_;
    mutable std::array<std::atomic<uint64_t>, 65> history_; /* by the number of bits of `items`; 0 = none */
};

} // namespace mock
