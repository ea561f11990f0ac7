// Finding, describing and opening devices when drivers are missing, broken or poor; memory and programs on them.
#include <dlfcn.h>

#include "null_driver.h"

using namespace test;

namespace {

constexpr uint32_t kSpirvHead[] = {0x07230203u, 0x00010000u, 0, 100, 0};

// A module with one kernel "k" of one argument, as far as the null driver reads.
std::vector<uint32_t> spirv_module(uint32_t version = 0x00010000u) {
    std::vector<uint32_t> words(std::begin(kSpirvHead), std::end(kSpirvHead));
    words[1] = version;
    const auto add = [&](uint32_t operation, std::vector<uint32_t> operands) {
        words.push_back(static_cast<uint32_t>(operands.size() + 1) << 16 | operation);
        words.insert(words.end(), operands.begin(), operands.end());
    };
    add(15, {6, 7, 'k'});  // OpEntryPoint Kernel %7 "k"
    add(54, {1, 7, 0, 2}); // OpFunction
    add(55, {3, 8});       // OpFunctionParameter
    add(56, {});
    return words;
}

uint32_t score(Device& device, const char* format, const void* data, size_t size, std::string* reason) {
    qiao_plugin_program_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.format = format;
    desc.target = "";
    desc.data = data;
    desc.size_bytes = size;
    uint32_t out = 99;
    char text[256];
    REQUIRE(device.tables->program->program_score(device.device, &desc, &out, text, sizeof text) == QIAO_OK);
    *reason = text;
    return out;
}

} // namespace

TEST_SUITE("opencl.library") {
    TEST_CASE("without the library the plugin refuses, and says what to install") {
        setenv("QIAO_OPENCL_LIBRARY", "/nonexistent/libOpenCL.so.1", 1);
        Host host;
        CHECK(host.loaded == QIAO_ERROR_NOT_FOUND);
        REQUIRE(host.info.refusal != nullptr);
        CHECK(std::string(host.info.refusal).find("/nonexistent/libOpenCL.so.1") != std::string::npos);
        CHECK(std::string(host.info.remedy).find("ocl-icd-libopencl1") != std::string::npos);
        CHECK(host.info.plugin == nullptr);
    }

    TEST_CASE("a library that is not OpenCL is refused by the function it lacks") {
        setenv("QIAO_OPENCL_LIBRARY", "libm.so.6", 1);
        Host host;
        CHECK(host.loaded == QIAO_ERROR_NOT_FOUND);
        REQUIRE(host.info.refusal != nullptr);
        CHECK(std::string(host.info.refusal).find("clGetPlatformIDs") != std::string::npos);
    }

    TEST_CASE("the description names the ABI, the plugin and its tables") {
        NullDriver driver;
        Host host;
        REQUIRE(host.loaded == QIAO_OK);
        CHECK(host.info.abi_major == QIAO_PLUGIN_ABI_MAJOR);
        CHECK(std::string(host.info.id) == "opencl");
        CHECK(host.info.tables != nullptr);
        CHECK((host.info.roles & QIAO_PLUGIN_ROLE_COMPUTE) != 0);
    }
}

