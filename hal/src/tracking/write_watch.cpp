#include "tracking/write_watch.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>

#include "tracking/page_scan.h"

namespace qiao {
namespace {

constexpr uint64_t kBatch = 128;  // regions in one system call: the kernel allocates as many, and more than 8 KiB at once cost it extra

constexpr const char* kUseNewer = "use Linux 6.7 or newer, built with CONFIG_PTE_MARKER_UFFD_WP";

std::string kernel() {
    utsname name{};
    uname(&name);
    return std::string("Linux ") + name.release;
}

WriteWatch::Obstacle no_userfaultfd(int error) {
    const std::string text = std::strerror(error);
    switch (error) {
        case EPERM:
        case EACCES:
            return {"the system call userfaultfd is forbidden to this process (" + text + "), as by a container's seccomp filter",
                    "allow userfaultfd in the container's seccomp profile or the security module's policy"};
        case ENOSYS:
            return {kernel() + " has no system call userfaultfd, or a seccomp filter hides it",
                    "allow userfaultfd in the container's seccomp profile; a kernel has it with CONFIG_USERFAULTFD"};
        case EINVAL:
            return {kernel() + " has no userfaultfd for ordinary users", kUseNewer};
        case EMFILE:
            return {"userfaultfd failed: " + text, "raise the process's limit of open files (ulimit -n)"};
        default:
            return {"userfaultfd failed: " + text, "free memory and files of the machine"};
    }
}

// A failing call on a descriptor that worked when it was opened.
qiao_status fail_call(const char* call, int descriptor) {
    const int error = errno;
    if (error == ENOMEM) {
        fail(QIAO_ERROR_OUT_OF_MEMORY, "%s for shared memory failed: %s", call, std::strerror(error));
        set_remedy("free memory of the machine");
        return QIAO_ERROR_OUT_OF_MEMORY;
    }
    fail(QIAO_ERROR_IO, "host writes to shared memory cannot be found: %s on descriptor %d failed: %s", call, descriptor,
         std::strerror(error));
    set_remedy("close no descriptors of the library (closefrom and its like do), or set QIAO_SHARED_TRACKING=compare, which needs none");
    return QIAO_ERROR_IO;
}

}  // namespace

WriteWatch::WriteWatch(Descriptor userfault, Descriptor pagemap) : userfault_(std::move(userfault)), pagemap_(std::move(pagemap)) {}

const WriteWatch* WriteWatch::get(Obstacle& out_obstacle) {
    static std::mutex mutex;
    // A forked child's descriptors still mean the parent's memory. Views of the parent may refer to the old one for ever.
    static const WriteWatch* current = nullptr;
    static pid_t owner = 0;
    std::lock_guard guard(mutex);
    if (current == nullptr || owner != getpid()) {
        current = open(out_obstacle);
        owner = getpid();
    }
    return current;
}

const WriteWatch* WriteWatch::open(Obstacle& out_obstacle) {
    Descriptor userfault(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | page_scan::kUserModeOnly)));
    if (!userfault) {
        out_obstacle = no_userfaultfd(errno);
        return nullptr;
    }
    uffdio_api api{};
    api.api = UFFD_API;
    api.features = page_scan::kFeaturePagefaultFlagWp | page_scan::kFeatureWpHugetlbfsShmem | page_scan::kFeatureWpUnpopulated |
                   page_scan::kFeatureWpAsync;
    if (ioctl(userfault.number(), UFFDIO_API, &api) != 0) {
        out_obstacle = {kernel() + " cannot protect shared memory against writes asynchronously, which came with 6.7", kUseNewer};
        return nullptr;
    }
    Descriptor pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
    if (!pagemap) {
        out_obstacle = {std::string("/proc/self/pagemap cannot be opened: ") + std::strerror(errno),
                        "mount /proc, and let the process read its own files there"};
        return nullptr;
    }
    std::unique_ptr<WriteWatch> watch(new WriteWatch(std::move(userfault), std::move(pagemap)));
    if (!watch->finds_a_write()) {
        out_obstacle = {kernel() + " does not tell which pages were written, as PAGEMAP_SCAN does since 6.7: " + last_error().message,
                        kUseNewer};
        return nullptr;
    }
    return watch.release();
}

