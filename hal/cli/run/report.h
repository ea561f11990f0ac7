/* What `qiao run` shows: text for people, JSON (schema qiao.run/1) for programs. */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/run/comparison.h"
#include "cli/run/plan.h"

namespace qiao::cli {

struct Report {
    const Plan& plan;
    const std::vector<DeviceRun>& runs;
    const std::vector<Comparison>& comparisons;
    std::vector<std::pair<std::string, std::string>> files; /* argument and device ("c mock:0"), and the file written */

    bool failed() const;
    bool differs() const;
};

std::string report_text(const Report& report);
nlohmann::ordered_json report_json(const Report& report);

} // namespace qiao::cli
