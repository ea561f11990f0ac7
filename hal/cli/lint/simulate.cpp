/* `qiao run` in a child process whose only OpenCL driver is oclgrind's, by the ICD loader's own means: a folder with one .icd file. */
#include "cli/lint/simulate.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/child_process.h"
#include "cli/failure.h"

namespace qiao::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr double kNoLimit = 1e6; /* seconds */
constexpr double kGrace = 60;    /* for all but the launch: loading, building */

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "qiao-lint-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw Failure(kExitFailed, "no temporary folder can be made: " + name, "check TMPDIR");
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    fs::path operator/(const char* name) const { return path_ / name; }

  private:
    fs::path path_;
};

std::string find_oclgrind() {
    const char* given = std::getenv("QIAO_OCLGRIND");
    if (given != nullptr && *given != '\0') {
        if (fs::is_regular_file(given)) return given;
        throw Failure(kExitFailed, text("QIAO_OCLGRIND names ", given, ", which is no file"), "name oclgrind's liboclgrind-rt-icd.so");
    }
    for (const char* folder : {"/usr/lib/oclgrind", "/usr/local/lib/oclgrind", "/usr/local/lib", "/usr/lib64/oclgrind", "/usr/lib64", "/usr/lib"}) {
        const fs::path path = fs::path(folder) / "liboclgrind-rt-icd.so";
        if (fs::is_regular_file(path)) return path.string();
    }
    throw Failure(kExitFailed, "oclgrind is not installed", "apt install oclgrind, or let QIAO_OCLGRIND name its liboclgrind-rt-icd.so");
}

std::string read_text(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/* Why the child could not run the kernel, in its own words. */
Failure failure_of(const ChildEnd& end) {
    const Json report = Json::parse(end.output, nullptr, false);
    const Json* error = nullptr;
    if (report.is_object() && report.value("schema", "") == "qiao.error/1") error = &report;
    if (report.is_object() && report.contains("devices") && !report["devices"].empty()) error = &report["devices"][0]["error"];
    if (error == nullptr || !error->is_object()) return Failure(kExitFailed, "the kernel could not be run under oclgrind: " + end.text());
    Failure failure(error->value("exit_code", kExitFailed), error->value("message", ""), error->value("remedy", ""));
    if (failure.code == kExitNoDevice) {
        failure = Failure(kExitFailed, text("oclgrind cannot be used: ", failure.what()), failure.remedy);
    }
    failure.status = error->value("status", "");
    failure.log = error->value("log", "");
    return failure;
}

} // namespace

std::string simulate(const KernelOptions& options) {
    const std::string library = find_oclgrind();
    const TemporaryFolder folder;
    fs::create_directory(folder / "icd");
    std::ofstream(folder / "icd" / "oclgrind.icd") << library << "\n";
    const std::string log = (folder / "log").string();
    ChildPlan plan;
    plan.words = {"run", "--device=opencl", "--json"};
    for (const std::string& word : options.words())
        plan.words.push_back(word);
    plan.timeout_s = options.timeout_s > 0 ? options.timeout_s + kGrace : kNoLimit;
    plan.environment = {{"OCL_ICD_VENDORS", (folder / "icd").string()},
                        {"OCLGRIND_DATA_RACES", "1"},
                        {"OCLGRIND_UNINITIALIZED", "1"},
                        {"OCLGRIND_LOG", log},
                        {"QIAO_PLUGINS", "opencl"},
                        {"QIAO_VISIBLE_DEVICES", ""},
                        {"QIAO_OPENCL_LIBRARY", ""},
                        {"QIAO_OPENCL_ADDRESSES", "auto"}};
    plan.errors = ChildErrors::Dropped;
    const ChildEnd end = run_child(plan);
    if (end.exit_code() != kExitOk) throw failure_of(end);
    return read_text(log);
}

} // namespace qiao::cli
