#include "core/memory.h"

#include <sys/mman.h>

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "core/stream.h"

namespace fakes {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kAlignment = kPage; /* so that other cards can be given an allocation alone */

enum class Kind : uint8_t { kDevice, kManaged, kPinned, kRegistered };

struct Import {
    Device* device;
    mock::Allocation* native;
};

struct Region {
    Kind kind;
    uint64_t address;
    uint64_t size;
    Device* owner; /* whose context it was made in */
    mock::Allocation* native = nullptr;
    std::vector<Import> imports; /* other cards that were given it; memory of the host's: all */
};

std::mutex mutex; /* guards what follows */
std::map<uint64_t, Region> regions;
std::vector<Region> dropped; /* by quirk: pinned memory that was freed, and is given out again first */

uint64_t page_down(uint64_t address) {
    return address & ~(kPage - 1);
}
uint64_t page_up(uint64_t address) {
    return page_down(address + kPage - 1);
}

/* With the mutex held. Null = in none. */
Region* find(uint64_t address) {
    auto after = regions.upper_bound(address);
    if (after == regions.begin()) return nullptr;
    Region& found = std::prev(after)->second;
    return address - found.address < found.size ? &found : nullptr;
}

Region& find_start(uint64_t address, Error otherwise) {
    Region* found = find(address);
    require(found != nullptr && found->address == address, otherwise);
    return *found;
}

void import_into(Region& region, Device& device) {
    const uint64_t begin = page_down(region.address);
    const mock::Result<mock::Allocation*> native = device.card->import(begin, page_up(region.address + region.size) - begin);
    check(native.status());
    region.imports.push_back({&device, native.value()});
}

void release_imports(Region& region) {
    for (const Import& import : region.imports)
        import.device->card->free(import.native);
    region.imports.clear();
}

void wait_for_all() {
    for (Device* device : active_devices())
        device->card->synchronize(UINT64_MAX);
}

/* Pages of the process as memory of every card with a context. */
uint64_t allocate_pages(Kind kind, size_t size) {
    Device& owner = current();
    require(size > 0, Error::kInvalidValue);
    const std::vector<Device*> devices = active_devices();
    const std::lock_guard lock(mutex);
    if (kind == Kind::kPinned && has(Quirk::kEarlyReuse)) {
        for (auto at = dropped.begin(); at != dropped.end(); ++at) {
            if (at->size < size || at->size > 2 * size + kPage) continue;
            const uint64_t address = at->address;
            regions.emplace(address, std::move(*at));
            dropped.erase(at);
            return address;
        }
    }
    require(size <= uint64_t{1} << 40, Error::kOutOfMemory);
    void* pages = mmap(nullptr, page_up(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(pages != MAP_FAILED, Error::kOutOfMemory);
    Region region{kind, reinterpret_cast<uintptr_t>(pages), size, &owner, nullptr, {}};
    try {
        for (Device* device : devices)
            import_into(region, *device);
    } catch (...) {
        release_imports(region);
        munmap(pages, page_up(size));
        throw;
    }
    const uint64_t address = region.address;
    regions.emplace(address, std::move(region));
    return address;
}

void give_back(Region& region) {
    release_imports(region);
    if (region.kind == Kind::kDevice) return region.owner->card->free(region.native);
    if (region.kind != Kind::kRegistered) munmap(reinterpret_cast<void*>(region.address), page_up(region.size));
}

/* Where a copy's end lies, checked to its last byte. */
mock::Place place_of(const End& end, uint64_t span, bool& out_pageable) {
    require(end.address != 0, Error::kInvalidValue);
    const std::lock_guard lock(mutex);
    const Region* region = find(end.address);
    out_pageable = region == nullptr;
    if (region == nullptr) {
        require(end.side != Side::kDevice, Error::kInvalidDevicePointer);
        const Region* behind = find(end.address + span - 1);
        require(behind == nullptr || behind->kind != Kind::kDevice, Error::kInvalidValue);
        return {nullptr, end.address};
    }
    require(region->kind != Kind::kDevice || end.side != Side::kHost, Error::kInvalidValue);
    require(span <= region->size - (end.address - region->address), Error::kInvalidValue);
    return {region->kind == Kind::kDevice ? region->owner->card.get() : nullptr, end.address};
}

bool multiplies(size_t count, size_t pitch, size_t& inout_span) {
    size_t before_last = 0;
    return count > 0 && !__builtin_mul_overflow(count - 1, pitch, &before_last) && !__builtin_add_overflow(before_last, inout_span, &inout_span);
}

uint64_t span_of(const Box& box, size_t pitch, size_t slice_pitch) {
    size_t span = box.width;
    require((box.height <= 1 || pitch >= box.width) && multiplies(box.height, pitch, span) && multiplies(box.depth, slice_pitch, span),
            Error::kInvalidValue);
    return span;
}

struct Prepared {
    mock::Copy copy;
    bool pageable; /* the driver has copied such memory itself, before the call returns */
    bool between_cards;
};

Prepared prepare(const End& target, const End& source, const Box& box) {
    Prepared made{};
    bool source_pageable = false, target_pageable = false;
    made.copy.source = place_of(source, span_of(box, box.source_pitch, box.source_slice_pitch), source_pageable);
    made.copy.target = place_of(target, span_of(box, box.target_pitch, box.target_slice_pitch), target_pageable);
    made.copy.size = box.width;
    made.copy.rows = box.height;
    made.copy.slices = box.depth;
    made.copy.source_pitch = box.source_pitch;
    made.copy.target_pitch = box.target_pitch;
    made.copy.source_slice_pitch = box.source_slice_pitch;
    made.copy.target_slice_pitch = box.target_slice_pitch;
    made.pageable = source_pageable || target_pageable;
    made.between_cards = made.copy.source.card != nullptr && made.copy.target.card != nullptr && made.copy.source.card != made.copy.target.card;
    return made;
}

void submit_copy(const End& target, const End& source, const Box& box, void* stream_handle, bool blocking) {
    const std::shared_ptr<Stream> stream = stream_of_current(stream_handle);
    if (box.width == 0 || box.height == 0 || box.depth == 0) return;
    const Prepared prepared = prepare(target, source, box);
    require(!prepared.between_cards || !has(Quirk::kNoPeerCopies), Error::kUnknown);
    if (has(Quirk::kSlowCopies) && !prepared.pageable && !blocking) delay(*stream);
    const uint64_t value = submit(*stream, [&](mock::Queue& queue, uint64_t next) { return queue.copy(prepared.copy, next); });
    if (blocking || prepared.pageable) wait(*stream, value);
}

void submit_fill(uint64_t target, uint32_t element, uint32_t element_size, size_t count, void* stream_handle, bool blocking) {
    const std::shared_ptr<Stream> stream = stream_of_current(stream_handle);
    if (count == 0) return;
    require(target % element_size == 0, Error::kInvalidValue);
    size_t size = 0;
    require(!__builtin_mul_overflow(count, element_size, &size), Error::kInvalidValue);
    bool pageable = false;
    mock::Fill fill;
    fill.target = place_of(device_end(target), size, pageable);
    fill.size = size;
    fill.pattern_size = element_size;
    for (uint32_t byte = 0; byte < element_size; ++byte)
        fill.pattern[byte] = static_cast<uint8_t>(element >> 8 * byte);
    const uint64_t value = submit(*stream, [&](mock::Queue& queue, uint64_t next) { return queue.fill(fill, next); });
    if (blocking) wait(*stream, value);
}

Box row(size_t size) {
    Box box;
    box.width = size;
    return box;
}

/* The memory must be the context's, as both were said. */
void require_owner(uint64_t address, const void* context) {
    const std::lock_guard lock(mutex);
    const Region* region = find(address);
    require(region != nullptr, Error::kInvalidDevicePointer);
    require(region->kind != Kind::kDevice || region->owner == context, Error::kInvalidContext);
}

} // namespace

// ---------------------------------------------------------------------------------------------- allocations

void memory_allocate(uint64_t* out_address, size_t size) {
    Device& device = current();
    out(out_address) = 0;
    require(size > 0, Error::kInvalidValue);
    const mock::Result<mock::Allocation*> native = device.card->allocate(size, kAlignment, mock::MemoryKind::kDevice);
    check(native.status(), Error::kOutOfMemory);
    const uint64_t address = native.value()->address.load(std::memory_order_relaxed);
    const std::lock_guard lock(mutex);
    regions.emplace(address, Region{Kind::kDevice, address, size, &device, native.value(), {}});
    *out_address = address;
}

void memory_free(uint64_t address) {
    current();
    if (address == 0) return;
    std::optional<Region> region;
    {
        const std::lock_guard lock(mutex);
        const Region& found = find_start(address, Error::kInvalidDevicePointer);
        require(found.kind == Kind::kDevice || found.kind == Kind::kManaged, Error::kInvalidDevicePointer);
    }
    wait_for_all();
    {
        const std::lock_guard lock(mutex);
        region.emplace(std::move(find_start(address, Error::kInvalidDevicePointer)));
        regions.erase(address);
    }
    give_back(*region);
}

void memory_allocate_managed(uint64_t* out_address, size_t size, unsigned flags) {
    current();
    out(out_address) = 0;
    require(family().managed && !has(Quirk::kNoManaged), Error::kNotSupported);
    require(flags == 1 || flags == 2, Error::kInvalidValue); /* attached to all, or to the host */
    *out_address = allocate_pages(Kind::kManaged, size);
}

void memory_prefetch(uint64_t address, size_t size, int device, void* stream) {
    stream_of_current(stream);
    if (device != -1) device_at(device);
    const std::lock_guard lock(mutex);
    const Region* region = find(address);
    require(region != nullptr && region->kind == Kind::kManaged, Error::kInvalidValue);
    require(size > 0 && size <= region->size - (address - region->address), Error::kInvalidValue);
}

void memory_info(size_t* out_free, size_t* out_total) {
    const Device& device = current();
    out(out_free) = device.card->free_bytes();
    out(out_total) = device.card->total_bytes();
}

void memory_range(uint64_t* out_base, size_t* out_size, uint64_t address) {
    current();
    const std::lock_guard lock(mutex);
    const Region* region = find(address);
    require(region != nullptr, Error::kNotFound);
    if (out_base != nullptr) *out_base = region->address;
    if (out_size != nullptr) *out_size = region->size;
}

void memory_attribute(void* data, int attribute, uint64_t address) {
    require(data != nullptr, Error::kInvalidValue);
    const std::lock_guard lock(mutex);
    const Region* region = find(address);
    require(region != nullptr, Error::kInvalidValue);
    const bool on_card = region->kind == Kind::kDevice || region->kind == Kind::kManaged;
    switch (attribute) {
        case 1: /* context */
            *static_cast<void**>(data) = region->owner;
            return;
        case 2: /* memory type: host or device */
            *static_cast<unsigned*>(data) = on_card ? 2 : 1;
            return;
        case 3: /* device pointer */
            *static_cast<uint64_t*>(data) = address;
            return;
        case 4: /* host pointer */
            require(region->kind != Kind::kDevice, Error::kInvalidValue);
            *static_cast<uint64_t*>(data) = address;
            return;
        case 8: /* managed */
            *static_cast<unsigned*>(data) = region->kind == Kind::kManaged;
            return;
        case 9: /* ordinal */
            *static_cast<int*>(data) = region->owner->ordinal;
            return;
        case 11: /* start */
            *static_cast<uint64_t*>(data) = region->address;
            return;
        case 12: /* size */
            *static_cast<size_t*>(data) = region->size;
            return;
        default:
            fail(Error::kInvalidValue);
    }
}

void host_allocate(void** out_pointer, size_t size, unsigned flags) {
    constexpr unsigned kMapped = 2;
    current();
    out(out_pointer) = nullptr;
    require(family().maps_pinned_memory || (flags & kMapped) == 0, Error::kNotSupported);
    require(!has(Quirk::kNoPinned), Error::kNotSupported);
    *out_pointer = reinterpret_cast<void*>(allocate_pages(Kind::kPinned, size));
}

void host_free(void* pointer) {
    current();
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    if (has(Quirk::kEarlyReuse)) {
        const std::lock_guard lock(mutex);
        Region& region = find_start(address, Error::kInvalidValue);
        require(region.kind == Kind::kPinned, Error::kInvalidValue);
        dropped.push_back(std::move(region));
        regions.erase(address);
        return;
    }
    {
        const std::lock_guard lock(mutex);
        require(find_start(address, Error::kInvalidValue).kind == Kind::kPinned, Error::kInvalidValue);
    }
    wait_for_all();
    std::optional<Region> region;
    {
        const std::lock_guard lock(mutex);
        region.emplace(std::move(find_start(address, Error::kInvalidValue)));
        regions.erase(address);
    }
    give_back(*region);
}

void memory_or_host_free(uint64_t address) {
    current();
    bool pinned = false;
    {
        const std::lock_guard lock(mutex);
        const Region* region = find(address);
        pinned = region != nullptr && region->kind == Kind::kPinned;
    }
    if (pinned) return host_free(reinterpret_cast<void*>(address));
    memory_free(address);
}

void host_register(void* pointer, size_t size, unsigned) {
    Device& owner = current();
    require(!has(Quirk::kNoHostRegister), Error::kNotSupported);
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    require(address != 0 && size > 0 && size <= UINT64_MAX - address, Error::kInvalidValue);
    const std::vector<Device*> devices = active_devices();
    const std::lock_guard lock(mutex);
    const auto after = regions.upper_bound(address + size - 1);
    if (after != regions.begin()) {
        const Region& before = std::prev(after)->second;
        require(before.address + before.size <= address, Error::kAlreadyRegistered);
    }
    Region region{Kind::kRegistered, address, size, &owner, nullptr, {}};
    try {
        for (Device* device : devices)
            import_into(region, *device);
    } catch (...) {
        release_imports(region);
        throw;
    }
    regions.emplace(address, std::move(region));
}

void host_unregister(void* pointer) {
    current();
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    {
        const std::lock_guard lock(mutex);
        require(find_start(address, Error::kNotRegistered).kind == Kind::kRegistered, Error::kNotRegistered);
    }
    wait_for_all();
    const std::lock_guard lock(mutex);
    give_back(find_start(address, Error::kNotRegistered));
    regions.erase(address);
}

void host_device_pointer(uint64_t* out_address, void* pointer, unsigned flags) {
    current();
    require(flags == 0, Error::kInvalidValue);
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    const std::lock_guard lock(mutex);
    const Region* region = find(address);
    require(region != nullptr && region->kind != Kind::kDevice, Error::kInvalidValue);
    out(out_address) = address;
}

void import_all_into(Device& device) {
    const std::lock_guard lock(mutex);
    for (auto& [address, region] : regions) {
        if (region.kind != Kind::kDevice) import_into(region, device);
    }
}

/* Memory of the host's that others share stays with them. */
void forget_memory_of(const Device& device) {
    const std::lock_guard lock(mutex);
    for (auto at = regions.begin(); at != regions.end();) {
        Region& region = at->second;
        if (region.owner == &device) {
            give_back(region);
            at = regions.erase(at);
            continue;
        }
        std::erase_if(region.imports, [&](const Import& import) {
            if (import.device == &device) import.device->card->free(import.native);
            return import.device == &device;
        });
        ++at;
    }
}

void reach_peer(Device& device, uint64_t address) {
    const std::lock_guard lock(mutex);
    Region* region = find(address);
    if (region == nullptr || region->kind != Kind::kDevice || region->owner == &device || !device.reaches(*region->owner)) return;
    for (const Import& import : region->imports) {
        if (import.device == &device) return;
    }
    import_into(*region, device);
}

// ---------------------------------------------------------------------------------------------- copies and fills

void copy(End target, End source, size_t size) {
    submit_copy(target, source, row(size), nullptr, true);
}
void copy_async(End target, End source, size_t size, void* stream) {
    submit_copy(target, source, row(size), stream, false);
}
void copy_box(End target, End source, const Box& box) {
    submit_copy(target, source, box, nullptr, true);
}
void copy_box_async(End target, End source, const Box& box, void* stream) {
    submit_copy(target, source, box, stream, false);
}

void copy_peer_async(uint64_t target, void* target_context, uint64_t source, void* source_context, size_t size, void* stream) {
    current();
    require_owner(target, target_context);
    require_owner(source, source_context);
    submit_copy(device_end(target), device_end(source), row(size), stream, false);
}
void copy_peer(uint64_t target, void* target_context, uint64_t source, void* source_context, size_t size) {
    current();
    require_owner(target, target_context);
    require_owner(source, source_context);
    submit_copy(device_end(target), device_end(source), row(size), nullptr, true);
}
void copy_peer_ordinal(uint64_t target, int target_device, uint64_t source, int source_device, size_t size) {
    copy_peer(target, &device_at(target_device), source, &device_at(source_device), size);
}
void copy_peer_ordinal_async(uint64_t target, int target_device, uint64_t source, int source_device, size_t size, void* stream) {
    copy_peer_async(target, &device_at(target_device), source, &device_at(source_device), size, stream);
}

void fill(uint64_t target, uint32_t element, uint32_t element_size, size_t count) {
    submit_fill(target, element, element_size, count, nullptr, true);
}
void fill_async(uint64_t target, uint32_t element, uint32_t element_size, size_t count, void* stream) {
    submit_fill(target, element, element_size, count, stream, false);
}

} // namespace fakes
