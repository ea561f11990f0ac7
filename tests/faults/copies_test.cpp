/* Faults in the middle of copies between two mock cards: a failed copy says how far it came, leaves the memory around it alone,
 * fails its queue and nothing else. Where the cards have no queues of their own (tier t0) the copy is staged, in chunks of 64 KiB,
 * or mapped where one side is memory that the host reaches. Both directions at once neither wait for each other nor mix. */
#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstring>
#include <functional>

#include "mock/mock_faults.h"
#include "../api/support/session.h"

using namespace api;

namespace {

constexpr uint64_t kChunk = 64 << 10, kGuard = 4096;
const bool kHasEnvironment = setenv("QIAO_COPY_CHUNK", "65536", 1) == 0;

std::vector<uint8_t> pattern(size_t count, uint32_t seed) {
    std::vector<uint8_t> bytes(count);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
    return bytes;
}

/* Rows and slices, with pitches a little larger on both sides. */
struct Shape {
    const char* name;
    uint64_t bytes, rows, slices;

    uint64_t pitch() const { return bytes + 16; }
    uint64_t slice_pitch() const { return rows * pitch() + 32; }
    uint64_t span() const { return (slices - 1) * slice_pitch() + (rows - 1) * pitch() + bytes; }
    uint64_t total() const { return bytes * rows * slices; }
    /* Where the index-th byte of the copy lies. */
    uint64_t at(uint64_t index) const { return index / bytes / rows * slice_pitch() + index / bytes % rows * pitch() + index % bytes; }
};
constexpr Shape kShapes[] = {{"plain", 5 * kChunk + 100, 1, 1}, {"rows", 100'000, 4, 1}, {"slices", 30'000, 3, 4}};

/* Two cards, the second one's target between two neighbours. */
class Cards {
public:
    explicit Cards(const Shape& wanted_shape, qiao_memory_kind target_kind = QIAO_MEMORY_KIND_DEVICE, qiao_memory_kind source_kind = QIAO_MEMORY_KIND_DEVICE)
        : shape(wanted_shape) {
        first = session.device;
        REQUIRE_OK(qiao_instance_find_device(session.instance.get(), "mock:1", &second));
        queue = session.queue();
        source = session.allocate(shape.span(), source_kind);
        content = pattern(shape.span(), 1);
        REQUIRE_OK(qiao_memory_write(source.get(), 0, content.data(), content.size()));
        session.device = second;
        before = session.upload(pattern(kGuard, 2));
        target = session.allocate(shape.span() + 2 * kGuard, target_kind);
        behind = session.upload(pattern(kGuard, 3));
        session.device = first;
        expected = pattern(shape.span() + 2 * kGuard, 4);
        REQUIRE_OK(qiao_memory_write(target.get(), 0, expected.data(), expected.size()));
        faults(first), faults(second);  // asked for now: a lost card is not asked
        wanted = copy_of(place(source), place(target, kGuard), shape.bytes);
        wanted.rows = shape.rows, wanted.slices = shape.slices;
        wanted.source_pitch = wanted.target_pitch = shape.pitch();
        wanted.source_slice_pitch = wanted.target_slice_pitch = shape.slice_pitch();
    }
    ~Cards() { clear_faults(); }
    // Also of a card that was lost.
    void clear_faults() { faults(first).clear(cards_[0]); }

    void add_fault(qiao_device* device, const std::string& rule) {
        char problem[256] = "";
        const qiao_mock_faults& table = faults(device);
        INFO(rule, ": ", problem);
        REQUIRE_OK(table.add(device == first ? cards_[0] : cards_[1], rule.c_str(), problem, sizeof problem));
    }
    uint64_t submit() {
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &wanted, &value));
        return value;
    }
    qiao_copy_report report_of(uint64_t value) {
        qiao_copy_report report = QIAO_COPY_REPORT_INIT;
        REQUIRE_OK(qiao_queue_query_copy_report(queue.get(), value, &report));
        return report;
    }
    /* So many bytes arrived, and nothing else changed; what lies behind a failed piece may not have been read back. */
    void check_arrived(uint64_t bytes) {
        for (uint64_t index = 0; index < bytes; ++index) expected[kGuard + shape.at(index)] = content[shape.at(index)];
        CHECK(download<uint8_t>(target, expected.size()) == expected);
        check_neighbours();
    }
    void check_neighbours() {
        CHECK(download<uint8_t>(before, kGuard) == pattern(kGuard, 2));
        CHECK(download<uint8_t>(behind, kGuard) == pattern(kGuard, 3));
        CHECK(download<uint8_t>(source, content.size()) == content);
    }

    const Shape shape;
    Session session;
    qiao_device *first = nullptr, *second = nullptr;
    Queue queue;
    Memory source, before, target, behind;
    std::vector<uint8_t> content, expected;
    qiao_copy wanted;

