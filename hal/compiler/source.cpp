// Expands #include in place. A small lexer knows comments and strings, so that only true directives are acted on.
#include "source.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>

#include "temporary.h"

namespace qiao::compiler {
namespace {

constexpr size_t kMaxDepth = 64;

/* Where a line begins: in a comment, or as the rest of a line ended by a backslash. */
struct LexicalState {
    bool block_comment = false;
    bool line_comment = false; /* continued by a backslash */
    bool continued = false;

    bool at_line_start() const { return !block_comment && !line_comment && !continued; }
    void advance(std::string_view line);
};

void LexicalState::advance(std::string_view line) {
    char quote = 0;
    for (size_t i = 0; i < line.size() && !line_comment; ++i) {
        const char c = line[i], following = i + 1 < line.size() ? line[i + 1] : '\0';
        if (block_comment) {
            if (c == '*' && following == '/') block_comment = false, ++i;
        } else if (quote != 0) {
            if (c == '\\') ++i;
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '/' && following == '/') {
            line_comment = true;
        } else if (c == '/' && following == '*') {
            block_comment = true, ++i;
        }
    }
    continued = !line.empty() && line.back() == '\\';
    line_comment = line_comment && continued;
}

struct Directive {
    enum class Kind { kNone, kInclude, kOnce } kind = Kind::kNone;
    std::string file;
    bool quoted = false;
    std::string_view rest; /* behind the file's name: comments */
};

std::string_view trimmed(std::string_view text) {
    const size_t begin = std::min(text.find_first_not_of(" \t\v\f\r"), text.size());
    return text.substr(begin);
}

/* Takes `word` from the front of the text if it stands there as a word of its own. */
bool take(std::string_view& text, std::string_view word) {
    const bool longer = text.size() > word.size() &&
                        (std::isalnum(static_cast<unsigned char>(text[word.size()])) || text[word.size()] == '_');
    if (text.substr(0, word.size()) != word || longer) return false;
    text = trimmed(text.substr(word.size()));
    return true;
}

Directive directive_of(std::string_view line) {
    std::string_view text = trimmed(line);
    Directive directive;
    if (text.empty() || text[0] != '#') return directive;
    text = trimmed(text.substr(1));
    if (take(text, "pragma")) {
        if (take(text, "once")) directive.kind = Directive::Kind::kOnce;
    } else if (take(text, "include") && !text.empty() && (text[0] == '"' || text[0] == '<')) {
        const size_t end = text.find(text[0] == '"' ? '"' : '>', 1);
        if (end == std::string_view::npos || end == 1) return directive;
        directive = {Directive::Kind::kInclude, std::string(text.substr(1, end - 1)), text[0] == '"',
                     text.substr(end + 1)};
    }
    return directive;
}

template <typename Body>
void for_each_line(std::string_view text, Body body) {
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        std::string_view line = text.substr(begin, end - begin);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        body(line);
        begin = end + 1;
    }
}

/* Whether a file may be named again while it is being expanded: it has #pragma once, or begins with #ifndef and #define. */
struct Guard {
    bool once = false;
    bool classic = false;
};

Guard guard_of(std::string_view text) {
    Guard guard;
    LexicalState state;
    std::string macro;
    int directives = 0;
    for_each_line(text, [&](std::string_view line) {
        if (state.at_line_start()) {
            if (directive_of(line).kind == Directive::Kind::kOnce) guard.once = true;
            std::string_view words = trimmed(line);
            if (!words.empty() && words[0] == '#') {
                words = trimmed(words.substr(1));
                ++directives;
                if (directives == 1 && take(words, "ifndef")) macro = words.substr(0, words.find_first_of(" \t/"));
                if (directives == 2 && take(words, "define") && !macro.empty())
                    guard.classic = words.substr(0, words.find_first_of(" \t/(")) == macro;
            }
        }
        state.advance(line);
    });
    return guard;
}

std::string escaped(const std::string& name) {
    std::string text;
    for (const char c : name) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text;
}

std::string line_directive(size_t line, const std::string& name) {
    return concat("#line ", line, " \"", escaped(name), "\"\n");
}

class Expander {
  public:
    explicit Expander(const Options& options) : directories_(options.directories) {}

    std::optional<Failure> expand(std::string_view text, const std::string& name, const std::string& directory);
    std::string& out() { return out_; }
    std::vector<std::string>& included() { return included_; }

  private:
    struct File {
        std::string path; /* canonical */
        std::string name; /* as it is reported */
        std::string text;
        Guard guard;
        bool readable = false;
    };
    const File* load(const std::string& name);
    const File* find(const Directive& directive, const std::string& directory);
    std::optional<Failure> include(const File& file, const std::string& from, size_t line);
    std::optional<Failure> check_size(const std::string& name) const;

