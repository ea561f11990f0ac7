#include "tracking/host_view.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <bit>
#include <cassert>
#include <cerrno>
#include <cinttypes>
#include <cstring>

#include "tracking/tracker.h"

namespace qiao {
namespace {

constexpr unsigned kNoExecSeal = 8;  // MFD_NOEXEC_SEAL of Linux 6.3, where some administrators demand it

qiao_status fail_to_create(const char* what, uint64_t size_bytes, const char* why, const char* remedy) {
    fail(QIAO_ERROR_OUT_OF_MEMORY, "%s of %" PRIu64 " bytes for shared memory failed: %s", what, size_bytes, why);
    set_remedy(remedy);
    return QIAO_ERROR_OUT_OF_MEMORY;
}

// A file in memory that nobody can resize: who maps it is never surprised by SIGBUS.
qiao_status create_file(uint64_t size_bytes, Descriptor& out) {
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
    if (fcntl(file.number(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        return fail_to_create("F_ADD_SEALS", size_bytes, std::strerror(errno), "use a kernel with sealed memory files");
    out = std::move(file);
    return QIAO_OK;
}

}  // namespace

const char* tracking_name(Tracking tracking) {
    switch (tracking) {
        case Tracking::kScan:
            return "scan";
        case Tracking::kCompare:
            return "compare";
        case Tracking::kFull:
            return "full";
    }
    return "";
}

HostView::HostView(uint64_t size_bytes, Descriptor file, Mapping app, Mapping lib)
    : size_bytes_(size_bytes), file_(std::move(file)), app_(std::move(app)), lib_(std::move(lib)) {}

HostView::~HostView() = default;

qiao_status HostView::create(uint64_t size_bytes, uint64_t alignment, Tracking tracking, std::unique_ptr<HostView>& out) {
    if (size_bytes == 0) return fail(QIAO_ERROR_INVALID_ARGUMENT, "shared memory of 0 bytes");
    if (!std::has_single_bit(alignment))
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "an alignment of %" PRIu64 " bytes, which is no power of two", alignment);
    if (size_bytes > uint64_t{INT64_MAX} - page_bytes())
        return fail_to_create("ftruncate", size_bytes, "no file is so large", "allocate less");
    const uint64_t mapped_bytes = (size_bytes + page_bytes() - 1) & ~(page_bytes() - 1);
    Descriptor file;
    Mapping app, lib;
    QIAO_RETURN_IF_ERROR(create_file(mapped_bytes, file));
    QIAO_RETURN_IF_ERROR(Mapping::create(file.number(), mapped_bytes, alignment, app));
    QIAO_RETURN_IF_ERROR(Mapping::create(file.number(), mapped_bytes, page_bytes(), lib));
    std::unique_ptr<HostView> view(new HostView(size_bytes, std::move(file), std::move(app), std::move(lib)));
    switch (tracking) {
        case Tracking::kScan:
            QIAO_RETURN_IF_ERROR(create_scan(size_bytes, view->app_, view->lib_, view->tracker_));
            break;
        case Tracking::kCompare:
            QIAO_RETURN_IF_ERROR(create_compare(view->lib_, view->tracker_));
            break;
        case Tracking::kFull:
            view->tracker_ = create_full(view->lib_);
            break;
    }
    out = std::move(view);
    return QIAO_OK;
}

qiao_status HostView::check_range(uint64_t offset, uint64_t size_bytes) const {
    if (offset <= size_bytes_ && size_bytes <= size_bytes_ - offset) return QIAO_OK;
    return fail(QIAO_ERROR_OUT_OF_RANGE, "%" PRIu64 " bytes at offset %" PRIu64 " are not within shared memory of %" PRIu64 " bytes",
                size_bytes, offset, size_bytes_);
}

qiao_status HostView::take(uint64_t offset, uint64_t size_bytes, bool rearm_all, std::vector<Run>& out) {
    out.clear();
    QIAO_RETURN_IF_ERROR(check_range(offset, size_bytes));
    return size_bytes == 0 ? QIAO_OK : tracker_->take(offset, size_bytes, rearm_all, out);
}

qiao_status HostView::peek(uint64_t offset, uint64_t size_bytes, std::vector<Run>& out) const {
    out.clear();
    QIAO_RETURN_IF_ERROR(check_range(offset, size_bytes));
    return size_bytes == 0 ? QIAO_OK : tracker_->peek(offset, size_bytes, out);
}

void HostView::agreed(uint64_t offset, uint64_t size_bytes) {
    assert(check_range(offset, size_bytes) == QIAO_OK);
    tracker_->agreed(offset, size_bytes);
}

const std::byte* HostView::taken() const {
    return tracker_->taken();
}

}  // namespace qiao
