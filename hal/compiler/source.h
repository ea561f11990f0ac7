/* One complete source text: definitions of the options in front, #include'd files in place. What is complete can be hashed,
 * stored in a package and given to any vendor's compiler, on a machine that has none of the files. */
#pragma once

#include "options.h"

namespace qiao::compiler {

struct CompleteSource {
    std::string text;
    std::vector<std::string> included; /* names of the files in place of an #include, each once, in the order found */
};

/* Only #include and #pragma once are acted on; conditionals stay, since they may ask for what a device has. An #include that
 * names no file found stays too: where it is active, the compiler reports it. #line directives keep the users' names and
 * lines. Fails for files that include themselves without a guard and for texts that grow past the package's limit. */
Outcome<CompleteSource> complete_source(std::string_view text, const std::string& name, const Options& options);

} // namespace qiao::compiler
