// Entries for sharing: host memory imported, memory and timelines exported and imported. Files and pages are share/'s, what a
// driver shares is its plugin's.
#include "qiao/share.h"

#include <time.h>

#include "api/allocation.h"
#include "api/entry.h"
#include "api/instance.h"
#include "api/memory_kind.h"
#include "api/share.h"
#include "dispatch/allocation.h"
#include "dispatch/device.h"
#include "dispatch/retire.h"
#include "dispatch/tables.h"
#include "dispatch/wait.h"
#include "emulation/deferred.h"
#include "object/timeline.h"
#include "share/descriptor.h"
#include "share/handle.h"
#include "share/memory_file.h"
#include "share/shared_timeline.h"

namespace qiao {
namespace {

constexpr uint32_t bit(qiao_share_type type) {
    return 1u << type;
}
constexpr uint32_t kOfPlugins = bit(QIAO_SHARE_TYPE_OPAQUE_FD) | bit(QIAO_SHARE_TYPE_DMA_BUF);

bool is_zero(const uint8_t (&uuid)[16]) {
    return std::all_of(std::begin(uuid), std::end(uuid), [](uint8_t byte) { return byte == 0; });
}

// In place of a claim: what is missing for it, or null.
const char* missing_for_opaque(const qiao_plugin_device_info& info) {
    return is_zero(info.uuid) || is_zero(info.driver_uuid) ? "uuid or driver_uuid is missing" : nullptr;
}
const char* missing_for_pointers(const qiao_plugin_device_info& info) {
    const uint64_t alignment = info.import_alignment;
    return alignment == 0 || (alignment & (alignment - 1)) != 0 ? "import_alignment is no power of two" : nullptr;
}

void drop_claim(const Device& device, uint32_t& types, qiao_share_type type, const char* missing) {
    if (missing == nullptr || (types & bit(type)) == 0) return;
    types &= ~bit(type);
    const std::string text = device.id + " does not share as " + share_type_name(type) + ", which its plugin says it does: " + missing;
    device.instance->body.log.write(QIAO_LOG_LEVEL_WARNING, device.plugin_id.c_str(), text.c_str());
}

qiao_status refuse(const char* remedy) {
    set_remedy(remedy);
    return last_error().status;
}

std::string text_of(const uint8_t (&uuid)[16]) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const uint8_t byte : uuid) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

// ---------------------------------------------------------------------------------------------- imports

qiao_memory_desc import_desc(uint64_t size_bytes, qiao_memory_kind kind) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = size_bytes;
    desc.alignment = 1;
    desc.kind = kind;
    return desc;
}

qiao_status check_size(const Device& device, uint64_t size_bytes) {
    if (size_bytes == 0) return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes is 0; import at least one byte");
    const uint64_t limit = device.info.max_allocation_bytes != 0 ? device.info.max_allocation_bytes : UINT64_MAX / 2;
    if (size_bytes <= limit) return QIAO_OK;
    return fail(QIAO_ERROR_OUT_OF_RANGE, "size_bytes %" PRIu64 " is over the limit of %s, %" PRIu64 " for one allocation", size_bytes, device.id.c_str(), limit);
}

qiao_status check_type(const Device& device, qiao_share_type type) {
    if ((import_types(device) & bit(type)) != 0) return QIAO_OK;
    fail(QIAO_ERROR_UNSUPPORTED, "%s does not import memory as %s; it imports: %s", device.id.c_str(), share_type_name(type), share_type_names(import_types(device)).c_str());
    return refuse("share host memory (QIAO_MEMORY_SHAREABLE of kind HOST) with devices that import it, or copy; `qiao info` shows what each imports and exports");
}

// That it is what was asked for, and that no other allocation has the address.
qiao_status publish_import(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, const qiao_plugin_allocation& allocation, const Sharing& sharing,
                           qiao_memory** out_memory) {
    if (sharing.imported != nullptr && allocation.host_pointer != sharing.imported) {
        free_allocation(device, allocation.allocation);
        return fail(QIAO_ERROR_PLUGIN, "plugin %s: memory_import gave host pointer %p for memory at %p", device->body.plugin_id.c_str(), allocation.host_pointer, sharing.imported);
    }
    if (overlaps_allocation(device->body, losses, allocation.address, desc.size_bytes)) {
        free_allocation(device, allocation.allocation);
        return fail(QIAO_ERROR_OUT_OF_RANGE, "%" PRIu64 " bytes at 0x%" PRIx64 " overlap an allocation of %s", desc.size_bytes, allocation.address, device_name(device));
    }
    return publish(device, losses, desc, allocation, nullptr, sharing, out_memory);
}

