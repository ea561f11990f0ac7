// Memory types and queue families of the shapes that cards have, and what is chosen of them; how large launches are folded. Modelled: none
// of these lists was read from a card.
#include <doctest/doctest.h>

#include <string>

#include "vulkan/families.h"
#include "vulkan/fold.h"
#include "vulkan/memory_types.h"

using namespace qiao::vulkan;

namespace {

constexpr VkMemoryPropertyFlags D = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, V = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
                                C = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, H = VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                                L = VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT, P = VK_MEMORY_PROPERTY_PROTECTED_BIT,
                                A = VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD, U = VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;
constexpr VkDeviceSize MiB = VkDeviceSize{1} << 20;

struct Heap {
    VkDeviceSize size;
    bool device;
};
struct Type {
    VkMemoryPropertyFlags flags;
    uint32_t heap;
};

struct Card {
    const char* name;
    std::vector<Heap> heaps;
    std::vector<Type> types;
    uint32_t device, host; // expected
    bool reaches;
};

VkPhysicalDeviceMemoryProperties memory_of(const Card& card) {
    VkPhysicalDeviceMemoryProperties memory = {};
    for (const Heap& heap : card.heaps) {
        const VkMemoryHeapFlags flags = heap.device ? VkMemoryHeapFlags{VK_MEMORY_HEAP_DEVICE_LOCAL_BIT} : VkMemoryHeapFlags{0};
        memory.memoryHeaps[memory.memoryHeapCount++] = {heap.size, flags};
    }
    for (const Type& type : card.types)
        memory.memoryTypes[memory.memoryTypeCount++] = {type.flags, type.heap};
    return memory;
}

const std::vector<Card> kCards = {
    {"NVIDIA, a window of 256 MiB",
     {{8192 * MiB, true}, {24000 * MiB, false}, {246 * MiB, true}},
     {{0, 1}, {D, 0}, {V | C, 1}, {V | C | H, 1}, {D | V | C, 2}},
     1, 3, false},
    {"NVIDIA, all memory in the window",
     {{24576 * MiB, true}, {48000 * MiB, false}},
     {{0, 1}, {D, 0}, {V | C, 1}, {V | C | H, 1}, {D | V | C, 0}},
     1, 3, false},
    {"AMD, a window of 256 MiB",
     {{7936 * MiB, true}, {16000 * MiB, false}, {256 * MiB, true}},
     {{D, 0}, {V | C, 1}, {D | V | C, 2}, {V | C | H, 1}, {D | A | U, 0}, {V | C | A | U, 1}, {D | V | C | A | U, 2}, {V | C | H | A | U, 1}},
     0, 3, false},
    {"AMD, all memory in the window",
     {{16368 * MiB, true}, {32000 * MiB, false}},
     {{D, 0}, {D | V | C, 0}, {V | C, 1}, {V | C | H, 1}, {D | A | U, 0}, {D | V | C | A | U, 0}},
     0, 3, false},
    {"AMD, integrated, with little memory of its own", // Mesa's radv makes two heaps of one memory
     {{10600 * MiB, true}, {5300 * MiB, false}},
     {{D, 0}, {D, 0}, {V | C, 1}, {D | V | C, 0}, {D | V | C, 0}, {V | C | H, 1}, {V | C | H, 1}},
     0, 5, false},
    {"Intel, integrated, Mesa", {{25000 * MiB, true}}, {{D, 0}, {D | V | C, 0}, {D | V | C | H, 0}}, 2, 2, true},
    {"Intel, integrated, with protected memory", {{25000 * MiB, true}}, {{D | V | C | H, 0}, {D | V | C, 0}, {D | P, 0}}, 0, 0, true},
    {"Arm, with lazily allocated memory", {{8000 * MiB, true}}, {{D | V | C, 0}, {D | V | H, 0}, {D | L, 0}}, 0, 0, false},
    {"Moore Threads, a card", {{16000 * MiB, true}, {32000 * MiB, false}}, {{D, 0}, {V | C, 1}, {V | C | H, 1}, {D | V | C, 0}}, 0, 2, false},
    {"lavapipe", {{16000 * MiB, true}}, {{D | V | C | H, 0}}, 0, 0, true},
    {"no memory of its own at all", {{4000 * MiB, false}}, {{V | C, 0}, {V | C | H, 0}}, 0, 1, false},
    {"no memory that the host sees", {{4000 * MiB, true}}, {{D, 0}}, 0, UINT32_MAX, false},
};

VkQueueFamilyProperties family(VkQueueFlags flags, uint32_t count, uint32_t bits = 64) {
    return {flags, count, bits, {1, 1, 1}};
}

constexpr VkQueueFlags G = VK_QUEUE_GRAPHICS_BIT, K = VK_QUEUE_COMPUTE_BIT, T = VK_QUEUE_TRANSFER_BIT, S = VK_QUEUE_SPARSE_BINDING_BIT,
                       Decode = 0x20, Encode = 0x40;

} // namespace

