// clspv compiles, its reflection is compared with the front end's layout, spirv-val has the last word. clspv runs as a child:
// it crashes on some sources, and its LLVM must not meet another one.
#include "spirv_vulkan.h"

#include <optional>

#include "keep_arguments.h"
#include "spirv.h"
#include "tools.h"

namespace qiao::compiler {
namespace {

Failure unsupported(std::string message, std::string log = "") {
    return {QIAO_ERROR_UNSUPPORTED, std::move(message), "leave out the format spirv-vulkan, or write the kernel differently",
            std::move(log), 0};
}

std::optional<Failure> refuse_features(const FrontEnd& front_end) {
    for (const package::Kernel& kernel : front_end.kernels) {
        const char* what = kernel.features & QIAO_FEATURE_PRINTF      ? "printf"
                           : kernel.features & QIAO_FEATURE_SUBGROUPS ? "subgroups"
                                                                      : nullptr;
        if (what != nullptr)
            return unsupported(concat("kernel '", kernel.name, "' needs ", what, ", which Vulkan variants do not have"));
    }
    return std::nullopt;
}

/* What clspv does not know it would refuse; these two are hints that change no result. */
bool understood(const std::string& flag) {
    return flag != "-cl-strict-aliasing" && flag != "-cl-uniform-work-group-size" && flag.rfind("-cl-std=", 0) != 0;
}

/* Up to 128 bytes of arguments become push constants, which every Vulkan device has; more become a uniform block. */
std::vector<std::string> clspv_options(const Options& options) {
    std::vector<std::string> words = {"--spv-version=1.5", "-physical-storage-buffers", "-arch=spir64",
                                      "-uniform-workgroup-size", "-long-vector", "-global-offset",
                                      "-max-pushconstant-size=128", "-w"};
    for (const std::string& flag : options.flags) {
        if (understood(flag) && flag != "-w") words.push_back(flag);
        if (flag == "-cl-std=CL2.0" || flag == "-cl-std=CL3.0")
            words.insert(words.end(), {flag, "-inline-entry-points"});
        else if (flag.rfind("-cl-std=", 0) == 0)
            words.push_back("-cl-std=CL1.2");
    }
    return words;
}

/* The pointer arguments that clspv must be kept from dropping: those that nothing uses, or all. */
std::vector<KeptArgument> arguments_to_keep(const FrontEnd& front_end, bool all) {
    std::vector<KeptArgument> kept;
    for (size_t i = 0; i < front_end.kernels.size(); ++i) {
        const package::Kernel& kernel = front_end.kernels[i];
        for (size_t j = 0; j < kernel.arguments.size(); ++j) {
            const package::Argument& argument = kernel.arguments[j];
            if (argument.kind == QIAO_ARGUMENT_KIND_VALUE || !(all || front_end.is_unused(i, j))) continue;
            kept.push_back({kernel.name, argument.name, argument.type.substr(0, argument.type.find(' '))});
        }
    }
    return kept;
}

/* "recursive structures are not supported", out of a log. */
std::string first_error(const std::string& log) {
    const std::string mark = "error: ";
    const size_t at = log.find(mark);
    return at == std::string::npos ? "the log has what it said" : log.substr(at + mark.size(), log.find('\n', at) - at - mark.size());
}

class VulkanBuild {
  public:
    VulkanBuild(const Options& options, const TemporaryDirectory& temporary, Deadline deadline)
        : options_(options), temporary_(temporary), deadline_(deadline) {}

    std::optional<Failure> find_tools();
    /* The module's file; its bytes are not checked yet. */
    Outcome<std::string> compile(const std::string& path, const FrontEnd& front_end);
    std::optional<Failure> validate(const std::string& module) const;
    const std::string& tool() const { return clspv_.version; }

  private:
    Outcome<std::string> preprocess(const std::string& path) const;
    Outcome<std::string> keep(const std::string& path, const std::vector<KeptArgument>& arguments, const char* name) const;
    Finished run_clspv(const std::string& path, const std::string& out) const;

