// See family_reader.h. Each file is read on its own, and then laid over what the file has that it is "like": so a line can be named
// for everything that is wrong.
#include "family_reader.h"

#include <ctype.h>
#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <initializer_list>

#include "located_json.h"
#include "qiao/types.h"
#include "trusted_file.h"

namespace qiao::cuda {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxTexts = 32;
constexpr size_t kMaxText = 512;
constexpr size_t kMaxLikes = 4;

// ---------------------------------------------------------------------------------------------- words

struct Problem {
    std::string text;
};

template <typename Names>
std::string join(const Names& names, const char* between = ", ") {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : between) + std::string(name);
    return text;
}

bool is_identifier(std::string_view text) {
    if (text.starts_with('*')) text.remove_prefix(1); // the prefix
    if (text.empty() || isdigit(static_cast<unsigned char>(text[0])) != 0) return false;
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return isalnum(c) != 0 || c == '_'; });
}

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= 32 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return islower(c) != 0 || isdigit(c) != 0 || c == '_' || c == '-'; });
}

// ---------------------------------------------------------------------------------------------- one file

// Takes values out of one file; the first thing that is wrong ends it.
class File {
  public:
    File(std::string path, LocatedJson json) : path_(std::move(path)), json_(std::move(json)) {}

    const Json& root() const { return json_.root; }
    const std::string& path() const { return path_; }

    [[noreturn]] void fail(const std::string& key, const std::string& reason) const {
        const auto line = json_.lines.find(key);
        throw Problem{path_ + (line == json_.lines.end() ? "" : ":" + std::to_string(line->second)) + ": " + reason};
    }
    [[noreturn]] void wrong(const std::string& key, const Json& value, const std::string& allowed) const {
        std::string shown = value.dump(-1, ' ', false, Json::error_handler_t::replace);
        if (shown.size() > 80) shown = shown.substr(0, 80) + "...";
        fail(key, "the key \"" + key + "\" is " + shown + "; it must be " + allowed);
    }

    // Null where it is not there.
    const Json* find(const Json& object, const char* key) const {
        const auto found = object.find(key);
        return found == object.end() ? nullptr : &*found;
    }
    const Json& object(const std::string& key, const Json& value, const std::string& allowed) const {
        if (!value.is_object()) wrong(key, value, allowed);
        return value;
    }
    std::string text(const std::string& key, const Json& value, const std::string& allowed = "text") const {
        const auto* text = value.get_ptr<const std::string*>();
        if (text == nullptr || text->empty() || text->size() > kMaxText || text->find('\0') != std::string::npos) wrong(key, value, allowed);
        return *text;
    }
    std::vector<std::string> texts(const std::string& key, const Json& value, const std::string& allowed = "a list of texts") const {
        if (!value.is_array() || value.size() > kMaxTexts) wrong(key, value, allowed + ", up to " + std::to_string(kMaxTexts));
        std::vector<std::string> list;
        for (const Json& element : value) list.push_back(text(key, element, allowed));
        return list;
    }
    int64_t number(const std::string& key, const Json& value, int64_t least, int64_t most) const {
        const auto* unsigned_number = value.get_ptr<const Json::number_unsigned_t*>();
        const auto* signed_number = value.get_ptr<const Json::number_integer_t*>();
        const bool fits = unsigned_number != nullptr ? *unsigned_number <= static_cast<uint64_t>(INT64_MAX) : signed_number != nullptr;
        if (!fits || value.get<int64_t>() < least || value.get<int64_t>() > most)
            wrong(key, value, "a whole number, " + std::to_string(least) + " to " + std::to_string(most));
        return value.get<int64_t>();
    }
    std::vector<Code> codes(const std::string& key, const Json& value) const {
        std::vector<Code> list;
        const auto add = [&](const Json& element) { list.push_back(static_cast<Code>(number(key, element, INT32_MIN, INT32_MAX))); };
        if (value.is_array())
            for (const Json& element : value) add(element);
        else
            add(value);
        return list;
    }
    // Refuses every key that is not among the known ones.
    template <typename Names>
    void only(const std::string& prefix, const Json& value, const Names& known) const {
        for (const auto& [key, unused] : value.items())
            if (std::find(std::begin(known), std::end(known), std::string_view(key)) == std::end(known))
                fail(prefix + key, "the key \"" + prefix + key + "\" is not known; known are " + join(known));
    }

