/* Submission: checks, and the choice between running short work at once and putting a record into the ring. What a launch goes
 * through, here and elsewhere, is marked hot: the linker lays it side by side, and after idle a launch costs what its pages cost. */
#include <cstring>
#include <new>

#include "clock.h"
#include "queue_core.h"

namespace mock {
namespace {

constexpr uint64_t kShortUs = 5;               /* what a submitter runs itself */
constexpr uint64_t kSoonUs = 100;              /* what a worker that looks round by itself finds early enough */
constexpr uint64_t kShortCopyBytes = 16 << 10; /* takes about as long as kShortUs when nothing is cached */

uint64_t short_ticks() {
    static const uint64_t limit = static_cast<uint64_t>(ticks_per_us() * kShortUs);
    return limit;
}

uint64_t soon_ticks() {
    static const uint64_t limit = static_cast<uint64_t>(ticks_per_us() * kSoonUs);
    return limit;
}

uint64_t read_u64(const std::byte* from) {
    uint64_t value;
    std::memcpy(&value, from, sizeof(value));
    return value;
}

bool is_aligned(const std::byte* pointer, uint32_t alignment) {
    return (reinterpret_cast<uintptr_t>(pointer) & (alignment - 1)) == 0;
}

/* From the first byte of `count` pieces, each of so many bytes, to the last byte of the last one. */
Status stretch(const char* what, const char* piece, uint64_t size, uint64_t count, uint64_t pitch, uint64_t& out) {
    uint64_t before_last = 0;
    if (size == 0 || count == 0) return {Code::kOutOfRange, std::string(what) + ": 0 bytes"};
    if (count > 1 && pitch < size) {
        return {Code::kInvalid, std::string(what) + ": a pitch of " + std::to_string(pitch) +
                                    " bytes is less than a " + piece + " of " + std::to_string(size)};
    }
    if (__builtin_mul_overflow(count - 1, pitch, &before_last) || __builtin_add_overflow(before_last, size, &out)) {
        return {Code::kOutOfRange, std::string(what) + ": more than 2^64 bytes"};
    }
    return {};
}

Status span_of(const char* what, const Copy& copy, uint64_t pitch, uint64_t slice_pitch, uint64_t& out) {
    uint64_t slice = 0;
    if (Status status = stretch(what, "row", copy.size, copy.rows, pitch, slice); !status.ok()) return status;
    return stretch(what, "slice", slice, copy.slices, slice_pitch, out);
}

Status check_place(const char* what, const Memory* memory, uint64_t address, uint64_t span) {
    if (memory != nullptr) return memory->check_range(address, span, what);
    if (address != 0 && span <= UINT64_MAX - address) return {};
    return {Code::kInvalid, std::string(what) + ": null host memory, or beyond the end of the address space"};
}

} // namespace

QueueCore::QueueCore(std::shared_ptr<CardCore> card, const QueueOptions& options)
    : card_(std::move(card)),
      engine_(card_->engine_),
      memory_(card_->memory()),
      options_(options),
      local_(card_->profile_.local_memory_bytes) {
    if (options.profiling) times_.resize(Queue::kKeptTimes);
}

QueueCore::~QueueCore() {
    drop_all();
}

Status QueueCore::prepare() const {
    if (ring_.valid() && local_.data() != nullptr) return {};
    return {Code::kOutOfMemory, card_->profile_.name + ": no host memory for another queue"};
}

[[gnu::hot]] Status QueueCore::begin(uint64_t value) {
    if (!card_->take_operation() || progress_.failed()) [[unlikely]]
        return refuse();
    const uint64_t last = submitted_.load(std::memory_order_relaxed);
    if (value > last) [[likely]]
        return {};
    return {Code::kInvalid,
            "value " + std::to_string(value) + " is not above the queue's last one, " + std::to_string(last)};
}

Status QueueCore::refuse() const {
    Status loss = card_->loss();
    return loss.ok() ? progress_.failure() : loss;
}

[[gnu::hot]] Status QueueCore::check_addresses(const Kernel& kernel, const std::byte* block) const {
    for (const Kernel::AddressSlot& slot : kernel.addresses()) {
        const uint64_t address = read_u64(block + slot.offset);
        if (address == 0 || memory_->find(address) != nullptr) [[likely]]
            continue;
        if (memory_->find(address - 1) != nullptr) continue; /* one past the end, of an empty view */
        if (card_->profile_.host_pointers) continue;
        const std::string& name = kernel.desc().arguments[slot.index].name;
        return {Code::kOutOfRange,
                "kernel " + kernel.desc().name + ": argument " + std::to_string(slot.index) + " \"" + name +
                    "\": " + memory_->explain(address),
                "pass an address of memory that was allocated on this card"};
    }
    return {};
}

/* Nothing waits and nobody is at work; only the submitter could change that. */
[[gnu::hot]] bool QueueCore::take_idle_role() {
    return ring_.empty() && role_.load(std::memory_order_relaxed) == 0 && take_role();
}

/* The role is held, the ring is empty and stays so until this thread returns. */
template <typename Work>
void QueueCore::do_now(uint64_t value, const Work& work) {
    submitted_.store(value, std::memory_order_release);
    if (options_.profiling) {
        const uint64_t start_ns = now_ns();
        work();
        remember(value, start_ns, now_ns());
    } else {
        work();
    }
    if (!progress_.failed()) progress_.reach(value);
    role_.store(0, std::memory_order_release);
}

[[gnu::hot]] void QueueCore::run_now(const Launch& launch, const std::byte* block, uint64_t value) {
    do_now(value, [&] {
        const AccessScope access(memory_.get());
        const FloatingPointScope floating_point;
        const uint64_t start = ticks();
        if (is_aligned(block, launch.kernel->max_alignment())) [[likely]] {
            run_groups(launch, block, local_.data(), 0, launch.group_count);
        } else {
            alignas(kMaxAlignment) std::byte copy[kMaxBlockBytes];
            std::memcpy(copy, block, launch.kernel->desc().block_size);
            run_groups(launch, copy, local_.data(), 0, launch.group_count);
        }
        launch.kernel->learn(launch.items, ticks() - start);
    });
}

[[gnu::hot]] Status QueueCore::launch(const Kernel& kernel, const Shape& shape, const std::byte* block, uint64_t value) {
    if (Status status = begin(value); !status.ok()) [[unlikely]]
        return status;
    Launch launch{&kernel, shape, 0, 0};
    const CardProfile& profile = card_->profile_;
    Status status = check_launch(launch, block, profile.max_group_size, profile.local_memory_bytes,
                                 engine_->stack_bytes() - kStackMargin);
    if (status.ok()) [[likely]]
        status = check_addresses(kernel, block);
    if (!status.ok()) [[unlikely]]
        return status;
    if (card_->clock_ != nullptr) return launch_virtually(launch, block, value);
    const uint64_t expected = kernel.predict(launch.items);
    if (expected <= short_ticks() && !kernel.desc().waits_for_host && fits_any_stack(launch) && take_idle_role()) {
        run_now(launch, block, value);
        return {};
    }
    const size_t block_size = kernel.desc().block_size;
    auto* record = make_record<LaunchRecord>(Operation::kLaunch, value, block_size);
    if (record == nullptr) return refuse();
    record->launch = launch;
    if (block_size > 0) std::memcpy(record + 1, block, block_size);
    publish(value, expected <= soon_ticks() ? Engine::Urgency::kSoon : Engine::Urgency::kNow);
    return {};
}

Status QueueCore::copy(const Copy& copy, Memory* source, Memory* target, uint64_t value) {
    if (Status status = begin(value); !status.ok()) [[unlikely]]
        return status;
    uint64_t source_span = 0, target_span = 0;
    Status status = span_of("copy: source", copy, copy.source_pitch, copy.source_slice_pitch, source_span);
    if (status.ok()) status = span_of("copy: target", copy, copy.target_pitch, copy.target_slice_pitch, target_span);
    if (status.ok()) status = check_place("copy: source", source, copy.source.address, source_span);
    if (status.ok()) status = check_place("copy: target", target, copy.target.address, target_span);
    if (!status.ok()) return status;
    if (card_->clock_ != nullptr) return copy_virtually(copy, source, target, value);
    if (source_span <= kShortCopyBytes && target_span <= kShortCopyBytes && take_idle_role()) {
        do_now(value, [&] { execute_copy(copy, source, target); });
        return {};
    }
    auto* record = make_record<CopyRecord>(Operation::kCopy, value, 0);
    if (record == nullptr) return refuse();
    record->copy = copy;
    record->source_memory = source;
    record->target_memory = target;
    publish(value, Engine::Urgency::kNow);
    return {};
}

Status QueueCore::fill(const Fill& fill, Memory* target, uint64_t value) {
    if (Status status = begin(value); !status.ok()) [[unlikely]]
        return status;
    const uint32_t pattern = fill.pattern_size;
    if (pattern == 0 || pattern > 16 || (pattern & (pattern - 1)) != 0 || fill.size == 0 || fill.size % pattern != 0) {
        return {Code::kInvalid, "fill: " + std::to_string(fill.size) + " bytes with a pattern of " +
                                    std::to_string(pattern) +
                                    ": the pattern has 1, 2, 4, 8 or 16 bytes and divides the size"};
    }
    if (Status status = check_place("fill: target", target, fill.target.address, fill.size); !status.ok())
        return status;
    if (card_->clock_ != nullptr) return fill_virtually(fill, target, value);
    if (fill.size <= kShortCopyBytes && take_idle_role()) {
        do_now(value, [&] { execute_fill(fill, target); });
        return {};
    }
    auto* record = make_record<FillRecord>(Operation::kFill, value, 0);
    if (record == nullptr) return refuse();
    record->fill = fill;
    record->memory = target;
    publish(value, Engine::Urgency::kNow);
    return {};
}

Status QueueCore::after(std::shared_ptr<QueueCore> other, uint64_t other_value, uint64_t value) {
    if (Status status = begin(value); !status.ok()) [[unlikely]]
        return status;
    if (other_value > other->submitted()) {
        return {Code::kInvalid, "after: value " + std::to_string(other_value) +
                                    " was not submitted; the other queue's last is " +
                                    std::to_string(other->submitted())};
    }
    if (other->card_->clock_ != card_->clock_) {
        return {Code::kUnsupported, "after: the other queue's card has another clock", "wait for it on the host"};
    }
    if (card_->clock_ != nullptr) return after_virtually(*other, other_value, value);
    if (other->progress_.reached() >= other_value && take_idle_role()) {
        do_now(value, [] {});
        return {};
    }
    auto* record = make_record<AfterRecord>(Operation::kAfter, value, 0);
    if (record == nullptr) return refuse();
    record->other = std::move(other);
    record->other_value = other_value;
    publish(value, Engine::Urgency::kNow);
    return {};
}

Status QueueCore::stall(uint64_t value) {
    if (Status status = begin(value); !status.ok()) return status;
    if (card_->clock_ != nullptr) {
        const std::lock_guard lock(card_->clock_->mutex());
        schedule_virtually(value, 0, Unit::kNone, kNever);
        return {};
    }
    if (make_record<Record>(Operation::kStall, value, 0) == nullptr) return refuse();
    publish(value, Engine::Urgency::kNow);
    return {};
}

/* Where the ring is full the submitter works off what is short and sleeps until something has ended. Null: the queue failed. */
std::byte* QueueCore::make_room(size_t size) {
    for (;;) {
        const uint64_t seen = progress_.reached();
        if (progress_.failed()) return nullptr;
        if (std::byte* room = ring_.reserve(size)) [[likely]]
            return room;
        help_all(UINT64_MAX);
        if (progress_.reached() == seen) progress_.park(seen + 1, UINT64_MAX);
    }
}

template <typename T>
T* QueueCore::make_record(Operation operation, uint64_t value, size_t extra_bytes) {
    const size_t size = (sizeof(T) + extra_bytes + Ring::kUnit - 1) & ~(Ring::kUnit - 1);
    std::byte* room = make_room(size);
    if (room == nullptr) return nullptr;
    T* record = new (room) T();
    record->size = size;
    record->operation = operation;
    record->value = value;
    return record;
}

/* Whoever holds the role looks at the ring again after giving it up, so one of the two sees the other. */
void QueueCore::publish(uint64_t value, Engine::Urgency urgency) {
    submitted_.store(value, std::memory_order_release);
    ring_.publish();
    if (role_.load(std::memory_order_seq_cst) == 0 && !stalled_.load(std::memory_order_seq_cst)) schedule(urgency);
}

void QueueCore::keep_memory(const std::shared_ptr<Memory>& memory) {
    for (const auto& kept : foreign_memory_) {
        if (kept == memory) return;
    }
    foreign_memory_.push_back(memory);
}

} // namespace mock
