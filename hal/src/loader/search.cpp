// What the application or the user named comes first, then the user's own plugins, the system's, and what was installed
// with libqiao. A place that is met a second time is left out.
#include "loader/search.h"

#include <algorithm>
#include <filesystem>

#include "loader/environment.h"
#include "loader/library.h"

namespace qiao::loader {
namespace {

namespace fs = std::filesystem;

class Places {
  public:
    void add(std::string folder, const char* named_by) {
        std::error_code error;
        std::string identity = fs::weakly_canonical(folder, error).string();
        if (error) identity = folder;
        if (std::find(known_.begin(), known_.end(), identity) != known_.end()) return;
        known_.push_back(std::move(identity));
        list_.push_back({std::move(folder), named_by});
    }
    // `of_nothing` is called for an entry that is empty.
    template <class OfNothing>
    void add_list(const std::string& folders, const char* named_by, OfNothing of_nothing) {
        for (size_t begin = 0; begin <= folders.size();) {
            const size_t end = std::min(folders.find(':', begin), folders.size());
            if (end > begin) add(folders.substr(begin, end - begin), named_by);
            if (end == begin) of_nothing();
            begin = end + 1;
        }
    }
    std::vector<Place> take() { return std::move(list_); }

  private:
    std::vector<Place> list_;
    std::vector<std::string> known_;
};

// As the XDG base directory specification says: a relative XDG_DATA_HOME counts as unset.
std::string user_data_folder() {
    const std::string data_home = environment("XDG_DATA_HOME");
    if (data_home.starts_with('/')) return data_home;
    const std::string home = environment("HOME");
    return home.starts_with('/') ? home + "/.local/share" : "";
}

void add_usual(Places& places) {
    places.add_list(environment(kPathVariable), kPathVariable, [] {});
    if (const std::string data = user_data_folder(); !data.empty()) places.add(data + "/qiao/plugins.d", "");
    places.add("/etc/qiao/plugins.d", "");
    if (const std::string own = own_directory(); !own.empty()) places.add(own + "/qiao/plugins.d", "");
}

} // namespace

std::vector<Place> places(const std::string& plugin_path) {
    Places places;
    places.add_list(plugin_path, "qiao_instance_desc.plugin_path", [&] { add_usual(places); });
    return places.take();
}

Verdict list_manifests(const Place& place, std::vector<std::string>& out_manifests) {
    out_manifests.clear();
    std::error_code error;
    fs::directory_iterator entry(place.folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const fs::path& path = entry->path();
        if (path.extension() == ".json" && !path.filename().string().starts_with('.'))
            out_manifests.push_back(path.string());
    }
    std::sort(out_manifests.begin(), out_manifests.end());
    if (!error || (place.named_by.empty() && error == std::errc::no_such_file_or_directory)) return std::nullopt;
    return Problem{QIAO_CANDIDATE_STATE_BAD_MANIFEST,
                   place.folder + " cannot be searched for manifests: " + error.message(),
                   place.named_by.empty() ? "make it a readable folder, or remove it"
                                          : "name readable folders in " + place.named_by};
}

} // namespace qiao::loader
