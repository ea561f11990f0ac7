/* make_image FAMILY[,FAMILY...] PACKAGE OUT: the package with a variant for each family's fake library. */
#include <cstdio>
#include <fstream>
#include <sstream>

#include "image/maker.h"

namespace {

int complain(const std::string& text) {
    std::fprintf(stderr, "make_image: %s\n", text.c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) return complain("give FAMILY[,FAMILY...] PACKAGE OUT");
    std::ifstream file(argv[2], std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    const std::string text = content.str();
    std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(text.data()), reinterpret_cast<const std::byte*>(text.data()) + text.size());
    std::istringstream families(argv[1]);
    for (std::string family; std::getline(families, family, ',');) {
        const fakes::image::Style* style = fakes::image::style_of(family);
        if (style == nullptr) return complain("'" + family + "' is no family");
        const auto package = qiao::package::Package::open(bytes);
        if (!package) return complain(std::string(argv[2]) + ": " + package.error().message);
        std::string reason;
        auto made = fakes::image::with_variant(*package, *style, reason);
        if (!made) return complain(std::string(argv[2]) + ": " + reason);
        bytes = *std::move(made);
    }
    std::ofstream out(argv[3], std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return out.flush() ? 0 : complain(std::string(argv[3]) + ": not written");
}
