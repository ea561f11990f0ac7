// Nothing but the folders and the device that ctest names is looked at.
#include "session.h"

#include <cstdlib>
#include <numeric>

#include "blocks.h"
#include "images.h"
#include "kernels.h"

namespace api {

Failure last_failure() {
    qiao_error error = QIAO_ERROR_INIT;
    REQUIRE(qiao_error_query(&error) == QIAO_OK);
    return {error.status, error.line, error.message, error.remedy, error.object, error.plugin, error.vendor_text, error.log, error.vendor_code};
}

std::string describe(qiao_status status) {
    std::string text = qiao_status_get_name(status);
    if (status >= 0) return text;
    const Failure failure = last_failure();
    return text + ": " + failure.message + " | " + failure.remedy + (failure.log.empty() ? "" : "\n" + failure.log);
}

void check_fails(const char* call, qiao_status actual, qiao_status expected, std::initializer_list<const char*> fragments) {
    const std::string words = describe(actual);
    INFO(std::string(call), " -> ", words);
    CHECK(std::string(qiao_status_get_name(actual)) == std::string(qiao_status_get_name(expected)));
    if (actual != expected || actual >= 0) return;
    const Failure failure = last_failure();
    CHECK(failure.status == expected);
    CHECK(!failure.message.empty());
    for (const char* fragment : fragments) {
        INFO("looked for: ", std::string(fragment));
        CHECK((failure.message + "\n" + failure.remedy).find(fragment) != std::string::npos);
    }
}

std::string selector() {
    const char* value = std::getenv("QIAO_TEST_DEVICE");
    REQUIRE_MESSAGE(value != nullptr, "QIAO_TEST_DEVICE must name the device under test, as 'mock:0'");
    return value;
}

std::string plugin_path() {
    const char* value = std::getenv("QIAO_TEST_PLUGIN_PATH");
    REQUIRE_MESSAGE(value != nullptr, "QIAO_TEST_PLUGIN_PATH must name the folders of the plugins' manifests");
    return value;
}

void LogLines::callback(void* self, qiao_log_level level, const char* source, const char* text) {
    auto& lines = *static_cast<LogLines*>(self);
    const std::lock_guard guard(lines.mutex_);
    lines.lines_.push_back({level, source, text});
}

std::vector<LogLine> LogLines::lines() {
    const std::lock_guard guard(mutex_);
    return lines_;
}

Session::Session() {
    qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
    const std::string path = plugin_path();
    desc.plugin_path = path.c_str();
    desc.log = LogLines::callback;
    desc.log_user = &log;
    qiao_instance* made = nullptr;
    REQUIRE_OK(qiao_instance_create(&desc, &made));
    instance.reset(made);
    REQUIRE_OK(qiao_instance_find_device(made, selector().c_str(), &device));
    REQUIRE_OK(qiao_device_query_properties(device, &properties));
}

Memory Session::allocate(uint64_t size_bytes, qiao_memory_kind kind) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = size_bytes;
    desc.kind = kind;
    qiao_memory* memory = nullptr;
    REQUIRE_OK(qiao_memory_allocate(device, &desc, &memory));
    return Memory(memory);
}

Queue Session::queue(uint64_t flags) {
    qiao_queue_desc desc = QIAO_QUEUE_DESC_INIT;
    desc.flags = flags;
    qiao_queue* queue = nullptr;
    REQUIRE_OK(qiao_queue_create(device, &desc, &queue));
    return Queue(queue);
}

Timeline Session::timeline(uint64_t initial_value) {
    qiao_timeline* timeline = nullptr;
    REQUIRE_OK(qiao_timeline_create(instance.get(), initial_value, &timeline));
    return Timeline(timeline);
}

Pool Session::pool(const qiao_pool_desc& desc) {
    qiao_pool* pool = nullptr;
    REQUIRE_OK(qiao_pool_create(device, &desc, &pool));
    return Pool(pool);
}

bool Session::takes_packages() const {
    return is_fixture() || makes_images() || (std::string(properties.formats) + ";").find("opencl-c;") != std::string::npos;
}

Topology Session::topology() {
    qiao_topology_desc desc = QIAO_TOPOLOGY_DESC_INIT;
    desc.providers = 1u << QIAO_TOPOLOGY_PROVIDER_PLUGIN | 1u << QIAO_TOPOLOGY_PROVIDER_PCI | 1u << QIAO_TOPOLOGY_PROVIDER_NUMA;
    qiao_topology* topology = nullptr;
    REQUIRE_OK(qiao_topology_create(instance.get(), &desc, &topology));
    return Topology(topology);
}

