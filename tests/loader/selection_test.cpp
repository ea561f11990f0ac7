// Globs, lists of them, and what they do to plugins (QIAO_PLUGINS). That a disabled plugin's library is not even opened is
// seen from the outside: it is not in memory. Devices are selected by the instance: tests/api/instance_test.cpp.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <chrono>

#include "support.h"

using namespace qiao;
using namespace qiao::testing;
using loader::glob_match;
using loader::list_match;

namespace {

struct Match {
    const char *pattern, *text;
    bool expected;
};

const Match kGlobs[] = {
    {"", "", true},          {"", "a", false},           {"a", "", false},         {"mock", "mock", true},
    {"mock", "mock1", false}, {"mock", "Mock", false},    {"*", "", true},          {"*", "anything:0", true},
    {"**", "a", true},       {"?", "a", true},           {"?", "", false},         {"?", "ab", false},
    {"m?ck", "mock", true},  {"m*k", "mk", true},        {"m*k", "mock", true},    {"m*k", "mocks", false},
    {"*:0", "mock:0", true}, {"*:0", "mock:10", false},  {"mock:*", "mock", false}, {"a*b*c", "aXbYc", true},
    {"a*b*c", "aXcYb", false}, {"*ab", "aab", true},     {"*aab", "aaab", true},   {"a*?", "a", false},
    {"a*?", "ab", true},     {"[a]", "a", false},        {"[a]", "[a]", true},     {"\\*", "*", false},
    {"\\*", "\\x", true},    {"{a,b}", "a", false},      {".*", "abc", false},
};

const Match kLists[] = {
    {"", "mock", true},                  {" ", "mock", true},
    {",", "mock", true},                 {"mock", "mock", true},
    {"mock", "opencl", false},           {"mock,opencl", "opencl", true},
    {" mock ,\topencl ", "opencl", true}, {"!mock", "mock", false},
    {"!mock", "opencl", true},           {"-mock", "mock", false},
    {"-mock", "opencl", true},           {"!mock,mock", "mock", true},
    {"*,!mock", "mock", false},          {"*,!mock", "opencl", true},
    {"!*,mock", "mock", true},           {"!*,mock", "opencl", false},
    {"mock:*,!mock:1", "mock:0", true},  {"mock:*,!mock:1", "mock:1", false},
    {"mock:*,!mock:1", "opencl:0", false}, {"mock,,opencl", "opencl", true},
    {"mo,ck", "mock", false},            {"!", "", false},
    {"a b", "a b", true},
};

// Three plugins; which of them are loaded.
struct Trial {
    explicit Trial(const char* selection) : plugins("QIAO_PLUGINS", selection) {
        folder.write("a.json", manifest("vendor-a", QIAO_FIXTURE_T0_PLUGIN));
        folder.write("b.json", manifest("vendor-b", QIAO_FIXTURE_T0_PLUGIN));
        folder.write("c.json", manifest("bad", std::string(BAD_PLUGIN_FOLDER) + "/bad_none.so"));
        candidates = discover(folder.path(), recorder);
    }
    std::string loaded() const {
        std::string ids;
        for (const loader::Candidate& candidate : candidates)
            ids += candidate.loaded != nullptr ? candidate.plugin + " " : "";
        return ids;
    }

    Environment plugins;
    TempFolder folder;
    Recorder recorder;
    std::vector<loader::Candidate> candidates;
};

} // namespace

TEST_SUITE("loader.selection") {
    TEST_CASE("globs know '*' and '?', match the whole text, and take everything else as it is") {
        for (const Match& match : kGlobs) {
            CAPTURE(match.pattern);
            CAPTURE(match.text);
            CHECK(glob_match(match.pattern, match.text) == match.expected);
        }
    }

    TEST_CASE("a glob of many stars against a long text ends") {
        const std::string pattern = [] {
            std::string stars;
            for (int i = 0; i < 100; ++i)
                stars += "*a";
            return stars + "b";
        }();
        const auto before = std::chrono::steady_clock::now();
        CHECK_FALSE(glob_match(pattern, std::string(20000, 'a')));
        CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(20)); // exponential ones take for ever
    }

    TEST_CASE("in a list the last entry that matches decides") {
        for (const Match& match : kLists) {
            CAPTURE(match.pattern);
            CAPTURE(match.text);
            CHECK(list_match(match.pattern, match.text) == match.expected);
        }
    }

    TEST_CASE("QIAO_PLUGINS selects plugins by their id") {
        CHECK(Trial(nullptr).loaded() == "vendor-a vendor-b bad ");
        CHECK(Trial("").loaded() == "vendor-a vendor-b bad ");
        CHECK(Trial("vendor-b").loaded() == "vendor-b ");
        CHECK(Trial("vendor-*").loaded() == "vendor-a vendor-b ");
        CHECK(Trial("!bad").loaded() == "vendor-a vendor-b ");
        CHECK(Trial("*,!vendor-?").loaded() == "bad ");
        CHECK(Trial("nobody").loaded() == "");
    }

    TEST_CASE("a plugin that is left out is in the ledger, and its library is never opened") {
        const Trial trial("vendor-*");
        const loader::Candidate& bad = find(trial.candidates, trial.folder / "c.json");
        CHECK(bad.state == QIAO_CANDIDATE_STATE_DISABLED);
        CHECK(bad.reason == "QIAO_PLUGINS is \"vendor-*\", which leaves it out");
        CHECK(bad.remedy == "change or unset QIAO_PLUGINS");
        CHECK(bad.plugin == "bad");
        CHECK(trial.recorder.count("bad", "asked") == 0);
        CHECK(dlopen(bad.library.c_str(), RTLD_NOW | RTLD_NOLOAD) == nullptr);
    }

    TEST_CASE("a manifest that cannot be read has no id to select by, and is told all the same") {
        const Environment plugins("QIAO_PLUGINS", "vendor-*");
        const TempFolder folder;
        folder.write("broken.json", "{");
        Recorder recorder;
        const auto candidates = discover(folder.path(), recorder);
        REQUIRE(candidates.size() == 1);
        CHECK(candidates[0].state == QIAO_CANDIDATE_STATE_BAD_MANIFEST);
    }
}
