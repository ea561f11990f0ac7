// An application that uses OpenCL itself, beside Qiao: it takes the device's context, makes a command queue and memory
// there, has Qiao work on them, and works on Qiao's with OpenCL's functions.
#define CL_TARGET_OPENCL_VERSION 200
#include <CL/cl.h>
#include <dlfcn.h>
#include <chrono>
#include <qiao/qiao.hpp>
#include <thread>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

// The process's own OpenCL library, as the plugin opens it.
template <class Function>
Function* cl_function(const char* name) {
    static void* const library = dlopen("libOpenCL.so.1", RTLD_NOW);
    REQUIRE(library != nullptr);
    auto* function = reinterpret_cast<Function*>(dlsym(library, name));
    REQUIRE_MESSAGE((function != nullptr), name);
    return function;
}
#define CL(name) cl_function<decltype(::name)>(#name)

template <class Handle>
Handle handle(uint64_t number) {
    return reinterpret_cast<Handle>(static_cast<uintptr_t>(number));
}
template <class Handle>
qiao_native native_of(qiao_native_type type, Handle* object) {
    return {type, 0, {reinterpret_cast<uintptr_t>(object), 0, 0, 0}};
}

struct OpenCl {
    explicit OpenCl(const Session& session) {
        qiao_native native = QIAO_NATIVE_INIT;
        REQUIRE_OK(qiao_device_get_native(session.device, &native));
        REQUIRE(native.type == QIAO_NATIVE_TYPE_OPENCL_DEVICE);
        device = handle<cl_device_id>(native.handles[0]);
        context = handle<cl_context>(native.handles[1]);
        platform = handle<cl_platform_id>(native.handles[2]);
    }
    cl_command_queue queue(cl_command_queue_properties flags = 0) const {
        const cl_queue_properties properties[] = {CL_QUEUE_PROPERTIES, flags, 0};
        cl_int code = -1;
        cl_command_queue made = CL(clCreateCommandQueueWithProperties)(context, device, properties, &code);
        REQUIRE(code == CL_SUCCESS);
        return made;
    }
    cl_mem buffer(size_t size_bytes) const {
        cl_int code = -1;
        cl_mem made = CL(clCreateBuffer)(context, CL_MEM_READ_WRITE, size_bytes, nullptr, &code);
        REQUIRE(code == CL_SUCCESS);
        return made;
    }
    cl_context another_context() const {
        const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, reinterpret_cast<cl_context_properties>(platform), 0};
        cl_int code = -1;
        cl_context made = CL(clCreateContext)(properties, 1, &device, nullptr, nullptr, &code);
        REQUIRE(code == CL_SUCCESS);
        return made;
    }
    // How many owners an object has.
    static cl_uint owners(cl_mem buffer) {
        cl_uint count = 0;
        REQUIRE(CL(clGetMemObjectInfo)(buffer, CL_MEM_REFERENCE_COUNT, sizeof count, &count, nullptr) == CL_SUCCESS);
        return count;
    }
    static cl_uint owners(cl_command_queue queue) {
        cl_uint count = 0;
        REQUIRE(CL(clGetCommandQueueInfo)(queue, CL_QUEUE_REFERENCE_COUNT, sizeof count, &count, nullptr) == CL_SUCCESS);
        return count;
    }
    // Whether nobody but the application owns it any more. PoCL's thread lets go of a finished command's queue and
    // buffers a moment after it has said that the command is finished.
    template <class Handle>
    static bool given_back(Handle object) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(kPatience);
        while (owners(object) != 1 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return owners(object) == 1;
    }

    cl_device_id device;
    cl_context context;
    cl_platform_id platform;
};

qiao_memory_desc memory_desc(uint64_t size_bytes) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = size_bytes;
    return desc;
}

Queue wrap(const Session& session, cl_command_queue native, uint64_t flags = 0) {
    const qiao_native object = native_of(QIAO_NATIVE_TYPE_OPENCL_QUEUE, native);
    qiao_queue_desc desc = QIAO_QUEUE_DESC_INIT;
    desc.flags = flags;
    qiao_queue* queue = nullptr;
    REQUIRE_OK(qiao_queue_wrap(session.device, &object, &desc, &queue));
    return Queue(queue);
}

}  // namespace

