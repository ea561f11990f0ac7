/* What a shared library says of itself without being loaded: for whom it is built, what it exports, what it wants. Untrusted
 * input: every offset is checked against the file. */
#pragma once

#include <string>
#include <vector>

namespace qiao::cli {

struct SharedLibrary {
    std::string machine; /* as `uname -m` says it; "ELF machine N" for others */
    std::vector<std::string> exports;
    std::vector<std::string> needed; /* names of libraries */
    std::string rpath;               /* DT_RPATH; "" = none */
    std::string runpath;             /* DT_RUNPATH */
    bool text_relocations = false;
    bool executable_stack = false;
};

/* Throws Failure (kExitFailed) if the file cannot be read, or is no 64-bit little-endian shared library. */
SharedLibrary read_shared_library(const std::string& path);

/* The machine that this command is built for, in the same words. */
std::string own_machine();

} // namespace qiao::cli
