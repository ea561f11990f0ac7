// Shared memory: the host writes and reads at a pointer, kernels and copies at an address. The same cases where the device has
// such memory and where the library moves bytes; what it moves is looked at only there.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "support/shared_words.h"

using namespace api;

namespace {

constexpr uint64_t kPage = 4096, kMiB = 1 << 20;

using Words = SharedWords;

bool is_emulated(const Session& session) { return (session.properties.flags & QIAO_DEVICE_SHARED_EMULATED) != 0; }
// Whether written pages are known.
bool is_tracked(const Memory& memory) {
    const qiao_tracking tracking = traffic_of(memory).tracking;
    return tracking == QIAO_TRACKING_SCAN || tracking == QIAO_TRACKING_COMPARE;
}

}  // namespace

TEST_SUITE("shared") {
    TEST_CASE("every device has it, itself or by the library") {
        Session session;
        CHECK(session.has_kind(QIAO_MEMORY_KIND_SHARED));
        const Words words(session, 10);
        CHECK((traffic_of(words.memory).tracking != QIAO_TRACKING_NONE) == is_emulated(session));
        qiao_memory* found = nullptr;
        uint64_t offset = 0;
        REQUIRE_OK(qiao_memory_find(session.device, words.address + 8, &found, &offset));
        CHECK(found == words.memory.get());
        CHECK(offset == 8);
    }

    TEST_CASE("the card sees what the host wrote before a launch, the host what the card wrote after the wait") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        constexpr size_t kCount = 5000;
        const Words a(session, kCount), b(session, kCount), sum(session, kCount);
        for (uint32_t round = 0; round < 5; ++round) {
            for (uint32_t i = 0; i < kCount; ++i) a[i] = i * (round + 1);
            b[round * 1000] = round + 1;  // one page of it only
            wait_for(queue, add(queue, program, a.address, b.address, sum.address, kCount));
            for (uint32_t i = 0; i < kCount; ++i) REQUIRE(sum[i] == a[i] + b[i]);
            sum[0] = 77;  // the host's, until the next launch
            CHECK(sum[0] == 77);
        }
        CHECK(b[4000] == 5);
    }

    TEST_CASE("memory that one launch reads and writes, twice among its arguments, and at offsets") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        constexpr size_t kCount = 3000;
        const Words words(session, 2 * kCount + 1);
        for (uint32_t i = 0; i < kCount; ++i) words[i] = i;
        const uint64_t second = words.address + (kCount + 1) * sizeof(uint32_t);
        wait_for(queue, add(queue, program, words.address, words.address, second, kCount));
        wait_for(queue, add(queue, program, second, words.address, words.address, kCount));
        for (uint32_t i = 0; i < kCount; ++i) {
            REQUIRE(words[i] == 3 * i);
            REQUIRE(words[kCount + 1 + i] == 2 * i);
        }
        CHECK(words[kCount] == 0);
    }

    TEST_CASE("results of several launches come with one wait, and stay on the card between them") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        constexpr size_t kCount = 2048;
        const Words words(session, kCount);
        for (uint32_t i = 0; i < kCount; ++i) words[i] = 1;
        uint64_t value = 0;
        for (int round = 0; round < 5; ++round) value = add(queue, program, words.address, words.address, words.address, kCount);
        wait_for(queue, value);
        for (uint32_t i = 0; i < kCount; ++i) REQUIRE(words[i] == 32);
        if (!is_emulated(session)) return;
        const qiao_memory_traffic traffic = traffic_of(words.memory);
        CHECK(traffic.to_host_count == 1);
        CHECK(traffic.to_host_bytes == kCount * sizeof(uint32_t));
        CHECK(traffic.conflict_bytes == 0);
        if (is_tracked(words.memory)) CHECK(traffic.to_device_count == 1);
    }

    TEST_CASE("nothing is moved of what nobody wrote") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        constexpr size_t kCount = 100'000;
        const Words in(session, kCount), out(session, kCount);
        wait_for(queue, add(queue, program, in.address, in.address, out.address, kCount));
        const qiao_memory_traffic first = traffic_of(in.memory);
        CHECK(first.to_host_bytes == 0);
        if (!is_emulated(session)) {
            CHECK(first.to_device_bytes == 0);
            return;
        }
        CHECK(first.to_device_bytes == kCount * sizeof(uint32_t));  // all of it was set to 0
        wait_for(queue, add(queue, program, in.address, in.address, out.address, kCount));
        CHECK(traffic_of(in.memory).to_device_bytes == first.to_device_bytes * (is_tracked(in.memory) ? 1 : 2));
    }

    TEST_CASE("a sparse update moves little more than what was written") {
        Session session;
        const uint64_t size_bytes = std::min(64 * kMiB, session.properties.max_allocation_bytes / 4);
        const Queue queue = session.queue();
        const Program program = session.program();
        const Words words(session, size_bytes / sizeof(uint32_t));
        const Words out(session, 16);
        wait_for(queue, add(queue, program, words.address, words.address, out.address, 16));
        const uint64_t before = traffic_of(words.memory).to_device_bytes;
        uint64_t at = 12345;
        std::vector<uint64_t> touched;
        for (uint64_t i = 0; i < size_bytes / kPage / 100; ++i) {
            at = at * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            touched.push_back((at >> 20) % (size_bytes / kPage));
            words[touched.back() * kPage / sizeof(uint32_t)] += 1;
        }
        wait_for(queue, add(queue, program, words.address, words.address, out.address, 16));
        const uint64_t moved = traffic_of(words.memory).to_device_bytes - before;
        if (!is_emulated(session)) CHECK(moved == 0);
        if (is_tracked(words.memory)) CHECK(moved <= size_bytes / 50);
        // What the card has: all words of the touched pages.
        std::vector<uint32_t> page(kPage / sizeof(uint32_t));
        for (const uint64_t index : touched) {
            wait_for(queue, copy(queue, place(words.memory, index * kPage), place(page.data()), kPage));
            REQUIRE(std::memcmp(page.data(), words.data + index * page.size(), kPage) == 0);
        }
    }

    TEST_CASE("copies and fills reach it like kernels") {
        Session session;
        const Queue queue = session.queue();
        constexpr size_t kCount = 4000;
        const Words words(session, kCount);
        const Memory plain = session.upload(numbers(kCount));
        wait_for(queue, copy(queue, place(plain, 400), place(words.memory, 400), 4000));
        CHECK(words[99] == 0);
        CHECK(words[100] == 100);
        CHECK(words[1099] == 1099);
        CHECK(words[1100] == 0);
        words[0] = 11;
        words[3999] = 12;
        wait_for(queue, copy(queue, place(words.memory), place(plain), kCount * sizeof(uint32_t)));
        const std::vector<uint32_t> copied = download<uint32_t>(plain, kCount);
        CHECK(copied[0] == 11);
        CHECK(copied[100] == 100);
        CHECK(copied[3999] == 12);
        wait_for(queue, fill(queue, place(words.memory, 8), 16, 5));
        CHECK(words[1] == 0);
        CHECK(words[2] == 5);
        CHECK(words[5] == 5);
        CHECK(words[6] == 0);
        CHECK(words[0] == 11);
        if (is_emulated(session)) CHECK(traffic_of(words.memory).to_host_bytes == 4000 + 16);
    }

    TEST_CASE("blocking copies and maps are the host's way to it") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const Words words(session, 256), out(session, 256);
        const std::vector<uint32_t> values = numbers(256, 9);
        REQUIRE_OK(qiao_memory_write(words.memory.get(), 0, values.data(), 1024));
        CHECK(words[255] == 264);
        void* pointer = nullptr;
        REQUIRE_OK(qiao_memory_map(words.memory.get(), 4, 8, QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &pointer));
        CHECK(pointer == words.data + 1);
        static_cast<uint32_t*>(pointer)[0] = 1000;
        REQUIRE_OK(qiao_memory_unmap(words.memory.get(), pointer));
        wait_for(queue, add(queue, program, words.address, words.address, out.address, 256));
        CHECK(out[0] == 18);
        CHECK(out[1] == 2000);
        CHECK(download<uint32_t>(out.memory, 256)[255] == 528);
    }

    TEST_CASE("a callback and another thread's wait see the results") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        constexpr size_t kCount = 1000;
        const Words words(session, kCount);
        for (uint32_t i = 0; i < kCount; ++i) words[i] = i;
        struct Seen {
            const uint32_t* data;
            std::atomic<uint32_t> last{0};
        } seen{words.data, {}};
        add(queue, program, words.address, words.address, words.address, kCount);
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_call(
            queue.get(), [](void* user, qiao_status) { static_cast<Seen*>(user)->last = static_cast<Seen*>(user)->data[kCount - 1]; }, &seen, &value));
        wait_for(queue, value);
        CHECK(seen.last == 2 * (kCount - 1));
        value = add(queue, program, words.address, words.address, words.address, kCount);
        std::atomic<uint32_t> last{0};
        std::thread([&] {
            if (qiao_timeline_wait(timeline_of(queue), value, kPatience) == QIAO_OK) last = words[kCount - 1];
        }).join();
        CHECK(last == 4 * (kCount - 1));
    }

    TEST_CASE("a wait on a timeline that the work raised covers it, and so does the device's") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const Timeline timeline = session.timeline();
        const Words words(session, 100);
        words[99] = 1;
        add(queue, program, words.address, words.address, words.address, 100);
        REQUIRE_OK(qiao_queue_signal(queue.get(), timeline.get(), 1, nullptr));
        REQUIRE_OK(qiao_timeline_wait(timeline.get(), 1, kPatience));
        CHECK(words[99] == 2);
        add(queue, program, words.address, words.address, words.address, 100);
        REQUIRE_OK(qiao_device_synchronize(session.device, kPatience));
        CHECK(words[99] == 4);
    }

    TEST_CASE("two queues use it in turn") {
        Session session;
        const Queue first = session.queue(), second = session.queue();
        const Program program = session.program();
        const Words words(session, 1000);
        for (uint32_t i = 0; i < 1000; ++i) words[i] = 1;
        const uint64_t value = add(first, program, words.address, words.address, words.address, 1000);
        after(second, timeline_of(first), value);
        wait_for(second, add(second, program, words.address, words.address, words.address, 1000));
        CHECK(words[0] == 4);
        CHECK(words[999] == 4);
        for (uint32_t i = 0; i < 1000; ++i) words[i] = 2;
        wait_for(first, add(first, program, words.address, words.address, words.address, 1000));
        CHECK(words[999] == 4);
    }

    TEST_CASE("fetched explicitly, a wait brings nothing and a fetch what it names") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        constexpr size_t kCount = 4096;
        const Words words(session, kCount, QIAO_MEMORY_FETCH_EXPLICIT);
        for (uint32_t i = 0; i < kCount; ++i) words[i] = i;
        wait_for(queue, add(queue, program, words.address, words.address, words.address, kCount));
        if (is_emulated(session)) CHECK(words[1] == 1);
        REQUIRE_OK(qiao_memory_fetch(words.memory.get(), 4 * sizeof(uint32_t), 8));
        CHECK(words[4] == 8);
        CHECK(words[5] == 10);
        if (is_emulated(session)) {
            CHECK(words[6] == 6);
            CHECK(traffic_of(words.memory).to_host_bytes == 8);
        }
        // The card works on with its own.
        wait_for(queue, add(queue, program, words.address, words.address, words.address, kCount));
        REQUIRE_OK(qiao_memory_fetch(words.memory.get(), 0, kCount * sizeof(uint32_t)));
        for (uint32_t i = 0; i < kCount; ++i) REQUIRE(words[i] == 4 * i);
        REQUIRE_OK(qiao_memory_fetch(words.memory.get(), 0, 0));
        CHECK(traffic_of(words.memory).conflict_bytes == 0);
    }

    TEST_CASE("released while work uses it, and while results are awaited") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const Memory plain = session.allocate(4096);
        uint64_t value = 0;
        for (int round = 0; round < 20; ++round) {
            const Words words(session, 1024);
            words[0] = static_cast<uint32_t>(round);
            add(queue, program, words.address, words.address, words.address, 1024);
            value = add(queue, program, words.address, words.address, address_of(plain), 1024);
        }
        wait_for(queue, value);
        CHECK(download<uint32_t>(plain, 1)[0] == 76);
        check_works(session);
    }

    TEST_CASE("launches that do not reach it go on as ever") {
        Session session;
        const Words words(session, 100);
        check_works(session);
        words[0] = 5;
        const Queue queue = session.queue();
        const Program program = session.program();
        const Memory plain = session.upload(numbers(100));
        wait_for(queue, add(queue, program, address_of(plain), address_of(plain), address_of(plain), 100));
        CHECK(download<uint32_t>(plain, 100)[99] == 198);
        CHECK(traffic_of(words.memory).to_device_bytes == 0);
        CHECK(traffic_of(plain).tracking == QIAO_TRACKING_NONE);
    }

    TEST_CASE("threads with memory of their own") {
        Session session;
        const Program program = session.program();
        std::atomic<int> wrong{0};
        std::vector<Queue> queues;
        std::vector<std::unique_ptr<Words>> all;
        for (int i = 0; i < 4; ++i) {
            queues.push_back(session.queue());
            all.push_back(std::make_unique<Words>(session, 3000));
        }
        std::vector<std::thread> threads;
        for (size_t index = 0; index < 4; ++index) {
            threads.emplace_back([&, index] {
                const Words& words = *all[index];
                qiao_kernel* kernel = nullptr;
                if (qiao_program_get_kernel(program.get(), "add", &kernel) != QIAO_OK) ++wrong;
                const blocks::Add block{words.address, words.address, words.address};
                const qiao_launch shape = items(3000);
                for (uint32_t round = 0; round < 30; ++round) {
                    for (uint32_t i = 0; i < 3000; i += 100) words[i] = round + static_cast<uint32_t>(index);
                    uint64_t value = 0;
                    if (qiao_queue_launch(queues[index].get(), kernel, &shape, &block, sizeof block, &value) != QIAO_OK) ++wrong;
                    if (qiao_timeline_wait(timeline_of(queues[index]), value, kPatience) != QIAO_OK) ++wrong;
                    for (uint32_t i = 0; i < 3000; i += 100) wrong += words[i] != 2 * (round + static_cast<uint32_t>(index));
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        CHECK(wrong == 0);
    }

    TEST_CASE("what is wrong is refused") {
        Session session;
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = 100;
        desc.flags = QIAO_MEMORY_FETCH_EXPLICIT;
        qiao_memory* memory = nullptr;
        CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "FETCH_EXPLICIT", "shared", "device");
        desc.kind = QIAO_MEMORY_KIND_SHARED;
        desc.flags |= 8;
        CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "0x8");
        CHECK(memory == nullptr);
        const Words words(session, 25);
        CHECK_FAILS(qiao_memory_fetch(words.memory.get(), 99, 2), QIAO_ERROR_OUT_OF_RANGE, "99", "100");
        CHECK_FAILS(qiao_memory_fetch(nullptr, 0, 1), QIAO_ERROR_INVALID_HANDLE, "memory");
        CHECK_FAILS(qiao_memory_query_traffic(words.memory.get(), nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_traffic");
        qiao_memory_traffic traffic{};
        CHECK_FAILS(qiao_memory_query_traffic(words.memory.get(), &traffic), QIAO_ERROR_INVALID_ARGUMENT, "struct_size");
        check_works(session);
    }
}

// On fixtures: their kernels fail and lose the device.
TEST_SUITE("shared.failure") {
    TEST_CASE("after work has failed the host's bytes stand, and go to the card again") {
        Session session;
        const Program program = session.program();
        const Words words(session, 2000);
        for (uint32_t i = 0; i < 2000; ++i) words[i] = i;
        {
            const Queue queue = session.queue();
            const qiao_launch one = items(1);
            wait_for(queue, add(queue, program, words.address, words.address, words.address, 2000));
            REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "fail"), &one, nullptr, 0, nullptr));
            uint64_t value = 0;
            const blocks::Add block{words.address, words.address, words.address};
            const qiao_launch shape = items(2000);
            // It may be known by now that the queue has failed: then nothing is submitted.
            if (qiao_queue_launch(queue.get(), kernel_of(program, "add"), &shape, &block, sizeof block, &value) == QIAO_OK) {
                CHECK(qiao_timeline_wait(timeline_of(queue), value, kPatience) < 0);
            }
        }
        CHECK(words[1999] == 3998);
        const Queue queue = session.queue();
        wait_for(queue, add(queue, program, words.address, words.address, words.address, 2000));
        CHECK(words[0] == 0);
        CHECK(words[1999] == 7996);
    }

    TEST_CASE("when the device is lost the memory is, and its pointer stays readable until the release") {
        Session session;
        Words words(session, 2000);
        words[1999] = 5;
        {
            const Program program = session.program();
            const Queue queue = session.queue();
            const qiao_launch one = items(1);
            wait_for(queue, add(queue, program, words.address, words.address, words.address, 2000));
            uint64_t value = 0;
            REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "lose"), &one, nullptr, 0, &value));
            CHECK(qiao_timeline_wait(timeline_of(queue), value, kPatience) == QIAO_ERROR_DEVICE_LOST);
        }
        CHECK(words[1999] == 10);
        CHECK_FAILS(qiao_memory_fetch(words.memory.get(), 0, 4), QIAO_ERROR_DEVICE_LOST, "lost or reset");
        qiao_memory_traffic traffic = QIAO_MEMORY_TRAFFIC_INIT;
        CHECK_OK(qiao_memory_query_traffic(words.memory.get(), &traffic));
    }
}

