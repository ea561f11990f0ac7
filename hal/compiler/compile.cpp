// The order of a compilation: options, complete source, cache, front end, variants, package.
#include "compile.h"

#include <algorithm>

#include "cache.h"
#include "frontend.h"
#include "host_elf.h"
#include "offset.h"
#include "source.h"
#include "spirv_vulkan.h"

namespace qiao::compiler {
namespace {

constexpr uint64_t kDefaultLimit = UINT64_C(120) * 1000 * 1000 * 1000;
/* Part of every key: raised when this library makes something else of the same input. */
constexpr std::string_view kRevision = "4";
constexpr std::string_view kSourceFormat = "opencl-c", kOffsetFormat = "opencl-c+offset", kHostFormat = "host-elf";

Failure invalid(std::string message, std::string remedy) {
    return {QIAO_ERROR_INVALID_ARGUMENT, std::move(message), std::move(remedy), "", 0};
}

bool has(const std::vector<std::string>& formats, std::string_view format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

bool is_vulkan(std::string_view format) {
    return format == kVulkanFormat || format == kVulkanOffsetFormat;
}

/* The formats besides the source, each once. */
Outcome<std::vector<std::string>> parse_formats(std::string_view text) {
    std::vector<std::string> formats;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(';', begin), text.size());
        const std::string format(text.substr(begin, end - begin));
        begin = end + 1;
        if (format == kSourceFormat || format.empty()) continue;
        if (format != kHostFormat && format != kOffsetFormat && !is_vulkan(format))
            return Failure{QIAO_ERROR_UNSUPPORTED, concat("the format '", format, "' cannot be made"),
                           concat("formats are ", kSourceFormat, ", ", kOffsetFormat, ", ", kHostFormat, ", ", kVulkanFormat,
                                  " and ", kVulkanOffsetFormat, "; add others with their vendor's compiler"),
                           "", 0};
        if (!has(formats, format)) formats.push_back(format);
    }
    return formats;
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

std::string key_of(const Request& request, const std::string& source, const Options& options,
                   const std::vector<std::string>& formats) {
    CacheKey key;
    key.add(kRevision);
    key.add(request.source_name);
    key.add(source);
    key.add(options.flag_text());
    key.add(options.warnings_are_errors ? "-Werror" : "");
    if (const auto clang = find_clang()) key.add(identity(*clang));
    if (const auto reflector = find_reflector()) key.add(identity(*reflector));
    for (const std::string& format : formats) {
        key.add(format);
        if (format == kHostFormat) {
            key.add(host_cpu());
            if (const auto pocl = find_pocl()) key.add(concat(identity(pocl->compiler), identity(pocl->library)));
        } else if (is_vulkan(format)) {
            if (const auto clspv = find_clspv()) key.add(concat(identity(clspv->program), identity(clspv->library)));
            key.add(find_spirv_val());
        }
    }
    return key.hex();
}

/* Front end and variants, in a directory of their own. */
class Build {
  public:
    Build(const Request& request, const Options& options, const std::vector<std::string>& formats)
        : request_(request), options_(options), formats_(formats) {}

    Outcome<Compiled> run(std::string source);
    bool complete() const { return complete_; }

  private:
    std::optional<Failure> add_source(std::string source, const std::string& path, const FrontEnd& front_end,
                                      const TemporaryDirectory& temporary, Deadline deadline);
    std::optional<Failure> add_variants(std::string_view format, const Outcome<std::vector<BuiltVariant>>& built);
    std::optional<Failure> leave_out(std::string_view format, Failure failure, bool wanted);

