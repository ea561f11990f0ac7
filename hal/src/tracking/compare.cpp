// Writes as differences from a copy of what was last taken, where the kernel does not tell: byte exact but for the size of
// a block, at the price of reading everything. And the last resort: everything counts as written.
#include <cstring>

#include "tracking/tracker.h"

namespace qiao {
namespace {

constexpr uint64_t kPieceBytes = 4096, kBlockBytes = 64;
constexpr uint64_t kBridgedBytes = 3 * kBlockBytes;  // sending them costs less than a run of its own

class Compare final : public Tracker {
public:
    Compare(const Mapping& lib, Mapping copy) : lib_(lib), copy_(std::move(copy)) {}

    // The host may write meanwhile. The copy, which the card gets, is made in the second pass: whatever it catches of such
    // a write, the rest differs from it at the next take.
    qiao_status take(uint64_t offset, uint64_t size_bytes, bool, std::vector<Run>& out) override {
        QIAO_RETURN_IF_ERROR(peek(offset, size_bytes, out));
        for (const Run& run : out) agreed(run.offset, run.size_bytes);
        return QIAO_OK;
    }

    qiao_status peek(uint64_t offset, uint64_t size_bytes, std::vector<Run>& out) const override {
        out.clear();
        each_piece({offset, size_bytes}, kPieceBytes, [&](const Run& piece) {
            if (is_equal(piece)) return;
            each_piece(piece, kBlockBytes, [&](const Run& block) {
                if (!is_equal(block)) append(out, block, kBridgedBytes);
            });
        });
        return QIAO_OK;
    }

    void agreed(uint64_t offset, uint64_t size_bytes) override {
        std::memcpy(copy_.address() + offset, lib_.address() + offset, size_bytes);
    }
    const std::byte* taken() const override { return copy_.address(); }

private:
    // The run cut at multiples of `bytes`.
    template <class Action>
    static void each_piece(const Run& run, uint64_t bytes, Action&& action) {
        for (uint64_t begin = run.offset; begin < run.end();) {
            const Run piece = clip(run, begin, (begin / bytes + 1) * bytes);
            action(piece);
            begin = piece.end();
        }
    }
    bool is_equal(const Run& run) const {
        return std::memcmp(lib_.address() + run.offset, copy_.address() + run.offset, run.size_bytes) == 0;
    }

    const Mapping& lib_;
    const Mapping copy_;
};

class Full final : public Tracker {
public:
    explicit Full(const Mapping& lib) : lib_(lib) {}

    qiao_status take(uint64_t offset, uint64_t size_bytes, bool, std::vector<Run>& out) override {
        return peek(offset, size_bytes, out);
    }
    qiao_status peek(uint64_t offset, uint64_t size_bytes, std::vector<Run>& out) const override {
        out.assign(1, {offset, size_bytes});
        return QIAO_OK;
    }
    void agreed(uint64_t, uint64_t) override {}
    const std::byte* taken() const override { return lib_.address(); }

private:
    const Mapping& lib_;
};

}  // namespace

qiao_status create_compare(const Mapping& lib, std::unique_ptr<Tracker>& out) {
    Mapping copy;
    QIAO_RETURN_IF_ERROR(Mapping::create(-1, lib.size_bytes(), page_bytes(), copy));
    out = std::make_unique<Compare>(lib, std::move(copy));
    return QIAO_OK;
}

std::unique_ptr<Tracker> create_full(const Mapping& lib) {
    return std::make_unique<Full>(lib);
}

}  // namespace qiao
