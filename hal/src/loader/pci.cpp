#include "loader/pci.h"

#include <algorithm>
#include <fstream>

#include "loader/environment.h"

namespace qiao::loader {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxAttribute = 256;

} // namespace

fs::path sysfs_root() {
    const std::string root = environment("QIAO_SYSFS_ROOT");
    return root.empty() ? "/sys" : root;
}

std::string sysfs_attribute(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    if (file) std::getline(file, line);
    return line.size() > kMaxAttribute ? "" : line;
}

std::vector<PciFunction> pci_functions(const fs::path& root) {
    std::vector<PciFunction> functions;
    std::error_code error;
    for (fs::directory_iterator each(root / "bus/pci/devices", error), end; !error && each != end; each.increment(error)) {
        const fs::path& path = each->path();
        std::error_code none;
        functions.push_back({path.filename().string(), sysfs_attribute(path / "vendor"), sysfs_attribute(path / "device"),
                             sysfs_attribute(path / "class"), fs::read_symlink(path / "driver", none).filename().string()});
    }
    std::sort(functions.begin(), functions.end(), [](const PciFunction& a, const PciFunction& b) { return a.address < b.address; });
    return functions;
}

} // namespace qiao::loader
