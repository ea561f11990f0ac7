/* An entry of oclgrind's log is a line that begins at the margin and lines that begin with a tab:
 *
 *     Read-write data race at local memory address 0x1000000000004
 *     	Kernel: reverse
 *     	First entity:  Global(1,0,0) Local(1,0,0) Group(0,0,0)
 *     	  store i32 %conv, i32 addrspace(3)* %arrayidx, align 4
 *     	At line 2 (column 24) of k.cl:
 *
 * Addresses are left out, so that the same defect in many work-items is one finding. */
#include "cli/lint/findings.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/failure.h"
#include "cli/table.h"

namespace qiao::cli {
namespace {

constexpr struct {
    std::string_view fragment;
    const char* kind;
} kKinds[] = {{"data race", "race"},          {"Invalid read", "out-of-bounds"},  {"Invalid write", "out-of-bounds"},
              {"out of bounds", "out-of-bounds"}, {"ninitialized", "uninitialised"}, {"divergence", "divergence"}};

const char* kind_of(std::string_view line) {
    const auto known = std::find_if(std::begin(kKinds), std::end(kKinds), [line](const auto& each) { return line.find(each.fragment) != line.npos; });
    return known == std::end(kKinds) ? "other" : known->kind;
}

/* "Invalid write of size 4 at global memory address 0x1c" -> "invalid write of size 4 at global memory". */
std::string message_of(std::string_view line) {
    constexpr std::string_view kAddress = " address 0x";
    const size_t at = line.find(kAddress);
    std::string message(line.substr(0, at));
    if (at != line.npos) {
        const size_t rest = line.find_first_not_of("0123456789abcdef", at + kAddress.size());
        if (rest != line.npos) message += line.substr(rest);
    }
    if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z') message[0] = static_cast<char>(message[0] - 'A' + 'a');
    return message;
}

/* "At line 2 (column 24) of k.cl:" */
bool parse_place(std::string_view line, Place& out) {
    const std::string text(line);
    int end = 0;
    Place place;
    if (std::sscanf(text.c_str(), "At line %u (column %u) of %n", &place.line, &place.column, &end) != 2 || end == 0) {
        place.column = 0;
        if (std::sscanf(text.c_str(), "At line %u of %n", &place.line, &end) != 1 || end == 0) return false;
    }
    place.file = text.substr(static_cast<size_t>(end));
    if (place.file.ends_with(':')) place.file.pop_back();
    out = place;
    return true;
}

/* Without what devices without addresses enter it by. */
std::string kernel_name(std::string_view name) {
    constexpr std::string_view kSuffix = "__at";
    return std::string(name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name);
}

void add_detail(Finding& finding, std::string_view line) {
    constexpr std::string_view kKernel = "Kernel:";
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with(kKernel)) {
        line.remove_prefix(kKernel.size());
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        finding.kernel = kernel_name(line);
    } else if (Place place; parse_place(line, place)) {
        (finding.place.file.empty() ? finding.place : finding.other) = place;
    }
}

bool same(const Finding& a, const Finding& b) {
    return a.kind == b.kind && a.message == b.message && a.kernel == b.kernel &&
           ((a.place == b.place && a.other == b.other) || (a.place == b.other && a.other == b.place));
}

} // namespace

std::vector<Finding> parse_findings(std::string_view log) {
    std::vector<Finding> entries;
    for (size_t begin = 0; begin < log.size();) {
        const size_t end = std::min(log.find('\n', begin), log.size());
        const std::string_view line = log.substr(begin, end - begin);
        begin = end + 1;
        if (line.empty()) continue;
        if (line[0] != '\t') {
            entries.push_back({kind_of(line), message_of(line), "", {}, {}, 1});
        } else if (!entries.empty()) {
            add_detail(entries.back(), line);
        }
    }
    std::vector<Finding> findings;
    for (Finding& entry : entries) {
        const auto known = std::find_if(findings.begin(), findings.end(), [&](const Finding& each) { return same(each, entry); });
        if (known == findings.end()) {
            findings.push_back(std::move(entry));
        } else {
            ++known->count;
        }
    }
    return findings;
}

std::string finding_text(const Finding& finding) {
    std::string words = finding.place.file.empty() ? "unknown place" : printable(finding.place.file) + text(":", finding.place.line);
    if (finding.place.column != 0) words += text(":", finding.place.column);
    words += ": " + finding.kind + ": " + printable(finding.message);
    if (!finding.other.file.empty()) words += text(", the other one in ", printable(finding.other.file), ":", finding.other.line);
    words += " (";
    if (!finding.kernel.empty()) words += "kernel " + printable(finding.kernel) + ", ";
    return words + (finding.count == 1 ? "once)" : text(finding.count, " times)"));
}

nlohmann::ordered_json finding_json(const Finding& finding) {
    nlohmann::ordered_json json = {{"file", finding.place.file},   {"line", finding.place.line},       {"column", finding.place.column},
                                   {"kind", finding.kind},         {"message", finding.message},       {"kernel", finding.kernel},
                                   {"count", finding.count},       {"other_file", finding.other.file}, {"other_line", finding.other.line}};
    return json;
}

} // namespace qiao::cli
