// qiao-probe: loads one plugin, asks it for its devices, closes it, and reports on file 3 whether it may be loaded elsewhere.
// Started by libqiao (probe_child.cpp); what happens to this process happens to nobody else.
//   qiao-probe <protocol> <manifest's path> <manifest's text>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "loader/handshake.h"
#include "loader/probe_report.h"

using namespace qiao::loader;

namespace {

constexpr int kReportFile = 3;
constexpr int kUnable = 2; // before the first step: nothing is said of the plugin

bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = write(kReportFile, bytes.data(), bytes.size());
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

void tell(Step step) {
    const char letter = static_cast<char>(step);
    write_all({&letter, 1});
}

// What the plugin says is said again when it is loaded for good.
constexpr Sinks kDeaf = {nullptr, [](void*, qiao_log_level, const char*, const char*) {},
                         [](uint64_t, uint64_t, qiao_status) {}, [](uint64_t, const char*) {},
                         [](void*, uint64_t, std::string_view, std::string_view) {}};

} // namespace

int main(int count, char** arguments) {
    Manifest manifest;
    if (count != 4 || arguments[1] != probe_protocol() || fcntl(kReportFile, F_SETFD, FD_CLOEXEC) != 0) {
        fprintf(stderr, "qiao-probe is started by libqiao %s to try plugins out\n", probe_protocol().c_str());
        return kUnable;
    }
    if (parse_manifest(arguments[2], arguments[3], manifest)) return kUnable;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);

    Candidate candidate;
    load_plugin(manifest, kDeaf, candidate, tell);
    candidate.devices.clear();
    candidate.loaded.reset();
    Verdict harmful;
    // One harmful device among usable ones is enough.
    const bool usable = candidate.state == QIAO_CANDIDATE_STATE_USABLE;
    if (candidate.harmful) {
        harmful = Problem{usable ? QIAO_CANDIDATE_STATE_FAILED : candidate.state, candidate.reason, candidate.remedy, true};
    }
    // Not through exit(): the plugin's threads and handlers may still be there.
    _exit(write_all(encode_report(harmful)) ? 0 : 1);
}
