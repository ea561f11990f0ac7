// The mutex of an allocation is taken before a queue's lock and before a slot's; those of several allocations in the order of
// their addresses.
#include "emulation/shared.h"

#include <stdlib.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>

#include "dispatch/device.h"
#include "dispatch/wait.h"

namespace qiao {
namespace {

// Runs with so little between them are sent as one: a call costs more than these bytes.
constexpr uint64_t kGapBytes = 8192;
// A wait that covers work of a queue has to learn that it ended, though another thread be inside that queue.
constexpr uint64_t kPatienceNs = 1'000'000'000;

// So many queues at work on one allocation that it pays to forget those that are not any more.
constexpr size_t kManyUses = 16;

// The last value of each timeline.
void note_use(std::vector<std::pair<qiao_timeline*, uint64_t>>& uses, qiao_timeline* timeline, uint64_t value) {
    const auto known = std::find_if(uses.begin(), uses.end(), [timeline](const auto& use) { return use.first == timeline; });
    if (known != uses.end()) {
        known->second = value;
        return;
    }
    add_use(timeline);
    uses.emplace_back(timeline, value);
}

// Those with results that a wait has to bring, process-wide: a wait covers work of any queue.
struct Awaited {
    std::mutex mutex;
    std::vector<std::shared_ptr<SharedMemory>> allocations;

