// clang compiles with libclc's built-in functions, ptx_text mends what CUDA's driver wants otherwise.
#include "ptx.h"

#include "clang.h"
#include "formats.h"
#include "ptx_builtins.h"
#include "ptx_text.h"
#include "tools.h"

namespace qiao::compiler {
namespace {

constexpr std::string_view kFormat = "ptx";
/* Runs on every card from Pascal (2016) on. clang-15 writes PTX 7.5, which drivers know since CUDA 11.5. */
constexpr const char* kTarget = "sm_60";

/* What the cards have and clang-15 does not enable for them. */
constexpr const char* kExtensions = "-cl-ext=+cl_khr_fp16,+cl_khr_int64_base_atomics,+cl_khr_int64_extended_atomics";

constexpr Lacking kLacking[] = {{QIAO_FEATURE_PRINTF, "printf"}, {QIAO_FEATURE_SUBGROUPS, "subgroups"}};

Outcome<std::string> compile(const std::string& path, const Options& options, const FrontEnd& front_end,
                             const TemporaryDirectory& temporary, Deadline deadline) {
    const auto clang = find_clang();
    if (!clang) return clang.error();
    const auto library = find_libclc();
    if (!library) return library.error();
    const std::string prelude = temporary / "prelude.cl", out = temporary / "kernels.ptx";
    const bool atomics = (front_end.features & QIAO_FEATURE_INT64_ATOMICS) != 0;
    if (!write_file(prelude, concat(ptx::kOffsets, atomics ? ptx::kLongAtomics : "")))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", prelude, "'"), "check the space left there", "", 0};
    Command command = clang_command(*clang, "nvptx64-nvidia-nvcl", options, temporary);
    command.words.insert(command.words.end(),
                         {"-Xclang", "-target-cpu", "-Xclang", kTarget, "-Xclang",
                          kExtensions, "-Xclang", "-mlink-builtin-bitcode", "-Xclang", *library, "-nogpulib", "-O2", "-w",
                          "-include", prelude, "-S", path, "-o", out});
    const Finished finished = run(command, deadline);
    if (!finished.ok()) return tool_failure(*clang, finished, finished.errors);
    std::string text;
    if (!read_file(out, text)) return Failure{QIAO_ERROR_IO, concat("cannot read '", out, "'"), "compile again", "", 0};
    return text;
}

} // namespace

Outcome<std::vector<BuiltVariant>> build_ptx(const std::string& path, const Options& options, const FrontEnd& front_end,
                                             const TemporaryDirectory& temporary, Deadline deadline) {
    if (auto failure = refuse_features(front_end, kLacking, "PTX variants do not have", "leave out the format ptx"))
        return *std::move(failure);
    const auto text = compile(path, options, front_end, temporary, deadline);
    if (!text) return text.error();
    const auto module = ptx::read(*text);
    if (!module) return module.error();
    if (!module->undefined.empty())
        return Failure{QIAO_ERROR_UNSUPPORTED, concat("libclc 15 has no ", module->undefined.front(), " for NVIDIA's cards"),
                       "define the function, or leave out the format ptx", "", 0};
    BuiltVariant built;
    for (const package::Kernel& kernel : front_end.kernels) {
        const auto found = module->kernels.find(kernel.name);
        if (found == module->kernels.end()) return kernel_missing(kFormat, kernel);
        if (auto failure = check_agreement(kFormat, kernel, found->second.arguments)) return *std::move(failure);
        built.variant.metadata.push_back(found->second.locals());
    }
    built.variant.format = kFormat;
    built.variant.target = kTarget;
    built.variant.tool = front_end.tool;
    built.variant.features = front_end.features;
    built.bytes = bytes_of(module->text);
    return std::vector<BuiltVariant>{std::move(built)};
}

} // namespace qiao::compiler
