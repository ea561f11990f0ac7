// A failure is kept too: a missing compiler does not appear while the process runs.
#include "api/compiler_library.h"

#include <dlfcn.h>

#include <string>

namespace qiao {
namespace {

std::string beside_this_library(const char* name) {
    Dl_info info;
    if (dladdr(reinterpret_cast<const void*>(&open_compiler), &info) == 0 || info.dli_fname == nullptr) return name;
    const std::string path = info.dli_fname;
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? name : path.substr(0, slash + 1) + name;
}

struct Opened {
    CompilerLibrary library;
    std::string error;

    Opened() {
        void* handle = dlopen(beside_this_library(QIAO_COMPILER_LIBRARY).c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) handle = dlopen(QIAO_COMPILER_LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) {
            error = dlerror();
            return;
        }
        library.compile = reinterpret_cast<qiao_compiler_compile_fn>(dlsym(handle, "qiao_compiler_compile"));
        library.query = reinterpret_cast<qiao_compiler_output_query_fn>(dlsym(handle, "qiao_compiler_output_query"));
        library.release = reinterpret_cast<qiao_compiler_output_release_fn>(dlsym(handle, "qiao_compiler_output_release"));
        if (library.compile == nullptr || library.query == nullptr || library.release == nullptr) error = "it lacks a function of its interface";
    }
};

}  // namespace

qiao_status open_compiler(const CompilerLibrary** out_library) {
    static const Opened opened;
    if (!opened.error.empty()) {
        fail(QIAO_ERROR_UNSUPPORTED, "the kernel compiler %s cannot be used: %s", QIAO_COMPILER_LIBRARY, opened.error.c_str());
        set_remedy("install the compiler library beside libqiao, or load a package that was compiled before");
        return QIAO_ERROR_UNSUPPORTED;
    }
    *out_library = &opened.library;
    return QIAO_OK;
}

}  // namespace qiao
