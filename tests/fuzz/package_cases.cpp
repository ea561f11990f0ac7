// Packages: whole ones, cut ones, ones from elsewhere, and ones that are wrong where every digest is right. Behind them, code
// that is in no package: the looks of code are fuzzed with the same inputs.
#include <cstring>

#include "cases.h"
#include "package/concat.h"
#include "unit/package/craft.h"

using namespace qiao::package;
using sample::Bytes;

namespace {

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Kernel kernel(std::string name, std::vector<Argument> arguments) {
    Kernel made;
    made.name = std::move(name);
    made.arguments = std::move(arguments);
    return *lay_out(std::move(made));
}

Kernel first() {
    return kernel("first", {sample::address("x", QIAO_ACCESS_READ), sample::local("l"), sample::value("n", "int", 4)});
}

Variant host_variant(std::string target) {
    Variant variant;
    variant.format = "host-elf";
    variant.target = std::move(target);
    return variant;
}

Writer all_kinds() {
    Writer writer;
    writer.set_source("all.cl", "kernel void first() {}", "-cl-std=CL1.2");
    writer.add_kernel(first());
    writer.add_kernel(kernel("second", {sample::value("v", "float4", 16)}));
    writer.add_source_variant(QIAO_FEATURE_FP64);
    for (const char* target : {"x86_64-v2", "x86_64-v3"}) {
        Variant variant = host_variant(target);
        variant.metadata = {"auto_local=64", ""};
        writer.add_variant(variant, Bytes(70, std::byte{0x7f}));
    }
    return writer;
}

Bytes whole() {
    return *all_kinds().finish();
}

/* A manifest of one kernel and two contents side by side, and the package of it. */
struct Crafted {
    static constexpr uint64_t kSize = 100;
    Manifest manifest;
    uint64_t begin = 0, end = 0;

