// Every slot of the skeleton, called as the core would: "unsupported" with words that name the slot; destructors return.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <string>

#include "skeleton/skeleton.h"

namespace {

struct Host {
    std::string message;
    qiao_host_api api{};

    Host() {
        api.struct_size = sizeof api;
        api.abi_major = QIAO_PLUGIN_ABI_MAJOR;
        api.abi_minor = QIAO_PLUGIN_ABI_MINOR;
        api.host = this;
        api.error = [](void* self, const qiao_plugin_error* error) { static_cast<Host*>(self)->message = error->message; };
    }
};

class Skeleton {
  public:
    Skeleton() : library_(dlopen(QIAO_TEST_SKELETON, RTLD_NOW | RTLD_LOCAL)) {
        REQUIRE(library_ != nullptr);
        const auto query = reinterpret_cast<qiao_plugin_query_function>(dlsym(library_, "qiao_plugin_query"));
        REQUIRE((query != nullptr));
        info.struct_size = sizeof info;
        REQUIRE(query(&host.api, &info) == QIAO_OK);
    }
    ~Skeleton() {
        info.plugin_close(info.plugin);
        dlclose(library_);
    }
    Skeleton(const Skeleton&) = delete;
    Skeleton& operator=(const Skeleton&) = delete;

    Host host;
    qiao_plugin_info info{};

  private:
    void* library_;
};

#define CHECK_UNSUPPORTED(slot, ...)                                          \
    do {                                                                      \
        skeleton.host.message.clear();                                        \
        CHECK(slot(__VA_ARGS__) == QIAO_ERROR_UNSUPPORTED);                   \
        const std::string called = #slot;                                     \
        const std::string name = called.substr(called.find_last_of(".>") + 1); \
        CHECK(skeleton.host.message.find(name) != std::string::npos);         \
    } while (false)

} // namespace

TEST_SUITE("skeleton.slots") {
    TEST_CASE("no device is a success with a reason") {
        Skeleton skeleton;
        uint32_t count = 7;
        CHECK(skeleton.info.tables->device->device_count(skeleton.info.plugin, &count) == QIAO_OK);
        CHECK(count == 0);
        CHECK(skeleton.host.message.find("libskeleton.so.1 cannot be opened") != std::string::npos);
        qiao_plugin_device_info device{};
        CHECK_UNSUPPORTED(skeleton.info.tables->device->device_query, skeleton.info.plugin, 0, &device);
        void* opened = nullptr;
        CHECK_UNSUPPORTED(skeleton.info.tables->device->device_open, skeleton.info.plugin, 0, 1, &opened);
        CHECK(opened == nullptr);
    }

    TEST_CASE("everything else is unsupported, and says which slot") {
        Skeleton skeleton;
        skeleton_device device{static_cast<skeleton_plugin*>(skeleton.info.plugin), 1};
        skeleton_program program{&device};
        const qiao_plugin_tables& tables = *skeleton.info.tables;
        CHECK_UNSUPPORTED(tables.device->device_synchronize, &device, 1);
        CHECK_UNSUPPORTED(tables.memory->memory_allocate, &device, nullptr, nullptr);
        CHECK_UNSUPPORTED(tables.memory->memory_write, &device, nullptr, 0, nullptr, 0);
        CHECK_UNSUPPORTED(tables.memory->memory_read, &device, nullptr, 0, nullptr, 0);
        CHECK_UNSUPPORTED(tables.program->program_load, &device, nullptr, nullptr);
        CHECK_UNSUPPORTED(tables.program->kernel_find, &program, nullptr, nullptr);
        CHECK_UNSUPPORTED(tables.program->kernel_launch, &device, nullptr, nullptr, nullptr, nullptr);
        tables.memory->memory_free(&device, nullptr);
        tables.program->program_unload(&device, &program);
        tables.device->device_close(&device);
    }

    TEST_CASE("queues are not in use until they are written") {
        Skeleton skeleton;
        CHECK(skeleton.info.tables->queue == nullptr);
    }
}
