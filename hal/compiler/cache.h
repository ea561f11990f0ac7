/* The disk cache of compilations. Entries are written beside and renamed, digested, and verified when read, so concurrent
 * compilers, full disks and damaged files cost a compilation, never a wrong result. Old entries go when it grows too large. */
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qiao::compiler {

/* What a compilation depends on, piece by piece; pieces never run into each other. */
class CacheKey {
  public:
    void add(std::string_view piece);
    std::string hex() const; /* SHA-256 of all pieces */

  private:
    std::string text_;
};

struct CacheEntry {
    std::string log;
    std::string package;
};

class Cache {
  public:
    /* `directory` null: $XDG_CACHE_HOME/qiao, else ~/.cache/qiao, else no cache. */
    explicit Cache(const char* directory);

    std::optional<CacheEntry> load(const std::string& key) const;
    /* Nothing, or why it could not be stored. */
    std::optional<std::string> store(const std::string& key, const CacheEntry& entry) const;

    /* Unless QIAO_CACHE_SIZE says otherwise: "64M", "2G", bytes without a letter. */
    static constexpr uint64_t kMaxBytes = 512u << 20;

  private:
    std::string path_of(const std::string& key) const { return directory_ + "/" + key + ".qpkc"; }
    void prune() const;

    std::string directory_; /* "" = none */
    uint64_t max_bytes_;
};

} // namespace qiao::compiler
