/* Strict mode: the host cannot touch a discrete card's memory, and misuse is reported. What must crash does so in a child. */
#include <sys/wait.h>
#include <unistd.h>

#include <mutex>

#include "kernels.h"

using namespace kernels;
using mock::Card;
using mock::WaitResult;

namespace {

struct Reports {
    std::mutex mutex;
    std::vector<std::string> texts;

    mock::MachineOptions options() {
        return {true, [this](const std::string& text) {
                    std::lock_guard lock(mutex);
                    texts.push_back(text);
                }};
    }
};

/* The signal that ends a child which runs `action`; 0 if it ends by itself. */
template <typename Action>
int signal_of(const Action& action) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        action();
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

uint32_t touch(uint64_t address) {
    return *reinterpret_cast<volatile uint32_t*>(address);
}

} // namespace

TEST_SUITE("strict.memory") {
    TEST_CASE("of a discrete card faults when the host touches it") {
        Reports reports;
        Card card(discrete(), reports.options());
        Buffer buffer(card, 4096);
        const uint64_t address = buffer.address();
        CHECK(signal_of([=] { touch(address); }) == SIGSEGV);
        CHECK(signal_of([=] { *reinterpret_cast<volatile uint32_t*>(address + 4092) = 1; }) == SIGSEGV);
    }

    TEST_CASE("works for copies and launches, and is closed again behind them") {
        Reports reports;
        Card card(discrete(), reports.options());
        auto queue = make_queue(card);
        const Kernel kernel(add_desc());
        Buffer in(card, 4000), out(card, 4000);
        in.write(std::vector<uint32_t>(1000, 4));
        const AddBlock block{in.address(), out.address(), 5, 0};
        for (uint64_t value = 1; value <= 3; ++value)
            REQUIRE(queue->launch(kernel, groups(10, 100), &block, value).ok());
        std::vector<uint32_t> result(1000);
        REQUIRE(queue->copy({out.place(), host(result.data()), 4000, 1, 0, 0}, 4).ok());
        REQUIRE(queue->wait(4, kForever) == WaitResult::kReached);
        CHECK(result == std::vector<uint32_t>(1000, 9));
        CHECK(card.synchronize(kForever) == WaitResult::kReached);
        const uint64_t address = out.address();
        CHECK(signal_of([=] { touch(address); }) == SIGSEGV);
        CHECK(reports.texts.empty());
    }

    TEST_CASE("of other kinds stays open: without strict mode, host memory, unified cards") {
        Reports reports;
        Card loose(discrete(), {}), card(discrete(), reports.options()), shared(unified(), reports.options());
        Buffer a(loose, 64), b(card, 64, mock::MemoryKind::kHost), c(shared, 64);
        for (const uint64_t address : {a.address(), b.address(), c.address()})
            CHECK(touch(address) == 0);
    }

    TEST_CASE("allocated while a kernel runs can be used by the next one") {
        Reports reports;
        Card card(discrete(), reports.options());
        auto holder = make_queue(card), queue = make_queue(card);
        Gate gate;
        const Gate* pointer = &gate;
        const Kernel hold(hold_desc()), increment(increment_desc());
        REQUIRE(holder->launch(hold, {}, &pointer, 1).ok());
        gate.await_running();
        {
            Buffer counter(card, 8);
            counter.write<uint64_t>({1});
            const uint64_t block = counter.address();
            REQUIRE(queue->launch(increment, {}, &block, 1).ok());
            REQUIRE(queue->wait(1, kForever) == WaitResult::kReached);
            CHECK(counter.read<uint64_t>(1).at(0) == 2);
        }
        gate.released.store(1);
        CHECK(holder->wait(1, kForever) == WaitResult::kReached);
    }

    TEST_CASE("a kernel that overruns its buffer faults") {
        Reports reports;
        const auto overrun = [&reports](uint32_t items) {
            Card card(discrete(), reports.options());
            auto queue = make_queue(card);
            const Kernel kernel(add_desc());
            Buffer in(card, 4096), out(card, 1024);
            const AddBlock block{in.address(), out.address(), 1, 0};
            (void)queue->launch(kernel, groups(1, items), &block, 1);
            (void)queue->wait(1, kForever);
        };
        CHECK(signal_of([&] { overrun(256); }) == 0);
        CHECK(signal_of([&] { overrun(257); }) == SIGSEGV);
    }
}

TEST_SUITE("strict.report") {
    TEST_CASE("names kernel and argument when memory is freed under a launch in flight, and goes on") {
        Reports reports;
        Card card(discrete(), reports.options());
        auto queue = make_queue(card);
        Gate gate;
        const Gate* pointer = &gate;
        const Kernel hold(hold_desc()), increment(increment_desc());
        Buffer counter(card, 8), unused(card, 8);
        counter.write<uint64_t>({0});
        const uint64_t block = counter.address();
        REQUIRE(queue->launch(hold, {}, &pointer, 1).ok());
        REQUIRE(queue->launch(increment, {}, &block, 2).ok());
        gate.await_running();
        counter.free_early();
        unused.free_early();
        gate.released.store(1);
        REQUIRE(queue->wait(2, kForever) == WaitResult::kReached);
        REQUIRE_FALSE(reports.texts.empty());
        CHECK(reports.texts[0] ==
              "test card: kernel increment: argument 0 \"counter\" is in memory that was freed while the launch was in "
              "flight");
    }
}
