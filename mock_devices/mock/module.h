/* Programs as ELF images: shared objects that PoCL 3.1 made ahead of time, one work-group function per kernel. Checks that
 * an image is what it says before the dynamic loader sees it; which image suits a card is its caller's business, with what
 * host_level() says. */
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "mock/kernel.h"
#include "mock/status.h"

namespace mock {

/* The calling interface of the functions; private to that version of PoCL. */
inline constexpr const char* kInterface = "pocl-3.1";

class Module {
  public:
    /* The bytes are copied. `name` is for messages. */
    static Result<std::shared_ptr<Module>> load(std::span<const std::byte> image, const std::string& name);
    ~Module();
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    /* The work-group function of a kernel, or null. */
    WorkGroupFunction find(const std::string& kernel) const;

  private:
    Module() = default;
    int file_ = -1;
    void* library_ = nullptr;
};

/* Architecture of the process with its micro-architecture level: "x86_64-v3"; elsewhere "aarch64", "riscv64", ... */
const std::string& host_target();

/* How well code for `target` ("x86_64-v2", "aarch64") suits this processor: the level it was made for plus one, higher is
 * better; 0 with the reason if it cannot run. */
uint32_t score_target(const std::string& target, std::string& reason);

} // namespace mock
