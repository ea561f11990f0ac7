// Copies on queues: any place to any place of one device and the host, in one, two and three dimensions, by which path, what is
// reported afterwards, and what is refused.
#include <array>
#include <cstring>
#include <random>

#include "support/session.h"

using namespace api;

namespace {

std::vector<uint8_t> pattern(size_t count, uint32_t seed) {
    std::vector<uint8_t> bytes(count);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
    return bytes;
}

// Host, device and (where the device has them) host-visible memory, all filled; and a copy of what each holds.
class Places {
   public:
    explicit Places(Session& session, size_t count = 1000) : count_(count), host_(pattern(count, 1)) {
        for (qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE; kind <= QIAO_MEMORY_KIND_SHARED; ++kind) {
            if (!session.has_kind(kind)) continue;
            memories_.push_back(session.allocate(count, kind));
            contents_.push_back(pattern(count, 10 + kind));
            REQUIRE_OK(qiao_memory_write(memories_.back().get(), 0, contents_.back().data(), count));
        }
        memories_.push_back(session.allocate(count));
        contents_.push_back(pattern(count, 20));
        REQUIRE_OK(qiao_memory_write(memories_.back().get(), 0, contents_.back().data(), count));
        contents_.push_back(host_);
    }
    size_t size() const { return contents_.size(); }
    qiao_place at(size_t index, uint64_t offset) { return index == memories_.size() ? place(host_.data() + offset) : place(memories_[index], offset); }
    std::vector<uint8_t>& expected(size_t index) { return contents_[index]; }
    std::vector<uint8_t> actual(size_t index) { return index == memories_.size() ? host_ : download<uint8_t>(memories_[index], count_); }
    void check_all() {
        for (size_t index = 0; index < size(); ++index) CHECK(actual(index) == expected(index));
    }

   private:
    size_t count_;
    std::vector<uint8_t> host_;
    std::vector<Memory> memories_;
    std::vector<std::vector<uint8_t>> contents_;
};

void copy_rows(std::vector<uint8_t>& target, uint64_t target_at, uint64_t target_pitch, const std::vector<uint8_t>& source, uint64_t source_at,
               uint64_t source_pitch, uint64_t bytes, uint64_t rows) {
    for (uint64_t row = 0; row < rows; ++row) {
        std::memcpy(target.data() + target_at + row * target_pitch, source.data() + source_at + row * source_pitch, bytes);
    }
}

// A box of bytes, as numbers of a copy.
struct Boxes {
    uint64_t bytes, rows, slices, source_pitch, target_pitch, source_slice_pitch, target_slice_pitch;

    qiao_copy between(const qiao_place& source, const qiao_place& target) const {
        qiao_copy copy = copy_of(source, target, bytes);
        copy.rows = rows, copy.source_pitch = source_pitch, copy.target_pitch = target_pitch;
        copy.slices = slices, copy.source_slice_pitch = source_slice_pitch, copy.target_slice_pitch = target_slice_pitch;
        return copy;
    }
    void apply(std::vector<uint8_t>& target, uint64_t target_at, const std::vector<uint8_t>& source, uint64_t source_at) const {
        for (uint64_t slice = 0; slice < slices; ++slice) {
            copy_rows(target, target_at + slice * target_slice_pitch, target_pitch, source, source_at + slice * source_slice_pitch, source_pitch, bytes, rows);
        }
    }
};

qiao_copy_plan plan_of(const Queue& queue, const qiao_copy& copy) {
    qiao_copy_plan plan = QIAO_COPY_PLAN_INIT;
    REQUIRE_OK(qiao_queue_query_copy(queue.get(), &copy, &plan));
    return plan;
}

qiao_copy_report report_of(const Queue& queue, uint64_t value) {
    qiao_copy_report report = QIAO_COPY_REPORT_INIT;
    REQUIRE_OK(qiao_queue_query_copy_report(queue.get(), value, &report));
    return report;
}

// A queue and two allocations that refused copies must leave alone.
struct Bench {
    Session session;
    Queue queue = session.queue();
    Memory source = session.upload(numbers(250)), target = session.upload(numbers(250, 5000));
    std::vector<uint8_t> host = std::vector<uint8_t>(4096, 0xee);

