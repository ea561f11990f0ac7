// Devices of several plugins in one instance: copies from each to each, work that waits for another device's, and what must
// not be mixed.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <sstream>
#include <utility>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

// One of each kind: with queues and without, with device addresses, with such that the core makes, with serialised slots.
constexpr const char* kIds[] = {"mock:0", "opencl:0", "vulkan:0", "tutorial:0", "queued:0", "queued:1", "queued:3", "fixture:0"};

struct Card {
    std::string id;
    qiao_device* device = nullptr;
    Queue queue;
};

// The session's helpers are for one device at a time.
void choose(Session& session, qiao_device* device) {
    session.device = device;
    session.properties = QIAO_DEVICE_PROPERTIES_INIT;
    REQUIRE_OK(qiao_device_query_properties(device, &session.properties));
}

// Of the families too that QIAO_TEST_IMAGES names, two of the first: copies between cards of one library go another way.
std::vector<std::string> ids() {
    std::vector<std::string> all(std::begin(kIds), std::end(kIds));
    const char* families = std::getenv("QIAO_TEST_IMAGES");
    std::istringstream names(families != nullptr ? families : "");
    for (std::string family; std::getline(names, family, ',');) {
        if (all.size() == std::size(kIds)) all.push_back(family + ":1");
        all.push_back(family + ":0");
    }
    return all;
}

std::vector<Card> make_cards(Session& session) {
    std::vector<Card> cards;
    for (const std::string& id : ids()) {
        qiao_device* device = nullptr;
        REQUIRE_OK(qiao_instance_find_device(session.instance.get(), id.c_str(), &device));
        choose(session, device);
        cards.push_back({id, device, session.queue()});
    }
    return cards;
}

// Bytes that differ from place to place.
std::vector<uint8_t> pattern(size_t count, uint32_t seed) {
    std::vector<uint8_t> bytes(count);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
    return bytes;
}

// The same number of bytes on every card and on the host, and a copy of what each should hold.
class Places {
   public:
    Places(Session& session, const std::vector<Card>& cards, size_t count) : count_(count) {
        for (const Card& card : cards) {
            choose(session, card.device);
            contents_.push_back(pattern(count, static_cast<uint32_t>(contents_.size())));
            memories_.push_back(session.upload(contents_.back()));
        }
        contents_.push_back(pattern(count, 100));
        host_ = contents_.back();
    }
    size_t size() const { return contents_.size(); }
    qiao_place at(size_t index, uint64_t offset) { return index == memories_.size() ? place(host_.data() + offset) : place(memories_[index], offset); }

    // Copies on the queue, and what should be the same in the contents.
    void copy_rows(const Queue& queue, size_t from, size_t to, qiao_copy wanted, uint64_t source_at, uint64_t target_at) {
        wanted.source = at(from, source_at);
        wanted.target = at(to, target_at);
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_copy(queue.get(), &wanted, &value));
        wait_for(queue, value);
        for (uint64_t row = 0; row < wanted.rows; ++row) {
            std::memcpy(contents_[to].data() + target_at + row * wanted.target_pitch, contents_[from].data() + source_at + row * wanted.source_pitch,
                        wanted.size_bytes);
        }
    }
    void check(size_t index) {
        const std::vector<uint8_t> actual = index == memories_.size() ? host_ : download<uint8_t>(memories_[index], count_);
        CHECK(std::memcmp(actual.data(), contents_[index].data(), count_) == 0);
    }

   private:
    const size_t count_;
    std::vector<Memory> memories_;
    std::vector<uint8_t> host_;
    std::vector<std::vector<uint8_t>> contents_;
};

struct Shape {
    uint64_t source_at, target_at, bytes, rows, source_pitch, target_pitch;
};

// Every shape from every place to every other, each on the queues of both sides and of a card that has no part in it.
void copy_everywhere(size_t count, std::initializer_list<Shape> shapes) {
    Session session;
    const std::vector<Card> cards = make_cards(session);
    Places places(session, cards, count);
    for (size_t from = 0; from < places.size(); ++from) {
        for (size_t to = 0; to < places.size(); ++to) {
            if (from == to) continue;
            size_t turn = from + to;
            for (const Shape& shape : shapes) {
                const size_t choices[] = {from, to, turn++};
                for (const size_t choice : choices) {
                    const Card& worker = cards[choice % cards.size()];
                    INFO("from place ", from, " to place ", to, " on ", worker.id, ", ", shape.bytes, " bytes x ", shape.rows);
                    qiao_copy wanted = copy_of({}, {}, shape.bytes);
                    wanted.rows = shape.rows, wanted.source_pitch = shape.source_pitch, wanted.target_pitch = shape.target_pitch;
                    places.copy_rows(worker.queue, from, to, wanted, shape.source_at, shape.target_at);
                    if (count > 100'000) break;  // the queue of one side is enough
                }
            }
            places.check(to);
        }
    }
    for (size_t index = 0; index < places.size(); ++index) places.check(index);
}

}  // namespace