bool WriteWatch::finds_a_write() const {
    Descriptor file(memfd_create("qiao-trial", MFD_CLOEXEC));
    if (!file || ftruncate(file.number(), static_cast<off_t>(page_bytes())) != 0) {
        fail_call("memfd_create", file.number());
        return false;
    }
    Mapping page;
    std::vector<Run> runs;
    if (Mapping::create(file.number(), page_bytes(), page_bytes(), page) != QIAO_OK || watch(page) != QIAO_OK) return false;
    if (scan(page, 0, page_bytes(), Then::kProtect, runs) != QIAO_OK) return false;
    const bool none_before = runs.empty();
    *reinterpret_cast<volatile char*>(page.address()) = 1;
    if (scan(page, 0, page_bytes(), Then::kProtect, runs) != QIAO_OK) return false;
    if (none_before && runs.size() == 1) return true;
    fail(QIAO_ERROR_UNSUPPORTED, "a trial found %s", none_before ? "no write where there was one" : "a write where there was none");
    return false;
}

qiao_status WriteWatch::watch(const Mapping& mapping) const {
    const uffdio_range range{reinterpret_cast<uintptr_t>(mapping.address()), mapping.size_bytes()};
    uffdio_register enrol{};
    enrol.range = range;
    enrol.mode = UFFDIO_REGISTER_MODE_WP;
    if (ioctl(userfault_.number(), UFFDIO_REGISTER, &enrol) != 0) return fail_call("UFFDIO_REGISTER", userfault_.number());
    uffdio_writeprotect protect{};
    protect.range = range;
    protect.mode = UFFDIO_WRITEPROTECT_MODE_WP;
    // Another thread's fork or mremap is in the way for a moment.
    while (ioctl(userfault_.number(), UFFDIO_WRITEPROTECT, &protect) != 0) {
        if (errno != EAGAIN) return fail_call("UFFDIO_WRITEPROTECT", userfault_.number());
    }
    return QIAO_OK;
}

qiao_status WriteWatch::scan(const Mapping& mapping, uint64_t offset, uint64_t size_bytes, Then then, std::vector<Run>& out) const {
    page_scan::Region regions[kBatch];
    const uint64_t base = reinterpret_cast<uintptr_t>(mapping.address());
    page_scan::Arguments arguments{};
    arguments.size = sizeof arguments;
    arguments.flags = page_scan::kCheckAsync | (then == Then::kProtect ? page_scan::kProtectMatching : 0);
    arguments.start = base + offset;
    arguments.end = arguments.start + size_bytes;
    arguments.regions = reinterpret_cast<uintptr_t>(regions);
    // No more regions than every second page: the kernel and `out` need no room for others.
    arguments.region_count = std::min(kBatch, (size_bytes / page_bytes() + 1) / 2);
    arguments.category_mask = arguments.return_mask = page_scan::kIsWritten;
    while (arguments.start < arguments.end) {
        // Before the kernel forgets: a page that is protected again and not told would be lost.
        if (const size_t needed = out.size() + arguments.region_count; out.capacity() < needed) {
            out.reserve(std::max(needed, 2 * out.capacity()));
        }
        const int found = ioctl(pagemap_.number(), page_scan::kRequest, &arguments);
        if (found < 0 && errno == EINTR) continue;
        if (found < 0) return fail_call("PAGEMAP_SCAN", pagemap_.number());
        for (int index = 0; index < found; ++index) {
            append(out, {regions[index].start - base, regions[index].end - regions[index].start});
        }
        arguments.start = arguments.walk_end;
    }
    return QIAO_OK;
}

}  // namespace qiao
