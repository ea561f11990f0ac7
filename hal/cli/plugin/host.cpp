/* Nothing is counted, checked or kept: what goes wrong is the business of the child process that this runs in. */
#include "cli/plugin/host.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "cli/failure.h"

namespace qiao::cli {

Host::Host(const std::string& plugin_folder, const std::string& manifest_text)
    : folder(plugin_folder), manifest(manifest_text.empty() ? "{}" : manifest_text) {
    api.struct_size = sizeof api;
    api.abi_major = QIAO_PLUGIN_ABI_MAJOR;
    api.abi_minor = QIAO_PLUGIN_ABI_MINOR;
    api.host = this;
    api.plugin_directory = folder.c_str();
    api.manifest_json = manifest.c_str();
    api.log = [](void*, qiao_log_level, const char* words) { std::fprintf(stderr, "%s\n", bounded(words).c_str()); };
    api.completed = [](void*, uint64_t, uint64_t, qiao_status) {};
    api.device_lost = [](void*, uint64_t, const char*) {};
    api.error = [](void* self, const qiao_plugin_error* error) {
        static_cast<Host*>(self)->message = bounded(error->message);
        static_cast<Host*>(self)->remedy = bounded(error->remedy);
    };
    api.allocate = [](void*, size_t size, size_t alignment) -> void* {
        void* memory = nullptr;
        return posix_memalign(&memory, alignment < sizeof(void*) ? sizeof(void*) : alignment, size) == 0 ? memory : nullptr;
    };
    api.release = [](void*, void* memory) { std::free(memory); };
    api.pause = [](void*, uint32_t*, uint64_t deadline_ns) -> qiao_status {
        const timespec moment = {0, 1000000};
        nanosleep(&moment, nullptr);
        return cli::now_ns() > deadline_ns ? QIAO_TIMEOUT : QIAO_OK;
    };
    api.now_ns = [](void*) { return cli::now_ns(); };
    api.output = [](void*, uint64_t, const char*, const char* words, size_t size) { std::fwrite(words, 1, size, stderr); };
    api.extension = [](void*, const char*) -> const void* { return nullptr; };
}

uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

std::string bounded(const char* words) {
    constexpr size_t kMaxText = 4096;
    return words == nullptr ? "" : std::string(words, strnlen(words, kMaxText));
}

std::string status_text(qiao_status status) {
    switch (status) {
#define QIAO_CASE(name, code, words) \
    case code:                       \
        return "QIAO_" #name;
        QIAO_STATUS_MAP(QIAO_CASE)
#undef QIAO_CASE
        default:
            return text(status, ", which is no status of Qiao");
    }
}

} // namespace qiao::cli
