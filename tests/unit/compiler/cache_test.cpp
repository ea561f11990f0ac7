// The disk cache: what counts for the key, damaged entries, directories that cannot be written, concurrent compilations.
#include "cache.h"

#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "support.h"

using qiao::compiler::Cache;
using qiao::compiler::CacheKey;
using support::contains;
using support::Output;

namespace {

const std::string kSource = "#include \"n.h\"\nkernel void k(global int* x) {\n#warning seen\n  x[0] = N + M; }\n";

/* A directory with a source's header and a cache. */
struct Place {
    qiao::compiler::TemporaryDirectory root = support::directory();
    std::string name = root / "main.cl", cache = root / "cache";
    std::string options = "-DM=1";

    Place() { header("#define N 1\n"); }
    void header(const char* text) const { support::write(root / "n.h", text); }
    qiao_compiler_desc desc() const {
        auto made = support::desc(kSource);
        made.flags = 0;
        made.source_name = name.c_str();
        made.cache_directory = cache.c_str();
        made.options = options.c_str();
        return made;
    }
    std::vector<std::string> entries() const {
        std::vector<std::string> paths;
        for (const auto& each : std::filesystem::directory_iterator(cache))
            paths.push_back(each.path());
        return paths;
    }
};

bool hit(const Place& place) {
    const Output output(place.desc());
    CHECK(output.status == QIAO_OK);
    CHECK(contains(output.log(), "warning: seen"));
    return output.result.from_cache == 1;
}

} // namespace

