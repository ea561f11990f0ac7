/* The options that say which kernel is to run, with what and how: the same for every verb that runs one. */
#pragma once

#include <string>
#include <vector>

#include "cli/source_options.h"

namespace CLI {
class App;
}

namespace qiao::cli {

struct KernelOptions {
    std::string file;
    std::string kernel;
    std::vector<std::string> arguments;
    std::string grid;
    std::string group;
    std::string offset;
    SourceOptions source;
    double timeout_s = 0;

    /* As words of a command line that says the same. */
    std::vector<std::string> words() const;
};

/* Explains the SPEC of arguments, for the end of a verb's help. */
extern const char* const kSpecHelp;

void add_kernel_options(CLI::App& app, KernelOptions& options);

} // namespace qiao::cli
