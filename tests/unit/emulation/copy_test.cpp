// Copies through the host: every byte arrives, the two halves of the buffer are at work at the same time, and an error on
// either side ends the copy and names it.
#include "emulation/copy.h"

#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "../threads.h"
#include "emulation/staging.h"

namespace {

constexpr uint64_t kChunk = 4u << 20;
// Chunks of one size: no trials.
const bool kIsForced = setenv("QIAO_COPY_CHUNK", "4194304", 1) == 0;

std::vector<std::byte> pattern(size_t count, uint32_t seed) {
    std::vector<std::byte> bytes(count);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>((seed = seed * 1664525u + 1013904223u) >> 24);
    return bytes;
}

// A device of one allocation. `before` sees each call's number, from 0, and may fail it.
class Card {
public:
    Card(const char* id, std::vector<std::byte> content) : bytes(std::move(content)), device_(qiao::Slab<qiao_device>::get().create()) {
        device_->body.id = id;
        device_->body.plugin_id = "test";
        device_->body.free_threaded = true;
        device_->body.opened = this;
        device_->body.tables.memory.memory_read = [](void* self, void*, uint64_t offset, void* target, uint64_t size_bytes) -> qiao_status {
            return static_cast<Card*>(self)->move(offset, size_bytes, [&](std::byte* own) { std::memcpy(target, own, size_bytes); });
        };
        device_->body.tables.memory.memory_write = [](void* self, void*, uint64_t offset, const void* source, uint64_t size_bytes) -> qiao_status {
            return static_cast<Card*>(self)->move(offset, size_bytes, [&](std::byte* own) { std::memcpy(own, source, size_bytes); });
        };
    }
    ~Card() { qiao::drop_use(device_); }
    Card(const Card&) = delete;
    Card& operator=(const Card&) = delete;

    qiao::Owner owner() { return {device_, 0}; }
    // Out of the host's reach, or within it.
    qiao::Side side() { return {owner(), nullptr, false}; }
    qiao::Side side_in_place(uint64_t offset) { return {owner(), bytes.data() + offset, false}; }
    qiao::Device& body() { return device_->body; }

    std::vector<std::byte> bytes;
    std::function<qiao_status(uint64_t number)> before = [](uint64_t) -> qiao_status { return QIAO_OK; };
    std::function<void(uint64_t number)> behind = [](uint64_t) {};
    std::function<void(uint64_t size_bytes)> took = [](uint64_t) {};
    uint64_t calls = 0, most_bytes = 0;  // calls come one after another

private:
    template <class Move>
    qiao_status move(uint64_t offset, uint64_t size_bytes, Move&& move) {
        const uint64_t number = calls++;
        most_bytes = std::max(most_bytes, size_bytes);
        if (const qiao_status status = before(number); status != QIAO_OK) return status;
        REQUIRE(offset + size_bytes <= bytes.size());
        move(bytes.data() + offset);
        took(size_bytes);
        behind(number);
        return QIAO_OK;
    }

    qiao_device* const device_;
};

qiao_plugin_copy plain(uint64_t size_bytes, uint64_t source_offset = 0, uint64_t target_offset = 0) {
    qiao_plugin_copy copy{};
    copy.source.offset = source_offset;
    copy.target.offset = target_offset;
    copy.size_bytes = size_bytes;
    copy.rows = copy.slices = 1;
    return copy;
}

// Two cards, and what the target should hold after a copy.
struct Pair {
    explicit Pair(size_t count) : source("test:0", pattern(count, 1)), target("test:1", pattern(count, 2)), expected(target.bytes) {}

    qiao_status copy(const qiao_plugin_copy& wanted) { return qiao::copy_through_host(source.side(), target.side(), wanted, progress); }
    void expect_row(uint64_t source_at, uint64_t target_at, uint64_t size_bytes) {
        std::memcpy(expected.data() + target_at, source.bytes.data() + source_at, size_bytes);
    }