TEST_SUITE("compiler.cache") {
    TEST_CASE("the second compilation is the first one's result, with its log") {
        const Place place;
        const Output first(place.desc()), second(place.desc());
        CHECK(first.result.from_cache == 0);
        CHECK(second.result.from_cache == 1);
        CHECK(first.log() == second.log());
        CHECK(std::equal(first.bytes().begin(), first.bytes().end(), second.bytes().begin(), second.bytes().end()));
        CHECK(place.entries().size() == 1);
    }

    TEST_CASE("included files, options, names and formats count") {
        Place place;
        CHECK_FALSE(hit(place));
        CHECK(hit(place));
        place.header("#define N 2\n");
        CHECK_FALSE(hit(place));
        place.options = "-DM=2";
        CHECK_FALSE(hit(place));
        place.options = "-DM=2 -cl-mad-enable";
        CHECK_FALSE(hit(place));
        place.name = place.root / "other.cl";
        CHECK_FALSE(hit(place));
        place.header("#define N 1\n");
        place.options = "-DM=1";
        place.name = place.root / "main.cl";
        CHECK(hit(place));
    }

    TEST_CASE("a tool that was replaced counts") {
        const Place place;
        support::write(place.root / "clang", "#!/bin/sh\nexec clang-15 \"$@\"\n");
        REQUIRE(chmod((place.root / "clang").c_str(), 0700) == 0);
        const support::Environment own("QIAO_CLANG", place.root / "clang");
        CHECK_FALSE(hit(place));
        CHECK(hit(place));
        support::write(place.root / "clang", "#!/bin/sh\n# newer\nexec clang-15 \"$@\"\n");
        CHECK_FALSE(hit(place));
    }

    TEST_CASE("damaged entries are compiled again and mended") {
        const Place place;
        CHECK_FALSE(hit(place));
        const std::string entry = place.entries().at(0);
        std::string whole;
        REQUIRE(qiao::compiler::read_file(entry, whole));
        std::vector<std::string> damaged = {"", "x", whole.substr(0, whole.size() - 1), whole + "x"};
        for (const size_t at : {size_t{0}, size_t{20}, size_t{60}, size_t{130}, whole.size() / 2, whole.size() - 1}) {
            damaged.push_back(whole);
            damaged.back()[at] ^= 4;
        }
        for (const std::string& text : damaged) {
            support::write(entry, text);
            CHECK_FALSE(hit(place));
            CHECK(hit(place));
        }
        std::filesystem::remove(entry);
        std::filesystem::create_directory(entry);
        const Output blocked(place.desc());
        CHECK(blocked.status == QIAO_OK);
        CHECK(contains(blocked.log(), "not kept in the cache"));
    }

    TEST_CASE("an entry under another one's name is not taken") {
        const Place place;
        CHECK_FALSE(hit(place));
        const std::string first = place.entries().at(0);
        std::string text;
        REQUIRE(qiao::compiler::read_file(first, text));
        place.header("#define N 2\n");
        CHECK_FALSE(hit(place));
        for (const std::string& entry : place.entries())
            support::write(entry, text);
        CHECK_FALSE(hit(place));
    }

    TEST_CASE("failures are not kept") {
        const Place place;
        place.header("#define N )\n");
        CHECK(Output(place.desc()).status == QIAO_ERROR_BUILD);
        CHECK(Output(place.desc()).status == QIAO_ERROR_BUILD);
        CHECK_FALSE(std::filesystem::exists(place.cache));
    }

    TEST_CASE("a package is kept without the variants that its tools cannot make, with the warning, and not without those that lack a tool") {
        const Place place;
        const std::string source = "kernel void k(global float* sum) { atomic_add((volatile global int*)sum, 0); }\n";
        auto desc = place.desc();
        desc.source = source.data();
        desc.source_size = source.size();
        desc.options = nullptr;
        desc.formats = "spirv-vulkan;spirv-vulkan+offset";
        desc.flags = QIAO_COMPILER_BEST_EFFORT;
        {
            const support::Environment nowhere("QIAO_CLSPV", place.root / "none");
            for (int time = 0; time < 2; ++time) {
                const Output output(desc);
                CHECK(output.result.from_cache == 0);
                CHECK(contains(output.log(), "QIAO_CLSPV"));
            }
        }
        const Output first(desc), second(desc);
        CHECK(contains(first.log(), "spirv-vulkan+offset was left out"));
        CHECK(first.log() == second.log());
        CHECK(first.result.from_cache == 0);
        CHECK(second.result.from_cache == 1);
    }

    TEST_CASE("a cache that cannot be written costs a remark, not the result") {
        Place place;
        support::write(place.root / "file", "");
        place.cache = place.root / "file/cache";
        const Output output(place.desc());
        CHECK(output.status == QIAO_OK);
        CHECK(contains(output.log(), "not kept in the cache: cannot make the cache directory"));
    }

    TEST_CASE("the default directory follows XDG_CACHE_HOME and HOME") {
        const Place place;
        auto desc = place.desc();
        desc.cache_directory = nullptr;
        {
            const support::Environment cache("XDG_CACHE_HOME", place.root / "xdg");
            CHECK(Output(desc).result.from_cache == 0);
            CHECK(Output(desc).result.from_cache == 1);
            CHECK(std::filesystem::exists(place.root / "xdg/qiao"));
        }
        const support::Environment none("XDG_CACHE_HOME", "");
        const support::Environment home("HOME", place.root.path());
        CHECK(Output(desc).result.from_cache == 0);
        CHECK(std::filesystem::exists(place.root / ".cache/qiao"));
        const auto permissions = std::filesystem::status(place.root / ".cache/qiao").permissions();
        CHECK(permissions == std::filesystem::perms::owner_all);
    }

    TEST_CASE("concurrent compilations of the same source all succeed") {
        const Place place;
        std::vector<std::thread> threads;
        std::vector<qiao_status> statuses(4, QIAO_ERROR_INTERNAL);
        for (qiao_status& status : statuses) {
            threads.emplace_back([&place, &status] {
                const auto desc = place.desc();
                qiao_compiler_output* output = nullptr;
                status = qiao_compiler_compile(&desc, &output);
                qiao_compiler_output_release(output);
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        for (const qiao_status status : statuses)
            CHECK(status == QIAO_OK);
        CHECK(place.entries().size() == 1);
        CHECK(hit(place));
    }

    TEST_CASE("pieces of a key do not run into each other") {
        CacheKey one, two;
        one.add("ab");
        one.add("c");
        two.add("a");
        two.add("bc");
        CHECK(one.hex() != two.hex());
    }

    TEST_CASE("a cache that grew too large loses what was not used for longest") {
        const auto root = support::directory();
        const Cache cache(root.path().c_str());
        const auto file = [&](const char* name, int hours, uint64_t size) {
            const std::string path = root / name;
            std::ofstream(path).put('x');
            std::filesystem::resize_file(path, size); /* sparse */
            std::filesystem::last_write_time(path,
                                             std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
            return path;
        };
        const auto old = file("old.qpkc", 30, Cache::kMaxBytes / 2),
                   recent = file("recent.qpkc", 1, Cache::kMaxBytes / 2);
        const auto foreign = file("foreign.txt", 40, Cache::kMaxBytes);
        CHECK_FALSE(cache.store("key", {"log", "package"}));
        CHECK_FALSE(std::filesystem::exists(old));
        CHECK(std::filesystem::exists(recent));
        CHECK(std::filesystem::exists(foreign));
        CHECK(std::filesystem::exists(root / "key.qpkc"));
    }
}
