// Launching: a kernel is immutable and shared by all threads, but a cl_kernel carries its arguments. So each command queue
// has its own cl_kernel per kernel (a clone), found by the kernel's dense number, with a copy of the last argument block;
// only arguments that changed are set. Clones are made and freed here, under the device's mutex; a launch takes no lock.
#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "qiao/plugin.h"
#include "symbols.h"

namespace qiao::opencl {

struct Device;
struct Launcher;

struct Argument {
    uint32_t index;
    uint32_t offset; // in the block
    uint32_t size;
    qiao_argument_kind kind;
};

// Eight bytes of the block, or its last few. `whole`: one argument fills them and nothing else.
struct Word {
    const Argument* first;
    uint16_t count;
    bool whole;
};

struct Kernel;

// A queue's own cl_kernel.
struct Clone {
    cl_kernel kernel;
    const Kernel* source;
    Launcher* launcher;
    const Word* words;
    const std::atomic<uint64_t>* epoch_now;
    uint64_t epoch; // of the device when all arguments were last set; 0 = never
    uint32_t full_words;
    uint32_t tail_bytes; // after the full words, zero-extended to one more
    uint64_t block[];    // the arguments as last set
};

struct Kernel {
    Device* device = nullptr;
    cl_program binary = nullptr; // the program's
    uint32_t number = 0;         // dense; used again after unload
    uint64_t serial = 0;         // never used again
    bool follows_addresses = false;
    uint32_t block_size = 0;
    std::string name;
    std::vector<Argument> arguments;
    std::vector<Argument> by_word; // what the words point into
    std::vector<Word> words;       // one more than full words where the block's size is no multiple of eight
    cl_kernel spare = nullptr;     // made to see that the kernel exists; the first clone takes it
    std::vector<Clone*> clones;    // guarded by the device's mutex
};

// Dense numbers for kernels, and which are alive. Guarded by the device's mutex.
class KernelNumbers {
  public:
    void add(Kernel* kernel);
    void remove(Kernel* kernel);
    // The live kernel of that number and serial, or null.
    Kernel* find(uint32_t number, uint64_t serial) const;

  private:
    std::vector<Kernel*> live_;
    std::vector<uint32_t> free_;
    uint64_t next_serial_ = 1;
};

// The sizes OpenCL wants, derived when the host's geometry changes.
struct Shape {
    const qiao_plugin_geometry* source = nullptr;
    uint64_t generation = 0;
    cl_uint dimensions = 0;
    const size_t* offset_pointer = nullptr; // null = no offset
    size_t global[3] = {};
    size_t local[3] = {};
    size_t offset[3] = {};
};

// One command queue and its clones. Entered by one thread at a time.
struct Launcher {
    Device* device = nullptr;
    const Symbols* cl = nullptr;
    cl_command_queue queue = nullptr;
    struct Entry {
        uint64_t serial = 0; // 0 = empty
        Clone* clone = nullptr;
    };
    std::unique_ptr<Entry[]> entries;
    uint32_t mask = 0; // entries - 1
    Shape shape;
};

// `launcher` takes a command queue. Throws std::bad_alloc.
void launcher_create(Launcher& launcher, Device& device, cl_command_queue queue);
// Releases its clones and the command queue.
void launcher_destroy(Launcher& launcher);

// Fills the kernel's words from its arguments and block_size. Throws std::bad_alloc.
void lay_out_words(Kernel& kernel);
// Releases its clones in all queues.
void release_clones(Kernel& kernel);

void derive_shape(Shape& shape, const qiao_plugin_geometry& geometry);

// The cold parts of launch(): noinline, so that the hot part keeps its registers.
qiao_status make_clone(Launcher& launcher, const Kernel& kernel, Clone** out_clone) noexcept;
cl_int set_all(Clone& clone, const void* block) noexcept;
cl_int set_word(Clone& clone, uint32_t index, uint64_t value, const void* block) noexcept;
qiao_status argument_failed(Clone& clone, const void* block, cl_int code) noexcept;
qiao_status enqueue_failed(Clone& clone, const qiao_plugin_geometry& geometry, cl_int code) noexcept;

// The block's last bytes that fill no word, zero-extended. Little-endian, as every platform Qiao runs on.
inline uint64_t load_tail(const char* block, uint32_t full_words, uint32_t tail_bytes) {
    uint64_t value = 0;
    const char* tail = block + size_t{8} * full_words;
    if (tail_bytes == 4) {
        uint32_t half;
        std::memcpy(&half, tail, 4);
        return half;
    }
    for (uint32_t i = 0; i < tail_bytes; ++i)
        value |= uint64_t{static_cast<unsigned char>(tail[i])} << (8 * i);
    return value;
}

// Sets what changed since the last launch of this kernel on this queue.
inline cl_int bind(Clone& clone, const void* block) {
    if (clone.epoch != clone.epoch_now->load(std::memory_order_acquire)) [[unlikely]]
        return set_all(clone, block);
    const char* bytes = static_cast<const char*>(block);
    const uint32_t full_words = clone.full_words;
    for (uint32_t i = 0; i < full_words; ++i) {
        uint64_t value;
        std::memcpy(&value, bytes + size_t{8} * i, 8);
        if (value == clone.block[i]) continue;
        if (const cl_int code = set_word(clone, i, value, block); code != CL_SUCCESS) [[unlikely]]
            return code;
    }
    if (clone.tail_bytes != 0) {
        const uint64_t value = load_tail(bytes, full_words, clone.tail_bytes);
        if (value != clone.block[full_words]) return set_word(clone, full_words, value, block);
    }
    return CL_SUCCESS;
}

// Enqueues the kernel; `event` may be null.
inline qiao_status launch(Launcher& launcher, const Kernel& kernel, const qiao_plugin_geometry& geometry,
                          const void* block, cl_event* event) {
    const Launcher::Entry& entry = launcher.entries[kernel.number & launcher.mask];
    Clone* clone = entry.clone;
    if (entry.serial != kernel.serial) [[unlikely]] {
        if (const qiao_status status = make_clone(launcher, kernel, &clone); status != QIAO_OK) return status;
    }
    if (const cl_int code = bind(*clone, block); code != CL_SUCCESS) [[unlikely]]
        return argument_failed(*clone, block, code);
    Shape& shape = launcher.shape;
    if (shape.generation != geometry.generation || shape.source != &geometry) [[unlikely]]
        derive_shape(shape, geometry);
    const cl_int code =
        launcher.cl->clEnqueueNDRangeKernel(launcher.queue, clone->kernel, shape.dimensions, shape.offset_pointer,
                                            shape.global, shape.local, 0, nullptr, event);
    if (code != CL_SUCCESS) [[unlikely]]
        return enqueue_failed(*clone, geometry, code);
    return QIAO_OK;
}

} // namespace qiao::opencl
