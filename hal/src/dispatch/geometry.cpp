// Every check that a plugin need not make: dimensions, overflow, group limits, divisibility, offsets, local memory.
#include "dispatch/geometry.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

namespace qiao {
namespace {

constexpr uint64_t kDefaultGroupItems = 256;  // enough to fill a core's vectors, small enough to balance

uint32_t group_limit(const Kernel& kernel) {
    return kernel.max_group_size != 0 ? kernel.max_group_size : 1;
}

// The largest divisor of `size` up to `most`; among those at least half as large, a multiple of `preferred` wins.
uint64_t best_divisor(uint64_t size, uint64_t most, uint64_t preferred) {
    uint64_t best = 1;
    for (uint64_t candidate = std::min(most, size); candidate > 1; --candidate) {
        if (size % candidate != 0) continue;
        if (best == 1) best = candidate;
        if (preferred <= 1 || candidate % preferred == 0) return candidate;
        if (candidate < best / 2) break;
    }
    return best;
}

void choose_group(const Kernel& kernel, const uint64_t (&global)[3], uint64_t (&group)[3]) {
    uint64_t room = std::min<uint64_t>(group_limit(kernel), kDefaultGroupItems);
    for (uint32_t axis = 0; axis < 3; ++axis) {
        const uint64_t most = std::min(room, uint64_t{kernel.axis_limit[axis]});
        group[axis] = best_divisor(global[axis], most, axis == 0 ? kernel.preferred_group_multiple : 1);
        if (axis == 0 && (kernel.flags & QIAO_KERNEL_REMAINDER) != 0 && group[0] < std::min<uint64_t>(most, global[0]) / 8) {
            group[0] = most;  // a prime size: full groups and one short one beat groups of one item
        }
        room = std::max<uint64_t>(1, room / group[axis]);
    }
}

qiao_status check_group(const Kernel& kernel, const uint64_t (&global)[3], const uint64_t (&group)[3]) {
    const char* name = kernel.name.c_str();
    uint64_t items = 1;
    for (uint32_t axis = 0; axis < 3; ++axis) {
        if (group[axis] == 0) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s: group_size[%u] is 0 while others are not; give all or none", name, axis);
        }
        if (kernel.required_group[0] != 0 && group[axis] != kernel.required_group[axis]) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s: group_size[%u] is %" PRIu64 ", but the kernel was compiled for %u x %u x %u",
                        name, axis, group[axis], kernel.required_group[0], kernel.required_group[1], kernel.required_group[2]);
        }
        if (group[axis] > uint64_t{kernel.axis_limit[axis]}) {
            return fail(QIAO_ERROR_OUT_OF_RANGE, "kernel %s: group_size[%u] is %" PRIu64 ", the device's limit is %" PRIu64, name, axis,
                        group[axis], uint64_t{kernel.axis_limit[axis]});
        }
        items *= group[axis];
        if (items > group_limit(kernel)) {
            return fail(QIAO_ERROR_OUT_OF_RANGE, "kernel %s: a group of %" PRIu64 " x %" PRIu64 " x %" PRIu64 " work-items is over the limit of %u",
                        name, group[0], group[1], group[2], group_limit(kernel));
        }
        if (global[axis] % group[axis] != 0 && (kernel.flags & QIAO_KERNEL_REMAINDER) == 0) {
            fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s: group_size[%u] %" PRIu64 " does not divide global_size[%u] %" PRIu64, name, axis,
                 group[axis], axis, global[axis]);
            set_remedy("let the core choose the group (all zero), or round the global size up and test the bound in the kernel");
            return QIAO_ERROR_INVALID_ARGUMENT;
        }
    }
    return QIAO_OK;
}

