/* Which programs do the work, where they are, and what to install where they are not. QIAO_CLANG, QIAO_POCLCC, QIAO_CLSPV,
 * QIAO_LLVM_SPIRV, QIAO_LIBCLC, QIAO_ROCM_DEVICE_LIBS and QIAO_LLD name other places. */
#pragma once

#include <string>
#include <vector>

#include "failure.h"

namespace qiao::compiler {

/* PATH of the application, or a safe one where it has none or runs with raised rights. */
std::string search_path();

/* An x86-64 level, or the machine's own baseline elsewhere. */
struct Level {
    std::string target;          /* of the variant: "x86_64-v3" */
    std::string machine_option;  /* for clang: "-march=x86-64-v3"; "" = its default */
    std::string builtin_library; /* of PoCL, whose code the level can run: "avx2"; "" = PoCL's choice */
};
const std::vector<Level>& host_levels(); /* the higher the later */
const Level& this_level();               /* the highest that this processor runs, else the lowest */

/* What decides PoCL's choice of built-in library: part of what is made here. */
std::string host_cpu();

Outcome<std::string> find_clang();
Outcome<std::string> find_reflector(); /* qiao-kernel-reflect, beside or near this library */

struct Pocl {
    std::string compiler; /* poclcc */
    std::string driver;   /* the text of its ICD file: its library's name or path */
    std::string library;  /* that library's path */
    std::string version;  /* "3.1" */
};
Outcome<Pocl> find_pocl();

/* clspv, out of the Python package pyclspv: a library, and our program that hosts it. */
struct Clspv {
    std::string program; /* qiao-clspv */
    std::string library; /* pyclspv.cpython-311-x86_64-linux-gnu.so */
    std::string version; /* "pyclspv-0.0.1" */
};
Outcome<Clspv> find_clspv();
std::string clspv_remedy();
std::string find_spirv_val(); /* "" = not installed */

Outcome<std::string> find_llvm_spirv();
Outcome<std::string> find_libclc(); /* OpenCL's built-in functions for PTX: bitcode that clang-15 reads */

struct Rocm {
    std::string directory;      /* of the bitcode, as clang wants it */
    std::string device_library; /* a file in it that changes with the package */
    std::string linker;         /* ld.lld-15 */
};
Outcome<Rocm> find_rocm();

/* Changes whenever the file is replaced: its real path, size and time. */
std::string identity(const std::string& path);

} // namespace qiao::compiler
