// clang compiles with ROCm's device library, lld links, the code object's own note is held against the package.
#include "amdgcn.h"

#include "clang.h"
#include "code_object.h"
#include "formats.h"
#include "tools.h"

namespace qiao::compiler {
namespace {

constexpr std::string_view kFormat = "amdgcn", kTarget = "gfx906";

/* It would need a buffer that only AMD's own OpenCL runtime provides. */
constexpr Lacking kLacking[] = {{QIAO_FEATURE_PRINTF, "printf"}};

/* The function that the linker found nowhere. */
Failure link_failure(const std::string& linker, const Finished& finished) {
    constexpr std::string_view kMark = " symbol: "; /* "undefined hidden symbol: " */
    const size_t at = finished.errors.find(kMark);
    if (finished.exit_code <= 0 || at == std::string::npos) return tool_failure(linker, finished, finished.errors);
    const size_t begin = at + kMark.size();
    return {QIAO_ERROR_UNSUPPORTED,
            concat("ROCm's device library has no ", finished.errors.substr(begin, finished.errors.find('\n', begin) - begin)),
            "define the function, or leave out the format amdgcn", finished.errors, 0};
}

Outcome<std::string> compile(const std::string& path, const Options& options, const TemporaryDirectory& temporary,
                             Deadline deadline) {
    const auto clang = find_clang();
    if (!clang) return clang.error();
    const auto rocm = find_rocm();
    if (!rocm) return rocm.error();
    const std::string object = temporary / "kernels.o", out = temporary / "kernels.hsaco";
    Command command = clang_command(*clang, "amdgcn-amd-amdhsa", options, temporary);
    command.words.insert(command.words.end(), {concat("-mcpu=", kTarget), "--rocm-device-lib-path=" + rocm->directory, "-O2", "-w", "-c",
                                               path, "-o", object});
    const Finished compiled = run(command, deadline);
    if (!compiled.ok()) return tool_failure(*clang, compiled, compiled.errors);
    const Finished linked = run(Command{{rocm->linker, "-flavor", "gnu", "--no-undefined", "-shared", "-o", out, object}, {}, temporary.path()}, deadline);
    if (!linked.ok()) return link_failure(rocm->linker, linked);
    std::string bytes;
    if (!read_file(out, bytes)) return Failure{QIAO_ERROR_IO, concat("cannot read '", out, "'"), "compile again", "", 0};
    return bytes;
}

std::string metadata_of(const CodeObjectKernel& kernel) {
    return concat(kernel.locals(), ";static=", kernel.static_local_bytes, ";group=", kernel.largest_group);
}

} // namespace

Outcome<std::vector<BuiltVariant>> build_amdgcn(const std::string& path, const Options& options, const FrontEnd& front_end,
                                                const TemporaryDirectory& temporary, Deadline deadline) {
    if (auto failure = refuse_features(front_end, kLacking, "amdgcn variants do not have", "leave out the format amdgcn"))
        return *std::move(failure);
    const auto bytes = compile(path, options, temporary, deadline);
    if (!bytes) return bytes.error();
    const auto kernels = read_code_object(*bytes);
    if (!kernels) return kernels.error();
    BuiltVariant built;
    for (const package::Kernel& kernel : front_end.kernels) {
        const auto found = kernels->find(kernel.name);
        if (found == kernels->end()) return kernel_missing(kFormat, kernel);
        if (auto failure = check_agreement(kFormat, kernel, found->second.arguments)) return *std::move(failure);
        built.variant.metadata.push_back(metadata_of(found->second));
    }
    built.variant.format = kFormat;
    built.variant.target = kTarget;
    built.variant.tool = front_end.tool;
    built.variant.features = front_end.features;
    built.bytes = bytes_of(*bytes);
    return std::vector<BuiltVariant>{std::move(built)};
}

} // namespace qiao::compiler
