// The host of plugins' tests. See host.h.
#include "host.h"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace test {
namespace {

thread_local Error last_error;

const char* text_of(const char* text) {
    return text != nullptr ? text : "";
}

uint64_t now_ns(void*) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

qiao_status pause(void*, uint32_t* round, uint64_t deadline_ns) {
    if (now_ns(nullptr) >= deadline_ns) return QIAO_TIMEOUT;
    if (++*round > 16) sched_yield();
    return QIAO_OK;
}

void* allocate(void*, size_t size, size_t alignment) {
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void release(void*, void* pointer) {
    std::free(pointer);
}
const void* extension(void*, const char*) {
    return nullptr;
}

} // namespace

// ---------------------------------------------------------------------------------------------- host

Host::Host() {
    void* module = dlopen(QIAO_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    INFO("dlopen " QIAO_TEST_PLUGIN ": " << (module == nullptr ? dlerror() : "worked"));
    REQUIRE(module != nullptr);
    const auto query = reinterpret_cast<qiao_plugin_query_function>(dlsym(module, "qiao_plugin_query"));
    REQUIRE(static_cast<bool>(query));
    api_.struct_size = sizeof api_;
    api_.abi_major = QIAO_PLUGIN_ABI_MAJOR;
    api_.abi_minor = QIAO_PLUGIN_ABI_MINOR;
    api_.host = this;
    api_.plugin_directory = "";
    api_.manifest_json = "{}";
    api_.log = log;
    api_.completed = completed;
    api_.device_lost = device_lost;
    api_.error = error;
    api_.allocate = allocate;
    api_.release = release;
    api_.pause = pause;
    api_.now_ns = now_ns;
    api_.extension = extension;
    api_.output = output;
    info.struct_size = sizeof info;
    last_error = {};
    loaded = query(&api_, &info);
}

Host::~Host() {
    if (loaded == QIAO_OK && info.plugin_close != nullptr) info.plugin_close(info.plugin);
}

void Host::log(void* self, qiao_log_level, const char* text) {
    Host& host = *static_cast<Host*>(self);
    std::lock_guard lock(host.mutex_);
    host.log_ += std::string(text) + "\n";
}

void Host::output(void* self, uint64_t, const char* kernel, const char* text, size_t size) {
    Host& host = *static_cast<Host*>(self);
    std::lock_guard lock(host.mutex_);
    host.output_.append(text, size);
    host.printed_by_ = text_of(kernel);
}

void Host::completed(void* self, uint64_t token, uint64_t value, qiao_status status) {
    Host& host = *static_cast<Host*>(self);
    std::lock_guard lock(host.mutex_);
    host.completions_.push_back({token, value, status});
    host.changed_.notify_all();
}

void Host::device_lost(void* self, uint64_t, const char* reason) {
    Host& host = *static_cast<Host*>(self);
    std::lock_guard lock(host.mutex_);
    host.lost_ += reason;
}

void Host::error(void*, const qiao_plugin_error* error) {
    last_error = {error->status,           error->line,
                  error->vendor_code,      text_of(error->vendor_text),
                  text_of(error->message), text_of(error->remedy),
                  text_of(error->log)};
}

uint32_t Host::device_count() {
    REQUIRE(loaded == QIAO_OK);
    uint32_t count = 99;
    CHECK(info.tables->device->device_count(info.plugin, &count) == QIAO_OK);
    return count;
}

qiao_plugin_device_info Host::device(uint32_t index) {
    qiao_plugin_device_info out = {};
    out.struct_size = sizeof out;
    CHECK(info.tables->device->device_query(info.plugin, index, &out) == QIAO_OK);
    return out;
}

Error Host::take_error() {
    return std::exchange(last_error, {});
}

std::string Host::take_output(std::string* out_kernel) {
    std::lock_guard lock(mutex_);
    if (out_kernel != nullptr) *out_kernel = printed_by_;
    return std::exchange(output_, {});
}

std::string Host::log_text() {
    std::lock_guard lock(mutex_);
    return log_;
}

bool Host::await_completed(uint64_t token, uint64_t value, qiao_status* out_status) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
        for (const Completion& completion : completions_) {
            if (completion.token != token || completion.value != value) continue;
            *out_status = completion.status;
            return true;
        }
        return false;
    });
}

