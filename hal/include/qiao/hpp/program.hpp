/* Programs: kernels from OpenCL C source or from a kernel package, for one device. */
#ifndef QIAO_HPP_PROGRAM_HPP
#define QIAO_HPP_PROGRAM_HPP

#include <cstddef>
#include <exception>
#include <string_view>
#include <type_traits>
#include <vector>

#include "qiao/hpp/device.hpp"
#include "qiao/hpp/kernel.hpp"
#include "qiao/hpp/owner.hpp"
#include "qiao/hpp/span.hpp"
#include "qiao/program.h"

namespace qiao {
inline namespace v0 {

struct ProgramOptions {
    const char* name = nullptr;    ///< in messages: a file name; null = "program"
    const char* options = nullptr; ///< for source: "-DN=4 -Iinclude"
};

/// Kernels for one device; immutable. Launches keep what they need of it, Kernel views do not.
class Program : public Owner<qiao_program, qiao_program_retain, qiao_program_release> {
  public:
    Program() noexcept = default;
    /// Compiles OpenCL C 1.2 (results are kept in a disk cache). BuildError with log and line; UnsupportedError if a tool
    /// is missing, naming the package to install.
    static Program from_source(Device device, std::string_view source, ProgramOptions options = ProgramOptions()) {
        return create(qiao_program_create_from_source, device, source.data(), source.size(), options);
    }
    /// Loads the best variant of a package. PACKAGE if it is damaged; UnsupportedError if no variant fits, with the reason
    /// of each.
    static Program from_package(Device device, span<const std::byte> package,
                                ProgramOptions options = ProgramOptions()) {
        return create(qiao_program_create_from_package, device, package.data(), package.size(), options);
    }
    /// The same from a file, which is mapped: replace it, but do not write to it while the program lives.
    static Program from_package_file(Device device, const char* path) {
        qiao_program* made = nullptr;
        check(qiao_program_create_from_package_file(device.get(), path, &made));
        return Program(made);
    }
    /// Calls `visit(const qiao_variant&)` for each variant of a package: what the device would make of it, and why.
    template <class Visit>
    static void explain(Device device, span<const std::byte> package, Visit&& visit) {
        qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
        desc.data = package.data();
        desc.size_bytes = package.size();
        struct Visiting {
            std::remove_reference_t<Visit>& visit;
            std::exception_ptr thrown;
        } state = {visit, nullptr};
        const auto each = [](void* user, const qiao_variant* variant) {
            Visiting& to = *static_cast<Visiting*>(user);
            if (to.thrown) return;
            try {
                to.visit(*variant);
            } catch (...) { // no exception may pass through C
                to.thrown = std::current_exception();
            }
        };
        check(qiao_program_explain(device.get(), &desc, each, &state));
        if (state.thrown) std::rethrow_exception(state.thrown);
    }
    /// Takes over the caller's reference.
    static Program adopt(qiao_program* owned) noexcept { return Program(owned); }

    Program share() const { return Program(retained()); }

    /// The variant that was taken. Strings live as long as the program.
    qiao_program_properties properties() const {
        qiao_program_properties properties = QIAO_PROGRAM_PROPERTIES_INIT;
        check(qiao_program_query(get(), &properties));
        return properties;
    }
    /// In the order of the source.
    std::vector<Kernel> kernels() const {
        std::vector<Kernel> all;
        const uint32_t count = properties().kernel_count;
        for (uint32_t index = 0; index < count; ++index) {
            qiao_kernel* kernel = nullptr;
            check(qiao_program_get_kernel_at(get(), index, &kernel));
            all.emplace_back(kernel);
        }
        return all;
    }
    /// NotFoundError lists the names that exist.
    Kernel kernel(const char* name) const {
        qiao_kernel* kernel = nullptr;
        check(qiao_program_get_kernel(get(), name, &kernel));
        return Kernel(kernel);
    }
    /// The kernel, known to take these: `program.kernel<Address<const float>, Address<float>, uint32_t>("scale")`.
    /// INVALID_ARGUMENT names the argument that differs.
    template <class First, class... Rest>
    TypedKernel<First, Rest...> kernel(const char* name) const {
        return TypedKernel<First, Rest...>(kernel(name));
    }

  private:
    explicit Program(qiao_program* owned) noexcept : Owner(owned) {}

    template <class Create>
    static Program create(Create create, Device device, const void* data, std::size_t size,
                          const ProgramOptions& options) {
        qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
        desc.data = data;
        desc.size_bytes = size;
        desc.name = options.name;
        desc.options = options.options;
        qiao_program* made = nullptr;
        check(create(device.get(), &desc, &made));
        return Program(made);
    }
};

} // namespace v0
} // namespace qiao

#endif