    Card source, target;
    std::vector<std::byte> expected;
    qiao::CopyProgress progress;
};

size_t thread_count() {
    const std::filesystem::directory_iterator threads("/proc/self/task");
    return static_cast<size_t>(std::distance(begin(threads), end(threads)));
}

// A sanitizer has a thread of its own from the first one on.
size_t thread_count_from_now() {
    std::thread([] {}).join();
    size_t before = 0;
    for (size_t now = thread_count(); now != before; now = thread_count()) before = now, std::this_thread::yield();
    return before;
}

// A line of moments that have come; whoever needs one waits for it.
class Moments {
public:
    void come(const std::string& name) {
        const std::lock_guard guard(mutex_);
        names_.push_back(name);
        changed_.notify_all();
    }
    bool has_come(const std::string& name) {
        const std::lock_guard guard(mutex_);
        return has(name);
    }
    // False if it does not come in time.
    bool await(const std::string& name) {
        std::unique_lock guard(mutex_);
        return changed_.wait_for(guard, std::chrono::nanoseconds(test::kPatienceNs), [&] { return has(name); });
    }

private:
    bool has(const std::string& name) const { return std::find(names_.begin(), names_.end(), name) != names_.end(); }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> names_;
};

}  // namespace

TEST_SUITE_BEGIN("copy");

TEST_CASE("every size around the chunk's arrives whole, in calls of a chunk at most") {
    for (const uint64_t bytes : {UINT64_C(1), kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 2 * kChunk + 1, 3 * kChunk + 12345}) {
        INFO(bytes, " bytes");
        Pair pair(bytes + 16);
        const size_t threads = thread_count_from_now();
        CHECK(pair.copy(plain(bytes, 5, 9)) == QIAO_OK);
        pair.expect_row(5, 9, bytes);
        CHECK(pair.target.bytes == pair.expected);
        CHECK(pair.source.calls == (bytes + kChunk - 1) / kChunk);
        CHECK(pair.target.calls == pair.source.calls);
        CHECK(pair.source.most_bytes == std::min(bytes, kChunk));
        CHECK(test::eventually([&] { return thread_count() <= threads; }));  // the system forgets a joined thread a little later
    }
}

TEST_CASE("rows of different pitches arrive, also where a chunk ends inside of one") {
    for (const auto& [bytes, rows, source_pitch, target_pitch] :
         {std::array<uint64_t, 4>{1, 1000, 3, 2}, {kChunk - 1, 3, kChunk + 7, kChunk - 1}, {3'000'001, 5, 3'000'002, 3'000'017}, {kChunk, 3, kChunk, kChunk + 1}}) {
        INFO(rows, " rows of ", bytes, " bytes");
        Pair pair(rows * std::max(source_pitch, target_pitch) + 16);
        qiao_plugin_copy wanted = plain(bytes, 3, 1);
        wanted.rows = rows, wanted.source_pitch = source_pitch, wanted.target_pitch = target_pitch;
        CHECK(pair.copy(wanted) == QIAO_OK);
        for (uint64_t row = 0; row < rows; ++row) pair.expect_row(3 + row * source_pitch, 1 + row * target_pitch, bytes);
        CHECK(pair.target.bytes == pair.expected);
        CHECK(pair.source.most_bytes <= kChunk);
    }
}

