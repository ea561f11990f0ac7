/* Columns of text, padded by what a terminal shows. */
#pragma once

#include <string>
#include <vector>

namespace qiao::cli {

class Table {
  public:
    void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool empty() const { return rows_.empty(); }
    /* Two spaces between columns, nothing at the end of lines; each line begins with `indent` and ends in '\n'. */
    std::string text(const std::string& indent = "") const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

/* 2147483648 -> "2.0 GiB"; 1536 -> "1536 B" below 10 KiB. */
std::string bytes_text(unsigned long long bytes);
/* Nanoseconds with three digits: "853 ns", "1.24 ms". */
std::string time_text(double nanoseconds);
/* Without control characters: what devices and files say of themselves may go to a terminal. */
std::string printable(const std::string& text);

} // namespace qiao::cli
