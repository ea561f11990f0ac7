// Entries for programs and kernels: compilation, the choice of a variant, loading, reflection.
#include "qiao/program.h"

#include <stdlib.h>

#include <memory>

#include "api/compiler_library.h"
#include "api/entry.h"
#include "api/instance.h"
#include "dispatch/device.h"
#include "dispatch/geometry.h"
#include "dispatch/retire.h"
#include "dispatch/tables.h"
#include "object/program.h"
#include "package/package.h"

using namespace qiao;

namespace {

std::atomic<uint64_t> g_kernel_serial{0};

/* ---------------------------------------------------------------- choice of a variant */

// Position of `format` in the device's list "best;next", or -1.
int format_rank(const std::string& formats, const std::string& format) {
    int rank = 0;
    for (size_t begin = 0; begin <= formats.size(); ++rank) {
        const size_t end = std::min(formats.find(';', begin), formats.size());
        if (formats.compare(begin, end - begin, format) == 0 && end > begin) return rank;
        begin = end + 1;
    }
    return -1;
}

qiao_plugin_program_desc describe(const package::Variant& variant, const package::Blob& blob, const std::string& options) {
    return {sizeof(qiao_plugin_program_desc), nullptr, variant.format.c_str(), variant.target.c_str(), variant.tool.c_str(),
            blob.bytes.data(), blob.bytes.size(), options.c_str(), nullptr, variant.features};
}

std::string feature_names(qiao_features features) {
    static constexpr struct {
        qiao_features feature;
        const char* name;
    } kNames[] = {{QIAO_FEATURE_FP64, "fp64"}, {QIAO_FEATURE_FP16, "fp16"}, {QIAO_FEATURE_INT64, "int64"}, {QIAO_FEATURE_INT64_ATOMICS, "int64 atomics"},
                  {QIAO_FEATURE_SUBGROUPS, "subgroups"}, {QIAO_FEATURE_PRINTF, "printf"}, {QIAO_FEATURE_ADDRESSES, "addresses in data"}};
    std::string names;
    for (const auto& entry : kNames) {
        if ((features & entry.feature) != 0) names += (names.empty() ? "" : ", ") + std::string(entry.name);
        features &= ~entry.feature;
    }
    if (features != 0) names += (names.empty() ? "" : ", ") + std::string("features unknown to this version");
    return names;
}

struct Choice {
    size_t index = 0;
    uint32_t score = 0;
    int rank = 0;
    std::string refusals;  // of all variants, for the error
};

qiao_status refuse(Choice& choice, const package::Variant& variant, const std::string& reason) {
    choice.refusals += (choice.refusals.empty() ? "" : "; ") + variant.format + (variant.target.empty() ? "" : " " + variant.target) + ": " + reason;
    return QIAO_OK;
}

qiao_status fail_damaged(const std::string& name, const package::Error& error) {
    fail(QIAO_ERROR_PACKAGE, "%s: %s", name.c_str(), error.message.c_str());
    set_remedy(error.remedy);
    return QIAO_ERROR_PACKAGE;
}

// The plugin's score decides, then the device's order of formats. A damaged variant that might have been taken is an error:
// a worse one would be taken silently in its place.
qiao_status consider(qiao_device* device, const package::Package& package, const std::string& name, size_t index, Choice& choice) {
    const package::Variant& variant = package.variants()[index];
    const int rank = format_rank(device->body.formats, variant.format);
    if (rank < 0) return refuse(choice, variant, "not a format of the device (" + device->body.formats + ")");
    const qiao_features missing = variant.features & ~device->body.info.features;
    if ((missing & QIAO_FEATURE_ADDRESSES) != 0) return refuse(choice, variant, "a kernel follows addresses inside data, the device cannot (feature addresses)");
    if (missing != 0) {
        return refuse(choice, variant, "needs " + feature_names(missing) + ", which the device lacks");
    }
    const auto blob = package.read(index);
    if (!blob) return fail_damaged(name, blob.error());
    uint32_t score = 1;
    if (device->body.tables.program.program_score != nullptr) {
        char reason[256] = "";
        const std::string options = package.options_of(index);
        const qiao_plugin_program_desc desc = describe(variant, *blob, options);
        SlotGuard guard(device->body);
        if (!guard) return refuse(choice, variant, "the device is lost");
        const qiao_status status = device->body.tables.program.program_score(device->body.opened.load(), &desc, &score, reason, sizeof reason);
        reason[sizeof reason - 1] = '\0';
        if (status != QIAO_OK || score == 0) return refuse(choice, variant, *reason != '\0' ? reason : "the plugin gave no reason");
    }
    if (score < choice.score || (score == choice.score && rank >= choice.rank)) return QIAO_OK;
    choice.index = index;
    choice.score = score;
    choice.rank = rank;
    return QIAO_OK;
}

qiao_status choose_variant(qiao_device* device, const package::Package& package, const std::string& name, Choice& choice) {
    for (size_t index = 0; index < package.variants().size(); ++index) QIAO_RETURN_IF_ERROR(consider(device, package, name, index, choice));
    if (choice.score != 0) return QIAO_OK;
    fail(QIAO_ERROR_UNSUPPORTED, "%s has no variant for %s: %s", name.c_str(), device_name(device),
         choice.refusals.empty() ? "the package has none at all" : choice.refusals.c_str());
    set_remedy("add a variant for one of the device's formats: " + device->body.formats);
    return QIAO_ERROR_UNSUPPORTED;
}

qiao_status fail_without_formats(qiao_device* device) {
    fail(QIAO_ERROR_UNSUPPORTED, "%s runs no kernels: its plugin names no program format", device_name(device));
    set_remedy("use another device; the plugin's maker sets `formats` in device_query");
    return QIAO_ERROR_UNSUPPORTED;
}

/* ---------------------------------------------------------------- loading */

void copy_arguments(const package::Kernel& source, Kernel& kernel) {
    for (const package::Argument& argument : source.arguments) {
        kernel.arguments.push_back({argument.name, argument.type, argument.kind, argument.access, argument.offset, argument.size, argument.alignment});
        if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS) kernel.address_arguments.push_back(static_cast<uint32_t>(kernel.arguments.size() - 1));
        if (argument.kind == QIAO_ARGUMENT_KIND_LOCAL && kernel.local_count++ == 0) kernel.local_counts_at = argument.offset;
    }
    for (const Argument& argument : kernel.arguments) {
        kernel.plugin_arguments.push_back({argument.name.c_str(), argument.kind, argument.access, argument.offset, argument.size_bytes, argument.alignment, 0u});
    }
}

