// Programs: host-elf variants, made by PoCL ahead of time. What a variant must be is in hal/docs/packages.md, "host-elf".
#include "program.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace qiao::mock_plugin {
namespace {

struct FeatureName {
    qiao_features feature;
    const char* name;
};
constexpr FeatureName kFeatureNames[] = {
    {QIAO_FEATURE_FP64, "fp64"},           {QIAO_FEATURE_FP16, "fp16"},
    {QIAO_FEATURE_INT64, "int64"},         {QIAO_FEATURE_INT64_ATOMICS, "int64_atomics"},
    {QIAO_FEATURE_SUBGROUPS, "subgroups"}, {QIAO_FEATURE_PRINTF, "printf"},
    {QIAO_FEATURE_ADDRESSES, "addresses"},
};

std::string names_of(qiao_features features) {
    std::string names;
    for (const FeatureName& entry : kFeatureNames) {
        if ((features & entry.feature) != 0) names += (names.empty() ? "" : ", ") + std::string(entry.name);
    }
    return names.empty() ? "features that this version does not know" : names;
}

std::string_view first_word(const char* text) {
    const std::string_view all(text != nullptr ? text : "");
    return all.substr(0, all.find(' '));
}

// 0 with the reason, else how well the variant suits this processor.
uint32_t score(const mock::Card& card, const qiao_plugin_program_desc& desc, std::string& reason) {
    if (std::string_view(desc.format) != "host-elf") {
        reason = std::string("format '") + desc.format + "': mock cards run host-elf";
        return 0;
    }
    if (const std::string_view interface = first_word(desc.tool); interface != mock::kInterface) {
        reason = "calling interface '" + std::string(interface) + "': mock cards run " + mock::kInterface;
        return 0;
    }
    if (const qiao_features missing = desc.features & ~features_of(card.profile()); missing != 0) {
        reason = "needs " + names_of(missing) + ", which '" + card.profile().name + "' lacks";
        return 0;
    }
    return mock::score_target(desc.target != nullptr ? desc.target : "", reason);
}

// ---------------------------------------------------------------------------------------------- a kernel's description

// One number of "private=16"; false unless the whole text is one.
bool read_number(std::string_view text, uint32_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool read_numbers(std::string_view text, std::vector<uint32_t>& out) {
    while (!text.empty()) {
        const size_t comma = text.find(',');
        if (!read_number(text.substr(0, comma), out.emplace_back())) return false;
        if (comma == std::string_view::npos) return true;
        text.remove_prefix(comma + 1);
    }
    return true;
}

// "auto_local=256,64;private=16;fixed=320"; false with what is wrong. Unknown keys are refused: they would change the call.
bool read_metadata(std::string_view text, mock::KernelDesc& out, std::string& wrong) {
    uint32_t known = 0;
    for (; !text.empty();) {
        const std::string_view field = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(text.size(), field.size() + 1));
        const std::string_view key = field.substr(0, field.find('='));
        const std::string_view value = field.size() > key.size() ? field.substr(key.size() + 1) : std::string_view();
        const bool read = key == "auto_local" ? read_numbers(value, out.automatic_locals)
                          : key == "private"  ? read_number(value, out.private_bytes)
                          : key == "fixed"    ? read_number(value, out.fixed_stack_bytes)
                                              : false;
        if (!read) {
            wrong = field;
            return false;
        }
        known |= key == "private" ? 1u : key == "fixed" ? 2u : 0u;
    }
    out.stack_known = known == 3;
    return true;
}

mock::ArgumentKind kind_of(qiao_argument_kind kind) {
    return kind == QIAO_ARGUMENT_KIND_ADDRESS ? mock::ArgumentKind::kAddress
           : kind == QIAO_ARGUMENT_KIND_LOCAL ? mock::ArgumentKind::kLocal
                                              : mock::ArgumentKind::kValue;
}

void print(Outlet& outlet, const std::string& kernel, std::string_view text, bool cut) {
    const std::lock_guard lock(outlet.mutex);
    if (!outlet.open) return;
    outlet.host.output(outlet.token, kernel.c_str(), text);
    if (cut)
        outlet.host.log(QIAO_LOG_LEVEL_WARNING, "kernel '" + kernel + "' printed more than the " + std::to_string(mock::kMaxOutputBytes) +
                                                    " bytes kept for a work-group; the rest is lost");
}

mock::Result<mock::KernelDesc> describe(const Program& program, const qiao_plugin_kernel_desc& desc) {
    mock::KernelDesc kernel;
    kernel.name = desc.name;
    kernel.function = program.module->find(desc.name);
    if (kernel.function == nullptr) {
        return mock::Status(mock::Code::kNotFound, "the program's host-elf image has no kernel '" + kernel.name + "'",
                            "compile the package again: all its variants must have the same kernels");
    }
    for (uint32_t index = 0; index < desc.argument_count; ++index) {
        const qiao_plugin_argument& argument = desc.arguments[index];
        kernel.arguments.push_back(
            {argument.name, kind_of(argument.kind), argument.offset, argument.size_bytes, argument.alignment});
    }
    kernel.block_size = desc.block_size;
    std::copy_n(desc.required_group, 3, kernel.required_group.begin());
    std::string wrong;
    if (!read_metadata(desc.vendor_metadata, kernel, wrong)) {
        return mock::Status(
            mock::Code::kDamaged,
            "kernel " + kernel.name + ": '" + wrong + "' in the host-elf variant's metadata is not understood",
            "compile the package again");
    }
    if ((desc.features & QIAO_FEATURE_PRINTF) != 0) {
        kernel.output = [outlet = program.device->outlet, name = kernel.name](std::string_view text, bool cut) {
            print(*outlet, name, text, cut);
        };
    }
    if (mock::Status status = mock::Kernel::validate(kernel); !status.ok()) return status;
    return kernel;
}

// Group sizes whose private memory fits the stack of a work-group; 0 = the card's limit.
uint32_t largest_group(const mock::Card& card, const mock::KernelDesc& desc) {
    if (desc.private_bytes == 0) return 0;
    const uint64_t room = card.private_memory_bytes();
    const uint64_t most = room > desc.fixed_stack_bytes ? (room - desc.fixed_stack_bytes) / desc.private_bytes : 1;
    return static_cast<uint32_t>(std::clamp<uint64_t>(most, 1, card.profile().max_group_size));
}

// ---------------------------------------------------------------------------------------------- slots

qiao_status program_load(void* pointer, const qiao_plugin_program_desc* desc, void** out_program) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "program_load", [&]() -> qiao_status {
        std::string reason;
        if (score(*device.card, *desc, reason) == 0) {
            return device.host.fail({.status = QIAO_ERROR_UNSUPPORTED,
                                     .message = "the mock card cannot run the program: " + reason,
                                     .remedy = "use another variant or device"});
        }
        const std::span<const std::byte> image(static_cast<const std::byte*>(desc->data), desc->size_bytes);
        const mock::Result<std::shared_ptr<mock::Module>> module = mock::Module::load(image, "of format host-elf");
        if (!module.ok()) return report(device.host, module.status());
        auto program = std::make_shared<Program>();
        program->device = &device;
        program->module = module.value();
        *out_program = new ProgramPointer(std::move(program));
        return QIAO_OK;
    });
}

