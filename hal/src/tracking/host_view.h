// Memory that the host writes through a plain pointer, and what it has written since the library last looked. Knows pages
// and bytes; what is sent to which card, and when, is the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "qiao/status.h"
#include "tracking/mapping.h"
#include "tracking/run.h"

namespace qiao {

// How host writes are found.
enum class Tracking {
    kScan,     // the kernel marks written pages (write protection by userfaultfd, PAGEMAP_SCAN)
    kCompare,  // comparison with a copy of what was last taken
    kFull,     // not at all: everything counts as written
};
const char* tracking_name(Tracking tracking);  // "scan", "compare", "full"

struct TrackingChoice {
    Tracking tracking = Tracking::kFull;
    std::string reason;  // why not a better one: the missing permission or kernel version, or the variable; "" for scan
    std::string remedy;  // what to do for a better one
};

// The best that this process may use, found by trying it; QIAO_SHARED_TRACKING=auto|scan|compare|full forces one. A forced
// one that is impossible, and an unknown word, are errors.
qiao_status choose_tracking(TrackingChoice& out);

class Tracker;

// Memory that the host writes through `app()`, with a second mapping `lib()` of the same pages that only the library uses
// and whose writes are never tracked. Calls for one view are serialised by the caller; threads of the application may write
// through `app()` at any time, and no such write is ever lost: one that a take() comes too early for is found by the next.
//
// The kernel's own writes (read(2) into the memory) are found like any others. With scan these are not: a forked child's,
// which arrive in the parent all the same; those of devices that hold its pages while it is taken (direct I/O under way, RDMA,
// fixed buffers of io_uring); those through another mapping of `descriptor()`; and zeros by a punched hole (MADV_REMOVE). Where
// the kernel makes huge pages of the memory, scan still sees small ones.
class HostView {
public:
    // Zeroed; nothing counts as written yet, except with full. `alignment` is a power of two.
    static qiao_status create(uint64_t size_bytes, uint64_t alignment, Tracking tracking, std::unique_ptr<HostView>& out);
    ~HostView();
    HostView(const HostView&) = delete;
    HostView& operator=(const HostView&) = delete;

    std::byte* app() const { return app_.address(); }
    std::byte* lib() const { return lib_.address(); }
    uint64_t size_bytes() const { return size_bytes_; }
    int descriptor() const { return file_.number(); }  // the sealed memfd, borrowed

    // What the host has written in [offset, offset + size_bytes) since it was last taken, in ascending runs within that
    // range: whole pages with scan, blocks of 64 bytes with compare, everything with full. From here on these bytes count
    // as clean. On failure nothing is taken.
    // A page that is found dirty has to be protected again, and its next write then costs a fault, which pays only where few
    // pages are written. So chunks of 2 MiB of which more than a third was dirty at two takes in a row stay unprotected, their
    // dirty pages counting as dirty at each take, and are tried again every eighth time; what is filled once is not among
    // them. With `rearm_all` every page is protected from here on: the card is going to write it.
    qiao_status take(uint64_t offset, uint64_t size_bytes, bool rearm_all, std::vector<Run>& out);

    // Where the bytes of the runs that take() found are read, as at offsets of lib(). It is lib() unless the library keeps
    // a copy (compare): then the card must get that copy. Were it sent lib() and the host changed a block after take() and
    // changed it back, the copy would be equal to the memory, and the card would keep what was there in between.
    const std::byte* taken() const;

    // The same as take() without taking.
    qiao_status peek(uint64_t offset, uint64_t size_bytes, std::vector<Run>& out) const;

    // The library has written [offset, offset + size_bytes) through lib(): host and card agree there.
    void agreed(uint64_t offset, uint64_t size_bytes);

private:
    HostView(uint64_t size_bytes, Descriptor file, Mapping app, Mapping lib);
    qiao_status check_range(uint64_t offset, uint64_t size_bytes) const;

    const uint64_t size_bytes_;
    const Descriptor file_;
    const Mapping app_, lib_;
    std::unique_ptr<Tracker> tracker_;
};

}  // namespace qiao
