// Memory that is moved before it is used, and advice on its use. Both are right on every device; what they save is looked at where the
// library moves bytes.
#include <thread>

#include "support/shared_words.h"

using namespace api;

namespace {

constexpr size_t kWords = 64 << 10;  // 256 KiB
constexpr uint64_t kPage = 4096;

bool is_emulated(const Session& session) { return session.is_emulated(QIAO_MEMORY_KIND_SHARED); }
bool is_tracked(const SharedWords& words) {
    const qiao_tracking tracking = traffic_of(words.memory).tracking;
    return tracking == QIAO_TRACKING_SCAN || tracking == QIAO_TRACKING_COMPARE;
}

uint64_t prefetch(const Queue& queue, const qiao_place& from, uint64_t size_bytes, qiao_device* target) {
    uint64_t value = 0;
    REQUIRE_OK(qiao_queue_prefetch(queue.get(), from, size_bytes, target, &value));
    return value;
}

void wait_until_ended(const Queue& queue, uint64_t value) {  // without a wait, which would bring results
    while (qiao_timeline_reached(timeline_of(queue), value) == QIAO_NOT_READY) std::this_thread::yield();
    CHECK_OK(qiao_timeline_reached(timeline_of(queue), value));
}

qiao_status advise(const SharedWords& words, uint64_t offset, uint64_t size_bytes, qiao_memory_advice advice) {
    return qiao_memory_advise(words.memory.get(), offset, size_bytes, advice);
}

}  // namespace