TEST_SUITE("cross_device.copy") {
    TEST_CASE("any place of any device to any place of any other") {
        copy_everywhere(1000, {{0, 0, 100, 1, 0, 0}, {3, 510, 77, 1, 0, 0}, {999, 998, 1, 1, 0, 0}, {1, 699, 301, 1, 0, 0}});
    }

    TEST_CASE("rows of any pitch") {
        copy_everywhere(1000, {{10, 300, 7, 9, 40, 13}, {0, 5, 16, 5, 16, 64}, {1, 2, 1, 20, 3, 1}, {499, 0, 51, 2, 450, 52}});
    }

    // The staging between two devices has two halves of 4 MiB.
    TEST_CASE("megabytes: both halves are used in turn, rows lie across their border") {
        copy_everywhere(9'000'011, {{5, 2, 8'999'999, 1, 0, 0}, {7, 11, 2'999'983, 3, 3'000'001, 2'999'989}});
    }
}

TEST_SUITE("cross_device.pool") {
    TEST_CASE("each device's pool serves the queue of another one, in that queue's order") {
        Session session;
        const std::vector<Card> cards = make_cards(session);
        for (size_t index = 0; index < cards.size(); ++index) {
            const Card &owner = cards[index], &worker = cards[(index + 1) % cards.size()];
            INFO("memory of ", owner.id, ", queue of ", worker.id);
            choose(session, owner.device);
            const Pool pool = session.pool();
            const Timeline gate = session.timeline();
            after(worker.queue, gate.get(), 1);
            std::vector<std::vector<uint32_t>> results(5, std::vector<uint32_t>(300));
            std::vector<std::vector<uint32_t>> values;
            for (uint32_t round = 0; round < 5; ++round) values.push_back(numbers(300, 1000 * round));
            uint64_t first = 0, last = 0;
            for (uint32_t round = 0; round < 5; ++round) {
                uint64_t address = 0;
                REQUIRE_OK(qiao_pool_allocate(pool.get(), worker.queue.get(), 1200, &address));
                if (round == 0) first = address;
                CHECK(address == first);
                copy(worker.queue, place(values[round].data()), {owner.device, address}, 1200);
                last = copy(worker.queue, {owner.device, address}, place(results[round].data()), 1200);
                REQUIRE_OK(qiao_pool_free(pool.get(), address, worker.queue.get()));
            }
            uint64_t other = 0;
            REQUIRE_OK(qiao_pool_allocate(pool.get(), owner.queue.get(), 1200, &other));
            CHECK(other != first);
            REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
            wait_for(worker.queue, last);
            CHECK(results == values);
        }
    }
}

TEST_SUITE("cross_device.order") {
    TEST_CASE("a chain through all devices runs in its order: each adds to what the one before has left") {
        Session session;
        const std::vector<Card> cards = make_cards(session);
        const Timeline gate = session.timeline();
        std::vector<Program> programs;
        std::vector<Memory> sums, summands;
        std::vector<uint32_t> start(64, 1), expected = numbers(64, 40);
        qiao_place before = place(start.data());
        qiao_timeline* ready = gate.get();
        uint64_t ready_value = 1;
        for (const Card& card : cards) {
            choose(session, card.device);
            sums.push_back(session.upload(std::vector<uint32_t>(64, 777)));
            after(card.queue, ready, ready_value);
            ready = timeline_of(card.queue);
            ready_value = copy(card.queue, before, place(sums.back()), 256);
            before = place(sums.back());
            if (card.id == "tutorial:0") continue;  // its kernels are others
            programs.push_back(session.program());
            summands.push_back(session.upload(numbers(64, static_cast<uint32_t>(programs.size()))));
            const uint64_t sum = address_of(sums.back());
            ready_value = launch(card.queue, kernel_of(programs.back(), "add"), items(64), blocks::Add{sum, address_of(summands.back()), sum});
        }
        for (const Card& card : cards) CHECK(qiao_timeline_reached(timeline_of(card.queue), 1) == QIAO_NOT_READY);
        std::copy(expected.begin(), expected.end(), start.begin());  // read when the gate opens, not before
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(cards.back().queue, ready_value);
        for (size_t count = 1; count <= programs.size(); ++count) {
            for (uint32_t i = 0; i < 64; ++i) expected[i] += i + static_cast<uint32_t>(count);
        }
        CHECK(download<uint32_t>(sums.back(), 64) == expected);
    }

    TEST_CASE("who waits for a device whose work fails is cancelled, and says why") {
        Session session;
        const std::vector<Card> cards = make_cards(session);
        for (const Card& failing : cards) {
            if (failing.id.rfind("queued", 0) != 0) continue;
            choose(session, failing.device);
            const Program program = session.program();
            const Queue queue = session.queue();
            const Timeline gate = session.timeline();
            after(queue, gate.get(), 1);
            const qiao_launch one = items(1);
            uint64_t failed = 0;
            REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "fail"), &one, nullptr, 0, &failed));
            std::vector<Memory> targets;
            std::vector<Queue> waiting;
            std::vector<uint64_t> values;
            for (const Card& card : cards) {
                if (card.device == failing.device) continue;
                choose(session, card.device);
                targets.push_back(session.upload(numbers(16)));
                waiting.push_back(session.queue());
                after(waiting.back(), timeline_of(queue), failed);
                values.push_back(fill(waiting.back(), place(targets.back()), 64, 0xffffffff));
            }
            REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
            for (size_t i = 0; i < values.size(); ++i) {
                INFO("waiting for ", failing.id, ": number ", i);
                CHECK_FAILS(qiao_timeline_wait(timeline_of(waiting[i]), values[i], kPatience), QIAO_ERROR_CANCELLED, "fail");
                CHECK(download<uint32_t>(targets[i], 16) == numbers(16));
            }
        }
    }
}