size_t Host::completed_count() {
    std::lock_guard lock(mutex_);
    return completions_.size();
}

std::string Host::lost_reason() {
    std::lock_guard lock(mutex_);
    return lost_;
}

// ---------------------------------------------------------------------------------------------- device

Device::Device(Host& owner, uint32_t index) : host(owner) {
    REQUIRE(host.device_count() > index);
    info = host.device(index);
    tables = info.tables != nullptr ? info.tables : host.info.tables;
    opened = tables->device->device_open(host.info.plugin, index, 77, &device);
}

Device::~Device() {
    if (opened == QIAO_OK) tables->device->device_close(device);
}

qiao_status Device::try_allocate(uint64_t size, qiao_memory_kind kind, qiao_plugin_allocation* out,
                                 uint64_t alignment) {
    qiao_plugin_memory_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.size_bytes = size;
    desc.alignment = alignment;
    desc.kind = kind;
    *out = {};
    out->struct_size = sizeof *out;
    return tables->memory->memory_allocate(device, &desc, out);
}

qiao_plugin_allocation Device::allocate(uint64_t size, qiao_memory_kind kind) {
    qiao_plugin_allocation out;
    REQUIRE(try_allocate(size, kind, &out) == QIAO_OK);
    REQUIRE(out.allocation != nullptr);
    REQUIRE((out.address != 0) == ((info.flags & QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED) == 0));
    return out;
}

void Device::free(const qiao_plugin_allocation& allocation) {
    tables->memory->memory_free(device, allocation.allocation);
}

void Device::write(const qiao_plugin_allocation& target, const void* bytes, uint64_t size, uint64_t offset) {
    REQUIRE(tables->memory->memory_write(device, target.allocation, offset, bytes, size) == QIAO_OK);
}

void Device::read(const qiao_plugin_allocation& source, void* bytes, uint64_t size, uint64_t offset) {
    REQUIRE(tables->memory->memory_read(device, source.allocation, offset, bytes, size) == QIAO_OK);
}

qiao_status Device::try_load(const char* source, const char* options, void** out_program, const char* format) {
    qiao_plugin_program_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.format = format;
    desc.target = "";
    desc.tool = "test";
    desc.data = source;
    desc.size_bytes = std::strlen(source);
    desc.options = options;
    return try_load(desc, out_program);
}

qiao_status Device::try_load(const qiao_plugin_program_desc& desc, void** out_program) {
    *out_program = nullptr;
    return tables->program->program_load(device, &desc, out_program);
}

void* Device::load(const char* source, const char* options) {
    void* program = nullptr;
    const qiao_status status = try_load(source, options, &program);
    INFO(host.take_error().log);
    REQUIRE(status == QIAO_OK);
    return program;
}

// ---------------------------------------------------------------------------------------------- arguments

Layout& Layout::address() {
    return value(8, 8), arguments_.back().kind = QIAO_ARGUMENT_KIND_ADDRESS, *this;
}

Layout& Layout::value(uint32_t size, uint32_t alignment) {
    size_ = (size_ + alignment - 1) / alignment * alignment;
    arguments_.push_back({"a", QIAO_ARGUMENT_KIND_VALUE, 0, size_, size, alignment, 0});
    size_ += size;
    return *this;
}

Layout& Layout::metadata(const std::string& text) {
    metadata_ = text;
    return *this;
}

Layout& Layout::required_group(const uint32_t (&group)[3]) {
    std::copy_n(group, 3, required_group_);
    return *this;
}

