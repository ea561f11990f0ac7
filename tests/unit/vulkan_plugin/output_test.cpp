// What kernels print, and when the host has it.
#include "support.h"

#include <algorithm>
#include <thread>

using namespace test;

namespace {

std::vector<std::string> sorted_lines(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t start = 0; start < text.size();) {
        const size_t end = std::min(text.find('\n', start), text.size());
        lines.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

constexpr const char* kTalk =
    "void say(int i) { printf(\"%d: %5.2f|%v4hld|%s|%c\\n\", i, i * 0.5f, (int4)(i, 2, 3, -4), \"text, with; marks\", 'a' + i); }\n"
    "kernel void talk(global int* a, int n) { int i = get_global_id(0); say(i); if (i == n) printf(\"only once\\n\"); a[i] = 10 * i; }\n"
    "kernel void quiet(global int* a, int4 v) { a[get_global_id(0)] = v.w; }\n";

} // namespace

TEST_SUITE("vulkan.output") {
    TEST_CASE_FIXTURE(Fixture, "it is with the host when the wait ends, line by line, and says who it was") {
        Program program(device, kTalk);
        const auto kernel = program.kernel("talk");
        const auto out = upload(std::vector<int32_t>(4));
        Queue queue(device);
        for (int round = 0; round < 3; ++round) {
            queue.wait(queue.launch(kernel, geometry(2, 2), Block(program.layout("talk")).set(0, out.address).set(1, int32_t{2})));
            std::string who;
            CHECK(sorted_lines(host.take_output(&who)) ==
                  std::vector<std::string>{"0:  0.00|0,2,3,-4|text, with; marks|a", "1:  0.50|1,2,3,-4|text, with; marks|b",
                                           "2:  1.00|2,2,3,-4|text, with; marks|c", "3:  1.50|3,2,3,-4|text, with; marks|d", "only once"});
            CHECK(who == "talk");
        }
        CHECK(download<int32_t>(out, 4) == std::vector<int32_t>{0, 10, 20, 30});
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "a kernel beside it that prints nothing gets its arguments") {
        Program program(device, kTalk);
        const auto out = upload(std::vector<int32_t>(2));
        Queue queue(device);
        const int32_t v[4] = {1, 2, 3, 4};
        queue.wait(queue.launch(program.kernel("quiet"), geometry(1, 2), Block(program.layout("quiet")).set(0, out.address).set(1, v)));
        CHECK(download<int32_t>(out, 2) == std::vector<int32_t>{4, 4});
        CHECK(host.take_output().empty());
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "many launches in flight, each with what it printed, in their order") {
        Program program(device, "kernel void number(int n) { printf(\"%d\\n\", n); }");
        const auto kernel = program.kernel("number");
        Queue queue(device);
        const auto shape = geometry(1, 1);
        Block block(program.layout("number"));
        std::string wanted;
        for (int32_t i = 0; i < 100; ++i) {
            queue.launch(kernel, shape, block.set(0, i));
            wanted += std::to_string(i) + "\n";
        }
        queue.wait(queue.value);
        CHECK(host.take_output() == wanted);
    }

    TEST_CASE_FIXTURE(Fixture, "it comes with polling, with synchronize, and with the queue's end") {
        Program program(device, "kernel void hello(void) { printf(\"hello\\n\"); }");
        const auto kernel = program.kernel("hello");
        const auto shape = geometry(1, 1);
        const Block block(program.layout("hello"));
        {
            Queue queue(device);
            queue.launch(kernel, shape, block);
            queue.mark();
            uint64_t reached = 0;
            while (reached < queue.value) {
                REQUIRE(queue.ops->queue_poll(queue.queue, &reached) == QIAO_OK);
                std::this_thread::yield();
            }
            CHECK(host.take_output() == "hello\n");
            queue.launch(kernel, shape, block);
            queue.mark();
            REQUIRE(device.tables->device->device_synchronize(device.device, 60'000'000'000) == QIAO_OK);
            CHECK(host.take_output() == "hello\n");
        }
        {
            Queue queue(device), other(device);
            queue.launch(kernel, shape, block);
            queue.mark();
            REQUIRE(other.ops->queue_after(other.queue, queue.queue, queue.value, ++other.value) == QIAO_OK);
            other.wait(other.value);
            CHECK(host.take_output().empty()); // nobody has asked the first queue
        }
        CHECK(host.take_output() == "hello\n");
        REQUIRE(device.tables->program->kernel_launch(device.device, kernel.kernel, &shape, block.data(), nullptr) == QIAO_OK);
        REQUIRE(device.tables->device->device_synchronize(device.device, 60'000'000'000) == QIAO_OK);
        CHECK(host.take_output() == "hello\n");
    }

    TEST_CASE_FIXTURE(Fixture, "what finds no room is lost, which the log says") {
        Program program(device, "kernel void much(void) { printf(\"%d\\n\", (int)get_global_id(0)); }");
        Queue queue(device);
        queue.wait(queue.launch(program.kernel("much"), geometry(4096, 64), Block(program.layout("much"))));
        const auto lines = sorted_lines(host.take_output());
        CHECK(lines.size() == ((1 << 18) - 1) / 2); // two words each, one word for their number
        CHECK(host.log_text().find("kernel 'much' printed more than the 1048576 bytes kept for a launch") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "arguments that need a uniform block") {
        std::string source = "kernel void many(int last", sum;
        for (int i = 0; i < 20; ++i) source += ", global const int* p" + std::to_string(i), sum += " + *p" + std::to_string(i);
        Program program(device, source + ") { printf(\"%d\\n\", last" + sum + "); }");
        const auto numbers = upload(iota(20));
        Block block(program.layout("many"));
        block.set(0, int32_t{1000});
        for (uint32_t i = 0; i < 20; ++i) block.set(1 + i, numbers.address + 4 * i);
        Queue queue(device);
        queue.wait(queue.launch(program.kernel("many"), geometry(1, 1), block));
        CHECK(host.take_output() == "1190\n");
        device.free(numbers);
    }
}
