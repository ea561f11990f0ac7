// The application (or QIAO_PLUGIN_PATH) first, then the user, the system, and what was installed with libqiao.
#include "loader/search.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "loader/library.h"

namespace qiao::loader {
namespace {

std::string environment(const char* name) {
    const char* value = secure_getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

void append_list(std::vector<std::string>& folders, const std::string& list) {
    for (size_t begin = 0; begin < list.size();) {
        const size_t end = std::min(list.find(':', begin), list.size());
        if (end > begin) folders.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
}

}  // namespace

std::vector<std::string> manifest_folders(const std::string& override_path) {
    std::vector<std::string> folders;
    append_list(folders, override_path);
    if (!override_path.empty()) return folders;

    append_list(folders, environment("QIAO_PLUGIN_PATH"));
    const std::string data_home = environment("XDG_DATA_HOME"), home = environment("HOME");
    if (!data_home.empty()) folders.push_back(data_home + "/qiao/plugins.d");
    else if (!home.empty()) folders.push_back(home + "/.local/share/qiao/plugins.d");
    folders.push_back("/etc/qiao/plugins.d");
    const std::string own = own_directory();
    if (!own.empty()) folders.push_back(own + "/qiao/plugins.d");
    return folders;
}

std::vector<std::string> manifests_in(const std::string& folder) {
    std::vector<std::string> manifests;
    std::error_code status;
    for (std::filesystem::directory_iterator entry(folder, status), end; !status && entry != end; entry.increment(status)) {
        if (entry->path().extension() == ".json") manifests.push_back(entry->path().string());
    }
    std::sort(manifests.begin(), manifests.end());
    return manifests;
}

}  // namespace qiao::loader
