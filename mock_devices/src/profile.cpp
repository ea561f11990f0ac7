/* Reads profiles. Files are untrusted: size, nesting and spelling are checked here, the keys by profile_reader.cpp; every
 * error names the file, the key and its value. */
#include "mock/profile.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "builtin_profiles.h"
#include "profile_reader.h"

namespace mock {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr int kMaxDepth = 16;

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

std::string show_json(const Json& value) {
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
}

Result<Profile> parse_profile(std::string_view json, const std::string& origin) {
    std::string objection;
    std::vector<std::set<std::string>> keys; /* of the objects that are open */
    const auto inspect = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > kMaxDepth) objection = "nested deeper than " + std::to_string(kMaxDepth) + " levels";
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
            objection = "the key " + show_json(parsed) + " stands twice in one object";
        }
        return true;
    };
    try {
        const Json root = Json::parse(json, inspect);
        if (!objection.empty()) {
            return Status(Code::kInvalid, "profile " + origin + ": " + objection, "correct the profile");
        }
        return read_profile(root, origin);
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
