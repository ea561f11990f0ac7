// Reading below a root that stands for /sys. Nothing here is trusted: files may be missing, unreadable, huge, without an end, or vanish
// between two reads; folders may hold anything. What is strange becomes a note, what is missing an empty answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "topology/graph.h"

namespace qiao::topology {

class Sysfs {
  public:
    Sysfs(std::string root, Graph& graph) : root_(std::move(root)), graph_(graph) {}

    const std::string& root() const { return root_; }
    bool has(const std::string& path) const;
    // The names in a folder, sorted as people count ("node2" before "node10"); none if it cannot be read, and a note if it is there.
    std::vector<std::string> list(const std::string& path) const;
    // The whole text without its last line end; none if there is no such file. At most 64 KiB.
    std::optional<std::string> text(const std::string& path) const;
    // A number, decimal or 0x...; a note if there is something else.
    std::optional<int64_t> number(const std::string& path) const;
    // Where a link leads, below the root: "devices/pci0000:00/0000:00:01.0"; "" if nowhere below it.
    std::string resolve(const std::string& path) const;
    // "key value" lines, as KFD and AER write them; lines of another form are left out.
    std::vector<std::pair<std::string, std::string>> pairs(const std::string& path) const;

    void note(const std::string& path, const std::string& what) const { graph_.note(path + ": " + what); }

  private:
    std::string full(const std::string& path) const { return root_ + '/' + path; }

    std::string root_;
    Graph& graph_;
};

// All of the text is a number that fits.
std::optional<int64_t> parse_number(std::string_view text);
// "0-3,8,10-11" as numbers, at most 65536 of them, each below 65536; none if it is no such list.
std::optional<std::vector<uint32_t>> parse_list(std::string_view text);
// An attribute's text for a note: cut, in quotes, control characters as '?'.
std::string in_quotes(std::string_view text);

} // namespace qiao::topology
