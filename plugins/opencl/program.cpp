// Programs: OpenCL C and SPIR-V are built by the driver for its device; what the compiler said goes into the host's error
// record. Kernels are described here; their per-queue clones and arguments are launch.h's.
#include "program.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <optional>

#include "binaries.h"

namespace qiao::opencl {
namespace {

constexpr uint32_t kSpirvMagic = 0x07230203u;

bool is_spirv(const qiao_plugin_program_desc& desc) {
    return std::strcmp(desc.format, "spirv-opencl") == 0;
}
bool is_source(const Device& device, const qiao_plugin_program_desc& desc) {
    return std::strcmp(desc.format, device.record->table ? "opencl-c+offset" : "opencl-c") == 0;
}

std::string build_log(Device& device, cl_program binary) {
    size_t size = 0;
    const cl_device_id id = device.record->id;
    if (device.cl->clGetProgramBuildInfo(binary, id, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size) != CL_SUCCESS) return "";
    std::string log(size, '\0');
    if (size != 0 &&
        device.cl->clGetProgramBuildInfo(binary, id, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr) != CL_SUCCESS)
        return "";
    log.resize(std::strlen(log.c_str()));
    return log;
}

// The first line of the log that speaks of an error, without the driver's file name.
std::string first_error(const std::string& log) {
    size_t at = log.find("error:");
    if (at == std::string::npos) return "";
    const size_t start = log.rfind('\n', at) == std::string::npos ? 0 : log.rfind('\n', at) + 1;
    const std::string line = log.substr(start, log.find('\n', at) - start);
    return line.size() > 300 ? line.substr(0, 300) + "..." : line;
}

qiao_status build_failed(Device& device, cl_program binary, cl_int code) {
    const std::string log = build_log(device, binary);
    const std::string error_text = first_error(log);
    const std::string message = std::string("the program could not be built for ") + device.record->info.name +
                                (error_text.empty() ? "" : ": " + error_text);
    qiao_plugin_error error = {};
    error.struct_size = sizeof error;
    error.status = status_of(code);
    error.line = error_line(log.c_str());
    error.vendor_code = code;
    error.vendor_text = error_name(code);
    error.message = message.c_str();
    error.remedy = error.status == QIAO_ERROR_BUILD ? "correct the source; the log has all the compiler said"
                   : error.status == QIAO_ERROR_INVALID_ARGUMENT ? "correct the build options"
                                                                 : nullptr;
    error.log = log.c_str();
    device.host->error(device.host->host, &error);
    return check_lost(device, code) ? static_cast<qiao_status>(QIAO_ERROR_DEVICE_LOST) : error.status;
}

// ---------------------------------------------------------------------------------------------- SPIR-V

cl_program create_with_il(Device& device, const void* data, size_t size, cl_int* out_code) {
    if (device.record->version >= 210 && device.cl->clCreateProgramWithIL != nullptr)
        return device.cl->clCreateProgramWithIL(device.context, data, size, out_code);
    if (device.record->extensions.clCreateProgramWithILKHR != nullptr)
        return device.record->extensions.clCreateProgramWithILKHR(device.context, data, size, out_code);
    *out_code = CL_INVALID_OPERATION;
    return nullptr;
}

// Some drivers list an IL version and refuse every module: try an empty one, once.
bool spirv_works(Device& device) {
    static const uint32_t empty[] = {kSpirvMagic,
                                     0x00010000u,
                                     0,
                                     1,
                                     0, // 1.0, bound 1
                                     2u << 16 | 17,
                                     4,
                                     2u << 16 | 17,
                                     6,
                                     2u << 16 | 17,
                                     5, // Addresses, Kernel, Linkage
                                     3u << 16 | 14,
                                     2,
                                     2}; // Physical64 OpenCL
    {
        std::lock_guard lock(device.mutex);
        if (device.spirv_works >= 0) return device.spirv_works != 0;
    }
    cl_int code = CL_SUCCESS;
    cl_program program = create_with_il(device, empty, sizeof empty, &code);
    if (program != nullptr) device.cl->clReleaseProgram(program);
    std::lock_guard lock(device.mutex);
    device.spirv_works = program != nullptr ? 1 : 0;
    return program != nullptr;
}

// "" or why the device will not take the module.
std::string refuse_spirv(Device& device, const qiao_plugin_program_desc& desc) {
    const std::string& il = device.record->il;
    if (il.find("SPIR-V") == std::string::npos) return "the driver takes no SPIR-V";
    uint32_t head[2] = {};
    if (desc.size_bytes < 20) return "the module has " + std::to_string(desc.size_bytes) + " bytes, less than a header";
    std::memcpy(head, desc.data, sizeof head);
    if (head[0] != kSpirvMagic) return "the module does not begin with SPIR-V's magic number";
    const std::string version =
        "SPIR-V_" + std::to_string(head[1] >> 16 & 0xff) + "." + std::to_string(head[1] >> 8 & 0xff);
    if (il.find(version) == std::string::npos) return "the module is " + version + ", the driver takes " + il;
    if (!spirv_works(device)) return "the driver lists " + il + " but refuses an empty module";
    return "";
}

std::string missing_features(qiao_features missing) {
    static const struct {
        qiao_features bit;
        const char* name;
    } names[] = {{QIAO_FEATURE_FP64, "fp64"},
                 {QIAO_FEATURE_FP16, "fp16"},
                 {QIAO_FEATURE_INT64, "int64"},
                 {QIAO_FEATURE_INT64_ATOMICS, "int64 atomics"},
                 {QIAO_FEATURE_SUBGROUPS, "subgroups"},
                 {QIAO_FEATURE_PRINTF, "printf"},
                 {QIAO_FEATURE_ADDRESSES, "addresses in data"}};
    std::string text;
    for (const auto& name : names)
        if ((missing & name.bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name.name);
    return text.empty() ? "a feature this plugin does not know" : text;
}

// "" or why the device cannot run the program.
std::string refuse(Device& device, const qiao_plugin_program_desc& desc) {
    const DeviceRecord& record = *device.record;
    if (!is_source(device, desc) && (!is_spirv(desc) || record.table))
        return std::string("format '") + desc.format + "' is not one of " + record.formats;
    if (desc.target != nullptr && desc.target[0] != '\0' && fnmatch(desc.target, record.info.target, 0) != 0)
        return std::string("made for '") + desc.target + "', the device is '" + record.info.target + "'";
    if (const qiao_features missing = desc.features & ~record.info.features; missing != 0)
        return "the device lacks " + missing_features(missing);
    if (is_spirv(desc)) return refuse_spirv(device, desc);
    return record.source ? "" : "the driver has no compiler";
}

cl_program create(Device& device, const qiao_plugin_program_desc& desc, cl_int* out_code) {
    if (is_spirv(desc)) return create_with_il(device, desc.data, desc.size_bytes, out_code);
    const char* source = static_cast<const char*>(desc.data);
    const size_t length = desc.size_bytes;
    return device.cl->clCreateProgramWithSource(device.context, 1, &source, &length, out_code);
}

// Source is built once, and then its binary is used. SPIR-V is not kept: drivers compile it later, and keep that themselves.
qiao_status build(Program& program, const qiao_plugin_program_desc& desc) {
    Device& device = *program.device;
    const char* options = desc.options != nullptr ? desc.options : "";
    std::optional<BinaryKey> key;
    if (!is_spirv(desc)) program.binary = load_binary(device, key.emplace(device, desc), options);
    if (program.binary != nullptr) return QIAO_OK;
    cl_int code = CL_SUCCESS;
    program.binary = create(device, desc, &code);
    if (program.binary == nullptr) return device_failed(device, code, "the driver refuses the program (%s)", desc.format);
    code = device.cl->clBuildProgram(program.binary, 1, &device.record->id, options, nullptr, nullptr);
    if (code != CL_SUCCESS) {
        const qiao_status status = build_failed(device, program.binary, code);
        device.cl->clReleaseProgram(program.binary);
        return status;
    }
    if (key) store_binary(device, *key, program.binary);
    return QIAO_OK;
}

bool is_modern(const qiao_plugin_program_desc& desc) {
    if (is_spirv(desc)) return true;
    const char* standard = desc.options != nullptr ? std::strstr(desc.options, "-cl-std=CL") : nullptr;
    return standard != nullptr && (standard[10] == '2' || standard[10] == '3');
}

// ---------------------------------------------------------------------------------------------- kernels

std::string kernel_names(Device& device, cl_program binary) {
    size_t size = 0;
    if (device.cl->clGetProgramInfo(binary, CL_PROGRAM_KERNEL_NAMES, 0, nullptr, &size) != CL_SUCCESS || size == 0)
        return "";
    std::string names(size, '\0');
    if (device.cl->clGetProgramInfo(binary, CL_PROGRAM_KERNEL_NAMES, size, names.data(), nullptr) != CL_SUCCESS)
        return "";
    names.resize(std::strlen(names.c_str()));
    for (size_t at = names.find(';'); at != std::string::npos; at = names.find(';', at + 2))
        names.replace(at, 1, ", ");
    return names;
}

qiao_status kernel_not_made(Program& program, const char* name, cl_int code) {
    Device& device = *program.device;
    if (code != CL_INVALID_KERNEL_NAME) return device_failed(device, code, "kernel '%s' cannot be made", name);
    const std::string names = kernel_names(device, program.binary);
    return fail_call(device.host, code, "use one of the names listed", "the program has no kernel '%s'; it has: %s",
                     name, names.empty() ? "none" : names.c_str());
}

// A fact about the kernel; one that the driver will not tell is unknown, which the host understands as "the device's".
uint64_t ask(Device& device, cl_kernel kernel, const char* name, cl_kernel_work_group_info what, size_t size) {
    uint64_t value = 0;
    const cl_int code = device.cl->clGetKernelWorkGroupInfo(kernel, device.record->id, what, size, &value, nullptr);
    if (code == CL_SUCCESS) return value;
    log(device.host, QIAO_LOG_LEVEL_WARNING, "%s does not tell fact 0x%x of kernel '%s': %s (%d)",
        device.record->info.name, what, name, error_name(code), code);
    return 0;
}

std::unique_ptr<Kernel> describe(Program& program, const qiao_plugin_kernel_desc& desc, cl_kernel native) {
    auto kernel = std::make_unique<Kernel>();
    kernel->device = program.device;
    kernel->binary = program.binary;
    kernel->name = desc.name;
    kernel->block_size = desc.block_size;
    kernel->follows_addresses = (desc.features & QIAO_FEATURE_ADDRESSES) != 0;
    kernel->spare = native;
    uint32_t index = 0;
    for (uint32_t i = 0; i < desc.argument_count; ++i) {
        const qiao_plugin_argument& argument = desc.arguments[i];
        if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS && program.device->record->table) {
            kernel->pairs.push_back(index);
            index += 2;
            continue;
        }
        const uint32_t size = argument.kind == QIAO_ARGUMENT_KIND_VALUE     ? argument.size_bytes
                              : argument.kind == QIAO_ARGUMENT_KIND_ADDRESS ? 8
                                                                            : 4;
        kernel->arguments.push_back({index++, argument.offset, size, argument.kind});
    }
    lay_out_words(*kernel);
    return kernel;
}

qiao_status check_count(Program& program, const qiao_plugin_kernel_desc& desc, cl_kernel native) {
    Device& device = *program.device;
    cl_uint count = 0;
    const cl_int code = device.cl->clGetKernelInfo(native, CL_KERNEL_NUM_ARGS, sizeof count, &count, nullptr);
    if (code != CL_SUCCESS) return device_failed(device, code, "the arguments of kernel '%s'", desc.name);
    cl_uint described = desc.argument_count;
    for (uint32_t i = 0; i < desc.argument_count; ++i)
        if (device.record->table && desc.arguments[i].kind == QIAO_ARGUMENT_KIND_ADDRESS) ++described;
    if (count == described) return QIAO_OK;
    return fail(device.host, QIAO_ERROR_INVALID_ARGUMENT, "compile the package again from the source of its variants",
                "kernel '%s' takes %u arguments, its description has %u", desc.name, count, described);
}

} // namespace

uint32_t error_line(const char* log) {
    // "file.cl:12:5: error: ...", "error: /tmp/x.cl:12:5: ...", "1:12:5: error: ..."; else "line 12".
    const char* error = strstr(log, "error");
    if (error == nullptr) return 0;
    const char* start = error;
    while (start > log && start[-1] != '\n')
        --start;
    for (const char* at = start; *at != '\0' && *at != '\n'; ++at) {
        char* end = nullptr;
        if (*at == ':' && isdigit(static_cast<unsigned char>(at[1]))) {
            const unsigned long line = strtoul(at + 1, &end, 10);
            if (*end == ':' && isdigit(static_cast<unsigned char>(end[1])) && line <= UINT32_MAX)
                return static_cast<uint32_t>(line);
        }
        if (strncmp(at, "line ", 5) == 0 && isdigit(static_cast<unsigned char>(at[5])))
            return static_cast<uint32_t>(strtoul(at + 5, nullptr, 10));
    }
    return 0;
}

// ---------------------------------------------------------------------------------------------- slots

static qiao_status opencl_program_load(void* device_pointer, const qiao_plugin_program_desc* desc, void** out_program) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&]() -> qiao_status {
        if (const std::string reason = refuse(device, *desc); !reason.empty())
            return fail(device.host, QIAO_ERROR_UNSUPPORTED, "use another variant or device",
                        "%s cannot run the program: %s", device.record->info.name, reason.c_str());
        auto program = std::make_unique<Program>();
        program->device = &device;
        program->modern = is_modern(*desc);
        if (const qiao_status status = build(*program, *desc); status != QIAO_OK) return status;
        *out_program = program.release();
        return QIAO_OK;
    });
}