    void refuses(const qiao_copy& wanted, qiao_status expected, std::initializer_list<const char*> fragments) {
        uint64_t value = 4711;
        check_fails("qiao_queue_copy", qiao_queue_copy(queue.get(), &wanted, &value), expected, fragments);
        CHECK(value == 0);
    }
    void check_untouched() {
        CHECK(download<uint32_t>(source, 250) == numbers(250));
        CHECK(download<uint32_t>(target, 250) == numbers(250, 5000));
        CHECK(host == std::vector<uint8_t>(4096, 0xee));
        CHECK(copy(queue, place(source), place(target), 1000) == 1);  // nothing was submitted
        wait_for(queue, 1);
        CHECK(download<uint32_t>(target, 250) == numbers(250));
    }
};

}  // namespace

TEST_SUITE("copy.plain") {
    TEST_CASE("any place to any other, at any byte") {
        Session session;
        Places places(session);
        const Queue queue = session.queue();
        for (size_t from = 0; from < places.size(); ++from) {
            for (size_t to = 0; to < places.size(); ++to) {
                if (from == to) continue;
                INFO("from ", from, " to ", to);
                for (const auto& [source, target, bytes] : {std::array<uint64_t, 3>{0, 0, 100}, {3, 510, 77}, {999, 998, 1}, {1, 700, 300}}) {
                    wait_for(queue, copy(queue, places.at(from, source), places.at(to, target), bytes));
                    copy_rows(places.expected(to), target, 0, places.expected(from), source, 0, bytes, 1);
                }
                CHECK(places.actual(to) == places.expected(to));
            }
        }
        places.check_all();
    }

    TEST_CASE("within one allocation, as long as the ranges do not overlap") {
        Session session;
        Places places(session);
        const Queue queue = session.queue();
        for (size_t index = 0; index < places.size(); ++index) {
            copy(queue, places.at(index, 0), places.at(index, 100), 100);
            wait_for(queue, copy(queue, places.at(index, 900), places.at(index, 0), 100));
            copy_rows(places.expected(index), 100, 0, places.expected(index), 0, 0, 100, 1);
            copy_rows(places.expected(index), 0, 0, places.expected(index), 900, 0, 100, 1);
        }
        places.check_all();
    }

    TEST_CASE("host memory to host memory goes through the queue too, in its order") {
        Session session;
        const Queue queue = session.queue();
        const Timeline gate = session.timeline();
        std::vector<uint8_t> a = pattern(100, 1), b(100), c(100);
        after(queue, gate.get(), 1);
        copy(queue, place(a.data()), place(b.data()), 100);
        const uint64_t last = copy(queue, place(b.data()), place(c.data()), 100);
        CHECK(qiao_timeline_reached(timeline_of(queue), last) == QIAO_NOT_READY);
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(queue, last);
        CHECK(c == a);
    }

    TEST_CASE("megabytes of odd sizes arrive whole") {
        Session session;
        const size_t count = 5'000'011;
        const auto bytes = pattern(count, 3);
        std::vector<uint8_t> back(count);
        const Memory first = session.allocate(count + 8), second = session.allocate(count + 8);
        const Queue queue = session.queue();
        copy(queue, place(bytes.data()), place(first, 5), count);
        copy(queue, place(first, 5), place(second, 2), count);
        wait_for(queue, copy(queue, place(second, 2), place(back.data()), count));
        CHECK(std::memcmp(back.data(), bytes.data(), count) == 0);
    }
}

