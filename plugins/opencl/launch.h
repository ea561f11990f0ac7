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

// Eight bytes of the block, or its last few: how to set what lies there.
struct Word {
    enum Kind : uint8_t { kSeveral, kValue, kAddress };
    const Argument* first; // those that lie here, at least in part
    uint32_t index;        // of the one argument that fills the word, unless kSeveral
    uint16_t count;
    uint8_t size;
    Kind kind;
};

// How a kernel takes addresses: as pointers in the block, or as (buffer, byte offset) pairs that come beside it.
enum class Arguments { kAddresses, kPairs };

struct Kernel;

// A queue's own cl_kernel. What a launch needs of the kernel and the device is kept beside it.
struct Clone {
    cl_kernel kernel;
    const std::atomic<uint64_t>* epoch_now;
    uint64_t epoch; // of the device when all arguments were last set; 0 = never
    const Word* words;
    decltype(&::clSetKernelArgSVMPointer) set_pointer;
    decltype(&::clSetKernelArg) set_value;
    uint32_t full_words;
    uint32_t tail_bytes; // behind the full words
    const Kernel* source;
    Launcher* launcher;
    qiao_plugin_binding* pairs; // as last set
    uint64_t block[]; // the arguments as last set; the tail's bytes zero-extended
};

struct Kernel {
    Device* device = nullptr;
    cl_program binary = nullptr; // the program's
    uint32_t number = 0;         // dense; used again after unload
    uint64_t serial = 0;         // never used again
    bool follows_addresses = false;
    uint32_t block_size = 0;
    std::string name;
    std::vector<Argument> arguments; // all but pairs
    std::vector<uint32_t> pairs;     // index of each buffer; its offset is the next argument
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
    uint64_t generation = 0; // of that geometry; 0 = none yet
    cl_uint dimensions = 0;
    const size_t* offset_pointer = nullptr; // null = no offset
    size_t global[3] = {};
    size_t local[3] = {};
    size_t offset[3] = {};
};

// One command queue and its clones. Entered by one thread at a time.
struct Launcher {
    Device* device = nullptr;
    decltype(&::clEnqueueNDRangeKernel) enqueue = nullptr;
    decltype(&::clFlush) flush = nullptr;
    cl_command_queue queue = nullptr;
    // Where the next operation's event goes: null unless the queue profiles, or its last operations were marked one by
    // one. An event that comes with the operation is cheaper than a marker after it, and dearer than none.
    cl_event* event = nullptr;
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

// The cold parts of launch(): never inlined, so that the hot part keeps its registers.
Clone* make_clone(Launcher& launcher, const Kernel& kernel, qiao_status* out_status) noexcept; // null = failed
cl_int set_all(Clone& clone, const void* block) noexcept;
cl_int set_several(Clone& clone, uint32_t index, const void* block) noexcept;
cl_int set_pair(Clone& clone, size_t number, const qiao_plugin_binding& pair) noexcept;
qiao_status argument_failed(Clone& clone, const void* block, cl_int code) noexcept;
qiao_status pair_failed(Clone& clone, const qiao_plugin_binding* pairs, cl_int code) noexcept;
qiao_status enqueue_failed(Clone& clone, cl_int code) noexcept;

inline cl_int set_word(Clone& clone, uint32_t index, uint64_t value, const void* block) {
    const Word& word = clone.words[index];
    cl_int code;
    if (word.kind == Word::kValue)
        code =
            clone.set_value(clone.kernel, word.index, word.size, static_cast<const char*>(block) + size_t{8} * index);
    else if (word.kind == Word::kAddress)
        code = clone.set_pointer(clone.kernel, word.index, reinterpret_cast<void*>(value));
    else
        code = set_several(clone, index, block);
    clone.block[index] = value; // bytes between arguments too, or they would look changed for ever
    return code;
}

// The same for the block's last bytes, where they fill no word; the host's blocks usually end with one.
cl_int bind_tail(Clone& clone, const void* block) noexcept;

// Sets what changed since the last launch of this kernel on this queue.
[[gnu::always_inline]] inline cl_int bind(Clone& clone, const void* block) {
    if (clone.epoch_now->load(std::memory_order_acquire) != clone.epoch) [[unlikely]]
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
    if (clone.tail_bytes != 0) [[unlikely]]
        return bind_tail(clone, block);
    return CL_SUCCESS;
}

// The same for pairs; after bind(), which forgets them all when something was freed.
inline cl_int bind_pairs(Clone& clone, const qiao_plugin_binding* pairs) {
    const size_t count = clone.source->pairs.size();
    for (size_t i = 0; i < count; ++i) {
        if (pairs[i].allocation == clone.pairs[i].allocation && pairs[i].offset == clone.pairs[i].offset) continue;
        if (const cl_int code = set_pair(clone, i, pairs[i]); code != CL_SUCCESS) [[unlikely]]
            return code;
    }
    return CL_SUCCESS;
}

// Enqueues the kernel.
template <Arguments kArguments>
inline qiao_status launch(Launcher& launcher, const Kernel& kernel, const qiao_plugin_geometry& geometry,
                          const void* block, const qiao_plugin_binding* pairs) {
    const Launcher::Entry& entry = launcher.entries[kernel.number & launcher.mask];
    Clone* clone = entry.clone;
    if (entry.serial != kernel.serial) [[unlikely]] {
        qiao_status status = QIAO_OK;
        clone = make_clone(launcher, kernel, &status);
        if (clone == nullptr) return status;
    }
    Shape& shape = launcher.shape;
    if (shape.generation != geometry.generation) [[unlikely]]
        derive_shape(shape, geometry);
    if (const cl_int code = bind(*clone, block); code != CL_SUCCESS) [[unlikely]]
        return argument_failed(*clone, block, code);
    if constexpr (kArguments == Arguments::kPairs)
        if (const cl_int code = bind_pairs(*clone, pairs); code != CL_SUCCESS) [[unlikely]]
            return pair_failed(*clone, pairs, code);
    const cl_int code = launcher.enqueue(launcher.queue, clone->kernel, shape.dimensions, shape.offset_pointer,
                                         shape.global, shape.local, 0, nullptr, launcher.event);
    if (code != CL_SUCCESS) [[unlikely]]
        return enqueue_failed(*clone, code);
    return QIAO_OK;
}

} // namespace qiao::opencl
