// CUDA's driver interface used directly, for comparison: a library that is opened at run time, and launches of a kernel with two
// arguments in one packed buffer. What a careful programmer would write by hand, and nothing else.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace bench {

class RawCuda {
public:
    explicit RawCuda(const char* library) {
        void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) die(dlerror());
        launch_ = reinterpret_cast<Launch>(dlsym(handle, "cuLaunchKernel"));
        const auto get_function = reinterpret_cast<int (*)(void**, void*, const char*)>(dlsym(handle, "cuModuleGetFunction"));
        const auto create_stream = reinterpret_cast<int (*)(void**, unsigned)>(dlsym(handle, "cuStreamCreate"));
        if (launch_ == nullptr || get_function == nullptr || create_stream == nullptr) die("the library lacks functions");
        if (get_function(&function_, nullptr, "noop") != 0 || create_stream(&stream_, 1) != 0) die("the library gives no function or stream");
    }

    void launch(uint64_t address, uint32_t count) {
        struct {
            uint64_t address;
            uint32_t count;
        } block = {address, count};
        size_t size = 12;
        void* extra[] = {reinterpret_cast<void*>(1), &block, reinterpret_cast<void*>(2), &size, nullptr};
        if (launch_(function_, 16, 1, 1, 4, 1, 1, 0, stream_, nullptr, extra) != 0) die("a launch failed");
    }

private:
    using Launch = int (*)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);

    [[noreturn]] static void die(const char* what) {
        std::fprintf(stderr, "%s\n", what);
        std::exit(1);
    }

    Launch launch_ = nullptr;
    void* function_ = nullptr;
    void* stream_ = nullptr;
};

}  // namespace bench
