// Writes as the kernel records them, page by page. A page is protected first and read afterwards, so a write in between is
// found by the next take.
#include <algorithm>

#include "tracking/tracker.h"
#include "tracking/write_watch.h"

namespace qiao {
namespace {

constexpr uint64_t kChunkBytes = UINT64_C(2) << 20;
constexpr uint8_t kTakesUnprotected = 8;
constexpr uint8_t kOnTrial = 255;

class Scan final : public Tracker {
public:
    Scan(const WriteWatch& watch, uint64_t size_bytes, const Mapping& app, const Mapping& lib)
        : watch_(watch), size_bytes_(size_bytes), app_(app), lib_(lib), unprotected_((app.size_bytes() + kChunkBytes - 1) / kChunkBytes) {}

    qiao_status take(uint64_t offset, uint64_t size_bytes, bool rearm_all, std::vector<Run>& out) override {
        out.clear();
        const Run pages = whole_pages(offset, size_bytes);
        QIAO_RETURN_IF_ERROR(rearm_all ? find_and_protect_all(pages) : find(pages));
        if (found_.empty()) return QIAO_OK;
        normalize(found_);
        clip(found_, 0, size_bytes_);
        extract(found_, offset, offset + size_bytes, out);
        return QIAO_OK;
    }

    qiao_status peek(uint64_t offset, uint64_t size_bytes, std::vector<Run>& out) const override {
        out = found_;
        const Run pages = whole_pages(offset, size_bytes);
        QIAO_RETURN_IF_ERROR(watch_.scan(app_, pages.offset, pages.size_bytes, WriteWatch::Then::kLeave, out));
        normalize(out);
        clip(out, offset, offset + size_bytes);
        return QIAO_OK;
    }

    void agreed(uint64_t, uint64_t) override {}
    const std::byte* taken() const override { return lib_.address(); }

private:
    static Run whole_pages(uint64_t offset, uint64_t size_bytes) {
        const uint64_t mask = page_bytes() - 1, begin = offset & ~mask;
        return {begin, ((offset + size_bytes + mask) & ~mask) - begin};
    }

    qiao_status find_and_protect_all(const Run& pages) {
        QIAO_RETURN_IF_ERROR(watch_.scan(app_, pages.offset, pages.size_bytes, WriteWatch::Then::kProtect, found_));
        const auto first = unprotected_.begin() + static_cast<ptrdiff_t>(pages.offset / kChunkBytes);
        std::fill(first, unprotected_.begin() + static_cast<ptrdiff_t>((pages.end() + kChunkBytes - 1) / kChunkBytes), uint8_t{0});
        return QIAO_OK;
    }

    // Looks first and protects in a second pass, since protection that is not wanted cannot be taken back cheaply: the
    // first write to each page would fault all the same.
    qiao_status find(const Run& pages) {
        written_.clear();
        QIAO_RETURN_IF_ERROR(watch_.scan(app_, pages.offset, pages.size_bytes, WriteWatch::Then::kLeave, written_));
        Run to_protect;
        auto run = written_.begin();
        for (uint64_t begin = pages.offset / kChunkBytes * kChunkBytes; run != written_.end(); begin += kChunkBytes) {
            const uint64_t end = begin + kChunkBytes;
            const auto first = run;
            uint64_t written_bytes = 0, last_end = 0;
            for (; run != written_.end() && run->offset < end; ++run) {
                const Run piece = clip(*run, begin, end);
                written_bytes += piece.size_bytes;
                last_end = piece.end();
                if (run->end() > end) break;  // goes on in the next chunk
            }
            if (written_bytes == 0) continue;
            const Run span = clip({first->offset, last_end - first->offset}, begin, end);
            if (stays_unprotected(begin / kChunkBytes, written_bytes)) {
                QIAO_RETURN_IF_ERROR(protect(to_protect));
                to_protect = {};
                for (auto piece = first; piece != written_.end() && piece->offset < end; ++piece) append(found_, clip(*piece, begin, end));
            } else if (to_protect.size_bytes > 0 && span.offset - to_protect.end() <= kChunkBytes) {
                to_protect.size_bytes = span.end() - to_protect.offset;  // a system call costs as much as such a gap
            } else {
                QIAO_RETURN_IF_ERROR(protect(to_protect));
                to_protect = span;
            }
        }
        return protect(to_protect);
    }

    qiao_status protect(const Run& pages) {
        if (pages.size_bytes == 0) return QIAO_OK;
        return watch_.scan(app_, pages.offset, pages.size_bytes, WriteWatch::Then::kProtect, found_);
    }

    bool stays_unprotected(uint64_t chunk, uint64_t written_bytes) {
        uint8_t& takes = unprotected_[chunk];
        if (written_bytes <= kChunkBytes / 3) {
            takes = 0;
        } else if (takes == 0) {
            takes = kOnTrial;
        } else if (takes == kOnTrial) {
            takes = kTakesUnprotected;
        } else if (--takes == 0) {
            takes = kOnTrial;
        }
        return takes > 0 && takes != kOnTrial;
    }

    const WriteWatch& watch_;
    const uint64_t size_bytes_;
    const Mapping& app_;
    const Mapping& lib_;
    // By chunk: for how many takes it stays unprotected; 0 = it is protected, kOnTrial = it is, and was densely written before.
    std::vector<uint8_t> unprotected_;
    // Found, perhaps protected again, and not taken yet: what a take found beside its range, or before it failed. Complete
    // with what the kernel has.
    std::vector<Run> found_;
    std::vector<Run> written_;  // of one take; kept for its memory
};

}  // namespace

qiao_status create_scan(uint64_t size_bytes, const Mapping& app, const Mapping& lib, std::unique_ptr<Tracker>& out) {
    WriteWatch::Obstacle obstacle;
    const WriteWatch* watch = WriteWatch::get(obstacle);
    if (watch == nullptr) {
        fail(QIAO_ERROR_UNSUPPORTED, "host writes cannot be found by scanning pages: %s", obstacle.reason.c_str());
        set_remedy(obstacle.remedy);
        return QIAO_ERROR_UNSUPPORTED;
    }
    auto tracker = std::make_unique<Scan>(*watch, size_bytes, app, lib);
    QIAO_RETURN_IF_ERROR(watch->watch(app));
    out = std::move(tracker);
    return QIAO_OK;
}

}  // namespace qiao
