// Two devices whose addresses coincide: one number means memory of each of them, and only with its device.
#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

constexpr size_t kCount = 256;

// Two cards with an allocation each at the same address.
struct Twins {
    Session session;
    qiao_device* devices[2] = {session.device, nullptr};
    Memory memories[2];
    Queue queues[2];

    Twins() {
        REQUIRE_OK(qiao_instance_find_device(session.instance.get(), "mock:1", &devices[1]));
        for (uint32_t i = 0; i < 2; ++i) {
            session.device = devices[i];
            memories[i] = session.upload(numbers(kCount, 1000 * (i + 1)));
            queues[i] = session.queue();
        }
        REQUIRE(address_of(memories[0]) == address_of(memories[1]));
    }
    qiao_place at(int i, uint64_t offset = 0) const { return {devices[i], address_of(memories[i]) + offset}; }
    void check(int i, uint32_t first) const { CHECK(download<uint32_t>(memories[i], kCount) == numbers(kCount, first)); }
};

}  // namespace

TEST_SUITE("coinciding") {
    TEST_CASE("each device finds its own allocation at the address, and frees only that") {
        Twins twins;
        const uint64_t address = address_of(twins.memories[0]);
        for (int i = 0; i < 2; ++i) {
            qiao_memory* found = nullptr;
            uint64_t offset = 0;
            REQUIRE_OK(qiao_memory_find(twins.devices[i], address + 17, &found, &offset));
            CHECK(found == twins.memories[i].get());
            CHECK(offset == 17);
        }
        twins.memories[0].reset();
        qiao_memory* found = nullptr;
        uint64_t offset = 0;
        CHECK_FAILS(qiao_memory_find(twins.devices[0], address, &found, &offset), QIAO_ERROR_NOT_FOUND, "no allocation of mock:0");
        REQUIRE_OK(qiao_memory_find(twins.devices[1], address, &found, &offset));
        CHECK(found == twins.memories[1].get());
        twins.check(1, 2000);
    }

    TEST_CASE("a copy between equal addresses of two devices is no overlap; within one it is") {
        Twins twins;
        wait_for(twins.queues[0], copy(twins.queues[0], twins.at(0), twins.at(1), kCount * 4));
        twins.check(1, 1000);
        twins.check(0, 1000);
        const qiao_copy within = copy_of(twins.at(1), twins.at(1, 4), 8);
        uint64_t value = 0;
        CHECK_FAILS(qiao_queue_copy(twins.queues[1].get(), &within, &value), QIAO_ERROR_INVALID_ARGUMENT, "overlap");
    }

    TEST_CASE("a fill reaches the memory of its place's device, whatever queue it is on") {
        Twins twins;
        wait_for(twins.queues[0], fill(twins.queues[0], twins.at(1), kCount * 4, 7));
        CHECK(download<uint32_t>(twins.memories[1], kCount) == std::vector<uint32_t>(kCount, 7));
        twins.check(0, 1000);
    }

    TEST_CASE("launches work on the memory of their own device") {
        Twins twins;
        for (int i = 0; i < 2; ++i) {
            twins.session.device = twins.devices[i];
            REQUIRE_OK(qiao_device_query_properties(twins.devices[i], &twins.session.properties));
            const Program program = twins.session.program();
            const Memory out = twins.session.allocate(kCount * 4);
            const uint64_t address = address_of(twins.memories[i]);
            wait_for(twins.queues[i], launch(twins.queues[i], kernel_of(program, "add"), items(kCount), blocks::Add{address, address, address_of(out)}));
            const std::vector<uint32_t> sum = download<uint32_t>(out, kCount);
            CHECK(sum[0] == 2000u * static_cast<uint32_t>(i + 1));
            CHECK(sum[kCount - 1] == 2 * (1000u * static_cast<uint32_t>(i + 1) + kCount - 1));
        }
    }

    TEST_CASE("a place that is no allocation's of its device is refused with the device's name, also if the address is another's") {
        Twins twins;
        twins.session.device = twins.devices[1];
        const Memory further = twins.session.allocate(64);
        const qiao_place foreign = {twins.devices[0], address_of(further)};
        const qiao_copy wanted = copy_of(foreign, twins.at(1), 16);
        uint64_t value = 4711;
        CHECK_FAILS(qiao_queue_copy(twins.queues[0].get(), &wanted, &value), QIAO_ERROR_OUT_OF_RANGE, "in no allocation of mock:0");
        CHECK(value == 0);
        twins.check(1, 2000);
    }
}

// Without queues of its own a device sees addresses after the launch was accepted.
TEST_SUITE("coinciding.launch") {
    TEST_CASE("an argument that is another device's address is refused before the launch") {
        Twins twins;
        twins.session.device = twins.devices[1];
        const Memory further = twins.session.allocate(64);
        twins.session.device = twins.devices[0];
        REQUIRE_OK(qiao_device_query_properties(twins.devices[0], &twins.session.properties));
        const Program program = twins.session.program();
        const blocks::Add block{address_of(twins.memories[0]), address_of(further), address_of(twins.memories[0])};
        const qiao_launch shape = items(kCount);
        uint64_t value = 4711;
        CHECK_FAILS(qiao_queue_launch(twins.queues[0].get(), kernel_of(program, "add"), &shape, &block, sizeof block, &value), QIAO_ERROR_OUT_OF_RANGE,
                    "in no allocation of Mock card with coinciding addresses");
        twins.check(0, 1000);
        twins.check(1, 2000);
    }
}
