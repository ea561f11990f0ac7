// The way of each candidate: manifest, selection, hardware, probe, library, handshake. Whatever ends it stands in the ledger
// and in the log.
#include <algorithm>
#include <map>

#include "loader/environment.h"
#include "loader/handshake.h"
#include "loader/loader.h"
#include "loader/probe.h"
#include "loader/search.h"

namespace qiao::loader {
namespace {

class Discovery {
  public:
    explicit Discovery(const Options& options)
        : sinks_(options.sinks), prober_(options), selection_(environment("QIAO_PLUGINS")) {}

    // Up to where libraries would be opened.
    void visit(const Place& place) {
        std::vector<std::string> manifests;
        if (Verdict problem = list_manifests(place, manifests)) {
            Entry entry;
            entry.candidate.manifest = place.folder;
            settle(entry.candidate, *std::move(problem));
            entries_.push_back(std::move(entry));
        }
        for (const std::string& path : manifests)
            examine(path, place.named_by == kPathVariable);
    }
    // In rounds: a plugin of an id that is taken is neither probed nor loaded.
    void load() {
        std::vector<Entry*> waiting;
        for (Entry& entry : entries_) {
            if (entry.wanted) waiting.push_back(&entry);
        }
        while (!waiting.empty())
            load_round(waiting);
    }
    std::vector<Candidate> take() {
        std::vector<Candidate> candidates;
        for (Entry& entry : entries_) {
            tell(entry.candidate);
            candidates.push_back(std::move(entry.candidate));
        }
        return candidates;
    }

  private:
    struct Entry {
        Candidate candidate;
        Manifest manifest;
        bool named = false;  // its place was, in QIAO_PLUGIN_PATH
        bool wanted = false; // nothing has been found against it
    };

    void examine(const std::string& path, bool named) {
        Entry entry;
        entry.named = named;
        Candidate& candidate = entry.candidate;
        candidate.manifest = path;
        Verdict problem = read_manifest(path, entry.manifest);
        candidate.plugin = entry.manifest.id;
        candidate.library = entry.manifest.library;
        candidate.version = entry.manifest.version;
        if (!problem) problem = check_selection(entry.manifest);
        if (!problem) problem = check_host(entry.manifest);
        if (!problem) {
            warn_of_unknown_keys(entry.manifest);
            problem = check_hardware(entry.manifest.hardware);
        }
        entry.wanted = !problem;
        if (problem) settle(candidate, *std::move(problem));
        entries_.push_back(std::move(entry));
    }

    // The first of each id; what is left waits for how it went.
    void load_round(std::vector<Entry*>& waiting) {
        std::vector<Entry*> round;
        std::vector<Probe> probes;
        std::erase_if(waiting, [&](Entry* entry) {
            const Manifest& manifest = entry->manifest;
            if (Verdict problem = check_taken(manifest)) {
                settle(entry->candidate, *std::move(problem));
                return true;
            }
            const auto same_id = [&manifest](const Entry* other) { return other->manifest.id == manifest.id; };
            if (std::any_of(round.begin(), round.end(), same_id)) return false;
            round.push_back(entry);
            probes.push_back({&manifest, entry->named});
            return true;
        });
        prober_.probe(probes);
        for (size_t i = 0; i < round.size(); ++i) {
            Candidate& candidate = round[i]->candidate;
            candidate.probe = probes[i].how;
            if (probes[i].harmful) {
                settle(candidate, *std::move(probes[i].harmful));
            } else {
                load_plugin(round[i]->manifest, sinks_, candidate);
            }
            if (candidate.loaded != nullptr) taken_.emplace(candidate.plugin, candidate.manifest);
        }
    }

    Verdict check_selection(const Manifest& manifest) const {
        if (list_match(selection_, manifest.id)) return std::nullopt;
        return Problem{QIAO_CANDIDATE_STATE_DISABLED,
                       "QIAO_PLUGINS is " + in_quotes(selection_) + ", which leaves it out",
                       "change or unset QIAO_PLUGINS"};
    }

    // A plugin that could not be loaded does not take its id: another build of it may follow.
    Verdict check_taken(const Manifest& manifest) const {
        const auto earlier = taken_.find(manifest.id);
        if (earlier == taken_.end()) return std::nullopt;
        return Problem{QIAO_CANDIDATE_STATE_DISABLED, "the plugin of the same id in " + earlier->second + " came first",
                       "remove one of the two manifests, or name the folder to be preferred in QIAO_PLUGIN_PATH"};
    }

    void warn_of_unknown_keys(const Manifest& manifest) const {
        for (const std::string& key : manifest.unknown_keys) {
            say(QIAO_LOG_LEVEL_WARNING, manifest.path + ": the key " + in_quotes(key) +
                                            " is unknown and ignored; a plugin's own keys begin with \"x-\"");
        }
    }

    void tell(const Candidate& candidate) const {
        if (candidate.reason.empty()) return;
        const std::string name = candidate.plugin.empty() ? "" : "plugin \"" + candidate.plugin + "\": ";
        const bool normal = candidate.state == QIAO_CANDIDATE_STATE_NO_DEVICES ||
                            candidate.state == QIAO_CANDIDATE_STATE_DISABLED ||
                            candidate.state == QIAO_CANDIDATE_STATE_REFUSED;
        say(normal ? QIAO_LOG_LEVEL_INFO : QIAO_LOG_LEVEL_WARNING,
            name + candidate.reason + (candidate.remedy.empty() ? "" : "; " + candidate.remedy));
    }

    void say(qiao_log_level level, const std::string& text) const {
        sinks_.log(sinks_.context, level, "core", text.c_str());
    }

    const Sinks& sinks_;
    const Prober prober_;
    const std::string selection_;
    std::map<std::string, std::string> taken_; // id -> manifest
    std::vector<Entry> entries_;
};

} // namespace

std::vector<Candidate> discover(const Options& options) {
    Discovery discovery(options);
    for (const Place& place : places(options.plugin_path))
        discovery.visit(place);
    discovery.load();
    return discovery.take();
}

} // namespace qiao::loader
