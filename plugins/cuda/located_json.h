// JSON whose keys remember the line they stand in, so that errors can say it. Refuses a key that is there twice, and what is nested
// too deep.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace qiao::cuda {

struct LocatedJson {
    nlohmann::json root;
    std::map<std::string, unsigned> lines; // "slots.init" -> 41; elements of arrays have their array's
    std::string problem;                   // "" or what is wrong, without the file's name
    unsigned problem_line = 0;
};

LocatedJson parse_located(std::string_view text);

} // namespace qiao::cuda
