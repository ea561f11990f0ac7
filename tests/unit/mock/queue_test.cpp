/* Queues: launches, copies, fills, order, waits, times; each both at submission and through workers. */
#include <algorithm>
#include <cfenv>
#include <mutex>
#include <numeric>
#include <set>

#include "kernels.h"

using namespace kernels;
using mock::Card;
using mock::Code;
using mock::Copy;
using mock::Fill;
using mock::Queue;
using mock::WaitResult;

namespace {

/* So that the next launches of this size run at submission. */
void teach(const Kernel& kernel, uint64_t items) {
    kernel.learn(items, 1);
}
/* So that they never do. */
void forbid(const Kernel& kernel, uint64_t items) {
    kernel.learn(items, UINT64_MAX - 1);
}

bool reaches(Queue& queue, uint64_t value) {
    return queue.wait(value, kForever) == WaitResult::kReached;
}

/* A queue whose first operation runs until `open`: everything behind it waits. */
struct HeldQueue {
    explicit HeldQueue(Card& card) : queue(make_queue(card)), kernel(hold_desc()) {
        const Gate* pointer = &gate;
        CHECK(queue->launch(kernel, {}, &pointer, 1).ok());
        gate.await_running();
    }
    ~HeldQueue() {
        open();
        CHECK(reaches(*queue, queue->submitted()));
    }
    void open() { gate.released.store(1); }

    Gate gate;
    std::unique_ptr<Queue> queue;
    Kernel kernel;
};

} // namespace

