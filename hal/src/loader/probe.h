// Which plugins may be loaded into this process. Those that were installed with libqiao are known; others are loaded in a
// child process first, and what came of it is kept on disk. QIAO_PROBE says how careful to be.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "loader/loader.h"
#include "loader/manifest.h"
#include "loader/probe_cache.h"

namespace qiao::loader {

struct Probe {
    const Manifest* manifest;
    bool named = false;   // its folder stands in QIAO_PLUGIN_PATH
    std::string how = {};  // as Candidate::probe
    Verdict harmful = {}; // why it must not be loaded
};

class Prober {
  public:
    explicit Prober(const Options& options);

    // Fills all in. Those that need a child are probed at the same time.
    void probe(std::vector<Probe>& probes) const;

  private:
    enum class Mode { kAuto, kChild, kInProcess };

    // False: it needs a child; its key in the cache.
    bool settle_without_child(Probe& probe, std::string& out_key) const;
    void say(qiao_log_level level, const std::string& text) const;
    void read_mode();
    void read_limit();

    const Sinks& sinks_;
    const std::string program_; // "" = it is not installed
    ProbeCache cache_;
    Mode mode_ = Mode::kAuto;
    std::chrono::milliseconds limit_{10'000};
};

} // namespace qiao::loader
