// See agreement.h.
#include "agreement.h"

namespace qiao::compiler {
namespace {

constexpr const char* kKinds[] = {"a value", "an address", "local memory"};
static_assert(QIAO_ARGUMENT_KIND_VALUE == 0 && QIAO_ARGUMENT_KIND_ADDRESS == 1 && QIAO_ARGUMENT_KIND_LOCAL == 2);

Failure differs(std::string_view format, const package::Kernel& kernel, const std::string& what) {
    return {QIAO_ERROR_INTERNAL,
            concat("the compiler of ", format, " does not agree with the package: kernel '", kernel.name, "' ", what),
            concat("leave out the format ", format, ", and report this as a defect"), "", 0};
}

} // namespace

std::string SeenKernel::locals() const {
    std::string text;
    for (const uint32_t alignment : local_alignments)
        text += concat(text.empty() ? "" : ",", alignment);
    return "locals=" + text;
}

std::optional<Failure> check_agreement(std::string_view format, const package::Kernel& kernel,
                                       const std::vector<SeenArgument>& seen) {
    if (seen.size() != kernel.arguments.size())
        return differs(format, kernel, concat("has ", seen.size(), " arguments there, and ", kernel.arguments.size(), " here"));
    for (size_t i = 0; i < seen.size(); ++i) {
        const package::Argument& expected = kernel.arguments[i];
        if (seen[i].kind != expected.kind)
            return differs(format, kernel,
                           concat("has argument ", i, " as ", kKinds[seen[i].kind], " there, and as ", kKinds[expected.kind], " here"));
        if (expected.kind == QIAO_ARGUMENT_KIND_VALUE && seen[i].size != expected.size)
            return differs(format, kernel,
                           concat("has argument ", i, " of ", seen[i].size, " bytes there, and of ", expected.size, " here"));
    }
    return std::nullopt;
}

Failure kernel_missing(std::string_view format, const package::Kernel& kernel) {
    return differs(format, kernel, "is missing");
}

} // namespace qiao::compiler
