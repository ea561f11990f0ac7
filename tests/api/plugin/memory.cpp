// Memory, and programs. Device addresses are the bytes' own; a freed allocation's bytes are overwritten first.
#include <cstdlib>
#include <cstring>
#include <string>

#include "queued.h"

namespace queued {

void Users::add(Device& device, uint64_t address) {
    const std::lock_guard guard(device.mutex);
    auto after = device.allocations.upper_bound(address);
    if (after == device.allocations.begin()) return;
    Allocation* allocation = (--after)->second;
    if (address - after->first < allocation->size_bytes) add(allocation);
}

void Users::add(Allocation* allocation) {
    if (allocation == nullptr) return;
    allocation->users.fetch_add(1);
    allocations_.push_back(allocation);
}

Launch make_launch(Device& device, const Kernel& kernel, const qiao_plugin_geometry& geometry, const void* block,
                   const qiao_plugin_binding* bindings, Users& users) {
    const auto* bytes = static_cast<const std::byte*>(block);
    Launch launch{&device, geometry, {bytes, bytes + geometry.block_size}, [&device, epoch = device.epoch.load()] { return device.lost || device.epoch != epoch; }};
    const bool resolved = !device.traits->addresses && !kernel.addresses.empty();
    if (resolved != (bindings != nullptr)) violation("a launch of '%s' %s bindings", kernel.code->name, resolved ? "without" : "with");
    if (geometry.binding_count != kernel.addresses.size()) violation("'%s' has %zu addresses, not %u", kernel.code->name, kernel.addresses.size(), geometry.binding_count);
    for (size_t i = 0; i < kernel.addresses.size(); ++i) {
        std::byte* at = launch.block.data() + kernel.addresses[i];
        uint64_t address;
        std::memcpy(&address, at, sizeof address);
        if (!resolved) {
            users.add(device, address);
            continue;
        }
        auto* allocation = static_cast<Allocation*>(bindings[i].allocation);
        if (allocation == nullptr && (address != 0 || bindings[i].offset != 0)) violation("'%s': no allocation for an address", kernel.code->name);
        if (allocation != nullptr && bindings[i].offset > allocation->size_bytes) violation("'%s': an offset behind the end", kernel.code->name);
        users.add(allocation);
        address = allocation == nullptr ? 0 : reinterpret_cast<uint64_t>(allocation->bytes + bindings[i].offset);
        std::memcpy(at, &address, sizeof address);
    }
    return launch;
}

Users::~Users() {
    for (Allocation* allocation : allocations_) allocation->users.fetch_sub(1);
}

namespace {

constexpr uint64_t kMemoryBytes = 64u << 20;

Allocation& known(Device& device, void* handle, const char* slot) {
    auto* allocation = static_cast<Allocation*>(handle);
    const std::lock_guard guard(device.mutex);
    for (const auto& [address, live] : device.allocations) {
        if (live == allocation) return *allocation;
    }
    violation("%s got %p, which is no allocation of the device", slot, handle);
}

void check_range(const Allocation& allocation, uint64_t offset, uint64_t size_bytes, const char* slot) {
    if (size_bytes == 0 || offset > allocation.size_bytes || size_bytes > allocation.size_bytes - offset) {
        violation("%s of %llu bytes at %llu leaves the allocation of %llu", slot,
                  static_cast<unsigned long long>(size_bytes), static_cast<unsigned long long>(offset),
                  static_cast<unsigned long long>(allocation.size_bytes));
    }
}

qiao_status memory_allocate(void* handle, const qiao_plugin_memory_desc* desc, qiao_plugin_allocation* out_allocation) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "memory_allocate");
    const std::lock_guard guard(device.mutex);
    if (desc->size_bytes > kMemoryBytes - device.used_bytes) {
        return device.plugin->host.fail({.status = QIAO_ERROR_OUT_OF_MEMORY,
                                         .message = "the fixture has " + std::to_string(kMemoryBytes - device.used_bytes) +
                                                    " bytes left, " + std::to_string(desc->size_bytes) + " were asked for",
                                         .remedy = "free something"});
    }
    void* bytes = nullptr;
    if (posix_memalign(&bytes, std::max<size_t>(desc->alignment, sizeof(void*)), desc->size_bytes) != 0) {
        return device.plugin->host.fail({.status = QIAO_ERROR_OUT_OF_MEMORY, .message = "posix_memalign failed"});
    }
    std::memset(bytes, 0xcd, desc->size_bytes);
    auto* allocation = new Allocation{&device, static_cast<std::byte*>(bytes), desc->size_bytes, {}, {}};
    device.allocations[reinterpret_cast<uint64_t>(bytes)] = allocation;
    device.used_bytes += desc->size_bytes;
    const bool visible = desc->kind != QIAO_MEMORY_KIND_DEVICE;
    *out_allocation = {out_allocation->struct_size, out_allocation->next, allocation,
                       device.traits->addresses ? reinterpret_cast<uint64_t>(bytes) : 0,
                       visible ? static_cast<std::byte*>(bytes) + (device.traits->lies ? 8 : 0) : nullptr, desc->size_bytes, nullptr};
    return QIAO_OK;
}

