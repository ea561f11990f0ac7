/* Tables and JSON of a finished run. */
#include "cli/run/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/table.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kShownElements = 8;

std::string file_of(const Report& report, const DeviceRun& run, const Output& output) {
    for (const auto& [key, path] : report.files) {
        if (key == output.name + " " + run.device.id) return path;
    }
    return "";
}

std::string first_values(const Array& array) {
    const uint64_t count = array.bytes.size() / element_size(array.element);
    std::string values;
    for (uint64_t i = 0; i < std::min(count, kShownElements); ++i)
        values += (i == 0 ? "" : " ") + value_text(array, i);
    return count > kShownElements ? values + " ..." : values;
}

std::string times_text(const Times& times, uint32_t repeat) {
    if (repeat <= 1) return time_text(times.min_ns);
    return text("min ", time_text(times.min_ns), ", median ", time_text(times.median_ns));
}

std::string ulp_text(const Comparison& comparison) {
    return comparison.difference.max_ulp == kUlpIncomparable ? "incomparable"
                                                             : std::to_string(comparison.difference.max_ulp);
}

std::string comparison_text(const std::vector<Comparison>& comparisons) {
    Table table;
    table.add_row({"argument", "device", "against", "result", "max ULP", "max abs", "differing", "first"});
    for (const Comparison& comparison : comparisons) {
        const Difference& difference = comparison.difference;
        const bool any = difference.differing > 0;
        const std::string result = !any                        ? coloured(Colour::Good, "equal")
                                   : comparison.equal_enough() ? coloured(Colour::Good, "within tolerance")
                                                               : coloured(Colour::Bad, "differs");
        table.add_row({comparison.argument, comparison.device, printable(comparison.against), result,
                       ulp_text(comparison), text(difference.max_absolute),
                       text(difference.differing, " of ", difference.elements),
                       any ? index_text(comparison.shape, difference.first) : "-"});
    }
    return table.text();
}

uint64_t whole(double nanoseconds) {
    return static_cast<uint64_t>(nanoseconds + 0.5);
}

Json times_json(const Times& times) {
    return {{"min", whole(times.min_ns)}, {"median", whole(times.median_ns)}};
}

Json run_json(const Report& report, const DeviceRun& run) {
    Json json = {{"id", run.device.id},
                 {"name", run.device.properties.name},
                 {"simulated", (run.device.properties.flags & QIAO_DEVICE_SIMULATED) != 0},
                 {"error", run.failure ? failure_json(*run.failure) : Json(nullptr)},
                 {"kernel", run.kernel},
                 {"format", run.format},
                 {"target", run.target},
                 {"tool", run.tool},
                 {"log", run.log},
                 {"build_ns", run.failure ? Json(nullptr) : Json(whole(run.build_ns))},
                 {"wall_ns", run.failure ? Json(nullptr) : times_json(run.wall)},
                 {"device_ns", run.device_time ? times_json(*run.device_time) : Json(nullptr)},
                 {"outputs", Json::array()}};
    for (const Output& output : run.outputs) {
        const std::string path = file_of(report, run, output);
        json["outputs"].push_back({{"argument", output.name},
                                   {"dtype", element_name(output.array.element)},
                                   {"shape", output.array.shape},
                                   {"file", path.empty() ? Json(nullptr) : Json(path)}});
    }
    return json;
}

/* null stands for "infinite": what is compared with a NaN or an infinity. */
Json comparison_json(const Comparison& comparison) {
    const Difference& difference = comparison.difference;
    return {{"argument", comparison.argument},
            {"device", comparison.device},
            {"against", comparison.against},
            {"dtype", element_name(comparison.element)},
            {"elements", difference.elements},
            {"differing", difference.differing},
            {"beyond_tolerance", difference.beyond},
            {"max_ulp", difference.max_ulp == kUlpIncomparable ? Json(nullptr) : Json(difference.max_ulp)},
            {"max_abs", std::isfinite(difference.max_absolute) ? Json(difference.max_absolute) : Json(nullptr)},
            {"first_index", difference.differing > 0 ? Json(difference.first) : Json(nullptr)},
            {"within_tolerance", comparison.equal_enough()}};
}

Json sizes(const uint64_t (&sizes)[3], uint32_t dimensions) {
    return std::vector<uint64_t>(sizes, sizes + dimensions);
}

} // namespace

bool Report::failed() const {
    return std::any_of(runs.begin(), runs.end(), [](const DeviceRun& run) { return run.failure.has_value(); });
}

bool Report::differs() const {
    return std::any_of(comparisons.begin(), comparisons.end(),
                       [](const Comparison& one) { return !one.equal_enough(); });
}

std::string report_text(const Report& report) {
    std::string result;
    for (const DeviceRun& run : report.runs) {
        if (run.failure) continue; /* said on stderr */
        result +=
            text(coloured(Colour::Title, run.device.id), "  ", printable(run.kernel), " as ", printable(run.format));
        if (!run.target.empty()) result += " " + printable(run.target);
        if (run.device_time) result += ", device " + times_text(*run.device_time, report.plan.repeat);
        result += ", wall " + times_text(run.wall, report.plan.repeat) + '\n';
        Table table;
        for (const Output& output : run.outputs) {
            const std::string path = file_of(report, run, output);
            table.add_row({output.name, type_text(output.array.element, output.array.shape),
                           path.empty() ? first_values(output.array) : "-> " + printable(path)});
        }
        result += table.text("  ");
    }
    if (!report.comparisons.empty()) result += comparison_text(report.comparisons);
    return result;
}

nlohmann::ordered_json report_json(const Report& report) {
    const qiao_launch& launch = report.plan.launch;
    Json json = {
        {"schema", "qiao.run/1"},
        {"result", report.failed()    ? "failed"
                   : report.differs() ? "differs"
                                      : "ok"},
        {"file", report.plan.file},
        {"global_size", sizes(launch.global_size, launch.dimensions)},
        {"group_size", launch.group_size[0] == 0 ? Json(nullptr) : sizes(launch.group_size, launch.dimensions)},
        {"global_offset", sizes(launch.global_offset, launch.dimensions)},
        {"repeat", report.plan.repeat},
        {"devices", Json::array()},
        {"comparisons", Json::array()}};
    for (const DeviceRun& run : report.runs)
        json["devices"].push_back(run_json(report, run));
    for (const Comparison& comparison : report.comparisons)
        json["comparisons"].push_back(comparison_json(comparison));
    return json;
}

} // namespace qiao::cli
