// Packages that are damaged, or wrong on purpose with every digest right: each is refused with its own message.
#include <zstd.h>

#include <functional>

#include "manifest_generated.h"
#include "sample.h"

using namespace qiao::package;

namespace {

std::string refusal(std::span<const std::byte> bytes) {
    const auto package = Package::open(bytes);
    if (!package) {
        CHECK_FALSE(package.error().remedy.empty());
        return package.error().message;
    }
    const auto verified = package->verify();
    return verified ? "" : verified.error().message;
}

bool says(const std::string& message, std::string_view part) {
    CAPTURE(message);
    return message.find(part) != std::string::npos;
}

/* A manifest with one kernel and one content, and where its content may stand. */
struct Crafted {
    Manifest manifest;
    uint64_t begin = 0; /* first aligned offset behind the manifest */

    Crafted() {
        manifest.kernels = {sample::scale()};
        Variant variant;
        variant.format = "host-elf";
        variant.target = "any";
        variant.metadata = {""};
        manifest.variants = {variant};
        manifest.extents = {{0, 100, sha256(sample::Bytes(100))}};
        begin = align_up(kHeadBytes + serialise_manifest(manifest).size(), kContentAlignment);
        manifest.extents[0].offset = begin;
    }
    sample::Bytes bytes(uint64_t extra = 0) const { return sample::assemble(manifest, begin + 100 + extra); }
};

std::string refusal_of_kernel(const std::function<void(Kernel&)>& damage) {
    Crafted crafted;
    damage(crafted.manifest.kernels[0]);
    return refusal(crafted.bytes());
}

/* A package whose source is stored as `stored` and declared to have `size` bytes. */
sample::Bytes with_source(const std::vector<std::byte>& stored, uint64_t size) {
    Manifest manifest;
    manifest.has_source = true;
    manifest.source_size = size;
    manifest.source = {0, stored.size(), sha256(stored)};
    const uint64_t begin = align_up(kHeadBytes + serialise_manifest(manifest).size(), kContentAlignment);
    manifest.source.offset = begin;
    auto bytes = sample::assemble(manifest, begin + stored.size());
    std::copy(stored.begin(), stored.end(), bytes.begin() + static_cast<std::ptrdiff_t>(begin));
    return bytes;
}

std::vector<std::byte> compressed(const std::string& text) {
    std::vector<std::byte> stored(ZSTD_compressBound(text.size()));
    stored.resize(ZSTD_compress(stored.data(), stored.size(), text.data(), text.size(), 3));
    return stored;
}

/* A package whose only variant is the source and lists these kernels, while the package has "a" and "b". */
sample::Bytes with_variant_kernels(const std::vector<const char*>& names) {
    flatbuffers::FlatBufferBuilder builder;
    std::vector<flatbuffers::Offset<schema::Kernel>> kernels;
    for (const char* name : {"a", "b"})
        kernels.push_back(schema::CreateKernelDirect(builder, name));
    std::vector<flatbuffers::Offset<schema::VariantKernel>> listed;
    for (const char* name : names)
        listed.push_back(schema::CreateVariantKernelDirect(builder, name));
    const std::vector variants = {schema::CreateVariantDirect(builder, "opencl-c", "", "", 0, &listed)};
    const auto stored = compressed("kernel void a() {}");
    const Digest digest = sha256(stored);
    const uint64_t begin = 1024; /* the manifest is smaller; what is between is part of it */
    const schema::Extent content(begin, stored.size(), schema::Digest(flatbuffers::span<const uint8_t, 32>(digest)));
    const auto source = schema::CreateSourceDirect(builder, "a.cl", "", 18, &content);
    schema::FinishManifestBuffer(builder, schema::CreateManifestDirect(builder, &kernels, &variants, source));
    sample::Bytes bytes(begin);
    REQUIRE(builder.GetSize() < begin - kHeadBytes);
    std::memcpy(&bytes[kHeadBytes], builder.GetBufferPointer(), builder.GetSize());
    bytes.insert(bytes.end(), stored.begin(), stored.end());
    sample::seal(bytes, begin - kHeadBytes);
    return bytes;
}

} // namespace