// Released memory has its range until work that may use it has ended: then it is worth a little wait.
bool enter_range(qiao_device* device, const void* pointer, uint64_t size_bytes, uint64_t losses) {
    constexpr uint64_t kPatienceNs = 1'000'000'000, kLookNs = 20'000'000;
    for (const uint64_t start_ns = now_ns();;) {
        if (device->body.imported.enter(pointer, size_bytes, losses)) return true;
        if (retire_is_empty(device) || on_queue_worker() || now_ns() - start_ns > kPatienceNs) return false;
        device_wait_idle(device, now_ns() + kLookNs);
        retire_passed(device);
        const timespec pause{0, 50'000};  // a queue's thread may be about to leave what has ended
        nanosleep(&pause, nullptr);
    }
}

qiao_status import_pointer(qiao_device* device, uint64_t losses, uint64_t size_bytes, const Sharing& sharing, qiao_memory** out_memory) {
    if (!enter_range(device, sharing.imported, size_bytes, losses)) {
        fail(QIAO_ERROR_OUT_OF_RANGE, "%" PRIu64 " bytes at %p overlap host memory that %s was given already", size_bytes, sharing.imported, device_name(device));
        return refuse("use the memory that has it (qiao_memory_find), or release that first");
    }
    const qiao_memory_desc desc = import_desc(size_bytes, QIAO_MEMORY_KIND_HOST);
    const qiao_plugin_import import = {sizeof import, nullptr, QIAO_SHARE_TYPE_HOST_POINTER, -1, sharing.imported, {}};
    qiao_plugin_allocation allocation;
    qiao_status status = import_allocation(device, losses, desc, import, allocation);
    if (status == QIAO_OK) status = publish_import(device, losses, desc, allocation, sharing, out_memory);
    if (status != QIAO_OK) device->body.imported.leave(sharing.imported, losses);
    return status;
}

qiao_status import_descriptor(qiao_device* device, uint64_t losses, const qiao_share_handle& handle, const Descriptor& descriptor, qiao_memory** out_memory) {
    const qiao_plugin_device_info& info = device->body.info;
    const bool is_of_same = std::equal(std::begin(info.uuid), std::end(info.uuid), handle.device_uuid) &&
                            std::equal(std::begin(info.driver_uuid), std::end(info.driver_uuid), handle.driver_uuid);
    if (handle.type == QIAO_SHARE_TYPE_OPAQUE_FD && !is_of_same) {
        fail(QIAO_ERROR_UNSUPPORTED, "the descriptor is of device %s, driver %s; %s is device %s, driver %s", text_of(handle.device_uuid).c_str(),
             text_of(handle.driver_uuid).c_str(), device_name(device), text_of(info.uuid).c_str(), text_of(info.driver_uuid).c_str());
        return refuse("share host memory between different devices or drivers (QIAO_MEMORY_SHAREABLE of kind HOST)");
    }
    QIAO_RETURN_IF_ERROR(check_may_be_memory(descriptor));
    const qiao_memory_desc desc = import_desc(handle.size_bytes, QIAO_MEMORY_KIND_DEVICE);
    qiao_plugin_import import = {sizeof import, nullptr, handle.type, descriptor.number(), nullptr, {}};
    std::copy(std::begin(handle.driver_data), std::end(handle.driver_data), import.driver_data);
    qiao_plugin_allocation allocation;
    QIAO_RETURN_IF_ERROR(import_allocation(device, losses, desc, import, allocation));
    return publish_import(device, losses, desc, allocation, {}, out_memory);
}

qiao_status check_pointer_alignment(const Device& device, const void* pointer, uint64_t size_bytes) {
    const uint64_t alignment = device.info.import_alignment;
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    if (address % alignment != 0) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "pointer %p is not aligned to %" PRIu64 " bytes, as %s needs it (import_alignment)", pointer, alignment, device.id.c_str());
        return refuse("allocate the memory with aligned_alloc or mmap");
    }
    if (alignment > page_bytes() && size_bytes % alignment != 0) {
        fail(QIAO_ERROR_INVALID_ARGUMENT, "size_bytes %" PRIu64 " is no multiple of %" PRIu64 ", as %s needs it (import_alignment)", size_bytes, alignment, device.id.c_str());
        return refuse("import whole units of import_alignment, or copy");
    }
    if (size_bytes - 1 <= UINTPTR_MAX - address) return QIAO_OK;
    return fail(QIAO_ERROR_OUT_OF_RANGE, "%" PRIu64 " bytes from %p leave the address space", size_bytes, pointer);
}

