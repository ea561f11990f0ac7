// Programs: from source and from packages, what was taken, and every way in which they cannot be had.
#include <cstring>

#include "support/blocks.h"
#include "support/kernels.h"
#include "support/session.h"

using namespace api;

namespace {

constexpr uintptr_t kStale = 8;  // an out-parameter that must not be left as it was

qiao_program_desc desc_of(const std::string& data) {
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = data.data();
    desc.size_bytes = data.size();
    desc.name = "given.cl";
    return desc;
}

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string small_package() {
    return text_of(package_of({"add", "fill"}));
}

using Create = qiao_status (*)(qiao_device*, const qiao_program_desc*, qiao_program**);

// Fails as expected, leaves no program, and the device works on.
void check_refused(Session& session, Create create, const qiao_program_desc& desc, qiao_status expected,
                   std::initializer_list<const char*> fragments) {
    auto* program = reinterpret_cast<qiao_program*>(kStale);
    check_fails("creating the program", create(session.device, &desc, &program), expected, fragments);
    CHECK(program == nullptr);
}

}  // namespace

TEST_SUITE("program.descriptor") {
    TEST_CASE("what this version does not understand is refused, for source and packages alike") {
        Session session;
        const std::string package = small_package();
        for (const Create create : {qiao_program_create_from_source, qiao_program_create_from_package}) {
            qiao_program_desc desc = desc_of(package);
            desc.flags = UINT64_C(1) << 63;
            check_refused(session, create, desc, QIAO_ERROR_INVALID_ARGUMENT, {"flags", "0x8000000000000000"});
            desc = desc_of(package);
            desc.next = &desc;
            check_refused(session, create, desc, QIAO_ERROR_INVALID_ARGUMENT, {"next"});
            desc = desc_of(package);
            desc.struct_size = 0;
            check_refused(session, create, desc, QIAO_ERROR_INVALID_ARGUMENT, {"struct_size is 0", "_INIT"});
            desc = desc_of(package);
            desc.data = nullptr;
            check_refused(session, create, desc, QIAO_ERROR_INVALID_ARGUMENT, {"data is null"});
            desc = desc_of(package);
            desc.size_bytes = 0;
            check_refused(session, create, desc, QIAO_ERROR_OUT_OF_RANGE, {"size_bytes is 0"});
            auto* program = reinterpret_cast<qiao_program*>(kStale);
            CHECK_FAILS(create(session.device, nullptr, &program), QIAO_ERROR_INVALID_ARGUMENT, "desc");
            CHECK(program == nullptr);
            desc = desc_of(package);
            CHECK_FAILS(create(session.device, &desc, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_program");
        }
        check_works(session);
    }
}

TEST_SUITE("program.run_package") {
    TEST_CASE("its data may go as soon as it is created") {
        Session session;
        std::string package = small_package();
        const qiao_program_desc desc = desc_of(package);
        qiao_program* made = nullptr;
        REQUIRE_OK(qiao_program_create_from_package(session.device, &desc, &made));
        const Program program(made);
        std::memset(package.data(), 0xff, package.size());
        const Queue queue = session.queue();
        const Memory out = session.allocate(16);
        const blocks::Fill block = {address_of(out), 77, 0};
        wait_for(queue, launch(queue, kernel_of(program, "fill"), items(4), block));
        CHECK(download<uint32_t>(out, 4) == std::vector<uint32_t>(4, 77));
    }

    TEST_CASE("a variant whose bytes were changed is refused, also one that would have been taken next") {
        Session session;
        std::string package = small_package();
        uint64_t manifest_bytes = 0;
        std::memcpy(&manifest_bytes, package.data() + 24, sizeof manifest_bytes);
        for (size_t at = 64 + manifest_bytes; at < package.size(); ++at) {
            if (package[at] != 0) package[at] = static_cast<char>(package[at] ^ 1);  // zeros fill the gaps, and are checked as such
        }
        check_refused(session, qiao_program_create_from_package, desc_of(package), QIAO_ERROR_PACKAGE, {"given.cl", "digest"});
        check_works(session);
    }
}

TEST_SUITE("program.create_from_package") {
    TEST_CASE("bytes that are no package are refused, whatever they are") {
        Session session;
        std::string random(4096, '\0');
        uint32_t state = 20260701;
        for (char& byte : random) byte = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
        for (const std::string& garbage : {std::string("x"), std::string("kernel void f(void) {}"), std::string(4096, '\0'), random}) {
            check_refused(session, qiao_program_create_from_package, desc_of(garbage), QIAO_ERROR_PACKAGE, {"given.cl"});
        }
        check_works(session);
    }

    TEST_CASE("a package that was cut short or changed is refused wherever it was hurt") {
        Session session;
        const std::string whole = small_package();
        for (size_t length = 1; length < whole.size(); length += whole.size() / 16 + 1) {
            INFO("cut to ", length, " of ", whole.size());
            check_refused(session, qiao_program_create_from_package, desc_of(whole.substr(0, length)), QIAO_ERROR_PACKAGE, {"given.cl"});
        }
        uint64_t manifest_bytes = 0;
        std::memcpy(&manifest_bytes, whole.data() + 24, sizeof manifest_bytes);
        for (size_t at = 0; at < 64 + manifest_bytes; at += 31) {
            INFO("byte ", at, " of ", whole.size());
            std::string hurt = whole;
            hurt[at] = static_cast<char>(hurt[at] ^ 0x41);
            check_refused(session, qiao_program_create_from_package, desc_of(hurt), QIAO_ERROR_PACKAGE, {"given.cl"});
        }
        check_works(session);
    }

    TEST_CASE("a package without a variant for the device says why each does not fit") {
        Session session;
        const std::string package = text_of(foreign_package());
        check_refused(session, qiao_program_create_from_package, desc_of(package), QIAO_ERROR_UNSUPPORTED,
                      {"given.cl", session.properties.id, "no-such-format", "not a format of the device", session.properties.formats});
        check_works(session);
    }
}

TEST_SUITE("program.create_from_source") {
    TEST_CASE("compiles, with options, and the text may go at once") {
        Session session;
        std::string source = "kernel void k(global uint* out) { out[get_global_id(0)] = N + get_global_id(0); }";
        qiao_program_desc desc = desc_of(source);
        desc.options = "-DN=40";
        qiao_program* made = nullptr;
        REQUIRE_OK(qiao_program_create_from_source(session.device, &desc, &made));
        const Program program(made);
        source.assign(source.size(), ' ');
        const Queue queue = session.queue();
        const Memory out = session.allocate(32);
        const blocks::Grid block = {address_of(out)};
        wait_for(queue, launch(queue, kernel_of(program, "k"), items(8), block));
        CHECK(download<uint32_t>(out, 8) == numbers(8, 40));
    }

    TEST_CASE("an error in the source is a BUILD failure with file, line and log") {
        Session session;
        const std::string source = "kernel void fine(global int* p) { p[0] = 1; }\n\nkernel void broken(global int* p) { p[0] = undeclared_thing; }\n";
        check_refused(session, qiao_program_create_from_source, desc_of(source), QIAO_ERROR_BUILD, {"given.cl", "undeclared_thing"});
        const Failure failure = last_failure();
        CHECK(failure.line == 3);
        CHECK(failure.log.find("undeclared_thing") != std::string::npos);
        CHECK(failure.object == "given.cl");
        check_works(session);
    }

    TEST_CASE("text that is no OpenCL C at all, or holds no kernel, is refused") {
        Session session;
        check_refused(session, qiao_program_create_from_source, desc_of("}{ this is not C"), QIAO_ERROR_BUILD, {"given.cl"});
        CHECK(last_failure().line == 1);
        check_refused(session, qiao_program_create_from_source, desc_of("int helper(int x) { return x; }\n"), QIAO_ERROR_BUILD, {"kernel"});
        check_refused(session, qiao_program_create_from_source, desc_of("#error stopped here\nkernel void k(void) {}\n"), QIAO_ERROR_BUILD, {"stopped here"});
        check_works(session);
    }

    TEST_CASE("options that do not exist are named") {
        Session session;
        const std::string source = "kernel void k(void) {}";
        qiao_program_desc desc = desc_of(source);
        desc.options = "-fno-such-option";
        auto* program = reinterpret_cast<qiao_program*>(kStale);
        const qiao_status status = qiao_program_create_from_source(session.device, &desc, &program);
        CHECK(status < 0);
        CHECK(program == nullptr);
        CHECK((last_failure().message + last_failure().remedy + last_failure().log).find("-fno-such-option") != std::string::npos);
        check_works(session);
    }
}

TEST_SUITE("program.source_unsupported") {
    TEST_CASE("a device that takes no compiled source says so") {
        Session session;
        check_refused(session, qiao_program_create_from_source, desc_of("kernel void k(void) {}"), QIAO_ERROR_UNSUPPORTED, {"fixture"});
        check_works(session);
    }
}

TEST_SUITE("program.query") {
    TEST_CASE("says which variant was taken, and how many kernels there are") {
        Session session;
        const Program program = session.program();
        qiao_program_properties properties = QIAO_PROGRAM_PROPERTIES_INIT;
        REQUIRE_OK(qiao_program_query(program.get(), &properties));
        CHECK((";" + std::string(session.properties.formats) + ";").find(";" + std::string(properties.format) + ";") != std::string::npos);
        CHECK(properties.target != nullptr);
        CHECK(properties.tool != nullptr);
        CHECK(properties.log != nullptr);
        CHECK(properties.kernel_count == (session.is_fixture() ? fixture_kernels() : portable_kernels()).size());
        CHECK(properties.score > 0);
    }

    TEST_CASE("a caller's older or wrong struct") {
        Session session;
        const Program program = session.program();
        qiao_program_properties properties = QIAO_PROGRAM_PROPERTIES_INIT;
        properties.struct_size = offsetof(qiao_program_properties, kernel_count);
        properties.kernel_count = 4711;
        REQUIRE_OK(qiao_program_query(program.get(), &properties));
        CHECK(properties.kernel_count == 4711);
        CHECK(properties.format != nullptr);
        properties.struct_size = 0;
        CHECK_FAILS(qiao_program_query(program.get(), &properties), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 0");
        properties = QIAO_PROGRAM_PROPERTIES_INIT;
        properties.next = &properties;
        CHECK_FAILS(qiao_program_query(program.get(), &properties), QIAO_ERROR_INVALID_ARGUMENT, "next");
        CHECK_FAILS(qiao_program_query(program.get(), nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_properties");
    }
}

TEST_SUITE("program.get_kernel") {
    TEST_CASE("kernels come in the source's order, and by name are the same") {
        Session session;
        const Program program = session.program();
        const Names names = session.is_fixture() ? fixture_kernels() : portable_kernels();
        for (uint32_t index = 0; index < names.size(); ++index) {
            qiao_kernel* kernel = nullptr;
            REQUIRE_OK(qiao_program_get_kernel_at(program.get(), index, &kernel));
            CHECK(kernel == kernel_of(program, names[index]));
        }
        auto* kernel = reinterpret_cast<qiao_kernel*>(kStale);
        CHECK_FAILS(qiao_program_get_kernel_at(program.get(), static_cast<uint32_t>(names.size()), &kernel), QIAO_ERROR_NOT_FOUND,
                    std::to_string(names.size()).c_str());
        CHECK(kernel == nullptr);
    }

    TEST_CASE("a name that does not exist is NOT_FOUND, and the names that do are listed") {
        Session session;
        const Program program = session.program();
        for (const std::string& name : {std::string("ad"), std::string("Add"), std::string(), std::string(5000, 'x')}) {
            auto* kernel = reinterpret_cast<qiao_kernel*>(kStale);
            CHECK_FAILS(qiao_program_get_kernel(program.get(), name.c_str(), &kernel), QIAO_ERROR_NOT_FOUND, "add, fill, count", "take_params",
                        ("'" + name.substr(0, 200)).c_str());
            CHECK(kernel == nullptr);
        }
        auto* kernel = reinterpret_cast<qiao_kernel*>(kStale);
        CHECK_FAILS(qiao_program_get_kernel(program.get(), nullptr, &kernel), QIAO_ERROR_INVALID_ARGUMENT, "name");
        CHECK(kernel == nullptr);
        CHECK_FAILS(qiao_program_get_kernel(program.get(), "add", nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_kernel");
        CHECK_FAILS(qiao_program_get_kernel_at(program.get(), 0, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_kernel");
    }
}