qiao_status find_kernel(Program& program, const package::Kernel& source, const std::string& metadata) {
    qiao_kernel* handle = Slab<qiao_kernel>::get().create(program.device);
    program.kernels.push_back(handle);
    Kernel& kernel = handle->body;
    kernel.serial = g_kernel_serial.fetch_add(1) + 1;
    kernel.name = source.name;
    kernel.entry = program.format.ends_with(package::kOffsetSuffix) ? source.name + "__at" : source.name;
    kernel.vendor_metadata = metadata;
    kernel.block_size = source.block_size;
    kernel.features = source.features;
    std::copy_n(source.required_group, 3, kernel.required_group);
    copy_arguments(source, kernel);
    const bool resolved = program.device->body.made_addresses != nullptr && !kernel.address_arguments.empty();
    kernel.launch_device = resolved ? nullptr : program.device;

    qiao_plugin_kernel_desc& desc = kernel.plugin_desc;
    desc = {sizeof desc, nullptr, kernel.entry.c_str(), kernel.plugin_arguments.data(),
            static_cast<uint32_t>(kernel.arguments.size()), kernel.block_size,
            {source.required_group[0], source.required_group[1], source.required_group[2]},
            source.static_local_bytes, kernel.features, kernel.vendor_metadata.c_str()};
    WithSlack<qiao_plugin_kernel> answer;
    qiao_plugin_kernel& found = answer.value;
    const uint64_t losses = program.device->body.losses.load();
    SlotGuard guard(program.device->body);
    if (!guard) return device_fail_lost(program.device);
    const qiao_status status = program.device->body.tables.program.kernel_find(program.plugin_program, &desc, &found);
    if (status != QIAO_OK) return device_slot_failed(program.device, status, "kernel_find", losses);
    if (found.kernel == nullptr) return device_fail_empty(program.device, "kernel_find", "kernel");
    const qiao_plugin_device_info& info = program.device->body.info;
    kernel.plugin_kernel = found.kernel;
    kernel.max_group_size = found.max_group_size != 0 ? found.max_group_size : info.max_group_size;
    kernel.preferred_group_multiple = found.preferred_group_multiple != 0 ? found.preferred_group_multiple : info.preferred_group_multiple;
    kernel.private_bytes = found.private_bytes;
    kernel.static_local_bytes = std::max(found.static_local_bytes, source.static_local_bytes);
    if ((found.flags & QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET) != 0) kernel.flags |= QIAO_KERNEL_GLOBAL_OFFSET;
    if ((found.flags & QIAO_PLUGIN_KERNEL_REMAINDER) != 0) kernel.flags |= QIAO_KERNEL_REMAINDER;
    if ((found.flags & QIAO_PLUGIN_KERNEL_ONE_ITEM_GROUPS) != 0) kernel.max_group_size = 1;
    prepare_geometry(kernel);
    return QIAO_OK;
}