TEST_SUITE("queue.launch") {
    TEST_CASE("computes, whoever runs it") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(add_desc());
        constexpr uint32_t kCount = 1 << 16;
        Buffer in(card, kCount * 4), out(card, kCount * 4);
        std::vector<uint32_t> numbers(kCount);
        std::iota(numbers.begin(), numbers.end(), 0u);
        in.write(numbers);
        SUBCASE("without history: workers") {}
        SUBCASE("short: the submitter") {
            teach(kernel, kCount);
        }
        SUBCASE("long: workers share it") {
            forbid(kernel, kCount);
        }
        const AddBlock block{in.address(), out.address(), 5, 0};
        REQUIRE(queue->launch(kernel, groups(kCount / 64, 64), &block, 1).ok());
        REQUIRE(reaches(*queue, 1));
        std::transform(numbers.begin(), numbers.end(), numbers.begin(), [](uint32_t n) { return n + 5; });
        CHECK(out.read<uint32_t>(kCount) == numbers);
    }

    TEST_CASE("what each group prints is told once and in one piece, before the launch has ended, and whether it was cut") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        KernelDesc desc = describe("letters", print_letters, {number("count", 0, 4)}, 4);
        std::mutex mutex;
        std::multiset<std::string> printed;
        uint32_t cuts = 0;
        desc.output = [&](std::string_view text, bool cut) {
            const std::lock_guard lock(mutex);
            printed.emplace(text);
            cuts += cut ? 1 : 0;
        };
        const Kernel kernel(desc);
        SUBCASE("short: the submitter") {
            teach(kernel, 20);
        }
        SUBCASE("long: workers share it") {
            forbid(kernel, 20);
        }
        const uint32_t few = 3, more = mock::kMaxOutputBytes + 1;
        REQUIRE(queue->launch(kernel, groups(20, 1), &few, 1).ok());
        REQUIRE(reaches(*queue, 1));
        CHECK(cuts == 0);
        REQUIRE(printed.size() == 20);
        for (char letter = 'a'; letter < 'a' + 20; ++letter)
            CHECK(printed.count(std::string(3, letter)) == 1);
        REQUIRE(queue->launch(kernel, groups(1, 1), &more, 2).ok());
        REQUIRE(reaches(*queue, 2));
        CHECK(cuts == 1);
        CHECK(printed.count(std::string(mock::kMaxOutputBytes, 'a')) == 1);
    }

    TEST_CASE("honours the global offset") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(add_desc());
        Buffer in(card, 400), out(card, 400);
        in.write(std::vector<uint32_t>(100, 1));
        out.write(std::vector<uint32_t>(100, 0));
        const AddBlock block{in.address(), out.address(), 1, 0};
        mock::Shape shape = groups(4, 10);
        shape.global_offset[0] = 30;
        REQUIRE(queue->launch(kernel, shape, &block, 1).ok());
        REQUIRE(reaches(*queue, 1));
        const auto result = out.read<uint32_t>(100);
        for (size_t i = 0; i < 100; ++i)
            CHECK(result[i] == (i >= 30 && i < 70 ? 2 : 0));
    }

    TEST_CASE("gives each group its local memory and visits all three dimensions once") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        Buffer out(card, 24 * 64 * 4);
        KernelDesc desc = describe(
            "mark",
            [](void** arguments, GroupContext* context, uint64_t x, uint64_t y, uint64_t z) {
                auto* counts = value<uint32_t*>(arguments, 0);
                auto* given = value<uint32_t*>(arguments, 1);
                auto* automatic = value<uint32_t*>(arguments, 2);
                CHECK(reinterpret_cast<uintptr_t>(given) % 128 == 0);
                CHECK(reinterpret_cast<uintptr_t>(automatic) % 128 == 0);
                CHECK(automatic >= given + 32);
                given[24] = static_cast<uint32_t>(x + context->group_count[0] * (y + context->group_count[1] * z));
                automatic[2] = 1;
                counts[given[24]] += automatic[2];
                CHECK(context->dimensions == 3);
            },
            {address("counts", 0), local("given", 8)}, 16);
        desc.automatic_locals = {12};
        const Kernel kernel(std::move(desc));
        SUBCASE("by workers") {}
        SUBCASE("by the submitter") {
            teach(kernel, 24 * 64);
        }
        out.write(std::vector<uint32_t>(24 * 64, 0));
        mock::Shape shape;
        shape.group_count[0] = 8;
        shape.group_count[1] = 3;
        shape.group_count[2] = 64;
        shape.dimensions = 3;
        const SumBlock block{out.address(), 100, 0};
        REQUIRE(queue->launch(kernel, shape, &block, 1).ok());
        REQUIRE(reaches(*queue, 1));
        CHECK(out.read<uint32_t>(24 * 64) == std::vector<uint32_t>(24 * 64, 1));
    }

    TEST_CASE("reads a block that lies at an odd address") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(add_desc());
        Buffer in(card, 4), out(card, 4);
        in.write<uint32_t>({40});
        alignas(16) unsigned char bytes[40];
        const AddBlock block{in.address(), out.address(), 2, 0};
        std::memcpy(bytes + 1, &block, sizeof(block));
        for (uint64_t launch = 1; launch <= 3; ++launch) {
            REQUIRE(queue->launch(kernel, {}, bytes + 1, launch).ok());
            REQUIRE(reaches(*queue, launch));
        }
        CHECK(out.read<uint32_t>(1).at(0) == 42);
    }

    TEST_CASE("copies the block when it is queued") {
        Card card(discrete(), {});
        HeldQueue held(card);
        const Kernel kernel(add_desc());
        Buffer in(card, 4), out(card, 4);
        in.write<uint32_t>({40});
        AddBlock block{in.address(), out.address(), 2, 0};
        REQUIRE(held.queue->launch(kernel, {}, &block, 2).ok());
        block = {0, 0, 0, 0};
        held.open();
        REQUIRE(reaches(*held.queue, 2));
        CHECK(out.read<uint32_t>(1).at(0) == 42);
    }

    TEST_CASE("refuses an address outside the card's memory, with kernel, argument and address") {
        Card card(discrete(), {}), other(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(add_desc());
        Buffer in(card, 64), foreign(other, 64);
        uint32_t on_host[4] = {};
        uint64_t wrong = 0;
        SUBCASE("host memory") {
            wrong = reinterpret_cast<uint64_t>(on_host);
        }
        SUBCASE("another card's") {
            wrong = foreign.address();
        }
        SUBCASE("behind the allocation") {
            wrong = in.address() + 65;
        }
        SUBCASE("anything") {
            wrong = 0xdead0000;
        }
        const AddBlock block{in.address(), wrong, 1, 0};
        const mock::Status status = queue->launch(kernel, groups(1, 4), &block, 1);
        CHECK(status.code() == Code::kOutOfRange);
        CHECK(contains(status.message(), "kernel add: argument 1 \"out\": address 0x"));
        CHECK(contains(status.message(), "is in no allocation of test card"));
        CHECK_FALSE(status.remedy().empty());
        CHECK(queue->submitted() == 0);
        const AddBlock right{in.address(), in.address() + 32, 1, 0};
        CHECK(queue->launch(kernel, groups(1, 4), &right, 1).ok()); /* the value is still free */
        CHECK(reaches(*queue, 1));
    }

    TEST_CASE("takes the address behind an allocation's last byte, of an empty view") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        KernelDesc desc = add_desc();
        desc.function = empty;
        const Kernel kernel(std::move(desc));
        Buffer in(card, 64);
        const AddBlock block{in.address(), in.address() + 64, 0, 0};
        CHECK(queue->launch(kernel, groups(1, 4), &block, 1).ok());
        CHECK(reaches(*queue, 1));
    }

    TEST_CASE("takes null as an address that the kernel does not use") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        KernelDesc desc = add_desc();
        desc.function = empty;
        const Kernel kernel(std::move(desc));
        const AddBlock block{0, 0, 0, 0};
        CHECK(queue->launch(kernel, {}, &block, 1).ok());
        CHECK(reaches(*queue, 1));
    }

    TEST_CASE("refuses sizes beyond the limits, with numbers") {
        mock::CardProfile profile = discrete();
        profile.max_group_size = 100;
        profile.local_memory_bytes = 1024;
        Card card(profile, {});
        auto queue = make_queue(card);
        Buffer out(card, 4096);
        const auto refused = [&](const Kernel& kernel, const mock::Shape& shape, const void* block) {
            const mock::Status status = queue->launch(kernel, shape, block, queue->submitted() + 1);
            CHECK_FALSE(status.ok());
            return status.message();
        };
        const Kernel plain(empty_desc());
        CHECK(contains(refused(plain, groups(1, 101), nullptr), "101 x 1 x 1 work-items; the card's limit is 100"));
        CHECK(contains(refused(plain, groups(0, 1), nullptr), "none may be 0"));
        CHECK(contains(refused(plain, groups(1, 0), nullptr), "none may be 0"));
        mock::Shape huge;
        std::fill_n(huge.group_size, 3, UINT32_MAX);
        CHECK(contains(refused(plain, huge, nullptr), "limit is 100"));
        huge = {};
        std::fill_n(huge.group_count, 3, UINT32_MAX);
        CHECK(contains(refused(plain, huge, nullptr), "more than 2^64"));

        const Kernel sum(sum_desc());
        SumBlock block{out.address(), 1025, 0};
        CHECK(contains(refused(sum, {}, &block),
                       "1152 bytes of local memory (each buffer rounded up to 128); the card has 1024"));
        block.scratch_bytes = UINT32_MAX;
        CHECK(contains(refused(sum, {}, &block), "local memory"));
        block.scratch_bytes = 1024;
        CHECK(queue->launch(sum, groups(2, 100), &block, 1).ok());
        CHECK(reaches(*queue, 1));
        CHECK(out.read<uint64_t>(2) == std::vector<uint64_t>{4950, 14950});

        KernelDesc fixed = empty_desc();
        fixed.required_group = {8, 4, 1};
        CHECK(contains(refused(Kernel(fixed), groups(1, 32), nullptr),
                       "32 x 1 x 1 work-items; the kernel requires 8 x 4 x 1"));
    }

    TEST_CASE("refuses private memory that does not fit, with numbers") {
        mock::CardProfile profile = discrete();
        profile.max_group_size = 65536;
        Card card(profile, {});
        auto queue = make_queue(card);
        KernelDesc desc = empty_desc();
        desc.private_bytes = 1 << 20;
        const Kernel kernel(std::move(desc));
        const uint64_t fits = card.private_memory_bytes() >> 20;
        CHECK(queue->launch(kernel, groups(1, static_cast<uint32_t>(fits)), nullptr, 1).ok());
        CHECK(reaches(*queue, 1));
        const mock::Status status = queue->launch(kernel, groups(1, static_cast<uint32_t>(fits + 1)), nullptr, 2);
        CHECK(status.code() == Code::kOutOfRange);
        CHECK(contains(status.message(), "with 1048576 bytes of private memory each"));
        CHECK(contains(status.remedy(), "a group of at most " + std::to_string(fits) + " work-items"));
    }

    TEST_CASE("large private memory really is there") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        KernelDesc desc = describe(
            "deep",
            [](void**, GroupContext*, uint64_t, uint64_t, uint64_t) {
                volatile char space[64 << 20];
                for (size_t at = 0; at < sizeof(space); at += 4096)
                    space[at] = 1;
            },
            {}, 0);
        desc.fixed_stack_bytes = 64 << 20;
        const Kernel kernel(std::move(desc));
        teach(kernel, 1); /* short, but still not for the submitter's stack */
        CHECK(queue->launch(kernel, {}, nullptr, 1).ok());
        CHECK(reaches(*queue, 1));
    }

    TEST_CASE("values must rise") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(empty_desc());
        CHECK(queue->launch(kernel, {}, nullptr, 5).ok());
        CHECK(
            contains(queue->launch(kernel, {}, nullptr, 5).message(), "value 5 is not above the queue's last one, 5"));
        CHECK(queue->launch(kernel, {}, nullptr, 9).ok());
        CHECK(reaches(*queue, 9));
        CHECK(queue->reached() == 9);
    }

