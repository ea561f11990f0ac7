// Settings, counts and armed failures of the null driver.
#include "opencl_null.h"

#include <cstdlib>
#include <cstring>
#include <sstream>

#include "driver.h"

namespace null_driver {

Settings settings;
Counts counts;
std::mutex mutex;
std::atomic<uint64_t> clock_ns{1'000'000};
Point* points = nullptr;
void(CL_CALLBACK* printf_callback)(const char*, size_t, size_t, void*) = nullptr;
void* printf_user = nullptr;
static std::string first_misuse;

Point::Point(const char* function) : name(function), next(points) {
    points = this;
}

cl_int misuse(const char* text, cl_int code) {
    static std::mutex misuse_mutex;
    std::lock_guard lock(misuse_mutex);
    if (counts.misuses.fetch_add(1) == 0) first_misuse = text;
    return code;
}

static bool arm(const std::string& value) {
    const size_t first = value.find(':'), second = value.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) return false;
    for (Point* point = points; point != nullptr; point = point->next) {
        if (value.compare(0, first, point->name) != 0) continue;
        point->remaining = static_cast<unsigned>(std::atoi(value.c_str() + first + 1));
        point->code = std::atoi(value.c_str() + second + 1);
        return true;
    }
    return false;
}

static bool apply(const std::string& word) {
    const size_t equals = word.find('=');
    const std::string key = word.substr(0, equals), value = equals == std::string::npos ? "" : word.substr(equals + 1);
    Settings& s = settings;
    if (key == "platforms") return s.platforms = static_cast<unsigned>(std::atoi(value.c_str())), true;
    if (key == "devices") return s.devices = static_cast<unsigned>(std::atoi(value.c_str())), true;
    if (key == "version") return s.version = static_cast<unsigned>(std::atoi(value.c_str())), true;
    if (key == "svm") {
        s.svm = value == "fine" ? Svm::kFine : value == "coarse" ? Svm::kCoarse : Svm::kNone;
        return value == "fine" || value == "coarse" || value == "none";
    }
    if (key == "bad_platform") return s.bad_platform = true;
    if (key == "usm") return s.usm = true;
    if (key == "il") return s.il = true;
    if (key == "no_compiler") return s.no_compiler = true;
    if (key == "strict") return s.strict = true;
    if (key == "manual") return s.manual = true;
    if (key == "arm_printf") return s.arm_printf = true;
    if (key == "unavailable") return s.unavailable = true;
    return key == "fail" && arm(value);
}

static int apply_all(const char* text) {
    std::istringstream words(text);
    int known = 1;
    for (std::string word; words >> word;)
        known &= apply(word) ? 1 : 0;
    return known;
}

// At the first call, not when the library is loaded: by then all functions that can fail are known.
void read_environment() {
    static const bool known = [] {
        const char* text = std::getenv("OPENCL_NULL");
        return text == nullptr || apply_all(text) != 0;
    }();
    if (!known) misuse("OPENCL_NULL has a word that is not known", 0);
}

} // namespace null_driver

using namespace null_driver;

NULL_EXPORT int opencl_null_configure(const char* text) {
    read_environment();
    settings = {};
    for (Point* point = points; point != nullptr; point = point->next)
        point->remaining = 0;
    for (Tally* tally : {&counts.launches, &counts.arguments, &counts.markers, &counts.flushes, &counts.endless_waits})
        tally->clear();
    counts.misuses = 0;
    first_misuse.clear();
    return apply_all(text);
}

NULL_EXPORT int opencl_null_change(const char* text) {
    return apply_all(text);
}

NULL_EXPORT uint64_t opencl_null_count(const char* what) {
#define COUNT(name) \
    if (std::strcmp(what, #name) == 0) return counts.name.load();
    COUNT(events)
    COUNT(kernels)
    COUNT(programs)
    COUNT(contexts)
    COUNT(queues)
    COUNT(allocations)
    COUNT(maps)
    COUNT(launches)
    COUNT(arguments)
    COUNT(markers)
    COUNT(flushes)
    COUNT(endless_waits)
    COUNT(misuses)
#undef COUNT
    return UINT64_MAX;
}

NULL_EXPORT int opencl_null_print(const char* text) {
    if (printf_callback == nullptr) return 0;
    printf_callback(text, std::strlen(text), 1, printf_user);
    return 1;
}

NULL_EXPORT const char* opencl_null_misuse(void) {
    return first_misuse.c_str();
}
