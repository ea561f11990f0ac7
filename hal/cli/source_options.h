/* Options of every verb that compiles: -D, -I, and what else goes to the compiler as it is. */
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace qiao::cli {

struct SourceOptions {
    std::vector<std::string> defines;
    std::vector<std::string> includes;
    std::string others;

    void add_to(CLI::App& app);
    /* As the compiler library wants them: words of a shell. */
    std::string words() const;
};

} // namespace qiao::cli
