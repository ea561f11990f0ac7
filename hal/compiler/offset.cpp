// Entries are written from the reflection. A pointer is passed on as `void*` of its address space, which C converts to the
// kernel's own type: so only the types of values are spelled out, as the source spells them. Where the kernel declares local
// arrays, a call would be wrong (PoCL 3.1 gives all groups of a called kernel the same arrays: samples/kernels/matrix_multiply.cl
// on two threads), so the entry is the kernel once more with other parameters, cut out of the source where clang says it is.
#include "offset.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "tools.h"

namespace qiao::compiler {
namespace {

using nlohmann::json;

constexpr size_t kMaxDumpBytes = 256u << 20; /* some thousand lines of a kernel */

/* Text to be put into the source. */
struct Edit {
    size_t at = 0;
    std::string text;
};

/* Where a kernel's definition stands: [begin, end) of each parameter, and of what is between its braces. */
struct Extent {
    size_t begin = 0, end = 0;
    std::string_view of(std::string_view source) const { return source.substr(begin, end - begin); }
};
struct Definition {
    std::vector<Extent> parameters;
    Extent body;
};

const char* space_of(const package::Argument& argument) {
    return argument.type.rfind("constant ", 0) == 0 ? "__constant" : "__global";
}

std::string pair_of(const package::Argument& argument, const std::string& name) {
    return concat(space_of(argument), " char* ", name, ", ulong ", name, "_offset");
}

std::string pointer_of(const package::Argument& argument, const std::string& name) {
    return concat("(", space_of(argument), " void*)(", name, " ? ", name, " + ", name, "_offset : 0)");
}

std::string entry_of(const package::Kernel& kernel, uint32_t subgroup, const std::string& parameters, std::string_view body) {
    std::string attributes;
    const uint32_t* group = kernel.required_group;
    if (group[0] != 0)
        attributes +=
            concat("__attribute__((reqd_work_group_size(", group[0], ", ", group[1], ", ", group[2], "))) ");
    if (subgroup != 0) attributes += concat("__attribute__((intel_reqd_sub_group_size(", subgroup, "))) ");
    // A source that was taken out of a package has its entries already.
    return concat("#if defined(QIAO_OFFSET) && !defined(QIAO_OFFSET_", kernel.name, ")\n#define QIAO_OFFSET_", kernel.name,
                  "\n#line 1 \"<entry of ", kernel.name, ">\"\n__kernel ", attributes, "void ", kernel.name, "__at(",
                  parameters, ") {", body, "}\n#endif\n");
}

/* An entry that calls the kernel. */
std::string calling_entry(const package::Kernel& kernel, uint32_t subgroup) {
    std::string parameters, passed;
    for (size_t i = 0; i < kernel.arguments.size(); ++i) {
        const package::Argument& argument = kernel.arguments[i];
        const std::string name = concat("qiao_", i);
        if (i != 0) parameters += ", ", passed += ", ";
        if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS) {
            parameters += pair_of(argument, name);
            passed += pointer_of(argument, name);
        } else {
            parameters += concat(argument.kind == QIAO_ARGUMENT_KIND_LOCAL ? "__local void*" : argument.type, " ", name);
            passed += name;
        }
    }
    return entry_of(kernel, subgroup, parameters, concat(" ", kernel.name, "(", passed, "); "));
}

/* An entry with the kernel's own statements. */
std::string copying_entry(const package::Kernel& kernel, uint32_t subgroup, const Definition& definition,
                          std::string_view source) {
    std::string parameters, body;
    for (size_t i = 0; i < kernel.arguments.size(); ++i) {
        const package::Argument& argument = kernel.arguments[i];
        const std::string name = concat("qiao_", i);
        const std::string_view declared = definition.parameters[i].of(source);
        if (i != 0) parameters += ", ";
        if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS) {
            parameters += pair_of(argument, name);
            body += concat(" ", declared, " = ", pointer_of(argument, name), ";");
        } else {
            parameters += declared;
        }
    }
    return entry_of(kernel, subgroup, parameters, body + std::string(definition.body.of(source)));
}

/* ---------------------------------------------------------------- definitions */

/* From the first byte to behind the last token; nothing if an end is made by a macro. */
std::optional<Extent> extent_of(const json& node) {
    const json &begin = node.at("range").at("begin"), &end = node.at("range").at("end");
    if (!begin.contains("offset") || !end.contains("offset")) return std::nullopt;
    return Extent{begin.at("offset").get<size_t>(), end.at("offset").get<size_t>() + end.at("tokLen").get<size_t>()};
}

std::optional<Definition> definition_in(const json& function, size_t size) {
    Definition definition;
    for (const json& child : function.value("inner", json::array())) {
        const std::string kind = child.value("kind", "");
        if (kind != "ParmVarDecl" && kind != "CompoundStmt") continue;
        const auto extent = extent_of(child);
        if (!extent || extent->begin >= extent->end || extent->end > size) return std::nullopt;
        if (kind == "ParmVarDecl")
            definition.parameters.push_back(*extent);
        else
            definition.body = {extent->begin + 1, extent->end - 1};
    }
    if (definition.body.end == 0) return std::nullopt; /* declared only */
    return definition;
}

