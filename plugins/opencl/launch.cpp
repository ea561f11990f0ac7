// The cold side of launching: clones are made, arguments set, shapes derived. See launch.h for the idea.
#include "launch.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

#include "device.h"
#include "memory.h"

namespace qiao::opencl {

// ---------------------------------------------------------------------------------------------- numbers

void KernelNumbers::add(Kernel* kernel) {
    if (free_.empty()) {
        free_.reserve(live_.size() + 1); // so that remove() cannot fail
        live_.push_back(nullptr);
        free_.push_back(static_cast<uint32_t>(live_.size() - 1));
    }
    kernel->number = free_.back();
    free_.pop_back();
    kernel->serial = next_serial_++;
    live_[kernel->number] = kernel;
}

void KernelNumbers::remove(Kernel* kernel) {
    live_[kernel->number] = nullptr;
    free_.push_back(kernel->number);
}

Kernel* KernelNumbers::find(uint32_t number, uint64_t serial) const {
    Kernel* kernel = number < live_.size() ? live_[number] : nullptr;
    return kernel != nullptr && kernel->serial == serial ? kernel : nullptr;
}

// ---------------------------------------------------------------------------------------------- launchers and clones

namespace {

void free_clone(const Symbols& cl, Clone* clone) {
    cl.clReleaseKernel(clone->kernel);
    std::free(clone);
}

void grow(Launcher& launcher, uint32_t number) {
    const uint32_t capacity = std::bit_ceil(number + 1);
    auto entries = std::make_unique<Launcher::Entry[]>(capacity);
    std::copy_n(launcher.entries.get(), launcher.mask + 1, entries.get());
    launcher.entries = std::move(entries);
    launcher.mask = capacity - 1;
}

// clone.kernel is set last: until then the caller frees the memory alone.
Clone* allocate_clone(Launcher& launcher, const Kernel& kernel) {
    const size_t block_bytes = 8 * (kernel.words.size() + 1);
    const size_t pair_bytes = sizeof(qiao_plugin_binding) * kernel.pairs.size();
    auto* clone = static_cast<Clone*>(std::calloc(1, sizeof(Clone) + block_bytes + pair_bytes));
    if (clone == nullptr) throw std::bad_alloc();
    clone->pairs = reinterpret_cast<qiao_plugin_binding*>(reinterpret_cast<char*>(clone->block) + block_bytes);
    clone->source = &kernel;
    clone->launcher = &launcher;
    clone->words = kernel.words.data();
    clone->set_pointer = launcher.device->set_pointer;
    clone->set_value = launcher.device->cl->clSetKernelArg;
    clone->epoch_now = kernel.follows_addresses ? &launcher.device->changes : &launcher.device->frees;
    clone->full_words = kernel.block_size / 8;
    clone->tail_bytes = kernel.block_size % 8;
    return clone;
}

} // namespace

void launcher_create(Launcher& launcher, Device& device, cl_command_queue queue) {
    launcher.device = &device;
    launcher.enqueue = device.cl->clEnqueueNDRangeKernel;
    launcher.flush = device.cl->clFlush;
    launcher.entries = std::make_unique<Launcher::Entry[]>(16);
    launcher.mask = 15;
    launcher.queue = queue;
}

void launcher_destroy(Launcher& launcher) {
    if (launcher.queue == nullptr) return;
    Device& device = *launcher.device;
    {
        std::lock_guard lock(device.mutex);
        for (uint32_t i = 0; i <= launcher.mask; ++i) {
            const Launcher::Entry& entry = launcher.entries[i];
            Kernel* kernel = entry.serial != 0 ? device.kernels.find(i, entry.serial) : nullptr;
            if (kernel == nullptr) continue; // the program went first and took its clones along
            std::erase(kernel->clones, entry.clone);
            free_clone(*device.cl, entry.clone);
        }
    }
    launcher.entries.reset();
    // A driver may wait in here for work that will never end.
    if (!device.lost.load()) device.cl->clReleaseCommandQueue(launcher.queue);
    launcher.queue = nullptr;
}

void release_clones(Kernel& kernel) {
    for (Clone* clone : kernel.clones)
        free_clone(*kernel.device->cl, clone);
    kernel.clones.clear();
    if (kernel.spare != nullptr) kernel.device->cl->clReleaseKernel(kernel.spare);
    kernel.spare = nullptr;
}

[[gnu::noinline]] Clone* make_clone(Launcher& launcher, const Kernel& kernel, qiao_status* out_status) noexcept {
    Device& device = *launcher.device;
    Clone* made = nullptr;
    *out_status = guarded(device.host, [&]() -> qiao_status {
        if (kernel.number > launcher.mask) grow(launcher, kernel.number);
        std::lock_guard lock(device.mutex);
        Kernel& owner = *device.kernels.find(kernel.number, kernel.serial);
        owner.clones.reserve(owner.clones.size() + 1);
        Clone* clone = allocate_clone(launcher, kernel);
        cl_int code = CL_SUCCESS;
        clone->kernel = owner.spare != nullptr ? std::exchange(owner.spare, nullptr)
                                               : device.cl->clCreateKernel(kernel.binary, kernel.name.c_str(), &code);
        if (clone->kernel == nullptr) {
            std::free(clone);
            return device_failed(device, code, "kernel '%s' cannot be made for another queue", kernel.name.c_str());
        }
        owner.clones.push_back(clone);
        launcher.entries[kernel.number] = {kernel.serial, clone};
        made = clone;
        return QIAO_OK;
    });
    return made;
}

// ---------------------------------------------------------------------------------------------- arguments

void lay_out_words(Kernel& kernel) {
    const uint32_t count = (kernel.block_size + 7) / 8;
    std::vector<size_t> first;
    for (uint32_t start = 0; start < 8 * count; start += 8) {
        first.push_back(kernel.by_word.size());
        for (const Argument& argument : kernel.arguments)
            if (argument.offset < start + 8 && argument.offset + argument.size > start)
                kernel.by_word.push_back(argument);
    }
    first.push_back(kernel.by_word.size());
    for (uint32_t i = 0; i < count; ++i) {
        Word word = {kernel.by_word.data() + first[i], 0, static_cast<uint16_t>(first[i + 1] - first[i]), 0,
                     Word::kSeveral};
        const bool alone =
            word.count == 1 && word.first->offset == 8 * i && word.first->size <= 8; // padding may follow
        if (alone && word.first->kind != QIAO_ARGUMENT_KIND_LOCAL) {
            word.index = word.first->index;
            word.size = static_cast<uint8_t>(word.first->size);
            word.kind = word.first->kind == QIAO_ARGUMENT_KIND_ADDRESS ? Word::kAddress : Word::kValue;
        }
        kernel.words.push_back(word);
    }
}

namespace {

// What no launch can ask for: so much does no allocation hold.
constexpr qiao_plugin_binding kNoPair = {nullptr, UINT64_MAX};

inline cl_int set_argument(Clone& clone, const Argument& argument, const void* block) {
    const char* bytes = static_cast<const char*>(block) + argument.offset;
    if (argument.kind == QIAO_ARGUMENT_KIND_VALUE)
        return clone.set_value(clone.kernel, argument.index, argument.size, bytes);
    if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS) {
        void* address;
        std::memcpy(&address, bytes, sizeof address);
        return clone.set_pointer(clone.kernel, argument.index, address);
    }
    uint32_t local_bytes;
    std::memcpy(&local_bytes, bytes, sizeof local_bytes);
    return clone.set_value(clone.kernel, argument.index, local_bytes, nullptr);
}

const char* kind_text(qiao_argument_kind kind) {
    return kind == QIAO_ARGUMENT_KIND_LOCAL     ? "local memory"
           : kind == QIAO_ARGUMENT_KIND_ADDRESS ? "an address"
                                                : "a value";
}

} // namespace