TEST_SUITE("opencl.device") {
    TEST_CASE("no platform is zero devices, with the directory that was searched") {
        NullDriver driver("platforms=0");
        Host host;
        setenv("OCL_ICD_VENDORS", "/some/vendors", 1);
        CHECK(host.device_count() == 0);
        Error error = host.take_error();
        CHECK(error.message.find("OCL_ICD_VENDORS=/some/vendors") != std::string::npos);
        CHECK(error.vendor_text == "CL_PLATFORM_NOT_FOUND_KHR");
        CHECK(error.remedy.find("pocl-opencl-icd") != std::string::npos);
        unsetenv("OCL_ICD_VENDORS");
        CHECK(host.device_count() == 0);
        error = host.take_error();
        CHECK(error.message.find("/etc/OpenCL/vendors") != std::string::npos);
    }

    TEST_CASE("a platform that fails is logged and does not stop the others") {
        NullDriver driver("bad_platform devices=2");
        Host host;
        CHECK(host.device_count() == 2);
        CHECK(host.log_text().find("'Broken'") != std::string::npos);
        CHECK(host.log_text().find("CL_INVALID_PLATFORM") != std::string::npos);
    }

    TEST_CASE("a platform without devices is no error") {
        NullDriver driver("devices=0");
        Host host;
        CHECK(host.device_count() == 0);
        CHECK(host.take_error().status == QIAO_OK);
    }

    TEST_CASE("every platform and device is listed, with its identity") {
        NullDriver driver("platforms=2 devices=2");
        Host host;
        REQUIRE(host.device_count() == 4);
        const qiao_plugin_device_info info = host.device(1);
        CHECK(std::string(info.name) == "null device 1");
        CHECK(std::string(info.driver) == "Null 1.0");
        CHECK(std::memcmp(info.uuid, "null", 4) == 0);
        CHECK(info.uuid[15] == 1);
        CHECK(info.pci_domain == 1);
        CHECK(info.pci_bus == 2);
        CHECK(info.pci_device == 1);
        CHECK(info.pci_function == 4);
        CHECK(info.pci_vendor_id == 0x1234);
        CHECK(info.queue_priorities == 2);
        CHECK(info.preferred_group_multiple == 32);
        CHECK(info.max_group[2] == 64);
        CHECK((info.features & QIAO_FEATURE_FP64) != 0);
        CHECK((info.features & (QIAO_FEATURE_FP16 | QIAO_FEATURE_SUBGROUPS)) == 0);
    }

    TEST_CASE("without addresses, and told to use no others, a device is listed and refuses to be opened") {
        for (const char* settings : {"svm=none", "version=120"}) {
            NullDriver driver(settings);
            const AddressMode native("native");
            Host host;
            Device device(host, 0);
            CHECK(device.info.memory_kinds == 0);
            CHECK(std::string(device.info.note).find("cannot be opened") != std::string::npos);
            CHECK(device.opened == QIAO_ERROR_UNSUPPORTED);
            CHECK(host.take_error().message.find("shared virtual memory") != std::string::npos);
        }
    }

    TEST_CASE("addresses that do not work are found out when the device is opened") {
        NullDriver driver("fail=clEnqueueSVMMemcpy:1:-5");
        Host host;
        Device device(host, 0);
        CHECK(device.opened == QIAO_ERROR_UNSUPPORTED);
        CHECK(host.take_error().message.find("does not work") != std::string::npos);
    }

    TEST_CASE("what the driver says when it gives no context or queue is passed on") {
        for (const char* settings : {"fail=clCreateContext:1:-6", "fail=clCreateCommandQueueWithProperties:1:-6"}) {
            NullDriver driver(settings);
            Host host;
            Device device(host, 0);
            CHECK(device.opened == QIAO_ERROR_OUT_OF_MEMORY);
            const Error error = host.take_error();
            CHECK(error.vendor_code == -6);
            CHECK(error.vendor_text == "CL_OUT_OF_HOST_MEMORY");
        }
    }

    TEST_CASE("unified shared memory is preferred, and falls back where it does not work") {
        for (const char* settings : {"usm svm=none version=120", "usm fail=clDeviceMemAllocINTEL:1:-4"}) {
            NullDriver driver(settings);
            Host host;
            Device device(host, 0);
            INFO(settings << ": " << host.take_error().message);
            REQUIRE(device.opened == QIAO_OK);
            CHECK(!static_cast<bool>(device.tables->memory->memory_map));
            for (const qiao_memory_kind kind :
                 {QIAO_MEMORY_KIND_DEVICE, QIAO_MEMORY_KIND_HOST, QIAO_MEMORY_KIND_SHARED}) {
                const qiao_plugin_allocation memory = device.allocate(256, kind);
                CHECK((memory.host_pointer != nullptr) == (kind != QIAO_MEMORY_KIND_DEVICE));
                device.free(memory);
            }
        }
    }

    TEST_CASE("the driver's own word on availability is the device's state") {
        NullFixture fixture;
        opencl_null_change("unavailable");
        qiao_plugin_device_state state = 9;
        char reason[128];
        REQUIRE(fixture.device->tables->device->device_state(fixture.device->device, &state, reason, sizeof reason) ==
                QIAO_OK);
        CHECK(state == QIAO_PLUGIN_DEVICE_STATE_LOST);
        CHECK(std::string(reason).find("CL_DEVICE_AVAILABLE") != std::string::npos);
    }
}