void unload(qiao_device* device, void* plugin_program, const std::vector<qiao_kernel*>& kernels) {
    if (plugin_program != nullptr) {
        if (SlotGuard guard(device->body); guard) {
            device->body.tables.program.program_unload(device->body.opened.load(), plugin_program);
        } else {
            device->body.abandoned = true;
        }
    }
    for (qiao_kernel* kernel : kernels) drop_use(kernel);
}

// The user's, as the compiler has it; "" where neither variable is usable.
std::string cache_directory() {
    const char* cache = secure_getenv("XDG_CACHE_HOME");
    if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/qiao";
    const char* home = secure_getenv("HOME");
    return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/qiao" : "";
}

qiao_status load(Program& program) {
    auto package = package::Package::open(program.bytes);
    if (!package) return fail_damaged(program.name, package.error());
    Choice choice;
    QIAO_RETURN_IF_ERROR(choose_variant(program.device, *package, program.name, choice));
    const package::Variant& variant = package->variants()[choice.index];
    const auto blob = package->read(choice.index);
    if (!blob) return fail_damaged(program.name, blob.error());
    program.format = variant.format;
    program.target = variant.target;
    program.tool = variant.tool;
    program.options = package->options_of(choice.index);
    program.score = choice.score;
    program.variant_owner = blob->owner;
    program.cache_directory = cache_directory();
    qiao_plugin_program_desc desc = describe(variant, *blob, program.options);
    if (!program.cache_directory.empty()) desc.cache_directory = program.cache_directory.c_str();
    desc.format = program.format.c_str();
    desc.target = program.target.c_str();
    desc.tool = program.tool.c_str();
    {
        const uint64_t losses = program.device->body.losses.load();
        SlotGuard guard(program.device->body);
        if (!guard) return device_fail_lost(program.device);
        const qiao_status status = program.device->body.tables.program.program_load(program.device->body.opened.load(), &desc, &program.plugin_program);
        if (status != QIAO_OK) {
            program.plugin_program = nullptr;
            return device_slot_failed(program.device, status, "program_load", losses);
        }
        if (program.plugin_program == nullptr) return device_fail_empty(program.device, "program_load", "program");
    }
    for (size_t index = 0; index < package->kernels().size(); ++index) {
        const std::string metadata = index < variant.metadata.size() ? variant.metadata[index] : std::string();
        QIAO_RETURN_IF_ERROR(find_kernel(program, package->kernels()[index], metadata));
    }
    return QIAO_OK;
}

qiao_status create(qiao_device* device, const char* name, std::vector<std::byte> bytes, std::string log, qiao_program** out_program) {
    const uint64_t losses = device->body.losses.load();
    if (device->body.lost.load()) return device_fail_lost(device);
    if (device->body.formats.empty()) return fail_without_formats(device);
    qiao_program* handle = Slab<qiao_program>::get().create(device);
    Program& program = handle->body;
    program.name = name;
    program.bytes = std::move(bytes);
    program.log = std::move(log);
    qiao_status status = load(program);
    if (status == QIAO_OK && device_was_lost_since(device, losses)) status = device_fail_lost(device);
    if (status != QIAO_OK) {
        unload(device, program.plugin_program, program.kernels);
        drop_use(handle);
        return status;
    }
    instance_add_use(device->body.instance);
    *out_program = handle;
    return QIAO_OK;
}

/* ---------------------------------------------------------------- source */

struct Compiled {
    std::vector<std::byte> package;
    std::string log;
};

qiao_status fail_compilation(const qiao_compiler_result& result, const char* name, qiao_status status) {
    ErrorRecord record;
    record.status = status == QIAO_TIMEOUT ? QIAO_ERROR_BUILD : status;
    record.line = result.line;
    record.message = result.message;
    record.remedy = result.remedy;
    record.object = name;
    record.log = result.log;
    return fail(std::move(record));
}

