// The source of all kernels is compiled once in a process, and kept in the cache on disk; packages of some of them take that code.
#include "images.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <sstream>

#include "fakes/families/image/maker.h"
#include "package/package.h"
#include "qiao/compiler.h"

namespace api {
namespace {

using qiao::package::Package;

struct HostCode {
    std::vector<std::byte> bytes;
    std::unique_ptr<Package> package;
};

HostCode compile(const std::string& source) {
    qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
    desc.source = source.data();
    desc.source_size = source.size();
    desc.formats = "host-elf";
    desc.flags = QIAO_COMPILER_THIS_PROCESSOR;
    qiao_compiler_output* output = nullptr;
    const qiao_status status = qiao_compiler_compile(&desc, &output);
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    qiao_compiler_output_query(output, &result);
    INFO(std::string(result.message), std::string(result.log));
    REQUIRE(status == QIAO_OK);
    const auto* bytes = static_cast<const std::byte*>(result.package);
    HostCode code;
    code.bytes.assign(bytes, bytes + result.package_size);
    qiao_compiler_output_release(output);
    auto package = Package::open(code.bytes);
    REQUIRE(package);
    code.package = std::make_unique<Package>(*package);
    return code;
}

// Adds the host's variant, with the metadata of the package's own kernels. False where one of them was not compiled.
bool add_host_variant(const Package& package, const Package& host, qiao::package::Writer& writer) {
    for (size_t index = 0; index < host.variants().size(); ++index) {
        if (host.variants()[index].format != "host-elf") continue;
        qiao::package::Variant variant = host.variants()[index];
        variant.metadata.clear();
        for (const auto& kernel : package.kernels()) {
            size_t at = 0;
            while (at < host.kernels().size() && host.kernels()[at].name != kernel.name) ++at;
            if (at == host.kernels().size()) return false;
            variant.metadata.push_back(host.variants()[index].metadata.at(at));
        }
        const auto code = host.read(index);
        REQUIRE(code);
        writer.add_variant(variant, {code->bytes.begin(), code->bytes.end()});
        return true;
    }
    return false;
}

}  // namespace

bool makes_images() {
    return std::getenv("QIAO_TEST_IMAGES") != nullptr;
}

std::vector<std::byte> with_image(std::vector<std::byte> bytes, const std::string& source) {
    if (!makes_images()) return bytes;
    static const HostCode host = compile(source);
    const auto package = Package::open(bytes);
    REQUIRE(package);
    auto writer = qiao::package::Writer::from(*package);
    REQUIRE(writer);
    if (!add_host_variant(*package, *host.package, *writer)) return bytes;
    auto made = writer->finish();
    REQUIRE(made);
    std::istringstream families(std::getenv("QIAO_TEST_IMAGES"));
    for (std::string family; std::getline(families, family, ',');) {
        const auto opened = Package::open(*made);
        REQUIRE(opened);
        const fakes::image::Style* style = fakes::image::style_of(family);
        REQUIRE(style != nullptr);
        std::string reason;
        const auto with_family = fakes::image::with_variant(*opened, *style, reason);
        INFO(reason);
        REQUIRE(with_family);
        *made = *with_family;
    }
    return *made;
}

}  // namespace api
