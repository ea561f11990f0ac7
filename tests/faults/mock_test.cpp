/* What the mock card's plugin makes of profiles, clocks and faults, as an application sees it. Each case has an instance of its
 * own, with its own environment. */
#include <doctest/doctest.h>
#include <qiao/compiler.h>
#include <qiao/qiao.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "mock/mock_faults.h"

namespace {

constexpr uint64_t kPatience = 10'000'000'000;

/* The environment of the plugin for the length of a case. */
class Environment {
  public:
    Environment(std::initializer_list<std::pair<std::string, std::string>> values) : values_(values) {
        for (const auto& [name, value] : values_)
            setenv(name.c_str(), value.c_str(), 1);
    }
    ~Environment() {
        for (const auto& [name, value] : values_)
            unsetenv(name.c_str());
    }

  private:
    const std::vector<std::pair<std::string, std::string>> values_;
};

class Profile {
  public:
    explicit Profile(const std::string& card, const std::string& top = "") {
        char name[] = "/tmp/qiao-mock-XXXXXX.json";
        close(mkstemps(name, 5));
        path = name;
        std::ofstream(path) << "{" << top << R"("cards": [{"name": "Test card", "kind": "discrete", "memory_bytes": 16777216)"
                            << card << "}]}";
    }
    ~Profile() { unlink(path.c_str()); }
    std::string path;
};

std::string last_message() {
    qiao_error error = QIAO_ERROR_INIT;
    qiao_error_query(&error);
    return error.message;
}

#define REQUIRE_OK(call)                                      \
    do {                                                      \
        const qiao_status required_ = (call);                 \
        INFO(std::string(#call), ": ", last_message());       \
        REQUIRE(required_ == QIAO_OK);                        \
    } while (false)

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/* An instance with mock:0, a queue of it and 64 bytes of its memory. */
struct Session {
    qiao_instance* instance = nullptr;
    qiao_device* device = nullptr;
    qiao_queue* queue = nullptr;
    qiao_timeline* timeline = nullptr;
    qiao_memory* memory = nullptr;
    uint64_t address = 0;

    Session() {
        qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
        desc.plugin_path = getenv("QIAO_TEST_PLUGIN_PATH");
        desc.visible_devices = "mock:*";
        desc.log = [](void*, qiao_log_level, const char*, const char*) {};
        REQUIRE_OK(qiao_instance_create(&desc, &instance));
        qiao_instance_find_device(instance, "mock:0", &device);
    }
    ~Session() {
        qiao_memory_release(memory);
        qiao_queue_release(queue);
        qiao_instance_release(instance);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void open() {
        REQUIRE(device != nullptr);
        qiao_queue_desc queue_desc = QIAO_QUEUE_DESC_INIT;
        queue_desc.flags = QIAO_QUEUE_PROFILING;
        REQUIRE_OK(qiao_queue_create(device, &queue_desc, &queue));
        REQUIRE_OK(qiao_queue_get_timeline(queue, &timeline));
        qiao_memory_desc memory_desc = QIAO_MEMORY_DESC_INIT;
        memory_desc.size_bytes = 64;
        REQUIRE_OK(qiao_memory_allocate(device, &memory_desc, &memory));
        REQUIRE_OK(qiao_memory_get_address(memory, &address));
    }
    qiao_status fill(uint64_t* out_value = nullptr) {
        const uint32_t pattern = 9;
        return qiao_queue_fill(queue, {device, address}, 64, &pattern, 4, out_value);
    }
    qiao_device_properties properties() {
        qiao_device_properties values = QIAO_DEVICE_PROPERTIES_INIT;
        REQUIRE_OK(qiao_device_query_properties(device, &values));
        return values;
    }
    std::string refusal() {
        for (uint32_t index = 0;; ++index) {
            qiao_candidate candidate = QIAO_CANDIDATE_INIT;
            REQUIRE_OK(qiao_instance_query_candidate(instance, index, &candidate));
            if (std::string(candidate.plugin) == "mock") return candidate.reason;
        }
    }
    qiao_status compile(const char* source) {
        qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
        desc.name = "test";
        desc.data = source;
        desc.size_bytes = std::strlen(source);
        qiao_program* program = nullptr;
        const qiao_status status = qiao_program_create_from_source(device, &desc, &program);
        qiao_program_release(program);
        return status;
    }
};

const qiao_mock_faults* faults_of(const Session& session, void** out_card) {
    const void* table = nullptr;
    REQUIRE_OK(qiao_device_get_extension(session.device, QIAO_MOCK_FAULTS_NAME, &table, out_card));
    return static_cast<const qiao_mock_faults*>(table);
}

} // namespace

TEST_SUITE("mock.profile") {
    TEST_CASE("limits and features are the device's, and kernels that need more are refused with the reason") {
        const Profile profile(R"(, "features": ["int64"], "max_argument_bytes": 16, "queue_priorities": 1)");
        const Environment environment{{"QIAO_MOCK_PROFILE", profile.path}};
        Session session;
        const qiao_device_properties properties = session.properties();
        CHECK((properties.features & QIAO_FEATURE_FP64) == 0);
        CHECK((properties.features & QIAO_FEATURE_INT64) != 0);
        CHECK(properties.max_argument_bytes == 16);
        CHECK(properties.queue_priorities == 1);
        CHECK(session.compile("kernel void f(global long* p) { *p = 1; }") == QIAO_OK);
        CHECK(session.compile("kernel void f(global double* p) { *p = 1; }") == QIAO_ERROR_UNSUPPORTED);
        CHECK(contains(last_message(), "fp64"));
        CHECK(session.compile("kernel void f(global int* p, global int* q, int n) { *p = *q + n; }") ==
              QIAO_ERROR_OUT_OF_RANGE);
        CHECK(contains(last_message(), "the limit of 'Test card' is 16"));
    }

    TEST_CASE("a profile that is wrong is named with the key") {
        const Profile profile(R"(, "timing": {"group_ns": {"value": -1, "grade": "assumed"}})");
        const Environment environment{{"QIAO_MOCK_PROFILE", profile.path}};
        Session session;
        CHECK(session.device == nullptr);
        CHECK(contains(session.refusal(), profile.path));
        CHECK(contains(session.refusal(), "cards[0].timing.group_ns.value = -1: must be a whole number from 0 to"));
    }

    TEST_CASE("a variable that is wrong is quoted") {
        for (const auto& [name, value] : std::map<std::string, std::string>{
                 {"QIAO_MOCK_CLOCK", "sun"}, {"QIAO_MOCK_STRICT", "2"}, {"QIAO_MOCK_TIER", "t1"}, {"QIAO_MOCK_FAULTS", "queue_lunch=lost"}}) {
            const Environment environment{{name, value}};
            Session session;
            CHECK(session.device == nullptr);
            CHECK(contains(session.refusal(), name));
            CHECK(contains(session.refusal(), value));
        }
    }
}

TEST_SUITE("mock.clock") {
    TEST_CASE("times are the profile's, in every run, and the note says so") {
        const Profile profile(R"(, "timing": {"copy_latency_ns": {"value": 700, "grade": "inferred"},
                                              "card_bytes_per_s": {"value": 64000000000, "grade": "verified"}})",
                              R"("clock": "virtual", )");
        const Environment environment{{"QIAO_MOCK_PROFILE", profile.path}};
        for (int round = 0; round < 2; ++round) {
            Session session;
            CHECK(contains(session.properties().note, "times are virtual, from figures of which the weakest is assumed"));
            session.open();
            uint64_t value = 0, start_ns = 0, end_ns = 0, device_ns = 0, host_ns = 0;
            for (uint64_t i = 0; i < 10; ++i)
                REQUIRE_OK(session.fill(&value));
            REQUIRE_OK(qiao_timeline_wait(session.timeline, value, kPatience));
            for (uint64_t i = 0; i < 10; ++i) {
                REQUIRE_OK(qiao_queue_query_timestamps(session.queue, i + 1, &start_ns, &end_ns));
                CHECK(start_ns == i * 701);
                CHECK(end_ns == (i + 1) * 701);
            }
            REQUIRE_OK(qiao_device_query_clock(session.device, &device_ns, &host_ns));
            CHECK(device_ns == 7010);
        }
    }

    TEST_CASE("time limits of waits are virtual") {
        const Environment environment{{"QIAO_MOCK_CLOCK", "virtual"}, {"QIAO_MOCK_FAULTS", "queue_fill:2=stall"}};
        Session session;
        session.open();
        uint64_t value = 0, device_ns = 0, host_ns = 0, before_ns = 0;
        REQUIRE_OK(session.fill(&value));
        REQUIRE_OK(qiao_timeline_wait(session.timeline, value, kPatience));
        REQUIRE_OK(session.fill(&value));
        REQUIRE_OK(qiao_device_query_clock(session.device, &before_ns, &host_ns));
        CHECK(qiao_timeline_wait(session.timeline, value, UINT64_C(3'600'000'000'000)) == QIAO_TIMEOUT); /* an hour */
        REQUIRE_OK(qiao_device_query_clock(session.device, &device_ns, &host_ns));
        CHECK(device_ns - before_ns == UINT64_C(3'600'000'000'000));
        REQUIRE_OK(qiao_device_reset(session.device));
    }

    TEST_CASE("a wait without a time limit for what takes an hour returns at once") {
        const Environment environment{{"QIAO_MOCK_CLOCK", "virtual"}, {"QIAO_MOCK_FAULTS", "queue_fill=delay:3600s"}};
        Session session;
        session.open();
        uint64_t value = 0, device_ns = 0, host_ns = 0, before_ns = 0;
        REQUIRE_OK(qiao_device_query_clock(session.device, &before_ns, &host_ns));
        REQUIRE_OK(session.fill(&value));
        REQUIRE_OK(qiao_timeline_wait(session.timeline, value, QIAO_TIMEOUT_INFINITE));
        REQUIRE_OK(qiao_device_query_clock(session.device, &device_ns, &host_ns));
        CHECK(device_ns - before_ns >= UINT64_C(3'600'000'000'000));
    }

    TEST_CASE("a wait without a time limit for what never ends goes at the host's pace, until the card is lost") {
        const Environment environment{{"QIAO_MOCK_CLOCK", "virtual"}, {"QIAO_MOCK_FAULTS", "queue_fill=stall"}};
        Session session;
        session.open();
        uint64_t value = 0;
        REQUIRE_OK(session.fill(&value));
        qiao_status status = QIAO_OK;
        std::thread waiter([&] { status = qiao_timeline_wait(session.timeline, value, QIAO_TIMEOUT_INFINITE); });
        const auto clock = [&] {
            std::pair<uint64_t, uint64_t> now; /* the card's, the host's */
            REQUIRE_OK(qiao_device_query_clock(session.device, &now.first, &now.second));
            return now;
        };
        auto start = clock(), now = start;
        const uint64_t most = UINT64_C(3) * 3'600'000'000'000;
        for (int quiet = 0; quiet < 10 && now.first < most; quiet = now.first - start.first <= now.second - start.second + 100'000'000 ? quiet + 1 : 0) {
            start = now; /* the first hours are over once the card's clock is no faster than the host's, ten times in turn */
            while (now.second - start.second < 30'000'000) {
                now = clock();
                std::this_thread::yield();
            }
        }
        const qiao_status reset = qiao_device_reset(session.device);
        waiter.join();
        CHECK(now.first < most);
        CHECK(reset == QIAO_OK);
        CHECK(status == QIAO_ERROR_DEVICE_LOST);
    }
}

TEST_SUITE("mock.faults") {
    TEST_CASE("the names of calls are those of the plugin ABI's slots") {
        Session session;
        const char* name = nullptr;
        qiao_provenance provenance = 0;
        for (uint32_t i = 0; qiao_device_query_slot(session.device, i, &name, &provenance) == QIAO_OK; ++i) {
            const bool is_question = std::string(name) == "queue_can_copy" || std::string(name) == "link_describe"; /* nothing is done */
            if (provenance != QIAO_PROVENANCE_NATIVE || is_question) continue;
            const Environment environment{{"QIAO_MOCK_FAULTS", std::string(name) + "=delay:1ns"}};
            Session with_fault;
            INFO(std::string(name), ": ", with_fault.device == nullptr ? with_fault.refusal() : "");
            CHECK(with_fault.device != nullptr);
        }
    }

    TEST_CASE("without faults there is no extension, and the note says nothing of them") {
        Session session;
        CHECK_FALSE(contains(session.properties().note, "fault"));
        const void* table = nullptr;
        void* card = nullptr;
        CHECK(qiao_device_get_extension(session.device, QIAO_MOCK_FAULTS_NAME, &table, &card) == QIAO_ERROR_NOT_FOUND);
    }

    TEST_CASE("an error is the application's, with the rule in its words") {
        const Environment environment{{"QIAO_MOCK_FAULTS", "0/memory_read:2=error:-10"}};
        Session session;
        CHECK(contains(session.properties().note, "faults are injected"));
        session.open();
        uint32_t word = 0;
        REQUIRE_OK(qiao_memory_read(session.memory, 0, &word, 4));
        CHECK(qiao_memory_read(session.memory, 0, &word, 4) == QIAO_ERROR_PLUGIN);
        CHECK(contains(last_message(), "injected fault \"0/memory_read:2=error:-10\" in memory_read"));
        REQUIRE_OK(qiao_memory_read(session.memory, 0, &word, 4));
    }

    TEST_CASE("rules of a profile are those of its card") {
        const Profile profile(R"(, "count": 2, "faults": ["memory_write:1=error:out_of_memory"])");
        const Environment environment{{"QIAO_MOCK_PROFILE", profile.path}};
        Session session;
        session.open();
        const uint32_t word = 0;
        CHECK(qiao_memory_write(session.memory, 0, &word, 4) == QIAO_ERROR_OUT_OF_MEMORY);
        REQUIRE_OK(qiao_memory_write(session.memory, 0, &word, 4));
    }

    TEST_CASE("a program adds rules and takes them away") {
        const Environment environment{{"QIAO_MOCK_FAULTS", "armed"}};
        Session session;
        session.open();
        void* card = nullptr;
        const qiao_mock_faults* faults = faults_of(session, &card);
        REQUIRE(faults->struct_size == sizeof(qiao_mock_faults));
        char problem[200] = "";
        CHECK(faults->add(card, "memory_read=burn", problem, sizeof problem) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(contains(problem, "there is no effect \"burn\""));
        CHECK(faults->add(card, "1/memory_read=corrupt", problem, sizeof problem) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(faults->add(card, nullptr, nullptr, 0) == QIAO_ERROR_INVALID_ARGUMENT);
        uint32_t word = 5, back = 0;
        REQUIRE_OK(qiao_memory_write(session.memory, 0, &word, 4));
        CHECK(faults->add(card, "memory_read=corrupt", problem, sizeof problem) == QIAO_OK);
        CHECK(*problem == '\0');
        REQUIRE_OK(qiao_memory_read(session.memory, 0, &back, 4));
        CHECK(back != 5);
        CHECK(faults->clear(card) == QIAO_OK);
        REQUIRE_OK(qiao_memory_read(session.memory, 0, &back, 4));
        CHECK(back == 5);
    }

    TEST_CASE("a call that hangs ends with its card's reset") {
        const Environment environment{{"QIAO_MOCK_FAULTS", "memory_read:1=hang"}};
        Session session;
        session.open();
        std::atomic<bool> entered{false};
        qiao_status status = QIAO_OK;
        std::thread reader([&] {
            uint32_t word = 0;
            entered = true;
            status = qiao_memory_read(session.memory, 0, &word, 4);
        });
        while (!entered)
            std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::milliseconds(20)); /* into the slot, most likely; else it is lost before */
        REQUIRE_OK(qiao_device_reset(session.device));
        reader.join();
        CHECK(status == QIAO_ERROR_DEVICE_LOST);
    }

    TEST_CASE("work that never ends is waited for in vain, and ends with its card") {
        const Environment environment{{"QIAO_MOCK_FAULTS", "queue_fill:2=stall"}};
        Session session;
        session.open();
        uint64_t first = 0, second = 0;
        REQUIRE_OK(session.fill(&first));
        REQUIRE_OK(session.fill(&second));
        REQUIRE_OK(qiao_timeline_wait(session.timeline, first, kPatience));
        CHECK(qiao_timeline_wait(session.timeline, second, 5'000'000) == QIAO_TIMEOUT);
        REQUIRE_OK(qiao_device_reset(session.device));
        CHECK(qiao_timeline_wait(session.timeline, second, kPatience) == QIAO_ERROR_DEVICE_LOST);
    }

    TEST_CASE("lost and reset cards can be used again after a reset, a removed one cannot") {
        for (const std::string effect : {"lost", "reset", "removed"}) {
            CAPTURE(effect);
            const Environment environment{{"QIAO_MOCK_FAULTS", "queue_fill:1=" + effect}};
            Session session;
            session.open();
            CHECK(session.fill() == QIAO_ERROR_DEVICE_LOST);
            qiao_device_state state = 0;
            const char* reason = nullptr;
            REQUIRE_OK(qiao_device_query_state(session.device, &state, &reason));
            CHECK((state == QIAO_DEVICE_STATE_LOST || (effect == "removed" && state == QIAO_DEVICE_STATE_REMOVED)));
            CHECK(contains(reason, "injected fault \"queue_fill:1=" + effect + "\""));
            const qiao_status status = qiao_device_reset(session.device);
            if (effect == "removed") {
                CHECK(status == QIAO_ERROR_DEVICE_LOST);
                CHECK(contains(last_message(), "removed"));
            } else {
                CHECK(status == QIAO_OK);
                Session again; /* the same works in a fresh one */
                qiao_queue* queue = nullptr;
                CHECK(qiao_queue_create(session.device, nullptr, &queue) == QIAO_OK);
                qiao_queue_release(queue);
            }
        }
    }
}
