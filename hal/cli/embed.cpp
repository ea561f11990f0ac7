// See embed.h.
#include "cli/embed.h"

#include <cctype>
#include <filesystem>
#include <string_view>

#include "cli/array/files.h"
#include "cli/failure.h"

namespace qiao::cli {
namespace {

std::string header(const std::string& name) {
    return text("/* A kernel package: qiao_program_create_from_package takes it. Made by `qiao cc`. */\n#ifndef ", name, "_QPK_H\n#define ", name,
                "_QPK_H\n\n#include <stddef.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\nextern const unsigned char ", name,
                "_qpk[];\nextern const size_t ", name, "_qpk_size;\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

std::string body(const std::string& name, std::span<const std::byte> package) {
    constexpr size_t kRow = 24;
    std::string words = text("#include \"", name, "_qpk.h\"\n\nconst unsigned char ", name, "_qpk[] = {");
    words.reserve(words.size() + package.size() * 4 + package.size() / kRow + 100);
    for (size_t i = 0; i < package.size(); ++i) {
        words += i % kRow == 0 ? "\n" : "";
        words += std::to_string(std::to_integer<unsigned>(package[i])) + ",";
    }
    return words + text("\n};\nconst size_t ", name, "_qpk_size = sizeof ", name, "_qpk;\n");
}

void write(const std::string& path, const std::string& words) {
    write_file(path, std::as_bytes(std::span(words)));
}

} // namespace

std::string identifier_of(const std::string& path) {
    std::string name = std::filesystem::path(path).stem().string();
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) ? "_" + name : name;
}

void write_embedded(const std::string& folder, const std::string& name, std::span<const std::byte> package) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw Failure(kExitFailed, text(folder, ": cannot be made: ", error.message()));
    write(folder + "/" + name + "_qpk.h", header(name));
    write(folder + "/" + name + "_qpk.c", body(name, package));
}

} // namespace qiao::cli
