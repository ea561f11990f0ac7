// Instances: creation, the ledger, finding devices; and what every function shares: statuses and the error record.
#include <cstring>
#include <set>
#include <thread>

#include "support/session.h"
#include "support/temporary.h"

using namespace api;

namespace {

qiao_instance_desc quiet() {
    static const std::string path = plugin_path();
    qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
    desc.plugin_path = path.c_str();
    desc.log_level = QIAO_LOG_LEVEL_ERROR;
    return desc;
}

Instance create(const qiao_instance_desc& desc) {
    qiao_instance* instance = nullptr;
    REQUIRE_OK(qiao_instance_create(&desc, &instance));
    return Instance(instance);
}

uint32_t device_count(const Instance& instance) {
    uint32_t count = 99;
    REQUIRE_OK(qiao_instance_enumerate_devices(instance.get(), 0, nullptr, &count));
    return count;
}

std::vector<qiao_candidate> ledger_of(const Instance& instance) {
    std::vector<qiao_candidate> all;
    for (uint32_t index = 0;; ++index) {
        qiao_candidate candidate = QIAO_CANDIDATE_INIT;
        const qiao_status status = qiao_instance_query_candidate(instance.get(), index, &candidate);
        if (status == QIAO_ERROR_NOT_FOUND) return all;
        REQUIRE_OK(status);
        all.push_back(candidate);
    }
}

}  // namespace