void program_unload(void* pointer, void* program_pointer) {
    Device& device = plugin::object<Device>(pointer);
    const std::unique_ptr<ProgramPointer> program(static_cast<ProgramPointer*>(program_pointer));
    device.card->retire(std::move(*program));
}

qiao_status kernel_find(void* program_pointer, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    Program& program = *plugin::object<ProgramPointer>(program_pointer);
    const plugin::Host& host = program.device->host;
    return plugin::guarded(host, "kernel_find", [&]() -> qiao_status {
        const mock::Card& card = *program.device->card;
        mock::Result<mock::KernelDesc> described = describe(program, *desc);
        if (!described.ok()) return report(host, described.status());
        if (desc->block_size > card.profile().max_argument_bytes) {
            return host.fail({.status = QIAO_ERROR_OUT_OF_RANGE,
                              .message = std::string("kernel ") + desc->name + ": " + std::to_string(desc->block_size) +
                                         " bytes of arguments; the limit of '" + card.profile().name + "' is " +
                                         std::to_string(card.profile().max_argument_bytes),
                              .remedy = "pass fewer arguments, or put them into memory of the card"});
        }
        qiao_plugin_kernel made = {};
        made.max_group_size = largest_group(card, described.value());
        made.private_bytes = described.value().private_bytes;
        auto kernel = std::make_unique<mock::Kernel>(std::move(described.value()));
        made.static_local_bytes = kernel->automatic_bytes();
        made.flags = QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET;
        const std::lock_guard lock(program.mutex);
        made.kernel = program.kernels.emplace_back(std::move(kernel)).get();
        plugin::write_growing(out_kernel, made);
        return QIAO_OK;
    });
}

qiao_status kernel_launch(void* pointer, void* kernel, const qiao_plugin_geometry* geometry, const void* block,
                          const qiao_plugin_binding* bindings) {
    Device& device = plugin::object<Device>(pointer);
    const auto& native = plugin::object<const mock::Kernel>(kernel);
    std::optional<ResolvedBlock> resolved;
    if (bindings != nullptr) block = resolved.emplace(native, block, bindings).bytes;
    const std::lock_guard lock(device.mutex);
    const uint64_t value = device.immediate_value + 1;
    const mock::Status status = device.immediate->launch(native, shape_of(*geometry), block, value);
    if (!status.ok()) return report(device.host, status);
    device.immediate_value = value;
    // Blocking copies do not wait for queues, so the work has ended before the next slot is entered.
    return finish_wait(device.host, device.immediate->wait(value, UINT64_MAX), device.immediate->failure());
}

qiao_status program_score(void* pointer, const qiao_plugin_program_desc* desc, uint32_t* out_score, char* reason,
                          size_t reason_size) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "program_score", [&]() -> qiao_status {
        std::string why;
        *out_score = score(*device.card, *desc, why);
        plugin::copy_text(reason, reason_size, why);
        return QIAO_OK;
    });
}

} // namespace

ResolvedBlock::ResolvedBlock(const mock::Kernel& kernel, const void* block, const qiao_plugin_binding* bindings) noexcept {
    std::memcpy(bytes, block, kernel.desc().block_size);
    for (const mock::Kernel::AddressSlot& slot : kernel.addresses()) {
        const qiao_plugin_binding& binding = *bindings++;
        const uint64_t address =
            binding.allocation == nullptr ? 0 : plugin::object<Allocation>(binding.allocation).address + binding.offset;
        std::memcpy(bytes + slot.offset, &address, sizeof address);
    }
}

[[gnu::hot]] mock::Shape shape_of(const qiao_plugin_geometry& geometry) noexcept {
    mock::Shape shape;
    for (int axis = 0; axis < 3; ++axis) {
        shape.group_count[axis] = geometry.group_count[axis];
        shape.group_size[axis] = geometry.group_size[axis];
        shape.global_offset[axis] = geometry.global_offset[axis];
    }
    shape.dimensions = geometry.dimensions;
    return shape;
}

const qiao_plugin_program_ops mock_program_ops = {
    sizeof(qiao_plugin_program_ops), program_load, program_unload, kernel_find, kernel_launch, program_score,
};

} // namespace qiao::mock_plugin