TEST_SUITE("vulkan.choices") {
    TEST_CASE("memory types of real cards") {
        for (const Card& card : kCards) {
            CAPTURE(std::string(card.name));
            const MemoryTypes types = choose_memory_types(memory_of(card));
            CHECK(types.device == card.device);
            CHECK(types.host == card.host);
            CHECK(types.staging == card.host);
            CHECK(types.host_reaches_device == card.reaches);
        }
    }

    TEST_CASE("queue families of real cards") {
        const auto nvidia = choose_families({family(G | K | T | S, 16), family(T | S, 2), family(K | T | S, 8), family(T | Decode, 1, 32), family(T | Encode, 1, 32)});
        CHECK(nvidia.compute.index == 2);
        CHECK(nvidia.compute.queues == 8);
        CHECK(nvidia.transfer.index == 1);
        const auto amd = choose_families({family(G | K | T, 1), family(K | T, 4), family(T | S, 1, 0), family(Decode, 1, 0)});
        CHECK(amd.compute.index == 1);
        CHECK(amd.compute.timestamp_bits == 64);
        CHECK(amd.transfer.index == 2);
        const auto intel = choose_families({family(G | K | T, 1, 36)});
        CHECK(intel.compute.index == 0);
        CHECK(intel.compute.timestamp_bits == 36);
        CHECK(intel.transfer.queues == 0);
        const auto video = choose_families({family(G | K | T, 1), family(T | Decode, 1)}); // decodes, so is no copy engine
        CHECK(video.transfer.queues == 0);
        const auto display = choose_families({family(G | T, 4)});
        CHECK(display.compute.queues == 0);
        CHECK(choose_families({}).compute.queues == 0);
    }
}

TEST_SUITE("vulkan.fold_of") {
    TEST_CASE("launches are folded where an axis is too long, by numbers as narrow as their groups allow") {
        constexpr uint32_t kLimits[3] = {65'535, 65'535, 65'535};
        const auto of = [&](uint32_t x, uint32_t y, uint32_t z) {
            const uint32_t groups[3] = {x, y, z};
            return fold_of(groups, kLimits);
        };
        CHECK(of(65'535, 65'535, 65'535) == kAsItIs); // however many there are
        CHECK(of(65'536, 1, 1) == kFoldedLine);
        CHECK(of(1u << 31, 1, 1) == kFoldedLine);
        CHECK(of((1u << 31) + 1, 1, 1) == kFoldedWide);
        CHECK(of(1, 65'536, 1) == kFoldedBlock);
        CHECK(of(1, 65'536, 1u << 15) == kFoldedBlock);
        CHECK(of(1, 65'537, 1u << 15) == kFoldedWide);
        CHECK(of(UINT32_MAX, UINT32_MAX, UINT32_MAX) == kFoldedWide); // more than 64 bits count
    }

    TEST_CASE("a grid has a place for each group, and numbers that fit") {
        constexpr uint32_t kLimits[3] = {65'535, 65'535, 65'535};
        for (const uint32_t count : {65'536u, 131'101u, 1u << 20, (1u << 31) - 1, 1u << 31}) {
            CAPTURE(count);
            const uint32_t groups[3] = {count, 1, 1};
            Grid grid;
            REQUIRE(fold(groups, kLimits, &grid));
            const uint64_t places = uint64_t{grid.groups[0]} * grid.groups[1] * grid.groups[2];
            CHECK(places >= count);
            CHECK(places <= UINT32_MAX);
        }
    }
}