TEST_SUITE("opencl.memory") {
    TEST_CASE("coarse memory is reached by map only, and kinds that need more are refused") {
        NullFixture fixture("svm=coarse strict");
        Device& device = *fixture.device;
        CHECK(device.info.memory_kinds == 1u << QIAO_MEMORY_KIND_DEVICE);
        qiao_plugin_allocation memory;
        CHECK(device.try_allocate(64, QIAO_MEMORY_KIND_SHARED, &memory) == QIAO_ERROR_UNSUPPORTED);
        CHECK(fixture.host->take_error().message.find("no shared memory") != std::string::npos);
        memory = device.allocate(8192);
        CHECK(memory.host_pointer == nullptr);
        const int value = 42;
        device.write(memory, &value, 4, 4100);
        void* pointer = nullptr;
        REQUIRE(device.tables->memory->memory_map(device.device, memory.allocation, 4096, 8,
                                                  QIAO_ACCESS_READ | QIAO_ACCESS_WRITE, &pointer) == QIAO_OK);
        CHECK(opencl_null_count("maps") == 1);
        CHECK(static_cast<int*>(pointer)[1] == 42);
        static_cast<int*>(pointer)[0] = 41;
        REQUIRE(device.tables->memory->memory_unmap(device.device, memory.allocation, pointer) == QIAO_OK);
        int back[2] = {};
        device.read(memory, back, 8, 4096);
        CHECK(back[0] == 41);
        device.free(memory);
    }

    TEST_CASE("an allocation that fails has the driver's code, and leaves nothing behind") {
        NullFixture fixture("usm");
        opencl_null_change("fail=clDeviceMemAllocINTEL:1:-61");
        qiao_plugin_allocation memory;
        CHECK(fixture.device->try_allocate(64, QIAO_MEMORY_KIND_DEVICE, &memory) == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(fixture.host->take_error().vendor_text == "CL_INVALID_BUFFER_SIZE");
    }

    TEST_CASE("a copy that fails says how long it was") {
        NullFixture fixture;
        const qiao_plugin_allocation memory = fixture.device->allocate(64);
        opencl_null_change("fail=clEnqueueSVMMemcpy:1:-30");
        char bytes[48] = {};
        CHECK(fixture.device->tables->memory->memory_write(fixture.device->device, memory.allocation, 0, bytes, 48) ==
              QIAO_ERROR_PLUGIN);
        const Error error = fixture.host->take_error();
        CHECK(error.message.find("48 bytes") != std::string::npos);
        CHECK(error.vendor_text == "CL_INVALID_VALUE");
        fixture.device->free(memory);
    }
}

TEST_SUITE("opencl.program") {
    TEST_CASE("a build failure names the line, also where the compiler has no file name") {
        NullFixture fixture;
        void* program = nullptr;
        CHECK(fixture.device->try_load("\n\n\n#error no\n", "", &program) == QIAO_ERROR_BUILD);
        const Error error = fixture.host->take_error();
        CHECK(error.line == 4);
        CHECK(error.log.find("<source>:4:2: error") != std::string::npos);
        CHECK(error.vendor_text == "CL_BUILD_PROGRAM_FAILURE");
    }

    TEST_CASE("bad options and drivers that fail are told apart") {
        NullFixture fixture;
        void* program = nullptr;
        CHECK(fixture.device->try_load("kernel void k() {}", "-bad-option", &program) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(fixture.host->take_error().remedy.find("options") != std::string::npos);
        opencl_null_change("fail=clBuildProgram:1:-6");
        CHECK(fixture.device->try_load("kernel void k() {}", "", &program) == QIAO_ERROR_OUT_OF_MEMORY);
        opencl_null_change("fail=clCreateProgramWithSource:1:-6");
        CHECK(fixture.device->try_load("kernel void k() {}", "", &program) == QIAO_ERROR_OUT_OF_MEMORY);
    }

    TEST_CASE("SPIR-V is taken in the versions listed, and not otherwise") {
        NullFixture fixture("il");
        Device& device = *fixture.device;
        CHECK(std::string(device.info.formats) == "spirv-opencl;opencl-c");
        std::vector<uint32_t> module = spirv_module();
        std::string reason;
        const uint32_t spirv = score(device, "spirv-opencl", module.data(), module.size() * 4, &reason);
        CHECK(spirv > score(device, "opencl-c", "", 0, &reason));
        module[1] = 0x00010400u;
        CHECK(score(device, "spirv-opencl", module.data(), module.size() * 4, &reason) == 0);
        CHECK(reason.find("SPIR-V_1.4") != std::string::npos);
        CHECK(score(device, "spirv-opencl", module.data(), 8, &reason) == 0);

        module = spirv_module();
        qiao_plugin_program_desc desc = {};
        desc.struct_size = sizeof desc;
        desc.format = "spirv-opencl";
        desc.data = module.data();
        desc.size_bytes = module.size() * 4;
        void* program = nullptr;
        REQUIRE(device.tables->program->program_load(device.device, &desc, &program) == QIAO_OK);
        Layout layout;
        CHECK(layout.address().find(device, program, "k").kernel != nullptr);
        fixture.unload(program);
    }

    TEST_CASE("a driver that lists SPIR-V and refuses all of it is found out") {
        NullFixture fixture("il");
        opencl_null_change("fail=clCreateProgramWithIL:1:-30");
        const std::vector<uint32_t> module = spirv_module();
        std::string reason;
        CHECK(score(*fixture.device, "spirv-opencl", module.data(), module.size() * 4, &reason) == 0);
        CHECK(reason.find("refuses an empty module") != std::string::npos);
    }

    TEST_CASE("without a compiler, source is refused with that reason") {
        NullFixture fixture("no_compiler il");
        std::string reason;
        CHECK(score(*fixture.device, "opencl-c", "", 0, &reason) == 0);
        CHECK(reason == "the driver has no compiler");
        CHECK(std::string(fixture.device->info.formats) == "spirv-opencl");
    }

    TEST_CASE("a kernel fact that the driver does not tell is unknown, and logged") {
        NullFixture fixture;
        void* program = fixture.device->load("kernel void k() {}");
        opencl_null_change("fail=clGetKernelWorkGroupInfo:1:-5");
        const qiao_plugin_kernel kernel = Layout().find(*fixture.device, program, "k");
        CHECK(kernel.max_group_size == 0);
        CHECK(kernel.preferred_group_multiple == 32);
        CHECK(fixture.host->log_text().find("kernel 'k'") != std::string::npos);
        opencl_null_change("fail=clGetKernelInfo:1:-6");
        qiao_plugin_kernel failed;
        CHECK(Layout().try_find(*fixture.device, program, "k", &failed) == QIAO_ERROR_OUT_OF_MEMORY);
        fixture.unload(program);
    }
}

TEST_SUITE("opencl.output") {
    TEST_CASE("what a kernel prints comes to the host where the driver hands it out") {
        NullFixture with("arm_printf");
        REQUIRE(opencl_null_print("3 of 7\nand more") == 1);
        CHECK(with.host->take_output() == "3 of 7\nand more");
    }

    TEST_CASE("a driver without that is not asked for it") {
        NullFixture without(""); // the null driver counts a property that it does not know as misuse
        CHECK(without.host->take_output().empty());
    }
}