TEST_SUITE("copy.rows") {
    TEST_CASE("rows of any pitch, any place to any other") {
        Session session;
        Places places(session);
        const Queue queue = session.queue();
        for (size_t from = 0; from < places.size(); ++from) {
            for (size_t to = 0; to < places.size(); ++to) {
                if (from == to) continue;
                INFO("from ", from, " to ", to);
                for (const auto& [bytes, rows, source_pitch, target_pitch] : {std::array<uint64_t, 4>{7, 9, 40, 13}, {16, 5, 16, 64}, {1, 20, 3, 1}, {50, 2, 500, 50}}) {
                    qiao_copy wanted = copy_of(places.at(from, 10), places.at(to, 300), bytes);
                    wanted.rows = rows, wanted.source_pitch = source_pitch, wanted.target_pitch = target_pitch;
                    uint64_t value = 0;
                    REQUIRE_OK(qiao_queue_copy(queue.get(), &wanted, &value));
                    wait_for(queue, value);
                    copy_rows(places.expected(to), 300, target_pitch, places.expected(from), 10, source_pitch, bytes, rows);
                    CHECK(places.actual(to) == places.expected(to));
                }
            }
        }
        places.check_all();
    }

    TEST_CASE("0 rows and 1 row are a plain copy, whatever the pitches say") {
        Session session;
        const Queue queue = session.queue();
        for (const uint64_t rows : {0u, 1u}) {
            const Memory source = session.upload(numbers(10)), target = session.upload(numbers(10, 100));
            qiao_copy wanted = copy_of(place(source), place(target), 40);
            wanted.rows = rows, wanted.source_pitch = 3, wanted.target_pitch = UINT64_MAX;
            uint64_t value = 0;
            REQUIRE_OK(qiao_queue_copy(queue.get(), &wanted, &value));
            wait_for(queue, value);
            CHECK(download<uint32_t>(target, 10) == numbers(10));
        }
    }

    TEST_CASE("columns of one matrix may be copied onto others") {
        Session session;
        const Queue queue = session.queue();
        constexpr uint64_t kPitch = 64, kRows = 8;
        auto expected = pattern(kPitch * kRows, 5);
        const Memory matrix = session.upload(expected);
        qiao_copy wanted = copy_of(place(matrix, 40), place(matrix, 0), 20);
        wanted.rows = kRows, wanted.source_pitch = wanted.target_pitch = kPitch;
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &wanted, &value));
        wait_for(queue, value);
        copy_rows(expected, 0, kPitch, expected, 40, kPitch, 20, kRows);
        CHECK(download<uint8_t>(matrix, expected.size()) == expected);
        wanted.target = place(matrix, 25);  // 40 to 45 are in both
        CHECK_FAILS(qiao_queue_copy(queue.get(), &wanted, &value), QIAO_ERROR_INVALID_ARGUMENT, "overlap");
        wanted.target = place(matrix, 64 - 20);  // row n + 1 of the source is in row n of the target
        wanted.source = place(matrix, 64 - 1);
        wanted.rows = kRows - 1;
        CHECK_FAILS(qiao_queue_copy(queue.get(), &wanted, &value), QIAO_ERROR_INVALID_ARGUMENT, "overlap");
        CHECK(download<uint8_t>(matrix, expected.size()) == expected);
    }
}

