// Opening a shared library: all that this room asks of the operating system's loader.
#pragma once

#include <string>

namespace qiao::loader {

class Library {
public:
    // Empty, with the loader's words in `error`, if it cannot be opened.
    static Library open(const std::string& path, std::string& error);
    Library() = default;
    Library(Library&& other) noexcept;
    Library& operator=(Library&& other) noexcept;
    ~Library();

    explicit operator bool() const { return handle_ != nullptr; }
    void* symbol(const char* name) const;

private:
    void* handle_ = nullptr;
};

// The folder that libqiao itself was loaded from; "" if that cannot be told.
std::string own_directory();

}  // namespace qiao::loader
