// The instance: devices, the ledger, the log function and its life; devices and what they answer.
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "api/plugin/control.h"
#include "api/support/temporary.h"
#include "support/session.h"

using namespace cpp;

TEST_SUITE("instance.create") {
    TEST_CASE("devices and the ledger") {
        const Session session;
        const auto devices = session.instance.devices();
        CHECK(std::find(devices.begin(), devices.end(), session.device) != devices.end());
        uint32_t listed = 0;
        for (const qiao_candidate& candidate : session.instance.candidates()) listed += candidate.device_count;
        CHECK(listed == devices.size());
    }

    TEST_CASE("visible devices") {
        qiao::InstanceOptions chosen = options();
        chosen.visible_devices = selector();
        const qiao::Instance instance(chosen);
        REQUIRE(instance.devices().size() == 1);
        CHECK(std::string(instance.find_device().id()) == selector());
        chosen.level = static_cast<qiao::LogLevel>(99);
        CHECK(record_of([&] { qiao::Instance{chosen}; }).status == QIAO_ERROR_INVALID_ARGUMENT);
    }
}

TEST_SUITE("instance.log") {
    struct Lines {
        std::mutex mutex;
        std::vector<std::string> lines;
        size_t count() {
            const std::lock_guard<std::mutex> guard(mutex);
            return lines.size();
        }
    };

    // An instance that has something to say: one manifest is broken.
    struct Talkative {
        api::TemporaryFolder folder;
        std::string path;
        qiao::InstanceOptions chosen = options();

        Talkative() {
            folder.write("broken.json", "{");
            path = std::string(chosen.plugin_path) + ":" + folder.path();
            chosen.plugin_path = path.c_str();
            chosen.level = qiao::LogLevel::kWarning;
        }
        void log_to(const std::shared_ptr<Lines>& lines) {
            chosen.log = [lines](qiao::LogLevel level, std::string_view source, std::string_view text) {
                const std::lock_guard<std::mutex> guard(lines->mutex);
                lines->lines.push_back((level == qiao::LogLevel::kWarning ? "warning: " : "") + std::string(source) + ": " + std::string(text));
            };
        }
    };

    TEST_CASE("the function hears what the core says, and goes with the last instance that shares it") {
        const auto lines = std::make_shared<Lines>();
        Talkative talkative;
        talkative.log_to(lines);
        qiao::Queue queue;
        {
            qiao::Instance second(options());
            {
                const qiao::Instance first(talkative.chosen);
                REQUIRE(lines->count() > 0);
                CHECK(contains(lines->lines[0], "warning: core: "));
                CHECK(contains(lines->lines[0], "broken.json"));
                second = first.share();
                queue = qiao::Queue(first.find_device(selector()));
                talkative.chosen.log = nullptr;
            }
            CHECK(lines.use_count() == 2);
            CHECK_NOTHROW(second.devices());
        }
        CHECK(lines.use_count() == 1);
        CHECK_NOTHROW(queue.timeline().value());
    }

    TEST_CASE("what the function throws does not enter the core") {
        std::atomic<int> calls{0};
        Talkative talkative;
        talkative.chosen.log = [&calls](qiao::LogLevel, std::string_view, std::string_view) {
            ++calls;
            throw std::runtime_error("the log is full");
        };
        const qiao::Instance instance(talkative.chosen);
        CHECK_NOTHROW(instance.find_device(selector()));
        CHECK(calls > 0);
    }
}

TEST_SUITE("log.fixture") {
    TEST_CASE("what is said after the last instance is gone reaches nobody, and nothing that is gone") {
        std::vector<std::string> lines;
        qiao::InstanceOptions chosen = options();
        chosen.log = [&lines](qiao::LogLevel, std::string_view, std::string_view text) { lines.emplace_back(text); };
        qiao::Program program;
        qiao::Queue queue;
        {
            const qiao::Instance instance(chosen);
            chosen.log = nullptr;
            program = Session::program_for(instance.find_device(selector()));
            queue = qiao::Queue(instance.find_device(selector()));
        }
        const qiao::Point done = queue.launch(program.kernel("lose"), 1);
        record_of<qiao::DeviceLostError>([&] { static_cast<void>(done.wait(kPatience)); });
        CHECK(lines.empty());
    }

    TEST_CASE("the loss of a device is told while an instance lives") {
        std::vector<std::string> lines;
        {
            qiao::InstanceOptions chosen = options();
            chosen.log = [&lines](qiao::LogLevel, std::string_view, std::string_view text) { lines.emplace_back(text); };
            const qiao::Instance instance(chosen);
            const qiao::Program program = Session::program_for(instance.find_device(selector()));
            qiao::Queue queue(instance.find_device(selector()));
            const qiao::Point done = queue.launch(program.kernel("lose"), 1);
            record_of<qiao::DeviceLostError>([&] { static_cast<void>(done.wait(kPatience)); });
        }
        REQUIRE(!lines.empty());
        CHECK(contains(lines[0], selector()));
    }
}

