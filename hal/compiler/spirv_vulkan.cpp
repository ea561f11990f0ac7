// clspv compiles, its reflection is compared with the front end's layout, spirv-val has the last word. clspv runs as a child:
// it crashes on some sources, and its LLVM must not meet another one.
#include "spirv_vulkan.h"

#include <cstring>
#include <optional>

#include "formats.h"
#include "keep_arguments.h"
#include "spirv.h"
#include "tools.h"
#include "vulkan_entries.h"

namespace qiao::compiler {
namespace {

constexpr const char* kRemedy = "leave out the formats spirv-vulkan, or write the kernel differently";

Failure unsupported(std::string message, std::string log = "") {
    return {QIAO_ERROR_UNSUPPORTED, std::move(message), kRemedy, std::move(log), 0};
}

std::optional<Failure> refuse_what_is_lacking(const FrontEnd& front_end, VulkanMemory memory) {
    std::vector<Lacking> lacking = {{QIAO_FEATURE_SUBGROUPS, "subgroups"}};
    if (memory == VulkanMemory::kBuffers) lacking.push_back({QIAO_FEATURE_ADDRESSES, "addresses inside data"});
    return refuse_features(front_end, lacking, concat("the variant ", format_of(memory), " does not have"), kRemedy);
}

/* What clspv does not know it would refuse; these two are hints that change no result. */
bool understood(const std::string& flag) {
    return flag != "-cl-strict-aliasing" && flag != "-cl-uniform-work-group-size" && flag.rfind("-cl-std=", 0) != 0;
}

/* Up to 128 bytes of arguments become push constants, which every Vulkan device has; more become a uniform block. Entries that
 * call a kernel are one function with it. */
std::vector<std::string> clspv_options(const Options& options, VulkanMemory memory, bool prints) {
    std::vector<std::string> words = {"--spv-version=1.5", "-arch=spir64", "-uniform-workgroup-size", "-long-vector",
                                      "-global-offset", "-max-pushconstant-size=128", "-w"};
    if (memory == VulkanMemory::kAddresses)
        words.push_back("-physical-storage-buffers");
    else
        words.push_back("-inline-entry-points");
    if (prints) words.push_back("-enable-printf");
    for (const std::string& flag : options.flags) {
        if (understood(flag) && flag != "-w") words.push_back(flag);
        if (flag == "-cl-std=CL2.0" || flag == "-cl-std=CL3.0") {
            words.push_back(flag);
            if (memory == VulkanMemory::kAddresses) words.push_back("-inline-entry-points");
        } else if (flag.rfind("-cl-std=", 0) == 0) {
            words.push_back("-cl-std=CL1.2");
        }
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
            if (argument.kind == QIAO_ARGUMENT_KIND_VALUE || !(all || front_end.pointers[i][j].unused)) continue;
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
    VulkanBuild(VulkanMemory memory, bool prints, const Options& options, const TemporaryDirectory& temporary, Deadline deadline)
        : memory_(memory), prints_(prints), options_(options), temporary_(temporary), deadline_(deadline) {}

    std::optional<Failure> find_tools();
    /* The module's file; its bytes are not checked yet. */
    Outcome<std::string> compile(const std::string& path, const FrontEnd& front_end) const {
        return memory_ == VulkanMemory::kAddresses ? compile_kernels(path, front_end) : compile_entries(path, front_end);
    }
    std::optional<Failure> validate(const std::string& module) const;
    const std::string& tool() const { return clspv_.version; }

  private:
    Outcome<std::string> compile_kernels(const std::string& path, const FrontEnd& front_end) const;
    Outcome<std::string> compile_entries(const std::string& path, const FrontEnd& front_end) const;
    Outcome<std::string> outcome_of(const Finished& finished, const std::string& out) const;
    Outcome<std::string> preprocess(const std::string& path) const;
    Outcome<std::string> keep(const std::string& path, const std::vector<KeptArgument>& arguments, const char* name) const;
    Finished run_clspv(const std::string& path, const std::string& out) const;

    const VulkanMemory memory_;
    const bool prints_;
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
    const auto words = clspv_options(options_, memory_, prints_);
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

Outcome<std::string> VulkanBuild::compile_kernels(const std::string& path, const FrontEnd& front_end) const {
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
    return outcome_of(finished, out);
}

/* The source with entries behind it. */
Outcome<std::string> VulkanBuild::compile_entries(const std::string& path, const FrontEnd& front_end) const {
    const auto entries = vulkan_entries(front_end);
    if (!entries) return entries.error();
    std::string source;
    if (!read_file(path, source)) return Failure{QIAO_ERROR_IO, concat("cannot read '", path, "'"), "compile again", "", 0};
    const std::string edited = temporary_ / "entries.cl", out = temporary_ / "vulkan_offset.spv";
    if (!write_file(edited, source + *entries))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", edited, "'"), "check the space left there", "", 0};
    return outcome_of(run_clspv(edited, out), out);
}

Outcome<std::string> VulkanBuild::outcome_of(const Finished& finished, const std::string& out) const {
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
    const Finished finished = run(Command{{validator, "--target-env", "vulkan1.2", "--uniform-buffer-standard-layout", module}, {}, temporary_.path()}, deadline_);
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
    return unsupported(concat("clspv's module does not agree with the package: kernel '", kernel.name, "', ", what));
}

/* What separates in the metadata, and what a line must not have, as '%' and two digits. */
std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= ' ' && byte <= '~' && std::strchr("%,;", c) == nullptr) {
            out += c;
        } else {
            constexpr const char* kDigits = "0123456789ABCDEF";
            out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
        }
    }
    return out;
}

/* "" for a module from which clspv removed all calls of printf. */
std::string output_of(const spirv::Output& output) {
    if (output.kind == spirv::Output::Kind::kNone) return "";
    const bool pushed = output.kind == spirv::Output::Kind::kPushConstant;
    std::string calls;
    for (const auto& [number, call] : output.calls) {
        std::string sizes;
        for (const uint32_t size : call.sizes)
            sizes += concat(sizes.empty() ? "" : ".", size);
        calls += concat(calls.empty() ? "" : ",", sizes, ":", escaped(call.format));
    }
    return concat(";output=", pushed ? "push:" : "binding:", pushed ? output.offset : output.binding, ":", output.size, ";calls=", calls);
}

/* Compares the module's layout with the package's, argument by argument, and writes what the plugin has to know. */
class Comparison {
  public:
    Comparison(const package::Kernel& kernel, const spirv::Kernel& module, VulkanMemory memory)
        : kernel_(kernel), module_(module), memory_(memory) {}