static void opencl_program_unload(void* device_pointer, void* program_pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    auto* program = static_cast<Program*>(program_pointer);
    {
        std::lock_guard lock(device.mutex);
        for (const auto& kernel : program->kernels) {
            release_clones(*kernel);
            device.kernels.remove(kernel.get());
        }
    }
    device.cl->clReleaseProgram(program->binary);
    delete program;
}

static qiao_status opencl_kernel_find(void* program_pointer, const qiao_plugin_kernel_desc* desc,
                                      qiao_plugin_kernel* out_kernel) {
    Program& program = *static_cast<Program*>(program_pointer);
    Device& device = *program.device;
    return guarded(device.host, [&]() -> qiao_status {
        cl_int code = CL_SUCCESS;
        cl_kernel native = device.cl->clCreateKernel(program.binary, desc->name, &code);
        if (native == nullptr) return kernel_not_made(program, desc->name, code);
        // Owns `native` until the kernel does.
        const auto release = [&](cl_kernel made) { device.cl->clReleaseKernel(made); };
        std::unique_ptr<std::remove_pointer_t<cl_kernel>, decltype(release)> guard(native, release);
        if (const qiao_status status = check_count(program, *desc, native); status != QIAO_OK) return status;
        std::unique_ptr<Kernel> kernel = describe(program, *desc, native);
        out_kernel->max_group_size =
            static_cast<uint32_t>(ask(device, native, desc->name, CL_KERNEL_WORK_GROUP_SIZE, sizeof(size_t)));
        out_kernel->preferred_group_multiple = static_cast<uint32_t>(
            ask(device, native, desc->name, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, sizeof(size_t)));
        out_kernel->private_bytes =
            static_cast<uint32_t>(ask(device, native, desc->name, CL_KERNEL_PRIVATE_MEM_SIZE, sizeof(cl_ulong)));
        out_kernel->static_local_bytes =
            static_cast<uint32_t>(ask(device, native, desc->name, CL_KERNEL_LOCAL_MEM_SIZE, sizeof(cl_ulong)));
        out_kernel->flags = QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET;
        if (program.modern && device.record->remainder_groups) out_kernel->flags |= QIAO_PLUGIN_KERNEL_REMAINDER;
        {
            std::lock_guard lock(device.mutex);
            program.kernels.reserve(program.kernels.size() + 1);
            device.kernels.add(kernel.get());
            out_kernel->kernel = kernel.get();
            program.kernels.push_back(std::move(kernel));
        }
        guard.release();
        return QIAO_OK;
    });
}

