// Host callbacks on queues: when they are called, how often, and what they may do.
#include <atomic>
#include <thread>

#include "support/session.h"

using namespace api;

namespace {

struct Calls {
    std::atomic<int> count{0};
    std::atomic<qiao_status> status{99};
    std::thread::id thread;

    static void note(void* self, qiao_status status) {
        auto& calls = *static_cast<Calls*>(self);
        calls.thread = std::this_thread::get_id();
        calls.status = status;
        calls.count.fetch_add(1);
    }
};

struct Submitter {
    qiao_queue *own, *other;
    qiao_place own_target, other_target;  // the two fills run at the same time
    std::atomic<uint64_t> own_value{0}, other_value{0};
    std::atomic<qiao_status> worst{QIAO_OK};

    static void submit(void* self_pointer, qiao_status) {
        auto& self = *static_cast<Submitter*>(self_pointer);
        const uint32_t pattern = 9;
        uint64_t value = 0;
        self.worst = std::min<qiao_status>(self.worst, qiao_queue_fill(self.other, self.other_target, 64, &pattern, 4, &value));
        self.other_value = value;
        self.worst = std::min<qiao_status>(self.worst, qiao_queue_fill(self.own, self.own_target, 64, &pattern, 4, &value));
        self.own_value = value;
    }
};

}  // namespace

TEST_SUITE("callback.call") {
    TEST_CASE("comes once, on another thread, after what was before it and before what is after it") {
        Session session;
        const Queue queue = session.queue();
        const Memory memory = session.allocate(400);
        std::vector<uint32_t> host(100);
        struct Look {
            std::vector<uint32_t>& host;
            Calls calls;
            uint32_t seen = 0;
        } look{host, {}};
        fill(queue, place(memory), 400, 8);
        copy(queue, place(memory), place(host.data()), 400);
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_call(queue.get(), [](void* user, qiao_status status) {
            auto& self = *static_cast<Look*>(user);
            self.seen = self.host[99];
            self.host[0] = 1234;  // the copy that follows must see it
            Calls::note(&self.calls, status);
        }, &look, &value));
        CHECK(value == 3);
        wait_for(queue, copy(queue, place(host.data()), place(memory), 400));
        CHECK(look.calls.count == 1);
        CHECK(look.calls.status == QIAO_OK);
        CHECK(look.calls.thread != std::this_thread::get_id());
        CHECK(look.seen == 8);
        CHECK(download<uint32_t>(memory, 1)[0] == 1234);
    }

    TEST_CASE("may submit work, to its own queue and to others") {
        Session session;
        const Queue own = session.queue(), other = session.queue();
        const Memory memory = session.allocate(64), other_memory = session.allocate(64);
        Submitter submitter{own.get(), other.get(), place(memory), place(other_memory)};
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_call(own.get(), Submitter::submit, &submitter, &value));
        wait_for(own, value);
        CHECK(submitter.worst == QIAO_OK);
        CHECK(submitter.own_value == value + 1);
        wait_for(own, submitter.own_value);
        wait_for(other, submitter.other_value);
        CHECK(download<uint32_t>(memory, 16) == std::vector<uint32_t>(16, 9));
        CHECK(download<uint32_t>(other_memory, 16) == std::vector<uint32_t>(16, 9));
    }

    TEST_CASE("is called with the queue's failure when it fails first") {
        Session session;
        const Queue queue = session.queue();
        Timeline gate = session.timeline();
        Calls calls;
        after(queue, gate.get(), 1);
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_call(queue.get(), Calls::note, &calls, &value));
        gate.reset();
        CHECK(qiao_timeline_wait(timeline_of(queue), value, kPatience) == QIAO_ERROR_CANCELLED);
        REQUIRE_OK(qiao_device_synchronize(session.device, kPatience));
        while (calls.count == 0) std::this_thread::yield();
        CHECK(calls.status == QIAO_ERROR_CANCELLED);
        uint64_t refused = 7;
        CHECK_FAILS(qiao_queue_call(queue.get(), Calls::note, &calls, &refused), QIAO_ERROR_CANCELLED, "takes no more work");
        CHECK(refused == 0);
        CHECK(calls.count == 1);
    }

    TEST_CASE("may release what it was given, its queue included") {
        Session session;
        struct Last {
            qiao_queue* queue;
            qiao_memory* memory;
            std::atomic<bool> done{false};
        } last{session.queue().release(), session.allocate(64).release()};
        REQUIRE_OK(qiao_queue_call(last.queue, [](void* user, qiao_status) {
            auto& given = *static_cast<Last*>(user);
            qiao_memory_release(given.memory);
            qiao_queue_release(given.queue);
            given.done = true;
        }, &last, nullptr));
        while (!last.done) std::this_thread::yield();
        check_works(session);
    }

    TEST_CASE("a null function is refused") {
        Session session;
        const Queue queue = session.queue();
        uint64_t value = 7;
        CHECK_FAILS(qiao_queue_call(queue.get(), nullptr, nullptr, &value), QIAO_ERROR_INVALID_ARGUMENT, "callback");
        CHECK(value == 0);
        REQUIRE_OK(qiao_queue_call(queue.get(), [](void*, qiao_status) {}, nullptr, nullptr));
        wait_for(queue, 1);
    }
}
