// What kernels print reaches the application: through the log function, or stdout.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include "support/session.h"
#include "support/temporary.h"

using namespace api;

namespace {

struct TalkBlock {
    uint64_t numbers;
    int32_t last, padding;
};

constexpr const char* kSource =
    "void say(int i, global const float* numbers) {\n"
    "    printf(\"%d of %u: %6.2f|%v4hld|%s|%c|%%\\n\", i, (uint)get_global_size(0), numbers[i], (int4)(i, 2, 3, -4), \"text\", 'a' + i % 26);\n"
    "}\n"
    "kernel void talk(global const float* numbers, int last) {\n"
    "    int i = get_global_id(0);\n"
    "    say(i, numbers);\n"
    "    if (i == last) { printf(\"in \"); printf(\"pieces\\n\"); }\n"
    "}\n"
    "kernel void unended(void) { printf(\"no end of line\"); }\n"
    "kernel void quiet(global int* out, int4 v) { out[get_global_id(0)] = v.w; }\n";

Program build(Session& session) {
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = kSource;
    desc.size_bytes = std::char_traits<char>::length(kSource);
    qiao_program* program = nullptr;
    REQUIRE_OK(qiao_program_create_from_source(session.device, &desc, &program));
    return Program(program);
}

std::string line_of(int i, int count) {
    char text[128];
    std::snprintf(text, sizeof text, "%d of %d: %6.2f|%d,2,3,-4|text|%c|%%\n", i, count, i * 0.25, i, 'a' + i % 26);
    return text;
}

std::vector<float> quarters(int count) {
    std::vector<float> values;
    for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(i) * 0.25f);
    return values;
}

// The texts that were printed so far, of that source only.
std::multiset<std::string> printed(Session& session, const std::string& source) {
    std::multiset<std::string> texts;
    for (const LogLine& line : session.log.lines()) {
        if (line.level != QIAO_LOG_LEVEL_OUTPUT) continue;
        CHECK(line.source == source);
        texts.insert(line.text);
    }
    return texts;
}

// File descriptor 1 as a file, as long as it lives.
class StdoutToFile {
   public:
    explicit StdoutToFile(const std::string& path) {
        std::fflush(stdout);
        kept_ = dup(STDOUT_FILENO);
        const int file = open(path.c_str(), O_CREAT | O_WRONLY, 0600);
        dup2(file, STDOUT_FILENO);
        close(file);
    }
    ~StdoutToFile() {
        std::fflush(stdout);
        dup2(kept_, STDOUT_FILENO);
        close(kept_);
    }

   private:
    int kept_;
};

}  // namespace

TEST_SUITE("output.callback") {
    TEST_CASE("each line comes once, whole, before the wait ends, with the device's and the kernel's name") {
        Session session; // which asked for errors only
        const Program program = build(session);
        constexpr int kCount = 200;
        const Memory numbers = session.upload(quarters(kCount));
        const Queue queue = session.queue();
        std::multiset<std::string> wanted;
        for (int round = 0; round < 2; ++round) {
            wait_for(queue, launch(queue, kernel_of(program, "talk"), items(kCount, 8), TalkBlock{address_of(numbers), 7, 0}));
            for (int i = 0; i < kCount; ++i) wanted.insert(line_of(i, kCount));
            wanted.insert("in pieces\n");
            CHECK(printed(session, std::string(session.properties.id) + " talk") == wanted);
        }
    }

    TEST_CASE("what does not end with a line comes without an end of line, and nothing comes from a kernel that prints nothing") {
        Session session;
        const Program program = build(session);
        const Memory out = session.upload(numbers(4));
        const Queue queue = session.queue();
        struct {
            uint64_t out, padding;
            int32_t v[4];
        } block = {address_of(out), 0, {1, 2, 3, 4}};
        wait_for(queue, launch(queue, kernel_of(program, "quiet"), items(4), block));
        CHECK(download<uint32_t>(out, 4) == std::vector<uint32_t>(4, 4));
        uint64_t value = 0;
        const qiao_launch one = items(1);
        REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "unended"), &one, nullptr, 0, &value));
        wait_for(queue, value);
        CHECK(printed(session, std::string(session.properties.id) + " unended") == std::multiset<std::string>{"no end of line"});
    }

    TEST_CASE("queues that print at the same time do not mix their lines") {
        Session session;
        const Program program = build(session);
        constexpr int kCount = 64, kQueues = 3, kLaunches = 20;
        const Memory numbers = session.upload(quarters(kCount));
        std::vector<Queue> queues;
        for (int i = 0; i < kQueues; ++i) queues.push_back(session.queue());
        std::vector<uint64_t> values(kQueues);
        for (int round = 0; round < kLaunches; ++round)
            for (int i = 0; i < kQueues; ++i)
                values[i] = launch(queues[i], kernel_of(program, "talk"), items(kCount, 4), TalkBlock{address_of(numbers), -1, 0});
        for (int i = 0; i < kQueues; ++i) wait_for(queues[i], values[i]);
        const auto lines = printed(session, std::string(session.properties.id) + " talk");
        CHECK(lines.size() == kCount * kQueues * kLaunches);
        for (int i = 0; i < kCount; ++i) CHECK(lines.count(line_of(i, kCount)) == kQueues * kLaunches);
    }

    TEST_CASE("synchronising the device is waiting too") {
        Session session;
        const Program program = build(session);
        const Queue queue = session.queue();
        uint64_t value = 0;
        const qiao_launch one = items(1);
        REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "unended"), &one, nullptr, 0, &value));
        REQUIRE_OK(qiao_device_synchronize(session.device, kPatience));
        CHECK(printed(session, std::string(session.properties.id) + " unended").size() == 1);
    }
}

TEST_SUITE("output.stdout") {
    TEST_CASE("without a log function it goes to stdout as it is") {
        const TemporaryFolder folder;
        const std::string path = plugin_path(), file = folder.path() + "/stdout";
        {
            const StdoutToFile redirected(file);
            qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
            desc.plugin_path = path.c_str();
            qiao_instance* made = nullptr;
            REQUIRE_OK(qiao_instance_create(&desc, &made));
            Session session;
            session.instance = Instance(made);
            REQUIRE_OK(qiao_instance_find_device(made, selector().c_str(), &session.device));
            const Program program = build(session);
            const Queue queue = session.queue();
            uint64_t value = 0;
            const qiao_launch one = items(1);
            REQUIRE_OK(qiao_queue_launch(queue.get(), kernel_of(program, "unended"), &one, nullptr, 0, &value));
            wait_for(queue, value);
        }
        std::stringstream text;
        text << std::ifstream(file).rdbuf();
        CHECK(text.str() == "no end of line");
    }
}
