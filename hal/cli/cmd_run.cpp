/* `qiao run`: any kernel, on any device, from the command line. Turns the options into a plan; the work is in run/. */
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/array/files.h"
#include "cli/array/numbers.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/run/comparison.h"
#include "cli/run/options.h"
#include "cli/run/plan.h"
#include "cli/run/report.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

struct RunOptions : KernelOptions {
    std::vector<std::string> outputs;
    std::vector<std::string> references;
    std::vector<std::string> devices;
    bool all = false;
    uint32_t repeat = 0;
    bool compare = false;
    Tolerance tolerance;
    bool json = false;
};

constexpr const char* kRunExamples = R"(
Examples:
  qiao run add.cl -a a=range:f32[1024] -a b=const:1:f32[1024] -a c=zeros:f32[1024] --grid 1024
  qiao run blur.cl rows -a in=@photo.png -a out=zeros:f32[768x1024x3] -a width=1024 --grid 1024,768 --out out=rows.npy
  qiao run matmul.cl -a a=@a.npy -a b=@b.npy -a c=zeros:f32[512x512] -a n=512 --grid 512,512 --group 16,16 \
           --all --repeat 20 --compare --tolerance-ulp 16
)";

void parse_sizes(const char* option, const std::string& written, bool zero_allowed, uint64_t (&sizes)[3],
                 uint32_t& count) {
    const std::vector<std::string> parts = split_list(written, ',');
    bool good = !parts.empty() && parts.size() <= 3;
    for (size_t i = 0; good && i < parts.size(); ++i) {
        const std::optional<uint64_t> size = parse_unsigned(parts[i]);
        good = size && (zero_allowed || *size > 0);
        if (good) sizes[i] = *size;
    }
    if (!good) throw Failure(kExitUsage, text(option, " '", written, "': not one to three sizes, ',' between"));
    count = static_cast<uint32_t>(parts.size());
}

qiao_launch parse_launch(const RunOptions& options) {
    qiao_launch launch = QIAO_LAUNCH_INIT;
    parse_sizes("--grid", options.grid, false, launch.global_size, launch.dimensions);
    uint32_t dimensions = launch.dimensions;
    if (!options.group.empty()) {
        std::fill(std::begin(launch.group_size), std::end(launch.group_size), 1u);
        parse_sizes("--group", options.group, false, launch.group_size, dimensions);
    }
    if (dimensions == launch.dimensions && !options.offset.empty()) {
        parse_sizes("--offset", options.offset, true, launch.global_offset, dimensions);
    }
    if (dimensions != launch.dimensions) {
        throw Failure(kExitUsage,
                      text("--grid has ", launch.dimensions, " dimensions, --group or --offset ", dimensions));
    }
    return launch;
}

/* "name=VALUE" where the name is needed. */
std::vector<KeyedSpec> keyed(const char* option, const std::vector<std::string>& list) {
    std::vector<KeyedSpec> result;
    for (const std::string& one : list) {
        result.push_back(split_key(one));
        if (result.back().key.empty()) throw Failure(kExitUsage, text(option, " '", one, "': not NAME=..."));
    }
    return result;
}

Plan make_plan(const RunOptions& options) {
    Plan plan;
    plan.launch = parse_launch(options);
    plan.file = options.file;
    plan.is_package = options.file.ends_with(".qpk");
    plan.options = options.source.words();
    if (plan.is_package && !plan.options.empty()) {
        throw Failure(kExitUsage, "-D, -I and --options are for sources, and " + options.file + " is a package");
    }
    if (!plan.is_package) plan.data = read_file(options.file);
    if (!plan.is_package && plan.data.empty()) throw Failure(kExitFailed, options.file + ": the file is empty");
    plan.kernel = options.kernel;
    for (const std::string& argument : options.arguments)
        plan.arguments.push_back(split_key(argument));
    plan.repeat = options.repeat;
    if (options.timeout_s > 0) plan.timeout_ns = static_cast<uint64_t>(options.timeout_s * 1e9);
    return plan;
}

std::vector<Device> choose_devices(qiao_instance* instance, const RunOptions& options) {
    std::vector<Device> devices =
        options.devices.empty() ? all_devices(instance) : select_devices(instance, options.devices);
    if (devices.empty()) throw Failure(kExitNoDevice, "there are no devices", "`qiao doctor` says why");
    if (!options.all && options.devices.empty()) devices.resize(1);
    if (options.compare && devices.size() < 2) {
        throw Failure(kExitNoDevice, "--compare needs two devices, and only " + devices[0].id + " is selected",
                      "add --device SEL or --all, or compare with --reference");
    }
    return devices;
}

