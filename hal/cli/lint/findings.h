/* What oclgrind wrote, as findings: one for each place and kind, counted. */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace qiao::cli {

struct Place {
    std::string file; /* "" = unknown */
    unsigned line = 0;
    unsigned column = 0;

    bool operator==(const Place&) const = default;
};

struct Finding {
    std::string kind; /* "race", "out-of-bounds", "uninitialised", "divergence", "other" */
    std::string message;
    std::string kernel;
    Place place;
    Place other; /* of a race: where the second access is */
    unsigned count = 0;
};

/* In the order of their first appearance. */
std::vector<Finding> parse_findings(std::string_view log);

/* "k.cl:3:25: race: read-write data race on local memory with line 2 (kernel k, 4 times)". */
std::string finding_text(const Finding& finding);
nlohmann::ordered_json finding_json(const Finding& finding);

} // namespace qiao::cli
