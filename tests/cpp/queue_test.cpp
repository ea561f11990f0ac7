// Queues and timelines: order, time limits, copies, fills, timestamps, two devices.
#include "support/session.h"

using namespace cpp;

TEST_SUITE("queue.wait") {
    TEST_CASE("a time-out is an answer, not an error") {
        const Session session;
        qiao::Timeline gate(session.instance);
        qiao::Queue queue(session.device);
        const qiao::Buffer<uint32_t> buffer(session.device, 4);
        queue.after(gate.at(1));
        const qiao::Point done = queue.fill(buffer, 1);
        CHECK(!done.reached());
        CHECK(!done.wait(0ns));
        CHECK(!done.wait(-1s));
        CHECK(!done.wait(kMoment));
        CHECK(!session.device.synchronize(kMoment));
        gate.signal(1);
        CHECK(done.wait(kPatience));
        CHECK(done.reached());
        CHECK_NOTHROW(done.wait());
        CHECK_NOTHROW(session.device.synchronize());
        CHECK(queue.timeline().value() == done.value());
        CHECK(queue.at(done.value()).timeline() == done.timeline());
    }

    TEST_CASE("a timeline that is given up ends its waits") {
        const Session session;
        qiao::Timeline gate(session.instance);
        qiao::Queue queue(session.device);
        const qiao::Point done = queue.after(gate.at(1));
        gate = qiao::Timeline();
        CHECK(record_of([&] { static_cast<void>(done.wait(kPatience)); }).status == QIAO_ERROR_CANCELLED);
    }

    TEST_CASE("signals rise only") {
        const Session session;
        qiao::Timeline timeline(session.instance, 5);
        CHECK(timeline.value() == 5);
        timeline.signal(8);
        CHECK(timeline.at(8).reached());
        CHECK(!timeline.at(9).reached());
        CHECK(record_of([&] { timeline.signal(8); }).status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(record_of([&] { qiao::Queue(session.device).timeline().signal(1); }).status != QIAO_OK);
    }
}

TEST_SUITE("queue.order") {
    TEST_CASE("queues wait for each other, also for what is not submitted yet") {
        const Session session;
        qiao::Timeline timeline(session.instance);
        qiao::Queue producer(session.device), consumer(session.device);
        const qiao::Buffer<uint32_t> source(session.device, 256), target(session.device, std::vector<uint32_t>(256, 0));
        consumer.after(timeline.at(3));
        const qiao::Point copied = consumer.copy(source, target);
        CHECK(!copied.wait(kMoment));
        producer.fill(source, 77);
        producer.signal(timeline.at(3));
        wait_for(copied);
        CHECK(target.read() == std::vector<uint32_t>(256, 77));
    }
}

TEST_SUITE("queue.copy") {
    TEST_CASE("host containers, buffers and slices, either way") {
        const Session session;
        qiao::Queue queue(session.device);
        const qiao::Buffer<uint32_t> a(session.device, 8), b(session.device, 8);
        const std::vector<uint32_t> in = numbers(8);
        std::vector<uint32_t> out(4), all(8);
        queue.copy(in, a);
        queue.copy(a.slice(0, 4), b.slice(4, 4));
        queue.copy(a.slice(4, 4), b.slice(0, 4));
        queue.copy(b.slice(2, 4), out);
        wait_for(queue.copy(b, qiao::span<uint32_t>(all.data(), all.size())));
        CHECK(all == std::vector<uint32_t>{4, 5, 6, 7, 0, 1, 2, 3});
        CHECK(out == std::vector<uint32_t>{6, 7, 0, 1});
    }

    TEST_CASE("counts that differ are refused before anything is submitted") {
        const Session session;
        qiao::Queue queue(session.device);
        const qiao::Buffer<uint32_t> a(session.device, 8), b(session.device, 6);
        const auto record = record_of([&] { queue.copy(a, b); });
        CHECK(record.status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(contains(record.message, "8 elements, its target 6"));
        CHECK(queue.fill(b, 1).value() == 1);
        qiao::Slice<uint32_t> beyond = b;
        beyond.count = 8;
        CHECK(record_of([&] { queue.copy(a, beyond); }).status == QIAO_ERROR_OUT_OF_RANGE);
    }

    TEST_CASE("rows go through the C struct") {
        const Session session;
        qiao::Queue queue(session.device);
        const qiao::Buffer<uint32_t> buffer(session.device, numbers(16));
        std::vector<uint32_t> column(8);
        qiao_copy rows = QIAO_COPY_INIT;
        rows.source = {session.device.get(), (buffer.address() + 1).value()};
        rows.target = {nullptr, reinterpret_cast<uintptr_t>(column.data())};
        rows.size_bytes = 8;
        rows.rows = 4;
        rows.source_pitch = 16;
        rows.target_pitch = 8;
        wait_for(queue.copy(rows));
        CHECK(column == std::vector<uint32_t>{1, 2, 5, 6, 9, 10, 13, 14});
    }
}

TEST_SUITE("queue.box") {
    TEST_CASE("a box of elements, with the path that was planned and a report") {
        const Session session;
        qiao::Queue queue(session.device);
        const qiao::Buffer<uint32_t> buffer(session.device, numbers(2 * 4 * 5));  // two slices of four rows of five
        std::vector<uint32_t> part(2 * 2 * 3);
        const qiao::Extent extent = {3, 2, 2};
        const qiao_copy wanted = qiao::Queue::box(buffer.slice(6, 34), {5, 20}, part, {}, extent);
        const qiao_copy_plan plan = queue.plan(wanted);
        CHECK(plan.total_bytes == 48);
        const qiao::Point point = queue.copy_box(buffer.slice(6, 34), {5, 20}, part, {}, extent);
        wait_for(point);
        CHECK(part == std::vector<uint32_t>{6, 7, 8, 11, 12, 13, 26, 27, 28, 31, 32, 33});
        const auto report = queue.report(point);
        REQUIRE(report.has_value());
        CHECK(report->path == plan.path);
        CHECK(report->done_bytes == 48);
        CHECK(report->status == QIAO_OK);
    }

    TEST_CASE("a box that leaves its elements, one without any, and points that are no copy's") {
        const Session session;
        qiao::Queue queue(session.device), other(session.device);
        const qiao::Buffer<uint32_t> buffer(session.device, 40);
        std::vector<uint32_t> part(11);
        const auto small = record_of([&] { queue.copy_box(buffer, {5, 20}, part, {}, {3, 2, 2}); });
        CHECK(small.status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(contains(small.message, "target of the copy has 11 elements, the box reaches to 12"));
        CHECK(record_of([&] { queue.copy_box(buffer, {5, 40}, part, {}, {3, 1, 2}); }).status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(record_of([&] { queue.copy_box(buffer, {}, part, {}, {0, 1, 1}); }).status == QIAO_ERROR_OUT_OF_RANGE);
        const qiao::Point filled = queue.fill(buffer, 1);
        CHECK(filled.value() == 1);  // nothing was submitted before
        CHECK(record_of([&] { static_cast<void>(queue.report(filled)); }).status == QIAO_ERROR_NOT_FOUND);
        CHECK(record_of([&] { static_cast<void>(other.report(filled)); }).status == QIAO_ERROR_INVALID_ARGUMENT);
    }
}

TEST_SUITE("queue.fill") {
    template <class T>
    void check_fill(const Session& session, T value) {
        qiao::Queue queue(session.device);
        qiao::Buffer<T> buffer(session.device, std::vector<T>(5, T{}));
        wait_for(queue.fill(buffer.slice(1, 3), value));
        CHECK(buffer.read() == std::vector<T>{T{}, value, value, value, T{}});
    }

    TEST_CASE("elements of every size that a pattern has") {
        const Session session;
        check_fill<uint8_t>(session, 0xab);
        check_fill<uint16_t>(session, 0xabcd);
        check_fill<float>(session, -1.5f);
        check_fill<double>(session, 2.25);
    }
}

TEST_SUITE("queue.timestamps") {
    TEST_CASE("of operations that have ended, on queues that keep them") {
        const Session session;
        qiao::QueueOptions options;
        options.profiling = true;
        qiao::Queue queue(session.device, options), other(session.device);
        qiao::Timeline gate(session.instance);
        const qiao::Buffer<uint32_t> buffer(session.device, 1024);
        queue.after(gate.at(1));
        const qiao::Point done = queue.fill(buffer, 1);
        CHECK(!queue.timestamps(done).has_value());
        gate.signal(1);
        wait_for(done);
        const auto times = queue.timestamps(done);
        REQUIRE(times.has_value());
        CHECK(times->start_ns <= times->end_ns);
        CHECK(record_of([&] { static_cast<void>(queue.timestamps(other.fill(buffer, 2))); }).status == QIAO_ERROR_INVALID_ARGUMENT);
    }
}

TEST_SUITE("queue.devices") {
    TEST_CASE("two devices: copies across, and launches on the right one only") {
        const Session session;
        const std::vector<qiao::Device> devices = session.instance.devices();
        REQUIRE(devices.size() >= 2);
        const qiao::Device other = devices[0] == session.device ? devices[1] : devices[0];
        const qiao::Buffer<uint32_t> here(session.device, numbers(100)), there(other, 100), back(session.device, 100);
        qiao::Queue queue(session.device), far_queue(other);
        const qiao::Point sent = queue.copy(here, there);
        far_queue.after(sent);
        wait_for(far_queue.copy(there, back));
        CHECK(back.read() == numbers(100));

        const qiao::Program program = session.program();
        const auto fill = program.kernel<qiao::Address<uint32_t>, uint32_t>("fill");
        const auto record = record_of([&] { far_queue.launch(fill, 1, there, 1); });
        CHECK(record.status == QIAO_ERROR_INVALID_HANDLE);
        CHECK(contains(record.message, other.id()));
        CHECK(contains(record.message, session.device.id()));
    }
}
