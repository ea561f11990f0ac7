// Plugins that are wrong in one way each: the ledger says in which state, why, and what to do; and the good plugin beside
// them is loaded all the same.
#include <doctest/doctest.h>

#include "support.h"

using namespace qiao;
using namespace qiao::testing;

namespace {

struct Expected {
    const char* defect; // bad_<defect>.so
    qiao_candidate_state state;
    const char* reason; // parts of the texts; "" = the text is empty
    const char* remedy;
};

constexpr const char* kReport = "report this to the plugin's maker";

const Expected kExpected[] = {
    {"no_symbol", QIAO_CANDIDATE_STATE_NOT_LOADABLE, "bad_no_symbol.so does not export qiao_plugin_query",
     "correct \"library\""},
    {"undefined", QIAO_CANDIDATE_STATE_NOT_LOADABLE, "undefined symbol: nobody_defines_this", "of another version"},
    {"missing_dependency", QIAO_CANDIDATE_STATE_NOT_LOADABLE,
     "loader_test_dependency.so: cannot open shared object file", "install the missing library"},

    {"abi_new", QIAO_CANDIDATE_STATE_INCOMPATIBLE, "built for plugin ABI 2.0; this Qiao speaks 1.0", "update Qiao"},
    {"abi_old", QIAO_CANDIDATE_STATE_INCOMPATIBLE, "built for plugin ABI 0.0; this Qiao speaks 1.0",
     "a newer release of the plugin"},
    {"abi_minor", QIAO_CANDIDATE_STATE_INCOMPATIBLE, "needs at least plugin ABI 1.3; this Qiao speaks 1.0",
     "update Qiao"},

    {"overrun", QIAO_CANDIDATE_STATE_FAILED, "qiao_plugin_query wrote beyond the struct_size of qiao_plugin_info (",
     kReport},
    {"overrun_newer", QIAO_CANDIDATE_STATE_INCOMPATIBLE, "it is built for plugin ABI 1.1, this Qiao speaks 1.0",
     kReport},
    {"device_overrun", QIAO_CANDIDATE_STATE_FAILED,
     "device_query of device 0 wrote beyond the struct_size of qiao_plugin_device_info", kReport},

    {"null_tables", QIAO_CANDIDATE_STATE_FAILED, "the plugin has no tables (the pointer is null)", kReport},
    {"no_memory_table", QIAO_CANDIDATE_STATE_FAILED, "has no memory table", kReport},
    {"short_tables", QIAO_CANDIDATE_STATE_FAILED, "has no program table", kReport},
    {"tables_size", QIAO_CANDIDATE_STATE_FAILED, "tables with struct_size 3; it must be from 8 to 4096", kReport},
    {"table_size", QIAO_CANDIDATE_STATE_FAILED, "memory table with struct_size 18446744073709551615", kReport},
    {"short_table", QIAO_CANDIDATE_STATE_FAILED,
     "required slot kernel_find (the program table's struct_size is 28, the slot ends at 32)", kReport},
    {"half_queue", QIAO_CANDIDATE_STATE_FAILED, "has the slot queue_destroy but not queue_poll", kReport},
    {"evict_alone", QIAO_CANDIDATE_STATE_FAILED, "has the slot memory_evict but not memory_restore", kReport},
    {"map_alone", QIAO_CANDIDATE_STATE_FAILED, "has the slot memory_map but not memory_unmap", kReport},

    {"extension_name", QIAO_CANDIDATE_STATE_FAILED, "has an extension \"bad.thing.v2\"; a name is vendor.noun.N", kReport},
    {"extension_table", QIAO_CANDIDATE_STATE_FAILED, "has the extension \"bad.thing.1\" without a table", kReport},
    {"extensions_no_end", QIAO_CANDIDATE_STATE_FAILED, "lists more than 64 extensions; the list ends with a null name", kReport},
    {"null_id", QIAO_CANDIDATE_STATE_FAILED, "gave no id", kReport},
    {"id", QIAO_CANDIDATE_STATE_FAILED, "id is \"Bad Plugin\"; an id is 1 to 32 characters of a-z, 0-9, _ and -",
     kReport},
    {"other_id", QIAO_CANDIDATE_STATE_FAILED, "its manifest calls it \"bad\", the library calls itself \"worse\"",
     "correct \"id\""},
    {"roles", QIAO_CANDIDATE_STATE_FAILED, "roles are 0x0", kReport},
    {"future_role", QIAO_CANDIDATE_STATE_FAILED, "roles are 0x10000000000", "update Qiao"},

    {"refuses", QIAO_CANDIDATE_STATE_REFUSED, "the licence?has expired", "renew it"},
    {"refuses_through_host", QIAO_CANDIDATE_STATE_REFUSED, "the driver's library is not there (BAD_NO_CARD -1001)",
     "install bad-driver"},
    {"refuses_silently", QIAO_CANDIDATE_STATE_REFUSED, "refused with QIAO_ERROR_UNSUPPORTED and gave no reason", ""},
    {"refuses_early", QIAO_CANDIDATE_STATE_REFUSED, "refused with QIAO_ERROR_UNSUPPORTED", ""},
    {"status", QIAO_CANDIDATE_STATE_FAILED, "qiao_plugin_query returned -4321, which is no status of Qiao", kReport},
    {"status_positive", QIAO_CANDIDATE_STATE_FAILED, "returned QIAO_NOT_READY, which is neither success nor an error",
     kReport},
    {"throws_from_query", QIAO_CANDIDATE_STATE_FAILED, "qiao_plugin_query threw an exception; none may leave a plugin",
     kReport},
    {"throws", QIAO_CANDIDATE_STATE_FAILED,
     "device_count threw an exception (the card's name is longer than I thought)", kReport},

    {"zero_devices", QIAO_CANDIDATE_STATE_NO_DEVICES, "found no device, and gave no reason",
     "see the plugin's documentation"},
    {"zero_devices_with_words", QIAO_CANDIDATE_STATE_NO_DEVICES, "no card answers (BAD_NO_CARD -1001)", "modprobe bad"},
    {"count_fails", QIAO_CANDIDATE_STATE_FAILED, "device_count failed: the driver is too old: 1.2, at least 2.0",
     "update the driver"},
    {"count_fails_silently", QIAO_CANDIDATE_STATE_FAILED,
     "device_count failed with QIAO_ERROR_DEVICE_LOST and gave no reason", kReport},
    {"count_status", QIAO_CANDIDATE_STATE_FAILED, "device_count returned 77, which is no status of Qiao", kReport},
    {"count_timeout", QIAO_CANDIDATE_STATE_FAILED, "device_count returned QIAO_TIMEOUT", kReport},
    {"many_devices", QIAO_CANDIDATE_STATE_FAILED, "reports 16385 devices; more than 16384 are not believed", kReport},
    {"old_error", QIAO_CANDIDATE_STATE_FAILED, "device_count failed: in an older struct", ""},
    {"all_queries_fail", QIAO_CANDIDATE_STATE_FAILED,
     "2 of 2 devices left out: device_query of device 0 failed with QIAO_ERROR_UNSUPPORTED", kReport},

    {"one_query_fails", QIAO_CANDIDATE_STATE_USABLE,
     "1 of 2 devices left out: device_query of device 0 failed: card 0 has fallen off the bus", "reseat it"},
    {"device_tables", QIAO_CANDIDATE_STATE_USABLE, "1 of 2 devices left out: device 1 has no device table", kReport},
    {"none", QIAO_CANDIDATE_STATE_USABLE, "", ""},
    {"abi_minor_fine", QIAO_CANDIDATE_STATE_USABLE, "", ""},
    {"info_size", QIAO_CANDIDATE_STATE_USABLE, "", ""},
    {"no_close", QIAO_CANDIDATE_STATE_USABLE, "", ""},
    {"discovery_only", QIAO_CANDIDATE_STATE_USABLE, "", ""},
    {"most_devices", QIAO_CANDIDATE_STATE_USABLE, "", ""},
    {"device_text", QIAO_CANDIDATE_STATE_USABLE, "", ""},
};

std::string bad_library(std::string_view defect) {
    return std::string(BAD_PLUGIN_FOLDER) + "/bad_" + std::string(defect) + ".so";
}

void check_text(const std::string& text, const char* expected) {
    CAPTURE(text);
    CAPTURE(expected);
    if (*expected == '\0') {
        CHECK(text.empty());
    } else {
        CHECK(contains(text, expected));
    }
}

// A folder with the bad plugin between two good ones.
struct Trial {
    explicit Trial(std::string_view defect) {
        folder.write("a.json", manifest("good-a", QIAO_FIXTURE_T0_PLUGIN));
        folder.write("bad.json", manifest("bad", bad_library(defect)));
        folder.write("c.json", manifest("good-c", QIAO_FIXTURE_T0_PLUGIN));
        candidates = discover(folder.path(), recorder);
    }
    const loader::Candidate& bad() const { return find(candidates, folder / "bad.json"); }

