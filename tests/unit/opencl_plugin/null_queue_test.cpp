// Launches, events and failures of queues on the null driver, where every native call can be counted and made to fail.
#include <chrono>
#include <thread>

#include "null_driver.h"

using namespace test;

namespace {

uint64_t calls(const char* what) {
    return opencl_null_count(what);
}

qiao_status try_launch(Queue& queue, const qiao_plugin_kernel& kernel, const qiao_plugin_geometry& shape,
                       const Block& block) {
    return queue.ops->queue_launch(queue.queue, kernel.kernel, &shape, block.data(), nullptr, queue.value + 1);
}

} // namespace

TEST_SUITE("opencl.launch") {
    TEST_CASE_FIXTURE(Launching, "only arguments that changed are set") {
        Queue queue(*device);
        const auto arguments_of = [&](const Block& with) {
            const uint64_t before = calls("arguments");
            queue.launch(kernel, shape, with);
            return calls("arguments") - before;
        };
        CHECK(arguments_of(block(1)) == 2);
        CHECK(arguments_of(block(1)) == 0);
        CHECK(arguments_of(block(2)) == 1);
        CHECK(arguments_of(block(2).set(0, memory.address + 4)) == 1);
        CHECK(arguments_of(block(3)) == 2);
        CHECK(calls("launches") == 5);
        queue.wait(queue.value);
    }

    TEST_CASE_FIXTURE(Launching, "after a free of anything all arguments are set again") {
        Queue queue(*device);
        queue.launch(kernel, shape, block());
        device->free(device->allocate(64));
        const uint64_t before = calls("arguments");
        queue.launch(kernel, shape, block());
        CHECK(calls("arguments") - before == 2);
        queue.wait(queue.value);
    }

    TEST_CASE_FIXTURE(NullFixture, "arguments that share or cross words are set one by one") {
        void* mixed =
            device->load("kernel void m(char a, char b, short c, struct S d, local int* e, uchar f, local int* g) {}");
        Layout wide = Layout().value(1, 1).value(1, 1).value(2, 2).value(40, 4).local().value(1, 1).local();
        const qiao_plugin_kernel kernel = wide.find(*device, mixed, "m");
        Queue queue(*device);
        const qiao_plugin_geometry shape = geometry(1, 1);
        Block block(wide);
        struct S {
            int words[10];
        } s = {};
        block.set(0, char(1))
            .set(1, char(2))
            .set(2, int16_t(3))
            .set(3, s)
            .set(4, uint32_t(64))
            .set(5, uint8_t(1))
            .set(6, uint32_t(8));
        const auto arguments_of = [&](Block& with) {
            const uint64_t before = calls("arguments");
            queue.launch(kernel, shape, with);
            return calls("arguments") - before;
        };
        CHECK(arguments_of(block) == 7);
        for (size_t i : {0u, 1u, 5u})
            CHECK(arguments_of(block.set(i, char(77))) == 1);
        CHECK(arguments_of(block.set(2, int16_t(-3))) == 1);
        CHECK(arguments_of(block.set(4, uint32_t(128))) == 1);
        CHECK(arguments_of(block.set(6, uint32_t(16))) == 1);
        for (int& word : s.words) {
            word = 5;
            CHECK(arguments_of(block.set(3, s)) == 1);
        }
        for (int& word : s.words)
            word = 6;
        CHECK(arguments_of(block.set(3, s)) == 1);
        CHECK(arguments_of(block.set(1, char(9)).set(2, int16_t(9)).set(6, uint32_t(32))) == 3);
        CHECK(arguments_of(block) == 0);
        queue.wait(queue.value);
        unload(mixed);
    }

    TEST_CASE_FIXTURE(NullFixture, "bytes between arguments may be anything, and cost a call at most where they change") {
        void* loose = device->load("kernel void p(char a, long b) {}");
        Layout layout = Layout().value(1, 1).value(8, 8);
        const qiao_plugin_kernel kernel = layout.find(*device, loose, "p");
        Queue queue(*device);
        const qiao_plugin_geometry shape = geometry(1, 1);
        unsigned char bytes[16] = {1};
        for (unsigned char noise = 0; noise < 10; ++noise) {
            bytes[1 + noise % 7] = noise;
            const uint64_t before = calls("arguments");
            for (int i = 0; i < 2; ++i)
                REQUIRE(queue.ops->queue_launch(queue.queue, kernel.kernel, &shape, bytes, nullptr, ++queue.value) ==
                        QIAO_OK);
            CHECK(calls("arguments") - before <= (noise == 0 ? 2 : 1));
        }
        queue.wait(queue.value);
        unload(loose);
    }

    TEST_CASE_FIXTURE(Launching, "an argument the driver refuses is named, and is set again next time") {
        Queue queue(*device);
        queue.launch(kernel, shape, block(1));
        opencl_null_change("fail=clSetKernelArg:1:-50");
        CHECK(try_launch(queue, kernel, shape, block(2)) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(host->take_error().message.find("kernel 'k'") != std::string::npos);
        const uint64_t before = calls("arguments");
        queue.launch(kernel, shape, block(2));
        CHECK(calls("arguments") - before == 2);
        queue.wait(queue.value);
    }

    TEST_CASE_FIXTURE(NullFixture, "local memory of no bytes is refused by argument") {
        void* local = device->load("kernel void l(global int* a, local int* b) {}");
        Layout layout = Layout().address().local();
        const qiao_plugin_kernel kernel = layout.find(*device, local, "l");
        const qiao_plugin_allocation memory = device->allocate(64);
        Queue queue(*device);
        CHECK(try_launch(queue, kernel, geometry(1, 1), Block(layout).set(0, memory.address).set(1, uint32_t(0))) ==
              QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(host->take_error().message.find("argument 1 of kernel 'l' (local memory of 0 bytes)") !=
              std::string::npos);
        device->free(memory);
        unload(local);
    }

    TEST_CASE_FIXTURE(Launching, "the N-th launch that fails says what was launched; the next works") {
        Queue queue(*device);
        opencl_null_change("fail=clEnqueueNDRangeKernel:3:-54");
        queue.launch(kernel, shape, block(1));
        queue.launch(kernel, shape, block(2));
        CHECK(try_launch(queue, kernel, shape, block(3)) == QIAO_ERROR_OUT_OF_RANGE);
        const Error error = host->take_error();
        CHECK(error.message.find("256 x 1 x 1 work-items in groups of 64 x 1 x 1") != std::string::npos);
        CHECK(error.vendor_text == "CL_INVALID_WORK_GROUP_SIZE");
        queue.launch(kernel, shape, block(3));
        queue.wait(queue.value);
        CHECK(host->lost_reason().empty());
    }

    TEST_CASE_FIXTURE(Launching, "each queue has its own cl_kernel; they go with the queue or with the program") {
        auto first = std::make_unique<Queue>(*device), second = std::make_unique<Queue>(*device);
        for (Queue* queue : {first.get(), second.get()})
            queue->wait(queue->launch(kernel, shape, block()));
        CHECK(calls("kernels") == 2);
        first.reset();
        CHECK(calls("kernels") == 1);
        // Kernels of programs that come and go take the same numbers; the queue must not mix them up.
        for (int i = 0; i < 40; ++i) {
            void* other = device->load("kernel void a(int n) {}\nkernel void b(global int* p) {}");
            Layout value = Layout().value(4, 4), address = Layout().address();
            const qiao_plugin_kernel a = value.find(*device, other, "a"), b = address.find(*device, other, "b");
            second->launch(a, shape, Block(value).set(0, i));
            second->launch(b, shape, Block(address).set(0, memory.address));
            second->wait(second->value);
            unload(other);
            CHECK(calls("kernels") == 1);
        }
        second->wait(second->launch(kernel, shape, block(5)));
        second.reset();
        CHECK(calls("kernels") == 0);
    }

    TEST_CASE_FIXTURE(Launching, "more kernels than a queue has room for at first") {
        std::string source;
        std::vector<std::string> names;
        for (int i = 0; i < 100; ++i) {
            names.push_back(std::to_string(i).insert(0, 1, 'k'));
            source.append("kernel void ").append(names.back()).append("(int n) {}\n");
        }
        void* many = device->load(source.c_str());
        Layout value = Layout().value(4, 4);
        std::vector<qiao_plugin_kernel> kernels;
        for (const std::string& name : names)
            kernels.push_back(value.find(*device, many, name.c_str()));
        {
            Queue queue(*device);
            for (int round = 0; round < 2; ++round)
                for (int i = 99; i >= 0; --i)
                    queue.launch(kernels[static_cast<size_t>(i)], shape, Block(value).set(0, i));
            CHECK(calls("kernels") == 101); // 100 clones, and the one that waits for its first queue
            CHECK(calls("arguments") == 100);
            queue.wait(queue.value);
        }
        unload(many);
    }

    TEST_CASE_FIXTURE(Launching, "threads with queues of their own share a kernel") {
        std::vector<std::thread> threads;
        std::atomic<int> wrong{0};
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int round = 0; round < 20; ++round) {
                    qiao_plugin_queue_desc desc = {};
                    desc.struct_size = sizeof desc;
                    void* queue = nullptr;
                    const qiao_plugin_queue_ops* ops = device->tables->queue;
                    if (ops->queue_create(device->device, &desc, &queue) != QIAO_OK) ++wrong;
                    for (uint64_t value = 1; value <= 100; ++value) {
                        const Block with = block(static_cast<int>(value) + t);
                        uint64_t reached = 0;
                        if (ops->queue_launch(queue, kernel.kernel, &shape, with.data(), nullptr, value) != QIAO_OK)
                            ++wrong;
                        if (value % 7 == 0 && ops->queue_mark(queue, value) != QIAO_OK) ++wrong;
                        if (ops->queue_poll(queue, &reached) != QIAO_OK || reached != value / 7 * 7) ++wrong;
                    }
                    if (ops->queue_mark(queue, 100) != QIAO_OK || ops->queue_wait(queue, 100, 1'000'000'000) != QIAO_OK)
                        ++wrong;
                    ops->queue_destroy(queue);
                }
            });
        for (std::thread& thread : threads)
            thread.join();
        CHECK(wrong == 0);
    }
}

TEST_SUITE("opencl.events") {
    TEST_CASE_FIXTURE(Launching, "a thousand launches and one wait make few events") {
        Queue queue(*device);
        for (int i = 0; i < 1000; ++i)
            queue.launch(kernel, shape, block(i));
        CHECK(calls("markers") == 1000 / 32);
        CHECK(calls("events") == 1000 / 32);
        queue.wait(queue.value);
        CHECK(calls("events") == 0);
        CHECK(calls("markers") == 1000 / 32 + 1);
    }

    TEST_CASE_FIXTURE(Launching, "launch and wait in turns needs one marker, then the operation's own event") {
        Queue queue(*device);
        for (int i = 0; i < 100; ++i)
            queue.wait(queue.launch(kernel, shape, block(i)));
        CHECK(calls("markers") == 1);
        // When the pattern ends, so do the events.
        for (int i = 0; i < 20; ++i)
            queue.launch(kernel, shape, block(i));
        CHECK(calls("events") == 0);
        queue.wait(queue.value);
        CHECK(calls("markers") == 2);
    }

    TEST_CASE_FIXTURE(Launching, "marking a value again makes nothing") {
        Queue queue(*device);
        queue.launch(kernel, shape, block());
        for (int i = 0; i < 10; ++i)
            queue.mark();
        CHECK(calls("markers") == 1);
        CHECK(calls("flushes") == 1);
        queue.wait(1);
    }

    TEST_CASE_FIXTURE(Launching, "the history is bounded while nothing ends") {
        Queue queue(*device);
        opencl_null_change("manual");
        for (int i = 0; i < 3000; ++i) {
            queue.launch(kernel, shape, block(i));
            queue.mark();
        }
        CHECK(queue.poll() == 0);
        while (opencl_null_complete(1000, 0) != 0) {
        }
        CHECK(queue.poll() == 3000);
        opencl_null_configure("");
    }

    TEST_CASE_FIXTURE(Launching, "a value is reached by the earliest mark, not by the latest") {
        Queue queue(*device);
        opencl_null_change("manual");
        queue.launch(kernel, shape, block());
        queue.mark();
        for (int i = 0; i < 200; ++i)
            queue.launch(kernel, shape, block(i));
        queue.mark();
        CHECK(queue.ops->queue_wait(queue.queue, 1, 1'000'000) == QIAO_TIMEOUT);
        CHECK(opencl_null_complete(2, 0) == 2); // the launch and its marker
        CHECK(queue.ops->queue_wait(queue.queue, 1, 10'000'000'000) == QIAO_OK);
        CHECK(queue.poll() == 1);
        CHECK(queue.ops->queue_wait(queue.queue, 2, 1'000'000) == QIAO_TIMEOUT);
        opencl_null_complete(1000, 0);
        CHECK(queue.poll() == 201);
        opencl_null_change("");
        opencl_null_configure("");
    }

    TEST_CASE_FIXTURE(Launching, "a notification follows the event, once") {
        Queue queue(*device, 0, 99);
        opencl_null_change("manual");
        queue.launch(kernel, shape, block());
        queue.mark();
        REQUIRE(queue.ops->queue_notify(queue.queue, 1) == QIAO_OK);
        CHECK(host->completed_count() == 0);
        opencl_null_complete(10, 0);
        qiao_status status = -99;
        CHECK(host->await_completed(99, 1, &status));
        CHECK(status == QIAO_OK);
        CHECK(host->completed_count() == 1);
        CHECK(queue.poll() == 1);
        opencl_null_configure("");
    }

    TEST_CASE_FIXTURE(Launching, "a destroyed queue notifies nobody") {
        {
            Queue queue(*device, 0, 99);
            opencl_null_change("manual");
            queue.launch(kernel, shape, block());
            queue.mark();
            REQUIRE(queue.ops->queue_notify(queue.queue, 1) == QIAO_OK);
        }
        opencl_null_complete(10, 0);
        CHECK(host->completed_count() == 0);
        opencl_null_configure("");
    }

    TEST_CASE_FIXTURE(Launching, "timestamps of the last 4,096 operations are kept") {
        Queue queue(*device, QIAO_PLUGIN_QUEUE_PROFILING);
        for (int i = 0; i < 5000; ++i)
            queue.launch(kernel, shape, block(i));
        queue.wait(5000);
        CHECK(calls("markers") == 0);
        uint64_t start = 0, end = 0, last = 0;
        for (uint64_t value = 5000 - 4095; value <= 5000; ++value) {
            REQUIRE(queue.ops->queue_timestamps(queue.queue, value, &start, &end) == QIAO_OK);
            REQUIRE(start > last);
            REQUIRE(end == start + 50);
            last = start;
        }
        CHECK(queue.ops->queue_timestamps(queue.queue, 1, &start, &end) == QIAO_ERROR_NOT_FOUND);
        CHECK(host->take_error().message.find("4096") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Launching, "a queue waits for another only while there is something to wait for") {
        Queue first(*device), second(*device);
        opencl_null_change("manual");
        first.launch(kernel, shape, block());
        first.mark();
        REQUIRE(second.ops->queue_after(second.queue, first.queue, 1, ++second.value) == QIAO_OK);
        second.mark();
        CHECK(second.poll() == 0);
        opencl_null_complete(100, 0);
        CHECK(second.poll() == 1);
        REQUIRE(first.poll() == 1);
        opencl_null_configure("strict");
        REQUIRE(second.ops->queue_after(second.queue, first.queue, 1, ++second.value) == QIAO_OK);
        second.wait(2);
    }

    TEST_CASE("queues of two devices do not wait for each other natively") {
        NullFixture fixture("devices=2");
        Device other(*fixture.host, 1);
        Queue first(*fixture.device), second(other);
        CHECK(first.ops->queue_after(first.queue, second.queue, 1, 1) == QIAO_ERROR_UNSUPPORTED);
    }
}

TEST_SUITE("opencl.failure") {
    TEST_CASE_FIXTURE(Launching, "an operation that fails on the device fails its queue for good, not the device") {
        Queue queue(*device), other(*device);
        opencl_null_change("manual");
        queue.launch(kernel, shape, block());
        queue.mark();
        opencl_null_complete(2, -9999);
        uint64_t reached = 99;
        for (int i = 0; i < 3; ++i) {
            CHECK(queue.ops->queue_poll(queue.queue, &reached) == QIAO_ERROR_PLUGIN);
            CHECK(reached == 0);
            CHECK(host->take_error().vendor_code == -9999);
        }
        CHECK(queue.ops->queue_wait(queue.queue, 1, 1'000'000'000) == QIAO_ERROR_PLUGIN);
        CHECK(host->lost_reason().empty());
        opencl_null_configure("strict");
        other.wait(other.launch(kernel, shape, block()));
    }

    TEST_CASE("a lost device ends waits, refuses and can be taken down") {
        Launching f;
        f.lost = true;
        const Block block = f.block();
        std::atomic<qiao_status> waited{-99};
        std::thread waiter;
        {
            Queue stuck(*f.device), queue(*f.device, 0, 5);
            opencl_null_change("manual");
            stuck.launch(f.kernel, f.shape, block);
            stuck.mark();
            waiter = std::thread([&] { waited = stuck.ops->queue_wait(stuck.queue, 1, QIAO_TIMEOUT_INFINITE); });
            opencl_null_change("fail=clEnqueueNDRangeKernel:1:-2");
            CHECK(try_launch(queue, f.kernel, f.shape, block) == QIAO_ERROR_DEVICE_LOST);
            waiter.join();
            CHECK(waited == QIAO_ERROR_DEVICE_LOST);
            CHECK(f.host->lost_reason() == "CL_DEVICE_NOT_AVAILABLE");
            CHECK(f.device->tables->device->device_synchronize(f.device->device, QIAO_TIMEOUT_INFINITE) ==
                  QIAO_ERROR_DEVICE_LOST);
            qiao_plugin_device_state state = 9;
            char reason[64];
            REQUIRE(f.device->tables->device->device_state(f.device->device, &state, reason, sizeof reason) == QIAO_OK);
            CHECK(state == QIAO_PLUGIN_DEVICE_STATE_LOST);
        }
        opencl_null_complete(1000, 0);
        opencl_null_configure("");
    }

    TEST_CASE_FIXTURE(Launching, "a failure reaches who asked to be notified") {
        Queue queue(*device, 0, 5);
        opencl_null_change("manual");
        queue.launch(kernel, shape, block());
        queue.mark();
        REQUIRE(queue.ops->queue_notify(queue.queue, 1) == QIAO_OK);
        opencl_null_complete(2, -14);
        qiao_status status = -99;
        REQUIRE(host->await_completed(5, 1, &status));
        CHECK(status == QIAO_ERROR_CANCELLED);
        CHECK(host->log_text().find("CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST") != std::string::npos);
        opencl_null_configure("");
    }

    TEST_CASE_FIXTURE(Launching, "markers, flushes and callbacks that fail are reported as such") {
        Queue queue(*device);
        queue.launch(kernel, shape, block());
        opencl_null_change("fail=clEnqueueMarkerWithWaitList:1:-6");
        CHECK(queue.ops->queue_mark(queue.queue, 1) == QIAO_ERROR_OUT_OF_MEMORY);
        CHECK(host->take_error().message.find("a marker") != std::string::npos);
        opencl_null_change("fail=clFlush:1:-6");
        CHECK(queue.ops->queue_mark(queue.queue, 1) == QIAO_ERROR_OUT_OF_MEMORY);
        opencl_null_change("manual");
        queue.launch(kernel, shape, block());
        queue.mark();
        opencl_null_change("fail=clSetEventCallback:1:-6");
        CHECK(queue.ops->queue_notify(queue.queue, queue.value) == QIAO_ERROR_OUT_OF_MEMORY);
        // A wait without callbacks polls.
        opencl_null_change("fail=clSetEventCallback:1:-6");
        CHECK(queue.ops->queue_wait(queue.queue, queue.value, 1'000'000) == QIAO_TIMEOUT);
        opencl_null_complete(100, 0);
        CHECK(queue.poll() == queue.value);
        opencl_null_configure("");
    }

    TEST_CASE("out of resources is a loss only if the driver says that the device has gone") {
        for (const bool gone : {false, true}) {
            Launching f;
            Queue queue(*f.device);
            opencl_null_change("manual");
            queue.launch(f.kernel, f.shape, f.block());
            queue.mark();
            if (gone) opencl_null_change("unavailable");
            opencl_null_complete(2, -5);
            uint64_t reached = 99;
            const qiao_status expected = gone ? QIAO_ERROR_DEVICE_LOST : QIAO_ERROR_OUT_OF_MEMORY;
            CHECK(queue.ops->queue_poll(queue.queue, &reached) == expected);
            CHECK(f.host->lost_reason() == (gone ? "CL_OUT_OF_RESOURCES" : ""));
            opencl_null_configure("");
            f.lost = gone;
        }
    }
}
