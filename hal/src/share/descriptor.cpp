#include "share/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cinttypes>
#include <cstring>

#include "tracking/sealed_file.h"

namespace qiao {
namespace {

constexpr int kWriteSeals = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

qiao_status refuse(const char* what) {
    fail(QIAO_ERROR_INVALID_ARGUMENT, "the descriptor %s", what);
    set_remedy("give the descriptor that the export of this handle gave, as SCM_RIGHTS brings it");
    return QIAO_ERROR_INVALID_ARGUMENT;
}

}  // namespace

qiao_status duplicate(int32_t descriptor, Descriptor& out) {
    out = Descriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (out) return QIAO_OK;
    if (errno != EMFILE) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "descriptor %d is not open", descriptor);
        set_remedy("close a descriptor after it was imported, not before");
        return QIAO_ERROR_INVALID_ARGUMENT;
    }
    fail(QIAO_ERROR_OUT_OF_MEMORY, "descriptor %d cannot be duplicated: %s", descriptor, std::strerror(errno));
    set_remedy("close files, or raise the process's limit of open files (ulimit -n)");
    return QIAO_ERROR_OUT_OF_MEMORY;
}

bool keep_from_children(int32_t descriptor) {
    const int flags = fcntl(descriptor, F_GETFD);
    return flags >= 0 && ((flags & FD_CLOEXEC) != 0 || fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) == 0);
}

qiao_status check_may_be_memory(const Descriptor& descriptor) {
    struct stat status{};
    if (fstat(descriptor.number(), &status) != 0) return refuse("does not tell what it is");
    // What drivers hand over is a file in memory, or an anonymous one without a type.
    return S_ISREG(status.st_mode) || (status.st_mode & S_IFMT) == 0 ? QIAO_OK : refuse("is a pipe, a socket, a folder or a device, and no memory");
}

qiao_status check_sealed_file(const Descriptor& file, uint64_t size_bytes) {
    const int seals = fcntl(file.number(), F_GET_SEALS);
    if (seals < 0) return refuse("is no file in memory");
    if ((seals & kSizeSeals) != kSizeSeals) return refuse("is of a file that can be resized: its size is not sealed");
    if ((seals & kWriteSeals) != 0) return refuse("is of a file that is sealed against writing");
    if ((fcntl(file.number(), F_GETFL) & (O_ACCMODE | O_PATH)) != O_RDWR) return refuse("cannot be read and written");
    struct stat status{};
    if (fstat(file.number(), &status) != 0) return refuse("does not tell its size");
    if (static_cast<uint64_t>(status.st_size) == size_bytes) return QIAO_OK;
    fail(QIAO_ERROR_INVALID_ARGUMENT, "the descriptor is of a file of %" PRIu64 " bytes, and the handle of one of %" PRIu64, static_cast<uint64_t>(status.st_size), size_bytes);
    set_remedy("give the handle and the descriptor of one export");
    return QIAO_ERROR_INVALID_ARGUMENT;
}

}  // namespace qiao
