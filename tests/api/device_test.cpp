// Devices: what they say of themselves, their state, clock and memory, and what is native about them.
#include <cstring>
#include <map>
#include <set>

#include "support/session.h"

using namespace api;

namespace {

std::map<std::string, qiao_provenance> slots_of(qiao_device* device) {
    std::map<std::string, qiao_provenance> slots;
    for (uint32_t index = 0;; ++index) {
        const char* name = nullptr;
        qiao_provenance provenance = 99;
        const qiao_status status = qiao_device_query_slot(device, index, &name, &provenance);
        if (status == QIAO_ERROR_NOT_FOUND) return slots;
        REQUIRE_OK(status);
        CHECK(slots.emplace(name, provenance).second);
    }
}

}  // namespace

TEST_SUITE("device.properties") {
    TEST_CASE("are complete and agree with each other") {
        const Session session;
        const qiao_device_properties& p = session.properties;
        CHECK(std::string(p.id) == selector());
        CHECK(std::string(p.id).rfind(std::string(p.plugin) + ":", 0) == 0);
        for (const char* text : {p.name, p.vendor, p.driver, p.target, p.formats, p.note}) REQUIRE(text != nullptr);
        CHECK(*p.name != '\0');
        CHECK(*p.formats != '\0');
        if ((p.flags & QIAO_DEVICE_SIMULATED) != 0) CHECK(*p.note != '\0');
        CHECK((p.flags & ~(QIAO_DEVICE_SIMULATED | QIAO_DEVICE_UNIFIED | QIAO_DEVICE_ADDRESSES_EMULATED | QIAO_DEVICE_SHARED_EMULATED)) == 0);
        CHECK(p.memory_bytes > 0);
        CHECK(p.max_allocation_bytes > 0);
        CHECK(p.max_allocation_bytes <= p.memory_bytes);
        CHECK(p.compute_units > 0);
        CHECK(p.max_group_size > 0);
        for (uint32_t axis = 0; axis < 3; ++axis) {
            CHECK(p.max_group[axis] > 0);
            CHECK(p.max_group[axis] <= p.max_group_size);
            CHECK(p.max_group_count[axis] > 0);
        }
        CHECK(p.local_memory_bytes > 0);
        CHECK(p.max_argument_bytes <= QIAO_MAX_ARGUMENT_BYTES);
        CHECK(session.has_kind(QIAO_MEMORY_KIND_DEVICE));
        CHECK((p.memory_kinds & ~0xeu) == 0);
        CHECK(p.address_bits == 64);
    }

    TEST_CASE("each limit is the same number as in the properties") {
        const Session session;
        const qiao_device_properties& p = session.properties;
        const uint64_t expected[] = {p.memory_bytes, p.max_allocation_bytes, p.max_group_size, p.local_memory_bytes, p.compute_units,
                                     p.subgroup_width, p.preferred_group_multiple, p.max_argument_bytes, p.features};
        for (qiao_device_limit limit = 0; limit <= QIAO_DEVICE_LIMIT_FEATURES; ++limit) {
            uint64_t value = 0x5a5a5a5a;
            REQUIRE_OK(qiao_device_get_limit(session.device, limit, &value));
            CHECK(value == expected[limit]);
        }
    }

    TEST_CASE("a limit that does not exist is refused") {
        const Session session;
        uint64_t value = 7;
        CHECK_FAILS(qiao_device_get_limit(session.device, QIAO_DEVICE_LIMIT_FEATURES + 1, &value), QIAO_ERROR_INVALID_ARGUMENT, "9", "8");
        CHECK(value == 0);
    }

    TEST_CASE("an older caller's shorter struct gets what fits") {
        const Session session;
        qiao_device_properties properties;
        std::memset(static_cast<void*>(&properties), 0x5a, sizeof properties);
        properties.struct_size = offsetof(qiao_device_properties, features);
        properties.next = nullptr;
        REQUIRE_OK(qiao_device_query_properties(session.device, &properties));
        CHECK(std::string(properties.id) == selector());
        CHECK(properties.features == UINT64_C(0x5a5a5a5a5a5a5a5a));
        CHECK(properties.struct_size == offsetof(qiao_device_properties, features));
    }
}