    TempFolder folder;
    Recorder recorder;
    std::vector<loader::Candidate> candidates;
};

bool is_loaded(qiao_candidate_state state) {
    return state == QIAO_CANDIDATE_STATE_USABLE || state == QIAO_CANDIDATE_STATE_NO_DEVICES;
}

} // namespace

TEST_SUITE("loader.handshake") {
    TEST_CASE("says of each bad plugin what is wrong with it, and loads the good ones beside it") {
        for (const Expected& expected : kExpected) {
            CAPTURE(expected.defect);
            const Trial trial(expected.defect);
            REQUIRE(trial.candidates.size() == 3);
            const loader::Candidate& bad = trial.bad();
            CHECK(bad.state == expected.state);
            check_text(bad.reason, expected.reason);
            check_text(bad.remedy, expected.remedy);
            CHECK(bad.plugin == "bad");
            CHECK(bad.library == bad_library(expected.defect));
            CHECK((bad.loaded != nullptr) == is_loaded(expected.state));
            CHECK(bad.devices.empty() == (expected.state != QIAO_CANDIDATE_STATE_USABLE));
            for (const char* name : {"a.json", "c.json"}) {
                const loader::Candidate& good = find(trial.candidates, trial.folder / name);
                CHECK(good.state == QIAO_CANDIDATE_STATE_USABLE);
                CHECK(good.devices.size() == 1);
                CHECK(good.reason == "");
            }
        }
    }

    TEST_CASE("names each of the 13 required slots that is null") {
        const char* const kSlots[] = {"device_count",       "device_query",    "device_open",    "device_close",
                                      "device_synchronize", "memory_allocate", "memory_free",    "memory_write",
                                      "memory_read",        "program_load",    "program_unload", "kernel_find",
                                      "kernel_launch"};
        CHECK(std::size(kSlots) == 13);
        for (const char* slot : kSlots) {
            CAPTURE(slot);
            const Trial trial(std::string("without_") + slot);
            CHECK(trial.bad().state == QIAO_CANDIDATE_STATE_FAILED);
            CHECK(contains(trial.bad().reason,
                           std::string("the plugin lacks the required slot ") + slot + " (it is null in the "));
            CHECK(contains(trial.bad().remedy, "qiao/plugin.h"));
        }
    }

    TEST_CASE("takes the version from a plugin that it could not load") {
        CHECK(Trial("refuses").bad().version == "9.9");
        CHECK(Trial("null_tables").bad().version == "9.9");
        CHECK(Trial("abi_new").bad().version == "");
    }

    TEST_CASE("keeps the plugin's index of a device where others were left out") {
        const Trial trial("one_query_fails");
        REQUIRE(trial.bad().devices.size() == 1);
        CHECK(trial.bad().devices[0].plugin_index == 1);
        CHECK(std::string(trial.bad().devices[0].info.name) == "second");
    }

    TEST_CASE("hands on devices that are complete and terminated") {
        const Trial trial("device_text");
        REQUIRE(trial.bad().devices.size() == 2);
        const qiao_plugin_device_info& info = trial.bad().devices[1].info;
        CHECK(info.struct_size == sizeof info);
        CHECK(std::string(info.name) == std::string(sizeof info.name - 1, 'n'));
        CHECK(std::string(info.note) == std::string(sizeof info.note - 1, 'o'));
        CHECK(std::string(info.formats) == "");
        CHECK(info.tables == &trial.bad().loaded->tables());
        CHECK(info.roles == (QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE));
    }

    TEST_CASE("lists as many devices as are believed") {
        CHECK(Trial("most_devices").bad().devices.size() == 1024);
    }

    TEST_CASE("tells a usable plugin's id, version, build and roles") {
        const Trial trial("none");
        REQUIRE(trial.bad().loaded != nullptr);
        CHECK(trial.bad().loaded->id() == "bad");
        CHECK(trial.bad().loaded->version() == "9.9");
        CHECK(trial.bad().loaded->build() == "fixture");
        CHECK(trial.bad().loaded->roles() == (QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE));
        CHECK(std::string(trial.bad().devices[0].info.formats) == "none");
    }

    TEST_CASE("warns of what is broken, and only informs of what is normal") {
        for (const Expected& expected : kExpected) {
            if (*expected.reason == '\0') continue;
            CAPTURE(expected.defect);
            const bool normal =
                expected.state == QIAO_CANDIDATE_STATE_REFUSED || expected.state == QIAO_CANDIDATE_STATE_NO_DEVICES;
            const Trial trial(expected.defect);
            size_t found = 0;
            for (const Recorder::Line& line : trial.recorder.lines()) {
                if (!contains(line.text, expected.reason) || line.source != "core") continue;
                ++found;
                CHECK(line.level == (normal ? QIAO_LOG_LEVEL_INFO : QIAO_LOG_LEVEL_WARNING));
                CHECK(contains(line.text, "plugin \"bad\": "));
            }
            CHECK(found == 1);
        }
    }
}
