// Plugins that crash, hang, leave or talk nonsense when they are tried out: the ledger says what they did, they never enter
// this process, and nothing of the trial is left behind.
#include <dirent.h>
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "probe_support.h"

using namespace qiao;
using namespace qiao::testing;

namespace {

struct Expected {
    const char* defect; // harmful_<defect>.so
    const char* reason;
};

// What is quick: all in one folder, probed at the same time.
const Expected kExpected[] = {
    {"crash_load", "crashed with SIGSEGV (while its library was loaded)"},
    {"crash_query", "crashed with SIGSEGV (in qiao_plugin_query)"},
    {"crash_count", "crashed with SIGSEGV (while it was asked for its devices)"},
    {"crash_device", "crashed with SIGSEGV (while it was asked for its devices)"},
    {"crash_close", "crashed with SIGSEGV (while it was closed)"},
    {"crash_unload", "crashed with SIGSEGV (while it was closed)"},
    {"overflow_query", "crashed with SIGSEGV (in qiao_plugin_query)"},
    {"give_up_count", "crashed with SIGABRT (while it was asked for its devices)"},
    {"be_killed_query", "crashed with SIGKILL (in qiao_plugin_query)"},
    {"leave_load", "ended its process with exit code 0 (while its library was loaded)"},
    {"leave_device", "ended its process with exit code 0 (while it was asked for its devices)"},
    {"leave_at_once_query", "ended its process with exit code 77 (in qiao_plugin_query)"},
    {"leave_close", "ended its process with exit code 0 (while it was closed)"},
    {"talk_query", "spoiled the report of the probe (in qiao_plugin_query)"},
    {"shut_all_query", "ended its process with exit code 1 (in qiao_plugin_query)"},
};

bool opened_here(const std::string& library) {
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (handle != nullptr) dlclose(handle);
    return handle != nullptr;
}

void check_harmful(const loader::Candidate& candidate, const std::string& reason, const char* how) {
    CAPTURE(candidate.reason);
    CHECK(candidate.state == QIAO_CANDIDATE_STATE_FAILED);
    CHECK(candidate.reason == "probed in a process of its own it " + reason + ", so it is not loaded");
    CHECK(contains(candidate.remedy, "report this to the plugin's maker"));
    CHECK(candidate.probe == how);
    CHECK(candidate.loaded == nullptr);
    CHECK_FALSE(opened_here(candidate.library));
}

size_t open_files() {
    size_t count = 0;
    DIR* folder = opendir("/proc/self/fd");
    REQUIRE(folder != nullptr);
    while (readdir(folder) != nullptr)
        ++count;
    closedir(folder);
    return count;
}

std::vector<struct sigaction> handlers() {
    std::vector<struct sigaction> all;
    for (int number = 1; number < NSIG; ++number) {
        struct sigaction one {};
        if (sigaction(number, nullptr, &one) == 0) all.push_back(one);
    }
    return all;
}

bool is_running(const std::string& process) {
    std::ifstream file("/proc/" + process + "/stat");
    std::string line;
    if (!std::getline(file, line)) return false;
    return line[line.rfind(')') + 2] != 'Z';
}

} // namespace

