// What a queue says of its progress is judged when nobody is submitting: a value may be polled before it was booked.
#include "dispatch/wait.h"

#include "dispatch/submit.h"
#include "emulation/deferred.h"
#include "../threads.h"

namespace {

// A device whose queue says what `on_poll` returns.
class Fixture {
public:
    Fixture() : device(qiao::Slab<qiao_device>::get().create()), queue(qiao::Slab<qiao_queue>::get().create(device)) {
        device->body.id = "test:0";
        device->body.plugin_id = "test";
        device->body.tables.queue.queue_poll = [](void* self, uint64_t* out_value) -> qiao_status {
            *out_value = static_cast<Fixture*>(self)->on_poll();
            return QIAO_OK;
        };
        qiao::Queue& body = queue->body;
        body.self = queue;
        body.lock = &body.own_lock;
        body.plugin_queue = this;
        body.timeline = qiao::Slab<qiao_timeline>::get().create(nullptr, queue, uint64_t{0});
        body.deferred = std::make_unique<qiao::DeferredQueue>(queue);
        book(1);
        body.marked_value = 1;
    }
    ~Fixture() {
        queue->body.timeline->body.source = nullptr;
        queue->body.plugin_queue = nullptr;
        qiao::drop_use(queue);
        qiao::drop_use(device);
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    // The last step of a submission, with the lock held.
    void book(uint64_t value) {
        qiao::queue_give_out(queue->body, value);
        queue->body.submitted_value = value;
    }
    qiao::Timeline& timeline() { return queue->body.timeline->body; }
    bool has_failed() { return timeline().failed.load(); }
    qiao_status poll(uint64_t value) { return qiao::timeline_poll(queue->body.timeline, value); }

    qiao_device* const device;
    qiao_queue* const queue;
    std::function<uint64_t()> on_poll;
};

// While the queue is polled another thread gets as far as the plugin with value 2: it has the lock, nothing is booked.
class Submitter {
public:
    explicit Submitter(Fixture& fixture) {
        fixture.on_poll = [this] {
            has_polled_ = true;
            while (!has_lock_) std::this_thread::yield();
            return uint64_t{2};
        };
    }
    void submit(Fixture& fixture, const std::function<void()>& before_booking) {
        while (!has_polled_) std::this_thread::yield();
        fixture.queue->body.lock->lock();
        has_lock_ = true;
        before_booking();
        fixture.book(2);
        fixture.queue->body.lock->unlock();
    }

private:
    std::atomic<bool> has_polled_{false}, has_lock_{false};
};

}  // namespace

TEST_SUITE_BEGIN("wait");

TEST_CASE("a value that the plugin has before it is booked is waited for, and counts") {
    Fixture fixture;
    Submitter submitter(fixture);
    qiao_status status = QIAO_NOT_READY;
    test::ObservedThread poller([&] { status = fixture.poll(1); });
    submitter.submit(fixture, [&] { CHECK(test::eventually([&] { return poller.sleeps() || poller.has_ended(); })); });
    poller.join();
    CHECK(status == QIAO_OK);
    CHECK(!fixture.has_failed());
    CHECK(fixture.timeline().reached == 2);
}

TEST_CASE("a value that nobody is submitting fails the queue") {
    Fixture fixture;
    fixture.on_poll = [] { return uint64_t{2}; };
    CHECK(fixture.poll(1) == QIAO_ERROR_PLUGIN);
    CHECK(fixture.timeline().reached == 0);
    CHECK(fixture.timeline().failure.message.find("value 2 is reached, which was not submitted yet") != std::string::npos);
    CHECK(fixture.timeline().failure.object == "test:0");
}

TEST_CASE("a submitter that never comes back keeps nobody once the device is lost, and the value is not believed") {
    Fixture fixture;
    Submitter submitter(fixture);
    qiao_status status = QIAO_OK;
    test::ObservedThread poller([&] { status = fixture.poll(1); });
    submitter.submit(fixture, [&] {
        CHECK(test::eventually([&] { return poller.sleeps() || poller.has_ended(); }));
        fixture.device->body.losses.fetch_add(1);
        fixture.device->body.lost = true;
        poller.join();
    });
    CHECK(status == QIAO_NOT_READY);
    CHECK(!fixture.has_failed());
    CHECK(fixture.timeline().reached == 0);
}

TEST_SUITE_END();