void memory_free(void* handle, void* freed) {
    auto& device = *static_cast<Device*>(handle);
    const Destroying inside(device, "memory_free");
    Allocation& allocation = known(device, freed, "memory_free");
    if (allocation.users != 0 && !device.lost) violation("memory_free while %d operations use it", allocation.users.load());
    while (allocation.users != 0) std::this_thread::yield();  // what ran when the device was lost ends at once
    const std::lock_guard guard(device.mutex);
    device.allocations.erase(reinterpret_cast<uint64_t>(allocation.bytes));
    device.used_bytes -= allocation.size_bytes;
    std::memset(allocation.bytes, 0xdd, allocation.size_bytes);
    std::free(allocation.bytes);
    delete &allocation;
}

qiao_status memory_write(void* handle, void* target, uint64_t offset, const void* source, uint64_t size_bytes) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "memory_write");
    Allocation& allocation = known(device, target, "memory_write");
    check_range(allocation, offset, size_bytes, "memory_write");
    if (device.lost) return fail_lost(device);
    std::memcpy(allocation.bytes + offset, source, size_bytes);
    return QIAO_OK;
}

qiao_status memory_read(void* handle, void* source, uint64_t offset, void* target, uint64_t size_bytes) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "memory_read");
    Allocation& allocation = known(device, source, "memory_read");
    check_range(allocation, offset, size_bytes, "memory_read");
    if (device.lost) return fail_lost(device);
    std::memcpy(target, allocation.bytes + offset, size_bytes);
    return QIAO_OK;
}

qiao_status memory_map(void* handle, void* mapped, uint64_t offset, uint64_t size_bytes, uint64_t, void** out_pointer) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "memory_map");
    Allocation& allocation = known(device, mapped, "memory_map");
    check_range(allocation, offset, size_bytes, "memory_map");
    allocation.maps.fetch_add(1);
    *out_pointer = allocation.bytes + offset;
    return QIAO_OK;
}

qiao_status memory_unmap(void* handle, void* mapped, void* pointer) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "memory_unmap");
    Allocation& allocation = known(device, mapped, "memory_unmap");
    if (allocation.maps.fetch_sub(1) <= 0) violation("memory_unmap without a map");
    const auto* byte = static_cast<std::byte*>(pointer);
    if (byte < allocation.bytes || byte >= allocation.bytes + allocation.size_bytes) violation("memory_unmap of a foreign pointer");
    return QIAO_OK;
}

qiao_status program_load(void* handle, const qiao_plugin_program_desc* desc, void** out_program) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "program_load");
    if (std::string(desc->format) != "fixture") violation("program_load of the format '%s'", desc->format);
    auto* program = new Program{&device, {}, {}};
    const std::lock_guard guard(device.mutex);
    device.programs.insert(program);
    *out_program = program;
    return QIAO_OK;
}

