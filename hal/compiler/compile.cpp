// The order of a compilation: options, complete source, cache, front end, variants, package.
#include "compile.h"

#include <algorithm>
#include <future>

#include "cache.h"
#include "formats.h"
#include "offset.h"
#include "source.h"
#include "tools.h"

namespace qiao::compiler {
namespace {

constexpr uint64_t kDefaultLimit = UINT64_C(120) * 1000 * 1000 * 1000;
/* Part of every key: raised when this library makes something else of the same input. */
constexpr std::string_view kRevision = "7";

Failure invalid(std::string message, std::string remedy) {
    return {QIAO_ERROR_INVALID_ARGUMENT, std::move(message), std::move(remedy), "", 0};
}

std::optional<Failure> check(const Request& request) {
    if (request.source.empty()) return invalid("the source is empty", "give OpenCL C text and its size");
    if (request.source.size() > package::kMaxSourceBytes)
        return Failure{
            QIAO_ERROR_OUT_OF_RANGE,
            concat("the source has ", request.source.size(), " bytes, the limit is ", package::kMaxSourceBytes),
            "split the program", "", 0};
    if (const size_t at = request.source.find('\0'); at != std::string_view::npos)
        return invalid(concat("the source has a NUL byte at offset ", at),
                       "give OpenCL C text; packages are loaded, not compiled");
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (request.source_name.empty() || std::any_of(request.source_name.begin(), request.source_name.end(), control))
        return invalid("the source's name is empty or has control characters", "give a file name");
    return std::nullopt;
}

/* Everything that the package depends on: the request, and the tools as they are now. */
std::string key_of(const Request& request, const std::string& source, const Options& options, const FormatList& formats) {
    CacheKey key;
    key.add(kRevision);
    key.add(request.source_name);
    key.add(source);
    key.add(options.flag_text());
    key.add(options.warnings_are_errors ? "-Werror" : "");
    key.add(options.this_processor ? this_level().target : "");
    if (const auto clang = find_clang()) key.add(identity(*clang));
    if (const auto reflector = find_reflector()) key.add(identity(*reflector));
    for (const Format* format : formats) {
        key.add(format->name);
        const auto tools = format->tools();
        if (!tools) continue; /* what lacks a tool is not kept */
        for (const Tool& tool : *tools) {
            key.add(tool.title);
            key.add(tool.note);
            for (const std::string& file : tool.files)
                key.add(identity(file));
        }
    }
    return key.hex();
}

/* Front end and variants, in a directory of their own. */
class Build {
  public:
    Build(const Request& request, const Options& options, const FormatList& formats, const FormatList& required, Deadline deadline)
        : request_(request), options_(options), formats_(formats), required_(required), deadline_(deadline) {}

    Outcome<Compiled> run(std::string source);
    bool lasts() const { return lasts_; }

  private:
    using Variants = Outcome<std::vector<BuiltVariant>>;

    std::vector<std::future<Variants>> start_variants(const std::string& path, const FrontEnd& front_end) const;
    std::optional<Failure> add_source(std::string source, const std::string& path, const FrontEnd& front_end,
                                      const TemporaryDirectory& temporary);
    std::optional<Failure> add_variants(const Format& format, Variants built);
    std::optional<Failure> leave_out(std::string_view format, Failure failure, bool wanted, bool has_tools);

