/* What is found of the host's writes, in one thread: nothing is lost, and nothing is told twice. */
#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "support.h"

using namespace tracking;

namespace {

constexpr Tracking kPrecise[] = {Tracking::kScan, Tracking::kCompare};

bool is_possible(Tracking tracking) {
    return std::count(all_trackings().begin(), all_trackings().end(), tracking) > 0;
}

/* Runs are ascending, do not touch, lie within the range. */
bool is_tidy(const std::vector<Run>& runs, uint64_t begin, uint64_t end) {
    for (size_t index = 0; index < runs.size(); ++index) {
        if (runs[index].size_bytes == 0 || runs[index].offset < begin || runs[index].end() > end) return false;
        if (index > 0 && runs[index].offset <= runs[index - 1].end()) return false;
    }
    return true;
}

/* Bytes that the kernel maps in huge pages of the mapping that begins at `address`. */
uint64_t huge_bytes(const void* address) {
    char wanted[32];
    std::snprintf(wanted, sizeof wanted, "%lx-", reinterpret_cast<unsigned long>(address));
    std::ifstream file("/proc/self/smaps");
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(wanted)) inside = true;
        unsigned long kib = 0;
        if (inside && std::sscanf(line.c_str(), "ShmemPmdMapped: %lu kB", &kib) == 1) return kib * 1024;
    }
    return 0;
}

}  // namespace

TEST_SUITE_BEGIN("host_view");

TEST_CASE("new memory is zeroed, aligned, mapped twice, and nothing in it counts as written") {
    for (const Tracking tracking : all_trackings()) {
        for (const uint64_t alignment : {UINT64_C(1), UINT64_C(64), kPage, 16 * kPage, kChunk, 16 * kChunk}) {
            CAPTURE(name(tracking));
            CAPTURE(alignment);
            const auto view = make(3 * kPage + 5, tracking, alignment);
            CHECK(reinterpret_cast<uintptr_t>(view->app()) % alignment == 0);
            CHECK(view->size_bytes() == 3 * kPage + 5);
            CHECK(std::all_of(view->app(), view->app() + view->size_bytes(), [](std::byte value) { return value == std::byte{0}; }));
            view->lib()[3 * kPage] = std::byte{7};
            CHECK(view->app()[3 * kPage] == std::byte{7});
            view->agreed(3 * kPage, 1);
            CHECK(bytes_of(peek(*view)) == (tracking == Tracking::kFull ? view->size_bytes() : 0));
        }
    }
}

