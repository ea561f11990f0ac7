// The kernels: what support/kernels.cl says in OpenCL C, as C++ functions, and three that only fixtures have: `hold` runs
// until somebody writes to a word or lets it go, `fail` fails its queue, `lose` loses the device.
#include <chrono>
#include <cstring>

#include "api/support/blocks.h"
#include "queued.h"

namespace queued {
namespace {

template <class Block>
Block block_of(const Launch& launch) {
    Block block;
    std::memcpy(&block, launch.block.data(), sizeof block);
    return block;
}

template <class T>
T* at(uint64_t address) {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

struct Item {
    uint32_t global[3], local[3];
    uint32_t local_index;  // in the group, first axis fastest
};

// Calls `body` for every work-item of one group.
template <class Body>
void for_items(const qiao_plugin_geometry& geometry, const uint32_t (&group)[3], Body&& body) {
    const uint32_t(&size)[3] = geometry.group_size;
    Item item{};
    for (item.local[2] = 0; item.local[2] < size[2]; ++item.local[2]) {
        for (item.local[1] = 0; item.local[1] < size[1]; ++item.local[1]) {
            for (item.local[0] = 0; item.local[0] < size[0]; ++item.local[0]) {
                for (int axis = 0; axis < 3; ++axis) {
                    item.global[axis] = geometry.global_offset[axis] + group[axis] * size[axis] + item.local[axis];
                }
                item.local_index = item.local[0] + size[0] * (item.local[1] + size[1] * item.local[2]);
                body(item);
            }
        }
    }
}

template <class Body>
void for_groups(const qiao_plugin_geometry& geometry, Body&& body) {
    const uint32_t(&count)[3] = geometry.group_count;
    for (uint32_t z = 0; z < count[2]; ++z) {
        for (uint32_t y = 0; y < count[1]; ++y) {
            for (uint32_t x = 0; x < count[0]; ++x) body({x, y, z});
        }
    }
}

template <class Body>
Ended for_all(const Launch& launch, Body&& body) {
    for_groups(launch.geometry, [&](const uint32_t (&group)[3]) { for_items(launch.geometry, group, body); });
    return {};
}

Ended run_add(const Launch& launch) {
    const auto block = block_of<blocks::Add>(launch);
    return for_all(launch, [&](const Item& item) {
        const uint32_t i = item.global[0];
        at<uint32_t>(block.out)[i] = at<uint32_t>(block.a)[i] + at<uint32_t>(block.b)[i];
    });
}

Ended run_fill(const Launch& launch) {
    const auto block = block_of<blocks::Fill>(launch);
    return for_all(launch, [&](const Item& item) { at<uint32_t>(block.out)[item.global[0]] = block.value; });
}

Ended run_count(const Launch& launch) {
    const auto block = block_of<blocks::Count>(launch);
    return for_all(launch, [&](const Item&) { __atomic_fetch_add(at<uint32_t>(block.counter), 1u, __ATOMIC_RELAXED); });
}

Ended run_nothing(const Launch&) {
    return {};
}

Ended run_iterate(const Launch& launch) {
    const auto block = block_of<blocks::Iterate>(launch);
    uint32_t x = *at<uint32_t>(block.cell);
    for (uint32_t round = 0; round < block.rounds; ++round) x = x * 1664525u + 1013904223u;
    *at<uint32_t>(block.cell) = x;
    return {};
}

Ended run_take_params(const Launch& launch) {
    const auto block = block_of<blocks::TakeParams>(launch);
    auto* out = at<int32_t>(block.out);
    const blocks::Params& p = block.params;
    const int32_t values[] = {p.tag, p.a, static_cast<int32_t>(p.b), static_cast<int32_t>(p.b >> 32), static_cast<int32_t>(p.c),
                              p.d[0], p.d[1], p.d[2]};
    std::memcpy(out, values, sizeof values);
    return {};
}

Ended run_reverse(const Launch& launch) {
    const auto block = block_of<blocks::Reverse>(launch);
    const uint32_t last = launch.geometry.group_size[0] - 1;
    std::vector<uint32_t> tile(block.tile_bytes / sizeof(uint32_t));
    for_groups(launch.geometry, [&](const uint32_t (&group)[3]) {
        for_items(launch.geometry, group, [&](const Item& item) { tile.at(item.local[0]) = at<uint32_t>(block.in)[item.global[0]]; });
        for_items(launch.geometry, group, [&](const Item& item) { at<uint32_t>(block.out)[item.global[0]] = tile.at(last - item.local[0]); });
    });
    return {};
}

Ended run_two_locals(const Launch& launch) {
    const auto block = block_of<blocks::TwoLocals>(launch);
    const uint32_t last = launch.geometry.group_size[0] - 1;
    std::vector<uint32_t> first(block.first_bytes / 4), second(block.second_bytes / 4);
    for_groups(launch.geometry, [&](const uint32_t (&group)[3]) {
        for_items(launch.geometry, group, [&](const Item& item) {
            first.at(item.local[0]) = item.global[0];
            second.at(item.local[0]) = 1000 * item.global[0];
        });
        for_items(launch.geometry, group, [&](const Item& item) {
            at<uint32_t>(block.out)[item.global[0]] = first.at(last - item.local[0]) + second.at(last - item.local[0]);
        });
    });
    return {};
}

Ended run_grid(const Launch& launch) {
    const auto block = block_of<blocks::Grid>(launch);
    const qiao_plugin_geometry& g = launch.geometry;
    const uint32_t width = g.group_count[0] * g.group_size[0], height = g.group_count[1] * g.group_size[1];
    return for_all(launch, [&](const Item& item) {
        uint32_t* out = at<uint32_t>(block.out) + 4 * (item.global[0] + width * (item.global[1] + height * item.global[2]));
        std::memcpy(out, item.global, sizeof item.global);
        out[3] = item.local_index;
    });
}

Ended run_required(const Launch& launch) {
    const auto block = block_of<blocks::Required>(launch);
    const qiao_plugin_geometry& g = launch.geometry;
    const uint32_t width = g.group_count[0] * g.group_size[0];
    return for_all(launch, [&](const Item& item) {
        at<uint32_t>(block.out)[item.global[0] + width * item.global[1]] = 100 * g.group_size[0] + g.group_size[1];
    });
}

Ended run_offsets(const Launch& launch) {
    const auto block = block_of<blocks::Offsets>(launch);
    return for_all(launch, [&](const Item& item) {
        at<uint32_t>(block.out)[item.global[0] - launch.geometry.global_offset[0]] = item.global[0];
    });
}

Ended run_hold(const Launch& launch) {
    const auto block = block_of<blocks::Hold>(launch);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (__atomic_load_n(at<uint32_t>(block.word), __ATOMIC_ACQUIRE) == 0 && !launch.device->let_go) {
        if (launch.given_up()) return {QIAO_ERROR_DEVICE_LOST, "the device is lost"};
        if (std::chrono::steady_clock::now() > until) return {QIAO_ERROR_PLUGIN, "nobody released the kernel 'hold' for 30 s"};
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return {};
}

Ended run_fail(const Launch&) {
    return {QIAO_ERROR_PLUGIN, "the kernel 'fail' fails always"};
}

Ended run_lose(const Launch& launch) {
    {
        const std::lock_guard guard(launch.device->mutex);
        launch.device->lost_reason = "the kernel 'lose' lost it";
    }
    launch.device->lost = true;
    launch.device->plugin->host.device_lost(launch.device->token, "the kernel 'lose' lost it");
    return {QIAO_ERROR_DEVICE_LOST, "the kernel 'lose' lost it"};
}

constexpr KernelCode kCode[] = {
    {"add", sizeof(blocks::Add), run_add},
    {"fill", sizeof(blocks::Fill), run_fill},
    {"count", sizeof(blocks::Count), run_count},
    {"nothing", 0, run_nothing},
    {"iterate", sizeof(blocks::Iterate), run_iterate},
    {"take_params", sizeof(blocks::TakeParams), run_take_params},
    {"reverse", sizeof(blocks::Reverse), run_reverse},
    {"two_locals", sizeof(blocks::TwoLocals), run_two_locals},
    {"grid", sizeof(blocks::Grid), run_grid},
    {"required", sizeof(blocks::Required), run_required},
    {"offsets", sizeof(blocks::Offsets), run_offsets},
    {"hold", sizeof(blocks::Hold), run_hold},
    {"fail", 0, run_fail},
    {"lose", 0, run_lose},
};

}  // namespace

const KernelCode* find_code(const char* name) {
    for (const KernelCode& code : kCode) {
        if (std::strcmp(code.name, name) == 0) return &code;
    }
    return nullptr;
}

}  // namespace queued
