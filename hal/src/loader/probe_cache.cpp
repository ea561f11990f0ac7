// One file per key: magic, u32 bytes of the key, the key, the report, u64 fingerprint of all that. Written beside and renamed.
#include "loader/probe_cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "loader/environment.h"
#include "loader/probe_report.h"

namespace qiao::loader {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic("QPVERD1\n", 8);
constexpr size_t kMaxFileBytes = 256 * 1024;
constexpr size_t kMostFiles = 512;

std::string cache_folder() {
    if (const std::string cache = environment("XDG_CACHE_HOME"); cache.starts_with('/')) return cache + "/qiao/probe";
    const std::string home = environment("HOME");
    return home.starts_with('/') ? home + "/.cache/qiao/probe" : "";
}

// Only what this user wrote.
bool read_own(const std::string& path, std::string& out_bytes, time_t& out_time) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) return false;
    struct stat about;
    bool good = fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == geteuid() && about.st_size > 0 &&
                static_cast<uint64_t>(about.st_size) <= kMaxFileBytes;
    if (good) {
        out_bytes.resize(static_cast<size_t>(about.st_size));
        good = read(file, out_bytes.data(), out_bytes.size()) == static_cast<ssize_t>(out_bytes.size());
        out_time = about.st_mtime;
    }
    ::close(file);
    return good;
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

} // namespace

ProbeCache::ProbeCache() : folder_(cache_folder()) {}

std::string ProbeCache::path_of(const std::string& key) const {
    std::string name(16, '0');
    uint64_t value = fingerprint(key);
    for (size_t i = name.size(); value != 0; value >>= 4)
        name[--i] = "0123456789abcdef"[value & 15];
    return folder_ + "/" + name + ".verdict";
}

bool ProbeCache::load(const std::string& key, std::chrono::seconds believed, Verdict& out_harmful) const {
    std::string bytes;
    time_t written = 0;
    if (folder_.empty() || key.empty() || !read_own(path_of(key), bytes, written)) return false;
    std::string_view rest = bytes;
    uint32_t key_size = 0;
    uint64_t expected = 0;
    if (rest.size() < sizeof expected || !rest.starts_with(kMagic)) return false;
    std::string_view end = rest.substr(rest.size() - sizeof expected);
    take(end, expected);
    rest.remove_suffix(sizeof expected);
    if (fingerprint(rest) != expected) return false;
    rest.remove_prefix(kMagic.size());
    // The key in front: another one of the same fingerprint would otherwise be taken for it.
    if (!take(rest, key_size) || rest.substr(0, key_size) != key) return false;
    rest.remove_prefix(key.size());
    if (!decode_report(rest, out_harmful)) return false;
    // Either way: file systems stamp by a finer clock than time(), and so a little in its future.
    return !out_harmful || std::abs(time(nullptr) - written) < believed.count();
}

std::string ProbeCache::store(const std::string& key, const Verdict& harmful) const {
    if (folder_.empty() || key.empty()) return "";
    std::error_code error;
    if (fs::create_directories(folder_, error) && !error) fs::permissions(folder_, fs::perms::owner_all, error);
    if (error) return folder_ + " cannot be made: " + error.message();
    std::string bytes(kMagic);
    append(bytes, static_cast<uint32_t>(key.size()));
    bytes += key + encode_report(harmful);
    append(bytes, fingerprint(bytes));
    std::string temporary = folder_ + "/new-XXXXXX";
    const int file = mkostemp(temporary.data(), O_CLOEXEC);
    if (file < 0) return folder_ + " cannot be written: " + strerror(errno);
    bool good = write_all(file, bytes);
    int reason = errno;
    if (::close(file) != 0 && good) good = false, reason = errno;
    if (good && rename(temporary.c_str(), path_of(key).c_str()) != 0) good = false, reason = errno;
    if (!good) {
        unlink(temporary.c_str());
        return folder_ + " cannot be written: " + strerror(reason);
    }
    prune();
    return "";
}

// Keys change with each update of a plugin or driver: the oldest go once there are too many.
void ProbeCache::prune() const {
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    std::error_code error;
    for (fs::directory_iterator each(folder_, error), end; !error && each != end; each.increment(error)) {
        std::error_code gone;
        const auto time = each->last_write_time(gone);
        if (!gone) files.emplace_back(time, each->path());
    }
    if (files.size() <= kMostFiles) return;
    std::sort(files.begin(), files.end());
    files.resize(files.size() - kMostFiles / 2);
    for (const auto& [time, path] : files)
        fs::remove(path, error);
}

} // namespace qiao::loader
