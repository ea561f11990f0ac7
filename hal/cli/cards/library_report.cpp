/* The report names files without their folders: nothing in it tells of the machine where it was made. */
#include "cli/cards/library_report.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "cli/array/files.h"
#include "cli/cards/comparison.h"
#include "cli/facts.h"
#include "cli/plugin/elf.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "package/package.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* state_name(SlotState state) {
    switch (state) {
        case SlotState::Found:
            return "found";
        case SlotState::Fallback:
            return "fallback";
        case SlotState::Missing:
            return "missing";
        case SlotState::None:
            return "none";
    }
    return "";
}

struct Subject {
    std::string file; /* its name */
    size_t bytes = 0;
    std::string sha256;
    SharedLibrary about;
};

Subject read_subject(const std::string& path) {
    Subject subject;
    subject.file = std::filesystem::path(path).filename().string();
    subject.about = read_shared_library(path);
    const std::vector<std::byte> content = read_file(path);
    subject.bytes = content.size();
    subject.sha256 = package::sha256_hex(content);
    return subject;
}

Family chosen_family(const LibraryOptions& options, const SharedLibrary& library) {
    if (!options.family.empty()) return family_named(options.family);
    const std::vector<Family> families = all_families();
    if (const Family* likeliest = likeliest_family(library.exports, families)) return *likeliest;
    std::vector<std::string> ids;
    for (const Family& family : families)
        ids.push_back(family.id);
    throw Failure(kExitFailed, text(options.library, ": its names are those of no family that is known (", join(ids, ", "), ")"),
                  "name the family that it should be compared with: --family ID, or --family FILE for a data file of your own");
}

Json to_json(const ComparedSlot& compared) {
    return {{"slot", compared.slot->name}, {"state", state_name(compared.state)}, {"symbol", compared.symbol},  {"names", compared.slot->symbols},
            {"needed", compared.needed},   {"grade", compared.slot->grade},       {"similar", compared.similar}};
}

Json to_json(const Subject& subject, const Family& family, const LibraryComparison& comparison) {
    Json json = {
        {"schema", "qiao.doctor.library/1"},
        {"version", text(QIAO_VERSION_MAJOR, ".", QIAO_VERSION_MINOR, ".", QIAO_VERSION_PATCH)},
        {"library",
         {{"file", subject.file},
          {"size_bytes", subject.bytes},
          {"sha256", subject.sha256},
          {"machine", subject.about.machine},
          {"needed", subject.about.needed}}},
        {"family", {{"id", family.id}, {"name", family.name}, {"state", family.state}, {"date", family.date}, {"evidence", family.evidence}}},
        {"found", comparison.found},
        {"fallback", comparison.fallback},
        {"missing", comparison.missing},
        {"needed", comparison.needed},
        {"slots", Json::array()}};
    for (const ComparedSlot& compared : comparison.slots)
        json["slots"].push_back(to_json(compared));
    return json;
}

/* With all names of the family's, so that whoever gets it can mend the table. */
void write_report(const std::string& path, Json json, const Subject& subject, const Family& family) {
    json["exports"] = Json::array();
    for (const std::string& name : subject.about.exports) {
        if (name.starts_with(family.prefix)) json["exports"].push_back(name);
    }
    const std::string words = json.dump(2) + "\n";
    write_file(path, std::as_bytes(std::span(words)));
}

std::string remark_of(const ComparedSlot& compared) {
    if (compared.state == SlotState::Fallback) return "in place of " + compared.slot->symbols.front();
    if (compared.state != SlotState::Missing) return "";
    const std::string similar = compared.similar.empty() ? "" : "; similar: " + join(compared.similar, ", ");
    return (compared.needed ? "the plugin cannot do without" : "the plugin does without") + similar;
}

std::string to_text(const Subject& subject, const Family& family, const LibraryComparison& comparison) {
    std::string result = coloured(Colour::Title, printable(subject.file)) +
                         text(": ", bytes_text(subject.bytes), ", ", printable(subject.about.machine),
                              ", exported names: ", subject.about.exports.size(), ", with ", family.prefix, ": ", comparison.with_prefix, "\n");
    result += text("compared with the family ", family.id, ", ", printable(family.name), " (", family.state, ", ", family.date, ": ",
                   printable(family.evidence), ")\n");
    if (subject.about.machine != own_machine())
        result += coloured(Colour::Warning, text("it is made for ", printable(subject.about.machine), "; programs of this machine (", own_machine(), ") cannot open it")) + "\n";
    Table table;
    for (const ComparedSlot& compared : comparison.slots) {
        if (compared.state == SlotState::None && !compared.needed) continue;
        const Colour colour = compared.needed ? Colour::Bad : compared.state == SlotState::Found ? Colour::Good : Colour::Warning;
        const std::string symbol = !compared.symbol.empty() ? compared.symbol : compared.slot->symbols.empty() ? "" : compared.slot->symbols.front();
        table.add_row({coloured(colour, state_name(compared.state)), compared.slot->name, printable(symbol), printable(remark_of(compared))});
    }
    result += table.text("  ");
    result += coloured(Colour::Title, text("found: ", comparison.found, ", by another name: ", comparison.fallback, ", missing: ", comparison.missing,
                                           ", of these needed: ", comparison.needed)) +
              "\n";
    return result;
}

} // namespace

int check_library(const LibraryOptions& options) {
    const Subject subject = read_subject(options.library);
    const Family family = chosen_family(options, subject.about);
    const LibraryComparison comparison = compare(subject.about.exports, family);
    const Json json = to_json(subject, family, comparison);
    if (!options.report.empty()) write_report(options.report, json, subject, family);
    if (options.json) {
        print_json(json);
    } else {
        print(to_text(subject, family, comparison));
        if (!options.report.empty())
            note(text("the report is in ", printable(options.report), "; it names functions of the library, and no folder of this machine"));
    }
    return options.strict && comparison.needed > 0 ? kExitFailed : kExitOk;
}

} // namespace qiao::cli