TEST_SUITE("device.state") {
    TEST_CASE("a device is well, before and after it is opened") {
        Session session;
        for (int opened = 0; opened < 2; ++opened) {
            qiao_device_state state = 99;
            const char* reason = nullptr;
            REQUIRE_OK(qiao_device_query_state(session.device, &state, &reason));
            CHECK(state == QIAO_DEVICE_STATE_OK);
            CHECK(std::string(reason).empty());
            REQUIRE_OK(qiao_device_query_state(session.device, &state, nullptr));
            session.allocate(16);
        }
    }

    TEST_CASE("memory in use is counted, and comes back") {
        Session session;
        constexpr uint64_t kBytes = 1u << 20;
        uint64_t before = 0, during = 0, after = 0, total = 0;
        REQUIRE_OK(qiao_device_query_memory(session.device, &before, &total));
        CHECK(total > 0);
        CHECK(before <= total);
        {
            const Memory memory = session.allocate(kBytes);
            REQUIRE_OK(qiao_device_query_memory(session.device, &during, &total));
            CHECK(during + kBytes <= before);
        }
        REQUIRE_OK(qiao_device_query_memory(session.device, &after, &total));
        CHECK(after == before);
    }

    TEST_CASE("the clock rises, or is absent and says so") {
        const Session session;
        uint64_t device_ns[2] = {7, 7}, host_ns[2] = {7, 7};
        if (slots_of(session.device).at("device_clock") == QIAO_PROVENANCE_ABSENT) {
            CHECK_FAILS(qiao_device_query_clock(session.device, device_ns, host_ns), QIAO_ERROR_UNSUPPORTED, session.properties.id);
            CHECK(device_ns[0] == 0);
            CHECK(host_ns[0] == 0);
            return;
        }
        for (int i = 0; i < 2; ++i) REQUIRE_OK(qiao_device_query_clock(session.device, &device_ns[i], &host_ns[i]));
        CHECK(device_ns[0] <= device_ns[1]);
        CHECK(host_ns[0] <= host_ns[1]);
        CHECK(host_ns[0] > 0);
    }
}

TEST_SUITE("device.synchronize") {
    TEST_CASE("an idle device is synchronous at once, opened or not") {
        Session session;
        CHECK_OK(qiao_device_synchronize(session.device, 0));
        session.allocate(16);
        CHECK_OK(qiao_device_synchronize(session.device, QIAO_TIMEOUT_INFINITE));
    }

    TEST_CASE("it waits for the work of every queue, no longer than it may") {
        Session session;
        const Timeline gate = session.timeline();
        const Queue first = session.queue(), second = session.queue();
        REQUIRE_OK(qiao_queue_after(first.get(), gate.get(), 1, nullptr));
        REQUIRE_OK(qiao_queue_after(second.get(), gate.get(), 2, nullptr));
        CHECK(qiao_device_synchronize(session.device, 0) == QIAO_TIMEOUT);
        CHECK(qiao_device_synchronize(session.device, 2'000'000) == QIAO_TIMEOUT);
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        CHECK(qiao_device_synchronize(session.device, 2'000'000) == QIAO_TIMEOUT);
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 2));
        CHECK_OK(qiao_device_synchronize(session.device, kPatience));
    }
}

TEST_SUITE("device.slots") {
    TEST_CASE("every slot has a name and a provenance, required ones are native, queues are whole or not at all") {
        const Session session;
        const auto slots = slots_of(session.device);
        CHECK(slots.size() >= 31);
        for (const auto& [name, provenance] : slots) {
            INFO(name);
            CHECK(!name.empty());
            CHECK(provenance <= QIAO_PROVENANCE_EMULATED);
        }
        for (const char* required : {"device_count", "device_query", "device_open", "device_close", "device_synchronize", "memory_allocate",
                                     "memory_free", "memory_write", "memory_read", "program_load", "program_unload", "kernel_find", "kernel_launch"}) {
            CHECK(slots.at(required) == QIAO_PROVENANCE_NATIVE);
        }
        for (const char* slot : {"queue_destroy", "queue_launch", "queue_copy", "queue_mark", "queue_poll"}) {
            CHECK(slots.at(slot) == slots.at("queue_create"));
        }
        CHECK(slots.at("memory_map") == slots.at("memory_unmap"));
    }

    TEST_CASE("reset is unsupported where it is absent, and changes nothing") {
        Session session;
        if (slots_of(session.device).at("device_reset") != QIAO_PROVENANCE_ABSENT) return;  // device.reset has the other half
        const Memory memory = session.upload(numbers(10));
        CHECK_FAILS(qiao_device_reset(session.device), QIAO_ERROR_UNSUPPORTED, session.properties.id);
        CHECK(download<uint32_t>(memory, 10) == numbers(10));
        check_works(session);
    }
}
