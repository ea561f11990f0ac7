// Exceptions: which class, the whole record, as values that live as long as the exception.
#include <exception>
#include <thread>

#include "support/session.h"

using namespace cpp;

TEST_SUITE("error.class") {
    template <class Expected>
    void check_class(qiao_status status) {
        qiao::ErrorRecord record;
        record.status = status;
        record.message = "what was wrong";
        CHECK_THROWS_AS(qiao::throw_error(record), Expected);
        CHECK_THROWS_AS(qiao::throw_error(record), qiao::Error);
        CHECK_THROWS_AS(qiao::throw_error(record), std::exception);
    }

    TEST_CASE("each status has the class that is promised") {
        check_class<qiao::DeviceLostError>(QIAO_ERROR_DEVICE_LOST);
        check_class<qiao::BuildError>(QIAO_ERROR_BUILD);
        check_class<qiao::UnsupportedError>(QIAO_ERROR_UNSUPPORTED);
        check_class<qiao::OutOfMemoryError>(QIAO_ERROR_OUT_OF_MEMORY);
        check_class<qiao::NotFoundError>(QIAO_ERROR_NOT_FOUND);
        check_class<qiao::Error>(QIAO_ERROR_INVALID_ARGUMENT);
    }

    TEST_CASE("success is not thrown, a time-out that nobody expected is") {
        CHECK_NOTHROW(qiao::check(QIAO_OK));
        const auto record = record_of([] { qiao::check(QIAO_TIMEOUT); });
        CHECK(record.status == QIAO_TIMEOUT);
        CHECK(record.message == qiao_status_get_text(QIAO_TIMEOUT));
    }

    TEST_CASE("a status that the thread's record is not about keeps the record out") {
        const Session session;
        record_of<qiao::NotFoundError>([&] { session.instance.find_device("nobody:7"); });
        const auto record = record_of([] { qiao::check(QIAO_ERROR_IO); });
        CHECK(record.message == qiao_status_get_text(QIAO_ERROR_IO));
    }
}

TEST_SUITE("error.record") {
    TEST_CASE("it is the thread's record, field by field") {
        const Session session;
        const auto record = record_of<qiao::NotFoundError>([&] { session.instance.find_device("nobody:7"); });
        qiao_error last = QIAO_ERROR_INIT;
        REQUIRE(qiao_error_query(&last) == QIAO_OK);
        CHECK(record.status == last.status);
        CHECK(record.message == last.message);
        CHECK(record.remedy == last.remedy);
        CHECK(record.object == last.object);
        CHECK(record.plugin == last.plugin);
        CHECK(record.vendor_text == last.vendor_text);
        CHECK(record.log == last.log);
        CHECK(record.line == last.line);
        CHECK(record.vendor_code == last.vendor_code);
        CHECK(contains(record.message, selector()));
    }

    TEST_CASE("what() has status, message and remedy") {
        const Session session;
        try {
            qiao::Memory(session.device, 0);
            FAIL("nothing was thrown");
        } catch (const qiao::Error& error) {
            const std::string what = error.what();
            CHECK(error.status() == QIAO_ERROR_OUT_OF_RANGE);
            CHECK(contains(what, "QIAO_ERROR_OUT_OF_RANGE"));
            CHECK(contains(what, error.record().message.c_str()));
            CHECK(contains(what, error.record().remedy.c_str()));
        }
    }

    TEST_CASE("it survives later failures, copies and threads") {
        const Session session;
        std::exception_ptr kept;
        std::thread([&] {
            try {
                session.instance.find_device("nobody:7");
            } catch (...) {
                kept = std::current_exception();
            }
            record_of([&] { qiao::Memory(session.device, 0); });
        }).join();
        REQUIRE(kept);
        const auto record = record_of<qiao::NotFoundError>([&] { std::rethrow_exception(kept); });
        CHECK(contains(record.message, "nobody:7"));
        CHECK(record.status == QIAO_ERROR_NOT_FOUND);
    }
}

TEST_SUITE("error.fixture") {
    TEST_CASE("a kernel that fails: the vendor's own code and text arrive where one waits") {
        const Session session;
        const qiao::Program program = session.program();
        qiao::Queue queue(session.device);
        const qiao::Point done = queue.launch(program.kernel("fail"), 1);
        const auto record = record_of([&] { static_cast<void>(done.wait(kPatience)); });
        CHECK(record.status == QIAO_ERROR_PLUGIN);
        CHECK(record.vendor_code == -719);
        CHECK(contains(record.vendor_text, "_FAILED"));
        CHECK(record.plugin == session.device.properties().plugin);
        CHECK_THROWS_AS(static_cast<void>(done.reached()), qiao::Error);
    }

    TEST_CASE("memory that is used up") {
        const Session session;
        const uint64_t most = session.device.limit(QIAO_DEVICE_LIMIT_MAX_ALLOCATION_BYTES);
        std::vector<qiao::Memory> taken;
        const auto record = record_of<qiao::OutOfMemoryError>([&] {
            while (taken.size() < 1000) taken.emplace_back(session.device, most);
        });
        CHECK(!taken.empty());
        CHECK(!record.message.empty());
        taken.clear();
        CHECK_NOTHROW(qiao::Memory(session.device, most));
    }

    TEST_CASE("a lost device says why, and comes back only by a reset that it has") {
        const Session session;
        const qiao::Program program = session.program();
        qiao::Queue queue(session.device);
        const qiao::Point done = queue.launch(program.kernel("lose"), 1);
        record_of<qiao::DeviceLostError>([&] { static_cast<void>(done.wait(kPatience)); });
        CHECK(session.device.state().is_lost);
        CHECK(contains(session.device.state().reason, "lose"));
        record_of<qiao::DeviceLostError>([&] { qiao::Memory(session.device, 64); });

        for (const qiao::DeviceSlot& slot : session.device.slots()) {
            if (std::string(slot.name) != "device_reset") continue;
            if (slot.provenance == QIAO_PROVENANCE_ABSENT) {
                record_of<qiao::UnsupportedError>([&] { session.device.reset(); });
            } else {
                session.device.reset();
                CHECK(!session.device.state().is_lost);
                CHECK_NOTHROW(qiao::Memory(session.device, 64));
            }
        }
    }
}

TEST_SUITE("error.compiled") {
    TEST_CASE("a source that does not compile: log and line") {
        const Session session;
        qiao::ProgramOptions options;
        options.name = "mistake.cl";
        const auto record = record_of<qiao::BuildError>(
            [&] { qiao::Program::from_source(session.device, "kernel void f(global int* x) {\n    x[0] = missing;\n}\n", options); });
        CHECK(record.line == 2);
        CHECK(contains(record.log, "missing"));
        CHECK(contains(record.log, "mistake.cl"));
    }
}
