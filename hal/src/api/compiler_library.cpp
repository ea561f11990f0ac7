// A failure is kept too: a missing compiler does not appear while the process runs.
#include "api/compiler_library.h"

#include <string>

#include "loader/library.h"

namespace qiao {
namespace {

struct Opened {
    loader::Library library;
    CompilerLibrary functions;
    std::string error;

    Opened() {
        library = loader::Library::open(loader::own_directory() + "/" QIAO_COMPILER_LIBRARY, error);
        if (!library) library = loader::Library::open(QIAO_COMPILER_LIBRARY, error);
        if (!library) return;
        error.clear();
        functions.compile = reinterpret_cast<qiao_compiler_compile_fn>(library.symbol("qiao_compiler_compile"));
        functions.query = reinterpret_cast<qiao_compiler_output_query_fn>(library.symbol("qiao_compiler_output_query"));
        functions.release = reinterpret_cast<qiao_compiler_output_release_fn>(library.symbol("qiao_compiler_output_release"));
        if (functions.compile == nullptr || functions.query == nullptr || functions.release == nullptr) {
            error = "it lacks a function of its interface";
        }
    }
};

}  // namespace

qiao_status open_compiler(const CompilerLibrary** out_library) {
    static const Opened* const opened = new Opened;  // never destroyed: another thread may compile while the process exits
    if (!opened->error.empty()) {
        fail(QIAO_ERROR_UNSUPPORTED, "the kernel compiler %s cannot be used: %s", QIAO_COMPILER_LIBRARY, opened->error.c_str());
        set_remedy("install the compiler library beside libqiao, or load a package that was compiled before");
        return QIAO_ERROR_UNSUPPORTED;
    }
    *out_library = &opened->functions;
    return QIAO_OK;
}

}  // namespace qiao
