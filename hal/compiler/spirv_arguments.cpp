// Types are read as far as kernels can have them as arguments (SPIR-V environment specification for OpenCL, 2.9).
#include "spirv_arguments.h"

#include <algorithm>
#include <set>

#include "spirv_words.h"

namespace qiao::compiler::spirv {
namespace {

enum Operation : uint32_t {
    kEntryPoint = 15,
    kTypeInt = 21,
    kTypeFloat = 22,
    kTypeVector = 23,
    kTypeArray = 28,
    kTypeStruct = 30,
    kTypePointer = 32,
    kTypeFunction = 33,
    kConstant = 43,
    kFunction = 54,
    kDecorate = 71,
};
constexpr uint32_t kKernelModel = 6, kCPacked = 10, kWorkgroup = 4, kFunctionStorage = 7;

struct Layout {
    uint64_t size = 0, alignment = 1;
};

uint64_t rounded(uint64_t value, uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

class Reader {
  public:
    void read(uint32_t operation, const uint32_t* word, uint32_t count);
    std::map<std::string, std::vector<SeenArgument>> arguments() const;

  private:
    struct Pointer {
        uint32_t storage = 0, pointee = 0;
    };
    Layout layout_of(uint32_t type) const;
    SeenArgument seen(uint32_t type) const;

    std::map<uint32_t, std::string> kernels_;                  /* function -> name */
    std::map<uint32_t, Layout> layouts_;                       /* type -> size */
    std::map<uint32_t, Pointer> pointers_;                     /* type -> what it points to */
    std::map<uint32_t, std::vector<uint32_t>> function_types_; /* type -> parameters' types */
    std::map<uint32_t, uint32_t> functions_;                   /* function -> its type */
    std::map<uint32_t, uint32_t> constants_;
    std::set<uint32_t> packed_;
};

Layout Reader::layout_of(uint32_t type) const {
    if (pointers_.count(type) != 0) return {8, 8};
    const auto found = layouts_.find(type);
    return found == layouts_.end() ? Layout{0, 1} : found->second;
}

void Reader::read(uint32_t operation, const uint32_t* word, uint32_t count) {
    switch (operation) {
        case kEntryPoint:
            if (count > 3 && word[1] == kKernelModel) kernels_[word[2]] = text_at(word + 3, count - 3);
            break;
        case kDecorate:
            if (count > 2 && word[2] == kCPacked) packed_.insert(word[1]);
            break;
        case kTypeInt:
        case kTypeFloat:
            if (count > 2) layouts_[word[1]] = {word[2] / 8, word[2] / 8};
            break;
        case kTypeVector: {
            if (count < 4) break;
            // A vector of three takes the place of four (OpenCL C 6.1.5).
            const uint64_t size = layout_of(word[2]).size * (word[3] == 3 ? 4 : word[3]);
            layouts_[word[1]] = {size, std::max<uint64_t>(size, 1)};
            break;
        }
        case kTypeArray: {
            if (count < 4) break;
            const Layout element = layout_of(word[2]);
            const auto length = constants_.find(word[3]);
            layouts_[word[1]] = {element.size * (length == constants_.end() ? 0 : length->second), element.alignment};
            break;
        }
        case kTypeStruct: {
            Layout all;
            const bool packed = packed_.count(word[1]) != 0;
            for (uint32_t i = 2; i < count; ++i) {
                const Layout member = layout_of(word[i]);
                const uint64_t alignment = packed ? 1 : member.alignment;
                all.size = rounded(all.size, alignment) + member.size;
                all.alignment = std::max(all.alignment, alignment);
            }
            all.size = rounded(all.size, all.alignment);
            layouts_[word[1]] = all;
            break;
        }
        case kTypePointer:
            if (count > 3) pointers_[word[1]] = {word[2], word[3]};
            break;
        case kTypeFunction:
            if (count > 2) function_types_[word[1]] = {word + 3, word + count};
            break;
        case kConstant:
            if (count > 3) constants_[word[2]] = word[3];
            break;
        case kFunction:
            if (count > 4) functions_[word[2]] = word[4];
            break;
        default:
            break;
    }
}

SeenArgument Reader::seen(uint32_t type) const {
    const auto pointer = pointers_.find(type);
    if (pointer == pointers_.end()) return {QIAO_ARGUMENT_KIND_VALUE, layout_of(type).size};
    if (pointer->second.storage == kWorkgroup) return {QIAO_ARGUMENT_KIND_LOCAL, 0};
    // A struct by value is a pointer to a copy.
    if (pointer->second.storage == kFunctionStorage)
        return {QIAO_ARGUMENT_KIND_VALUE, layout_of(pointer->second.pointee).size};
    return {QIAO_ARGUMENT_KIND_ADDRESS, 0};
}

std::map<std::string, std::vector<SeenArgument>> Reader::arguments() const {
    std::map<std::string, std::vector<SeenArgument>> all;
    for (const auto& [function, name] : kernels_) {
        std::vector<SeenArgument>& list = all[name];
        const auto type = functions_.find(function);
        const auto parameters = type == functions_.end() ? function_types_.end() : function_types_.find(type->second);
        if (parameters == function_types_.end()) continue;
        for (const uint32_t parameter : parameters->second)
            list.push_back(seen(parameter));
    }
    return all;
}

} // namespace

std::map<std::string, std::vector<SeenArgument>> kernel_arguments(const std::vector<uint32_t>& words) {
    Reader reader;
    for_each(words, [&](uint32_t operation, const uint32_t* word, uint32_t count) { reader.read(operation, word, count); });
    return reader.arguments();
}

} // namespace qiao::compiler::spirv
