// Files that may be anything: what is strange is noted and left out, and nothing waits or grows.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "topology/sysfs.h"

using namespace qiao::topology;
namespace fs = std::filesystem;

namespace {

struct Root {
    Root() {
        char name[] = "/tmp/qiao-sysfs-XXXXXX";
        path = mkdtemp(name);
    }
    ~Root() { fs::remove_all(path); }
    void file(const std::string& name, const std::string& text) const {
        fs::create_directories((path / name).parent_path());
        std::ofstream(path / name, std::ios::binary) << text;
    }
    fs::path path;
};

} // namespace

TEST_SUITE("topology.sysfs") {
    TEST_CASE("numbers and lists") {
        CHECK(parse_number("12") == 12);
        CHECK(parse_number("-1\n") == -1);
        CHECK(parse_number("0x1d94") == 0x1d94);
        for (const char* wrong : {"", " ", "0x", "12a", "1 2", "99999999999999999999", "\xff"})
            CHECK_FALSE(parse_number(wrong).has_value());
        CHECK(parse_list("0-2,5") == std::vector<uint32_t>{0, 1, 2, 5});
        CHECK(parse_list("") == std::vector<uint32_t>{});
        for (const char* wrong : {"a", "2-1", "-3", "0-", "0-99999999", "1,,2", "65536"})
            CHECK_FALSE(parse_list(wrong).has_value());
    }

    TEST_CASE("names are listed as people count") {
        const Root root;
        for (const char* name : {"node10", "node2", "node1", "other"})
            root.file(std::string("nodes/") + name + "/x", "");
        Graph graph;
        CHECK(Sysfs(root.path, graph).list("nodes") == std::vector<std::string>{"node1", "node2", "node10", "other"});
        CHECK(Sysfs(root.path, graph).list("nothing").empty());
        CHECK(graph.notes().empty());
    }

    TEST_CASE("what is no plain small file is not read") {
        const Root root;
        root.file("huge", std::string(100'000, '1'));
        fs::create_directory(root.path / "folder");
        REQUIRE(mkfifo((root.path / "pipe").c_str(), 0600) == 0);
        fs::create_symlink("loop", root.path / "loop");
        Graph graph;
        const Sysfs sysfs(root.path, graph);
        CHECK_FALSE(sysfs.text("huge").has_value());
        CHECK_FALSE(sysfs.text("folder").has_value());
        CHECK_FALSE(sysfs.text("loop").has_value());
        CHECK(sysfs.text("pipe").value_or("") == ""); // nobody writes: it does not wait
        CHECK_FALSE(sysfs.text("missing").has_value());
        CHECK(graph.notes().size() == 3);
    }

    TEST_CASE("links that leave the root lead nowhere") {
        const Root root;
        root.file("inside/file", "");
        fs::create_symlink("../inside", root.path / "inside/again");
        fs::create_symlink("/etc", root.path / "outside");
        Graph graph;
        const Sysfs sysfs(root.path, graph);
        CHECK(sysfs.resolve("inside/again/file") == "inside/file");
        CHECK(sysfs.resolve("outside").empty());
        CHECK(sysfs.resolve("missing").empty());
    }

    TEST_CASE("what goes to notes is short and harmless") {
        CHECK(in_quotes("plain") == "'plain'");
        CHECK(in_quotes("\x1b[31mred\n") == "'?[31mred?'");
        CHECK(in_quotes(std::string(100, 'x')).size() == 65);
    }
}