qiao_status add_up_local_memory(const Kernel& kernel, const void* block, uint32_t& out_bytes) {
    uint64_t sum = 0;
    for (const Argument& argument : kernel.arguments) {
        if (argument.kind != QIAO_ARGUMENT_KIND_LOCAL) continue;
        uint32_t bytes;
        std::memcpy(&bytes, static_cast<const std::byte*>(block) + argument.offset, sizeof bytes);
        if (bytes == 0) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s: local argument '%s' has 0 bytes; give its size in the block", kernel.name.c_str(),
                        argument.name.c_str());
        }
        sum += (uint64_t{bytes} + 127) & ~uint64_t{127};
    }
    const uint64_t limit = kernel.device->body.info.local_memory_bytes;
    if (sum + kernel.static_local_bytes > limit && (sum != 0 || kernel.static_local_bytes != 0)) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "kernel %s: %" PRIu64 " bytes of local arguments and %u of its own are over the device's %" PRIu64,
                    kernel.name.c_str(), sum, kernel.static_local_bytes, limit);
    }
    out_bytes = static_cast<uint32_t>(sum);
    return QIAO_OK;
}

qiao_status read_shape(const Kernel& kernel, const qiao_launch& launch, uint64_t (&global)[3], uint64_t (&group)[3]) {
    const char* name = kernel.name.c_str();
    if (launch.dimensions < 1 || launch.dimensions > 3) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s: dimensions is %u, it must be 1 to 3", name, launch.dimensions);
    }
    if (launch.flags != 0) return fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s: unknown launch flags 0x%x", name, launch.flags);
    for (uint32_t axis = 0; axis < 3; ++axis) {
        const bool used = axis < launch.dimensions;
        global[axis] = used ? launch.global_size[axis] : 1;
        group[axis] = used || launch.group_size[axis] != 0 ? launch.group_size[axis] : 1;
        if (global[axis] == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "kernel %s: global_size[%u] is 0; launch at least one work-item", name, axis);
        if (!used && (launch.global_size[axis] > 1 || launch.group_size[axis] > 1 || launch.global_offset[axis] != 0)) {
            return fail(QIAO_ERROR_INVALID_ARGUMENT, "kernel %s: axis %u is given but dimensions is %u", name, axis, launch.dimensions);
        }
    }
    return QIAO_OK;
}

qiao_status check_offset(const Kernel& kernel, const qiao_launch& launch, const uint64_t (&global)[3]) {
    for (uint32_t axis = 0; axis < launch.dimensions; ++axis) {
        const uint64_t offset = launch.global_offset[axis];
        if (offset == 0) continue;
        if ((kernel.flags & QIAO_KERNEL_GLOBAL_OFFSET) == 0) {
            return fail(QIAO_ERROR_UNSUPPORTED, "kernel %s: this variant takes no global offset", kernel.name.c_str());
        }
        if (offset > UINT32_MAX || global[axis] > UINT64_C(0x100000000) - offset) {
            return fail(QIAO_ERROR_OUT_OF_RANGE, "kernel %s: global_offset[%u] %" PRIu64 " + %" PRIu64 " is over 2^32", kernel.name.c_str(), axis,
                        offset, global[axis]);
        }
    }
    return QIAO_OK;
}

qiao_status make_any_geometry(const Kernel& kernel, const qiao_launch& launch, const void* block, uint64_t generation,
                              qiao_plugin_geometry& out_geometry) {
    uint64_t global[3], group[3];
    QIAO_RETURN_IF_ERROR(read_shape(kernel, launch, global, group));
    QIAO_RETURN_IF_ERROR(check_offset(kernel, launch, global));
    if (launch.group_size[0] == 0 && launch.group_size[1] == 0 && launch.group_size[2] == 0) {
        if (kernel.required_group[0] != 0) {
            std::copy(kernel.required_group, kernel.required_group + 3, group);
        } else {
            choose_group(kernel, global, group);
        }
    }
    QIAO_RETURN_IF_ERROR(check_group(kernel, global, group));

    qiao_plugin_geometry geometry{};
    for (uint32_t axis = 0; axis < 3; ++axis) {
        const uint64_t count = (global[axis] + group[axis] - 1) / group[axis];
        const uint64_t limit = kernel.group_count_limit[axis];
        if (count > limit) {
            return fail(QIAO_ERROR_OUT_OF_RANGE, "kernel %s: %" PRIu64 " groups along axis %u are over the device's limit of %" PRIu64,
                        kernel.name.c_str(), count, axis, limit);
        }
        geometry.group_count[axis] = static_cast<uint32_t>(count);
        geometry.group_size[axis] = static_cast<uint32_t>(group[axis]);
        geometry.global_offset[axis] = axis < launch.dimensions ? static_cast<uint32_t>(launch.global_offset[axis]) : 0;
        geometry.tail[axis] = static_cast<uint32_t>(global[axis] % group[axis]);
    }
    QIAO_RETURN_IF_ERROR(add_up_local_memory(kernel, block, geometry.local_bytes));
    geometry.block_size = kernel.block_size;
    geometry.binding_count = static_cast<uint32_t>(kernel.address_arguments.size());
    geometry.dimensions = launch.dimensions;
    geometry.generation = generation;
    out_geometry = geometry;
    return QIAO_OK;
}