TEST_CASE("the file behind it is sealed and as large as its pages") {
    const auto view = make(kPage + 1, Tracking::kFull);
    CHECK(fcntl(view->descriptor(), F_GET_SEALS) >= (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW));
    CHECK(lseek(view->descriptor(), 0, SEEK_END) == static_cast<off_t>(2 * kPage));
    CHECK(ftruncate(view->descriptor(), 0) != 0);
    CHECK((fcntl(view->descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("the first and the last byte of memory of any size") {
    for (const Tracking tracking : all_trackings()) {
        for (const uint64_t size : {UINT64_C(1), kPage - 1, kPage, kPage + 1, kChunk + 1, UINT64_C(64) << 20}) {
            CAPTURE(name(tracking));
            CAPTURE(size);
            const auto view = make(size, tracking);
            Card card(*view);
            for (const uint64_t offset : {UINT64_C(0), size - 1}) {
                view->app()[offset] ^= std::byte{0x5a};
                const auto runs = card.sync(*view);
                REQUIRE(runs.size() == 1);
                CHECK(is_tidy(runs, 0, size));
                CHECK(runs[0].offset <= offset);
                CHECK(runs[0].end() > offset);
                const uint64_t granule = tracking == Tracking::kScan ? kPage : tracking == Tracking::kCompare ? 64 : size;
                CHECK(runs[0].size_bytes <= granule);
                CHECK(card.has(*view));
                if (tracking != Tracking::kFull) CHECK(take(*view).empty());
            }
        }
    }
}

TEST_CASE("stores, memcpy, memset and read(2) are found, and read(2) works") {
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const auto view = make(64 * kPage, tracking);
        Card card(*view);
        card.sync(*view, true); /* protected, whatever there was */
        *reinterpret_cast<uint64_t*>(view->app() + 8) = 1;
        std::memcpy(view->app() + 3 * kPage - 50, "across the end of a page, which makes two of them written, so says this text", 75);
        std::memset(view->app() + 7 * kPage, 1, 5 * kPage);

        int ends[2];
        REQUIRE(pipe(ends) == 0);
        const std::string sent(5000, 'p');
        REQUIRE(write(ends[1], sent.data(), sent.size()) == 5000);
        CHECK(read(ends[0], view->app() + 20 * kPage - 10, 5000) == 5000);
        close(ends[0]);
        close(ends[1]);

        const auto runs = card.sync(*view);
        CHECK(card.has(*view));
        CHECK(std::memcmp(view->app() + 20 * kPage - 10, sent.data(), 5000) == 0);
        if (tracking == Tracking::kScan)
            CHECK(runs == std::vector<Run>{{0, kPage}, {2 * kPage, 2 * kPage}, {7 * kPage, 5 * kPage}, {19 * kPage, 3 * kPage}});
        if (tracking == Tracking::kCompare)
            CHECK(runs == std::vector<Run>{{0, 64}, {3 * kPage - 64, 128}, {7 * kPage, 5 * kPage}, {20 * kPage - 64, 64 + 4992}});
    }
}

TEST_CASE("writes through lib stay clean, and so does what the host reads") {
    for (const Tracking tracking : kPrecise) {
        if (!is_possible(tracking)) continue;
        CAPTURE(name(tracking));
        const auto view = make(8 * kPage, tracking);
        Card card(*view);
        card.write(*view, 0, 8 * kPage, std::byte{1});
        CHECK(peek(*view).empty());
        CHECK(card.has(*view));
        view->app()[kPage] = std::byte{2};
        CHECK(bytes_of(card.sync(*view)) > 0);
        card.write(*view, 0, 8 * kPage, std::byte{3});
        uint64_t sum = 0;
        for (uint64_t offset = 0; offset < view->size_bytes(); ++offset) sum += std::to_integer<uint64_t>(view->app()[offset]);
        CHECK(sum == 3 * 8 * kPage);
        CHECK(take(*view).empty());
    }
}

TEST_CASE("peek takes nothing") {
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const auto view = make(2 * kPage, tracking);
        view->app()[kPage] = std::byte{1};
        const auto seen = peek(*view);
        CHECK(bytes_of(seen) > 0);
        CHECK(peek(*view) == seen);
        CHECK(take(*view) == seen);
    }
}

TEST_CASE("a changed block that changes back after the take reaches the card as it is in the end") {
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const auto view = make(kPage, tracking);
        Card card(*view);
        view->app()[0] = std::byte{1};
        std::vector<Run> runs;
        REQUIRE(view->take(0, kPage, false, runs) == QIAO_OK);
        view->app()[0] = std::byte{2}; /* between the take and the transfer */
        card.receive(*view, runs);
        view->app()[0] = std::byte{1};
        card.sync(*view);
        CHECK(card.has(*view));
    }
}

TEST_CASE("what is outside of the range stays written: with scan to the byte, with compare to the block") {
    for (const Tracking tracking : kPrecise) {
        if (!is_possible(tracking)) continue;
        CAPTURE(name(tracking));
        const bool exact = tracking == Tracking::kScan;
        const auto view = make(4 * kPage, tracking);
        Card card(*view);
        std::memset(view->app(), 1, 3 * kPage);
        CHECK(card.sync(*view, 100, kPage) == std::vector<Run>{{100, kPage}});
        CHECK(card.has(*view, 100, kPage));
        const uint64_t cut = exact ? 100 : 64, low_end = exact ? 100 : 128;
        CHECK(peek(*view) == std::vector<Run>{{0, low_end}, {cut + kPage, 2 * kPage - cut}});
        CHECK(card.sync(*view, 50, 2 * kPage) == std::vector<Run>{{50, low_end - 50}, {cut + kPage, kPage - cut + 50}});
        CHECK(card.sync(*view, 4 * kPage, 0).empty());
        CHECK(bytes_of(card.sync(*view)) == (exact ? kPage : 64 + kPage));
        CHECK(card.has(*view));
        CHECK(take(*view).empty());
    }
}

TEST_CASE("random writes, results and takes of parts leave host and card equal") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const uint64_t size = kChunk + 1 + random() % (3 * kChunk);
        CAPTURE(size);
        const auto view = make(size, tracking);
        Card card(*view);
        const auto range = [&](uint64_t most) {
            const uint64_t offset = random() % size;
            return Run{offset, 1 + random() % std::min(most, size - offset)};
        };
        for (int round = 0; round < 400; ++round) {
            CAPTURE(round);
            const Run run = range(random() % 4 == 0 ? kChunk : 300);
            switch (random() % 4) {
                case 0: {
                    std::vector<Run> before;
                    REQUIRE(view->peek(run.offset, run.size_bytes, before) == QIAO_OK);
                    const bool rearm_all = random() % 2 == 0;
                    CHECK(card.sync(*view, run.offset, run.size_bytes, rearm_all) == before);
                    CHECK(is_tidy(before, run.offset, run.end()));
                    CHECK(card.has(*view, run.offset, run.size_bytes));
                    if (rearm_all && tracking != Tracking::kFull) {
                        REQUIRE(view->peek(run.offset, run.size_bytes, before) == QIAO_OK);
                        CHECK(before.empty());
                    }
                    break;
                }
                case 1:
                    card.write(*view, run.offset, run.size_bytes, static_cast<std::byte>(random()));
                    break;
                default:
                    std::memset(view->app() + run.offset, static_cast<int>(random()), run.size_bytes);
            }
        }
        card.sync(*view);
        CHECK(card.has(*view));
    }
}

