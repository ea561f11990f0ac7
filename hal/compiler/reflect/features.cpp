// Which optional features the code of a kernel needs: found in the instructions of all functions it can reach.
#include <set>

#include "llvm.h"
#include "mangled.h"
#include "qiao/types.h"
#include "reflect.h"

namespace qiao::reflect {
namespace {

constexpr unsigned kGlobalSpace = 1, kConstantSpace = 2;

class Judge {
  public:
    Judge(bool int64) : int64_(int64) {}

    uint64_t judge(Value kernel) {
        parameters(kernel);
        reach(kernel);
        return features_;
    }

  private:
    void reach(Value function);
    void parameters(Value function);
    void instruction(Value instruction);
    void call(Value instruction);
    void type(Type type);
    bool only_printed(Value instruction) const;

    bool int64_;
    uint64_t features_ = 0;
    std::set<Value> seen_;
};

bool is_device_pointer(Type type) {
    if (llvm().GetTypeKind(type) != kPointerType) return false;
    const unsigned space = llvm().GetPointerAddressSpace(type);
    return space == kGlobalSpace || space == kConstantSpace;
}

bool contains_device_pointer(Type type) {
    const Llvm& l = llvm();
    const int kind = l.GetTypeKind(type);
    if (kind == kStructType) {
        for (unsigned i = 0; i < l.CountStructElementTypes(type); ++i) {
            if (contains_device_pointer(l.StructGetTypeAtIndex(type, i))) return true;
        }
        return false;
    }
    if (kind == kArrayType) return contains_device_pointer(l.GetElementType(type));
    return is_device_pointer(type);
}

/* The variable a pointer was computed from. */
Value origin(Value pointer) {
    const Llvm& l = llvm();
    while (l.IsAGetElementPtrInst(pointer) || l.IsABitCastInst(pointer))
        pointer = l.GetOperand(pointer, 0);
    return pointer;
}

bool is_variable_with_pointers(Value pointer) {
    const Llvm& l = llvm();
    const Value variable = origin(pointer);
    return l.IsAInstruction(variable) && l.GetInstructionOpcode(variable) == kAlloca &&
           contains_device_pointer(l.GetAllocatedType(variable));
}

bool is_printf(Value function) {
    return function != nullptr && name_of(function) == "printf";
}

/* The function a call names; null for indirect calls. */
Value callee(Value call) {
    return llvm().IsAFunction(llvm().GetCalledValue(call));
}

/* A float handed to printf becomes a double in the text of C only: no arithmetic is done with it. */
bool Judge::only_printed(Value instruction) const {
    const Llvm& l = llvm();
    if (l.GetInstructionOpcode(instruction) != kFloatExtend) return false;
    for (Use use = l.GetFirstUse(instruction); use; use = l.GetNextUse(use)) {
        const Value user = l.GetUser(use);
        if (!l.IsAInstruction(user) || l.GetInstructionOpcode(user) != kCall || !is_printf(callee(user))) return false;
    }
    return true;
}

void Judge::type(Type type) {
    const Llvm& l = llvm();
    switch (l.GetTypeKind(type)) {
        case kHalfType:
            features_ |= QIAO_FEATURE_FP16;
            break;
        case kDoubleType:
            features_ |= QIAO_FEATURE_FP64;
            break;
        case kIntegerType:
            if (int64_ && l.GetIntTypeWidth(type) == 64) features_ |= QIAO_FEATURE_INT64;
            break;
        case kVectorType:
        case kArrayType:
            this->type(l.GetElementType(type));
            break;
        case kStructType:
            for (unsigned i = 0; i < l.CountStructElementTypes(type); ++i)
                this->type(l.StructGetTypeAtIndex(type, i));
            break;
        default:
            break;
    }
}

void Judge::parameters(Value function) {
    const Llvm& l = llvm();
    const unsigned by_value = l.GetEnumAttributeKindForName("byval", 5);
    for (unsigned i = 0; i < l.CountParams(function); ++i) {
        Type passed = l.TypeOf(l.GetParam(function, i));
        if (const Attribute attribute = l.GetEnumAttributeAtIndex(function, i + 1, by_value)) {
            passed = l.GetTypeAttributeValue(attribute);
            if (contains_device_pointer(passed)) features_ |= QIAO_FEATURE_ADDRESSES;
        }
        type(passed);
    }
}

void Judge::call(Value instruction) {
    const Llvm& l = llvm();
    const Value function = callee(instruction);
    const std::string_view name = function ? name_of(function) : std::string_view();
    if (name.rfind("llvm.lifetime", 0) == 0 || name.rfind("llvm.dbg", 0) == 0) return;
    if (is_printf(function)) {
        features_ |= QIAO_FEATURE_PRINTF;
        return;
    }
    bool has_int64 = false;
    const int count = l.GetNumOperands(instruction) - 1; /* the last operand is the function */
    for (int i = -1; i < count; ++i) {
        const Type used = l.TypeOf(i < 0 ? instruction : l.GetOperand(instruction, static_cast<unsigned>(i)));
        type(used);
        has_int64 |= l.GetTypeKind(used) == kIntegerType && l.GetIntTypeWidth(used) == 64;
    }
    const std::string_view base = base_name(name);
    if (has_int64 && base.rfind("atom", 0) == 0) features_ |= QIAO_FEATURE_INT64_ATOMICS;
    if (base.find("sub_group") != std::string_view::npos) features_ |= QIAO_FEATURE_SUBGROUPS;
    // A struct copied from a buffer into a variable whose members are addresses.
    if (name.rfind("llvm.mem", 0) == 0 && count >= 2 && is_device_pointer(l.TypeOf(l.GetOperand(instruction, 1))) &&
        is_variable_with_pointers(l.GetOperand(instruction, 0)))
        features_ |= QIAO_FEATURE_ADDRESSES;
    if (function && !l.IsDeclaration(function)) reach(function);
}

void Judge::instruction(Value instruction) {
    const Llvm& l = llvm();
    const int opcode = l.GetInstructionOpcode(instruction);
    if (opcode == kCall) return call(instruction);
    if (only_printed(instruction)) return;
    type(l.TypeOf(instruction));
    for (int i = 0; i < l.GetNumOperands(instruction); ++i)
        type(l.TypeOf(l.GetOperand(instruction, static_cast<unsigned>(i))));
    if (opcode == kIntToPointer && is_device_pointer(l.TypeOf(instruction))) features_ |= QIAO_FEATURE_ADDRESSES;
    if (opcode == kLoad && is_device_pointer(l.TypeOf(instruction))) {
        const Value from = l.GetOperand(instruction, 0);
        // Tables of constants that the program itself defines hold addresses the program's loader knows.
        if (is_device_pointer(l.TypeOf(from)) && !l.IsAGlobalVariable(origin(from)))
            features_ |= QIAO_FEATURE_ADDRESSES;
    }
}

void Judge::reach(Value function) {
    if (!seen_.insert(function).second) return;
    for_each_instruction(function, [this](Value each) { instruction(each); });
}

} // namespace

unsigned long long features_of(struct OpaqueValue* kernel, bool judge_int64) {
    return Judge(judge_int64).judge(kernel);
}

} // namespace qiao::reflect
