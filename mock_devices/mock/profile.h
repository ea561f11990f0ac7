/* Personalities of mock machines: which cards there are and what they can do. Profiles are JSON, either built in or a file
 * of the user's, and are checked completely before a card is made from them. */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mock/status.h"

namespace mock {

enum class CardKind : uint8_t {
    kDiscrete, /* memory of its own: the host reaches it by copies */
    kUnified,  /* shares the host's memory: one address for both */
};

struct CardProfile {
    std::string name;
    CardKind kind = CardKind::kDiscrete;
    uint64_t memory_bytes = 0;
    uint64_t max_allocation_bytes = 0; /* default: memory_bytes */
    uint64_t host_memory_bytes = 0;    /* discrete: pinned host memory the card can reach; default: memory_bytes */
    uint32_t max_group_size = 4096;
    uint32_t local_memory_bytes = 65536;
    uint64_t lost_after_operations = 0; /* fault: the card is lost when so many were submitted; 0 = never */
};

struct Profile {
    std::string name;
    std::string description;
    std::vector<CardProfile> cards;
};

/* The names of the built-in profiles, in alphabetical order. "default" is always there. */
std::vector<std::string_view> builtin_profiles();

/* A built-in profile by name, or a file where `name_or_path` contains a '/' or ends in ".json". */
Result<Profile> load_profile(const std::string& name_or_path);

/* `origin` is named in errors, beside the key and its value. */
Result<Profile> parse_profile(std::string_view json, const std::string& origin);

} // namespace mock
