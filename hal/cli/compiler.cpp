/* The library lies beside libqiao. It is never closed: its functions are used until the command ends. */
#include "cli/compiler.h"

#include <dlfcn.h>

#include "cli/failure.h"
#include "qiao/qiao.h"

namespace qiao::cli {
namespace {

template <typename Function>
void find(void* library, const char* name, Function& out_function) {
    out_function = reinterpret_cast<Function>(dlsym(library, name));
}

std::string beside_libqiao(const std::string& name) {
    Dl_info libqiao;
    if (dladdr(reinterpret_cast<void*>(&qiao_query_version), &libqiao) == 0 || libqiao.dli_fname == nullptr) return name;
    const std::string path = libqiao.dli_fname;
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? name : path.substr(0, slash + 1) + name;
}

} // namespace

bool CompilerLibrary::open(std::string& out_reason) {
    void* library = dlopen(beside_libqiao(QIAO_COMPILER_LIBRARY).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) library = dlopen(QIAO_COMPILER_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* reason = dlerror();
        out_reason = text("kernels cannot be compiled: ", reason == nullptr ? QIAO_COMPILER_LIBRARY : reason);
        return false;
    }
    find(library, "qiao_compiler_check", check);
    find(library, "qiao_compiler_compile", compile);
    find(library, "qiao_compiler_get_formats", formats);
    find(library, "qiao_compiler_output_query", query);
    find(library, "qiao_compiler_output_release", release);
    if (check != nullptr && compile != nullptr && formats != nullptr && query != nullptr && release != nullptr) return true;
    out_reason = text(QIAO_COMPILER_LIBRARY, " is not Qiao's compiler library");
    return false;
}

} // namespace qiao::cli