  private:
    std::string path_;
    LocatedJson json_;
};

// ---------------------------------------------------------------------------------------------- vocabularies

constexpr std::string_view kKeys[] = {"qiao_family", "id", "like", "name", "prefix", "vendor", "status", "hardware", "libraries", "visible_devices",
                                      "telemetry", "formats", "target_prefix", "features", "quirks", "arguments", "allocation_alignment",
                                      "host_memory_flags", "jit_options", "slots", "attributes", "function_attributes", "results", "grades"};

struct NamedFeature {
    const char* name;
    uint64_t feature;
};
constexpr NamedFeature kFeatures[] = {
    {"fp64", QIAO_FEATURE_FP64}, {"fp16", QIAO_FEATURE_FP16}, {"int64", QIAO_FEATURE_INT64}, {"int64_atomics", QIAO_FEATURE_INT64_ATOMICS}};

struct NamedQuirk {
    const char* name;
    bool Quirks::* member;
};
constexpr NamedQuirk kQuirks[] = {
#define QIAO_CUDA_QUIRK(name) {#name, &Quirks::name},
    QIAO_CUDA_QUIRKS(QIAO_CUDA_QUIRK)
#undef QIAO_CUDA_QUIRK
};

constexpr std::string_view kAttributeNames[] = {
#define QIAO_CUDA_NAME(name) #name,
    QIAO_CUDA_ATTRIBUTES(QIAO_CUDA_NAME)
};
constexpr std::string_view kFunctionAttributeNames[] = {QIAO_CUDA_FUNCTION_ATTRIBUTES(QIAO_CUDA_NAME)};
#undef QIAO_CUDA_NAME

constexpr std::string_view kTargetRules[] = {"any", "exact", "same-major", "up-to", "preferred"}; // in the order of TargetRule
constexpr std::string_view kStates[] = {"modelled", "names-verified", "ran"};
constexpr std::string_view kGrades[] = {"V", "S", "I", "R"};

template <typename Entry, size_t count>
const Entry& look_up(const File& file, const std::string& key, const Json& value, const Entry (&entries)[count]) {
    const std::string name = file.text(key, value);
    for (const Entry& entry : entries)
        if (name == entry.name) return entry;
    std::string known;
    for (const Entry& entry : entries) known += (known.empty() ? "" : ", ") + std::string(entry.name);
    file.wrong(key, value, "out of " + known);
}

template <size_t count>
size_t choose(const File& file, const std::string& key, const Json& value, const std::string_view (&choices)[count]) {
    const std::string name = file.text(key, value, "one of " + join(choices));
    const auto found = std::find(std::begin(choices), std::end(choices), name);
    if (found == std::end(choices)) file.wrong(key, value, "one of " + join(choices));
    return static_cast<size_t>(found - std::begin(choices));
}

// ---------------------------------------------------------------------------------------------- keys

void read_status(const File& file, const Json& value, Family& family) {
    file.only("status.", file.object("status", value, "an object"), std::initializer_list<std::string_view>{"state", "date", "evidence"});
    for (const char* key : {"state", "date", "evidence"})
        if (!value.contains(key)) file.fail("status", std::string("the key \"status.") + key + "\" is missing; it must be there");
    choose(file, "status.state", value["state"], kStates);
    family.status = {file.text("status.state", value["state"]), file.text("status.date", value["date"]), file.text("status.evidence", value["evidence"])};
    const std::string& date = family.status.date;
    const auto is_digit_or_dash = [&](size_t i) { return i == 4 || i == 7 ? date[i] == '-' : isdigit(static_cast<unsigned char>(date[i])) != 0; };
    bool good = date.size() == 10;
    for (size_t i = 0; good && i < 10; ++i) good = is_digit_or_dash(i);
    if (!good) file.wrong("status.date", value["date"], "a day, as 2026-11-26");
}

