// One list of slots per table. A slot is there if the table's struct_size covers it and it is not null.
#include "loader/slots.h"

#include <cstring>
#include <iterator>

namespace qiao::loader {
namespace {

// Larger than any table will be for long; a size above it is not a size.
constexpr size_t kMaxTableBytes = 4096;

constexpr size_t kMaxExtensions = 64;
constexpr size_t kMaxExtensionName = 64;

// "vendor.noun.N": two words and a whole number above 0.
bool is_extension_name(const std::string& name) {
    const auto word = [](const std::string& text) {
        return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    };
    const size_t first = name.find('.'), last = name.rfind('.');
    if (name.size() > kMaxExtensionName || first == std::string::npos || first == last) return false;
    const std::string version = name.substr(last + 1);
    return word(name.substr(0, first)) && word(name.substr(first + 1, last - first - 1)) && !version.empty() && version[0] != '0' &&
           version.find_first_not_of("0123456789") == std::string::npos;
}

struct Slot {
    const char* name;
    size_t offset;
};
#define SLOT(table, member)                                  \
    Slot {                                                   \
#member, offsetof(qiao_plugin_##table##_ops, member) \
    }

constexpr Slot kDiscovery[] = {SLOT(device, device_count), SLOT(device, device_query)};
constexpr Slot kDevice[] = {SLOT(device, device_open), SLOT(device, device_close), SLOT(device, device_synchronize)};
constexpr Slot kMemory[] = {SLOT(memory, memory_allocate), SLOT(memory, memory_free), SLOT(memory, memory_write),
                            SLOT(memory, memory_read)};
constexpr Slot kMap[] = {SLOT(memory, memory_map), SLOT(memory, memory_unmap)};
constexpr Slot kEvict[] = {SLOT(memory, memory_evict), SLOT(memory, memory_restore)};
constexpr Slot kProgram[] = {SLOT(program, program_load), SLOT(program, program_unload), SLOT(program, kernel_find),
                             SLOT(program, kernel_launch)};
constexpr Slot kQueue[] = {SLOT(queue, queue_create), SLOT(queue, queue_destroy), SLOT(queue, queue_launch),
                           SLOT(queue, queue_copy),   SLOT(queue, queue_mark),    SLOT(queue, queue_poll)};
#undef SLOT
static_assert(std::size(kDiscovery) + std::size(kDevice) + std::size(kMemory) + std::size(kProgram) == 13);

constexpr const char* kReport = "report this to the plugin's maker: qiao/plugin.h says which slots are required";

class TableReader {
  public:
    explicit TableReader(const std::string& of_whom) : of_whom_(of_whom) {}

    template <size_t count>
    void all(const char* table, const void* ops, const Slot (&slots)[count]) {
        if (!readable(table, ops)) return;
        for (const Slot& slot : slots) {
            if (has(ops, slot)) continue;
            return fail("lacks the required slot " + std::string(slot.name) + where(table, ops, slot));
        }
    }
    // A missing table is none of them.
    template <size_t count>
    void all_or_none(const char* table, const void* ops, const Slot (&slots)[count]) {
        if (ops == nullptr || !readable(table, ops)) return;
        const Slot *present = nullptr, *missing = nullptr;
        for (const Slot& slot : slots)
            (has(ops, slot) ? present : missing) = &slot;
        if (present == nullptr || missing == nullptr) return;
        fail(std::string("has the slot ") + present->name + " but not " + missing->name + where(table, ops, *missing) +
             "; they come together or not at all");
    }
    void extensions(const qiao_plugin_extension* list) {
        if (problem_ || list == nullptr) return;
        for (size_t index = 0; list[index].name != nullptr; ++index) {
            if (index == kMaxExtensions) return fail("lists more than " + std::to_string(kMaxExtensions) + " extensions; the list ends with a null name");
            const std::string name(list[index].name, strnlen(list[index].name, kMaxExtensionName + 1));
            if (!is_extension_name(name)) return fail("has an extension " + in_quotes(name) + "; a name is vendor.noun.N, up to " + std::to_string(kMaxExtensionName) + " of a-z, 0-9, _ and the two dots");
            if (list[index].table == nullptr) return fail("has the extension " + in_quotes(name) + " without a table (the pointer is null)");
        }
    }
    Verdict take() { return std::move(problem_); }

  private:
    static size_t size_of(const void* ops) {
        size_t size = 0; // every table begins with it
        std::memcpy(&size, ops, sizeof size);
        return size;
    }
    static bool has(const void* ops, const Slot& slot) {
        void (*function)() = nullptr;
        if (size_of(ops) < slot.offset + sizeof function) return false;
        std::memcpy(&function, static_cast<const char*>(ops) + slot.offset, sizeof function);
        return function != nullptr;
    }
    static std::string where(const char* table, const void* ops, const Slot& slot) {
        if (size_of(ops) >= slot.offset + sizeof(void*)) return std::string(" (it is null in the ") + table + " table)";
        return std::string(" (the ") + table + " table's struct_size is " + std::to_string(size_of(ops)) +
               ", the slot ends at " + std::to_string(slot.offset + sizeof(void*)) + ")";
    }
    bool readable(const char* table, const void* ops) {
        if (problem_) return false;
        if (ops == nullptr) {
            fail(std::string("has no ") + table + " table, which its role requires");
        } else if (size_of(ops) < sizeof(size_t) || size_of(ops) > kMaxTableBytes) {
            fail(std::string("has a ") + table + " table with struct_size " + std::to_string(size_of(ops)) +
                 "; it must be from " + std::to_string(sizeof(size_t)) + " to " + std::to_string(kMaxTableBytes));
        }
        return !problem_;
    }
    void fail(std::string what) {
        if (!problem_) problem_ = Problem{QIAO_CANDIDATE_STATE_FAILED, of_whom_ + " " + std::move(what), kReport};
    }

    const std::string& of_whom_;
    Verdict problem_;
};

} // namespace

Verdict check_tables(const qiao_plugin_tables* tables, uint64_t roles, const std::string& of_whom) {
    if (tables == nullptr)
        return Problem{QIAO_CANDIDATE_STATE_FAILED, of_whom + " has no tables (the pointer is null)", kReport};
    if (tables->struct_size < sizeof(size_t) || tables->struct_size > kMaxTableBytes) {
        return Problem{QIAO_CANDIDATE_STATE_FAILED,
                       of_whom + " has tables with struct_size " + std::to_string(tables->struct_size) +
                           "; it must be from " + std::to_string(sizeof(size_t)) + " to " +
                           std::to_string(kMaxTableBytes),
                       kReport};
    }
    qiao_plugin_tables whole{};
    std::memcpy(&whole, tables, std::min(tables->struct_size, sizeof whole));
    TableReader reader(of_whom);
    reader.extensions(whole.extensions);
    reader.all("device", whole.device, kDiscovery);
    if ((roles & QIAO_PLUGIN_ROLE_COMPUTE) == 0) return reader.take();
    reader.all("device", whole.device, kDevice);
    reader.all("memory", whole.memory, kMemory);
    reader.all_or_none("memory", whole.memory, kMap);
    reader.all_or_none("memory", whole.memory, kEvict);
    reader.all("program", whole.program, kProgram);
    reader.all_or_none("queue", whole.queue, kQueue);
    return reader.take();
}

} // namespace qiao::loader
