// Wrappers are written from the reflection. A pointer is passed on as `void*` of its address space, which C converts to the
// kernel's own type: so only the types of values are spelled out, as the source spells them.
#include "offset.h"

#include "tools.h"

namespace qiao::compiler {
namespace {

bool is_constant(const package::Argument& argument) {
    return argument.type.rfind("constant ", 0) == 0;
}

/* One parameter of the wrapper, or two; and what it passes on. */
void write_argument(const package::Argument& argument, size_t index, std::string& parameters, std::string& passed) {
    const std::string name = concat("qiao_", index);
    if (index != 0) parameters += ", ", passed += ", ";
    switch (argument.kind) {
        case QIAO_ARGUMENT_KIND_ADDRESS: {
            const char* space = is_constant(argument) ? "__constant" : "__global";
            parameters += concat(space, " char* ", name, ", ulong ", name, "_offset");
            passed += concat("(", space, " void*)(", name, " ? ", name, " + ", name, "_offset : 0)");
            break;
        }
        case QIAO_ARGUMENT_KIND_LOCAL:
            parameters += concat("__local void* ", name);
            passed += name;
            break;
        default:
            parameters += concat(argument.type, " ", name);
            passed += name;
            break;
    }
}

std::string wrapper_of(const package::Kernel& kernel, uint32_t subgroup) {
    std::string parameters, passed, attributes;
    for (size_t i = 0; i < kernel.arguments.size(); ++i)
        write_argument(kernel.arguments[i], i, parameters, passed);
    const uint32_t* group = kernel.required_group;
    if (group[0] != 0)
        attributes +=
            concat("__attribute__((reqd_work_group_size(", group[0], ", ", group[1], ", ", group[2], "))) ");
    if (subgroup != 0) attributes += concat("__attribute__((intel_reqd_sub_group_size(", subgroup, "))) ");
    // A source that was taken out of a package has its wrappers already.
    return concat("#ifndef QIAO_OFFSET_", kernel.name, "\n#define QIAO_OFFSET_", kernel.name, "\n__kernel ", attributes,
                  "void ", kernel.name, "__at(", parameters, ") { ", kernel.name, "(", passed, "); }\n#endif\n");
}

} // namespace

Outcome<std::string> add_offset_wrappers(std::string source, const Options& options, const FrontEnd& front_end,
                                         const TemporaryDirectory& temporary, Deadline deadline) {
    const auto clang = find_clang();
    if (!clang) return clang.error();
    source += concat("\n#ifdef ", package::kOffsetMacro, "\n#line 1 \"<wrappers>\"\n");
    for (size_t i = 0; i < front_end.kernels.size(); ++i)
        source += wrapper_of(front_end.kernels[i], front_end.subgroups[i]);
    source += "#endif\n";

    const std::string path = temporary / "offset.cl";
    if (!write_file(path, source))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", path, "'"), "check the space left there", "", 0};
    Command command{{*clang, "-x", "cl", "-target", "spir64", "-fsyntax-only", "-w", concat("-D", package::kOffsetMacro)},
                    {},
                    temporary.path()};
    command.words.insert(command.words.end(), options.flags.begin(), options.flags.end());
    command.words.push_back(path);
    const Finished finished = run(command, deadline);
    if (finished.ok()) return source;
    if (finished.exit_code <= 0) return tool_failure(*clang, finished, finished.errors);
    return Failure{QIAO_ERROR_UNSUPPORTED,
                   "a kernel cannot be called with (buffer, offset) pairs, so that devices without addresses cannot run "
                   "the program",
                   "name the types of its arguments, and call no function `kernel__at`; the log has what clang said",
                   finished.errors, 0};
}

} // namespace qiao::compiler
