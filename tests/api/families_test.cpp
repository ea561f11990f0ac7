// Libraries of card families that are not as they should be: what is said of them, and that others are not affected.
#include <cstring>
#include <string>
#include <vector>

#include "package/package.h"
#include "support/kernels.h"
#include "support/session.h"

using namespace api;

namespace {

Instance make_instance() {
    qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
    const std::string path = plugin_path();
    desc.plugin_path = path.c_str();
    qiao_instance* instance = nullptr;
    REQUIRE_OK(qiao_instance_create(&desc, &instance));
    return Instance(instance);
}

struct Candidate {
    uint32_t state;
    std::string reason, remedy;
};

Candidate candidate_of(const Instance& instance, const std::string& plugin) {
    for (uint32_t index = 0;; ++index) {
        qiao_candidate candidate = QIAO_CANDIDATE_INIT;
        REQUIRE_OK(qiao_instance_query_candidate(instance.get(), index, &candidate));
        if (candidate.plugin == plugin) return {candidate.state, candidate.reason, candidate.remedy};
    }
}

// The plugin has no devices, for a reason with all of these in it; the mock card is there.
void check_unusable(std::initializer_list<const char*> fragments) {
    const Instance instance = make_instance();
    const Candidate candidate = candidate_of(instance, "cu");
    INFO(candidate.reason, " | ", candidate.remedy);
    CHECK(candidate.state == QIAO_CANDIDATE_STATE_NO_DEVICES);
    for (const char* fragment : fragments) {
        INFO(std::string(fragment));
        CHECK((candidate.reason + "\n" + candidate.remedy).find(fragment) != std::string::npos);
    }
    qiao_device* device = nullptr;
    CHECK_FAILS(qiao_instance_find_device(instance.get(), "cu:0", &device), QIAO_ERROR_NOT_FOUND, "cu");
    CHECK(device == nullptr);
    CHECK_OK(qiao_instance_find_device(instance.get(), "mock:0", &device));
}

uint32_t count_devices(const Instance& instance, const char* beginning) {
    uint32_t count = 0, found = 0;
    REQUIRE_OK(qiao_instance_enumerate_devices(instance.get(), 0, nullptr, &count));
    std::vector<qiao_device*> devices(count);
    REQUIRE_OK(qiao_instance_enumerate_devices(instance.get(), count, devices.data(), &count));
    for (qiao_device* device : devices) {
        qiao_device_properties properties = QIAO_DEVICE_PROPERTIES_INIT;
        REQUIRE_OK(qiao_device_query_properties(device, &properties));
        found += std::strncmp(properties.id, beginning, std::strlen(beginning)) == 0;
    }
    return found;
}

}  // namespace

TEST_CASE("half of the functions are missing: each is named" * doctest::test_suite("families.half")) {
    check_unusable({"cu_half/libcuda.so.1", "it has no function", "cuStreamCreate", "cuLaunchKernel"});
}

TEST_CASE("another family's library is none of this" * doctest::test_suite("families.foreign")) {
    check_unusable({"libgalaxyhip.so.5", "it has no function cuInit"});
}

TEST_CASE("a library that does not start says its own number" * doctest::test_suite("families.failing_init")) {
    check_unusable({"cuInit failed", "4711"});
}

TEST_CASE("no device is no error" * doctest::test_suite("families.no_devices")) {
    check_unusable({"no device with the CUDA driver interface"});
}

TEST_CASE("what is not installed is named, with what hides cards and what names others" * doctest::test_suite("families.not_there")) {
    check_unusable({"none of its libraries is installed (/nonexistent/libcuda.so.1)", "CUDA_VISIBLE_DEVICES='7'", "QIAO_CUDA_LIBRARY_CU"});
}

TEST_CASE("a thousand devices are a thousand" * doctest::test_suite("families.many_devices")) {
    const Instance instance = make_instance();
    CHECK(count_devices(instance, "cu:") == 1000);
    qiao_device* device = nullptr;
    REQUIRE_OK(qiao_instance_find_device(instance.get(), "cu:999", &device));
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = 64;
    qiao_memory* memory = nullptr;
    REQUIRE_OK(qiao_memory_allocate(device, &desc, &memory));
    qiao_memory_release(memory);
}

