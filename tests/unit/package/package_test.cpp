// What is written is read back, from memory and from files; packages are changed without touching the other variants.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "sample.h"

using namespace qiao::package;

namespace {

/* A file that is gone with the object. */
class File {
  public:
    explicit File(std::span<const std::byte> bytes) {
        const int file = mkstemp(path_.data());
        REQUIRE(file >= 0);
        const ssize_t put = write(file, bytes.data(), bytes.size());
        close(file);
        REQUIRE(put == static_cast<ssize_t>(bytes.size()));
    }
    ~File() { unlink(path_.c_str()); }
    const std::string& path() const { return path_; }

  private:
    std::string path_ = "/tmp/qiao-package-XXXXXX";
};

std::string text_of(const Blob& blob) {
    return {reinterpret_cast<const char*>(blob.bytes.data()), blob.bytes.size()};
}

void check_sample(const Package& package) {
    REQUIRE(package.kernels().size() == 2);
    CHECK(package.kernels()[0] == sample::scale());
    CHECK(package.kernels()[1] == sample::nothing());
    CHECK(package.find_kernel("nothing") == &package.kernels()[1]);
    CHECK(package.find_kernel("scal") == nullptr);
    CHECK(package.source_name() == "kernels/scale.cl");
    CHECK(package.options() == "-cl-std=CL1.2");
    REQUIRE(package.variants().size() == 3);
    CHECK(package.variants()[0].format == "opencl-c");
    CHECK(package.variants()[0].is_source);
    CHECK(package.variants()[0].features == QIAO_FEATURE_FP64);
    CHECK(package.variants()[2].target == "x86_64-v3");
    CHECK(package.variants()[2].tool == "pocl-3.1 clang-15.0.6");
    CHECK(package.variants()[2].metadata == std::vector<std::string>{"auto_local=256;private=16;fixed=0", ""});
    CHECK(package.variants()[2].size == 22);
    CHECK(*package.source() == sample::kSource);
    CHECK(text_of(*package.read(0)) == sample::kSource);
    CHECK(text_of(*package.read(1)) == "the code for x86_64-v2");
    CHECK(text_of(*package.read(2)) == "the code for x86_64-v3");
    CHECK(*package.verify() == 3);
}

} // namespace

TEST_SUITE("package.read") {
    TEST_CASE("everything written is read back") {
        const auto bytes = sample::package();
        const auto package = Package::open(bytes);
        REQUIRE(package);
        check_sample(*package);
        CHECK(package->bytes().data() == bytes.data());
    }

    TEST_CASE("variants are not copied") {
        const auto bytes = sample::package();
        const auto package = Package::open(bytes);
        REQUIRE(package);
        const auto blob = package->read(1);
        REQUIRE(blob);
        CHECK(blob->bytes.data() > bytes.data());
        CHECK(blob->bytes.data() < bytes.data() + bytes.size());
        CHECK(blob->owner == nullptr);
        CHECK((blob->bytes.data() - bytes.data()) % kContentAlignment == 0);
    }

    TEST_CASE("a package may lie at any address") {
        const auto bytes = sample::package();
        for (size_t shift = 1; shift < 8; ++shift) {
            sample::Bytes moved(bytes.size() + shift);
            std::copy(bytes.begin(), bytes.end(), moved.begin() + static_cast<std::ptrdiff_t>(shift));
            const auto package = Package::open(std::span(moved).subspan(shift));
            REQUIRE(package);
            check_sample(*package);
        }
    }

    TEST_CASE("a file is mapped, and stays mapped as long as any copy lives") {
        std::optional<Package> kept;
        {
            const File file(sample::package());
            auto package = Package::open_file(file.path());
            REQUIRE(package);
            kept = *package;
        }
        check_sample(*kept);
    }

    TEST_CASE("files that are no packages are refused by name") {
        const auto missing = Package::open_file("/nonexistent/x.qpk");
        REQUIRE_FALSE(missing);
        CHECK(missing.error().message == "cannot open '/nonexistent/x.qpk': No such file or directory");
        const auto directory = Package::open_file("/");
        REQUIRE_FALSE(directory);
        CHECK(directory.error().message == "'/' is not a kernel package: not a regular file");
        const File empty(std::span<const std::byte>{});
        const auto nothing = Package::open_file(empty.path());
        REQUIRE_FALSE(nothing);
        CHECK(nothing.error().message == "'" + empty.path() + "' is not a kernel package: it is empty");
        const File text(sample::bytes_of(std::string(1000, 'x')));
        const auto other = Package::open_file(text.path());
        REQUIRE_FALSE(other);
        CHECK(other.error().message.find(text.path()) != std::string::npos);
    }
}

TEST_SUITE("package.write") {
    TEST_CASE("equal input gives equal bytes") {
        CHECK(sample::package() == sample::package());
    }

    TEST_CASE("a package written from a package is the same package") {
        const auto bytes = sample::package();
        const auto writer = Writer::from(*Package::open(bytes));
        REQUIRE(writer);
        CHECK(*writer->finish() == bytes);
    }

    TEST_CASE("a vendor adds his variant and strips another") {
        const auto bytes = sample::package();
        auto writer = Writer::from(*Package::open(bytes));
        REQUIRE(writer);
        Variant variant;
        variant.format = "vendor-binary";
        variant.metadata = {"class=3", "class=4"};
        writer->add_variant(variant, sample::bytes_of("vendor"));
        writer->remove_variant(1);
        const auto changed = writer->finish();
        REQUIRE(changed);
        const auto package = Package::open(*changed);
        REQUIRE(package);
        REQUIRE(package->variants().size() == 3);
        CHECK(package->variants()[1].target == "x86_64-v3");
        CHECK(package->variants()[2].metadata[1] == "class=4");
        CHECK(text_of(*package->read(2)) == "vendor");
        CHECK(*package->verify() == 3);
    }

    TEST_CASE("a package without a source has none") {
        Writer writer;
        writer.add_kernel(sample::nothing());
        Variant variant;
        variant.format = "host-elf";
        writer.add_variant(variant, sample::bytes_of("code"));
        const auto bytes = writer.finish();
        REQUIRE(bytes);
        const auto package = Package::open(*bytes);
        REQUIRE(package);
        CHECK_FALSE(package->has_source());
        const auto source = package->source();
        REQUIRE_FALSE(source);
        CHECK(source.error().message == "the package has no source");
    }

    TEST_CASE("the writer refuses what the reader would") {
        Writer incomplete;
        incomplete.add_kernel(sample::nothing());
        incomplete.add_source_variant(0);
        CHECK_FALSE(incomplete.finish());

        Writer twice;
        twice.add_kernel(sample::nothing());
        twice.add_kernel(sample::nothing());
        REQUIRE_FALSE(twice.finish());
        CHECK(twice.finish().error().message.find("two kernels are called 'nothing'") != std::string::npos);

        Writer uneven = sample::writer();
        Variant variant;
        variant.format = "vendor-binary";
        variant.metadata = {"for one kernel of two"};
        uneven.add_variant(variant, sample::bytes_of("code"));
        REQUIRE_FALSE(uneven.finish());
        CHECK(uneven.finish().error().message ==
              "variant 'vendor-binary' has metadata for 1 kernels, the package has 2");

        Writer empty = sample::writer();
        variant.metadata.clear();
        empty.add_variant(variant, {});
        CHECK_FALSE(empty.finish());
    }

    TEST_CASE("SHA-256 is SHA-256") {
        CHECK(sha256_hex(sample::bytes_of("abc")) ==
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