[[gnu::noinline]] cl_int set_all(Clone& clone, const void* block) noexcept {
    const uint64_t now = clone.epoch_now->load(std::memory_order_acquire);
    clone.epoch = 0;
    for (const Argument& argument : clone.source->arguments)
        if (const cl_int code = set_argument(clone, argument, block); code != CL_SUCCESS) return code;
    if (clone.source->follows_addresses)
        if (const cl_int code = tell_allocations(*clone.launcher->device, clone.kernel); code != CL_SUCCESS)
            return code;
    std::memcpy(clone.block, block, clone.source->block_size); // the tail's upper bytes stay zero
    std::fill_n(clone.pairs, clone.source->pairs.size(), kNoPair);
    clone.epoch = now;
    return CL_SUCCESS;
}

[[gnu::noinline]] cl_int set_several(Clone& clone, uint32_t index, const void* block) noexcept {
    const Word& word = clone.words[index];
    char* last = reinterpret_cast<char*>(clone.block);
    for (uint32_t i = 0; i < word.count; ++i) {
        const Argument& argument = word.first[i];
        const char* now = static_cast<const char*>(block) + argument.offset;
        if (std::memcmp(last + argument.offset, now, argument.size) == 0) continue;
        if (const cl_int code = set_argument(clone, argument, block); code != CL_SUCCESS) return code;
        std::memcpy(last + argument.offset, now, argument.size); // its other words need no second call
    }
    return CL_SUCCESS;
}