qiao_status compile(const qiao_program_desc& desc, const char* name, const std::string& format, Compiled& out) {
    const CompilerLibrary* compiler;
    QIAO_RETURN_IF_ERROR(open_compiler(&compiler));
    qiao_compiler_desc request = QIAO_COMPILER_DESC_INIT;
    request.source = static_cast<const char*>(desc.data);
    request.source_size = desc.size_bytes;
    request.source_name = name;
    request.options = desc.options;
    request.formats = format.c_str();
    qiao_compiler_output* output = nullptr;
    const qiao_status status = compiler->compile(&request, &output);
    if (output == nullptr) return fail(status != QIAO_OK ? status : QIAO_ERROR_INTERNAL, "the kernel compiler failed and gave no reason");
    const std::unique_ptr<qiao_compiler_output, qiao_compiler_output_release_fn> owner(output, compiler->release);
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    QIAO_RETURN_IF_ERROR(compiler->query(output, &result));
    if (status != QIAO_OK) return fail_compilation(result, name, status);
    const auto* bytes = static_cast<const std::byte*>(result.package);
    out.package.assign(bytes, bytes + result.package_size);
    out.log = result.log;
    return QIAO_OK;
}

// Adds to the compiler's words which device they are about, and what is left to do.
qiao_status fail_uncompilable(qiao_device* device) {
    ErrorRecord record = last_error();
    const std::string& formats = device->body.formats;
    const std::string best = formats.substr(0, formats.find(';'));
    record.message = std::string(device_name(device)) + " takes only programs of format " + formats + ", and Qiao cannot compile this source to it: " + record.message;
    record.remedy += std::string(record.remedy.empty() ? "" : "; or ") + "make a package of the source and what another compiler made of it (`qiao package make`, `qiao package add PACKAGE FILE --format " +
                     best + "`), and load it with qiao_program_create_from_package";
    return fail(std::move(record));
}

// The device's formats, best first, until one that the compiler makes.
qiao_status compile_for(qiao_device* device, const qiao_program_desc& desc, const char* name, Compiled& out) {
    const std::string& formats = device->body.formats;
    if (formats.empty()) return fail_without_formats(device);
    for (size_t begin = 0; begin < formats.size();) {
        const size_t end = std::min(formats.find(';', begin), formats.size());
        const qiao_status status = compile(desc, name, formats.substr(begin, end - begin), out);
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
        begin = end + 1;
    }
    return fail_uncompilable(device);
}

qiao_status read_program_desc(qiao_device* device, const qiao_program_desc* desc, qiao_program_desc& out_desc) {
    QIAO_RETURN_IF_ERROR(read_desc(desc, "qiao_program_desc", out_desc));
    QIAO_RETURN_IF_ERROR(check_no_flags(out_desc.flags, "qiao_program_desc"));
    if (out_desc.data == nullptr) return fail(QIAO_ERROR_INVALID_ARGUMENT, "qiao_program_desc.data is null");
    if (out_desc.size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "qiao_program_desc.size_bytes is 0");
    if (out_desc.name == nullptr) out_desc.name = "program";
    QIAO_RETURN_IF_ERROR(device_ensure_open(device));
    retire_passed(device);
    return QIAO_OK;
}

}  // namespace

qiao_status qiao_program_create_from_source(qiao_device* device, const qiao_program_desc* desc, qiao_program** out_program) {
    if (out_program != nullptr) *out_program = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(desc);
    QIAO_CHECK_POINTER(out_program);
    return entry([&]() -> qiao_status {
        qiao_program_desc request;
        QIAO_RETURN_IF_ERROR(read_program_desc(device, desc, request));
        Compiled compiled;
        QIAO_RETURN_IF_ERROR(compile_for(device, request, request.name, compiled));
        return create(device, request.name, std::move(compiled.package), std::move(compiled.log), out_program);
    });
}

qiao_status qiao_program_create_from_package(qiao_device* device, const qiao_program_desc* desc, qiao_program** out_program) {
    if (out_program != nullptr) *out_program = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(desc);
    QIAO_CHECK_POINTER(out_program);
    return entry([&]() -> qiao_status {
        qiao_program_desc request;
        QIAO_RETURN_IF_ERROR(read_program_desc(device, desc, request));
        const auto* bytes = static_cast<const std::byte*>(request.data);
        return create(device, request.name, {bytes, bytes + request.size_bytes}, "", out_program);
    });
}

