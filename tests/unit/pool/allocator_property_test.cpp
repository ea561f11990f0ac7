// Random allocations, frees, progress and trims against a plain model: nothing that is in use, or that work of another queue
// may still use, is ever given out; statistics equal the model's; fragmentation stays below what hal/docs/pools.md says.
#include "pool/allocator.h"

#include <iostream>
#include <random>

#include "support.h"

using namespace test;

namespace {

constexpr uint64_t kMiB = 1u << 20;

// The rule as hal/docs/pools.md says it: up to 16 units each multiple of the unit is a size; above, an eighth of each doubling.
uint64_t rounded(uint64_t size, uint64_t unit) {
    const uint64_t units = (size + unit - 1) / unit;
    uint64_t step = 1;
    while (units > 16 * step) step *= 2;
    return (units + step - 1) / step * step * unit;
}

struct Range {
    uint64_t size;  // rounded
    uint64_t requested;
    const Order* order;  // of a freed one: whose work may use it
    uint64_t value;
};

// First byte -> range, of ranges that do not overlap.
using Ranges = std::map<uint64_t, Range>;

template <class Visitor>
void visit_overlapping(Ranges& ranges, uint64_t address, uint64_t size, Visitor&& visit) {
    auto at = ranges.lower_bound(address);
    if (at != ranges.begin() && std::prev(at)->first + std::prev(at)->second.size > address) --at;
    while (at != ranges.end() && at->first < address + size) {
        const auto next = std::next(at);
        visit(at);
        at = next;
    }
}

class Model {
  public:
    explicit Model(uint64_t unit) : unit_(unit) {}

    // `segments` are the source's: an allocation that has one of its own has all of it.
    void allocated(uint64_t address, uint64_t requested, const Order* order, const std::map<uint64_t, uint64_t>& segments) {
        const uint64_t least = rounded(requested, unit_), size = least > kMiB ? segments.at(address) : least;
        REQUIRE(address % unit_ == 0);
        REQUIRE(4 * size <= 5 * std::max(requested, 4 * unit_));
        visit_overlapping(used_, address, size, [&](Ranges::iterator other) {
            FAIL("0x", std::hex, address, "+", size, " overlaps 0x", other->first, "+", other->second.size);
        });
        visit_overlapping(freed_, address, size, [&](Ranges::iterator at) {
            const auto [start, range] = *at;
            if (range.order != order && range.order->reached() < range.value) FAIL("0x", std::hex, address, " is given out while work may use it");
            freed_.erase(at);
            if (start < address) freed_[start] = {address - start, 0, range.order, range.value};
            if (start + range.size > address + size) freed_[address + size] = {start + range.size - address - size, 0, range.order, range.value};
        });
        used_[address] = {size, requested, nullptr, 0};
        addresses_.push_back(address);
        used_bytes += size;
        peak_bytes = std::max(peak_bytes, used_bytes);
        requested_bytes += requested;
        ++count;
    }
    uint64_t pick(uint64_t random) {
        std::swap(addresses_[random % addresses_.size()], addresses_.back());
        const uint64_t address = addresses_.back();
        addresses_.pop_back();
        return address;
    }
    void freed(uint64_t address, const Order* order) {
        Range range = used_.at(address);
        used_.erase(address);
        used_bytes -= range.size;
        requested_bytes -= range.requested;
        if (order != nullptr) freed_[address] = {range.size, 0, order, order->submitted()};
    }
    void given_back(const std::map<uint64_t, uint64_t>& segments) {
        std::erase_if(freed_, [&](const auto& entry) {
            const auto after = segments.upper_bound(entry.first);
            return after == segments.begin() || std::prev(after)->first + std::prev(after)->second <= entry.first;
        });
    }
    // The largest range of a segment that nothing is allocated in.
    uint64_t largest_gap(const std::map<uint64_t, uint64_t>& segments) const {
        uint64_t largest = 0;
        for (const auto& [address, bytes] : segments) {
            uint64_t from = address;
            for (auto at = used_.lower_bound(address); at != used_.end() && at->first < address + bytes; ++at) {
                largest = std::max(largest, at->first - from);
                from = at->first + at->second.size;
            }
            largest = std::max(largest, address + bytes - from);
        }
        return largest;
    }
    uint64_t alive() const { return addresses_.size(); }

    uint64_t used_bytes = 0, peak_bytes = 0, requested_bytes = 0, count = 0;

