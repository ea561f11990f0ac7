/* A word list is enough: OpenCL C has few built-in types, and everything else is opaque here. */
#include "cli/run/c_type.h"

#include <algorithm>
#include <array>
#include <string>

#include "cli/array/numbers.h"

namespace qiao::cli {
namespace {

constexpr std::string_view kQualifiers[] = {
    "global", "__global", "constant", "__constant", "local",   "__local",   "private",    "__private",
    "const",  "volatile", "restrict", "__restrict", "generic", "__generic", "restrict__", "__restrict__"};

struct Scalar {
    std::string_view name;
    Element element;
};

constexpr Scalar kScalars[] = {{"char", Element::I8},
                               {"signed char", Element::I8},
                               {"uchar", Element::U8},
                               {"unsigned char", Element::U8},
                               {"short", Element::I16},
                               {"ushort", Element::U16},
                               {"unsigned short", Element::U16},
                               {"int", Element::I32},
                               {"signed int", Element::I32},
                               {"uint", Element::U32},
                               {"unsigned int", Element::U32},
                               {"unsigned", Element::U32},
                               {"long", Element::I64},
                               {"ulong", Element::U64},
                               {"unsigned long", Element::U64},
                               {"half", Element::F16},
                               {"float", Element::F32},
                               {"double", Element::F64},
                               {"int8_t", Element::I8},
                               {"uint8_t", Element::U8},
                               {"int16_t", Element::I16},
                               {"uint16_t", Element::U16},
                               {"int32_t", Element::I32},
                               {"uint32_t", Element::U32},
                               {"int64_t", Element::I64},
                               {"uint64_t", Element::U64}};

/* The words that are not qualifiers, one space between. */
std::string bare(std::string_view type) {
    std::string result;
    std::string word;
    const auto finish = [&] {
        if (word.empty()) return;
        if (std::find(std::begin(kQualifiers), std::end(kQualifiers), word) == std::end(kQualifiers)) {
            result += (result.empty() ? "" : " ") + word;
        }
        word.clear();
    };
    for (const char c : type) {
        if (c == ' ' || c == '*' || c == '\t') {
            finish();
        } else {
            word += c;
        }
    }
    finish();
    return result;
}

std::optional<Element> find_scalar(std::string_view name) {
    for (const Scalar& scalar : kScalars) {
        if (scalar.name == name) return scalar.element;
    }
    return std::nullopt;
}

} // namespace

std::optional<CType> parse_c_type(std::string_view type) {
    if (std::count(type.begin(), type.end(), '*') > 1)
        return std::nullopt; /* pointers to pointers are data of their own */
    const std::string name = bare(type);
    if (const std::optional<Element> scalar = find_scalar(name)) return CType{*scalar, 1};
    const size_t digits = name.find_last_not_of("0123456789") + 1;
    const std::optional<uint64_t> width = parse_unsigned(std::string_view(name).substr(digits));
    const std::optional<Element> scalar = find_scalar(std::string_view(name).substr(0, digits));
    constexpr std::array<uint64_t, 5> kWidths = {2, 3, 4, 8, 16};
    if (!scalar || !width || std::find(kWidths.begin(), kWidths.end(), *width) == kWidths.end()) return std::nullopt;
    return CType{*scalar, static_cast<uint32_t>(*width)};
}

} // namespace qiao::cli
