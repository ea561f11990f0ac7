// Opens the OpenCL library at run time and looks its functions up. Nothing here is called by the hot path.
#include "symbols.h"

#include <dlfcn.h>
#include <stdlib.h>

namespace qiao::opencl {

const char* library_name() {
    const char* name = secure_getenv("QIAO_OPENCL_LIBRARY");
    return name != nullptr && name[0] != '\0' ? name : "libOpenCL.so.1";
}

std::string load_symbols(const char* library, Symbols* out) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        const char* reason = dlerror();
        return reason != nullptr ? reason : "unknown reason";
    }
#define LOAD(name) out->name = reinterpret_cast<decltype(out->name)>(dlsym(handle, #name));
    QIAO_OPENCL_REQUIRED(LOAD)
    QIAO_OPENCL_OPTIONAL(LOAD)
#undef LOAD
#define CHECK(name) \
    if (out->name == nullptr) return std::string(library) + " has no function " #name;
    QIAO_OPENCL_REQUIRED(CHECK)
#undef CHECK
    if (out->clCreateCommandQueueWithProperties == nullptr && out->clCreateCommandQueue == nullptr)
        return std::string(library) + " has neither clCreateCommandQueueWithProperties nor clCreateCommandQueue";
    return "";
}

Extensions load_extensions(const Symbols& cl, cl_platform_id platform) {
    Extensions extensions;
    if (cl.clGetExtensionFunctionAddressForPlatform == nullptr) return extensions;
#define LOAD(name)    \
    extensions.name = \
        reinterpret_cast<decltype(extensions.name)>(cl.clGetExtensionFunctionAddressForPlatform(platform, #name));
    QIAO_OPENCL_EXTENSIONS(LOAD)
#undef LOAD
    return extensions;
}

} // namespace qiao::opencl