/* clang dumps all functions whose names contain the kernel's, one document behind the other; each ends with a line "}". What is
 * in the kernel's statements is not kept. */
std::optional<Definition> find_definition(std::string_view dump, const package::Kernel& kernel, size_t size) {
    constexpr std::string_view kEnd = "\n}\n";
    const auto leave_out_statements = [](int depth, json::parse_event_t event, json& parsed) {
        return event != json::parse_event_t::key || depth < 3 || parsed != json("inner");
    };
    for (size_t begin = 0; begin < dump.size();) {
        const size_t end = std::min(dump.find(kEnd, begin), dump.size() - 1) + 1;
        const json node = json::parse(dump.begin() + static_cast<std::ptrdiff_t>(begin),
                                      dump.begin() + static_cast<std::ptrdiff_t>(std::min(end + 1, dump.size())),
                                      leave_out_statements, false);
        begin = end + 2;
        if (!node.is_object() || node.value("kind", "") != "FunctionDecl" || node.value("name", "") != kernel.name) continue;
        auto definition = definition_in(node, size);
        if (definition && definition->parameters.size() == kernel.arguments.size()) return definition;
    }
    return std::nullopt;
}

/* `#line N "FILE"` for what stands at `at`: the last such directive before it, counted on. */
std::string line_directive_at(std::string_view source, size_t at) {
    size_t line = 1;
    std::string_view file = "\"\"";
    for (size_t begin = 0; begin < at;) {
        const size_t end = source.find('\n', begin);
        if (end >= at) break;
        const std::string_view text = source.substr(begin, end - begin);
        const size_t quote = text.find('"');
        if (text.rfind("#line ", 0) == 0 && quote != std::string_view::npos) {
            line = static_cast<size_t>(std::strtoull(text.data() + 6, nullptr, 10));
            file = text.substr(quote);
        } else {
            ++line;
        }
        begin = end + 1;
    }
    return concat("#line ", line, " ", file, "\n");
}

Command clang_command(const std::string& clang, const Options& options, const TemporaryDirectory& temporary,
                      std::vector<std::string> words, const std::string& path) {
    Command command{{clang, "-x", "cl", "-target", "spir64", "-fsyntax-only", "-w"}, {}, temporary.path()};
    command.words.insert(command.words.end(), options.flags.begin(), options.flags.end());
    command.words.insert(command.words.end(), words.begin(), words.end());
    command.words.push_back(path);
    return command;
}

Failure not_possible(std::string what, std::string log) {
    return {QIAO_ERROR_UNSUPPORTED,
            concat(what, ", so that devices without addresses cannot run the program"),
            "write the kernel without macros around its head and braces, name the types of its arguments, and call no "
            "function `kernel__at`; the log has what clang said",
            std::move(log), 0};
}

} // namespace

Outcome<std::string> add_offset_entries(std::string source, const std::string& path, const Options& options,
                                        const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                        Deadline deadline) {
    const auto clang = find_clang();
    if (!clang) return clang.error();
    std::vector<Edit> edits;
    std::string behind = "\n";
    const std::string last_line = line_directive_at(source, source.size());
    for (size_t i = 0; i < front_end.kernels.size(); ++i) {
        const package::Kernel& kernel = front_end.kernels[i];
        const KernelTraits& traits = front_end.traits[i];
        if (!traits.local_variables) {
            behind += calling_entry(kernel, traits.subgroup);
            continue;
        }
        Command dump = clang_command(*clang, options, temporary,
                                     {"-Xclang", "-ast-dump=json", "-Xclang", concat("-ast-dump-filter=", kernel.name)}, path);
        dump.output_limit = kMaxDumpBytes;
        const Finished dumped = run(dump, deadline);
        if (dumped.timed_out) return tool_failure(*clang, dumped, dumped.errors);
        const auto definition = find_definition(dumped.output, kernel, source.size());
        if (!definition)
            return not_possible(concat("kernel '", kernel.name, "' has local arrays, and its definition comes from a macro"),
                                dumped.errors);
        const size_t at = definition->body.end + 1;
        edits.push_back({at, concat("\n", copying_entry(kernel, traits.subgroup, *definition, source),
                                    line_directive_at(source, at))});
    }
    std::sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) { return a.at > b.at; });
    for (const Edit& edit : edits)
        source.insert(edit.at, edit.text);
    source += behind + last_line;

    const std::string edited = temporary / "offset.cl";
    if (!write_file(edited, source))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", edited, "'"), "check the space left there", "", 0};
    const Finished finished =
        run(clang_command(*clang, options, temporary, {std::string(package::kOffsetOption)}, edited), deadline);
    if (finished.ok()) return source;
    if (finished.exit_code <= 0) return tool_failure(*clang, finished, finished.errors);
    return not_possible("a kernel cannot be entered with (buffer, offset) pairs", finished.errors);
}

} // namespace qiao::compiler
