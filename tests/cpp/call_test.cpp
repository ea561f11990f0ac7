// Host functions: called once, kept until then, and their exceptions arrive where one waits for them.
#include <atomic>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include "support/session.h"

using namespace cpp;

TEST_SUITE("call.order") {
    TEST_CASE("a function runs after what is before it, and before what is after it, on another thread") {
        const Session session;
        qiao::Queue queue(session.device);
        qiao::Buffer<uint32_t> buffer(session.device, std::vector<uint32_t>(64, 0));
        std::vector<uint32_t> seen(64), later(64);
        uint32_t first = 0;
        std::thread::id where;
        queue.fill(buffer, 5);
        queue.copy(buffer, seen);
        const auto called = queue.call([&](qiao_status status) noexcept {
            if (status != QIAO_OK) return;
            first = seen[63];
            seen[0] = 99;
            where = std::this_thread::get_id();
        });
        static_assert(std::is_same_v<decltype(called), const qiao::Point>);
        wait_for(queue.copy(seen, buffer));
        CHECK(first == 5);
        CHECK(buffer.read()[0] == 99);
        CHECK(where != std::this_thread::get_id());
        CHECK(called.reached());
    }

    TEST_CASE("it may submit work, to its own queue too") {
        const Session session;
        qiao::Queue queue(session.device);
        const qiao::Buffer<uint32_t> buffer(session.device, 4);
        std::atomic<uint64_t> submitted{0};
        wait_for(queue.call([&](qiao_status) { submitted = queue.fill(buffer, 3).value(); }));
        REQUIRE(submitted != 0);
        wait_for(queue.at(submitted));
        CHECK(buffer.read() == std::vector<uint32_t>(4, 3));
    }
}

TEST_SUITE("call.ownership") {
    TEST_CASE("what moves only is moved in, called once, and destroyed before the point is passed on") {
        const Session session;
        qiao::Queue queue(session.device);
        auto counter = std::make_shared<std::atomic<int>>(0);
        const std::weak_ptr<std::atomic<int>> watch = counter;
        struct Once {
            std::shared_ptr<std::atomic<int>> counter;
            std::unique_ptr<int> moves_only;
            void operator()(qiao_status) noexcept { ++*counter; }
        };
        wait_for(queue.call(Once{counter, std::make_unique<int>(1)}));
        CHECK(*counter == 1);
        counter.reset();
        CHECK(watch.expired());
    }

    TEST_CASE("a queue that fails calls it all the same, with its status") {
        const Session session;
        qiao::Timeline gate(session.instance);
        qiao::Queue queue(session.device);
        std::atomic<int> calls{0};
        std::atomic<qiao_status> got{QIAO_OK};
        const auto alive = std::make_shared<int>(0);
        queue.after(gate.at(1));
        const qiao::Point done = queue.call([&calls, &got, alive](qiao_status status) noexcept {
            got = status;
            ++calls;
        });
        gate = qiao::Timeline();
        CHECK(record_of([&] { static_cast<void>(done.wait(kPatience)); }).status == QIAO_ERROR_CANCELLED);
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (alive.use_count() != 1 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        CHECK(calls == 1);
        CHECK(got == QIAO_ERROR_CANCELLED);
    }

    TEST_CASE("a queue that refuses it leaves it to the caller's side") {
        const auto alive = std::make_shared<int>(0);
        CHECK(record_of([&] { qiao::Queue().call([alive](qiao_status) noexcept {}); }).status == QIAO_ERROR_INVALID_HANDLE);
        CHECK(alive.use_count() == 1);
    }
}

TEST_SUITE("call.exception") {
    TEST_CASE("what it throws is thrown by wait, each time; the queue goes on") {
        const Session session;
        qiao::Queue queue(session.device);
        const qiao::Buffer<uint32_t> buffer(session.device, 4);
        const qiao::Call call = queue.call([](qiao_status) { throw std::runtime_error("from the host function"); });
        wait_for(queue.fill(buffer, 1));
        CHECK_THROWS_WITH_AS(call.wait(), "from the host function", std::runtime_error);
        CHECK_THROWS_AS(static_cast<void>(call.wait(kPatience)), std::runtime_error);
        CHECK(call.point().reached());
    }

    TEST_CASE("a Call without exception is a Point with a time limit") {
        const Session session;
        qiao::Timeline gate(session.instance);
        qiao::Queue queue(session.device);
        std::atomic<bool> called{false};
        queue.after(gate.at(1));
        const qiao::Call call = queue.call([&](qiao_status) { called = true; });
        CHECK(!call.wait(kMoment));
        CHECK(!called);
        gate.signal(1);
        CHECK(call.wait(kPatience));
        CHECK(called);
        CHECK_NOTHROW(call.wait());
    }

    TEST_CASE("errors of Qiao inside it arrive with their record") {
        const Session session;
        qiao::Queue queue(session.device);
        const qiao::Call call = queue.call([&](qiao_status) { session.instance.find_device("nobody:7"); });
        const auto record = record_of<qiao::NotFoundError>([&] { call.wait(); });
        CHECK(contains(record.message, "nobody:7"));
    }
}