    const Request& request_;
    const Options& options_;
    const FormatList& formats_;
    const FormatList& required_;
    const Deadline deadline_;
    package::Writer writer_;
    std::string log_;
    bool lasts_ = true; /* made again, with the same tools, it would be the same */
};

/* What becomes of a format that cannot be made: the end, or a line in the log. */
std::optional<Failure> Build::leave_out(std::string_view format, Failure failure, bool wanted, bool has_tools) {
    if ((wanted && !request_.best_effort) || contains(required_, format)) {
        failure.log = log_ + failure.log;
        return failure;
    }
    // A tool that is missing may be there the next time, and one that was stopped or crashed may do better.
    if (wanted && (!has_tools || failure.status != QIAO_ERROR_UNSUPPORTED)) lasts_ = false;
    log_ += concat("warning: ", format, " was left out: ", failure.message, "; ", failure.remedy, "\n", failure.log);
    return std::nullopt;
}

/* The source is always there, also for devices without addresses if its kernels allow. */
std::optional<Failure> Build::add_source(std::string source, const std::string& path, const FrontEnd& front_end,
                                         const TemporaryDirectory& temporary) {
    auto with_entries = add_offset_entries(source, path, options_, front_end, temporary, deadline_);
    writer_.set_source(request_.source_name, with_entries ? *with_entries : std::move(source), options_.flag_text());
    writer_.add_source_variant(front_end.features);
    if (!with_entries) return leave_out(kOffsetFormat, with_entries.error(), contains(formats_, kOffsetFormat), true);
    writer_.add_source_variant(front_end.features | QIAO_FEATURE_INT64, kOffsetFormat);
    return std::nullopt;
}

/* Each in a thread, which mostly waits for its tools, and with a directory of its own. */
std::vector<std::future<Build::Variants>> Build::start_variants(const std::string& path, const FrontEnd& front_end) const {
    std::vector<std::future<Variants>> started;
    for (const Format* format : formats_) {
        if (format->build == nullptr) continue;
        started.push_back(std::async(std::launch::async, [this, format, &path, &front_end]() -> Variants {
            const auto temporary = TemporaryDirectory::make();
            if (!temporary) return temporary.error();
            return format->build(path, options_, front_end, *temporary, deadline_);
        }));
    }
    return started;
}

std::optional<Failure> Build::add_variants(const Format& format, Variants built) {
    if (!built) return leave_out(format.name, built.error(), true, static_cast<bool>(format.tools()));
    for (BuiltVariant& each : *built)
        writer_.add_variant(std::move(each.variant), std::move(each.bytes));
    return std::nullopt;
}

Outcome<Compiled> Build::run(std::string source) {
    const auto temporary = TemporaryDirectory::make();
    if (!temporary) return temporary.error();
    const std::string path = *temporary / "source.cl";
    if (!write_file(path, source))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", path, "'"), "check the space left there", "", 0};
    auto front_end = run_front_end(path, options_, *temporary, deadline_);
    if (!front_end) return front_end.error();
    log_ = front_end->log;

    for (const package::Kernel& kernel : front_end->kernels)
        writer_.add_kernel(kernel);
    // What is added, and what the log says of it, is in the order of the formats, whichever is ready first.
    auto started = start_variants(path, *front_end);
    if (auto failure = add_source(std::move(source), path, *front_end, *temporary)) return *std::move(failure);
    auto next = started.begin();
    for (const Format* format : formats_) {
        if (format->build == nullptr) continue;
        if (auto failure = add_variants(*format, (next++)->get())) return *std::move(failure);
    }
    const auto bytes = writer_.finish();
    if (!bytes) return Failure{QIAO_ERROR_INTERNAL, bytes.error().message, "report this as a defect", log_, 0};
    return Compiled{{reinterpret_cast<const char*>(bytes->data()), bytes->size()}, log_, {}, false};
}

Deadline deadline_of(const Request& request) {
    const uint64_t limit = request.time_limit_ns ? std::min(request.time_limit_ns, kDefaultLimit * 60) : kDefaultLimit;
    return std::chrono::steady_clock::now() + std::chrono::nanoseconds(limit);
}

/* `formats` and, since they are wanted too, those that are required. */
struct Selection {
    FormatList formats, required;
};
Outcome<Selection> select(const Request& request) {
    auto formats = parse_formats(concat(request.formats, ";", request.required));
    if (!formats) return formats.error();
    auto required = parse_formats(request.required);
    if (!required) return required.error();
    return Selection{*std::move(formats), *std::move(required)};
}

/* Cache, else tools. */
Outcome<Compiled> compile(const Request& request, const Options& options, const Selection& selection, std::string source) {
    const Cache cache(request.cache_directory);
    std::string key;
    if (request.use_cache) {
        key = key_of(request, source, options, selection.formats);
        if (auto entry = cache.load(key)) return Compiled{std::move(entry->package), std::move(entry->log), {}, true};
    }
    Build build(request, options, selection.formats, selection.required, deadline_of(request));
    auto compiled = build.run(std::move(source));
    if (!compiled || !request.use_cache || !build.lasts()) return compiled;
    if (const auto reason = cache.store(key, {compiled->log, compiled->package}))
        compiled->log += concat("warning: not kept in the cache: ", *reason, "\n");
    return compiled;
}

} // namespace

Outcome<Compiled> compile(const Request& request) {
    if (auto failure = check(request)) return *std::move(failure);
    const auto selection = select(request);
    if (!selection) return selection.error();
    auto options = parse_options(request.options);
    if (!options) return options.error();
    options->this_processor = request.this_processor;
    auto source = complete_source(request.source, request.source_name, *options);
    if (!source) return source.error();
    auto compiled = compile(request, *options, *selection, std::move(source->text));
    if (compiled) compiled->included = std::move(source->included);
    return compiled;
}

Outcome<std::string> check_tools(const std::string& formats_text) {
    const auto formats = parse_formats(formats_text);
    if (!formats) return formats.error();
    const auto clang = find_clang();
    if (!clang) return clang.error();
    const auto reflector = find_reflector();
    if (!reflector) return reflector.error();
    std::string text = concat("clang: ", *clang, "\nreflector: ", *reflector, "\n");
    for (const Format* format : *formats) {
        const auto tools = format->tools();
        if (!tools) return tools.error();
        for (const Tool& tool : *tools) {
            std::string line = concat(tool.title, ": ");
            for (const std::string& file : tool.files)
                line += concat(&file == tool.files.data() ? "" : ", ", file);
            line += concat(tool.note, "\n");
            if (text.find(line) == std::string::npos) text += line; /* two formats may need one tool */
        }
    }
    return text;
}

} // namespace qiao::compiler