// ---------------------------------------------------------------------------------------------- exports

qiao_status fail_not_shareable() {
    fail(QIAO_ERROR_INVALID_ARGUMENT, "the memory was not made to be shared");
    return refuse("allocate it with QIAO_MEMORY_SHAREABLE");
}

// The one that was asked for, or that the memory has.
qiao_status choose_type(const Memory& memory, qiao_share_type& type) {
    const uint32_t has = memory.sharing.file != nullptr ? bit(QIAO_SHARE_TYPE_HOST_FILE) : memory.device->body.info.export_types;
    if (type == 0) type = static_cast<qiao_share_type>(__builtin_ctz(has));
    if (type < 32 && (has & bit(type)) != 0) return QIAO_OK;
    fail(QIAO_ERROR_UNSUPPORTED, "the memory cannot be exported as type %u (%s); it can as: %s", type, share_type_name(type), share_type_names(has).c_str());
    return refuse("give type 0 for the one that the memory has");
}

qiao_status export_from_plugin(qiao_memory* memory, qiao_share_type type, qiao_share_handle& handle, int32_t& descriptor) {
    qiao_device* device = memory->body.device;
    WithSlack<qiao_plugin_export> answer;
    answer.value.descriptor = -1;
    qiao_status status;
    {
        SlotGuard guard(device->body);
        if (!guard) return device_fail_lost(device);
        status = device->body.tables.memory.memory_export(device->body.opened.load(), memory->body.allocation, type, &answer.value);
    }
    if (status != QIAO_OK) return device_slot_failed(device, status, "memory_export", memory->body.losses);
    if (!keep_from_children(answer.value.descriptor)) return device_fail_empty(device, "memory_export", "descriptor");
    const qiao_plugin_device_info& info = device->body.info;
    std::copy(std::begin(info.uuid), std::end(info.uuid), handle.device_uuid);
    std::copy(std::begin(info.driver_uuid), std::end(info.driver_uuid), handle.driver_uuid);
    std::copy(std::begin(answer.value.driver_data), std::end(answer.value.driver_data), handle.driver_data);
    descriptor = answer.value.descriptor;
    return QIAO_OK;
}

qiao_status export_file(const Descriptor& file, int32_t& descriptor) {
    Descriptor copy;
    QIAO_RETURN_IF_ERROR(duplicate(file.number(), copy));
    descriptor = copy.take();
    return QIAO_OK;
}

qiao_status make_timeline(qiao_instance* instance, std::unique_ptr<SharedTimeline> shared, qiao_timeline** out_timeline) {
    const uint64_t value = shared->value();
    *out_timeline = Slab<qiao_timeline>::get().create(instance, nullptr, value, std::move(shared));
    instance_add_use(instance);
    return QIAO_OK;
}

}  // namespace

void settle_share_types(Device& device) {
    qiao_plugin_device_info& info = device.info;
    info.import_types &= device.tables.memory.memory_import == nullptr ? 0 : kOfPlugins | bit(QIAO_SHARE_TYPE_HOST_POINTER);
    info.export_types &= device.tables.memory.memory_export == nullptr ? 0 : kOfPlugins;
    drop_claim(device, info.import_types, QIAO_SHARE_TYPE_HOST_POINTER, missing_for_pointers(info));
    drop_claim(device, info.import_types, QIAO_SHARE_TYPE_OPAQUE_FD, missing_for_opaque(info));
    drop_claim(device, info.export_types, QIAO_SHARE_TYPE_OPAQUE_FD, missing_for_opaque(info));
    if ((info.import_types & bit(QIAO_SHARE_TYPE_HOST_POINTER)) == 0) info.import_alignment = 0;
}

