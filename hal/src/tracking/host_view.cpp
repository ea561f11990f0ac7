#include "tracking/host_view.h"

#include <bit>
#include <cassert>
#include <cinttypes>

#include "tracking/sealed_file.h"
#include "tracking/tracker.h"

namespace qiao {

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
    Descriptor file;
    Mapping app, lib;
    QIAO_RETURN_IF_ERROR(create_sealed_file(size_bytes, file));
    const uint64_t mapped_bytes = whole_pages(size_bytes);
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
