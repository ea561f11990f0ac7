// Two passes over the text: one that finds what is wrong with it as JSON and says where, and one over the keys that are
// known. The JSON library is used in its modes that do not throw.
#include "loader/manifest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "loader/library.h"
#include "qiao/plugin.h"

namespace qiao::loader {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxPath = 4096;
constexpr size_t kMaxText = 1024;

Problem bad(const std::string& path, std::string reason, std::string remedy = "correct the file, or remove it") {
    return {QIAO_CANDIDATE_STATE_BAD_MANIFEST, path + ": " + std::move(reason), std::move(remedy)};
}

// Does not wait on pipes, and does not believe the size that the file system tells.
Verdict read_text(const std::string& path, std::string& out_text) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return bad(path, std::string("cannot be opened: ") + strerror(errno), "make it readable, or remove it");
    struct stat about;
    ssize_t got = 0;
    int error = fstat(file, &about) == 0 ? 0 : errno;
    const bool regular = error == 0 && S_ISREG(about.st_mode);
    out_text.resize(kMaxManifestBytes + 1);
    size_t size = 0;
    while (regular && size < out_text.size()) {
        got = ::read(file, out_text.data() + size, out_text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) error = errno;
        if (got <= 0) break;
        size += static_cast<size_t>(got);
    }
    ::close(file);
    out_text.resize(size);
    if (error != 0)
        return bad(path, std::string("cannot be read: ") + strerror(error), "make it readable, or remove it");
    if (!regular) return bad(path, "is not a regular file", "remove it, or put a manifest there");
    if (size > kMaxManifestBytes) {
        return bad(path, "is larger than " + std::to_string(kMaxManifestBytes) + " bytes, the limit of a manifest");
    }
    return std::nullopt;
}

// First pass: is it JSON, how deep, and does an object have a key twice, of which one would silently win.
class Inspector final : public nlohmann::json_sax<Json> {
  public:
    const std::string& problem() const { return problem_; }

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override {
        keys_.emplace_back();
        return deeper();
    }
    bool end_object() override {
        keys_.pop_back();
        --depth_;
        return true;
    }
    bool start_array(std::size_t) override { return deeper(); }
    bool end_array() override {
        --depth_;
        return true;
    }
    bool key(string_t& key) override {
        if (!keys_.back().insert(key).second) problem_ = "the key " + in_quotes(key) + " is there twice";
        return problem_.empty();
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
        std::string_view words = error.what();
        if (const size_t end = words.find("] "); end != std::string_view::npos) words.remove_prefix(end + 2);
        problem_ = "is not valid JSON: " + printable(words, 300);
        return false;
    }

  private:
    bool deeper() {
        if (++depth_ > kMaxManifestDepth) {
            problem_ =
                "is nested deeper than " + std::to_string(kMaxManifestDepth) + " levels, the limit of a manifest";
        }
        return problem_.empty();
    }

    std::string problem_;
    std::vector<std::set<std::string>> keys_;
    int depth_ = 0;
};

// Second pass: takes keys out of one object and keeps the first thing that is wrong.
class Reader {
  public:
    Reader(const std::string& path, const Json& object, std::string prefix = "")
        : path_(path), object_(object), prefix_(std::move(prefix)) {}