#if defined(__x86_64__)
    TEST_CASE("computes with default rounding whatever the submitter has set") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        Buffer out(card, 4);
        const Kernel kernel(describe(
            "third",
            [](void** arguments, GroupContext*, uint64_t, uint64_t, uint64_t) {
                volatile float one = 1.0f, three = 3.0f;
                *value<float*>(arguments, 0) = one / three;
            },
            {address("out", 0)}, 8));
        const uint64_t block = out.address();
        REQUIRE(queue->launch(kernel, {}, &block, 1).ok());
        REQUIRE(reaches(*queue, 1));
        const float by_worker = out.read<float>(1).at(0);
        teach(kernel, 1);
        std::fesetround(FE_UPWARD);
        REQUIRE(queue->launch(kernel, {}, &block, 2).ok());
        CHECK(std::fegetround() == FE_UPWARD);
        std::fesetround(FE_TONEAREST);
        REQUIRE(reaches(*queue, 2));
        CHECK(out.read<float>(1).at(0) == by_worker);
    }
#endif
}

TEST_SUITE("queue.order") {
    TEST_CASE("a thousand launches run one after the other") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(increment_desc());
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        SUBCASE("as history has it") {}
        SUBCASE("all by workers") {
            forbid(kernel, 1);
        }
        const uint64_t block = counter.address();
        for (uint64_t value = 1; value <= 5000; ++value)
            REQUIRE(queue->launch(kernel, {}, &block, value).ok());
        REQUIRE(reaches(*queue, 5000));
        CHECK(counter.read<uint64_t>(1).at(0) == 5000);
    }

    TEST_CASE("short work does not overtake what was submitted before it") {
        Card card(discrete(), {});
        HeldQueue held(card);
        const Kernel kernel(increment_desc());
        teach(kernel, 1);
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        for (uint64_t value = 2; value <= 100; ++value)
            REQUIRE(held.queue->launch(kernel, {}, &block, value).ok());
        CHECK(held.queue->reached() == 0);
        CHECK(counter.read<uint64_t>(1).at(0) == 0);
        held.open();
        REQUIRE(reaches(*held.queue, 100));
        CHECK(counter.read<uint64_t>(1).at(0) == 99);
    }

    TEST_CASE("more work than the ring holds waits for room") {
        Card card(discrete(), {});
        HeldQueue held(card);
        const Kernel kernel(increment_desc());
        forbid(kernel, 1);
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        std::atomic<uint64_t> submitted{1};
        std::thread submitter([&] {
            for (uint64_t value = 2; value <= 20'000; ++value) {
                CHECK(held.queue->launch(kernel, {}, &block, value).ok());
                submitted.store(value);
            }
        });
        while (submitted.load() < 500)
            std::this_thread::yield();
        held.open();
        submitter.join();
        REQUIRE(reaches(*held.queue, 20'000));
        CHECK(counter.read<uint64_t>(1).at(0) == 19'999);
    }

    TEST_CASE("nothing is left to a waiter") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(increment_desc());
        forbid(kernel, 1);
        Buffer counter(card, 8);
        const uint64_t block = counter.address();
        for (uint64_t value = 1; value <= 50; ++value) {
            REQUIRE(queue->launch(kernel, {}, &block, value).ok());
            while (queue->reached() < value)
                std::this_thread::yield();
        }
    }
}

TEST_SUITE("queue.wait") {
    TEST_CASE("ends with its time limit, not with the kernel") {
        Card card(discrete(), {});
        HeldQueue held(card);
        CHECK(held.queue->wait(1, 0) == WaitResult::kTimeout);
        CHECK(held.queue->wait(1, kMillisecond) == WaitResult::kTimeout);
        const Kernel kernel(increment_desc());
        CHECK(held.queue->wait(1'000'000, kMillisecond) == WaitResult::kTimeout); /* never submitted */
        held.open();
        CHECK(held.queue->wait(1, kForever) == WaitResult::kReached);
        CHECK(held.queue->wait(1, 0) == WaitResult::kReached);
    }

    TEST_CASE("a thread that waits runs no kernel of unknown length") {
        Card card(discrete(), {});
        HeldQueue first(card), second(card); /* every worker of two is busy */
        std::vector<std::unique_ptr<HeldQueue>> more;
        while (more.size() + 2 < card.compute_units())
            more.push_back(std::make_unique<HeldQueue>(card));
        auto queue = make_queue(card);
        Gate gate;
        KernelDesc desc = hold_desc();
        desc.waits_for_host = false;
        const Kernel kernel(std::move(desc));
        const Gate* pointer = &gate;
        REQUIRE(queue->launch(kernel, {}, &pointer, 1).ok());
        CHECK(queue->wait(1, 2 * kMillisecond) == WaitResult::kTimeout);
        CHECK(gate.running.load() == 0);
        gate.released.store(1);
        first.open();
        CHECK(queue->wait(1, kForever) == WaitResult::kReached);
    }

    TEST_CASE("a thread that waits helps with short work while workers are busy") {
        Card card(discrete(), {});
        std::vector<std::unique_ptr<HeldQueue>> busy;
        while (busy.size() < card.compute_units())
            busy.push_back(std::make_unique<HeldQueue>(card));
        auto queue = make_queue(card), behind = make_queue(card);
        const Kernel kernel(increment_desc());
        kernel.learn(1, 1'000'000'000); /* not at submission */
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        for (uint64_t value = 1; value <= 10; ++value)
            REQUIRE(queue->launch(kernel, {}, &block, value).ok());
        for (int i = 0; i < 64; ++i)
            kernel.learn(1, 1);
        REQUIRE(behind->after(*queue, 10, 1).ok());
        REQUIRE(behind->launch(kernel, {}, &block, 2).ok());
        CHECK(behind->wait(2, kForever) == WaitResult::kReached); /* through the other queue */
        CHECK(counter.read<uint64_t>(1).at(0) == 11);
    }
}

TEST_SUITE("queue.copy") {
    TEST_CASE("moves bytes between host and cards, short and long") {
        Card one(discrete(), {}), two(unified(), {});
        auto queue = make_queue(one);
        for (const uint64_t size : {uint64_t{1}, uint64_t{1000}, uint64_t{100'000}, uint64_t{9'000'001}}) {
            Buffer on_one(one, size), on_two(two, size, mock::MemoryKind::kShared);
            std::vector<uint8_t> from(size), to(size);
            for (size_t i = 0; i < size; ++i)
                from[i] = static_cast<uint8_t>(i * 7 + size);
            const uint64_t base = queue->submitted();
            REQUIRE(queue->copy({host(from.data()), on_one.place(), size, 1, 0, 0}, base + 1).ok());
            REQUIRE(queue->copy({on_one.place(), on_two.place(), size, 1, 0, 0}, base + 2).ok());
            REQUIRE(queue->copy({on_two.place(), host(to.data()), size, 1, 0, 0}, base + 3).ok());
            REQUIRE(reaches(*queue, base + 3));
            CHECK(from == to);
        }
    }

    TEST_CASE("copies rows with pitches and leaves the rest alone") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        Buffer buffer(card, 100);
        buffer.write(std::vector<uint8_t>(100, 0xee));
        uint8_t source[30];
        std::iota(source, source + 30, uint8_t{0});
        REQUIRE(queue->copy({host(source), buffer.place(2), 4, 3, 10, 20}, 1).ok());
        REQUIRE(reaches(*queue, 1));
        const auto result = buffer.read<uint8_t>(100);
        for (size_t i = 0; i < 100; ++i) {
            const size_t row = (i - 2) / 20, column = (i - 2) % 20;
            const bool copied = i >= 2 && row < 3 && column < 4;
            CHECK(result[i] == (copied ? row * 10 + column : 0xee));
        }
    }

    TEST_CASE("refuses ranges outside allocations before anything is copied") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        Buffer buffer(card, 100);
        buffer.write(std::vector<uint8_t>(100, 1));
        std::vector<uint8_t> source(1000, 2);
        const auto refused = [&](const Copy& copy) {
            const mock::Status status = queue->copy(copy, 1);
            CHECK_FALSE(status.ok());
            return status.message();
        };
        CHECK(contains(refused({host(source.data()), buffer.place(1), 100, 1, 0, 0}), "copy: target: 100 bytes"));
        CHECK(contains(refused({buffer.place(100), host(source.data()), 1, 1, 0, 0}), "copy: source: address"));
        CHECK(contains(refused({host(source.data()), buffer.place(), 10, 3, 10, 46}), "by 2 bytes"));
        CHECK(contains(refused({host(source.data()), buffer.place(), 10, 3, 10, 9}),
                       "a pitch of 9 bytes is less than a row of 10"));
        CHECK(contains(refused({host(source.data()), buffer.place(), 10, UINT64_MAX, UINT64_MAX, UINT64_MAX}),
                       "more than 2^64"));
        CHECK(contains(refused({host(source.data()), buffer.place(), 0, 1, 0, 0}), "0 bytes"));
        CHECK(contains(refused({host(nullptr), buffer.place(), 10, 1, 0, 0}), "null host memory"));
        CHECK(buffer.read<uint8_t>(100) == std::vector<uint8_t>(100, 1));
    }

    TEST_CASE("overlapping ranges keep their bytes") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        constexpr uint64_t kSize = 3 << 20;
        Buffer buffer(card, kSize + 8);
        std::vector<uint8_t> bytes(kSize + 8);
        for (size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<uint8_t>(i % 251);
        buffer.write(bytes);
        REQUIRE(queue->copy({buffer.place(0), buffer.place(8), kSize, 1, 0, 0}, 1).ok());
        REQUIRE(reaches(*queue, 1));
        std::memmove(bytes.data() + 8, bytes.data(), kSize);
        CHECK(buffer.read<uint8_t>(bytes.size()) == bytes);
    }
}

TEST_SUITE("queue.fill") {
    TEST_CASE("repeats patterns of every size, short and long") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        uint64_t value = 0;
        for (const uint64_t size : {uint64_t{16}, uint64_t{48}, uint64_t{4096}, uint64_t{1'000'000} * 16}) {
            for (const uint32_t pattern : {1u, 2u, 4u, 8u, 16u}) {
                Buffer buffer(card, size + 1);
                buffer.write(std::vector<uint8_t>(size + 1, 0xcc));
                Fill fill{buffer.place(), size, {}, pattern};
                std::iota(fill.pattern, fill.pattern + 16, uint8_t{1});
                REQUIRE(queue->fill(fill, ++value).ok());
                REQUIRE(reaches(*queue, value));
                const auto result = buffer.read<uint8_t>(size + 1);
                bool right = result[size] == 0xcc;
                for (size_t i = 0; i < size; ++i)
                    right = right && result[i] == i % pattern + 1;
                CHECK_MESSAGE(right, "size ", size, " pattern ", pattern);
            }
        }
    }

    TEST_CASE("refuses patterns that do not divide, and ranges outside") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        Buffer buffer(card, 64);
        for (const uint32_t pattern : {0u, 3u, 32u})
            CHECK(queue->fill({buffer.place(), 96, {}, pattern}, 1).code() == Code::kInvalid);
        CHECK(queue->fill({buffer.place(), 10, {}, 4}, 1).code() == Code::kInvalid);
        CHECK(contains(queue->fill({buffer.place(), 68, {}, 4}, 1).message(), "fill: target: 68 bytes"));
    }
}

