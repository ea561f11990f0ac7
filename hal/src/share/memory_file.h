// Host memory in a sealed file. An instance maps each file once, so that all its devices see it at one pointer.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <mutex>

#include "tracking/mapping.h"

namespace qiao {

class MemoryFile {
public:
    MemoryFile(Descriptor descriptor, Mapping mapping) : descriptor_(std::move(descriptor)), mapping_(std::move(mapping)) {}
    const Descriptor& descriptor() const { return descriptor_; }
    std::byte* address() const { return mapping_.address(); }

private:
    Descriptor descriptor_;
    Mapping mapping_;
};

class MemoryFiles {
public:
    // Zeros.
    qiao_status create(uint64_t size_bytes, uint64_t alignment, std::shared_ptr<MemoryFile>& out);
    // The file behind a descriptor that may come from another process; size_bytes is what it is said to hold. INVALID_ARGUMENT if
    // it is no such file, or if it is mapped already at an address that is aligned less.
    qiao_status import(Descriptor descriptor, uint64_t size_bytes, uint64_t alignment, std::shared_ptr<MemoryFile>& out);

private:
    using Identity = std::pair<dev_t, ino_t>;
    qiao_status map(const Identity& identity, Descriptor descriptor, uint64_t size_bytes, uint64_t alignment, std::shared_ptr<MemoryFile>& out);

    std::mutex mutex_;  // guards what follows
    std::map<Identity, std::weak_ptr<MemoryFile>> files_;
};

}  // namespace qiao