private:
    const qiao_mock_faults& faults(qiao_device* device) {
        const void* table = nullptr;
        void*& card = device == first ? cards_[0] : cards_[1];
        if (card == nullptr) REQUIRE_OK(qiao_device_get_extension(device, QIAO_MOCK_FAULTS_NAME, &table, &card));
        if (table != nullptr) table_ = static_cast<const qiao_mock_faults*>(table);
        return *table_;
    }
    void* cards_[2] = {};
    const qiao_mock_faults* table_ = nullptr;
};

std::string failure_of(const Queue& queue, uint64_t value, qiao_status expected) {
    CHECK(qiao_timeline_wait(timeline_of(queue), value, kPatience) == expected);
    qiao_error error = QIAO_ERROR_INIT;
    qiao_error_query(&error);
    return std::string(error.object) + ": " + error.message;
}

/* Fails each call of the slot in turn, until a copy passes. */
void fail_each(const Shape& shape, const char* slot, bool of_source, qiao_memory_kind target_kind, qiao_memory_kind source_kind, qiao_copy_path path) {
    bool passed = false;
    for (uint64_t call = 1; !passed; ++call) {
        INFO(std::string(shape.name), ": ", std::string(slot), " number ", call);
        REQUIRE(call < 100);
        Cards cards(shape, target_kind, source_kind);
        qiao_copy_plan plan = QIAO_COPY_PLAN_INIT;
        REQUIRE_OK(qiao_queue_query_copy(cards.queue.get(), &cards.wanted, &plan));
        CHECK(plan.path == path);
        cards.add_fault(of_source ? cards.first : cards.second, slot + (":" + std::to_string(call)) + "=error:-12");
        const uint64_t value = cards.submit();
        passed = qiao_timeline_wait(timeline_of(cards.queue), value, kPatience) == QIAO_OK;
        cards.clear_faults();
        const qiao_copy_report report = cards.report_of(value);
        CHECK(report.path == path);
        CHECK(report.total_bytes == shape.total());
        if (passed) {
            CHECK(call > 1);
            CHECK(report.status == QIAO_OK);
            CHECK(report.done_bytes == shape.total());
            CHECK(report.operations == plan.operations);
            cards.check_arrived(shape.total());
            continue;
        }
        CHECK(report.status == QIAO_ERROR_IO);
        const std::string message = failure_of(cards.queue, value, QIAO_ERROR_IO);
        CHECK(message.find(std::to_string(report.done_bytes) + " of " + std::to_string(shape.total()) + " bytes had been copied") != std::string::npos);
        CHECK(message.find(slot) != std::string::npos);
        CHECK(report.done_bytes < shape.total());
        cards.check_arrived(report.done_bytes);
        /* The queue has failed, the devices have not. */
        uint64_t next = 0;
        CHECK(qiao_queue_copy(cards.queue.get(), &cards.wanted, &next) == QIAO_ERROR_CANCELLED);
        cards.queue = cards.session.queue();
        wait_for(cards.queue, cards.submit());
        cards.check_arrived(shape.total());
    }
}

} // namespace

// On cards with queues of their own.
TEST_SUITE("faults.direct") {
    TEST_CASE("a copy that the card's queue refuses to take is not submitted, and the next one is made") {
        for (const Shape& shape : kShapes) {
            INFO(std::string(shape.name));
            Cards cards(shape);
            qiao_copy_plan plan = QIAO_COPY_PLAN_INIT;
            REQUIRE_OK(qiao_queue_query_copy(cards.queue.get(), &cards.wanted, &plan));
            CHECK(plan.path == QIAO_COPY_PATH_PEER);
            CHECK(plan.operations == 1);
            cards.add_fault(cards.first, "queue_copy:1=error:-12");
            uint64_t value = 4711;
            CHECK_FAILS(qiao_queue_copy(cards.queue.get(), &cards.wanted, &value), QIAO_ERROR_IO, "queue_copy");
            CHECK(value == 0);
            cards.check_arrived(0);
            value = cards.submit();
            CHECK(value == 1);
            wait_for(cards.queue, value);
            CHECK(cards.report_of(value).path == QIAO_COPY_PATH_PEER);
            cards.check_arrived(shape.total());
        }
    }

    TEST_CASE("a card that is lost while its queue copies: the report has the reason, the neighbours their bytes") {
        Cards cards(kShapes[0]);
        cards.add_fault(cards.first, "queue_copy:2=stall");
        const uint64_t first = cards.submit();
        wait_for(cards.queue, first);
        const uint64_t stalled = cards.submit();
        qiao_copy_report report = QIAO_COPY_REPORT_INIT;
        CHECK(qiao_queue_query_copy_report(cards.queue.get(), stalled, &report) == QIAO_NOT_READY);
        REQUIRE_OK(qiao_device_reset(cards.first));
        CHECK(qiao_timeline_wait(timeline_of(cards.queue), stalled, kPatience) == QIAO_ERROR_DEVICE_LOST);
        CHECK(cards.report_of(stalled).status == QIAO_ERROR_DEVICE_LOST);
        CHECK(cards.report_of(stalled).done_bytes == 0);
        CHECK(cards.report_of(first).status == QIAO_OK);
        for (uint64_t index = 0; index < cards.shape.total(); ++index) cards.expected[kGuard + index] = cards.content[index];
        CHECK(download<uint8_t>(cards.target, cards.expected.size()) == cards.expected);
        CHECK(download<uint8_t>(cards.before, kGuard) == pattern(kGuard, 2));
        CHECK(download<uint8_t>(cards.behind, kGuard) == pattern(kGuard, 3));
    }
}

