// Instructions are told by their operation codes (SPIR-V specification 3.49); the module has passed refuse_module. See entry_point.h.
#include "entry_point.h"

#include <map>
#include <set>

#include "instructions.h"

namespace qiao::vulkan {
namespace {

// Of instructions inside functions: the ids they define, 0 = none.
uint32_t result_of(const Instruction& instruction) {
    switch (instruction.operation()) {
        case 0:   // OpNop
        case 8:   // OpLine
        case kFunctionEnd:
        case 62:  // OpStore
        case 63:  // OpCopyMemory
        case 224: // OpControlBarrier
        case 225: // OpMemoryBarrier
        case 228: // OpAtomicStore
        case 246: // OpLoopMerge
        case 247: // OpSelectionMerge
        case 249: // OpBranch
        case 250: // OpBranchConditional
        case 251: // OpSwitch
        case 253: // OpReturn
        case 254: // OpReturnValue
        case 255: // OpUnreachable
        case 317: // OpNoLine
            return 0;
        case kLabel:
            return instruction.words[1];
        default:
            return instruction.count > 2 ? instruction.words[2] : 0;
    }
}

class Pruning {
  public:
    Pruning(const Words& words, const std::string& entry_point) : words_(words), instructions_(instructions_of(words)) {
        find(entry_point);
        reach();
        forget_the_rest();
    }
    Words result() const;

  private:
    using Body = std::vector<Instruction>;
    void find(const std::string& entry_point);
    void reach();
    void forget_the_rest();
    bool keeps(const Instruction& instruction) const;

    const Words& words_;
    const std::vector<Instruction> instructions_;
    const uint32_t* entry_ = nullptr; // its instruction
    uint32_t interface_ = 0;          // the word of it where the list of variables begins
    std::map<uint32_t, Body> functions_;
    std::set<uint32_t> kept_; // functions
    std::set<uint32_t> used_; // words of kept functions: their ids, and literals, which do no harm
    std::set<uint32_t> gone_; // ids that are defined no more
};

void Pruning::find(const std::string& entry_point) {
    Body* body = nullptr;
    for (const Instruction& each : instructions_) {
        uint32_t behind = 0;
        if (each.operation() == kEntryPoint && entry_ == nullptr && name_of(each, &behind) == entry_point) {
            entry_ = each.words;
            interface_ = behind;
        }
        if (each.operation() == kFunction) body = &functions_[each.words[2]];
        if (body != nullptr) body->push_back(each);
        if (each.operation() == kFunctionEnd) body = nullptr;
    }
}

void Pruning::reach() {
    std::vector<uint32_t> open;
    if (entry_ != nullptr) open.push_back(entry_[2]);
    while (!open.empty()) {
        const uint32_t function = open.back();
        open.pop_back();
        if (!kept_.insert(function).second) continue;
        for (const Instruction& each : functions_[function]) {
            used_.insert(each.words + 1, each.words + each.count);
            if (each.operation() == kFunctionCall) open.push_back(each.words[3]);
        }
    }
}

void Pruning::forget_the_rest() {
    for (const auto& [function, body] : functions_) {
        if (kept_.count(function) != 0) continue;
        for (const Instruction& each : body)
            gone_.insert(result_of(each));
    }
    bool global = true;
    for (const Instruction& each : instructions_) {
        if (each.operation() == kFunction) global = false;
        if (global && each.operation() == kVariable && used_.count(each.words[2]) == 0) gone_.insert(each.words[2]);
    }
}

bool Pruning::keeps(const Instruction& instruction) const {
    switch (instruction.operation()) {
        case kExecutionMode:
        case kExecutionModeId:
            return instruction.words[1] == entry_[2];
        case kName:
        case kDecorate:
        case kDecorateId:
            return gone_.count(instruction.words[1]) == 0;
        case kVariable:
            return gone_.count(instruction.words[2]) == 0;
        default:
            return true;
    }
}

Words Pruning::result() const {
    if (entry_ == nullptr) return words_;
    Words out(words_.begin(), words_.begin() + kHeaderWords);
    bool dropping = false;
    for (const Instruction& each : instructions_) {
        if (each.operation() == kFunction) dropping = kept_.count(each.words[2]) == 0;
        if (each.words == entry_) {
            const size_t start = out.size();
            out.insert(out.end(), each.words, each.words + interface_);
            for (uint32_t i = interface_; i < each.count; ++i)
                if (gone_.count(each.words[i]) == 0) out.push_back(each.words[i]);
            out[start] = static_cast<uint32_t>(out.size() - start) << 16 | kEntryPoint;
        } else if (!dropping && each.operation() != kEntryPoint && keeps(each)) {
            out.insert(out.end(), each.words, each.words + each.count);
        }
        if (each.operation() == kFunctionEnd) dropping = false;
    }
    return out;
}

} // namespace

Words module_of(const Words& words, const std::string& entry_point) {
    return Pruning(words, entry_point).result();
}

std::vector<std::string> entry_points_of(const Words& words) {
    std::vector<std::string> names;
    for (const Instruction& each : instructions_of(words)) {
        uint32_t behind = 0;
        if (each.operation() == kEntryPoint && each.count > 3) names.push_back(name_of(each, &behind));
    }
    return names;
}

} // namespace qiao::vulkan
