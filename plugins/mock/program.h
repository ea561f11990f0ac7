// Programs, and the kernels found in them.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "device.h"
#include "mock/kernel.h"
#include "mock/module.h"

namespace qiao::mock_plugin {

struct Program {
    Device* device = nullptr; // while it is open
    std::shared_ptr<mock::Module> module;
    std::mutex mutex; // guards what follows
    std::vector<std::unique_ptr<mock::Kernel>> kernels;
};

// The core's pointer to a program; a lost card keeps the program while a kernel of it still runs.
using ProgramPointer = std::shared_ptr<Program>;

// An argument block with the card's addresses, for a card that says it has none.
struct ResolvedBlock {
    alignas(mock::kMaxAlignment) std::byte bytes[mock::kMaxBlockBytes];
    ResolvedBlock(const mock::Kernel& kernel, const void* block, const qiao_plugin_binding* bindings) noexcept;
};

mock::Shape shape_of(const qiao_plugin_geometry& geometry) noexcept;

} // namespace qiao::mock_plugin
