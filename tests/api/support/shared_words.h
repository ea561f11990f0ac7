/* Shared memory as the host sees it, in 32-bit words, and what was moved of it. */
#pragma once

#include <cstring>

#include "blocks.h"
#include "session.h"

namespace api {

struct SharedWords {
    SharedWords(Session& session, size_t words, uint64_t flags = 0) : count(words) {
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = count * sizeof(uint32_t);
        desc.kind = QIAO_MEMORY_KIND_SHARED;
        desc.flags = flags;
        qiao_memory* made = nullptr;
        REQUIRE_OK(qiao_memory_allocate(session.device, &desc, &made));
        memory.reset(made);
        qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
        REQUIRE_OK(qiao_memory_query(made, &properties));
        REQUIRE(properties.host_pointer != nullptr);
        CHECK(properties.kind == QIAO_MEMORY_KIND_SHARED);
        data = static_cast<uint32_t*>(properties.host_pointer);
        address = properties.address;
        std::memset(data, 0, count * sizeof(uint32_t));
    }
    uint32_t& operator[](size_t index) const { return data[index]; }
    uint64_t bytes() const { return count * sizeof(uint32_t); }

    Memory memory;
    size_t count;
    uint32_t* data = nullptr;
    uint64_t address = 0;
};

inline qiao_memory_traffic traffic_of(const Memory& memory) {
    qiao_memory_traffic traffic = QIAO_MEMORY_TRAFFIC_INIT;
    REQUIRE_OK(qiao_memory_query_traffic(memory.get(), &traffic));
    return traffic;
}

inline qiao_memory_traffic traffic_of(qiao_device* device) {
    qiao_memory_traffic traffic = QIAO_MEMORY_TRAFFIC_INIT;
    REQUIRE_OK(qiao_device_query_traffic(device, &traffic));
    return traffic;
}

inline uint64_t add(const Queue& queue, const Program& program, uint64_t a, uint64_t b, uint64_t out, size_t count) {
    return launch(queue, kernel_of(program, "add"), items(count), blocks::Add{a, b, out});
}

}  // namespace api
