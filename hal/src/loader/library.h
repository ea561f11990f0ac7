// Shared libraries: all that is asked of the operating system's loader, and what its refusals mean.
#pragma once

#include <string>

#include "loader/problem.h"

namespace qiao::loader {

class Library {
  public:
    Library() = default;
    Library(Library&& other) noexcept;
    Library& operator=(Library&& other) noexcept;
    ~Library();

    // A path, or a bare name by the system's search. Binds all symbols at once, so that a missing one shows here and not
    // in a call; keeps them to itself. Empty, with the loader's words in `error`, if it cannot be opened.
    static Library open(const std::string& path, std::string& error);
    explicit operator bool() const { return handle_ != nullptr; }
    void* symbol(const char* name) const; // null = none
    // Leaves the library in memory for good.
    void keep() { handle_ = nullptr; }

  private:
    void* handle_ = nullptr;
};

// Opens a plugin's library; says what is wrong with the file where the system's loader does not.
Verdict open_plugin_library(const std::string& path, Library& out_library);

// The folder that libqiao itself was loaded from; "" if that cannot be told.
std::string own_directory();
// "x86_64", "aarch64", ...: what this library was built for.
const char* own_architecture();

} // namespace qiao::loader
