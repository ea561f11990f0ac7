// Opens LLVM and reads modules with it.
#include "llvm.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace qiao::reflect {

void fail(const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(1);
}

const Llvm& llvm() {
    static const Llvm table = [] {
        Llvm opened;
        void* library = dlopen(kLlvmLibrary, RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) fail(std::string("cannot open LLVM (install libllvm15): ") + dlerror());
#define QIAO_LLVM_OPEN(result, name, parameters)                                        \
    opened.name = reinterpret_cast<result(*) parameters>(dlsym(library, "LLVM" #name)); \
    if (opened.name == nullptr) fail(std::string(kLlvmLibrary) + " has no LLVM" #name);
        QIAO_LLVM_SYMBOLS(QIAO_LLVM_OPEN)
#undef QIAO_LLVM_OPEN
        return opened;
    }();
    return table;
}

Module read_module(Context context, const std::string& path) {
    const Llvm& l = llvm();
    Buffer buffer = nullptr;
    char* message = nullptr;
    if (l.CreateMemoryBufferWithContentsOfFile(path.c_str(), &buffer, &message))
        fail("cannot read '" + path + "': " + (message ? message : ""));
    Module module = nullptr;
    if (l.ParseBitcodeInContext(context, buffer, &module, &message))
        fail("'" + path + "' is not bitcode of LLVM 15: " + (message ? message : ""));
    l.DisposeMemoryBuffer(buffer);
    return module;
}

std::string_view name_of(Value value) {
    size_t size = 0;
    const char* text = llvm().GetValueName2(value, &size);
    return {text, size};
}

} // namespace qiao::reflect