TEST_SUITE("queue.after") {
    TEST_CASE("holds later operations until the other queue is there, across cards") {
        Card one(discrete(), {}), two(discrete(), {});
        HeldQueue held(one);
        auto queue = make_queue(two);
        const Kernel kernel(increment_desc());
        Buffer counter(two, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        REQUIRE(queue->after(*held.queue, 1, 1).ok());
        REQUIRE(queue->launch(kernel, {}, &block, 2).ok());
        CHECK(queue->wait(1, kMillisecond) == WaitResult::kTimeout);
        CHECK(counter.read<uint64_t>(1).at(0) == 0);
        held.open();
        REQUIRE(reaches(*queue, 2));
        CHECK(counter.read<uint64_t>(1).at(0) == 1);
    }

    TEST_CASE("lets two queues hand work to each other many times") {
        Card card(discrete(), {});
        auto ping = make_queue(card), pong = make_queue(card);
        const Kernel kernel(increment_desc());
        SUBCASE("short") {
            teach(kernel, 1);
        }
        SUBCASE("by workers") {
            forbid(kernel, 1);
        }
        Buffer counter(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        uint64_t a = 0, b = 0;
        for (int round = 0; round < 1000; ++round) {
            REQUIRE(ping->after(*pong, b, ++a).ok());
            REQUIRE(ping->launch(kernel, {}, &block, ++a).ok());
            REQUIRE(pong->after(*ping, a, ++b).ok());
            REQUIRE(pong->launch(kernel, {}, &block, ++b).ok());
        }
        REQUIRE(reaches(*pong, b));
        CHECK(counter.read<uint64_t>(1).at(0) == 2000);
    }

    TEST_CASE("the other queue may be destroyed once it is there") {
        Card card(discrete(), {});
        HeldQueue held(card);
        auto other = make_queue(card);
        const Kernel kernel(empty_desc());
        REQUIRE(other->launch(kernel, {}, nullptr, 1).ok());
        REQUIRE(held.queue->after(*other, 1, 2).ok());
        REQUIRE(reaches(*other, 1));
        other.reset();
        held.open();
        CHECK(reaches(*held.queue, 2));
    }

    TEST_CASE("refuses a value that was not submitted") {
        Card card(discrete(), {});
        auto one = make_queue(card), two = make_queue(card);
        CHECK(contains(one->after(*two, 1, 1).message(), "value 1 was not submitted; the other queue's last is 0"));
    }
}

TEST_SUITE("queue.notify") {
    TEST_CASE("tells once, before or after the value is reached") {
        Card card(discrete(), {});
        HeldQueue held(card);
        std::atomic<int> early{0}, late{0};
        held.queue->notify(1, [&](const mock::Status& status) { early += status.ok() ? 1 : 100; });
        CHECK(early.load() == 0);
        held.open();
        REQUIRE(reaches(*held.queue, 1));
        while (early.load() == 0)
            std::this_thread::yield();
        held.queue->notify(1, [&](const mock::Status& status) { late += status.ok() ? 1 : 100; });
        CHECK(late.load() == 1);
        CHECK(early.load() == 1);
    }

    TEST_CASE("may tell while it is being asked to") {
        Card card(discrete(), {});
        auto queue = make_queue(card);
        const Kernel kernel(empty_desc());
        constexpr uint64_t kLaunches = 20'000;
        std::atomic<uint64_t> told{0};
        for (uint64_t value = 1; value <= kLaunches; ++value) {
            REQUIRE(queue->launch(kernel, {}, nullptr, value).ok());
            queue->notify(value, [&](const mock::Status&) { ++told; });
        }
        REQUIRE(reaches(*queue, kLaunches));
        while (told.load() < kLaunches)
            std::this_thread::yield();
    }
}

TEST_SUITE("queue.times") {
    TEST_CASE("lie on the card's clock, in order") {
        Card card(discrete(), {});
        const uint64_t before = card.clock_ns();
        auto queue = make_queue(card, {.profiling = true, .priority = 0});
        const Kernel kernel(empty_desc());
        for (uint64_t value = 1; value <= 20; ++value)
            REQUIRE(queue->launch(kernel, {}, nullptr, value * 3).ok());
        REQUIRE(reaches(*queue, 60));
        uint64_t last = before;
        for (uint64_t value = 1; value <= 20; ++value) {
            auto times = queue->times(value * 3);
            REQUIRE(times.ok());
            CHECK(times.value().start_ns >= last);
            CHECK(times.value().end_ns >= times.value().start_ns);
            last = times.value().end_ns;
        }
        CHECK(last <= card.clock_ns());
        CHECK(queue->times(4).status().code() == Code::kNotFound);
        CHECK(queue->times(63).status().code() == Code::kNotFound);
    }

    TEST_CASE("are forgotten after many operations, and not kept without profiling") {
        Card card(discrete(), {});
        auto queue = make_queue(card, {.profiling = true, .priority = 0});
        auto plain = make_queue(card);
        const Kernel kernel(empty_desc());
        const uint64_t count = Queue::kKeptTimes + 10;
        for (uint64_t value = 1; value <= count; ++value)
            REQUIRE(queue->launch(kernel, {}, nullptr, value).ok());
        REQUIRE(reaches(*queue, count));
        CHECK(queue->times(10).status().code() == Code::kNotFound);
        CHECK(queue->times(11).ok());
        CHECK(queue->times(count).ok());
        REQUIRE(plain->launch(kernel, {}, nullptr, 1).ok());
        REQUIRE(reaches(*plain, 1));
        CHECK(plain->times(1).status().code() == Code::kUnsupported);
    }
}

TEST_SUITE("card.synchronize") {
    TEST_CASE("waits for all queues, or until its time is over") {
        Card card(discrete(), {});
        CHECK(card.synchronize(0) == WaitResult::kReached);
        HeldQueue one(card), two(card);
        one.open();
        CHECK(card.synchronize(kMillisecond) == WaitResult::kTimeout);
        two.open();
        CHECK(card.synchronize(kForever) == WaitResult::kReached);
        CHECK(two.queue->reached() == 1);
    }
}

TEST_SUITE("card.free") {
    TEST_CASE("keeps memory that work in flight uses") {
        Card card(discrete(1 << 20), {});
        HeldQueue held(card);
        const Kernel kernel(increment_desc());
        Buffer counter(card, 8);
        const uint64_t block = counter.address();
        REQUIRE(held.queue->launch(kernel, {}, &block, 2).ok());
        counter.free_early();
        CHECK(card.free_bytes() == (1 << 20) - 4096);
        held.open();
        REQUIRE(reaches(*held.queue, 2));
        Buffer all(card, 1 << 20); /* it is free by now */
    }
}

TEST_SUITE("queue.create") {
    TEST_CASE("knows its priorities") {
        Card card(discrete(), {});
        CHECK(card.create_queue({.profiling = false, .priority = 1}).ok());
        CHECK(contains(card.create_queue({.profiling = false, .priority = 2}).status().message(),
                       "priority 2; the highest is 1"));
    }
}
