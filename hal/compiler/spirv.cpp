// Instructions are read by their operation codes and word counts alone (SPIR-V specification 2.3). See spirv.h.
#include "spirv.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "spirv_words.h"

namespace qiao::compiler::spirv {
namespace {

constexpr std::string_view kReflection = "NonSemantic.ClspvReflection", kReflectionExtension = "SPV_KHR_non_semantic_info";
constexpr uint32_t kString = 7, kExtension = 10, kExtInstImport = 11, kExtInst = 12, kCapability = 17, kTypeInt = 21, kConstant = 43, kDecorate = 71;
constexpr uint32_t kTypePointer = 32, kVariable = 59, kMemberDecorate = 72;
constexpr uint32_t kBinding = 33, kDescriptorSet = 34, kOffset = 35; /* decorations */
constexpr uint32_t kPushConstantClass = 9;
/* OpAtomicLoad to OpAtomicXor, which all begin with their result's type; OpenCL C 1.2 has no atomic store. */
constexpr uint32_t kFirstAtomic = 227, kLastAtomic = 242, kAtomicStore = 228;
constexpr uint32_t kInt64Atomics = 12;

/* Instructions of NonSemantic.ClspvReflection. */
enum Reflected : uint32_t {
    kKernel = 1,
    kArgumentInfo = 2,
    kStorageBuffer = 3,
    kPodUniform = 6,
    kPodPushConstant = 7,
    kWorkgroup = 11,
    kWorkgroupSize = 12,
    kGlobalOffset = 13,
    kWorkDimensions = 14,
    kRequiredWorkgroupSize = 24,
    kPointerPushConstant = 26,
    kPointerUniform = 27,
    kPrintfInfo = 38,
    kPrintfStorageBuffer = 39,
    kPrintfPushConstant = 40,
    kWorkgroupVariableSize = 42,
};

class Reader {
  public:
    std::optional<std::string> problem;
    Reflection reflection;

    void read(uint32_t operation, const uint32_t* word, uint32_t count) {
        if (operation == kString && count > 2) strings_[word[1]] = text_at(word + 2, count - 2);
        if (operation == kConstant && count == 4) constants_[word[2]] = word[3];
        if (operation == kExtInstImport && count > 2 && text_at(word + 2, count - 2).rfind(kReflection, 0) == 0)
            set_ = word[1];
        if (operation == kExtInst && count > 4 && word[3] == set_) reflected(word[4], word[2], word + 5, count - 5);
        if (operation == kMemberDecorate && count == 5 && word[3] == kOffset && word[2] == 1) second_members_[word[1]] = word[4];
        if (operation == kTypePointer && count == 4 && word[2] == kPushConstantClass) pointees_[word[1]] = word[3];
        if (operation == kVariable && count > 3 && word[3] == kPushConstantClass) pushed_ = pointees_[word[1]];
    }
    /* What clspv 0.0.1 says of arguments behind the address of what is printed is rounded up to their alignment, unlike what its
     * code does: the block is the second member of the struct. */
    void find_arguments() {
        if (reflection.output.kind == Output::Kind::kPushConstant) reflection.output.arguments_offset = second_members_[pushed_];
    }

  private:
    uint32_t number(uint32_t id) {
        const auto found = constants_.find(id);
        if (found != constants_.end()) return found->second;
        problem = "its reflection refers to what is no constant";
        return 0;
    }
    Kernel& kernel(uint32_t id) { return reflection.kernels[kernels_[id]]; }

    void reflected(uint32_t what, uint32_t result, const uint32_t* operand, uint32_t count);

