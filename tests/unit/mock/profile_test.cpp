/* Profiles: the built-in ones, and errors that name file, key and value. */
#include "mock/profile.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "mock/card.h"
#include "mock/kernel.h"

using mock::CardKind;
using mock::Code;

namespace {

mock::Status refused(const std::string& json) {
    auto profile = mock::parse_profile(json, "\"test.json\"");
    REQUIRE_FALSE(profile.ok());
    CHECK(profile.status().message().starts_with("profile \"test.json\": "));
    return profile.status();
}

std::string card_with(const std::string& more) {
    return R"({"cards": [{"name": "c", "kind": "discrete", "memory_bytes": 1048576)" + more + "}]}";
}

void check_says(const std::string& json, const std::string& part) {
    const mock::Status status = refused(json);
    CHECK_MESSAGE(status.message().find(part) != std::string::npos, status.message());
}

} // namespace

TEST_SUITE("profile.builtin") {
    TEST_CASE("all are valid") {
        REQUIRE_FALSE(mock::builtin_profiles().empty());
        for (std::string_view name : mock::builtin_profiles()) {
            auto profile = mock::load_profile(std::string(name));
            CHECK_MESSAGE(profile.ok(), profile.status().message());
            CHECK(profile.value().name == name);
            CHECK_FALSE(profile.value().description.empty());
        }
    }

    TEST_CASE("the default has two discrete cards and a unified one") {
        auto profile = mock::load_profile("default");
        REQUIRE(profile.ok());
        REQUIRE(profile.value().cards.size() == 3);
        CHECK(profile.value().cards[0].kind == CardKind::kDiscrete);
        CHECK(profile.value().cards[1].kind == CardKind::kDiscrete);
        CHECK(profile.value().cards[2].kind == CardKind::kUnified);
        for (const auto& card : profile.value().cards) {
            CHECK(card.memory_bytes == uint64_t{1} << 30);
            CHECK(card.max_allocation_bytes == card.memory_bytes);
        }
    }

    TEST_CASE("an unknown name lists those that exist") {
        auto profile = mock::load_profile("dfault");
        REQUIRE_FALSE(profile.ok());
        CHECK(profile.status().code() == Code::kNotFound);
        CHECK(profile.status().message().find("\"dfault\"") != std::string::npos);
        for (std::string_view name : mock::builtin_profiles()) {
            CHECK(profile.status().remedy().find(name) != std::string::npos);
        }
    }

    TEST_CASE("a machine without cards is one") {
        auto profile = mock::load_profile("none");
        REQUIRE(profile.ok());
        CHECK(mock::Machine(profile.value(), {}).cards().empty());
    }
}

TEST_SUITE("profile.file") {
    TEST_CASE("is named after its file") {
        char folder[] = "/tmp/mock-profile-XXXXXX";
        REQUIRE(mkdtemp(folder) != nullptr);
        const std::string path = std::string(folder) + "/mine.json";
        std::ofstream(path) << card_with(R"(, "count": 3)");
        auto profile = mock::load_profile(path);
        unlink(path.c_str());
        rmdir(folder);
        REQUIRE_MESSAGE(profile.ok(), profile.status().message());
        CHECK(profile.value().name == "mine");
        CHECK(profile.value().cards.size() == 3);
    }

    TEST_CASE("that does not exist is named") {
        auto profile = mock::load_profile("/nonexistent/p.json");
        REQUIRE_FALSE(profile.ok());
        CHECK(profile.status().code() == Code::kNotFound);
        CHECK(profile.status().message().find("/nonexistent/p.json") != std::string::npos);
    }
}

