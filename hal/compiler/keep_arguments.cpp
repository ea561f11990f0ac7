// A kernel's definition is its name, one pair of parentheses, attributes, and a body: found by counting brackets outside
// strings and line markers, in text that has neither comments nor macros left.
#include "keep_arguments.h"

#include <algorithm>
#include <cctype>

namespace qiao::compiler {
namespace {

bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

/* Behind a string, a character, a line that begins with '#', or a single character. */
size_t next(const std::string& text, size_t at) {
    if (text[at] == '"' || text[at] == '\'') {
        const char quote = text[at];
        for (++at; at < text.size() && text[at] != quote; ++at)
            if (text[at] == '\\') ++at;
        return std::min(at, text.size() - 1) + 1;
    }
    if (text[at] == '#' && (at == 0 || text[at - 1] == '\n')) return std::min(text.find('\n', at), text.size());
    return at + 1;
}

/* Behind the bracket that closes the one at `at`. */
size_t behind_brackets(const std::string& text, size_t at) {
    size_t depth = 0;
    while (at < text.size()) {
        if (text[at] == '(') ++depth;
        if (text[at] == ')' && --depth == 0) return at + 1;
        at = next(text, at);
    }
    return at;
}

size_t behind_space(const std::string& text, size_t at) {
    while (at < text.size()) {
        if (std::isspace(static_cast<unsigned char>(text[at])))
            ++at;
        else if (text[at] == '#' && (at == 0 || text[at - 1] == '\n'))
            at = next(text, at);
        else
            break;
    }
    return at;
}

/* Behind the brace that opens the body if the parameters begin at `at`; 0 = this is no definition. */
size_t body_behind(const std::string& text, size_t at) {
    at = behind_space(text, behind_brackets(text, at));
    while (text.compare(at, 13, "__attribute__") == 0)
        at = behind_space(text, behind_brackets(text, text.find('(', at)));
    return at < text.size() && text[at] == '{' ? at + 1 : 0;
}

size_t find_body(const std::string& text, const std::string& kernel) {
    int braces = 0;
    for (size_t at = 0; at < text.size();) {
        const bool begins = in_word(text[at]) && (at == 0 || !in_word(text[at - 1]));
        if (braces == 0 && begins && text.compare(at, kernel.size(), kernel) == 0 &&
            (at + kernel.size() >= text.size() || !in_word(text[at + kernel.size()]))) {
            const size_t open = behind_space(text, at + kernel.size());
            if (open < text.size() && text[open] == '(')
                if (const size_t body = body_behind(text, open)) return body;
        }
        if (text[at] == '{') ++braces;
        if (text[at] == '}') --braces;
        at = next(text, at);
    }
    return std::string::npos;
}

} // namespace

std::string keep_arguments(const std::string& text, const std::vector<KeptArgument>& arguments) {
    std::string kept = text;
    for (const KeptArgument& argument : arguments) {
        const size_t body = argument.name.empty() ? std::string::npos : find_body(kept, argument.kernel);
        if (body == std::string::npos) continue;
        kept.insert(body, concat(" if (get_work_dim() == 0) { volatile uint kept = *(volatile ", argument.space, " uint*)(",
                                 argument.name, "); }"));
    }
    return kept;
}

} // namespace qiao::compiler