// Who takes a pointer takes one into a file.
uint32_t import_types(const Device& device) {
    const uint32_t types = device.info.import_types;
    return types | ((types & bit(QIAO_SHARE_TYPE_HOST_POINTER)) != 0 ? bit(QIAO_SHARE_TYPE_HOST_FILE) : 0);
}

uint32_t export_types(const Device& device) {
    return device.info.export_types | (import_types(device) & bit(QIAO_SHARE_TYPE_HOST_FILE));
}

qiao_status check_shareable_kind(const Device& device, qiao_memory_kind kind) {
    if (kind == QIAO_MEMORY_KIND_HOST && (import_types(device) & bit(QIAO_SHARE_TYPE_HOST_FILE)) != 0) return QIAO_OK;
    if (kind <= QIAO_MEMORY_KIND_DEVICE && device.info.export_types != 0) return QIAO_OK;
    if (kind > QIAO_MEMORY_KIND_SHARED) return QIAO_OK;  // is no kind, as is said elsewhere
    const char* name = memory_kind_name(kind == 0 ? QIAO_MEMORY_KIND_DEVICE : kind);
    fail(QIAO_ERROR_UNSUPPORTED, "%s cannot share %s memory; it exports: %s", device.id.c_str(), name, share_type_names(export_types(device)).c_str());
    const bool has_files = (export_types(device) & bit(QIAO_SHARE_TYPE_HOST_FILE)) != 0;
    return refuse(has_files ? "share memory of kind HOST" : "share memory of another device, and copy; its driver would have to import host memory or to export its own");
}

qiao_status allocate_file(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, qiao_memory** out_memory) {
    Sharing sharing;
    const uint64_t alignment = std::max(desc.alignment, device->body.info.import_alignment);
    QIAO_RETURN_IF_ERROR(device->body.instance->body.files->create(desc.size_bytes, alignment, sharing.file));
    sharing.imported = sharing.file->address();
    return import_pointer(device, losses, desc.size_bytes, sharing, out_memory);
}

}  // namespace qiao

using namespace qiao;

qiao_status qiao_memory_import_host(qiao_device* device, void* pointer, uint64_t size_bytes, uint64_t flags, qiao_memory** out_memory) {
    if (out_memory != nullptr) *out_memory = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(pointer);
    QIAO_CHECK_POINTER(out_memory);
    return entry([&]() -> qiao_status {
        QIAO_RETURN_IF_ERROR(check_no_flags(flags, "qiao_memory_import_host"));
        QIAO_RETURN_IF_ERROR(check_type(device->body, QIAO_SHARE_TYPE_HOST_POINTER));
        QIAO_RETURN_IF_ERROR(check_size(device->body, size_bytes));
        QIAO_RETURN_IF_ERROR(check_pointer_alignment(device->body, pointer, size_bytes));
        const uint64_t losses = device->body.losses.load();
        QIAO_RETURN_IF_ERROR(device_ensure_open(device));
        retire_passed(device);
        return import_pointer(device, losses, size_bytes, {.file = nullptr, .imported = pointer}, out_memory);
    });
}

qiao_status qiao_memory_export(qiao_memory* memory, qiao_share_type type, qiao_share_handle* out_handle, int32_t* out_descriptor) {
    if (out_handle != nullptr) *out_handle = {};
    if (out_descriptor != nullptr) *out_descriptor = -1;
    QIAO_CHECK_HANDLE(memory);
    QIAO_CHECK_POINTER(out_handle);
    QIAO_CHECK_POINTER(out_descriptor);
    return entry([&]() -> qiao_status {
        const Sharing& sharing = memory->body.sharing;
        if (sharing.file == nullptr && !sharing.is_shareable) return fail_not_shareable();
        QIAO_RETURN_IF_ERROR(choose_type(memory->body, type));
        qiao_share_handle handle = make_handle(type, memory->body.size_bytes);
        QIAO_RETURN_IF_ERROR(sharing.file != nullptr ? export_file(sharing.file->descriptor(), *out_descriptor)
                                                     : export_from_plugin(memory, type, handle, *out_descriptor));
        *out_handle = handle;
        return QIAO_OK;
    });
}

