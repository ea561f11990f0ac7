// Pools and their buffers: memory in the order of queues, owners, errors.
#include "support/session.h"

using namespace cpp;

static_assert(!std::is_copy_constructible_v<qiao::Pool> && !std::is_copy_constructible_v<qiao::PoolBuffer<float>>);
static_assert(std::is_nothrow_move_constructible_v<qiao::PoolBuffer<float>>);

TEST_SUITE("pool.buffer") {
    TEST_CASE("a buffer is used as any other, and goes back when it goes out of scope") {
        const Session session;
        qiao::Pool pool(session.device);
        qiao::Queue queue(session.device);
        std::vector<uint32_t> result(1000);
        qiao::Point done;
        uint64_t first = 0;
        for (uint32_t round = 0; round < 20; ++round) {
            qiao::PoolBuffer<uint32_t> source(pool, queue, 1000);
            const qiao::PoolBuffer<uint32_t> target(pool, queue, 1000);
            if (round == 0) first = source.address().value();
            CHECK(source.device() == session.device);
            CHECK(source.size() == 1000);
            queue.fill(source, round);
            queue.copy(source, target);
            done = queue.copy(target, result);
        }
        wait_for(done);
        CHECK(result == std::vector<uint32_t>(1000, 19));
        const qiao::PoolStatistics now = pool.statistics();
        CHECK(now.allocation_count == 0);
        CHECK(now.allocated_count == 40);
        CHECK(now.segment_count == 1);
        CHECK(first != 0);
    }

    TEST_CASE("moving takes it along, and assigning frees what was there") {
        const Session session;
        qiao::Pool pool(session.device);
        const qiao::Queue queue(session.device);
        qiao::PoolBuffer<float> one(pool, queue, 10), other;
        const uint64_t address = one.address().value();
        other = std::move(one);
        CHECK(!one);
        CHECK(other.address().value() == address);
        CHECK(other.size() == 10);
        other = qiao::PoolBuffer<float>();
        CHECK(pool.statistics().allocation_count == 0);
    }

    TEST_CASE("a buffer keeps pool and queue") {
        const Session session;
        auto pool = std::make_unique<qiao::Pool>(session.device);
        auto queue = std::make_unique<qiao::Queue>(session.device);
        qiao::PoolBuffer<float> buffer(*pool, *queue, 10);
        queue->fill(buffer, 1.0f);
        pool.reset();
        queue.reset();
        buffer = qiao::PoolBuffer<float>();
    }
}

TEST_SUITE("pool.address") {
    TEST_CASE("addresses are typed, counted in elements, and freed once") {
        const Session session;
        qiao::Pool pool(session.device, {0, 0, 0, 4096, qiao::MemoryKind::kDevice});
        const qiao::Queue queue(session.device);
        const qiao::Address<double> address = pool.allocate<double>(100, queue);
        CHECK(address.value() % 4096 == 0);
        CHECK(pool.statistics().requested_bytes == 800);
        const auto record = record_of([&] { pool.free(address + 1, queue); });
        CHECK(record.status == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(contains(record.message, "8 bytes inside"));
        pool.free(address, queue);
        CHECK(contains(record_of([&] { pool.free(address); }).message, "freed already"));
        CHECK(record_of<qiao::NotFoundError>([&] { pool.free(qiao::Address<float>(64)); }).status == QIAO_ERROR_NOT_FOUND);
        CHECK(record_of([&] { static_cast<void>(pool.allocate<double>(UINT64_MAX / 4)); }).status == QIAO_ERROR_OUT_OF_RANGE);
    }

    TEST_CASE("limits, trim and peaks") {
        const Session session;
        qiao::PoolOptions options;
        options.reserve_limit_bytes = 64 * 1024;
        qiao::Pool pool(session.device, options);
        pool.free(pool.allocate(60'000));
        CHECK(contains(record_of<qiao::OutOfMemoryError>([&] { static_cast<void>(pool.allocate(70'000)); }).message, "limit is 65536"));
        CHECK(pool.statistics().reserved_bytes != 0);
        pool.trim();
        CHECK(pool.statistics().reserved_bytes == 0);
        CHECK(pool.statistics().used_peak_bytes >= 60'000);
        pool.reset_peaks();
        CHECK(pool.statistics().used_peak_bytes == 0);
        CHECK(pool.share().statistics().allocated_count == 1);
    }
}
