// Which variant of a package is taken, what is said of the others, and what happens where none fits.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "package/package.h"
#include "qiao/qiao.hpp"
#include "support/blocks.h"
#include "support/kernels.h"
#include "support/session.h"
#include "support/temporary.h"

using namespace api;

namespace {

constexpr qiao_features kUnknown = UINT64_C(1) << 40;

struct Said {
    std::string format, target, reason;
    qiao_verdict verdict;
    uint32_t score;
};

void hear(void* user, const qiao_variant* variant) {
    CHECK(variant->struct_size == sizeof(qiao_variant));
    static_cast<std::vector<Said>*>(user)->push_back({variant->format, variant->target, variant->reason, variant->verdict, variant->score});
}

qiao_program_desc desc_of(const std::vector<std::byte>& package) {
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = package.data();
    desc.size_bytes = package.size();
    desc.name = "given.qpk";
    return desc;
}

std::vector<Said> explain(Session& session, const std::vector<std::byte>& package) {
    std::vector<Said> said;
    const qiao_program_desc desc = desc_of(package);
    REQUIRE_OK(qiao_program_explain(session.device, &desc, hear, &said));
    return said;
}

// The tests' package, to which variants are added.
qiao::package::Writer writer() {
    const auto bytes = package_of({"add", "fill"});
    const auto package = qiao::package::Package::open(bytes);
    REQUIRE(package);
    auto made = qiao::package::Writer::from(*package);
    REQUIRE(made);
    return *std::move(made);
}

void add(qiao::package::Writer& writer, const std::string& format, const char* target, qiao_features features = 0) {
    qiao::package::Variant variant;
    variant.format = format;
    variant.target = target;
    variant.features = features;
    const std::string bytes = "not code, at least none that anybody knows; but long enough to have had a head in front of it";
    const auto span = std::as_bytes(std::span(bytes));
    writer.add_variant(variant, {span.begin(), span.end()});
}

std::vector<std::byte> finish(const qiao::package::Writer& writer) {
    auto bytes = writer.finish();
    REQUIRE(bytes);
    return *std::move(bytes);
}

void write(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::string first_format(const Session& session) {
    const std::string formats = session.properties.formats;
    return formats.substr(0, formats.find(';'));
}

void check_fills(Session& session, const Program& program) {
    const Queue queue = session.queue();
    const Memory out = session.allocate(16);
    const blocks::Fill block = {address_of(out), 77, 0};
    wait_for(queue, launch(queue, kernel_of(program, "fill"), items(4), block));
    CHECK(download<uint32_t>(out, 4) == std::vector<uint32_t>(4, 77));
}

}  // namespace

TEST_SUITE("program.explain") {
    TEST_CASE("every variant is named in the package's order, with what speaks against it") {
        Session session;
        qiao::package::Writer made = writer();
        add(made, "no-such-format", "anywhere");
        add(made, first_format(session), "", kUnknown);
        const auto said = explain(session, finish(made));
        REQUIRE(said.size() == made.variants().size());
        for (size_t i = 0; i < said.size(); ++i) {
            CHECK(said[i].format == made.variants()[i].format);
            CHECK((said[i].verdict == QIAO_VERDICT_TAKEN) == said[i].reason.empty());
            CHECK((said[i].verdict <= QIAO_VERDICT_WORSE) == (said[i].score > 0));
        }
        CHECK(said[said.size() - 2].target == "anywhere");
        CHECK(said[said.size() - 2].reason == "not a format of the device (" + std::string(session.properties.formats) + ")");
        CHECK(said.back().verdict == QIAO_VERDICT_REFUSED);
        CHECK(said.back().reason == "needs features unknown to this version, which the device lacks");
    }

    TEST_CASE("a variant that was damaged is said to be, unless it is refused anyway") {
        Session session;
        qiao::package::Writer made = writer();
        add(made, first_format(session), "damaged");
        add(made, "no-such-format", "");
        auto package = finish(made);
        const auto code = std::as_bytes(std::span("not code"));
        for (auto at = package.begin(); (at = std::search(at, package.end(), code.begin(), code.end() - 1)) != package.end();) *at = std::byte{'N'};
        const auto said = explain(session, package);
        CHECK(said.back().verdict == QIAO_VERDICT_REFUSED);
        CHECK(said[said.size() - 2].verdict == QIAO_VERDICT_DAMAGED);
        CHECK(said[said.size() - 2].reason.find("digest") != std::string::npos);
        qiao_program* program = nullptr;
        const qiao_program_desc desc = desc_of(package);
        CHECK_FAILS(qiao_program_create_from_package(session.device, &desc, &program), QIAO_ERROR_PACKAGE, "given.qpk", "digest");
        check_works(session);
    }

    TEST_CASE("the C++ layer visits the same, and an exception of the visitor comes out") {
        Session session;
        const auto package = finish(writer());
        const auto said = explain(session, package);
        const qiao::span<const std::byte> bytes(package.data(), package.size());
        std::vector<std::string> formats;
        qiao::Program::explain(qiao::Device(session.device), bytes, [&](const qiao_variant& variant) { formats.emplace_back(variant.format); });
        REQUIRE(formats.size() == said.size());
        for (size_t i = 0; i < said.size(); ++i) CHECK(formats[i] == said[i].format);
        CHECK_THROWS_AS(qiao::Program::explain(qiao::Device(session.device), bytes, [](const qiao_variant&) { throw 5; }), int);
    }

    TEST_CASE("arguments are checked") {
        Session session;
        const auto package = package_of({"fill"});
        qiao_program_desc desc = desc_of(package);
        CHECK_FAILS(qiao_program_explain(session.device, &desc, nullptr, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "callback");
        CHECK_FAILS(qiao_program_explain(session.device, nullptr, hear, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "desc");
        desc.size_bytes = 10;
        CHECK_FAILS(qiao_program_explain(session.device, &desc, hear, nullptr), QIAO_ERROR_PACKAGE, "given.qpk");
    }
}

TEST_SUITE("program.choice") {
    TEST_CASE("where nothing fits the error says what explain says, and which device would do") {
        Session session;
        qiao::package::Writer made = writer();
        made.remove_source();
        made.remove_variant(0);
        add(made, "no-such-format", "anywhere");
        add(made, first_format(session), "far", kUnknown);
        const auto package = finish(made);
        const qiao_program_desc desc = desc_of(package);
        auto* program = reinterpret_cast<qiao_program*>(uintptr_t{8});
        CHECK(qiao_program_create_from_package(session.device, &desc, &program) == QIAO_ERROR_UNSUPPORTED);
        CHECK(program == nullptr);
        const Failure failure = last_failure();
        for (const Said& said : explain(session, package)) CHECK(failure.message.find(said.format + " " + said.target + ": " + said.reason) != std::string::npos);
        CHECK(failure.message.find(session.properties.id) != std::string::npos);
        CHECK(failure.remedy.find(session.properties.formats) != std::string::npos);
        check_works(session);
    }

    TEST_CASE("code for another machine never reaches the device") {
        Session session;
        qiao::package::Writer made = writer();
        made.remove_source();
        made.remove_variant(0);
        for (const char* format : {"host-elf", "spirv-vulkan", "spirv-opencl"}) add(made, format, "");
        for (const Said& said : explain(session, finish(made))) CHECK(said.verdict == QIAO_VERDICT_REFUSED);
    }
}

TEST_SUITE("program.tie") {
    TEST_CASE("of equal variants the first in the package is taken") {
        Session session;
        qiao::package::Writer made = writer();
        made.remove_source();
        add(made, "fixture", "second");
        const auto package = finish(made);
        const auto said = explain(session, package);
        REQUIRE(said.size() == 2);
        CHECK(said[0].verdict == QIAO_VERDICT_TAKEN);
        CHECK(said[1].verdict == QIAO_VERDICT_WORSE);
        CHECK(said[1].reason == "fixture comes first in the package");
        const qiao_program_desc desc = desc_of(package);
        qiao_program* loaded = nullptr;
        REQUIRE_OK(qiao_program_create_from_package(session.device, &desc, &loaded));
        const Program program(loaded);
        qiao_program_properties properties = QIAO_PROGRAM_PROPERTIES_INIT;
        REQUIRE_OK(qiao_program_query(loaded, &properties));
        CHECK(std::string(properties.selection) == "fixture: taken (score 1)\nfixture second: not taken (score 1): fixture comes first in the package");
    }
}

TEST_SUITE("program.want_of_variants") {
    TEST_CASE("the package's source is compiled where no variant fits") {
        Session session;
        qiao::package::Writer made = writer();
        while (!made.variants().empty()) made.remove_variant(0);
        add(made, "no-such-format", "anywhere");
        const auto package = finish(made);
        const qiao_program_desc desc = desc_of(package);
        qiao_program* loaded = nullptr;
        REQUIRE_OK(qiao_program_create_from_package(session.device, &desc, &loaded));
        const Program program(loaded);
        qiao_program_properties properties = QIAO_PROGRAM_PROPERTIES_INIT;
        REQUIRE_OK(qiao_program_query(loaded, &properties));
        CHECK(std::string(properties.selection).find("no-such-format anywhere: not a format") != std::string::npos);
        CHECK(std::string(properties.selection).find("source was compiled for the device") != std::string::npos);
        check_fills(session, program);
    }
}

TEST_SUITE("program.create_from_package_file") {
    TEST_CASE("a package is mapped, and may be replaced while its program lives") {
        Session session;
        const TemporaryFolder folder;
        const auto path = std::filesystem::path(folder.path()) / "k.qpk";
        write(path, package_of({"add", "fill"}));
        qiao_program* loaded = nullptr;
        REQUIRE_OK(qiao_program_create_from_package_file(session.device, path.c_str(), &loaded));
        const Program program(loaded);
        write(std::filesystem::path(folder.path()) / "new", std::vector<std::byte>(10));
        std::filesystem::rename(std::filesystem::path(folder.path()) / "new", path);
        check_fills(session, program);
    }

    TEST_CASE("files that are no packages") {
        Session session;
        const TemporaryFolder folder;
        const auto path = std::filesystem::path(folder.path()) / "k.qpk";
        auto* program = reinterpret_cast<qiao_program*>(uintptr_t{8});
        CHECK_FAILS(qiao_program_create_from_package_file(session.device, path.c_str(), &program), QIAO_ERROR_IO, "k.qpk", "No such file");
        CHECK(program == nullptr);
        write(path, std::vector<std::byte>(100));
        CHECK_FAILS(qiao_program_create_from_package_file(session.device, path.c_str(), &program), QIAO_ERROR_PACKAGE, "k.qpk", "magic");
        write(path, {});
        CHECK_FAILS(qiao_program_create_from_package_file(session.device, path.c_str(), &program), QIAO_ERROR_PACKAGE, "it is empty");
        CHECK_FAILS(qiao_program_create_from_package_file(session.device, nullptr, &program), QIAO_ERROR_INVALID_ARGUMENT, "path");
        check_works(session);
    }
}
