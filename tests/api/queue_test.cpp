// Queues: creation, order, threads, device-wide effects of a failure, timestamps.
#include <set>
#include <thread>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

TEST_SUITE("queue.create") {
    TEST_CASE("a null descriptor means the defaults, and a new queue stands at 0") {
        Session session;
        qiao_queue* made = nullptr;
        REQUIRE_OK(qiao_queue_create(session.device, nullptr, &made));
        const Queue queue(made);
        CHECK(value_of(timeline_of(queue)) == 0);
        CHECK_OK(qiao_timeline_wait(timeline_of(queue), 0, 0));
        CHECK(qiao_timeline_reached(timeline_of(queue), 1) == QIAO_NOT_READY);
    }

    TEST_CASE("every priority that the device tells apart works, the next one is refused") {
        Session session;
        const uint32_t priorities = std::max(1u, session.properties.queue_priorities);
        qiao_queue_desc desc = QIAO_QUEUE_DESC_INIT;
        for (desc.priority = 0; desc.priority < priorities; ++desc.priority) {
            qiao_queue* made = nullptr;
            REQUIRE_OK(qiao_queue_create(session.device, &desc, &made));
            const Queue queue(made);
            const Memory out = session.allocate(64);
            wait_for(queue, fill(queue, place(out), 64, 3));
            CHECK(download<uint32_t>(out, 16) == std::vector<uint32_t>(16, 3));
        }
        auto* made = reinterpret_cast<qiao_queue*>(8);
        CHECK_FAILS(qiao_queue_create(session.device, &desc, &made), QIAO_ERROR_OUT_OF_RANGE, "priority", std::to_string(priorities).c_str(),
                    std::to_string(priorities - 1).c_str(), session.properties.id);
        CHECK(made == nullptr);
    }

    TEST_CASE("descriptors that this version does not understand are refused") {
        Session session;
        const auto refuse = [&](const qiao_queue_desc& desc, std::initializer_list<const char*> fragments) {
            auto* made = reinterpret_cast<qiao_queue*>(8);
            check_fails("qiao_queue_create", qiao_queue_create(session.device, &desc, &made), QIAO_ERROR_INVALID_ARGUMENT, fragments);
            CHECK(made == nullptr);
        };
        qiao_queue_desc desc = QIAO_QUEUE_DESC_INIT;
        desc.flags = QIAO_QUEUE_PROFILING | 2;
        refuse(desc, {"flags", "0x2"});
        desc = QIAO_QUEUE_DESC_INIT;
        desc.reserved0 = 1;
        refuse(desc, {"reserved0"});
        desc = QIAO_QUEUE_DESC_INIT;
        desc.next = &desc;
        refuse(desc, {"next"});
        desc = QIAO_QUEUE_DESC_INIT;
        desc.struct_size = 0;
        refuse(desc, {"struct_size is 0"});
        CHECK_FAILS(qiao_queue_create(session.device, nullptr, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_queue");
        check_works(session);
    }

    TEST_CASE("many queues at once, each with work of its own") {
        Session session;
        const Program program = session.program();
        const Memory counter = session.upload(std::vector<uint32_t>(64));
        std::vector<Queue> queues;
        for (uint32_t index = 0; index < 16; ++index) queues.push_back(session.queue());
        std::vector<uint64_t> last(queues.size());
        for (uint32_t round = 0; round < 40; ++round) {
            for (uint32_t index = 0; index < queues.size(); ++index) {
                const blocks::Iterate block = {address_of(counter) + 4 * index, 1, 0};
                last[index] = launch(queues[index], kernel_of(program, "iterate"), items(1), block);
            }
        }
        for (uint32_t index = 0; index < queues.size(); ++index) {
            CHECK(last[index] == 40);
            wait_for(queues[index], last[index]);
        }
        uint32_t expected = 0;
        for (uint32_t round = 0; round < 40; ++round) expected = expected * 1664525u + 1013904223u;
        CHECK(download<uint32_t>(counter, 16) == std::vector<uint32_t>(16, expected));
    }
}

TEST_SUITE("queue.order") {
    TEST_CASE("operations of every kind run one after the other, and their values rise by one") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const Memory a = session.allocate(400), b = session.allocate(400), c = session.allocate(400);
        const Timeline mine = session.timeline();
        std::vector<uint32_t> host(100);
        std::vector<uint64_t> values;
        values.push_back(fill(queue, place(a), 400, 5));
        values.push_back(copy(queue, place(a), place(b), 400));
        const blocks::Add block = {address_of(a), address_of(b), address_of(c)};
        values.push_back(launch(queue, kernel_of(program, "add"), items(100), block));
        values.emplace_back();
        REQUIRE_OK(qiao_queue_signal(queue.get(), mine.get(), 9, &values.back()));
        const blocks::Add again = {address_of(c), address_of(b), address_of(a)};
        values.push_back(launch(queue, kernel_of(program, "add"), items(100), again));
        values.push_back(copy(queue, place(a), place(host.data()), 400));
        for (size_t index = 0; index < values.size(); ++index) CHECK(values[index] == index + 1);
        wait_for(queue, values.back());
        CHECK(host == std::vector<uint32_t>(100, 15));
        CHECK(value_of(mine.get()) == 9);
        CHECK(value_of(timeline_of(queue)) == values.back());
    }

    TEST_CASE("a long chain of dependent launches gives the same as on the host") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const Memory cell = session.upload(std::vector<uint32_t>{1});
        uint32_t expected = 1;
        uint64_t last = 0;
        for (uint32_t round = 1; round <= 300; ++round) {
            const uint32_t rounds = round % 5;
            for (uint32_t step = 0; step < rounds; ++step) expected = expected * 1664525u + 1013904223u;
            last = launch(queue, kernel_of(program, "iterate"), items(1), blocks::Iterate{address_of(cell), rounds, 0});
        }
        wait_for(queue, last);
        CHECK(download<uint32_t>(cell, 1)[0] == expected);
    }

    TEST_CASE("several threads may fill one queue: each operation gets a value of its own, and all run") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        const Memory counter = session.upload(std::vector<uint32_t>{0});
        constexpr uint32_t kThreads = 4, kEach = 100;
        std::vector<std::vector<uint64_t>> values(kThreads);
        std::vector<qiao_status> failures(kThreads, QIAO_OK);
        std::vector<std::thread> threads;
        qiao_kernel* kernel = kernel_of(program, "count");
        const blocks::Count block = {address_of(counter)};
        for (uint32_t thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&, thread] {
                for (uint32_t round = 0; round < kEach; ++round) {
                    const qiao_launch shape = items(1 + round % 3);
                    uint64_t value = 0;
                    const qiao_status status = qiao_queue_launch(queue.get(), kernel, &shape, &block, sizeof block, &value);
                    if (status != QIAO_OK) failures[thread] = status;
                    values[thread].push_back(value);
                    if (round % 16 == 0 && qiao_timeline_wait(timeline_of(queue), value, kPatience) != QIAO_OK) failures[thread] = -1;
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        std::set<uint64_t> all;
        uint32_t expected = 0;
        for (uint32_t thread = 0; thread < kThreads; ++thread) {
            CHECK(failures[thread] == QIAO_OK);
            for (size_t index = 1; index < values[thread].size(); ++index) CHECK(values[thread][index] > values[thread][index - 1]);
            all.insert(values[thread].begin(), values[thread].end());
            for (uint32_t round = 0; round < kEach; ++round) expected += 1 + round % 3;
        }
        CHECK(all.size() == kThreads * kEach);
        CHECK(*all.begin() == 1);
        CHECK(*all.rbegin() == kThreads * kEach);
        wait_for(queue, *all.rbegin());
        CHECK(download<uint32_t>(counter, 1)[0] == expected);
    }
}

TEST_SUITE("queue.timestamps") {
    TEST_CASE("every reached operation has a start and an end, in the queue's order") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue(QIAO_QUEUE_PROFILING);
        const Memory cell = session.upload(std::vector<uint32_t>(100, 1)), other = session.allocate(400);
        std::vector<uint64_t> values;
        for (int round = 0; round < 3; ++round) {
            values.push_back(launch(queue, kernel_of(program, "iterate"), items(1), blocks::Iterate{address_of(cell), 200'000, 0}));
            values.push_back(copy(queue, place(cell), place(other), 400));
            values.push_back(fill(queue, place(other), 400, 1));
        }
        wait_for(queue, values.back());
        uint64_t before = 0;
        for (const uint64_t value : values) {
            uint64_t start = 0, end = 0;
            INFO("value ", value);
            REQUIRE_OK(qiao_queue_query_timestamps(queue.get(), value, &start, &end));
            CHECK(start > 0);
            CHECK(start <= end);
            CHECK(before <= end);
            before = start;
        }
        uint64_t start = 0, end = 0;
        REQUIRE_OK(qiao_queue_query_timestamps(queue.get(), values[0], &start, &end));
        CHECK(end - start > 20'000);  // 200,000 dependent multiplications
    }

    TEST_CASE("what the core runs starts after what was before, on the same clock") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue(QIAO_QUEUE_PROFILING);
        const Memory cell = session.upload(std::vector<uint32_t>{1});
        uint64_t device_ns = 0, host_ns = 0;
        const qiao_status has_clock = qiao_device_query_clock(session.device, &device_ns, &host_ns);
        std::vector<uint64_t> values;
        for (int round = 0; round < 4; ++round) {
            values.push_back(launch(queue, kernel_of(program, "iterate"), items(1), blocks::Iterate{address_of(cell), 20'000'000, 0}));
            values.emplace_back();
            REQUIRE_OK(qiao_queue_call(queue.get(), [](void*, qiao_status) {}, nullptr, &values.back()));
        }
        wait_for(queue, values.back());
        const uint64_t slack = 10'000'000;  // how well two clocks are brought together; a launch takes longer
        uint64_t before = has_clock == QIAO_OK ? device_ns : 0, start = 0, end = 0;
        for (const uint64_t value : values) {
            INFO("value ", value);
            REQUIRE_OK(qiao_queue_query_timestamps(queue.get(), value, &start, &end));
            CHECK(before <= start + slack);
            CHECK(start <= end);
            before = end;
        }
        if (has_clock == QIAO_OK) {
            REQUIRE_OK(qiao_device_query_clock(session.device, &device_ns, &host_ns));
            CHECK(end <= device_ns + slack);
        } else {
            CHECK(has_clock == QIAO_ERROR_UNSUPPORTED);
        }
    }

    TEST_CASE("the last 256 operations are kept, also deferred ones") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue(QIAO_QUEUE_PROFILING);
        const Memory cell = session.upload(std::vector<uint32_t>{1});
        const Timeline gate = session.timeline();
        const uint64_t first = after(queue, gate.get(), 1);
        uint64_t last = 0;
        for (int round = 0; round < 255; ++round) last = launch(queue, kernel_of(program, "iterate"), items(1), blocks::Iterate{address_of(cell), 1, 0});
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(queue, last);
        for (uint64_t value = first; value <= last; ++value) {
            uint64_t start = 0, end = 0;
            INFO("value ", value, " of ", last);
            REQUIRE_OK(qiao_queue_query_timestamps(queue.get(), value, &start, &end));
            CHECK(start <= end);
        }
    }

    TEST_CASE("an operation that has not ended has none yet, and one that never was is refused") {
        Session session;
        const Queue queue = session.queue(QIAO_QUEUE_PROFILING), plain = session.queue();
        const Memory memory = session.allocate(64);
        const Timeline gate = session.timeline();
        after(queue, gate.get(), 1);
        const uint64_t value = fill(queue, place(memory), 64, 1);
        uint64_t start = 7, end = 7;
        CHECK(qiao_queue_query_timestamps(queue.get(), value, &start, &end) == QIAO_NOT_READY);
        CHECK(start == 0);
        CHECK(end == 0);
        for (const uint64_t wrong : {UINT64_C(0), value + 1, UINT64_MAX}) {
            start = end = 7;
            CHECK_FAILS(qiao_queue_query_timestamps(queue.get(), wrong, &start, &end), QIAO_ERROR_OUT_OF_RANGE, std::to_string(wrong).c_str(),
                        std::to_string(value).c_str());
            CHECK(start == 0);
            CHECK(end == 0);
        }
        wait_for(plain, fill(plain, place(memory), 64, 2));
        start = end = 7;
        CHECK_FAILS(qiao_queue_query_timestamps(plain.get(), 1, &start, &end), QIAO_ERROR_INVALID_ARGUMENT, "QIAO_QUEUE_PROFILING");
        CHECK(start == 0);
        CHECK_FAILS(qiao_queue_query_timestamps(queue.get(), value, nullptr, &end), QIAO_ERROR_INVALID_ARGUMENT, "out_start_ns");
        CHECK_FAILS(qiao_queue_query_timestamps(queue.get(), value, &start, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_end_ns");
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(queue, value);
        CHECK_OK(qiao_queue_query_timestamps(queue.get(), value, &start, &end));
    }

    TEST_CASE("they may be asked for while another thread submits") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue(QIAO_QUEUE_PROFILING);
        const Memory cell = session.upload(std::vector<uint32_t>{1});
        const blocks::Iterate block = {address_of(cell), 10, 0};
        qiao_kernel* kernel = kernel_of(program, "iterate");
        wait_for(queue, launch(queue, kernel, items(1), block));
        std::thread submitter([&] {
            const qiao_launch shape = items(1);
            for (int round = 0; round < 200; ++round) qiao_queue_launch(queue.get(), kernel, &shape, &block, sizeof block, nullptr);
        });
        for (int round = 0; round < 50; ++round) {
            uint64_t start = 0, end = 0;
            const qiao_status status = qiao_queue_query_timestamps(queue.get(), 1, &start, &end);
            const bool answered = status == QIAO_OK || status == QIAO_ERROR_NOT_FOUND;
            CHECK(answered);
        }
        submitter.join();
        wait_for(queue, 201);
    }
}
