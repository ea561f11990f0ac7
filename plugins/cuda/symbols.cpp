// See symbols.h.
#include "symbols.h"

#include <dlfcn.h>

namespace qiao::cuda {

std::string resolve(const Family& family, void* library, LookUp look_up, Symbols* out, TakenNames* out_taken) {
    *out_taken = {};
    const auto find = [&](Slot slot) -> void* {
        const size_t index = static_cast<size_t>(slot);
        for (const std::string& name : family.symbols[index]) {
            if (void* function = look_up(library, name.c_str())) {
                (*out_taken)[index] = name.c_str();
                return function;
            }
        }
        return nullptr;
    };
#define QIAO_CUDA_FIND(name, result, arguments) out->name = reinterpret_cast<decltype(out->name)>(find(Slot::name));
    QIAO_CUDA_SLOTS(QIAO_CUDA_FIND)
#undef QIAO_CUDA_FIND
    std::string missing;
    for (const auto& pair : kRequired) {
        const auto has = [&](Slot slot) { return (*out_taken)[static_cast<size_t>(slot)] != nullptr; };
        if (has(pair[0]) || has(pair[1])) continue;
        for (const Slot slot : {pair[0], pair[1]}) {
            for (const std::string& name : family.symbols[static_cast<size_t>(slot)]) missing += (missing.empty() ? "" : ", ") + name;
            if (pair[0] == pair[1]) break;
        }
    }
    return missing.empty() ? "" : "it has no function " + missing;
}

void* open_library(const std::string& path, std::string* out_reason) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library != nullptr) return library;
    const char* reason = dlerror();
    *out_reason = reason != nullptr ? reason : "unknown reason";
    return nullptr;
}

void* look_up_symbol(void* library, const char* name) {
    return dlsym(library, name);
}

} // namespace qiao::cuda
