// File: magic, sizes of key and binary, a checksum of both, then both. The key stands there in full, so that another program of the same
// hash is not taken for this one. Written under a name of its own and renamed: readers see a whole file or none.
#include "binaries.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

namespace qiao::opencl {
namespace {

namespace fs = std::filesystem;

constexpr char kMagic[8] = {'Q', 'I', 'A', 'O', 'C', 'L', 'B', '1'};
constexpr uint64_t kMaxBytes = uint64_t{64} << 20; // of one binary
constexpr size_t kMostFiles = 256;
constexpr uint64_t kBasis = 14695981039346656037u; // FNV-1a

struct Head {
    char magic[8];
    uint64_t key_bytes, binary_bytes, checksum;
};

uint64_t hash(const void* bytes, size_t size, uint64_t sum = kBasis) {
    for (const auto* at = static_cast<const unsigned char*>(bytes); size != 0; --size)
        sum = (sum ^ *at++) * 1099511628211u;
    return sum;
}

// The least recently used go once there are too many.
void prune(const fs::path& folder) {
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    std::error_code error;
    for (fs::directory_iterator each(folder, error), end; !error && each != end; each.increment(error)) {
        std::error_code gone;
        const auto time = each->last_write_time(gone);
        if (!gone && each->path().filename().string().starts_with("opencl-")) files.emplace_back(time, each->path());
    }
    if (files.size() <= kMostFiles) return;
    std::sort(files.begin(), files.end());
    files.resize(files.size() - kMostFiles / 4 * 3);
    for (const auto& [time, path] : files)
        fs::remove(path, error);
}

std::string read_binary(const BinaryKey& key) {
    std::ifstream file(key.path, std::ios::binary);
    Head head = {};
    if (!file.read(reinterpret_cast<char*>(&head), sizeof head) || std::memcmp(head.magic, kMagic, sizeof kMagic) != 0) return "";
    if (head.key_bytes != key.text.size() || head.binary_bytes > kMaxBytes) return "";
    std::string stored(head.key_bytes, '\0'), binary(head.binary_bytes, '\0');
    if (!file.read(stored.data(), static_cast<std::streamsize>(stored.size())) || stored != key.text) return "";
    if (!file.read(binary.data(), static_cast<std::streamsize>(binary.size()))) return "";
    return hash(binary.data(), binary.size()) == head.checksum ? binary : "";
}

} // namespace

BinaryKey::BinaryKey(const Device& device, const qiao_plugin_program_desc& desc) {
    if (desc.cache_directory == nullptr || device.cl->clCreateProgramWithBinary == nullptr) return;
    const auto add = [this](const std::string& piece) { text += std::to_string(piece.size()) + ":" + piece; };
    for (const char* piece : {desc.format, desc.options != nullptr ? desc.options : "", device.record->info.name, device.record->info.driver})
        add(piece);
    add({static_cast<const char*>(desc.data), desc.size_bytes});
    char name[48];
    std::snprintf(name, sizeof name, "/opencl-%016llx.binary", static_cast<unsigned long long>(hash(text.data(), text.size())));
    path = desc.cache_directory + std::string(name);
}

cl_program load_binary(Device& device, const BinaryKey& key, const char* options) {
    if (!key.usable()) return nullptr;
    const std::string binary = read_binary(key);
    if (binary.empty()) return nullptr;
    const auto* bytes = reinterpret_cast<const unsigned char*>(binary.data());
    const size_t size = binary.size();
    cl_int state = CL_SUCCESS, code = CL_SUCCESS;
    cl_program program = device.cl->clCreateProgramWithBinary(device.context, 1, &device.record->id, &size, &bytes, &state, &code);
    if (program == nullptr) return nullptr;
    if (state != CL_SUCCESS || device.cl->clBuildProgram(program, 1, &device.record->id, options, nullptr, nullptr) != CL_SUCCESS) {
        device.cl->clReleaseProgram(program);
        return nullptr;
    }
    std::error_code ignored;
    fs::last_write_time(key.path, fs::file_time_type::clock::now(), ignored); // what is used is not pruned
    return program;
}

void store_binary(Device& device, const BinaryKey& key, cl_program program) {
    size_t size = 0;
    if (!key.usable() || device.cl->clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr) != CL_SUCCESS) return;
    if (size == 0 || size > kMaxBytes) return;
    std::vector<unsigned char> binary(size);
    unsigned char* bytes = binary.data();
    if (device.cl->clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, nullptr) != CL_SUCCESS) return;
    const fs::path folder = fs::path(key.path).parent_path();
    std::error_code error;
    if (fs::create_directories(folder, error) && !error) fs::permissions(folder, fs::perms::owner_all, error);
    std::string temporary = (folder / "opencl-new-XXXXXX").string();
    const int descriptor = error ? -1 : mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0) return;
    close(descriptor);
    Head head = {{}, key.text.size(), size, hash(binary.data(), size)};
    std::memcpy(head.magic, kMagic, sizeof kMagic);
    std::ofstream file(temporary, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&head), sizeof head);
    file.write(key.text.data(), static_cast<std::streamsize>(key.text.size()));
    file.write(reinterpret_cast<const char*>(binary.data()), static_cast<std::streamsize>(size));
    file.close();
    if (!file || std::rename(temporary.c_str(), key.path.c_str()) != 0) unlink(temporary.c_str());
    prune(folder);
}

} // namespace qiao::opencl
