/* The skeleton is a plugin that is built and tested as it is; a project is a copy in which it has another name. */
#include "cli/plugin/create.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOldName = "skeleton";
constexpr size_t kMaxIdLength = 32; /* as hal/docs/manifest.md says */

void check_id(const std::string& id) {
    const bool good = !id.empty() && id.size() <= kMaxIdLength && id != "core" &&
                      id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
    if (good) return;
    throw Failure(kExitUsage, text("'", id, "' cannot be the name of a plugin"),
                  text("take 1 to ", kMaxIdLength, " characters of a-z, 0-9, _ and -, not \"core\": it is the first part of device ids"));
}

/* Where the skeleton was installed, from where this command stands. */
fs::path skeleton_folder() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    const fs::path folder = (program.parent_path() / QIAO_SHARE_FROM_COMMAND / "plugins/skeleton").lexically_normal();
    if (error || !fs::is_directory(folder, error)) {
        throw Failure(kExitFailed, text("the skeleton is not in ", folder.string()), "install Qiao's SDK completely");
    }
    return fs::canonical(folder);
}

void replace_all(std::string& words, std::string_view from, std::string_view to) {
    for (size_t at = words.find(from); at != std::string::npos; at = words.find(from, at + to.size()))
        words.replace(at, from.size(), to);
}

struct Names {
    std::string id;         /* "my-card" */
    std::string identifier; /* "my_card": what C takes */
    std::string upper;      /* "MY_CARD" */
};

Names names_of(const std::string& id) {
    Names names{id, id, ""};
    std::replace(names.identifier.begin(), names.identifier.end(), '-', '_');
    const char first = names.identifier.front();
    if (first == '_' || (first >= '0' && first <= '9')) names.identifier.insert(0, "plugin_");
    for (const char c : names.identifier)
        names.upper += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return names;
}

/* Sources have identifiers, all other files the id; sources are called by their names in the README too. */
std::string renamed(std::string words, const Names& names, const fs::path& file) {
    const bool source = file.extension() == ".c" || file.extension() == ".h";
    replace_all(words, "skeleton.h", names.identifier + ".h");
    replace_all(words, "SKELETON", names.upper);
    replace_all(words, kOldName, source ? names.identifier : names.id);
    return words;
}

std::string renamed_file(const std::string& name, const Names& names) {
    return renamed(name, names, "");
}

void copy_file(const fs::path& from, const fs::path& to, const Names& names) {
    std::ifstream input(from, std::ios::binary);
    const std::string words{std::istreambuf_iterator<char>(input), {}};
    if (!input) throw Failure(kExitFailed, text(from.string(), " cannot be read"));
    std::error_code error;
    fs::create_directories(to.parent_path(), error);
    std::ofstream output(to, std::ios::binary);
    output << renamed(words, names, from);
    output.close();
    if (!output) throw Failure(kExitFailed, text(to.string(), " cannot be written"), "choose another place with --dir");
    fs::permissions(to, fs::status(from).permissions() | fs::perms::owner_write, error);
}

} // namespace

std::vector<fs::path> create_plugin(const std::string& id, const fs::path& target) {
    check_id(id);
    std::error_code error;
    if (fs::exists(fs::symlink_status(target, error))) {
        throw Failure(kExitUsage, text("there is already something at ", target.string()),
                      "choose another place with --dir, or remove it");
    }
    const fs::path skeleton = skeleton_folder();
    const Names names = names_of(id);
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(skeleton)) {
        if (!entry.is_regular_file()) continue;
        const fs::path relative = renamed_file(entry.path().lexically_relative(skeleton).string(), names);
        copy_file(entry.path(), target / relative, names);
        files.push_back(relative);
    }
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace qiao::cli