TEST_SUITE("shared.failure") {
    TEST_CASE("results that are lost with their device are missed by who waits for it, not by others") {
        Session session;
        const Words words(session, 2000);
        const Program program = session.program();
        const Queue queue = session.queue();
        const qiao_launch one = items(1);
        const uint64_t value = add(queue, program, words.address, words.address, words.address, 2000);
        while (qiao_timeline_reached(timeline_of(queue), value) == QIAO_NOT_READY) std::this_thread::yield();
        REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "lose"), &one, nullptr, 0, nullptr));
        while (qiao_timeline_reached(timeline_of(queue), value + 1) == QIAO_NOT_READY) std::this_thread::yield();
        qiao_device* other = nullptr;
        for (qiao_device* device : session.devices()) {
            if (device != session.device) other = device;
        }
        REQUIRE(other != nullptr);
        qiao_queue* made = nullptr;
        REQUIRE_OK(qiao_queue_create(other, nullptr, &made));
        const Queue others(made);
        uint64_t called = 0;
        REQUIRE_OK(qiao_queue_call(others.get(), [](void*, qiao_status) {}, nullptr, &called));
        CHECK_OK(qiao_timeline_wait(timeline_of(others), called, kPatience));
        CHECK(qiao_timeline_wait(timeline_of(queue), value, kPatience) == QIAO_ERROR_DEVICE_LOST);
        CHECK_OK(qiao_timeline_wait(timeline_of(others), called, kPatience));
    }
}

