// More shared memory than the card has: what no pending work uses makes room, and comes back before the launch that names it. Cards of
// 4 MiB, allocations of at most 1 MiB. What results should be is computed beside by the host.
#include <algorithm>
#include <thread>
#include <vector>

#include "mock/mock_faults.h"
#include "support/shared_words.h"

using namespace api;

namespace {

constexpr size_t kWords = 128 << 10;  // 512 KiB: eight fill the card
constexpr uint64_t kCardBytes = 4 << 20;

void advise(const SharedWords& words, qiao_memory_advice advice) { CHECK_OK(qiao_memory_advise(words.memory.get(), 0, words.bytes(), advice)); }

bool is_resident(const SharedWords& words) { return traffic_of(words.memory).resident_bytes == words.bytes(); }

// On the card, and nothing of it pending.
void use(const Queue& queue, const Program& program, const SharedWords& words) {
    wait_for(queue, add(queue, program, words.address, words.address, words.address, 64));
}

void fill_with(const SharedWords& words, uint32_t first) {
    for (uint32_t i = 0; i < words.count; ++i) words[i] = first + i;
}

std::vector<SharedWords> make_many(Session& session, size_t count) {
    std::vector<SharedWords> all;
    for (size_t i = 0; i < count; ++i) all.emplace_back(session, kWords);
    return all;
}

uint64_t free_bytes(const Session& session) {
    uint64_t free_bytes = 0, total_bytes = 0;
    REQUIRE_OK(qiao_device_query_memory(session.device, &free_bytes, &total_bytes));
    return free_bytes;
}

// `set` in a ring, each the sum of the two before it, `rounds` times around; the same in `expected`.
void run_ring(const Queue& queue, const Program& program, const std::vector<SharedWords>& set, std::vector<std::vector<uint32_t>>& expected, size_t rounds) {
    const size_t count = set.size();
    uint64_t value = 0;
    for (size_t at = 0; at < rounds * count; ++at) {
        const size_t a = at % count, b = (at + 1) % count, out = (at + 2) % count;
        value = add(queue, program, set[a].address, set[b].address, set[out].address, kWords);
        for (size_t i = 0; i < kWords; ++i) expected[out][i] = expected[a][i] + expected[b][i];
        if (at % 5 != 4) continue;
        wait_for(queue, value);  // and the host writes in turn
        set[a][at] += 7;
        expected[a][at] += 7;
    }
    wait_for(queue, value);
}

void check_ring(const std::vector<SharedWords>& set, const std::vector<std::vector<uint32_t>>& expected) {
    for (size_t i = 0; i < set.size(); ++i) {
        INFO("allocation ", i);
        REQUIRE(std::equal(expected[i].begin(), expected[i].end(), set[i].data));
    }
}

std::vector<std::vector<uint32_t>> fill_ring(const std::vector<SharedWords>& set, uint32_t seed) {
    std::vector<std::vector<uint32_t>> expected;
    for (size_t i = 0; i < set.size(); ++i) {
        fill_with(set[i], seed + 1000 * static_cast<uint32_t>(i));
        expected.emplace_back(set[i].data, set[i].data + kWords);
    }
    return expected;
}

}  // namespace

