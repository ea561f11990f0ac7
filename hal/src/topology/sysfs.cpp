// Plain system calls: a sysfs attribute is one read, and a fixture is an ordinary folder.
#include "topology/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace qiao::topology {
namespace {

constexpr size_t kMostBytes = 64 * 1024;
constexpr size_t kMostEntries = 65536;

struct CloseFile {
    explicit CloseFile(int opened) : descriptor(opened) {}
    ~CloseFile() {
        if (descriptor >= 0) close(descriptor);
    }
    CloseFile(const CloseFile&) = delete;
    CloseFile& operator=(const CloseFile&) = delete;
    int descriptor;
};

// "node10" after "node9".
bool counts_before(const std::string& a, const std::string& b) {
    size_t i = 0, j = 0;
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    while (i < a.size() && j < b.size()) {
        if (digit(a[i]) && digit(b[j])) {
            size_t k = i, l = j;
            while (k < a.size() && digit(a[k])) ++k;
            while (l < b.size() && digit(b[l])) ++l;
            if (k - i != l - j) return k - i < l - j;
            const int order = a.compare(i, k - i, b, j, l - j);
            if (order != 0) return order < 0;
            i = k, j = l;
        } else if (a[i] != b[j]) {
            return a[i] < b[j];
        } else {
            ++i, ++j;
        }
    }
    return a.size() - i < b.size() - j;
}

} // namespace

bool Sysfs::has(const std::string& path) const {
    struct stat status;
    return stat(full(path).c_str(), &status) == 0;
}

std::vector<std::string> Sysfs::list(const std::string& path) const {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(full(path).c_str()), closedir);
    if (folder == nullptr) {
        if (errno != ENOENT && errno != ENOTDIR) note(path, std::string("cannot be listed: ") + std::strerror(errno));
        return names;
    }
    while (const dirent* entry = readdir(folder.get())) {
        if (entry->d_name[0] == '.') continue;
        if (names.size() == kMostEntries) {
            note(path, "has more than " + std::to_string(kMostEntries) + " entries: the rest is left out");
            break;
        }
        names.emplace_back(entry->d_name);
    }
    std::sort(names.begin(), names.end(), counts_before);
    return names;
}

std::optional<std::string> Sysfs::text(const std::string& path) const {
    // Nothing that would wait for a writer, as a pipe does.
    const CloseFile file(open(full(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.descriptor < 0) {
        if (errno != ENOENT && errno != ENOTDIR) note(path, std::string("cannot be opened: ") + std::strerror(errno));
        return std::nullopt;
    }
    std::string text;
    char buffer[4096];
    while (true) {
        const ssize_t got = read(file.descriptor, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            // A device that went away meanwhile, or an attribute that its driver does not fill in, is not there.
            if (errno != ENODEV && errno != ENXIO && errno != EINVAL && errno != ENODATA) note(path, std::string("cannot be read: ") + std::strerror(errno));
            return std::nullopt;
        }
        if (got == 0) break;
        text.append(buffer, static_cast<size_t>(got));
        if (text.size() > kMostBytes) {
            note(path, "is longer than " + std::to_string(kMostBytes) + " bytes: it is not used");
            return std::nullopt;
        }
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.pop_back();
    return text;
}

std::optional<int64_t> Sysfs::number(const std::string& path) const {
    const std::optional<std::string> found = text(path);
    if (!found) return std::nullopt;
    const std::optional<int64_t> value = parse_number(*found);
    if (!value) note(path, in_quotes(*found) + " is not a number");
    return value;
}

std::string Sysfs::resolve(const std::string& path) const {
    const std::unique_ptr<char, void (*)(void*)> real(realpath(full(path).c_str(), nullptr), std::free), base(realpath(root_.c_str(), nullptr), std::free);
    if (real == nullptr || base == nullptr) return "";
    const std::string_view target = real.get(), root = base.get();
    if (!target.starts_with(root) || target.size() <= root.size() || target[root.size()] != '/') return "";
    return std::string(target.substr(root.size() + 1));
}

std::vector<std::pair<std::string, std::string>> Sysfs::pairs(const std::string& path) const {
    std::vector<std::pair<std::string, std::string>> found;
    const std::string all = text(path).value_or("");
    size_t at = 0;
    while (at < all.size()) {
        const size_t end = std::min(all.find('\n', at), all.size());
        const std::string_view line(all.data() + at, end - at);
        const size_t space = line.find(' ');
        if (space != std::string_view::npos && space != 0) found.emplace_back(line.substr(0, space), line.substr(space + 1));
        at = end + 1;
    }
    return found;
}

std::optional<int64_t> parse_number(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const bool is_hexadecimal = text.starts_with("0x");
    if (is_hexadecimal) text.remove_prefix(2);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, is_hexadecimal ? 16 : 10);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

std::optional<std::vector<uint32_t>> parse_list(std::string_view text) {
    constexpr int64_t kMost = 65536;
    std::vector<uint32_t> numbers;
    while (!text.empty()) {
        const size_t comma = std::min(text.find(','), text.size());
        const std::string_view part = text.substr(0, comma);
        const size_t dash = part.find('-');
        const std::optional<int64_t> first = parse_number(part.substr(0, dash));
        const std::optional<int64_t> last = dash == std::string_view::npos ? first : parse_number(part.substr(dash + 1));
        if (!first || !last || *first < 0 || *last < *first || *last >= kMost) return std::nullopt;
        for (int64_t each = *first; each <= *last; ++each)
            numbers.push_back(static_cast<uint32_t>(each));
        if (numbers.size() > static_cast<size_t>(kMost)) return std::nullopt;
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return numbers;
}

std::string in_quotes(std::string_view text) {
    constexpr size_t kMost = 60;
    std::string result = "'";
    for (const char c : text.substr(0, kMost))
        result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return result + (text.size() > kMost ? "...'" : "'");
}

} // namespace qiao::topology
