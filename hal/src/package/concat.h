/* Error texts from pieces: numbers and strings side by side, without streams or a format library. */
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace qiao::package {

template <typename... Pieces>
std::string concat(const Pieces&... pieces) {
    std::string text;
    const auto append = [&text](const auto& piece) {
        if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(piece)>>)
            text += std::to_string(piece);
        else
            text += std::string_view(piece);
    };
    (append(pieces), ...);
    return text;
}

} // namespace qiao::package
