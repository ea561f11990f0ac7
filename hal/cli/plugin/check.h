/* All that `qiao plugin check` finds out about one plugin; report.cpp shows it. */
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "cli/checks.h"

namespace qiao::cli {

struct CheckPlan {
    std::string file;
    std::string manifest; /* "" = the one beside the library */
    double timeout_s = 30;
    std::string package; /* with kernels in one of the plugin's formats; "" = none */
    std::string kernel;
    std::vector<std::string> launch = {}; /* words of `qiao run`: arguments, shape, references; none = the package is only loaded */
};

struct PluginReport {
    std::string file;
    std::string manifest; /* "" = none */
    std::vector<Check> checks;
    nlohmann::ordered_json facts = nlohmann::ordered_json::object(); /* plugin, device_count, tables, slots; as far as known */
    std::set<std::string> tried; /* slots that were entered and did what they should */
    std::string next;            /* what to write next; "" = nothing is missing */

    bool problem() const;
};

/* Throws Failure if the file is no shared library. */
PluginReport check_plugin(const CheckPlan& plan);

std::string report_text(const PluginReport& report);
nlohmann::ordered_json report_json(const PluginReport& report);

} // namespace qiao::cli