void read_hardware(const File& file, const Json& value, Family& family) {
    if (!value.is_array() || value.size() > 64) file.wrong("hardware", value, "a list of up to 64 objects");
    family.hardware.clear();
    for (const Json& element : value) {
        file.only("hardware.", file.object("hardware", element, "a list of objects"), std::initializer_list<std::string_view>{"vendor", "pci_vendor", "drivers"});
        Hardware kind;
        if (!element.contains("pci_vendor")) file.fail("hardware", "the key \"hardware.pci_vendor\" is missing; it must be text as \"0x1ed5\"");
        const std::string id = file.text("hardware.pci_vendor", element["pci_vendor"]);
        char* end = nullptr;
        kind.pci_vendor = static_cast<uint32_t>(strtoul(id.c_str(), &end, 16));
        if (id.size() != 6 || !id.starts_with("0x") || *end != '\0') file.wrong("hardware.pci_vendor", element["pci_vendor"], "text as \"0x1ed5\"");
        if (const Json* vendor = file.find(element, "vendor")) kind.vendor = file.text("hardware.vendor", *vendor);
        if (const Json* drivers = file.find(element, "drivers")) kind.drivers = file.texts("hardware.drivers", *drivers);
        family.hardware.push_back(std::move(kind));
    }
}

void read_visible_devices(const File& file, const Json& value, Family& family) {
    file.only("visible_devices.", file.object("visible_devices", value, "an object"), std::initializer_list<std::string_view>{"process", "container"});
    if (const Json* list = file.find(value, "process")) family.visible_in_process = file.texts("visible_devices.process", *list);
    if (const Json* list = file.find(value, "container")) family.visible_in_container = file.texts("visible_devices.container", *list);
}

void read_formats(const File& file, const Json& value, Family& family) {
    if (!value.is_array() || value.empty() || value.size() > kMaxTexts) file.wrong("formats", value, "a list of 1 to 32 objects");
    family.formats.clear();
    for (const Json& element : value) {
        file.only("formats.", file.object("formats", element, "a list of objects"),
                  std::initializer_list<std::string_view>{"name", "magic", "text", "elf_machine", "target"});
        Format format;
        if (!element.contains("name")) file.fail("formats", "the key \"formats.name\" is missing; it must be text");
        format.name = file.text("formats.name", element["name"]);
        if (format.name.find(';') != std::string::npos) file.wrong("formats.name", element["name"], "text without ';'");
        if (const Json* magic = file.find(element, "magic")) format.magic = file.texts("formats.magic", *magic);
        if (const Json* text = file.find(element, "text")) format.text = file.texts("formats.text", *text);
        if (format.magic.empty() == format.text.empty())
            file.fail("formats.name", "the format \"" + format.name + "\" needs either \"magic\", what it begins with, or \"text\", what stands in it");
        if (const Json* machine = file.find(element, "elf_machine"))
            format.elf_machine = static_cast<uint32_t>(file.number("formats.elf_machine", *machine, 0, 65535));
        if (const Json* rule = file.find(element, "target"))
            format.target = static_cast<TargetRule>(choose(file, "formats.target", *rule, kTargetRules));
        family.formats.push_back(std::move(format));
    }
}

void read_features(const File& file, const Json& value, Family& family) {
    if (!value.is_array()) file.wrong("features", value, "a list");
    family.features = QIAO_FEATURE_ADDRESSES;
    for (const Json& element : value) family.features |= look_up(file, "features", element, kFeatures).feature;
}

void read_quirks(const File& file, const Json& value, Family& family) {
    if (!value.is_array()) file.wrong("quirks", value, "a list");
    family.quirks = {};
    for (const Json& element : value) family.quirks.*look_up(file, "quirks", element, kQuirks).member = true;
}

void read_arguments(const File& file, const Json& value, Family& family) {
    constexpr std::string_view kForms[] = {"buffer", "pointers"};
    file.only("arguments.", file.object("arguments", value, "an object"), std::initializer_list<std::string_view>{"form", "end"});
    if (!value.contains("form")) file.fail("arguments", "the key \"arguments.form\" is missing; it must be one of buffer, pointers");
    family.arguments = choose(file, "arguments.form", value["form"], kForms) == 0 ? ArgumentForm::kBuffer : ArgumentForm::kPointers;
    family.argument_end = 0;
    if (const Json* end = file.find(value, "end")) family.argument_end = static_cast<uintptr_t>(file.number("arguments.end", *end, 0, 255));
}

