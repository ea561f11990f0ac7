/* Names, sizes and texts of element types and shapes, and the one place where an array's memory is taken. */
#include "cli/array/array.h"

#include <unistd.h>

#include <array>
#include <cstring>
#include <limits>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

struct ElementFacts {
    Element element;
    const char* name;
    uint8_t size;
};

constexpr std::array<ElementFacts, 11> kElements = {{{Element::F16, "f16", 2},
                                                     {Element::F32, "f32", 4},
                                                     {Element::F64, "f64", 8},
                                                     {Element::I8, "i8", 1},
                                                     {Element::I16, "i16", 2},
                                                     {Element::I32, "i32", 4},
                                                     {Element::I64, "i64", 8},
                                                     {Element::U8, "u8", 1},
                                                     {Element::U16, "u16", 2},
                                                     {Element::U32, "u32", 4},
                                                     {Element::U64, "u64", 8}}};

uint64_t physical_memory() {
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long size = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || size <= 0) return std::numeric_limits<uint64_t>::max();
    return static_cast<uint64_t>(pages) * static_cast<uint64_t>(size);
}

} // namespace

const char* element_name(Element element) {
    return kElements[static_cast<size_t>(element)].name;
}

uint64_t element_size(Element element) {
    return kElements[static_cast<size_t>(element)].size;
}

bool is_float(Element element) {
    return element <= Element::F64;
}

std::optional<Element> parse_element(std::string_view name) {
    for (const ElementFacts& facts : kElements) {
        if (name == facts.name) return facts.element;
    }
    return std::nullopt;
}

std::optional<uint64_t> element_count(const Shape& shape) {
    uint64_t count = 1;
    bool overflow = false;
    for (const uint64_t extent : shape) {
        if (extent == 0) return 0;
        overflow = __builtin_mul_overflow(count, extent, &count) || overflow;
    }
    if (overflow) return std::nullopt;
    return count;
}

std::optional<uint64_t> byte_count(Element element, const Shape& shape) {
    const std::optional<uint64_t> count = element_count(shape);
    uint64_t bytes = 0;
    if (!count || __builtin_mul_overflow(*count, element_size(element), &bytes)) return std::nullopt;
    return bytes;
}

std::string shape_text(const Shape& shape) {
    std::string result;
    for (const uint64_t extent : shape) {
        if (!result.empty()) result += 'x';
        result += std::to_string(extent);
    }
    return result;
}

std::string type_text(Element element, const Shape& shape) {
    return text(element_name(element), '[', shape_text(shape), ']');
}

std::string index_text(const Shape& shape, uint64_t element) {
    std::string result;
    for (size_t i = shape.size(); i > 0; --i) {
        const std::string index = std::to_string(element % shape[i - 1]);
        result = result.empty() ? index : index + ", " + result;
        element /= shape[i - 1];
    }
    return "[" + result + "]";
}

std::string value_text(const Array& array, uint64_t element) {
    return visit_element(array.element, [&]<typename T>(std::type_identity<T>) {
        T value;
        std::memcpy(&value, array.bytes.data() + element * sizeof(T), sizeof(T));
        std::ostringstream stream;
        if constexpr (std::is_same_v<T, Half>) {
            stream.precision(5);
            stream << half_to_double(value);
        } else if constexpr (std::is_floating_point_v<T>) {
            stream.precision(std::numeric_limits<T>::max_digits10);
            stream << value;
        } else {
            stream << +value; /* a number, also for the 8-bit types */
        }
        return stream.str();
    });
}

Array make_array(Element element, const Shape& shape, const std::string& what) {
    const std::optional<uint64_t> bytes = byte_count(element, shape);
    if (!bytes || *bytes > physical_memory()) {
        throw Failure(kExitUsage,
                      text(what, ": ", type_text(element, shape), " is larger than this machine's memory of ",
                           physical_memory(), " bytes"),
                      "use a smaller shape");
    }
    return Array{element, shape, std::vector<std::byte>(*bytes)};
}

} // namespace qiao::cli
