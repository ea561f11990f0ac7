// dlopen and friends. Symbols are bound at once, so that a missing one shows here and not in a launch.
#include "loader/library.h"

#include <dlfcn.h>

#include <utility>

namespace qiao::loader {

Library Library::open(const std::string& path, std::string& error) {
    Library library;
    library.handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library.handle_ == nullptr) {
        const char* text = dlerror();
        error = text == nullptr ? "unknown error" : text;
    }
    return library;
}

Library::Library(Library&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Library& Library::operator=(Library&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

Library::~Library() {
    if (handle_ != nullptr) dlclose(handle_);
}

void* Library::symbol(const char* name) const {
    return dlsym(handle_, name);
}

std::string own_directory() {
    Dl_info info;
    if (dladdr(reinterpret_cast<const void*>(&own_directory), &info) == 0 || info.dli_fname == nullptr) return "";
    const std::string path = info.dli_fname;
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace qiao::loader