  private:
    const uint64_t unit_;
    Ranges used_, freed_;
    std::vector<uint64_t> addresses_;
};

// Mostly small, some of every size up to 3 MiB.
uint64_t any_size(std::mt19937_64& random) {
    const uint64_t kind = random() % 20;
    return 1 + (kind < 12 ? random() % 5000 : kind < 17 ? random() % 100'000 : kind < 19 ? random() % kMiB : random() % (3 * kMiB));
}

void run(unsigned seed, size_t orders, uint64_t unit) {
    INFO("seed ", seed);
    std::mt19937_64 random(seed);
    std::vector<std::unique_ptr<Order>> all;
    for (size_t i = 0; i < orders; ++i) all.push_back(std::make_unique<Order>());
    const auto any_order = [&]() -> const Order* {
        const size_t index = random() % (all.size() + 1);
        return index == all.size() ? nullptr : all[index].get();
    };
    Pool pool({.alignment = unit});
    Model model(unit);
    uint64_t reserved_peak = 0;
    const auto& segments = pool.account.segments;
    uint64_t target = 200;
    for (int step = 0; step < 4000; ++step) {
        if (step % 500 == 0) target = 20 + random() % 400;
        if (random() % (2 * target) >= model.alive()) {
            const Order* order = any_order();
            const uint64_t size = any_size(random);
            model.allocated(pool.allocate(size, order), size, order, segments);
        } else {
            const Order* order = any_order();
            const uint64_t address = model.pick(random());
            pool.free(address, order);
            model.freed(address, order);
        }
        if (orders != 0 && random() % 3 == 0) {
            Order& order = *all[random() % all.size()];
            order.submit();
            if (random() % 2 == 0) order.reach(order.reached() + random() % (order.submitted() - order.reached() + 1));
        }
        if (random() % 300 == 0) pool.allocator.trim(random() % (pool.account.bytes + 1));
        model.given_back(segments);
        reserved_peak = std::max(reserved_peak, pool.account.peak_bytes);
        if (random() % 16 != 0) continue;

        const qiao_pool_statistics now = pool.allocator.statistics();
        REQUIRE(now.reserved_bytes == pool.account.bytes);
        REQUIRE(now.reserved_peak_bytes == reserved_peak);
        REQUIRE(now.used_bytes == model.used_bytes);
        REQUIRE(now.used_peak_bytes == model.peak_bytes);
        REQUIRE(now.requested_bytes == model.requested_bytes);
        REQUIRE(now.allocation_count == model.alive());
        REQUIRE(now.allocated_count == model.count);
        REQUIRE(now.reused_count == model.count - pool.account.allocations);
        REQUIRE(now.segment_count == segments.size());
        const uint64_t free_bytes = now.reserved_bytes - now.used_bytes;
        REQUIRE(now.pending_bytes <= free_bytes);
        REQUIRE(now.fragmentation == (free_bytes == 0 ? 0.0 : 1.0 - static_cast<double>(now.largest_free_bytes) / static_cast<double>(free_bytes)));
        if (orders == 0) REQUIRE(now.largest_free_bytes == model.largest_gap(segments));
        REQUIRE(now.largest_free_bytes <= model.largest_gap(segments));
    }
    while (model.alive() != 0) {
        const uint64_t address = model.pick(random());
        pool.free(address);
        model.freed(address, nullptr);
    }
    CHECK(pool.allocator.statistics().used_bytes == 0);
    for (const auto& order : all) order->finish();
    pool.allocator.trim(0);
    CHECK(pool.account.bytes == 0);
}

}  // namespace

TEST_SUITE("pool.property") {
    TEST_CASE("no overlap, no use before its time, and statistics as the model's") {
        const unsigned first = std::random_device{}();
        std::cout << "seeds from " << first << "\n";
        for (unsigned i = 0; i < 30; ++i) run(first + i, i % 4, i % 5 == 4 ? 4096 : 256);
    }

    TEST_CASE("fragmentation is bounded: what is reserved follows the most that was used at one time") {
        const unsigned first = std::random_device{}();
        std::cout << "seeds from " << first << "\n";
        double worst[2] = {0, 0};
        for (unsigned i = 0; i < 20; ++i) {
            INFO("seed ", first + i);
            const uint64_t largest = i % 2 == 0 ? kMiB : 3 * kMiB;
            std::mt19937_64 random(first + i);
            Pool pool;
            std::vector<uint64_t> alive;
            for (int step = 0; step < 30'000; ++step) {
                if (random() % 1500 >= alive.size()) {
                    alive.push_back(pool.allocate(std::min(any_size(random), largest)));
                } else {
                    std::swap(alive[random() % alive.size()], alive.back());
                    pool.free(alive.back());
                    alive.pop_back();
                }
            }
            const qiao_pool_statistics now = pool.allocator.statistics();
            const double ratio = static_cast<double>(now.reserved_peak_bytes) / static_cast<double>(now.used_peak_bytes);
            worst[i % 2] = std::max(worst[i % 2], ratio);
            CHECK(ratio <= (i % 2 == 0 ? 1.35 : 2.0));
        }
        std::cout << "most that was reserved over most that was used: " << worst[0] << ", with large sizes too " << worst[1] << "\n";
    }
}
