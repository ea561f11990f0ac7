// What every entry of the C ABI shares: no exception leaves it, descriptors are checked in one way, and out-structs are
// filled up to the size the caller knows.
#pragma once

#include <algorithm>
#include <cinttypes>
#include <cstring>
#include <new>

#include "object/handle.h"

namespace qiao {

template <class Function>
qiao_status entry(Function&& function) noexcept {
    try {
        return function();
    } catch (const std::bad_alloc&) {
        return fail(QIAO_ERROR_OUT_OF_MEMORY, "the host is out of memory");
    } catch (const std::exception& exception) {
        return fail(QIAO_ERROR_INTERNAL, "unexpected exception: %s", exception.what());
    } catch (...) {
        return fail(QIAO_ERROR_INTERNAL, "unexpected exception");
    }
}

#define QIAO_CHECK_POINTER(pointer)                                                           \
    do {                                                                                      \
        if ((pointer) == nullptr) [[unlikely]] {                                              \
            return ::qiao::fail(QIAO_ERROR_INVALID_ARGUMENT, "'%s' is null", #pointer);       \
        }                                                                                     \
    } while (false)

// Reads a growing descriptor into a full-length one: what the caller's version does not have is zero, and what it has
// beyond ours must be zero, since it would be ignored.
template <class Desc>
qiao_status read_desc(const Desc* desc, const char* name, Desc& out_desc) noexcept {
    if (desc->struct_size < 2 * sizeof(void*) || desc->struct_size > 4096) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "%s.struct_size is %zu; this library's is %zu", name, desc->struct_size, sizeof(Desc));
        set_remedy("start the struct with its _INIT macro");
        return QIAO_ERROR_INVALID_ARGUMENT;
    }
    if (desc->next != nullptr) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s.next chains a struct, and this version knows none", name);
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(desc);
    for (size_t at = sizeof(Desc); at < desc->struct_size; ++at) {
        if (bytes[at] != 0) {
            return fail(QIAO_ERROR_UNSUPPORTED, "%s uses a field at byte %zu that this version of the library does not know", name, at);
        }
    }
    std::memset(static_cast<void*>(&out_desc), 0, sizeof out_desc);
    std::memcpy(static_cast<void*>(&out_desc), desc, std::min(desc->struct_size, sizeof out_desc));
    return QIAO_OK;
}

inline qiao_status check_no_flags(uint64_t flags, const char* name) noexcept {
    if (flags == 0) return QIAO_OK;
    return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s.flags has unknown bits 0x%" PRIx64, name, flags);
}

// Reserved fields are 0 today, so that they can mean something tomorrow.
inline qiao_status check_reserved(uint64_t reserved, const char* name) noexcept {
    if (reserved == 0) return QIAO_OK;
    return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s.reserved0 is 0x%" PRIx64 "; it must be 0", name, reserved);
}

// Fills a growing out-struct; the caller has set struct_size. `values` is full-length.
template <class Struct>
qiao_status write_struct(const Struct& values, Struct* out, const char* name) noexcept {
    const size_t size = out->struct_size;
    if (size < 2 * sizeof(void*)) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "%s.struct_size is %zu; this library's is %zu", name, size, sizeof(Struct));
        set_remedy("start the struct with its _INIT macro");
        return QIAO_ERROR_INVALID_ARGUMENT;
    }
    if (out->next != nullptr) return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s.next chains a struct, and this version knows none", name);
    constexpr size_t head = 2 * sizeof(void*);
    std::memcpy(reinterpret_cast<char*>(out) + head, reinterpret_cast<const char*>(&values) + head, std::min(size, sizeof(Struct)) - head);
    return QIAO_OK;
}

}  // namespace qiao