TEST_CASE("while one half is written the next is read, and no half is read into before it was written") {
    constexpr uint64_t kCount = 6;
    Pair pair((kCount - 1) * kChunk + 77);
    Moments moments;
    const auto moment = [](const char* what, uint64_t number) { return what + std::to_string(number); };
    std::atomic<long> reader{0};
    pair.source.before = [&](uint64_t number) -> qiao_status {
        reader = test::thread_id();
        moments.come(moment("reading ", number));
        if (number >= 2) CHECK(moments.has_come(moment("wrote ", number - 2)));  // the same half
        if (number >= 1) CHECK(moments.await(moment("writing ", number - 1)));   // both are inside now
        return QIAO_OK;
    };
    pair.target.before = [&](uint64_t number) -> qiao_status {
        moments.come(moment("writing ", number));
        if (number + 1 < kCount) CHECK(moments.await(moment("reading ", number + 1)));
        if (number + 2 < kCount) {  // so that the reader could go on, if it did not wait for this half
            CHECK(moments.await(moment("read ", number + 1)));
            CHECK(test::eventually([&] { return test::thread_sleeps(reader) || moments.has_come(moment("reading ", number + 2)); }));
        }
        return QIAO_OK;
    };
    pair.source.behind = [&](uint64_t number) { moments.come(moment("read ", number)); };
    pair.target.behind = [&](uint64_t number) { moments.come(moment("wrote ", number)); };
    CHECK(pair.copy(plain(pair.source.bytes.size())) == QIAO_OK);
    CHECK(pair.target.bytes == pair.source.bytes);
    CHECK(pair.source.calls == kCount);
}

TEST_CASE("a read that fails ends the copy: what was read before is written, the error is the source's") {
    constexpr uint64_t kBytes = 3 * kChunk + 5;
    for (uint64_t failing = 0; failing < 4; ++failing) {
        INFO("read ", failing);
        Pair pair(kBytes);
        const size_t threads = thread_count_from_now();
        pair.source.before = [failing](uint64_t number) -> qiao_status { return number == failing ? QIAO_ERROR_IO : QIAO_OK; };
        CHECK(pair.copy(plain(kBytes)) == QIAO_ERROR_IO);
        CHECK(pair.source.calls == failing + 1);
        CHECK(pair.target.calls == failing);
        pair.expect_row(0, 0, failing * kChunk);
        CHECK(pair.target.bytes == pair.expected);
        const qiao::ErrorRecord& error = qiao::last_error();
        CHECK(error.object == "test:0");
        CHECK(error.message.find("memory_read") != std::string::npos);
        CHECK(error.message.find(std::to_string(failing * kChunk) + " of " + std::to_string(kBytes) + " bytes had been copied") != std::string::npos);
        CHECK(test::eventually([&] { return thread_count() <= threads; }));  // the system forgets a joined thread a little later
    }
}

TEST_CASE("a write that fails ends the copy: at most one half was read for nothing, the error is the target's") {
    constexpr uint64_t kBytes = 3 * kChunk + 5;
    for (uint64_t failing = 0; failing < 4; ++failing) {
        INFO("write ", failing);
        Pair pair(kBytes);
        const size_t threads = thread_count_from_now();
        pair.target.before = [failing](uint64_t number) -> qiao_status { return number == failing ? QIAO_ERROR_IO : QIAO_OK; };
        CHECK(pair.copy(plain(kBytes)) == QIAO_ERROR_IO);
        CHECK(pair.target.calls == failing + 1);
        CHECK(pair.source.calls >= failing + 1);
        CHECK(pair.source.calls <= failing + 2);
        pair.expect_row(0, 0, failing * kChunk);
        CHECK(pair.target.bytes == pair.expected);
        const qiao::ErrorRecord& error = qiao::last_error();
        CHECK(error.object == "test:1");
        CHECK(error.message.find("memory_write") != std::string::npos);
        CHECK(error.message.find(std::to_string(failing * kChunk) + " of " + std::to_string(kBytes) + " bytes had been copied") != std::string::npos);
        CHECK(test::eventually([&] { return thread_count() <= threads; }));  // the system forgets a joined thread a little later
    }
}