    /* "" or how they disagree. */
    std::string run();
    /* Whether the block's place fits what else the module pushes. */
    bool stands_behind(const spirv::Output& output) const { return shift_ < 0 || (shift_ > 0) == (output.arguments_offset != 0); }
    std::string metadata(const spirv::Reflection& reflection) const;

  private:
    using Kind = spirv::Argument::Kind;
    const spirv::Argument* next();
    std::string compare_block(const package::Argument& expected, const spirv::Argument* actual);
    std::string compare_local(const spirv::Argument* actual);
    std::string compare_buffer(const spirv::Argument* actual);

    const package::Kernel& kernel_;
    const spirv::Kernel& module_;
    const VulkanMemory memory_;
    uint32_t ordinal_ = 0;
    int64_t block_binding_ = -1; /* of the uniform block */
    int64_t shift_ = -1; /* of push constants, against the block */
    std::string locals_, buffers_;
};

/* The module's next argument; null if nothing uses it. */
const spirv::Argument* Comparison::next() {
    const auto found = module_.arguments.find(ordinal_++);
    return found != module_.arguments.end() ? &found->second : nullptr;
}

std::string Comparison::compare_local(const spirv::Argument* actual) {
    if (actual == nullptr && memory_ == VulkanMemory::kBuffers) {
        locals_ += locals_.empty() ? "-" : ",-";
        return "";
    }
    if (actual == nullptr || actual->kind != Kind::kLocal) return "is no local argument";
    locals_ += concat(locals_.empty() ? "" : ",", actual->spec_id, ":", actual->size);
    return "";
}

std::string Comparison::compare_buffer(const spirv::Argument* actual) {
    if (actual != nullptr && actual->kind != Kind::kBuffer) return "is no buffer";
    buffers_ += concat(buffers_.empty() ? "" : ",", number_or_none(actual != nullptr ? int64_t{actual->binding} : -1));
    return "";
}

std::string Comparison::compare_block(const package::Argument& expected, const spirv::Argument* actual) {
    if (actual == nullptr) return expected.kind == QIAO_ARGUMENT_KIND_VALUE || memory_ == VulkanMemory::kBuffers ? "" : "is missing";
    if (actual->kind != Kind::kPushConstant && actual->kind != Kind::kUniform) return "is not in the block";
    // A vector of three takes the room of four, of which clspv counts what is used.
    const bool is_three = expected.size == expected.alignment && actual->size * 4 == expected.size * 3;
    const bool pushed = actual->kind == Kind::kPushConstant;
    const int64_t shift = pushed ? int64_t{actual->offset} - expected.offset : 0;
    if (pushed && shift_ < 0 && shift >= 0) shift_ = shift;
    if (shift != (pushed ? shift_ : 0) || (!pushed && actual->offset != expected.offset) || (actual->size != expected.size && !is_three))
        return concat("has ", actual->size, " bytes at ", actual->offset, ", not ", expected.size, " at ", expected.offset);
    if (!pushed) block_binding_ = actual->binding;
    return block_binding_ >= 0 && shift_ >= 0 ? "is not where those before it are" : "";
}

std::string Comparison::run() {
    for (size_t i = 0; i < kernel_.arguments.size(); ++i) {
        const package::Argument& expected = kernel_.arguments[i];
        std::string problem;
        if (expected.kind == QIAO_ARGUMENT_KIND_LOCAL) {
            problem = compare_local(next());
        } else {
            if (expected.kind == QIAO_ARGUMENT_KIND_ADDRESS && memory_ == VulkanMemory::kBuffers) problem = compare_buffer(next());
            if (problem.empty()) problem = compare_block(expected, next());
        }
        if (!problem.empty()) return concat("argument ", i, " ", problem);
    }
    return "";
}

std::string Comparison::metadata(const spirv::Reflection& reflection) const {
    const spirv::Constants& constants = reflection.constants;
    const bool prints = (kernel_.features & QIAO_FEATURE_PRINTF) != 0;
    const uint32_t offset = reflection.output.arguments_offset;
    const std::string push = offset != 0 ? concat("push:", offset) : "push";
    return concat("arguments=", block_binding_ >= 0 ? concat("uniform:", block_binding_) : push, ";group=", list_of(constants.group),
                  ";offset=", list_of(constants.offset), ";dimensions=", number_or_none(constants.dimensions), ";locals=", locals_,
                  memory_ == VulkanMemory::kBuffers ? ";buffers=" : "", buffers_,
                  prints ? output_of(reflection.output) : "");
}

Outcome<std::string> metadata_of(const package::Kernel& kernel, VulkanMemory memory, const spirv::Reflection& reflection) {
    const auto found = reflection.kernels.find(memory == VulkanMemory::kBuffers ? kernel.name + "__at" : kernel.name);
    if (found == reflection.kernels.end()) return disagree(kernel, "is missing");
    Comparison comparison(kernel, found->second, memory);
    if (const std::string problem = comparison.run(); !problem.empty()) return disagree(kernel, problem);
    if (!comparison.stands_behind(reflection.output)) return disagree(kernel, "its arguments are behind something unknown");
    return comparison.metadata(reflection);
}

} // namespace