TEST_SUITE("profile.parse") {
    TEST_CASE("takes every key") {
        auto profile = mock::parse_profile(
            card_with(R"(, "max_allocation_bytes": 65536, "host_memory_bytes": 131072, "max_group_size": 7,
                          "local_memory_bytes": 2048, "lost_after_operations": 5)"),
            "x");
        REQUIRE_MESSAGE(profile.ok(), profile.status().message());
        const mock::CardProfile& card = profile.value().cards.at(0);
        CHECK(card.max_allocation_bytes == 65536);
        CHECK(card.host_memory_bytes == 131072);
        CHECK(card.max_group_size == 7);
        CHECK(card.local_memory_bytes == 2048);
        CHECK(card.lost_after_operations == 5);
    }

    TEST_CASE("takes limits, features, a clock, figures and faults") {
        auto profile = mock::parse_profile(
            R"({"clock": "virtual", "cards": [{"name": "c", "kind": "discrete", "memory_bytes": 1048576, "count": 2,
                "max_argument_bytes": 64, "queue_priorities": 1, "features": ["int64"], "addresses": "none",
                "timing": {"launch_latency_ns": {"value": 48000, "grade": "verified"}},
                "faults": ["queue_launch:3=error:-10", "memory_read:every:5=delay:1ms"]}]})",
            "x");
        REQUIRE_MESSAGE(profile.ok(), profile.status().message());
        CHECK(profile.value().clock == mock::ClockKind::kVirtual);
        REQUIRE(profile.value().cards.size() == 2);
        const mock::CardProfile& card = profile.value().cards[1];
        CHECK(card.max_argument_bytes == 64);
        CHECK(card.queue_priorities == 1);
        CHECK_FALSE(card.addresses);
        CHECK(card.features.int64);
        CHECK_FALSE(card.features.fp64);
        CHECK_FALSE(card.features.int64_atomics);
        CHECK(card.timing.launch_latency_ns.value == 48000);
        CHECK(card.timing.launch_latency_ns.grade == mock::Grade::kVerified);
        CHECK(card.timing.weakest() == mock::Grade::kAssumed); /* the rest */
        REQUIRE(card.faults.has_value());
        CHECK(card.faults->size() == 2);
    }

    TEST_CASE("what is not said has all features, the host's clock and no faults") {
        auto profile = mock::parse_profile(card_with(""), "x");
        REQUIRE(profile.ok());
        CHECK(profile.value().clock == mock::ClockKind::kHost);
        const mock::CardProfile& card = profile.value().cards.at(0);
        CHECK((card.features.fp64 && card.features.int64 && card.features.int64_atomics));
        CHECK(card.addresses);
        CHECK_FALSE(card.host_pointers);
        CHECK(card.max_argument_bytes == mock::kMaxBlockBytes);
        CHECK_FALSE(card.faults.has_value());
    }

    TEST_CASE("errors in limits, features, figures and faults") {
        check_says(R"({"cards": [], "clock": "sun"})", "clock = \"sun\": must be \"host\" or \"virtual\"");
        check_says(card_with(R"(, "addresses": "some")"), "cards[0].addresses = \"some\": must be \"native\", \"coinciding\" or \"none\"");
        check_says(card_with(R"(, "host_pointers": 1)"), "cards[0].host_pointers = 1: must be true or false");
        check_says(card_with(R"(, "host_pointers": true)"), "cards[0].host_pointers = true: must be false: only a unified card");
        check_says(card_with(R"(, "max_argument_bytes": 4097)"),
                   "cards[0].max_argument_bytes = 4097: must be a whole number from 8 to 4096");
        check_says(card_with(R"(, "queue_priorities": 3)"), "must be a whole number from 1 to 2");
        check_says(card_with(R"(, "features": "fp64")"), "cards[0].features = \"fp64\": must be a list");
        check_says(card_with(R"(, "features": ["fp64", "fp8"])"),
                   "cards[0].features[1] = \"fp8\": must be one of fp64, int64, int64_atomics");
        check_says(card_with(R"(, "features": ["fp16"])"), "has no half precision");
        check_says(card_with(R"(, "features": ["int64_atomics"])"), "must be with int64");
        check_says(card_with(R"(, "timing": {"warp_ns": {}})"),
                   "\"cards[0].timing.warp_ns\" = {}: unknown key; known are launch_latency_ns");
        check_says(card_with(R"(, "timing": {"group_ns": 5})"),
                   "cards[0].timing.group_ns = 5: must be an object with \"value\" and \"grade\"");
        check_says(card_with(R"(, "timing": {"group_ns": {"value": 5}})"), "cards[0].timing.group_ns.grade is missing");
        check_says(card_with(R"(, "timing": {"group_ns": {"value": 5, "grade": "sure"}})"),
                   "cards[0].timing.group_ns.grade = \"sure\": must be one of verified, second-hand, inferred");
        check_says(card_with(R"(, "timing": {"card_bytes_per_s": {"value": 0, "grade": "assumed"}})"),
                   "cards[0].timing.card_bytes_per_s.value = 0: must be a whole number from 1 to");
        check_says(card_with(R"(, "timing": {"group_ns": {"value": 5, "grade": "assumed", "unit": "s"}})"),
                   "\"cards[0].timing.group_ns.unit\" = \"s\": unknown key; known are value, grade");
        check_says(card_with(R"(, "faults": "queue_launch=lost")"), "cards[0].faults = ");
        check_says(card_with(R"(, "faults": ["queue_launch=lost", "queue_lunch=lost"])"),
                   "cards[0].faults[1]: fault \"queue_lunch=lost\": there is no call \"queue_lunch\"; known are *");
        check_says(card_with(R"(, "faults": ["1/queue_launch=lost"])"),
                   "cards[0].faults[0] = \"1/queue_launch=lost\": must be a rule without a card");
        check_says(card_with(R"(, "faults": ["device_count=error:-10"])"), "must be a rule without a card");
    }

    TEST_CASE("errors name key and value") {
        check_says("[1, 2]", "the file = [1,2]: must be an object");
        check_says("{}", "cards is missing");
        check_says(R"({"cards": 5})", "cards = 5: must be a list");
        check_says(R"({"cards": [], "colour": "red"})",
                   "\"colour\" = \"red\": unknown key; known are description, clock, cards");
        check_says(R"({"cards": ["x"]})", "cards[0] = \"x\": must be an object");
        check_says(R"({"cards": [{"name": "c", "kind": "discrete"}]})", "cards[0].memory_bytes is missing");
        check_says(R"({"cards": [{"name": "", "kind": "discrete", "memory_bytes": 65536}]})",
                   "cards[0].name = \"\": must be");
        check_says(R"({"cards": [{"name": "c", "kind": "quantum", "memory_bytes": 65536}]})",
                   "cards[0].kind = \"quantum\": must be \"discrete\" or \"unified\"");
        check_says(card_with(R"(, "speed": 3)"),
                   "\"cards[0].speed\" = 3: unknown key; known are name, kind, count, memory_bytes");
        check_says(card_with(R"(, "max_group_size": 0)"),
                   "cards[0].max_group_size = 0: must be a whole number from 1 to 65536");
        check_says(card_with(R"(, "max_group_size": -4)"), "cards[0].max_group_size = -4");
        check_says(card_with(R"(, "max_group_size": 1.5)"), "cards[0].max_group_size = 1.5");
        check_says(card_with(R"(, "max_group_size": "64")"), "cards[0].max_group_size = \"64\"");
        check_says(card_with(R"(, "max_allocation_bytes": 2097152)"),
                   "cards[0].max_allocation_bytes = 2097152: must be at most memory_bytes = 1048576");
        check_says(card_with(R"(, "count": 16385)"), "cards[0].count = 16385");
        check_says(
            R"({"cards": [{"name": "c", "kind": "unified", "memory_bytes": 65536, "host_memory_bytes": 65536}]})",
            "cards[0].host_memory_bytes = 65536: must be absent");
    }

    TEST_CASE("more cards in all than the limit are refused") {
        const std::string half = R"({"name": "c", "kind": "discrete", "memory_bytes": 65536, "count": 9000})";
        check_says(R"({"cards": [)" + half + "," + half + "]}", "cards[1]: more than 16384 cards");
    }

    TEST_CASE("garbage is no profile") {
        check_says("", "not JSON");
        check_says("{\"cards\": [", "not JSON");
        check_says(std::string("\xff\xfe\x00x", 4), "not JSON");
        check_says(R"({"cards": [], "cards": []})", "the key \"cards\" stands twice");
        check_says(R"({"description": )" + std::string(40, '[') + std::string(40, ']') + R"(, "cards": []})",
                   "nested deeper than 16");
        check_says(R"({"cards": [], "description": ")" + std::string(600, 'x') + "\"}", "description = ");
    }
}
