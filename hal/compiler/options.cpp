// The option parser: words as a shell splits them, then one table of what is allowed.
#include "options.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace qiao::compiler {
namespace {

constexpr const char* kRemedy =
    "allowed are -D, -U, -I, -w, -Werror, -cl-std=CL1.0 to CL3.0 and the -cl- options of OpenCL";

constexpr std::string_view kFlags[] = {
    "-cl-denorms-are-zero",
    "-cl-fast-relaxed-math",
    "-cl-finite-math-only",
    "-cl-fp32-correctly-rounded-divide-sqrt",
    "-cl-mad-enable",
    "-cl-no-signed-zeros",
    "-cl-opt-disable",
    "-cl-single-precision-constant",
    "-cl-strict-aliasing",
    "-cl-uniform-work-group-size",
    "-cl-unsafe-math-optimizations",
    "-w",
};
constexpr std::string_view kLanguages[] = {"CL1.0", "CL1.1", "CL1.2", "CL2.0", "CL3.0"};
constexpr std::string_view kDefaultLanguage = "CL1.2";

Failure invalid(std::string message) {
    return {QIAO_ERROR_INVALID_ARGUMENT, std::move(message), kRemedy, "", 0};
}

template <typename List>
bool contains(const List& list, std::string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

Outcome<std::vector<std::string>> split_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool open = false; /* a word has begun, maybe an empty one in quotes */
    char quote = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0 ? c == quote : c == '"' || c == '\'') {
            quote = quote != 0 ? 0 : c;
            open = true;
        } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            word += text[++i];
            open = true;
        } else if (quote == 0 && std::isspace(static_cast<unsigned char>(c))) {
            if (open) words.push_back(std::exchange(word, {}));
            open = false;
        } else {
            word += c;
            open = true;
        }
    }
    if (quote != 0)
        return invalid(concat("the build options have a ", std::string_view(&quote, 1), " without its end"));
    if (open) words.push_back(std::move(word));
    return words;
}

/* "N", "N=4", "F(a,b)=a+b" to a line of source. */
Outcome<std::string> define(const std::string& value) {
    const size_t equals = value.find('=');
    const std::string name = value.substr(0, equals);
    const auto named = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
    const size_t end = static_cast<size_t>(std::find_if_not(name.begin(), name.end(), named) - name.begin());
    const bool function = end < name.size() && name[end] == '(' && name.back() == ')';
    if (end == 0 || std::isdigit(static_cast<unsigned char>(name[0])) || (end < name.size() && !function) ||
        value.find_first_of("\n\r") != std::string::npos)
        return invalid(concat("-D ", value, " does not define a macro"));
    return concat("#define ", name, " ", equals == std::string::npos ? "1" : value.substr(equals + 1), "\n");
}

class Parser {
  public:
    Outcome<Options> parse(std::string_view text);

  private:
    std::optional<Failure> take(const std::string& word);
    std::optional<Failure> take_valued(char letter, const std::string& value);

    Options options_;
    std::vector<std::string> words_;
    size_t next_ = 0;
    std::string language_{kDefaultLanguage};
};

std::optional<Failure> Parser::take_valued(char letter, const std::string& value) {
    if (value.empty()) return invalid(concat("the build option -", std::string_view(&letter, 1), " has no value"));
    if (letter == 'I') {
        options_.directories.push_back(value);
        return std::nullopt;
    }
    const auto line = define(value);
    if (!line) return line.error();
    options_.definitions += letter == 'D' ? *line : concat("#undef ", value, "\n");
    return std::nullopt;
}

std::optional<Failure> Parser::take(const std::string& word) {
    for (const char letter : {'D', 'U', 'I'}) {
        if (word.size() < 2 || word[0] != '-' || word[1] != letter) continue;
        if (word.size() > 2) return take_valued(letter, word.substr(2));
        return take_valued(letter, next_ < words_.size() ? words_[next_++] : "");
    }
    constexpr std::string_view kStandard = "-cl-std=";
    if (word.rfind(kStandard, 0) == 0) {
        language_ = word.substr(kStandard.size());
        if (contains(kLanguages, language_)) return std::nullopt;
        return invalid(concat("the language '", language_, "' of ", word, " is not known"));
    }
    if (word == "-Werror") {
        options_.warnings_are_errors = true;
    } else if (contains(kFlags, word)) {
        if (!contains(options_.flags, word)) options_.flags.push_back(word);
    } else if (word != "-cl-kernel-arg-info") { /* the manifest has all that it would add */
        return invalid(concat("the build option '", word, "' is not known"));
    }
    return std::nullopt;
}

Outcome<Options> Parser::parse(std::string_view text) {
    auto words = split_words(text);
    if (!words) return words.error();
    words_ = *std::move(words);
    while (next_ < words_.size()) {
        if (auto failure = take(words_[next_++])) return *std::move(failure);
    }
    options_.flags.insert(options_.flags.begin(), concat("-cl-std=", language_));
    return std::move(options_);
}

} // namespace

std::string Options::flag_text() const {
    std::string text;
    for (const std::string& flag : flags)
        text += (text.empty() ? "" : " ") + flag;
    return text;
}

Outcome<Options> parse_options(std::string_view text) {
    return Parser().parse(text);
}

} // namespace qiao::compiler