    uint32_t set_ = 0, pushed_ = 0; /* ids; of the struct of push constants */
    std::map<uint32_t, uint32_t> second_members_, pointees_;
    std::map<uint32_t, std::string> strings_;
    std::map<uint32_t, uint32_t> constants_;
    std::map<uint32_t, std::string> kernels_; /* id of the reflection's Kernel -> name */
};

/* Operands by the specification of NonSemantic.ClspvReflection, revision 5. */
void Reader::reflected(uint32_t what, uint32_t result, const uint32_t* operand, uint32_t count) {
    using Kind = Argument::Kind;
    const auto at = [&](uint32_t index) { return index < count ? number(operand[index]) : 0; };
    switch (what) {
        case kKernel:
            if (count < 2) break;
            kernels_[result] = strings_[operand[1]];
            reflection.kernels[strings_[operand[1]]];
            return;
        case kPodPushConstant:
        case kPointerPushConstant:
            kernel(operand[0]).arguments[at(1)] = {Kind::kPushConstant, at(2), at(3), 0, 0};
            return;
        case kPodUniform:
        case kPointerUniform:
            if (at(2) != 0) problem = "its arguments are not in set 0";
            kernel(operand[0]).arguments[at(1)] = {Kind::kUniform, at(4), at(5), 0, at(3)};
            return;
        case kStorageBuffer:
            if (at(2) != 0) problem = "its buffers are not in set 0";
            kernel(operand[0]).arguments[at(1)] = {Kind::kBuffer, 0, 0, 0, at(3)};
            return;
        case kWorkgroup:
            kernel(operand[0]).arguments[at(1)] = {Kind::kLocal, 0, at(3), at(2), 0};
            return;
        case kWorkgroupSize:
            for (uint32_t i = 0; i < 3; ++i)
                reflection.constants.group[i] = at(i);
            return;
        case kGlobalOffset:
            for (uint32_t i = 0; i < 3; ++i)
                reflection.constants.offset[i] = at(i);
            return;
        case kWorkDimensions:
            reflection.constants.dimensions = at(0);
            return;
        case kPrintfInfo: {
            if (count < 2) break;
            PrintfCall& call = reflection.output.calls[at(0)];
            call.format = strings_[operand[1]];
            for (uint32_t i = 2; i < count; ++i) {
                call.sizes.push_back(at(i));
                if (at(i) % 4 != 0) problem = "clspv 0.0.1 writes other arguments over a short3 that is printed";
            }
            return;
        }
        case kPrintfStorageBuffer:
            reflection.output.kind = Output::Kind::kBuffer;
            reflection.output.set = at(0), reflection.output.binding = at(1), reflection.output.size = at(2);
            return;
        case kPrintfPushConstant:
            reflection.output.kind = Output::Kind::kPushConstant;
            reflection.output.offset = at(0), reflection.output.size = at(2);
            return;
        case kArgumentInfo:
        case kRequiredWorkgroupSize:
        case kWorkgroupVariableSize:
            return;
    }
    problem = concat("it needs something that kernels are not given (instruction ", what,
                     " of clspv's reflection: a sampler, an image or a buffer of constants)");
}

} // namespace

Outcome<std::vector<uint32_t>> words_of(const std::string& bytes, std::string_view maker) {
    std::vector<uint32_t> words(bytes.size() / 4);
    if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * 4);
    if (words.size() <= kHeaderWords || words[0] != kMagic || !for_each(words, [](uint32_t, const uint32_t*, uint32_t) {}))
        return Failure{QIAO_ERROR_INTERNAL, concat(maker, " wrote something that is no SPIR-V module"), "report this as a defect", "", 0};
    return words;
}

Outcome<Reflection> reflect(const std::vector<uint32_t>& words) {
    Reader reader;
    for_each(words, [&](uint32_t operation, const uint32_t* word, uint32_t count) { reader.read(operation, word, count); });
    reader.find_arguments();
    const auto& calls = reader.reflection.output.calls;
    if (!calls.empty() && calls.rbegin()->first + 1 != calls.size()) reader.problem = "calls of printf are not numbered from 0 on";
    if (reader.problem)
        return Failure{QIAO_ERROR_UNSUPPORTED, concat("the Vulkan module cannot be used: ", *reader.problem),
                       "leave out the format spirv-vulkan", "", 0};
    return std::move(reader.reflection);
}

void remove_reflection(std::vector<uint32_t>& words) {
    std::vector<uint32_t> kept(words.begin(), words.begin() + kHeaderWords);
    uint32_t set = 0;
    for_each(words, [&](uint32_t operation, const uint32_t* word, uint32_t count) {
        if (operation == kExtension && text_at(word + 1, count - 1) == kReflectionExtension) return;
        if (operation == kExtInst && count > 4 && word[3] == set) return;
        if (operation == kExtInstImport && text_at(word + 2, count - 2).rfind(kReflection, 0) == 0) {
            set = word[1];
            return;
        }
        kept.insert(kept.end(), word, word + count);
    });
    words = std::move(kept);
}

void move_output(std::vector<uint32_t>& words, Reflection& reflection) {
    Output& output = reflection.output;
    if (output.kind != Output::Kind::kBuffer || output.set == 0) return;
    uint32_t binding = 0;
    for (const auto& [name, kernel] : reflection.kernels)
        for (const auto& [ordinal, argument] : kernel.arguments)
            if (argument.kind == Argument::Kind::kBuffer || argument.kind == Argument::Kind::kUniform)
                binding = std::max(binding, argument.binding + 1);
    uint32_t variable = 0; /* the only one of its set */
    for_each(words, [&](uint32_t operation, const uint32_t* word, uint32_t count) {
        if (operation == kDecorate && count == 4 && word[2] == kDescriptorSet && word[3] == output.set) variable = word[1];
    });
    for (size_t at = kHeaderWords; at < words.size(); at += words[at] >> 16) {
        if (words[at] != (4u << 16 | kDecorate) || words[at + 1] != variable) continue;
        if (words[at + 2] == kDescriptorSet) words[at + 3] = 0;
        if (words[at + 2] == kBinding) words[at + 3] = binding;
    }
    output.set = 0;
    output.binding = binding;
}

void declare_int64_atomics(std::vector<uint32_t>& words) {
    std::vector<uint32_t> longs; /* ids of 64-bit integer types; SPIR-V has one of each signedness at most */
    bool used = false, declared = false;
    for_each(words, [&](uint32_t operation, const uint32_t* word, uint32_t count) {
        if (operation == kCapability) declared |= word[1] == kInt64Atomics;
        if (operation == kTypeInt && word[2] == 64) longs.push_back(word[1]);
        if (operation >= kFirstAtomic && operation <= kLastAtomic && operation != kAtomicStore && count > 2)
            used |= std::find(longs.begin(), longs.end(), word[1]) != longs.end();
    });
    if (!used || declared) return;
    const uint32_t capability[] = {2u << 16 | kCapability, kInt64Atomics};
    words.insert(words.begin() + kHeaderWords, std::begin(capability), std::end(capability));
}

} // namespace qiao::compiler::spirv
