/* Numbers as users write them, and arrays made of them. All errors name what they belong to (`what`). */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/array/array.h"

namespace qiao::cli {

/* Decimal or 0x; nothing else in the text. */
std::optional<uint64_t> parse_unsigned(std::string_view number);

/* Writes one number (decimal, 0x, or floating point with inf and nan for float types) as an element. Throws Failure if it is
 * no number or does not fit. */
void store_number(Element element, std::string_view number, std::byte* target, const std::string& what);

/* Every element the same. */
void fill_constant(Array& array, std::string_view number, const std::string& what);
/* start, start + step, ...: integers exactly, floating point as start + i * step in double. */
void fill_range(Array& array, std::string_view start, std::string_view step, const std::string& what);
/* Element i depends on seed and i only: integers over low to high inclusive, floating point evenly between them. Empty
 * bounds: 0 to 1, or all values of an integer type. */
void fill_random(Array& array, uint64_t seed, std::string_view low, std::string_view high, const std::string& what);

} // namespace qiao::cli
