/* Memory: untyped allocations, typed buffers, and mappings into the host's address space. */
#ifndef QIAO_HPP_MEMORY_HPP
#define QIAO_HPP_MEMORY_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "qiao/hpp/address.hpp"
#include "qiao/hpp/owner.hpp"
#include "qiao/hpp/share.hpp"
#include "qiao/hpp/span.hpp"
#include "qiao/memory.h"

namespace qiao {
inline namespace v0 {

struct MemoryOptions {
    MemoryKind kind = MemoryKind::kDevice;
    uint64_t alignment = 0; ///< of the address: a power of two up to 2 MiB; 0 = 128
    bool fetch_explicit = false; ///< of shared memory: what the device has written comes by Memory::fetch only
    bool shareable = false;      ///< host memory, or device memory where the driver hands it over: for Memory::export_handle
};

enum class Access : qiao_access {
    kRead = QIAO_ACCESS_READ,
    kWrite = QIAO_ACCESS_WRITE,
    kReadWrite = QIAO_ACCESS_READ | QIAO_ACCESS_WRITE,
};

/// What a program knows of the use of its shared memory (qiao_memory_advise has what each does).
enum class Advice : qiao_memory_advice {
    kReadMostly = QIAO_MEMORY_ADVICE_READ_MOSTLY, ///< no kernel writes the range: nothing of it is brought back
    kNotReadMostly = QIAO_MEMORY_ADVICE_NOT_READ_MOSTLY,
    kPreferredDevice = QIAO_MEMORY_ADVICE_PREFERRED_DEVICE, ///< leaves the device last where room is needed
    kPreferredHost = QIAO_MEMORY_ADVICE_PREFERRED_HOST,     ///< leaves it first
    kNoPreference = QIAO_MEMORY_ADVICE_NO_PREFERENCE,
};

/// The sums of Memory::traffic over all shared memory that was made on the device, also what has been released.
inline qiao_memory_traffic device_traffic(Device device) {
    qiao_memory_traffic traffic = QIAO_MEMORY_TRAFFIC_INIT;
    check(qiao_device_query_traffic(device.get(), &traffic));
    return traffic;
}

/// An allocation of bytes; contents are undefined until written. Its address, size and kind are asked once and kept here,
/// so reading them costs no call. Destruction never waits: queued work that uses the memory runs to its end.
class Memory : public Owner<qiao_memory, qiao_memory_retain, qiao_memory_release> {
  public:
    Memory() noexcept = default;
    /// OutOfMemoryError; UnsupportedError for a kind the device has not; OUT_OF_RANGE for a size of 0 or above the limit.
    Memory(Device device, uint64_t size_bytes, MemoryOptions options = MemoryOptions())
        : Memory(allocate(device, size_bytes, options)) {}
    /// Takes over the caller's reference, also if it throws.
    static Memory adopt(qiao_memory* owned) { return Memory(owned); }
    /// The allocation of the device that contains the address, retained. NotFoundError if there is none.
    template <class T>
    static Memory find(Device device, Address<T> address) {
        qiao_memory* found = nullptr;
        uint64_t offset = 0;
        check(qiao_memory_find(device.get(), address.value(), &found, &offset));
        check(qiao_memory_retain(found));
        return Memory(found);
    }

    /// Memory of the vendor's that stays the application's.
    static Memory wrap(Device device, const qiao_native& native, uint64_t size_bytes, MemoryOptions options = MemoryOptions()) {
        const qiao_memory_desc desc = describe(size_bytes, options);
        qiao_memory* made = nullptr;
        check(qiao_memory_wrap(device.get(), &native, &desc, &made));
        return Memory(made);
    }

    /// Host memory of the application, used where it lies; it stays the application's, and mapped while work uses it.
    static Memory import_host(Device device, void* pointer, uint64_t size_bytes) {
        qiao_memory* made = nullptr;
        check(qiao_memory_import_host(device.get(), pointer, size_bytes, 0, &made));
        return Memory(made);
    }
    /// Memory of another device or process. The descriptor stays the caller's.
    static Memory import_handle(Device device, const ExportedHandle& exported) {
        qiao_memory* made = nullptr;
        check(qiao_memory_import(device.get(), &exported.handle, exported.descriptor, 0, &made));
        return Memory(made);
    }
    /// For another device or process; the caller closes the descriptor. Only of memory that was made `shareable`.
    ExportedHandle export_handle(qiao_share_type type = 0) const {
        ExportedHandle exported;
        check(qiao_memory_export(get(), type, &exported.handle, &exported.descriptor));
        return exported;
    }

    Memory share() const { return Memory(retained()); }
    /// The vendor's own object. UnsupportedError if the plugin gives none out.
    qiao_native native() const {
        qiao_native native = QIAO_NATIVE_INIT;
        check(qiao_memory_get_native(get(), &native));
        return native;
    }

    Device device() const noexcept { return properties_.device; }
    uint64_t size_bytes() const noexcept { return properties_.size_bytes; }
    MemoryKind kind() const noexcept { return static_cast<MemoryKind>(properties_.kind); }
    Address<std::byte> address() const noexcept { return Address<std::byte>(properties_.address); }
    /// Null where the host has to map or to copy.
    void* host_pointer() const noexcept { return properties_.host_pointer; }

    /// Copies, and returns when done. Waits for no queue: wait for the work that uses the bytes first.
    void write(const void* source, uint64_t size_bytes, uint64_t offset = 0) {
        check(qiao_memory_write(get(), offset, source, size_bytes));
    }
    void read(void* target, uint64_t size_bytes, uint64_t offset = 0) const {
        check(qiao_memory_read(get(), offset, target, size_bytes));
    }

    /// What was moved between host and device, for emulated shared memory; all zero otherwise.
    qiao_memory_traffic traffic() const {
        qiao_memory_traffic traffic = QIAO_MEMORY_TRAFFIC_INIT;
        check(qiao_memory_query_traffic(get(), &traffic));
        return traffic;
    }
    /// Of a range, or of the whole; where it is preferred only of the whole.
    void advise(Advice advice, uint64_t offset, uint64_t size_bytes) const {
        check(qiao_memory_advise(get(), offset, size_bytes, static_cast<qiao_memory_advice>(advice)));
    }
    void advise(Advice advice) const { advise(advice, 0, size_bytes()); }
    /// Brings what the device has written in the range to the host. False if the work that writes it has not ended.
    bool fetch(uint64_t offset, uint64_t size_bytes) const {
        const qiao_status status = qiao_memory_fetch(get(), offset, size_bytes);
        if (status == QIAO_NOT_READY) return false;
        check(status);
        return true;
    }

  private:
    explicit Memory(qiao_memory* owned) : Owner(owned) { check(qiao_memory_query(owned, &properties_)); }

    static qiao_memory_desc describe(uint64_t size_bytes, const MemoryOptions& options) {
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = size_bytes;
        desc.alignment = options.alignment;
        desc.kind = static_cast<qiao_memory_kind>(options.kind);
        desc.flags = (options.fetch_explicit ? QIAO_MEMORY_FETCH_EXPLICIT : 0) | (options.shareable ? QIAO_MEMORY_SHAREABLE : 0);
        return desc;
    }
    static qiao_memory* allocate(Device device, uint64_t size_bytes, const MemoryOptions& options) {
        const qiao_memory_desc desc = describe(size_bytes, options);
        qiao_memory* made = nullptr;
        check(qiao_memory_allocate(device.get(), &desc, &made));
        return made;
    }

    qiao_memory_properties properties_ = QIAO_MEMORY_PROPERTIES_INIT;
};

/// Elements of an allocation, mapped into the host's address space until destruction. A range, and a span where one is
/// taken. No queued work may use the elements meanwhile. Keeps the allocation alive.
template <class T>
class Mapping {
  public:
    using element_type = T;

    Mapping(const Memory& memory, uint64_t offset, uint64_t count, Access access) : memory_(memory.share()) {
        void* pointer = nullptr;
        check(qiao_memory_map(memory_.get(), offset, count * sizeof(T), static_cast<qiao_access>(access), &pointer));
        data_ = static_cast<T*>(pointer);
        size_ = static_cast<std::size_t>(count);
    }
    Mapping(Mapping&& other) noexcept
        : memory_(std::move(other.memory_)),
          data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    /// Ends the mapping; that this failed is not seen (see unmap).
    ~Mapping() {
        if (data_ != nullptr) static_cast<void>(qiao_memory_unmap(memory_.get(), data_));
    }

    T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    T* begin() const noexcept { return data_; }
    T* end() const noexcept { return data_ + size_; }
    T& operator[](std::size_t index) const noexcept { return data_[index]; }

    /// Ends the mapping now, and says if that fails. What was written may arrive only here.
    void unmap() {
        T* const pointer = std::exchange(data_, nullptr);
        size_ = 0;
        if (pointer != nullptr) check(qiao_memory_unmap(memory_.get(), pointer));
    }

  private:
    Memory memory_;
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

/// An allocation of elements. Everything counts in elements: sizes, offsets, slices.
template <class T>
class Buffer {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_const_v<T>,
                  "a device takes bytes: T must be trivially copyable");

  public:
    using element_type = T;

    Buffer() noexcept = default;
    Buffer(Device device, uint64_t count, MemoryOptions options = MemoryOptions())
        : memory_(device, bytes_of(count), options) {}
    /// With the values of a container, array or span.
    Buffer(Device device, span<const T> values, MemoryOptions options = MemoryOptions())
        : Buffer(device, static_cast<uint64_t>(values.size()), options) {
        write(values);
    }
    /// Sees untyped memory as elements; a rest at the end is left out.
    explicit Buffer(Memory memory) noexcept : memory_(std::move(memory)) {}

    Buffer share() const { return Buffer(memory_.share()); }

    const Memory& memory() const noexcept { return memory_; }
    Device device() const noexcept { return memory_.device(); }
    uint64_t size() const noexcept { return memory_.size_bytes() / sizeof(T); }
    Address<T> address() const noexcept { return memory_.address().template as<T>(); }
    explicit operator bool() const noexcept { return static_cast<bool>(memory_); }

    /// What kernels and queues take.
    operator Address<T>() const noexcept { return address(); }
    operator Address<const T>() const noexcept { return address(); }
    operator Slice<T>() const noexcept { return {device(), address(), size()}; }
    operator Slice<const T>() const noexcept { return {device(), address(), size()}; }
    /// `count` elements from `first`; OUT_OF_RANGE if the buffer has fewer.
    Slice<T> slice(uint64_t first, uint64_t count) const {
        check_range(first, count);
        return {device(), address() + static_cast<int64_t>(first), count};
    }

    /// Copies, and returns when done. Waits for no queue: wait for the work that uses the elements first.
    void write(span<const T> values, uint64_t first = 0) {
        check_range(first, values.size());
        memory_.write(values.data(), values.size() * sizeof(T), first * sizeof(T));
    }
    void read(span<T> target, uint64_t first = 0) const {
        check_range(first, target.size());
        memory_.read(target.data(), target.size() * sizeof(T), first * sizeof(T));
    }
    /// All of it.
    std::vector<T> read() const {
        std::vector<T> values(static_cast<std::size_t>(size()));
        read(span<T>(values.data(), values.size()));
        return values;
    }

    Mapping<T> map(Access access = Access::kReadWrite) const { return Mapping<T>(memory_, 0, size(), access); }
    Mapping<T> map(uint64_t first, uint64_t count, Access access = Access::kReadWrite) const {
        check_range(first, count);
        return Mapping<T>(memory_, first * sizeof(T), count, access);
    }

  private:
    static uint64_t bytes_of(uint64_t count) {
        if (count > UINT64_MAX / sizeof(T)) {
            detail::refuse(QIAO_ERROR_OUT_OF_RANGE, std::to_string(count) + " elements of " +
                                                        std::to_string(sizeof(T)) + " bytes overflow 64 bits");
        }
        return count * sizeof(T);
    }
    void check_range(uint64_t first, uint64_t count) const {
        if (first <= size() && count <= size() - first) return;
        detail::refuse(QIAO_ERROR_OUT_OF_RANGE, std::to_string(count) + " elements from " + std::to_string(first) +
                                                    " leave the buffer of " + std::to_string(size()));
    }

    Memory memory_;
};

} // namespace v0
} // namespace qiao

#endif
