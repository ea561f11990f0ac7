// Timelines that several processes raise. A peer may be slow, wrong or dead: waits end, and say why.
#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "support/peer.h"
#include "support/session.h"

using namespace api;
using share::Command;
using share::Peer;

namespace {

struct Exported {
    qiao_share_handle handle = {};
    int32_t descriptor = -1;

    Exported() = default;
    Exported(const Exported&) = delete;
    Exported& operator=(const Exported&) = delete;
    ~Exported() {
        if (descriptor >= 0) close(descriptor);
    }
};

Timeline make_shared_timeline(const Session& session, uint64_t value = 0) {
    qiao_timeline* timeline = nullptr;
    REQUIRE_OK(qiao_timeline_create_shareable(session.instance.get(), value, &timeline));
    return Timeline(timeline);
}

void export_to(Exported& out, const Timeline& timeline) {
    REQUIRE_OK(qiao_timeline_export(timeline.get(), &out.handle, &out.descriptor));
}

Timeline import_timeline(const Session& session, const Exported& from) {
    qiao_timeline* timeline = nullptr;
    REQUIRE_OK(qiao_timeline_import(session.instance.get(), &from.handle, from.descriptor, &timeline));
    return Timeline(timeline);
}

qiao_status try_import(const Session& session, const qiao_share_handle& handle, int descriptor) {
    qiao_timeline* timeline = reinterpret_cast<qiao_timeline*>(1);
    const qiao_status status = qiao_timeline_import(session.instance.get(), &handle, descriptor, &timeline);
    CHECK((timeline == nullptr) == (status != QIAO_OK));
    if (status == QIAO_OK) REQUIRE_OK(qiao_timeline_release(timeline));
    return status;
}

// The page that all who have it write to.
class Page {
   public:
    explicit Page(const Exported& of) : start_(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, of.descriptor, 0)) { REQUIRE(start_ != MAP_FAILED); }
    ~Page() { munmap(start_, 4096); }
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    unsigned char* bytes() const { return static_cast<unsigned char*>(start_); }
    std::atomic<uint64_t>& value() const { return *reinterpret_cast<std::atomic<uint64_t>*>(bytes() + 64); }

   private:
    void* start_;
};

}  // namespace

