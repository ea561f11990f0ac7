// Reads of the description no more than what its major allows: the first 24 bytes always, the rest only if the major is ours.
#include "loader/handshake.h"

#include <string.h>

#include <cinttypes>
#include <filesystem>
#include <utility>

#include "loader/ask.h"
#include "loader/slots.h"
#include "loader/status.h"

namespace qiao::loader {
namespace {

constexpr const char* kReport = "report this to the plugin's maker";
constexpr size_t kMaxText = 4096;

std::string text(const char* from) {
    return from == nullptr ? "" : printable({from, strnlen(from, kMaxText)}, kMaxText);
}

std::string abi_text(uint32_t major, uint32_t minor) {
    return std::to_string(major) + "." + std::to_string(minor);
}

std::string spoken() {
    return "this Qiao speaks " + abi_text(QIAO_PLUGIN_ABI_MAJOR, QIAO_PLUGIN_ABI_MINOR);
}

Problem incompatible(std::string reason, std::string remedy) {
    return {QIAO_CANDIDATE_STATE_INCOMPATIBLE, std::move(reason), std::move(remedy)};
}

Problem failed(std::string reason, std::string remedy = kReport) {
    return {QIAO_CANDIDATE_STATE_FAILED, std::move(reason), std::move(remedy)};
}

} // namespace

Plugin::Plugin(Library library, std::unique_ptr<HostServices> services, Manifest manifest)
    : manifest_(std::move(manifest)), library_(std::move(library)), services_(std::move(services)) {}

Plugin::~Plugin() {
    if (!entered_) return;
    if (understood_ && info_.plugin_close != nullptr) {
        const auto close = [this] {
            info_.plugin_close(info_.plugin);
            return QIAO_OK;
        };
        ask(close);
        return;
    }
    library_.keep();
    HostServices::abandon(std::move(services_));
}

Verdict Plugin::shake_hands() {
    const auto query = reinterpret_cast<qiao_plugin_query_function>(library_.symbol("qiao_plugin_query"));
    if (query == nullptr) {
        return Problem{QIAO_CANDIDATE_STATE_NOT_LOADABLE,
                       "the library " + manifest_.library + " does not export qiao_plugin_query, so it is no plugin",
                       "correct \"library\" in the manifest; a plugin's maker checks with `nm -D --defined-only`"};
    }
    Guarded<qiao_plugin_info> guarded;
    entered_ = true;
    const Answer answer = ask([&] { return query(services_->api(), &guarded.value); });
    info_ = guarded.value;
    const bool ours = info_.abi_major == QIAO_PLUGIN_ABI_MAJOR;
    if (guarded.overrun()) {
        Problem problem = overrun("qiao_plugin_query", "qiao_plugin_info", sizeof info_);
        if (!ours || info_.abi_minor > QIAO_PLUGIN_ABI_MINOR) {
            problem.state = QIAO_CANDIDATE_STATE_INCOMPATIBLE;
            problem.reason +=
                "; it is built for plugin ABI " + abi_text(info_.abi_major, info_.abi_minor) + ", " + spoken();
        }
        return problem;
    }
    if (!answer.thrown.empty()) return explain(answer, manifest_.id, "qiao_plugin_query");
    return check_answer(answer.status);
}

Verdict Plugin::check_answer(qiao_status status) {
    // A plugin may refuse before it has filled in anything; that it is of another major goes before what it says.
    const bool silent = status != QIAO_OK && info_.abi_major == 0;
    if (!silent) {
        if (Verdict problem = check_abi()) return problem;
    }
    version_ = text(info_.version);
    build_ = text(info_.build);
    if (status != QIAO_OK) {
        if (!is_error(status)) return explain({status, ""}, manifest_.id, "qiao_plugin_query");
        return refusal(status);
    }
    understood_ = true;
    if (Verdict problem = check_identity()) return problem;
    return check_tables(info_.tables, info_.roles, "the plugin");
}

Verdict Plugin::check_abi() const {
    if (info_.abi_major != QIAO_PLUGIN_ABI_MAJOR) {
        return incompatible(
            "it is built for plugin ABI " + abi_text(info_.abi_major, info_.abi_minor) + "; " + spoken(),
            info_.abi_major > QIAO_PLUGIN_ABI_MAJOR ? "update Qiao, or install an older release of the plugin"
                                                    : "install a newer release of the plugin");
    }
    if (info_.abi_minor_least > QIAO_PLUGIN_ABI_MINOR) {
        return incompatible(
            "it needs at least plugin ABI " + abi_text(info_.abi_major, info_.abi_minor_least) + "; " + spoken(),
            "update Qiao, or install an older release of the plugin");
    }
    return std::nullopt;
}

Problem Plugin::refusal(qiao_status status) const {
    const ErrorRecord words = take_words(manifest_.id);
    Problem problem{QIAO_CANDIDATE_STATE_REFUSED, text(info_.refusal), text(info_.remedy)};
    if (problem.reason.empty()) problem.reason = words.message;
    if (problem.remedy.empty()) problem.remedy = words.remedy;
    if (problem.reason.empty())
        problem.reason = std::string("it refused with ") + status_name(status) + " and gave no reason";
    return problem;
}

Verdict Plugin::check_identity() const {
    const std::string id = text(info_.id);
    if (info_.id == nullptr) return failed("the plugin gave no id (the pointer is null)");
    if (!is_plugin_id(id))
        return failed("the plugin's id is " + in_quotes(id) + "; an id is 1 to 32 characters of a-z, 0-9, _ and -");
    if (id != manifest_.id) {
        return failed("its manifest calls it \"" + manifest_.id + "\", the library calls itself \"" + id + '"',
                      "correct \"id\" or \"library\" in the manifest");
    }
    constexpr uint64_t kKnown = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    if ((info_.roles & kKnown) == 0) {
        char roles[32];
        snprintf(roles, sizeof roles, "0x%" PRIx64, info_.roles);
        return failed(std::string("the plugin's roles are ") + roles +
                          ", none of which this Qiao knows (discovery 0x1, compute 0x2)",
                      info_.roles == 0 ? kReport : "update Qiao");
    }
    return std::nullopt;
}

void settle(Candidate& candidate, Problem problem) {
    candidate.state = problem.state;
    candidate.reason = std::move(problem.reason);
    candidate.remedy = std::move(problem.remedy);
    candidate.harmful = problem.harmful;
}

void load_plugin(const Manifest& manifest, const Sinks& sinks, Candidate& candidate, void (*tell)(Step)) {
    const auto step = [tell](Step next) {
        if (tell != nullptr) tell(next);
    };
    Library library;
    step(Step::kLoad);
    if (Verdict problem = open_plugin_library(manifest.library, library)) return settle(candidate, *std::move(problem));
    std::string folder = std::filesystem::path(manifest.library).parent_path().string();
    auto services = std::make_unique<HostServices>(sinks, manifest.id, std::move(folder), manifest.text);
    auto plugin = std::make_unique<Plugin>(std::move(library), std::move(services), manifest);
    step(Step::kQuery);
    Verdict problem = plugin->shake_hands();
    if (!plugin->version().empty()) candidate.version = plugin->version();
    if (problem) return settle(candidate, *std::move(problem));
    step(Step::kDevices);
    query_devices(*plugin, candidate);
    step(Step::kClose);
    const bool loaded =
        candidate.state == QIAO_CANDIDATE_STATE_USABLE || candidate.state == QIAO_CANDIDATE_STATE_NO_DEVICES;
    if (loaded) candidate.loaded = std::move(plugin);
}

} // namespace qiao::loader
