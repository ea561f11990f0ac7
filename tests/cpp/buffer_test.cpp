// Memory, buffers, mappings and address arithmetic.
#include <algorithm>
#include <array>

#include "support/session.h"

using namespace cpp;
using qiao::Address;

static_assert(std::is_convertible_v<Address<float>, Address<const float>>);
static_assert(!std::is_convertible_v<Address<const float>, Address<float>>);
static_assert(!std::is_convertible_v<Address<float>, Address<uint32_t>>);
static_assert(!std::is_convertible_v<uint64_t, Address<float>>);
static_assert((Address<double>(1000) + 3).value() == 1024 && Address<double>(1024) - Address<double>(1000) == 3);
static_assert((Address<double>(1024) - 3).value() == 1000 && Address<double>(1000) - Address<double>(1024) == -3);
static_assert(Address<float>(8) == Address<double>(8).as<float>() && Address<float>(4) < Address<float>(8));

TEST_SUITE("buffer.write") {
    TEST_CASE("vectors, arrays and spans go in, and come home") {
        const Session session;
        qiao::Buffer<uint32_t> buffer(session.device, 6);
        const uint32_t plain[2] = {1, 2};
        const std::array<uint32_t, 2> array{3, 4};
        const std::vector<uint32_t> vector{5, 6};
        buffer.write(plain);
        buffer.write(array, 2);
        buffer.write(qiao::span<const uint32_t>(vector.data(), 2), 4);
        CHECK(buffer.read() == numbers(6, 1));
        std::array<uint32_t, 3> middle{};
        buffer.read(middle, 2);
        CHECK(middle == std::array<uint32_t, 3>{3, 4, 5});
        buffer.write(std::vector<uint32_t>{}, 6);
    }

    TEST_CASE("elements outside are refused in elements") {
        const Session session;
        qiao::Buffer<uint32_t> buffer(session.device, numbers(6));
        std::vector<uint32_t> values(4);
        const auto record = record_of([&] { buffer.write(values, 3); });
        CHECK(record.status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(contains(record.message, "4 elements from 3 leave the buffer of 6"));
        CHECK(record_of([&] { buffer.read(values, 7); }).status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(record_of([&] { buffer.read(values, UINT64_MAX); }).status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(record_of([&] { static_cast<void>(buffer.slice(6, 1)); }).status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(record_of([&] { static_cast<void>(buffer.map(1, 6)); }).status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(buffer.read() == numbers(6));
    }

    TEST_CASE("structs are elements too") {
        struct Pair {
            uint32_t a;
            float b;
        };
        const Session session;
        const std::vector<Pair> pairs{{1, 2.0f}, {3, 4.0f}};
        const qiao::Buffer<Pair> buffer(session.device, pairs);
        CHECK(buffer.size() == 2);
        CHECK(buffer.read()[1].b == 4.0f);
        CHECK((buffer.address() + 1).value() == buffer.memory().address().value() + sizeof(Pair));
    }
}

TEST_SUITE("buffer.allocate") {
    TEST_CASE("sizes that no device has") {
        const Session session;
        CHECK(record_of([&] { qiao::Buffer<uint32_t>(session.device, 0); }).status == QIAO_ERROR_OUT_OF_RANGE);
        const auto record = record_of([&] { qiao::Buffer<uint64_t>(session.device, uint64_t{1} << 61); });
        CHECK(record.status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(contains(record.message, "overflow"));
    }

    TEST_CASE("options: alignment and kinds") {
        const Session session;
        qiao::MemoryOptions options;
        options.alignment = 4096;
        const qiao::Buffer<float> buffer(session.device, 3, options);
        CHECK(buffer.address().value() % 4096 == 0);
        CHECK(buffer.memory().size_bytes() == 12);
        CHECK(buffer.memory().kind() == qiao::MemoryKind::kDevice);
        CHECK(buffer.device() == session.device);
        for (const auto kind : {qiao::MemoryKind::kHost, qiao::MemoryKind::kShared}) {
            options = {};
            options.kind = kind;
            if (session.device.properties().has(kind)) {
                const qiao::Buffer<float> other(session.device, 3, options);
                CHECK(other.memory().kind() == kind);
                CHECK(other.memory().host_pointer() != nullptr);
            } else {
                record_of<qiao::UnsupportedError>([&] { qiao::Buffer<float>(session.device, 3, options); });
            }
        }
    }

    TEST_CASE("an address finds its allocation, which then lives on") {
        const Session session;
        qiao::Memory found;
        {
            const qiao::Buffer<uint32_t> buffer(session.device, numbers(8));
            found = qiao::Memory::find(session.device, buffer.address() + 7);
            CHECK(found.get() == buffer.memory().get());
        }
        CHECK(qiao::Buffer<uint32_t>(std::move(found)).read() == numbers(8));
        record_of<qiao::NotFoundError>([&] { qiao::Memory::find(session.device, Address<float>(1)); });
    }
}

TEST_SUITE("buffer.shared") {
    TEST_CASE("results come with the wait, or when they are fetched") {
        const Session session;
        qiao::Queue queue(session.device);
        for (const bool is_explicit : {false, true}) {
            INFO("explicit ", is_explicit);
            qiao::MemoryOptions options;
            options.kind = qiao::MemoryKind::kShared;
            options.fetch_explicit = is_explicit;
            const qiao::Buffer<uint32_t> buffer(session.device, 100, options);
            auto* const values = static_cast<uint32_t*>(buffer.memory().host_pointer());
            std::fill_n(values, 100, 1u);
            qiao::Timeline gate(session.instance);
            queue.after(gate.at(1));
            const qiao::Point filled = queue.fill(buffer.slice(10, 20), 7);
            const bool is_emulated = session.device.properties().has_emulated_shared();
            if (is_emulated) CHECK(!buffer.memory().fetch(0, 400));
            gate.signal(1);
            wait_for(filled);
            CHECK(buffer.memory().fetch(0, 400));
            CHECK(values[9] == 1);
            CHECK(values[10] == 7);
            CHECK(values[29] == 7);
            CHECK(values[30] == 1);
            CHECK(buffer.memory().traffic().to_host_bytes == (is_emulated ? 80 : 0));
            CHECK((buffer.memory().traffic().tracking != QIAO_TRACKING_NONE) == is_emulated);
        }
    }
}

TEST_SUITE("buffer.prefetch") {
    TEST_CASE("moves ahead of the use, both ways; advice is taken") {
        const Session session;
        qiao::Queue queue(session.device);
        qiao::MemoryOptions options;
        options.kind = qiao::MemoryKind::kShared;
        const qiao::Buffer<uint32_t> buffer(session.device, 1000, options);
        auto* const values = static_cast<uint32_t*>(buffer.memory().host_pointer());
        std::fill_n(values, 1000, 4u);
        queue.prefetch_to_device(buffer);
        queue.fill(buffer.slice(0, 500), 9);
        wait_for(queue.prefetch_to_host(buffer.slice(0, 250)));
        CHECK(values[499] == 9);
        CHECK(values[500] == 4);
        const bool is_emulated = session.device.properties().has_emulated_shared();
        CHECK(buffer.memory().traffic().prefetched_to_host_bytes == (is_emulated ? 1000 : 0));
        CHECK(qiao::device_traffic(session.device).to_host_bytes == (is_emulated ? 2000 : 0));
        buffer.memory().advise(qiao::Advice::kPreferredHost);
        buffer.memory().advise(qiao::Advice::kReadMostly, 0, 16);
    }
}

TEST_SUITE("buffer.map") {
    TEST_CASE("a mapping is a range of elements, and ends by itself") {
        const Session session;
        qiao::Buffer<uint32_t> buffer(session.device, numbers(8));
        {
            const qiao::Mapping<uint32_t> mapped = buffer.map(2, 4);
            CHECK(mapped.size() == 4);
            CHECK(mapped[0] == 2);
            for (uint32_t& value : mapped) value += 100;
            const qiao::span<const uint32_t> seen = mapped;
            CHECK(seen.size() == 4);
        }
        CHECK(buffer.read() == std::vector<uint32_t>{0, 1, 102, 103, 104, 105, 6, 7});
    }

    TEST_CASE("unmap says that it worked, and is not repeated") {
        const Session session;
        qiao::Buffer<uint32_t> buffer(session.device, numbers(4));
        qiao::Mapping<uint32_t> mapped = buffer.map(qiao::Access::kRead);
        qiao::Mapping<uint32_t> moved = std::move(mapped);
        CHECK(moved[3] == 3);
        CHECK_NOTHROW(moved.unmap());
        CHECK_NOTHROW(moved.unmap());
        CHECK_NOTHROW(mapped.unmap());  // NOLINT: what a move leaves is what is tested
        CHECK(moved.size() == 0);
    }

    TEST_CASE("it keeps the allocation") {
        const Session session;
        qiao::Buffer<uint32_t> buffer(session.device, numbers(4));
        const qiao::Mapping<uint32_t> mapped = buffer.map();
        buffer = qiao::Buffer<uint32_t>();
        CHECK(mapped[3] == 3);
    }
}
