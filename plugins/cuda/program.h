// A program is a module of the vendor's; a kernel, what a launch needs of it.
#pragma once

#include "device.h"

namespace qiao::cuda {

struct LocalArgument {
    uint32_t index;        // among the arguments
    uint32_t count_offset; // where its byte count stands in the block
    uint32_t alignment;
};

struct Kernel {
    void* function = nullptr;
    ArgumentForm form = ArgumentForm::kBuffer;
    uint32_t argument_count = 0;
    size_t argument_bytes = 0; // of the values in the block; local arguments stand behind them
    void* buffer_end = nullptr; // ends the list of a launch by buffer
    uint32_t local_base = 0; // where dynamic local memory begins, behind the kernel's own
    uint32_t local_slack = 0;
    std::vector<uint32_t> offsets; // of each argument in the block
    std::vector<LocalArgument> locals;
    std::string name;
};

struct Program {
    Device* device = nullptr;
    void* module = nullptr;
    std::string name; // of its format, for messages
    std::deque<Kernel> kernels;
    std::mutex mutex; // guards `kernels`
};

// Puts a launch on a stream of the device's, whose context is the thread's.
Code launch_by_pointers(const Device& device, const Kernel& kernel, void* stream, const qiao_plugin_geometry& geometry, const void* block) noexcept;
// The arguments as one packed block, which the library reads before it returns.
[[gnu::always_inline]] inline Code launch_by_buffer(LaunchFunction function, const Kernel& kernel, void* stream, const qiao_plugin_geometry& geometry,
                                                    const void* block) {
    size_t size = kernel.argument_bytes;
    constexpr uintptr_t kPointer = 1, kSize = 2;
    void* extra[] = {reinterpret_cast<void*>(kPointer), const_cast<void*>(block), reinterpret_cast<void*>(kSize), &size, kernel.buffer_end};
    return function(kernel.function, geometry.group_count[0], geometry.group_count[1], geometry.group_count[2], geometry.group_size[0],
                    geometry.group_size[1], geometry.group_size[2], geometry.local_bytes, stream, nullptr, extra);
}

inline Code launch(const Device& device, LaunchFunction function, const Kernel& kernel, void* stream, const qiao_plugin_geometry& geometry,
                   const void* block) {
    return kernel.form == ArgumentForm::kBuffer ? launch_by_buffer(function, kernel, stream, geometry, block)
                                                : launch_by_pointers(device, kernel, stream, geometry, block);
}

} // namespace qiao::cuda
