// Tests of cli/array/files.h: arrays through real files, and what the system refuses.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "cli/array/files.h"
#include "support.h"

using namespace qiao::cli;

namespace {

struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "qiao-cli-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string operator/(const char* name) const { return (path / name).string(); }
    std::filesystem::path path;
};

} // namespace

TEST_SUITE_BEGIN("cli.files");

TEST_CASE("arrays survive as .npy and as .png, and no other file is left") {
    const Folder folder;
    Array array = make_array(Element::U8, {4, 3, 3}, "test");
    array.bytes[5] = std::byte{9};
    for (const char* name : {"a.npy", "a.png"}) {
        write_array(folder / name, array);
        write_array(folder / name, array); /* over the one that exists */
        const Array again = read_array(folder / name);
        CHECK(again.shape == array.shape);
        CHECK(again.bytes == array.bytes);
    }
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path))
        files += entry.is_regular_file() ? 1 : 0;
    CHECK(files == 2);
}

TEST_CASE("a file larger than one read") {
    const Folder folder;
    const Array array = make_array(Element::U8, {3, 1000 * 1000}, "test");
    write_array(folder / "a.npy", array);
    CHECK(read_file(folder / "a.npy").size() == 3000128);
}

TEST_CASE("names the file and the system's reason") {
    const Folder folder;
    const auto read = [&](const std::string& path) { return failure_of([&] { read_array(path); }); };
    CHECK(contains(read(folder / "none.npy"), "1: " + (folder / "none.npy") + ": cannot be read: No such file"));
    std::filesystem::create_directory(folder / "d.npy");
    CHECK(contains(read(folder / "d.npy"), "Is a directory"));
    CHECK(contains(read(folder / "a.jpg"), "2: "));
    const Array array = make_array(Element::U8, {1}, "test");
    const auto write = [&](const std::string& path) { return failure_of([&] { write_array(path, array); }); };
    CHECK(contains(write(folder / "no/a.npy"), "1: " + (folder / "no/a.npy") + ": cannot be written: No such file"));
    CHECK(contains(write(folder / "a.txt"), "not a .npy or .png file name"));
}

TEST_CASE("a full disk is reported") {
    struct stat info {};
    REQUIRE(stat("/dev/full", &info) == 0);
    const std::vector<std::byte> bytes(100000);
    CHECK(contains(failure_of([&] { write_file("/dev/full", bytes); }), "No space left"));
}
