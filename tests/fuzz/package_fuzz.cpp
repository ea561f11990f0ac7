// The package reader under any bytes: it refuses them with a message, or everything in them can be used and written again.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "driver.h"
#include "package/content.h"
#include "unit/package/craft.h"

using namespace qiao::package;

namespace {

volatile std::byte sink;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "fuzz.package: %s\n", what);
    std::abort();
}

/* Only that it ends, and looks at nothing beyond the end. */
void look_at_code(std::span<const std::byte> bytes) {
    static const std::vector<Kernel> kernels = [] {
        Kernel kernel;
        kernel.name = "first";
        return std::vector{kernel};
    }();
    for (const char* format : {"host-elf", "spirv-vulkan", "spirv-opencl+offset", "ptx", "cubin", "amdgcn"}) {
        Variant variant;
        variant.format = format;
        const auto error = check_content(variant, kernels, bytes);
        require(!error || (!error->message.empty() && !error->remedy.empty()), "code refused without its reason");
    }
}

} // namespace

/* The head is made true for whatever stands behind it, as far as it goes. */
void fuzz_repair(std::vector<uint8_t>& input) {
    if (input.size() < kHeadBytes) return;
    const auto bytes = std::as_writable_bytes(std::span(input));
    const auto size = load_little_endian<uint64_t>(&bytes[24]);
    sample::seal(bytes, std::min<uint64_t>(size, bytes.size() - kHeadBytes));
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
    look_at_code(bytes.subspan(std::min<size_t>(size, kHeadBytes)));
    const auto package = Package::open(bytes);
    if (!package) {
        require(!package.error().message.empty() && !package.error().remedy.empty(), "a refusal without its reason");
        return 0;
    }
    for (const Kernel& each : package->kernels()) {
        require(each.block_size <= QIAO_MAX_ARGUMENT_BYTES && each.arguments.size() <= QIAO_MAX_ARGUMENTS, "limits");
        for (const Argument& one : each.arguments)
            require(uint64_t{one.offset} + one.size <= each.block_size, "an argument leaves its block");
    }
    for (size_t i = 0; i < package->variants().size(); ++i) {
        require(package->variants()[i].metadata.size() == package->kernels().size(), "metadata without its kernel");
        const auto blob = package->read(i);
        // Every byte that is handed out can be read.
        for (size_t at = 0; blob && at < blob->bytes.size(); ++at)
            sink = blob->bytes[at];
    }
    const auto verified = package->verify();
    const auto writer = Writer::from(*package);
    require(static_cast<bool>(verified) == static_cast<bool>(writer), "verify and copy disagree");
    if (!writer) return 0;
    const auto copy = writer->finish();
    require(static_cast<bool>(copy), "what was read cannot be written");
    const auto again = Package::open(*copy);
    require(again && again->kernels() == package->kernels() && again->variants() == package->variants(),
            "a copy differs from its package");
    return 0;
}
