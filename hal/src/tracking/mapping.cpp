#include "tracking/mapping.h"

#include <cerrno>
#include <cinttypes>
#include <cstring>

namespace qiao {
namespace {

qiao_status fail_to_map(uint64_t size_bytes) {
    const int error = errno;
    fail(QIAO_ERROR_OUT_OF_MEMORY, "mmap of %" PRIu64 " bytes for shared memory failed: %s", size_bytes, std::strerror(error));
    set_remedy("allocate less, free memory, or raise the process's limit of address space (ulimit -v)");
    return QIAO_ERROR_OUT_OF_MEMORY;
}

}  // namespace

qiao_status Mapping::create(int descriptor, uint64_t size_bytes, uint64_t alignment, Mapping& out) {
    const uint64_t slack_bytes = alignment > page_bytes() ? alignment - page_bytes() : 0;
    if (size_bytes > UINT64_MAX - slack_bytes) {
        errno = ENOMEM;
        return fail_to_map(size_bytes);
    }
    const int flags = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    if (slack_bytes == 0) {
        void* address = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0);
        if (address == MAP_FAILED) return fail_to_map(size_bytes);
        out = Mapping(address, size_bytes);
        return QIAO_OK;
    }
    void* reserved = mmap(nullptr, size_bytes + slack_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return fail_to_map(size_bytes + slack_bytes);
    std::byte* const first = static_cast<std::byte*>(reserved);
    const uint64_t before = -reinterpret_cast<uintptr_t>(first) & (alignment - 1);
    void* address = mmap(first + before, size_bytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED, descriptor, 0);
    if (address == MAP_FAILED) {
        const qiao_status status = fail_to_map(size_bytes);
        munmap(reserved, size_bytes + slack_bytes);
        return status;
    }
    if (before > 0) munmap(first, before);
    if (before < slack_bytes) munmap(first + before + size_bytes, slack_bytes - before);
    out = Mapping(address, size_bytes);
    return QIAO_OK;
}

}  // namespace qiao
