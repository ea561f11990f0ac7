// The search for tools: environment, PATH, the place of this library. Nothing is run here.
#include "tools.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "temporary.h"

namespace qiao::compiler {
namespace {

constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr const char* kPoclIcd = "/etc/OpenCL/vendors/pocl.icd";
/* The calling interface of PoCL's work-group functions is private to a release; this is the one that is understood. */
constexpr const char* kPoclVersion = "3.1";

bool executable(const std::string& path) {
    struct stat status = {};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

Outcome<std::string> find_program(const char* name, const char* variable, const char* package) {
    if (const char* chosen = secure_getenv(variable); chosen && *chosen) {
        if (executable(chosen)) return std::string(chosen);
        return Failure{QIAO_ERROR_UNSUPPORTED, concat(variable, " names '", chosen, "', which cannot be executed"),
                       concat("correct ", variable, " or unset it"), "", 0};
    }
    for (const std::string& directory : split(search_path(), ':')) {
        // A relative entry of PATH would make the result depend on where the application stands.
        if (directory.empty() || directory[0] != '/') continue;
        const std::string path = directory + "/" + name;
        if (executable(path)) return path;
    }
    return Failure{QIAO_ERROR_UNSUPPORTED, concat("'", name, "' was not found in ", search_path()),
                   concat("install the package ", package, " (apt install ", package, "), or set ", variable), "", 0};
}

/* A file that is no program: the one `variable` names, else the first there is of `places`. */
Outcome<std::string> find_file(const char* what, const std::vector<std::string>& places, const char* variable,
                               const char* package) {
    if (const char* chosen = secure_getenv(variable); chosen && *chosen) {
        if (access(chosen, R_OK) == 0) return std::string(chosen);
        return Failure{QIAO_ERROR_UNSUPPORTED, concat(variable, " names '", chosen, "', which cannot be read"),
                       concat("correct ", variable, " or unset it"), "", 0};
    }
    for (const std::string& place : places)
        if (access(place.c_str(), R_OK) == 0) return place;
    return Failure{QIAO_ERROR_UNSUPPORTED, concat(what, " was not found: there is no ", places.front()),
                   concat("install the package ", package, " (apt install ", package, "), or set ", variable), "", 0};
}

std::string own_directory() {
    Dl_info info = {};
    if (dladdr(reinterpret_cast<const void*>(&find_reflector), &info) == 0 || info.dli_fname == nullptr) return ".";
    std::error_code ignored;
    const auto path = std::filesystem::canonical(info.dli_fname, ignored);
    return ignored ? "." : path.parent_path().string();
}

/* The library an ICD file names: a path, or a name for the dynamic loader. */
std::string library_path(const std::string& driver) {
    if (driver.find('/') != std::string::npos) return driver;
    for (const char* directory : {QIAO_LIBRARY_DIRECTORIES}) {
        const std::string path = concat(directory, "/", driver);
        if (access(path.c_str(), R_OK) == 0) return path;
    }
    return "";
}

/* From the platform's version text, a constant in the library: "OpenCL 3.0 PoCL 3.1+debian ...". */
std::string version_in(const std::string& library) {
    std::string bytes;
    if (!read_file(library, bytes)) return "";
    const std::string mark = " PoCL ";
    for (size_t at = bytes.find(mark); at != std::string::npos; at = bytes.find(mark, at + 1)) {
        const size_t begin = at + mark.size();
        const size_t end = bytes.find_first_not_of("0123456789.", begin);
        if (end != std::string::npos && end > begin) return bytes.substr(begin, end - begin);
    }
    return "";
}

/* A program of Qiao's own, beside or near this library; "" = not there. */
std::string find_own_program(const char* name) {
    const std::string directory = own_directory();
    for (const char* place : {"", "../libexec/qiao/", QIAO_LIBEXEC_FROM_LIBRARY "/"}) {
        const std::string path = concat(directory, "/", place, name);
        if (executable(path)) return path;
    }
    return "";
}

Failure incomplete(const char* name) {
    return {QIAO_ERROR_UNSUPPORTED, concat(name, " was not found near '", own_directory(), "'"),
            "install Qiao completely: the program belongs to the compiler library", "", 0};
}

/* The places of a Python 3.11 that pip installs to, and the environment that ./bootstrap makes beside the build folder. */
std::vector<std::string> python_places() {
    const std::string site = "/lib/python3.11/site-packages";
    std::vector<std::string> places = {own_directory() + "/../../venv" + site};
    if (const char* environment = secure_getenv("VIRTUAL_ENV"); environment && environment[0] == '/')
        places.push_back(environment + site);
    if (const char* home = secure_getenv("HOME"); home && home[0] == '/') places.push_back(home + ("/.local" + site));
    places.insert(places.end(), {"/usr/local/lib/python3.11/dist-packages", "/usr/local" + site,
                                 "/usr/lib/python3/dist-packages"});
    return places;
}

} // namespace

std::string search_path() {
    const char* path = secure_getenv("PATH");
    return path && *path ? path : kDefaultPath;
}

const std::vector<Level>& host_levels() {
#if defined(__x86_64__)
    static const std::vector<Level> levels = {{"x86_64-v2", "-march=x86-64-v2", "sse41"},
                                              {"x86_64-v3", "-march=x86-64-v3", "avx2"}};
#else
    static const std::vector<Level> levels = [] {
        utsname name = {};
        uname(&name);
        return std::vector<Level>{{name.machine, "", ""}};
    }();
#endif
    return levels;
}

const Level& this_level() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v3")) return host_levels().back();
#endif
    return host_levels().front();
}

std::string host_cpu() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return avx2 ? "x86_64 avx2" : __builtin_cpu_supports("avx") ? "x86_64 avx" : "x86_64";
#else
    utsname name = {};
    uname(&name);
    return name.machine;
#endif
}

