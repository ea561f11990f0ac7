/* Rules of faults: the grammar with its errors, and which call is hit. What faults do is tested through the plugin. */
#include "mock/faults.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using mock::Call;
using mock::FaultEffect;
using mock::Faults;

namespace {

mock::FaultRule rule(const std::string& text) {
    auto parsed = mock::parse_fault(text);
    REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
    return parsed.value();
}

void check_says(const std::string& text, const std::string& part) {
    auto parsed = mock::parse_faults(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.status().code() == mock::Code::kInvalid);
    CHECK_MESSAGE(parsed.status().message().find(part) != std::string::npos, parsed.status().message());
}

/* Which of the first 10 launches of a card are hit. */
std::string hits(Faults& faults, uint32_t card = 0, Call call = Call::kQueueLaunch) {
    std::string text;
    for (int i = 0; i < 10; ++i)
        text += faults.next(call, card) ? 'x' : '.';
    return text;
}

std::string hits(const std::string& text) {
    Faults faults;
    faults.add(rule(text));
    return hits(faults);
}

} // namespace

TEST_SUITE("faults.parse") {
    TEST_CASE("the parts of a rule") {
        const mock::FaultRule first = rule("  2/queue_launch:3=error:-10 ");
        CHECK(first.text == "2/queue_launch:3=error:-10");
        CHECK(first.card == 2);
        CHECK(first.call == Call::kQueueLaunch);
        CHECK(first.first == 3);
        CHECK(first.every == 0);
        CHECK(first.effect == FaultEffect::kError);
        CHECK(first.status.number == -10);
        CHECK(rule("*/memory_free=delay:20us").delay_ns == 20'000);
        CHECK(rule("memory_read:every:5=delay:1ms").delay_ns == 1'000'000);
        CHECK(rule("memory_read=delay:2s").delay_ns == 2'000'000'000);
        CHECK(rule("memory_read=delay:7ns").delay_ns == 7);
        CHECK(rule("memory_allocate=error:out_of_memory").status.code == mock::Code::kOutOfMemory);
        CHECK_FALSE(rule("*=lost").call.has_value());
        auto list = mock::parse_faults("queue_launch=stall; ;memory_read=corrupt;");
        REQUIRE(list.ok());
        CHECK(list.value().size() == 2);
        CHECK(mock::parse_faults("").value().empty());
    }

    TEST_CASE("errors quote the rule and list what is known") {
        check_says("queue_launch", "fault \"queue_launch\": no effect; a rule is [CARD/]CALL[:WHEN]=EFFECT");
        check_says("queue_launch=", "no effect");
        check_says("queue_lunch=lost", "there is no call \"queue_lunch\"; known are *, device_count");
        check_says("x/queue_launch=lost", "card \"x\": must be a number from 0 to 1023, or *");
        check_says("1024/queue_launch=lost", "card \"1024\"");
        check_says("queue_launch:0=lost", "when = \"0\": must be N, N+ or every:N");
        check_says("queue_launch:=lost", "when = \"\"");
        check_says("queue_launch:3x=lost", "when = \"3x\"");
        check_says("queue_launch:every:0=lost", "when = \"every:0\"");
        check_says("queue_launch:-1=lost", "when = \"-1\"");
        check_says("queue_launch=explode", "there is no effect \"explode\"; known are error, delay, corrupt, hang, stall, "
                                           "lost, reset, removed");
        check_says("queue_launch=error", "must be a status number other than 0");
        check_says("queue_launch=error:0", "must be a status number other than 0");
        check_says("queue_launch=error:sad", "or one of invalid, out_of_range");
        check_says("queue_launch=error:99999999", "error:99999999");
        check_says("queue_launch=delay:5", "must be a time up to an hour with its unit");
        check_says("queue_launch=delay:2h", "delay:2h");
        check_says("queue_launch=delay:99999999999s", "delay:99999999999s");
        check_says("queue_launch=lost:now", "lost takes no value");
        check_says("memory_free=error:-10", "error is possible only for device_count, device_query");
        check_says("memory_read=stall", "stall is possible only for queue_launch, queue_copy, queue_fill, queue_after");
        check_says("queue_mark=corrupt", "corrupt is possible only for");
        check_says("device_count=lost", "lost is possible only for");
        check_says("0/device_count=error:-10", "device_count is of no card");
        check_says("queue_launch=lost;queue_" + std::string(300, 'x') + "=lost", "longer than 200 bytes");
    }

    TEST_CASE("every call has its name, and its rule") {
        for (size_t index = 0; index < mock::kCallCount; ++index) {
            const auto call = static_cast<Call>(index);
            CHECK(rule(std::string(mock::call_name(call)) + "=delay:1ns").call == call);
        }
    }
}

TEST_SUITE("faults.next") {
    TEST_CASE("which calls are hit") {
        CHECK(hits("queue_launch=lost") == "xxxxxxxxxx");
        CHECK(hits("queue_launch:3=lost") == "..x.......");
        CHECK(hits("queue_launch:8+=lost") == ".......xxx");
        CHECK(hits("queue_launch:every:3=lost") == "..x..x..x.");
        CHECK(hits("queue_launch:every:1=lost") == "xxxxxxxxxx");
        CHECK(hits("queue_copy=lost") == "..........");
        CHECK(hits("*:2=lost") == ".x........");
    }

    TEST_CASE("a rule of a card counts that card's calls alone") {
        Faults faults;
        faults.add(rule("1/queue_launch:2=lost"));
        CHECK(hits(faults, 0) == "..........");
        CHECK(hits(faults, 1) == ".x........");
        CHECK_FALSE(faults.next(Call::kQueueLaunch, std::nullopt));
    }

    TEST_CASE("a rule for all calls leaves out those that it is impossible for") {
        Faults faults;
        faults.add(rule("*:1=error:-10"));
        CHECK_FALSE(faults.next(Call::kMemoryFree, 0));
        CHECK(faults.next(Call::kMemoryRead, 0));
    }

    TEST_CASE("of several that are due the first one written counts, and all go on counting") {
        Faults faults;
        faults.add(rule("queue_launch:every:2=lost"));
        faults.add(rule("queue_launch:every:4=removed"));
        faults.add(rule("queue_launch:3=reset"));
        faults.next(Call::kQueueLaunch, 0);
        CHECK(faults.next(Call::kQueueLaunch, 0)->effect == FaultEffect::kLost);
        CHECK(faults.next(Call::kQueueLaunch, 0)->effect == FaultEffect::kReset);
        CHECK(faults.next(Call::kQueueLaunch, 0)->effect == FaultEffect::kLost);
        faults.clear();
        CHECK_FALSE(faults.next(Call::kQueueLaunch, 0));
    }
}