// On a device with buffers only, as QIAO_OPENCL_ADDRESSES=table makes it.
TEST_SUITE("opencl.buffers") {
    TEST_CASE("a command queue and a buffer of the application's become Qiao's, and stay the application's") {
        Session session;
        REQUIRE((session.properties.flags & QIAO_DEVICE_ADDRESSES_EMULATED) != 0);
        const OpenCl cl(session);
        constexpr size_t kItems = 1000, kBytes = kItems * sizeof(uint32_t);
        cl_command_queue native_queue = cl.queue();
        cl_mem buffer = cl.buffer(kBytes);
        {
            const Queue queue = wrap(session, native_queue);
            CHECK(OpenCl::owners(native_queue) == 2);
            qiao_memory* wrapped = nullptr;
            const qiao_native object = native_of(QIAO_NATIVE_TYPE_OPENCL_BUFFER, buffer);
            const qiao_memory_desc desc = memory_desc(kBytes);
            REQUIRE_OK(qiao_memory_wrap(session.device, &object, &desc, &wrapped));
            const Memory memory(wrapped);
            CHECK(OpenCl::owners(buffer) == 2);
            qiao_native got = QIAO_NATIVE_INIT;
            REQUIRE_OK(qiao_memory_get_native(memory.get(), &got));
            CHECK(got.type == QIAO_NATIVE_TYPE_OPENCL_BUFFER);
            CHECK(handle<cl_mem>(got.handles[0]) == buffer);

            // OpenCL writes, Qiao's kernel adds, OpenCL writes once more in the same queue, Qiao adds: nobody waits between.
            const uint32_t one = 1, seven = 7;
            const auto fill = [&](const uint32_t& value, size_t bytes) {
                return CL(clEnqueueFillBuffer)(native_queue, buffer, &value, sizeof value, 0, bytes, 0, nullptr, nullptr);
            };
            REQUIRE(fill(one, kBytes) == CL_SUCCESS);
            const Program program = session.program();
            const uint64_t address = address_of(memory);
            launch(queue, kernel_of(program, "add"), items(kItems), blocks::Add{address, address, address});
            REQUIRE(fill(seven, sizeof seven) == CL_SUCCESS);
            wait_for(queue, launch(queue, kernel_of(program, "add"), items(kItems), blocks::Add{address, address, address}));
            const std::vector<uint32_t> result = download<uint32_t>(memory, kItems);
            CHECK(result[0] == 14);
            for (size_t i = 1; i < kItems; ++i) REQUIRE(result[i] == 4);
        }
        REQUIRE_OK(qiao_device_synchronize(session.device, kPatience));
        CHECK(OpenCl::given_back(native_queue));
        CHECK(OpenCl::given_back(buffer));
        std::vector<uint32_t> result(kItems);
        REQUIRE(CL(clEnqueueReadBuffer)(native_queue, buffer, CL_TRUE, 0, kBytes, result.data(), 0, nullptr, nullptr) == CL_SUCCESS);
        CHECK(result[0] == 14);
        CHECK(result[kItems - 1] == 4);
        CHECK(CL(clReleaseMemObject)(buffer) == CL_SUCCESS);
        CHECK(CL(clReleaseCommandQueue)(native_queue) == CL_SUCCESS);
    }

    TEST_CASE("OpenCL's functions work on Qiao's memory") {
        Session session;
        const Memory memory = session.upload(numbers(256));
        qiao_native native = QIAO_NATIVE_INIT;
        REQUIRE_OK(qiao_memory_get_native(memory.get(), &native));
        REQUIRE(native.type == QIAO_NATIVE_TYPE_OPENCL_BUFFER);
        cl_command_queue queue = OpenCl(session).queue();
        std::vector<uint32_t> result(256);
        REQUIRE(CL(clEnqueueReadBuffer)(queue, handle<cl_mem>(native.handles[0]), CL_TRUE, 0, 1024, result.data(), 0, nullptr, nullptr) == CL_SUCCESS);
        CHECK(result == numbers(256));
        CHECK(CL(clReleaseCommandQueue)(queue) == CL_SUCCESS);
    }

    TEST_CASE("memory that cannot be worked on is refused, with what to do; nothing is made of it") {
        Session session;
        const OpenCl cl(session);
        const qiao_memory_desc desc = memory_desc(256);
        qiao_memory* wrapped = nullptr;
        cl_mem buffer = cl.buffer(255);
        const qiao_native small = native_of(QIAO_NATIVE_TYPE_OPENCL_BUFFER, buffer);
        CHECK_FAILS(qiao_memory_wrap(session.device, &small, &desc, &wrapped), QIAO_ERROR_OUT_OF_RANGE, "255 bytes", "256", "or less");
        CHECK(OpenCl::owners(buffer) == 1);
        const qiao_native pointer = native_of(QIAO_NATIVE_TYPE_OPENCL_SVM, buffer);
        CHECK_FAILS(qiao_memory_wrap(session.device, &pointer, &desc, &wrapped), QIAO_ERROR_UNSUPPORTED, "0x103", "0x105");
        CHECK(CL(clReleaseMemObject)(buffer) == CL_SUCCESS);
        cl_context foreign = cl.another_context();
        cl_int code = -1;
        cl_mem of_foreign = CL(clCreateBuffer)(foreign, CL_MEM_READ_WRITE, 256, nullptr, &code);
        REQUIRE(code == CL_SUCCESS);
        const qiao_native elsewhere = native_of(QIAO_NATIVE_TYPE_OPENCL_BUFFER, of_foreign);
        CHECK_FAILS(qiao_memory_wrap(session.device, &elsewhere, &desc, &wrapped), QIAO_ERROR_INVALID_ARGUMENT, "of another context", "qiao_device_get_native");
        CHECK(OpenCl::owners(of_foreign) == 1);
        CHECK(CL(clReleaseMemObject)(of_foreign) == CL_SUCCESS);
        CHECK(CL(clReleaseContext)(foreign) == CL_SUCCESS);
        CHECK(wrapped == nullptr);
        check_works(session);
    }
}

