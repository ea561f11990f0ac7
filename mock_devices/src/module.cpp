/* Loads ELF images through a sealed memory file. The file stays open as long as the library: the dynamic loader knows
 * libraries by name, and /proc/self/fd/N with a reused N would give the one loaded before. */
#include "mock/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mock {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr uint16_t kMachine = EM_RISCV;
#elif defined(__loongarch__)
constexpr uint16_t kMachine = 258; /* EM_LOONGARCH, unknown to older elf.h */
#else
constexpr uint16_t kMachine = EM_NONE;
#endif

constexpr const char* kRemedy = "compile the program again, or check the package";

/* The dynamic loader maps what the headers say: segments beyond the end would fault there. */
Status check_image(std::span<const std::byte> image, const std::string& name) {
    const auto damaged = [&name](const std::string& what) {
        return Status(Code::kDamaged, "program " + name + ": " + what, kRemedy);
    };
    Elf64_Ehdr header;
    if (image.size() < sizeof(header))
        return damaged("too short for an ELF image: " + std::to_string(image.size()) + " bytes");
    std::memcpy(&header, image.data(), sizeof(header));
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return damaged("not an ELF image");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_DYN) {
        return damaged("not a 64-bit little-endian shared object");
    }
    if (header.e_machine != kMachine) {
        return {Code::kUnsupported,
                "program " + name + ": made for ELF machine " + std::to_string(header.e_machine) +
                    "; this process runs on " + std::to_string(kMachine),
                "use a variant for " + host_target()};
    }
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phoff > image.size() ||
        header.e_phnum > (image.size() - header.e_phoff) / sizeof(Elf64_Phdr)) {
        return damaged("its program headers lie outside the image");
    }
    bool has_segment = false;
    for (uint16_t index = 0; index < header.e_phnum; ++index) {
        Elf64_Phdr segment;
        std::memcpy(&segment, image.data() + header.e_phoff + index * sizeof(segment), sizeof(segment));
        if (segment.p_offset > image.size() || segment.p_filesz > image.size() - segment.p_offset) {
            return damaged("segment " + std::to_string(index) + " lies outside the image");
        }
        has_segment = has_segment || segment.p_type == PT_LOAD;
    }
    return has_segment ? Status() : damaged("it has no segment to load");
}

bool write_all(int file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return true;
}

#if defined(__x86_64__)

uint32_t host_level() {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return 4;
    if (__builtin_cpu_supports("x86-64-v3")) return 3;
    if (__builtin_cpu_supports("x86-64-v2")) return 2;
    return 1;
}

#endif

} // namespace

Result<std::shared_ptr<Module>> Module::load(std::span<const std::byte> image, const std::string& name) {
    if (Status status = check_image(image, name); !status.ok()) return status;
    std::shared_ptr<Module> module(new Module);
    module->file_ = memfd_create("mock program", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (module->file_ < 0 || !write_all(module->file_, image)) {
        return Status(Code::kOutOfMemory, "program " + name + ": no memory file of " + std::to_string(image.size()) +
                                              " bytes: " + std::strerror(errno));
    }
    fcntl(module->file_, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    const std::string path = "/proc/self/fd/" + std::to_string(module->file_);
    module->library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module->library_ == nullptr) {
        const char* error = dlerror();
        return Status(
            Code::kUnsupported,
            "program " + name + ": the dynamic loader refuses it: " + (error != nullptr ? error : "unknown error"),
            "compile the program on this system; executable memory files must be allowed (vm.memfd_noexec)");
    }
    return module;
}

Module::~Module() {
    if (library_ != nullptr) dlclose(library_);
    if (file_ >= 0) close(file_);
}

WorkGroupFunction Module::find(const std::string& kernel) const {
    return reinterpret_cast<WorkGroupFunction>(dlsym(library_, ("_pocl_kernel_" + kernel + "_workgroup").c_str()));
}

#if defined(__x86_64__)

const std::string& host_target() {
    static const std::string target = "x86_64-v" + std::to_string(host_level());
    return target;
}

uint32_t score_target(const std::string& target, std::string& reason) {
    static const uint32_t level = host_level();
    uint32_t wanted = 0;
    if (target == "x86_64") wanted = 1;
    for (uint32_t known = 1; known <= 4; ++known) {
        if (target == "x86_64-v" + std::to_string(known)) wanted = known;
    }
    if (wanted == 0) {
        reason = "made for \"" + target + "\"; this processor is " + host_target();
        return 0;
    }
    if (wanted <= level) return wanted + 1;
    reason = "needs a processor of level " + target + "; this one is " + host_target();
    return 0;
}

#else

const std::string& host_target() {
    static const std::string target = [] {
        utsname system;
        return std::string(uname(&system) == 0 ? system.machine : "unknown");
    }();
    return target;
}

uint32_t score_target(const std::string& target, std::string& reason) {
    if (target == host_target()) return 2;
    reason = "made for \"" + target + "\"; this processor is " + host_target();
    return 0;
}

#endif

} // namespace mock