    void text(const char* key, bool required, size_t limit, const char* allowed, std::string& out_text) {
        const Json* value = find(key, required, allowed);
        if (value == nullptr) return;
        const auto* text = value->get_ptr<const std::string*>();
        if (text == nullptr || text->size() > limit || (required && text->empty()) ||
            text->find('\0') != std::string::npos) {
            return wrong(key, *value, allowed);
        }
        out_text = *text;
    }
    void number(const char* key, uint32_t least, uint32_t most, const char* allowed, uint32_t& out_number) {
        const Json* value = find(key, true, allowed);
        if (value == nullptr) return;
        const auto* number = value->get_ptr<const uint64_t*>();
        if (number == nullptr || *number < least || *number > most) return wrong(key, *value, allowed);
        out_number = static_cast<uint32_t>(*number);
    }
    // An optional text, or a list of them, that keeps a rule.
    void matching(const char* key, const char* allowed, bool (*good)(std::string_view), std::string& out_text) {
        const Json* value = find(key, false, allowed);
        if (value == nullptr) return;
        const auto* text = value->get_ptr<const std::string*>();
        if (text == nullptr || !good(*text)) return wrong(key, *value, allowed);
        out_text = *text;
    }
    void matching(const char* key, const char* allowed, bool (*good)(std::string_view),
                  std::vector<std::string>& out_texts) {
        const Json* values = list(key, kMaxHardwareNames, allowed);
        for (size_t i = 0; values != nullptr && i < values->size(); ++i) {
            const auto* text = (*values)[i].get_ptr<const std::string*>();
            if (text == nullptr || !good(*text)) return wrong(key, *values, allowed);
            out_texts.push_back(*text);
        }
    }
    // Null = it is not there, or is wrong.
    const Json* list(const char* key, size_t most, const char* allowed) {
        const Json* value = find(key, false, allowed);
        if (value == nullptr || (value->is_array() && !value->empty() && value->size() <= most)) return value;
        wrong(key, *value, allowed);
        return nullptr;
    }
    const Json* object(const char* key, const char* allowed) {
        const Json* value = find(key, true, allowed);
        if (value == nullptr || value->is_object()) return value;
        wrong(key, *value, allowed);
        return nullptr;
    }
    void wrong(const char* key, const Json& value, const char* allowed) {
        const std::string shown = value.dump(-1, ' ', false, Json::error_handler_t::replace);
        fail("the key \"" + prefix_ + key + "\" is " + printable(shown, 80) + "; it must be " + allowed);
    }
    void fail(std::string reason) {
        if (!problem_) problem_ = bad(path_, std::move(reason));
    }
    // Keys of the plugin's own begin with "x-".
    void collect_unknown(const std::set<std::string>& known, std::vector<std::string>& out_keys) const {
        for (const auto& [key, value] : object_.items()) {
            if (!known.contains(key) && !key.starts_with("x-")) out_keys.push_back(prefix_ + key);
        }
    }
    const Verdict& problem() const { return problem_; }

  private:
    const Json* find(const char* key, bool required, const char* allowed) {
        const auto found = object_.find(key);
        if (found != object_.end()) return &*found;
        if (required) fail("the key \"" + prefix_ + key + "\" is missing; it must be " + allowed);
        return nullptr;
    }

    const std::string& path_;
    const Json& object_;
    std::string prefix_;
    Verdict problem_;
};

// A relative path counts from the manifest's folder. A bare name is a file there, else what the system's loader finds.
std::string library_path(const std::string& manifest, const std::string& library) {
    const std::filesystem::path named(library);
    if (named.is_absolute()) return library;
    std::filesystem::path folder = std::filesystem::path(manifest).parent_path();
    if (folder.empty()) folder = ".";
    std::error_code error;
    if (!named.has_parent_path() && !std::filesystem::exists(folder / named, error)) return library;
    const std::filesystem::path whole = folder / named;
    const auto resolved = std::filesystem::weakly_canonical(whole.parent_path(), error);
    return error ? whole.string() : (resolved / whole.filename()).string();
}

constexpr const char* kWholeNumber = "a whole number from 0 to 4294967295";
constexpr const char* kAbi = R"(an object such as {"major": 1, "minor": 0})";
constexpr const char* kId = "1 to 32 characters of a-z, 0-9, _ and -, and not \"core\"";
constexpr const char* kLibrary =
    "the library's path, absolute or relative to the manifest, or its bare name, up to 4096 bytes";
constexpr const char* kText = "a text of up to 1024 bytes";

constexpr const char* kHardware = R"(a list of 1 to 64 objects such as {"pci_vendor": "0x1234", "drivers": ["name"]})";
constexpr const char* kPciId = "four lower-case hexadecimal digits after 0x, such as \"0x1d94\"";
constexpr const char* kPciIds = R"(a list of 1 to 256 texts such as "0x6210")";
constexpr const char* kDrivers = "a list of 1 to 256 kernel drivers' names, of A-Z, a-z, 0-9, _ and -, up to 64 characters";

bool is_pci_id(std::string_view text) {
    return text.size() == 6 && text.starts_with("0x") &&
           text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

// Becomes part of a path below sysfs.
bool is_driver_name(std::string_view text) {
    const auto good = [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), good);
}

Verdict interpret_hardware(const std::string& path, const Json& list, Manifest& manifest) {
    for (size_t i = 0; i < list.size(); ++i) {
        const std::string name = "hardware[" + std::to_string(i) + "]";
        if (!list[i].is_object()) return bad(path, "the key \"" + name + "\" is no object; \"hardware\" must be " + kHardware);
        Reader reader(path, list[i], name + ".");
        HardwareMatch kind;
        reader.matching("pci_vendor", kPciId, is_pci_id, kind.pci_vendor);
        reader.matching("pci_devices", kPciIds, is_pci_id, kind.pci_devices);
        reader.matching("drivers", kDrivers, is_driver_name, kind.drivers);
        if (kind.pci_vendor.empty() && !kind.pci_devices.empty())
            reader.fail("the key \"" + name + ".pci_devices\" is there without \"pci_vendor\"");
        if (kind.pci_vendor.empty() && kind.drivers.empty())
            reader.fail("the key \"" + name + "\" has neither \"pci_vendor\" nor \"drivers\", so every machine would match");
        reader.collect_unknown({"pci_vendor", "pci_devices", "drivers"}, manifest.unknown_keys);
        if (reader.problem()) return reader.problem();
        manifest.hardware.push_back(std::move(kind));
    }
    return std::nullopt;
}

