// PoCL lowers barriers and work-items (poclcc, once per level: its built-in functions hold instructions of a level), the
// reflector merges what it leaves, clang makes one library of it.
#include "host_elf.h"

#include <sys/stat.h>

#include <filesystem>
#include <span>

#include <nlohmann/json.hpp>

#include "agreement.h"
#include "formats.h"
#include "tools.h"

namespace qiao::compiler {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kFormat = "host-elf";

/* The files of one level. */
struct Job {
    const Level* level = nullptr;
    std::string cache;  /* where poclcc leaves its intermediate files */
    std::string merged; /* bitcode */
    std::string library;
    std::vector<std::string> metadata; /* of the kernels, in their order */
};

constexpr Lacking kLacking[] = {{QIAO_FEATURE_FP16, "half-precision arithmetic"}, {QIAO_FEATURE_SUBGROUPS, "subgroups"}};

/* An ICD directory with nothing but PoCL, so that no other driver is loaded into poclcc. */
Outcome<std::string> write_icd(const Pocl& pocl, const TemporaryDirectory& temporary) {
    const std::string directory = temporary / "icd";
    if (mkdir(directory.c_str(), 0700) != 0 || !write_file(directory + "/pocl.icd", pocl.driver))
        return Failure{QIAO_ERROR_IO, concat("cannot write in '", temporary.path(), "'"), "check the space left there",
                       "", 0};
    return directory;
}

Command poclcc(const Pocl& pocl, const Job& job, const std::string& icd, const std::string& path,
               const Options& options, const TemporaryDirectory& temporary) {
    Command command{{pocl.compiler, "-b", options.flag_text(), "-o", job.cache + ".poclbin", path},
                    {"OCL_ICD_VENDORS=" + icd, "POCL_CACHE_DIR=" + job.cache, "POCL_DEVICES=basic",
                     "POCL_LEAVE_KERNEL_COMPILER_TEMP_FILES=1"},
                    temporary.path()};
    if (!job.level->builtin_library.empty())
        command.environment.push_back("POCL_KERNELLIB_NAME=" + job.level->builtin_library);
    return command;
}

/* Why PoCL refused what clang accepted: its log names an error, or the built-in library lacks a function. */
Failure poclcc_failure(const Pocl& pocl, const Finished& finished) {
    std::string log = finished.output + finished.errors;
    if (finished.exit_code <= 0) return tool_failure(pocl.compiler, finished, std::move(log));
    std::string reason = "it gives no reason";
    for (const char* mark : {"Cannot find symbol ", "error: "}) {
        const size_t at = log.find(mark);
        if (at == std::string::npos) continue;
        reason = log.substr(at, log.find('\n', at) - at);
        break;
    }
    return {QIAO_ERROR_BUILD, concat("PoCL cannot build the program for host CPUs: ", reason),
            "define the function, or leave out the format host-elf; the log has all messages", std::move(log), 0};
}

/* The directory in PoCL's cache that holds program.bc; each cache has had one program. */
std::string program_directory(const std::string& cache) {
    std::error_code error;
    for (fs::recursive_directory_iterator each(cache, error), end; !error && each != end; each.increment(error)) {
        if (each->path().filename() == "program.bc") return each->path().parent_path().string();
    }
    return "";
}

std::vector<std::string> merge_words(const Job& job, const FrontEnd& front_end) {
    const std::string directory = program_directory(job.cache);
    std::vector<std::string> words = {"merge", job.merged, directory + "/program.bc"};
    for (const package::Kernel& kernel : front_end.kernels) {
        words.push_back(kernel.name);
        // 0-0-0: for any group size.
        words.push_back(concat(directory, "/", kernel.name, "/0-0-0/parallel.bc"));
    }
    return words;
}

/* What PoCL made of the kernel's parameters; addresses and local memory differ by their address space only. */
std::vector<SeenArgument> seen_arguments(const json& kernel) {
    std::vector<SeenArgument> seen;
    for (const json& argument : kernel.at("arguments"))
        seen.push_back({argument.at("kind").get<qiao_argument_kind>(), argument.at("size").get<uint64_t>()});
    return seen;
}

std::optional<Failure> read_metadata(Job& job, const FrontEnd& front_end, const std::string& text) {
    const json merged = json::parse(text, nullptr, false);
    if (merged.is_discarded())
        return Failure{QIAO_ERROR_INTERNAL, "qiao-kernel-reflect printed no JSON", "report this as a defect", text, 0};
    for (const json& kernel : merged.at("kernels")) {
        const package::Kernel& expected = front_end.kernels[job.metadata.size()];
        if (auto failure = check_agreement(kFormat, expected, seen_arguments(kernel))) return failure;
        std::string locals;
        for (const json& size : kernel.at("auto_local"))
            locals += concat(locals.empty() ? "" : ",", size.get<uint64_t>());
        job.metadata.push_back(concat("auto_local=", locals, ";private=", kernel.at("private").get<uint64_t>(),
                                      ";fixed=", kernel.at("fixed").get<uint64_t>()));
    }
    return std::nullopt;
}

Command link(const std::string& clang, const Job& job, const TemporaryDirectory& temporary) {
    Command command{{clang, "-x", "ir", job.merged, "-O3", "-fPIC", "-shared", "-nostartfiles", "-Wno-override-module",
                     "-Wl,-z,defs", "-Wl,-z,noexecstack", "-Wl,--build-id=none", "-Wl,-s", "-o", job.library},
                    {},
                    temporary.path()};
    if (!job.level->machine_option.empty()) command.words.push_back(job.level->machine_option);
    command.words.insert(command.words.end(), {"-x", "none", "-lm"});
    return command;
}

Outcome<BuiltVariant> variant_of(const Job& job, const Pocl& pocl, const FrontEnd& front_end) {
    std::string bytes;
    if (!read_file(job.library, bytes))
        return Failure{QIAO_ERROR_IO, concat("cannot read '", job.library, "'"), "compile again", "", 0};
    BuiltVariant built;
    built.variant.format = kFormat;
    built.variant.target = job.level->target;
    built.variant.tool = concat("pocl-", pocl.version, " ", front_end.tool);
    built.variant.features = front_end.features;
    built.variant.metadata = job.metadata;
    built.bytes = bytes_of(bytes);
    return built;
}

} // namespace

