// The tables of cards with faults: each slot asks the model's rules first, then goes on to the usual one. Cards without
// faults have the usual tables and never come here.
#include "mock/faults.h"

#include <algorithm>
#include <type_traits>

#include "device.h"
#include "mock_faults.h"
#include "program.h"
#include "queue.h"

namespace qiao::mock_plugin {
namespace {

// ---------------------------------------------------------------------------------------------- whom a call is about

struct Subject {
    Plugin* plugin = nullptr;
    Device* device = nullptr;      // null before it is open
    std::optional<uint32_t> index; // of the card; none = the call is of no card
};

Subject subject_of(Device& device) {
    return {device.plugin, &device, device.index};
}

template <mock::Call call, typename... Arguments>
Subject subject_of(void* self, Arguments... arguments) {
    if constexpr (call == mock::Call::kDeviceCount) {
        return {static_cast<Plugin*>(self), nullptr, std::nullopt};
    } else if constexpr (call == mock::Call::kDeviceQuery || call == mock::Call::kDeviceOpen) {
        const auto first = [](uint32_t index, auto...) { return index; };
        return {static_cast<Plugin*>(self), nullptr, first(arguments...)};
    } else if constexpr (call == mock::Call::kKernelFind) {
        return subject_of(*plugin::object<ProgramPointer>(self)->device);
    } else if constexpr (call == mock::Call::kQueueCreate || call < mock::Call::kQueueCreate) {
        return subject_of(plugin::object<Device>(self));
    } else {
        return subject_of(*plugin::object<Queue>(self).device);
    }
}

mock::Card& card_of(const Subject& subject) {
    if (subject.device != nullptr) return *subject.device->card;
    const std::lock_guard lock(subject.plugin->mutex);
    return *subject.plugin->machine->cards().at(*subject.index);
}

// ---------------------------------------------------------------------------------------------- what happens before a call

struct Verdict {
    bool answered = false; // the slot is not entered
    qiao_status status = QIAO_OK;
    bool corrupt = false;
    bool stall = false;
};

void reset(const Subject& subject, mock::Card& card, const std::string& reason) {
    card.set_lost(reason);
    if (subject.device != nullptr) {
        mock_device_ops.device_reset(subject.device);
    } else {
        static_cast<void>(card.reset());
    }
}

Verdict carry_out(const mock::FaultRule& rule, const Subject& subject, const std::string& what) {
    switch (rule.effect) {
        case mock::FaultEffect::kError: {
            const qiao_status status =
                rule.status.code != mock::Code::kOk ? status_of(rule.status.code) : rule.status.number;
            if (status < 0) subject.plugin->host.fail({.status = status, .message = what, .vendor_code = status});
            return {.answered = true, .status = status};
        }
        case mock::FaultEffect::kDelay:
            if (subject.index) {
                card_of(subject).pass_time(rule.delay_ns);
            } else {
                mock::sleep_ns(rule.delay_ns);
            }
            return {};
        case mock::FaultEffect::kCorrupt:
            return {.corrupt = true};
        case mock::FaultEffect::kStall:
            return {.stall = true};
        case mock::FaultEffect::kHang:
            return {.answered = true, .status = report(subject.plugin->host, card_of(subject).await_loss())};
        case mock::FaultEffect::kLost:
            card_of(subject).set_lost(what);
            return {};
        case mock::FaultEffect::kReset:
            reset(subject, card_of(subject), what);
            return {};
        case mock::FaultEffect::kRemoved:
            card_of(subject).set_removed(what);
            return {};
    }
    return {};
}

Verdict before(mock::Call call, const Subject& subject) noexcept {
    Verdict verdict;
    const qiao_status status = plugin::guarded(subject.plugin->host, "fault", [&]() -> qiao_status {
        const std::optional<mock::FaultRule> rule = subject.plugin->faults.next(call, subject.index);
        if (!rule) return QIAO_OK;
        const std::string what = "injected fault \"" + rule->text + "\" in " + std::string(mock::call_name(call));
        subject.plugin->host.log(QIAO_LOG_LEVEL_WARNING, what);
        verdict = carry_out(*rule, subject, what);
        return QIAO_OK;
    });
    return status == QIAO_OK ? verdict : Verdict{.answered = true, .status = status};
}

// ---------------------------------------------------------------------------------------------- submissions that are not

uint64_t value_of(void*, const qiao_plugin_geometry*, const void*, const qiao_plugin_binding*, uint64_t value) {
    return value;
}
uint64_t value_of(const qiao_plugin_copy* copy) {
    return copy->value;
}
uint64_t value_of(const qiao_plugin_fill* fill) {
    return fill->value;
}
uint64_t value_of(void*, uint64_t, uint64_t value) {
    return value;
}

constexpr bool submits(mock::Call call) {
    return call == mock::Call::kQueueLaunch || call == mock::Call::kQueueCopy || call == mock::Call::kQueueFill ||
           call == mock::Call::kQueueAfter;
}

qiao_status stall(Queue& queue, uint64_t value) noexcept {
    return plugin::guarded(queue.host, "stall", [&] { return report(queue.host, queue.native->stall(value)); });
}

// Said to be done, and not done.
qiao_status skip(Queue& queue, uint64_t value) noexcept {
    return plugin::guarded(queue.host, "skip",
                           [&] { return report(queue.host, queue.native->after(*queue.native, 0, value)); });
}

// ---------------------------------------------------------------------------------------------- answers that are wrong

template <mock::Call call>
using Tag = std::integral_constant<mock::Call, call>;

constexpr uint64_t kTooMuch = uint64_t{1} << 40;

void flip(void* byte) {
    *static_cast<unsigned char*>(byte) ^= 0x55;
}

void spoil(Tag<mock::Call::kDeviceCount>, void*, uint32_t* out_count) {
    *out_count = UINT32_MAX;
}
void spoil(Tag<mock::Call::kDeviceQuery>, void*, uint32_t, qiao_plugin_device_info* out_info) {
    for (char* text : {out_info->name, out_info->vendor, out_info->driver, out_info->target})
        std::fill_n(text, sizeof out_info->vendor, '\xff');
    std::fill_n(out_info->note, sizeof out_info->note, '\xff');
    out_info->formats = nullptr;
    out_info->memory_kinds = UINT32_MAX;
    out_info->max_group_size = out_info->compute_units = out_info->queue_priorities = 0;
    std::fill_n(out_info->max_group, 3, 0u);
}
void spoil(Tag<mock::Call::kDeviceOpen>, void*, uint32_t, uint64_t, void** out_device) {
    mock_device_ops.device_close(std::exchange(*out_device, nullptr));
}
void spoil(Tag<mock::Call::kDeviceState>, void*, qiao_plugin_device_state* out_state, char* reason, size_t size) {
    *out_state = 77;
    if (reason != nullptr) std::fill_n(reason, size, 'x');
}
void spoil(Tag<mock::Call::kDeviceMemoryFree>, void*, uint64_t* out_free_bytes, uint64_t* out_total_bytes) {
    *out_free_bytes = *out_total_bytes + kTooMuch;
}
void spoil(Tag<mock::Call::kDeviceClock>, void*, uint64_t* out_device_ns, uint64_t*) {
    *out_device_ns = 0;
}
void spoil(Tag<mock::Call::kMemoryAllocate>, void*, const qiao_plugin_memory_desc*, qiao_plugin_allocation* out) {
    out->size_bytes = 0;
}
void spoil(Tag<mock::Call::kMemoryWrite>, void* device, void* allocation, uint64_t offset, const void* source, uint64_t) {
    unsigned char byte = *static_cast<const unsigned char*>(source);
    flip(&byte);
    mock_memory_ops.memory_write(device, allocation, offset, &byte, 1);
}
void spoil(Tag<mock::Call::kMemoryRead>, void*, void*, uint64_t, void* target, uint64_t) {
    flip(target);
}
void spoil(Tag<mock::Call::kMemoryMap>, void*, void*, uint64_t, uint64_t, uint64_t, void** out_pointer) {
    *out_pointer = nullptr;
}
void spoil(Tag<mock::Call::kMemoryImport>, void*, const qiao_plugin_memory_desc*, const qiao_plugin_import*, qiao_plugin_allocation* out) {
    out->host_pointer = nullptr;
}
void spoil(Tag<mock::Call::kProgramLoad>, void* device, const qiao_plugin_program_desc*, void** out_program) {
    mock_program_ops.program_unload(device, std::exchange(*out_program, nullptr));
}
void spoil(Tag<mock::Call::kKernelFind>, void*, const qiao_plugin_kernel_desc*, qiao_plugin_kernel* out_kernel) {
    out_kernel->kernel = nullptr;
}
void spoil(Tag<mock::Call::kProgramScore>, void*, const qiao_plugin_program_desc*, uint32_t* out_score, char* reason,
           size_t size) {
    *out_score = 0;
    if (reason != nullptr) std::fill_n(reason, size, 'x');
}
void spoil(Tag<mock::Call::kQueueCreate>, void*, const qiao_plugin_queue_desc*, void** out_queue) {
    mock_queue_ops.queue_destroy(std::exchange(*out_queue, nullptr));
}
void spoil(Tag<mock::Call::kQueuePoll>, void*, uint64_t* out_value) {
    *out_value += kTooMuch;
}
void spoil(Tag<mock::Call::kQueueTimestamps>, void*, uint64_t, uint64_t* out_start_ns, uint64_t* out_end_ns) {
    *out_start_ns = *out_end_ns + kTooMuch;
}

// ---------------------------------------------------------------------------------------------- slots

// A slot with the signature of the usual one.
template <mock::Call call, auto& table, auto slot, typename Function = std::remove_cvref_t<decltype(table.*slot)>>
struct Faulty;

template <mock::Call call, auto& table, auto slot, typename Result, typename... Arguments>
struct Faulty<call, table, slot, Result (*)(void*, Arguments...)> {
    static Result enter(void* self, Arguments... arguments) {
        const Verdict verdict = before(call, subject_of<call>(self, arguments...));
        if constexpr (std::is_void_v<Result>) {
            (table.*slot)(self, arguments...);
        } else {
            if (verdict.answered) return verdict.status;
            if constexpr (submits(call)) {
                if (verdict.stall) return stall(plugin::object<Queue>(self), value_of(arguments...));
                if (verdict.corrupt) return skip(plugin::object<Queue>(self), value_of(arguments...));
            } else if constexpr (call == mock::Call::kKernelLaunch || call == mock::Call::kQueueWait) {
                if (verdict.corrupt) return QIAO_OK;
            }
            const Result status = (table.*slot)(self, arguments...);
            if constexpr (requires { spoil(Tag<call>(), self, arguments...); }) {
                if (verdict.corrupt && status == QIAO_OK) spoil(Tag<call>(), self, arguments...);
            }
            return status;
        }
    }
};

#define FAULTY(noun, slot, call) Faulty<mock::Call::call, mock_##noun##_ops, &qiao_plugin_##noun##_ops::slot>::enter

const qiao_plugin_device_ops faulty_device_ops = {
    sizeof(qiao_plugin_device_ops),
    FAULTY(device, device_count, kDeviceCount),
    FAULTY(device, device_query, kDeviceQuery),
    FAULTY(device, device_open, kDeviceOpen),
    FAULTY(device, device_close, kDeviceClose),
    FAULTY(device, device_synchronize, kDeviceSynchronize),
    FAULTY(device, device_state, kDeviceState),
    FAULTY(device, device_reset, kDeviceReset),
    FAULTY(device, device_memory_free, kDeviceMemoryFree),
    FAULTY(device, device_clock, kDeviceClock),
    nullptr, // device_native
};

const qiao_plugin_memory_ops faulty_memory_ops = {
    sizeof(qiao_plugin_memory_ops),
    FAULTY(memory, memory_allocate, kMemoryAllocate),
    FAULTY(memory, memory_free, kMemoryFree),
    FAULTY(memory, memory_write, kMemoryWrite),
    FAULTY(memory, memory_read, kMemoryRead),
    FAULTY(memory, memory_map, kMemoryMap),
    FAULTY(memory, memory_unmap, kMemoryUnmap),
    nullptr, // memory_native
    nullptr, // memory_wrap
    FAULTY(memory, memory_import, kMemoryImport),
    nullptr, // memory_export
    FAULTY(memory, memory_evict, kMemoryEvict),
    FAULTY(memory, memory_restore, kMemoryRestore),
};

const qiao_plugin_program_ops faulty_program_ops = {
    sizeof(qiao_plugin_program_ops),
    FAULTY(program, program_load, kProgramLoad),
    FAULTY(program, program_unload, kProgramUnload),
    FAULTY(program, kernel_find, kKernelFind),
    FAULTY(program, kernel_launch, kKernelLaunch),
    FAULTY(program, program_score, kProgramScore),
};

const qiao_plugin_queue_ops faulty_queue_ops = {
    sizeof(qiao_plugin_queue_ops),
    FAULTY(queue, queue_create, kQueueCreate),
    FAULTY(queue, queue_destroy, kQueueDestroy),
    FAULTY(queue, queue_launch, kQueueLaunch),
    FAULTY(queue, queue_copy, kQueueCopy),
    FAULTY(queue, queue_mark, kQueueMark),
    FAULTY(queue, queue_poll, kQueuePoll),
    FAULTY(queue, queue_wait, kQueueWait),
    FAULTY(queue, queue_fill, kQueueFill),
    FAULTY(queue, queue_after, kQueueAfter),
    FAULTY(queue, queue_notify, kQueueNotify),
    FAULTY(queue, queue_timestamps, kQueueTimestamps),
    nullptr, // queue_native
    nullptr, // queue_wrap
    mock_queue_can_copy, // submits nothing, so that nothing goes wrong
    nullptr, // queue_prefetch
};
#undef FAULTY

const qiao_plugin_device_ops faulty_t0_device_ops = required_of(faulty_device_ops);
const qiao_plugin_memory_ops faulty_t0_memory_ops = required_of(faulty_memory_ops);

// ---------------------------------------------------------------------------------------------- rules from the program

qiao_status add_rule(void* card, const char* text, char* problem, size_t problem_size) {
    Device& device = plugin::object<Device>(card);
    return plugin::guarded(device.host, "add", [&]() -> qiao_status {
        mock::Result<mock::FaultRule> rule = mock::parse_fault(text != nullptr ? text : "");
        std::string wrong = rule.ok() ? "" : rule.status().message();
        if (rule.ok() && rule.value().card) wrong = "fault \"" + rule.value().text + "\": the card is the one it is added to";
        plugin::copy_text(problem, problem_size, wrong);
        if (!wrong.empty()) return device.host.fail({.status = QIAO_ERROR_INVALID_ARGUMENT, .message = wrong});
        rule.value().card = device.index;
        device.plugin->faults.add(std::move(rule.value()));
        return QIAO_OK;
    });
}

qiao_status clear_rules(void* card) {
    plugin::object<Device>(card).plugin->faults.clear();
    return QIAO_OK;
}

const qiao_mock_faults fault_functions = {sizeof(qiao_mock_faults), add_rule, clear_rules};
const qiao_plugin_extension extensions[] = {{QIAO_MOCK_FAULTS_NAME, &fault_functions}, {nullptr, nullptr}};

} // namespace

const qiao_plugin_tables mock_faulty_tables = {
    sizeof(qiao_plugin_tables), &faulty_device_ops, &faulty_memory_ops, &faulty_program_ops, &faulty_queue_ops, extensions, &mock_link_ops,
};
const qiao_plugin_tables mock_faulty_t0_tables = {
    sizeof(qiao_plugin_tables), &faulty_t0_device_ops, &faulty_t0_memory_ops, &faulty_program_ops, nullptr, extensions, nullptr,
};

} // namespace qiao::mock_plugin
