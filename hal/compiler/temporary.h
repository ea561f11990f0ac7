/* A directory for the tools' files, private to the user and gone with the object. */
#pragma once

#include <string>
#include <utility>

#include "failure.h"

namespace qiao::compiler {

class TemporaryDirectory {
  public:
    static Outcome<TemporaryDirectory> make();
    TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, "")) {}
    TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
    ~TemporaryDirectory();

    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

/* Whole files; nothing where that fails, errno says why. */
bool write_file(const std::string& path, std::string_view text);
bool read_file(const std::string& path, std::string& text);

} // namespace qiao::compiler