    Crafted() {
        manifest.kernels = {first()};
        for (const char* target : {"a", "b"}) {
            manifest.variants.push_back(host_variant(target));
            manifest.variants.back().metadata = {""};
            manifest.extents.push_back({0, kSize, sha256(Bytes(kSize))});
        }
        begin = align_up(kHeadBytes + serialise_manifest(manifest).size(), kContentAlignment);
        manifest.extents[0].offset = begin;
        manifest.extents[1].offset = align_up(begin + kSize, kContentAlignment);
        end = manifest.extents[1].offset + kSize;
    }
    Bytes bytes() const { return sample::assemble(manifest, end); }
};

std::string with_extent(void (*damage)(Crafted&)) {
    Crafted crafted;
    damage(crafted);
    return text_of(crafted.bytes());
}

std::string with_kernel(void (*damage)(Kernel&)) {
    Manifest manifest;
    manifest.kernels = {first()};
    damage(manifest.kernels[0]);
    return text_of(sample::assemble(manifest));
}

std::string with_source(std::string_view stored, uint64_t size) {
    Manifest manifest;
    manifest.has_source = true;
    manifest.source_size = size;
    manifest.source = {0, stored.size(), sha256(sample::bytes_of(stored))};
    manifest.source.offset = align_up(kHeadBytes + serialise_manifest(manifest).size(), kContentAlignment);
    Bytes bytes = sample::assemble(manifest, manifest.source.offset);
    const Bytes content = sample::bytes_of(stored);
    bytes.insert(bytes.end(), content.begin(), content.end());
    sample::seal(bytes, load_little_endian<uint64_t>(&bytes[24]));
    return text_of(bytes);
}

std::string with_number(size_t offset, uint64_t number, size_t width) {
    std::string text = text_of(whole());
    for (size_t i = 0; i < width; ++i)
        text[offset + i] = static_cast<char>(number >> (8 * i));
    return text;
}

/* The manifest's own bytes overwritten, with a true digest. */
std::string with_structure(uint64_t offset, uint32_t number) {
    Bytes bytes = whole();
    store_little_endian<uint32_t>(&bytes[kHeadBytes + offset], number);
    sample::seal(bytes, load_little_endian<uint64_t>(&bytes[24]));
    return text_of(bytes);
}

std::string swapped_numbers() {
    std::string text = text_of(whole());
    for (const auto& [offset, width] : {std::pair<size_t, size_t>{8, 4}, {12, 4}, {16, 8}, {24, 8}})
        std::reverse(&text[offset], &text[offset + width]);
    return text;
}

std::string without_returns() {
    std::string text = text_of(whole());
    std::erase(text, '\r');
    return text;
}

/* Behind a head's length of nothing, where the repair of heads does not reach. */
std::string code(std::vector<uint32_t> words, std::string_view text = "", bool swapped = false) {
    std::string bytes(kHeadBytes, '\0');
    for (const uint32_t word : words)
        for (size_t i = 0; i < 4; ++i)
            bytes.push_back(static_cast<char>(word >> (8 * (swapped ? 3 - i : i))));
    bytes += text;
    bytes += '\0';
    return bytes;
}

const std::vector<uint32_t> kSpirv = {0x07230203, 0x00010500, 0, 9, 0, 5u << 16 | 15, 5, 1, 0x73726966, 0x74, 5u << 16 | 54, 1, 2, 0, 3};
const std::vector<uint32_t> kElf = {0x464c457f, 0x00010102, 0, 0, 0x003e0003, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
constexpr const char* kEntry = "_pocl_kernel_first_workgroup";

std::string refusal_of(std::string_view bytes) {
    const auto package = Package::open(std::as_bytes(std::span(bytes)));
    if (!package) return package.error().message;
    const auto verified = package->verify();
    return verified ? "" : verified.error().message;
}

} // namespace

Corpus package_corpus() {
    Writer small;
    small.add_kernel(kernel("empty", {}));
    Writer one_level = all_kinds();
    one_level.remove_variant(1);
    const std::string all = text_of(whole());
    const uint64_t manifest_end = kHeadBytes + load_little_endian<uint64_t>(std::as_bytes(std::span(all)).data() + 24);
    const std::string unaligned_code = code(kSpirv).substr(0, kHeadBytes + 4 * kSpirv.size() - 1);
    std::string wrong_content = all, wrong_source = all, wrong_manifest = all;
    wrong_manifest[40] ^= 1;
    wrong_content[all.find('\x7f', manifest_end) + 5] ^= 1;
    wrong_source.back() ^= 1;

    std::vector<Case> cases = {
        {"whole-no-arguments.qpk", text_of(*small.finish()), ""},
        {"whole-all-kinds.qpk", all, ""},
        {"whole-one-level.qpk", text_of(*one_level.finish()), ""},
        {"whole-crafted.qpk", text_of(Crafted().bytes()), ""},

        {"truncated-nothing-left.qpk", "", "not a kernel package: 0 bytes"},
        {"truncated-head.qpk", all.substr(0, kHeadBytes - 1), "not a kernel package: 63 bytes"},
        {"truncated-after-head.qpk", all.substr(0, kHeadBytes), "says that it has"},
        {"truncated-manifest.qpk", all.substr(0, manifest_end - 9), "says that it has"},
        {"truncated-content.qpk", all.substr(0, all.size() - 1), "says that it has"},
        {"extended.qpk", all + '\0', "says that it has"},

        {"foreign-byte-order.qpk", swapped_numbers(), "big-endian"},
        {"foreign-byte-order-mark.qpk", with_number(8, 7, 4), "byte order mark is 7"},
        {"foreign-version.qpk", with_number(12, 2, 4), "format version 2"},
        {"foreign-line-endings.qpk", without_returns(), "magic"},

        {"digest-of-manifest.qpk", wrong_manifest, "manifest's digest"},
        {"digest-of-variant.qpk", wrong_content, "has another digest"},
        {"digest-of-source.qpk", wrong_source, "source has another digest"},

        {"oversized-manifest.qpk", with_number(24, UINT64_MAX, 8), "a manifest of 18446744073709551615 bytes"},
        {"oversized-content.qpk", with_extent([](Crafted& c) { c.manifest.extents[1].size = UINT64_MAX; }), "leaves the package"},
        {"oversized-offset.qpk", with_extent([](Crafted& c) { c.manifest.extents[1].offset = UINT64_MAX - 63; }), "leaves the package"},
        {"oversized-source.qpk", with_source("not zstd at all", kMaxSourceBytes + 1), "the limit is 16777216"},
        {"oversized-argument.qpk", with_kernel([](Kernel& k) { k.arguments[2].size = UINT32_MAX; }), "leaves the block"},
        {"oversized-argument-offset.qpk", with_kernel([](Kernel& k) { k.arguments[2].offset = UINT32_MAX - 3; }), "leaves the block"},
        {"oversized-block.qpk", with_kernel([](Kernel& k) { k.block_size = QIAO_MAX_ARGUMENT_BYTES + 1; }), "the limit is 4096"},
        {"oversized-root.qpk", with_structure(0, UINT32_MAX), "does not verify"},
        {"undersized-root.qpk", with_structure(0, 0), "does not verify"},

        {"overlapping-contents.qpk", with_extent([](Crafted& c) { c.manifest.extents[1].offset = c.begin + 64; }), "overlaps what ends at"},
        {"overlapping-equal-contents.qpk", with_extent([](Crafted& c) { c.manifest.extents[1].offset = c.begin; }), "overlaps what ends at"},
        {"overlapping-head.qpk", with_extent([](Crafted& c) { c.manifest.extents[0].offset = 0; }), "overlaps what ends at"},
        {"overlapping-arguments.qpk", with_kernel([](Kernel& k) { k.arguments[2].offset = 4; }), "inside or before"},
        {"content-unaligned.qpk", with_extent([](Crafted& c) { c.manifest.extents[0].offset += 1; }), "not aligned"},
        {"content-empty.qpk", with_extent([](Crafted& c) { c.manifest.extents[0].size = 0; }), "empty content"},
        {"content-unaccounted.qpk", with_extent([](Crafted& c) { c.end += 1; }), "unaccounted bytes"},
        {"content-is-no-source.qpk", with_extent([](Crafted& c) { c.manifest.variants[1].is_source = true; }), "a source that is not there"},
        {"source-is-no-zstd.qpk", with_source("not zstd at all", 10), "does not have the 10 bytes"},

        {"argument-unknown-kind.qpk", with_kernel([](Kernel& k) { k.arguments[2].kind = 3; }), "unknown kind 3"},
        {"argument-alignment.qpk", with_kernel([](Kernel& k) { k.arguments[2].alignment = 3; }), "not a power of two"},
        {"argument-zero-size.qpk", with_kernel([](Kernel& k) { k.arguments[2].size = 0; }), "has size 0"},
        {"kernel-name.qpk", with_kernel([](Kernel& k) { k.name = "a-b"; }), "is not a kernel's name"},
        {"kernel-empty-group.qpk", with_kernel([](Kernel& k) { k.required_group[0] = 64; }), "requires a group of 64 x 0 x 0"},
    };
    // No package either, and refused as such.
    constexpr const char* kMagicMissing = "magic";
    for (Case each : {Case{"code-spirv.bin", code(kSpirv), ""}, Case{"code-spirv-swapped.bin", code(kSpirv, "", true), ""},
                      Case{"code-spirv-cut.bin", unaligned_code, ""}, Case{"code-elf.bin", code(kElf, kEntry), ""},
                      Case{"code-elf-swapped.bin", code({0x464c457f, 0x00010202}, kEntry), ""},
                      Case{"code-ptx.bin", code({}, ".version 7.0 .target sm_70 .visible .entry first("), ""}}) {
        each.refusal = kMagicMissing;
        cases.push_back(std::move(each));
    }
    return {"package", std::move(cases), refusal_of};
}
