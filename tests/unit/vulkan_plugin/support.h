// What the Vulkan plugin's tests share: an open device whose validation messages are failures, and programs compiled for it.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "package/package.h"
#include "unit/opencl_plugin/host.h"

namespace test {

// The format that programs are compiled to: QIAO_TEST_VULKAN_FORMAT, else "spirv-vulkan". With "+offset" the plugin has to find
// the buffer of each address.
const char* format();

// A source compiled to that variant.
struct Compiled {
    std::vector<std::byte> bytes;
    std::vector<qiao::package::Kernel> kernels;
    std::vector<std::string> metadata; // of the kernels
    qiao_features features = 0;
};
Compiled compile(const std::string& source, const char* options = "");

qiao_plugin_program_desc describe(const Compiled& compiled);

// The first device, open; its log must be free of the validation layer's messages.
struct Fixture {
    Host host;
    std::unique_ptr<Device> owned = std::make_unique<Device>(host, 0);
    Device& device = *owned;
    Fixture();
    ~Fixture();

    template <typename T>
    qiao_plugin_allocation upload(const std::vector<T>& values, qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE) {
        const qiao_plugin_allocation out = device.allocate(values.size() * sizeof(T), kind);
        device.write(out, values.data(), values.size() * sizeof(T));
        return out;
    }
    template <typename T>
    std::vector<T> download(const qiao_plugin_allocation& from, size_t count) {
        std::vector<T> values(count);
        device.read(from, values.data(), count * sizeof(T));
        return values;
    }
};

// One source's program on a device, with its kernels found by the package's description.
class Program {
  public:
    Program(Device& device, const std::string& source);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    // The layout is made from the description; a block for it starts from zeros.
    const Layout& layout(const char* name);
    qiao_plugin_kernel kernel(const char* name);

  private:
    size_t index_of(const char* name) const;
    Device& device_;
    Compiled compiled_;
    std::vector<Layout> layouts_;
    void* program_ = nullptr;
};

// An environment variable, for as long as this lives.
class Variable {
  public:
    Variable(const char* name, const char* value) : name_(name), old_(std::getenv(name) ? std::getenv(name) : "") { setenv(name, value, 1); }
    ~Variable() { old_.empty() ? unsetenv(name_) : setenv(name_, old_.c_str(), 1); }

  private:
    const char* name_;
    std::string old_;
};

std::vector<uint32_t> iota(size_t count, uint32_t first = 0);

} // namespace test
