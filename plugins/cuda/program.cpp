// Programs: images of the vendor's formats, looked at before his driver sees them, and PTX, whose compiler's words go into the error
// record. Kernels: where their arguments stand, and launches that are not the plainest.
#include "program.h"

#include <string.h>

#include <algorithm>
#include <charconv>

#include "image.h"

namespace qiao::cuda {
namespace {

constexpr uint32_t kLocalUnit = 128; // what the core rounds each local argument up to

uint32_t round_up(uint32_t value, uint32_t unit) {
    return (value + unit - 1) / unit * unit;
}

// ---------------------------------------------------------------------------------------------- metadata

bool read_number(std::string_view text, uint32_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

struct Metadata {
    std::vector<uint32_t> alignments; // of local arguments
    uint32_t static_bytes = 0;
    uint32_t group = 0; // the largest
};

// "locals=16,4;static=256;group=256"; false with what is wrong. Unknown keys are refused, since they would change the call.
bool read_metadata(std::string_view text, Metadata& out, std::string& wrong) {
    while (!text.empty()) {
        const std::string_view field = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(text.size(), field.size() + 1));
        const std::string_view key = field.substr(0, field.find('='));
        std::string_view value = field.size() > key.size() ? field.substr(key.size() + 1) : std::string_view();
        bool good = false;
        if (key == "static") good = read_number(value, out.static_bytes);
        if (key == "group") good = read_number(value, out.group);
        if (key == "locals") {
            good = true;
            while (good && !value.empty()) {
                const std::string_view one = value.substr(0, value.find(','));
                good = read_number(one, out.alignments.emplace_back());
                value.remove_prefix(std::min(value.size(), one.size() + 1));
            }
        }
        if (good) continue;
        wrong = field;
        return false;
    }
    return true;
}

// ---------------------------------------------------------------------------------------------- loading

qiao_status load_failed(Device& device, Code code, const Program& program, const std::string& log) {
    const std::string first = log.substr(0, log.find('\n'));
    const std::string message = "the program (" + program.name + ") could not be loaded on " + device.record->info.name + (first.empty() ? "" : ": " + first);
    qiao_status status = device.driver->fail(code, message, log.empty() ? "add a variant for this device to the package; its target is '" + device.record->target + "'"
                                                                         : "the log has all the compiler said",
                                             log);
    // Every other code of a load says that this image is not for this device.
    if (check_lost(device, code)) return QIAO_ERROR_DEVICE_LOST;
    return status;
}

Code load_text(Device& device, const std::string& source, void** out_module, std::string* out_log) {
    const Driver& driver = *device.driver;
    const Family& family = driver.family();
    if (driver.call().module_load_with_options == nullptr || !family.error_log_option) return driver.module_load(out_module, source.c_str(), source.size() + 1);
    std::string log(16384, '\0');
    int options[] = {*family.error_log_option, *family.error_log_bytes_option};
    void* values[] = {log.data(), reinterpret_cast<void*>(static_cast<uintptr_t>(log.size() - 1))};
    const Code code = driver.call().module_load_with_options(out_module, source.c_str(), 2, options, values);
    log.resize(strlen(log.c_str()));
    *out_log = std::move(log);
    return code;
}

// ---------------------------------------------------------------------------------------------- kernels

void lay_out(const Device& device, const qiao_plugin_kernel_desc& desc, const Metadata& metadata, Kernel& kernel) {
    kernel.name = desc.name;
    kernel.argument_count = desc.argument_count;
    kernel.buffer_end = reinterpret_cast<void*>(device.driver->family().argument_end);
    kernel.local_base = round_up(metadata.static_bytes, kLocalUnit);
    kernel.local_slack = kernel.local_base - metadata.static_bytes;
    for (uint32_t i = 0; i < desc.argument_count; ++i) {
        const qiao_plugin_argument& argument = desc.arguments[i];
        kernel.offsets.push_back(argument.offset);
        if (argument.kind == QIAO_ARGUMENT_KIND_LOCAL)
            kernel.locals.push_back({i, argument.offset, kLocalUnit});
        else
            kernel.argument_bytes = std::max<size_t>(kernel.argument_bytes, argument.offset + argument.size_bytes);
    }
    // A local argument has its place among the others in what the library takes, but not in the block.
    const bool plain = kernel.locals.empty() && kernel.argument_bytes != 0;
    kernel.form = plain ? device.driver->family().arguments : ArgumentForm::kPointers;
}

void describe(Device& device, const Metadata& metadata, const Kernel& kernel, qiao_plugin_kernel& out) {
    const auto ask = [&](FunctionAttribute which) {
        const std::optional<int> value = device.driver->attribute(kernel.function, which);
        return value && *value > 0 ? static_cast<uint32_t>(*value) : 0u;
    };
    out.max_group_size = ask(FunctionAttribute::max_group_size);
    if (metadata.group != 0 && (out.max_group_size == 0 || metadata.group < out.max_group_size)) out.max_group_size = metadata.group;
    out.static_local_bytes = ask(FunctionAttribute::static_local_bytes);
    out.private_bytes = ask(FunctionAttribute::private_bytes);
}

} // namespace

// ---------------------------------------------------------------------------------------------- launches

static Code launch_by_configuration(const Device& device, const Kernel& kernel, void* stream, const qiao_plugin_geometry& geometry, void** parameters,
                                    uint32_t local_bytes) noexcept {
    LaunchConfiguration configuration = {};
    std::copy_n(geometry.group_count, 3, configuration.groups);
    std::copy_n(geometry.group_size, 3, configuration.group);
    configuration.local_bytes = local_bytes;
    configuration.stream = stream;
    return device.driver->launch_by_configuration()(&configuration, kernel.function, parameters, nullptr);
}

// One pointer for each argument: into the block, or to the place of a local argument in dynamic local memory. The library reads as many
// bytes of that as its kernel has: the numbers are little-endian.
[[gnu::noinline]] Code launch_by_pointers(const Device& device, const Kernel& kernel, void* stream, const qiao_plugin_geometry& geometry,
                                          const void* block) noexcept {
    void* parameters[QIAO_MAX_ARGUMENTS];
    const char* bytes = static_cast<const char*>(block);
    const uint32_t count = kernel.argument_count;
    for (uint32_t i = 0; i < count; ++i) parameters[i] = const_cast<char*>(bytes + kernel.offsets[i]);
    uint64_t places[QIAO_MAX_ARGUMENTS];
    uint32_t local_bytes = geometry.local_bytes;
    if (!kernel.locals.empty()) [[unlikely]] {
        uint32_t place = kernel.local_base;
        for (const LocalArgument& local : kernel.locals) {
            uint32_t size;
            memcpy(&size, bytes + local.count_offset, sizeof size);
            places[local.index] = place;
            parameters[local.index] = &places[local.index];
            place += round_up(size, kLocalUnit);
        }
        local_bytes += kernel.local_slack;
    }
    const LaunchFunction function = device.driver->launch();
    if (function == nullptr) return launch_by_configuration(device, kernel, stream, geometry, parameters, local_bytes);
    return function(kernel.function, geometry.group_count[0], geometry.group_count[1], geometry.group_count[2], geometry.group_size[0],
                    geometry.group_size[1], geometry.group_size[2], local_bytes, stream, parameters, nullptr);
}

// ---------------------------------------------------------------------------------------------- slots

static qiao_status cuda_program_score(void* device_pointer, const qiao_plugin_program_desc* desc, uint32_t* out_score, char* reason, size_t reason_size) {
    Device& device = *static_cast<Device*>(device_pointer);
    return plugin::guarded(device.driver->host(), "program_score", [&]() -> qiao_status {
        const Family& family = device.driver->family();
        const Format* format = find_format(family, desc->format);
        std::string why;
        *out_score = 0;
        if (format == nullptr)
            why = std::string("format '") + desc->format + "' is none of " + device.record->formats;
        else if (why = check_image(*format, desc->data, desc->size_bytes); why.empty())
            *out_score = score_target(family, *format, desc->target != nullptr ? desc->target : "", device.record->target, &why);
        // Binaries before what is still to be compiled.
        if (*out_score != 0 && format->text.empty()) *out_score += 10;
        plugin::copy_text(reason, reason_size, why);
        return QIAO_OK;
    });
}

static qiao_status cuda_program_load(void* device_pointer, const qiao_plugin_program_desc* desc, void** out_program) {
    Device& device = *static_cast<Device*>(device_pointer);
    return plugin::guarded(device.driver->host(), "program_load", [&]() -> qiao_status {
        const Family& family = device.driver->family();
        const Format* format = find_format(family, desc->format);
        std::string why = format == nullptr ? std::string("'") + desc->format + "' is none of the formats " + device.record->formats
                                            : check_image(*format, desc->data, desc->size_bytes);
        if (!why.empty())
            return device.driver->host().fail({.status = QIAO_ERROR_UNSUPPORTED,
                                               .message = std::string(device.record->info.name) + " is not given the program: " + why,
                                               .remedy = "make the variant with the vendor's compiler, for this family of cards"});
        auto program = std::make_unique<Program>();
        program->device = &device;
        program->name = format->name;
        const Current current(device);
        std::string log;
        const Code code = format->text.empty() ? device.driver->module_load(&program->module, desc->data, desc->size_bytes)
                                               : load_text(device, std::string(static_cast<const char*>(desc->data), desc->size_bytes), &program->module, &log);
        if (!device.driver->ok(code)) return load_failed(device, code, *program, log);
        *out_program = program.release();
        return QIAO_OK;
    });
}

static void cuda_program_unload(void* device_pointer, void* program_pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    const std::unique_ptr<Program> program(static_cast<Program*>(program_pointer));
    if (device.lost.load()) return;
    const Current current(device);
    device.driver->call().module_unload(program->module);
}

static qiao_status cuda_kernel_find(void* program_pointer, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    Program& program = *static_cast<Program*>(program_pointer);
    Device& device = *program.device;
    return plugin::guarded(device.driver->host(), "kernel_find", [&]() -> qiao_status {
        Metadata metadata;
        std::string wrong;
        if (!read_metadata(desc->vendor_metadata != nullptr ? desc->vendor_metadata : "", metadata, wrong))
            return device.driver->host().fail({.status = QIAO_ERROR_PACKAGE,
                                               .message = std::string("kernel ") + desc->name + ": '" + wrong + "' in the " + program.name + " variant's metadata is not understood",
                                               .remedy = "known are locals, static and group: compile the package again"});
        Kernel kernel;
        lay_out(device, *desc, metadata, kernel);
        const Current current(device);
        const Code code = device.driver->call().module_function(&kernel.function, program.module, desc->name);
        if (!device.driver->ok(code)) {
            const qiao_status status = device.driver->fail(code, std::string("the ") + program.name + " image has no kernel '" + desc->name + "'",
                                                           "all variants of a package must have the same kernels");
            check_lost(device, code);
            return status == QIAO_ERROR_PLUGIN ? static_cast<qiao_status>(QIAO_ERROR_NOT_FOUND) : status;
        }
        describe(device, metadata, kernel, *out_kernel);
        const std::lock_guard lock(program.mutex);
        out_kernel->kernel = &program.kernels.emplace_back(std::move(kernel));
        return QIAO_OK;
    });
}

static qiao_status cuda_kernel_launch(void* device_pointer, void* kernel_pointer, const qiao_plugin_geometry* geometry, const void* block,
                                      const qiao_plugin_binding*) {
    Device& device = *static_cast<Device*>(device_pointer);
    const Kernel& kernel = *static_cast<const Kernel*>(kernel_pointer);
    const Current current(device);
    const Code code = launch(device, device.driver->launch(), kernel, device.immediate, *geometry, block);
    return device.driver->ok(code) ? static_cast<qiao_status>(QIAO_OK) : device_failed(device, code, "launching kernel '" + kernel.name + "'");
}

const qiao_plugin_program_ops cuda_program_ops = {
    sizeof(qiao_plugin_program_ops), cuda_program_load, cuda_program_unload, cuda_kernel_find, cuda_kernel_launch, cuda_program_score,
};

} // namespace qiao::cuda
