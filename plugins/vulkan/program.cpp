// Programs: a SPIR-V module, and the kernels found in it, each with a module of its own. Nothing is compiled here: that is pipeline.cpp's, once the shape
// of a launch is known.
#include <fnmatch.h>

#include <algorithm>

#include "entry_point.h"
#include "queue.h"

namespace qiao::vulkan {

struct Program {
    Device* device = nullptr;
    Words words; // of the whole module
    bool offsets = false; // kernels take buffers and offsets in place of addresses
    std::mutex mutex; // guards what follows
    std::vector<std::unique_ptr<Kernel>> kernels;
};

namespace {

constexpr const char *kFormat = "spirv-vulkan", *kOffsetFormat = "spirv-vulkan+offset";

// "" or why the device cannot run the program.
std::string refuse(const Device& device, const qiao_plugin_program_desc& desc) {
    const DeviceRecord& record = *device.record;
    const bool offsets = std::strcmp(desc.format, kOffsetFormat) == 0;
    if (!offsets && (record.table || std::strcmp(desc.format, kFormat) != 0))
        return text("format '", desc.format, "' is not one of ", record.info.formats);
    if (desc.target != nullptr && desc.target[0] != '\0' && fnmatch(desc.target, record.info.target, 0) != 0)
        return text("made for '", desc.target, "', the device is '", record.info.target, "'");
    return refuse_module(record, desc.data, desc.size_bytes);
}

// Where values end and the counts of local arguments begin, and what is bound.
void lay_out(Kernel& kernel, const qiao_plugin_kernel_desc& desc, bool offsets) {
    const Metadata& metadata = kernel.metadata;
    for (uint32_t i = 0; i < desc.argument_count; ++i) {
        const qiao_plugin_argument& argument = desc.arguments[i];
        if (argument.kind == QIAO_ARGUMENT_KIND_LOCAL) {
            if (kernel.local_count++ == 0) kernel.locals_offset = argument.offset;
            continue;
        }
        kernel.value_bytes = std::max(kernel.value_bytes, argument.offset + argument.size_bytes);
        if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS && offsets) kernel.addresses.push_back(argument.offset);
    }
    for (const int64_t binding : metadata.buffers) {
        kernel.buffer_of_address.push_back(binding < 0 ? -1 : static_cast<int64_t>(kernel.buffers.size()));
        if (binding >= 0) kernel.buffers.push_back({static_cast<uint32_t>(binding)});
    }
    if (metadata.uniform < 0) kernel.push_bytes = (kernel.value_bytes + 3) & ~3u;
    kernel.push_offset = static_cast<uint32_t>(metadata.push);
    if (metadata.output_bytes != 0) {
        if (metadata.output_binding >= 0) kernel.buffers.push_back({static_cast<uint32_t>(metadata.output_binding)});
        kernel.printing = std::make_shared<const Printing>(
            Printing{offsets ? kernel.name.substr(0, kernel.name.rfind("__at")) : kernel.name,
                     static_cast<uint32_t>(metadata.output_bytes) & ~3u, metadata.calls});
    }
    // A block of a few bytes may end before what is pushed does.
    kernel.bound = metadata.uniform >= 0 || offsets || kernel.push_bytes > desc.block_size || kernel.printing != nullptr;
}

// Kernels with a uniform block alone have one layout, and so one set in a batch.
VkResult create_set_layout(Device& device, Kernel& kernel) {
    if (kernel.buffers.empty() && kernel.metadata.uniform < 0) return VK_SUCCESS;
    if (kernel.buffers.empty() && kernel.metadata.uniform == 0) {
        kernel.set_layout = device.block_set;
        return VK_SUCCESS;
    }
    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (const Kernel::BoundBuffer& each : kernel.buffers)
        bindings.push_back({each.binding, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
    if (kernel.metadata.uniform >= 0)
        bindings.push_back({static_cast<uint32_t>(kernel.metadata.uniform), VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 1,
                            VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
    VkDescriptorSetLayoutCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
    info.bindingCount = static_cast<uint32_t>(bindings.size());
    info.pBindings = bindings.data();
    return device.vk.vkCreateDescriptorSetLayout(device.device, &info, nullptr, &kernel.set_layout);
}

std::string list_of(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names)
        list += (list.empty() ? "" : ", ") + name;
    return list.empty() ? "none" : list;
}

// "" or why the kernel's description cannot be used.
std::string check(const Device& device, const Kernel& kernel, const qiao_plugin_kernel_desc& desc) {
    const VkPhysicalDeviceLimits& limits = device.record->properties.limits;
    const uint32_t limit = std::min(limits.maxPushConstantsSize, kMaxPushBytes);
    if (pushed_bytes(kernel) > limit)
        return text("its ", pushed_bytes(kernel), " bytes of arguments are over the device's ", limit, " bytes of push constants");
    if (kernel.metadata.locals.size() != kernel.local_count)
        return text("it has ", kernel.local_count, " local arguments, the variant's metadata '", desc.vendor_metadata, "' has ",
                    kernel.metadata.locals.size());
    if (kernel.metadata.buffers.size() != kernel.addresses.size())
        return text("it has ", kernel.addresses.size(), " addresses, the variant's metadata '", desc.vendor_metadata, "' has ",
                    kernel.metadata.buffers.size(), " buffers");
    if (kernel.buffers.size() > limits.maxPerStageDescriptorStorageBuffers)
        return text("its ", kernel.buffers.size(), " buffers are over the device's limit of ",
                    limits.maxPerStageDescriptorStorageBuffers, " for a kernel");
    if (kernel.metadata.uniform >= 0 && !device.record->features.v12.uniformBufferStandardLayout)
        return "its arguments are a uniform buffer laid out like a struct of C (uniformBufferStandardLayout), which the device lacks";
    if (kernel.metadata.output_push % 8 > 0 || kernel.push_offset % 4 != 0) return "its push constants are not aligned";
    if (kernel.metadata.output_push >= 0 && device.record->table) return "it prints to an address, and the device has none";
    for (int i = 0; i < 3; ++i)
        if (kernel.metadata.group[i] < 0 && desc.required_group[i] == 0)
            return "its group size is fixed in the module, but not said to be required";
    return "";
}

} // namespace

// ---------------------------------------------------------------------------------------------- slots

static qiao_status vulkan_program_load(void* device_pointer, const qiao_plugin_program_desc* desc, void** out_program) {
    Device& device = object<Device>(device_pointer);
    return guarded(device.host, "program_load", [&]() -> qiao_status {
        if (const std::string reason = refuse(device, *desc); !reason.empty())
            return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                     .message = text(device.record->info.name, " cannot run the program: ", reason),
                                     .remedy = "use another variant or device"});
        if (desc->cache_directory != nullptr) device.pipelines.use_directory(device, desc->cache_directory);
        auto program = std::make_unique<Program>();
        program->device = &device;
        program->offsets = std::strcmp(desc->format, kOffsetFormat) == 0;
        program->words.resize(desc->size_bytes / 4);
        std::memcpy(program->words.data(), desc->data, desc->size_bytes);
        *out_program = program.release();
        return QIAO_OK;
    });
}

static void vulkan_program_unload(void* device_pointer, void* program_pointer) {
    Device& device = object<Device>(device_pointer);
    auto* program = static_cast<Program*>(program_pointer);
    for (const auto& kernel : program->kernels)
        destroy_pipelines(*kernel);
    {
        std::lock_guard lock(device.mutex);
        for (const auto& kernel : program->kernels)
            device.kernels.give_back(kernel->number);
    }
    delete program;
    guarded(device.host, "program_unload", [&]() -> qiao_status { // what its kernels were compiled to is worth keeping
        device.pipelines.save(device);
        return QIAO_OK;
    });
}

static qiao_status vulkan_kernel_find(void* program_pointer, const qiao_plugin_kernel_desc* desc,
                                      qiao_plugin_kernel* out_kernel) {
    Program& program = object<Program>(program_pointer);
    Device& device = *program.device;
    return guarded(device.host, "kernel_find", [&]() -> qiao_status {
        const auto names = entry_points_of(program.words);
        if (std::find(names.begin(), names.end(), desc->name) == names.end())
            return device.host.fail({.status = QIAO_ERROR_NOT_FOUND,
                                     .message = text("the program has no kernel '", desc->name, "'; it has: ", list_of(names)),
                                     .remedy = "use one of the names listed"});
        auto kernel = std::make_unique<Kernel>();
        kernel->device = &device;
        kernel->name = desc->name;
        kernel->words = &program.words;
        std::string problem = parse_metadata(desc->vendor_metadata, &kernel->metadata);
        if (!problem.empty()) problem = "the variant's metadata " + problem;
        if (problem.empty()) {
            lay_out(*kernel, *desc, program.offsets);
            problem = check(device, *kernel, *desc);
        }
        if (!problem.empty())
            return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                     .message = text("kernel '", desc->name, "' cannot run on ", device.record->info.name, ": ", problem),
                                     .remedy = "compile the package again with this version of Qiao"});
        VkResult result = create_set_layout(device, *kernel);
        if (result == VK_SUCCESS)
            result = create_layout(*kernel, &kernel->set_layout, kernel->set_layout != VK_NULL_HANDLE ? 1 : 0, &kernel->layout);
        if (result == VK_SUCCESS) result = create_module(device, module_of(program.words, kernel->name), &kernel->module);
        if (result != VK_SUCCESS) {
            destroy_pipelines(*kernel);
            return device_failed(device, result, text("the module of kernel '", desc->name, "'"));
        }
        {
            std::scoped_lock lock(device.mutex, program.mutex);
            kernel->number = device.kernels.take();
            kernel->serial = device.next_serial++;
            program.kernels.push_back(std::move(kernel));
            out_kernel->kernel = program.kernels.back().get();
        }
        out_kernel->static_local_bytes = desc->static_local_bytes;
        out_kernel->flags = QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET;
        return QIAO_OK;
    });
}

static qiao_status vulkan_program_score(void* device_pointer, const qiao_plugin_program_desc* desc, uint32_t* out_score,
                                        char* reason, size_t reason_size) {
    Device& device = object<Device>(device_pointer);
    return guarded(device.host, "program_score", [&]() -> qiao_status {
        const std::string refusal = refuse(device, *desc);
        *out_score = !refusal.empty() ? 0 : std::strcmp(desc->format, kFormat) == 0 ? 20 : 10;
        plugin::copy_text(reason, reason_size, refusal);
        return QIAO_OK;
    });
}

const qiao_plugin_program_ops vulkan_program_ops = {
    sizeof(qiao_plugin_program_ops), vulkan_program_load,  vulkan_program_unload,
    vulkan_kernel_find,              vulkan_kernel_launch, vulkan_program_score,
};

} // namespace qiao::vulkan
