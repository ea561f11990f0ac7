#include "core/module.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>

#include "core/handles.h"
#include "core/memory.h"
#include "core/stream.h"
#include "image/format.h"
#include "mock/module.h"

namespace fakes {
namespace {

constexpr uintptr_t kExtraPointer = 1, kExtraSize = 2;
constexpr int kErrorLog = 5, kErrorLogSize = 6; /* of the options of a load */

struct Module;

struct Function {
    Module* module = nullptr;
    Device* device = nullptr;
    std::unique_ptr<mock::Kernel> kernel;
    std::vector<image::Argument> arguments;
    uint32_t static_bytes = 0;
    uint32_t max_group = 0;
    uint32_t locals = 0;
};

struct Module {
    Device* device = nullptr;
    std::shared_ptr<mock::Module> code;
    std::map<std::string, image::Kernel> kernels;
    std::map<std::string, void*> functions; /* found before: the same handle again */
    const void* image = nullptr;            /* by quirk: where it must still lie, as it was */
    uint64_t image_begins = 0;
};

Handles<Module>& modules() {
    static auto& made = *new Handles<Module>;
    return made;
}
Handles<Function>& functions() {
    static auto& made = *new Handles<Function>;
    return made;
}

const image::Style& style() {
    static const image::Style& found = *image::style_of(family().image_family);
    return found;
}

uint32_t round_up(uint32_t value, uint32_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

/* The driver's block is the model's, but for local memory: the model is told sizes, where the driver is told places. */
mock::KernelDesc describe(const image::Kernel& kernel, mock::WorkGroupFunction code) {
    mock::KernelDesc desc;
    desc.name = kernel.name;
    desc.function = code;
    uint32_t at = 0;
    const uint32_t local_size = style().wide_local ? 8 : 4;
    for (const image::Argument& argument : kernel.arguments) {
        const bool local = argument.kind == 'l';
        const uint32_t size = local ? local_size : argument.size;
        const uint32_t alignment = local ? local_size : argument.alignment;
        at = round_up(at, alignment);
        const mock::ArgumentKind kind = local                  ? mock::ArgumentKind::kLocal
                                        : argument.kind == 'a' ? mock::ArgumentKind::kAddress
                                                               : mock::ArgumentKind::kValue;
        desc.arguments.push_back({std::to_string(desc.arguments.size()), kind, at, local ? 4 : size, local ? 4 : alignment});
        at += size;
    }
    desc.block_size = round_up(at, 8);
    desc.automatic_locals = kernel.statics;
    std::copy_n(kernel.group, 3, desc.required_group.begin());
    desc.stack_known = kernel.stack_known;
    desc.private_bytes = kernel.private_bytes;
    desc.fixed_stack_bytes = kernel.fixed_bytes;
    if (kernel.prints)
        desc.output = [](std::string_view text, bool) { std::fwrite(text.data(), 1, text.size(), stdout); };
    return desc;
}

uint32_t largest_group(const mock::Card& card, const image::Kernel& kernel) {
    const uint32_t most = card.profile().max_group_size;
    if (kernel.private_bytes == 0) return most;
    const uint64_t room = card.private_memory_bytes();
    const uint64_t fitting = room > kernel.fixed_bytes ? (room - kernel.fixed_bytes) / kernel.private_bytes : 1;
    return static_cast<uint32_t>(std::clamp<uint64_t>(fitting, 1, most));
}

size_t room_of(const std::byte* bytes, size_t size) {
    return size != 0 ? size : std::min<size_t>(SIZE_MAX / 2, SIZE_MAX - reinterpret_cast<uintptr_t>(bytes));
}

std::shared_ptr<Module> load(const void* pointer, size_t size, std::string& out_log) {
    Device& device = current();
    require(pointer != nullptr, Error::kInvalidValue);
    const auto* bytes = static_cast<const std::byte*>(pointer);
    if (std::memcmp(bytes, "//", 2) == 0 || std::memcmp(bytes, ".v", 2) == 0) {
        out_log = "this library has no compiler for PTX";
        fail(Error::kInvalidPtx);
    }
    const std::optional<image::Image> image = image::read(bytes, room_of(bytes, size), style());
    if (!image || image->host.empty()) {
        out_log = "not an image of this family";
        fail(Error::kInvalidImage);
    }
    if (image->target.substr(0, image->target.find(' ')) != family().image_family) {
        out_log = "an image for '" + image->target + "'";
        fail(Error::kNoBinary);
    }
    const mock::Result<std::shared_ptr<mock::Module>> code = mock::Module::load(image->host, "image");
    if (!code.ok()) {
        out_log = code.status().message();
        fail(code.status().code() == mock::Code::kUnsupported ? Error::kNoBinary : Error::kInvalidImage);
    }
    auto module = std::make_shared<Module>();
    module->device = &device;
    module->code = code.value();
    for (const image::Kernel& kernel : image->kernels)
        module->kernels.emplace(kernel.name, kernel);
    module->image = pointer;
    std::memcpy(&module->image_begins, pointer, sizeof module->image_begins);
    return module;
}

/* Where each local argument lies was given; the model wants to know how large it is: up to the next one, or the end. */
void replace_places(const Function& function, std::byte* block, uint32_t shared_bytes) {
    const uint32_t begin = style().wide_local ? 0 : function.static_bytes;
    const uint64_t end = uint64_t{begin} + shared_bytes;
    uint64_t places[mock::kMaxArguments] = {};
    const auto& arguments = function.kernel->desc().arguments;
    for (size_t index = 0; index < arguments.size(); ++index) {
        if (arguments[index].kind != mock::ArgumentKind::kLocal) continue;
        std::memcpy(&places[index], block + arguments[index].offset, style().wide_local ? 8 : 4);
        require(places[index] >= begin && places[index] <= end, Error::kIllegalAddress);
    }
    for (size_t index = 0; index < arguments.size(); ++index) {
        if (arguments[index].kind != mock::ArgumentKind::kLocal) continue;
        uint64_t next = end;
        for (size_t other = 0; other < arguments.size(); ++other) {
            if (arguments[other].kind == mock::ArgumentKind::kLocal && places[other] > places[index]) next = std::min(next, places[other]);
        }
        const auto size = static_cast<uint32_t>(next - places[index]);
        std::memcpy(block + arguments[index].offset, &size, sizeof size);
    }
}

/* The list `extra`: where the packed arguments are, checked against the kernel. */
const void* packed_block(const Function& function, void* const* extra) {
    const void* block = nullptr;
    const size_t* size = nullptr;
    for (size_t at = 0; reinterpret_cast<uintptr_t>(extra[at]) != family().extra_end; at += 2) {
        switch (reinterpret_cast<uintptr_t>(extra[at])) {
            case kExtraPointer:
                block = extra[at + 1];
                break;
            case kExtraSize:
                size = static_cast<const size_t*>(extra[at + 1]);
                break;
            default:
                fail(Error::kInvalidValue);
        }
    }
    require(block != nullptr && size != nullptr, Error::kInvalidValue);
    const mock::KernelDesc& desc = function.kernel->desc();
    uint32_t used = 0;
    const uint32_t local_size = style().wide_local ? 8 : 4;
    for (const mock::Argument& argument : desc.arguments)
        used = argument.offset + (argument.kind == mock::ArgumentKind::kLocal ? local_size : argument.size);
    require(*size >= used && *size <= mock::kMaxBlockBytes, Error::kInvalidValue);
    return block;
}

void reach_peers(Device& device, const mock::Kernel& kernel, const std::byte* block) {
    for (const mock::Kernel::AddressSlot& slot : kernel.addresses()) {
        uint64_t address;
        std::memcpy(&address, block + slot.offset, sizeof address);
        reach_peer(device, address);
    }
}

void gather(const Function& function, void* const* parameters, std::byte* block) {
    const auto& arguments = function.kernel->desc().arguments;
    const uint32_t local_size = style().wide_local ? 8 : 4;
    for (size_t index = 0; index < arguments.size(); ++index) {
        require(parameters != nullptr && parameters[index] != nullptr, Error::kInvalidValue);
        const uint32_t size = arguments[index].kind == mock::ArgumentKind::kLocal ? local_size : arguments[index].size;
        std::memcpy(block + arguments[index].offset, parameters[index], size);
    }
}

} // namespace

void module_load(void** out_module, const void* image, size_t size) {
    out(out_module) = nullptr;
    std::string log;
    *out_module = modules().add(load(image, size, log));
}

void module_load_with_options(void** out_module, const void* image, unsigned count, const int* options, void* const* values) {
    out(out_module) = nullptr;
    require(count == 0 || (options != nullptr && values != nullptr), Error::kInvalidValue);
    std::string log;
    try {
        *out_module = modules().add(load(image, 0, log));
    } catch (const Failure&) {
        char* buffer = nullptr;
        size_t room = 0;
        for (unsigned index = 0; index < count; ++index) {
            if (options[index] == kErrorLog) buffer = static_cast<char*>(values[index]);
            if (options[index] == kErrorLogSize) room = reinterpret_cast<uintptr_t>(values[index]);
        }
        if (buffer != nullptr && room > 0) std::snprintf(buffer, room, "%s", log.c_str());
        throw;
    }
}

void module_unload(void* handle) {
    const std::shared_ptr<Module> module = modules().get(handle);
    module->device->card->synchronize(UINT64_MAX);
    modules().take(handle);
    for (std::shared_ptr<Function>& function : functions().take_all([&](const Function& each) { return each.module == module.get(); }))
        module->device->card->retire(std::move(function));
    module->device->card->retire(module);
}

void module_function(void** out_function, void* handle, const char* name) {
    static std::mutex mutex;
    out(out_function) = nullptr;
    require(name != nullptr, Error::kInvalidValue);
    const std::shared_ptr<Module> module = modules().get(handle);
    const std::lock_guard lock(mutex);
    if (const auto known = module->functions.find(name); known != module->functions.end()) {
        *out_function = known->second;
        return;
    }
    require(!has(Quirk::kLazyImage) || std::memcmp(module->image, &module->image_begins, sizeof module->image_begins) == 0, Error::kInvalidImage);
    const auto kernel = module->kernels.find(name);
    require(kernel != module->kernels.end(), Error::kNotFound);
    mock::KernelDesc desc = describe(kernel->second, module->code->find(name));
    require(desc.function != nullptr, Error::kNotFound);
    check(mock::Kernel::validate(desc));
    auto function = std::make_shared<Function>();
    function->module = module.get();
    function->device = module->device;
    function->arguments = kernel->second.arguments;
    function->kernel = std::make_unique<mock::Kernel>(std::move(desc));
    function->static_bytes = function->kernel->automatic_bytes();
    function->max_group = largest_group(*module->device->card, kernel->second);
    function->locals = static_cast<uint32_t>(std::ranges::count(function->arguments, 'l', &image::Argument::kind));
    *out_function = module->functions[name] = functions().add(std::move(function));
}

/* Host code's variables are no memory of a card. */
void module_global(uint64_t*, size_t*, void* handle, const char*) {
    modules().get(handle);
    fail(Error::kNotFound);
}

void function_attribute(int* out_value, int attribute, void* handle) {
    const std::shared_ptr<Function> function = functions().get(handle);
    const mock::KernelDesc& desc = function->kernel->desc();
    switch (attribute) {
        case 0: /* largest group */
            out(out_value) = static_cast<int>(function->max_group);
            return;
        case 1: /* the kernel's own local memory */
            out(out_value) = static_cast<int>(function->static_bytes);
            return;
        case 3: /* private memory */
            out(out_value) = static_cast<int>(desc.private_bytes);
            return;
        case 8: /* dynamic local memory */
            out(out_value) = static_cast<int>(function->device->card->profile().local_memory_bytes - function->static_bytes);
            return;
        case 2: /* constants, registers, versions, caches */
        case 4:
        case 5:
        case 6:
        case 7:
        case 9:
            out(out_value) = 0;
            return;
        default:
            fail(Error::kInvalidValue);
    }
}

void function_set_attribute(void* handle, int attribute, int value) {
    const std::shared_ptr<Function> function = functions().get(handle);
    const auto room = static_cast<int>(function->device->card->profile().local_memory_bytes - function->static_bytes);
    require((attribute == 8 && value >= 0 && value <= room) || attribute == 9, Error::kInvalidValue);
}

void launch(void* handle, const Grid& grid, void* const* parameters, void* const* extra) {
    const std::shared_ptr<Function> function = functions().get(handle);
    const std::shared_ptr<Stream> stream = stream_of_current(grid.stream);
    require(function->device == stream->device, Error::kInvalidHandle);
    require(parameters == nullptr || extra == nullptr, Error::kInvalidValue);
    require(extra == nullptr || family().extra_launches, Error::kInvalidValue);
    const mock::CardProfile& profile = stream->card->profile();
    mock::Shape shape;
    shape.dimensions = 3;
    uint64_t items = 1;
    for (int axis = 0; axis < 3; ++axis) {
        require(grid.groups[axis] > 0 && grid.group[axis] > 0 && grid.group[axis] <= profile.max_group_size, Error::kInvalidConfiguration);
        shape.group_count[axis] = grid.groups[axis];
        shape.group_size[axis] = grid.group[axis];
        items *= grid.group[axis];
    }
    require(grid.groups[0] <= INT32_MAX && grid.groups[1] <= 65535 && grid.groups[2] <= 65535 && grid.group[2] <= 64, Error::kInvalidConfiguration);
    require(items <= profile.max_group_size, Error::kInvalidConfiguration);
    require(items <= function->max_group, Error::kLaunchOutOfResources);
    require(uint64_t{grid.shared_bytes} + function->static_bytes <= profile.local_memory_bytes, Error::kInvalidConfiguration);

    alignas(mock::kMaxAlignment) std::byte gathered[mock::kMaxBlockBytes];
    const void* block = gathered;
    if (extra != nullptr) {
        block = packed_block(*function, extra);
    } else {
        gather(*function, parameters, gathered);
    }
    if (function->locals > 0) {
        if (block != gathered) std::memcpy(gathered, block, function->kernel->desc().block_size);
        block = gathered;
        replace_places(*function, gathered, grid.shared_bytes);
    }
    if (stream->device->peers != 0) reach_peers(*stream->device, *function->kernel, static_cast<const std::byte*>(block));
    const auto launch_next = [&](mock::Queue& queue, uint64_t next) {
        mock::Status status = queue.launch(*function->kernel, shape, block, next);
        if (status.code() != mock::Code::kOutOfRange || !has(Quirk::kStickyErrors)) return status;
        error_of_loss() = Error::kIllegalAddress; /* accepted, and the end of the card */
        stream->card->set_lost("a kernel reached an address that is not the card's");
        return mock::Status();
    };
    submit(*stream, launch_next, Error::kIllegalAddress);
}

void forget_modules_of(const Device& device) {
    functions().take_all([&](const Function& function) { return function.device == &device; });
    modules().take_all([&](const Module& module) { return module.device == &device; });
}

} // namespace fakes
