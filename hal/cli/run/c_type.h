/* OpenCL C type texts, as reflection gives them: what an element of "global const float4*" is. */
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cli/array/array.h"

namespace qiao::cli {

/* A scalar or vector of one of our element types, without qualifiers and stars. */
struct CType {
    Element element = Element::U8;
    uint32_t width = 1; /* as written: 3 for float3 */

    uint32_t stored_width() const { return width == 3 ? 4 : width; } /* a float3 takes the room of four */
    uint64_t stored_bytes() const { return element_size(element) * stored_width(); }
};

/* Nothing for structs, typedefs, void: then any bytes of the right size will do. */
std::optional<CType> parse_c_type(std::string_view type);

} // namespace qiao::cli
