#include "share/memory_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>

#include "share/descriptor.h"
#include "tracking/sealed_file.h"

namespace qiao {
namespace {

qiao_status identify(const Descriptor& descriptor, std::pair<dev_t, ino_t>& out) {
    struct stat status{};
    if (fstat(descriptor.number(), &status) != 0) return fail(QIAO_ERROR_IO, "a memory file does not tell what it is: %s", std::strerror(errno));
    out = {status.st_dev, status.st_ino};
    return QIAO_OK;
}

}  // namespace

qiao_status MemoryFiles::create(uint64_t size_bytes, uint64_t alignment, std::shared_ptr<MemoryFile>& out) {
    Descriptor descriptor;
    Identity identity;
    QIAO_RETURN_IF_ERROR(create_sealed_file(size_bytes, descriptor));
    QIAO_RETURN_IF_ERROR(identify(descriptor, identity));
    std::lock_guard guard(mutex_);
    return map(identity, std::move(descriptor), size_bytes, alignment, out);
}

qiao_status MemoryFiles::import(Descriptor descriptor, uint64_t size_bytes, uint64_t alignment, std::shared_ptr<MemoryFile>& out) {
    Identity identity;
    QIAO_RETURN_IF_ERROR(check_sealed_file(descriptor, whole_pages(size_bytes)));
    QIAO_RETURN_IF_ERROR(identify(descriptor, identity));
    std::lock_guard guard(mutex_);
    const auto known = files_.find(identity);
    out = known == files_.end() ? nullptr : known->second.lock();
    if (out == nullptr) return map(identity, std::move(descriptor), size_bytes, alignment, out);
    if ((reinterpret_cast<uintptr_t>(out->address()) & (alignment - 1)) == 0) return QIAO_OK;
    fail(QIAO_ERROR_INVALID_ARGUMENT, "the memory is mapped at %p for another device already, and this one needs an alignment of %" PRIu64, static_cast<void*>(out->address()), alignment);
    set_remedy("allocate it with that alignment");
    out = nullptr;
    return QIAO_ERROR_INVALID_ARGUMENT;
}

qiao_status MemoryFiles::map(const Identity& identity, Descriptor descriptor, uint64_t size_bytes, uint64_t alignment, std::shared_ptr<MemoryFile>& out) {
    Mapping mapping;
    QIAO_RETURN_IF_ERROR(Mapping::create(descriptor.number(), whole_pages(size_bytes), std::max(alignment, page_bytes()), mapping));
    auto file = std::make_shared<MemoryFile>(std::move(descriptor), std::move(mapping));
    std::erase_if(files_, [](const auto& entry) { return entry.second.expired(); });
    files_[identity] = file;
    out = std::move(file);
    return QIAO_OK;
}

}  // namespace qiao
