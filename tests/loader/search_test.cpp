// Where manifests are looked for, in which order, and what happens to folders that are named twice, missing or closed.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/library.h"
#include "loader/search.h"
#include "support.h"

using namespace qiao;
using namespace qiao::testing;
using loader::Place;

namespace {

std::vector<std::string> folders(const std::vector<Place>& places) {
    std::vector<std::string> result;
    for (const Place& place : places)
        result.push_back(place.folder);
    return result;
}

// No variable of the caller's reaches the test.
struct CleanEnvironment {
    Environment path{"QIAO_PLUGIN_PATH", nullptr}, data{"XDG_DATA_HOME", nullptr}, home{"HOME", nullptr};
};

std::vector<std::string> names(const Place& place, loader::Verdict* out_problem = nullptr) {
    std::vector<std::string> manifests;
    loader::Verdict problem = loader::list_manifests(place, manifests);
    if (out_problem != nullptr) *out_problem = std::move(problem);
    for (std::string& manifest : manifests)
        manifest = std::filesystem::path(manifest).filename().string();
    return manifests;
}

using Names = std::vector<std::string>;

} // namespace

TEST_SUITE("loader.search") {
    TEST_CASE("looks in QIAO_PLUGIN_PATH, the user's, the system's and the installation's folder, in this order") {
        const CleanEnvironment clean;
        const Environment path("QIAO_PLUGIN_PATH", "/one:/two"), data("XDG_DATA_HOME", "/data"), home("HOME", "/home/u");
        const Names expected = {"/one", "/two", "/data/qiao/plugins.d", "/etc/qiao/plugins.d",
                                loader::own_directory() + "/qiao/plugins.d"};
        CHECK(folders(loader::places("")) == expected);
    }

    TEST_CASE("the application's path replaces all other places") {
        const Environment path("QIAO_PLUGIN_PATH", "/one");
        const std::vector<Place> places = loader::places("/app:/app/more");
        CHECK(folders(places) == Names{"/app", "/app/more"});
        for (const Place& place : places)
            CHECK(place.named_by == "qiao_instance_desc.plugin_path");
    }

    TEST_CASE("an empty entry of the application's path stands for the other places") {
        const CleanEnvironment clean;
        const Environment path("QIAO_PLUGIN_PATH", "/one");
        const std::string own = loader::own_directory() + "/qiao/plugins.d";
        CHECK(folders(loader::places(":/app")) == Names{"/one", "/etc/qiao/plugins.d", own, "/app"});
        CHECK(folders(loader::places("/app:")) == Names{"/app", "/one", "/etc/qiao/plugins.d", own});
        CHECK(folders(loader::places("/app::/more")) == Names{"/app", "/one", "/etc/qiao/plugins.d", own, "/more"});
        CHECK(loader::places("/app:")[1].named_by == "QIAO_PLUGIN_PATH");
    }

    TEST_CASE("the user's folder follows the XDG specification") {
        const CleanEnvironment clean;
        const auto user = [] { return folders(loader::places("")).front(); };
        CHECK(user() == "/etc/qiao/plugins.d"); // neither variable: no user's folder
        const Environment home("HOME", "/home/u");
        CHECK(user() == "/home/u/.local/share/qiao/plugins.d");
        const Environment relative("XDG_DATA_HOME", "data");
        CHECK(user() == "/home/u/.local/share/qiao/plugins.d");
        const Environment nowhere("HOME", "u");
        CHECK(user() == "/etc/qiao/plugins.d");
    }

    TEST_CASE("empty parts of QIAO_PLUGIN_PATH are left out, they do not mean the current folder") {
        const CleanEnvironment clean;
        {
            const Environment path("QIAO_PLUGIN_PATH", ":/one::/two:");
            CHECK(folders(loader::places("")) == Names{"/one", "/two", "/etc/qiao/plugins.d", loader::own_directory() + "/qiao/plugins.d"});
        }
        const Environment path("QIAO_PLUGIN_PATH", "::");
        CHECK(folders(loader::places("")).front() == "/etc/qiao/plugins.d");
    }

    TEST_CASE("a folder that is named twice, or by two names, is searched once, where it came first") {
        const TempFolder folder;
        folder.write("plugins.d/p.json", "");
        std::filesystem::create_directory_symlink(folder / "plugins.d", folder / "link");
        const std::string real = folder / "plugins.d", link = folder / "link", around = folder / "link/../plugins.d/";
        CHECK(folders(loader::places(link + ":/x:" + real + ":" + around + ":/x")) == Names{link, "/x"});
    }

    TEST_CASE("lists *.json by name; hidden files and others are left alone") {
        const TempFolder folder;
        for (const char* name : {"b.json", "a.json", "10.json", ".hidden.json", "c.json~", "d.JSON", "e.so", "json"})
            folder.write(name, "");
        CHECK(names({folder.path(), ""}) == Names{"10.json", "a.json", "b.json"});
    }

    TEST_CASE("a place of Qiao's own may be missing, one that was named may not") {
        const TempFolder folder;
        loader::Verdict problem;
        names({folder / "none", ""}, &problem);
        CHECK_FALSE(problem);
        names({folder / "none", "QIAO_PLUGIN_PATH"}, &problem);
        REQUIRE(problem);
        CHECK(problem->state == QIAO_CANDIDATE_STATE_BAD_MANIFEST);
        CHECK(problem->reason == folder / "none" + " cannot be searched for manifests: No such file or directory");
        CHECK(problem->remedy == "name readable folders in QIAO_PLUGIN_PATH");
        folder.write("file", "");
        names({folder / "file", ""}, &problem);
        REQUIRE(problem);
        CHECK(contains(problem->reason, "Not a directory"));
        CHECK(problem->remedy == "make it a readable folder, or remove it");
    }

    TEST_CASE("a folder without the right to read it is reported") {
        const TempFolder folder;
        folder.write("closed/p.json", "");
        REQUIRE(chmod((folder / "closed").c_str(), 0) == 0);
        loader::Verdict problem;
        const Names found = names({folder / "closed", "QIAO_PLUGIN_PATH"}, &problem);
        if (access((folder / "closed").c_str(), R_OK) == 0) { // root may read everything
            CHECK(found == Names{"p.json"});
        } else {
            REQUIRE(problem);
            CHECK(contains(problem->reason, "cannot be searched for manifests: Permission denied"));
        }
        chmod((folder / "closed").c_str(), 0700);
    }

    TEST_CASE("a missing folder stands in the ledger and hides nothing after it") {
        const TempFolder folder;
        folder.write("good/p.json", manifest("p", QIAO_FIXTURE_T0_PLUGIN));
        Recorder recorder;
        const auto candidates = discover(folder / "none" + ":" + folder / "good", recorder);
        REQUIRE(candidates.size() == 2);
        CHECK(candidates[0].manifest == folder / "none");
        CHECK(candidates[0].state == QIAO_CANDIDATE_STATE_BAD_MANIFEST);
        CHECK(candidates[1].state == QIAO_CANDIDATE_STATE_USABLE);
    }

    TEST_CASE("candidates come in search order, and the first of an id wins") {
        const TempFolder folder;
        folder.write("one/b.json", manifest("p", QIAO_FIXTURE_T0_PLUGIN));
        folder.write("two/a.json", manifest("p", QIAO_FIXTURE_T0_PLUGIN));
        const CleanEnvironment clean;
        const Environment path("QIAO_PLUGIN_PATH", folder / "one" + ":" + folder / "two");
        Recorder recorder;
        const auto candidates = discover("", recorder);
        REQUIRE(candidates.size() >= 2);
        CHECK(candidates[0].manifest == folder / "one/b.json");
        CHECK(candidates[0].state == QIAO_CANDIDATE_STATE_USABLE);
        CHECK(candidates[1].manifest == folder / "two/a.json");
        CHECK(candidates[1].state == QIAO_CANDIDATE_STATE_DISABLED);
        CHECK(contains(candidates[1].reason, folder / "one/b.json" + " came first"));
        CHECK(contains(candidates[1].remedy, "QIAO_PLUGIN_PATH"));
    }
}