Outcome<std::vector<BuiltVariant>> build_host_elf(const std::string& path, const Options& options,
                                                  const FrontEnd& front_end, const TemporaryDirectory& temporary,
                                                  Deadline deadline) {
    if (auto failure = refuse_features(front_end, kLacking, "PoCL 3.1 does not have on host CPUs",
                                       "leave out the format host-elf, or compute in float (vload_half, vstore_half)"))
        return *std::move(failure);
    const auto pocl = find_pocl();
    if (!pocl) return pocl.error();
    const auto clang = find_clang();
    if (!clang) return clang.error();
    const auto icd = write_icd(*pocl, temporary);
    if (!icd) return icd.error();

    std::vector<Job> jobs;
    std::vector<Command> commands;
    const auto levels = options.this_processor ? std::span(&this_level(), 1) : std::span(host_levels());
    for (const Level& level : levels) {
        const std::string stem = temporary / level.target;
        jobs.push_back({&level, stem, stem + ".bc", stem + ".so", {}});
        if (mkdir(stem.c_str(), 0700) != 0)
            return Failure{QIAO_ERROR_IO, concat("cannot make '", stem, "'"), "check the space left there", "", 0};
        commands.push_back(poclcc(*pocl, jobs.back(), *icd, path, options, temporary));
    }
    for (const Finished& finished : run(commands, deadline)) {
        if (!finished.ok()) return poclcc_failure(*pocl, finished);
    }
    commands.clear();
    for (Job& job : jobs) {
        const auto text = run_reflector(merge_words(job, front_end), temporary, deadline);
        if (!text) return text.error();
        if (auto failure = read_metadata(job, front_end, *text)) return *std::move(failure);
        commands.push_back(link(*clang, job, temporary));
    }
    for (const Finished& finished : run(commands, deadline)) {
        if (!finished.ok()) return tool_failure(*clang, finished, finished.output + finished.errors);
    }
    std::vector<BuiltVariant> variants;
    for (const Job& job : jobs) {
        auto variant = variant_of(job, *pocl, front_end);
        if (!variant) return variant.error();
        variants.push_back(*std::move(variant));
    }
    return variants;
}

} // namespace qiao::compiler
