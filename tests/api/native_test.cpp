// Native handles on every device: given out with a type, or refused with a typed error. What OpenCL's are good for is
// tested in opencl_native_test.cpp.
#include <map>

#include "support/session.h"

using namespace api;

namespace {

std::map<std::string, qiao_provenance> slots_of(qiao_device* device) {
    std::map<std::string, qiao_provenance> slots;
    const char* name = nullptr;
    qiao_provenance provenance = 0;
    for (uint32_t index = 0; qiao_device_query_slot(device, index, &name, &provenance) == QIAO_OK; ++index) slots[name] = provenance;
    return slots;
}

bool is_empty(const qiao_native& native) {
    return native.type == 0 && native.reserved0 == 0 && native.handles[0] == 0 && native.handles[1] == 0 && native.handles[2] == 0 && native.handles[3] == 0;
}

constexpr qiao_native kGarbage = {7, 7, {7, 7, 7, 7}};

void check_get(const Session& session, bool present, qiao_status status, const qiao_native& native, const char* noun) {
    INFO(noun);
    if (present) {
        CHECK_OK(status);
        CHECK(native.type != 0);
        CHECK(native.reserved0 == 0);
        CHECK(native.handles[0] != 0);
    } else {
        CHECK_FAILS(status, QIAO_ERROR_UNSUPPORTED, session.properties.id, noun);
        CHECK(is_empty(native));
    }
}

}  // namespace

TEST_SUITE("native") {
    TEST_CASE("handles are given out with a type, or unsupported") {
        Session session;
        auto slots = slots_of(session.device);
        const Memory memory = session.allocate(64);
        const Queue queue = session.queue();
        qiao_native native = kGarbage;
        qiao_status status = qiao_device_get_native(session.device, &native);
        check_get(session, slots.at("device_native") == QIAO_PROVENANCE_NATIVE, status, native, "device");
        native = kGarbage;
        status = qiao_memory_get_native(memory.get(), &native);
        check_get(session, slots.at("memory_native") == QIAO_PROVENANCE_NATIVE, status, native, "memory");
        native = kGarbage;
        status = qiao_queue_get_native(queue.get(), &native);
        check_get(session, slots.at("queue_native") == QIAO_PROVENANCE_NATIVE, status, native, "queue");
    }

    TEST_CASE("what cannot be wrapped is refused, and nothing is lost") {
        Session session;
        auto slots = slots_of(session.device);
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = 64;
        qiao_native native = {0x7fff0001u, 0, {64, 0, 0, 0}};  // a private type that nobody has
        qiao_memory* memory = nullptr;
        qiao_queue* queue = nullptr;
        CHECK_FAILS(qiao_memory_wrap(session.device, &native, &desc, &memory), QIAO_ERROR_UNSUPPORTED, "memory");
        CHECK_FAILS(qiao_queue_wrap(session.device, &native, nullptr, &queue), QIAO_ERROR_UNSUPPORTED, "queue");
        if (slots.at("memory_wrap") == QIAO_PROVENANCE_NATIVE) {
            native.reserved0 = 3;
            CHECK_FAILS(qiao_memory_wrap(session.device, &native, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "reserved0");
            native = {};
            CHECK_FAILS(qiao_memory_wrap(session.device, &native, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "neither may be 0");
        }
        if (slots.at("queue_wrap") == QIAO_PROVENANCE_NATIVE) {
            native = {};
            CHECK_FAILS(qiao_queue_wrap(session.device, &native, nullptr, &queue), QIAO_ERROR_INVALID_ARGUMENT, "neither may be 0");
        }
        CHECK_FAILS(qiao_memory_wrap(session.device, nullptr, &desc, &memory), QIAO_ERROR_INVALID_ARGUMENT, "'native' is null");
        CHECK_FAILS(qiao_queue_wrap(session.device, nullptr, nullptr, &queue), QIAO_ERROR_INVALID_ARGUMENT, "'native' is null");
        CHECK(memory == nullptr);
        CHECK(queue == nullptr);
        check_works(session);
    }
}
