/* Packages are taken apart by the writer and put together again: variants that stay keep their bytes, nothing is compiled. */
#include "cli/package/edit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/array/files.h"
#include "cli/facts.h"
#include "cli/package/report.h"
#include "package/content.h"

namespace qiao::cli {
namespace {

/* Of each kernel, in the package's order, from "KERNEL=TEXT" words. */
std::vector<std::string> metadata_of(const package::Package& package, const std::vector<std::string>& words) {
    std::vector<std::string> metadata(package.kernels().size());
    for (const std::string& word : words) {
        const size_t equals = std::min(word.find('='), word.size());
        const package::Kernel* kernel = package.find_kernel(word.substr(0, equals));
        if (equals == word.size()) throw Failure(kExitUsage, text("--metadata ", word, " is not KERNEL=TEXT"));
        if (kernel == nullptr) {
            std::vector<std::string> names;
            for (const package::Kernel& each : package.kernels())
                names.push_back(each.name);
            throw Failure(kExitUsage, text("--metadata ", word, ": the package has no kernel '", word.substr(0, equals), "'"),
                          "its kernels are " + join(names, ", "));
        }
        metadata[static_cast<size_t>(kernel - package.kernels().data())] = word.substr(equals + 1);
    }
    return metadata;
}

qiao_features needed_features(const package::Package& package, const std::string& written) {
    if (!written.empty()) return written == "none" ? 0 : parse_features(written);
    qiao_features features = 0;
    for (const package::Kernel& kernel : package.kernels())
        features |= kernel.features;
    return features;
}

} // namespace

package::Package open_package(const std::string& path) {
    auto package = package::Package::open_file(path);
    if (!package) throw Failure(kExitFailed, package.error().message, package.error().remedy);
    return *std::move(package);
}

/* The lock is the file's, and who holds it puts another file in its place: who waited for it begins again with that. */
EditLock::EditLock(const std::string& path) {
    for (;;) {
        file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file_ < 0) return;
        while (flock(file_, LOCK_EX) != 0 && errno == EINTR) {
        }
        struct stat held = {}, there = {};
        if (fstat(file_, &held) != 0 || stat(path.c_str(), &there) != 0) return;
        if (held.st_dev == there.st_dev && held.st_ino == there.st_ino) return;
        close(file_);
    }
}

EditLock::~EditLock() {
    if (file_ >= 0) close(file_);
}

std::vector<std::byte> add_variant(const package::Package& package, const AddedVariant& added) {
    package::Variant variant;
    variant.format = added.format;
    variant.target = added.target;
    variant.tool = added.tool;
    variant.features = needed_features(package, added.features);
    variant.metadata = metadata_of(package, added.metadata);
    std::vector<std::byte> code = read_file(added.file);
    if (code.empty()) throw Failure(kExitFailed, added.file + ": the file is empty");
    if (const auto error = package::check_content(variant, package.kernels(), code))
        throw Failure(kExitFailed, text(added.file, ": not taken as ", added.format, ": ", error->message), error->remedy);
    for (const package::Variant& present : package.variants()) {
        if (present.format == variant.format && present.target == variant.target)
            throw Failure(kExitFailed, text("the package has a variant ", variant_text(variant), " already, made by '", present.tool, "'"),
                          "take it out first: qiao package strip --variant " +
                              std::to_string(&present - package.variants().data()));
    }
    package::Writer writer = taken(package::Writer::from(package), "the package");
    writer.add_variant(std::move(variant), std::move(code));
    return taken(writer.finish(), added.file);
}

std::vector<std::byte> strip_variants(const package::Package& package, const StrippedVariants& stripped) {
    const std::vector<package::Variant>& variants = package.variants();
    std::vector<bool> out(variants.size());
    for (const size_t index : stripped.indices) {
        if (index >= variants.size())
            throw Failure(kExitUsage, text("--variant ", index, ": the package has ", variants.size(), " variants, counted from 0"),
                          "see `qiao package inspect`");
        out[index] = true;
    }
    for (const std::string& format : stripped.formats) {
        bool found = false;
        for (size_t i = 0; i < variants.size(); ++i) {
            if (variants[i].format == format) out[i] = found = true;
        }
        if (!found)
            throw Failure(kExitUsage, text("--format ", format, ": the package has no such variant"), "see `qiao package inspect`");
    }
    if (stripped.source && !package.has_source()) throw Failure(kExitUsage, "--source: the package has no source");
    for (size_t i = 0; i < variants.size(); ++i)
        out[i] = out[i] || (stripped.source && variants[i].is_source);
    if (std::all_of(out.begin(), out.end(), [](bool each) { return each; }))
        throw Failure(kExitUsage, "no variant would be left: no device could run the package", "add another variant first");
    package::Writer writer = taken(package::Writer::from(package), "the package");
    for (size_t i = variants.size(); i-- > 0;) {
        if (out[i]) writer.remove_variant(i);
    }
    if (stripped.source) writer.remove_source();
    return taken(writer.finish(), "the package");
}

std::vector<std::string> verify_variants(const package::Package& package) {
    std::vector<std::string> problems;
    for (size_t i = 0; i < package.variants().size(); ++i) {
        const auto content = package.read(i);
        const auto error = content ? package::check_content(package.variants()[i], package.kernels(), content->bytes) : content.error();
        problems.push_back(error ? error->message : "");
    }
    return problems;
}

} // namespace qiao::cli
