// Compiles through the compiler library, as the core does. See support.h.
#include "support.h"


#include <cstdlib>
#include <cstring>
#include <numeric>

#include "qiao/compiler.h"

namespace test {

const char* format() {
    const char* value = std::getenv("QIAO_TEST_VULKAN_FORMAT");
    return value != nullptr ? value : "spirv-vulkan";
}

Compiled compile(const std::string& source, const char* options) {
    qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
    desc.source = source.data();
    desc.source_size = source.size();
    desc.options = options;
    desc.formats = format();
    qiao_compiler_output* output = nullptr;
    qiao_compiler_compile(&desc, &output);
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    REQUIRE(qiao_compiler_output_query(output, &result) == QIAO_OK);
    INFO(std::string(result.message) << "\n" << result.log);
    REQUIRE(result.status == QIAO_OK);
    const auto package =
        qiao::package::Package::open({static_cast<const std::byte*>(result.package), result.package_size});
    REQUIRE(package);
    Compiled compiled;
    compiled.kernels = package->kernels();
    for (size_t i = 0; i < package->variants().size(); ++i) {
        const auto& variant = package->variants()[i];
        if (variant.format != format()) continue;
        const auto blob = package->read(i);
        REQUIRE(blob);
        compiled.bytes.assign(blob->bytes.begin(), blob->bytes.end());
        compiled.metadata = variant.metadata;
        compiled.features = variant.features;
    }
    qiao_compiler_output_release(output);
    return compiled;
}

qiao_plugin_program_desc describe(const Compiled& compiled) {
    qiao_plugin_program_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.format = format();
    desc.target = "";
    desc.tool = "test";
    desc.data = compiled.bytes.data();
    desc.size_bytes = compiled.bytes.size();
    desc.features = compiled.features;
    return desc;
}

Fixture::Fixture() {
    INFO(host.take_error().message);
    REQUIRE(device.opened == QIAO_OK);
}

Fixture::~Fixture() {
    owned.reset(); // what was left behind is found then
    const std::string log = host.log_text();
    CHECK(log.find("Vulkan: ") == std::string::npos);
    if (log.find("Vulkan: ") != std::string::npos) MESSAGE(log);
}

Program::Program(Device& device, const std::string& source) : device_(device), compiled_(compile(source)) {
    const qiao_status status = device_.try_load(describe(compiled_), &program_);
    INFO((status == QIAO_OK ? "" : device_.host.take_error().message));
    REQUIRE(status == QIAO_OK);
    for (size_t i = 0; i < compiled_.kernels.size(); ++i) {
        Layout& layout = layouts_.emplace_back();
        for (const auto& argument : compiled_.kernels[i].arguments) {
            if (argument.kind == QIAO_ARGUMENT_KIND_LOCAL)
                layout.local();
            else if (argument.kind == QIAO_ARGUMENT_KIND_ADDRESS)
                layout.address();
            else
                layout.value(argument.size, argument.alignment);
        }
        layout.metadata(compiled_.metadata[i]).required_group(compiled_.kernels[i].required_group);
    }
}

Program::~Program() {
    device_.tables->program->program_unload(device_.device, program_);
}

size_t Program::index_of(const char* name) const {
    for (size_t i = 0; i < compiled_.kernels.size(); ++i)
        if (compiled_.kernels[i].name == name) return i;
    FAIL("no kernel ", name);
    return 0;
}

const Layout& Program::layout(const char* name) {
    return layouts_[index_of(name)];
}

qiao_plugin_kernel Program::kernel(const char* name) {
    const bool offsets = std::string(format()).ends_with("+offset");
    return layouts_[index_of(name)].find(device_, program_, (name + std::string(offsets ? "__at" : "")).c_str());
}

std::vector<uint32_t> iota(size_t count, uint32_t first) {
    std::vector<uint32_t> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
}

} // namespace test
