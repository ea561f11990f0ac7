// Runs a corpus, then mutations of it, the same ones for the same seed and corpus: bit flips, interesting numbers, cut, repeated
// and crossed pieces.
//   fuzz_<target> [--seed N] [--iterations N] PATH...     files, and folders whose files are taken in the order of their names
// An input that crashes is written to fuzz-crash.bin in the current directory first when FUZZ_KEEP is set.
#include "driver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace {

using Input = std::vector<uint8_t>;

constexpr size_t kMaxInput = 1u << 16;

class Mutator {
  public:
    Mutator(uint64_t seed, std::vector<Input> corpus) : random_(seed), corpus_(std::move(corpus)) {}

    Input next() {
        Input input = pick();
        const size_t count = 1 + below(4);
        for (size_t i = 0; i < count; ++i)
            mutate(input);
        if (input.size() > kMaxInput) input.resize(kMaxInput);
        if (below(4) != 0) fuzz_repair(input);
        return input;
    }

  private:
    size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }
    const Input& pick() { return corpus_[below(corpus_.size())]; }
    void mutate(Input& input);
    void write_number(Input& input);

    std::mt19937_64 random_;
    std::vector<Input> corpus_;
};

void Mutator::write_number(Input& input) {
    static constexpr uint64_t kNumbers[] = {0,         1,     2,     3,         4,          7,         8,
                                            63,        64,    127,   128,       255,        256,       4095,
                                            4096,      65535, 65536, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX - 63,
                                            UINT64_MAX};
    const size_t width = size_t{1} << below(4);
    if (input.size() < width) return;
    uint64_t number = kNumbers[below(std::size(kNumbers))];
    const size_t at = below(input.size() - width + 1);
    if (below(3) == 0) { /* near what was there */
        uint64_t old = 0;
        std::memcpy(&old, &input[at], width);
        number = old + below(17) - 8;
    }
    std::memcpy(&input[at], &number, width);
}

void Mutator::mutate(Input& input) {
    if (input.empty()) input.push_back(0);
    const size_t at = below(input.size()), length = 1 + below(std::min<size_t>(input.size() - at, 64));
    const auto begin = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(7)) {
        case 0:
            input[at] ^= static_cast<uint8_t>(1u << below(8));
            break;
        case 1:
            input[at] = static_cast<uint8_t>(random_());
            break;
        case 2:
        case 3:
            write_number(input);
            break;
        case 4:
            input.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
            break;
        case 5: {
            const Input piece(begin, begin + static_cast<std::ptrdiff_t>(length));
            input.insert(input.begin() + static_cast<std::ptrdiff_t>(below(input.size())), piece.begin(), piece.end());
            break;
        }
        default: {
            const Input& other = pick();
            const size_t from = below(other.size());
            const size_t count = std::min({length, other.size() - from, input.size() - at});
            std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(from), count, begin);
            break;
        }
    }
}

Input read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    Input input{std::istreambuf_iterator<char>(file), {}};
    if (file.good() || file.eof()) return input;
    std::fprintf(stderr, "%s cannot be read\n", path.c_str());
    std::exit(2);
}

void add(std::vector<Input>& corpus, const std::filesystem::path& path) {
    if (!std::filesystem::is_directory(path)) {
        corpus.push_back(read(path));
        return;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path))
        if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files)
        corpus.push_back(read(file));
}

void keep(const Input& input) {
    std::ofstream file("fuzz-crash.bin", std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
}

} // namespace

int main(int count, char** arguments) {
    uint64_t seed = 1, iterations = 10000;
    std::vector<Input> corpus;
    for (int i = 1; i < count; ++i) {
        if (std::strcmp(arguments[i], "--seed") == 0 && i + 1 < count)
            seed = std::strtoull(arguments[++i], nullptr, 10);
        else if (std::strcmp(arguments[i], "--iterations") == 0 && i + 1 < count)
            iterations = std::strtoull(arguments[++i], nullptr, 10);
        else
            add(corpus, arguments[i]);
    }
    if (corpus.empty()) {
        std::fprintf(stderr, "usage: %s [--seed N] [--iterations N] PATH...; there is no input in the paths given\n", arguments[0]);
        return 2;
    }
    std::printf("seed %llu, %zu inputs, %llu iterations\n", static_cast<unsigned long long>(seed), corpus.size(),
                static_cast<unsigned long long>(iterations));
    std::fflush(stdout);
    const bool keeping = std::getenv("FUZZ_KEEP") != nullptr;
    const auto run = [keeping](const Input& input) {
        if (keeping) keep(input);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    };
    for (const Input& input : corpus)
        run(input);
    Mutator mutator(seed, std::move(corpus));
    for (uint64_t i = 0; i < iterations; ++i)
        run(mutator.next());
    return 0;
}