void read_jit_options(const File& file, const Json& value, Family& family) {
    family.error_log_option.reset();
    family.error_log_bytes_option.reset();
    if (value.is_null()) return;
    file.only("jit_options.", file.object("jit_options", value, "an object, or null"), std::initializer_list<std::string_view>{"error_log", "error_log_bytes"});
    if (!value.contains("error_log") || !value.contains("error_log_bytes"))
        file.fail("jit_options", "the keys \"jit_options.error_log\" and \"jit_options.error_log_bytes\" must both be there");
    family.error_log_option = static_cast<int>(file.number("jit_options.error_log", value["error_log"], 0, INT32_MAX));
    family.error_log_bytes_option = static_cast<int>(file.number("jit_options.error_log_bytes", value["error_log_bytes"], 0, INT32_MAX));
}

constexpr const char* kSymbolsAllowed = "names of functions, '|' between or in a list, in which * stands for the prefix; or null";

std::vector<std::string> read_symbols(const File& file, const std::string& key, const Json& value) {
    std::vector<std::string> names;
    if (value.is_null()) return names;
    if (value.is_array()) {
        names = file.texts(key, value, kSymbolsAllowed);
    } else {
        std::string rest = file.text(key, value, kSymbolsAllowed);
        for (size_t bar = 0; bar != std::string::npos; rest.erase(0, bar + 1)) {
            bar = rest.find('|');
            names.push_back(rest.substr(0, bar));
            if (bar == std::string::npos) break;
        }
    }
    for (const std::string& name : names)
        if (!is_identifier(name)) file.wrong(key, value, kSymbolsAllowed);
    for (size_t i = 0; i < names.size(); ++i)
        if (std::find(names.begin() + static_cast<std::ptrdiff_t>(i) + 1, names.end(), names[i]) != names.end())
            file.fail(key, "the key \"" + key + "\" falls back from \"" + names[i] + "\" to itself; name each function once");
    return names;
}

// What was laid over what, and where: for errors that show only when all files were read.
struct Origins {
    std::array<const File*, kSlotCount> slots = {};
};

void read_slots(const File& file, const Json& value, Family& family, Origins& origins) {
    file.only("slots.", file.object("slots", value, "an object"), kSlotNames);
    for (size_t slot = 0; slot < kSlotCount; ++slot) {
        const Json* names = file.find(value, kSlotNames[slot]);
        if (names == nullptr) continue;
        family.symbols[slot] = read_symbols(file, std::string("slots.") + kSlotNames[slot], *names);
        origins.slots[slot] = &file;
    }
}

template <typename Key, size_t count>
void read_numbers(const File& file, const std::string& prefix, const Json& value, const std::string_view (&names)[count], Numbers<Key>& out) {
    file.only(prefix + ".", file.object(prefix, value, "an object"), names);
    for (size_t i = 0; i < count; ++i) {
        const Json* number = file.find(value, names[i].data());
        if (number == nullptr) continue;
        out[i].reset();
        if (!number->is_null()) out[i] = static_cast<int>(file.number(prefix + "." + std::string(names[i]), *number, 0, INT32_MAX));
    }
}

void read_results(const File& file, const Json& value, Results& out) {
    struct Named {
        const char* name;
        std::vector<Code> Results::* member;
    };
    constexpr Named kLists[] = {{"out_of_memory", &Results::out_of_memory}, {"unsupported", &Results::unsupported}, {"no_device", &Results::no_device},
                                {"bad_image", &Results::bad_image},         {"not_found", &Results::not_found},     {"device_lost", &Results::device_lost},
                                {"already", &Results::already}};
    std::vector<std::string_view> known = {"success", "not_ready"};
    for (const Named& list : kLists) known.push_back(list.name);
    file.only("results.", file.object("results", value, "an object"), known);
    if (const Json* code = file.find(value, "success")) out.success = static_cast<Code>(file.number("results.success", *code, INT32_MIN, INT32_MAX));
    if (const Json* code = file.find(value, "not_ready")) out.not_ready = static_cast<Code>(file.number("results.not_ready", *code, INT32_MIN, INT32_MAX));
    for (const Named& list : kLists)
        if (const Json* codes = file.find(value, list.name)) out.*list.member = file.codes(std::string("results.") + list.name, *codes);
}

