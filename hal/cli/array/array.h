/* Arrays as the command line knows them: an element type, a shape and the bytes in C order and the host's byte order.
 * Where they come from and how a kernel takes them is known elsewhere. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "cli/array/half.h"

namespace qiao::cli {

enum class Element : uint8_t { F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64 };

using Shape = std::vector<uint64_t>;

struct Array {
    Element element = Element::U8;
    Shape shape;
    std::vector<std::byte> bytes;
};

const char* element_name(Element element); /* "f32" */
std::optional<Element> parse_element(std::string_view name);
uint64_t element_size(Element element);
bool is_float(Element element);

/* Elements or bytes of a shape; nothing if they do not fit 64 bits. A shape without dimensions has one element. */
std::optional<uint64_t> element_count(const Shape& shape);
std::optional<uint64_t> byte_count(Element element, const Shape& shape);

std::string shape_text(const Shape& shape);                   /* "512x512" */
std::string type_text(Element element, const Shape& shape);   /* "f32[512x512]" */
std::string index_text(const Shape& shape, uint64_t element); /* "[3, 17]" of the element's place in C order */
std::string value_text(const Array& array, uint64_t element);

/* Zeroed. Throws Failure if it has more bytes than this machine has memory; `what` names it in the message. */
Array make_array(Element element, const Shape& shape, const std::string& what);

/* Calls `call` with std::type_identity of the element's C++ type. */
template <typename Call>
decltype(auto) visit_element(Element element, Call&& call) {
    switch (element) {
        case Element::F16:
            return call(std::type_identity<Half>());
        case Element::F32:
            return call(std::type_identity<float>());
        case Element::F64:
            return call(std::type_identity<double>());
        case Element::I8:
            return call(std::type_identity<int8_t>());
        case Element::I16:
            return call(std::type_identity<int16_t>());
        case Element::I32:
            return call(std::type_identity<int32_t>());
        case Element::I64:
            return call(std::type_identity<int64_t>());
        case Element::U8:
            return call(std::type_identity<uint8_t>());
        case Element::U16:
            return call(std::type_identity<uint16_t>());
        case Element::U32:
            return call(std::type_identity<uint32_t>());
        case Element::U64:
            break;
    }
    return call(std::type_identity<uint64_t>());
}

} // namespace qiao::cli
