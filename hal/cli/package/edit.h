/* What is done to packages: variants added and taken out, everything checked. Writing the file is the caller's. */
#pragma once

#include <string>
#include <vector>

#include "cli/failure.h"
#include "package/package.h"

namespace qiao::cli {

/* The result's value, or its error as a Failure about the file. */
template <typename T>
T taken(package::Result<T> result, const std::string& file) {
    if (!result) throw Failure(kExitFailed, file + ": " + result.error().message, result.error().remedy);
    return *std::move(result);
}

/* Borrows the file: it must not be written while the package is used. Replacing it is all right. */
package::Package open_package(const std::string& path);

/* Held from the reading of a package to its replacement: of several that change one file each sees what the one before it wrote. */
class EditLock {
  public:
    explicit EditLock(const std::string& path);
    ~EditLock();
    EditLock(const EditLock&) = delete;
    EditLock& operator=(const EditLock&) = delete;

  private:
    int file_ = -1; /* -1: there is no such file, or it cannot be locked where it lies */
};

struct AddedVariant {
    std::string file; /* with its code */
    std::string format;
    std::string target;
    std::string tool;
    std::string features; /* names, ',' between, or "none"; "" = those that the kernels need */
    std::vector<std::string> metadata; /* "KERNEL=TEXT" */
};

struct StrippedVariants {
    bool source = false;
    std::vector<std::string> formats;
    std::vector<size_t> indices;
};

/* The package changed and checked, ready to be written; throw Failure if it would not be sound. */
std::vector<std::byte> add_variant(const package::Package& package, const AddedVariant& added);
std::vector<std::byte> strip_variants(const package::Package& package, const StrippedVariants& stripped);

/* What is wrong with each variant; "" = nothing. Throws Failure if the package as a whole cannot be read. */
std::vector<std::string> verify_variants(const package::Package& package);

} // namespace qiao::cli
