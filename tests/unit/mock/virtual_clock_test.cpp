/* Cards with a virtual clock: times are what the timing model says, to the nanosecond, and equal in every run. */
#include "kernels.h"

using kernels::Buffer;
using kernels::groups;
using kernels::host;
using kernels::kForever;
using kernels::make_queue;
using mock::Card;
using mock::Code;
using mock::Kernel;
using mock::WaitResult;

namespace {

constexpr uint64_t kLaunchNs = 1000, kCopyNs = 500;

mock::CardProfile timed() {
    mock::CardProfile profile = kernels::discrete();
    profile.timing.launch_latency_ns.value = kLaunchNs;
    profile.timing.copy_latency_ns.value = kCopyNs;
    profile.timing.host_to_card_bytes_per_s.value = 1'000'000'000;   /* 1 byte in a nanosecond */
    profile.timing.card_to_host_bytes_per_s.value = 500'000'000;     /* 1 in 2 */
    profile.timing.card_bytes_per_s.value = 4'000'000'000;           /* 4 in 1 */
    profile.timing.group_ns.value = 10;
    profile.timing.item_ps.value = 500;
    return profile;
}

mock::MachineOptions virtual_clock() {
    mock::MachineOptions options;
    options.clock = mock::ClockKind::kVirtual;
    return options;
}

mock::QueueOptions profiling() {
    mock::QueueOptions options;
    options.profiling = true;
    return options;
}

void check_times(const mock::Queue& queue, uint64_t value, uint64_t start_ns, uint64_t end_ns) {
    const auto times = queue.times(value);
    REQUIRE_MESSAGE(times.ok(), times.status().message());
    CHECK(times.value().start_ns == start_ns);
    CHECK(times.value().end_ns == end_ns);
}

} // namespace

TEST_SUITE("timing") {
    TEST_CASE("sums are rounded up and limited") {
        const mock::Timing timing = timed().timing;
        CHECK(timing.launch_ns(4, 64) == kLaunchNs + 4 * 10 + 32);
        CHECK(timing.launch_ns(1, 1) == kLaunchNs + 10 + 1);
        CHECK(timing.launch_ns(UINT64_MAX, UINT64_MAX) == mock::Timing::kLongestNs);
        CHECK(timing.copy_ns(100, mock::Direction::kToCard) == kCopyNs + 100);
        CHECK(timing.copy_ns(100, mock::Direction::kFromCard) == kCopyNs + 200);
        CHECK(timing.copy_ns(101, mock::Direction::kInside) == kCopyNs + 26);
        CHECK(timing.copy_ns(UINT64_MAX, mock::Direction::kToCard) == mock::Timing::kLongestNs);
    }
}