TEST_SUITE("opencl.native") {
    TEST_CASE("the device's handles are the driver's own") {
        const Session session;
        const OpenCl cl(session);
        char name[128] = "";
        REQUIRE(CL(clGetDeviceInfo)(cl.device, CL_DEVICE_NAME, sizeof name, name, nullptr) == CL_SUCCESS);
        CHECK(std::string(name) == session.properties.name);
        cl_device_id of_context = nullptr;
        REQUIRE(CL(clGetContextInfo)(cl.context, CL_CONTEXT_DEVICES, sizeof of_context, &of_context, nullptr) == CL_SUCCESS);
        CHECK(of_context == cl.device);
        cl_platform_id of_device = nullptr;
        REQUIRE(CL(clGetDeviceInfo)(cl.device, CL_DEVICE_PLATFORM, sizeof of_device, &of_device, nullptr) == CL_SUCCESS);
        CHECK(of_device == cl.platform);
    }

    TEST_CASE("a command queue and shared memory of the application's become Qiao's, and stay the application's") {
        Session session;
        const OpenCl cl(session);
        constexpr size_t kItems = 1000;
        cl_command_queue native_queue = cl.queue();
        void* pointer = CL(clSVMAlloc)(cl.context, CL_MEM_READ_WRITE, kItems * sizeof(uint32_t), 0);
        REQUIRE(pointer != nullptr);
        {
            const Queue queue = wrap(session, native_queue);
            CHECK(OpenCl::owners(native_queue) == 2);
            qiao_native got = QIAO_NATIVE_INIT;
            REQUIRE_OK(qiao_queue_get_native(queue.get(), &got));
            CHECK(handle<cl_command_queue>(got.handles[0]) == native_queue);

            const qiao_native object = native_of(QIAO_NATIVE_TYPE_OPENCL_SVM, static_cast<char*>(pointer));
            const qiao_memory_desc desc = memory_desc(kItems * sizeof(uint32_t));
            qiao_memory* wrapped = nullptr;
            REQUIRE_OK(qiao_memory_wrap(session.device, &object, &desc, &wrapped));
            const Memory memory(wrapped);
            CHECK(address_of(memory) == object.handles[0]);
            REQUIRE_OK(qiao_memory_get_native(memory.get(), &got));
            CHECK(got.type == QIAO_NATIVE_TYPE_OPENCL_SVM);
            CHECK(handle<void*>(got.handles[0]) == pointer);
            qiao_memory* again = nullptr;
            CHECK_FAILS(qiao_memory_wrap(session.device, &object, &desc, &again), QIAO_ERROR_OUT_OF_RANGE, "overlap");

            // OpenCL writes, Qiao's kernel adds, OpenCL adds once more in the same queue, Qiao reads: nobody waits between.
            const uint32_t one = 1;
            REQUIRE(CL(clEnqueueSVMMemFill)(native_queue, pointer, &one, sizeof one, kItems * sizeof one, 0, nullptr, nullptr) == CL_SUCCESS);
            const Program program = session.program();
            const uint64_t address = address_of(memory);
            const uint64_t value = launch(queue, kernel_of(program, "add"), items(kItems), blocks::Add{address, address, address});
            const uint32_t seven = 7;
            REQUIRE(CL(clEnqueueSVMMemFill)(native_queue, pointer, &seven, sizeof seven, sizeof seven, 0, nullptr, nullptr) == CL_SUCCESS);
            const uint64_t last = launch(queue, kernel_of(program, "add"), items(kItems), blocks::Add{address, address, address});
            CHECK(last == value + 1);
            wait_for(queue, last);
            const std::vector<uint32_t> result = download<uint32_t>(memory, kItems);
            CHECK(result[0] == 14);
            for (size_t i = 1; i < kItems; ++i) REQUIRE(result[i] == 4);
        }
        REQUIRE_OK(qiao_device_synchronize(session.device, kPatience));
        CHECK(OpenCl::given_back(native_queue));
        // Both still work: Qiao has given them back, not freed them.
        std::vector<uint32_t> result(kItems);
        REQUIRE(CL(clEnqueueSVMMemcpy)(native_queue, CL_TRUE, result.data(), pointer, kItems * sizeof(uint32_t), 0, nullptr, nullptr) == CL_SUCCESS);
        CHECK(result[0] == 14);
        CHECK(result[kItems - 1] == 4);
        CHECK(CL(clFinish)(native_queue) == CL_SUCCESS);
        CL(clSVMFree)(cl.context, pointer);
        CHECK(CL(clReleaseCommandQueue)(native_queue) == CL_SUCCESS);
        check_works(session);
    }

    TEST_CASE("OpenCL's functions work on Qiao's queue and memory") {
        Session session;
        const Queue queue = session.queue();
        const Memory memory = session.upload(numbers(256));
        qiao_native native_queue = QIAO_NATIVE_INIT, native_memory = QIAO_NATIVE_INIT;
        REQUIRE_OK(qiao_queue_get_native(queue.get(), &native_queue));
        REQUIRE(native_queue.type == QIAO_NATIVE_TYPE_OPENCL_QUEUE);
        REQUIRE_OK(qiao_memory_get_native(memory.get(), &native_memory));
        REQUIRE(native_memory.type == QIAO_NATIVE_TYPE_OPENCL_SVM);
        const Program program = session.program();
        const uint64_t value = launch(queue, kernel_of(program, "fill"), items(128), blocks::Fill{address_of(memory), 5, 0});
        std::vector<uint32_t> result(256);
        // In order behind the launch, though Qiao has waited for nothing.
        REQUIRE(CL(clEnqueueSVMMemcpy)(handle<cl_command_queue>(native_queue.handles[0]), CL_TRUE, result.data(),
                                       handle<void*>(native_memory.handles[0]), 1024, 0, nullptr, nullptr) == CL_SUCCESS);
        for (uint32_t i = 0; i < 256; ++i) REQUIRE(result[i] == (i < 128 ? 5 : i));
        wait_for(queue, value);
    }

    TEST_CASE("the same from C++") {
        const Session session;
        const qiao::Device device(session.device);
        const OpenCl cl(session);
        CHECK(device.native().handles[1] == reinterpret_cast<uintptr_t>(cl.context));
        CHECK(device.extensions().empty());
        CHECK_THROWS_AS(device.extension<int>("nobody.nothing.1"), qiao::NotFoundError);
        CHECK(!device.state().is_removed);
        cl_command_queue native_queue = cl.queue();
        void* pointer = CL(clSVMAlloc)(cl.context, CL_MEM_READ_WRITE, 256, 0);
        {
            qiao::Queue queue = qiao::Queue::wrap(device, native_of(QIAO_NATIVE_TYPE_OPENCL_QUEUE, native_queue));
            CHECK(queue.native().handles[0] == reinterpret_cast<uintptr_t>(native_queue));
            const qiao_native object = native_of(QIAO_NATIVE_TYPE_OPENCL_SVM, static_cast<char*>(pointer));
            const qiao::Memory memory = qiao::Memory::wrap(device, object, 256);
            CHECK(memory.native().handles[0] == object.handles[0]);
            CHECK(memory.size_bytes() == 256);
        }
        CHECK(OpenCl::given_back(native_queue));
        CL(clSVMFree)(cl.context, pointer);
        CHECK(CL(clReleaseCommandQueue)(native_queue) == CL_SUCCESS);
    }

    TEST_CASE("a wrapped queue that keeps times tells them") {
        Session session;
        const OpenCl cl(session);
        cl_command_queue native_queue = cl.queue(CL_QUEUE_PROFILING_ENABLE);
        {
            const Queue queue = wrap(session, native_queue, QIAO_QUEUE_PROFILING);
            const Memory memory = session.allocate(4096);
            const Program program = session.program();
            const uint64_t value = launch(queue, kernel_of(program, "fill"), items(1024), blocks::Fill{address_of(memory), 5, 0});
            wait_for(queue, value);
            uint64_t start_ns = 0, end_ns = 0;
            REQUIRE_OK(qiao_queue_query_timestamps(queue.get(), value, &start_ns, &end_ns));
            CHECK(start_ns < end_ns);
        }
        CHECK(CL(clReleaseCommandQueue)(native_queue) == CL_SUCCESS);
    }

    TEST_CASE("command queues that cannot be worked on are refused, with what to do") {
        Session session;
        const OpenCl cl(session);
        const auto refuses = [&](cl_command_queue native_queue, uint64_t flags, const char* reason, const char* remedy) {
            const qiao_native object = native_of(QIAO_NATIVE_TYPE_OPENCL_QUEUE, native_queue);
            qiao_queue_desc desc = QIAO_QUEUE_DESC_INIT;
            desc.flags = flags;
            qiao_queue* queue = nullptr;
            CHECK_FAILS(qiao_queue_wrap(session.device, &object, &desc, &queue), QIAO_ERROR_INVALID_ARGUMENT, reason, remedy);
            CHECK(OpenCl::owners(native_queue) == 1);
            CHECK(CL(clReleaseCommandQueue)(native_queue) == CL_SUCCESS);
        };
        refuses(cl.queue(), QIAO_QUEUE_PROFILING, "keeps no times", "CL_QUEUE_PROFILING_ENABLE");
        cl_command_queue_properties able = 0;
        REQUIRE(CL(clGetDeviceInfo)(cl.device, CL_DEVICE_QUEUE_ON_HOST_PROPERTIES, sizeof able, &able, nullptr) == CL_SUCCESS);
        if ((able & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0) {
            refuses(cl.queue(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE), 0, "out of order", "in order");
        }
        cl_int code = -1;
        cl_context foreign = cl.another_context();
        cl_command_queue of_foreign = CL(clCreateCommandQueueWithProperties)(foreign, cl.device, nullptr, &code);
        REQUIRE(code == CL_SUCCESS);
        refuses(of_foreign, 0, "of another context", "qiao_device_get_native");
        CHECK(CL(clReleaseContext)(foreign) == CL_SUCCESS);
        qiao_queue* queue = nullptr;
        const qiao_native wrong = {QIAO_NATIVE_TYPE_OPENCL_SVM, 0, {4096, 0, 0, 0}};
        CHECK_FAILS(qiao_queue_wrap(session.device, &wrong, nullptr, &queue), QIAO_ERROR_UNSUPPORTED, "0x103", "0x102");
    }
}
