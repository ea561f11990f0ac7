/* Kernels: views of what a program owns; and typed kernels, whose C++ argument types are compared with the kernel's own
 * once, and packed at places that are known when the application is compiled. */
#ifndef QIAO_HPP_KERNEL_HPP
#define QIAO_HPP_KERNEL_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "qiao/hpp/arguments.hpp"
#include "qiao/hpp/error.hpp"
#include "qiao/program.h"

namespace qiao {
inline namespace v0 {

/// A kernel: a pointer, copied freely, valid as long as its program.
class Kernel {
  public:
    Kernel() noexcept = default;
    Kernel(qiao_kernel* kernel) noexcept : kernel_(kernel) {}

    qiao_kernel* get() const noexcept { return kernel_; }
    explicit operator bool() const noexcept { return kernel_ != nullptr; }

    /// Strings live as long as the program.
    qiao_kernel_properties properties() const {
        qiao_kernel_properties properties = QIAO_KERNEL_PROPERTIES_INIT;
        check(qiao_kernel_query(kernel_, &properties));
        return properties;
    }
    const char* name() const { return properties().name; }
    /// The parameters, and their places in the packed block. Strings live as long as the program.
    std::vector<qiao_kernel_argument> arguments() const {
        std::vector<qiao_kernel_argument> all(properties().argument_count, QIAO_KERNEL_ARGUMENT_INIT);
        for (uint32_t index = 0; index < all.size(); ++index)
            check(qiao_kernel_query_argument(kernel_, index, &all[index]));
        return all;
    }

  private:
    qiao_kernel* kernel_ = nullptr;
};

/// A kernel whose parameters are known to be Arguments: Address<T>, Local<T>, or the values themselves (numbers, and
/// trivially copyable structs that are laid out as the kernel's). Made by Program::kernel; no larger than a Kernel, and
/// launched at the price of the C call.
template <class... Arguments>
class TypedKernel {
  public:
    TypedKernel() noexcept = default;
    /// Compares count, kinds, sizes, alignments, places, numbers and const with the kernel's reflection. INVALID_ARGUMENT
    /// names the argument and both sides.
    explicit TypedKernel(Kernel kernel) : kernel_(kernel) {
        const qiao_kernel_properties properties = kernel.properties();
        detail::check_arguments(properties, kernel.arguments(), Block::kArguments.data(), sizeof...(Arguments),
                                Block::kSize);
    }

    Kernel untyped() const noexcept { return kernel_; }
    qiao_kernel* get() const noexcept { return kernel_.get(); }

    using Block = detail::Block<Arguments...>;

  private:
    Kernel kernel_;
};

} // namespace v0
} // namespace qiao

#endif