TEST_CASE("a sparse update moves what was written only") {
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (const Tracking tracking : kPrecise) {
        if (!is_possible(tracking)) continue;
        CAPTURE(name(tracking));
        const auto view = make(UINT64_C(64) << 20, tracking);
        Card card(*view);
        const uint64_t pages = view->size_bytes() / kPage;
        for (uint64_t count = 0; count < pages / 100; ++count) {
            const uint64_t page = random() % pages;
            std::memset(view->app() + page * kPage + random() % 4000, 1 + static_cast<int>(count % 250), 90);
        }
        const auto runs = card.sync(*view);
        CHECK(is_tidy(runs, 0, view->size_bytes()));
        CHECK(bytes_of(runs) <= view->size_bytes() / 100);
        CHECK(card.has(*view));
        CHECK(take(*view).empty());
    }
}

TEST_CASE("a chunk of which more than a third was written twice in a row stays unprotected, and is tried again every eighth time") {
    if (!is_possible(Tracking::kScan)) return;
    const auto view = make(3 * kChunk, Tracking::kScan);
    Card card(*view);
    constexpr uint64_t kThird = kChunk / kPage / 3;
    std::memset(view->app() + kChunk, 1, kThird * kPage);
    CHECK(bytes_of(card.sync(*view)) == kThird * kPage);
    CHECK(take(*view).empty()); /* not more than a third */

    std::memset(view->app() + kChunk, 2, (kThird + 1) * kPage);
    view->app()[0] = std::byte{1};
    const std::vector<Run> dense{{kChunk, (kThird + 1) * kPage}};
    CHECK(card.sync(*view) == std::vector<Run>{{0, kPage}, dense[0]});
    CHECK(take(*view).empty()); /* filled once: it is watched */
    std::memset(view->app() + kChunk, 3, (kThird + 1) * kPage);
    CHECK(card.sync(*view) == dense);
    for (int again = 1; again <= 7; ++again) {
        CHECK(peek(*view) == dense);
        view->app()[kChunk + 17] = static_cast<std::byte>(again + 10);
        CHECK(card.sync(*view) == dense);
        CHECK(card.has(*view));
    }
    CHECK(card.sync(*view) == dense); /* the eighth protects */
    CHECK(peek(*view).empty());
    view->app()[kChunk] = std::byte{9};
    CHECK(card.sync(*view) == std::vector<Run>{{kChunk, kPage}});
    CHECK(card.has(*view));

    for (const int value : {3, 4}) {
        std::memset(view->app() + kChunk, value, kChunk);
        CHECK(bytes_of(card.sync(*view)) == kChunk);
    }
    CHECK(bytes_of(card.sync(*view)) == kChunk);
    CHECK(bytes_of(card.sync(*view, true)) == kChunk); /* the card is going to write it */
    CHECK(peek(*view).empty());
    std::memset(view->app(), 5, 3 * kChunk);
    CHECK(bytes_of(card.sync(*view)) == 3 * kChunk);
    CHECK(card.has(*view));
}