    const Request& request_;
    const Options& options_;
    const std::vector<std::string>& formats_;
    package::Writer writer_;
    std::string log_;
    bool complete_ = true; /* no format was left out */
};

/* What becomes of a format that cannot be made: the end, or a line in the log. */
std::optional<Failure> Build::leave_out(std::string_view format, Failure failure, bool wanted) {
    if (failure.status == QIAO_TIMEOUT || (wanted && !request_.best_effort)) {
        failure.log = log_ + failure.log;
        return failure;
    }
    if (wanted) complete_ = false;
    log_ += concat(format, " was left out: ", failure.message, "; ", failure.remedy, "\n", failure.log);
    return std::nullopt;
}

/* The source is always there, also for devices without addresses if its kernels allow. */
std::optional<Failure> Build::add_source(std::string source, const std::string& path, const FrontEnd& front_end,
                                         const TemporaryDirectory& temporary, Deadline deadline) {
    auto with_entries = add_offset_entries(source, path, options_, front_end, temporary, deadline);
    writer_.set_source(request_.source_name, with_entries ? *with_entries : std::move(source), options_.flag_text());
    writer_.add_source_variant(front_end.features);
    if (!with_entries) return leave_out(kOffsetFormat, with_entries.error(), has(formats_, kOffsetFormat));
    writer_.add_source_variant(front_end.features | QIAO_FEATURE_INT64, kOffsetFormat);
    return std::nullopt;
}

std::optional<Failure> Build::add_variants(std::string_view format, const Outcome<std::vector<BuiltVariant>>& built) {
    if (!built) return leave_out(format, built.error(), true);
    for (const BuiltVariant& each : *built)
        writer_.add_variant(each.variant, each.bytes);
    return std::nullopt;
}

Outcome<Compiled> Build::run(std::string source) {
    const uint64_t limit =
        request_.time_limit_ns ? std::min(request_.time_limit_ns, kDefaultLimit * 60) : kDefaultLimit;
    const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(limit);
    const auto temporary = TemporaryDirectory::make();
    if (!temporary) return temporary.error();
    const std::string path = *temporary / "source.cl";
    if (!write_file(path, source))
        return Failure{QIAO_ERROR_IO, concat("cannot write '", path, "'"), "check the space left there", "", 0};
    auto front_end = run_front_end(path, options_, *temporary, deadline);
    if (!front_end) return front_end.error();
    log_ = front_end->log;

    for (const package::Kernel& kernel : front_end->kernels)
        writer_.add_kernel(kernel);
    if (auto failure = add_source(std::move(source), path, *front_end, *temporary, deadline)) return *std::move(failure);
    if (has(formats_, kHostFormat)) {
        const auto built = build_host_elf(path, options_, *front_end, *temporary, deadline);
        if (auto failure = add_variants(kHostFormat, built)) return *std::move(failure);
    }
    for (const VulkanMemory memory : {VulkanMemory::kAddresses, VulkanMemory::kBuffers}) {
        const auto format = format_of(memory);
        if (!has(formats_, format)) continue;
        const auto built = build_spirv_vulkan(path, memory, options_, *front_end, *temporary, deadline);
        if (auto failure = add_variants(format, built)) return *std::move(failure);
    }
    const auto bytes = writer_.finish();
    if (!bytes) return Failure{QIAO_ERROR_INTERNAL, bytes.error().message, "report this as a defect", log_, 0};
    return Compiled{{reinterpret_cast<const char*>(bytes->data()), bytes->size()}, log_, false};
}

} // namespace

Outcome<Compiled> compile(const Request& request) {
    if (auto failure = check(request)) return *std::move(failure);
    const auto formats = parse_formats(request.formats);
    if (!formats) return formats.error();
    const auto options = parse_options(request.options);
    if (!options) return options.error();
    auto source = complete_source(request.source, request.source_name, *options);
    if (!source) return source.error();

    const Cache cache(request.cache_directory);
    std::string key;
    if (request.use_cache) {
        key = key_of(request, *source, *options, *formats);
        if (auto entry = cache.load(key)) return Compiled{std::move(entry->package), std::move(entry->log), true};
    }
    Build build(request, *options, *formats);
    auto compiled = build.run(*std::move(source));
    // A package that lacks a format is not kept: the tool may be installed the next time.
    if (!compiled || !request.use_cache || !build.complete()) return compiled;
    if (const auto reason = cache.store(key, {compiled->log, compiled->package}))
        compiled->log += concat("not kept in the cache: ", *reason, "\n");
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
    if (has(*formats, kHostFormat)) {
        const auto pocl = find_pocl();
        if (!pocl) return pocl.error();
        text += concat("pocl ", pocl->version, ": ", pocl->compiler, ", ", pocl->library, "\n");
    }
    if (std::any_of(formats->begin(), formats->end(), is_vulkan)) {
        const auto clspv = find_clspv();
        if (!clspv) return clspv.error();
        text += concat("clspv ", clspv->version, ": ", clspv->library, "\n");
        const std::string validator = find_spirv_val();
        text += concat("spirv-val: ", validator.empty() ? "none; modules are not checked (apt install spirv-tools)" : validator, "\n");
    }
    return text;
}

} // namespace qiao::compiler