    static Awaited& get() {
        static Awaited* const awaited = new Awaited;  // waits may still run while the process ends
        return *awaited;
    }
    void add(const std::shared_ptr<SharedMemory>& shared) {
        const std::lock_guard guard(mutex);
        if (std::find(allocations.begin(), allocations.end(), shared) != allocations.end()) return;
        allocations.push_back(shared);
        g_awaited_allocations.fetch_add(1, std::memory_order_relaxed);
    }
    void remove(const SharedMemory* shared) {
        const std::lock_guard guard(mutex);
        const auto is_it = [shared](const std::shared_ptr<SharedMemory>& entry) { return entry.get() == shared; };
        if (std::erase_if(allocations, is_it) != 0) g_awaited_allocations.fetch_sub(1, std::memory_order_relaxed);
    }
    std::vector<std::shared_ptr<SharedMemory>> of_instance(const qiao_instance* instance) {
        const std::lock_guard guard(mutex);
        std::vector<std::shared_ptr<SharedMemory>> found;
        std::copy_if(allocations.begin(), allocations.end(), std::back_inserter(found), [instance](const auto& entry) { return entry->device()->body.instance == instance; });
        return found;
    }
};

// Runs with little between them become one.
void merge_near(std::vector<Run>& runs) {
    size_t kept = 0;
    for (size_t at = 1; at < runs.size(); ++at) {
        Run& last = runs[kept];
        if (runs[at].offset - (last.offset + last.size_bytes) <= kGapBytes) {
            last.size_bytes = runs[at].offset + runs[at].size_bytes - last.offset;
        } else {
            runs[++kept] = runs[at];
        }
    }
    if (!runs.empty()) runs.resize(kept + 1);
}

void add_traffic(qiao_memory_traffic& sum, const qiao_memory_traffic& part) {
    for (const auto member : {&qiao_memory_traffic::to_device_bytes, &qiao_memory_traffic::to_host_bytes, &qiao_memory_traffic::to_device_count,
                              &qiao_memory_traffic::to_host_count, &qiao_memory_traffic::conflict_bytes, &qiao_memory_traffic::prefetched_to_device_bytes,
                              &qiao_memory_traffic::prefetched_to_host_bytes, &qiao_memory_traffic::resident_bytes, &qiao_memory_traffic::eviction_count,
                              &qiao_memory_traffic::restore_count}) {
        sum.*member += part.*member;
    }
    sum.tracking = part.tracking;
}

qiao_tracking tracking_number(Tracking tracking) {
    switch (tracking) {
        case Tracking::kScan: return QIAO_TRACKING_SCAN;
        case Tracking::kCompare: return QIAO_TRACKING_COMPARE;
        case Tracking::kFull: return QIAO_TRACKING_FULL;
    }
    return QIAO_TRACKING_NONE;
}

qiao_status conflicts_are_errors(bool& out) {
    const char* text = secure_getenv("QIAO_SHARED_CONFLICTS");
    const std::string word = text == nullptr ? "" : text;
    out = word == "error";
    if (word.empty() || word == "log" || word == "error") return QIAO_OK;
    return fail(QIAO_ERROR_INVALID_ARGUMENT, "QIAO_SHARED_CONFLICTS is '%s'; it must be log or error", word.c_str());
}

}  // namespace

std::atomic<uint32_t> g_awaited_allocations{0};

qiao_status SharedMemory::create(const Owner& owner, void* allocation, const qiao_memory_desc& desc, std::shared_ptr<SharedMemory>& out) {
    TrackingChoice choice;
    QIAO_RETURN_IF_ERROR(choose_tracking(choice));
    const std::shared_ptr<SharedMemory> made(new SharedMemory(owner, allocation, desc));
    QIAO_RETURN_IF_ERROR(conflicts_are_errors(made->conflicts_are_errors_));
    QIAO_RETURN_IF_ERROR(HostView::create(desc.size_bytes, desc.alignment, choice.tracking, made->view_));
    made->tracking_ = choice.tracking;
    made->device_is_behind_ = choice.tracking == Tracking::kCompare;  // which sees no zero that is written over the first ones
    made->traffic_.tracking = tracking_number(choice.tracking);
    made->touch();
    out = made;
    return QIAO_OK;
}

SharedMemory::~SharedMemory() {
    for (const auto& [timeline, value] : writers_) drop_use(timeline);
    for (const auto& [timeline, value] : uses_) drop_use(timeline);
}

void SharedMemory::give_up_results() {
    const std::lock_guard guard(mutex_);
    forget_results();
}

DevicePart SharedMemory::release() {
    const std::lock_guard guard(mutex_);
    forget_results();
    is_released_ = true;
    return {allocation_, is_resident_ ? desc_.size_bytes : 0};
}

qiao_memory_traffic SharedMemory::traffic() {
    const std::lock_guard guard(mutex_);
    qiao_memory_traffic traffic = traffic_;
    traffic.resident_bytes = is_resident_ ? view_->size_bytes() : 0;
    return traffic;
}

void SharedMemory::advise(const Range& range, qiao_memory_advice advice) {
    const std::lock_guard guard(mutex_);
    switch (advice) {
        case QIAO_MEMORY_ADVICE_READ_MOSTLY: read_mostly_.add(range); break;
        case QIAO_MEMORY_ADVICE_NOT_READ_MOSTLY: read_mostly_.remove(range); break;
        case QIAO_MEMORY_ADVICE_PREFERRED_DEVICE: preference_ = 2; break;
        case QIAO_MEMORY_ADVICE_PREFERRED_HOST: preference_ = 0; break;
        default: preference_ = 1; break;
    }
}

qiao_status SharedMemory::pin(void*& out_allocation) {
    const std::lock_guard guard(mutex_);
    if (!is_resident_) {
        fail(QIAO_ERROR_NOT_FOUND, "the %" PRIu64 " bytes of shared memory are not on %s now, so there is no native object", view_->size_bytes(), device_name(owner_.device));
        set_remedy("prefetch the memory to the device, and ask again; from then on it stays there");
        return QIAO_ERROR_NOT_FOUND;
    }
    is_pinned_ = true;
    out_allocation = allocation_;
    return QIAO_OK;
}

SharedMemory::Work SharedMemory::ask_writers() const {
    Work work = Work::kEnded;
    for (const auto& [timeline, value] : writers_) {
        const qiao_status status = timeline_poll(timeline, value, kPatienceNs);
        if (status == QIAO_NOT_READY) return Work::kRunning;
        if (status != QIAO_OK) work = Work::kFailed;
    }
    return work;
}

// Of runs that the host has written: what the device has written too.
uint64_t SharedMemory::conflict_of(const std::vector<Run>& runs) const {
    uint64_t bytes = 0;
    for (const Run& run : runs) {
        for (const Range& part : unfetched_.within({run.offset, run.offset + run.size_bytes})) bytes += part.end - part.begin;
    }
    return bytes;
}

// Before anything is taken: what is found stays written, so that the application can go on after the error.
qiao_status SharedMemory::refuse_conflicts() {
    if (!conflicts_are_errors_ || unfetched_.empty() || tracking_ == Tracking::kFull) return QIAO_OK;
    runs_.clear();
    QIAO_RETURN_IF_ERROR(view_->peek(0, view_->size_bytes(), runs_));
    const uint64_t bytes = conflict_of(runs_);
    return bytes == 0 ? QIAO_OK : report_conflict(bytes);
}

// What of the range has to go to the device, in runs_; all of the memory where the device is behind. Bytes that it has written are left out, but for those of which it is known that the
// host has written them as well: what is only taken for written would be old there.
qiao_status SharedMemory::find_written(const Range& wanted, bool will_be_written) {
    runs_.clear();
    const Range taken = device_is_behind_ ? Range{0, view_->size_bytes()} : wanted;
    QIAO_RETURN_IF_ERROR(view_->take(taken.begin, taken.end - taken.begin, will_be_written, runs_));
    if (device_is_behind_ || tracking_ == Tracking::kFull) {
        Ranges unseen;
        unseen.add({0, view_->size_bytes()});
        for (const Range& range : unfetched_) unseen.remove(range);
        if (tracking_ != Tracking::kFull) {
            for (const Run& run : runs_) unseen.add({run.offset, run.offset + run.size_bytes});
        }
        runs_.clear();
        for (const Range& range : unseen) runs_.push_back({range.begin, range.end - range.begin});
    } else if (unfetched_.empty()) {
        merge_near(runs_);
    }
    return QIAO_OK;
}

// Work that was to write it has failed: nobody knows what the device has, and the host's bytes stand.
void SharedMemory::give_up_failed_results() {
    const auto has_failed = [](const auto& writer) { return writer.first->body.failed.load(std::memory_order_acquire); };
    if (std::none_of(writers_.begin(), writers_.end(), has_failed) || ask_writers() != Work::kFailed) return;
    device_is_behind_ = true;
    forget_results();
}

qiao_status SharedMemory::send(const Range& range, bool will_be_written) {
    give_up_failed_results();
    QIAO_RETURN_IF_ERROR(refuse_conflicts());
    QIAO_RETURN_IF_ERROR(find_written(range, will_be_written));
    if (runs_.empty()) return QIAO_OK;
    if (const uint64_t bytes = conflict_of(runs_); bytes != 0) {
        report_conflict(bytes);
        for (const Run& run : runs_) unfetched_.remove({run.offset, run.offset + run.size_bytes});
    }
    device_is_behind_ = true;  // nothing of it counts as written any more
    for (const Run& run : runs_) {
        QIAO_RETURN_IF_ERROR(device_write(owner_, allocation_, run.offset, view_->taken() + run.offset, run.size_bytes));
        traffic_.to_device_bytes += run.size_bytes;
    }
    ++traffic_.to_device_count;
    device_is_behind_ = false;
    return QIAO_OK;
}

// With tracking by `full` nothing is known of what the host writes, so the launch would send everything once more.
qiao_status SharedMemory::prefetch(const Range& range) {
    if (tracking_ == Tracking::kFull) return QIAO_OK;
    const uint64_t before = traffic_.to_device_bytes;
    const qiao_status status = send(range, false);
    traffic_.prefetched_to_device_bytes += traffic_.to_device_bytes - before;
    return status;
}

void SharedMemory::book(qiao_timeline* timeline, uint64_t value, const Ranges& written) {
    if (uses_.size() >= kManyUses) has_pending_uses();
    note_use(uses_, timeline, value);
    if (written.empty()) return;
    for (const Range& range : written) unfetched_.add(range);
    note_use(writers_, timeline, value);
    if ((desc_.flags & QIAO_MEMORY_FETCH_EXPLICIT) == 0) Awaited::get().add(shared_from_this());
}

qiao_status SharedMemory::bring(const Range& range, uint64_t& kept_bytes) {
    runs_.clear();
    QIAO_RETURN_IF_ERROR(view_->peek(range.begin, range.end - range.begin, runs_));
    uint64_t at = range.begin;
    const auto bring_until = [&](uint64_t end) -> qiao_status {
        if (at >= end) return QIAO_OK;
        QIAO_RETURN_IF_ERROR(device_read(owner_, allocation_, at, view_->lib() + at, end - at));
        view_->agreed(at, end - at);
        traffic_.to_host_bytes += end - at;
        return QIAO_OK;
    };
    if (tracking_ == Tracking::kFull) runs_.clear();  // it does not know
    for (const Run& run : runs_) {
        QIAO_RETURN_IF_ERROR(bring_until(run.offset));
        at = run.offset + run.size_bytes;
        kept_bytes += run.size_bytes;
    }
    return bring_until(range.end);
}

void SharedMemory::forget_results() {
    unfetched_.clear();
    for (const auto& [timeline, value] : writers_) drop_use(timeline);
    writers_.clear();
    Awaited::get().remove(this);
}

qiao_status SharedMemory::fetch(const Range& range) {
    const std::lock_guard guard(mutex_);
    give_up_failed_results();
    const std::vector<Range> parts = unfetched_.within(range);
    if (parts.empty()) return QIAO_OK;
    if (ask_writers() == Work::kRunning) return QIAO_NOT_READY;
    uint64_t kept_bytes = 0;
    for (const Range& part : parts) QIAO_RETURN_IF_ERROR(bring(part, kept_bytes));
    ++traffic_.to_host_count;
    unfetched_.remove(range);
    if (unfetched_.empty()) forget_results();
    return QIAO_OK;
}

qiao_status SharedMemory::bring_results() {
    const std::lock_guard guard(mutex_);
    if (unfetched_.empty()) return QIAO_OK;  // another wait was here first
    give_up_failed_results();
    if (unfetched_.empty() || ask_writers() == Work::kRunning) return QIAO_OK;
    uint64_t kept_bytes = 0;
    for (const Range& range : unfetched_) QIAO_RETURN_IF_ERROR(bring(range, kept_bytes));
    ++traffic_.to_host_count;
    forget_results();
    return kept_bytes == 0 ? QIAO_OK : report_conflict(kept_bytes);
}

bool SharedMemory::has_results(const Range& range) {
    const std::lock_guard guard(mutex_);
    return !unfetched_.within(range).empty();
}

void SharedMemory::bring_ahead(const Range& range) {
    const std::unique_lock guard(mutex_, std::try_to_lock);
    if (!guard) return;  // a submission or a wait has it: a worker waits for neither
    give_up_failed_results();
    const std::vector<Range> parts = unfetched_.within(range);
    if (parts.empty() || ask_writers() == Work::kRunning || (conflicts_are_errors_ && has_conflicts())) return;
    const uint64_t before = traffic_.to_host_bytes;
    uint64_t kept_bytes = 0;
    for (const Range& part : parts) {
        if (bring(part, kept_bytes) != QIAO_OK) return;
        unfetched_.remove(part);
    }
    ++traffic_.to_host_count;
    traffic_.prefetched_to_host_bytes += traffic_.to_host_bytes - before;
    if (unfetched_.empty()) forget_results();
    if (kept_bytes != 0) report_conflict(kept_bytes);
}

qiao_status SharedMemory::report_conflict(uint64_t bytes) {
    traffic_.conflict_bytes += bytes;
    Device& device = owner_.device->body;
    char text[256];
    snprintf(text, sizeof text, "the host has written to %" PRIu64 " bytes of shared memory at %p while work of %s that writes them had not been waited for", bytes,
             host_pointer(), device.id.c_str());
    if (!conflicts_are_errors_) {
        device.instance->body.log.write(QIAO_LOG_LEVEL_WARNING, "core", (std::string(text) + "; they stay as the host wrote them").c_str());
        return QIAO_OK;
    }
    fail(QIAO_ERROR_INVALID_ARGUMENT, "%s", text);
    set_object(device.id);
    set_remedy("wait for the work before the host writes; the bytes stay as the host wrote them");
    return QIAO_ERROR_INVALID_ARGUMENT;
}

qiao_status bring_awaited(qiao_instance* instance, const qiao_device* waited_for) {
    qiao_status result = QIAO_OK;
    ErrorRecord failure;
    for (const auto& shared : Awaited::get().of_instance(instance)) {
        const qiao_status status = shared->bring_results();
        if (status == QIAO_ERROR_DEVICE_LOST) {
            if (waited_for != nullptr && shared->device() != waited_for) continue;
            shared->give_up_results();  // told once
        }
        if (status == QIAO_OK || result != QIAO_OK) continue;
        result = status;
        failure = last_error();
    }
    return result == QIAO_OK ? result : fail(std::move(failure));
}

void shared_added(const std::shared_ptr<SharedMemory>& shared, uint64_t address) {
    qiao_device* device = shared->device();
    shared->address_ = address;
    const std::lock_guard guard(device->body.state);
    device->body.shared.push_back(shared);
    if (device->body.shared.size() != 1) return;
    for (qiao_queue* queue : device->body.queues) queue->body.launch_device.store(looks_for_shared(), std::memory_order_relaxed);
}

void shared_removed(const std::shared_ptr<SharedMemory>& shared) {
    qiao_device* device = shared->device();
    const qiao_memory_traffic traffic = shared->traffic();
    const std::lock_guard guard(device->body.state);
    add_traffic(device->body.past_traffic, traffic);
    std::erase(device->body.shared, shared);
    if (!device->body.shared.empty()) return;
    for (qiao_queue* queue : device->body.queues) queue->body.launch_device.store(device, std::memory_order_relaxed);
}

qiao_memory_traffic device_traffic(qiao_device* device) {
    std::vector<std::shared_ptr<SharedMemory>> all;
    qiao_memory_traffic sum;
    {
        const std::lock_guard guard(device->body.state);
        all = device->body.shared;
        sum = device->body.past_traffic;
    }
    sum.resident_bytes = 0;
    for (const auto& shared : all) add_traffic(sum, shared->traffic());
    return sum;
}

}  // namespace qiao