TEST_SUITE("prefetch") {
    TEST_CASE("to the device: what the host wrote goes there, and the launch moves nothing") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const SharedWords a(session, kWords), b(session, kWords), sum(session, kWords);
        wait_for(queue, add(queue, program, a.address, b.address, sum.address, kWords));
        for (uint32_t i = 0; i < kWords; ++i) a[i] = i, b[i] = 2 * i;
        const qiao_memory_traffic before = traffic_of(a.memory);
        prefetch(queue, place(a.memory), a.bytes(), session.device);
        wait_for(queue, prefetch(queue, place(b.memory), b.bytes(), session.device));
        const qiao_memory_traffic between = traffic_of(a.memory);
        wait_for(queue, add(queue, program, a.address, b.address, sum.address, kWords));
        for (uint32_t i = 0; i < kWords; ++i) REQUIRE(sum[i] == 3 * i);
        if (!is_tracked(a)) return;
        CHECK(between.to_device_bytes - before.to_device_bytes >= a.bytes() - 64);  // the first words did not change
        CHECK(between.prefetched_to_device_bytes == between.to_device_bytes - before.to_device_bytes);
        CHECK(traffic_of(a.memory).to_device_bytes == between.to_device_bytes);
        CHECK(traffic_of(session.device).prefetched_to_device_bytes == 2 * between.prefetched_to_device_bytes);
    }

    TEST_CASE("to the device: a range, and no more") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const SharedWords words(session, kWords);
        wait_for(queue, add(queue, program, words.address, words.address, words.address, kWords));
        for (uint32_t i = 0; i < kWords; ++i) words[i] = i + 1;
        const qiao_memory_traffic before = traffic_of(words.memory);
        prefetch(queue, place(words.memory, 2 * kPage), kPage, session.device);
        if (is_tracked(words)) CHECK(traffic_of(words.memory).to_device_bytes - before.to_device_bytes == kPage);
        wait_for(queue, add(queue, program, words.address, words.address, words.address, kWords));
        for (uint32_t i = 0; i < kWords; ++i) REQUIRE(words[i] == 2 * (i + 1));
        if (is_tracked(words)) CHECK(traffic_of(words.memory).to_device_bytes - before.to_device_bytes <= words.bytes() + kPage);  // a small gap is sent too
    }

    TEST_CASE("to the host: results are there when the queue is, and the wait moves nothing") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const SharedWords words(session, kWords);
        for (uint32_t i = 0; i < kWords; ++i) words[i] = i;
        add(queue, program, words.address, words.address, words.address, kWords);
        const uint64_t value = prefetch(queue, place(words.memory), words.bytes(), nullptr);
        wait_until_ended(queue, value);
        const qiao_memory_traffic ended = traffic_of(words.memory);
        wait_for(queue, value);
        for (uint32_t i = 0; i < kWords; ++i) REQUIRE(words[i] == 2 * i);
        if (!is_emulated(session)) return;
        CHECK(ended.prefetched_to_host_bytes == words.bytes());
        CHECK(ended.to_host_bytes == words.bytes());
        CHECK(traffic_of(words.memory).to_host_bytes == ended.to_host_bytes);
        CHECK(traffic_of(words.memory).to_host_count == 1);
    }

    TEST_CASE("to the host: a range of it; the rest comes with the wait, or by fetch") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        for (const uint64_t flags : {UINT64_C(0), QIAO_MEMORY_FETCH_EXPLICIT}) {
            const SharedWords words(session, kWords, flags);
            for (uint32_t i = 0; i < kWords; ++i) words[i] = i;
            add(queue, program, words.address, words.address, words.address, kWords);
            const uint64_t value = prefetch(queue, place(words.memory, 4 * kPage), 2 * kPage, nullptr);
            wait_until_ended(queue, value);
            if (is_emulated(session)) CHECK(traffic_of(words.memory).prefetched_to_host_bytes == 2 * kPage);
            wait_for(queue, value);
            CHECK(words[5 * kPage / 4] == 2 * 5 * kPage / 4);
            if (flags != 0) REQUIRE_OK(qiao_memory_fetch(words.memory.get(), 0, words.bytes()));
            for (uint32_t i = 0; i < kWords; ++i) REQUIRE(words[i] == 2 * i);
        }
    }

    TEST_CASE("while work goes on: launches behind it stay in order") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const SharedWords words(session, 1000);
        for (uint32_t i = 0; i < 1000; ++i) words[i] = 1;
        uint64_t value = 0;
        for (int round = 0; round < 8; ++round) {
            add(queue, program, words.address, words.address, words.address, 1000);
            value = prefetch(queue, place(words.memory), words.bytes(), round % 2 == 0 ? nullptr : session.device);
        }
        wait_for(queue, value);
        for (uint32_t i = 0; i < 1000; ++i) REQUIRE(words[i] == 256);
    }

    TEST_CASE("of memory of which nothing is moved it is right, and has a value") {
        Session session;
        const Queue queue = session.queue();
        const Memory memory = session.allocate(4096);
        const uint64_t filled = fill(queue, place(memory), 4096, 7);
        for (qiao_device* target : {session.device, static_cast<qiao_device*>(nullptr)}) {
            const uint64_t value = prefetch(queue, place(memory, 16), 64, target);
            CHECK(value >= filled);
            wait_for(queue, value);
        }
        CHECK(download<uint32_t>(memory, 1)[0] == 7);
    }

    TEST_CASE("what is wrong is refused, and nothing is submitted") {
        Session session;
        const Queue queue = session.queue();
        const SharedWords words(session, 100);
        qiao_device* other = nullptr;
        for (qiao_device* each : session.devices())
            if (each != session.device) other = each;
        uint64_t value = 7;
        CHECK_FAILS(qiao_queue_prefetch(nullptr, place(words.memory), 4, session.device, &value), QIAO_ERROR_INVALID_HANDLE);
        CHECK(value == 0);
        CHECK_FAILS(qiao_queue_prefetch(queue.get(), place(words.data), 4, session.device, &value), QIAO_ERROR_INVALID_ARGUMENT, "place is not on the queue's device", session.properties.id);
        if (other != nullptr) CHECK_FAILS(qiao_queue_prefetch(queue.get(), place(words.memory), 4, other, &value), QIAO_ERROR_INVALID_ARGUMENT, "target is another device");
        CHECK_FAILS(qiao_queue_prefetch(queue.get(), place(words.memory), 0, nullptr, &value), QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0");
        CHECK_FAILS(qiao_queue_prefetch(queue.get(), place(words.memory, 4), 400, nullptr, &value), QIAO_ERROR_OUT_OF_RANGE, "400", "offset 4");
        CHECK_FAILS(qiao_queue_prefetch(queue.get(), {session.device, 64}, 4, nullptr, &value), QIAO_ERROR_OUT_OF_RANGE, "0x40", "no allocation");
        CHECK(value == 0);
        CHECK(traffic_of(words.memory).to_device_bytes == 0);
        const uint64_t first = fill(queue, place(words.memory), 4, 1);
        CHECK(first == 1);
        wait_for(queue, first);
    }
}

