// PoCL's work-group functions, one module each, become one module that any compiler can turn into one library: CPU attributes
// go (the code is for the level the compiler is told, not for the build machine), only the entries stay visible.
#include <set>

#include "llvm.h"
#include "reflect.h"

namespace qiao::reflect {
namespace {

constexpr unsigned kHiddenParameters =
    4; /* PoCL's context and the three group ids, after arguments and local buffers */

void strip_cpu(Value function) {
    const Llvm& l = llvm();
    for (const std::string_view name : {"target-cpu", "target-features", "tune-cpu", "min-legal-vector-width"}) {
        const auto size = static_cast<unsigned>(name.size());
        l.RemoveStringAttributeAtIndex(function, kFunctionAttributes, name.data(), size);
        for_each_instruction(function, [&](Value instruction) {
            if (l.GetInstructionOpcode(instruction) == kCall)
                l.RemoveCallSiteStringAttribute(instruction, kFunctionAttributes, name.data(), size);
        });
    }
}

std::string cpu_of(Value function) {
    const Attribute attribute = llvm().GetStringAttributeAtIndex(function, kFunctionAttributes, "target-cpu", 10);
    unsigned size = 0;
    const char* text = attribute ? llvm().GetStringAttributeValue(attribute, &size) : nullptr;
    return text ? std::string(text, size) : std::string();
}

void hide_all_but(Module module, Value entry) {
    const Llvm& l = llvm();
    for (Value each = l.GetFirstFunction(module); each; each = l.GetNextFunction(each)) {
        strip_cpu(each);
        if (each != entry && !l.IsDeclaration(each)) l.SetLinkage(each, kInternalLinkage);
    }
    for (Value each = l.GetFirstGlobal(module); each; each = l.GetNextGlobal(each)) {
        if (!l.IsDeclaration(each) && l.GetLinkage(each) == kExternalLinkage) l.SetLinkage(each, kInternalLinkage);
    }
}

/* Sizes of the buffers PoCL passes for `local` variables declared in the kernel: trailing parameters, in module order, those
 * of unused variables left out. */
std::vector<uint64_t> automatic_locals(Module program, const std::string& kernel) {
    const Llvm& l = llvm();
    const Layout layout = l.GetModuleDataLayout(program);
    std::vector<uint64_t> sizes;
    for (Value global = l.GetFirstGlobal(program); global; global = l.GetNextGlobal(global)) {
        if (name_of(global).rfind(kernel + ".", 0) == 0 && l.GetFirstUse(global))
            sizes.push_back(l.ABISizeOfType(layout, l.GlobalGetValueType(global)));
    }
    return sizes;
}

nlohmann::json arguments_of(Context context, Module program, Value source) {
    const Layout layout = llvm().GetModuleDataLayout(program);
    nlohmann::json arguments = nlohmann::json::array();
    for (unsigned i = 0; i < llvm().CountParams(source); ++i)
        arguments.push_back(describe_argument(context, layout, source, i, "", ""));
    return arguments;
}

/* Stack that the function and what it calls need. PoCL keeps a work-item's variables that live across a barrier in arrays
 * with one element per work-item of the group, whose length is known at the call only. */
struct Stack {
    uint64_t per_item = 0, fixed = 0;
    std::set<Value> seen;

    void add(Layout layout, Value function) {
        const Llvm& l = llvm();
        if (!seen.insert(function).second) return;
        for_each_instruction(function, [&](Value instruction) {
            const int opcode = l.GetInstructionOpcode(instruction);
            if (opcode == kCall) {
                const Value called = l.IsAFunction(l.GetCalledValue(instruction));
                if (called && !l.IsDeclaration(called)) add(layout, called);
            } else if (opcode == kAlloca) {
                const uint64_t size = l.ABISizeOfType(layout, l.GetAllocatedType(instruction));
                const Value length = l.GetOperand(instruction, 0);
                if (l.IsAConstantInt(length))
                    fixed += size * l.ConstIntGetZExtValue(length);
                else
                    per_item += size;
            }
        });
    }
};

} // namespace

nlohmann::json merge_kernels(const std::string& out, const std::string& program_path,
                             const std::vector<WorkGroupFunction>& functions) {
    const Llvm& l = llvm();
    const Context context = l.ContextCreate();
    const Module program = read_module(context, program_path);
    Module merged = nullptr;
    nlohmann::json result = {{"cpu", ""}, {"kernels", nlohmann::json::array()}};
    for (const auto& [kernel, path] : functions) {
        const Module module = read_module(context, path);
        const Value entry = l.GetNamedFunction(module, ("_pocl_kernel_" + kernel + "_workgroup").c_str());
        const Value body = l.GetNamedFunction(module, ("_pocl_kernel_" + kernel).c_str());
        const Value source = l.GetNamedFunction(program, kernel.c_str());
        if (!entry || !body || !source) fail("PoCL left no work-group function of kernel '" + kernel + "'");
        const auto locals = automatic_locals(program, kernel);
        const size_t expected = l.CountParams(source) + locals.size() + kHiddenParameters;
        if (l.CountParams(body) != expected)
            fail("kernel '" + kernel + "' has " + std::to_string(l.CountParams(body)) + " parameters after PoCL, not " +
                 std::to_string(expected) + ": its local variables are not understood");
        Stack stack;
        stack.add(l.GetModuleDataLayout(module), entry);
        result["cpu"] = cpu_of(body);
        result["kernels"].push_back(
            {{"name", kernel}, {"arguments", arguments_of(context, program, source)}, {"auto_local", locals}, {"private", stack.per_item}, {"fixed", stack.fixed}});
        hide_all_but(module, entry);
        if (merged == nullptr)
            merged = module;
        else if (l.LinkModules2(merged, module))
            fail("kernel '" + kernel + "' cannot be linked with the other kernels of its program");
    }
    if (l.WriteBitcodeToFile(merged, out.c_str())) fail("cannot write '" + out + "'");
    l.DisposeModule(merged);
    l.DisposeModule(program);
    l.ContextDispose(context);
    return result;
}

} // namespace qiao::reflect