Program Session::program() {
    const Names names = is_fixture() ? fixture_kernels() : portable_kernels();
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.name = "tests";
    qiao_program* program = nullptr;
    if (takes_packages()) {
        const std::vector<std::byte> package = package_of(names);
        desc.data = package.data();
        desc.size_bytes = package.size();
        REQUIRE_OK(qiao_program_create_from_package(device, &desc, &program));
    } else {
        const std::string source = source_of(names);
        desc.data = source.data();
        desc.size_bytes = source.size();
        REQUIRE_OK(qiao_program_create_from_source(device, &desc, &program));
    }
    return Program(program);
}

std::vector<qiao_device*> Session::devices() {
    uint32_t count = 0;
    REQUIRE_OK(qiao_instance_enumerate_devices(instance.get(), 0, nullptr, &count));
    std::vector<qiao_device*> all(count);
    REQUIRE_OK(qiao_instance_enumerate_devices(instance.get(), count, all.data(), &count));
    return all;
}

uint64_t address_of(const Memory& memory) {
    uint64_t address = 0;
    REQUIRE_OK(qiao_memory_get_address(memory.get(), &address));
    return address;
}

qiao_kernel* kernel_of(const Program& program, const char* name) {
    qiao_kernel* kernel = nullptr;
    REQUIRE_OK(qiao_program_get_kernel(program.get(), name, &kernel));
    return kernel;
}

qiao_timeline* timeline_of(const Queue& queue) {
    qiao_timeline* timeline = nullptr;
    REQUIRE_OK(qiao_queue_get_timeline(queue.get(), &timeline));
    return timeline;
}

qiao_place place(const Memory& memory, uint64_t offset) {
    qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
    REQUIRE_OK(qiao_memory_query(memory.get(), &properties));
    return {properties.device, properties.address + offset};
}

qiao_place place(const void* pointer) {
    return {nullptr, reinterpret_cast<uint64_t>(pointer)};
}

qiao_copy copy_of(const qiao_place& source, const qiao_place& target, uint64_t size_bytes) {
    qiao_copy copy = QIAO_COPY_INIT;
    copy.source = source;
    copy.target = target;
    copy.size_bytes = size_bytes;
    return copy;
}

uint64_t copy(const Queue& queue, const qiao_place& source, const qiao_place& target, uint64_t size_bytes) {
    const qiao_copy wanted = copy_of(source, target, size_bytes);
    uint64_t value = 0;
    REQUIRE_OK(qiao_queue_copy(queue.get(), &wanted, &value));
    return value;
}

uint64_t fill(const Queue& queue, const qiao_place& target, uint64_t size_bytes, uint32_t pattern) {
    uint64_t value = 0;
    REQUIRE_OK(qiao_queue_fill(queue.get(), target, size_bytes, &pattern, sizeof pattern, &value));
    return value;
}

uint64_t after(const Queue& queue, qiao_timeline* timeline, uint64_t value) {
    uint64_t own_value = 0;
    REQUIRE_OK(qiao_queue_after(queue.get(), timeline, value, &own_value));
    return own_value;
}

void wait_for(const Queue& queue, uint64_t value) {
    REQUIRE_OK(qiao_timeline_wait(timeline_of(queue), value, kPatience));
}

uint64_t value_of(qiao_timeline* timeline) {
    uint64_t value = 0;
    REQUIRE_OK(qiao_timeline_query_value(timeline, &value));
    return value;
}

qiao_launch items(uint64_t x, uint64_t group) {
    qiao_launch launch = QIAO_LAUNCH_INIT;
    launch.global_size[0] = x;
    if (group != 0) {
        launch.group_size[0] = group;
        launch.group_size[1] = launch.group_size[2] = 1;
    }
    return launch;
}

qiao_launch items_3d(uint64_t x, uint64_t y, uint64_t z, uint64_t group_x, uint64_t group_y, uint64_t group_z) {
    return {{x, y, z}, {group_x, group_y, group_z}, {0, 0, 0}, 3u, 0u};
}

void check_works(Session& session) {
    const Program program = session.program();
    const Queue queue = session.queue();
    const Memory a = session.upload(numbers(100)), b = session.upload(numbers(100, 1000));
    const Memory out = session.allocate(400);
    const blocks::Add block = {address_of(a), address_of(b), address_of(out)};
    wait_for(queue, launch(queue, kernel_of(program, "add"), items(100), block));
    const std::vector<uint32_t> result = download<uint32_t>(out, 100);
    for (uint32_t i = 0; i < 100; ++i) REQUIRE(result[i] == 1000 + 2 * i);
}

std::vector<uint32_t> numbers(size_t count, uint32_t first) {
    std::vector<uint32_t> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
}

}  // namespace api