TEST_CASE("both sides fail: the writer is heard, since it is who the copy waits for") {
    Pair pair(3 * kChunk);
    Moments moments;
    pair.source.before = [&](uint64_t number) -> qiao_status {
        if (number == 0) return QIAO_OK;
        CHECK(moments.await("writing"));
        return QIAO_ERROR_IO;
    };
    pair.target.before = [&](uint64_t) -> qiao_status {
        moments.come("writing");
        return QIAO_ERROR_OUT_OF_MEMORY;
    };
    CHECK(pair.copy(plain(3 * kChunk)) == QIAO_ERROR_OUT_OF_MEMORY);
    CHECK(qiao::last_error().object == "test:1");
    CHECK(pair.target.bytes == pair.expected);
}

TEST_CASE("memory from before a loss is not touched") {
    Pair pair(64);
    Card& lost = pair.source;
    SUBCASE("read") {
        lost.body().losses = 1;
        CHECK(pair.copy(plain(64)) == QIAO_ERROR_DEVICE_LOST);
        CHECK(qiao::last_error().message.find("test:0") != std::string::npos);
    }
    SUBCASE("written") {
        pair.target.body().losses = 1;
        CHECK(pair.copy(plain(64)) == QIAO_ERROR_DEVICE_LOST);
        CHECK(qiao::last_error().message.find("test:1") != std::string::npos);
    }
    CHECK(pair.target.calls == 0);
    CHECK(pair.target.bytes == pair.expected);
}

TEST_CASE("host memory is one side: row by row, without a buffer") {
    Card card("test:0", pattern(1000, 1));
    std::vector<std::byte> host = pattern(1000, 2), expected = host;
    qiao_plugin_copy wanted = plain(7, 100);
    wanted.target.address = reinterpret_cast<uint64_t>(host.data() + 3);
    wanted.rows = 9, wanted.source_pitch = 50, wanted.target_pitch = 8;
    qiao::CopyProgress progress;
    CHECK(qiao::copy_through_host(card.side(), qiao::Side::host(host.data() + 3), wanted, progress) == QIAO_OK);
    for (uint64_t row = 0; row < 9; ++row) std::memcpy(expected.data() + 3 + row * 8, card.bytes.data() + 100 + row * 50, 7);
    CHECK(host == expected);
    CHECK(card.calls == 9);

    wanted.target = {nullptr, 0, 0};
    wanted.source.address = reinterpret_cast<uint64_t>(host.data());
    std::vector<std::byte> before = card.bytes;
    CHECK(qiao::copy_through_host(qiao::Side::host(host.data()), card.side(), wanted, progress) == QIAO_OK);
    for (uint64_t row = 0; row < 9; ++row) std::memcpy(before.data() + row * 8, host.data() + row * 50, 7);
    CHECK(card.bytes == before);
}

