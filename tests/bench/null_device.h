// The null plugin as the benchmarks see it: through Qiao (a queue and a kernel with two arguments on device null:0), and
// raw (the same slots of the same library, called directly).
#pragma once

#include <dlfcn.h>
#include <elf.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "package/package.h"
#include "qiao/plugin.h"
#include "qiao/qiao.h"

namespace bench {

inline void check(qiao_status status, const char* what) {
    if (status == QIAO_OK) return;
    qiao_error error = QIAO_ERROR_INIT;
    qiao_error_query(&error);
    std::fprintf(stderr, "%s: %s: %s\n", what, qiao_status_get_name(status), error.message);
    std::exit(1);
}

struct Block {
    uint64_t address;
    uint32_t count;
    uint32_t reserved;
};

// A SPIR-V module as far as it is looked at without being compiled: its head, a capability, the entry point `noop`.
inline std::vector<std::byte> noop_module() {
    const uint32_t words[] = {0x07230203, 0x00010500, 0, 2, 0, 2u << 16 | 17, 1, 5u << 16 | 15, 5, 1, 0x706f6f6e, 0};
    const auto* bytes = reinterpret_cast<const std::byte*>(words);
    return {bytes, bytes + sizeof words};
}

// The head of an ELF file for CUDA's machine: as much as is looked at before a driver sees it.
inline std::vector<std::byte> empty_cubin() {
    Elf64_Ehdr head = {};
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    head.e_machine = 190;
    const auto* bytes = reinterpret_cast<const std::byte*>(&head);
    return {bytes, bytes + sizeof head};
}

// A package with one kernel `noop(global uint*, uint)`, made without a compiler, also for devices that take (buffer, offset) pairs.
inline std::vector<std::byte> noop_package() {
    qiao::package::Kernel kernel;
    kernel.name = "noop";
    kernel.arguments = {{"data", "uint*", QIAO_ARGUMENT_KIND_ADDRESS, 0, 0, 8, 8}, {"count", "uint", QIAO_ARGUMENT_KIND_VALUE, 0, 0, 4, 4}};
    auto laid_out = qiao::package::lay_out(kernel);
    qiao::package::Writer writer;
    writer.set_source("noop.cl",
                      "kernel void noop(global uint* data, uint count) {}\n"
                      "kernel void noop__at(global char* data, ulong offset, uint count) {}\n",
                      "");
    writer.add_kernel(*laid_out);
    writer.add_source_variant(0);
    writer.add_source_variant(0, "opencl-c+offset");
    qiao::package::Variant vulkan;
    vulkan.format = "spirv-vulkan";
    vulkan.tool = "none";
    vulkan.metadata = {"arguments=push;group=0,1,2;offset=-,-,-;dimensions=-;locals="};
    writer.add_variant(vulkan, noop_module());
    qiao::package::Variant cuda;
    cuda.format = "cubin";
    cuda.tool = "none";
    writer.add_variant(cuda, empty_cubin());
    auto bytes = writer.finish();
    if (!bytes) {
        std::fprintf(stderr, "%s\n", bytes.error().message.c_str());
        std::exit(1);
    }
    return *bytes;
}

class ThroughQiao {
public:
    explicit ThroughQiao(const char* selector = "null:0") : ThroughQiao(selector, noop_package()) {}
    // The package has the kernel `noop`.
    ThroughQiao(const char* selector, const std::vector<std::byte>& package) {
        check(qiao_instance_create(nullptr, &instance), "instance");
        check(qiao_instance_find_device(instance, selector, &device), "device");
        qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
        desc.data = package.data();
        desc.size_bytes = package.size();
        check(qiao_program_create_from_package(device, &desc, &program), "program");
        check(qiao_program_get_kernel(program, "noop", &kernel), "kernel");
        check(qiao_queue_create(device, nullptr, &queue), "queue");
        check(qiao_queue_get_timeline(queue, &timeline), "timeline");
        qiao_memory_desc memory_desc = QIAO_MEMORY_DESC_INIT;
        memory_desc.size_bytes = 4096;
        check(qiao_memory_allocate(device, &memory_desc, &memory), "memory");
        check(qiao_memory_get_address(memory, &block.address), "address");
        check(qiao_pool_create(device, nullptr, &pool), "pool");
    }
    ~ThroughQiao() {
        qiao_pool_release(pool);
        qiao_memory_release(memory);
        qiao_queue_release(queue);
        qiao_program_release(program);
        qiao_instance_release(instance);
    }
    ThroughQiao(const ThroughQiao&) = delete;
    ThroughQiao& operator=(const ThroughQiao&) = delete;

    qiao_instance* instance = nullptr;
    qiao_device* device = nullptr;
    qiao_program* program = nullptr;
    qiao_kernel* kernel = nullptr;
    qiao_queue* queue = nullptr;
    qiao_timeline* timeline = nullptr;
    qiao_memory* memory = nullptr;
    qiao_pool* pool = nullptr;
    Block block{};
};

// Memory of the pool for the queue, and back.
inline void allocate_and_free(const ThroughQiao& qiao, uint64_t size_bytes) {
    uint64_t address = 0;
    check(qiao_pool_allocate(qiao.pool, qiao.queue, size_bytes, &address), "allocate");
    check(qiao_pool_free(qiao.pool, address, qiao.queue), "free");
}

class Raw {
public:
    explicit Raw(const char* library) {
        void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) {
            std::fprintf(stderr, "%s\n", dlerror());
            std::exit(1);
        }
        auto query = reinterpret_cast<qiao_plugin_query_function>(dlsym(handle, "qiao_plugin_query"));
        host_.struct_size = sizeof host_;
        host_.abi_major = QIAO_PLUGIN_ABI_MAJOR;
        host_.manifest_json = "{\"id\": \"null\"}";
        host_.plugin_directory = ".";
        host_.error = [](void*, const qiao_plugin_error* error) { std::fprintf(stderr, "%s\n", error->message); };
        info_.struct_size = sizeof info_;
        check(query(&host_, &info_), "qiao_plugin_query");
        check(info_.tables->device->device_open(info_.plugin, 0, 0, &device_), "device_open");
        qiao_plugin_queue_desc queue_desc{};
        queue_desc.struct_size = sizeof queue_desc;
        check(info_.tables->queue->queue_create(device_, &queue_desc, &queue), "queue_create");
        qiao_plugin_program_desc program_desc{};
        program_desc.struct_size = sizeof program_desc;
        program_desc.format = "opencl-c";
        program_desc.target = program_desc.tool = program_desc.options = "";
        void* program = nullptr;
        check(info_.tables->program->program_load(device_, &program_desc, &program), "program_load");
        qiao_plugin_kernel_desc kernel_desc{};
        kernel_desc.struct_size = sizeof kernel_desc;
        kernel_desc.name = "noop";
        kernel_desc.vendor_metadata = "";
        qiao_plugin_kernel found{};
        found.struct_size = sizeof found;
        check(info_.tables->program->kernel_find(program, &kernel_desc, &found), "kernel_find");
        kernel = found.kernel;
        launch_slot = info_.tables->queue->queue_launch;
    }

    decltype(qiao_plugin_queue_ops::queue_launch) launch_slot = nullptr;
    void* queue = nullptr;
    void* kernel = nullptr;
    qiao_plugin_geometry geometry{};

private:
    qiao_host_api host_{};
    qiao_plugin_info info_{};
    void* device_ = nullptr;
};

}  // namespace bench
