/* Whether a device opens, found out in a process of its own: what loads and answers may still crash there. */
#pragma once

#include <string>

#include "cli/checks.h"

namespace qiao::cli {

/* Opens and closes the device in a child process. */
Check check_opening(const std::string& id);

/* The child's side. `tell` is the file of its Teller, -1 = stdout. */
int open_device(const std::string& id, int tell);

} // namespace qiao::cli
