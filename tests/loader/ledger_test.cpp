// One folder with a candidate in every state: each entry is complete, in order, and told to the log once; the good ones work.
#include <doctest/doctest.h>

#include <set>

#include "support.h"

using namespace qiao;
using namespace qiao::testing;

namespace {

std::string bad(const char* defect) {
    return std::string(BAD_PLUGIN_FOLDER) + "/bad_" + defect + ".so";
}

struct Entry {
    const char* file;
    qiao_candidate_state state;
    qiao_log_level level; // 0 = it is not worth a line
};

const Entry kEntries[] = {
    {"01-usable.json", QIAO_CANDIDATE_STATE_USABLE, 0},
    {"02-no-devices.json", QIAO_CANDIDATE_STATE_NO_DEVICES, QIAO_LOG_LEVEL_INFO},
    {"03-disabled.json", QIAO_CANDIDATE_STATE_DISABLED, QIAO_LOG_LEVEL_INFO},
    {"04-bad-manifest.json", QIAO_CANDIDATE_STATE_BAD_MANIFEST, QIAO_LOG_LEVEL_WARNING},
    {"05-not-loadable.json", QIAO_CANDIDATE_STATE_NOT_LOADABLE, QIAO_LOG_LEVEL_WARNING},
    {"06-incompatible.json", QIAO_CANDIDATE_STATE_INCOMPATIBLE, QIAO_LOG_LEVEL_WARNING},
    {"07-refused.json", QIAO_CANDIDATE_STATE_REFUSED, QIAO_LOG_LEVEL_INFO},
    {"08-failed.json", QIAO_CANDIDATE_STATE_FAILED, QIAO_LOG_LEVEL_WARNING},
    {"09-duplicate.json", QIAO_CANDIDATE_STATE_DISABLED, QIAO_LOG_LEVEL_INFO},
    {"10-usable.json", QIAO_CANDIDATE_STATE_USABLE, 0},
};

void write_all(const TempFolder& folder) {
    folder.write("01-usable.json", manifest("first", QIAO_FIXTURE_T0_PLUGIN));
    folder.write("02-no-devices.json", manifest("none", QIAO_FIXTURE_T0_PLUGIN, ", \"x-devices\": 0"));
    folder.write("03-disabled.json", manifest("unwanted", QIAO_FIXTURE_T0_PLUGIN));
    folder.write("04-bad-manifest.json", "{");
    folder.write("05-not-loadable.json", manifest("gone", "gone/nowhere.so"));
    folder.write("06-incompatible.json", manifest("foreign", QIAO_FIXTURE_T0_PLUGIN, ", \"architecture\": \"vax\""));
    folder.write("07-refused.json", manifest("bad", bad("refuses")));
    folder.write("08-failed.json", manifest("bad", bad("null_tables")));
    folder.write("09-duplicate.json", manifest("first", QIAO_FIXTURE_T0_PLUGIN));
    folder.write("10-usable.json", manifest("last", QIAO_FIXTURE_T0_PLUGIN));
}

struct Ledger {
    Ledger() : plugins("QIAO_PLUGINS", "!unwanted") {
        write_all(folder);
        candidates = discover(folder.path(), recorder);
    }

    Environment plugins;
    TempFolder folder;
    Recorder recorder;
    std::vector<loader::Candidate> candidates;
};

} // namespace

