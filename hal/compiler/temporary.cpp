// Temporary directories and whole-file reads and writes.
#include "temporary.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace qiao::compiler {

Outcome<TemporaryDirectory> TemporaryDirectory::make() {
    const char* root = secure_getenv("TMPDIR");
    std::string path = concat(root && *root == '/' ? root : "/tmp", "/qiao-compiler-XXXXXX");
    if (mkdtemp(path.data()) == nullptr)
        return Failure{QIAO_ERROR_IO, concat("cannot make the directory '", path, "': ", std::strerror(errno)),
                       "set TMPDIR to a directory that can be written", "", 0};
    return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::~TemporaryDirectory() {
    if (path_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

bool write_file(const std::string& path, std::string_view text) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return false;
    while (!text.empty()) {
        const ssize_t put = write(file, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            const int reason = errno;
            close(file);
            errno = reason;
            return false;
        }
        text.remove_prefix(static_cast<size_t>(put));
    }
    return close(file) == 0;
}

bool read_file(const std::string& path, std::string& text) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    struct stat status = {};
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(file);
        errno = EINVAL;
        return false;
    }
    text.resize(static_cast<size_t>(status.st_size));
    size_t have = 0;
    while (have < text.size()) {
        const ssize_t got = read(file, text.data() + have, text.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        have += static_cast<size_t>(got);
    }
    close(file);
    text.resize(have);
    return true;
}

} // namespace qiao::compiler
