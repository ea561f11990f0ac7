/* The packed argument block of typed kernels: a C struct of the values and addresses in argument order, followed by one
 * uint32_t byte count for each local argument. Places are computed by the compiler. */
#ifndef QIAO_HPP_ARGUMENTS_HPP
#define QIAO_HPP_ARGUMENTS_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "qiao/hpp/address.hpp"
#include "qiao/hpp/error.hpp"
#include "qiao/program.h"

namespace qiao {
inline namespace v0 {

/// A kernel's `local T*`: room for so many elements in each work-group, without contents.
template <class T>
class Local {
  public:
    using element_type = T;

    constexpr explicit Local(uint64_t count) : size_bytes_(static_cast<uint32_t>(count * sizeof(T))) {
        if (count > UINT32_MAX / sizeof(T)) {
            detail::refuse(
                QIAO_ERROR_OUT_OF_RANGE,
                std::to_string(count) + " elements of " + std::to_string(sizeof(T)) + " bytes of local memory",
                "its size has 32 bits, and devices have tens of KiB");
        }
    }
    constexpr uint32_t size_bytes() const noexcept { return size_bytes_; }

  private:
    uint32_t size_bytes_;
};

namespace detail {

/// A number as OpenCL C has it: its bytes, and whether they are a floating-point number's. Zero bytes = something else.
struct Number {
    uint32_t size_bytes = 0;
    bool is_float = false;
};

template <class T>
constexpr Number number_of() {
    return std::is_arithmetic_v<T> ? Number{static_cast<uint32_t>(sizeof(T)), std::is_floating_point_v<T>} : Number{};
}

/// What a C++ type says of a parameter, and its place.
struct ArgumentType {
    qiao_argument_kind kind = QIAO_ARGUMENT_KIND_VALUE;
    uint32_t size_bytes = 0;
    uint32_t alignment = 0;
    uint32_t offset = 0;
    Number number;         // the value's, or the elements'
    bool is_const = false; // an address that is only read through
};

/// How a C++ type travels: what stands in the block for it is image().
template <class T>
struct Argument {
    static_assert(!std::is_pointer_v<T>, "host pointers mean nothing to a kernel: take qiao::Address");
    static_assert(!std::is_reference_v<T> && std::is_trivially_copyable_v<T>, "an argument travels as bytes");
    static constexpr ArgumentType kType{QIAO_ARGUMENT_KIND_VALUE, sizeof(T), alignof(T), 0, number_of<T>(), false};
    static constexpr const T& image(const T& value) noexcept { return value; }
};
template <class T>
struct Argument<Address<T>> {
    static constexpr ArgumentType kType{QIAO_ARGUMENT_KIND_ADDRESS, 8, 8, 0, number_of<std::remove_cv_t<T>>(),
                                        std::is_const_v<T>};
    static constexpr uint64_t image(Address<T> address) noexcept { return address.value(); }
};
template <class T>
struct Argument<Local<T>> {
    static constexpr ArgumentType kType{QIAO_ARGUMENT_KIND_LOCAL, 4, 4, 0, number_of<T>(), false};
    static constexpr uint32_t image(Local<T> local) noexcept { return local.size_bytes(); }
};

template <std::size_t kCount>
struct Layout {
    std::array<ArgumentType, kCount> arguments{};
    uint32_t size = 0;
    uint32_t alignment = 8;
};

constexpr uint32_t align_up(uint32_t value, uint32_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

template <class... Arguments>
constexpr Layout<sizeof...(Arguments)> lay_out() {
    Layout<sizeof...(Arguments)> layout{{Argument<Arguments>::kType...}, 0, 8};
    uint32_t end = 0, alignment = 1;
    for (int locals = 0; locals < 2; ++locals) {
        for (std::size_t i = 0; i < sizeof...(Arguments); ++i) {
            ArgumentType& argument = layout.arguments[i];
            if ((argument.kind == QIAO_ARGUMENT_KIND_LOCAL) != (locals == 1)) continue;
            argument.offset = align_up(end, argument.alignment);
            end = argument.offset + argument.size_bytes;
            if (argument.alignment > alignment) alignment = argument.alignment;
        }
    }
    layout.size = align_up(end, alignment);
    if (alignment > layout.alignment) layout.alignment = alignment;
    return layout;
}

/// The block itself.
template <class... Arguments>
class Block {
    static constexpr Layout<sizeof...(Arguments)> kLayout = lay_out<Arguments...>();

  public:
    static constexpr const std::array<ArgumentType, sizeof...(Arguments)>& kArguments = kLayout.arguments;
    static constexpr uint32_t kSize = kLayout.size;
    static_assert(sizeof...(Arguments) <= QIAO_MAX_ARGUMENTS && kSize <= QIAO_MAX_ARGUMENT_BYTES,
                  "a kernel cannot take that many arguments or bytes: pass more through a buffer");

    explicit Block(const Arguments&... arguments) noexcept
        : Block(std::index_sequence_for<Arguments...>(), arguments...) {}

    const void* data() const noexcept { return bytes_; }

  private:
    template <std::size_t... kIndices>
    explicit Block(std::index_sequence<kIndices...>, const Arguments&... arguments) noexcept {
        (put<kIndices>(Argument<Arguments>::image(arguments)), ...);
    }
    template <std::size_t kIndex, class Image>
    void put(const Image& image) noexcept {
        std::memcpy(bytes_ + kLayout.arguments[kIndex].offset, &image, sizeof image);
    }

    alignas(kLayout.alignment) unsigned char bytes_[kSize == 0 ? 8 : kSize] = {};
};

/* ---------------------------------------------------------------- the comparison, once per typed kernel */

/// The number that "global const uint4*" is made of: 4 bytes, no float. Nothing for structs, half and unknown names.
inline Number number_in(std::string_view type) {
    struct Named {
        std::string_view name;
        Number number;
    };
    static constexpr Named kNumbers[] = {
        {"char", {1, false}}, {"uchar", {1, false}}, {"short", {2, false}}, {"ushort", {2, false}},
        {"int", {4, false}},  {"uint", {4, false}},  {"long", {8, false}},  {"ulong", {8, false}},
        {"float", {4, true}}, {"double", {8, true}},
    };
    while (!type.empty()) {
        const std::size_t length = std::min(type.find_first_of(" *"), type.size());
        std::string_view word = type.substr(0, length);
        while (!word.empty() && word.back() >= '0' && word.back() <= '9')
            word.remove_suffix(1);
        for (const Named& named : kNumbers) {
            if (named.name == word) return named.number;
        }
        type.remove_prefix(std::min(length + 1, type.size()));
    }
    return {};
}

inline std::string words_for(const ArgumentType& argument) {
    const auto bytes = [](uint32_t size) { return std::to_string(size) + (size == 1 ? " byte" : " bytes"); };
    const std::string number = (argument.number.is_float ? "a floating-point number of " : "an integer of ") +
                               bytes(argument.number.size_bytes);
    const bool is_number = argument.number.size_bytes != 0;
    switch (argument.kind) {
        case QIAO_ARGUMENT_KIND_ADDRESS: return is_number ? "Address of " + number : "Address";
        case QIAO_ARGUMENT_KIND_LOCAL: return is_number ? "Local of " + number : "Local";
        default: return is_number ? number : "a value of " + bytes(argument.size_bytes);
    }
}

/// What is wrong with one parameter, or "".
inline std::string difference(const qiao_kernel_argument& actual, const ArgumentType& declared) {
    if (actual.kind != declared.kind) {
        static constexpr const char* kKinds[] = {"a value", "an address", "local memory"};
        return "the kernel takes " + std::string(actual.kind < 3 ? kKinds[actual.kind] : "something newer");
    }
    if (actual.size_bytes != declared.size_bytes)
        return "the kernel takes " + std::to_string(actual.size_bytes) + " bytes";
    if (actual.alignment != declared.alignment) {
        return "the kernel aligns it to " + std::to_string(actual.alignment) + ", the declared type to " +
               std::to_string(declared.alignment);
    }
    const Number number = number_in(actual.type);
    if (number.size_bytes != 0 && declared.number.size_bytes != 0 &&
        (number.size_bytes != declared.number.size_bytes || number.is_float != declared.number.is_float)) {
        return "the numbers are of another type";
    }
    const bool is_only_read =
        actual.access == QIAO_ACCESS_READ || std::string_view(actual.type).find("const") != std::string_view::npos;
    if (declared.is_const && !is_only_read) return "the kernel may write through it, the declared address is const";
    if (actual.offset != declared.offset) {
        return "it stands at " + std::to_string(actual.offset) + " of the block, the declared types put it at " +
               std::to_string(declared.offset);
    }
    return {};
}

inline void check_arguments(const qiao_kernel_properties& kernel, const std::vector<qiao_kernel_argument>& actual,
                            const ArgumentType* declared, std::size_t count, uint32_t block_size) {
    const auto refuse_kernel = [&](std::string message, const char* remedy) {
        refuse(QIAO_ERROR_INVALID_ARGUMENT, std::move(message), remedy, "kernel " + std::string(kernel.name));
    };
    if (actual.size() != count) {
        std::string parameters;
        for (const qiao_kernel_argument& argument : actual) {
            parameters += (parameters.empty() ? "" : ", ") + std::string(argument.type) + " " + argument.name;
        }
        refuse_kernel("kernel '" + std::string(kernel.name) + "' takes " + std::to_string(actual.size()) +
                          " arguments (" + parameters + "), " + std::to_string(count) + " types are declared",
                      "declare one type for each argument");
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::string what = difference(actual[i], declared[i]);
        if (what.empty()) continue;
        refuse_kernel("argument " + std::to_string(i) + " '" + actual[i].name + "' (" + actual[i].type +
                          ") of kernel '" + kernel.name + "' is declared as " + words_for(declared[i]) + ": " + what,
                      "declare the type that the kernel has: qiao::Address for pointers, qiao::Local for local memory");
    }
    if (kernel.block_size != block_size) {
        refuse_kernel("the argument block of kernel '" + std::string(kernel.name) + "' has " +
                          std::to_string(kernel.block_size) + " bytes, the declared types make " +
                          std::to_string(block_size),
                      "launch the untyped kernel with a block of your own");
    }
}

} // namespace detail

} // namespace v0
} // namespace qiao

#endif
