// The file is looked at before it is opened: the system's loader says "no such file" of a wrong machine's library, and
// would wait for ever on a pipe.
#include "loader/library.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace qiao::loader {
namespace {

#if defined(__x86_64__)
constexpr const char* kArchitecture = "x86_64";
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr const char* kArchitecture = "aarch64";
constexpr unsigned kMachine = EM_AARCH64;
#elif defined(__loongarch64)
constexpr const char* kArchitecture = "loongarch64";
constexpr unsigned kMachine = 258;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr const char* kArchitecture = "riscv64";
constexpr unsigned kMachine = EM_RISCV;
#else
#error "name this architecture as uname -m does, and its ELF machine"
#endif

Problem not_loadable(std::string reason, std::string remedy) {
    return {QIAO_CANDIDATE_STATE_NOT_LOADABLE, std::move(reason), std::move(remedy)};
}

constexpr const char* kCorrectLibrary = "correct \"library\" in the manifest, or install the plugin again";

std::string machine_name(unsigned machine) {
    switch (machine) {
        case EM_X86_64:
            return "x86_64";
        case EM_386:
            return "i386";
        case EM_AARCH64:
            return "aarch64";
        case EM_ARM:
            return "arm";
        case EM_RISCV:
            return "riscv";
        case EM_PPC64:
            return "ppc64";
        case 258:
            return "loongarch";
        default:
            return "ELF machine " + std::to_string(machine);
    }
}

Verdict check_header(const std::string& path, const unsigned char* header, ssize_t size) {
    if (size < static_cast<ssize_t>(sizeof(Elf64_Ehdr)) || memcmp(header, ELFMAG, SELFMAG) != 0) {
        return not_loadable("the library " + path + " is not a shared library (no ELF header)", kCorrectLibrary);
    }
    Elf64_Ehdr elf;
    memcpy(&elf, header, sizeof elf);
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != kMachine) {
        const char* bits = elf.e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32";
        return Problem{QIAO_CANDIDATE_STATE_INCOMPATIBLE,
                       "the library " + path + " is built for " + machine_name(elf.e_machine) + " (" + bits +
                           " bits); this Qiao is built for " + kArchitecture,
                       std::string("install the plugin's build for ") + kArchitecture};
    }
    return std::nullopt;
}

Verdict check_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return not_loadable("the library " + path + " cannot be opened: " + strerror(errno), kCorrectLibrary);
    }
    struct stat about;
    unsigned char header[sizeof(Elf64_Ehdr)];
    const bool regular = fstat(file, &about) == 0 && S_ISREG(about.st_mode);
    const ssize_t size = regular ? read(file, header, sizeof header) : 0;
    ::close(file);
    if (!regular) return not_loadable("the library " + path + " is not a regular file", kCorrectLibrary);
    return check_header(path, header, size);
}

std::string remedy_for(const std::string& path, const std::string& words) {
    if (words.find("undefined symbol") != std::string::npos || words.find("version `") != std::string::npos) {
        return "a library that the plugin needs is of another version: install the one it was built with, or build it "
               "again";
    }
    if (path.find('/') == std::string::npos && words.starts_with(path + ": cannot open")) {
        return "a bare name is neither beside the manifest nor known to the loader; for a file elsewhere write a path relative to the manifest, or an absolute one";
    }
    if (words.find("cannot open shared object file") != std::string::npos) {
        return "install the missing library, or name its folder in LD_LIBRARY_PATH; `ldd " + path +
               "` lists what is missing";
    }
    return kCorrectLibrary;
}

} // namespace

Verdict open_plugin_library(const std::string& path, Library& out_library) {
    if (path.find('/') != std::string::npos) {
        if (Verdict problem = check_file(path)) return problem;
    }
    std::string words;
    out_library = Library::open(path, words);
    if (out_library) return std::nullopt;
    return not_loadable("the library " + path + " cannot be loaded: " + words, remedy_for(path, words));
}

Library Library::open(const std::string& path, std::string& error) {
    Library library;
    library.handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library.handle_ == nullptr) {
        const char* text = dlerror();
        error = text == nullptr ? "the system gave no reason" : printable(text, 1000);
    }
    return library;
}

Library::Library(Library&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Library& Library::operator=(Library&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

Library::~Library() {
    if (handle_ != nullptr) dlclose(handle_);
}

void* Library::symbol(const char* name) const {
    return dlsym(handle_, name);
}

std::string own_directory() {
    Dl_info about;
    if (dladdr(reinterpret_cast<const void*>(&own_directory), &about) == 0 || about.dli_fname == nullptr) return "";
    char* resolved = realpath(about.dli_fname, nullptr);
    if (resolved == nullptr) return "";
    const std::string path = resolved;
    free(resolved);
    return path.substr(0, path.rfind('/'));
}

const char* own_architecture() {
    return kArchitecture;
}

} // namespace qiao::loader