TEST_CASE("slices of rows arrive, also where a chunk ends inside of one, and are counted as planned") {
    for (const auto& [bytes, rows, slices] : {std::array<uint64_t, 3>{1, 50, 20}, {700'001, 3, 4}, {kChunk, 2, 2}, {kChunk + 1, 1, 2}}) {
        INFO(slices, " slices of ", rows, " rows of ", bytes, " bytes");
        const uint64_t source_pitch = bytes + 3, target_pitch = bytes + 1, source_slice = rows * source_pitch + 5, target_slice = rows * target_pitch;
        Pair pair(slices * source_slice + 16);
        qiao_plugin_copy wanted = plain(bytes, 3, 1);
        wanted.rows = rows, wanted.source_pitch = source_pitch, wanted.target_pitch = target_pitch;
        wanted.slices = slices, wanted.source_slice_pitch = source_slice, wanted.target_slice_pitch = target_slice;
        const qiao::CopyProgress plan = qiao::plan_through_host(pair.source.side(), pair.target.side(), wanted);
        CHECK(plan.path == QIAO_COPY_PATH_STAGED);
        CHECK(pair.copy(wanted) == QIAO_OK);
        for (uint64_t slice = 0; slice < slices; ++slice) {
            for (uint64_t row = 0; row < rows; ++row)
                pair.expect_row(3 + slice * source_slice + row * source_pitch, 1 + slice * target_slice + row * target_pitch, bytes);
        }
        CHECK(pair.target.bytes == pair.expected);
        CHECK(pair.progress.done_bytes == bytes * rows * slices);
        CHECK(pair.progress.operations == plan.operations);
        CHECK(pair.source.calls + pair.target.calls == plan.operations);
        CHECK(pair.progress.chunk_bytes == plan.chunk_bytes);
    }
}

TEST_CASE("what the host reaches on one side is read into, or written from, by the other device alone") {
    Pair pair(1000);
    const qiao_plugin_copy wanted = plain(700, 10, 20);
    SUBCASE("the target") {
        CHECK(qiao::copy_through_host(pair.source.side(), pair.target.side_in_place(20), wanted, pair.progress) == QIAO_OK);
        CHECK(pair.source.calls == 1);
        CHECK(pair.target.calls == 0);
    }
    SUBCASE("the source") {
        CHECK(qiao::copy_through_host(pair.source.side_in_place(10), pair.target.side(), wanted, pair.progress) == QIAO_OK);
        CHECK(pair.source.calls == 0);
        CHECK(pair.target.calls == 1);
    }
    SUBCASE("both: the source's device moves them") {
        CHECK(qiao::copy_through_host(pair.source.side_in_place(10), pair.target.side_in_place(20), wanted, pair.progress) == QIAO_OK);
        CHECK(pair.source.calls == 1);
        CHECK(pair.target.calls == 0);
    }
    pair.expect_row(10, 20, 700);
    CHECK(pair.target.bytes == pair.expected);
    CHECK(pair.progress.path == QIAO_COPY_PATH_MAPPED);
    CHECK(pair.progress.operations == 1);
    CHECK(pair.progress.done_bytes == 700);
}

TEST_CASE("a mapped copy that fails says how far it came, and touches nothing behind") {
    Pair pair(1000);
    qiao_plugin_copy wanted = plain(7, 10, 20);
    wanted.rows = 9, wanted.source_pitch = 50, wanted.target_pitch = 8;
    pair.source.before = [](uint64_t number) -> qiao_status { return number == 4 ? QIAO_ERROR_IO : QIAO_OK; };
    CHECK(qiao::copy_through_host(pair.source.side(), pair.target.side_in_place(20), wanted, pair.progress) == QIAO_ERROR_IO);
    for (uint64_t row = 0; row < 4; ++row) pair.expect_row(10 + row * 50, 20 + row * 8, 7);
    CHECK(pair.target.bytes == pair.expected);
    CHECK(pair.progress.done_bytes == 28);
    CHECK(qiao::last_error().message.find("28 of 63 bytes") != std::string::npos);
}

TEST_CASE("memory within the host's reach that was lost is not touched either") {
    Pair pair(64);
    pair.target.body().losses = 1;
    CHECK(qiao::copy_through_host(pair.source.side(), pair.target.side_in_place(0), plain(64), pair.progress) == QIAO_ERROR_DEVICE_LOST);
    CHECK(pair.target.bytes == pair.expected);
    CHECK(pair.progress.done_bytes == 0);
}

TEST_CASE("while nothing is known a large copy tries chunk sizes, keeps the best, and arrives whole") {
    unsetenv("QIAO_COPY_CHUNK");
    Pair pair((120u << 20) + 12345);
    uint64_t clock_ns = 0;
    static uint64_t* now;
    now = &clock_ns;
    // A simulated card, whose clock rises by a fixed time for each call and byte, and by more for what does not fit its cache.
    pair.source.body().info.flags = QIAO_PLUGIN_DEVICE_SIMULATED;
    pair.source.body().tables.device.device_clock = [](void*, uint64_t* out_device_ns, uint64_t* out_host_ns) -> qiao_status {
        *out_device_ns = *out_host_ns = *now;
        return QIAO_OK;
    };
    pair.source.took = [&](uint64_t size_bytes) { clock_ns += 20'000 + size_bytes / (size_bytes > (1u << 20) ? 5 : 10); };
    CHECK(pair.copy(plain(pair.source.bytes.size())) == QIAO_OK);
    CHECK(pair.target.bytes == pair.source.bytes);
    CHECK(pair.progress.done_bytes == pair.source.bytes.size());
    CHECK(pair.progress.chunk_bytes == 16u << 20);  // the largest that was tried
    const qiao::CopyProgress plan = qiao::plan_through_host(pair.source.side(), pair.target.side(), plain(pair.source.bytes.size()));
    CHECK(plan.chunk_bytes == 1u << 20);
    CHECK(pair.copy(plain(64u << 20)) == QIAO_OK);
    CHECK(pair.progress.chunk_bytes == 1u << 20);
    CHECK(pair.progress.operations == 128);
    setenv("QIAO_COPY_CHUNK", "4194304", 1);
}

TEST_CASE("a chunk size that is no number, too small or too large is refused by name") {
    for (const char* text : {"4M", "-1", "4095", "1073741825", "99999999999999999999", " 4096"}) {
        setenv("QIAO_COPY_CHUNK", text, 1);
        uint64_t bytes = 1;
        CHECK(qiao::forced_chunk(bytes) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(bytes == 0);
        CHECK(qiao::last_error().message.find(std::string("QIAO_COPY_CHUNK=") + text) != std::string::npos);
    }
    setenv("QIAO_COPY_CHUNK", "4096", 1);
    Pair pair(3 * 4096 + 1);
    CHECK(pair.copy(plain(pair.source.bytes.size())) == QIAO_OK);
    CHECK(pair.source.calls == 4);
    CHECK(pair.source.most_bytes == 4096);
    setenv("QIAO_COPY_CHUNK", "4194304", 1);
}

TEST_CASE("buffers are kept from one copy to the next, up to a limit, and given back on demand") {
    qiao::Staging& staging = qiao::Staging::get();
    staging.give_back_all();
    Pair pair(2 * kChunk);
    CHECK(pair.copy(plain(2 * kChunk)) == QIAO_OK);
    CHECK(staging.kept_bytes() == 2 * kChunk);
    CHECK(pair.copy(plain(2 * kChunk)) == QIAO_OK);
    CHECK(pair.copy(plain(100)) == QIAO_OK);
    CHECK(staging.kept_bytes() == 2 * kChunk);
    staging.give({std::make_unique_for_overwrite<std::byte[]>(1), qiao::Staging::kKeptBytes});  // would be beyond the limit
    CHECK(staging.kept_bytes() == 2 * kChunk);
    staging.give_back_all();
    CHECK(staging.kept_bytes() == 0);
}

TEST_CASE("a fill repeats its pattern over chunks, and stops where a write fails") {
    constexpr uint64_t kBytes = 2 * kChunk + 48;
    Card card("test:0", pattern(kBytes + 5, 1));
    std::vector<std::byte> expected = card.bytes;
    qiao_plugin_fill wanted{};
    wanted.target.offset = 5;
    wanted.size_bytes = kBytes;
    wanted.pattern_size = 16;
    for (uint8_t i = 0; i < 16; ++i) reinterpret_cast<uint8_t*>(wanted.pattern)[i] = static_cast<uint8_t>(i + 1);
    CHECK(qiao::staged_fill(card.owner(), wanted) == QIAO_OK);
    for (uint64_t at = 0; at < kBytes; ++at) expected[5 + at] = static_cast<std::byte>(at % 16 + 1);
    CHECK(card.bytes == expected);
    CHECK(card.calls == 3);

    card.before = [](uint64_t number) -> qiao_status { return number == 4 ? QIAO_ERROR_IO : QIAO_OK; };
    CHECK(qiao::staged_fill(card.owner(), wanted) == QIAO_ERROR_IO);
    CHECK(card.calls == 5);
    CHECK(qiao::last_error().object == "test:0");
}

TEST_SUITE_END();
