// What it costs to make an instance with 20 unknown plugins: probed, with their verdicts known, and without probing.
//   probe_times LIBRARY [ROUNDS]     prints the median, the least and the most of each, in milliseconds
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "qiao/qiao.h"

namespace {

namespace fs = std::filesystem;

constexpr int kPlugins = 20;

// Each plugin is a library of its own, as 20 vendors' would be.
void write_plugins(const fs::path& folder, const fs::path& library) {
    fs::create_directories(folder / "plugins.d");
    for (int i = 0; i < kPlugins; ++i) {
        const std::string id = "vendor" + std::to_string(i);
        fs::copy_file(library, folder / (id + ".so"));
        std::ofstream(folder / "plugins.d" / (id + ".json"))
            << "{\"qiao_manifest\": 1, \"id\": \"" << id << "\", \"library\": \"../" << id
            << ".so\", \"abi\": {\"major\": 1, \"minor\": 0}}\n";
    }
}

// Milliseconds of one creation; ends the program unless all plugins are there and were probed like this.
double create(const std::string& path, const char* how) {
    qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
    desc.plugin_path = path.c_str();
    qiao_instance* instance = nullptr;
    const auto before = std::chrono::steady_clock::now();
    if (qiao_instance_create(&desc, &instance) != QIAO_OK) exit(1);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - before;
    for (uint32_t i = 0; i < kPlugins; ++i) {
        qiao_candidate candidate = QIAO_CANDIDATE_INIT;
        if (qiao_instance_query_candidate(instance, i, &candidate) != QIAO_OK ||
            candidate.state != QIAO_CANDIDATE_STATE_USABLE || std::string(candidate.probe) != how) {
            std::fprintf(stderr, "%s: probed: %s, wanted: %s; %s\n", candidate.plugin, candidate.probe, how, candidate.reason);
            exit(1);
        }
    }
    qiao_instance_release(instance);
    return time.count();
}

void measure(const char* name, int rounds, const std::function<double()>& once) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i)
        times.push_back(once());
    std::sort(times.begin(), times.end());
    std::printf("%-28s median %7.2f ms, %7.2f to %7.2f\n", name, times[times.size() / 2], times.front(), times.back());
}

} // namespace

int main(int count, char** arguments) {
    const int rounds = count > 2 ? atoi(arguments[2]) : 15;
    std::string pattern = (fs::temp_directory_path() / "qiao-probe-times-XXXXXX").string();
    if (count < 2 || rounds < 1 || mkdtemp(pattern.data()) == nullptr) {
        std::fprintf(stderr, "usage: probe_times LIBRARY [ROUNDS]\n");
        return 2;
    }
    const fs::path folder = pattern;
    write_plugins(folder, arguments[1]);
    const std::string path = (folder / "plugins.d").string();
    setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
    setenv("QIAO_PROBE", "auto", 1);
    measure("20 plugins, probed", rounds, [&] {
        fs::remove_all(folder / "cache");
        return create(path, "child");
    });
    measure("20 plugins, verdicts known", rounds, [&] { return create(path, "cached"); });
    setenv("QIAO_PROBE", "inprocess", 1);
    measure("20 plugins, without probing", rounds, [&] { return create(path, "in process"); });
    fs::remove_all(folder);
    return 0;
}