Verdict interpret(const std::string& path, const Json& json, Manifest& manifest) {
    Reader reader(path, json);
    std::string library, description;
    uint32_t format = 0;
    reader.number("qiao_manifest", 1, 1, "1, the number of the manifest's format", format);
    reader.text("id", true, kMaxIdLength, kId, manifest.id);
    if (!manifest.id.empty() && !is_plugin_id(manifest.id)) {
        reader.wrong("id", json["id"], kId);
        manifest.id.clear();
    }
    reader.text("library", true, kMaxPath, kLibrary, library);
    reader.text("version", false, kMaxText, kText, manifest.version);
    reader.text("description", false, kMaxText, kText, description);
    reader.text("architecture", false, kMaxText, R"(a machine as "uname -m" names it, such as "x86_64" or "aarch64")",
                manifest.architecture);
    if (const Json* abi = reader.object("abi", kAbi)) {
        Reader inner(path, *abi, "abi.");
        inner.number("major", 0, UINT32_MAX, kWholeNumber, manifest.abi_major);
        inner.number("minor", 0, UINT32_MAX, kWholeNumber, manifest.abi_minor);
        inner.collect_unknown({"major", "minor"}, manifest.unknown_keys);
        if (!reader.problem() && inner.problem()) return inner.problem();
    }
    if (const Json* hardware = reader.list("hardware", kMaxHardwareKinds, kHardware)) {
        if (Verdict problem = interpret_hardware(path, *hardware, manifest); problem && !reader.problem()) return problem;
    }
    reader.collect_unknown({"qiao_manifest", "id", "library", "version", "description", "architecture", "abi", "hardware"},
                           manifest.unknown_keys);
    if (!library.empty()) manifest.library = library_path(path, library);
    return reader.problem();
}

} // namespace

Verdict read_manifest(const std::string& path, Manifest& out_manifest) {
    std::string text;
    out_manifest.path = path;
    if (Verdict problem = read_text(path, text)) return problem;
    return parse_manifest(path, std::move(text), out_manifest);
}

Verdict parse_manifest(const std::string& path, std::string text, Manifest& out_manifest) {
    out_manifest.path = path;
    out_manifest.text = std::move(text);
    // The JSON library takes one for the end, and so would a plugin that is given the text.
    if (out_manifest.text.find('\0') != std::string::npos) return bad(path, "is not valid JSON: it has a NUL byte");
    Inspector inspector;
    const bool good = Json::sax_parse(out_manifest.text, &inspector);
    if (!good || !inspector.problem().empty()) return bad(path, inspector.problem());
    const Json json = Json::parse(out_manifest.text, nullptr, false);
    if (!json.is_object())
        return bad(path, std::string("is JSON of type ") + json.type_name() + "; a manifest is an object");
    return interpret(path, json, out_manifest);
}

Verdict check_host(const Manifest& manifest) {
    const std::string own = own_architecture();
    if (!manifest.architecture.empty() && manifest.architecture != own) {
        return Problem{QIAO_CANDIDATE_STATE_INCOMPATIBLE,
                       "its manifest says it is for " + in_quotes(manifest.architecture) +
                           "; this Qiao is built for \"" + own + "\"",
                       "install the plugin's build for " + own};
    }
    if (manifest.abi_major == QIAO_PLUGIN_ABI_MAJOR && manifest.abi_minor <= QIAO_PLUGIN_ABI_MINOR) return std::nullopt;
    const bool newer = manifest.abi_major >= QIAO_PLUGIN_ABI_MAJOR;
    const std::string ours = std::to_string(QIAO_PLUGIN_ABI_MAJOR) + "." + std::to_string(QIAO_PLUGIN_ABI_MINOR);
    return Problem{
        QIAO_CANDIDATE_STATE_INCOMPATIBLE,
        "its manifest says it needs plugin ABI " + std::to_string(manifest.abi_major) + "." +
            std::to_string(manifest.abi_minor) + "; this Qiao speaks " + ours,
        newer ? "update Qiao, or install an older release of the plugin" : "install a newer release of the plugin"};
}

bool is_plugin_id(std::string_view text) {
    return !text.empty() && text.size() <= kMaxIdLength && text != "core" &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

} // namespace qiao::loader