TEST_SUITE("loader.ledger") {
    TEST_CASE("has every candidate, in order, in its state, with reason and remedy unless it is usable") {
        const Ledger ledger;
        REQUIRE(ledger.candidates.size() == std::size(kEntries));
        std::set<qiao_candidate_state> states;
        for (size_t i = 0; i < std::size(kEntries); ++i) {
            CAPTURE(kEntries[i].file);
            const loader::Candidate& candidate = ledger.candidates[i];
            CHECK(candidate.manifest == ledger.folder / kEntries[i].file);
            CHECK(candidate.state == kEntries[i].state);
            const bool usable = kEntries[i].state == QIAO_CANDIDATE_STATE_USABLE;
            CHECK(candidate.reason.empty() == usable);
            CHECK(candidate.remedy.empty() == usable);
            states.insert(candidate.state);
        }
        CHECK(states.size() == QIAO_CANDIDATE_STATE_FAILED); // 1 to the last one: a new state belongs here too
    }

    TEST_CASE("tells each entry that is not usable once, on its level, with reason and remedy") {
        const Ledger ledger;
        for (size_t i = 0; i < std::size(kEntries); ++i) {
            CAPTURE(kEntries[i].file);
            const loader::Candidate& candidate = ledger.candidates[i];
            size_t told = 0;
            for (const Recorder::Line& line : ledger.recorder.lines()) {
                if (line.source != "core" || candidate.reason.empty() || !contains(line.text, candidate.reason)) continue;
                ++told;
                CHECK(line.level == kEntries[i].level);
                CHECK(contains(line.text, candidate.remedy));
            }
            CHECK(told == (kEntries[i].level == 0 ? 0 : 1));
        }
    }

    TEST_CASE("what is wrong before and after it does not keep a plugin from working") {
        const Ledger ledger;
        for (const char* file : {"01-usable.json", "10-usable.json"}) {
            const loader::Candidate& candidate = find(ledger.candidates, ledger.folder / file);
            REQUIRE(candidate.loaded != nullptr);
            uint32_t count = 0;
            CHECK(candidate.loaded->tables().device->device_count(candidate.loaded->plugin(), &count) == QIAO_OK);
            CHECK(count == 1);
        }
    }

    TEST_CASE("no candidate at all, and none that is usable, are no failure") {
        const TempFolder folder;
        Recorder recorder;
        CHECK(discover(folder.path(), recorder).empty());
        CHECK(recorder.lines().empty());
        folder.write("none.json", manifest("none", QIAO_FIXTURE_T0_PLUGIN, ", \"x-devices\": 0"));
        const auto candidates = discover(folder.path(), recorder);
        REQUIRE(candidates.size() == 1);
        CHECK(candidates[0].state == QIAO_CANDIDATE_STATE_NO_DEVICES);
        CHECK(candidates[0].loaded != nullptr);
        CHECK(candidates[0].devices.empty());
    }

    TEST_CASE("a plugin that could not be loaded does not keep its id from another build of it") {
        const TempFolder folder;
        folder.write("a.json", manifest("bad", bad("null_tables")));
        folder.write("b.json", manifest("bad", bad("none")));
        Recorder recorder;
        const auto candidates = discover(folder.path(), recorder);
        CHECK(find(candidates, folder / "a.json").state == QIAO_CANDIDATE_STATE_FAILED);
        CHECK(find(candidates, folder / "b.json").state == QIAO_CANDIDATE_STATE_USABLE);
    }

    TEST_CASE("unknown keys are warned of, with the manifest's path") {
        const TempFolder folder;
        const std::string path = folder.write("p.json", manifest("p", QIAO_FIXTURE_T0_PLUGIN, ", \"libary\": 1, \"x-a\": 1"));
        Recorder recorder;
        CHECK(discover(folder.path(), recorder)[0].state == QIAO_CANDIDATE_STATE_USABLE);
        CHECK(recorder.count("core", path + ": the key \"libary\" is unknown and ignored") == 1);
        CHECK(recorder.count("core", "x-a") == 0);
    }

    TEST_CASE("a manifest's text does not break the log's lines") {
        const TempFolder folder;
        folder.write("p.json", "{\"qiao_manifest\": 1, \"id\": \"a\\nb\\u001b[31m\"}");
        Recorder recorder;
        discover(folder.path(), recorder);
        const std::vector<Recorder::Line> lines = recorder.lines();
        REQUIRE(lines.size() == 1);
        for (const char c : lines[0].text)
            CHECK(static_cast<unsigned char>(c) >= 0x20);
    }
}
