// One record per thread, written by failures only, complete or at least harmless when the host has no memory left.
#include "object/error.h"

#include <cstdlib>
#include <new>
#include <utility>

#include "../threads.h"

using qiao::ErrorRecord;
using qiao::fail;
using qiao::last_error;

namespace {

// While one lives, `operator new` fails on this thread.
thread_local bool t_no_memory = false;

class NoMemory {
  public:
    NoMemory() { t_no_memory = true; }
    ~NoMemory() { t_no_memory = false; }
};

const std::string kLong(300, 'x');  // beyond what a string holds without allocating

qiao_plugin_error plugin_error(qiao_status status, const char* message) {
    qiao_plugin_error error{};
    error.struct_size = sizeof error;
    error.status = status;
    error.message = message;
    return error;
}

}  // namespace

void* operator new(size_t size) {
    void* memory = t_no_memory ? nullptr : std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

TEST_SUITE_BEGIN("error.fail");

TEST_CASE("writes status and message, and nothing of the failure before") {
    ErrorRecord before;
    before.status = QIAO_ERROR_BUILD;
    before.line = 7;
    before.vendor_code = -5;
    before.message = before.remedy = before.object = before.plugin = before.vendor_text = before.log = "old";
    CHECK(fail(before) == QIAO_ERROR_BUILD);
    CHECK(last_error().log == "old");

    CHECK(fail(QIAO_ERROR_OUT_OF_RANGE, "%s is %d; the limit is %d", "size", 9, 8) == QIAO_ERROR_OUT_OF_RANGE);
    const ErrorRecord& record = last_error();
    CHECK(record.status == QIAO_ERROR_OUT_OF_RANGE);
    CHECK(record.message == "size is 9; the limit is 8");
    CHECK(record.line == 0);
    CHECK(record.vendor_code == 0);
    CHECK(record.remedy.empty());
    CHECK(record.object.empty());
    CHECK(record.plugin.empty());
    CHECK(record.vendor_text.empty());
    CHECK(record.log.empty());
}

TEST_CASE("may quote the message it replaces") {
    fail(QIAO_ERROR_IO, "%s", kLong.c_str());
    fail(QIAO_ERROR_INTERNAL, "again: %s", last_error().message.c_str());
    CHECK(last_error().message == "again: " + kLong);
    CHECK(fail(last_error()) == QIAO_ERROR_INTERNAL);
    CHECK(last_error().message == "again: " + kLong);
}

TEST_CASE("cuts a message that is far too long, and terminates it") {
    const std::string text(100'000, 'y');
    fail(QIAO_ERROR_IO, "%s", text.c_str());
    CHECK(last_error().message.size() > 500);
    CHECK(last_error().message.size() < text.size());
    CHECK(text.starts_with(last_error().message));
}

TEST_CASE("remedy and object are added to the record") {
    fail(QIAO_ERROR_NOT_FOUND, "no device");
    qiao::set_remedy("install a plugin");
    qiao::set_object("mock:0");
    CHECK(last_error().message == "no device");
    CHECK(last_error().remedy == "install a plugin");
    CHECK(last_error().object == "mock:0");
}

TEST_CASE("a thread sees its own failures only") {
    fail(QIAO_ERROR_IO, "of the main thread");
    std::atomic<int> wrong{0};
    test::on_threads(4, [&](int index) {
        if (last_error().status != QIAO_OK) ++wrong;
        for (int round = 0; round < 500; ++round) {
            const std::string message = std::to_string(index) + " " + std::to_string(round);
            fail(QIAO_ERROR_INVALID_ARGUMENT - index, "%s", message.c_str());
            if (last_error().message != message || last_error().status != QIAO_ERROR_INVALID_ARGUMENT - index) ++wrong;
        }
    });
    CHECK(wrong == 0);
    CHECK(last_error().message == "of the main thread");
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("error.from_plugin");

TEST_CASE("what the plugin said is what the user reads, with the plugin's id") {
    qiao_plugin_error error = plugin_error(QIAO_ERROR_OUT_OF_MEMORY, "the card is full: 3 of 3 bytes");
    error.line = 4;
    error.vendor_code = -61;
    error.vendor_text = "V_NO_MEMORY";
    error.remedy = "free something";
    error.log = "many lines";
    qiao::set_plugin_error(error);
    CHECK(qiao::fail_from_plugin(QIAO_ERROR_OUT_OF_MEMORY, "mock", "memory_allocate") == QIAO_ERROR_OUT_OF_MEMORY);
    const ErrorRecord& record = last_error();
    CHECK(record.message == "the card is full: 3 of 3 bytes");
    CHECK(record.line == 4);
    CHECK(record.vendor_code == -61);
    CHECK(record.vendor_text == "V_NO_MEMORY");
    CHECK(record.remedy == "free something");
    CHECK(record.log == "many lines");
    CHECK(record.plugin == "mock");
}

TEST_CASE("the status of the slot counts, not the one in the plugin's record") {
    qiao::set_plugin_error(plugin_error(QIAO_ERROR_BUILD, "said"));
    CHECK(qiao::fail_from_plugin(QIAO_ERROR_DEVICE_LOST, "mock", "queue_poll") == QIAO_ERROR_DEVICE_LOST);
    CHECK(last_error().status == QIAO_ERROR_DEVICE_LOST);
    CHECK(last_error().message == "said");
}

TEST_CASE("a plugin that said nothing is named, with the slot and the status") {
    qiao::clear_plugin_error();
    qiao::fail_from_plugin(QIAO_ERROR_IO, "mock", "program_load");
    CHECK(last_error().message.find("program_load") != std::string::npos);
    CHECK(last_error().message.find("QIAO_ERROR_IO") != std::string::npos);
    CHECK(last_error().remedy == "report this to the plugin's maker");
    CHECK(last_error().plugin == "mock");
}

TEST_CASE("an old record is not taken for the reason of a later failure") {
    qiao::set_plugin_error(plugin_error(QIAO_ERROR_IO, "the first failure"));
    qiao::fail_from_plugin(QIAO_ERROR_IO, "mock", "memory_read");
    qiao::fail_from_plugin(QIAO_ERROR_IO, "mock", "memory_write");
    CHECK(last_error().message.find("the first failure") == std::string::npos);
    CHECK(last_error().message.find("memory_write") != std::string::npos);
}

TEST_CASE("statuses that no plugin may return become ERROR_PLUGIN") {
    const std::pair<qiao_status, const char*> cases[] = {{QIAO_OK, "returned QIAO_OK, which is no error"},
                                                         {QIAO_TIMEOUT, "returned QIAO_TIMEOUT, which is no error"},
                                                         {77, "returned 77, which is no status of Qiao"},
                                                         {-1000, "returned -1000, which is no status of Qiao"},
                                                         {INT32_MIN, "returned -2147483648, which is no status"},
                                                         {INT32_MAX, "returned 2147483647, which is no status"}};
    for (const auto& [status, words] : cases) {
        CAPTURE(status);
        qiao::clear_plugin_error();
        CHECK(qiao::fail_from_plugin(status, "mock", "queue_launch") == QIAO_ERROR_PLUGIN);
        CHECK(last_error().message.find(words) != std::string::npos);
    }
}

TEST_CASE("null texts of a plugin are empty texts") {
    qiao::set_plugin_error(plugin_error(QIAO_ERROR_IO, nullptr));
    qiao::fail_from_plugin(QIAO_ERROR_IO, "mock", "memory_read");
    CHECK(last_error().message.find("memory_read") != std::string::npos);
    CHECK(last_error().vendor_text.empty());
    CHECK(last_error().log.empty());
}

TEST_CASE("a record is pending on the thread of the slot only") {
    qiao::clear_plugin_error();
    std::thread([] { qiao::set_plugin_error(plugin_error(QIAO_ERROR_IO, "of another thread")); }).join();
    qiao::fail_from_plugin(QIAO_ERROR_IO, "mock", "memory_read");
    CHECK(last_error().message.find("another thread") == std::string::npos);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("error.out_of_memory");

TEST_CASE("the status survives, and no text of an older failure passes for the reason") {
    fail(QIAO_ERROR_BUILD, "an older failure");
    qiao::set_remedy("an older remedy");
    {
        const NoMemory none;
        CHECK(fail(QIAO_ERROR_OUT_OF_MEMORY, "%s", kLong.c_str()) == QIAO_ERROR_OUT_OF_MEMORY);
    }
    CHECK(last_error().status == QIAO_ERROR_OUT_OF_MEMORY);
    CHECK(last_error().message.find("older") == std::string::npos);
    CHECK(last_error().remedy.empty());
}

TEST_CASE("what cannot be added is left out") {
    fail(QIAO_ERROR_IO, "short");
    {
        const NoMemory none;
        qiao::set_remedy(kLong.c_str());
        qiao::set_object(kLong.c_str());
    }
    CHECK(last_error().message == "short");
    CHECK(last_error().remedy.empty());
    CHECK(last_error().object.empty());
}

TEST_CASE("a plugin's failure keeps its status") {
    qiao::clear_plugin_error();
    {
        const NoMemory none;
        qiao::set_plugin_error(plugin_error(QIAO_ERROR_BUILD, kLong.c_str()));
        CHECK(qiao::fail_from_plugin(QIAO_ERROR_DEVICE_LOST, kLong, kLong) == QIAO_ERROR_DEVICE_LOST);
    }
    CHECK(last_error().status == QIAO_ERROR_DEVICE_LOST);
    qiao::fail_from_plugin(QIAO_ERROR_IO, "mock", "memory_read");
    CHECK(last_error().message.find("memory_read") != std::string::npos);
}

TEST_SUITE_END();
