// What the tests of probing share: a folder of plugins, a cache and a trace of their own.
#pragma once

#include <unistd.h>

#include <fstream>

#include "support.h"

namespace qiao::testing {

// A sanitizer's runtime would turn a child's crash into an exit of its own.
inline std::string with_crashes(const char* variable) {
    const char* options = getenv(variable);
    return std::string(options == nullptr ? "" : options) + ":handle_segv=0:handle_sigbus=0:handle_abort=0";
}

struct ProbeSetting {
    TempFolder folder;
    Environment cache{"XDG_CACHE_HOME", folder / "cache"}, trace_file{"HARMFUL_TRACE", folder / "trace"};
    Environment mode{"QIAO_PROBE", nullptr}, limit{"QIAO_PROBE_TIMEOUT_MS", "60000"}, selection{"QIAO_PLUGINS", nullptr};
    Environment asan{"ASAN_OPTIONS", with_crashes("ASAN_OPTIONS")}, tsan{"TSAN_OPTIONS", with_crashes("TSAN_OPTIONS")};

    std::string plugins() const { return folder / "plugins.d"; }
    std::string manifest_of(std::string_view id) const { return folder / "plugins.d/" + std::string(id) + ".json"; }
    std::string harmful_library(std::string_view defect) const {
        return std::string(BAD_PLUGIN_FOLDER) + "/harmful_" + std::string(defect) + ".so";
    }
    std::string add_harmful(const char* defect, std::string_view more = "") const {
        return folder.write(std::string("plugins.d/") + defect + ".json", manifest(defect, harmful_library(defect), more));
    }
    std::string add_good(const char* id, std::string_view more = "") const {
        return folder.write(std::string("plugins.d/") + id + ".json", manifest(id, QIAO_FIXTURE_T0_PLUGIN, more));
    }
    const loader::Candidate& find(const std::vector<loader::Candidate>& candidates, std::string_view id) const {
        return testing::find(candidates, manifest_of(id));
    }

    // Processes that have loaded a harmful plugin, in order.
    std::vector<std::string> trace() const {
        std::ifstream file(folder / "trace");
        std::vector<std::string> processes;
        for (std::string line; std::getline(file, line);)
            processes.push_back(line.substr(1));
        return processes;
    }
    std::vector<std::string> children_of_this_process() const {
        std::ifstream file("/proc/self/task/" + std::to_string(getpid()) + "/children");
        std::vector<std::string> children;
        for (std::string child; file >> child;)
            children.push_back(child);
        return children;
    }
};

} // namespace qiao::testing