// The usual shape, in a quarter of the instructions: a group that is given, fits and divides, no offset, no local
// arguments. False, with nothing written, for any other, right or wrong.
bool make_plain_geometry(const Kernel& kernel, const qiao_launch& launch, uint64_t generation, qiao_plugin_geometry& out_geometry) {
    const uint32_t dimensions = launch.dimensions;
    const uint64_t offsets = launch.global_offset[0] | launch.global_offset[1] | launch.global_offset[2];
    if ((launch.flags | offsets | kernel.local_count | kernel.required_group[0]) != 0 || dimensions - 1 > 2) return false;
    if (dimensions == 1 && (launch.global_size[1] | launch.group_size[1]) > 1) return false;
    if (dimensions <= 2 && (launch.global_size[2] | launch.group_size[2]) > 1) return false;
    uint32_t counts[3], sizes[3];
    uint64_t items = 1;
    for (uint32_t axis = 0; axis < dimensions; ++axis) {
        const uint64_t global = launch.global_size[axis], size = launch.group_size[axis];
        if (size - 1 >= kernel.axis_limit[axis]) return false;
        const uint64_t count = global / size;
        if (count * size != global || count - 1 >= kernel.group_count_limit[axis]) return false;
        items *= size;
        counts[axis] = static_cast<uint32_t>(count);
        sizes[axis] = static_cast<uint32_t>(size);
    }
    if (items > kernel.max_group_size) return false;
    out_geometry = kernel.plain_geometry;
    for (uint32_t axis = 0; axis < dimensions; ++axis) {
        out_geometry.group_count[axis] = counts[axis];
        out_geometry.group_size[axis] = sizes[axis];
    }
    out_geometry.dimensions = dimensions;
    out_geometry.generation = generation;
    return true;
}

}  // namespace

void prepare_geometry(Kernel& kernel) {
    const qiao_plugin_device_info& info = kernel.device->body.info;
    kernel.max_group_size = group_limit(kernel);
    for (uint32_t axis = 0; axis < 3; ++axis) {
        kernel.axis_limit[axis] = info.max_group[axis] != 0 ? info.max_group[axis] : kernel.max_group_size;
        kernel.group_count_limit[axis] = info.max_group_count[axis] != 0 ? info.max_group_count[axis] : UINT32_MAX;
        kernel.plain_geometry.group_count[axis] = 1;
        kernel.plain_geometry.group_size[axis] = 1;
    }
    kernel.plain_geometry.block_size = kernel.block_size;
    kernel.plain_geometry.binding_count = static_cast<uint32_t>(kernel.address_arguments.size());
}

qiao_status make_geometry(const Kernel& kernel, const qiao_launch& launch, const void* block, uint64_t generation,
                          qiao_plugin_geometry& out_geometry) {
    if (make_plain_geometry(kernel, launch, generation, out_geometry)) return QIAO_OK;
    return make_any_geometry(kernel, launch, block, generation, out_geometry);
}

}  // namespace qiao
