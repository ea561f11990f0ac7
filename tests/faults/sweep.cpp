// Every call into the mock card fails once, in every scenario: each run must end in time with the right result or an error
// that says why, leave the neighbour card alone, and be able to release everything. Crashes, leaks and races are for the
// sanitizers to see.
//
//     sweep [--calls N] [--trace 1]         the first N calls of each slot, for each effect
//     sweep --scenario NAME --faults RULES [--times N]   one run, as a failure is reported
#include <qiao/compiler.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include "case.h"

namespace faults {
namespace {

constexpr unsigned kLimitSeconds = 30; // of one run; more than any takes under a sanitizer
constexpr uint64_t kPatienceNs = 5'000'000'000;
constexpr uint64_t kStallPatienceNs = 20'000'000;

// What may be wrong with a call. `silent`: the core cannot know, so only some calls are tried.
struct Effect {
    const char* rule;
    bool must_succeed;
    bool silent;
};
constexpr Effect kEffects[] = {
    {"error:-10", false, false},         {"error:out_of_memory", false, false}, {"error:lost", false, false},
    {"error:unsupported", false, false}, {"error:-999", false, false},          {"error:1", false, false},
    {"error:2", false, false},           {"delay:2ms", true, false},            {"corrupt", false, true},
    {"stall", false, false},             {"lost", false, false},                {"reset", false, false},
    {"removed", false, false},
};
// Data that arrives damaged, work that was not done, a clock that stands: no host can see that.
const std::set<std::string> kUndetectable = {"memory_read", "memory_write", "queue_launch",       "queue_copy",
                                             "queue_fill",  "queue_wait",   "kernel_launch"};

std::mutex complaints_mutex;
std::vector<std::string> complaints;
char current[512] = "start";
bool trace = false;

void on_alarm(int) {
    static constexpr char kText[] = ": did not end in time\n";
    static_cast<void>(!write(STDERR_FILENO, current, strlen(current)));
    static_cast<void>(!write(STDERR_FILENO, kText, sizeof kText - 1));
    _exit(3);
}

// ---------------------------------------------------------------------------------------------- one run

struct Run {
    bool plugin_refused = false; // the rule is impossible
    bool fired = false;
    bool succeeded = false;
    qiao_status status = QIAO_OK;
    std::string stopped_at;
};

void take_log(void* user, qiao_log_level, const char*, const char* text) {
    if (std::strncmp(text, "injected fault", 14) == 0) static_cast<std::atomic<bool>*>(user)->store(true);
}

bool is_refused(qiao_instance* instance) {
    qiao_candidate candidate = QIAO_CANDIDATE_INIT;
    for (uint32_t index = 0; qiao_instance_query_candidate(instance, index, &candidate) == QIAO_OK; ++index)
        if (std::string(candidate.plugin) == "mock") return candidate.state == QIAO_CANDIDATE_STATE_REFUSED;
    return false;
}

void find_devices(Session& session) {
    CHECK(qiao_instance_find_device(session.instance, "mock:0", &session.device));
    CHECK(qiao_instance_find_device(session.instance, "mock:1", &session.neighbour));
}

Run run(const Scenario& scenario, const std::string& rules, const std::vector<std::byte>& package, uint64_t patience_ns) {
    Run result;
    setenv("QIAO_MOCK_FAULTS", rules.c_str(), 1);
    std::atomic<bool> fired{false};
    qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
    desc.plugin_path = std::getenv("QIAO_TEST_PLUGIN_PATH");
    desc.visible_devices = "mock:*";
    desc.log = take_log;
    desc.log_user = &fired;
    Session session;
    session.package = &package;
    session.patience_ns = patience_ns;
    if (qiao_instance_create(&desc, &session.instance) != QIAO_OK) {
        complain("no instance: a plugin's failure must not keep it from being made");
        return result;
    }
    try {
        result.plugin_refused = is_refused(session.instance);
        find_devices(session);
        scenario.run(session);
        result.succeeded = true;
    } catch (const Stopped& stopped) {
        result.status = stopped.status;
        result.stopped_at = stopped.call;
    }
    result.fired = fired;
    if (result.status == QIAO_TIMEOUT) qiao_device_reset(session.device); // else its work would be waited for, for ever
    if (session.neighbour != nullptr && !result.succeeded) {
        try {
            Session healthy = session;
            healthy.device = session.neighbour;
            healthy.patience_ns = kPatienceNs;
            kScenarios[2].run(healthy);
        } catch (const Stopped& stopped) {
            complain("the neighbour card does not work: " + stopped.call);
        }
    }
    if (qiao_instance_release(session.instance) != QIAO_OK) complain("the instance cannot be released");
    return result;
}

// Runs and judges; whether the fault happened.
bool judge(const Scenario& scenario, const std::string& rules, bool must_succeed, const std::vector<std::byte>& package) {
    std::snprintf(current, sizeof current, "--scenario %s --faults '%s'", scenario.name, rules.c_str());
    if (trace) std::fprintf(stderr, "%s\n", current);
    alarm(kLimitSeconds);
    const bool stalls = rules.find("=stall") != std::string::npos;
    Run result = run(scenario, rules, package, stalls ? kStallPatienceNs : kPatienceNs);
    if (!result.fired && result.status == QIAO_TIMEOUT) result = run(scenario, rules, package, kPatienceNs); // only slow
    alarm(0);
    if (result.plugin_refused) return false;
    if ((!result.fired || must_succeed) && !result.succeeded) complain("failed: " + result.stopped_at);
    std::lock_guard lock(complaints_mutex);
    for (const std::string& text : complaints)
        std::fprintf(stderr, "%s: %s\n", current, text.c_str());
    return result.fired;
}

// ---------------------------------------------------------------------------------------------- all runs

std::vector<std::string> slot_names(const std::vector<std::byte>& package) {
    std::vector<std::string> names;
    static std::vector<std::string>* found = &names;
    const Scenario list = {"list", [](const Session& session) {
                               const char* name = nullptr;
                               qiao_provenance provenance = 0;
                               for (uint32_t i = 0; qiao_device_query_slot(session.device, i, &name, &provenance) == QIAO_OK; ++i) {
                                   if (provenance == QIAO_PROVENANCE_NATIVE) found->push_back(name);
                               }
                           }};
    run(list, "armed", package, kPatienceNs);
    return names;
}

struct Totals {
    unsigned runs = 0, faults = 0, failures = 0;
};

// Whether the fault happened.
bool try_rule(const Scenario& scenario, const std::string& place, const std::string& when, const Effect& effect,
              const std::vector<std::byte>& package, Totals& totals) {
    const bool fired = judge(scenario, place + ":" + when + "=" + effect.rule, effect.must_succeed, package);
    ++totals.runs;
    totals.faults += fired ? 1 : 0;
    totals.failures += complaints.empty() ? 0 : 1;
    complaints.clear();
    return fired;
}

// The first call alone, the second alone, ... until there is none; and (`calls` above 1) each k-th.
void sweep(unsigned calls, const std::vector<std::byte>& package, Totals& totals) {
    for (const std::string& slot : slot_names(package)) {
        const std::string place = slot == "device_count" ? slot : "0/" + slot;
        for (const Effect& effect : kEffects) {
            if (effect.silent && kUndetectable.count(slot) != 0) continue;
            for (const Scenario& scenario : kScenarios) {
                unsigned call = 1;
                while (call <= calls && try_rule(scenario, place, std::to_string(call), effect, package, totals))
                    ++call;
                if (call == 1 || calls == 1) continue;
                for (const char* when : {"every:1", "every:2", "every:3", "every:7"})
                    try_rule(scenario, place, when, effect, package, totals);
            }
        }
    }
}

std::vector<std::byte> compile() {
    qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
    desc.source = kSource;
    desc.source_size = std::strlen(kSource);
    desc.formats = "host-elf";
    qiao_compiler_output* output = nullptr;
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    qiao_compiler_compile(&desc, &output);
    qiao_compiler_output_query(output, &result);
    if (result.status != QIAO_OK) {
        std::fprintf(stderr, "the kernels cannot be compiled: %s\n%s\n", result.message, result.log);
        std::exit(2);
    }
    const auto* bytes = static_cast<const std::byte*>(result.package);
    std::vector<std::byte> package(bytes, bytes + result.package_size);
    qiao_compiler_output_release(output);
    return package;
}

} // namespace

void complain(const std::string& text) {
    const std::lock_guard lock(complaints_mutex);
    if (std::find(complaints.begin(), complaints.end(), text) == complaints.end()) complaints.push_back(text);
}

} // namespace faults