// On devices that can be reset.
TEST_SUITE("shared.reset") {
    TEST_CASE("memory of before a reset is lost, and what is made after works") {
        Session session;
        {
            const Program program = session.program();
            const Queue queue = session.queue();
            Words words(session, 2000);
            words[1999] = 5;
            add(queue, program, words.address, words.address, words.address, 2000);
            REQUIRE_OK(qiao_device_reset(session.device));
            CHECK_FAILS(qiao_memory_fetch(words.memory.get(), 0, 4), QIAO_ERROR_DEVICE_LOST, "lost or reset");
            words[0] = words[1999];
        }
        const Words again(session, 100);
        const Program program = session.program();
        const Queue queue = session.queue();
        again[99] = 4;
        wait_for(queue, add(queue, program, again.address, again.address, again.address, 100));
        CHECK(again[99] == 8);
    }
}

// Where bytes are moved, and it is known what the host has written.
TEST_SUITE("shared.conflict") {
    TEST_CASE("what the host writes while it must not stays, and is counted and said") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        constexpr size_t kCount = 8192;
        const Words words(session, kCount);
        REQUIRE(is_tracked(words.memory));
        for (uint32_t i = 0; i < kCount; ++i) words[i] = 1;
        const uint64_t value = add(queue, program, words.address, words.address, words.address, kCount);
        words[5000] = 99;
        wait_for(queue, value);
        CHECK(words[5000] == 99);
        CHECK(words[0] == 2);
        CHECK(words[kCount - 1] == 2);
        const uint64_t conflict = traffic_of(words.memory).conflict_bytes;
        CHECK(conflict >= sizeof(uint32_t));
        CHECK(conflict <= kPage);
        bool is_said = false;
        for (const LogLine& line : session.log.lines()) is_said |= line.level == QIAO_LOG_LEVEL_WARNING && line.text.find("had not been waited for") != std::string::npos;
        CHECK(is_said);
        // It goes to the card like any other.
        wait_for(queue, add(queue, program, words.address, words.address, words.address, kCount));
        CHECK(words[5000] == 198);
        CHECK(words[0] == 4);
    }
}

