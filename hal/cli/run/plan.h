/* What `qiao run` was asked to do, the same for every device, and what came of it on one. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/array/array.h"
#include "cli/devices.h"
#include "cli/failure.h"
#include "cli/run/arguments.h"

namespace qiao::cli {

struct Plan {
    std::string file;
    bool is_package = false;
    std::vector<std::byte> data; /* the file's bytes */
    std::string options;         /* of the compiler */
    std::string kernel;          /* "" = the only one */
    std::vector<KeyedSpec> arguments;
    qiao_launch launch = QIAO_LAUNCH_INIT;
    uint32_t repeat = 0; /* timed launches after one that is not; 0 = a single launch, timed */
    uint64_t timeout_ns = QIAO_TIMEOUT_INFINITE;
};

struct Times {
    double min_ns = 0;
    double median_ns = 0;
};
Times summarise(std::vector<double> samples_ns); /* at least one */

/* An argument that the kernel may have written, after the last launch. */
struct Output {
    size_t argument = 0;
    std::string name;
    Array array;
};

struct DeviceRun {
    Device device;
    std::string kernel;
    std::string format; /* of the variant that ran */
    std::string target;
    std::string tool;
    std::string log;
    double build_ns = 0;
    Times wall;                       /* launch to the end of waiting */
    std::optional<Times> device_time; /* by the device's timestamps */
    Signature signature;
    std::vector<Output> outputs;
    std::optional<Failure> failure; /* then only `device` is sure to be filled */
};

/* Throws Failure for what is the user's mistake on any device; what went wrong on this device is in the result. */
DeviceRun run_on_device(const Device& device, const Plan& plan);

} // namespace qiao::cli