template <Arguments kArguments>
static qiao_status opencl_kernel_launch(void* device_pointer, void* kernel_pointer,
                                        const qiao_plugin_geometry* geometry, const void* block,
                                        const qiao_plugin_binding* bindings) {
    Device& device = *static_cast<Device*>(device_pointer);
    const std::lock_guard lock(device.immediate_mutex);
    const qiao_status status = launch<kArguments>(device.immediate, *static_cast<const Kernel*>(kernel_pointer),
                                                  *geometry, block, bindings);
    if (status == QIAO_OK) device.cl->clFlush(device.immediate.queue);
    return status;
}

static qiao_status opencl_program_score(void* device_pointer, const qiao_plugin_program_desc* desc, uint32_t* out_score,
                                        char* reason, size_t reason_size) {
    Device& device = *static_cast<Device*>(device_pointer);
    return guarded(device.host, [&] {
        const std::string why = refuse(device, *desc);
        if (reason_size != 0) snprintf(reason, reason_size, "%s", why.c_str());
        *out_score = !why.empty() ? 0 : is_spirv(*desc) ? 20 : 10; // SPIR-V: no parsing, and the language is settled
        return static_cast<qiao_status>(QIAO_OK);
    });
}

const qiao_plugin_program_ops opencl_program_ops = {
    sizeof(qiao_plugin_program_ops),
    opencl_program_load,
    opencl_program_unload,
    opencl_kernel_find,
    opencl_kernel_launch<Arguments::kAddresses>,
    opencl_program_score,
};

const qiao_plugin_program_ops opencl_buffer_program_ops = {
    sizeof(qiao_plugin_program_ops),
    opencl_program_load,
    opencl_program_unload,
    opencl_kernel_find,
    opencl_kernel_launch<Arguments::kPairs>,
    opencl_program_score,
};

} // namespace qiao::opencl
