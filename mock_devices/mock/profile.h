/* Personalities of mock machines: which cards there are and what they can do. Profiles are JSON, either built in or a file
 * of the user's, and are checked completely before a card is made from them. */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mock/faults.h"
#include "mock/status.h"
#include "mock/timing.h"
#include "mock/topology.h"

namespace mock {

enum class CardKind : uint8_t {
    kDiscrete, /* memory of its own: the host reaches it by copies */
    kUnified,  /* shares the host's memory: one address for both */
};

/* What kernels may need of a card beside single precision and 32-bit integers. */
struct CardFeatures {
    bool fp64 = true;
    bool int64 = true;
    bool int64_atomics = true; /* only with int64 */
};

struct CardProfile {
    std::string name;
    CardKind kind = CardKind::kDiscrete;
    uint64_t memory_bytes = 0;
    uint64_t max_allocation_bytes = 0; /* default: memory_bytes */
    uint64_t host_memory_bytes = 0;    /* discrete: pinned host memory the card can reach; default: memory_bytes */
    uint32_t max_group_size = 4096;
    uint32_t local_memory_bytes = 65536;
    bool addresses = true; /* false: says that it has none; kernels are given them all the same */
    bool host_pointers = false; /* unified: kernels are given any address of the process, allocated on the card or not */
    bool coinciding_addresses = false; /* says addresses that other cards say too; its user translates them for kernels */
    uint32_t max_argument_bytes = 4096; /* at most kMaxBlockBytes */
    uint32_t queue_priorities = 2;
    CardFeatures features;
    Timing timing;
    uint64_t lost_after_operations = 0;           /* fault: the card is lost when so many were submitted; 0 = never */
    std::optional<std::vector<FaultRule>> faults; /* of this card's calls; none and an empty list differ: see README */
};

enum class ClockKind : uint8_t {
    kHost,    /* that of the host: work takes as long as it takes */
    kVirtual, /* work takes as long as the timing model says, in a fixed order */
};

struct Profile {
    std::string name;
    std::string description;
    ClockKind clock = ClockKind::kHost;
    std::vector<CardProfile> cards;
    std::optional<Topology> topology; /* how they hang together; none: nothing is said */
};

/* The names of the built-in profiles, in alphabetical order. "default" is always there. */
std::vector<std::string_view> builtin_profiles();

/* A built-in profile by name, or a file where `name_or_path` contains a '/' or ends in ".json". */
Result<Profile> load_profile(const std::string& name_or_path);

/* `origin` is named in errors, beside the key and its value. */
Result<Profile> parse_profile(std::string_view json, const std::string& origin);

} // namespace mock
