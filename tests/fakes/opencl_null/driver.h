// The null driver's objects and settings. Handles are checked by a tag; freed objects keep their memory and lose their tag,
// so that using them is seen and not undefined.
#pragma once

#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <CL/cl_ext.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#define NULL_EXPORT extern "C" __attribute__((visibility("default")))
#define NULL_UNLIKELY(x) __builtin_expect(!!(x), 0)

namespace null_driver {

enum class Svm { kNone, kCoarse, kFine };

struct Settings {
    unsigned platforms = 1, devices = 1, version = 300;
    Svm svm = Svm::kFine;
    bool bad_platform = false, usm = false, il = false, no_compiler = false, strict = false, manual = false,
         unavailable = false, arm_printf = false;
};

// Cheaper than an atomic addition, and exact while one thread submits.
class Tally {
  public:
    void operator++() { value_.store(load() + 1, std::memory_order_relaxed); }
    uint64_t load() const { return value_.load(std::memory_order_relaxed); }
    void clear() { value_.store(0, std::memory_order_relaxed); }

  private:
    std::atomic<uint64_t> value_{0};
};

struct Counts {
    std::atomic<uint64_t> events{0}, kernels{0}, programs{0}, contexts{0}, queues{0}, allocations{0}, maps{0};
    Tally launches, arguments, markers, flushes, endless_waits;
    std::atomic<uint64_t> misuses{0};
};

extern Settings settings;
extern Counts counts;
extern std::mutex mutex; // guards programs, allocations, pending operations
extern std::atomic<uint64_t> clock_ns;
// Of the last context that was made with one.
extern void(CL_CALLBACK* printf_callback)(const char* text, size_t size, size_t complete, void* user);
extern void* printf_user;

// Counts it, keeps the first text; returns `code`.
[[gnu::cold]] cl_int misuse(const char* text, cl_int code);

void read_environment();

// A function that can be told to fail.
struct Point {
    explicit Point(const char* name);
    const char* name;
    unsigned remaining = 0; // 0 = not armed
    cl_int code = 0;
    Point* next;
};
extern Point* points;

#define NULL_POINT(function) static ::null_driver::Point point_##function(#function);
#define NULL_FAIL(function)                                                                  \
    if (NULL_UNLIKELY(point_##function.remaining != 0) && --point_##function.remaining == 0) \
    return point_##function.code
#define NULL_FAIL_OBJECT(function, out_code)                                                   \
    if (NULL_UNLIKELY(point_##function.remaining != 0) && --point_##function.remaining == 0) { \
        if (out_code != nullptr) *out_code = point_##function.code;                            \
        return nullptr;                                                                        \
    }

constexpr uint32_t kDead = 0xdeadu;

} // namespace null_driver

// The loader's dispatch pointer comes first, as in every ICD; nobody dispatches through it here.
struct _cl_platform_id {
    void* dispatch;
    unsigned number;
};

struct _cl_device_id {
    void* dispatch;
    uint32_t tag;
};

struct _cl_context {
    void* dispatch;
    uint32_t tag;
    static constexpr uint32_t kTag = 0xc0c0c001u;
};

struct _cl_command_queue {
    void* dispatch;
    uint32_t tag;
    static constexpr uint32_t kTag = 0xc0c0c002u;
    bool profiling;
    cl_context context;
};

struct _cl_program {
    void* dispatch;
    uint32_t tag;
    static constexpr uint32_t kTag = 0xc0c0c003u;
    std::atomic<int> references{1};
    bool is_il = false, built = false;
    std::string source, log;
    struct Kernel {
        std::string name;
        std::vector<int> sizes; // kPointer, kLocal, else bytes; 0 = any
    };
    std::vector<Kernel> kernels;
};

struct _cl_kernel {
    void* dispatch;
    uint32_t tag;
    static constexpr uint32_t kTag = 0xc0c0c004u;
    uint32_t count;
    uint64_t missing; // bit per argument not set yet; kernels have at most 64 here
    cl_command_queue user;
    uint64_t checked_frees; // all pointers were set after this many frees
    cl_program program;
    struct Argument {
        int size;
        uint64_t frees; // when it was set
    } arguments[64];
};

struct _cl_event {
    void* dispatch;
    uint32_t tag;
    static constexpr uint32_t kTag = 0xc0c0c005u;
    std::atomic<int> references;
    std::atomic<cl_int> state;
    bool profiling;
    uint64_t start_ns, end_ns;
    std::vector<std::pair<void(CL_CALLBACK*)(cl_event, cl_int, void*), void*>> callbacks; // guarded by the mutex
};

namespace null_driver {

constexpr int kPointer = -1, kLocal = -2, kAny = 0;

extern std::atomic<uint64_t> frees;

template <typename T>
bool alive(T object) {
    return object != nullptr && object->tag == std::remove_pointer_t<T>::kTag;
}

// Keeps an object for ever: its tag can be read after its death, and one whose device was lost may be abandoned.
template <typename T>
T* keep(T* object) {
    static std::vector<T*>* objects = new std::vector<T*>; // reachable: no leak
    std::lock_guard lock(mutex);
    objects->push_back(object);
    return object;
}

// Kills without freeing.
template <typename T>
void bury(T object) {
    std::lock_guard lock(mutex);
    object->tag = kDead;
}

// True if [pointer, pointer + size) lies in a live allocation, or in no allocation at all when `host_too`.
bool reachable(const void* pointer, size_t size, bool host_too);
// True if the cl_mem at `value` is null or alive.
bool is_live_buffer(const void* value);
// Makes coarse allocations touchable for the driver itself while it lives.
class Unlocked {
  public:
    Unlocked(const void* first, const void* second);
    ~Unlocked();
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;

  private:
    const void* pointers_[2];
};

// Ends an operation: at once, or with `manual` later. `event` may be null.
cl_int submit(cl_command_queue queue, cl_uint wait_count, const cl_event* waits, cl_event* event);

} // namespace null_driver
