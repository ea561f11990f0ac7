// clang as the judge of a source, and our reflector as the reader of what clang made of it. Two compilations: see reflect.h.
#include "frontend.h"

#include <cctype>
#include <optional>

#include <nlohmann/json.hpp>

#include "builtins.h"
#include "clang.h"
#include "tools.h"

namespace qiao::compiler {
namespace {

using nlohmann::json;

struct Diagnostic {
    std::string place; /* "scale.cl:3:9" */
    std::string text;
    uint32_t line = 0;
    size_t errors = 0;
};

/* "NAME:LINE:COLUMN: error: TEXT"; the name may have colons itself. */
std::optional<Diagnostic> diagnostic_of(const std::string& line) {
    for (const std::string_view mark : {": fatal error: ", ": error: "}) {
        const size_t at = line.find(mark);
        if (at == std::string::npos) continue;
        Diagnostic found{line.substr(0, at), line.substr(at + mark.size()), 0, 1};
        const size_t column = found.place.rfind(':');
        const size_t number =
            column == std::string::npos || column == 0 ? std::string::npos : found.place.rfind(':', column - 1);
        if (number != std::string::npos && std::isdigit(static_cast<unsigned char>(found.place[number + 1])))
            found.line = static_cast<uint32_t>(std::strtoul(found.place.c_str() + number + 1, nullptr, 10));
        return found;
    }
    return std::nullopt;
}

/* The first error of a log, and how many there are. */
Diagnostic first_error(const std::string& log) {
    Diagnostic first;
    for (size_t begin = 0; begin < log.size();) {
        const size_t end = std::min(log.find('\n', begin), log.size());
        if (auto found = diagnostic_of(log.substr(begin, end - begin))) {
            found->errors += first.errors;
            if (first.errors == 0)
                first = *std::move(found);
            else
                first.errors = found->errors;
        }
        begin = end + 1;
    }
    return first;
}

Failure build_failure(std::string log) {
    const Diagnostic error = first_error(log);
    std::string message = concat(error.place, ": ", error.text);
    if (error.errors > 1)
        message += concat(" (and ", error.errors - 1, error.errors == 2 ? " more error)" : " more errors)");
    return {QIAO_ERROR_BUILD, std::move(message), "correct the source; the log has all messages", std::move(log),
            error.line};
}

Failure reserved_name(const std::string& kernel) {
    return {QIAO_ERROR_BUILD, concat("kernel '", kernel, "' has the name of a function of OpenCL C, which reserves it"),
            "rename the kernel", "", 0};
}

Outcome<package::Kernel> kernel_of(const json& from) {
    package::Kernel kernel;
    kernel.name = from.at("name").get<std::string>();
    if (is_builtin_function(kernel.name)) return reserved_name(kernel.name);
    if (const auto reason = from.at("unsupported").get<std::string>(); !reason.empty())
        return Failure{QIAO_ERROR_UNSUPPORTED, concat("kernel '", kernel.name, "': ", reason),
                       "pass the data through a buffer", "", 0};
    for (const json& argument : from.at("arguments")) {
        package::Argument& last = kernel.arguments.emplace_back();
        last.name = argument.at("name").get<std::string>();
        last.type = argument.at("type").get<std::string>();
        last.kind = argument.at("kind").get<uint32_t>();
        last.access = argument.value("access", 0u);
        last.size = argument.at("size").get<uint32_t>();
        last.alignment = argument.at("alignment").get<uint32_t>();
    }
    for (size_t i = 0; i < 3; ++i)
        kernel.required_group[i] = from.at("required_group").at(i).get<uint32_t>();
    kernel.static_local_bytes = from.at("static_local_bytes").get<uint32_t>();
    kernel.features = from.at("features").get<uint64_t>();
    auto laid_out = package::lay_out(std::move(kernel));
    if (!laid_out) return Failure{QIAO_ERROR_UNSUPPORTED, laid_out.error().message, laid_out.error().remedy, "", 0};
    return *std::move(laid_out);
}

/* "Debian clang version 15.0.6" -> "clang-15.0.6" */
std::string tool_of(const std::string& producer) {
    const size_t at = producer.find("version ");
    if (at == std::string::npos) return "clang";
    const std::string version = producer.substr(at + 8);
    return "clang-" + version.substr(0, version.find_first_not_of("0123456789."));
}

Outcome<FrontEnd> front_end_of(const std::string& text) {
    const json described = json::parse(text, nullptr, false);
    if (described.is_discarded())
        return Failure{QIAO_ERROR_INTERNAL, "qiao-kernel-reflect printed no JSON", "report this as a defect", text, 0};
    FrontEnd result;
    result.tool = tool_of(described.at("producer").get<std::string>());
    for (const json& each : described.at("kernels")) {
        auto kernel = kernel_of(each);
        if (!kernel) return kernel.error();
        result.features |= kernel->features;
        std::vector<PointerTraits>& pointers = result.pointers.emplace_back();
        for (const json& argument : each.at("arguments"))
            pointers.push_back({argument.value("unused", false), argument.value("compared", false)});
        result.traits.push_back({each.at("required_subgroup").get<uint32_t>(), each.at("local_variables").get<bool>()});
        result.kernels.push_back(*std::move(kernel));
    }
    if (result.kernels.empty())
        return Failure{QIAO_ERROR_BUILD, "the source has no kernel", "mark at least one function with `kernel`", "", 0};
    return result;
}

} // namespace

Failure tool_failure(const std::string& tool, const Finished& finished, std::string log) {
    if (finished.timed_out)
        return {QIAO_TIMEOUT, concat(tool, " did not end within the time limit"),
                "raise the time limit, or make the program smaller", std::move(log), 0};
    return {QIAO_ERROR_BUILD, concat(tool, " ", describe_end(finished)), "the log has what it said", std::move(log), 0};
}

Outcome<std::string> run_reflector(std::vector<std::string> words, const TemporaryDirectory& temporary,
                                   Deadline deadline) {
    const auto reflector = find_reflector();
    if (!reflector) return reflector.error();
    words.insert(words.begin(), *reflector);
    const Finished finished = run(Command{std::move(words), {}, temporary.path()}, deadline);
    if (!finished.ok()) return tool_failure("qiao-kernel-reflect", finished, finished.errors);
    return finished.output;
}

Outcome<FrontEnd> run_front_end(const std::string& path, const Options& options, const TemporaryDirectory& temporary,
                                Deadline deadline) {
    const auto clang = find_clang();
    if (!clang) return clang.error();
    Options optimising = options;
    std::erase(optimising.flags, "-cl-opt-disable"); /* access is found by optimising */
    const auto command = [&](const char* target, std::vector<std::string> how, const std::string& out) {
        Command made = clang_command(*clang, target, optimising, temporary);
        made.words.insert(made.words.end(), {"-cl-kernel-arg-info", "-emit-llvm"});
        made.words.insert(made.words.end(), how.begin(), how.end());
        made.words.insert(made.words.end(), {"-c", path, "-o", out});
        return made;
    };
    const std::string out64 = temporary / "kernels64.bc", out32 = temporary / "kernels32.bc";
    Command commands[] = {command("spir64", {"-O1"}, out64),
                          command("spir", {"-O0", "-Xclang", "-disable-O0-optnone", "-w"}, out32)};
    if (options.warnings_are_errors) commands[0].words.insert(commands[0].words.begin() + 1, "-Werror");
    const auto finished = run(commands, deadline);
    const std::string& log = finished[0].errors;
    if (!finished[0].ok()) {
        if (finished[0].exit_code > 0 && first_error(log).errors != 0) return build_failure(log);
        return tool_failure(*clang, finished[0], log);
    }
    // A source may insist on 64-bit pointers; then only its use of 64-bit integers cannot be judged.
    std::vector<std::string> words = {"describe", out64};
    if (finished[1].ok()) words.push_back(out32);
    const auto text = run_reflector(words, temporary, deadline);
    if (!text) return text.error();
    auto result = front_end_of(*text);
    if (!result) {
        Failure failure = result.error();
        if (failure.log.empty()) failure.log = log;
        return failure;
    }
    result->log = log;
    return result;
}

} // namespace qiao::compiler