TEST_SUITE("package.damage") {
    TEST_CASE("every variant has every kernel, once") {
        CHECK(refusal(with_variant_kernels({"b", "a"})) == "");
        CHECK(says(refusal(with_variant_kernels({"a"})), "variant 'opencl-c' for '' lacks kernel 'b'"));
        CHECK(says(refusal(with_variant_kernels({"a", "c"})), "has the unknown kernel 'c'"));
        CHECK(says(refusal(with_variant_kernels({"b", "b"})), "has kernel 'b' twice"));
        CHECK(says(refusal(with_variant_kernels({"a", "b", "a"})), "lists 3 kernels, the package has 2"));
    }

    TEST_CASE("the crafted package is whole before it is damaged") {
        CHECK(refusal(Crafted().bytes()) == "");
    }

    TEST_CASE("every truncation is refused") {
        const auto bytes = sample::package();
        for (size_t size = 0; size < bytes.size(); ++size) {
            CAPTURE(size);
            CHECK_FALSE(Package::open(std::span(bytes).first(size)));
        }
    }

    TEST_CASE("bytes behind the end are refused") {
        auto bytes = sample::package();
        bytes.push_back(std::byte{0});
        CHECK(says(refusal(bytes), "says that it has"));
    }

    TEST_CASE("every flipped bit is found") {
        const auto whole = sample::package();
        for (size_t at = 0; at < whole.size(); ++at) {
            auto bytes = whole;
            bytes[at] ^= std::byte{static_cast<unsigned char>(1u << (at % 8))};
            CAPTURE(at);
            CHECK(refusal(bytes) != "");
        }
    }

    TEST_CASE("the head is checked field by field") {
        auto bytes = sample::package();
        CHECK(says(refusal({}), "not a kernel package: 0 bytes"));
        bytes[0] = std::byte{'Q'};
        CHECK(says(refusal(bytes), "magic"));

        bytes = sample::package();
        store_little_endian<uint32_t>(&bytes[8], 0x04030201);
        CHECK(says(refusal(bytes), "big-endian"));
        store_little_endian<uint32_t>(&bytes[8], 7);
        CHECK(says(refusal(bytes), "byte order mark is 7"));

        bytes = sample::package();
        store_little_endian<uint32_t>(&bytes[12], 2);
        CHECK(says(refusal(bytes), "format version 2, this reader knows 1"));

        bytes = sample::package();
        store_little_endian<uint64_t>(&bytes[24], UINT64_MAX);
        CHECK(says(refusal(bytes), "a manifest of 18446744073709551615 bytes"));
        store_little_endian<uint64_t>(&bytes[24], 0);
        CHECK(says(refusal(bytes), "manifest's digest"));
        sample::seal(bytes, 0);
        CHECK(says(refusal(bytes), "does not verify"));
    }

    TEST_CASE("line endings changed on the way are found") {
        const auto whole = sample::package();
        sample::Bytes bytes;
        for (const std::byte byte : whole) {
            if (byte != std::byte{'\r'}) bytes.push_back(byte);
        }
        CHECK(says(refusal(bytes), "line endings") == false);
        CHECK(says(Package::open(bytes).error().remedy, "line endings"));
    }

    TEST_CASE("contents stay inside, apart and accounted for") {
        Crafted crafted;
        Extent& extent = crafted.manifest.extents[0];
        extent.offset = crafted.begin + 64;
        CHECK(says(refusal(crafted.bytes()), "leaves the package"));
        extent.offset = UINT64_MAX - 63;
        CHECK(says(refusal(crafted.bytes()), "leaves the package"));
        extent.offset = crafted.begin + 1;
        CHECK(says(refusal(crafted.bytes()), "not aligned"));
        extent.offset = 0;
        CHECK(says(refusal(crafted.bytes()), "overlaps"));
        extent = Crafted().manifest.extents[0];
        extent.size = 0;
        CHECK(says(refusal(crafted.bytes()), "empty content"));
        extent.size = UINT64_MAX;
        CHECK(says(refusal(crafted.bytes()), "leaves the package"));
        CHECK(says(refusal(Crafted().bytes(1)), "unaccounted bytes"));
        extent = Crafted().manifest.extents[0];
        extent.offset += 128;
        CHECK(says(refusal(crafted.bytes(128)), "unaccounted bytes"));
    }

    TEST_CASE("two contents may not overlap") {
        Crafted crafted;
        crafted.manifest.variants.push_back(crafted.manifest.variants[0]);
        crafted.manifest.extents.push_back(crafted.manifest.extents[0]);
        const uint64_t begin = align_up(kHeadBytes + serialise_manifest(crafted.manifest).size(), kContentAlignment);
        crafted.manifest.extents[0].offset = begin;
        crafted.manifest.extents[1].offset = begin + 64;
        CHECK(says(refusal(sample::assemble(crafted.manifest, begin + 164)), "overlaps what ends at"));
    }

    TEST_CASE("a content with another digest is never handed out") {
        Crafted crafted;
        crafted.manifest.extents[0].digest[5] ^= 1;
        const auto bytes = crafted.bytes();
        const auto package = Package::open(bytes);
        REQUIRE(package);
        const auto blob = package->read(0);
        REQUIRE_FALSE(blob);
        CHECK(says(blob.error().message, "variant 'host-elf' for 'any' has another digest"));
    }

    TEST_CASE("sources that grow beyond their declared size are refused") {
        const std::string text(1 << 20, 'x');
        CHECK(refusal(with_source(compressed(text), text.size())) == "");
        CHECK(says(refusal(with_source(compressed(text), 100)), "does not have the 100 bytes"));
        CHECK(says(refusal(with_source(compressed(text), kMaxSourceBytes + 1)), "the limit is 16777216"));
        // A second frame behind the first: more than the first one's size comes out.
        auto two = compressed(text);
        const auto second = compressed(text);
        two.insert(two.end(), second.begin(), second.end());
        CHECK(says(refusal(with_source(two, text.size())), "cannot be decompressed"));
        CHECK(says(refusal(with_source(sample::bytes_of("not zstd at all"), 10)), "does not have the 10 bytes"));
    }

    TEST_CASE("frames that hide their size are refused") {
        ZSTD_CCtx* context = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
        const std::string text(1000, 'x');
        std::vector<std::byte> stored(ZSTD_compressBound(text.size()));
        stored.resize(ZSTD_compress2(context, stored.data(), stored.size(), text.data(), text.size()));
        ZSTD_freeCCtx(context);
        CHECK(says(refusal(with_source(stored, text.size())), "does not have the 1000 bytes"));
    }

    TEST_CASE("arguments keep the rules of the block") {
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[2].offset = 0; }), "inside or before"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[2].offset = 2; }), "not a multiple"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[3].offset = k.block_size; }), "leaves the block"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[3].offset = UINT32_MAX - 15; }), "leaves the block"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[3].size = UINT32_MAX; }), "leaves the block"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[2].size = 0; }), "has size 0"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[2].kind = 3; }), "unknown kind 3"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[0].access = 4; }), "unknown access bits 4"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[0].size = 4; }), "both must be 8"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[1].size = 8; }), "both must be 4"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[2].alignment = 0; }), "not a power of two"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.arguments[1].offset = 8; }), "inside or before"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.block_size = 4097; }), "the limit is 4096"));
        CHECK(says(refusal_of_kernel([](Kernel& k) { k.required_group[1] = 0; }), "requires a group of 64 x 0 x 1"));
    }

    TEST_CASE("too many arguments are refused before they are read") {
        const auto many = refusal_of_kernel([](Kernel& k) {
            k.arguments.assign(QIAO_MAX_ARGUMENTS + 1, Argument{"x", "int", QIAO_ARGUMENT_KIND_VALUE, 0, 0, 4, 4});
        });
        CHECK(says(many, "has 129 arguments, the limit is 128"));
    }

    TEST_CASE("kernels have names of C, each once") {
        const std::vector<std::string> names = {"", "1x", "a-b", std::string("a\0b", 3), std::string(256, 'x')};
        for (const std::string& name : names) {
            CAPTURE(name);
            CHECK(refusal_of_kernel([&](Kernel& k) { k.name = name; }) != "");
        }
        Crafted crafted;
        crafted.manifest.kernels.push_back(crafted.manifest.kernels[0]);
        crafted.manifest.variants[0].metadata.push_back("");
        CHECK(says(refusal(crafted.bytes(4096)), "two kernels are called 'scale'"));
    }

    TEST_CASE("texts are bounded") {
        Crafted crafted;
        crafted.manifest.variants[0].tool = std::string(kMaxStringBytes + 1, 'x');
        CHECK(says(refusal(crafted.bytes(1 << 20)), "a text of 65537 bytes"));
    }

    TEST_CASE("a variant without a format is refused") {
        Crafted crafted;
        crafted.manifest.variants[0].format = "";
        CHECK(says(refusal(crafted.bytes()), "without a format"));
    }

    TEST_CASE("a source variant needs a source") {
        Crafted crafted;
        crafted.manifest.variants[0].is_source = true;
        CHECK(says(refusal(crafted.bytes()), "refers to a source that is not there"));
    }
}
