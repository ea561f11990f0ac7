#include "tracking/sealed_file.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <string>

namespace qiao {
namespace {

constexpr unsigned kNoExecSeal = 8;  // MFD_NOEXEC_SEAL of Linux 6.3, where some administrators demand it

qiao_status fail_to_create(const char* what, uint64_t size_bytes, const char* why, const char* remedy) {
    fail(QIAO_ERROR_OUT_OF_MEMORY, "%s of %" PRIu64 " bytes for shared memory failed: %s", what, size_bytes, why);
    set_remedy(remedy);
    return QIAO_ERROR_OUT_OF_MEMORY;
}

}  // namespace

qiao_status create_sealed_file(uint64_t wanted_bytes, Descriptor& out) {
    if (wanted_bytes > uint64_t{INT64_MAX} - page_bytes())
        return fail_to_create("ftruncate", wanted_bytes, "no file is so large", "allocate less");
    const uint64_t size_bytes = whole_pages(wanted_bytes);
    rlimit limit{};
    // Beyond the limit, ftruncate would send SIGXFSZ.
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && size_bytes > limit.rlim_cur) {
        const std::string why = "the process's limit of file sizes is " + std::to_string(limit.rlim_cur) + ", and shared memory is a file";
        return fail_to_create("memfd_create", size_bytes, why.c_str(), "raise the limit (ulimit -f), or allocate less");
    }
    constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    Descriptor file(memfd_create("qiao", kFlags | kNoExecSeal));
    if (!file && errno == EINVAL) file = Descriptor(memfd_create("qiao", kFlags));
    if (!file) {
        const char* remedy = errno == EMFILE ? "raise the process's limit of open files (ulimit -n): each shared allocation is one"
                                             : "free memory and files of the machine";
        return fail_to_create("memfd_create", size_bytes, std::strerror(errno), remedy);
    }
    if (ftruncate(file.number(), static_cast<off_t>(size_bytes)) != 0)
        return fail_to_create("ftruncate", size_bytes, std::strerror(errno), "allocate less");
    if (fcntl(file.number(), F_ADD_SEALS, kSizeSeals) != 0)
        return fail_to_create("F_ADD_SEALS", size_bytes, std::strerror(errno), "use a kernel with sealed memory files");
    out = std::move(file);
    return QIAO_OK;
}

}  // namespace qiao
