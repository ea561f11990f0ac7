// Pools on real queues: what they give is used by kernels, copies and fills while it is allocated and freed; limits, loss,
// failure, and what a device gets back.
#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <iostream>
#include <random>
#include <thread>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

uint64_t allocate(const Pool& pool, const Queue* queue, uint64_t size_bytes) {
    uint64_t address = 0;
    REQUIRE_OK(qiao_pool_allocate(pool.get(), queue == nullptr ? nullptr : queue->get(), size_bytes, &address));
    REQUIRE(address % 256 == 0);
    return address;
}

void free(const Pool& pool, const Queue* queue, uint64_t address) {
    REQUIRE_OK(qiao_pool_free(pool.get(), address, queue == nullptr ? nullptr : queue->get()));
}

qiao_pool_statistics query(const Pool& pool) {
    qiao_pool_statistics statistics = QIAO_POOL_STATISTICS_INIT;
    REQUIRE_OK(qiao_pool_query(pool.get(), &statistics));
    return statistics;
}

qiao_status create(const Session& session, const qiao_pool_desc& desc) {
    qiao_pool* pool = reinterpret_cast<qiao_pool*>(1);
    const qiao_status status = qiao_pool_create(session.device, &desc, &pool);
    if (status != QIAO_OK) CHECK(pool == nullptr);
    if (status == QIAO_OK) REQUIRE_OK(qiao_pool_release(pool));
    return status;
}

std::vector<uint32_t> read(Session& session, const Queue& queue, uint64_t address, size_t count) {
    std::vector<uint32_t> values(count);
    wait_for(queue, copy(queue, {session.device, address}, place(values.data()), count * 4));
    return values;
}

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(kPatience);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

// out = a + b on memory of the pool, allocated, used and freed without a wait; the result arrives in `result`.
class Sums {
   public:
    Sums(Session& session, const Pool& pool) : session_(session), pool_(pool), program_(session.program()), queue_(session.queue()) {}

    void submit(uint32_t count, uint32_t x, uint32_t y) {
        const uint64_t a = allocate(pool_, &queue_, count * 4), b = allocate(pool_, &queue_, count * 4);
        fill(queue_, {session_.device, a}, count * 4, x);
        launch(queue_, kernel_of(program_, "fill"), items(count), blocks::Fill{b, y, 0});
        const uint64_t out = allocate(pool_, &queue_, count * 4);
        launch(queue_, kernel_of(program_, "add"), items(count), blocks::Add{a, b, out});
        free(pool_, &queue_, a);
        free(pool_, &queue_, b);
        results_.emplace_back(count);
        expected_.push_back(x + y);
        last_ = copy(queue_, {session_.device, out}, place(results_.back().data()), count * 4);
        free(pool_, &queue_, out);
    }
    void check() {
        wait_for(queue_, last_);
        for (size_t i = 0; i < results_.size(); ++i) {
            INFO("sum ", i);
            CHECK(std::count(results_[i].begin(), results_[i].end(), expected_[i]) == static_cast<int64_t>(results_[i].size()));
        }
    }

   private:
    Session& session_;
    const Pool& pool_;
    const Program program_;
    const Queue queue_;
    std::deque<std::vector<uint32_t>> results_;
    std::vector<uint32_t> expected_;
    uint64_t last_ = 0;
};

}  // namespace

TEST_SUITE("pool.create") {
    TEST_CASE("a new pool is empty, and takes memory when it is needed") {
        Session session;
        const Pool pool = session.pool();
        CHECK(query(pool).reserved_bytes == 0);
        const uint64_t address = allocate(pool, nullptr, 100);
        const qiao_pool_statistics now = query(pool);
        CHECK(now.reserved_bytes >= 256);
        CHECK(now.used_bytes == 256);
        CHECK(now.requested_bytes == 100);
        CHECK(now.allocation_count == 1);
        CHECK(now.segment_count == 1);
        free(pool, nullptr, address);
        CHECK(query(pool).used_bytes == 0);
    }

    TEST_CASE("descriptors that cannot be are refused") {
        Session session;
        qiao_pool_desc desc = QIAO_POOL_DESC_INIT;
        SUBCASE("alignment") {
            desc.alignment = 128;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_INVALID_ARGUMENT, "128", "256", "2097152");
            desc.alignment = 768;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_INVALID_ARGUMENT, "768");
            desc.alignment = 4u << 20;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_INVALID_ARGUMENT, "4194304");
        }
        SUBCASE("kind") {
            desc.kind = 4;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_INVALID_ARGUMENT, "kind 4");
            for (const qiao_memory_kind kind : {QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED}) {
                desc.kind = kind;
                if (!session.has_kind(kind) || session.is_emulated(kind)) CHECK_FAILS(create(session, desc), QIAO_ERROR_UNSUPPORTED, session.properties.id);
            }
        }
        SUBCASE("largest_shared_bytes") {
            desc.largest_shared_bytes = (1u << 30) + 1;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_OUT_OF_RANGE, "1073741825", "1073741824");
        }
        SUBCASE("what this version does not know") {
            desc.flags = 1;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_INVALID_ARGUMENT, "flags", "0x1");
            desc = QIAO_POOL_DESC_INIT;
            desc.reserved0 = 1;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_INVALID_ARGUMENT, "reserved0");
            desc = QIAO_POOL_DESC_INIT;
            desc.next = &desc;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_INVALID_ARGUMENT, "next");
            desc = QIAO_POOL_DESC_INIT;
            desc.struct_size = 0;
            CHECK_FAILS(create(session, desc), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 0");
        }
        SUBCASE("none at all is the default") {
            qiao_pool* pool = nullptr;
            REQUIRE_OK(qiao_pool_create(session.device, nullptr, &pool));
            CHECK_OK(qiao_pool_release(pool));
        }
        CHECK_FAILS(qiao_pool_create(session.device, nullptr, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_pool");
    }
}

