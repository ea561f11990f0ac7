// The argument block: how arguments are laid out, and whether a foreign manifest keeps the rules. A block is a C struct
// of the values and addresses in argument order, followed by one uint32_t byte count for each local argument.
#include <algorithm>
#include <bit>

#include "package/concat.h"
#include "package/format.h"

namespace qiao::package {
namespace {

Error refuse(const Kernel& kernel, std::string what) {
    return {concat("kernel '", kernel.name, "': ", what), "correct the manifest: hal/docs/packages.md has the rules"};
}

std::string named(const Argument& argument, size_t index) {
    return concat("argument ", index, " '", argument.name, "'");
}

std::optional<Error> check_argument(const Kernel& kernel, size_t index) {
    const Argument& argument = kernel.arguments[index];
    const std::string name = named(argument, index);
    if (argument.kind > QIAO_ARGUMENT_KIND_LOCAL)
        return refuse(kernel, concat(name, " has the unknown kind ", argument.kind));
    if (argument.access & ~(QIAO_ACCESS_READ | QIAO_ACCESS_WRITE))
        return refuse(kernel, concat(name, " has unknown access bits ", argument.access));
    if (!std::has_single_bit(argument.alignment) || argument.alignment > kMaxArgumentAlignment)
        return refuse(kernel, concat(name, " has alignment ", argument.alignment, ", not a power of two up to ",
                                     kMaxArgumentAlignment));
    if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS && (argument.size != 8 || argument.alignment != 8))
        return refuse(kernel, concat(name, " is an address of ", argument.size, " bytes, aligned to ",
                                     argument.alignment, ": both must be 8"));
    if (argument.kind == QIAO_ARGUMENT_KIND_LOCAL && (argument.size != 4 || argument.alignment != 4))
        return refuse(kernel, concat(name, " is a local byte count of ", argument.size, " bytes, aligned to ",
                                     argument.alignment, ": both must be 4"));
    if (argument.size == 0) return refuse(kernel, concat(name, " has size 0"));
    if (argument.offset % argument.alignment != 0)
        return refuse(kernel, concat(name, " stands at offset ", argument.offset, ", not a multiple of its alignment ",
                                     argument.alignment));
    if (argument.size > kernel.block_size || argument.offset > kernel.block_size - argument.size)
        return refuse(kernel, concat(name, " (offset ", argument.offset, ", ", argument.size,
                                     " bytes) leaves the block of ", kernel.block_size, " bytes"));
    return std::nullopt;
}

} // namespace

std::optional<Error> check_kernel(const Kernel& kernel) {
    const size_t count = kernel.arguments.size();
    if (count > QIAO_MAX_ARGUMENTS)
        return refuse(kernel, concat("has ", count, " arguments, the limit is ", QIAO_MAX_ARGUMENTS));
    if (kernel.block_size > QIAO_MAX_ARGUMENT_BYTES)
        return refuse(kernel, concat("has an argument block of ", kernel.block_size, " bytes, the limit is ",
                                     QIAO_MAX_ARGUMENT_BYTES));
    uint32_t end = 0;
    for (const bool locals : {false, true}) {
        for (size_t i = 0; i < count; ++i) {
            const Argument& argument = kernel.arguments[i];
            if (!locals) {
                if (auto error = check_argument(kernel, i)) return error;
            }
            if ((argument.kind == QIAO_ARGUMENT_KIND_LOCAL) != locals) continue;
            if (argument.offset < end)
                return refuse(kernel, concat(named(argument, i), " stands at offset ", argument.offset,
                                             ", inside or before what must precede it and ends at ", end));
            end = argument.offset + argument.size;
        }
    }
    const uint32_t* group = kernel.required_group;
    const bool none = group[0] == 0 && group[1] == 0 && group[2] == 0;
    if (!none && (group[0] == 0 || group[1] == 0 || group[2] == 0))
        return refuse(kernel, concat("requires a group of ", group[0], " x ", group[1], " x ", group[2]));
    return std::nullopt;
}

Result<Kernel> lay_out(Kernel kernel) {
    uint64_t cursor = 0;
    uint32_t alignment = 1;
    for (const bool locals : {false, true}) {
        for (Argument& argument : kernel.arguments) {
            if ((argument.kind == QIAO_ARGUMENT_KIND_LOCAL) != locals) continue;
            if (argument.kind != QIAO_ARGUMENT_KIND_VALUE) argument.size = argument.alignment = locals ? 4 : 8;
            if (argument.alignment == 0)
                return refuse(kernel, concat("argument '", argument.name, "' has no alignment"));
            cursor = align_up(cursor, argument.alignment);
            argument.offset = static_cast<uint32_t>(std::min<uint64_t>(cursor, UINT32_MAX));
            cursor += argument.size;
            alignment = std::max(alignment, argument.alignment);
        }
    }
    cursor = align_up(cursor, alignment);
    kernel.block_size = static_cast<uint32_t>(std::min<uint64_t>(cursor, UINT32_MAX));
    if (auto error = check_kernel(kernel)) {
        error->remedy =
            concat("a kernel may have ", QIAO_MAX_ARGUMENTS, " arguments in ", QIAO_MAX_ARGUMENT_BYTES,
                   " bytes, each aligned to at most ", kMaxArgumentAlignment, ": pass more through a buffer");
        return *std::move(error);
    }
    return kernel;
}

} // namespace qiao::package
