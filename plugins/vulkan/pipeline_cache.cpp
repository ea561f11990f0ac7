// File: magic, checksum and size, then the driver's bytes. Drivers check that the bytes are theirs, not all that they are whole.
#include "pipeline_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "device.h"

namespace qiao::vulkan {
namespace {

constexpr char kMagic[8] = {'Q', 'I', 'A', 'O', 'V', 'K', 'P', '1'};
constexpr size_t kMaxBytes = size_t{256} << 20;

struct Head {
    char magic[8];
    uint64_t size_bytes;
    uint64_t checksum;
};

uint64_t checksum_of(const std::vector<char>& bytes) {
    uint64_t sum = 14695981039346656037u; // FNV-1a
    for (const char byte : bytes)
        sum = (sum ^ static_cast<unsigned char>(byte)) * 1099511628211u;
    return sum;
}

// Empty where there is no file, or one that was damaged.
std::vector<char> load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    Head head = {};
    if (!file.read(reinterpret_cast<char*>(&head), sizeof head)) return {};
    if (std::memcmp(head.magic, kMagic, sizeof kMagic) != 0 || head.size_bytes > kMaxBytes) return {};
    std::vector<char> bytes(head.size_bytes);
    if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return {};
    if (checksum_of(bytes) != head.checksum) return {};
    return bytes;
}

// Under a name of its own, then renamed: another process sees the old file or the new one.
bool store(const std::string& path, const std::vector<char>& bytes) {
    const std::string temporary = text(path, ".", getpid(), ".new");
    const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return false;
    Head head = {};
    std::memcpy(head.magic, kMagic, sizeof kMagic);
    head.size_bytes = bytes.size();
    head.checksum = checksum_of(bytes);
    FILE* file = fdopen(descriptor, "wb");
    bool good = file != nullptr && fwrite(&head, sizeof head, 1, file) == 1 &&
                fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    if (file != nullptr)
        good = fclose(file) == 0 && good;
    else
        close(descriptor);
    if (good) good = rename(temporary.c_str(), path.c_str()) == 0;
    if (!good) unlink(temporary.c_str());
    return good;
}

VkPipelineCache make(Device& device, const std::vector<char>& bytes) {
    VkPipelineCacheCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
    info.initialDataSize = bytes.size();
    info.pInitialData = bytes.data();
    VkPipelineCache cache = VK_NULL_HANDLE;
    const VkResult result = device.vk.vkCreatePipelineCache(device.device, &info, nullptr, &cache);
    return result == VK_SUCCESS ? cache : VK_NULL_HANDLE;
}

} // namespace

void PipelineCache::create(Device& device) {
    cache_ = make(device, {});
}

void PipelineCache::destroy(Device& device) {
    save(device);
    if (cache_ != VK_NULL_HANDLE) device.vk.vkDestroyPipelineCache(device.device, cache_, nullptr);
    cache_ = VK_NULL_HANDLE;
}

void PipelineCache::use_directory(Device& device, const char* directory) {
    std::lock_guard lock(mutex_);
    if (cache_ == VK_NULL_HANDLE || !path_.empty() || directory[0] == '\0') return;
    mkdir(directory, 0700); // its parent is the host's to make; that it is missing shows when saving
    path_ = text(directory, "/", device.record->cache_name);
    const std::vector<char> bytes = load(path_);
    if (bytes.empty()) return;
    const VkPipelineCache loaded = make(device, bytes);
    if (loaded == VK_NULL_HANDLE) return;
    if (device.vk.vkMergePipelineCaches(device.device, cache_, 1, &loaded) == VK_SUCCESS) saved_bytes_ = bytes.size();
    device.vk.vkDestroyPipelineCache(device.device, loaded, nullptr);
}

void PipelineCache::save(Device& device) {
    std::lock_guard lock(mutex_);
    if (path_.empty() || cache_ == VK_NULL_HANDLE || device.lost.load()) return;
    size_t size = 0;
    if (device.vk.vkGetPipelineCacheData(device.device, cache_, &size, nullptr) != VK_SUCCESS) return;
    if (size <= saved_bytes_ || size > kMaxBytes) return;
    std::vector<char> bytes(size);
    if (device.vk.vkGetPipelineCacheData(device.device, cache_, &size, bytes.data()) != VK_SUCCESS) return;
    bytes.resize(size);
    if (store(path_, bytes))
        saved_bytes_ = size;
    else
        device.host.log(QIAO_LOG_LEVEL_WARNING, text("compiled pipelines cannot be kept in ", path_, ": ", std::strerror(errno)));
}

} // namespace qiao::vulkan
