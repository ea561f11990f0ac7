/* Remedies are written for users of a plugin; here its maker reads them. */
#pragma once

#include <string>
#include <string_view>

namespace qiao::cli {

/* Without "report this to the plugin's maker", with what the maker does instead. */
inline std::string for_the_maker(const std::string& remedy) {
    constexpr std::string_view kToMaker = "report this to the plugin's maker";
    if (!remedy.starts_with(kToMaker)) return remedy;
    const std::string rest = remedy.substr(kToMaker.size());
    if (rest.starts_with(": ") || rest.starts_with("; ")) return rest.substr(2);
    return "correct what the plugin does there: hal/docs/plugin_guide.md, section 2, says what it owes";
}

} // namespace qiao::cli