    const Options& options_;
    const TemporaryDirectory& temporary_;
    const Deadline deadline_;
    Clspv clspv_;
    std::string clang_;
};

std::optional<Failure> VulkanBuild::find_tools() {
    auto clspv = find_clspv();
    if (!clspv) return clspv.error();
    clspv_ = *std::move(clspv);
    auto clang = find_clang();
    if (!clang) return clang.error();
    clang_ = *std::move(clang);
    return std::nullopt;
}

Finished VulkanBuild::run_clspv(const std::string& path, const std::string& out) const {
    Command command{{clspv_.program, clspv_.library, path, out}, {}, temporary_.path()};
    const auto words = clspv_options(options_);
    command.words.insert(command.words.end(), words.begin(), words.end());
    return run(command, deadline_);
}

/* Without clang's own declarations of OpenCL C: clspv has its own. */
Outcome<std::string> VulkanBuild::preprocess(const std::string& path) const {
    const std::string out = temporary_ / "preprocessed.cl";
    Command command{{clang_, "-x", "cl", "-target", "spir64", "-cl-no-stdinc", "-w", "-E"}, {}, temporary_.path()};
    command.words.insert(command.words.end(), options_.flags.begin(), options_.flags.end());
    command.words.insert(command.words.end(), {path, "-o", out});
    const Finished finished = run(command, deadline_);
    if (!finished.ok()) return tool_failure(clang_, finished, finished.errors);
    std::string text;
    if (!read_file(out, text)) return Failure{QIAO_ERROR_IO, concat("cannot read '", out, "'"), "compile again", "", 0};
    return text;
}

Outcome<std::string> VulkanBuild::keep(const std::string& path, const std::vector<KeptArgument>& arguments,
                                       const char* name) const {
    const auto text = preprocess(path);
    if (!text) return text.error();
    const std::string out = temporary_ / name;
    if (!write_file(out, keep_arguments(*text, arguments)))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", out, "'"), "check the space left there", "", 0};
    return out;
}

Outcome<std::string> VulkanBuild::compile(const std::string& path, const FrontEnd& front_end) {
    const std::string out = temporary_ / "vulkan.spv";
    std::string from = path;
    if (const auto unused = arguments_to_keep(front_end, false); !unused.empty()) {
        const auto kept = keep(path, unused, "kept.cl");
        if (!kept) return kept.error();
        from = *kept;
    }
    Finished finished = run_clspv(from, out);
    if (finished.signal != 0 && !finished.timed_out) {
        // An argument may lose its uses only when clspv optimises.
        const auto kept = keep(path, arguments_to_keep(front_end, true), "kept_all.cl");
        if (!kept) return kept.error();
        finished = run_clspv(*kept, out);
    }
    if (finished.ok()) return out;
    if (finished.exit_code == 1 && !finished.errors.empty())
        return unsupported(concat("clspv cannot compile the program for Vulkan: ", first_error(finished.errors)), finished.errors);
    if (finished.exit_code == 2)
        return Failure{QIAO_ERROR_UNSUPPORTED, finished.errors, clspv_remedy(), "", 0};
    if (finished.timed_out) return tool_failure("clspv", finished, finished.errors);
    return unsupported(concat("clspv ", describe_end(finished), " while compiling the program for Vulkan"), finished.errors);
}

std::optional<Failure> VulkanBuild::validate(const std::string& module) const {
    const std::string validator = find_spirv_val();
    if (validator.empty()) return std::nullopt; /* qiao_compiler_check tells */
    const Finished finished = run(Command{{validator, "--target-env", "vulkan1.2", module}, {}, temporary_.path()}, deadline_);
    if (finished.ok()) return std::nullopt;
    if (finished.timed_out) return tool_failure("spirv-val", finished, finished.errors);
    return unsupported("clspv's module for Vulkan is not valid; the log has what spirv-val said",
                       finished.output + finished.errors);
}

/* ---------------------------------------------------------------- metadata */

std::string number_or_none(int64_t number) {
    return number < 0 ? "-" : std::to_string(number);
}

std::string list_of(const int64_t (&numbers)[3]) {
    return concat(number_or_none(numbers[0]), ",", number_or_none(numbers[1]), ",", number_or_none(numbers[2]));
}

Failure disagree(const package::Kernel& kernel, const std::string& what) {
    return unsupported(concat("clspv's module does not agree with the package: kernel '", kernel.name, "' ", what));
}

/* Compares the module's layout with the package's, argument by argument, and writes what the plugin has to know. */
Outcome<std::string> metadata_of(const package::Kernel& kernel, const spirv::Reflection& reflection) {
    using Kind = spirv::Argument::Kind;
    const auto found = reflection.kernels.find(kernel.name);
    if (found == reflection.kernels.end()) return disagree(kernel, "is missing");
    std::string locals;
    bool uniform = false, pushed = false;
    for (uint32_t i = 0; i < kernel.arguments.size(); ++i) {
        const package::Argument& expected = kernel.arguments[i];
        const auto argument = found->second.arguments.find(i);
        if (argument == found->second.arguments.end() && expected.kind == QIAO_ARGUMENT_KIND_VALUE) continue; /* not used */
        const bool is_local = expected.kind == QIAO_ARGUMENT_KIND_LOCAL;
        if (argument == found->second.arguments.end() || (argument->second.kind == Kind::kLocal) != is_local)
            return disagree(kernel, concat("has another argument ", i));
        const spirv::Argument& actual = argument->second;
        if (is_local) {
            locals += concat(locals.empty() ? "" : ",", actual.spec_id, ":", actual.size);
            continue;
        }
        if (actual.offset != expected.offset || actual.size != expected.size)
            return disagree(kernel, concat("has argument ", i, " of ", actual.size, " bytes at ", actual.offset, ", not of ",
                                           expected.size, " at ", expected.offset));
        (actual.kind == Kind::kUniform ? uniform : pushed) = true;
    }
    if (uniform && pushed) return disagree(kernel, "has its arguments in two places");
    return concat("arguments=", uniform ? "uniform" : "push", ";group=", list_of(reflection.constants.group),
                  ";offset=", list_of(reflection.constants.offset),
                  ";dimensions=", number_or_none(reflection.constants.dimensions), ";locals=", locals);
}

} // namespace

Outcome<std::vector<BuiltVariant>> build_spirv_vulkan(const std::string& path, const Options& options,
                                                      const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                      Deadline deadline) {
    if (auto failure = refuse_features(front_end)) return *std::move(failure);
    VulkanBuild build(options, temporary, deadline);
    if (auto failure = build.find_tools()) return *std::move(failure);
    const auto file = build.compile(path, front_end);
    if (!file) return file.error();
    std::string bytes;
    if (!read_file(*file, bytes)) return Failure{QIAO_ERROR_IO, concat("cannot read '", *file, "'"), "compile again", "", 0};
    auto words = spirv::words_of(bytes);
    if (!words) return words.error();
    const auto reflection = spirv::reflect(*words);
    if (!reflection) return reflection.error();
    spirv::remove_reflection(*words);
    spirv::declare_int64_atomics(*words);

    const std::string finished = temporary / "finished.spv";
    const std::string_view text(reinterpret_cast<const char*>(words->data()), words->size() * 4);
    if (!write_file(finished, text))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", finished, "'"), "check the space left there", "", 0};
    if (auto failure = build.validate(finished)) return *std::move(failure);

    BuiltVariant built;
    built.variant.format = "spirv-vulkan";
    built.variant.tool = build.tool();
    built.variant.features = front_end.features;
    for (const package::Kernel& kernel : front_end.kernels) {
        auto metadata = metadata_of(kernel, *reflection);
        if (!metadata) return metadata.error();
        built.variant.metadata.push_back(*std::move(metadata));
    }
    const auto span = std::as_bytes(std::span(*words));
    built.bytes.assign(span.begin(), span.end());
    return std::vector<BuiltVariant>{std::move(built)};
}

} // namespace qiao::compiler
