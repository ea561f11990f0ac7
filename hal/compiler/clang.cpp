// See clang.h.
#include "clang.h"

namespace qiao::compiler {

Command clang_command(const std::string& clang, const std::string& target, const Options& options,
                      const TemporaryDirectory& temporary) {
    Command command{{clang, "-x", "cl", "-target", target}, {}, temporary.path()};
    command.words.insert(command.words.end(), options.flags.begin(), options.flags.end());
    return command;
}

} // namespace qiao::compiler
