// Cache entries: magic, two sizes, SHA-256 of what follows, log, package.
#include "cache.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "package/package.h"
#include "temporary.h"

namespace qiao::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "qiao compiled 1\n";
constexpr size_t kSizeDigits = 16, kDigestDigits = 64;
constexpr size_t kHeadBytes = kMagic.size() + 2 * kSizeDigits + kDigestDigits;

std::string sha256(std::string_view text) {
    return package::sha256_hex(std::as_bytes(std::span(text)));
}

std::string hexadecimal(uint64_t value) {
    std::string text(kSizeDigits, '0');
    for (size_t i = kSizeDigits; value != 0; value >>= 4)
        text[--i] = "0123456789abcdef"[value & 15];
    return text;
}

std::string default_directory() {
    const char* cache = secure_getenv("XDG_CACHE_HOME");
    if (cache && *cache == '/') return std::string(cache) + "/qiao";
    const char* home = secure_getenv("HOME");
    if (home && *home == '/') return std::string(home) + "/.cache/qiao";
    return "";
}

/* Of a text that is no size: the default, since a mistyped variable must not fail a compilation. */
uint64_t limit_from(const char* text) {
    if (text == nullptr || *text == '\0') return Cache::kMaxBytes;
    const char* end = text + std::strlen(text);
    uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text, end, value);
    const std::string_view unit(rest, static_cast<size_t>(end - rest));
    const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
    return error != std::errc() || shift < 0 || value > UINT64_MAX >> shift ? Cache::kMaxBytes : value << shift;
}

} // namespace

void CacheKey::add(std::string_view piece) {
    text_ += hexadecimal(piece.size()) + std::string(piece);
}

std::string CacheKey::hex() const {
    return sha256(text_);
}

Cache::Cache(const char* directory)
    : directory_(directory ? directory : default_directory()), max_bytes_(limit_from(secure_getenv("QIAO_CACHE_SIZE"))) {}

std::optional<CacheEntry> Cache::load(const std::string& key) const {
    std::string text;
    if (directory_.empty() || !read_file(path_of(key), text)) return std::nullopt;
    const std::string_view whole = text;
    if (whole.size() < kHeadBytes || whole.substr(0, kMagic.size()) != kMagic) return std::nullopt;
    const std::string_view body = whole.substr(kHeadBytes);
    if (sha256(body) != whole.substr(kMagic.size() + 2 * kSizeDigits, kDigestDigits)) return std::nullopt;
    // The key in front: an entry under another one's name would otherwise be taken for it.
    const size_t log_size = std::strtoull(text.substr(kMagic.size(), kSizeDigits).c_str(), nullptr, 16);
    const size_t package_size =
        std::strtoull(text.substr(kMagic.size() + kSizeDigits, kSizeDigits).c_str(), nullptr, 16);
    if (body.size() < key.size() || body.substr(0, key.size()) != key || log_size > body.size() - key.size() ||
        package_size != body.size() - key.size() - log_size)
        return std::nullopt;
    CacheEntry entry{std::string(body.substr(key.size(), log_size)),
                     std::string(body.substr(key.size() + log_size, package_size))};
    const auto package = package::Package::open(std::as_bytes(std::span(entry.package)));
    if (!package || !package->verify()) return std::nullopt;
    std::error_code ignored;
    fs::last_write_time(path_of(key), fs::file_time_type::clock::now(), ignored); /* what is used is not pruned */
    return entry;
}

std::optional<std::string> Cache::store(const std::string& key, const CacheEntry& entry) const {
    if (directory_.empty()) return std::nullopt;
    std::error_code error;
    if (fs::create_directories(directory_, error) && !error) fs::permissions(directory_, fs::perms::owner_all, error);
    if (error) return "cannot make the cache directory '" + directory_ + "': " + error.message();
    const std::string body = key + entry.log + entry.package;
    const std::string text =
        std::string(kMagic) + hexadecimal(entry.log.size()) + hexadecimal(entry.package.size()) + sha256(body) + body;
    if (text.size() > max_bytes_) return std::nullopt; /* it would throw out all others, and then itself */
    std::string temporary = directory_ + "/qiao-new-XXXXXX";
    const int file = mkostemp(temporary.data(), O_CLOEXEC);
    if (file < 0) return "cannot write to the cache directory '" + directory_ + "': " + std::strerror(errno);
    close(file);
    if (!write_file(temporary, text) || rename(temporary.c_str(), path_of(key).c_str()) != 0) {
        const std::string reason = std::strerror(errno);
        unlink(temporary.c_str());
        return "cannot write to the cache directory '" + directory_ + "': " + reason;
    }
    prune();
    return std::nullopt;
}

void Cache::prune() const {
    struct Item {
        fs::file_time_type time;
        uint64_t size;
        fs::path path;
    };
    std::vector<Item> items;
    uint64_t total = 0;
    std::error_code error;
    for (fs::directory_iterator each(directory_, error), end; !error && each != end; each.increment(error)) {
        std::error_code gone; /* by another process, between listing and asking */
        const uint64_t size = each->file_size(gone);
        const auto time = gone ? fs::file_time_type() : each->last_write_time(gone);
        if (gone ||
            (each->path().extension() != ".qpkc" && each->path().filename().string().rfind("qiao-new-", 0) != 0))
            continue;
        items.push_back({time, size, each->path()});
        total += size;
    }
    if (total <= max_bytes_) return;
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.time < b.time; });
    for (const Item& item : items) {
        if (total <= max_bytes_ / 4 * 3) break;
        fs::remove(item.path, error);
        total -= item.size;
    }
}

} // namespace qiao::compiler