[[gnu::noinline]] cl_int bind_tail(Clone& clone, const void* block) noexcept {
    uint64_t value = 0;
    std::memcpy(&value, static_cast<const char*>(block) + size_t{8} * clone.full_words, clone.tail_bytes);
    if (value == clone.block[clone.full_words]) return CL_SUCCESS;
    return set_word(clone, clone.full_words, value, block);
}

[[gnu::noinline]] qiao_status argument_failed(Clone& clone, const void* block, cl_int code) noexcept {
    clone.epoch = 0;
    for (const Argument& argument : clone.source->arguments) {
        const cl_int again = set_argument(clone, argument, block);
        if (again == CL_SUCCESS) continue;
        uint32_t local_bytes = 0;
        if (argument.kind == QIAO_ARGUMENT_KIND_LOCAL)
            std::memcpy(&local_bytes, static_cast<const char*>(block) + argument.offset, sizeof local_bytes);
        return device_failed(*clone.launcher->device, again,
                             "argument %u of kernel '%s' (%s of %u bytes) was refused by the OpenCL driver",
                             argument.index, clone.source->name.c_str(), kind_text(argument.kind),
                             argument.kind == QIAO_ARGUMENT_KIND_LOCAL ? local_bytes : argument.size);
    }
    return device_failed(*clone.launcher->device, code,
                         "the arguments of kernel '%s' were refused by the OpenCL driver", clone.source->name.c_str());
}

[[gnu::noinline]] cl_int set_pair(Clone& clone, size_t number, const qiao_plugin_binding& pair) noexcept {
    qiao_plugin_binding& last = clone.pairs[number];
    const uint32_t index = clone.source->pairs[number];
    const bool new_offset = pair.offset != last.offset;
    if (last.offset == UINT64_MAX || pair.allocation != last.allocation) {
        last = kNoPair;
        const auto* allocation = static_cast<const Allocation*>(pair.allocation);
        const cl_mem buffer = allocation != nullptr ? allocation->buffer : nullptr; // null: the kernel gets a null pointer
        if (const cl_int code = clone.set_value(clone.kernel, index, sizeof buffer, &buffer); code != CL_SUCCESS)
            return code;
    }
    if (new_offset) {
        const cl_ulong offset = pair.offset;
        if (const cl_int code = clone.set_value(clone.kernel, index + 1, sizeof offset, &offset); code != CL_SUCCESS) {
            last = kNoPair;
            return code;
        }
    }
    last = pair;
    return CL_SUCCESS;
}

[[gnu::noinline]] qiao_status pair_failed(Clone& clone, const qiao_plugin_binding* pairs, cl_int code) noexcept {
    size_t number = 0;
    while (number + 1 < clone.source->pairs.size() && set_pair(clone, number, pairs[number]) == CL_SUCCESS)
        ++number;
    const auto* allocation = static_cast<const Allocation*>(pairs[number].allocation);
    return device_failed(*clone.launcher->device, code,
                         "argument %u of kernel '%s' (byte %llu of a buffer of %llu) was refused by the OpenCL driver",
                         clone.source->pairs[number], clone.source->name.c_str(),
                         static_cast<unsigned long long>(pairs[number].offset),
                         static_cast<unsigned long long>(allocation != nullptr ? allocation->size_bytes : 0));
}

// ---------------------------------------------------------------------------------------------- shape

[[gnu::noinline]] void derive_shape(Shape& shape, const qiao_plugin_geometry& geometry) {
    shape.generation = geometry.generation;
    shape.dimensions = geometry.dimensions;
    bool offset = false;
    for (int i = 0; i < 3; ++i) {
        const size_t group = geometry.group_size[i];
        shape.local[i] = group;
        shape.global[i] = group * geometry.group_count[i];
        if (geometry.tail[i] != 0) shape.global[i] -= group - geometry.tail[i];
        shape.offset[i] = geometry.global_offset[i];
        offset |= geometry.global_offset[i] != 0;
    }
    shape.offset_pointer = offset ? shape.offset : nullptr;
}

[[gnu::noinline]] qiao_status enqueue_failed(Clone& clone, cl_int code) noexcept {
    const Shape& shape = clone.launcher->shape;
    return device_failed(*clone.launcher->device, code,
                         "kernel '%s' could not be enqueued: %zu x %zu x %zu work-items in groups of %zu x %zu x %zu",
                         clone.source->name.c_str(), shape.global[0], shape.global[1], shape.global[2], shape.local[0],
                         shape.local[1], shape.local[2]);
}

} // namespace qiao::opencl
