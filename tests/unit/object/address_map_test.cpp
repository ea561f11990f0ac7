// Ranges as plugins make them: unaligned, touching, at the ends of the address space.
#include "object/address_map.h"

#include <deque>
#include <map>
#include <random>

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

TEST_CASE("small ranges side by side within a page, at every alignment") {
    AddressMap<Named> map;
    std::vector<Named> owners(600);
    std::vector<uint64_t> starts;
    uint64_t address = (UINT64_C(5) << 36) + 4096 - 300;
    for (size_t i = 0; i < owners.size(); address += 1 + i++ % 7) {
        starts.push_back(address);
        map.insert(address, 1 + i % 7, &owners[i]);
    }
    for (size_t i = 0; i < owners.size(); ++i) {
        for (uint64_t offset = 0; offset < 1 + i % 7; ++offset) {
            const auto found = map.find(starts[i] + offset);
            CHECK(found.allocation == &owners[i]);
            CHECK(found.offset == offset);
        }
    }
    for (size_t i = 0; i < owners.size(); i += 2) map.erase(starts[i], &owners[i]);
    for (size_t i = 0; i < owners.size(); ++i) CHECK((map.find(starts[i]).allocation == &owners[i]) == (i % 2 == 1));
}

TEST_CASE("a range of terabytes lies beside small ones, and costs no entry for each of its pages") {
    AddressMap<Named> map;
    Named large{1}, before{2}, behind{3};
    constexpr uint64_t kStart = (UINT64_C(1) << 40) + 12345, kBytes = UINT64_C(6) << 40;
    map.insert(kStart - 10, 10, &before);
    map.insert(kStart + kBytes, 10, &behind);
    map.insert(kStart, kBytes, &large);
    CHECK(map.find(kStart - 1).allocation == &before);
    CHECK(map.find(kStart).allocation == &large);
    CHECK(map.find(kStart + kBytes / 3).offset == kBytes / 3);
    CHECK(map.find(kStart + kBytes - 1).size_bytes == kBytes);
    CHECK(map.find(kStart + kBytes).allocation == &behind);
    map.erase(kStart, &large);
    CHECK(map.find(kStart + kBytes / 3).allocation == nullptr);
    CHECK(map.find(kStart - 1).allocation == &before);
}

TEST_CASE("answers as an ordered map does, whatever is inserted and erased") {
    const uint32_t seed = std::random_device{}();
    INFO("seed ", seed);
    std::mt19937_64 random(seed);
    AddressMap<Named> map;
    std::map<uint64_t, std::pair<uint64_t, Named*>> model;  // start -> last byte, owner
    std::deque<Named> owners;
    // Places close together and far apart, sizes from a byte to beyond a node of any level.
    const auto any_address = [&] {
        static constexpr uint64_t kAround[] = {0, 1u << 20, UINT64_C(1) << 36, UINT64_C(0x7f12) << 32, UINT64_C(1) << 47, UINT64_C(0xffff) << 48};
        return kAround[random() % std::size(kAround)] + random() % (UINT64_C(1) << random() % 40);
    };
    const auto any_size = [&] { return 1 + random() % (UINT64_C(1) << random() % 38); };
    const auto in_model = [&](uint64_t address) {
        auto behind = model.upper_bound(address);
        return behind == model.begin() || (--behind)->second.first < address ? model.end() : behind;
    };
    for (int step = 0; step < 4000; ++step) {
        if (random() % 3 != 0 || model.empty()) {
            const uint64_t first = any_address(), last = first + any_size() - 1;
            bool overlapped = false;
            for (auto at = in_model(first) != model.end() ? in_model(first) : model.lower_bound(first); at != model.end() && at->first <= last;) {
                at = model.erase(at);
                overlapped = true;
            }
            CHECK(map.overlaps(first, last - first + 1, [](const auto*) { return true; }) == overlapped);
            Named* owner = &owners.emplace_back();
            model[first] = {last, owner};
            map.insert(first, last - first + 1, owner);
        } else {
            auto victim = std::next(model.begin(), static_cast<long>(random() % model.size()));
            map.erase(victim->first, victim->second.second);
            model.erase(victim);
        }
        for (int question = 0; question < 8; ++question) {
            uint64_t address = any_address();
            if (question % 2 == 0 && !model.empty()) {  // at the ends of a range, where mistakes are
                const auto& [first, range] = *std::next(model.begin(), static_cast<long>(random() % model.size()));
                address = (random() % 2 == 0 ? first : range.first) + random() % 3 - 1;
            }
            const auto expected = in_model(address);
            const auto found = map.find(address);
            REQUIRE(found.allocation == (expected == model.end() ? nullptr : expected->second.second));
            if (expected == model.end()) continue;
            CHECK(found.offset == address - expected->first);
            CHECK(found.size_bytes == expected->second.first - expected->first + 1);
        }
    }
}

TEST_CASE("what stays is found while ranges around it come, share its page and go") {
    AddressMap<Named> map;
    constexpr uint64_t kPage = UINT64_C(0x7f00) << 32;
    Named stays{0};
    std::vector<Named> come(8);
    map.insert(kPage + 1000, 100, &stays);
    std::atomic<int> wrong{0};
    test::on_threads(4, [&](int index) {
        for (uint64_t round = 0; round < 3000; ++round) {
            if (index == 0) {
                const uint64_t at = round % come.size(), size_bytes = round % 3 == 0 ? UINT64_C(1) << 30 : 50;
                map.insert(kPage + 1100 + 50 * at, size_bytes, &come[at]);
                map.insert(kPage + 900, 1 + round % 100, &come[0]);
                map.erase(kPage + 900, &come[0]);
                map.erase(kPage + 1100 + 50 * at, &come[at]);
            } else {
                const auto found = map.find(kPage + 1000 + round % 100);
                if (found.allocation != &stays || found.offset != round % 100 || found.size_bytes != 100) ++wrong;
                const auto other = map.find(kPage + 1100 + round % 400);
                if (other.allocation != nullptr && (other.offset >= other.size_bytes || other.allocation == &stays)) ++wrong;
            }
        }
    });
    CHECK(wrong == 0);
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