TEST_SUITE("eviction") {
    TEST_CASE("a working set of three times the card gives the results of a big one") {
        Session session;
        REQUIRE(session.properties.memory_bytes == kCardBytes);
        const Program program = session.program();
        const Queue queue = session.queue();
        const std::vector<SharedWords> set = make_many(session, 24);
        auto expected = fill_ring(set, 1);
        run_ring(queue, program, set, expected, 3);
        check_ring(set, expected);
        const qiao_memory_traffic traffic = traffic_of(session.device);
        CHECK(traffic.eviction_count > 24);
        CHECK(traffic.restore_count > 24);
        CHECK(traffic.resident_bytes <= kCardBytes);
        uint64_t resident = 0;
        for (const SharedWords& words : set) resident += traffic_of(words.memory).resident_bytes;
        CHECK(resident == traffic.resident_bytes);
    }

    TEST_CASE("several threads with a queue each, and memory that all of them read") {
        Session session;
        const Program program = session.program();
        const SharedWords common(session, kWords);
        fill_with(common, 5);
        std::vector<std::thread> threads;
        std::vector<std::vector<SharedWords>> sets;
        std::vector<std::vector<std::vector<uint32_t>>> expected;
        for (uint32_t thread = 0; thread < 4; ++thread) {
            sets.push_back(make_many(session, 5));
            expected.push_back(fill_ring(sets.back(), 77 * thread));
        }
        std::vector<Queue> queues;
        for (int i = 0; i < 4; ++i) queues.push_back(session.queue());
        for (size_t thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&, thread] {
                const std::vector<SharedWords>& set = sets[thread];
                run_ring(queues[thread], program, set, expected[thread], 2);
                wait_for(queues[thread], add(queues[thread], program, common.address, set[0].address, set[0].address, kWords));
                for (size_t i = 0; i < kWords; ++i) expected[thread][0][i] += 5 + static_cast<uint32_t>(i);
            });
        }
        for (std::thread& thread : threads) thread.join();
        for (size_t thread = 0; thread < 4; ++thread) check_ring(sets[thread], expected[thread]);
        CHECK(traffic_of(session.device).eviction_count > 0);
    }

    TEST_CASE("what was used longest ago leaves first, after what prefers the host, and before what prefers the device") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const std::vector<SharedWords> set = make_many(session, 8);
        for (const SharedWords& words : set) use(queue, program, words);
        advise(set[0], QIAO_MEMORY_ADVICE_PREFERRED_DEVICE);
        advise(set[7], QIAO_MEMORY_ADVICE_PREFERRED_HOST);
        const SharedWords ninth(session, kWords);
        CHECK(!is_resident(set[7]));
        use(queue, program, ninth);
        const SharedWords tenth(session, kWords);
        CHECK(!is_resident(set[1]));
        CHECK(is_resident(set[0]));
        advise(set[0], QIAO_MEMORY_ADVICE_NO_PREFERENCE);
        const SharedWords eleventh(session, kWords);
        CHECK(!is_resident(set[0]));
        for (size_t i = 2; i < 7; ++i) CHECK(is_resident(set[i]));
        CHECK(traffic_of(session.device).eviction_count == 3);
        for (const SharedWords& words : set) CHECK(words[0] == 0);
    }

    TEST_CASE("results that nobody had waited for come to the host with the eviction") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const SharedWords words(session, kWords);
        fill_with(words, 3);
        const uint64_t value = add(queue, program, words.address, words.address, words.address, kWords);
        while (qiao_timeline_reached(timeline_of(queue), value) == QIAO_NOT_READY) std::this_thread::yield();
        const std::vector<SharedWords> others = make_many(session, 8);
        CHECK(!is_resident(words));
        wait_for(queue, value);
        for (uint32_t i = 0; i < kWords; ++i) REQUIRE(words[i] == 2 * (3 + i));
        wait_for(queue, add(queue, program, words.address, words.address, words.address, kWords));
        for (uint32_t i = 0; i < kWords; ++i) REQUIRE(words[i] == 4 * (3 + i));
        CHECK(traffic_of(words.memory).eviction_count >= 1);
        CHECK(traffic_of(words.memory).restore_count >= 1);
        CHECK(traffic_of(words.memory).conflict_bytes == 0);
    }

    TEST_CASE("what pending work uses stays, and a launch that needs its room waits for it") {
        Session session;
        const Program program = session.program();
        const Queue gated = session.queue(), queue = session.queue();
        const Timeline gate = session.timeline();
        std::vector<SharedWords> set = make_many(session, 8);
        for (const SharedWords& words : set) fill_with(words, 1);
        after(gated, gate.get(), 1);
        for (size_t i = 0; i < 6; ++i) add(gated, program, set[i].address, set[i].address, set[i].address, kWords);
        const uint64_t gated_value = add(gated, program, set[0].address, set[1].address, set[5].address, kWords);
        const SharedWords more(session, kWords);  // one of the two that are free went
        fill_with(more, 9);
        for (size_t i = 0; i < 6; ++i) CHECK(is_resident(set[i]));
        std::thread opener([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            CHECK_OK(qiao_timeline_signal(gate.get(), 1));
        });
        wait_for(queue, add(queue, program, more.address, set[6].address, set[7].address, kWords));  // three, and two fit beside the six
        opener.join();
        wait_for(gated, gated_value);
        for (uint32_t i = 0; i < kWords; ++i) {
            REQUIRE(set[7][i] == 10 + 2 * i);
            REQUIRE(set[5][i] == 4 * (1 + i));
            REQUIRE(set[4][i] == 2 * (1 + i));
        }
    }

    TEST_CASE("a launch that names more than fits is refused, and changes nothing") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        constexpr size_t kMost = 256 << 10;  // 1 MiB
        const SharedWords a(session, kMost), b(session, kMost), c(session, kMost);
        fill_with(a, 1);
        fill_with(b, 2);
        std::vector<Memory> fixed;
        fixed.push_back(session.allocate(1 << 20));
        fixed.push_back(session.allocate(1 << 20));  // evicts
        const uint64_t moved = traffic_of(session.device).to_device_bytes;
        const qiao_launch shape = items(kMost);
        const blocks::Add block{a.address, b.address, c.address};
        uint64_t value = 7;
        CHECK_FAILS(qiao_queue_launch(queue.get(), kernel_of(program, "add"), &shape, &block, sizeof block, &value), QIAO_ERROR_OUT_OF_MEMORY,
                    "3145728 bytes of shared memory in 3 allocations", "room for 2097152", "4194304 bytes", "nothing was submitted");
        CHECK(value == 0);
        CHECK(traffic_of(session.device).to_device_bytes == moved);
        CHECK(a[10] == 11);
        CHECK(c[10] == 0);
        fixed.pop_back();
        wait_for(queue, add(queue, program, a.address, b.address, c.address, kMost));
        for (uint32_t i = 0; i < kMost; ++i) REQUIRE(c[i] == 3 + 2 * i);
    }

    TEST_CASE("copies, fills, reads and writes of evicted memory") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const std::vector<SharedWords> set = make_many(session, 20);
        fill_with(set[0], 40);
        std::vector<uint32_t> target(kWords);
        wait_for(queue, copy(queue, place(set[0].memory), place(target.data()), set[0].bytes()));
        CHECK(target[99] == 139);
        wait_for(queue, copy(queue, place(target.data()), place(set[1].memory), set[1].bytes()));
        wait_for(queue, fill(queue, place(set[2].memory, 4), 400, 6));
        wait_for(queue, copy(queue, place(set[1].memory), place(set[3].memory, 0), set[1].bytes()));
        CHECK(set[1][99] == 139);
        CHECK(set[3][99] == 139);
        CHECK(set[2][0] == 0);
        CHECK(set[2][100] == 6);
        const uint32_t seven = 7;
        REQUIRE_OK(qiao_memory_write(set[15].memory.get(), 8, &seven, sizeof seven));
        use(queue, program, set[15]);
        CHECK(download<uint32_t>(set[15].memory, 3)[2] == 14);
    }

    TEST_CASE("prefetching brings it back, and the launch moves nothing") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const std::vector<SharedWords> set = make_many(session, 9);
        fill_with(set[0], 1);
        CHECK(!is_resident(set[0]));
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_prefetch(queue.get(), place(set[0].memory), set[0].bytes(), session.device, &value));
        wait_for(queue, value);
        CHECK(is_resident(set[0]));
        CHECK(traffic_of(set[0].memory).restore_count == 1);
        use(queue, program, set[0]);
        CHECK(set[0][5] == 12);
    }

    TEST_CASE("released, evicted and restored memory leaves the card as it was") {
        Session session;
        const uint64_t before = free_bytes(session);
        {
            const std::vector<SharedWords> set = make_many(session, 11);
            CHECK(free_bytes(session) + traffic_of(session.device).resident_bytes == before);
        }
        CHECK(free_bytes(session) == before);
        CHECK(traffic_of(session.device).resident_bytes == 0);
        CHECK(traffic_of(session.device).eviction_count == 3);
    }

    TEST_CASE("evicted memory is lost by a reset like any other") {
        Session session;
        const std::vector<SharedWords> set = make_many(session, 9);
        REQUIRE_OK(qiao_device_reset(session.device));
        const Program program = session.program();
        const Queue queue = session.queue();
        const qiao_launch shape = items(64);
        const blocks::Add block{set[0].address, set[0].address, set[0].address};
        uint64_t value = 0;
        const qiao_status status = qiao_queue_launch(queue.get(), kernel_of(program, "add"), &shape, &block, sizeof block, &value);
        CHECK((status == QIAO_ERROR_DEVICE_LOST || status == QIAO_ERROR_OUT_OF_RANGE));
        const SharedWords fresh(session, kWords);
        fill_with(fresh, 1);
        use(queue, program, fresh);
        CHECK(fresh[1] == 4);
    }
}