Outcome<std::string> find_clang() {
    return find_program("clang-15", "QIAO_CLANG", "clang-15");
}

Outcome<std::string> find_reflector() {
    const std::string path = find_own_program("qiao-kernel-reflect");
    if (path.empty()) return incomplete("qiao-kernel-reflect");
    return path;
}

std::string clspv_remedy() {
    return "install pyclspv 0.0.1 (pip install pyclspv==0.0.1, for CPython 3.11 on x86-64), or set QIAO_CLSPV to its "
           "library";
}

Outcome<Clspv> find_clspv() {
    Clspv clspv;
    clspv.program = find_own_program("qiao-clspv");
    if (clspv.program.empty()) return incomplete("qiao-clspv");
    clspv.version = "pyclspv-0.0.1";
    if (const char* chosen = secure_getenv("QIAO_CLSPV"); chosen && *chosen) {
        clspv.library = chosen;
        if (access(chosen, R_OK) == 0) return clspv;
        return Failure{QIAO_ERROR_UNSUPPORTED, concat("QIAO_CLSPV names '", chosen, "', which cannot be read"),
                       "correct QIAO_CLSPV or unset it", "", 0};
    }
    for (const std::string& place : python_places()) {
        // Another version may crash on other sources: the one that was tried is asked for by its metadata.
        if (access((place + "/pyclspv-0.0.1.dist-info").c_str(), R_OK) != 0) continue;
        clspv.library = place + "/pyclspv.cpython-311-x86_64-linux-gnu.so";
        if (access(clspv.library.c_str(), R_OK) == 0) return clspv;
    }
    return Failure{QIAO_ERROR_UNSUPPORTED, "clspv, which makes Vulkan variants, was not found: there is no pyclspv 0.0.1",
                   clspv_remedy(), "", 0};
}

std::string find_spirv_val() {
    const auto found = find_program("spirv-val", "QIAO_SPIRV_VAL", "spirv-tools");
    return found ? *found : "";
}

Outcome<std::string> find_llvm_spirv() {
    return find_program("llvm-spirv-15", "QIAO_LLVM_SPIRV", "llvm-spirv-15");
}

Outcome<std::string> find_libclc() {
    return find_file("libclc for PTX", {"/usr/lib/clc/nvptx64--nvidiacl.bc", "/usr/share/clc/nvptx64--nvidiacl.bc"}, "QIAO_LIBCLC",
                     "libclc-15");
}

Outcome<Rocm> find_rocm() {
    std::vector<std::string> places;
    for (const char* directory : {QIAO_LIBRARY_DIRECTORIES})
        places.push_back(concat(directory, "/amdgcn/bitcode"));
    places.push_back("/opt/rocm/amdgcn/bitcode");
    const auto directory = find_file("the device library of ROCm", places, "QIAO_ROCM_DEVICE_LIBS", "rocm-device-libs");
    if (!directory) return directory.error();
    auto linker = find_program("ld.lld-15", "QIAO_LLD", "lld-15");
    if (!linker) return linker.error();
    return Rocm{*directory, *directory + "/ockl.bc", *std::move(linker)};
}

Outcome<Pocl> find_pocl() {
    auto compiler = find_program("poclcc", "QIAO_POCLCC", "libpocl-dev");
    if (!compiler) return compiler.error();
    Pocl pocl;
    pocl.compiler = *std::move(compiler);
    const char* install =
        "install the packages pocl-opencl-icd and libpocl-dev (apt install pocl-opencl-icd libpocl-dev)";
    if (!read_file(kPoclIcd, pocl.driver))
        return Failure{QIAO_ERROR_UNSUPPORTED, concat("PoCL is not installed: there is no ", kPoclIcd), install, "", 0};
    pocl.library = library_path(pocl.driver.substr(0, pocl.driver.find_first_of(" \t\r\n")));
    if (pocl.library.empty())
        return Failure{QIAO_ERROR_UNSUPPORTED, concat(kPoclIcd, " names a library that is not there: ", pocl.driver),
                       install, "", 0};
    pocl.version = version_in(pocl.library);
    if (pocl.version != kPoclVersion)
        return Failure{
            QIAO_ERROR_UNSUPPORTED,
            concat("'", pocl.library, "' is PoCL ", pocl.version.empty() ? "of unknown version" : pocl.version,
                   ", host-elf variants need PoCL ", kPoclVersion),
            concat("install PoCL ", kPoclVersion, "; other releases call kernels differently"), "", 0};
    return pocl;
}

std::string identity(const std::string& path) {
    std::error_code ignored;
    const auto real = std::filesystem::canonical(path, ignored);
    struct stat status = {};
    if (ignored || stat(real.c_str(), &status) != 0) return path + " absent";
    return concat(real.string(), " ", status.st_size, " ", status.st_mtim.tv_sec, ".", status.st_mtim.tv_nsec);
}

} // namespace qiao::compiler