TEST_SUITE("copy.boxes") {
    TEST_CASE("boxes of any pitches, any place to any other, by the path that was planned") {
        Session session;
        Places places(session, 2000);
        const Queue queue = session.queue();
        for (size_t from = 0; from < places.size(); ++from) {
            for (size_t to = 0; to < places.size(); ++to) {
                if (from == to) continue;
                INFO("from ", from, " to ", to);
                for (const Boxes& box : {Boxes{7, 3, 4, 20, 9, 70, 101}, {8, 2, 3, 8, 8, 64, 32}, {1, 5, 6, 2, 3, 11, 17}, {16, 4, 2, 16, 16, 64, 64}, {5, 1, 9, 0, 0, 6, 40}}) {
                    const qiao_copy wanted = box.between(places.at(from, 10), places.at(to, 300));
                    const qiao_copy_plan plan = plan_of(queue, wanted);
                    uint64_t value = 0;
                    REQUIRE_OK(qiao_queue_copy(queue.get(), &wanted, &value));
                    wait_for(queue, value);
                    box.apply(places.expected(to), 300, places.expected(from), 10);
                    CHECK(places.actual(to) == places.expected(to));
                    const qiao_copy_report report = report_of(queue, value);
                    CHECK(plan.total_bytes == box.bytes * box.rows * box.slices);
                    CHECK(report.total_bytes == plan.total_bytes);
                    CHECK(report.done_bytes == plan.total_bytes);
                    CHECK(report.status == QIAO_OK);
                    CHECK(report.path == plan.path);
                }
            }
        }
        places.check_all();
    }

    TEST_CASE("the same behind work that is not done yet") {
        Session session;
        Places places(session, 2000);
        const Queue queue = session.queue();
        const Timeline gate = session.timeline();
        after(queue, gate.get(), 1);
        const Boxes box = {7, 3, 4, 20, 9, 70, 101};
        uint64_t value = 0;
        qiao_copy_plan plan = QIAO_COPY_PLAN_INIT;
        for (size_t to = 1; to < places.size(); ++to) {
            const qiao_copy wanted = box.between(places.at(0, 10), places.at(to, 300));
            plan = plan_of(queue, wanted);
            REQUIRE_OK(qiao_queue_copy(queue.get(), &wanted, &value));
            box.apply(places.expected(to), 300, places.expected(0), 10);
        }
        qiao_copy_report report = QIAO_COPY_REPORT_INIT;
        CHECK(qiao_queue_query_copy_report(queue.get(), value, &report) == QIAO_NOT_READY);
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(queue, value);
        places.check_all();
        CHECK(report_of(queue, value).done_bytes == plan.total_bytes);
    }

    TEST_CASE("boxes of one matrix overlap if a byte is in both, and only then") {
        Session session;
        const Queue queue = session.queue();
        const uint32_t seed = std::random_device{}();
        INFO("seed ", seed);
        std::minstd_rand random(seed);
        const auto any = [&](uint64_t least, uint64_t most) { return least + random() % (most - least + 1); };
        auto expected = pattern(4000, seed);
        const Memory memory = session.upload(expected);
        for (int round = 0; round < 300; ++round) {
            const uint64_t bytes = any(1, 6), rows = any(1, 4), slices = any(1, 4), pitch = any(bytes, 12), slice_pitch = any(pitch * (rows - 1) + bytes, 60);
            const Boxes box = {bytes, rows, slices, pitch, pitch, slice_pitch, slice_pitch};
            const uint64_t source = any(0, 200), target = any(0, 200);
            std::vector<bool> is_source(expected.size());
            bool overlap = false;
            for (uint64_t index = 0; index < slices * rows * bytes; ++index) {
                is_source[source + index / bytes / rows * slice_pitch + index / bytes % rows * pitch + index % bytes] = true;
            }
            for (uint64_t index = 0; index < slices * rows * bytes; ++index) {
                overlap |= is_source[target + index / bytes / rows * slice_pitch + index / bytes % rows * pitch + index % bytes];
            }
            const qiao_copy wanted = box.between(place(memory, source), place(memory, target));
            uint64_t value = 0;
            const qiao_status status = qiao_queue_copy(queue.get(), &wanted, &value);
            INFO(bytes, " bytes, ", rows, " rows, ", slices, " slices, pitches ", pitch, " and ", slice_pitch, ", from ", source, " to ", target);
            REQUIRE(status == (overlap ? QIAO_ERROR_INVALID_ARGUMENT : QIAO_OK));
            if (overlap) continue;
            box.apply(expected, target, std::vector<uint8_t>(expected), source);
            wait_for(queue, value);
            REQUIRE(download<uint8_t>(memory, expected.size()) == expected);
        }
    }
}