TEST_SUITE("faults.copies") {
    TEST_CASE("each read and each write of a staged copy fails in turn") {
        for (const Shape& shape : kShapes) {
            fail_each(shape, "memory_read", true, QIAO_MEMORY_KIND_DEVICE, QIAO_MEMORY_KIND_DEVICE, QIAO_COPY_PATH_STAGED);
            fail_each(shape, "memory_write", false, QIAO_MEMORY_KIND_DEVICE, QIAO_MEMORY_KIND_DEVICE, QIAO_COPY_PATH_STAGED);
        }
    }

    TEST_CASE("each read or write of a mapped copy fails in turn") {
        for (const Shape& shape : kShapes) {
            fail_each(shape, "memory_read", true, QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_DEVICE, QIAO_COPY_PATH_MAPPED);
            fail_each(shape, "memory_write", false, QIAO_MEMORY_KIND_DEVICE, QIAO_MEMORY_KIND_HOST, QIAO_COPY_PATH_MAPPED);
        }
    }

    TEST_CASE("a card that is lost in the middle: the copy fails with that, the other card works on") {
        for (const bool of_source : {true, false}) {
            INFO("source ", of_source);
            Cards cards(kShapes[0]);
            cards.add_fault(of_source ? cards.first : cards.second, of_source ? "memory_read:3=lost" : "memory_write:3=lost");
            const uint64_t value = cards.submit();
            const std::string message = failure_of(cards.queue, value, QIAO_ERROR_DEVICE_LOST);
            CHECK(message.find(of_source ? "mock:0" : "mock:1") != std::string::npos);
            const Session& session = cards.session;
            qiao_device* healthy = of_source ? cards.second : cards.first;
            qiao_queue* made = nullptr;
            REQUIRE_OK(qiao_queue_create(healthy, nullptr, &made));
            const Queue other(made);
            const Memory& own = of_source ? cards.target : cards.source;
            std::vector<uint8_t> back(kGuard);
            wait_for(other, copy(other, place(own), place(back.data()), kGuard));
            CHECK(std::equal(back.begin(), back.end(), of_source ? cards.expected.begin() : cards.content.begin()));
            CHECK(session.instance.get() != nullptr);
        }
    }

    TEST_CASE("copies behind a failed one are never begun, and their reports say so") {
        Cards cards(kShapes[0]);
        cards.add_fault(cards.second, "memory_write:2=error:-12");
        const Timeline gate = cards.session.timeline();
        after(cards.queue, gate.get(), 1);
        const uint64_t fails = cards.submit(), behind = cards.submit();
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        CHECK(qiao_timeline_wait(timeline_of(cards.queue), behind, kPatience) == QIAO_ERROR_IO);
        CHECK(cards.report_of(fails).done_bytes == kChunk);
        CHECK(cards.report_of(behind).status != QIAO_OK);
        CHECK(cards.report_of(behind).done_bytes == 0);
        cards.check_arrived(kChunk);
    }

    TEST_CASE("a slow call delays a copy and harms nothing") {
        Cards cards(kShapes[2]);
        cards.add_fault(cards.first, "memory_read:2=delay:20ms");
        cards.add_fault(cards.second, "memory_write:3=delay:20ms");
        wait_for(cards.queue, cards.submit());
        cards.check_arrived(kShapes[2].total());
    }

    TEST_CASE("staged copies in both directions at once end, and each has what it was given") {
        Session session;
        qiao_device* devices[2] = {session.device, nullptr};
        REQUIRE_OK(qiao_instance_find_device(session.instance.get(), "mock:1", &devices[1]));
        constexpr uint64_t kBytes = 7 * kChunk + 5;
        Memory sources[2], targets[2];
        Queue queues[2];
        for (int i = 0; i < 2; ++i) {
            session.device = devices[i];
            sources[i] = session.upload(pattern(kBytes, static_cast<uint32_t>(10 + i)));
            targets[i] = session.allocate(kBytes);
            queues[i] = session.queue();
        }
        uint64_t values[2] = {};
        for (int round = 0; round < 20; ++round) {
            for (int i = 0; i < 2; ++i) values[i] = copy(queues[i], place(sources[i]), place(targets[1 - i]), kBytes);
        }
        for (int i = 0; i < 2; ++i) wait_for(queues[i], values[i]);
        for (int i = 0; i < 2; ++i) CHECK(download<uint8_t>(targets[1 - i], kBytes) == pattern(kBytes, static_cast<uint32_t>(10 + i)));
    }
}
