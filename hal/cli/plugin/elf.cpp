/* The dynamic section is found through the program headers, as the system's loader does: section headers may be stripped. */
#include "cli/plugin/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "cli/failure.h"

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

namespace qiao::cli {
namespace {

class Bytes {
  public:
    explicit Bytes(const std::string& path) : path_(path) {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (file < 0) throw Failure(kExitFailed, text(path, " cannot be opened: ", std::strerror(errno)));
        struct stat about {};
        if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
            size_ = static_cast<size_t>(about.st_size);
            void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
            if (mapped != MAP_FAILED) data_ = static_cast<const char*>(mapped);
        }
        ::close(file);
        if (data_ == nullptr) fail("is not a readable file with contents");
    }
    ~Bytes() { munmap(const_cast<char*>(data_), size_); }
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;

    [[noreturn]] void fail(const char* why) const {
        throw Failure(kExitFailed, text(path_, " ", why), "name the plugin's shared library");
    }
    template <typename T>
    T at(uint64_t offset) const {
        T value;
        if (offset > size_ || sizeof value > size_ - offset) fail("is damaged: it points beyond its end");
        std::memcpy(&value, data_ + offset, sizeof value);
        return value;
    }
    std::string string_at(uint64_t offset) const {
        if (offset >= size_) fail("is damaged: it points beyond its end");
        return {data_ + offset, strnlen(data_ + offset, size_ - offset)};
    }

  private:
    const std::string& path_;
    const char* data_ = nullptr;
    size_t size_ = 0;
};

std::string machine_name(unsigned machine) {
    switch (machine) {
        case EM_X86_64:
            return "x86_64";
        case EM_AARCH64:
            return "aarch64";
        case EM_RISCV:
            return "riscv64";
        case EM_LOONGARCH:
            return "loongarch64";
        default:
            return text("ELF machine ", machine);
    }
}

/* The dynamic section and what it points to; addresses become offsets in the file through the load segments. */
class Dynamic {
  public:
    Dynamic(const Bytes& bytes, const Elf64_Ehdr& header) : bytes_(bytes) {
        for (unsigned i = 0; i < header.e_phnum; ++i) {
            const auto segment =
                bytes.at<Elf64_Phdr>(header.e_phoff + static_cast<uint64_t>(i) * sizeof(Elf64_Phdr));
            if (segment.p_type == PT_LOAD) segments_.push_back(segment);
            if (segment.p_type == PT_DYNAMIC) read_entries(segment);
            if (segment.p_type == PT_GNU_STACK) executable_stack = (segment.p_flags & PF_X) != 0;
        }
    }

    bool executable_stack = true; /* the system's default where nothing is said */

    bool has(Elf64_Sxword tag) const { return value(tag).has_value(); }
    std::optional<uint64_t> value(Elf64_Sxword tag) const {
        for (const Elf64_Dyn& entry : entries_) {
            if (entry.d_tag == tag) return entry.d_un.d_val;
        }
        return std::nullopt;
    }
    std::vector<std::string> strings(Elf64_Sxword tag) const {
        std::vector<std::string> found;
        for (const Elf64_Dyn& entry : entries_) {
            if (entry.d_tag == tag) found.push_back(string(entry.d_un.d_val));
        }
        return found;
    }
    /* A damaged file may have anything there; what is no name is shown as "?". */
    std::string string(uint64_t index) const {
        std::string name = bytes_.string_at(offset_of(table(DT_STRTAB)) + index);
        std::replace_if(name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
        return name;
    }

    /* Symbols that other libraries can see. */
    std::vector<std::string> exports() const {
        std::vector<std::string> names;
        const uint64_t symbols = offset_of(table(DT_SYMTAB));
        const uint64_t count = symbol_count();
        for (uint64_t i = 1; i < count; ++i) {
            const auto symbol = bytes_.at<Elf64_Sym>(symbols + i * sizeof(Elf64_Sym));
            const unsigned binding = ELF64_ST_BIND(symbol.st_info);
            const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
            if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || binding == STB_LOCAL) continue;
            if (visibility == STV_HIDDEN || visibility == STV_INTERNAL) continue;
            names.push_back(string(symbol.st_name));
        }
        std::sort(names.begin(), names.end());
        return names;
    }

  private:
    void read_entries(const Elf64_Phdr& segment) {
        for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= segment.p_filesz; at += sizeof(Elf64_Dyn)) {
            const auto entry = bytes_.at<Elf64_Dyn>(segment.p_offset + at);
            if (entry.d_tag == DT_NULL) break;
            entries_.push_back(entry);
        }
    }
    uint64_t table(Elf64_Sxword tag) const {
        const auto address = value(tag);
        if (!address) bytes_.fail("has no dynamic symbols");
        return *address;
    }
    uint64_t offset_of(uint64_t address) const {
        for (const Elf64_Phdr& segment : segments_) {
            if (address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
                return address - segment.p_vaddr + segment.p_offset;
        }
        bytes_.fail("is damaged: an address is in no segment");
    }
    /* Only the hash tables know it. */
    uint64_t symbol_count() const {
        if (const auto hash = value(DT_HASH)) return bytes_.at<uint32_t>(offset_of(*hash) + 4);
        const uint64_t hash = offset_of(table(DT_GNU_HASH));
        const auto buckets = bytes_.at<uint32_t>(hash);
        const auto first = bytes_.at<uint32_t>(hash + 4);
        const uint64_t bucket_at = hash + 16 + bytes_.at<uint32_t>(hash + 8) * uint64_t{8};
        const uint64_t chain_at = bucket_at + buckets * uint64_t{4};
        uint32_t last = 0;
        for (uint32_t i = 0; i < buckets; ++i)
            last = std::max(last, bytes_.at<uint32_t>(bucket_at + i * uint64_t{4}));
        if (last < first) return first; /* no exported symbol */
        while ((bytes_.at<uint32_t>(chain_at + (last - first) * uint64_t{4}) & 1) == 0)
            ++last;
        return uint64_t{last} + 1;
    }

    const Bytes& bytes_;
    std::vector<Elf64_Phdr> segments_;
    std::vector<Elf64_Dyn> entries_;
};

std::string first(const std::vector<std::string>& list) {
    return list.empty() ? "" : list.front();
}

} // namespace

SharedLibrary read_shared_library(const std::string& path) {
    const Bytes bytes(path);
    if (!bytes.string_at(0).starts_with(ELFMAG)) bytes.fail("is not a shared library (no ELF header)");
    const auto header = bytes.at<Elf64_Ehdr>(0);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
        bytes.fail("is not a 64-bit little-endian library");
    if (header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr)) bytes.fail("is not a shared library");
    const Dynamic dynamic(bytes, header);
    SharedLibrary library;
    library.machine = machine_name(header.e_machine);
    library.exports = dynamic.exports();
    library.needed = dynamic.strings(DT_NEEDED);
    library.rpath = first(dynamic.strings(DT_RPATH));
    library.runpath = first(dynamic.strings(DT_RUNPATH));
    library.text_relocations = dynamic.has(DT_TEXTREL) || (dynamic.value(DT_FLAGS).value_or(0) & DF_TEXTREL) != 0;
    library.executable_stack = dynamic.executable_stack;
    return library;
}

std::string own_machine() {
    const auto header = Bytes("/proc/self/exe").at<Elf64_Ehdr>(0);
    return machine_name(header.e_machine);
}

} // namespace qiao::cli