TEST_SUITE("copy.report") {
    TEST_CASE("a value that is no copy's, one that was never given out, and one that is too old") {
        Session session;
        const Queue queue = session.queue();
        const Memory memory = session.upload(numbers(64));
        qiao_copy_report report = QIAO_COPY_REPORT_INIT;
        report.done_bytes = 4711;
        CHECK_FAILS(qiao_queue_query_copy_report(queue.get(), 1, &report), QIAO_ERROR_OUT_OF_RANGE, "value 1", "the last is 0");
        const uint64_t filled = fill(queue, place(memory), 16, 1);
        CHECK_FAILS(qiao_queue_query_copy_report(queue.get(), filled, &report), QIAO_ERROR_NOT_FOUND, "no copy");
        const uint64_t first = copy(queue, place(memory), place(memory, 128), 16);
        uint64_t last = first;
        for (int i = 0; i < 256; ++i) last = copy(queue, place(memory), place(memory, 128), 16);
        wait_for(queue, last);
        CHECK_FAILS(qiao_queue_query_copy_report(queue.get(), first, &report), QIAO_ERROR_NOT_FOUND, "256");
        CHECK(report.done_bytes == 4711);
        CHECK(report_of(queue, last).done_bytes == 16);
        CHECK(report_of(queue, last - 255).total_bytes == 16);
        CHECK_FAILS(qiao_queue_query_copy_report(queue.get(), last, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_report");
        CHECK_FAILS(qiao_queue_query_copy_report(nullptr, last, &report), QIAO_ERROR_INVALID_HANDLE, "queue");
    }

    TEST_CASE("a plan is refused what the copy is refused, and submits nothing") {
        Bench bench;
        qiao_copy_plan plan = QIAO_COPY_PLAN_INIT;
        qiao_copy wanted = copy_of(place(bench.source), place(bench.target), 1001);
        CHECK_FAILS(qiao_queue_query_copy(bench.queue.get(), &wanted, &plan), QIAO_ERROR_OUT_OF_RANGE, "source", "1001");
        wanted = copy_of(place(bench.source), place(bench.source), 4);
        CHECK_FAILS(qiao_queue_query_copy(bench.queue.get(), &wanted, &plan), QIAO_ERROR_INVALID_ARGUMENT, "overlap");
        wanted = copy_of(place(bench.source), place(bench.target), 1000);
        CHECK_FAILS(qiao_queue_query_copy(bench.queue.get(), &wanted, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_plan");
        CHECK_FAILS(qiao_queue_query_copy(bench.queue.get(), nullptr, &plan), QIAO_ERROR_INVALID_ARGUMENT, "copy");
        CHECK(plan.path == 0);
        REQUIRE_OK(qiao_queue_query_copy(bench.queue.get(), &wanted, &plan));
        CHECK(plan.path != 0);
        bench.check_untouched();
    }
}

TEST_SUITE("copy.refuses") {
    TEST_CASE("sizes and ranges that leave an allocation") {
        Bench bench;
        bench.refuses(copy_of(place(bench.source), place(bench.target), 0), QIAO_ERROR_OUT_OF_RANGE, {"size_bytes is 0"});
        bench.refuses(copy_of(place(bench.source), place(bench.target), 1001), QIAO_ERROR_OUT_OF_RANGE, {"source", "1001", "1000"});
        bench.refuses(copy_of(place(bench.source, 999), place(bench.target), 2), QIAO_ERROR_OUT_OF_RANGE, {"source", "999", "1000"});
        bench.refuses(copy_of(place(bench.source), place(bench.target, 1), 1000), QIAO_ERROR_OUT_OF_RANGE, {"target", "1000"});
        bench.refuses(copy_of(place(bench.source), place(bench.host.data()), UINT64_MAX), QIAO_ERROR_OUT_OF_RANGE, {"source"});
        bench.refuses(copy_of(place(bench.host.data()), place(bench.target), UINT64_MAX), QIAO_ERROR_OUT_OF_RANGE, {});
        bench.refuses(copy_of(place(bench.source, 1000), place(bench.target), 1), QIAO_ERROR_OUT_OF_RANGE, {"source", bench.session.properties.id});
        bench.refuses(copy_of({bench.session.device, 0}, place(bench.target), 4), QIAO_ERROR_OUT_OF_RANGE, {"source 0x0", "no allocation"});
        bench.refuses(copy_of(place(bench.source), {bench.session.device, UINT64_MAX}, 4), QIAO_ERROR_OUT_OF_RANGE, {"target 0xffffffffffffffff"});
        bench.check_untouched();
    }

    TEST_CASE("rows that overlap each other, leave the allocation or overflow") {
        Bench bench;
        const auto rows = [&](uint64_t bytes, uint64_t count, uint64_t source_pitch, uint64_t target_pitch) {
            qiao_copy wanted = copy_of(place(bench.source), place(bench.target), bytes);
            wanted.rows = count, wanted.source_pitch = source_pitch, wanted.target_pitch = target_pitch;
            return wanted;
        };
        bench.refuses(rows(16, 4, 15, 16), QIAO_ERROR_INVALID_ARGUMENT, {"source_pitch", "15", "16"});
        bench.refuses(rows(16, 4, 16, 0), QIAO_ERROR_INVALID_ARGUMENT, {"target_pitch", "0", "16"});
        bench.refuses(rows(16, 64, 16, 16), QIAO_ERROR_OUT_OF_RANGE, {"1024", "1000"});
        bench.refuses(rows(16, 3, 16, 493), QIAO_ERROR_OUT_OF_RANGE, {"target", "1002", "1000"});
        bench.refuses(rows(16, 2, UINT64_MAX, 16), QIAO_ERROR_OUT_OF_RANGE, {"source_pitch"});
        bench.refuses(rows(16, UINT64_MAX, 16, 16), QIAO_ERROR_OUT_OF_RANGE, {});
        bench.refuses(rows(16, UINT64_C(1) << 61, UINT64_C(1) << 61, 16), QIAO_ERROR_OUT_OF_RANGE, {"overflow"});
        bench.check_untouched();
    }

    TEST_CASE("slices that overlap each other, leave the allocation or overflow") {
        Bench bench;
        const auto boxes = [&](const Boxes& box) { return box.between(place(bench.source), place(bench.target)); };
        bench.refuses(boxes({16, 4, 2, 16, 16, 63, 64}), QIAO_ERROR_INVALID_ARGUMENT, {"source_slice_pitch", "63", "64"});
        bench.refuses(boxes({16, 4, 2, 16, 20, 64, 75}), QIAO_ERROR_INVALID_ARGUMENT, {"target_slice_pitch", "75", "76"});
        bench.refuses(boxes({16, 1, 2, 0, 0, 15, 16}), QIAO_ERROR_INVALID_ARGUMENT, {"source_slice_pitch", "15", "16"});
        bench.refuses(boxes({16, 4, 16, 16, 16, 64, 64}), QIAO_ERROR_OUT_OF_RANGE, {"1024", "1000"});
        bench.refuses(boxes({16, 2, 2, 16, 16, 32, 970}), QIAO_ERROR_OUT_OF_RANGE, {"target", "1002", "1000"});
        bench.refuses(boxes({16, 2, UINT64_MAX, 16, 16, 32, 32}), QIAO_ERROR_OUT_OF_RANGE, {"overflow"});
        bench.refuses(boxes({16, 2, 2, 16, 16, UINT64_MAX, 32}), QIAO_ERROR_OUT_OF_RANGE, {"source_slice_pitch"});
        bench.check_untouched();
    }

    TEST_CASE("overlapping ranges, null pointers, foreign devices and unknown flags") {
        Bench bench;
        bench.refuses(copy_of(place(bench.source), place(bench.source), 4), QIAO_ERROR_INVALID_ARGUMENT, {"overlap"});
        bench.refuses(copy_of(place(bench.source), place(bench.source, 99), 100), QIAO_ERROR_INVALID_ARGUMENT, {"overlap"});
        bench.refuses(copy_of(place(bench.source, 99), place(bench.source), 100), QIAO_ERROR_INVALID_ARGUMENT, {"overlap"});
        bench.refuses(copy_of(place(bench.host.data()), place(bench.host.data() + 3), 4), QIAO_ERROR_INVALID_ARGUMENT, {"overlap"});
        bench.refuses(copy_of(place(nullptr), place(bench.target), 4), QIAO_ERROR_INVALID_ARGUMENT, {"source", "null"});
        bench.refuses(copy_of(place(bench.source), place(nullptr), 4), QIAO_ERROR_INVALID_ARGUMENT, {"target", "null"});
        qiao_copy wanted = copy_of(place(bench.source), place(bench.target), 4);
        wanted.flags = 8;
        bench.refuses(wanted, QIAO_ERROR_INVALID_ARGUMENT, {"flags", "0x8"});
        wanted = copy_of(place(bench.source), place(bench.target), 4);
        wanted.target.device = reinterpret_cast<qiao_device*>(bench.queue.get());
        bench.refuses(wanted, QIAO_ERROR_INVALID_HANDLE, {"queue", "device"});
        Session other;
        const Memory foreign = other.allocate(64);
        bench.refuses(copy_of(place(bench.source), place(foreign), 4), QIAO_ERROR_INVALID_HANDLE, {"target", "another instance"});
        uint64_t value = 4711;
        CHECK_FAILS(qiao_queue_copy(bench.queue.get(), nullptr, &value), QIAO_ERROR_INVALID_ARGUMENT, "copy");
        CHECK(value == 0);
        bench.check_untouched();
    }
}
