// Each key is read by one of two functions that word what is wrong with it. The JSON library is used without exceptions.
#include "loader/manifest.h"

#include <sys/utsname.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace qiao::loader {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 8;

bool read_text(const std::string& path, std::string& out_text, std::string& error) {
    std::error_code status;
    const auto size = std::filesystem::file_size(path, status);
    if (status) {
        error = "cannot be read: " + status.message();
        return false;
    }
    if (size > kMaxManifestBytes) {
        error = "has " + std::to_string(size) + " bytes; a manifest has at most " + std::to_string(kMaxManifestBytes);
        return false;
    }
    std::ifstream file(path, std::ios::binary);
    out_text.resize(size);
    file.read(out_text.data(), static_cast<std::streamsize>(size));
    if (!file) {
        error = "cannot be read";
        return false;
    }
    return true;
}

bool parse(const std::string& text, Json& out_json, std::string& error) {
    bool too_deep = false;
    const auto watch = [&too_deep](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > kMaxDepth;
        return !too_deep;
    };
    out_json = Json::parse(text, watch, false);
    if (too_deep) error = "is nested more than " + std::to_string(kMaxDepth) + " deep";
    else if (out_json.is_discarded()) error = "is not valid JSON";
    else if (!out_json.is_object()) error = "is not a JSON object";
    return error.empty();
}

bool read_string(const Json& json, const char* key, bool required, std::string& out_text, std::string& error) {
    const auto found = json.find(key);
    if (found == json.end()) {
        if (required) error = std::string("lacks the key \"") + key + "\"";
        return !required;
    }
    if (!found->is_string()) {
        error = std::string("key \"") + key + "\" must be a string, it is " + found->type_name();
        return false;
    }
    out_text = found->get<std::string>();
    if (required && out_text.empty()) error = std::string("key \"") + key + "\" is empty";
    if (out_text.find('\0') != std::string::npos) error = std::string("key \"") + key + "\" contains a NUL";
    return error.empty();
}

bool read_number(const Json& json, const char* key, uint32_t& out_number, std::string& error) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_unsigned() || found->get<uint64_t>() > UINT32_MAX) {
        error = std::string("key \"") + key + "\" must be a number from 0 to 4294967295";
        return false;
    }
    out_number = found->get<uint32_t>();
    return true;
}

bool is_id(const std::string& id) {
    return id.size() <= 32 && id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
}

bool interpret(const Json& json, Manifest& manifest, std::string& error) {
    uint32_t version = 0;
    if (!read_number(json, "qiao_manifest", version, error)) return false;
    if (version != 1) {
        error = "key \"qiao_manifest\" is " + std::to_string(version) + "; this version reads 1";
        return false;
    }
    if (!read_string(json, "id", true, manifest.id, error) || !read_string(json, "library", true, manifest.library, error) ||
        !read_string(json, "version", false, manifest.version, error) ||
        !read_string(json, "architecture", false, manifest.architecture, error) ||
        !read_string(json, "description", false, manifest.description, error)) {
        return false;
    }
    if (!is_id(manifest.id)) {
        error = "key \"id\" is \"" + manifest.id.substr(0, 64) + "\"; it takes at most 32 of a-z, 0-9, _ and -";
        return false;
    }
    const auto abi = json.find("abi");
    if (abi == json.end() || !abi->is_object()) {
        error = "lacks the object \"abi\"";
        return false;
    }
    if (!read_number(*abi, "major", manifest.abi_major, error) || !read_number(*abi, "minor", manifest.abi_minor, error)) return false;
    static const std::set<std::string> kKeys = {"qiao_manifest", "id", "library", "abi", "version", "architecture", "description"};
    for (const auto& item : json.items()) {
        if (!kKeys.contains(item.key())) manifest.unknown_keys.push_back(item.key());
    }
    return true;
}

}  // namespace

bool read_manifest(const std::string& path, Manifest& out_manifest, std::string& error) {
    Json json;
    return read_text(path, out_manifest.text, error) && parse(out_manifest.text, json, error) && interpret(json, out_manifest, error);
}

std::string own_architecture() {
    utsname name;
    return uname(&name) == 0 ? name.machine : "";
}

}  // namespace qiao::loader
