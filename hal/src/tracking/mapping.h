// Owners of a descriptor and of a piece of address space.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "object/error.h"

namespace qiao {

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    int number() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }
    // The caller closes it.
    int take() { return std::exchange(number_, -1); }

private:
    int number_ = -1;
};

class Mapping {
public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept : address_(std::exchange(other.address_, nullptr)), size_bytes_(other.size_bytes_) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(address_, other.address_);
        std::swap(size_bytes_, other.size_bytes_);
        return *this;
    }
    ~Mapping() {
        if (address_ != nullptr) munmap(address_, size_bytes_);
    }

    // `descriptor` mapped for reading and writing, seen by whoever else maps it; private zeros with -1. `size_bytes` is in
    // whole pages.
    static qiao_status create(int descriptor, uint64_t size_bytes, uint64_t alignment, Mapping& out);

    std::byte* address() const { return address_; }
    uint64_t size_bytes() const { return size_bytes_; }

private:
    Mapping(void* address, uint64_t size_bytes) : address_(static_cast<std::byte*>(address)), size_bytes_(size_bytes) {}

    std::byte* address_ = nullptr;
    uint64_t size_bytes_ = 0;
};

inline uint64_t page_bytes() {
    static const uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    return bytes;
}

}  // namespace qiao
