/* What was found out about a plugin, for people and for programs. */
#include <map>

#include "cli/plugin/check.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* state_name(CheckState state) {
    return state == CheckState::Ok ? "ok" : state == CheckState::Warning ? "warning" : "problem";
}

std::string state_text(CheckState state) {
    return coloured(state == CheckState::Ok        ? Colour::Good
                    : state == CheckState::Warning ? Colour::Warning
                                                   : Colour::Bad,
                    state_name(state));
}

std::string title(const PluginReport& report) {
    std::string words = coloured(Colour::Title, printable(report.file)) + "\n";
    if (report.facts.contains("plugin")) {
        const Json& plugin = report.facts["plugin"];
        words += printable(text("  plugin ", plugin["id"].get<std::string>(), " ", plugin["version"].get<std::string>(), " (",
                                plugin["build"].get<std::string>(), ")")) +
                 "\n";
    }
    return words;
}

std::string checks_text(const PluginReport& report) {
    Table table;
    for (const Check& check : report.checks) {
        table.add_row({state_text(check.state), printable(check.name), printable(check.detail)});
        if (!check.remedy.empty()) table.add_row({"", "", "try: " + printable(check.remedy)});
    }
    return coloured(Colour::Title, "Checks") + "\n" + table.text("  ");
}

std::string tables_text(const Json& tables) {
    std::string words;
    for (const Json& table : tables) {
        const auto size = table["size_bytes"].get<size_t>();
        const auto known = table["known_bytes"].get<size_t>();
        words += text(words.empty() ? "  tables: " : ", ", table["name"].get<std::string>(), " ");
        words += size == 0 ? "none" : size == known ? text(size, " bytes") : text(size, " bytes (this Qiao knows ", known, ")");
    }
    return words + "\n";
}

/* "T0 13 of 13 present and 9 tried, T1 0 of 11, ..." */
std::string counts_text(const PluginReport& report) {
    struct Count {
        int present = 0, tried = 0, all = 0;
    };
    std::map<std::string, Count> counts; /* by tier; "T..." sorts before "any" */
    for (const Json& slot : report.facts["slots"]) {
        Count& count = counts[slot["tier"]];
        count.present += slot["present"].get<bool>() ? 1 : 0;
        count.tried += report.tried.contains(slot["name"]) ? 1 : 0;
        ++count.all;
    }
    std::string words;
    for (const auto& [tier, count] : counts) {
        words += text(words.empty() ? "" : ", ", tier, " ", count.present, " of ", count.all);
        if (count.present > 0) words += text(" present and ", count.tried, " tried");
    }
    return words;
}

std::string slot_state(const PluginReport& report, const Json& slot) {
    if (slot["present"].get<bool>()) {
        return report.tried.contains(slot["name"]) ? coloured(Colour::Good, "works") : coloured(Colour::Warning, "not tried");
    }
    return slot["required"].get<bool>() ? coloured(Colour::Bad, "MISSING") : coloured(Colour::Quiet, "missing");
}

std::string slots_text(const PluginReport& report) {
    if (!report.facts.contains("slots")) return "";
    const Json& slots = report.facts["slots"];
    Table table;
    for (const char* tier : {"T0", "T1", "T2", "any"}) {
        for (const Json& slot : slots) {
            if (slot["tier"] != tier) continue;
            const std::string brings = text(slot["required"].get<bool>() ? "required: " : "", slot["brings"].get<std::string>());
            table.add_row({tier, slot["name"].get<std::string>(), slot_state(report, slot), slot["present"].get<bool>() ? "" : brings});
        }
    }
    return coloured(Colour::Title, "Slots") + ", and what missing ones would bring: " + counts_text(report) + "\n" + tables_text(report.facts["tables"]) +
           table.text("  ");
}

std::string verdict(const PluginReport& report) {
    if (report.problem()) return "There are problems.";
    int untried = 0;
    for (const Json& slot : report.facts.value("slots", Json::array()))
        untried += slot["required"].get<bool>() && slot["present"].get<bool>() && !report.tried.contains(slot["name"]) ? 1 : 0;
    return untried == 0 ? "No problem was found." : text("No problem was found, but ", untried, " required slots were not tried.");
}

} // namespace

std::string report_text(const PluginReport& report) {
    std::string words = title(report) + checks_text(report) + slots_text(report);
    words += coloured(Colour::Title, verdict(report)) + "\n";
    if (!report.next.empty()) words += "Next: " + printable(report.next) + "\n";
    return words;
}

Json report_json(const PluginReport& report) {
    Json json = {{"schema", "qiao.plugin.check/1"},
                 {"file", report.file},
                 {"manifest", report.manifest},
                 {"problem", report.problem()}};
    json.update(report.facts);
    if (json.contains("slots")) {
        for (Json& slot : json["slots"])
            slot["tried"] = report.tried.contains(slot["name"]);
    }
    json["checks"] = Json::array();
    for (const Check& check : report.checks) {
        json["checks"].push_back(
            {{"name", check.name}, {"state", state_name(check.state)}, {"detail", check.detail}, {"remedy", check.remedy}});
    }
    json["next"] = report.next;
    return json;
}

} // namespace qiao::cli
