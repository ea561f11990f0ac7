// Data files of families: what they mean, and that everything wrong is said with file, line, key, value and what it must be.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cuda/family_reader.h"
#include "cuda/trusted_file.h"
#include "folder.h"
#include "qiao/types.h"

using namespace qiao::cuda;
using test::family_text;
using test::Folder;

namespace {

const std::vector<std::string>& names(const Family& family, Slot slot) {
    return family.symbols[static_cast<size_t>(slot)];
}

// The problem with the text, which must name the file.
std::string problem_of(const std::string& text) {
    const Folder folder;
    folder.write("xx", text);
    Family family;
    family.name = "untouched";
    const std::string problem = read_family({folder.path()}, "xx", &family);
    INFO(problem);
    REQUIRE(!problem.empty());
    CHECK(problem.find(folder.file("xx")) == 0);
    CHECK(family.name == "untouched");
    return problem.substr(folder.file("xx").size());
}

struct Case {
    std::pair<const char*, const char*> change;
    const char* line; // ":12:" or ":" where the whole file is meant
    const char* words;
};

} // namespace

TEST_SUITE("cuda.family") {
    TEST_CASE("every family of the tree is whole, short and says what it is") {
        for (const char* id : {"cu", "mu", "hg", "hip", "mc", "sudrv", "ta"}) {
            INFO(std::string(id));
            Family family;
            REQUIRE(read_family({QIAO_TEST_FAMILIES}, id, &family) == "");
            CHECK(family.id == id);
            CHECK((family.status.state == "modelled" || family.status.state == "names-verified"));
            CHECK(!family.status.evidence.empty());
            CHECK(!family.libraries.empty());
            CHECK(names(family, Slot::launch).front().starts_with(family.prefix));
            std::ifstream file(std::string(QIAO_TEST_FAMILIES) + "/" + id + ".json");
            const auto lines = std::count(std::istreambuf_iterator<char>(file), {}, '\n');
            CHECK(lines <= 150);
        }
        CHECK(std::distance(std::filesystem::directory_iterator(QIAO_TEST_FAMILIES), {}) == 7);
    }

    TEST_CASE("says names with their prefix, in the order of the fallbacks") {
        const Folder folder;
        folder.write("xx", family_text());
        Family family;
        REQUIRE(read_family({folder.path()}, "xx", &family) == "");
        CHECK(names(family, Slot::memory_allocate) == std::vector<std::string>{"xxMemAlloc_v2", "xxMemAllocate"});
        CHECK(names(family, Slot::memory_free) == std::vector<std::string>{"xxMemFree_v2", "other_free"});
        CHECK(names(family, Slot::managed_allocate).empty());
        CHECK(family.hardware.at(0).pci_vendor == 0x1234);
        CHECK(family.results.out_of_memory == std::vector<Code>{2});
        CHECK(family.features == QIAO_FEATURE_ADDRESSES);
        CHECK(family.grades.empty());
    }

    TEST_CASE("a family is like another but for what it says itself") {
        const Folder folder;
        folder.write("xx", family_text());
        folder.write("yy", R"({"qiao_family": 1, "id": "yy", "like": "xx", "prefix": "yy", "quirks": ["launch_by_config"],
            "slots": {"launch": "*Go", "memory_info": null, "device_memory": "*Total"}, "grades": {"slots.launch": "I"}})");
        Family family;
        REQUIRE(read_family({folder.path()}, "yy", &family) == "");
        CHECK(family.id == "yy");
        CHECK(names(family, Slot::launch) == std::vector<std::string>{"yyGo"});
        CHECK(names(family, Slot::init) == std::vector<std::string>{"yyInit"});
        CHECK(names(family, Slot::memory_info).empty());
        CHECK(family.quirks.launch_by_config);
        CHECK(family.grades.at("slots.launch") == "I");
    }

    TEST_CASE("the first folder that has a file wins, also for what others are like") {
        const Folder first, second;
        second.write("xx", family_text());
        first.write("yy", R"({"qiao_family": 1, "id": "yy", "like": "xx", "name": "from the first"})");
        second.write("yy", R"({"qiao_family": 1, "id": "yy", "like": "xx", "name": "from the second"})");
        Family family;
        REQUIRE(read_family({first.path(), second.path()}, "yy", &family) == "");
        CHECK(family.name == "from the first");
    }

    TEST_CASE("what is wrong is said with line, key, value and what it must be") {
        const Case cases[] = {
            {{"\"qiao_family\": 1", "\"qiao_family\": 2"}, ":2:", "the key \"qiao_family\" is 2; it must be 1"},
            {{"\"qiao_family\": 1,\n", ""}, ":", "the key \"qiao_family\" is missing"},
            {{"\"id\": \"xx\"", "\"id\": \"zz\""}, ":3:", "the key \"id\" is \"zz\"; it must be \"xx\", as the file's name says"},
            {{"\"name\": \"a family\"", "\"name\": 7"}, ":4:", "the key \"name\" is 7; it must be text"},
            {{"\"prefix\": \"xx\"", "\"prefix\": \"x x\""}, ":5:", "it must be what the names of functions begin with"},
            {{"\"state\": \"modelled\"", "\"state\": \"perfect\""}, ":6:", "the key \"status.state\" is \"perfect\"; it must be one of modelled, names-verified, ran"},
            {{"2026-11-26", "yesterday"}, ":6:", "it must be a day"},
            {{"\"pci_vendor\": \"0x1234\"", "\"pci_vendor\": \"1234\""}, ":7:", "it must be text as \"0x1ed5\""},
            {{"\"libxx.so.1\"", "\"lib/xx.so.1\""}, ":8:", "it must be absolute paths, and names without '/'"},
            {{"\"libxx.so.1\"", "3"}, ":8:", "the key \"libraries\" is 3"},
            {{"\"magic\": [\"XXBIN\"]", "\"magik\": [\"XXBIN\"]"}, ":9:", "the key \"formats.magik\" is not known; known are name, magic"},
            {{", \"magic\": [\"XXBIN\"]", ""}, ":9:", "needs either \"magic\""},
            {{"\"magic\": [\"XXBIN\"]", "\"magic\": [\"XXBIN\"], \"target\": \"some\""}, ":9:", "it must be one of any, exact, same-major, up-to, preferred"},
            {{"\"init\": \"*Init\"", "\"init\": 5"}, ":11:", "the key \"slots.init\" is 5; it must be names of functions"},
            {{"\"init\": \"*Init\"", "\"init\": \"*In it\""}, ":11:", "names of functions"},
            {{"\"init\": \"*Init\"", "\"init\": \"*Init|\""}, ":11:", "names of functions"},
            {{"\"init\": \"*Init\"", "\"start\": \"*Init\""}, ":11:", "the key \"slots.start\" is not known; known are init"},
            {{"\"init\": \"*Init\",\n", ""}, ":", "the key \"slots.init\" is missing"},
            {{"*MemAlloc_v2|*MemAllocate", "*MemAlloc_v2|*MemAlloc_v2"}, ":18:", "falls back from \"*MemAlloc_v2\" to itself"},
            {{"\"launch\": \"*LaunchKernel\"", "\"launch\": \"*LaunchKernel\", \"launch\": \"*Go\""}, ":31:", "the key \"slots.launch\" is there twice"},
            {{"\"not_ready\": 600", "\"not_ready\": \"later\""}, ":33:", "the key \"results.not_ready\" is \"later\"; it must be a whole number"},
            {{"\"not_ready\": 600, ", ""}, ":", "the key \"results.not_ready\" is missing"},
            {{"\"out_of_memory\": 2", "\"out_of_memory\": [2, 2.5]"}, ":33:", "it must be a whole number"},
            {{"\"out_of_memory\": 2", "\"out_of_luck\": 2"}, ":33:", "the key \"results.out_of_luck\" is not known"},
            {{"\"slots\": {", "\"extra\": true, \"slots\": {"}, ":10:", "the key \"extra\" is not known; known are qiao_family"},
            {{"\"slots\": {", "\"quirks\": [\"odd\"], \"slots\": {"}, ":10:", "the key \"quirks\" is \"odd\"; it must be out of error_text_returned"},
            {{"\"slots\": {", "\"features\": [\"fp8\"], \"slots\": {"}, ":10:", "it must be out of fp64, fp16"},
            {{"\"slots\": {", "\"arguments\": {\"form\": \"stack\"}, \"slots\": {"}, ":10:", "it must be one of buffer, pointers"},
            {{"\"slots\": {", "\"allocation_alignment\": 100, \"slots\": {"}, ":10:", "it must be a power of two"},
            {{"\"slots\": {", "\"attributes\": {\"cores\": 1}, \"slots\": {"}, ":10:", "the key \"attributes.cores\" is not known"},
            {{"\"slots\": {", "\"attributes\": {\"compute_units\": -1}, \"slots\": {"}, ":10:", "it must be a whole number, 0 to"},
            {{"\"slots\": {", "\"grades\": {\"slots.start\": \"V\"}, \"slots\": {"}, ":10:", "the key \"grades.slots.start\" grades nothing"},
            {{"\"slots\": {", "\"grades\": {\"slots.init\": \"X\"}, \"slots\": {"}, ":10:", "it must be one of V, S, I, R"},
            {{"\"slots\": {", "\"like\": \"xx\", \"slots\": {"}, ":10:", "the key \"like\" is \"xx\"; it must not lead back to itself (xx like xx)"},
            {{"\"slots\": {", "\"quirks\": [\"no_v1_fallback\"], \"slots\": {\"managed_allocate\": \"*M_v2|*M\","}, ":10:", "falls back from \"*M_v2\" to \"*M\""},
            {{"\"slots\": {", "\"quirks\": [\"launch_by_config\"], \"arguments\": {\"form\": \"buffer\"}, \"slots\": {"}, ":10:", "it must be \"pointers\""},
            {{"\"prefix\": \"xx\",", "\"prefix\": \"xx\""}, ":6:", "is not valid JSON"},
        };
        for (const Case& one : cases) {
            INFO(std::string(one.change.second));
            std::string problem = problem_of(family_text({one.change}));
            INFO(problem);
            CHECK(problem.find(one.line) == 0);
            CHECK(problem.find(one.words) != std::string::npos);
        }
        CHECK(problem_of("[]").find("must be a JSON object") != std::string::npos);
        CHECK(problem_of("{\"a\":[[[[[[[1]]]]]]]}").find("nested deeper than 6 levels") != std::string::npos);
        CHECK(problem_of(std::string(kMaxFamilyBytes + 1, ' ')).find("larger than 65536 bytes") != std::string::npos);
    }

    TEST_CASE("families that are like each other in a circle are refused, and so is one that is like nothing") {
        const Folder folder;
        folder.write("aa", R"({"qiao_family": 1, "id": "aa", "like": "bb"})");
        folder.write("bb", R"({"qiao_family": 1, "id": "bb", "like": "cc"})");
        folder.write("cc", "{\"qiao_family\": 1, \"id\": \"cc\",\n\"like\": \"aa\"}");
        folder.write("dd", R"({"qiao_family": 1, "id": "dd", "like": "nowhere"})");
        Family family;
        std::string problem = read_family({folder.path()}, "aa", &family);
        CHECK(problem.find(folder.file("cc") + ":2:") == 0);
        CHECK(problem.find("aa like bb like cc like aa") != std::string::npos);
        problem = read_family({folder.path()}, "dd", &family);
        CHECK(problem.find("there is no data file of the family \"nowhere\" in " + folder.path()) == 0);
        CHECK(read_family({folder.path()}, "../aa", &family).find("is no id of a family") != std::string::npos);
    }

    TEST_CASE("only what nobody else could have written is believed") {
        const Folder folder;
        folder.write("xx", family_text());
        Family family;
        const auto problem = [&] { return read_family({folder.path()}, "xx", &family); };
        REQUIRE(chmod(folder.file("xx").c_str(), 0664) == 0);
        CHECK(problem().find("it may be written by group or others (mode 664)") != std::string::npos);
        REQUIRE(chmod(folder.file("xx").c_str(), 0646) == 0);
        CHECK(problem().find("mode 646") != std::string::npos);
        REQUIRE(chmod(folder.file("xx").c_str(), 0644) == 0);
        REQUIRE(chmod(folder.path().c_str(), 0777) == 0);
        CHECK(problem().find("its folder may be written by group or others") != std::string::npos);
        REQUIRE(chmod(folder.path().c_str(), 0700) == 0);
        CHECK(problem() == "");
        if (geteuid() == 0 && chown(folder.file("xx").c_str(), 12345, 12345) == 0) CHECK(problem().find("belongs to user 12345") != std::string::npos);
        std::filesystem::remove(folder.file("xx"));
        std::filesystem::create_directory(folder.file("xx"));
        CHECK(problem().find("is not a regular file") != std::string::npos);
    }

    TEST_CASE("a further folder is taken from the environment, if it is absolute") {
        unsetenv("QIAO_CUDA_FAMILIES");
        CHECK(family_folders("/plugins") == std::vector<std::string>{"/plugins/cuda/families"});
        setenv("QIAO_CUDA_FAMILIES", "/more", 1);
        CHECK(family_folders("/plugins") == std::vector<std::string>{"/more", "/plugins/cuda/families"});
        setenv("QIAO_CUDA_FAMILIES", "relative", 1);
        CHECK(family_folders("/plugins") == std::vector<std::string>{"/plugins/cuda/families"});
        unsetenv("QIAO_CUDA_FAMILIES");
    }
}