Layout& Layout::local() {
    arguments_.push_back({"l", QIAO_ARGUMENT_KIND_LOCAL, 0, 0, 4, 4, 0});
    return *this;
}

void Layout::place_locals() {
    if (std::exchange(placed_, true)) return;
    for (qiao_plugin_argument& argument : arguments_) {
        if (argument.kind != QIAO_ARGUMENT_KIND_LOCAL) continue;
        size_ = (size_ + 3) / 4 * 4;
        argument.offset = size_;
        size_ += 4;
    }
}

qiao_status Layout::try_find(Device& device, void* program, const char* name, qiao_plugin_kernel* out,
                             qiao_features features) {
    place_locals();
    qiao_plugin_kernel_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.name = name;
    desc.arguments = arguments_.data();
    desc.argument_count = static_cast<uint32_t>(arguments_.size());
    desc.block_size = size_;
    desc.features = features;
    std::copy_n(required_group_, 3, desc.required_group);
    desc.vendor_metadata = metadata_.c_str();
    *out = {};
    out->struct_size = sizeof *out;
    return device.tables->program->kernel_find(program, &desc, out);
}

qiao_plugin_kernel Layout::find(Device& device, void* program, const char* name, qiao_features features) {
    qiao_plugin_kernel out;
    const qiao_status status = try_find(device, program, name, &out, features);
    INFO(device.host.take_error().message);
    REQUIRE(status == QIAO_OK);
    return out;
}

qiao_plugin_geometry geometry(uint32_t groups, uint32_t group_size) {
    static std::atomic<uint64_t> generation{0};
    qiao_plugin_geometry shape = {};
    for (int i = 0; i < 3; ++i)
        shape.group_count[i] = shape.group_size[i] = 1;
    shape.group_count[0] = groups;
    shape.group_size[0] = group_size;
    shape.dimensions = 1;
    shape.generation = ++generation;
    return shape;
}

// ---------------------------------------------------------------------------------------------- queue

Queue::Queue(Device& owner, uint64_t flags, uint64_t token) : device(owner), ops(owner.tables->queue) {
    qiao_plugin_queue_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.flags = flags;
    desc.token = token;
    REQUIRE(ops->queue_create(device.device, &desc, &queue) == QIAO_OK);
}

Queue::~Queue() {
    ops->queue_destroy(queue);
}

uint64_t Queue::launch(const qiao_plugin_kernel& kernel, const qiao_plugin_geometry& shape, const Block& block) {
    const qiao_status status = ops->queue_launch(queue, kernel.kernel, &shape, block.data(), nullptr, value + 1);
    INFO((status == QIAO_OK ? "" : device.host.take_error().message));
    REQUIRE(status == QIAO_OK);
    if (++value % 32 == 0) mark();
    return value;
}

uint64_t Queue::copy(uint64_t target, uint64_t source, uint64_t size, const qiao_plugin_allocation* to,
                     const qiao_plugin_allocation* from) {
    qiao_plugin_copy copy = {};
    copy.source = {from ? from->allocation : nullptr, from ? source - from->address : 0, source};
    copy.target = {to ? to->allocation : nullptr, to ? target - to->address : 0, target};
    copy.source_device = from ? device.device : nullptr;
    copy.target_device = to ? device.device : nullptr;
    copy.size_bytes = size;
    copy.rows = 1;
    copy.value = value + 1;
    REQUIRE(ops->queue_copy(queue, &copy) == QIAO_OK);
    return ++value;
}

void Queue::mark() {
    REQUIRE(ops->queue_mark(queue, value) == QIAO_OK);
}

uint64_t Queue::poll() {
    uint64_t reached = 0;
    REQUIRE(ops->queue_poll(queue, &reached) == QIAO_OK);
    return reached;
}

void Queue::wait(uint64_t for_value) {
    mark();
    REQUIRE(ops->queue_wait(queue, for_value, 60'000'000'000) == QIAO_OK);
    REQUIRE(poll() >= for_value);
}

} // namespace test
