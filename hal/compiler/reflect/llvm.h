/* The part of LLVM's C interface that reads and merges bitcode, opened at run time. Declared here so that building Qiao needs
 * no LLVM headers (300 MB); the interface and its numbers are stable within a major version, and the library is opened by its
 * versioned name. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace qiao::reflect {

/* PoCL 3.1 of Debian 12 is built with LLVM 15 and leaves its bitcode; clang-15 is the one compiler that is always there with
 * it. Code of clang-19 from the same bitcode was measured no faster (within 3 % on matrix products and mathematics). */
inline constexpr const char* kLlvmLibrary = "libLLVM-15.so.1";

using Context = struct OpaqueContext*;
using Buffer = struct OpaqueBuffer*;
using Module = struct OpaqueModule*;
using Type = struct OpaqueType*;
using Value = struct OpaqueValue*;
using Use = struct OpaqueUse*;
using Block = struct OpaqueBlock*;
using Attribute = struct OpaqueAttribute*;
using Metadata = struct OpaqueMetadata*;
using MetadataEntry = struct OpaqueMetadataEntry*;
using Layout = struct OpaqueLayout*;

/* Enumerators of llvm-c/Core.h that are used here. */
inline constexpr int kHalfType = 1, kDoubleType = 3, kIntegerType = 8, kStructType = 10, kArrayType = 11,
                     kPointerType = 12, kVectorType = 13;
inline constexpr int kAlloca = 26, kLoad = 27, kGetElementPointer = 29, kFloatExtend = 38, kIntToPointer = 40,
                     kCompareIntegers = 42, kCall = 45;
inline constexpr int kExternalLinkage = 0, kInternalLinkage = 8;
inline constexpr unsigned kSpirKernelConvention = 76;
inline constexpr unsigned kFunctionAttributes = UINT32_MAX;

