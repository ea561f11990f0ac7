// A process of its own around clspv, which lives inside a Python module's library and brings an LLVM of its own:
//
//   qiao-clspv LIBRARY SOURCE OUT [OPTION...]
//
// writes a SPIR-V module; on failure exit status 1, with what the compiler said on stderr, and 2 if the library is not
// usable. Nothing of Python runs: what the library wants from the interpreter is only referred to by its Python side, so
// dummies of those variables are enough, and its functions are never called (hence RTLD_LAZY). Called by libqiao_compiler only.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

// X(name): the variables of CPython 3.11 that pyclspv 0.0.1 refers to; larger than any of its objects.
#define QIAO_PYTHON_VARIABLES(X)                                                                                       \
    X(PyBaseObject_Type)                                                                                               \
    X(PyByteArray_Type)                                                                                                \
    X(PyCFunction_Type)                                                                                                \
    X(PyDict_Type)                                                                                                     \
    X(PyExc_ImportError)                                                                                               \
    X(PyExc_IndexError)                                                                                                \
    X(PyExc_MemoryError)                                                                                               \
    X(PyExc_OverflowError)                                                                                             \
    X(PyExc_RuntimeError)                                                                                              \
    X(PyExc_SystemError)                                                                                               \
    X(PyExc_TypeError)                                                                                                 \
    X(PyExc_ValueError)                                                                                                \
    X(PyInstanceMethod_Type)                                                                                           \
    X(PyModule_Type)                                                                                                   \
    X(PyProperty_Type)                                                                                                 \
    X(PyType_Type)                                                                                                     \
    X(_Py_FalseStruct)                                                                                                 \
    X(_Py_NoneStruct)                                                                                                  \
    X(_Py_NotImplementedStruct)                                                                                        \
    X(_Py_TrueStruct)
extern "C" {
#define QIAO_DEFINE(name) [[gnu::visibility("default"), gnu::used]] char name[1024] = {};
QIAO_PYTHON_VARIABLES(QIAO_DEFINE)
#undef QIAO_DEFINE
}

namespace {

using CompileSources = int (*)(size_t count, const size_t* sizes, const char** sources, const char* options,
                               char** out_binary, size_t* out_size, char** out_log);

[[noreturn]] void leave(int status) {
    std::fflush(nullptr);
    _exit(status); /* the library's destructors belong to an interpreter that is not there */
}

CompileSources open_compiler(const char* path) {
    void* library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    void* function = library != nullptr ? dlsym(library, "clspvCompileFromSourcesString") : nullptr;
    if (function != nullptr) return reinterpret_cast<CompileSources>(function);
    const char* reason = dlerror();
    std::fprintf(stderr, "cannot use clspv: %s\n", reason != nullptr ? reason : "unknown reason");
    leave(2);
}

std::string read_all(const char* path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

} // namespace

int main(int count, char** words) {
    if (count < 4) {
        std::fputs("usage: qiao-clspv LIBRARY SOURCE OUT [OPTION...]\n", stderr);
        return 2;
    }
    const CompileSources compile = open_compiler(words[1]);
    const std::string source = read_all(words[2]);
    std::string options;
    for (int i = 4; i < count; ++i)
        options += std::string(words[i]) + " ";
    const char* text = source.c_str();
    const size_t size = source.size();
    char *binary = nullptr, *log = nullptr;
    size_t binary_size = 0;
    const int code = compile(1, &size, &text, options.c_str(), &binary, &binary_size, &log);
    if (log != nullptr) std::fputs(log, stderr);
    if (code != 0 || binary == nullptr || binary_size == 0) leave(1);
    std::ofstream out(words[3], std::ios::binary);
    out.write(binary, static_cast<std::streamsize>(binary_size));
    out.close();
    leave(out ? 0 : 1);
}
