// Entries for programs and kernels: compilation, loading, reflection. Which variant is loaded is variant.h's to say.
#include "qiao/program.h"

#include <stdlib.h>

#include <fstream>
#include <memory>
#include <optional>

#include "api/compiler_library.h"
#include "api/entry.h"
#include "api/instance.h"
#include "api/variant.h"
#include "dispatch/device.h"
#include "dispatch/geometry.h"
#include "dispatch/retire.h"
#include "dispatch/tables.h"
#include "object/program.h"
#include "package/package.h"

using namespace qiao;

namespace {

std::atomic<uint64_t> g_kernel_serial{0};

/* ---------------------------------------------------------------- source */

// A package that the program keeps, from wherever it came.
struct Contents {
    package::Package package;
    std::shared_ptr<const void> bytes;  // the package's
    std::string log;
};

qiao_status fail_damaged(const std::string& name, const std::string& message, const std::string& remedy) {
    fail(QIAO_ERROR_PACKAGE, "%s: %s", name.c_str(), message.c_str());
    set_remedy(remedy);
    return QIAO_ERROR_PACKAGE;
}

// Its own copy of the bytes, opened.
qiao_status open_copy(const std::string& name, const void* data, uint64_t size, std::optional<Contents>& out) {
    const auto* bytes = static_cast<const std::byte*>(data);
    const auto owner = std::make_shared<const std::vector<std::byte>>(bytes, bytes + size);
    auto package = package::Package::open(*owner);
    if (!package) return fail_damaged(name, package.error().message, package.error().remedy);
    out.emplace(*std::move(package), owner, std::string());
    return QIAO_OK;
}

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

qiao_status compile(const qiao_program_desc& desc, const char* name, const std::string& format, std::optional<Contents>& out) {
    const CompilerLibrary* compiler;
    QIAO_RETURN_IF_ERROR(open_compiler(&compiler));
    qiao_compiler_desc request = QIAO_COMPILER_DESC_INIT;
    request.source = static_cast<const char*>(desc.data);
    request.source_size = desc.size_bytes;
    request.source_name = name;
    request.options = desc.options;
    request.formats = format.c_str();
    request.flags = QIAO_COMPILER_THIS_PROCESSOR;
    qiao_compiler_output* output = nullptr;
    const qiao_status status = compiler->compile(&request, &output);
    if (output == nullptr) return fail(status != QIAO_OK ? status : QIAO_ERROR_INTERNAL, "the kernel compiler failed and gave no reason");
    const std::unique_ptr<qiao_compiler_output, qiao_compiler_output_release_fn> owner(output, compiler->release);
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    QIAO_RETURN_IF_ERROR(compiler->query(output, &result));
    if (status != QIAO_OK) return fail_compilation(result, name, status);
    QIAO_RETURN_IF_ERROR(open_copy(name, result.package, result.package_size, out));
    out->log = result.log;
    return QIAO_OK;
}

qiao_status fail_without_formats(qiao_device* device) {
    fail(QIAO_ERROR_UNSUPPORTED, "%s runs no kernels: its plugin names no program format", device_name(device));
    set_remedy("use another device; the plugin's maker sets `formats` in device_query");
    return QIAO_ERROR_UNSUPPORTED;
}

// Adds to the compiler's words which device they are about, and what is left to do.
qiao_status fail_uncompilable(qiao_device* device) {
    ErrorRecord record = last_error();
    const std::string& formats = device->body.formats;
    const std::string best = formats.substr(0, formats.find(';'));
    record.message = std::string(device_name(device)) + " takes only programs of format " + formats + ", and Qiao cannot compile this source to it: " + record.message;
    record.remedy += std::string(record.remedy.empty() ? "" : "; or ") + "make a package of the source and what another compiler made of it (`qiao cc`, `qiao package add PACKAGE FILE --format " +
                     best + "`), and load it with qiao_program_create_from_package";
    return fail(std::move(record));
}

// The device's formats, best first, until one that the compiler makes.
qiao_status compile_for(qiao_device* device, const qiao_program_desc& desc, const char* name, std::optional<Contents>& out) {
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

// The plugin may look at the kernels' descriptions until the program is unloaded.
void unload(qiao_program* program) {
    destroy_in_plugin(program->body.device, [program] {
        const Device& device = program->body.device->body;
        if (program->body.plugin_program != nullptr) device.tables.program.program_unload(device.opened.load(), program->body.plugin_program);
        for (qiao_kernel* kernel : program->body.kernels) drop_use(kernel);
        drop_use(program);
    });
}

// The user's, as the compiler has it; "" where neither variable is usable.
std::string cache_directory() {
    const char* cache = secure_getenv("XDG_CACHE_HOME");
    if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/qiao";
    const char* home = secure_getenv("HOME");
    return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/qiao" : "";
}

qiao_status fail_unfit(const Program& program, const package::Package& package, const Choice& choice) {
    fail(QIAO_ERROR_UNSUPPORTED, "%s has no variant for %s: %s", program.name.c_str(), device_name(program.device),
         explain(package, choice, "; ").c_str());
    const std::string others = devices_that_would_do(program.device, package);
    set_remedy((others.empty() ? "" : "use a device that could take it: " + others + "; or ") + "add a variant for one of the device's formats: " +
               program.device->body.formats);
    return QIAO_ERROR_UNSUPPORTED;
}

// For a device that no variant fits: the package's source, compiled on the spot, takes the package's place.
qiao_status compile_for_want_of_variants(Program& program, const Choice& choice, std::optional<Contents>& contents) {
    const package::Package& package = contents->package;
    const auto source = package.source();
    if (!source) return fail_damaged(program.name, source.error().message, source.error().remedy);
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = source->data();
    desc.size_bytes = source->size();
    desc.options = package.options().c_str();
    const std::string name = package.source_name().empty() ? program.name : package.source_name();
    std::optional<Contents> compiled;
    if (compile_for(program.device, desc, name.c_str(), compiled) == QIAO_OK) {
        program.selection = explain(package, choice, "\n") + "\nso the package's source was compiled for the device:\n";
        contents.swap(compiled);
        return QIAO_OK;
    }
    const ErrorRecord why = last_error();
    fail_unfit(program, package, choice);
    ErrorRecord record = last_error();
    record.message += "; nor can its source be compiled for the device: " + why.message;
    if (!why.remedy.empty()) record.remedy = why.remedy + "; or " + record.remedy;
    record.log = why.log;
    return fail(std::move(record));
}

// UNSUPPORTED if no variant fits. A damaged one that might have been taken is an error: a worse one would be taken silently in its place.
qiao_status choose(Program& program, const package::Package& package, Choice& choice) {
    choice = choose_variant(program.device, package);
    for (const Verdict& verdict : choice.verdicts) {
        if (verdict.verdict == QIAO_VERDICT_DAMAGED) return fail_damaged(program.name, verdict.reason, verdict.remedy);
    }
    return choice.taken != Choice::kNone ? QIAO_OK : fail_unfit(program, package, choice);
}

// What was just compiled is not compiled again.
enum class Origin { kSource, kPackage };

qiao_status load(Program& program, std::optional<Contents>& contents, Origin origin) {
    Choice choice;
    qiao_status chosen = choose(program, contents->package, choice);
    if (chosen == QIAO_ERROR_UNSUPPORTED && origin == Origin::kPackage && contents->package.has_source()) {
        QIAO_RETURN_IF_ERROR(compile_for_want_of_variants(program, choice, contents));
        chosen = choose(program, contents->package, choice);
    }
    QIAO_RETURN_IF_ERROR(chosen);
    const package::Package* package = &contents->package;
    program.package_bytes = contents->bytes;
    program.log = contents->log;
    program.selection += explain(*package, choice, "\n");
    const package::Variant& variant = package->variants()[choice.taken];
    const auto blob = package->read(choice.taken);
    if (!blob) return fail_damaged(program.name, blob.error().message, blob.error().remedy);
    program.format = variant.format;
    program.target = variant.target;
    program.tool = variant.tool;
    program.options = package->options_of(choice.taken);
    program.score = choice.verdicts[choice.taken].score;
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

qiao_status create(qiao_device* device, const char* name, std::optional<Contents>& contents, Origin origin, qiao_program** out_program) {
    const uint64_t losses = device->body.losses.load();
    if (device->body.lost.load()) return device_fail_lost(device);
    if (device->body.formats.empty()) return fail_without_formats(device);
    qiao_program* handle = Slab<qiao_program>::get().create(device);
    Program& program = handle->body;
    program.name = name;
    qiao_status status = load(program, contents, origin);
    if (status == QIAO_OK && device_was_lost_since(device, losses)) status = device_fail_lost(device);
    if (status != QIAO_OK) {
        unload(handle);
        return status;
    }
    instance_add_use(device->body.instance);
    *out_program = handle;
    return QIAO_OK;
}

qiao_status prepare(qiao_device* device) {
    QIAO_RETURN_IF_ERROR(device_ensure_open(device));
    retire_passed(device);
    return QIAO_OK;
}

qiao_status read_program_desc(qiao_device* device, const qiao_program_desc* desc, qiao_program_desc& out_desc) {
    QIAO_RETURN_IF_ERROR(read_desc(desc, "qiao_program_desc", out_desc));
    QIAO_RETURN_IF_ERROR(check_no_flags(out_desc.flags, "qiao_program_desc"));
    if (out_desc.data == nullptr) return fail(QIAO_ERROR_INVALID_ARGUMENT, "qiao_program_desc.data is null");
    if (out_desc.size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "qiao_program_desc.size_bytes is 0");
    if (out_desc.name == nullptr) out_desc.name = "program";
    return prepare(device);
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
        std::optional<Contents> compiled;
        QIAO_RETURN_IF_ERROR(compile_for(device, request, request.name, compiled));
        return create(device, request.name, compiled, Origin::kSource, out_program);
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
        std::optional<Contents> copied;
        QIAO_RETURN_IF_ERROR(open_copy(request.name, request.data, request.size_bytes, copied));
        return create(device, request.name, copied, Origin::kPackage, out_program);
    });
}

qiao_status qiao_program_create_from_package_file(qiao_device* device, const char* path, qiao_program** out_program) {
    if (out_program != nullptr) *out_program = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(path);
    QIAO_CHECK_POINTER(out_program);
    return entry([&]() -> qiao_status {
        QIAO_RETURN_IF_ERROR(prepare(device));
        auto package = package::Package::open_file(path);
        if (!package) {
            const bool readable = std::ifstream(path).good();
            fail(readable ? QIAO_ERROR_PACKAGE : QIAO_ERROR_IO, "%s", package.error().message.c_str());
            set_remedy(package.error().remedy);
            return readable ? QIAO_ERROR_PACKAGE : QIAO_ERROR_IO;
        }
        const auto mapping = std::make_shared<const package::Package>(*package);
        std::optional<Contents> mapped(Contents{*std::move(package), mapping, ""});
        return create(device, path, mapped, Origin::kPackage, out_program);
    });
}

qiao_status qiao_program_explain(qiao_device* device, const qiao_program_desc* desc, qiao_variant_callback callback, void* user) {
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(desc);
    QIAO_CHECK_POINTER(callback);
    return entry([&]() -> qiao_status {
        qiao_program_desc request;
        QIAO_RETURN_IF_ERROR(read_program_desc(device, desc, request));
        const auto package = package::Package::open({static_cast<const std::byte*>(request.data), request.size_bytes});
        if (!package) return fail_damaged(request.name, package.error().message, package.error().remedy);
        const Choice choice = choose_variant(device, *package);
        for (size_t index = 0; index < choice.verdicts.size(); ++index) {
            const package::Variant& variant = package->variants()[index];
            const Verdict& verdict = choice.verdicts[index];
            const qiao_variant values = {sizeof(qiao_variant), nullptr, variant.format.c_str(), variant.target.c_str(), variant.tool.c_str(),
                                         verdict.reason.c_str(), variant.features, verdict.verdict, verdict.score};
            callback(user, &values);
        }
        return QIAO_OK;
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
        retire(device, [program] { unload(program); });
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
                                            body.log.c_str(), static_cast<uint32_t>(body.kernels.size()), body.score,
                                            body.selection.c_str()};
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