TEST_SUITE("device.query") {
    TEST_CASE("properties, limits, state, memory, slots") {
        const Session session;
        const qiao::DeviceProperties properties = session.device.properties();
        CHECK(std::string(properties.id) == selector());
        CHECK(std::string(session.device.id()) == selector());
        CHECK(properties.has(qiao::MemoryKind::kDevice));
        CHECK(properties.has(properties.features));
        CHECK(!properties.has(UINT64_C(1) << 63));
        CHECK(session.device.limit(QIAO_DEVICE_LIMIT_MAX_GROUP_SIZE) == properties.max_group_size);
        CHECK(record_of([&] { static_cast<void>(session.device.limit(999)); }).status < 0);
        CHECK(!session.device.state().is_lost);
        CHECK(session.device.state().reason.empty());

        const qiao::DeviceMemory before = session.device.memory();
        const qiao::Memory taken(session.device, 1u << 16);
        CHECK(session.device.memory().free_bytes + (1u << 16) <= before.free_bytes);
        CHECK(before.free_bytes <= before.total_bytes);

        std::map<std::string, qiao_provenance> slots;
        for (const qiao::DeviceSlot& slot : session.device.slots()) slots[slot.name] = slot.provenance;
        CHECK(slots.at("memory_allocate") == QIAO_PROVENANCE_NATIVE);
        const std::vector<qiao::MemoryKindProperties> kinds = session.device.memory_kinds();
        REQUIRE(!kinds.empty());
        CHECK(kinds.front().kind == qiao::MemoryKind::kDevice);
        CHECK(kinds.front().level >= qiao::MemoryLevel::kArgument);
        CHECK(kinds.back().kind == qiao::MemoryKind::kShared);
        const bool is_emulated = session.device.properties().has_emulated_shared();
        CHECK(kinds.back().provenance == (is_emulated ? QIAO_PROVENANCE_EMULATED : QIAO_PROVENANCE_NATIVE));
        if (slots.at("device_clock") == QIAO_PROVENANCE_ABSENT) {
            record_of<qiao::UnsupportedError>([&] { session.device.clock(); });
        } else {
            const qiao::DeviceClock first = session.device.clock(), second = session.device.clock();
            CHECK(first.device_ns <= second.device_ns);
            CHECK(first.host_ns <= second.host_ns);
        }
    }

    TEST_CASE("a vendor's own table by its name, or the names there are") {
        const Session session;
        const std::vector<const char*> names = session.device.extensions();
        if (std::string(session.device.properties().plugin) == "queued") {
            REQUIRE(std::find(names.begin(), names.end(), std::string(QUEUED_CONTROL)) != names.end());
            const auto control = session.device.extension<queued_control>(QUEUED_CONTROL);
            REQUIRE(control.table->struct_size == sizeof(queued_control));
            CHECK(control.table->is_stuck(control.context) == 0);
            control.table->lose(control.context, "for the test");
            CHECK(session.device.state().is_lost);
            session.device.reset();
            CHECK_FALSE(session.device.state().is_lost);
        }
        const auto record = record_of<qiao::NotFoundError>([&] { session.device.extension<int>("nobody.thing.1"); });
        CHECK(contains(record.message, "nobody.thing.1"));
        for (const char* name : names) CHECK(contains(record.message + record.remedy, name));
    }

    TEST_CASE("no device at all is refused") {
        CHECK(!qiao::Device());
        CHECK(record_of([] { qiao::Device().properties(); }).status == QIAO_ERROR_INVALID_HANDLE);
        CHECK(record_of([] { qiao::Queue(qiao::Device()); }).status == QIAO_ERROR_INVALID_HANDLE);
    }
}
