// Handles that are null, of another kind, released, lost, failed or forked are told apart; slots are reused late; and
// marking a kind works in the child of a fork whatever the parent's threads were doing.
#include "object/handle.h"

#include <sys/wait.h>

#include <set>

#include "object/device.h"
#include "object/instance.h"
#include "object/timeline.h"
#include "../threads.h"

using qiao::last_error;
using qiao::Slab;

namespace {

// A kind of its own, so that tests see a slab nobody else uses. Its body counts the living.
std::atomic<int> g_living{0};

struct Body {
    explicit Body(int n = 0) : number(n) {
        if (number < 0) throw std::runtime_error("refused");
        ++g_living;
    }
    ~Body() { --g_living; }
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;
    int number;
};

template <int kind>
struct TestHandle {
    static constexpr uint64_t kTag = 0x7174657374000000 + (uint64_t{kind} << 8);
    qiao::Header header;
    union {
        Body body;
    };
    TestHandle() {}
    ~TestHandle() {}
};

template <class Handle>
qiao_status healthy(Handle* handle) {
    QIAO_CHECK_HANDLE(handle);
    return QIAO_OK;
}
template <class Handle>
qiao_status alive(Handle* handle) {
    QIAO_CHECK_ALIVE(handle);
    return QIAO_OK;
}

qiao_timeline* make_timeline() {
    return Slab<qiao_timeline>::get().create(nullptr, nullptr, uint64_t{0});
}

void end(qiao_timeline* timeline) {
    REQUIRE(qiao::release(timeline));
    qiao::drop_use(timeline);
}

bool message_has(const char* text) {
    return last_error().message.find(text) != std::string::npos;
}

// Exit code of `body` run in a child, which is killed if it hangs.
int in_child(const std::function<int()>& body) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        alarm(20);
        _exit(body());
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_SUITE_BEGIN("handle.check");

TEST_CASE("a live handle passes both checks") {
    qiao_timeline* timeline = make_timeline();
    CHECK(healthy(timeline) == QIAO_OK);
    CHECK(alive(timeline) == QIAO_OK);
    end(timeline);
}

TEST_CASE("null names the argument and the kind") {
    CHECK(healthy<qiao_timeline>(nullptr) == QIAO_ERROR_INVALID_HANDLE);
    CHECK(message_has("'handle' is null"));
    CHECK(message_has("timeline"));
    CHECK(alive<qiao_timeline>(nullptr) == QIAO_ERROR_INVALID_HANDLE);
}

TEST_CASE("a handle of another kind: both kinds are named") {
    qiao_timeline* timeline = make_timeline();
    CHECK(healthy(reinterpret_cast<qiao_device*>(timeline)) == QIAO_ERROR_INVALID_HANDLE);
    CHECK(message_has("is a timeline"));
    CHECK(message_has("a device is needed"));
    CHECK(alive(reinterpret_cast<qiao_device*>(timeline)) == QIAO_ERROR_INVALID_HANDLE);
    end(timeline);
}

TEST_CASE("memory that never was a handle") {
    alignas(64) unsigned char junk[256] = {1, 2, 3};
    CHECK(healthy(reinterpret_cast<qiao_timeline*>(junk)) == QIAO_ERROR_INVALID_HANDLE);
    CHECK(message_has("not a handle"));
}

TEST_CASE("a released handle is dead at once, also while the core still uses it") {
    qiao_timeline* timeline = make_timeline();
    qiao::add_use(timeline);
    REQUIRE(qiao::release(timeline));
    qiao::drop_use(timeline);
    CHECK(healthy(timeline) == QIAO_ERROR_INVALID_HANDLE);
    CHECK(message_has("released"));
    CHECK(timeline->body.reached == 0); /* still there for the core */
    qiao::drop_use(timeline);
    CHECK(healthy(timeline) == QIAO_ERROR_INVALID_HANDLE);
    CHECK(message_has("released"));
}

TEST_CASE("a released handle that is lost or fails afterwards is still a released one") {
    qiao_timeline* timeline = make_timeline();
    qiao::add_use(timeline);
    REQUIRE(qiao::release(timeline));
    qiao::drop_use(timeline);
    timeline->header.word.fetch_or(qiao::kStateFailed);
    CHECK(healthy(timeline) == QIAO_ERROR_INVALID_HANDLE);
    CHECK(message_has("released"));
    CHECK(alive(timeline) == QIAO_ERROR_INVALID_HANDLE);
    qiao::drop_use(timeline);
}

TEST_CASE("lost and failed handles can still be released, forked ones cannot") {
    qiao_timeline* timeline = make_timeline();
    timeline->header.word = qiao_timeline::kTag | qiao::kStateFailed;
    CHECK(healthy(timeline) == QIAO_ERROR_CANCELLED);
    CHECK(alive(timeline) == QIAO_OK);
    timeline->header.word = qiao_timeline::kTag | qiao::kStateLost | qiao::kStateFailed;
    CHECK(healthy(timeline) == QIAO_ERROR_DEVICE_LOST);
    CHECK_FALSE(last_error().remedy.empty());
    CHECK(alive(timeline) == QIAO_OK);
    timeline->header.word = qiao_timeline::kTag | qiao::kStateForked | qiao::kStateLost;
    CHECK(healthy(timeline) == QIAO_ERROR_FORKED);
    CHECK_FALSE(last_error().remedy.empty());
    CHECK(alive(timeline) == QIAO_ERROR_FORKED);
    timeline->header.word = qiao_timeline::kTag;
    end(timeline);
}

TEST_CASE("only the last reference of the application ends it") {
    qiao_timeline* timeline = make_timeline();
    qiao::retain(timeline);
    CHECK_FALSE(qiao::release(timeline));
    CHECK(healthy(timeline) == QIAO_OK);
    end(timeline);
    CHECK(healthy(timeline) == QIAO_ERROR_INVALID_HANDLE);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("handle.slab");

TEST_CASE("a body is made with its arguments and destroyed with the last use") {
    using Handle = TestHandle<1>;
    Handle* handle = Slab<Handle>::get().create(42);
    CHECK(handle->body.number == 42);
    CHECK(g_living == 1);
    qiao::add_use(handle);
    qiao::drop_use(handle);
    CHECK(g_living == 1);
    qiao::drop_use(handle);
    CHECK(g_living == 0);
}

TEST_CASE("a body whose constructor throws leaves no live handle") {
    using Handle = TestHandle<2>;
    for (int round = 0; round < 1'000; ++round) CHECK_THROWS(Slab<Handle>::get().create(-1));
    CHECK(g_living == 0);
    int live = 0;
    Slab<Handle>::get().mark(qiao::kStateLost, [&](Handle&) { return ++live > 0; });
    CHECK(live == 0);
}

TEST_CASE("a destroyed handle stays recognisable while 256 others come and go") {
    using Handle = TestHandle<3>;
    Handle* first = Slab<Handle>::get().create();
    qiao::drop_use(first);
    for (int round = 0; round < 256; ++round) {
        Handle* other = Slab<Handle>::get().create();
        REQUIRE(other != first);
        CHECK(first->header.word == qiao::kTagDestroyed);
        qiao::drop_use(other);
    }
}

TEST_CASE("slots are used again, so that creation and release for ever need bounded memory") {
    using Handle = TestHandle<4>;
    std::set<Handle*> places;
    for (int round = 0; round < 5'000; ++round) {
        Handle* handle = Slab<Handle>::get().create();
        places.insert(handle);
        qiao::drop_use(handle);
    }
    CHECK(places.size() <= 512);
}

TEST_CASE("live handles never share a slot") {
    using Handle = TestHandle<5>;
    std::set<Handle*> places;
    for (int number = 0; number < 1'000; ++number) CHECK(places.insert(Slab<Handle>::get().create(number)).second);
    for (Handle* handle : places) qiao::drop_use(handle);
    CHECK(g_living == 0);
}

TEST_CASE("marking touches the chosen ones of the living only") {
    using Handle = TestHandle<6>;
    Handle* odd = Slab<Handle>::get().create(1);
    Handle* even = Slab<Handle>::get().create(2);
    Handle* dead = Slab<Handle>::get().create(3);
    qiao::drop_use(dead);
    Slab<Handle>::get().mark(qiao::kStateLost, [](Handle& handle) { return handle.body.number % 2 == 1; });
    CHECK(odd->header.word == (Handle::kTag | qiao::kStateLost));
    CHECK(even->header.word == Handle::kTag);
    CHECK(dead->header.word == qiao::kTagDestroyed);
    qiao::drop_use(odd);
    qiao::drop_use(even);
}

TEST_CASE("a slot that was marked is clean when used again") {
    using Handle = TestHandle<7>;
    for (int round = 0; round < 2'000; ++round) {
        Handle* handle = Slab<Handle>::get().create();
        REQUIRE(handle->header.word == Handle::kTag);
        Slab<Handle>::get().mark(qiao::kStateLost | qiao::kStateFailed, [](Handle&) { return true; });
        REQUIRE(handle->header.word != Handle::kTag);
        qiao::drop_use(handle);
    }
}

TEST_CASE("threads create, use, mark and release at once") {
    using Handle = TestHandle<8>;
    std::atomic<int> wrong{0};
    test::on_threads(4, [&](int index) {
        for (int round = 0; round < 2'000; ++round) {
            if (index == 3 && round % 16 == 0) Slab<Handle>::get().mark(qiao::kStateLost, [](Handle&) { return true; });
            Handle* handle = Slab<Handle>::get().create(round);
            qiao::retain(handle);
            qiao::add_use(handle);
            if (!qiao::is_alive(handle) || handle->body.number != round) ++wrong;
            if (qiao::release(handle)) ++wrong;
            qiao::drop_use(handle);
            if (!qiao::release(handle)) ++wrong;
            if (qiao::is_alive(handle)) ++wrong;
            qiao::drop_use(handle);
        }
    });
    CHECK(wrong == 0);
    CHECK(g_living == 0);
}

TEST_CASE("of threads that release a shared handle exactly one is the last") {
    using Handle = TestHandle<9>;
    for (int round = 0; round < 200; ++round) {
        Handle* handle = Slab<Handle>::get().create(round);
        for (int more = 0; more < 3; ++more) qiao::retain(handle);
        std::atomic<int> last{0};
        test::on_threads(4, [&](int) { last += qiao::release(handle); });
        CHECK(last == 1);
        qiao::drop_use(handle);
    }
    CHECK(g_living == 0);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("handle.fork");

TEST_CASE("the child refuses the parent's handles, the parent goes on") {
    qiao_timeline* timeline = make_timeline();
    const int seen = in_child([&] {
        Slab<qiao_timeline>::get().mark_unlocked(qiao::kStateForked, [](auto&) { return true; });
        if (healthy(timeline) != QIAO_ERROR_FORKED || alive(timeline) != QIAO_ERROR_FORKED) return 1;
        return message_has("parent process") ? 0 : 2;
    });
    CHECK(seen == 0);
    CHECK(healthy(timeline) == QIAO_OK);
    end(timeline);
}

TEST_CASE("the child marks although a thread of the parent was inside the slab") {
    using Handle = TestHandle<10>;
    Handle* handle = Slab<Handle>::get().create();
    std::atomic<bool> inside{false}, leave{false};
    std::thread holder([&] {
        Slab<Handle>::get().mark(qiao::kStateLost, [&](Handle&) {
            inside = true;
            while (!leave) std::this_thread::yield();
            return false;
        });
    });
    CHECK(test::eventually([&] { return inside.load(); }));
    const int seen = in_child([&] {
        Slab<Handle>::get().mark_unlocked(qiao::kStateForked, [](Handle&) { return true; });
        return handle->header.word == (Handle::kTag | qiao::kStateForked) ? 0 : 1;
    });
    CHECK(seen == 0);
    leave = true;
    holder.join();
    CHECK(handle->header.word == Handle::kTag);
    qiao::drop_use(handle);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("handle.slots_of_a_device");

TEST_CASE("the guard serialises a device's slots, unless it is free-threaded") {
    qiao::Device device;
    {
        const qiao::SlotGuard guard(device);
        CHECK_FALSE(device.slots.try_lock());
    }
    CHECK(device.slots.try_lock());
    device.slots.unlock();
    device.free_threaded = true;
    const qiao::SlotGuard guard(device);
    CHECK(device.slots.try_lock());
    device.slots.unlock();
}

TEST_SUITE_END();