TEST_SUITE("cross_device.refuses") {
    TEST_CASE("kernels, addresses and timelines of another device, where they do not belong; nothing changes") {
        Session session;
        const std::vector<Card> cards = make_cards(session);
        std::vector<Program> programs;
        std::vector<Memory> memories;
        for (const Card& card : cards) {
            choose(session, card.device);
            programs.push_back(card.id == "tutorial:0" ? Program() : session.program());
            memories.push_back(session.upload(numbers(64)));
        }
        const qiao_launch shape = items(64);
        const auto value_is_null = [](uint64_t& value) { CHECK(std::exchange(value, 4711) == 0); };
        for (size_t own = 0; own < cards.size(); ++own) {
            const Card& card = cards[own];
            uint64_t value = 4711;
            for (size_t other = 0; other < cards.size(); ++other) {
                if (other == own) continue;
                const char* const id = card.id.c_str();
                const char* const other_id = cards[other].id.c_str();
                INFO("on ", card.id, ", of ", cards[other].id);
                const uint64_t foreign = address_of(memories[other]);
                const blocks::Fill block = {address_of(memories[own]), 5, 0};
                if (programs[other]) {
                    qiao_kernel* const kernel = kernel_of(programs[other], "fill");
                    CHECK_FAILS(qiao_queue_launch(card.queue.get(), kernel, &shape, &block, sizeof block, &value), QIAO_ERROR_INVALID_HANDLE, "fill", other_id, id);
                    value_is_null(value);
                }
                // Who can tell what an address belongs to: the core where it makes them, the mock card where it runs the kernel.
                if (card.id == "queued:3" || card.id == "mock:0") {
                    const blocks::Fill wrong = {foreign, 5, 0};
                    qiao_kernel* const kernel = kernel_of(programs[own], "fill");
                    CHECK_FAILS(qiao_queue_launch(card.queue.get(), kernel, &shape, &wrong, sizeof wrong, &value), QIAO_ERROR_OUT_OF_RANGE, "fill", "out");
                    value_is_null(value);
                }
                const uint32_t zero = 0;
                CHECK_FAILS(qiao_queue_fill(card.queue.get(), {card.device, foreign}, 64, &zero, 4, &value), QIAO_ERROR_OUT_OF_RANGE, "target", "no allocation", id);
                value_is_null(value);
                qiao_copy wanted = copy_of({card.device, foreign}, place(memories[own]), 64);
                CHECK_FAILS(qiao_queue_copy(card.queue.get(), &wanted, &value), QIAO_ERROR_OUT_OF_RANGE, "source", "no allocation", id);
                value_is_null(value);
                wanted = copy_of(place(memories[own]), {card.device, foreign}, 64);
                CHECK_FAILS(qiao_queue_copy(card.queue.get(), &wanted, &value), QIAO_ERROR_OUT_OF_RANGE, "target", "no allocation", id);
                value_is_null(value);
            }
        }
        for (size_t own = 0; own < cards.size(); ++own) {
            INFO(cards[own].id);
            CHECK(download<uint32_t>(memories[own], 64) == numbers(64));
            CHECK(fill(cards[own].queue, place(memories[own]), 256, 9) == 1);  // nothing was submitted
            wait_for(cards[own].queue, 1);
            CHECK(download<uint32_t>(memories[own], 64) == std::vector<uint32_t>(64, 9));
        }
    }

    TEST_CASE("queues and timelines of another instance") {
        Session session, stranger;
        const std::vector<Card> cards = make_cards(session), strangers = make_cards(stranger);
        choose(stranger, strangers.front().device);
        const Memory foreign = stranger.upload(numbers(16));
        for (const Card& card : cards) {
            INFO(card.id);
            choose(session, card.device);
            const Memory own = session.upload(numbers(16));
            uint64_t value = 4711;
            for (const Card& other : strangers) {
                CHECK_FAILS(qiao_queue_after(card.queue.get(), timeline_of(other.queue), 1, &value), QIAO_ERROR_INVALID_HANDLE, "instance");
                CHECK(value == 0);
            }
            const qiao_copy wanted = copy_of(place(foreign), place(own), 64);
            CHECK_FAILS(qiao_queue_copy(card.queue.get(), &wanted, &value), QIAO_ERROR_INVALID_HANDLE, "source", "another instance");
            CHECK(value == 0);
            CHECK(fill(card.queue, place(own), 64, 9) == 1);
            wait_for(card.queue, 1);
        }
    }
}