TEST_SUITE("loader.isolation") {
    TEST_CASE("each plugin that does harm is told apart, stays out, and stops no other") {
        const ProbeSetting setting;
        for (const Expected& expected : kExpected)
            setting.add_harmful(expected.defect);
        setting.add_good("z-good");
        Recorder recorder;
        for (const char* how : {"child", "cached"}) {
            CAPTURE(std::string(how));
            const auto candidates = discover(setting.plugins(), recorder);
            REQUIRE(candidates.size() == std::size(kExpected) + 1);
            for (const Expected& expected : kExpected) {
                CAPTURE(std::string(expected.defect));
                // That somebody else killed it is no property of the plugin: it is asked again each time.
                const bool kept = std::string_view(expected.defect) != "be_killed_query";
                check_harmful(setting.find(candidates, expected.defect), expected.reason, kept ? how : "child");
            }
            const loader::Candidate& good = setting.find(candidates, "z-good");
            CHECK(good.state == QIAO_CANDIDATE_STATE_USABLE);
            CHECK(good.probe == how);
        }
        for (const std::string& process : setting.trace())
            CHECK(process != std::to_string(getpid()));
        CHECK(setting.trace().size() == std::size(kExpected) + 1); // each once, and one of them again
    }

    TEST_CASE("the time limit ends plugins that hang, all at the same time, and names itself") {
        const ProbeSetting setting;
        const Environment limit("QIAO_PROBE_TIMEOUT_MS", "3000");
        const char* const defects[] = {"hang_load", "hang_query", "spin_count", "hang_close"};
        for (const char* defect : defects)
            setting.add_harmful(defect);
        setting.add_good("z-good");
        Recorder recorder;
        const auto before = std::chrono::steady_clock::now();
        const auto candidates = discover(setting.plugins(), recorder);
        CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(3 * 4)); // not one after the other
        const char* const places[] = {"while its library was loaded", "in qiao_plugin_query",
                                      "while it was asked for its devices", "while it was closed"};
        for (size_t i = 0; i < std::size(defects); ++i) {
            const loader::Candidate& candidate = setting.find(candidates, defects[i]);
            check_harmful(candidate, "did not answer within 3000 ms (" + std::string(places[i]) + ")", "child");
            CHECK(contains(candidate.remedy, "raise QIAO_PROBE_TIMEOUT_MS"));
        }
        CHECK(setting.find(candidates, "z-good").state == QIAO_CANDIDATE_STATE_USABLE);
    }

    TEST_CASE("a trial leaves no process, no file and no signal handler behind") {
        const ProbeSetting setting;
        const Environment limit("QIAO_PROBE_TIMEOUT_MS", "3000");
        setting.add_harmful("descend_query");
        setting.add_harmful("crash_load");
        setting.add_harmful("hang_query");
        const auto signals = handlers();
        const size_t files = open_files();
        Recorder recorder;
        {
            const auto candidates = discover(setting.plugins(), recorder);
            // What it started held the pipe open: the answer does not wait for that.
            CHECK(setting.find(candidates, "descend_query").state == QIAO_CANDIDATE_STATE_USABLE);
            const std::vector<std::string> own = setting.children_of_this_process();
            for (const std::string& process : setting.trace()) {
                const bool of_ours = process == std::to_string(getpid()) || std::count(own.begin(), own.end(), process) != 0;
                CHECK((of_ours || !is_running(process)));
            }
        }
        CHECK(open_files() == files);
        const auto after = handlers();
        CHECK(std::equal(signals.begin(), signals.end(), after.begin(), [](const auto& a, const auto& b) {
            return a.sa_handler == b.sa_handler && a.sa_flags == b.sa_flags;
        }));
        // descend_query has started one in this process too, by its own fork; it is the only child there is.
        int children = 0;
        for (const std::string& process : setting.children_of_this_process()) {
            kill(std::stoi(process), SIGKILL);
            waitpid(std::stoi(process), nullptr, 0);
            ++children;
        }
        CHECK(children == 1);
        CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
    }

    TEST_CASE("an application that collects all children itself changes no verdict of a plugin that answers") {
        const ProbeSetting setting;
        setting.add_good("a-good");
        setting.add_harmful("crash_load");
        struct sigaction ignore {}, old {};
        ignore.sa_handler = SIG_IGN;
        sigaction(SIGCHLD, &ignore, &old);
        Recorder recorder;
        for (const char* how : {"child", "cached"}) {
            const auto candidates = discover(setting.plugins(), recorder);
            CHECK(setting.find(candidates, "a-good").state == QIAO_CANDIDATE_STATE_USABLE);
            CHECK(setting.find(candidates, "a-good").probe == how);
            // How it ended is not to be had, so nothing is kept.
            check_harmful(setting.find(candidates, "crash_load"), "ended its process (while its library was loaded)", "child");
        }
        sigaction(SIGCHLD, &old, nullptr);
    }

    TEST_CASE("a plugin that is disabled or has no hardware is never probed") {
        const ProbeSetting setting;
        const Environment plugins("QIAO_PLUGINS", "!crash_*");
        const TempFolder sysfs;
        std::filesystem::create_directories(sysfs / "bus/pci/devices");
        const Environment root("QIAO_SYSFS_ROOT", sysfs.path());
        setting.add_harmful("crash_load");
        setting.add_harmful("leave_load", R"(, "hardware": [{"pci_vendor": "0x1234"}])");
        setting.folder.write("plugins.d/second.json", manifest("good", QIAO_FIXTURE_T0_PLUGIN));
        setting.folder.write("plugins.d/third.json", manifest("good", setting.harmful_library("leave_query")));
        Recorder recorder;
        const auto candidates = discover(setting.plugins(), recorder);
        CHECK(setting.find(candidates, "crash_load").state == QIAO_CANDIDATE_STATE_DISABLED);
        CHECK(setting.find(candidates, "leave_load").state == QIAO_CANDIDATE_STATE_NO_DEVICES);
        CHECK(find(candidates, setting.folder / "plugins.d/second.json").state == QIAO_CANDIDATE_STATE_USABLE);
        const loader::Candidate& third = find(candidates, setting.folder / "plugins.d/third.json");
        CHECK(third.state == QIAO_CANDIDATE_STATE_DISABLED); // of an id that is taken
        CHECK(third.probe == "");
        CHECK(setting.trace().empty());
    }

    TEST_CASE("plugins that export the same names keep their own") {
        const ProbeSetting setting;
        for (const char* name : {"one", "two"})
            setting.folder.write(std::string("plugins.d/") + name + ".json",
                                 manifest(name, std::string(BAD_PLUGIN_FOLDER) + "/clashing_" + name + ".so"));
        Recorder recorder;
        const auto candidates = discover(setting.plugins(), recorder);
        for (const char* name : {"one", "two"}) {
            const loader::Candidate& candidate = setting.find(candidates, name);
            REQUIRE(candidate.devices.size() == 1);
            CHECK(std::string(candidate.devices[0].info.name) == name);
            CHECK(candidate.devices[0].info.compute_units == 1);
        }
        CHECK(dlsym(RTLD_DEFAULT, "vendor_card_name") == nullptr);
    }

    TEST_CASE("instances of several threads probe at the same time") {
        const ProbeSetting setting;
        for (const char* defect : {"crash_load", "leave_query", "talk_query"})
            setting.add_harmful(defect);
        setting.add_good("z-good");
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&setting] {
                Recorder recorder;
                const auto candidates = discover(setting.plugins(), recorder);
                CHECK(setting.find(candidates, "crash_load").state == QIAO_CANDIDATE_STATE_FAILED);
                CHECK(setting.find(candidates, "leave_query").state == QIAO_CANDIDATE_STATE_FAILED);
                CHECK(setting.find(candidates, "talk_query").state == QIAO_CANDIDATE_STATE_FAILED);
                CHECK(setting.find(candidates, "z-good").state == QIAO_CANDIDATE_STATE_USABLE);
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
    }
}
