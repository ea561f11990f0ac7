// See trusted_file.h. All questions are asked of the open descriptor, so that nothing can be exchanged in between.
#include "trusted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace qiao::cuda {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return number_; }

  private:
    int number_;
};

std::string words_of(int error) {
    char text[128] = "";
    return strerror_r(error, text, sizeof text);
}

// Of a file or of the folder it is in: who can write to the folder can exchange the file.
std::string distrust(const struct stat& about, const char* what) {
    if (about.st_uid != 0 && about.st_uid != geteuid())
        return std::string(what) + " belongs to user " + std::to_string(about.st_uid) + "; it must belong to root or to the user (" +
               std::to_string(geteuid()) + ")";
    if ((about.st_mode & (S_IWGRP | S_IWOTH)) == 0) return "";
    char mode[8];
    snprintf(mode, sizeof mode, "%03o", static_cast<unsigned>(about.st_mode & 0777));
    return std::string(what) + " may be written by group or others (mode " + mode + "); take that right away: chmod go-w";
}

} // namespace

std::string read_trusted(const std::string& path, std::string* out_text, bool* out_missing) {
    *out_missing = false;
    out_text->clear();
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    struct stat about;
    if (stat(folder.c_str(), &about) == 0) {
        if (std::string reason = distrust(about, "its folder"); !reason.empty()) return reason;
    }
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) {
        *out_missing = errno == ENOENT || errno == ENOTDIR;
        return "cannot be opened: " + words_of(errno);
    }
    if (fstat(file.get(), &about) != 0) return "cannot be read: " + words_of(errno);
    if (!S_ISREG(about.st_mode)) return "is not a regular file";
    if (std::string reason = distrust(about, "it"); !reason.empty()) return reason;
    out_text->resize(kMaxFamilyBytes + 1);
    size_t size = 0;
    while (size < out_text->size()) {
        const ssize_t got = read(file.get(), out_text->data() + size, out_text->size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return "cannot be read: " + words_of(errno);
        if (got == 0) break;
        size += static_cast<size_t>(got);
    }
    out_text->resize(size);
    if (size > kMaxFamilyBytes) return "is larger than " + std::to_string(kMaxFamilyBytes) + " bytes, the limit of a family's file";
    return "";
}

} // namespace qiao::cuda