TEST_CASE("memory that is promised and does not work is refused by name" * doctest::test_suite("families.no_pinned")) {
    Session session;
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = 64;
    desc.kind = QIAO_MEMORY_KIND_HOST;
    qiao_memory* memory = nullptr;
    CHECK_FAILS(qiao_memory_allocate(session.device, &desc, &memory), QIAO_ERROR_UNSUPPORTED, "host memory was tried out", "ask for device memory");
    CHECK(memory == nullptr);
    CHECK(session.allocate(64).get() != nullptr);
}

TEST_CASE("several libraries of a family are used, and each once" * doctest::test_suite("families.two_libraries")) {
    const Instance instance = make_instance();
    CHECK(count_devices(instance, "cu:") == 4);
}

TEST_CASE("families are in one process, each with its own devices" * doctest::test_suite("families.together")) {
    const Instance instance = make_instance();
    for (const char* id : {"cu:", "hip:", "mu:"}) CHECK(count_devices(instance, id) == 2);
}

TEST_CASE("an image for another card does not come to the driver" * doctest::test_suite("families.foreign_image")) {
    Session session;
    qiao::package::Writer writer;
    const std::vector<std::byte> whole = package_of({"nothing"});
    const auto package = qiao::package::Package::open(whole);
    REQUIRE(package);
    writer.add_kernel(package->kernels().at(0));
    qiao::package::Variant variant;
    variant.format = "cubin";
    variant.tool = "nobody";
    const std::string garbage(64, 'x');
    const auto* bytes = reinterpret_cast<const std::byte*>(garbage.data());
    writer.add_variant(variant, {bytes, bytes + garbage.size()});
    const auto made = writer.finish();
    REQUIRE(made);
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = made->data();
    desc.size_bytes = made->size();
    qiao_program* program = nullptr;
    CHECK_FAILS(qiao_program_create_from_package(session.device, &desc, &program), QIAO_ERROR_UNSUPPORTED, "cubin");
    CHECK(program == nullptr);
    CHECK(session.program().get() != nullptr);
}

TEST_CASE("a card that is lost ends what waits for it, says why, and lets everything go" * doctest::test_suite("families.lost")) {
    Session session;
    qiao_device* neighbour = nullptr;
    REQUIRE_OK(qiao_instance_find_device(session.instance.get(), "mock:0", &neighbour));
    const Program program = session.program();
    const Queue queue = session.queue();
    const Memory memory = session.allocate(64);
    uint64_t value = 0, last = 0;
    qiao_status status = QIAO_OK;
    for (int i = 0; i < 1000 && status == QIAO_OK; ++i) {
        status = qiao_queue_fill(queue.get(), place(memory), 64, "\1\2\3\4", 4, &value);
        if (status == QIAO_OK) last = value;
        if (status == QIAO_OK && i % 7 == 0) status = qiao_timeline_wait(timeline_of(queue), last, kPatience);
    }
    CHECK(status == QIAO_ERROR_DEVICE_LOST);
    CHECK_FAILS(qiao_timeline_wait(timeline_of(queue), last + 1, kPatience), QIAO_ERROR_DEVICE_LOST, "lost");
    const char* reason = "";
    qiao_device_state state = 0;
    REQUIRE_OK(qiao_device_query_state(session.device, &state, &reason));
    CHECK(state == QIAO_DEVICE_STATE_LOST);
    CHECK(std::string(reason) != "");
    uint32_t word = 0;
    CHECK_FAILS(qiao_memory_read(memory.get(), 0, &word, 4), QIAO_ERROR_DEVICE_LOST, "lost");
    CHECK_FAILS(qiao_device_reset(session.device), QIAO_ERROR_UNSUPPORTED, "reset");
    session.device = neighbour;
    REQUIRE_OK(qiao_device_query_properties(neighbour, &session.properties));
    CHECK(session.allocate(64).get() != nullptr);
}
