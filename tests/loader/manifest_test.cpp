// The manifest reader under files that are right, wrong, hostile or not there: each wrong one is refused with its path, the
// value and the rule, and nothing of it is used.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "loader/library.h"
#include "loader/manifest.h"
#include "support.h"

using namespace qiao;
using namespace qiao::testing;
using loader::Manifest;

namespace {

struct Read {
    explicit Read(std::string_view text) : path(folder.write("plugins.d/p.json", text)) {
        problem = loader::read_manifest(path, manifest);
    }

    TempFolder folder;
    std::string path;
    Manifest manifest;
    loader::Verdict problem;
};

std::string with(std::string_view more) {
    return manifest("p", "../p.so", more);
}

std::string with_id(const std::string& id) {
    return manifest(id, "../p.so");
}

std::string with_library(std::string_view library) {
    return manifest("p", library);
}

std::string nested(int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i)
        text += "[";
    for (int i = 0; i < levels; ++i)
        text += "]";
    return text;
}

struct Wrong {
    const char* what;
    std::string text;
    const char* reason;
};

const std::vector<Wrong>& wrong_texts() {
    using namespace std::string_literals;
    static const std::vector<Wrong> texts = {
        {"an empty file", "", "is not valid JSON: parse error at line 1, column 1"},
        {"garbage", "\x7f" "ELF\x02\x01\x01\0\0\0"s, "is not valid JSON"},
        {"half a file", with("").substr(0, 40), "is not valid JSON"},
        {"two values", with("") + with(""), "is not valid JSON"},
        {"a comment", "// p\n" + with(""), "is not valid JSON"},
        {"a trailing comma", "{\"qiao_manifest\": 1,}", "is not valid JSON"},
        {"a NUL byte in a text", with(", \"description\": \"a\0b\""s), "is not valid JSON: it has a NUL byte"},
        {"a NUL byte after the object", with("") + "\0"s, "is not valid JSON: it has a NUL byte"},
        {"an escaped NUL in a path", with_library("a\\u0000b.so"), "the key \"library\" is \"a\\u0000b.so\""},
        {"an escaped NUL in a text", with(", \"version\": \"1\\u0000\""), "the key \"version\" is \"1\\u0000\""},
        {"invalid UTF-8", with(", \"description\": \"\xff\xfe\""), "is not valid JSON"},
        {"an overlong UTF-8 form", with(", \"description\": \"\xc0\xaf\""), "is not valid JSON"},
        {"half a surrogate", with(", \"description\": \"\\ud800\""), "is not valid JSON"},
        {"UTF-16", "\xff\xfe{\0}\0"s, "is not valid JSON"},
        {"nothing but an array", "[]", "is JSON of type array; a manifest is an object"},
        {"nothing but null", "null", "is JSON of type null"},
        {"a text", "\"p\"", "is JSON of type string"},
        {"deep nesting", with(", \"x-deep\": " + nested(8)), "is nested deeper than 8 levels, the limit of a manifest"},
        {"very deep nesting", nested(30000), "is nested deeper than 8 levels"},
        {"a key twice", with(", \"id\": \"q\""), "the key \"id\" is there twice"},
        {"a nested key twice", with(", \"x-a\": {\"b\": 1, \"b\": 2}"), "the key \"b\" is there twice"},
        {"the same key, escaped", with(", \"\\u0069d\": \"q\""), "the key \"id\" is there twice"},

        {"no format", R"({"id": "p", "library": "p.so", "abi": {"major": 1, "minor": 0}})",
         "the key \"qiao_manifest\" is missing; it must be 1"},
        {"no id", R"({"qiao_manifest": 1, "library": "p.so", "abi": {"major": 1, "minor": 0}})",
         "the key \"id\" is missing; it must be 1 to 32 characters"},
        {"no library", R"({"qiao_manifest": 1, "id": "p", "abi": {"major": 1, "minor": 0}})",
         "the key \"library\" is missing"},
        {"no ABI", R"({"qiao_manifest": 1, "id": "p", "library": "p.so"})", "the key \"abi\" is missing"},
        {"no major", R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"minor": 0}})",
         "the key \"abi.major\" is missing"},
        {"no minor", R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": 1}})",
         "the key \"abi.minor\" is missing"},

        {"another format", R"({"qiao_manifest": 2, "id": "p", "library": "p.so", "abi": {"major": 1, "minor": 0}})",
         "the key \"qiao_manifest\" is 2; it must be 1"},
        {"a format of text", R"({"qiao_manifest": "1", "id": "p", "library": "p.so", "abi": {"major": 1, "minor": 0}})",
         "the key \"qiao_manifest\" is \"1\""},
        {"a numeric id", R"({"qiao_manifest": 1, "id": 7, "library": "p.so", "abi": {"major": 1, "minor": 0}})",
         "the key \"id\" is 7"},
        {"a library of null", R"({"qiao_manifest": 1, "id": "p", "library": null, "abi": {"major": 1, "minor": 0}})",
         "the key \"library\" is null"},
        {"an ABI of text", R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": "1.0"})",
         "the key \"abi\" is \"1.0\"; it must be an object"},
        {"a negative minor", R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": 1, "minor": -1}})",
         "the key \"abi.minor\" is -1; it must be a whole number"},
        {"a fraction", R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": 1.5, "minor": 0}})",
         "the key \"abi.major\" is 1.5"},
        {"a major beyond 32 bits",
         R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": 4294967296, "minor": 0}})",
         "the key \"abi.major\" is 4294967296"},
        {"a version of number", with(", \"version\": 1"), "the key \"version\" is 1; it must be a text"},
        {"an architecture of list", with(", \"architecture\": [\"x86_64\"]"), "the key \"architecture\" is [\"x86_64\"]"},
        {"a long description", with(", \"description\": \"" + std::string(1025, 'd') + "\""), "the key \"description\" is"},
        {"a long path", with_library(std::string(4097, 'l')), "the key \"library\" is"},
        {"an empty path", with_library(""), "the key \"library\" is \"\""},
    };
    return texts;
}

} // namespace

