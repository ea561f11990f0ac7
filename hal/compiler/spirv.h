/* What has to be read and mended in a SPIR-V module that clspv made: its words, its reflection (NonSemantic.ClspvReflection),
 * its capabilities. Knows the module only; what a package's kernels are is spirv_vulkan.cpp's. */
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace qiao::compiler::spirv {

/* Where one argument is found. */
struct Argument {
    enum class Kind { kPushConstant, kUniform, kLocal, kBuffer };
    Kind kind = Kind::kPushConstant;
    uint32_t offset = 0; /* in the push constants or the uniform block */
    uint32_t size = 0;   /* of a local argument: of one element */
    uint32_t spec_id = 0; /* of a local argument: the constant that is its number of elements */
    uint32_t binding = 0; /* in set 0, of a buffer and of the uniform block */
};

struct Kernel {
    std::map<uint32_t, Argument> arguments; /* by ordinal */
};

/* Numbers of specialisation constants; -1 = the module has none. */
struct Constants {
    int64_t group[3] = {-1, -1, -1};
    int64_t offset[3] = {-1, -1, -1};
    int64_t dimensions = -1;
};

/* A call of printf: what stands in the buffer for it is its number, and its arguments. */
struct PrintfCall {
    std::string format;
    std::vector<uint32_t> sizes; /* of its arguments, in bytes */
};

/* Where a module that prints finds its buffer. */
struct Output {
    enum class Kind { kNone, kPushConstant, kBuffer };
    Kind kind = Kind::kNone;
    uint32_t offset = 0;  /* of the address in the push constants */
    uint32_t arguments_offset = 0; /* where all kernels' arguments begin there */
    uint32_t set = 0, binding = 0;
    uint32_t size = 0;
    std::map<uint32_t, PrintfCall> calls; /* by their number */
};

struct Reflection {
    std::map<std::string, Kernel> kernels;
    Constants constants;
    Output output;
};

/* The words of a module in a file's bytes; fails, naming who wrote them, where they are none. */
Outcome<std::vector<uint32_t>> words_of(const std::string& bytes, std::string_view maker = "clspv");

/* Fails with what the plugin does not provide (samplers, buffers of constants, ...). */
Outcome<Reflection> reflect(const std::vector<uint32_t>& words);

/* Takes the reflection out again: not every Vulkan device knows the extension it is written in. */
void remove_reflection(std::vector<uint32_t>& words);

/* The buffer of what is printed becomes one of set 0, like all others, behind these; tells the reflection. */
void move_output(std::vector<uint32_t>& words, Reflection& reflection);

/* clspv 0.0.1 uses 64-bit atomics without the capability: adds it where one is used. */
void declare_int64_atomics(std::vector<uint32_t>& words);

/* Gives constant steps of pointers the sign that clspv 0.0.1 has lost. A step of 2^31 elements or more is taken for a negative one. */
void sign_indices(std::vector<uint32_t>& words);

} // namespace qiao::compiler::spirv
