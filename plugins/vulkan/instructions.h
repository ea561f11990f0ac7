// A SPIR-V module as its instructions (SPIR-V specification 2.3), told by their operation codes; the module has passed refuse_module.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "entry_point.h"

namespace qiao::vulkan {

inline constexpr size_t kHeaderWords = 5;

enum Operation : uint32_t {
    kName = 5,
    kEntryPoint = 15,
    kExecutionMode = 16,
    kCapability = 17,
    kTypeVoid = 19, // the first of the types
    kTypeBool = 20,
    kTypeInt = 21,
    kTypeVector = 23,
    kTypeStruct = 30,
    kTypePointer = 32,
    kConstant = 43,
    kConstantComposite = 44,
    kFunction = 54,
    kFunctionEnd = 56,
    kFunctionCall = 57,
    kVariable = 59,
    kLoad = 61,
    kStore = 62,
    kAccessChain = 65,
    kInBoundsAccessChain = 66,
    kDecorate = 71,
    kMemberDecorate = 72,
    kCompositeConstruct = 80,
    kCompositeExtract = 81,
    kUConvert = 113,
    kIAdd = 128,
    kIMul = 132,
    kUDiv = 134,
    kUMod = 137,
    kUGreaterThanEqual = 174,
    kSelectionMerge = 247,
    kLabel = 248,
    kBranch = 249,
    kBranchConditional = 250,
    kReturn = 253,
    kExecutionModeId = 331,
    kDecorateId = 332,
};

struct Instruction {
    const uint32_t* words;
    uint32_t count;
    uint32_t operation() const { return words[0] & 0xffff; }
};

inline std::vector<Instruction> instructions_of(const Words& words) {
    std::vector<Instruction> instructions;
    for (size_t at = kHeaderWords; at < words.size();) {
        const uint32_t count = words[at] >> 16;
        if (count == 0 || at + count > words.size()) break;
        instructions.push_back({&words[at], count});
        at += count;
    }
    return instructions;
}

// An entry point's name, and the word behind it.
inline std::string name_of(const Instruction& entry, uint32_t* out_behind) {
    const auto* name = reinterpret_cast<const char*>(entry.words + 3);
    const size_t length = strnlen(name, size_t{4} * (entry.count - 3));
    *out_behind = 3 + static_cast<uint32_t>(length / 4) + 1;
    return {name, length};
}

} // namespace qiao::vulkan
