// clang writes bitcode without optimising (what it makes of loops at -O2 the translator and its consumers do not understand,
// and consumers optimise anyway), llvm-spirv translates, spirv-val has the last word.
#include "spirv_opencl.h"

#include "clang.h"
#include "spirv.h"
#include "spirv_arguments.h"
#include "tools.h"

namespace qiao::compiler {
namespace {

constexpr std::string_view kFormat = "spirv-opencl";
/* 1.2. The translator writes the oldest version that has what a module uses; a driver may list the one it takes only. */
constexpr uint32_t kVersion = 0x00010200;

Failure unsupported(std::string message, std::string log) {
    return {QIAO_ERROR_UNSUPPORTED, std::move(message), "leave out the format spirv-opencl, or write the kernel differently",
            std::move(log), 0};
}

Outcome<std::string> translate(const std::string& path, const Options& options, const TemporaryDirectory& temporary,
                               Deadline deadline) {
    const auto clang = find_clang();
    if (!clang) return clang.error();
    const auto translator = find_llvm_spirv();
    if (!translator) return translator.error();
    const std::string bitcode = temporary / "kernels.bc", module = temporary / "kernels.spv";
    Command compile = clang_command(*clang, "spir64", options, temporary);
    compile.words.insert(compile.words.end(), {"-O0", "-Xclang", "-disable-O0-optnone", "-w", "-emit-llvm", "-c", path, "-o", bitcode});
    const Finished compiled = run(compile, deadline);
    if (!compiled.ok()) return tool_failure(*clang, compiled, compiled.errors);
    // Without a limit some modules come out as SPIR-V 1.4, which few drivers take.
    const Finished translated =
        run(Command{{*translator, "--spirv-max-version=1.2", bitcode, "-o", module}, {}, temporary.path()}, deadline);
    if (translated.timed_out) return tool_failure(*translator, translated, translated.errors);
    if (!translated.ok())
        return unsupported("llvm-spirv cannot translate the program; the log has what it said", translated.output + translated.errors);
    return module;
}

std::optional<Failure> validate(const std::string& module, const TemporaryDirectory& temporary, Deadline deadline) {
    const std::string validator = find_spirv_val();
    if (validator.empty()) return std::nullopt; /* qiao_compiler_check tells */
    // Not "opencl2.2", whose rules know no capability of an extension of OpenCL (64-bit atomics).
    const Finished finished = run(Command{{validator, "--target-env", "spv1.2", module}, {}, temporary.path()}, deadline);
    if (finished.ok()) return std::nullopt;
    if (finished.timed_out) return tool_failure("spirv-val", finished, finished.errors);
    return unsupported("the module for OpenCL is not valid; the log has what spirv-val said", finished.output + finished.errors);
}

} // namespace

Outcome<std::vector<BuiltVariant>> build_spirv_opencl(const std::string& path, const Options& options,
                                                      const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                      Deadline deadline) {
    const auto module = translate(path, options, temporary, deadline);
    if (!module) return module.error();
    std::string bytes;
    if (!read_file(*module, bytes)) return Failure{QIAO_ERROR_IO, concat("cannot read '", *module, "'"), "compile again", "", 0};
    auto words = spirv::words_of(bytes, "llvm-spirv");
    if (!words) return words.error();
    (*words)[1] = kVersion;
    bytes.assign(reinterpret_cast<const char*>(words->data()), words->size() * 4);
    if (!write_file(*module, bytes)) return Failure{QIAO_ERROR_IO, concat("cannot write '", *module, "'"), "check the space left there", "", 0};
    if (auto failure = validate(*module, temporary, deadline)) return *std::move(failure);
    const auto arguments = spirv::kernel_arguments(*words);
    for (const package::Kernel& kernel : front_end.kernels) {
        const auto found = arguments.find(kernel.name);
        if (found == arguments.end()) return kernel_missing(kFormat, kernel);
        if (auto failure = check_agreement(kFormat, kernel, found->second)) return *std::move(failure);
    }
    BuiltVariant built;
    built.variant.format = kFormat;
    built.variant.tool = concat("llvm-spirv-15 ", front_end.tool);
    built.variant.features = front_end.features;
    built.bytes = bytes_of(bytes);
    return std::vector<BuiltVariant>{std::move(built)};
}

} // namespace qiao::compiler