Outcome<std::vector<BuiltVariant>> build_spirv_vulkan(const std::string& path, VulkanMemory memory, const Options& options,
                                                      const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                      Deadline deadline) {
    if (auto failure = refuse_what_is_lacking(front_end, memory)) return *std::move(failure);
    VulkanBuild build(memory, (front_end.features & QIAO_FEATURE_PRINTF) != 0, options, temporary, deadline);
    if (auto failure = build.find_tools()) return *std::move(failure);
    const auto file = build.compile(path, front_end);
    if (!file) return file.error();
    std::string bytes;
    if (!read_file(*file, bytes)) return Failure{QIAO_ERROR_IO, concat("cannot read '", *file, "'"), "compile again", "", 0};
    auto words = spirv::words_of(bytes);
    if (!words) return words.error();
    auto reflection = spirv::reflect(*words);
    if (!reflection) return reflection.error();
    spirv::move_output(*words, *reflection);
    spirv::remove_reflection(*words);
    spirv::declare_int64_atomics(*words);
    spirv::sign_indices(*words);

    const std::string finished = temporary / "finished.spv";
    const std::string_view text(reinterpret_cast<const char*>(words->data()), words->size() * 4);
    if (!write_file(finished, text))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", finished, "'"), "check the space left there", "", 0};
    if (auto failure = build.validate(finished)) return *std::move(failure);

    BuiltVariant built;
    built.variant.format = format_of(memory);
    built.variant.tool = build.tool();
    built.variant.features = front_end.features;
    for (const package::Kernel& kernel : front_end.kernels) {
        auto metadata = metadata_of(kernel, memory, *reflection);
        if (!metadata) return metadata.error();
        built.variant.metadata.push_back(*std::move(metadata));
    }
    const auto span = std::as_bytes(std::span(*words));
    built.bytes.assign(span.begin(), span.end());
    return std::vector<BuiltVariant>{std::move(built)};
}

} // namespace qiao::compiler
