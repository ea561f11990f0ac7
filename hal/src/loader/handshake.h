// From a library to a plugin: one call of qiao_plugin_query, and everything it said is checked before any of it is used.
#pragma once

#include <deque>
#include <memory>

#include "loader/host_services.h"
#include "loader/library.h"
#include "loader/loader.h"
#include "loader/manifest.h"
#include "loader/problem.h"

namespace qiao::loader {

// Once qiao_plugin_query was entered, only plugin_close ends what it may have begun (threads, callbacks): where that is
// missing or must not be called, the library and the host table stay for good.
class Plugin final : public LoadedPlugin {
  public:
    Plugin(Library library, std::unique_ptr<HostServices> services, Manifest manifest);
    ~Plugin() override;

    const std::string& id() const override { return manifest_.id; }
    const std::string& version() const override { return version_; }
    const std::string& build() const override { return build_; }
    uint64_t roles() const override { return info_.roles; }
    void* plugin() const override { return info_.plugin; }
    const qiao_plugin_tables& tables() const override { return *info_.tables; }

    // Calls qiao_plugin_query. The rest may be used only if there was no problem; version() as soon as it is known.
    Verdict shake_hands();
    // A copy of the text that lives as long as the plugin.
    const char* keep(std::string text) { return texts_.emplace_back(std::move(text)).c_str(); }

  private:
    Verdict check_answer(qiao_status status);
    Verdict check_abi() const;
    Verdict check_identity() const;
    Problem refusal(qiao_status status) const;

    const Manifest manifest_;
    Library library_;
    std::unique_ptr<HostServices> services_;
    bool entered_ = false, understood_ = false;
    qiao_plugin_info info_{};
    std::string version_, build_;
    std::deque<std::string> texts_;
};

// How far load_plugin has come.
enum class Step : char { kLoad = 'l', kQuery = 'q', kDevices = 'd', kClose = 'c' };

// Loads the library of the manifest and fills the candidate: its state, and if usable its devices. Tells each step before
// it is taken.
void load_plugin(const Manifest& manifest, const Sinks& sinks, Candidate& candidate, void (*tell)(Step) = nullptr);
// Asks a plugin for its devices and fills the candidate with them, or with why there are none.
void query_devices(Plugin& plugin, Candidate& candidate);
// The problem becomes the candidate's state.
void settle(Candidate& candidate, Problem problem);

} // namespace qiao::loader