qiao_status qiao_memory_import(qiao_device* device, const qiao_share_handle* handle, int32_t descriptor, uint64_t flags, qiao_memory** out_memory) {
    if (out_memory != nullptr) *out_memory = nullptr;
    QIAO_CHECK_HANDLE(device);
    QIAO_CHECK_POINTER(handle);
    QIAO_CHECK_POINTER(out_memory);
    return entry([&]() -> qiao_status {
        const qiao_share_handle given = *handle;  // may lie where its sender still writes
        QIAO_RETURN_IF_ERROR(check_no_flags(flags, "qiao_memory_import"));
        QIAO_RETURN_IF_ERROR(check_handle(given));
        if (given.type == QIAO_SHARE_TYPE_TIMELINE) {
            fail(QIAO_ERROR_INVALID_ARGUMENT, "the handle is of a timeline, not of memory");
            return refuse("import it with qiao_timeline_import");
        }
        QIAO_RETURN_IF_ERROR(check_type(device->body, given.type));
        QIAO_RETURN_IF_ERROR(check_size(device->body, given.size_bytes));
        Descriptor own;
        QIAO_RETURN_IF_ERROR(duplicate(descriptor, own));
        const uint64_t losses = device->body.losses.load();
        QIAO_RETURN_IF_ERROR(device_ensure_open(device));
        retire_passed(device);
        if (given.type != QIAO_SHARE_TYPE_HOST_FILE) return import_descriptor(device, losses, given, own, out_memory);
        Sharing sharing;
        QIAO_RETURN_IF_ERROR(device->body.instance->body.files->import(std::move(own), given.size_bytes, device->body.info.import_alignment, sharing.file));
        sharing.imported = sharing.file->address();
        return import_pointer(device, losses, given.size_bytes, sharing, out_memory);
    });
}

qiao_status qiao_timeline_create_shareable(qiao_instance* instance, uint64_t initial_value, qiao_timeline** out_timeline) {
    if (out_timeline != nullptr) *out_timeline = nullptr;
    QIAO_CHECK_HANDLE(instance);
    QIAO_CHECK_POINTER(out_timeline);
    return entry([&]() -> qiao_status {
        std::unique_ptr<SharedTimeline> shared;
        QIAO_RETURN_IF_ERROR(SharedTimeline::create(initial_value, shared));
        return make_timeline(instance, std::move(shared), out_timeline);
    });
}

qiao_status qiao_timeline_export(qiao_timeline* timeline, qiao_share_handle* out_handle, int32_t* out_descriptor) {
    if (out_handle != nullptr) *out_handle = {};
    if (out_descriptor != nullptr) *out_descriptor = -1;
    QIAO_CHECK_HANDLE(timeline);
    QIAO_CHECK_POINTER(out_handle);
    QIAO_CHECK_POINTER(out_descriptor);
    return entry([&]() -> qiao_status {
        const auto& shared = timeline->body.shared;
        if (shared == nullptr) {
            fail(QIAO_ERROR_INVALID_ARGUMENT, "the timeline was not made to be shared");
            return refuse("make it with qiao_timeline_create_shareable; have queues raise it with qiao_queue_signal");
        }
        QIAO_RETURN_IF_ERROR(export_file(shared->descriptor(), *out_descriptor));
        *out_handle = make_handle(QIAO_SHARE_TYPE_TIMELINE, 0);
        return QIAO_OK;
    });
}

qiao_status qiao_timeline_import(qiao_instance* instance, const qiao_share_handle* handle, int32_t descriptor, qiao_timeline** out_timeline) {
    if (out_timeline != nullptr) *out_timeline = nullptr;
    QIAO_CHECK_HANDLE(instance);
    QIAO_CHECK_POINTER(handle);
    QIAO_CHECK_POINTER(out_timeline);
    return entry([&]() -> qiao_status {
        QIAO_RETURN_IF_ERROR(check_handle(*handle));
        if (handle->type != QIAO_SHARE_TYPE_TIMELINE) {
            fail(QIAO_ERROR_INVALID_ARGUMENT, "the handle is of memory (%s), not of a timeline", share_type_name(handle->type));
            return refuse("import it with qiao_memory_import");
        }
        Descriptor own;
        QIAO_RETURN_IF_ERROR(duplicate(descriptor, own));
        std::unique_ptr<SharedTimeline> shared;
        QIAO_RETURN_IF_ERROR(SharedTimeline::import(std::move(own), shared));
        return make_timeline(instance, std::move(shared), out_timeline);
    });
}