    std::vector<std::string> directories_;
    std::vector<std::string> stack_;
    std::map<std::string, std::optional<File>> files_; /* by name; nothing = not there */
    std::map<std::string, size_t> once_;               /* path -> number of its generated guard */
    std::vector<std::string> included_;
    std::string out_;
};

/* The regular file of that name, read once; null = there is none. */
const Expander::File* Expander::load(const std::string& name) {
    const auto [place, added] = files_.try_emplace(name);
    if (added) {
        std::error_code ignored;
        const auto path = std::filesystem::canonical(name, ignored);
        if (!ignored && std::filesystem::is_regular_file(path, ignored)) {
            File file{path.string(), name, {}, {}, false};
            file.readable = read_file(file.path, file.text);
            file.guard = guard_of(file.text);
            included_.push_back(name);
            place->second = std::move(file);
        }
    }
    return place->second ? &*place->second : nullptr;
}

const Expander::File* Expander::find(const Directive& directive, const std::string& directory) {
    if (directive.file[0] == '/') return load(directive.file);
    if (directive.quoted) {
        if (const File* file = load(directory == "." ? directive.file : directory + "/" + directive.file)) return file;
    }
    for (const std::string& each : directories_) {
        if (const File* file = load(each + "/" + directive.file)) return file;
    }
    return nullptr;
}

std::optional<Failure> Expander::check_size(const std::string& name) const {
    if (out_.size() <= package::kMaxSourceBytes) return std::nullopt;
    return Failure{
        QIAO_ERROR_OUT_OF_RANGE,
        concat("the source with its #include'd files exceeds ", package::kMaxSourceBytes, " bytes at '", name, "'"),
        "split the program, or give repeated headers an include guard", "", 0};
}

std::optional<Failure> Expander::include(const File& file, const std::string& from, size_t line) {
    if (!file.readable)
        return Failure{QIAO_ERROR_IO, concat(from, ":", line, ": cannot read '", file.name, "'"), "check its rights",
                       "", static_cast<uint32_t>(line)};
    if (file.text.find('\0') != std::string::npos)
        return Failure{QIAO_ERROR_BUILD, concat(from, ":", line, ": '", file.name, "' is not a text"),
                       "include OpenCL C only", "", static_cast<uint32_t>(line)};
    const Guard guard = file.guard;
    const bool within_itself = std::find(stack_.begin(), stack_.end(), file.path) != stack_.end();
    if (within_itself && (guard.once || guard.classic)) return std::nullopt;
    if (within_itself || stack_.size() >= kMaxDepth)
        return Failure{QIAO_ERROR_BUILD,
                       concat(from, ":", line, ": '", file.name,
                              within_itself ? "' includes itself" : "' is the 65th #include in a row"),
                       "give the file an include guard (#pragma once)", "", static_cast<uint32_t>(line)};
    if (guard.once) {
        const size_t number = once_.emplace(file.path, once_.size()).first->second;
        out_ += concat("#ifndef QIAO_INCLUDED_", number, "\n#define QIAO_INCLUDED_", number, "\n");
    }
    stack_.push_back(file.path);
    const std::string parent = std::filesystem::path(file.name).parent_path().string();
    auto failure = expand(file.text, file.name, parent.empty() ? "." : parent);
    stack_.pop_back();
    if (guard.once) out_ += "#endif\n";
    return failure;
}

std::optional<Failure> Expander::expand(std::string_view text, const std::string& name, const std::string& directory) {
    out_ += line_directive(1, name);
    LexicalState state;
    size_t line_number = 0;
    std::optional<Failure> failure = check_size(name);
    for_each_line(text, [&](std::string_view line) {
        ++line_number;
        if (failure) return;
        const Directive directive = state.at_line_start() ? directive_of(line) : Directive();
        state.advance(line);
        const File* file = nullptr;
        if (directive.kind == Directive::Kind::kInclude) file = find(directive, directory);
        if (file) {
            failure = include(*file, name, line_number);
            out_ += line_directive(line_number, name);
            out_ += concat(directive.rest, "\n");
        } else {
            out_ += directive.kind == Directive::Kind::kOnce ? "\n" : concat(line, "\n");
        }
        if (!failure) failure = check_size(name);
    });
    return failure;
}

} // namespace

Outcome<CompleteSource> complete_source(std::string_view text, const std::string& name, const Options& options) {
    Expander expander(options);
    if (!options.definitions.empty()) expander.out() = line_directive(1, "<options>") + options.definitions;
    const std::string parent = std::filesystem::path(name).parent_path().string();
    if (auto failure = expander.expand(text, name, parent.empty() ? "." : parent)) return *std::move(failure);
    return CompleteSource{std::move(expander.out()), std::move(expander.included())};
}

} // namespace qiao::compiler
