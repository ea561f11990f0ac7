// Ranges as plugins make them: unaligned, touching, at the ends of the address space.
#include "object/address_map.h"

#include "../threads.h"

using qiao::AddressMap;

namespace {

struct Named {
    int number;
};

}  // namespace

TEST_SUITE_BEGIN("address_map");

TEST_CASE("an empty map finds nothing") {
    const AddressMap<Named> map;
    CHECK(map.find(0).allocation == nullptr);
    CHECK(map.find(UINT64_MAX).allocation == nullptr);
}

TEST_CASE("every byte of a range is found with its offset, and its neighbours are not") {
    AddressMap<Named> map;
    Named only{1};
    map.insert(1003, 17, &only);
    CHECK(map.find(1002).allocation == nullptr);
    for (uint64_t offset = 0; offset < 17; ++offset) {
        const auto found = map.find(1003 + offset);
        CHECK(found.allocation == &only);
        CHECK(found.offset == offset);
        CHECK(found.size_bytes == 17);
    }
    CHECK(map.find(1020).allocation == nullptr);
}

TEST_CASE("ranges that touch are told apart at the byte") {
    AddressMap<Named> map;
    Named low{1}, high{2};
    map.insert(4096, 100, &low);
    map.insert(4196, 100, &high);
    CHECK(map.find(4195).allocation == &low);
    CHECK(map.find(4196).allocation == &high);
    CHECK(map.find(4196).offset == 0);
}

TEST_CASE("an erased range is gone, and its neighbour does not grow into the gap") {
    AddressMap<Named> map;
    Named low{1}, high{2};
    map.insert(4096, 100, &low);
    map.insert(4196, 100, &high);
    map.erase(4196, &high);
    CHECK(map.find(4196).allocation == nullptr);
    CHECK(map.find(4195).allocation == &low);
}

TEST_CASE("a range takes the place of what it overlaps, which is erased later and takes nothing with it") {
    AddressMap<Named> map;
    Named low{1}, same{2}, inside{3}, beyond{4}, fresh{5};
    map.insert(4000, 200, &low);
    map.insert(4200, 50, &inside);
    map.insert(4400, 100, &beyond);
    map.insert(4100, 300, &fresh);
    for (const uint64_t address : {4100, 4199, 4200, 4249, 4399}) CHECK(map.find(address).allocation == &fresh);
    CHECK(map.find(4099).allocation == nullptr);
    CHECK(map.find(4400).allocation == &beyond);
    map.insert(4100, 300, &same);
    map.erase(4000, &low);
    map.erase(4200, &inside);
    map.erase(4100, &fresh);
    CHECK(map.find(4150).allocation == &same);
    map.erase(4100, &same);
    CHECK(map.find(4150).allocation == nullptr);
}

TEST_CASE("a range that ends with the address space") {
    AddressMap<Named> map;
    Named last{1};
    map.insert(UINT64_MAX - 15, 16, &last);
    CHECK(map.find(UINT64_MAX).allocation == &last);
    CHECK(map.find(UINT64_MAX).offset == 15);
    CHECK(map.find(UINT64_MAX - 16).allocation == nullptr);
}

TEST_CASE("is asked while it changes") {
    AddressMap<Named> map;
    Named stays{0}, comes{1};
    map.insert(1u << 20, 64, &stays);
    std::atomic<int> wrong{0};
    test::on_threads(4, [&](int index) {
        for (uint64_t round = 0; round < 2000; ++round) {
            if (index == 0) {
                map.insert((2u << 20) + 64 * (round % 8), 64, &comes);
                map.erase((2u << 20) + 64 * (round % 8), &comes);
            } else {
                const auto found = map.find((1u << 20) + round % 64);
                if (found.allocation != &stays || found.offset != round % 64) ++wrong;
                const auto other = map.find((2u << 20) + round % 512);
                if (other.allocation != nullptr && other.allocation != &comes) ++wrong;
            }
        }
    });
    CHECK(wrong == 0);
}

TEST_SUITE_END();
