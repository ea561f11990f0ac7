// Writes the corpora of the fuzz targets, a folder for each, or says whether the files that are there are what it would write.
//   make_corpus [--check] FOLDER
// A case is added to package_cases.cpp or manifest_cases.cpp; so is an input that a fuzz target failed on (fuzz-crash.bin), once it
// is cut down to what matters. Then this program is run without --check, and its files are committed.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "cases.h"

namespace {

namespace fs = std::filesystem;

int problems = 0;

void complain(const fs::path& file, const std::string& what) {
    std::printf("%s: %s\n", file.c_str(), what.c_str());
    ++problems;
}

void check_refusal(const fs::path& path, const Case& each, const std::string& refusal) {
    if (each.refusal.empty() ? refusal.empty() : refusal.find(each.refusal) != std::string::npos) return;
    complain(path, "the reader says '" + refusal + "' and not '" + each.refusal + "'");
}

void compare(const fs::path& path, const Case& each) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        complain(path, "is missing");
    else if (std::string(std::istreambuf_iterator<char>(file), {}) != each.bytes)
        complain(path, "is not what make_corpus writes");
}

void write(const fs::path& path, const Case& each) {
    std::ofstream file(path, std::ios::binary);
    file.write(each.bytes.data(), static_cast<std::streamsize>(each.bytes.size()));
    if (!file.flush()) complain(path, "cannot be written");
}

void visit(const fs::path& folder, const Corpus& corpus, void (*each_file)(const fs::path&, const Case&)) {
    std::set<std::string> known;
    for (const Case& each : corpus.cases) {
        const fs::path path = folder / each.file;
        if (!known.insert(each.file).second) complain(path, "two cases have this name");
        check_refusal(path, each, corpus.refusal_of(each.bytes));
        each_file(path, each);
    }
    for (const auto& entry : fs::directory_iterator(folder))
        if (known.count(entry.path().filename().string()) == 0) complain(entry.path(), "is of no case: remove it, or make it one");
    std::printf("%s: %zu cases\n", folder.c_str(), corpus.cases.size());
}

} // namespace

int main(int count, char** arguments) {
    const bool checking = count == 3 && std::strcmp(arguments[1], "--check") == 0;
    if (count != 2 && !checking) {
        std::fprintf(stderr, "usage: %s [--check] FOLDER\n", arguments[0]);
        return 2;
    }
    for (const Corpus& corpus : {package_corpus(), manifest_corpus()}) {
        const fs::path folder = fs::path(arguments[count - 1]) / corpus.folder;
        fs::create_directories(folder);
        visit(folder, corpus, checking ? compare : write);
    }
    if (problems != 0 && checking) std::printf("%d problem(s); `make_corpus FOLDER` writes the files anew\n", problems);
    return problems == 0 ? 0 : 1;
}
