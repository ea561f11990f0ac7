// An application that makes and releases instances over and over: open files, memory maps and resident memory stay.
#include <dirent.h>
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe_support.h"
#include "qiao/qiao.h"

using namespace qiao::testing;

namespace {

// A sanitizer keeps freed memory and is slower; it finds leaks by its own means.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOwnHeap = false;
constexpr int kCycles = 100;
#else
constexpr bool kOwnHeap = true;
constexpr int kCycles = 1000;
#endif

size_t open_files() {
    size_t count = 0;
    DIR* folder = opendir("/proc/self/fd");
    REQUIRE(folder != nullptr);
    while (readdir(folder) != nullptr)
        ++count;
    closedir(folder);
    return count;
}

// Of files only, or all.
size_t maps(bool files_only) {
    std::ifstream file("/proc/self/maps");
    size_t count = 0;
    for (std::string line; std::getline(file, line);)
        count += !files_only || line.find('/') != std::string::npos;
    return count;
}

size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    size_t all = 0, resident = 0;
    file >> all >> resident;
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Good plugins, with and without devices, and those that end at every stage after which their library is closed again.
void add_plugins(const ProbeSetting& setting) {
    setting.add_good("good");
    setting.add_good("two", ", \"x-devices\": 2");
    setting.add_good("none", ", \"x-devices\": 0");
    for (const char* defect : {"none", "no_symbol", "null_tables", "half_queue", "many_devices", "count_fails"}) {
        setting.folder.write(std::string("plugins.d/bad-") + defect + ".json",
                             manifest("bad", std::string(BAD_PLUGIN_FOLDER) + "/bad_" + defect + ".so"));
    }
    setting.folder.write("plugins.d/broken.json", "{");
    setting.folder.write("plugins.d/gone.json", manifest("gone", "gone/nowhere.so"));
}

void cycle(const ProbeSetting& setting) {
    const std::string path = setting.plugins();
    qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
    desc.plugin_path = path.c_str();
    desc.log = [](void*, qiao_log_level, const char*, const char*) {};
    qiao_instance* instance = nullptr;
    REQUIRE(qiao_instance_create(&desc, &instance) == QIAO_OK);
    qiao_device* devices[8] = {};
    uint32_t count = 0;
    REQUIRE(qiao_instance_enumerate_devices(instance, 8, devices, &count) == QIAO_OK);
    REQUIRE(count >= 3);
    qiao_memory_desc wanted = QIAO_MEMORY_DESC_INIT;
    wanted.size_bytes = 4096;
    for (uint32_t i = 0; i < count; ++i) {
        qiao_device_properties about = QIAO_DEVICE_PROPERTIES_INIT;
        REQUIRE(qiao_device_query_properties(devices[i], &about) == QIAO_OK);
        if (std::string(about.plugin) == "bad") continue; // whose devices cannot be opened
        qiao_memory* memory = nullptr;
        REQUIRE(qiao_memory_allocate(devices[i], &wanted, &memory) == QIAO_OK);
        REQUIRE(qiao_memory_release(memory) == QIAO_OK);
    }
    REQUIRE(qiao_instance_release(instance) == QIAO_OK);
}

void check_cycles(const ProbeSetting& setting, int warm, int count) {
    for (int i = 0; i < warm; ++i)
        cycle(setting);
    const size_t files = open_files(), libraries = maps(true), mapped = maps(false), resident = resident_bytes();
    for (int i = 0; i < count; ++i)
        cycle(setting);
    CHECK(open_files() == files);
    CHECK(maps(true) == libraries);
    if (kOwnHeap) {
        CHECK(maps(false) <= mapped + 4);
        CHECK(resident_bytes() <= resident + (1u << 20));
    }
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
}

} // namespace

TEST_SUITE("loader.cycles") {
    TEST_CASE("1,000 instances leave nothing behind") {
        const ProbeSetting setting;
        add_plugins(setting);
        const Environment probe("QIAO_PROBE", "inprocess");
        check_cycles(setting, 50, kCycles);
    }

    TEST_CASE("nor do those that probe their plugins each time") {
        const ProbeSetting setting;
        add_plugins(setting);
        setting.add_harmful("crash_load");
        const Environment probe("QIAO_PROBE", "child");
        check_cycles(setting, 5, 30);
    }
}
