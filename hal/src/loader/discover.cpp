// The way of each candidate: manifest, selection, library, handshake. Whatever ends it stands in the ledger and in the log.
#include <stdlib.h>

#include <map>

#include "loader/handshake.h"
#include "loader/loader.h"
#include "loader/search.h"

namespace qiao::loader {
namespace {

class Discovery {
  public:
    explicit Discovery(const Sinks& sinks) : sinks_(sinks) {
        const char* selection = secure_getenv("QIAO_PLUGINS");
        if (selection != nullptr) selection_ = selection;
    }

    void visit(const Place& place) {
        std::vector<std::string> manifests;
        Verdict problem = list_manifests(place, manifests);
        if (problem) {
            Candidate candidate;
            candidate.manifest = place.folder;
            add(std::move(candidate), std::move(problem));
        }
        for (const std::string& path : manifests)
            examine(path);
    }
    std::vector<Candidate> take() { return std::move(candidates_); }

  private:
    void examine(const std::string& path) {
        Candidate candidate;
        candidate.manifest = path;
        Manifest manifest;
        Verdict problem = read_manifest(path, manifest);
        candidate.plugin = manifest.id;
        candidate.library = manifest.library;
        candidate.version = manifest.version;
        if (!problem) problem = check_selection(manifest);
        if (!problem) problem = check_host(manifest);
        if (!problem) {
            warn_of_unknown_keys(path, manifest);
            load_plugin(manifest, sinks_, candidate);
            if (candidate.loaded != nullptr) taken_.emplace(manifest.id, path);
        }
        add(std::move(candidate), std::move(problem));
    }

    // A plugin that could not be loaded does not take its id: another build of it may follow.
    Verdict check_selection(const Manifest& manifest) const {
        if (!list_match(selection_, manifest.id)) {
            return Problem{QIAO_CANDIDATE_STATE_DISABLED,
                           "QIAO_PLUGINS is " + in_quotes(selection_) + ", which leaves it out",
                           "change or unset QIAO_PLUGINS"};
        }
        const auto earlier = taken_.find(manifest.id);
        if (earlier == taken_.end()) return std::nullopt;
        return Problem{QIAO_CANDIDATE_STATE_DISABLED, "the plugin of the same id in " + earlier->second + " came first",
                       "remove one of the two manifests, or name the folder to be preferred in QIAO_PLUGIN_PATH"};
    }

    void warn_of_unknown_keys(const std::string& path, const Manifest& manifest) const {
        for (const std::string& key : manifest.unknown_keys) {
            say(QIAO_LOG_LEVEL_WARNING, path + ": the key " + in_quotes(key) +
                                            " is unknown and ignored; a plugin's own keys begin with \"x-\"");
        }
    }

    void add(Candidate candidate, Verdict problem) {
        if (problem) {
            candidate.state = problem->state;
            candidate.reason = std::move(problem->reason);
            candidate.remedy = std::move(problem->remedy);
        }
        if (!candidate.reason.empty()) {
            const std::string name = candidate.plugin.empty() ? "" : "plugin \"" + candidate.plugin + "\": ";
            const bool normal = candidate.state == QIAO_CANDIDATE_STATE_NO_DEVICES ||
                                candidate.state == QIAO_CANDIDATE_STATE_DISABLED ||
                                candidate.state == QIAO_CANDIDATE_STATE_REFUSED;
            say(normal ? QIAO_LOG_LEVEL_INFO : QIAO_LOG_LEVEL_WARNING,
                name + candidate.reason + (candidate.remedy.empty() ? "" : "; " + candidate.remedy));
        }
        candidates_.push_back(std::move(candidate));
    }

    void say(qiao_log_level level, const std::string& text) const {
        sinks_.log(sinks_.context, level, "core", text.c_str());
    }

    const Sinks& sinks_;
    std::string selection_;
    std::map<std::string, std::string> taken_; // id -> manifest
    std::vector<Candidate> candidates_;
};

} // namespace

std::vector<Candidate> discover(const Options& options) {
    Discovery discovery(options.sinks);
    for (const Place& place : places(options.plugin_path))
        discovery.visit(place);
    return discovery.take();
}

} // namespace qiao::loader
