// The package reader under any bytes: it refuses them with a message, or everything in them can be used and written again.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "driver.h"
#include "package/content.h"
#include "package/format.h"

using namespace qiao::package;

namespace {

volatile std::byte sink;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "fuzz.package: %s\n", what);
    std::abort();
}

Argument argument(const char* name, qiao_argument_kind kind, uint32_t size) {
    return {name, kind == QIAO_ARGUMENT_KIND_LOCAL ? "local int*" : "int", kind, 0, 0, size, size};
}

Kernel kernel(const char* name, std::vector<Argument> arguments) {
    Kernel made;
    made.name = name;
    made.arguments = std::move(arguments);
    return *lay_out(std::move(made));
}

std::vector<uint8_t> finished(const Writer& writer) {
    const auto bytes = writer.finish();
    require(static_cast<bool>(bytes), "a seed could not be written");
    const auto* data = reinterpret_cast<const uint8_t*>(bytes->data());
    return {data, data + bytes->size()};
}

/* Behind a head's length of nothing, where the repair of heads does not reach: code whose looks are checked. */
std::vector<uint8_t> code(std::vector<uint32_t> words, const char* text) {
    std::vector<uint8_t> bytes(kHeadBytes);
    for (const uint32_t word : words) {
        bytes.resize(bytes.size() + 4);
        std::memcpy(bytes.data() + bytes.size() - 4, &word, 4);
    }
    bytes.insert(bytes.end(), text, text + std::strlen(text) + 1);
    return bytes;
}

/* Only that it ends, and looks at nothing beyond the end. */
void look_at_code(std::span<const std::byte> bytes) {
    static const std::vector<Kernel> kernels = {kernel("first", {})};
    for (const char* format : {"host-elf", "spirv-vulkan", "spirv-opencl+offset", "ptx", "cubin", "amdgcn"}) {
        Variant variant;
        variant.format = format;
        const auto error = check_content(variant, kernels, bytes);
        require(!error || (!error->message.empty() && !error->remedy.empty()), "code refused without its reason");
    }
}

} // namespace

std::vector<std::vector<uint8_t>> fuzz_seeds() {
    std::vector<std::vector<uint8_t>> seeds;
    Writer small;
    small.add_kernel(kernel("empty", {}));
    seeds.push_back(finished(small));
    Writer full;
    full.set_source("all.cl", "kernel void first() {}", "-cl-std=CL1.2");
    full.add_kernel(kernel("first", {argument("x", QIAO_ARGUMENT_KIND_ADDRESS, 8), argument("l", 2u, 4),
                                     argument("n", QIAO_ARGUMENT_KIND_VALUE, 4)}));
    full.add_kernel(kernel("second", {argument("v", QIAO_ARGUMENT_KIND_VALUE, 16)}));
    full.add_source_variant(QIAO_FEATURE_FP64);
    for (const char* target : {"x86_64-v2", "x86_64-v3"}) {
        Variant variant;
        variant.format = "host-elf";
        variant.target = target;
        variant.metadata = {"auto_local=64", ""};
        full.add_variant(variant, std::vector<std::byte>(70, std::byte{0x7f}));
    }
    seeds.push_back(finished(full));
    full.remove_variant(1);
    seeds.push_back(finished(full));
    seeds.push_back(code({0x07230203, 0x00010500, 0, 9, 0, 5u << 16 | 15, 5, 1, 0x73726966, 0x74, 5u << 16 | 54, 1, 2, 0, 3}, ""));
    seeds.push_back(code({0x464c457f, 0x00010102, 0, 0, 0x003e0003, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "_pocl_kernel_first_workgroup"));
    seeds.push_back(code({}, ".version 7.0 .target sm_70 .visible .entry first("));
    return seeds;
}

/* The head is made true for whatever stands behind it, as far as it goes. */
void fuzz_repair(std::vector<uint8_t>& input) {
    if (input.size() < kHeadBytes) return;
    auto* bytes = reinterpret_cast<std::byte*>(input.data());
    std::copy(kMagic.begin(), kMagic.end(), input.begin());
    store_little_endian<uint32_t>(&bytes[8], kByteOrderMark);
    store_little_endian<uint32_t>(&bytes[12], kVersion);
    store_little_endian<uint64_t>(&bytes[16], input.size());
    const uint64_t size = std::min<uint64_t>(load_little_endian<uint64_t>(&bytes[24]), input.size() - kHeadBytes);
    store_little_endian<uint64_t>(&bytes[24], size);
    const Digest digest = sha256({bytes + kHeadBytes, size});
    std::copy(digest.begin(), digest.end(), input.begin() + 32);
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