TEST_SUITE("shared.conflict_is_error") {
    TEST_CASE("the wait says it, and the work is done all the same") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const Words words(session, 2048);
        REQUIRE(is_tracked(words.memory));
        uint64_t value = add(queue, program, words.address, words.address, words.address, 2048);
        words[0] = 7;
        CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), value, kPatience), QIAO_ERROR_INVALID_ARGUMENT, "the host has written", "wait for the work");
        REQUIRE_OK(qiao_timeline_wait(timeline_of(queue), value, kPatience));
        CHECK(words[0] == 7);
        // Found before a launch, the launch is refused.
        value = add(queue, program, words.address, words.address, words.address, 2048);
        words[1024] = 8;
        const blocks::Add block{words.address, words.address, words.address};
        const qiao_launch shape = items(2048);
        uint64_t refused = 99;
        CHECK_FAILS(qiao_queue_launch(queue.get(), kernel_of(program, "add"), &shape, &block, sizeof block, &refused), QIAO_ERROR_INVALID_ARGUMENT,
                    "the host has written");
        CHECK(refused == 0);
        CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), value, kPatience), QIAO_ERROR_INVALID_ARGUMENT, "the host has written");
        CHECK(words[0] == 14);
        CHECK(words[1024] == 8);
        wait_for(queue, add(queue, program, words.address, words.address, words.address, 2048));
        CHECK(words[0] == 28);
        CHECK(words[1024] == 16);
    }
}
