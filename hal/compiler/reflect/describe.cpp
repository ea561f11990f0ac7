// Kernels of a SPIR module: everything a manifest says about them, from types, attributes and kernel_arg_* metadata.
#include <algorithm>
#include <optional>

#include "llvm.h"
#include "qiao/types.h"
#include "reflect.h"

namespace qiao::reflect {
namespace {

constexpr unsigned kGlobalSpace = 1, kConstantSpace = 2, kLocalSpace = 3;
constexpr unsigned kMaxCallDepth = 8; /* that a pointer is followed */

std::string string_of(Value metadata) {
    unsigned size = 0;
    const char* text = metadata ? llvm().GetMDString(metadata, &size) : nullptr;
    return text ? std::string(text, size) : std::string();
}

/* The operands of a function's metadata node, empty if it has none of that name. */
std::vector<Value> metadata_of(Context context, Value function, std::string_view kind) {
    const Llvm& l = llvm();
    const unsigned wanted = l.GetMDKindIDInContext(context, kind.data(), static_cast<unsigned>(kind.size()));
    size_t count = 0;
    const MetadataEntry entries = l.GlobalCopyAllMetadata(function, &count);
    std::vector<Value> operands;
    for (unsigned i = 0; i < count; ++i) {
        if (l.ValueMetadataEntriesGetKind(entries, i) != wanted) continue;
        const Value node = l.MetadataAsValue(context, l.ValueMetadataEntriesGetMetadata(entries, i));
        operands.resize(l.GetMDNodeNumOperands(node));
        l.GetMDNodeOperands(node, operands.data());
    }
    l.DisposeValueMetadataEntries(entries);
    return operands;
}

std::vector<std::string> strings_of(Context context, Value function, std::string_view kind, size_t count) {
    std::vector<std::string> strings;
    for (const Value operand : metadata_of(context, function, kind))
        strings.push_back(string_of(operand));
    strings.resize(count);
    return strings;
}

/* The address space as the source has it; a target may have fewer. */
unsigned declared_space(Context context, Value kernel, unsigned index) {
    const auto spaces = metadata_of(context, kernel, "kernel_arg_addr_space");
    return index < spaces.size() ? static_cast<unsigned>(llvm().ConstIntGetZExtValue(spaces[index])) : 0;
}

Attribute attribute(Value function, unsigned parameter, std::string_view name) {
    const unsigned kind = llvm().GetEnumAttributeKindForName(name.data(), name.size());
    return llvm().GetEnumAttributeAtIndex(function, parameter + 1, kind);
}

/* Why Qiao cannot take an argument of this type; nothing = it can. */
std::optional<std::string> unsupported(const std::string& base_type, const std::string& qualifiers) {
    const auto starts = [&base_type](std::string_view prefix) { return base_type.rfind(prefix, 0) == 0; };
    if (qualifiers.find("pipe") != std::string::npos) return "pipes are not supported";
    if (starts("image")) return "images are not supported";
    if (starts("sampler_t")) return "samplers are not supported";
    for (const std::string_view opaque : {"event_t", "queue_t", "clk_event_t", "reserve_id_t", "ndrange_t"}) {
        if (starts(opaque)) return std::string(opaque) + " is not supported";
    }
    return std::nullopt;
}

unsigned access_of(Value function, unsigned parameter, unsigned space, const std::string& qualifiers) {
    if (space == kConstantSpace || attribute(function, parameter, "readonly") ||
        attribute(function, parameter, "readnone"))
        return QIAO_ACCESS_READ;
    if (attribute(function, parameter, "writeonly")) return QIAO_ACCESS_WRITE;
    return qualifiers.find("const") != std::string::npos ? QIAO_ACCESS_READ : 0;
}

/* Whether a kernel, or what it calls, asks if this pointer of its is null. */
bool compared_with_null(Value pointer, unsigned depth) {
    const Llvm& l = llvm();
    for (Use use = l.GetFirstUse(pointer); use; use = l.GetNextUse(use)) {
        const Value user = l.GetUser(use);
        if (!l.IsAInstruction(user)) continue;
        const int opcode = l.GetInstructionOpcode(user);
        if (opcode == kCompareIntegers && (l.IsNull(l.GetOperand(user, 0)) || l.IsNull(l.GetOperand(user, 1)))) return true;
        const Value callee = opcode == kCall ? l.IsAFunction(l.GetCalledValue(user)) : nullptr;
        if (callee == nullptr || l.IsDeclaration(callee)) continue;
        for (unsigned i = 0; i < l.CountParams(callee); ++i)
            if (l.GetOperand(user, i) == pointer && (depth == 0 || compared_with_null(l.GetParam(callee, i), depth - 1)))
                return true;
    }
    return false;
}

/* "global const float*"; what is constant is const anyway. */
std::string type_text(unsigned space, const std::string& qualifiers, const std::string& type) {
    if (space == kConstantSpace) return "constant " + type;
    return (space == kGlobalSpace ? "global " : "local ") + (qualifiers.empty() ? "" : qualifiers + " ") + type;
}

uint64_t static_local_bytes(Module module, Layout layout, const std::string& kernel) {
    const Llvm& l = llvm();
    uint64_t bytes = 0;
    for (Value global = l.GetFirstGlobal(module); global; global = l.GetNextGlobal(global)) {
        if (l.GetPointerAddressSpace(l.TypeOf(global)) != kLocalSpace) continue;
        if (name_of(global).rfind(kernel + ".", 0) != 0) continue;
        const Type type = l.GlobalGetValueType(global);
        const uint64_t alignment = l.ABIAlignmentOfType(layout, type);
        bytes = (bytes + alignment - 1) / alignment * alignment + l.ABISizeOfType(layout, type);
    }
    return bytes;
}

nlohmann::json describe_kernel(Context context, Module module, Value kernel) {
    const Llvm& l = llvm();
    const Layout layout = l.GetModuleDataLayout(module);
    const unsigned count = l.CountParams(kernel);
    const auto names = strings_of(context, kernel, "kernel_arg_name", count);
    const auto types = strings_of(context, kernel, "kernel_arg_type", count);
    const auto base_types = strings_of(context, kernel, "kernel_arg_base_type", count);
    const auto qualifiers = strings_of(context, kernel, "kernel_arg_type_qual", count);

    const std::string name(name_of(kernel));
    nlohmann::json result = {{"name", name},
                             {"required_group", {0, 0, 0}},
                             {"required_subgroup", 0},
                             {"static_local_bytes", static_local_bytes(module, layout, name)},
                             {"unsupported", ""},
                             {"arguments", nlohmann::json::array()}};
    const auto group = metadata_of(context, kernel, "reqd_work_group_size");
    for (size_t i = 0; i < group.size() && i < 3; ++i)
        result["required_group"][i] = l.ConstIntGetZExtValue(group[i]);
    if (const auto subgroup = metadata_of(context, kernel, "intel_reqd_sub_group_size"); !subgroup.empty())
        result["required_subgroup"] = l.ConstIntGetZExtValue(subgroup[0]);
    for (unsigned i = 0; i < count; ++i) {
        if (const auto reason = unsupported(base_types[i], qualifiers[i]))
            result["unsupported"] = "argument '" + names[i] + "' is of type " + types[i] + ": " + *reason;
        nlohmann::json argument = describe_argument(context, layout, kernel, i, types[i], qualifiers[i]);
        argument["name"] = names[i];
        result["arguments"].push_back(std::move(argument));
    }
    return result;
}

std::string producer_of(Module module) {
    const Llvm& l = llvm();
    std::vector<Value> nodes(l.GetNamedMetadataNumOperands(module, "llvm.ident"));
    if (nodes.empty()) return "";
    l.GetNamedMetadataOperands(module, "llvm.ident", nodes.data());
    std::vector<Value> operands(l.GetMDNodeNumOperands(nodes[0]));
    if (operands.empty()) return "";
    l.GetMDNodeOperands(nodes[0], operands.data());
    return string_of(operands[0]);
}

bool is_kernel(Value function) {
    return !llvm().IsDeclaration(function) && llvm().GetFunctionCallConv(function) == kSpirKernelConvention;
}

} // namespace

nlohmann::json describe_argument(Context context, Layout layout, Value kernel, unsigned index, const std::string& type,
                                 const std::string& qualifiers) {
    const Llvm& l = llvm();
    const Type passed = l.TypeOf(l.GetParam(kernel, index));
    const Attribute by_value = attribute(kernel, index, "byval");
    if (by_value) {
        const Type aggregate = l.GetTypeAttributeValue(by_value);
        const Attribute aligned = attribute(kernel, index, "align");
        const uint64_t alignment = aligned ? l.GetEnumAttributeValue(aligned) : l.ABIAlignmentOfType(layout, aggregate);
        return {{"type", type},
                {"kind", QIAO_ARGUMENT_KIND_VALUE},
                {"size", l.ABISizeOfType(layout, aggregate)},
                {"alignment", alignment}};
    }
    if (l.GetTypeKind(passed) == kPointerType) {
        const unsigned space = declared_space(context, kernel, index);
        const bool local = space == kLocalSpace;
        return {{"type", type_text(space, qualifiers, type)},
                {"kind", local ? QIAO_ARGUMENT_KIND_LOCAL : QIAO_ARGUMENT_KIND_ADDRESS},
                {"access", local ? 0 : access_of(kernel, index, space, qualifiers)},
                {"unused", l.GetFirstUse(l.GetParam(kernel, index)) == nullptr},
                {"compared", compared_with_null(l.GetParam(kernel, index), kMaxCallDepth)},
                {"size", local ? 4 : 8},
                {"alignment", local ? 4 : 8}};
    }
    return {{"type", type},
            {"kind", QIAO_ARGUMENT_KIND_VALUE},
            {"size", l.ABISizeOfType(layout, passed)},
            {"alignment", l.ABIAlignmentOfType(layout, passed)}};
}

nlohmann::json describe_kernels(const std::string& path64, const std::string& path32) {
    const Llvm& l = llvm();
    const Context context = l.ContextCreate();
    const Module module = read_module(context, path64);
    const Module judged = read_module(context, path32.empty() ? path64 : path32);
    nlohmann::json result = {{"producer", producer_of(module)}, {"kernels", nlohmann::json::array()}};
    for (Value function = l.GetFirstFunction(module); function; function = l.GetNextFunction(function)) {
        if (!is_kernel(function)) continue;
        nlohmann::json kernel = describe_kernel(context, module, function);
        const Value same = l.GetNamedFunction(judged, kernel["name"].get<std::string>().c_str());
        if (same == nullptr) fail("kernel '" + kernel["name"].get<std::string>() + "' is not in the 32-bit module");
        uint64_t features = features_of(same, !path32.empty());
        if (path32.empty()) features |= QIAO_FEATURE_INT64;
        kernel["features"] = features;
        const std::string name = kernel["name"].get<std::string>();
        kernel["local_variables"] = static_local_bytes(judged, l.GetModuleDataLayout(judged), name) != 0;
        result["kernels"].push_back(std::move(kernel));
    }
    l.DisposeModule(judged);
    l.DisposeModule(module);
    l.ContextDispose(context);
    return result;
}

} // namespace qiao::reflect
