// When a plugin is probed and when its verdict is known: the modes, what the verdict depends on, and a cache that is damaged,
// closed, full or old.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/identity.h"
#include "loader/probe_report.h"
#include "probe_support.h"

using namespace qiao;
using namespace qiao::testing;
namespace fs = std::filesystem;

namespace {

struct Asked {
    explicit Asked(const ProbeSetting& setting, const std::string& program = "") {
        candidates = loader::discover({setting.plugins(), recorder.sinks(), program});
    }
    const loader::Candidate& only() const {
        REQUIRE(candidates.size() == 1);
        return candidates[0];
    }

    Recorder recorder;
    std::vector<loader::Candidate> candidates;
};

std::vector<fs::path> verdicts(const ProbeSetting& setting) {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(setting.folder / "cache/qiao/probe", none))
        files.push_back(entry.path());
    return files;
}

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void age(const fs::path& path, std::chrono::seconds by) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - by);
}

// A copy of a library that may be changed.
std::string copy_library(const ProbeSetting& setting, const std::string& from) {
    const std::string to = setting.folder / "copy.so";
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    return to;
}

} // namespace

TEST_SUITE("loader.probe") {
    TEST_CASE("auto probes once, and then knows; child probes each time; inprocess never") {
        const ProbeSetting setting;
        setting.add_harmful("nothing_query");
        const auto ask = [&](const char* mode) {
            const Environment probe("QIAO_PROBE", mode);
            const Asked asked(setting);
            CHECK(asked.only().state == QIAO_CANDIDATE_STATE_USABLE);
            CHECK(asked.only().loaded != nullptr);
            return asked.only().probe;
        };
        CHECK(ask("inprocess") == "in process");
        CHECK(verdicts(setting).empty());
        CHECK(ask(nullptr) == "child");
        CHECK(verdicts(setting).size() == 1);
        CHECK(ask("auto") == "cached");
        CHECK(ask("child") == "child");
        CHECK(ask("") == "cached");
        const std::string own = std::to_string(getpid());
        size_t here = 0, elsewhere = 0;
        for (const std::string& process : setting.trace())
            ++(process == own ? here : elsewhere);
        CHECK(here == 5);
        CHECK(elsewhere == 2);
    }

    TEST_CASE("settings that are not understood are warned of, and the defaults used") {
        const ProbeSetting setting;
        setting.add_good("good");
        const Environment probe("QIAO_PROBE", "always");
        for (const char* limit : {"0", "-1", "600001", "10s", " 5"}) {
            CAPTURE(std::string(limit));
            const Environment time("QIAO_PROBE_TIMEOUT_MS", limit);
            const Asked asked(setting);
            CHECK(asked.only().state == QIAO_CANDIDATE_STATE_USABLE);
            CHECK(asked.recorder.count("core", "QIAO_PROBE is \"always\"; it must be auto, child or inprocess") == 1);
            CHECK(asked.recorder.count("core", "it must be from 1 to 600000; 10000 is used") == 1);
        }
    }

    TEST_CASE("without its program plugins are loaded unprobed, and the log says so at debug level") {
        const ProbeSetting setting;
        setting.add_good("good");
        setting.folder.write("not-a-program", "");
        for (const std::string& program : {setting.folder / "none", setting.folder / "not-a-program", std::string("/bin/false")}) {
            CAPTURE(program);
            const Asked asked(setting, program);
            CHECK(asked.only().state == QIAO_CANDIDATE_STATE_USABLE);
            CHECK(asked.only().probe == "in process");
            const auto lines = asked.recorder.lines();
            REQUIRE(lines.size() == 1);
            CHECK(lines[0].level == QIAO_LOG_LEVEL_DEBUG);
            CHECK(contains(lines[0].text, "plugin \"good\" is not probed: "));
        }
        CHECK(verdicts(setting).empty());
    }

    TEST_CASE("a verdict holds for this library, manifest, driver and path of libraries only") {
        const ProbeSetting setting;
        const TempFolder sysfs;
        const Environment root("QIAO_SYSFS_ROOT", sysfs.path());
        sysfs.write("module/card/version", "1.0\n");
        sysfs.write("bus/x", "");
        const auto write = [&](const std::string& library, const std::string& more = "") {
            setting.folder.write("plugins.d/p.json",
                                 manifest("p", library, ", \"hardware\": [{\"drivers\": [\"card\"]}]" + more));
        };
        const auto how = [&] { return Asked(setting).only().probe; };
        write(QIAO_FIXTURE_T0_PLUGIN);
        CHECK(how() == "child");
        CHECK(how() == "cached");
        write(QIAO_FIXTURE_T0_PLUGIN, ", \"x-devices\": 2");
        CHECK(how() == "child");
        sysfs.write("module/card/version", "1.1\n");
        CHECK(how() == "child");
        sysfs.write("module/card/srcversion", "AB\n");
        CHECK(how() == "child");
        CHECK(how() == "cached");
        {
            const Environment path("LD_LIBRARY_PATH", "/opt/vendor/lib");
            CHECK(how() == "child");
            CHECK(how() == "cached");
        }
        CHECK(how() == "cached");
        write(copy_library(setting, QIAO_FIXTURE_T0_PLUGIN), ", \"x-devices\": 2");
        CHECK(how() == "child");
        CHECK(how() == "cached");
        CHECK(fs::remove(setting.folder / "copy.so"));
        write(copy_library(setting, setting.harmful_library("nothing_query")), ", \"x-devices\": 2");
        CHECK(how() == "child");
    }

    TEST_CASE("a library is identified by its build id, and by its file where there is none") {
        const ProbeSetting setting;
        const std::string with = loader::library_identity(QIAO_FIXTURE_T0_PLUGIN);
        CHECK(contains(with, " build "));
        const std::string without = std::string(BAD_PLUGIN_FOLDER) + "/bad_no_build_id.so";
        const std::string copy = copy_library(setting, without), first = loader::library_identity(copy);
        CHECK(contains(first, " file "));
        CHECK(loader::library_identity(copy) == first);
        age(copy, std::chrono::hours(1));
        CHECK(loader::library_identity(copy) != first);
        // A touched file with a build id is the same file.
        const std::string known = loader::library_identity(copy_library(setting, QIAO_FIXTURE_T0_PLUGIN));
        age(setting.folder / "copy.so", std::chrono::hours(1));
        CHECK(loader::library_identity(setting.folder / "copy.so") == known);

        CHECK(loader::library_identity("libvendor.so") == "");
        CHECK(loader::library_identity(setting.folder / "none.so") == "");
        CHECK(loader::library_identity(setting.folder.path()) == "");
        const std::string elf = contents(QIAO_FIXTURE_T0_PLUGIN);
        for (const size_t size : {0ul, 3ul, 16ul, 63ul, 64ul, 100ul, 500ul, 700ul}) // cut anywhere, it is a file
            CHECK(contains(loader::library_identity(setting.folder.write("cut.so", elf.substr(0, size))), "cut.so "));
    }

    TEST_CASE("a damaged verdict is no verdict") {
        const ProbeSetting setting;
        setting.add_harmful("crash_load");
        REQUIRE(Asked(setting).only().probe == "child");
        REQUIRE(verdicts(setting).size() == 1);
        const fs::path file = verdicts(setting)[0];
        const std::string good = contents(file);
        const auto is_refused = [&](const std::string& bytes) {
            std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
            const Asked asked(setting);
            CHECK(asked.only().probe == "child");
            CHECK(asked.only().state == QIAO_CANDIDATE_STATE_FAILED);
            CHECK(contents(file) == good); // written anew
        };
        for (size_t at = 0; at < good.size(); at += 1 + good.size() / 20) {
            CAPTURE(at);
            std::string bytes = good;
            bytes[at] = static_cast<char>(bytes[at] ^ 4);
            is_refused(bytes);
        }
        for (const size_t size : {size_t{0}, size_t{8}, good.size() / 2, good.size() - 1})
            is_refused(good.substr(0, size));
        is_refused(good + "x");
        is_refused(std::string(300'000, 'x'));
        fs::remove(file);
        fs::create_symlink("/dev/zero", file);
        CHECK(Asked(setting).only().probe == "child");
        CHECK(Asked(setting).only().probe == "cached"); // the link was replaced
    }

    TEST_CASE("that a plugin does harm is believed for an hour, that it does none until something changes") {
        const ProbeSetting setting;
        setting.add_good("a-good");
        setting.add_harmful("crash_load");
        Asked{setting};
        const auto how = [&](const char* id) { return setting.find(Asked(setting).candidates, id).probe; };
        CHECK(contains(setting.find(Asked(setting).candidates, "crash_load").remedy,
                       "; `QIAO_PROBE=child qiao doctor` tries it again"));
        for (const fs::path& file : verdicts(setting))
            age(file, std::chrono::minutes(50));
        CHECK(how("crash_load") == "cached");
        for (const fs::path& file : verdicts(setting))
            age(file, std::chrono::hours(1000));
        CHECK(how("a-good") == "cached");
        for (const fs::path& file : verdicts(setting))
            age(file, std::chrono::hours(1000));
        CHECK(how("crash_load") == "child");
        for (const fs::path& file : verdicts(setting))
            age(file, -std::chrono::seconds(2)); // a file system's clock is not quite the process's
        CHECK(how("crash_load") == "cached");
        for (const fs::path& file : verdicts(setting))
            age(file, -std::chrono::hours(3)); // the clock was put back
        CHECK(how("crash_load") == "child");
    }

    TEST_CASE("harm of a plugin in QIAO_PLUGIN_PATH is believed for seconds, since somebody may be at work on it") {
        const ProbeSetting setting;
        const Environment path{"QIAO_PLUGIN_PATH", setting.plugins()}, selection{"QIAO_PLUGINS", "crash_load"};
        setting.add_harmful("crash_load");
        Recorder recorder;
        const auto how = [&] { return setting.find(loader::discover({"", recorder.sinks()}), "crash_load").probe; };
        CHECK(how() == "child");
        for (const fs::path& file : verdicts(setting))
            age(file, -std::chrono::seconds(4)); // a slow machine does not let it grow old
        CHECK(how() == "cached");
        for (const fs::path& file : verdicts(setting))
            age(file, std::chrono::seconds(6));
        CHECK(how() == "child");
    }

    TEST_CASE("a cache that cannot be written costs a probe each time, and a line at debug level") {
        const ProbeSetting setting;
        setting.add_good("good");
        const auto check = [&] {
            for (int i = 0; i < 2; ++i) {
                const Asked asked(setting);
                CHECK(asked.only().state == QIAO_CANDIDATE_STATE_USABLE);
                CHECK(asked.only().probe == "child");
                const auto lines = asked.recorder.lines();
                REQUIRE(lines.size() == 1);
                CHECK(lines[0].level == QIAO_LOG_LEVEL_DEBUG);
                CHECK(contains(lines[0].text, "is not kept: "));
            }
        };
        setting.folder.write("file", "");
        {
            const Environment cache("XDG_CACHE_HOME", setting.folder / "file");
            check();
        }
        {
            const Environment cache("XDG_CACHE_HOME", "/proc/self"); // nobody may make a folder there
            check();
        }
        {
            // As a full disk: nothing can be written to files.
            signal(SIGXFSZ, SIG_IGN);
            rlimit old{}, none{};
            getrlimit(RLIMIT_FSIZE, &old);
            none.rlim_max = old.rlim_max;
            setrlimit(RLIMIT_FSIZE, &none);
            check();
            setrlimit(RLIMIT_FSIZE, &old);
            signal(SIGXFSZ, SIG_DFL);
            CHECK(verdicts(setting).empty()); // and no half file stays
        }
        CHECK(Asked(setting).only().probe == "child");
        CHECK(Asked(setting).only().probe == "cached");
        fs::permissions(setting.folder / "cache/qiao/probe", fs::perms::owner_read | fs::perms::owner_exec);
        CHECK(Asked(setting).only().probe == "cached"); // read-only is enough to know
        fs::permissions(setting.folder / "cache/qiao/probe", fs::perms::owner_all);
    }

    TEST_CASE("without a home there is no cache, and nothing is said") {
        const ProbeSetting setting;
        setting.add_good("good");
        const Environment cache("XDG_CACHE_HOME", nullptr), home("HOME", nullptr);
        for (int i = 0; i < 2; ++i) {
            const Asked asked(setting);
            CHECK(asked.only().probe == "child");
            CHECK(asked.recorder.lines().empty());
        }
    }

    TEST_CASE("the cache lies in folders of the user alone, and does not grow for ever") {
        const ProbeSetting setting;
        setting.add_good("good");
        for (int i = 0; i < 600; ++i) {
            const std::string path = setting.folder.write("cache/qiao/probe/old" + std::to_string(i) + ".verdict", "x");
            age(path, std::chrono::hours(10 + i));
        }
        CHECK(Asked(setting).only().probe == "child");
        CHECK(verdicts(setting).size() == 256);
        CHECK(Asked(setting).only().probe == "cached");
        struct stat about {};
        for (const fs::path& file : verdicts(setting)) {
            if (file.filename().string().starts_with("old")) continue;
            REQUIRE(stat(file.c_str(), &about) == 0);
            CHECK((about.st_mode & 0777) == 0600);
        }
        const Environment other("XDG_CACHE_HOME", setting.folder / "other");
        CHECK(Asked(setting).only().probe == "child");
        REQUIRE(stat((setting.folder / "other/qiao/probe").c_str(), &about) == 0);
        CHECK((about.st_mode & 0777) == 0700);
    }

    TEST_CASE("harm that a plugin only says is found too, and keeps it out") {
        const ProbeSetting setting;
        for (const char* defect : {"overrun", "device_overrun", "status", "count_status", "count_timeout", "throws"}) {
            CAPTURE(std::string(defect));
            const std::string library = std::string(BAD_PLUGIN_FOLDER) + "/bad_" + defect + ".so";
            setting.folder.write("plugins.d/bad.json", manifest("bad", library));
            const Asked asked(setting);
            CHECK(asked.only().state == QIAO_CANDIDATE_STATE_FAILED);
            CHECK(asked.only().probe == "child");
            CHECK(asked.only().loaded == nullptr);
            CHECK(asked.recorder.count("bad", "") == 0); // it has said nothing here
        }
        for (const char* defect : {"refuses", "null_tables", "zero_devices", "count_fails", "abi_new"}) {
            CAPTURE(std::string(defect)); // harmless: the handshake in this process says what is wrong today
            setting.folder.write("plugins.d/bad.json",
                                 manifest("bad", std::string(BAD_PLUGIN_FOLDER) + "/bad_" + defect + ".so"));
            const Asked asked(setting);
            CHECK(asked.only().state != QIAO_CANDIDATE_STATE_USABLE);
            CHECK(asked.recorder.count("bad", "asked") == 1);
        }
    }

    TEST_CASE("a report comes back as it was, or not at all") {
        const loader::Verdict reports[] = {
            {}, loader::Problem{QIAO_CANDIDATE_STATE_FAILED, "reason", "remedy", true},
            loader::Problem{QIAO_CANDIDATE_STATE_INCOMPATIBLE, std::string(4093, 'r'), "", true}};
        for (const loader::Verdict& report : reports) {
            const std::string bytes = loader::encode_report(report);
            CHECK(bytes.size() <= loader::kMaxReportBytes);
            loader::Verdict back;
            REQUIRE(loader::decode_report(bytes, back));
            REQUIRE(back.has_value() == report.has_value());
            if (report) {
                CHECK(back->state == report->state);
                CHECK(back->reason == report->reason);
                CHECK(back->remedy == report->remedy);
                CHECK(back->harmful);
            }
            for (size_t size = 0; size < bytes.size(); size += 1 + size / 40)
                CHECK_FALSE(loader::decode_report(bytes.substr(0, size), back));
            CHECK_FALSE(loader::decode_report(bytes + "x", back));
            for (size_t at = 0; at < bytes.size(); at += 1 + at / 40) {
                std::string wrong = bytes;
                wrong[at] = static_cast<char>(wrong[at] ^ 0x20);
                CHECK_FALSE(loader::decode_report(wrong, back));
            }
        }
        loader::Verdict back;
        REQUIRE(loader::decode_report(
            loader::encode_report(loader::Problem{QIAO_CANDIDATE_STATE_FAILED, std::string(9000, 'r'), "a\nb", true}), back));
        CHECK(back->reason.size() == loader::kMaxReportText);
        CHECK(back->remedy == "a?b");
    }
}
