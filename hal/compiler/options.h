/* Build options as users write them, taken apart: what is text for the source, where includes are searched, and what every
 * OpenCL compiler understands. */
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace qiao::compiler {

struct Options {
    std::string definitions;              /* "#define N 4\n#undef M\n", in the order given */
    std::vector<std::string> directories; /* of -I */
    std::vector<std::string> flags;       /* "-cl-std=CL1.2" (always there), "-cl-fast-relaxed-math", "-w" */
    bool warnings_are_errors = false;
    bool this_processor = false;          /* host-elf only for the one that this runs on */

    std::string flag_text() const; /* the flags, separated by spaces: what a package carries */
};

/* Refuses what is not known, naming it: an option that one compiler ignores and another does not has no place in a package. */
Outcome<Options> parse_options(std::string_view text);

} // namespace qiao::compiler