TEST_SUITE("advice") {
    TEST_CASE("read mostly: launches bring nothing back, copies and fills do") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const SharedWords words(session, kWords), sum(session, kWords);
        for (uint32_t i = 0; i < kWords; ++i) words[i] = i;
        CHECK_OK(advise(words, 0, words.bytes(), QIAO_MEMORY_ADVICE_READ_MOSTLY));
        // `count` may write what it is given; told that no kernel does, the library believes it. It writes the first word.
        wait_for(queue, launch(queue, kernel_of(program, "count"), items(1), blocks::Count{words.address}));
        CHECK(words[0] == (is_emulated(session) ? 0 : 1));
        if (is_emulated(session)) CHECK(traffic_of(words.memory).to_host_bytes == 0);
        wait_for(queue, fill(queue, place(words.memory, 400), 40, 9));
        CHECK(words[100] == 9);
        if (is_emulated(session)) CHECK(traffic_of(words.memory).to_host_bytes == 40);
        CHECK_OK(advise(words, 0, words.bytes(), QIAO_MEMORY_ADVICE_NOT_READ_MOSTLY));
        wait_for(queue, add(queue, program, words.address, words.address, words.address, kWords));
        CHECK(words[5] == 10);
        if (is_emulated(session)) CHECK(traffic_of(words.memory).to_host_bytes == 40 + words.bytes());
    }

    TEST_CASE("read mostly: of a range") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const SharedWords words(session, kWords);
        for (uint32_t i = 0; i < kWords; ++i) words[i] = i;
        CHECK_OK(advise(words, 0, words.bytes() - kPage, QIAO_MEMORY_ADVICE_READ_MOSTLY));
        const uint64_t last = words.address + words.bytes() - kPage;
        wait_for(queue, add(queue, program, words.address, words.address, last, kPage / 4));
        CHECK(words[kWords - kPage / 4 + 3] == 6);
        if (is_emulated(session)) CHECK(traffic_of(words.memory).to_host_bytes == kPage);
    }

    TEST_CASE("what is wrong is refused, and changes nothing") {
        Session session;
        const SharedWords words(session, 100);
        CHECK_FAILS(advise(words, 0, 400, 0), QIAO_ERROR_INVALID_ARGUMENT, "advice 0", "5");
        CHECK_FAILS(advise(words, 0, 400, 6), QIAO_ERROR_INVALID_ARGUMENT, "advice 6");
        CHECK_FAILS(advise(words, 4, 400, QIAO_MEMORY_ADVICE_READ_MOSTLY), QIAO_ERROR_OUT_OF_RANGE, "offset 4", "400");
        CHECK_FAILS(advise(words, 0, 396, QIAO_MEMORY_ADVICE_PREFERRED_HOST), QIAO_ERROR_OUT_OF_RANGE, "as a whole");
        CHECK_FAILS(qiao_memory_advise(nullptr, 0, 0, QIAO_MEMORY_ADVICE_READ_MOSTLY), QIAO_ERROR_INVALID_HANDLE);
        CHECK_FAILS(qiao_device_query_traffic(nullptr, nullptr), QIAO_ERROR_INVALID_HANDLE);
        CHECK_FAILS(qiao_device_query_traffic(session.device, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_traffic");
        for (qiao_memory_advice each = QIAO_MEMORY_ADVICE_READ_MOSTLY; each <= QIAO_MEMORY_ADVICE_NO_PREFERENCE; ++each) CHECK_OK(advise(words, 0, 400, each));
        const Memory memory = session.allocate(64);
        CHECK_OK(qiao_memory_advise(memory.get(), 0, 64, QIAO_MEMORY_ADVICE_PREFERRED_DEVICE));
        CHECK(traffic_of(memory).resident_bytes == 0);
    }
}
