// What the plugin says of lavapipe, its memory, and what it refuses to load.
#include "support.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace test;

namespace {

constexpr const char* kFill = "kernel void fill(global uint* out, uint value) { out[get_global_id(0)] = value; }";

// The score of a program, and the reason of a refusal.
uint32_t score(Device& device, const qiao_plugin_program_desc& desc, std::string* reason) {
    uint32_t out = 99;
    char text[256] = "";
    REQUIRE(device.tables->program->program_score(device.device, &desc, &out, text, sizeof text) == QIAO_OK);
    *reason = text;
    return out;
}

} // namespace

TEST_SUITE("vulkan.device") {
    TEST_CASE_FIXTURE(Fixture, "lavapipe is listed with its limits, and what it lacks is not claimed") {
        CHECK(std::string(device.info.name).find("llvmpipe") == 0);
        CHECK(std::string(device.info.vendor) == "Mesa");
        CHECK(std::string(device.info.driver).find("Vulkan 1.") != std::string::npos);
        CHECK(std::string(device.info.formats) == "spirv-vulkan;spirv-vulkan+offset");
        CHECK(device.info.memory_kinds == (1u << QIAO_MEMORY_KIND_DEVICE | 1u << QIAO_MEMORY_KIND_HOST));
        CHECK(device.info.max_group_size >= 128);
        CHECK(device.info.max_group_count[0] >= 65535);
        CHECK(device.info.local_memory_bytes >= 16384);
        CHECK(device.info.memory_bytes >= device.info.max_allocation_bytes);
        CHECK(device.info.compute_units > 0);
        CHECK(device.info.subgroup_width > 0);
        CHECK(device.info.max_argument_bytes == QIAO_MAX_ARGUMENT_BYTES);
        CHECK(device.info.pci_vendor_id == 0);
        CHECK((device.info.flags & QIAO_PLUGIN_DEVICE_UNIFIED) != 0);
        CHECK((device.info.features & QIAO_FEATURE_ADDRESSES) != 0);
        CHECK((device.info.features & QIAO_FEATURE_PRINTF) != 0);
        CHECK((device.info.features & QIAO_FEATURE_SUBGROUPS) == 0);
        CHECK(std::string(device.info.note).find("the host's CPU") == 0);
    }

    TEST_CASE_FIXTURE(Fixture, "a query writes no byte beyond struct_size") {
        struct {
            qiao_plugin_device_info info;
            char canary[64];
        } out;
        std::memset(&out, 0x5a, sizeof out);
        out.info.struct_size = offsetof(qiao_plugin_device_info, vendor);
        REQUIRE(host.info.tables->device->device_query(host.info.plugin, 0, &out.info) == QIAO_OK);
        CHECK(out.info.vendor[0] == 0x5a);
        CHECK(out.info.struct_size == offsetof(qiao_plugin_device_info, vendor));
    }

    TEST_CASE_FIXTURE(Fixture, "an index that does not exist is refused by number") {
        qiao_plugin_device_info out = {};
        out.struct_size = sizeof out;
        CHECK(host.info.tables->device->device_query(host.info.plugin, 1000, &out) == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(host.take_error().message.find("1000") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "the device's clock rises with the host's") {
        uint64_t device_first = 0, host_first = 0, device_second = 0, host_second = 0;
        REQUIRE(device.tables->device->device_clock(device.device, &device_first, &host_first) == QIAO_OK);
        REQUIRE(device.tables->device->device_clock(device.device, &device_second, &host_second) == QIAO_OK);
        CHECK(device_second > device_first);
        CHECK(host_second > host_first);
    }

    TEST_CASE_FIXTURE(Fixture, "a well device says so, and an idle one is synchronised at once") {
        qiao_plugin_device_state state = 9;
        char reason[16] = "x";
        REQUIRE(device.tables->device->device_state(device.device, &state, reason, sizeof reason) == QIAO_OK);
        CHECK(state == QIAO_PLUGIN_DEVICE_STATE_OK);
        CHECK(std::string(reason).empty());
        CHECK(device.tables->device->device_synchronize(device.device, 0) == QIAO_OK);
    }

    TEST_CASE("without a driver there are no devices, and the record says why") {
        const Variable files("VK_DRIVER_FILES", "/nonexistent/icd.json"), names("VK_ICD_FILENAMES", "/nonexistent/icd.json");
        Host host;
        CHECK(host.device_count() == 0);
        const Error error = host.take_error();
        CHECK(error.message.find("libvulkan.so.1") == 0);
        CHECK(error.remedy.find("mesa-vulkan-drivers") != std::string::npos);
    }

    TEST_CASE("a library that cannot be opened is a refusal with a remedy") {
        const Variable library("QIAO_VULKAN_LIBRARY", "/nonexistent/libvulkan.so");
        Host host;
        CHECK(host.loaded == QIAO_ERROR_NOT_FOUND);
        CHECK(std::string(host.info.refusal).find("/nonexistent/libvulkan.so") != std::string::npos);
        CHECK(std::string(host.info.remedy).find("libvulkan1") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "the validation layer is there when it is asked for") {
        CHECK(host.log_text().find("there is no layer") == std::string::npos);
    }
}

TEST_SUITE("vulkan.memory") {
    TEST_CASE_FIXTURE(Fixture, "what is written comes back, at odd offsets too") {
        const qiao_plugin_allocation memory = device.allocate(1000);
        std::vector<char> bytes(1000), back(1000);
        for (size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<char>(7 * i);
        device.write(memory, bytes.data(), 1000);
        const char patch[5] = {1, 2, 3, 4, 5};
        device.write(memory, patch, 5, 333);
        std::memcpy(bytes.data() + 333, patch, 5);
        device.read(memory, back.data(), 1000);
        CHECK(back == bytes);
        char part[5] = {};
        device.read(memory, part, 5, 333);
        CHECK(std::memcmp(part, patch, 5) == 0);
        device.free(memory);
    }

    TEST_CASE_FIXTURE(Fixture, "every alignment up to 2 MiB is honoured, also by kernels") {
        Program program(device, kFill);
        const qiao_plugin_kernel kernel = program.kernel("fill");
        Queue queue(device);
        for (uint64_t alignment = 128; alignment <= 2u << 20; alignment *= 4) {
            qiao_plugin_allocation memory;
            REQUIRE(device.try_allocate(128, QIAO_MEMORY_KIND_DEVICE, &memory, alignment) == QIAO_OK);
            CHECK(memory.address % alignment == 0);
            const Block block = Block(program.layout("fill")).set(0, memory.address).set(1, uint32_t{7});
            queue.wait(queue.launch(kernel, geometry(1, 32), block));
            CHECK(download<uint32_t>(memory, 32) == std::vector<uint32_t>(32, 7));
            device.free(memory);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "host memory has a host pointer, and kernels write it") {
        const qiao_plugin_allocation memory = device.allocate(64, QIAO_MEMORY_KIND_HOST);
        REQUIRE(memory.host_pointer != nullptr);
        std::memset(memory.host_pointer, 0x11, 64);
        CHECK(download<uint32_t>(memory, 16)[15] == 0x11111111);
        Program program(device, kFill);
        Queue queue(device);
        queue.wait(queue.launch(program.kernel("fill"), geometry(1, 8),
                                Block(program.layout("fill")).set(0, memory.address).set(1, uint32_t{5})));
        CHECK(static_cast<uint32_t*>(memory.host_pointer)[7] == 5);
        CHECK(static_cast<uint32_t*>(memory.host_pointer)[8] == 0x11111111);
        device.free(memory);
        const qiao_plugin_allocation far = device.allocate(64);
        CHECK(far.host_pointer == nullptr);
        device.free(far);
    }

    TEST_CASE_FIXTURE(Fixture, "more than the device has is out of memory, with the sizes in the message") {
        qiao_plugin_allocation memory;
        CHECK(device.try_allocate(uint64_t{1} << 40, QIAO_MEMORY_KIND_DEVICE, &memory) == QIAO_ERROR_OUT_OF_MEMORY);
        const Error error = host.take_error();
        CHECK(error.message.find("1099511627776") != std::string::npos);
        CHECK(!error.remedy.empty());
        CHECK(device.try_allocate(64, QIAO_MEMORY_KIND_SHARED, &memory) == QIAO_ERROR_UNSUPPORTED);
    }
}

TEST_SUITE("vulkan.program") {
    TEST_CASE_FIXTURE(Fixture, "the score says what the device cannot run, and why") {
        Compiled compiled = compile(kFill);
        std::string reason;
        CHECK(score(device, describe(compiled), &reason) > 0);
        qiao_plugin_program_desc desc = describe(compiled);
        desc.format = "opencl-c";
        CHECK(score(device, desc, &reason) == 0);
        CHECK(reason.find("'opencl-c'") != std::string::npos);
        desc = describe(compiled);
        desc.target = "other*";
        CHECK(score(device, desc, &reason) == 0);
        CHECK(reason.find("made for 'other*'") != std::string::npos);
        desc = describe(compiled);
        desc.size_bytes -= 2;
        CHECK(score(device, desc, &reason) == 0);
        CHECK(reason.find("no SPIR-V module") != std::string::npos);
        const uint32_t images = 50; // capability ImageQuery: kernels have none
        std::memcpy(compiled.bytes.data() + 4 * 6, &images, 4);
        CHECK(score(device, describe(compiled), &reason) == 0);
        CHECK(reason.find("capability 50") != std::string::npos);
        void* program = nullptr;
        CHECK(device.try_load(describe(compiled), &program) == QIAO_ERROR_UNSUPPORTED);
        CHECK(host.take_error().message.find("capability 50") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "an unknown kernel names those that exist") {
        const Compiled compiled = compile(kFill);
        void* program = nullptr;
        REQUIRE(device.try_load(describe(compiled), &program) == QIAO_OK);
        qiao_plugin_kernel kernel;
        CHECK(Layout().try_find(device, program, "nope", &kernel) == QIAO_ERROR_NOT_FOUND);
        const Error error = host.take_error();
        CHECK(error.message.find("'nope'") != std::string::npos);
        CHECK(error.message.find("fill") != std::string::npos);
        device.tables->program->program_unload(device.device, program);
    }

    TEST_CASE_FIXTURE(Fixture, "metadata that is not understood or does not fit is refused with its text") {
        const Compiled compiled = compile(kFill);
        void* program = nullptr;
        REQUIRE(device.try_load(describe(compiled), &program) == QIAO_OK);
        qiao_plugin_kernel kernel;
        for (const char* wrong :
             {"", "arguments=push", "arguments=push;group=0,1,2;offset=3,4;dimensions=-;locals=",
              "arguments=push;group=0,1,99999999999;offset=3,4,5;dimensions=-;locals=",
              "arguments=push;group=0,1,2;offset=3,4,5;dimensions=-;locals=3:0", "arguments=push;group=0,1,2;offset=3,4,5;dimensions=-;locals=3:4x",
              "arguments=push;group=0,1,2;offset=3,4,5;dimensions=-;locals=3:4",
              "arguments=push;group=0,1,2;offset=3,4,5;dimensions=-;locals=;buffers=0", "arguments=uniform;group=0,1,2;offset=3,4,5;dimensions=-;locals=",
              "arguments=uniform:-;group=0,1,2;offset=3,4,5;dimensions=-;locals=", "arguments=push;group=-,-,-;offset=3,4,5;dimensions=-;locals="}) {
            CAPTURE(wrong);
            CHECK(Layout().address().value(4, 4).metadata(wrong).try_find(device, program, "fill", &kernel) == QIAO_ERROR_UNSUPPORTED);
            CHECK(host.take_error().message.find("'fill' cannot run on llvmpipe") != std::string::npos);
        }
        device.tables->program->program_unload(device.device, program);
    }

    TEST_CASE_FIXTURE(Fixture, "compiled pipelines are kept in the directory, and a damaged file does no harm") {
        std::string directory = (std::filesystem::temp_directory_path() / "qiao-vulkan-XXXXXX").string();
        REQUIRE(mkdtemp(directory.data()) != nullptr);
        const Compiled compiled = compile(kFill);
        qiao_plugin_program_desc desc = describe(compiled);
        desc.cache_directory = directory.c_str();
        for (int round = 0; round < 3; ++round) {
            Device other(host, 0);
            void* program = nullptr;
            REQUIRE(other.try_load(desc, &program) == QIAO_OK);
            Layout layout;
            layout.address().value(4, 4).metadata(compiled.metadata[0]);
            const qiao_plugin_kernel kernel = layout.find(other, program, "fill");
            const qiao_plugin_allocation memory = other.allocate(64);
            {
                Queue queue(other);
                queue.wait(queue.launch(kernel, geometry(1, 16), Block(layout).set(0, memory.address).set(1, uint32_t{9})));
            }
            uint32_t back[16];
            other.read(memory, back, sizeof back);
            CHECK(back[15] == 9);
            other.free(memory);
            other.tables->program->program_unload(other.device, program);
            size_t files = 0;
            for (const auto& entry : std::filesystem::directory_iterator(directory)) {
                ++files;
                CHECK(entry.path().extension() == ".pipelines");
                CHECK(std::filesystem::file_size(entry.path()) > 24);
                if (round == 1) std::ofstream(entry.path(), std::ios::binary | std::ios::in).seekp(30).put('x');
            }
            CHECK(files == 1);
        }
        std::filesystem::remove_all(directory);
    }
}
