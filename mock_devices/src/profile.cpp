/* Reads profiles. Files are untrusted: size, nesting, types, ranges and spelling are checked, and every error names the
 * file, the key and its value. */
#include "mock/profile.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "builtin_profiles.h"

namespace mock {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kTiB = uint64_t{1} << 40;
constexpr size_t kMaxFileBytes = 1 << 20;
constexpr int kMaxDepth = 16;
constexpr uint64_t kMaxCards = 1024;

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
    {"lost_after_operations", 1, UINT32_MAX,
     [](CardProfile& card, uint64_t value) { card.lost_after_operations = value; }},
};

/* A value as the user wrote it, cut so that an error stays readable. */
std::string show(const Json& value) {
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
}

/* One profile being read; the first error stops. */
class Reader {
  public:
    explicit Reader(const std::string& origin) : origin_(origin) {}

    Result<Profile> read(const Json& root) {
        Profile profile;
        if (!root.is_object()) return wrong("the file", root, "an object with \"description\" and \"cards\"");
        for (const auto& [key, value] : root.items()) {
            Status status;
            if (key == "description") {
                status = read_text(key, value, 512, profile.description);
            } else if (key == "cards") {
                status = read_cards(value, profile.cards);
            } else {
                status = unknown(key, value, "description, cards");
            }
            if (!status.ok()) return status;
        }
        if (!root.contains("cards")) return missing("cards");
        return profile;
    }

  private:
    Status fail(const std::string& what) const {
        return {Code::kInvalid, "profile " + origin_ + ": " + what, "correct the profile, or choose another one"};
    }
    Status wrong(const std::string& key, const Json& value, const std::string& expected) const {
        return fail(key + " = " + show(value) + ": must be " + expected);
    }
    Status unknown(const std::string& key, const Json& value, const std::string& known) const {
        return fail("\"" + key + "\" = " + show(value) + ": unknown key; known are " + known);
    }
    Status missing(const std::string& key) const { return fail(key + " is missing"); }

    Status read_text(const std::string& key, const Json& value, size_t most, std::string& out) const {
        if (!value.is_string() || value.get_ref<const std::string&>().size() > most) {
            return wrong(key, value, "a text of at most " + std::to_string(most) + " bytes");
        }
        out = value.get<std::string>();
        return {};
    }

    Status read_number(const std::string& key, const Json& value, uint64_t least, uint64_t most, uint64_t& out) const {
        if (!value.is_number_unsigned() || value.get<uint64_t>() < least || value.get<uint64_t>() > most) {
            return wrong(key, value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        }
        out = value.get<uint64_t>();
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
        std::string known = "name, kind, count";
        for (const NumberKey& number : kNumberKeys) {
            if (key == number.name) {
                uint64_t parsed = 0;
                Status status = read_number(where, value, number.least, number.most, parsed);
                if (status.ok()) number.set(card, parsed);
                return status;
            }
            known += std::string(", ") + number.name;
        }
        return unknown(where, value, known);
    }

    const std::string& origin_;
};

bool is_path(const std::string& text) {
    return text.find('/') != std::string::npos || text.ends_with(".json");
}

Result<Profile> load_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Status(Code::kNotFound, "profile \"" + path + "\": cannot be opened: " + std::strerror(errno),
                      "give the path of a profile, or the name of a built-in one");
    }
    std::string text(kMaxFileBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.size() > kMaxFileBytes) {
        return Status(Code::kInvalid,
                      "profile \"" + path + "\": longer than " + std::to_string(kMaxFileBytes) + " bytes");
    }
    Result<Profile> profile = parse_profile(text, "\"" + path + "\"");
    if (profile.ok()) {
        std::string stem = path.substr(path.rfind('/') + 1);
        if (stem.ends_with(".json")) stem.resize(stem.size() - 5);
        profile.value().name = stem;
    }
    return profile;
}

} // namespace

Result<Profile> parse_profile(std::string_view json, const std::string& origin) {
    std::string objection;
    std::vector<std::set<std::string>> keys; /* of the objects that are open */
    const auto inspect = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > kMaxDepth) objection = "nested deeper than " + std::to_string(kMaxDepth) + " levels";
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
            objection = "the key " + show(parsed) + " stands twice in one object";
        }
        return true;
    };
    try {
        const Json root = Json::parse(json, inspect);
        if (!objection.empty()) {
            return Status(Code::kInvalid, "profile " + origin + ": " + objection, "correct the profile");
        }
        return Reader(origin).read(root);
    } catch (const Json::exception& exception) {
        return Status(Code::kInvalid, "profile " + origin + ": not JSON: " + exception.what(), "correct the profile");
    }
}

std::vector<std::string_view> builtin_profiles() {
    std::vector<std::string_view> names;
    for (const BuiltinProfile& profile : builtin_profile_texts())
        names.push_back(profile.name);
    std::sort(names.begin(), names.end());
    return names;
}

Result<Profile> load_profile(const std::string& name_or_path) {
    if (is_path(name_or_path)) return load_file(name_or_path);
    for (const BuiltinProfile& builtin : builtin_profile_texts()) {
        if (builtin.name != name_or_path) continue;
        Result<Profile> profile = parse_profile(builtin.json, "\"" + name_or_path + "\"");
        if (profile.ok()) profile.value().name = name_or_path;
        return profile;
    }
    std::string known;
    for (std::string_view name : builtin_profiles())
        known += (known.empty() ? "" : ", ") + std::string(name);
    return Status(Code::kNotFound, "profile \"" + name_or_path + "\": there is no built-in profile of that name",
                  "choose one of " + known + ", or the path of a JSON file");
}

} // namespace mock