void read_grades(const File& file, const Json& value, Family& family) {
    family.grades.clear();
    for (const auto& [key, grade] : file.object("grades", value, "an object").items()) {
        const std::string where = "grades." + key;
        const std::string first = key.substr(0, key.find('.')), second = key.size() > first.size() ? key.substr(first.size() + 1) : "";
        const bool is_slot = first == "slots" && std::find(std::begin(kSlotNames), std::end(kSlotNames), second) != std::end(kSlotNames);
        if (std::find(std::begin(kKeys), std::end(kKeys), first) == std::end(kKeys) || (!second.empty() && !is_slot))
            file.fail(where, "the key \"" + where + "\" grades nothing; it must be a key of this file, or slots. and a slot");
        choose(file, where, grade, kGrades);
        family.grades[key] = grade.get<std::string>();
    }
}

// ---------------------------------------------------------------------------------------------- the whole

void lay_over(const File& file, Family& family, Origins& origins) {
    const Json& root = file.root();
    file.only("", root, kKeys);
    const auto with = [&](const char* key, const std::function<void(const Json&)>& read) {
        if (const Json* value = file.find(root, key)) read(*value);
    };
    with("name", [&](const Json& v) { family.name = file.text("name", v); });
    with("prefix", [&](const Json& v) {
        family.prefix = file.text("prefix", v);
        if (!is_identifier(family.prefix)) file.wrong("prefix", v, "what the names of functions begin with");
    });
    with("vendor", [&](const Json& v) { family.vendor = file.text("vendor", v); });
    with("status", [&](const Json& v) { read_status(file, v, family); });
    with("hardware", [&](const Json& v) { read_hardware(file, v, family); });
    with("libraries", [&](const Json& v) {
        family.libraries = file.texts("libraries", v);
        for (const std::string& name : family.libraries)
            if (name[0] != '/' && name.find('/') != std::string::npos) file.wrong("libraries", v, "absolute paths, and names without '/'");
    });
    with("visible_devices", [&](const Json& v) { read_visible_devices(file, v, family); });
    with("telemetry", [&](const Json& v) { family.telemetry = file.texts("telemetry", v); });
    with("formats", [&](const Json& v) { read_formats(file, v, family); });
    with("target_prefix", [&](const Json& v) { family.target_prefix = v.is_null() ? "" : file.text("target_prefix", v, "text, or null"); });
    with("features", [&](const Json& v) { read_features(file, v, family); });
    with("quirks", [&](const Json& v) { read_quirks(file, v, family); });
    with("arguments", [&](const Json& v) { read_arguments(file, v, family); });
    with("allocation_alignment", [&](const Json& v) {
        family.allocation_alignment = static_cast<uint32_t>(file.number("allocation_alignment", v, 1, 1 << 20));
        if ((family.allocation_alignment & (family.allocation_alignment - 1)) != 0) file.wrong("allocation_alignment", v, "a power of two");
    });
    with("host_memory_flags", [&](const Json& v) { family.host_memory_flags = static_cast<uint32_t>(file.number("host_memory_flags", v, 0, UINT32_MAX)); });
    with("jit_options", [&](const Json& v) { read_jit_options(file, v, family); });
    with("slots", [&](const Json& v) { read_slots(file, v, family, origins); });
    with("attributes", [&](const Json& v) { read_numbers<Attribute>(file, "attributes", v, kAttributeNames, family.attributes); });
    with("function_attributes",
         [&](const Json& v) { read_numbers<FunctionAttribute>(file, "function_attributes", v, kFunctionAttributeNames, family.function_attributes); });
    with("results", [&](const Json& v) { read_results(file, v, family.results); });
    with("grades", [&](const Json& v) { read_grades(file, v, family); });
}

File open_file(const std::vector<std::string>& folders, const std::string& id) {
    for (const std::string& folder : folders) {
        const std::string path = folder + "/" + id + ".json";
        std::string text;
        bool missing = false;
        const std::string reason = read_trusted(path, &text, &missing);
        if (missing) continue;
        if (!reason.empty()) throw Problem{path + ": " + reason};
        LocatedJson json = parse_located(text);
        if (!json.problem.empty()) throw Problem{path + ":" + std::to_string(json.problem_line) + ": " + json.problem};
        if (!json.root.is_object()) throw Problem{path + ":1: must be a JSON object"};
        return File(path, std::move(json));
    }
    throw Problem{"there is no data file of the family \"" + id + "\" in " + join(folders, " or ")};
}

