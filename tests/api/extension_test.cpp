// The vendors' own tables, found by name: whatever a device has, and what the queued plugin is known to have.
#include <string>
#include <vector>

#include "plugin/control.h"
#include "support/session.h"

using namespace api;

namespace {

std::vector<std::string> extensions_of(qiao_device* device) {
    std::vector<std::string> names;
    for (uint32_t index = 0;; ++index) {
        const char* name = "not written";
        const qiao_status status = qiao_device_query_extension(device, index, &name);
        if (status == QIAO_ERROR_NOT_FOUND) {
            CHECK(name == nullptr);
            return names;
        }
        REQUIRE_OK(status);
        names.emplace_back(name);
    }
}

}  // namespace

TEST_SUITE("device.extension") {
    TEST_CASE("every listed extension can be got, with the plugin's own device") {
        const Session session;
        for (const std::string& name : extensions_of(session.device)) {
            INFO(name);
            const void* table = nullptr;
            void* context = nullptr;
            REQUIRE_OK(qiao_device_get_extension(session.device, name.c_str(), &table, &context));
            REQUIRE(table != nullptr);
            CHECK(context != nullptr);
            CHECK(*static_cast<const size_t*>(table) >= sizeof(size_t));
        }
    }

    TEST_CASE("an unknown name is not found, and the names there are are told") {
        const Session session;
        const std::vector<std::string> names = extensions_of(session.device);
        const std::string known = names.empty() ? "none" : names.front();
        const void* table = &table;
        void* context = &context;
        CHECK_FAILS(qiao_device_get_extension(session.device, "nobody.nothing.1", &table, &context), QIAO_ERROR_NOT_FOUND, "nobody.nothing.1",
                    session.properties.id, known.c_str());
        CHECK(table == nullptr);
        CHECK(context == nullptr);
        CHECK_FAILS(qiao_device_get_extension(session.device, nullptr, &table, &context), QIAO_ERROR_INVALID_ARGUMENT, "'name' is null");
        CHECK_FAILS(qiao_device_get_extension(session.device, "a.b.1", nullptr, &context), QIAO_ERROR_INVALID_ARGUMENT, "'out_table' is null");
        CHECK_FAILS(qiao_device_get_extension(session.device, "a.b.1", &table, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "'out_context' is null");
    }

    TEST_CASE("the functions of a table work on the device it was got from") {
        Session session;
        if (std::string(session.properties.plugin) != "queued") return;  // the table's type is that plugin's
        CHECK(extensions_of(session.device) == std::vector<std::string>{QUEUED_CONTROL});
        const void* table = nullptr;
        void* context = nullptr;
        REQUIRE_OK(qiao_device_get_extension(session.device, QUEUED_CONTROL, &table, &context));
        const auto& control = *static_cast<const queued_control*>(table);
        CHECK(control.struct_size == sizeof(queued_control));
        control.lose(context, "a test took it away");
        qiao_device_state state = QIAO_DEVICE_STATE_OK;
        const char* reason = nullptr;
        REQUIRE_OK(qiao_device_query_state(session.device, &state, &reason));
        CHECK(state == QIAO_DEVICE_STATE_LOST);
        CHECK(std::string(reason) == "a test took it away");
        for (qiao_device* other : session.devices()) {
            if (other == session.device) continue;
            REQUIRE_OK(qiao_device_query_state(other, &state, nullptr));
            CHECK(state == QIAO_DEVICE_STATE_OK);
        }
    }
}
