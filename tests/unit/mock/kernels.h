/* What the tests of the mock cards share: kernels written as C++ functions, and short ways to make cards and launches. */
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "mock/card.h"
#include "mock/kernel.h"

namespace kernels {

using mock::Argument;
using mock::ArgumentKind;
using mock::GroupContext;
using mock::Kernel;
using mock::KernelDesc;

template <typename T>
T value(void** arguments, size_t index) {
    T result;
    std::memcpy(&result, arguments[index], sizeof(result));
    return result;
}

inline void empty(void**, GroupContext*, uint64_t, uint64_t, uint64_t) {}

/* out[global id] = in[global id] + addend; one dimension */
inline void add(void** arguments, GroupContext* context, uint64_t group, uint64_t, uint64_t) {
    const auto* in = value<const uint32_t*>(arguments, 0);
    auto* out = value<uint32_t*>(arguments, 1);
    const auto addend = value<uint32_t>(arguments, 2);
    for (uint64_t item = 0; item < context->group_size[0]; ++item) {
        const uint64_t id = context->global_offset[0] + group * context->group_size[0] + item;
        out[id] = in[id] + addend;
    }
}

/* Prints `count` times a letter, as PoCL's printf writes: up to the buffer's end. */
inline void print_letters(void** arguments, GroupContext* context, uint64_t group, uint64_t, uint64_t) {
    const uint32_t count = std::min(value<uint32_t>(arguments, 0), context->printf_capacity - *context->printf_position);
    std::memset(context->printf_buffer + *context->printf_position, 'a' + static_cast<int>(group), count);
    *context->printf_position += count;
}

/* ++*counter, not atomically: right only if launches do not overlap. */
inline void increment(void** arguments, GroupContext*, uint64_t, uint64_t, uint64_t) {
    auto* counter = value<uint64_t*>(arguments, 0);
    *counter = *counter + 1;
}

/* Adds up, in every group, the numbers of its items through local memory that the launch gives. */
inline void sum_groups(void** arguments, GroupContext* context, uint64_t group, uint64_t, uint64_t) {
    auto* out = value<uint64_t*>(arguments, 0);
    auto* scratch = value<uint64_t*>(arguments, 1);
    const uint64_t items = context->group_size[0];
    for (uint64_t item = 0; item < items; ++item)
        scratch[item] = group * items + item;
    uint64_t sum = 0;
    for (uint64_t item = 0; item < items; ++item)
        sum += scratch[item];
    out[group] = sum;
}

/* Says that it runs and goes on when it is let go: { uint32_t running; uint32_t released; } */
struct Gate {
    std::atomic<uint32_t> running{0};
    std::atomic<uint32_t> released{0};

    void await_running(uint32_t count = 1) const {
        while (running.load() < count)
            std::this_thread::yield();
    }
};

inline void hold(void** arguments, GroupContext*, uint64_t, uint64_t, uint64_t) {
    Gate* gate = value<Gate*>(arguments, 0);
    gate->running.fetch_add(1);
    while (gate->released.load() == 0)
        std::this_thread::yield();
}

inline Argument address(const char* name, uint32_t offset) {
    return {name, ArgumentKind::kAddress, offset, 8, 8};
}
inline Argument number(const char* name, uint32_t offset, uint32_t size) {
    return {name, ArgumentKind::kValue, offset, size, size};
}
inline Argument local(const char* name, uint32_t offset) {
    return {name, ArgumentKind::kLocal, offset, 4, 4};
}

inline KernelDesc describe(const char* name, mock::WorkGroupFunction function, std::vector<Argument> arguments,
                           uint32_t block_size) {
    KernelDesc desc;
    desc.name = name;
    desc.function = function;
    desc.arguments = std::move(arguments);
    desc.block_size = block_size;
    desc.stack_known = true;
    REQUIRE(Kernel::validate(desc).ok());
    return desc;
}

inline KernelDesc empty_desc() {
    return describe("empty", empty, {}, 0);
}
inline KernelDesc add_desc() {
    return describe("add", add, {address("in", 0), address("out", 8), number("addend", 16, 4)}, 24);
}
inline KernelDesc increment_desc() {
    return describe("increment", increment, {address("counter", 0)}, 8);
}
inline KernelDesc sum_desc() {
    return describe("sum_groups", sum_groups, {address("out", 0), local("scratch", 8)}, 16);
}
/* The gate lies in host memory, hence a number and not an address. */
inline KernelDesc hold_desc() {
    KernelDesc desc = describe("hold", hold, {number("gate", 0, 8)}, 8);
    desc.waits_for_host = true;
    return desc;
}

struct AddBlock {
    uint64_t in, out;
    uint32_t addend, padding;
};
struct SumBlock {
    uint64_t out;
    uint32_t scratch_bytes, padding;
};

inline mock::Shape groups(uint32_t count, uint32_t size) {
    mock::Shape shape;
    shape.group_count[0] = count;
    shape.group_size[0] = size;
    return shape;
}

inline mock::CardProfile discrete(uint64_t memory_bytes = 64 << 20) {
    mock::CardProfile profile;
    profile.name = "test card";
    profile.kind = mock::CardKind::kDiscrete;
    profile.memory_bytes = profile.max_allocation_bytes = profile.host_memory_bytes = memory_bytes;
    return profile;
}

inline mock::CardProfile unified(uint64_t memory_bytes = 64 << 20) {
    mock::CardProfile profile = discrete(memory_bytes);
    profile.kind = mock::CardKind::kUnified;
    return profile;
}

/* Memory of a card for the length of a test. */
class Buffer {
  public:
    Buffer(mock::Card& card, uint64_t size, mock::MemoryKind kind = mock::MemoryKind::kDevice) : card_(card) {
        auto result = card.allocate(size, 256, kind);
        REQUIRE_MESSAGE(result.ok(), result.status().message());
        allocation_ = result.value();
    }
    ~Buffer() {
        if (allocation_ != nullptr) card_.free(allocation_);
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    uint64_t address() const { return allocation_->address.load(); }
    mock::Place place(uint64_t offset = 0) const { return {&card_, address() + offset}; }
    void free_early() {
        card_.free(allocation_);
        allocation_ = nullptr;
    }
    template <typename T>
    std::vector<T> read(size_t count) const {
        std::vector<T> values(count);
        CHECK(card_.read(address(), values.data(), count * sizeof(T)).ok());
        return values;
    }
    template <typename T>
    void write(const std::vector<T>& values) const {
        CHECK(card_.write(address(), values.data(), values.size() * sizeof(T)).ok());
    }

  private:
    mock::Card& card_;
    mock::Allocation* allocation_ = nullptr;
};

inline std::unique_ptr<mock::Queue> make_queue(mock::Card& card, mock::QueueOptions options = {}) {
    auto result = card.create_queue(options);
    REQUIRE_MESSAGE(result.ok(), result.status().message());
    return std::move(result.value());
}

inline mock::Place host(const void* pointer) {
    return {nullptr, reinterpret_cast<uint64_t>(pointer)};
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline constexpr uint64_t kForever = UINT64_MAX;
inline constexpr uint64_t kMillisecond = 1'000'000;

} // namespace kernels
