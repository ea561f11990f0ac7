/* Why a compilation ended: what the C interface hands to the caller. */
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "package/concat.h"
#include "package/package.h"
#include "qiao/compiler.h"

namespace qiao::compiler {

using package::concat;

struct Failure {
    qiao_status status = QIAO_ERROR_INTERNAL;
    std::string message; /* what was wrong, the value, the limit */
    std::string remedy;  /* what to do */
    std::string log;     /* what the tools said */
    uint32_t line = 0;   /* of the first error */
};

template <typename T>
using Outcome = package::Result<T, Failure>;

/* One variant, ready for the package. */
struct BuiltVariant {
    package::Variant variant;
    std::vector<std::byte> bytes;
};

inline std::vector<std::byte> bytes_of(std::string_view text) {
    const auto span = std::as_bytes(std::span(text));
    return {span.begin(), span.end()};
}

} // namespace qiao::compiler