TEST_SUITE("timeline.shared") {
    TEST_CASE("within a process it is a timeline like any other") {
        Session session;
        const Timeline timeline = make_shared_timeline(session, 5);
        CHECK(value_of(timeline.get()) == 5);
        CHECK(qiao_timeline_reached(timeline.get(), 5) == QIAO_OK);
        CHECK(qiao_timeline_reached(timeline.get(), 6) == QIAO_NOT_READY);
        CHECK(qiao_timeline_wait(timeline.get(), 6, 0) == QIAO_TIMEOUT);
        CHECK(qiao_timeline_wait(timeline.get(), 6, 1'000'000) == QIAO_TIMEOUT);
        REQUIRE_OK(qiao_timeline_signal(timeline.get(), 8));
        CHECK_OK(qiao_timeline_wait(timeline.get(), 7, kPatience));
        CHECK_FAILS(qiao_timeline_signal(timeline.get(), 8), QIAO_ERROR_OUT_OF_RANGE, "8");
        CHECK_FAILS(qiao_timeline_signal(timeline.get(), 3), QIAO_ERROR_OUT_OF_RANGE, "3", "8");
        const Queue queue = session.queue();
        after(queue, timeline.get(), 9);
        uint64_t end = 0;
        REQUIRE_OK(qiao_queue_signal(queue.get(), timeline.get(), 10, &end));
        CHECK_FAILS(qiao_queue_signal(queue.get(), timeline.get(), 8, nullptr), QIAO_ERROR_OUT_OF_RANGE, "8");
        std::thread signaller([&] { REQUIRE_OK(qiao_timeline_signal(timeline.get(), 9)); });
        wait_for(queue, end);
        signaller.join();
        CHECK(value_of(timeline.get()) == 10);
    }

    TEST_CASE("two instances that have it see what the other raises, and wake each other") {
        Session one, other;
        const Timeline first = make_shared_timeline(one, 3);
        Exported exported;
        export_to(exported, first);
        const Timeline second = import_timeline(other, exported);
        CHECK(value_of(second.get()) == 3);
        constexpr uint64_t kRounds = 2000;
        std::thread answers([&] {
            for (uint64_t value = 4; value < 4 + kRounds; value += 2) {
                REQUIRE_OK(qiao_timeline_wait(second.get(), value, kPatience));
                REQUIRE_OK(qiao_timeline_signal(second.get(), value + 1));
            }
        });
        for (uint64_t value = 4; value < 4 + kRounds; value += 2) {
            REQUIRE_OK(qiao_timeline_signal(first.get(), value));
            REQUIRE_OK(qiao_timeline_wait(first.get(), value + 1, kPatience));
        }
        answers.join();
        CHECK(value_of(second.get()) == 3 + kRounds);
    }

    TEST_CASE("many threads raise it, and everybody ends at the highest value") {
        Session one, other;
        const Timeline first = make_shared_timeline(one);
        Exported exported;
        export_to(exported, first);
        const Timeline second = import_timeline(other, exported);
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&, mine = (i % 2 == 0 ? first : second).get()] {
                for (uint64_t value = 1; value <= 500; ++value) {
                    const qiao_status status = qiao_timeline_signal(mine, value);
                    CHECK((status == QIAO_OK || status == QIAO_ERROR_OUT_OF_RANGE));
                    REQUIRE_OK(qiao_timeline_wait(mine, value, kPatience));
                }
            });
        for (std::thread& thread : threads) thread.join();
        CHECK(value_of(first.get()) == 500);
        CHECK(value_of(second.get()) == 500);
    }

    TEST_CASE("two processes signal each other") {
        Session session;
        Peer peer;
        const Timeline timeline = make_shared_timeline(session);
        Exported exported;
        export_to(exported, timeline);
        REQUIRE(peer.ask(Command::kImportTimeline, 0, 0, exported.handle, exported.descriptor).status == QIAO_OK);
        peer.tell(Command::kEcho, 1, 2000);
        for (uint64_t value = 1; value < 2000; value += 2) {
            REQUIRE_OK(qiao_timeline_signal(timeline.get(), value));
            REQUIRE_OK(qiao_timeline_wait(timeline.get(), value + 1, kPatience));
        }
        CHECK(peer.hear().status == QIAO_OK);
        CHECK(peer.ask(Command::kWait, 5000, 1'000'000).status == QIAO_TIMEOUT);
        CHECK(peer.ask(Command::kReleaseAll).status == QIAO_OK);
        CHECK(peer.wait() == 0);
        CHECK(qiao_timeline_wait(timeline.get(), 5000, 100'000'000) == QIAO_TIMEOUT);  // who has released it is missed by nobody
        REQUIRE_OK(qiao_timeline_signal(timeline.get(), 5000));
        CHECK(qiao_timeline_reached(timeline.get(), 5000) == QIAO_OK);
    }

    TEST_CASE("a wait ends when a process that had the timeline is killed, and says so") {
        for (const bool peer_made_it : {false, true}) {
            CAPTURE(peer_made_it);
            Session session;
            Peer peer;
            Timeline timeline;
            if (peer_made_it) {
                const share::Message made = peer.ask(Command::kMakeTimeline, 4);
                REQUIRE(made.status == QIAO_OK);
                Exported exported;
                exported.handle = made.handle;
                exported.descriptor = peer.take_descriptor();
                timeline = import_timeline(session, exported);
            } else {
                timeline = make_shared_timeline(session, 4);
                Exported exported;
                export_to(exported, timeline);
                REQUIRE(peer.ask(Command::kImportTimeline, 0, 0, exported.handle, exported.descriptor).status == QIAO_OK);
            }
            REQUIRE(peer.ask(Command::kSignal, 7).status == QIAO_OK);
            const Queue queue = session.queue();
            const Memory memory = session.allocate(64);
            after(queue, timeline.get(), 8);
            const uint64_t behind = fill(queue, place(memory), 64, 1);
            std::thread killer([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
                peer.kill();
            });
            CHECK_FAILS(qiao_timeline_wait(timeline.get(), 8, QIAO_TIMEOUT_INFINITE), QIAO_ERROR_CANCELLED, "process", "ended without releasing it", "value 7");
            killer.join();
            CHECK_FAILS(qiao_timeline_reached(timeline.get(), 8), QIAO_ERROR_CANCELLED, "ended without releasing it");
            CHECK(qiao_timeline_reached(timeline.get(), 7) == QIAO_OK);  // what was reached stays reached
            CHECK_OK(qiao_timeline_wait(timeline.get(), 7, kPatience));
            CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), behind, kPatience), QIAO_ERROR_CANCELLED, "ended without releasing it");
            check_works(session);
        }
    }

    TEST_CASE("a process that ends without releasing is missed like one that was killed, and its values count") {
        Session session;
        Peer peer;
        const Timeline timeline = make_shared_timeline(session);
        Exported exported;
        export_to(exported, timeline);
        REQUIRE(peer.ask(Command::kImportTimeline, 0, 0, exported.handle, exported.descriptor).status == QIAO_OK);
        REQUIRE(peer.ask(Command::kSignal, 3).status == QIAO_OK);
        peer.tell(Command::kLeave);
        CHECK(peer.wait() == 0);
        CHECK_OK(qiao_timeline_wait(timeline.get(), 3, kPatience));
        CHECK_FAILS(qiao_timeline_wait(timeline.get(), 4, kPatience), QIAO_ERROR_CANCELLED, "ended without releasing it");
        const Timeline late = import_timeline(session, exported);  // who comes later learns it too
        CHECK_FAILS(qiao_timeline_wait(late.get(), 4, kPatience), QIAO_ERROR_CANCELLED, "ended without releasing it");
        CHECK(value_of(late.get()) == 3);
    }

    TEST_CASE("work that fails where it would have raised it ends the waits of all") {
        Session session, other;
        if (!session.is_fixture()) return;  // its kernel `fail` fails
        const Timeline timeline = make_shared_timeline(session);
        Exported exported;
        export_to(exported, timeline);
        const Timeline there = import_timeline(other, exported);
        const Queue queue = session.queue();
        const Program program = session.program();
        const qiao_launch one = items(1);
        REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "fail"), &one, "", 0, nullptr));
        REQUIRE_OK(qiao_queue_signal(queue.get(), timeline.get(), 1, nullptr));
        CHECK(qiao_timeline_wait(timeline.get(), 1, kPatience) < 0);
        CHECK_FAILS(qiao_timeline_wait(there.get(), 1, kPatience), QIAO_ERROR_CANCELLED, "failed in process");
    }

    TEST_CASE("a value in the page that falls or jumps breaks nothing") {
        Session session;
        const Timeline timeline = make_shared_timeline(session, 10);
        Exported exported;
        export_to(exported, timeline);
        const Page page(exported);
        page.value() = 3;
        CHECK(value_of(timeline.get()) == 10);
        CHECK(qiao_timeline_reached(timeline.get(), 10) == QIAO_OK);
        CHECK_FAILS(qiao_timeline_signal(timeline.get(), 9), QIAO_ERROR_OUT_OF_RANGE, "10");
        REQUIRE_OK(qiao_timeline_signal(timeline.get(), 11));
        CHECK(page.value() == 11);
        page.value() = UINT64_MAX;
        CHECK(value_of(timeline.get()) == UINT64_MAX);
        CHECK_FAILS(qiao_timeline_signal(timeline.get(), 12), QIAO_ERROR_OUT_OF_RANGE, "18446744073709551615");
        const Queue queue = session.queue();
        CHECK_FAILS(qiao_queue_signal(queue.get(), timeline.get(), 12, nullptr), QIAO_ERROR_OUT_OF_RANGE, "18446744073709551615");
        std::memset(page.bytes() + 64, 0xff, 4096 - 64);  // all that is read after the import
        CHECK(value_of(timeline.get()) == UINT64_MAX);
        CHECK(qiao_timeline_wait(timeline.get(), UINT64_MAX, kPatience) == QIAO_OK);
        check_works(session);
    }

    TEST_CASE("a page of garbage ends a wait, one way or the other") {
        Session session;
        const Timeline timeline = make_shared_timeline(session);
        Exported exported;
        export_to(exported, timeline);
        const Page page(exported);
        std::memset(page.bytes() + 128, 0xff, 4096 - 128);  // places taken by processes that are none
        CHECK_FAILS(qiao_timeline_wait(timeline.get(), 1, kPatience), QIAO_ERROR_CANCELLED, "process");
    }

    TEST_CASE("an import is refused for what is no timeline") {
        Session session;
        const Timeline timeline = make_shared_timeline(session);
        Exported exported;
        export_to(exported, timeline);
        const qiao_share_handle& handle = exported.handle;
        CHECK(handle.type == QIAO_SHARE_TYPE_TIMELINE);
        CHECK((fcntl(exported.descriptor, F_GETFD) & FD_CLOEXEC) != 0);
        qiao_share_handle wrong = handle;
        wrong.type = QIAO_SHARE_TYPE_HOST_FILE;
        CHECK_FAILS(try_import(session, wrong, exported.descriptor), QIAO_ERROR_INVALID_ARGUMENT, "host file", "qiao_memory_import");
        wrong = handle;
        wrong.magic = 1;
        CHECK_FAILS(try_import(session, wrong, exported.descriptor), QIAO_ERROR_INVALID_ARGUMENT, "no handle of Qiao's");
        CHECK_FAILS(try_import(session, handle, -1), QIAO_ERROR_INVALID_ARGUMENT, "not open");
        const int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        REQUIRE(ftruncate(file, 4096) == 0);
        CHECK_FAILS(try_import(session, handle, file), QIAO_ERROR_INVALID_ARGUMENT, "can be resized");
        REQUIRE(fcntl(file, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0);
        CHECK_FAILS(try_import(session, handle, file), QIAO_ERROR_INVALID_ARGUMENT, "no timeline of this release", "0x0");
        close(file);
        qiao_timeline* out = nullptr;
        CHECK_FAILS(qiao_timeline_import(nullptr, &handle, exported.descriptor, &out), QIAO_ERROR_INVALID_HANDLE, "instance");
        CHECK_FAILS(qiao_timeline_import(session.instance.get(), nullptr, exported.descriptor, &out), QIAO_ERROR_INVALID_ARGUMENT, "handle");
        CHECK_FAILS(qiao_timeline_import(session.instance.get(), &handle, exported.descriptor, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_timeline");
        CHECK_FAILS(qiao_timeline_create_shareable(session.instance.get(), 0, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_timeline");
    }

    TEST_CASE("what was not made to be shared is not exported") {
        Session session;
        const Timeline plain = session.timeline();
        const Queue queue = session.queue();
        qiao_share_handle handle;
        int32_t descriptor = 3;
        CHECK_FAILS(qiao_timeline_export(plain.get(), &handle, &descriptor), QIAO_ERROR_INVALID_ARGUMENT, "qiao_timeline_create_shareable");
        CHECK(descriptor == -1);
        CHECK(handle.magic == 0);
        CHECK_FAILS(qiao_timeline_export(timeline_of(queue), &handle, &descriptor), QIAO_ERROR_INVALID_ARGUMENT, "qiao_queue_signal");
        CHECK_FAILS(qiao_timeline_export(nullptr, &handle, &descriptor), QIAO_ERROR_INVALID_HANDLE, "timeline");
        CHECK_FAILS(qiao_timeline_export(plain.get(), nullptr, &descriptor), QIAO_ERROR_INVALID_ARGUMENT, "out_handle");
        CHECK_FAILS(qiao_timeline_export(plain.get(), &handle, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_descriptor");
    }

    TEST_CASE("there is room for 64, and a place is free again when its owner has released it") {
        Session session;
        const Timeline timeline = make_shared_timeline(session);
        Exported exported;
        export_to(exported, timeline);
        std::vector<Timeline> all;
        for (int i = 1; i < 64; ++i) all.push_back(import_timeline(session, exported));
        CHECK_FAILS(try_import(session, exported.handle, exported.descriptor), QIAO_ERROR_OUT_OF_RANGE, "64");
        all.pop_back();
        CHECK(try_import(session, exported.handle, exported.descriptor) == QIAO_OK);
        REQUIRE_OK(qiao_timeline_signal(timeline.get(), 1));
        for (const Timeline& each : all) CHECK(qiao_timeline_reached(each.get(), 1) == QIAO_OK);
    }

    TEST_CASE("a queue may still wait for it when its handle is released") {
        Session session, other;
        Timeline timeline = make_shared_timeline(session);
        Exported exported;
        export_to(exported, timeline);
        const Timeline there = import_timeline(other, exported);
        const Queue queue = session.queue();
        const uint64_t value = after(queue, timeline.get(), 2);
        timeline.reset();
        REQUIRE_OK(qiao_timeline_signal(there.get(), 2));
        wait_for(queue, value);
    }
}
