// PoCL alone, whatever else the machine has: its own ICD directory and its own kernel cache. See environment.h.
#include "environment.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace test {
namespace {

struct Directory {
    std::filesystem::path path;
    Directory() {
        std::string name = (std::filesystem::temp_directory_path() / "qiao-opencl-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

// The library PoCL's own .icd file names; its plain name where that file is elsewhere.
std::string pocl_library() {
    std::ifstream icd("/etc/OpenCL/vendors/pocl.icd");
    std::string line;
    return std::getline(icd, line) && !line.empty() ? line : "libpocl.so.2";
}

} // namespace

void use_pocl() {
    static const Directory directory;
    static const bool once = [] {
        const std::filesystem::path vendors = directory.path / "vendors", cache = directory.path / "cache";
        std::filesystem::create_directories(vendors);
        std::filesystem::create_directories(cache);
        std::ofstream(vendors / "pocl.icd") << pocl_library() << "\n";
        setenv("OCL_ICD_VENDORS", vendors.c_str(), 1);
        setenv("POCL_CACHE_DIR", cache.c_str(), 1);
        unsetenv("QIAO_OPENCL_LIBRARY");
        return true;
    }();
    static_cast<void>(once);
}

} // namespace test
