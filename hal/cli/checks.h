/* What `qiao doctor` looks at besides the ledger: the machine around the library. Each check says what it found and what to
 * do; it changes nothing. */
#pragma once

#include <string>
#include <vector>

namespace qiao::cli {

enum class CheckState { Ok, Warning, Problem };

struct Check {
    std::string name; /* "compiler", "format ptx", "cache" */
    CheckState state = CheckState::Ok;
    std::string detail;
    std::string remedy;
};

/* Whether kernels can be compiled here, and with what: the compiler itself, then each format that it can make. */
std::vector<Check> check_compiler();
/* Whether results of compilations can be kept. */
Check check_cache();
/* How the host's writes to shared memory are found where the core emulates it. */
Check check_shared_memory();
/* Whether the kernel's device files for accelerators may be opened by this user. */
std::vector<Check> check_device_files();
/* The environment variables that change what Qiao finds, if they are set; and whether they can work. */
std::vector<Check> check_environment();

} // namespace qiao::cli
