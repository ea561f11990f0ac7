/* All that `qiao plugin check` finds out about one plugin; report.cpp shows it. */
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/checks.h"

namespace qiao::cli {

struct PluginReport {
    std::string file;
    std::string manifest; /* "" = none */
    std::vector<Check> checks;
    nlohmann::ordered_json facts = nlohmann::ordered_json::object(); /* plugin, device_count, tables, slots; as far as known */
    std::string next;     /* what to write next; "" = nothing is missing */

    bool problem() const;
};

/* `manifest` "" = the one beside the library. Throws Failure if the file is no shared library. */
PluginReport check_plugin(const std::string& file, const std::string& manifest, double timeout_s);

std::string report_text(const PluginReport& report);
nlohmann::ordered_json report_json(const PluginReport& report);

} // namespace qiao::cli
