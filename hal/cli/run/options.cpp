#include "cli/run/options.h"

#include <CLI/CLI.hpp>

namespace qiao::cli {

const char* const kSpecHelp = R"(
SPEC, what an argument is made from:
  @FILE.npy  @FILE.png             an array from a file; {device} in a name becomes the device's id
  zeros:T[N]  const:V:T[N]         T: f16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64;  N: 1024 or 480x640x3
  range:T[N][:START[,STEP]]        0, 1, 2, ...
  random:T[N][:seed=S][:LOW,HIGH]  the same on every machine
  2.5   1,2,3,4   hex:0a0b0c       a scalar, a vector, the bytes of a struct
  local:BYTES   local:T[N]         local memory
  null                             the address 0
)";

void add_kernel_options(CLI::App& app, KernelOptions& options) {
    const auto list = [&](const char* name, std::vector<std::string>& target, const char* what, const char* value) {
        app.add_option(name, target, what)->type_name(value)->allow_extra_args(false);
    };
    app.add_option("FILE", options.file, "OpenCL C source, or a kernel package (.qpk)")->required()->type_name("");
    app.add_option("KERNEL", options.kernel, "The kernel; not needed if there is only one")->type_name("");
    list("-a,--arg", options.arguments, "An argument, by name, by number from 0, or the next one", "[NAME=]SPEC");
    app.add_option("--grid", options.grid, "Global size in work-items")->required()->type_name("X[,Y[,Z]]");
    app.add_option("--group", options.group, "Work-group size (default: chosen for the device)")
        ->type_name("X[,Y[,Z]]");
    app.add_option("--offset", options.offset, "Global offset")->type_name("X[,Y[,Z]]");
    options.source.add_to(app);
    app.add_option("--timeout", options.timeout_s,
                   "Give up waiting for a launch after so many seconds (default: never)")
        ->type_name("S")
        ->check(CLI::Range(0.0, 1e6));
}

std::vector<std::string> KernelOptions::words() const {
    std::vector<std::string> words = {file};
    if (!kernel.empty()) words.push_back(kernel);
    /* Joined by '=', since a value may begin with '-'. */
    const auto add = [&words](const std::string& name, const std::string& value) {
        if (!value.empty()) words.push_back(name + "=" + value);
    };
    for (const std::string& argument : arguments)
        add("--arg", argument);
    add("--grid", grid);
    add("--group", group);
    add("--offset", offset);
    for (const std::string& define : source.defines)
        words.push_back("-D" + define);
    for (const std::string& include : source.includes)
        words.push_back("-I" + include);
    add("--options", source.others);
    if (timeout_s > 0) add("--timeout", std::to_string(timeout_s));
    return words;
}

} // namespace qiao::cli