int main(int count, char** arguments) {
    using namespace faults;
    const char* scenario = nullptr;
    const char* rules = nullptr;
    unsigned calls = 2, times = 1;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string option = arguments[i];
        if (option == "--scenario") scenario = arguments[i + 1];
        if (option == "--faults") rules = arguments[i + 1];
        if (option == "--trace") trace = std::strcmp(arguments[i + 1], "1") == 0;
        if (option == "--times") times = static_cast<unsigned>(std::strtoul(arguments[i + 1], nullptr, 10));
        if (option == "--calls") calls = static_cast<unsigned>(std::strtoul(arguments[i + 1], nullptr, 10));
    }
    signal(SIGALRM, on_alarm);
    const std::vector<std::byte> package = compile();
    Totals totals;
    if (scenario == nullptr) {
        sweep(calls, package, totals);
    } else {
        for (const Scenario& known : kScenarios) {
            if (std::strcmp(known.name, scenario) != 0) continue;
            for (; totals.runs < times; ++totals.runs, complaints.clear()) {
                totals.faults += judge(known, rules, false, package) ? 1 : 0;
                totals.failures += complaints.empty() ? 0 : 1;
            }
        }
    }
    std::printf("%u runs, in %u of them a fault happened, %u failures\n", totals.runs, totals.faults, totals.failures);
    return totals.failures == 0 && totals.faults != 0 ? 0 : 1;
}
