// See source_options.h.
#include "cli/source_options.h"

#include <CLI/CLI.hpp>

#include "cli/facts.h"

namespace qiao::cli {
namespace {

std::string quoted(const std::string& word) {
    std::string result = "'";
    for (const char c : word)
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

} // namespace

void SourceOptions::add_to(CLI::App& app) {
    app.add_option("-D", defines, "Define a macro; repeatable")->type_name("NAME[=VALUE]")->allow_extra_args(false);
    app.add_option("-I", includes, "Folder of #include files; repeatable")->type_name("DIR")->allow_extra_args(false);
    app.add_option("--options", others, "Options of the compiler")->type_name("TEXT");
}

std::string SourceOptions::words() const {
    std::vector<std::string> words;
    for (const std::string& define : defines)
        words.push_back(quoted("-D" + define));
    for (const std::string& include : includes)
        words.push_back(quoted("-I" + include));
    if (!others.empty()) words.push_back(others);
    return join(words, " ");
}

} // namespace qiao::cli
