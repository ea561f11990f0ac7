/* The keys of profiles: one table per kind of value, and the checks between keys. README.md documents each. */
#include "profile_reader.h"

#include <set>

#include "mock/kernel.h"
#include "profile_errors.h"
#include "topology_reader.h"

namespace mock {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kTiB = uint64_t{1} << 40;
constexpr uint64_t kMaxCards = 16384;
constexpr size_t kMaxFaults = 1024; /* rules of a card */

/* A whole number of a card, with its limits. */
struct NumberKey {
    const char* name;
    uint64_t least;
    uint64_t most;
    void (*set)(CardProfile&, uint64_t);
};

constexpr NumberKey kNumberKeys[] = {
    {"memory_bytes", 64 * kKiB, 4 * kTiB, [](CardProfile& card, uint64_t value) { card.memory_bytes = value; }},
    {"max_allocation_bytes", 4 * kKiB, 4 * kTiB,
     [](CardProfile& card, uint64_t value) { card.max_allocation_bytes = value; }},
    {"host_memory_bytes", 64 * kKiB, 4 * kTiB,
     [](CardProfile& card, uint64_t value) { card.host_memory_bytes = value; }},
    {"max_group_size", 1, 65536,
     [](CardProfile& card, uint64_t value) { card.max_group_size = static_cast<uint32_t>(value); }},
    {"local_memory_bytes", kKiB, 16 << 20,
     [](CardProfile& card, uint64_t value) { card.local_memory_bytes = static_cast<uint32_t>(value); }},
    {"max_argument_bytes", 8, kMaxBlockBytes,
     [](CardProfile& card, uint64_t value) { card.max_argument_bytes = static_cast<uint32_t>(value); }},
    {"queue_priorities", 1, 2,
     [](CardProfile& card, uint64_t value) { card.queue_priorities = static_cast<uint32_t>(value); }},
    {"lost_after_operations", 1, UINT32_MAX,
     [](CardProfile& card, uint64_t value) { card.lost_after_operations = value; }},
};

struct FigureKey {
    const char* name;
    uint64_t least;
    uint64_t most;
    Figure Timing::* figure;
};

constexpr uint64_t kMostNs = 1'000'000'000;
constexpr uint64_t kMostBandwidth = 1'000'000'000'000'000;
constexpr FigureKey kFigureKeys[] = {
    {"launch_latency_ns", 0, kMostNs, &Timing::launch_latency_ns},
    {"copy_latency_ns", 0, kMostNs, &Timing::copy_latency_ns},
    {"host_to_card_bytes_per_s", 1, kMostBandwidth, &Timing::host_to_card_bytes_per_s},
    {"card_to_host_bytes_per_s", 1, kMostBandwidth, &Timing::card_to_host_bytes_per_s},
    {"card_bytes_per_s", 1, kMostBandwidth, &Timing::card_bytes_per_s},
    {"group_ns", 0, kMostNs, &Timing::group_ns},
    {"item_ps", 0, kMostNs, &Timing::item_ps},
};

struct FeatureKey {
    const char* name;
    bool CardFeatures::* feature;
};
constexpr FeatureKey kFeatureKeys[] = {
    {"fp64", &CardFeatures::fp64}, {"int64", &CardFeatures::int64}, {"int64_atomics", &CardFeatures::int64_atomics}};

/* One profile being read; the first error stops. */
class Reader : private ProfileErrors {
  public:
    explicit Reader(const std::string& origin) : ProfileErrors(origin) {}

    Result<Profile> read(const Json& root) const {
        Profile profile;
        if (!root.is_object()) return wrong("the file", root, "an object with \"description\" and \"cards\"");
        for (const auto& [key, value] : root.items()) {
            Status status;
            if (key == "description") {
                status = read_text(key, value, 512, profile.description);
            } else if (key == "clock") {
                status = read_clock(key, value, profile.clock);
            } else if (key == "cards") {
                status = read_cards(value, profile.cards);
            } else if (key == "topology") {
                status = read_topology(value, origin(), profile.topology.emplace());
            } else {
                status = unknown(key, value, "description, clock, cards, topology");
            }
            if (!status.ok()) return status;
        }
        if (!root.contains("cards")) return missing("cards");
        if (profile.topology && profile.topology->card_count() != profile.cards.size()) {
            return fail("topology has places for " + std::to_string(profile.topology->card_count()) + " cards, and there are " + std::to_string(profile.cards.size()));
        }
        return profile;
    }

  private:
    Status read_clock(const std::string& key, const Json& value, ClockKind& out) const {
        if (value != "host" && value != "virtual") return wrong(key, value, "\"host\" or \"virtual\"");
        out = value == "virtual" ? ClockKind::kVirtual : ClockKind::kHost;
        return {};
    }

    Status read_cards(const Json& list, std::vector<CardProfile>& cards) const {
        if (!list.is_array()) return wrong("cards", list, "a list of objects");
        for (size_t index = 0; index < list.size(); ++index) {
            const std::string where = "cards[" + std::to_string(index) + "]";
            CardProfile card;
            uint64_t count = 1;
            if (Status status = read_card(where, list[index], card, count); !status.ok()) return status;
            if (cards.size() + count > kMaxCards) {
                return fail(where + ": more than " + std::to_string(kMaxCards) + " cards in all");
            }
            cards.insert(cards.end(), count, card);
        }
        return {};
    }

