/* Whole files at once: arrays are used as a whole anyway. Writing goes to a temporary name first, so that a full disk or an
 * interrupted run leaves no half array under the name that was asked for. */
#include "cli/array/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "cli/array/npy.h"
#include "cli/array/png.h"
#include "cli/failure.h"

namespace qiao::cli {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
    throw Failure(kExitFailed, text(path, ": ", what, ": ", std::strerror(error)));
}

bool is_regular_or_new(const std::string& path) {
    struct stat info {};
    return stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode);
}

void write_all(const std::string& path, std::span<const std::byte> bytes, const std::string& shown) {
    errno = 0;
    File file(std::fopen(path.c_str(), "wb"));
    if (!file) fail(shown, "cannot be written", errno);
    const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
    const int error = errno;
    if (std::fclose(file.release()) != 0 || !written) fail(shown, "cannot be written", written ? errno : error);
}

} // namespace

std::vector<std::byte> read_file(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) fail(path, "cannot be read", errno);
    if (S_ISDIR(info.st_mode)) fail(path, "cannot be read", EISDIR);
    File file(std::fopen(path.c_str(), "rb"));
    if (!file) fail(path, "cannot be read", errno);
    /* One more than expected: a short count then says that the end was seen. */
    std::vector<std::byte> bytes(S_ISREG(info.st_mode) ? static_cast<size_t>(info.st_size) + 1 : 65536);
    size_t size = std::fread(bytes.data(), 1, bytes.size(), file.get());
    while (size == bytes.size()) { /* a pipe, or a file that grew */
        bytes.resize(size + 65536);
        const size_t more = std::fread(bytes.data() + size, 1, 65536, file.get());
        size += more;
        if (more == 0) break;
    }
    if (std::ferror(file.get()) != 0) fail(path, "cannot be read", EIO);
    bytes.resize(size);
    return bytes;
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
    if (!is_regular_or_new(path)) return write_all(path, bytes, path); /* a pipe or a terminal cannot be renamed onto */
    const std::string temporary = text(path, ".", getpid(), ".part");
    try {
        write_all(temporary, bytes, path);
    } catch (const Failure&) {
        std::remove(temporary.c_str());
        throw;
    }
    if (std::rename(temporary.c_str(), path.c_str()) != 0) {
        const int error = errno;
        std::remove(temporary.c_str());
        fail(path, "cannot be written", error);
    }
}

bool is_array_path(const std::string& path) {
    return path.ends_with(".npy") || path.ends_with(".png");
}

Array read_array(const std::string& path) {
    if (!is_array_path(path)) throw Failure(kExitUsage, path + ": not a .npy or .png file", "rename or convert it");
    const std::vector<std::byte> file = read_file(path);
    return path.ends_with(".png") ? parse_png(file, path) : parse_npy(file, path);
}

void write_array(const std::string& path, const Array& array) {
    if (!is_array_path(path))
        throw Failure(kExitUsage, path + ": not a .npy or .png file name", "end it in .npy or .png");
    write_file(path, path.ends_with(".png") ? format_png(array, path) : format_npy(array));
}

} // namespace qiao::cli