TEST_SUITE("pool.allocate") {
    TEST_CASE("addresses are plain ones: kernels, copies, fills and arithmetic take them, each kind of memory") {
        Session session;
        const Program program = session.program();
        const Queue queue = session.queue();
        for (qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE; kind <= QIAO_MEMORY_KIND_SHARED; ++kind) {
            if (!session.has_kind(kind) || session.is_emulated(kind)) continue;
            INFO("kind ", kind);
            qiao_pool_desc desc = QIAO_POOL_DESC_INIT;
            desc.kind = kind;
            const Pool pool = session.pool(desc);
            const uint64_t first = allocate(pool, &queue, 400), second = allocate(pool, &queue, 4000);
            fill(queue, {session.device, second}, 4000, 7);
            launch(queue, kernel_of(program, "fill"), items(100), blocks::Fill{second + 400, 9, 0});
            copy(queue, {session.device, second + 796}, {session.device, first}, 8);
            CHECK(read(session, queue, first, 2) == std::vector<uint32_t>{9, 7});
            qiao_memory* found = nullptr;
            uint64_t offset = 0;
            REQUIRE_OK(qiao_memory_find(session.device, second + 4, &found, &offset));
            qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
            REQUIRE_OK(qiao_memory_query(found, &properties));
            CHECK(properties.address + offset == second + 4);
            CHECK(properties.kind == kind);
        }
    }

    TEST_CASE("sizes that cannot be are refused, and nothing is taken") {
        Session session;
        const Pool pool = session.pool();
        uint64_t address = 7;
        CHECK_FAILS(qiao_pool_allocate(pool.get(), nullptr, 0, &address), QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0");
        CHECK(address == 0);
        CHECK_FAILS(qiao_pool_allocate(pool.get(), nullptr, 4, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_address");
        const uint64_t limit = session.properties.max_allocation_bytes;
        if (limit != 0 && limit < UINT64_C(1) << 47) {
            CHECK_FAILS(qiao_pool_allocate(pool.get(), nullptr, limit + 1, &address), QIAO_ERROR_OUT_OF_RANGE, std::to_string(limit + 1).c_str());
        }
        CHECK_FAILS(qiao_pool_allocate(pool.get(), nullptr, UINT64_MAX, &address), QIAO_ERROR_OUT_OF_RANGE, "18446744073709551615");
        CHECK(query(pool).reserved_bytes == 0);
        CHECK(query(pool).allocated_count == 0);
    }

    TEST_CASE("the reserve limit is an error that says so, and what is freed can be had again") {
        Session session;
        qiao_pool_desc desc = QIAO_POOL_DESC_INIT;
        desc.reserve_limit_bytes = 64 * 1024;
        const Pool pool = session.pool(desc);
        const Queue queue = session.queue();
        const uint64_t address = allocate(pool, &queue, 60'000);
        uint64_t other = 7;
        CHECK_FAILS(qiao_pool_allocate(pool.get(), queue.get(), 10'000, &other), QIAO_ERROR_OUT_OF_MEMORY, "10000 bytes", "its limit is 65536", "reserve_limit_bytes");
        CHECK(other == 0);
        free(pool, &queue, address);
        allocate(pool, &queue, 10'000);
    }

    TEST_CASE("a queue of another instance is refused") {
        Session session, other;
        const Pool pool = session.pool();
        const Queue queue = other.queue();
        uint64_t address = 7;
        CHECK_FAILS(qiao_pool_allocate(pool.get(), queue.get(), 4, &address), QIAO_ERROR_INVALID_HANDLE, "another instance");
        const uint64_t good = allocate(pool, nullptr, 4);
        CHECK_FAILS(qiao_pool_free(pool.get(), good, queue.get()), QIAO_ERROR_INVALID_HANDLE, "another instance");
        free(pool, nullptr, good);
    }
}

TEST_SUITE("pool.free") {
    TEST_CASE("a freed, an interior and a foreign address are told apart, and nothing is lost") {
        Session session;
        const Pool pool = session.pool(), other = session.pool();
        const Queue queue = session.queue();
        const uint64_t address = allocate(pool, &queue, 1000), freed = allocate(pool, &queue, 1000);
        free(pool, &queue, freed);
        CHECK_FAILS(qiao_pool_free(pool.get(), freed, queue.get()), QIAO_ERROR_INVALID_ARGUMENT, "freed already");
        CHECK_FAILS(qiao_pool_free(pool.get(), address + 4, queue.get()), QIAO_ERROR_INVALID_ARGUMENT, "4 bytes inside the allocation of 1000 bytes");
        CHECK_FAILS(qiao_pool_free(other.get(), address, queue.get()), QIAO_ERROR_NOT_FOUND, "in no segment of the pool");
        const Memory memory = session.allocate(64);
        CHECK_FAILS(qiao_pool_free(pool.get(), address_of(memory), queue.get()), QIAO_ERROR_NOT_FOUND);
        CHECK_OK(qiao_pool_free(pool.get(), 0, queue.get()));
        CHECK(query(pool).allocation_count == 1);
        free(pool, &queue, address);
        CHECK(query(pool).allocation_count == 0);
    }
}

TEST_SUITE("pool.work") {
    TEST_CASE("several queues allocate, compute and free without a wait, and every result is right") {
        Session session;
        const Pool pool = session.pool();
        constexpr unsigned kSeed = 20261126;
        std::cout << "seed " << kSeed << "\n";
        std::mt19937 random(kSeed);
        std::deque<Sums> queues;
        for (int i = 0; i < 3; ++i) queues.emplace_back(session, pool);
        for (uint32_t round = 0; round < 60; ++round) queues[random() % queues.size()].submit(64 * (1 + random() % 40), round, 1000 * round);
        for (Sums& sums : queues) sums.check();
        const qiao_pool_statistics now = query(pool);
        CHECK(now.allocation_count == 0);
        CHECK(now.allocated_count == 180);
        CHECK(now.reused_count + now.segment_count == 180);
        CHECK(now.used_bytes == 0);
    }

    TEST_CASE("threads with a queue each share a pool") {
        Session session;
        const Pool pool = session.pool();
        std::deque<Sums> queues;
        for (int i = 0; i < 3; ++i) queues.emplace_back(session, pool);
        std::vector<std::thread> threads;
        for (uint32_t index = 0; index < queues.size(); ++index) {
            threads.emplace_back([&, index] {
                for (uint32_t round = 0; round < 20; ++round) queues[index].submit(64 * (1 + (index + round) % 7), round, index << 20);
            });
        }
        for (std::thread& thread : threads) thread.join();
        for (Sums& sums : queues) sums.check();
        CHECK(query(pool).allocation_count == 0);
    }

    TEST_CASE("memory goes to another queue when the work on it has ended, not before") {
        Session session;
        const Pool pool = session.pool();
        const Queue first = session.queue(), second = session.queue();
        const Timeline start = session.timeline();
        const uint64_t address = allocate(pool, &first, 4096);
        after(first, start.get(), 1);
        const uint64_t value = fill(first, {session.device, address}, 4096, 5);
        free(pool, &first, address);
        CHECK(allocate(pool, &second, 4096) != address);
        CHECK(allocate(pool, nullptr, 4096) != address);
        const uint64_t again = allocate(pool, &first, 4096);
        CHECK(again == address);
        free(pool, &first, again);
        REQUIRE_OK(qiao_timeline_signal(start.get(), 1));
        wait_for(first, value);
        CHECK(allocate(pool, &second, 4096) == address);
    }

    TEST_CASE("a pool is released while work uses its memory, and the work ends as it should") {
        Session session;
        uint64_t free_before = 0, free_after = 0, total = 0;
        session.allocate(64);
        REQUIRE_OK(qiao_device_query_memory(session.device, &free_before, &total));
        {
            Pool pool = session.pool();
            Sums sums(session, pool);
            for (uint32_t round = 0; round < 10; ++round) sums.submit(2000, round, 7);
            allocate(pool, nullptr, 5000);  // never freed
            pool.reset();
            sums.check();
        }
        REQUIRE_OK(qiao_device_synchronize(session.device, kPatience));
        if (session.is_fixture()) CHECK(eventually([&] {
            REQUIRE_OK(qiao_device_query_memory(session.device, &free_after, &total));
            return free_after == free_before;
        }));
        check_works(session);
    }

    TEST_CASE("queues come and go, and leave nothing behind") {
        Session session;
        const Pool pool = session.pool();
        std::vector<uint32_t> result(1);
        for (uint32_t round = 0; round < 100; ++round) {
            const Queue queue = session.queue();
            const uint64_t address = allocate(pool, &queue, 30'000);
            fill(queue, {session.device, address}, 4, round);
            wait_for(queue, copy(queue, {session.device, address}, place(result.data()), 4));
            CHECK(result[0] == round);
            free(pool, &queue, address);
        }
        CHECK(query(pool).segment_count == 1);
    }

    TEST_CASE("a failed queue gets no memory, frees what it has, and others use that") {
        Session session;
        if (!session.is_fixture()) return;
        const Program program = session.program();
        const Pool pool = session.pool();
        Queue bad = session.queue();
        const Queue good = session.queue();
        const uint64_t address = allocate(pool, &bad, 2048);
        uint64_t value = 0;
        const qiao_launch one = items(1);
        REQUIRE_OK(qiao_queue_launch(bad.get(), kernel_of(program, "fail"), &one, nullptr, 0, &value));
        CHECK(qiao_timeline_wait(timeline_of(bad), value, kPatience) < 0);
        uint64_t none = 7;
        CHECK_FAILS(qiao_pool_allocate(pool.get(), bad.get(), 2048, &none), QIAO_ERROR_CANCELLED, "no more work");
        CHECK(none == 0);
        free(pool, &bad, address);
        bad.reset();
        CHECK(query(pool).allocation_count == 0);
        allocate(pool, &good, 2048);
        REQUIRE_OK(qiao_pool_trim(pool.get(), 0));
        CHECK(query(pool).segment_count == 1);
    }
}

TEST_SUITE("pool.loss") {
    TEST_CASE("the pool of a lost device is lost: no allocation, frees and releases go through, a new pool works after the reset") {
        Session session;
        if (!session.is_fixture()) return;
        const Program program = session.program();
        const Pool pool = session.pool();
        const Queue queue = session.queue();
        const uint64_t address = allocate(pool, &queue, 512);
        uint64_t value = 0;
        const qiao_launch one = items(1);
        REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "lose"), &one, nullptr, 0, &value));
        CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), value, kPatience), QIAO_ERROR_DEVICE_LOST, "lost");
        // The objects are marked after the device.
        uint64_t none = 7;
        CHECK(eventually([&] { return qiao_pool_allocate(pool.get(), nullptr, 512, &none) == QIAO_ERROR_DEVICE_LOST; }));
        CHECK(none == 0);
        CHECK_FAILS(qiao_pool_allocate(pool.get(), nullptr, 512, &none), QIAO_ERROR_DEVICE_LOST, "lost");
        const uint64_t used = query(pool).used_bytes;
        qiao_pool* late = nullptr;
        CHECK_FAILS(qiao_pool_create(session.device, nullptr, &late), QIAO_ERROR_DEVICE_LOST, "lost");
        CHECK_OK(qiao_pool_free(pool.get(), address, queue.get()));
        CHECK(query(pool).used_bytes == used - 512);
        if (qiao_device_reset(session.device) != QIAO_OK) return;  // a plugin without reset
        CHECK_FAILS(qiao_pool_allocate(pool.get(), nullptr, 512, &none), QIAO_ERROR_DEVICE_LOST, "pool", "make it anew");
        const Pool fresh = session.pool();
        const Queue again = session.queue();
        const uint64_t usable = allocate(fresh, &again, 512);
        fill(again, {session.device, usable}, 512, 3);
        CHECK(read(session, again, usable, 4) == std::vector<uint32_t>(4, 3));
    }
}

TEST_SUITE("pool.pressure") {
    TEST_CASE("what idle pools keep goes to whoever needs the device's last memory") {
        Session session;
        const uint64_t most = std::min(session.properties.max_allocation_bytes, session.properties.memory_bytes);
        if (most == 0 || most > 256u << 20 || session.properties.memory_bytes > 1u << 30) return;  // a machine's whole memory is not this test's to take
        const Pool first = session.pool(), second = session.pool();
        const Queue queue = session.queue();
        const auto take_all = [&](const Pool& pool) {
            std::vector<uint64_t> all;
            for (uint64_t taken = 0; taken + most <= session.properties.memory_bytes; taken += most) all.push_back(allocate(pool, &queue, most));
            for (const uint64_t address : all) free(pool, &queue, address);
        };
        take_all(first);
        take_all(second);
        CHECK(query(first).reserved_bytes == 0);
        CHECK(query(second).reserved_bytes != 0);
        session.allocate(most);
        check_works(session);
    }
}