qiao_status qiao_program_retain(qiao_program* program) {
    QIAO_CHECK_ALIVE(program);
    retain(program);
    return QIAO_OK;
}

qiao_status qiao_program_release(qiao_program* program) {
    if (program == nullptr) return QIAO_OK;
    QIAO_CHECK_ALIVE(program);
    return entry([&]() -> qiao_status {
        if (!release(program)) return QIAO_OK;
        qiao_device* device = program->body.device;
        qiao_instance* instance = device->body.instance;
        for (qiao_kernel* kernel : program->body.kernels) release(kernel);
        retire(device, [device, program] {
            unload(device, program->body.plugin_program, program->body.kernels);
            drop_use(program);
        });
        retire_passed(device);
        instance_drop_use(instance);
        return QIAO_OK;
    });
}

qiao_status qiao_program_query(qiao_program* program, qiao_program_properties* out_properties) {
    QIAO_CHECK_HANDLE(program);
    QIAO_CHECK_POINTER(out_properties);
    const Program& body = program->body;
    const qiao_program_properties values = {sizeof(qiao_program_properties), nullptr, body.format.c_str(), body.target.c_str(), body.tool.c_str(),
                                            body.log.c_str(), static_cast<uint32_t>(body.kernels.size()), body.score};
    return write_struct(values, out_properties, "qiao_program_properties");
}

qiao_status qiao_program_get_kernel_at(qiao_program* program, uint32_t index, qiao_kernel** out_kernel) {
    if (out_kernel != nullptr) *out_kernel = nullptr;
    QIAO_CHECK_HANDLE(program);
    QIAO_CHECK_POINTER(out_kernel);
    const auto& kernels = program->body.kernels;
    if (index >= kernels.size()) return fail(QIAO_ERROR_NOT_FOUND, "the program has %zu kernels, %u was asked for", kernels.size(), index);
    *out_kernel = kernels[index];
    return QIAO_OK;
}

qiao_status qiao_program_get_kernel(qiao_program* program, const char* name, qiao_kernel** out_kernel) {
    if (out_kernel != nullptr) *out_kernel = nullptr;
    QIAO_CHECK_HANDLE(program);
    QIAO_CHECK_POINTER(name);
    QIAO_CHECK_POINTER(out_kernel);
    return entry([&]() -> qiao_status {
        std::string names;
        for (qiao_kernel* kernel : program->body.kernels) {
            if (kernel->body.name == name) {
                *out_kernel = kernel;
                return QIAO_OK;
            }
            names += (names.empty() ? "" : ", ") + kernel->body.name;
        }
        return fail(QIAO_ERROR_NOT_FOUND, "%s has no kernel '%.200s'; it has: %s", program->body.name.c_str(), name, names.c_str());
    });
}

qiao_status qiao_kernel_query(qiao_kernel* kernel, qiao_kernel_properties* out_properties) {
    QIAO_CHECK_HANDLE(kernel);
    QIAO_CHECK_POINTER(out_properties);
    const Kernel& body = kernel->body;
    const qiao_kernel_properties values = {sizeof(qiao_kernel_properties), nullptr, body.name.c_str(), body.flags, body.features,
                                           static_cast<uint32_t>(body.arguments.size()), body.block_size,
                                           {body.required_group[0], body.required_group[1], body.required_group[2]}, body.max_group_size,
                                           body.preferred_group_multiple, body.static_local_bytes, body.private_bytes, 0u};
    return write_struct(values, out_properties, "qiao_kernel_properties");
}

qiao_status qiao_kernel_query_argument(qiao_kernel* kernel, uint32_t index, qiao_kernel_argument* out_argument) {
    QIAO_CHECK_HANDLE(kernel);
    QIAO_CHECK_POINTER(out_argument);
    const auto& arguments = kernel->body.arguments;
    if (index >= arguments.size()) {
        return fail(QIAO_ERROR_NOT_FOUND, "kernel %s has %zu arguments, %u was asked for", kernel->body.name.c_str(), arguments.size(), index);
    }
    const Argument& found = arguments[index];
    const qiao_kernel_argument values = {sizeof(qiao_kernel_argument), nullptr, found.name.c_str(), found.type.c_str(), found.kind, found.access,
                                         found.offset, found.size_bytes, found.alignment, 0u};
    return write_struct(values, out_argument, "qiao_kernel_argument");
}