TEST_SUITE("loader.manifest") {
    TEST_CASE("refuses what is wrong, and says where, what and what it must be") {
        for (const Wrong& wrong : wrong_texts()) {
            CAPTURE(std::string(wrong.what));
            const Read read(wrong.text);
            REQUIRE(read.problem);
            CAPTURE(read.problem->reason);
            CHECK(read.problem->state == QIAO_CANDIDATE_STATE_BAD_MANIFEST);
            CHECK(read.problem->reason.starts_with(read.path + ": "));
            CHECK(contains(read.problem->reason, wrong.reason));
            CHECK(read.problem->remedy == "correct the file, or remove it");
            CHECK(read.problem->reason.size() < 1000); // a hostile value does not fill the log
            for (const char c : read.problem->reason)
                CHECK(static_cast<unsigned char>(c) >= 0x20);
        }
    }

    TEST_CASE("reads a whole manifest") {
        const Read read(R"({"qiao_manifest": 1, "id": "p-1_x", "library": "../lib/p.so", "version": "2.1",
            "description": "all keys", "architecture": "x86_64", "abi": {"major": 1, "minor": 7}, "x-own": {"any": [1]}})");
        REQUIRE_FALSE(read.problem);
        CHECK(read.manifest.id == "p-1_x");
        CHECK(read.manifest.version == "2.1");
        CHECK(read.manifest.architecture == "x86_64");
        CHECK(read.manifest.abi_major == 1);
        CHECK(read.manifest.abi_minor == 7);
        CHECK(read.manifest.unknown_keys.empty());
        CHECK(contains(read.manifest.text, "\"x-own\"")); // the plugin gets it as it is
    }

    TEST_CASE("keeps to its limits, and takes what just fits") {
        const std::string whole = with("");
        const std::string most = whole + std::string(loader::kMaxManifestBytes - whole.size(), ' ');
        CHECK_FALSE(Read(most).problem);
        const Read more(most + ' ');
        REQUIRE(more.problem);
        CHECK(contains(more.problem->reason, "is larger than 65536 bytes, the limit of a manifest"));
        CHECK_FALSE(Read(with(", \"x-deep\": " + nested(7))).problem);
        CHECK_FALSE(Read(with(", \"description\": \"" + std::string(1024, 'd') + "\"")).problem);
        CHECK_FALSE(Read(with_library("/" + std::string(4095, 'l'))).problem);
    }

    TEST_CASE("ids are 1 to 32 characters of a-z, 0-9, _ and -, and not \"core\"") {
        for (const char* id : {"a", "0", "_", "-", "mock", "vendor-card_2", "abcdefghijklmnopqrstuvwxyz012345"}) {
            CAPTURE(id);
            const Read read(with_id(id));
            CHECK_FALSE(read.problem);
            CHECK(read.manifest.id == id);
        }
        for (const char* id : {"", "Mock", "a b", "a:0", "a/b", "..", "a*", "core", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyz0123456"}) {
            CAPTURE(id);
            const Read read(with_id(id));
            REQUIRE(read.problem);
            CHECK(contains(read.problem->reason, "the key \"id\" is "));
            CHECK(contains(read.problem->reason, "it must be 1 to 32 characters of a-z, 0-9, _ and -, and not \"core\""));
            CHECK(read.manifest.id == ""); // not in the ledger, where it would be taken for an id
        }
    }

    TEST_CASE("a library is absolute, relative to the manifest, a file beside it, or a bare name") {
        CHECK(Read(with_library("/opt/p/p.so")).manifest.library == "/opt/p/p.so");
        const Read relative(with_library("../lib/p.so"));
        CHECK(relative.manifest.library == relative.folder / "lib/p.so");
        const Read below(with_library("./p.so"));
        CHECK(below.manifest.library == below.folder / "plugins.d/p.so");
        CHECK(Read(with_library("libvendor-qiao.so")).manifest.library == "libvendor-qiao.so");
        Read beside(with_library("here.so"));
        beside.folder.write("plugins.d/here.so", "");
        REQUIRE_FALSE(loader::read_manifest(beside.path, beside.manifest));
        CHECK(beside.manifest.library == beside.folder / "plugins.d/here.so");
    }

    TEST_CASE("a library is found through a link to its manifest's folder as beside the folder itself") {
        const Read read(with_library("../p.so"));
        const std::string link = read.folder / "link";
        std::filesystem::create_directory_symlink(read.folder / "plugins.d", link);
        Manifest manifest;
        REQUIRE_FALSE(loader::read_manifest(link + "/p.json", manifest));
        CHECK(manifest.library == read.folder / "p.so");
    }

    TEST_CASE("lists unknown keys, and leaves x- keys to the plugin") {
        const Read read(with(R"(, "libary": "typo", "x-mine": 1, "vendor": {"abi": 1}, "abi ": 1)"));
        REQUIRE_FALSE(read.problem);
        CHECK(read.manifest.unknown_keys == std::vector<std::string>{"abi ", "libary", "vendor"});
        const Read inner(R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": 1, "minor": 0, "patch": 2}})");
        REQUIRE_FALSE(inner.problem);
        CHECK(inner.manifest.unknown_keys == std::vector<std::string>{"abi.patch"});
    }

    TEST_CASE("files that cannot be read are refused, and none is waited for") {
        const TempFolder folder;
        Manifest manifest;
        const auto reason = [&](const std::string& path) {
            const loader::Verdict problem = loader::read_manifest(path, manifest);
            REQUIRE(problem);
            CHECK(problem->state == QIAO_CANDIDATE_STATE_BAD_MANIFEST);
            CHECK(problem->remedy != "");
            return problem->reason;
        };
        CHECK(contains(reason(folder / "none.json"), "cannot be opened: No such file or directory"));
        CHECK(contains(reason(folder.path()), "is not a regular file"));
        REQUIRE(mkfifo((folder / "pipe.json").c_str(), 0600) == 0);
        CHECK(contains(reason(folder / "pipe.json"), "is not a regular file"));
        CHECK(contains(reason("/dev/zero"), "is not a regular file"));
        std::filesystem::create_symlink("loop.json", folder / "loop.json");
        CHECK(contains(reason(folder / "loop.json"), "cannot be opened: Too many levels of symbolic links"));
        std::filesystem::create_symlink(folder / "gone", folder / "dangling.json");
        CHECK(contains(reason(folder / "dangling.json"), "cannot be opened: No such file or directory"));
    }

    TEST_CASE("tells another architecture and another ABI before anything is loaded") {
        const auto check = [](const std::string& text) {
            const Read read(text);
            REQUIRE_FALSE(read.problem);
            return loader::check_host(read.manifest);
        };
        const auto abi = [](const char* major, const char* minor) {
            return std::string(R"({"qiao_manifest": 1, "id": "p", "library": "p.so", "abi": {"major": )") + major +
                   ", \"minor\": " + minor + "}}";
        };
        const std::string own = loader::own_architecture();
        CHECK_FALSE(check(with("")));
        CHECK_FALSE(check(with(", \"architecture\": \"" + own + "\"")));
        const loader::Verdict other = check(with(", \"architecture\": \"vax\""));
        REQUIRE(other);
        CHECK(other->state == QIAO_CANDIDATE_STATE_INCOMPATIBLE);
        CHECK(other->reason == "its manifest says it is for \"vax\"; this Qiao is built for \"" + own + "\"");
        CHECK(other->remedy == "install the plugin's build for " + own);

        const loader::Verdict newer = check(abi("2", "0")), older = check(abi("0", "9")), later = check(abi("1", "9"));
        REQUIRE((newer && older && later));
        for (const loader::Verdict* verdict : {&newer, &older, &later})
            CHECK((*verdict)->state == QIAO_CANDIDATE_STATE_INCOMPATIBLE);
        CHECK(contains(newer->reason, "it needs plugin ABI 2.0; this Qiao speaks 1."));
        CHECK(contains(newer->remedy, "update Qiao"));
        CHECK(contains(older->remedy, "install a newer release of the plugin"));
        CHECK(contains(later->remedy, "update Qiao"));
    }
}
