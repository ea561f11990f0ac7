// A folder of data files of families, for one test.
#pragma once

#include <string>

namespace test {

class Folder {
  public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::string& path() const { return path_; }
    std::string file(const std::string& id) const { return path_ + "/" + id + ".json"; }
    // Writes `id`.json, which only the user may change.
    void write(const std::string& id, const std::string& text) const;

  private:
    std::string path_;
};

// A whole family, with each line of its own: line 10 begins the slots. `changes` are pairs of a text and what to put in its place, each of
// which must be there.
std::string family_text(std::initializer_list<std::pair<const char*, const char*>> changes = {});

} // namespace test