    Status read_card(const std::string& where, const Json& object, CardProfile& card, uint64_t& count) const {
        if (!object.is_object()) return wrong(where, object, "an object");
        std::set<std::string> seen;
        for (const auto& [key, value] : object.items()) {
            seen.insert(key);
            if (Status status = read_key(where + "." + key, key, value, card, count); !status.ok()) return status;
        }
        for (const char* key : {"name", "kind", "memory_bytes"}) {
            if (!seen.contains(key)) return missing(where + "." + key);
        }
        if (!seen.contains("max_allocation_bytes")) card.max_allocation_bytes = card.memory_bytes;
        if (card.max_allocation_bytes > card.memory_bytes) {
            return wrong(where + ".max_allocation_bytes", object["max_allocation_bytes"],
                         "at most memory_bytes = " + std::to_string(card.memory_bytes));
        }
        if (card.kind == CardKind::kUnified && seen.contains("host_memory_bytes")) {
            return wrong(where + ".host_memory_bytes", object["host_memory_bytes"],
                         "absent: a unified card's memory is the host's");
        }
        if (card.host_pointers && (card.kind == CardKind::kDiscrete || !card.addresses)) {
            return wrong(where + ".host_pointers", object["host_pointers"], "false: only a unified card with addresses can reach all of the host's memory");
        }
        if (!seen.contains("host_memory_bytes")) card.host_memory_bytes = card.memory_bytes;
        return {};
    }

    Status read_key(const std::string& where, const std::string& key, const Json& value, CardProfile& card,
                    uint64_t& count) const {
        if (key == "name") {
            if (Status status = read_text(where, value, 100, card.name); !status.ok()) return status;
            return card.name.empty() ? wrong(where, value, "a text that is not empty") : Status();
        }
        if (key == "kind") {
            if (value != "discrete" && value != "unified") return wrong(where, value, "\"discrete\" or \"unified\"");
            card.kind = value == "discrete" ? CardKind::kDiscrete : CardKind::kUnified;
            return {};
        }
        if (key == "count") return read_number(where, value, 1, kMaxCards, count);
        if (key == "addresses") {
            if (value != "native" && value != "none" && value != "coinciding")
                return wrong(where, value, "\"native\", \"coinciding\" or \"none\"");
            card.addresses = value != "none";
            card.coinciding_addresses = value == "coinciding";
            return {};
        }
        if (key == "host_pointers") {
            if (!value.is_boolean()) return wrong(where, value, "true or false");
            card.host_pointers = value;
            return {};
        }
        if (key == "features") return read_features(where, value, card.features);
        if (key == "timing") return read_timing(where, value, card.timing);
        if (key == "faults") return read_faults(where, value, card.faults.emplace());
        for (const NumberKey& number : kNumberKeys) {
            if (key != number.name) continue;
            uint64_t parsed = 0;
            Status status = read_number(where, value, number.least, number.most, parsed);
            if (status.ok()) number.set(card, parsed);
            return status;
        }
        return unknown(where, value,
                       "name, kind, count, " + names(kNumberKeys) + ", addresses, host_pointers, features, timing, faults");
    }

    /* Only what is listed is there. */
    Status read_features(const std::string& where, const Json& list, CardFeatures& features) const {
        if (!list.is_array()) return wrong(where, list, "a list of " + names(kFeatureKeys));
        for (const FeatureKey& key : kFeatureKeys)
            features.*key.feature = false;
        for (size_t index = 0; index < list.size(); ++index) {
            const std::string element = where + "[" + std::to_string(index) + "]";
            if (list[index] == "fp16") {
                return wrong(element, list[index],
                             "one of " + names(kFeatureKeys) + ": kernels run on the host's processors, whose OpenCL C "
                                                               "library has no half precision");
            }
            const FeatureKey* found = nullptr;
            for (const FeatureKey& key : kFeatureKeys) {
                if (list[index] == key.name) found = &key;
            }
            if (found == nullptr) return wrong(element, list[index], "one of " + names(kFeatureKeys));
            features.*found->feature = true;
        }
        if (features.int64_atomics && !features.int64) return wrong(where, list, "with int64 if int64_atomics is in it");
        return {};
    }

    Status read_timing(const std::string& where, const Json& object, Timing& timing) const {
        if (!object.is_object()) return wrong(where, object, "an object");
        for (const auto& [name, value] : object.items()) {
            const FigureKey* found = nullptr;
            for (const FigureKey& key : kFigureKeys) {
                if (name == key.name) found = &key;
            }
            if (found == nullptr) return unknown(where + "." + name, value, names(kFigureKeys));
            if (Status status = read_figure(where + "." + name, value, found->least, found->most, timing.*found->figure); !status.ok())
                return status;
        }
        return {};
    }

    /* The card is where the rule stands, so rules do not name one. */
    Status read_faults(const std::string& where, const Json& list, std::vector<FaultRule>& rules) const {
        if (!list.is_array() || list.size() > kMaxFaults) {
            return wrong(where, list, "a list of at most " + std::to_string(kMaxFaults) + " rules");
        }
        for (size_t index = 0; index < list.size(); ++index) {
            const std::string element = where + "[" + std::to_string(index) + "]";
            std::string text;
            if (Status status = read_text(element, list[index], 200, text); !status.ok()) return status;
            Result<FaultRule> rule = parse_fault(text);
            if (!rule.ok()) return fail(element + ": " + rule.status().message());
            if (rule.value().card || rule.value().call == Call::kDeviceCount) {
                return wrong(element, list[index], "a rule without a card, for calls of this one");
            }
            rules.push_back(std::move(rule.value()));
        }
        return {};
    }
};

} // namespace

Result<Profile> read_profile(const Json& root, const std::string& origin) {
    return Reader(origin).read(root);
}

} // namespace mock