void check_output_names(const std::vector<KeyedSpec>& outputs, size_t device_count) {
    for (const KeyedSpec& output : outputs) {
        if (!is_array_path(output.value)) {
            throw Failure(kExitUsage,
                          text("--out ", output.key, ": '", output.value, "' is not a .npy or .png file name"));
        }
        if (device_count > 1 && !depends_on_device(output.value)) {
            throw Failure(kExitUsage,
                          text("--out ", output.key, ": ", device_count, " devices would write ", output.value),
                          "put {device} into the name");
        }
    }
}

void write_outputs(const std::vector<KeyedSpec>& wanted, Report& report) {
    for (const DeviceRun& run : report.runs) {
        if (run.failure) continue;
        for (const KeyedSpec& one : wanted) {
            const size_t argument = find_parameter(run.signature, one.key);
            const auto output = std::find_if(run.outputs.begin(), run.outputs.end(),
                                             [&](const Output& candidate) { return candidate.argument == argument; });
            if (output == run.outputs.end()) {
                throw Failure(kExitUsage, text("--out ", one.key, ": the kernel does not write this argument"));
            }
            const std::string path = path_for_device(one.value, run.device.id);
            write_array(path, output->array);
            report.files.emplace_back(output->name + " " + run.device.id, path);
        }
    }
}

bool timed_out(const std::vector<DeviceRun>& runs) {
    return std::any_of(runs.begin(), runs.end(),
                       [](const DeviceRun& run) { return run.failure && run.failure->status == "QIAO_TIMEOUT"; });
}

int run(const RunOptions& options) {
    const Plan plan = make_plan(options);
    const std::vector<KeyedSpec> outputs = keyed("--out", options.outputs);
    const std::vector<KeyedSpec> references = keyed("--reference", options.references);
    const Instance instance = make_instance();
    const std::vector<Device> devices = choose_devices(instance.get(), options);
    check_output_names(outputs, devices.size());

    std::vector<DeviceRun> runs;
    for (const Device& device : devices) {
        runs.push_back(run_on_device(device, plan));
        if (runs.back().failure) print_failure(runs.back().failure->at(device.id));
    }
    std::vector<Comparison> comparisons = compare_references(runs, references, options.tolerance);
    if (options.compare) {
        for (Comparison& comparison : compare_devices(runs, options.tolerance))
            comparisons.push_back(std::move(comparison));
    }
    Report report{plan, runs, comparisons, {}};
    write_outputs(outputs, report);
    if (options.json) {
        print_json(report_json(report));
    } else {
        print(report_text(report));
    }
    const int code = report.failed() ? kExitFailed : report.differs() ? kExitDiffers : kExitOk;
    if (timed_out(runs)) std::_Exit(code); /* an orderly end would wait for the kernel that does not end */
    return code;
}

void add_options(CLI::App& app, RunOptions& options) {
    const auto list = [&](const char* name, std::vector<std::string>& target, const char* what, const char* value) {
        return app.add_option(name, target, what)->type_name(value)->allow_extra_args(false);
    };
    add_kernel_options(app, options);
    list("--out", options.outputs, "Write an argument to a file after the run", "NAME=FILE.npy|.png");
    list("--device", options.devices, "Run on these: an id, a plugin's id, or a glob; repeatable", "SEL");
    app.add_flag("--all", options.all, "Run on every device (default: the first)")->excludes("--device");
    app.add_option("--repeat", options.repeat, "Warm up once, then time N launches")
        ->type_name("N")
        ->check(CLI::Range(1, 1000000));
    app.add_flag("--compare", options.compare, "Compare what every device wrote with the first one");
    list("--reference", options.references, "Compare an argument with this array on each device", "NAME=SPEC");
    app.add_option("--tolerance-ulp", options.tolerance.ulp, "Floating point may differ by N units in the last place")
        ->type_name("N");
    app.add_option("--tolerance-abs", options.tolerance.absolute, "All types may differ by X, even if not by ULP")
        ->type_name("X")
        ->check(CLI::NonNegativeNumber);
    app.add_flag("--json", options.json, "Print JSON (schema qiao.run/1)");
}

} // namespace

Command run_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("run", "Run a kernel on devices: arrays in, arrays out, times, comparisons");
    auto options = std::make_shared<RunOptions>();
    add_options(*app, *options);
    app->footer(std::string(kSpecHelp) + kRunExamples);
    return {app, [options] { return run(*options); }};
}

} // namespace qiao::cli
