// A host for one plugin under test, small enough to see through: it loads the module, keeps what the plugin reports, and packs
// launches as the core would. Knows the plugin ABI only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "qiao/plugin.h"

namespace test {

struct Error {
    qiao_status status = QIAO_OK;
    uint32_t line = 0;
    int64_t vendor_code = 0;
    std::string vendor_text, message, remedy, log;
};

// Loads the module under test anew for each object; the library stays in the process.
class Host {
  public:
    Host();
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    qiao_plugin_info info = {};
    qiao_status loaded = QIAO_OK;

    uint32_t device_count();
    qiao_plugin_device_info device(uint32_t index);

    Error take_error(); // the last one reported on this thread; empties it
    std::string log_text();
    std::string take_output(std::string* out_kernel = nullptr); // what kernels printed since the last call, and who was last
    // Blocks until completed(token, value) has been called; false after ten seconds.
    bool await_completed(uint64_t token, uint64_t value, qiao_status* out_status);
    size_t completed_count();
    std::string lost_reason(); // "" = device_lost was not called

  private:
    struct Completion {
        uint64_t token, value;
        qiao_status status;
    };
    static void log(void* self, qiao_log_level level, const char* text);
    static void output(void* self, uint64_t token, const char* kernel, const char* text, size_t size);
    static void completed(void* self, uint64_t token, uint64_t value, qiao_status status);
    static void device_lost(void* self, uint64_t token, const char* reason);
    static void error(void* self, const qiao_plugin_error* error);

    qiao_host_api api_ = {};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string log_, lost_, output_, printed_by_;
    std::vector<Completion> completions_;
};

// A device opened through the plugin's tables.
class Device {
  public:
    Device(Host& host, uint32_t index);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    Host& host;
    qiao_plugin_device_info info = {};
    const qiao_plugin_tables* tables = nullptr;
    void* device = nullptr;
    qiao_status opened = QIAO_OK;

    qiao_status try_allocate(uint64_t size, qiao_memory_kind kind, qiao_plugin_allocation* out,
                             uint64_t alignment = 128);
    qiao_plugin_allocation allocate(uint64_t size, qiao_memory_kind kind = QIAO_MEMORY_KIND_DEVICE);
    void free(const qiao_plugin_allocation& allocation);
    void write(const qiao_plugin_allocation& target, const void* bytes, uint64_t size, uint64_t offset = 0);
    void read(const qiao_plugin_allocation& source, void* bytes, uint64_t size, uint64_t offset = 0);

    qiao_status try_load(const char* source, const char* options, void** out_program, const char* format = "opencl-c");
    qiao_status try_load(const qiao_plugin_program_desc& desc, void** out_program);
    void* load(const char* source, const char* options = "");
};

// Argument layout by hand: kinds and sizes in order, packed as a C struct, local counts at the end.
class Layout {
  public:
    Layout& address();
    Layout& value(uint32_t size, uint32_t alignment);
    Layout& local();
    Layout& metadata(const std::string& text); // of the variant, for kernels found with this layout

    Layout& required_group(const uint32_t (&group)[3]);

    qiao_status try_find(Device& device, void* program, const char* name, qiao_plugin_kernel* out,
                         qiao_features features = 0);
    qiao_plugin_kernel find(Device& device, void* program, const char* name, qiao_features features = 0);
    uint32_t size() const { return size_; }
    uint32_t offset(size_t index) const { return arguments_[index].offset; }

  private:
    void place_locals();
    std::vector<qiao_plugin_argument> arguments_;
    uint32_t size_ = 0;
    bool placed_ = false;
    std::string metadata_;
    uint32_t required_group_[3] = {};
};

// A block to be filled argument by argument.
class Block {
  public:
    explicit Block(const Layout& layout) : layout_(layout), bytes_(layout.size()) {}
    template <typename T>
    Block& set(size_t index, const T& value) {
        std::memcpy(bytes_.data() + layout_.offset(index), &value, sizeof value);
        return *this;
    }
    const void* data() const { return bytes_.data(); }

  private:
    const Layout& layout_;
    std::vector<char> bytes_;
};

// One dimension unless told otherwise; the generation is new each time.
qiao_plugin_geometry geometry(uint32_t groups, uint32_t group_size);

class Queue {
  public:
    Queue(Device& device, uint64_t flags = 0, uint64_t token = 1);
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    Device& device;
    const qiao_plugin_queue_ops* ops = nullptr;
    void* queue = nullptr;
    uint64_t value = 0; // of the last operation

    uint64_t launch(const qiao_plugin_kernel& kernel, const qiao_plugin_geometry& shape, const Block& block);
    uint64_t copy(uint64_t target, uint64_t source, uint64_t size, const qiao_plugin_allocation* to = nullptr,
                  const qiao_plugin_allocation* from = nullptr);
    void mark();
    uint64_t poll();
    void wait(uint64_t for_value); // marks if need be
};

} // namespace test
