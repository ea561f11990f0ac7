// Verdicts of probes on disk, in $XDG_CACHE_HOME/qiao/probe. A cache that is missing, damaged, full or someone else's costs a
// probe, never a wrong verdict.
#pragma once

#include <chrono>
#include <string>

#include "loader/problem.h"

namespace qiao::loader {

class ProbeCache {
  public:
    ProbeCache();

    // False: nothing is known under this key. A verdict that keeps a plugin out is believed for a while only, since what made it
    // crash may have been the machine's state, or a library that the plugin opens.
    bool load(const std::string& key, std::chrono::seconds believed, Verdict& out_harmful) const;
    // "" or why it could not be kept.
    std::string store(const std::string& key, const Verdict& harmful) const;

  private:
    std::string path_of(const std::string& key) const;
    void prune() const;

    std::string folder_; // "" = there is none
};

} // namespace qiao::loader