// A card tells lack of memory, and when it is asked what could go, what kept the memory has ended.
TEST_SUITE("eviction.faults") {
    TEST_CASE("room that comes while room is looked for is used, though nothing is left that could leave") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const void* table = nullptr;
        void* card = nullptr;
        REQUIRE_OK(qiao_device_get_extension(session.device, QIAO_MOCK_FAULTS_NAME, &table, &card));
        const auto* faults = static_cast<const qiao_mock_faults*>(table);
        SharedWords evicted(session, kWords);
        fill_with(evicted, 1);
        make_many(session, 8);
        REQUIRE(!is_resident(evicted));
        for (const char* rule : {"memory_restore:1=error:out_of_memory", "memory_allocate:1=error:out_of_memory"}) REQUIRE_OK(faults->add(card, rule, nullptr, 0));
        use(queue, program, evicted);
        CHECK(evicted[0] == 2);
        REQUIRE_OK(faults->clear(card));
        REQUIRE_OK(faults->add(card, "memory_allocate:1=error:out_of_memory", nullptr, 0));
        session.allocate(1 << 20);
    }
}

// A device with addresses of its own and without memory_evict: it holds what it holds.
TEST_SUITE("eviction.absent") {
    TEST_CASE("memory that does not fit is refused, and what there is goes on") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const std::vector<SharedWords> set = make_many(session, 8);
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = kWords * 4;
        desc.kind = QIAO_MEMORY_KIND_SHARED;
        qiao_memory* memory = nullptr;
        CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_OUT_OF_MEMORY, "524288 bytes");
        CHECK(memory == nullptr);
        fill_with(set[0], 1);
        use(queue, program, set[0]);
        CHECK(set[0][0] == 2);
        CHECK(traffic_of(session.device).eviction_count == 0);
    }
}