TEST_CASE("a forked child's writes arrive; scan does not find them") {
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const auto view = make(2 * kPage, tracking);
        Card card(*view);
        view->app()[kPage] = std::byte{1};
        card.sync(*view);
        CHECK(in_child([&] {
                  view->app()[0] = std::byte{5};
                  return std::string("written");
              }) == "written");
        CHECK(view->app()[0] == std::byte{5});
        CHECK(peek(*view).empty() == (tracking == Tracking::kScan));
        view->app()[0] = std::byte{6}; /* the parent's are found as before */
        card.sync(*view);
        CHECK(card.has(*view));
    }
}

TEST_CASE("huge pages: writes are found page by page all the same") {
#ifndef MADV_COLLAPSE
    constexpr int MADV_COLLAPSE = 25; /* Linux 6.1 */
#endif
    for (const Tracking tracking : all_trackings()) {
        CAPTURE(name(tracking));
        const auto view = make(4 * kChunk, tracking, kChunk);
        Card card(*view);
        madvise(view->app(), 4 * kChunk, MADV_HUGEPAGE); /* allowed or not: nothing may be lost */
        std::memset(view->app(), 1, 4 * kChunk);
        card.sync(*view, true);
        for (std::byte* mapping : {view->lib(), view->app()}) madvise(mapping, 4 * kChunk, MADV_COLLAPSE);
        if (huge_bytes(view->lib()) == 0) MESSAGE("this kernel made no huge pages");
        if (tracking == Tracking::kScan) CHECK(huge_bytes(view->app()) == 0); /* the kernel's promise for watched memory */
        CHECK(card.has(*view));
        if (tracking != Tracking::kFull) CHECK(peek(*view).empty());
        for (const uint64_t offset : {UINT64_C(0), kChunk + 5 * kPage, 2 * kChunk - 1, 4 * kChunk - 1}) {
            view->app()[offset] = std::byte{2};
            const auto runs = card.sync(*view);
            CHECK(card.has(*view));
            if (tracking != Tracking::kFull) CHECK(bytes_of(runs) <= kPage);
        }
        for (int round = 0; round < 20; ++round) {
            std::memset(view->app() + static_cast<uint64_t>(round % 7) * kChunk / 2, round, kChunk / 2);
            card.write(*view, static_cast<uint64_t>(round % 5) * 100'000, 50'000, std::byte{77});
            card.sync(*view, round % 3 == 0);
            CHECK(card.has(*view));
        }
    }
}

TEST_CASE("bad arguments are told with the value and the limit") {
    std::unique_ptr<HostView> view;
    CHECK(told(HostView::create(0, 1, Tracking::kFull, view)) == "-1: shared memory of 0 bytes; ");
    CHECK(told(HostView::create(1, 0, Tracking::kFull, view)) == "-1: an alignment of 0 bytes, which is no power of two; ");
    CHECK(told(HostView::create(1, 24, Tracking::kFull, view)) == "-1: an alignment of 24 bytes, which is no power of two; ");
    CHECK(view == nullptr);
    for (const Tracking tracking : all_trackings()) {
        view = make(100, tracking);
        std::vector<Run> runs{{1, 1}};
        CHECK(told(view->take(90, 11, false, runs)) == "-3: 11 bytes at offset 90 are not within shared memory of 100 bytes; ");
        CHECK(runs.empty());
        CHECK(view->peek(UINT64_MAX, 2, runs) == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(view->take(1, UINT64_MAX, true, runs) == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(view->take(100, 0, true, runs) == QIAO_OK);
        CHECK(runs.empty());
    }
}

TEST_SUITE_END();