TEST_SUITE("instance.create") {
    TEST_CASE("a null descriptor means the defaults") {
        qiao_instance* instance = nullptr;
        REQUIRE_OK(qiao_instance_create(nullptr, &instance));
        CHECK(qiao_instance_release(instance) == QIAO_OK);
    }

    TEST_CASE("no plugin and no device is a success") {
        const TemporaryFolder empty;
        const std::string path = empty.path();
        qiao_instance_desc desc = quiet();
        desc.plugin_path = path.c_str();
        const Instance instance = create(desc);
        CHECK(device_count(instance) == 0);
        CHECK(ledger_of(instance).empty());
        qiao_device* device = reinterpret_cast<qiao_device*>(&desc);
        CHECK_FAILS(qiao_instance_find_device(instance.get(), "mock:0", &device), QIAO_ERROR_NOT_FOUND, "mock:0", "none");
        CHECK(device == nullptr);
    }

    TEST_CASE("a folder that does not exist is no error") {
        qiao_instance_desc desc = quiet();
        desc.plugin_path = "/nonexistent/folder";
        CHECK(device_count(create(desc)) == 0);
    }

    TEST_CASE("descriptors that this version does not understand are refused") {
        qiao_instance* instance = reinterpret_cast<qiao_instance*>(1);
        qiao_instance_desc desc = quiet();
        SUBCASE("an unknown flag") {
            desc.flags = UINT64_C(1) << 40;
            CHECK_FAILS(qiao_instance_create(&desc, &instance), QIAO_ERROR_INVALID_ARGUMENT, "flags", "0x10000000000");
        }
        SUBCASE("a chained struct") {
            desc.next = &desc;
            CHECK_FAILS(qiao_instance_create(&desc, &instance), QIAO_ERROR_INVALID_ARGUMENT, "next");
        }
        SUBCASE("a level that does not exist") {
            desc.log_level = 5;
            CHECK_FAILS(qiao_instance_create(&desc, &instance), QIAO_ERROR_INVALID_ARGUMENT, "log_level", "5", "4");
        }
        SUBCASE("a reserved field that is not 0") {
            desc.reserved0 = 1;
            CHECK_FAILS(qiao_instance_create(&desc, &instance), QIAO_ERROR_INVALID_ARGUMENT, "reserved0");
        }
        SUBCASE("struct_size 0") {
            desc.struct_size = 0;
            CHECK_FAILS(qiao_instance_create(&desc, &instance), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 0", "_INIT");
        }
        SUBCASE("a struct_size that ends before its own header") {
            desc.struct_size = 8;
            CHECK_FAILS(qiao_instance_create(&desc, &instance), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 8");
        }
        SUBCASE("a struct_size that cannot be true") {
            desc.struct_size = SIZE_MAX;
            CHECK_FAILS(qiao_instance_create(&desc, &instance), QIAO_ERROR_INVALID_ARGUMENT, "struct_size");
        }
        CHECK(instance == nullptr);
    }

    TEST_CASE("an older caller's shorter descriptor means the defaults for the rest") {
        qiao_instance_desc desc = quiet();
        desc.struct_size = offsetof(qiao_instance_desc, log_level);
        desc.flags = ~UINT64_C(0);  // beyond what the caller says it knows
        create(desc);
    }

    TEST_CASE("a newer caller's longer descriptor works as long as the new fields are 0") {
        struct {
            qiao_instance_desc desc = quiet();
            uint64_t newer = 0;
        } longer;
        longer.desc.struct_size = sizeof longer;
        create(longer.desc);
        longer.newer = 1;
        qiao_instance* instance = nullptr;
        CHECK_FAILS(qiao_instance_create(&longer.desc, &instance), QIAO_ERROR_UNSUPPORTED, "qiao_instance_desc");
        CHECK(instance == nullptr);
    }

    TEST_CASE("a null out-parameter is refused") {
        CHECK_FAILS(qiao_instance_create(nullptr, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_instance");
    }

    TEST_CASE("an unknown QIAO_LOG is refused by name") {
        setenv("QIAO_LOG", "loud", 1);
        qiao_instance* instance = nullptr;
        CHECK_FAILS(qiao_instance_create(nullptr, &instance), QIAO_ERROR_INVALID_ARGUMENT, "loud", "error, warning, info or debug");
        unsetenv("QIAO_LOG");
    }

    TEST_CASE("retained instances go with the last release") {
        const Session session;
        REQUIRE_OK(qiao_instance_retain(session.instance.get()));
        CHECK(qiao_instance_release(session.instance.get()) == QIAO_OK);
        CHECK(device_count(session.instance) > 0);
    }

    TEST_CASE("several instances live side by side, each with handles of its own") {
        const Session one, two;
        CHECK(one.instance != two.instance);
        CHECK(one.device != two.device);
        CHECK(std::string(one.properties.id) == two.properties.id);
    }
}

TEST_SUITE("instance.ledger") {
    TEST_CASE("every candidate is listed, with devices where it is usable and a reason where not") {
        const Session session;
        bool found = false;
        for (const qiao_candidate& candidate : ledger_of(session.instance)) {
            INFO(std::string(candidate.manifest));
            for (const char* text : {candidate.manifest, candidate.library, candidate.plugin, candidate.version, candidate.reason, candidate.remedy}) {
                REQUIRE(text != nullptr);
            }
            CHECK(candidate.state >= QIAO_CANDIDATE_STATE_USABLE);
            CHECK(candidate.state <= QIAO_CANDIDATE_STATE_FAILED);
            CHECK((candidate.state == QIAO_CANDIDATE_STATE_USABLE) == (candidate.device_count > 0));
            CHECK((candidate.state == QIAO_CANDIDATE_STATE_USABLE) == (*candidate.reason == '\0'));
            if (std::string(candidate.plugin) == session.properties.plugin) {
                found = true;
                CHECK(candidate.state == QIAO_CANDIDATE_STATE_USABLE);
            }
        }
        CHECK(found);
    }

    TEST_CASE("its end is NOT_FOUND and leaves the struct alone") {
        const Session session;
        qiao_candidate candidate = QIAO_CANDIDATE_INIT;
        candidate.device_count = 77;
        CHECK_FAILS(qiao_instance_query_candidate(session.instance.get(), 1000, &candidate), QIAO_ERROR_NOT_FOUND, "1000");
        CHECK(candidate.device_count == 77);
    }

    TEST_CASE("a manifest that is garbage stops nobody, and is listed with the reason") {
        const TemporaryFolder folder;
        folder.write("garbage.json", "{ this is not JSON");
        const std::string path = folder.path() + ":" + plugin_path();
        qiao_instance_desc desc = quiet();
        desc.plugin_path = path.c_str();
        const Instance instance = create(desc);
        const auto ledger = ledger_of(instance);
        REQUIRE(!ledger.empty());
        CHECK(ledger[0].state == QIAO_CANDIDATE_STATE_BAD_MANIFEST);
        CHECK(std::string(ledger[0].manifest).find("garbage.json") != std::string::npos);
        CHECK(std::string(ledger[0].reason) != "");
        qiao_device* device = nullptr;
        CHECK_OK(qiao_instance_find_device(instance.get(), selector().c_str(), &device));
    }

    TEST_CASE("a caller with a shorter struct gets what fits, and no byte more") {
        const Session session;
        qiao_candidate candidate;
        std::memset(static_cast<void*>(&candidate), 0x5a, sizeof candidate);
        candidate.struct_size = offsetof(qiao_candidate, library);
        candidate.next = nullptr;
        const auto ledger = ledger_of(session.instance);
        uint32_t index = 0; // of one that is usable: others may want hardware that is not there
        while (index + 1 < ledger.size() && ledger[index].state != QIAO_CANDIDATE_STATE_USABLE) ++index;
        REQUIRE_OK(qiao_instance_query_candidate(session.instance.get(), index, &candidate));
        CHECK(candidate.state == QIAO_CANDIDATE_STATE_USABLE);
        unsigned char untouched[sizeof(char*)];
        std::memset(untouched, 0x5a, sizeof untouched);
        CHECK(std::memcmp(static_cast<void*>(&candidate.library), untouched, sizeof untouched) == 0);
    }
}

TEST_SUITE("instance.devices") {
    TEST_CASE("enumeration tells how many there are, and writes no more than there is room for") {
        Session session;
        const std::vector<qiao_device*> all = session.devices();
        REQUIRE(!all.empty());
        qiao_device* some[2] = {nullptr, reinterpret_cast<qiao_device*>(7)};
        uint32_t count = 0;
        REQUIRE_OK(qiao_instance_enumerate_devices(session.instance.get(), 1, some, &count));
        CHECK(count == all.size());
        CHECK(some[0] == all[0]);
        CHECK(some[1] == reinterpret_cast<qiao_device*>(7));
        CHECK_FAILS(qiao_instance_enumerate_devices(session.instance.get(), 1, nullptr, &count), QIAO_ERROR_INVALID_ARGUMENT, "out_devices");
        CHECK(count == 0);
        CHECK_FAILS(qiao_instance_enumerate_devices(session.instance.get(), 1, some, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_count");
    }

    TEST_CASE("ids are unique, and each finds its device") {
        Session session;
        std::set<std::string> ids;
        for (qiao_device* device : session.devices()) {
            qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
            REQUIRE_OK(qiao_device_query_properties(device, &properties));
            CHECK(ids.insert(properties.id).second);
            qiao_device* found = nullptr;
            REQUIRE_OK(qiao_instance_find_device(session.instance.get(), properties.id, &found));
            CHECK(found == device);
        }
    }

    TEST_CASE("globs and a plugin's id find the first device that fits") {
        const Session session;
        const std::string plugin = session.properties.plugin;
        for (const std::string& selector : {plugin, plugin + ":*", plugin.substr(0, 2) + "*", "?" + plugin.substr(1) + ":[0-9]"}) {
            INFO(selector);
            qiao_device* found = nullptr;
            REQUIRE_OK(qiao_instance_find_device(session.instance.get(), selector.c_str(), &found));
            qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
            REQUIRE_OK(qiao_device_query_properties(found, &properties));
            CHECK(std::string(properties.id) == plugin + ":0");
        }
    }

    TEST_CASE("a selector that fits nothing is NOT_FOUND, and the message lists the ids") {
        const Session session;
        for (const std::string& wrong : {std::string(), std::string("nobody:0"), std::string(session.properties.plugin) + ":99", std::string(5000, 'x')}) {
            qiao_device* found = session.device;
            CHECK_FAILS(qiao_instance_find_device(session.instance.get(), wrong.c_str(), &found), QIAO_ERROR_NOT_FOUND, session.properties.id);
            CHECK(found == nullptr);
        }
    }

    TEST_CASE("visible_devices shows what its globs select; the ledger says what it hides") {
        qiao_instance_desc desc = quiet();
        const std::string only = selector();
        desc.visible_devices = only.c_str();
        const Instance instance = create(desc);
        CHECK(device_count(instance) == 1);
        qiao_device* found = nullptr;
        CHECK_OK(qiao_instance_find_device(instance.get(), "*", &found));

        desc.visible_devices = "nobody:*";
        const Instance blind = create(desc);
        CHECK(device_count(blind) == 0);
        for (const qiao_candidate& candidate : ledger_of(blind)) {
            CHECK(candidate.state != QIAO_CANDIDATE_STATE_USABLE);
            if (candidate.state != QIAO_CANDIDATE_STATE_DISABLED) continue;
            CHECK(std::string(candidate.reason).find("nobody:*") != std::string::npos);
            CHECK(std::string(candidate.remedy).find("QIAO_VISIBLE_DEVICES") != std::string::npos);
        }
    }

    TEST_CASE("QIAO_VISIBLE_DEVICES selects where the descriptor does not") {
        const std::string only = selector();
        setenv("QIAO_VISIBLE_DEVICES", only.c_str(), 1);
        const Instance selected = create(quiet());
        qiao_instance_desc desc = quiet();
        desc.visible_devices = "*";
        const Instance all = create(desc);
        unsetenv("QIAO_VISIBLE_DEVICES");
        CHECK(device_count(selected) == 1);
        CHECK(device_count(all) >= device_count(selected));
    }
}

TEST_SUITE("instance.errors") {
    TEST_CASE("each thread has a record of its own, and a success does not clear it") {
        const Session session;
        qiao_device* device = nullptr;
        CHECK_FAILS(qiao_instance_find_device(session.instance.get(), "mine:0", &device), QIAO_ERROR_NOT_FOUND, "mine:0");
        Failure fresh, other;
        std::thread([&] {
            qiao_error error = QIAO_ERROR_INIT;
            if (qiao_error_query(&error) == QIAO_OK) fresh = {error.status, error.line, error.message, error.remedy, error.object, error.plugin, error.vendor_text, error.log, error.vendor_code};
            qiao_device* none = nullptr;
            qiao_instance_find_device(session.instance.get(), "theirs:0", &none);
            if (qiao_error_query(&error) == QIAO_OK) other.message = error.message;
        }).join();
        CHECK(fresh.status == QIAO_OK);
        CHECK(fresh.message.empty());
        CHECK(other.message.find("theirs:0") != std::string::npos);
        REQUIRE_OK(qiao_instance_find_device(session.instance.get(), "*", &device));
        CHECK(last_failure().message.find("mine:0") != std::string::npos);
    }

    TEST_CASE("the record is refused into structs that cannot hold it") {
        CHECK(qiao_error_query(nullptr) == QIAO_ERROR_INVALID_ARGUMENT);
        qiao_error error = QIAO_ERROR_INIT;
        error.struct_size = 8;
        CHECK(qiao_error_query(&error) == QIAO_ERROR_INVALID_ARGUMENT);
        error.struct_size = sizeof error;
        error.next = &error;
        CHECK(qiao_error_query(&error) == QIAO_ERROR_INVALID_ARGUMENT);
    }

    TEST_CASE("asking for the record in a wrong way does not lose it") {
        const Session session;
        qiao_device* device = nullptr;
        CHECK_FAILS(qiao_instance_find_device(session.instance.get(), "mine:0", &device), QIAO_ERROR_NOT_FOUND, "mine:0");
        qiao_error error = QIAO_ERROR_INIT;
        error.next = &error;
        CHECK(qiao_error_query(&error) == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(last_failure().message.find("mine:0") != std::string::npos);
    }

    TEST_CASE("every status has a name and a text, and so have unknown ones") {
        std::set<std::string> names;
#define QIAO_CASE(name, code, text)                                    \
    CHECK(std::string(qiao_status_get_name(code)) == "QIAO_" #name);   \
    CHECK(std::string(qiao_status_get_text(code)) == text);            \
    CHECK(names.insert(qiao_status_get_name(code)).second);
        QIAO_STATUS_MAP(QIAO_CASE)
#undef QIAO_CASE
        for (const qiao_status unknown : {3, -15, INT32_MIN, INT32_MAX}) {
            REQUIRE(qiao_status_get_name(unknown) != nullptr);
            REQUIRE(qiao_status_get_text(unknown) != nullptr);
            CHECK(names.count(qiao_status_get_name(unknown)) == 0);
        }
    }

    TEST_CASE("the version of the library is this header's, and nulls are ignored") {
        uint32_t major = 99, minor = 99, patch = 99;
        qiao_query_version(&major, &minor, &patch);
        CHECK(major == QIAO_VERSION_MAJOR);
        CHECK(minor == QIAO_VERSION_MINOR);
        CHECK(patch == QIAO_VERSION_PATCH);
        qiao_query_version(nullptr, nullptr, nullptr);
    }
}

TEST_SUITE("instance.several") {
    TEST_CASE("two instances in one process use the same card at the same time") {
        const auto work = [] {
            Session session;
            for (int i = 0; i < 10; ++i)
                check_works(session);
        };
        std::thread other(work);
        work();
        other.join();
    }
}