std::string like_of(const File& file, const std::string& id) {
    const Json* version = file.find(file.root(), "qiao_family");
    if (version == nullptr) file.fail("", "the key \"qiao_family\" is missing; it must be 1");
    if (*version != 1) file.wrong("qiao_family", *version, "1");
    const Json* own = file.find(file.root(), "id");
    if (own == nullptr) file.fail("", "the key \"id\" is missing; it must be \"" + id + "\", as the file's name says");
    if (file.text("id", *own) != id) file.wrong("id", *own, "\"" + id + "\", as the file's name says");
    const Json* like = file.find(file.root(), "like");
    if (like == nullptr) return "";
    const std::string other = file.text("like", *like, "the id of another family");
    if (!is_id(other)) file.wrong("like", *like, "the id of another family");
    return other;
}

void check_complete(const File& file, const Family& family, const Origins& origins) {
    const auto missing = [&](const std::string& key, const char* what) { file.fail("", "the key \"" + key + "\" is missing; it must be " + what); };
    if (family.name.empty()) missing("name", "text");
    if (family.prefix.empty()) missing("prefix", "what the names of functions begin with");
    if (family.status.state.empty()) missing("status", "an object with state, date and evidence");
    if (family.libraries.empty()) missing("libraries", "a list of texts, at least one");
    if (family.formats.empty()) missing("formats", "a list of objects, at least one");
    if (family.results.success == family.results.not_ready) missing("results.not_ready", "another code than results.success");
    for (const auto& pair : kRequired) {
        const auto has = [&](Slot slot) { return !family.symbols[static_cast<size_t>(slot)].empty(); };
        if (!has(pair[0]) && !has(pair[1])) missing(std::string("slots.") + kSlotNames[static_cast<size_t>(pair[0])], kSymbolsAllowed);
    }
    if (family.quirks.launch_by_config && family.arguments == ArgumentForm::kBuffer)
        file.fail("arguments", "the key \"arguments.form\" is \"buffer\"; with the quirk launch_by_config it must be \"pointers\"");
    if (!family.quirks.no_v1_fallback) return;
    for (size_t slot = 0; slot < kSlotCount; ++slot)
        for (const std::string& name : family.symbols[slot])
            if (std::find(family.symbols[slot].begin(), family.symbols[slot].end(), name + "_v2") != family.symbols[slot].end())
                origins.slots[slot]->fail(std::string("slots.") + kSlotNames[slot],
                                          std::string("the key \"slots.") + kSlotNames[slot] + "\" falls back from \"" + name + "_v2\" to \"" + name +
                                              "\"; by the quirk no_v1_fallback that is another function, with other types");
}

Family read(const std::vector<std::string>& folders, const std::string& id) {
    std::vector<File> files; // the last one is the most general
    std::vector<std::string> ids;
    for (std::string next = id; !next.empty();) {
        if (std::find(ids.begin(), ids.end(), next) != ids.end() || ids.size() == kMaxLikes)
            files.back().fail("like", "the key \"like\" is \"" + next + "\"; it must not lead back to itself (" + join(ids, " like ") + " like " + next +
                                          "), nor over more than " + std::to_string(kMaxLikes) + " files");
        files.push_back(open_file(folders, next));
        ids.push_back(next);
        next = like_of(files.back(), next);
    }
    Family family;
    Origins origins;
    family.features = QIAO_FEATURE_ADDRESSES;
    for (auto file = files.rbegin(); file != files.rend(); ++file) lay_over(*file, family, origins);
    family.id = id;
    check_complete(files.front(), family, origins);
    for (std::vector<std::string>& names : family.symbols)
        for (std::string& name : names)
            if (name.starts_with('*')) name.replace(0, 1, family.prefix);
    return family;
}

} // namespace

std::string read_family(const std::vector<std::string>& folders, const std::string& id, Family* out) {
    try {
        if (!is_id(id)) return "\"" + id + "\" is no id of a family";
        *out = read(folders, id);
        return "";
    } catch (const Problem& problem) {
        return problem.text;
    }
}

std::vector<std::string> family_folders(const char* plugin_directory) {
    std::vector<std::string> folders;
    const char* extra = secure_getenv("QIAO_CUDA_FAMILIES");
    if (extra != nullptr && extra[0] == '/') folders.emplace_back(extra);
    folders.push_back(std::string(plugin_directory != nullptr ? plugin_directory : ".") + "/cuda/families");
    return folders;
}

} // namespace qiao::cuda
