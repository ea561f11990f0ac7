// The Vulkan loader of shim.cpp, in front of the real one for as long as a Shim lives.
#pragma once

#include <dlfcn.h>

#include "shim.h"
#include "support.h"

namespace test {

class Shim {
  public:
    explicit Shim(const std::string& words) { become(words); }
    ~Shim() { become(""); }

    static void become(const std::string& words) { call<decltype(qiao_test_shim_become)>("qiao_test_shim_become")(words.c_str()); }
    static uint32_t submissions(uint32_t family) {
        return call<decltype(qiao_test_shim_submissions)>("qiao_test_shim_submissions")(family);
    }
    static uint32_t mistakes() { return call<decltype(qiao_test_shim_mistakes)>("qiao_test_shim_mistakes")(); }
    static uint32_t calls(const char* name) { return call<decltype(qiao_test_shim_calls)>("qiao_test_shim_calls")(name); }
    static uint32_t failures() { return call<decltype(qiao_test_shim_failures)>("qiao_test_shim_failures")(); }

  private:
    template <typename Function>
    static Function* call(const char* name) {
        static void* const library = dlopen(QIAO_TEST_VULKAN_SHIM, RTLD_NOW | RTLD_LOCAL);
        REQUIRE((library != nullptr));
        auto* function = reinterpret_cast<Function*>(dlsym(library, name));
        REQUIRE((function != nullptr));
        return function;
    }

    const Variable library_{"QIAO_VULKAN_LIBRARY", QIAO_TEST_VULKAN_SHIM};
};

} // namespace test