TEST_SUITE("virtual.queue") {
    TEST_CASE("operations follow each other by the model, and really compute") {
        Card card(timed(), virtual_clock());
        CHECK(card.clock_ns() == 0);
        Buffer buffer(card, 1024);
        const Kernel add(kernels::add_desc());
        auto queue = make_queue(card, profiling());
        const std::vector<uint32_t> values(64, 7);
        std::vector<uint32_t> back(64);
        REQUIRE(queue->copy({host(values.data()), buffer.place(), 256}, 1).ok());
        const kernels::AddBlock block{buffer.address(), buffer.address() + 256, 3, 0};
        REQUIRE(queue->launch(add, groups(4, 16), &block, 2).ok());
        REQUIRE(queue->copy({buffer.place(256), host(back.data()), 256}, 3).ok());
        CHECK(card.clock_ns() == 0); /* submitting takes no time */
        CHECK(queue->times(1).status().code() == Code::kNotFound);
        REQUIRE(queue->wait(3, kForever) == WaitResult::kReached);
        check_times(*queue, 1, 0, 756);
        check_times(*queue, 2, 756, 756 + 1072);
        check_times(*queue, 3, 1828, 1828 + 1012);
        CHECK(card.clock_ns() == 2840);
        CHECK(back == std::vector<uint32_t>(64, 10));
    }

    TEST_CASE("time limits are in virtual time, exactly") {
        Card card(timed(), virtual_clock());
        auto queue = make_queue(card);
        const Kernel empty(kernels::empty_desc());
        REQUIRE(queue->launch(empty, groups(1, 1), nullptr, 1).ok()); /* 1011 ns */
        CHECK(queue->wait(1, 1000) == WaitResult::kTimeout);
        CHECK(card.clock_ns() == 1000);
        CHECK(queue->wait(1, 11) == WaitResult::kReached);
        CHECK(card.clock_ns() == 1011);
    }

    TEST_CASE("a loop that asks ends") {
        Card card(timed(), virtual_clock());
        auto queue = make_queue(card);
        const Kernel empty(kernels::empty_desc());
        REQUIRE(queue->launch(empty, groups(100, 1), nullptr, 1).ok()); /* 2050 ns */
        CHECK(queue->reached() == 0);
        CHECK(queue->wait(1, 0) == WaitResult::kTimeout);
        CHECK(queue->reached() == 1);
        CHECK(queue->reached() == 1);
        CHECK(card.clock_ns() == 3000); /* nothing was pending at the last question */
    }

    TEST_CASE("queues share a card's units: launches follow each other, a copy runs beside them") {
        Card card(timed(), virtual_clock());
        Buffer buffer(card, 1024);
        const std::vector<std::byte> bytes(500);
        const Kernel empty(kernels::empty_desc());
        auto first = make_queue(card, profiling()), second = make_queue(card, profiling()), third = make_queue(card, profiling());
        REQUIRE(first->launch(empty, groups(1, 1), nullptr, 1).ok());
        REQUIRE(second->launch(empty, groups(1, 1), nullptr, 1).ok());
        REQUIRE(third->copy({host(bytes.data()), buffer.place(), 500}, 1).ok());
        REQUIRE(third->after(*second, 1, 2).ok());
        for (auto* queue : {first.get(), second.get()})
            REQUIRE(queue->wait(1, kForever) == WaitResult::kReached);
        REQUIRE(third->wait(2, kForever) == WaitResult::kReached);
        check_times(*first, 1, 0, 1011);
        check_times(*second, 1, 1011, 2022);
        check_times(*third, 1, 0, 1000);
        check_times(*third, 2, 2022, 2022);
    }

    TEST_CASE("cards of a machine share the clock") {
        mock::Profile profile;
        profile.clock = mock::ClockKind::kVirtual;
        profile.cards = {timed(), timed()};
        const mock::Machine machine(profile, {});
        Card &a = *machine.cards()[0], &b = *machine.cards()[1];
        auto first = make_queue(a), second = make_queue(b);
        const Kernel empty(kernels::empty_desc());
        REQUIRE(first->launch(empty, groups(1, 1), nullptr, 1).ok());
        REQUIRE(second->launch(empty, groups(1, 1), nullptr, 1).ok()); /* its own unit: at the same time */
        REQUIRE(first->wait(1, kForever) == WaitResult::kReached);
        CHECK(b.clock_ns() == 1011);
        CHECK(second->reached() == 1);
        a.pass_time(89);
        CHECK(b.clock_ns() == 1100);
        Card apart(timed(), {});
        auto other = make_queue(apart);
        CHECK(other->after(*first, 1, 1).code() == Code::kUnsupported);
    }

    TEST_CASE("blocking copies take their time") {
        Card card(timed(), virtual_clock());
        Buffer buffer(card, 256);
        buffer.write(std::vector<uint32_t>(64, 5));
        CHECK(card.clock_ns() == 756);
        CHECK(buffer.read<uint32_t>(64) == std::vector<uint32_t>(64, 5));
        CHECK(card.clock_ns() == 756 + 1012);
    }

    TEST_CASE("a notification counts as a wait") {
        Card card(timed(), virtual_clock());
        auto queue = make_queue(card);
        const Kernel empty(kernels::empty_desc());
        REQUIRE(queue->launch(empty, groups(1, 1), nullptr, 1).ok());
        bool told = false;
        queue->notify(1, [&told](const mock::Status& status) { told = status.ok(); });
        CHECK(told);
        CHECK(card.clock_ns() == 1011);
    }

    TEST_CASE("what never ends is waited for until its time limit or the card's loss, and keeps what is behind it") {
        Card card(timed(), virtual_clock());
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address(), start_ns = card.clock_ns();
        const Kernel increment(kernels::increment_desc());
        auto queue = make_queue(card);
        REQUIRE(queue->stall(1).ok());
        REQUIRE(queue->launch(increment, groups(1, 1), &block, 2).ok());
        CHECK(queue->wait(2, 3'600'000'000'000) == WaitResult::kTimeout); /* an hour, at once */
        CHECK(card.clock_ns() == start_ns + 3'600'000'000'000);
        CHECK(counter.read<uint64_t>(1).at(0) == 0);
        CHECK(card.synchronize(10) == WaitResult::kTimeout);
        std::thread loser([&card] { card.set_lost("test"); });
        CHECK(queue->wait(2, kForever) == WaitResult::kFailed);
        loser.join();
        CHECK(queue->launch(increment, groups(1, 1), &block, 3).code() == Code::kLost);
    }

    TEST_CASE("a loss does not wait for the kernel that is running") {
        Card card(timed(), virtual_clock());
        kernels::Gate gate;
        const kernels::Gate* pointer = &gate;
        auto kernel = std::make_shared<const Kernel>(kernels::hold_desc());
        auto queue = make_queue(card);
        std::thread loser([&] {
            gate.await_running();
            card.set_lost("test");
        });
        CHECK(queue->launch(*kernel, groups(1, 1), &pointer, 1).code() == Code::kLost);
        loser.join();
        const std::weak_ptr<const Kernel> alive = kernel;
        card.retire(std::move(kernel));
        CHECK_FALSE(alive.expired()); /* it still runs */
        gate.released.store(1);
        while (!alive.expired()) {
            card.retire(nullptr);
            std::this_thread::yield();
        }
    }

    TEST_CASE("two runs have equal times") {
        const auto run = [] {
            Card card(timed(), virtual_clock());
            Buffer buffer(card, 4096);
            const Kernel add(kernels::add_desc());
            auto first = make_queue(card, profiling()), second = make_queue(card, profiling());
            std::vector<uint64_t> seen;
            for (uint32_t i = 1; i <= 50; ++i) {
                const kernels::AddBlock block{buffer.address(), buffer.address(), i, 0};
                mock::Queue& queue = i % 3 == 0 ? *second : *first;
                REQUIRE(queue.launch(add, groups(i, 8), &block, i).ok());
                if (i % 7 == 0) static_cast<void>(queue.wait(i, 100 * i));
                seen.push_back(card.clock_ns());
            }
            REQUIRE(card.synchronize(kForever) == WaitResult::kReached);
            for (uint64_t value = 1; value <= 50; ++value) {
                const auto times = (value % 3 == 0 ? *second : *first).times(value);
                REQUIRE(times.ok());
                seen.push_back(times.value().start_ns);
                seen.push_back(times.value().end_ns);
            }
            for (uint32_t word : buffer.read<uint32_t>(8))
                seen.push_back(word);
            return seen;
        };
        CHECK(run() == run());
    }

    TEST_CASE("several threads may submit and wait") {
        Card card(timed(), virtual_clock());
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        const Kernel increment(kernels::increment_desc()); /* not atomically: right only if one runs at a time */
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                auto queue = make_queue(card);
                for (uint64_t value = 1; value <= 100; ++value) {
                    CHECK(queue->launch(increment, groups(1, 1), &block, value).ok());
                    if (value % 10 == 0) CHECK(queue->wait(value, kForever) == WaitResult::kReached);
                }
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(counter.read<uint64_t>(1).at(0) == 400);
    }
}
