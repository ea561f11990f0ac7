// Line by line: clang writes one statement a line, and one parameter a line. See ptx_text.h.
#include "ptx_text.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "mangled.h"

namespace qiao::compiler::ptx {
namespace {

/* The array of CUDA's dynamic shared memory; offsets passed for local arguments count from its beginning. */
constexpr std::string_view kDynamic = "qiao_local";

bool named(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$';
}

std::string_view trimmed(std::string_view text) {
    const size_t begin = text.find_first_not_of(" \t");
    return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

std::string_view name_at(std::string_view text) {
    return text.substr(0, static_cast<size_t>(std::find_if_not(text.begin(), text.end(), named) - text.begin()));
}

bool take(std::string_view& text, std::string_view word) {
    if (text.substr(0, word.size()) != word) return false;
    text = trimmed(text.substr(word.size()));
    return true;
}

uint32_t number_after(std::string_view text, std::string_view mark) {
    const size_t at = text.find(mark);
    uint32_t number = 0;
    for (size_t i = at + mark.size(); at != std::string_view::npos && i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); ++i)
        number = number * 10 + static_cast<uint32_t>(text[i] - '0');
    return number;
}

/* ".const" as a state space: not the beginning of a longer word. */
std::string constant_as_global(std::string line) {
    constexpr std::string_view kConstant = ".const", kGlobal = ".global";
    for (size_t at = line.find(kConstant); at != std::string::npos; at = line.find(kConstant, at + 1)) {
        if (at + kConstant.size() < line.size() && named(line[at + kConstant.size()])) continue;
        line.replace(at, kConstant.size(), kGlobal);
    }
    return line;
}

class Reader {
  public:
    Outcome<Module> read(std::string_view text);

  private:
    void line(std::string_view line);
    void begin_entry(std::string_view name);
    void parameter(std::string_view words);
    void function(std::string_view words);
    void statement(std::string_view line, std::string_view words);
    void add(std::string_view line) { module_.text += constant_as_global(std::string(line)) + "\n"; }
    void mark_dynamic();

    Module module_;
    SeenKernel* kernel_ = nullptr; /* the one whose parameters or statements these are */
    bool in_parameters_ = false;
    bool in_prototype_ = false;    /* of a function: definition or declaration is not known yet */
    std::string function_;
    std::set<std::string> locals_; /* names of the kernel's local parameters */
    std::set<std::string> declared_, defined_;
    bool uses_dynamic_ = false;
    std::optional<std::string> problem_;
};

void Reader::begin_entry(std::string_view name) {
    kernel_ = &module_.kernels[std::string(name)];
    locals_.clear();
    in_parameters_ = true;
}

/* ".param .u64 .ptr .shared .align 16 k_param_1," or ".param .align 8 .b8 k_param_4[16]". */
void Reader::parameter(std::string_view words) {
    if (words.find(".param") == std::string_view::npos) return;
    const size_t comma = words.rfind(',');
    const std::string_view declared = words.substr(0, comma);
    const size_t blank = declared.find_last_of(" \t");
    const std::string_view name = name_at(declared.substr(blank + 1));
    if (declared.find(".ptr") != std::string_view::npos) {
        const bool local = declared.find(".ptr .shared") != std::string_view::npos;
        kernel_->arguments.push_back({local ? QIAO_ARGUMENT_KIND_LOCAL : QIAO_ARGUMENT_KIND_ADDRESS, 0});
        if (!local) return;
        kernel_->local_alignments.push_back(std::max(number_after(declared, ".align "), 1u));
        locals_.insert(std::string(name));
        return;
    }
    uint64_t size = 0;
    for (const char* type : {".b", ".u", ".s", ".f"}) {
        if (const uint32_t bits = number_after(declared, type)) size = bits / 8;
    }
    if (const uint32_t count = number_after(declared, concat(name, "["))) size *= count;
    kernel_->arguments.push_back({QIAO_ARGUMENT_KIND_VALUE, size});
}

/* ".func  (.param .b64 func_retval0) NAME" or ".func NAME(". */
void Reader::function(std::string_view words) {
    if (words.substr(0, 1) == "(") words = trimmed(words.substr(std::min(words.find(')'), words.size() - 1) + 1));
    function_ = name_at(words);
    in_prototype_ = true;
}

/* "ld.param.u64 %rd3, [k_param_1];" of a local parameter: the address is the array's plus what is passed. */
void Reader::statement(std::string_view line, std::string_view words) {
    add(line);
    const auto local = std::find_if(locals_.begin(), locals_.end(), [&](const std::string& name) {
        const size_t at = line.find(name);
        return at != std::string_view::npos && (at + name.size() == line.size() || !named(line[at + name.size()]));
    });
    if (local == locals_.end()) return;
    const size_t comma = words.find(',');
    if (!take(words, "ld.param.u64") || comma == std::string_view::npos || line.find(concat("[", *local, "];")) == std::string_view::npos) {
        problem_ = concat("it uses the local argument ", *local, " in '", trimmed(line), "'");
        return;
    }
    const std::string_view into = words.substr(0, words.find(','));
    module_.text += concat("\t{\n\t.reg .b64 \t%qiao_base;\n\tmov.u64 \t%qiao_base, ", kDynamic, ";\n\tadd.s64 \t", into, ", ", into,
                           ", %qiao_base;\n\t}\n");
    uses_dynamic_ = true;
}

void Reader::line(std::string_view whole) {
    std::string_view words = trimmed(whole);
    if (in_parameters_) {
        if (words.substr(0, 1) == ")") in_parameters_ = false;
        parameter(words);
        return add(whole);
    }
    if (in_prototype_ && words.find_first_of(";{") != std::string_view::npos) {
        (words.find('{') == std::string_view::npos ? declared_ : defined_).insert(function_);
        in_prototype_ = false;
        return add(whole);
    }
    take(words, ".visible");
    take(words, ".extern");
    take(words, ".weak");
    if (take(words, ".entry")) {
        begin_entry(name_at(words));
        if (words.find(')') != std::string_view::npos) in_parameters_ = false; /* none */
        return add(concat(".visible .entry ", words));
    }
    if (take(words, ".func")) {
        kernel_ = nullptr;
        locals_.clear();
        function(words);
        return add(whole);
    }
    if (take(words, ".target")) return add(concat(".target ", words.substr(0, words.find(','))));
    statement(whole, trimmed(whole));
}

/* Behind the directives that begin a module. */
void Reader::mark_dynamic() {
    constexpr std::string_view kLastDirective = ".address_size 64\n";
    const size_t at = module_.text.find(kLastDirective);
    if (at == std::string::npos) {
        problem_ = "it has no address size of 64";
        return;
    }
    module_.text.insert(at + kLastDirective.size(), concat("\n.extern .shared .align 128 .b8 ", kDynamic, "[];\n"));
}

Outcome<Module> Reader::read(std::string_view text) {
    for (size_t begin = 0; begin < text.size() && !problem_;) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        line(text.substr(begin, end - begin));
        begin = end + 1;
    }
    if (uses_dynamic_ && !problem_) mark_dynamic();
    if (problem_)
        return Failure{QIAO_ERROR_INTERNAL, concat("the PTX cannot be mended: ", *problem_), "leave out the format ptx, and report this as a defect",
                       "", 0};
    for (const std::string& name : declared_)
        if (defined_.count(name) == 0) module_.undefined.emplace_back(base_name(name));
    return std::move(module_);
}

} // namespace

Outcome<Module> read(std::string_view text) {
    return Reader().read(text);
}

} // namespace qiao::compiler::ptx
