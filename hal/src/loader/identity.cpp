// The build id is a note in the library's program headers. What does not look like one is left out, never trusted.
#include "loader/identity.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

namespace qiao::loader {
namespace {

constexpr size_t kMaxHeaders = 128, kMaxNotes = 64 * 1024, kMaxBuildId = 64;

class File {
  public:
    explicit File(const char* path) : file_(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~File() {
        if (file_ >= 0) ::close(file_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    bool about(struct stat& out_about) const { return file_ >= 0 && fstat(file_, &out_about) == 0; }
    bool read(uint64_t offset, void* target, size_t size) const {
        return pread(file_, target, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
    }

  private:
    int file_;
};

std::string hexadecimal(const unsigned char* bytes, size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) {
        text += "0123456789abcdef"[bytes[i] >> 4];
        text += "0123456789abcdef"[bytes[i] & 15];
    }
    return text;
}

size_t padded(size_t size) {
    return (size + 3) / 4 * 4;
}

std::string build_id_in(const std::vector<unsigned char>& notes) {
    for (size_t at = 0; notes.size() - at >= sizeof(Elf64_Nhdr);) {
        Elf64_Nhdr note;
        memcpy(&note, &notes[at], sizeof note);
        const size_t left = notes.size() - at - sizeof note;
        if (note.n_namesz > left || note.n_descsz > left) return "";
        const size_t name = at + sizeof note, text = name + padded(note.n_namesz);
        if (text > notes.size() || note.n_descsz > notes.size() - text) return "";
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(&notes[name], "GNU", 4) == 0 &&
            note.n_descsz != 0 && note.n_descsz <= kMaxBuildId)
            return hexadecimal(&notes[text], note.n_descsz);
        at = text + padded(note.n_descsz);
        if (at > notes.size()) return "";
    }
    return "";
}

std::string build_id(const File& file) {
    Elf64_Ehdr elf;
    if (!file.read(0, &elf, sizeof elf) || memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 ||
        elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phnum > kMaxHeaders)
        return "";
    std::vector<Elf64_Phdr> headers(elf.e_phnum);
    if (!file.read(elf.e_phoff, headers.data(), headers.size() * sizeof(Elf64_Phdr))) return "";
    for (const Elf64_Phdr& header : headers) {
        if (header.p_type != PT_NOTE || header.p_filesz > kMaxNotes || header.p_filesz < sizeof(Elf64_Nhdr)) continue;
        std::vector<unsigned char> notes(header.p_filesz);
        if (!file.read(header.p_offset, notes.data(), notes.size())) continue;
        if (std::string id = build_id_in(notes); !id.empty()) return id;
    }
    return "";
}

} // namespace

std::string library_identity(const std::string& path) {
    if (path.find('/') == std::string::npos) return "";
    char* resolved = realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return "";
    std::string text = resolved;
    free(resolved);
    const File file(text.c_str());
    struct stat about;
    if (!file.about(about) || !S_ISREG(about.st_mode)) return "";
    text += " " + std::to_string(about.st_size);
    if (const std::string id = build_id(file); !id.empty()) return text + " build " + id;
    return text + " file " + std::to_string(about.st_dev) + ":" + std::to_string(about.st_ino) + " " +
           std::to_string(about.st_mtim.tv_sec) + "." + std::to_string(about.st_mtim.tv_nsec);
}

} // namespace qiao::loader
