// Unlike the entries of offset.cpp these keep the elements' type: without addresses a shader reaches a buffer only as an array of
// one type, and an array of bytes would make bytes of everything, atomics impossible. Offsets are whole elements then. A null
// pointer is none that a shader can select, so a kernel that asks for it is called once with and once without.
#include "vulkan_entries.h"

#include <algorithm>

namespace qiao::compiler {
namespace {

constexpr size_t kMaxCompared = 4; /* each doubles the kernel */

/* "global const uint*" of "global restrict const uint*"; of void, bytes. */
std::string pointer_type(const package::Argument& argument) {
    std::string type = argument.type;
    for (const std::string_view word : {"restrict ", "const void*", "void*"}) {
        const size_t at = type.find(word);
        if (at == std::string::npos) continue;
        type.replace(at, word.size(), word == "restrict " ? "" : word == "void*" ? "char*" : "const char*");
    }
    return type;
}

std::string parameters_of(const package::Kernel& kernel) {
    std::string text;
    for (size_t i = 0; i < kernel.arguments.size(); ++i) {
        const package::Argument& argument = kernel.arguments[i];
        const bool value = argument.kind == QIAO_ARGUMENT_KIND_VALUE;
        text += concat(i != 0 ? ", " : "", value ? argument.type : pointer_type(argument), " qiao_", i);
        if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS) text += concat(", ulong qiao_", i, "_offset");
    }
    return text;
}

/* The call, from argument `i` on; those before it are in `passed`. */
std::string call(const package::Kernel& kernel, const std::vector<PointerTraits>& pointers, size_t i, const std::string& passed) {
    if (i == kernel.arguments.size()) return concat(kernel.name, "(", passed, ");");
    const std::string name = concat("qiao_", i), before = concat(passed, i != 0 ? ", " : "");
    if (kernel.arguments[i].kind != QIAO_ARGUMENT_KIND_ADDRESS) return call(kernel, pointers, i + 1, before + name);
    const std::string place =
        call(kernel, pointers, i + 1, concat(before, name, " + ", name, "_offset / sizeof(*", name, ")"));
    if (!pointers[i].compared) return place;
    return concat("if (", name, "_offset == ~0UL) { ", call(kernel, pointers, i + 1, before + "0"), " } else { ", place, " }");
}

} // namespace

Outcome<std::string> vulkan_entries(const FrontEnd& front_end) {
    std::string text = "\n#line 1 \"<entries>\"\n";
    for (size_t i = 0; i < front_end.kernels.size(); ++i) {
        const package::Kernel& kernel = front_end.kernels[i];
        const auto& pointers = front_end.pointers[i];
        const auto compared =
            static_cast<size_t>(std::count_if(pointers.begin(), pointers.end(), [](const auto& each) { return each.compared; }));
        if (compared > kMaxCompared)
            return Failure{QIAO_ERROR_UNSUPPORTED,
                           concat("kernel '", kernel.name, "' compares ", compared, " arguments with null, the limit for Vulkan devices "
                                  "without addresses is ", kMaxCompared),
                           "leave out the format spirv-vulkan+offset, or pass flags instead", "", 0};
        const uint32_t* group = kernel.required_group;
        text += "__kernel ";
        if (group[0] != 0)
            text += concat("__attribute__((reqd_work_group_size(", group[0], ", ", group[1], ", ", group[2], "))) ");
        text += concat("void ", kernel.name, "__at(", parameters_of(kernel), ") { ", call(kernel, pointers, 0, ""), " }\n");
    }
    return text;
}

} // namespace qiao::compiler