#define QIAO_LLVM_SYMBOLS(X)                                                          \
    X(Context, ContextCreate, ())                                                     \
    X(void, ContextDispose, (Context))                                                \
    X(int, CreateMemoryBufferWithContentsOfFile, (const char*, Buffer*, char**))      \
    X(void, DisposeMemoryBuffer, (Buffer))                                            \
    X(void, DisposeMessage, (char*))                                                  \
    X(int, ParseBitcodeInContext, (Context, Buffer, Module*, char**))                 \
    X(int, WriteBitcodeToFile, (Module, const char*))                                 \
    X(int, LinkModules2, (Module, Module))                                            \
    X(void, DisposeModule, (Module))                                                  \
    X(Layout, GetModuleDataLayout, (Module))                                          \
    X(unsigned long long, ABISizeOfType, (Layout, Type))                              \
    X(unsigned, ABIAlignmentOfType, (Layout, Type))                                   \
    X(Value, GetNamedFunction, (Module, const char*))                                 \
    X(Value, GetFirstFunction, (Module))                                              \
    X(Value, GetNextFunction, (Value))                                                \
    X(Value, GetFirstGlobal, (Module))                                                \
    X(Value, GetNextGlobal, (Value))                                                  \
    X(Type, GlobalGetValueType, (Value))                                              \
    X(Use, GetFirstUse, (Value))                                                      \
    X(Use, GetNextUse, (Use))                                                         \
    X(Value, GetUser, (Use))                                                          \
    X(int, IsDeclaration, (Value))                                                    \
    X(int, GetLinkage, (Value))                                                       \
    X(void, SetLinkage, (Value, int))                                                 \
    X(unsigned, GetFunctionCallConv, (Value))                                         \
    X(unsigned, CountParams, (Value))                                                 \
    X(Value, GetParam, (Value, unsigned))                                             \
    X(const char*, GetValueName2, (Value, size_t*))                                   \
    X(Type, TypeOf, (Value))                                                          \
    X(int, GetTypeKind, (Type))                                                       \
    X(unsigned, GetIntTypeWidth, (Type))                                              \
    X(unsigned, GetPointerAddressSpace, (Type))                                       \
    X(Type, GetElementType, (Type))                                                   \
    X(unsigned, CountStructElementTypes, (Type))                                      \
    X(Type, StructGetTypeAtIndex, (Type, unsigned))                                   \
    X(Block, GetFirstBasicBlock, (Value))                                             \
    X(Block, GetNextBasicBlock, (Block))                                              \
    X(Value, GetFirstInstruction, (Block))                                            \
    X(Value, GetNextInstruction, (Value))                                             \
    X(int, GetInstructionOpcode, (Value))                                             \
    X(int, GetNumOperands, (Value))                                                   \
    X(Value, GetOperand, (Value, unsigned))                                           \
    X(Value, GetCalledValue, (Value))                                                 \
    X(int, IsNull, (Value))                                                           \
    X(Value, IsAFunction, (Value))                                                    \
    X(Value, IsAInstruction, (Value))                                                 \
    X(Value, IsAGlobalVariable, (Value))                                              \
    X(Value, IsAConstantInt, (Value))                                                 \
    X(Value, IsAGetElementPtrInst, (Value))                                           \
    X(Value, IsABitCastInst, (Value))                                                 \
    X(Type, GetAllocatedType, (Value))                                                \
    X(unsigned long long, ConstIntGetZExtValue, (Value))                              \
    X(unsigned, GetEnumAttributeKindForName, (const char*, size_t))                   \
    X(Attribute, GetEnumAttributeAtIndex, (Value, unsigned, unsigned))                \
    X(uint64_t, GetEnumAttributeValue, (Attribute))                                   \
    X(Type, GetTypeAttributeValue, (Attribute))                                       \
    X(Attribute, GetStringAttributeAtIndex, (Value, unsigned, const char*, unsigned)) \
    X(const char*, GetStringAttributeValue, (Attribute, unsigned*))                   \
    X(void, RemoveStringAttributeAtIndex, (Value, unsigned, const char*, unsigned))   \
    X(void, RemoveCallSiteStringAttribute, (Value, unsigned, const char*, unsigned))  \
    X(MetadataEntry, GlobalCopyAllMetadata, (Value, size_t*))                         \
    X(unsigned, ValueMetadataEntriesGetKind, (MetadataEntry, unsigned))               \
    X(Metadata, ValueMetadataEntriesGetMetadata, (MetadataEntry, unsigned))           \
    X(void, DisposeValueMetadataEntries, (MetadataEntry))                             \
    X(unsigned, GetMDKindIDInContext, (Context, const char*, unsigned))               \
    X(Value, MetadataAsValue, (Context, Metadata))                                    \
    X(unsigned, GetMDNodeNumOperands, (Value))                                        \
    X(void, GetMDNodeOperands, (Value, Value*))                                       \
    X(const char*, GetMDString, (Value, unsigned*))                                   \
    X(unsigned, GetNamedMetadataNumOperands, (Module, const char*))                   \
    X(void, GetNamedMetadataOperands, (Module, const char*, Value*))

struct Llvm {
#define QIAO_LLVM_MEMBER(result, name, parameters) result(*name) parameters = nullptr;
    QIAO_LLVM_SYMBOLS(QIAO_LLVM_MEMBER)
#undef QIAO_LLVM_MEMBER
};

/* What cannot be read or done ends this small process with one line on stderr. */
[[noreturn]] void fail(const std::string& message);

/* Opens the library once; fails, naming the package to install, where it is absent. */
const Llvm& llvm();

/* A module read from a file, with its context. */
Module read_module(Context context, const std::string& path);

std::string_view name_of(Value value);

/* Calls `body(instruction)` for each instruction of a function. */
template <typename Body>
void for_each_instruction(Value function, Body body) {
    const Llvm& l = llvm();
    for (Block block = l.GetFirstBasicBlock(function); block; block = l.GetNextBasicBlock(block)) {
        for (Value instruction = l.GetFirstInstruction(block); instruction;
             instruction = l.GetNextInstruction(instruction))
            body(instruction);
    }
}

} // namespace qiao::reflect
