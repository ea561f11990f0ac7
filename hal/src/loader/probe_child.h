// Probing plugins in child processes: what a plugin does to its process, it does to a child. Knows processes and pipes; what
// the answers are for is known by probe.h.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "loader/manifest.h"

namespace qiao::loader {

struct ChildAnswer {
    std::string unable; // why the plugin could not be asked at all; "" = it was
    Verdict harmful;    // why it must not be loaded here
    bool lasting = true; // the verdict is the plugin's doing
};

// All at once, each for at most `limit`; in the order of the manifests. Installs no signal handler; no child, no descendant in
// its process group and no file of it is left when this returns.
std::vector<ChildAnswer> ask_in_children(const std::string& program, const std::vector<const Manifest*>& manifests,
                                         std::chrono::milliseconds limit);

} // namespace qiao::loader