void program_unload(void* handle, void* unloaded) {
    auto& device = *static_cast<Device*>(handle);
    const Destroying inside(device, "program_unload");
    auto* program = static_cast<Program*>(unloaded);
    for (const auto& kernel : program->kernels) {
        if (kernel->users != 0 && !device.lost) violation("program_unload while '%s' runs", kernel->code->name);
        while (kernel->users != 0) std::this_thread::yield();
    }
    const std::lock_guard guard(device.mutex);
    if (device.programs.erase(program) == 0) violation("program_unload of %p, which is not loaded", unloaded);
    delete program;
}

qiao_status kernel_find(void* handle, const qiao_plugin_kernel_desc* desc, qiao_plugin_kernel* out_kernel) {
    auto& program = *static_cast<Program*>(handle);
    const Inside inside(*program.device, "kernel_find");
    const KernelCode* code = find_code(desc->name);
    if (code == nullptr) {
        return program.device->plugin->host.fail({.status = QIAO_ERROR_NOT_FOUND,
                                                  .message = std::string("the fixture has no kernel '") + desc->name + "'",
                                                  .remedy = "see tests/api/plugin/kernels.cpp for the names"});
    }
    if (desc->block_size != code->block_size) {
        return program.device->plugin->host.fail({.message = std::string("kernel '") + desc->name + "' has a block of " +
                                                             std::to_string(desc->block_size) + " bytes here, its function " +
                                                             std::to_string(code->block_size)});
    }
    const std::lock_guard guard(program.mutex);
    program.kernels.push_back(std::make_unique<Kernel>());
    program.kernels.back()->code = code;
    program.kernels.back()->program = &program;
    for (uint32_t i = 0; i < desc->argument_count; ++i) {
        if (desc->arguments[i].kind == QIAO_ARGUMENT_KIND_ADDRESS) program.kernels.back()->addresses.push_back(desc->arguments[i].offset);
    }
    qiao_plugin_kernel kernel{};
    kernel.kernel = program.kernels.back().get();
    kernel.flags = QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET;
    qiao::plugin::write_growing(out_kernel, kernel);
    return QIAO_OK;
}

// Runs it at once: the core's worker is the queue.
qiao_status kernel_launch(void* handle, void* kernel_handle, const qiao_plugin_geometry* geometry, const void* block,
                          const qiao_plugin_binding* bindings) {
    auto& device = *static_cast<Device*>(handle);
    const Inside inside(device, "kernel_launch");
    const auto& kernel = *static_cast<const Kernel*>(kernel_handle);
    if (device.traits->tables->queue != nullptr) violation("kernel_launch of a device with queues");
    if (device.lost) return fail_lost(device);
    Users users;
    const Ended ended = kernel.code->run(make_launch(device, kernel, *geometry, block, bindings, users));
    if (ended.status == QIAO_OK) return QIAO_OK;
    if (ended.status == QIAO_ERROR_DEVICE_LOST) return fail_lost(device);
    return device.plugin->host.fail({.status = ended.status, .message = ended.message, .vendor_code = -719, .vendor_text = "QUEUED_FAILED"});
}

}  // namespace

const qiao_plugin_memory_ops kMemoryOps = {sizeof(qiao_plugin_memory_ops), memory_allocate, memory_free, memory_write,
                                           memory_read, memory_map, memory_unmap, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
const qiao_plugin_memory_ops kLeastMemoryOps = {sizeof(qiao_plugin_memory_ops), memory_allocate, memory_free, memory_write,
                                                memory_read, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
const qiao_plugin_program_ops kProgramOps = {sizeof(qiao_plugin_program_ops), program_load, program_unload, kernel_find,
                                             kernel_launch, nullptr};

}  // namespace queued
