// Nothing but the folders and the device that ctest names is looked at.
#include "session.h"

#include <cstdlib>
#include <numeric>

#include "api/support/kernels.h"

namespace cpp {

namespace {

const char* environment(const char* name) {
    const char* value = std::getenv(name);
    REQUIRE_MESSAGE(value != nullptr, name, " must be set: run the tests with ctest");
    return value;
}

}  // namespace

qiao::InstanceOptions options() {
    qiao::InstanceOptions options;
    options.plugin_path = environment("QIAO_TEST_PLUGIN_PATH");
    return options;
}

const char* selector() { return environment("QIAO_TEST_DEVICE"); }

qiao::Program Session::program_for(qiao::Device device) {
    qiao::ProgramOptions options;
    options.name = "tests";
    const qiao::DeviceProperties properties = device.properties();
    if (std::string(properties.plugin) == "fixture") return qiao::Program::from_package(device, api::package_of({"add", "fill", "fail", "lose"}), options);
    if (std::string(properties.formats) == "fixture") {
        return qiao::Program::from_package(
            device, api::package_of({"add", "fill", "nothing", "take_params", "reverse", "two_locals", "grid", "offsets", "fail", "lose"}), options);
    }
    return qiao::Program::from_source(
        device, api::source_of({"add", "fill", "nothing", "take_params", "reverse", "two_locals", "grid", "offsets"}), options);
}

void wait_for(const qiao::Point& point) { REQUIRE(point.wait(kPatience)); }

std::vector<uint32_t> numbers(size_t count, uint32_t first) {
    std::vector<uint32_t> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
}

}  // namespace cpp
