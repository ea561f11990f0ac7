// Made addresses: what is found, what is not and why, when an index comes back, and look-ups beside changes.
#include "object/address_table.h"

#include <set>

#include "../threads.h"

namespace {

struct Named {
    int number;
};
using Table = qiao::AddressTable<Named>;

constexpr uint64_t kCanonicalBits = 47;  // the least any x86-64 host uses

int plugin_object;
void* const kPlugin = &plugin_object;

Table::Verdict judge(const Table& table, uint64_t address) {
    uint64_t size_bytes = 0;
    return table.judge(address, size_bytes);
}

}  // namespace

TEST_SUITE_BEGIN("address_table");

TEST_CASE("an empty table finds nothing") {
    const Table table(0);
    for (const uint64_t address : {UINT64_C(0), UINT64_C(1), UINT64_C(1) << 60, UINT64_MAX}) {
        CHECK(table.find(address).allocation == nullptr);
        CHECK(table.find(address).plugin_allocation == nullptr);
        CHECK(judge(table, address) == Table::Verdict::kForeign);
    }
}

TEST_CASE("every byte is found with its offset, the end too, and what is behind it is not") {
    Table table(0);
    Named only{1};
    const uint64_t address = table.insert(17, &only, kPlugin);
    for (uint64_t offset = 0; offset <= 17; ++offset) {
        const auto found = table.find(address + offset);
        CHECK(found.allocation == &only);
        CHECK(found.plugin_allocation == kPlugin);
        CHECK(found.offset == offset);
        CHECK(found.size_bytes == 17);
    }
    CHECK(table.find(address + 18).allocation == nullptr);
    CHECK(judge(table, address + 18) == Table::Verdict::kBeyond);
    CHECK(table.find(address - 1).allocation == nullptr);
}

TEST_CASE("the largest allocation's end is still its own") {
    Table table(0);
    Named large{1}, next{2};
    const uint64_t first = table.insert(Table::kMaxBytes, &large, kPlugin), second = table.insert(1, &next, kPlugin);
    CHECK(table.find(first + Table::kMaxBytes).allocation == &large);
    CHECK(table.find(second).allocation == &next);
    CHECK(second > first + Table::kMaxBytes);
}

TEST_CASE("no address is one that a host could use") {
    std::set<uint64_t> tags;
    for (uint32_t number = 0; number < 28; ++number) {
        Table table(number);
        Named only{1};
        const uint64_t address = table.insert(Table::kMaxBytes, &only, kPlugin);
        for (const uint64_t each : {address, address + Table::kMaxBytes}) {
            const int64_t upper = static_cast<int64_t>(each) >> kCanonicalBits;
            CHECK(upper != 0);
            CHECK(upper != -1);
            // Nor with five levels of page tables.
            CHECK((static_cast<int64_t>(each) >> 56) != 0);
            CHECK((static_cast<int64_t>(each) >> 56) != -1);
        }
        tags.insert(address >> 60);
    }
    CHECK(tags.size() == 14);
}

TEST_CASE("another table's address is foreign") {
    Table table(3), other(4);
    Named mine{1}, theirs{2};
    table.insert(64, &mine, kPlugin);
    const uint64_t address = other.insert(64, &theirs, kPlugin);
    CHECK(table.find(address).allocation == nullptr);
    CHECK(judge(table, address) == Table::Verdict::kForeign);
}

TEST_CASE("a freed address is known as freed, with the size it had") {
    Table table(0);
    Named only{1};
    const uint64_t address = table.insert(1000, &only, kPlugin);
    table.erase(address);
    CHECK(table.find(address).allocation == nullptr);
    CHECK(table.find(address + 1000).allocation == nullptr);
    uint64_t size_bytes = 0;
    CHECK(table.judge(address + 5, size_bytes) == Table::Verdict::kFreed);
    CHECK(size_bytes == 1000);
}

TEST_CASE("after a loss old addresses are known but have nothing of the plugin's, new ones have") {
    Table table(0);
    Named old{1}, fresh{2};
    const uint64_t old_address = table.insert(1000, &old, kPlugin);
    table.lose_all();
    const uint64_t fresh_address = table.insert(1000, &fresh, kPlugin);
    CHECK(table.find(old_address + 7).allocation == &old);
    CHECK(table.find(old_address + 7).plugin_allocation == nullptr);
    CHECK(judge(table, old_address) == Table::Verdict::kAlive);
    CHECK(table.find(fresh_address).plugin_allocation == kPlugin);
    table.erase(old_address);
    CHECK(judge(table, old_address) == Table::Verdict::kFreed);
}

TEST_CASE("an index is used again last, after more than kIdle others") {
    Table table(0);
    Named only{1};
    const uint64_t stale = table.insert(8, &only, kPlugin);
    table.erase(stale);
    size_t others = 0;
    for (; others <= 2 * Table::kIdle; ++others) {
        const uint64_t address = table.insert(8, &only, kPlugin);
        if (address == stale) break;
        table.erase(address);
    }
    CHECK(others >= Table::kIdle);
    CHECK(others <= Table::kIdle + 1);  // and it is: the table does not grow for ever
}

TEST_CASE("a full table says so, and has room again after a free") {
    Table table(0);
    Named only{1};
    uint64_t last = 0;
    for (uint32_t i = 0; i < Table::kMaxAllocations; ++i) last = table.insert(8, &only, kPlugin);
    CHECK(last != 0);
    CHECK(table.insert(8, &only, kPlugin) == 0);
    table.erase(last);
    CHECK(table.insert(8, &only, kPlugin) == last);
}

TEST_CASE("look-ups beside changes see an allocation whole or not at all") {
    Table table(0);
    Named named[4] = {{0}, {1}, {2}, {3}};
    const uint64_t stays = table.insert(100, &named[0], kPlugin);
    std::atomic<bool> wrong{false};
    test::on_threads(4, [&](int index) {
        if (index != 0) {
            for (int i = 0; i < 20000; ++i) {
                const uint64_t address = table.insert(64 + index, &named[index], &named[index]);
                const auto found = table.find(address + 64);
                if (found.allocation != &named[index] || found.plugin_allocation != &named[index] || found.offset != 64) wrong = true;
                table.erase(address);
                if (table.find(address).allocation != nullptr) wrong = true;
            }
            return;
        }
        for (int i = 0; i < 200000; ++i) {
            if (table.find(stays + 50).allocation != &named[0]) wrong = true;
            const auto found = table.find(stays + (uint64_t(1 + i % 5000) << Table::kOffsetBits) + 10);
            if (found.allocation != nullptr && (found.offset != 10 || found.size_bytes < 64)) wrong = true;
        }
    });
    CHECK(!wrong);
}
