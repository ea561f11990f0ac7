// The order: known, cached, child; in this process only where there is no child to be had.
#include "loader/probe.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "loader/environment.h"
#include "loader/identity.h"
#include "loader/library.h"
#include "loader/probe_child.h"
#include "loader/probe_report.h"

namespace qiao::loader {
namespace {

namespace fs = std::filesystem;

// Beside the library as it is built, and as it is installed.
std::string find_program() {
    const std::string own = own_directory();
    for (const char* place : {"../libexec/qiao", QIAO_LIBEXEC_FROM_LIBRARY}) {
        const std::string path = own + "/" + place + "/qiao-probe";
        if (access(path.c_str(), X_OK) == 0) return path;
    }
    return "";
}

bool is_known(const Manifest& manifest) {
    std::error_code error;
    return fs::equivalent(fs::path(manifest.path).parent_path(), own_directory() + "/qiao/plugins.d", error);
}

// All that a verdict depends on; pieces never run into each other. "" = it cannot be told.
std::string key_of(const Manifest& manifest) {
    const std::string library = library_identity(manifest.library);
    if (library.empty()) return "";
    std::string key;
    for (const std::string& piece : {probe_protocol(), library, driver_versions(manifest.hardware), manifest.text,
                                     environment("LD_LIBRARY_PATH"), environment("LD_PRELOAD")})
        key += std::to_string(piece.size()) + ":" + piece;
    return key;
}

} // namespace

Prober::Prober(const Options& options)
    : sinks_(options.sinks), program_(options.probe_program.empty() ? find_program() : options.probe_program) {
    read_mode();
    read_limit();
}

void Prober::read_mode() {
    const std::string text = environment("QIAO_PROBE");
    if (text == "child") mode_ = Mode::kChild;
    if (text == "inprocess") mode_ = Mode::kInProcess;
    if (text.empty() || text == "auto" || mode_ != Mode::kAuto) return;
    say(QIAO_LOG_LEVEL_WARNING, "QIAO_PROBE is " + in_quotes(text) + "; it must be auto, child or inprocess; auto is used");
}

void Prober::read_limit() {
    const std::string text = environment("QIAO_PROBE_TIMEOUT_MS");
    if (text.empty()) return;
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 1 && number <= 600'000) {
        limit_ = std::chrono::milliseconds(number);
        return;
    }
    say(QIAO_LOG_LEVEL_WARNING, "QIAO_PROBE_TIMEOUT_MS is " + in_quotes(text) + "; it must be from 1 to 600000; " +
                                    std::to_string(limit_.count()) + " is used");
}

bool Prober::settle_without_child(Probe& probe, std::string& out_key) const {
    const auto as = [&probe](const char* how) {
        probe.how = how;
        return true;
    };
    if (mode_ == Mode::kInProcess) return as("in process");
    if (mode_ == Mode::kAuto && is_known(*probe.manifest)) return as("known");
    out_key = key_of(*probe.manifest);
    // Who sets QIAO_PLUGIN_PATH is mostly at work on what lies there, and should not be told of a crash that has been repaired.
    const std::chrono::seconds believed = probe.named ? std::chrono::seconds(5) : std::chrono::hours(1);
    if (mode_ == Mode::kAuto && cache_.load(out_key, believed, probe.harmful)) {
        if (probe.harmful) probe.harmful->remedy += "; `QIAO_PROBE=child qiao doctor` tries it again";
        return as("cached");
    }
    if (!program_.empty()) return false;
    say(QIAO_LOG_LEVEL_DEBUG,
        "plugin " + in_quotes(probe.manifest->id) + " is not probed: there is no qiao-probe near " + own_directory());
    return as("in process");
}

void Prober::probe(std::vector<Probe>& probes) const {
    std::vector<Probe*> asked;
    std::vector<std::string> keys;
    std::vector<const Manifest*> manifests;
    for (Probe& probe : probes) {
        std::string key;
        if (settle_without_child(probe, key)) continue;
        asked.push_back(&probe);
        keys.push_back(std::move(key));
        manifests.push_back(probe.manifest);
    }
    if (asked.empty()) return;
    std::vector<ChildAnswer> answers = ask_in_children(program_, manifests, limit_);
    for (size_t i = 0; i < asked.size(); ++i) {
        ChildAnswer& answer = answers[i];
        const std::string whom = "plugin " + in_quotes(asked[i]->manifest->id);
        if (!answer.unable.empty()) {
            asked[i]->how = "in process";
            say(QIAO_LOG_LEVEL_DEBUG, whom + " is not probed: " + answer.unable);
            continue;
        }
        asked[i]->how = "child";
        if (answer.lasting) {
            if (const std::string problem = cache_.store(keys[i], answer.harmful); !problem.empty())
                say(QIAO_LOG_LEVEL_DEBUG, "what the probe of " + whom + " found is not kept: " + problem);
        }
        asked[i]->harmful = std::move(answer.harmful);
    }
}

void Prober::say(qiao_log_level level, const std::string& text) const {
    sinks_.log(sinks_.context, level, "core", text.c_str());
}

} // namespace qiao::loader
