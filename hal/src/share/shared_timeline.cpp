// Who takes part has a place in the page and holds a lock on the byte of that number. The kernel drops the lock when the process ends,
// however it ends, so a place that is taken while its byte is free tells of one that went without leaving. The locks belong to open
// files (F_OFD_SETLK): those of a process would be lost with any descriptor of the file that the application closes, and those on the
// exported descriptor would be held by whoever it was sent to.
#include "share/shared_timeline.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "object/lock.h"
#include "share/descriptor.h"
#include "tracking/sealed_file.h"

namespace qiao {

struct SharedTimeline::Page {
    uint64_t magic;
    uint32_t version;
    uint32_t reserved0;
    alignas(64) std::atomic<uint64_t> value;
    std::atomic<uint32_t> changes;  // what waiting threads of all processes park on
    std::atomic<uint32_t> parked;
    std::atomic<uint32_t> failed;   // 0 = no, else the process in which it did
    alignas(64) std::atomic<uint32_t> participants[kMostParticipants];  // their processes; 0 = nobody
};

namespace {

constexpr uint64_t kMagic = 0x656e696c656d6974;  // "timeline"
constexpr uint32_t kVersion = 1;
static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

uint32_t this_process() {
    return static_cast<uint32_t>(getpid());
}

struct flock lock_of(uint32_t place) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = place;
    lock.l_len = 1;
    return lock;
}

bool try_lock(const Descriptor& file, uint32_t place) {
    struct flock lock = lock_of(place);
    return fcntl(file.number(), F_OFD_SETLK, &lock) == 0;
}

void unlock(const Descriptor& file, uint32_t place) {
    struct flock lock = lock_of(place);
    lock.l_type = F_UNLCK;
    fcntl(file.number(), F_OFD_SETLK, &lock);
}

// By another open file. When that cannot be told it counts as locked: nobody is declared dead on a suspicion.
bool is_locked(const Descriptor& file, uint32_t place) {
    struct flock lock = lock_of(place);
    return fcntl(file.number(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

// The same file, opened once more.
qiao_status reopen(const Descriptor& file, Descriptor& out) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file.number());
    out = Descriptor(open(path, O_RDWR | O_CLOEXEC));
    if (out) return QIAO_OK;
    const int error = errno;
    fail(error == EMFILE || error == ENFILE ? QIAO_ERROR_OUT_OF_MEMORY : QIAO_ERROR_UNSUPPORTED, "the file of a shared timeline cannot be opened as %s: %s", path, std::strerror(error));
    set_remedy(error == EMFILE ? "close files, or raise the process's limit of open files (ulimit -n)" : "shared timelines need /proc, and a user who may open the exporter's files");
    return last_error().status;
}

}  // namespace

uint64_t SharedTimeline::file_bytes() {
    return whole_pages(sizeof(Page));
}

SharedTimeline::Page& SharedTimeline::page() const {
    return *reinterpret_cast<Page*>(mapping_.address());
}

qiao_status SharedTimeline::create(uint64_t initial_value, std::unique_ptr<SharedTimeline>& out) {
    Descriptor file;
    Mapping mapping;
    QIAO_RETURN_IF_ERROR(create_sealed_file(sizeof(Page), file));
    QIAO_RETURN_IF_ERROR(Mapping::create(file.number(), file_bytes(), page_bytes(), mapping));
    Page& page = *new (mapping.address()) Page{};
    page.magic = kMagic;
    page.version = kVersion;
    page.value.store(initial_value, std::memory_order_relaxed);
    std::unique_ptr<SharedTimeline> made(new SharedTimeline(std::move(file), std::move(mapping)));
    QIAO_RETURN_IF_ERROR(made->join());
    out = std::move(made);
    return QIAO_OK;
}

qiao_status SharedTimeline::import(Descriptor descriptor, std::unique_ptr<SharedTimeline>& out) {
    Mapping mapping;
    QIAO_RETURN_IF_ERROR(check_sealed_file(descriptor, file_bytes()));
    QIAO_RETURN_IF_ERROR(Mapping::create(descriptor.number(), file_bytes(), page_bytes(), mapping));
    const Page& page = *reinterpret_cast<const Page*>(mapping.address());
    if (page.magic != kMagic || page.version != kVersion) {
        qiao::fail(QIAO_ERROR_INVALID_ARGUMENT, "the descriptor is of a file that is no timeline of this release: it begins with 0x%" PRIx64 ", version %u", page.magic, page.version);
        set_remedy("give the handle and the descriptor of one export, and use the same release of Qiao in both processes");
        return QIAO_ERROR_INVALID_ARGUMENT;
    }
    std::unique_ptr<SharedTimeline> made(new SharedTimeline(std::move(descriptor), std::move(mapping)));
    QIAO_RETURN_IF_ERROR(made->join());
    out = std::move(made);
    return QIAO_OK;
}

// The place of one that went without leaving is never used again: it tells the others.
qiao_status SharedTimeline::join() {
    QIAO_RETURN_IF_ERROR(reopen(file_, presence_));
    for (uint32_t place = 0; place < kMostParticipants; ++place) {
        if (page().participants[place].load(std::memory_order_acquire) != 0 || !try_lock(presence_, place)) continue;
        uint32_t nobody = 0;
        if (page().participants[place].compare_exchange_strong(nobody, this_process(), std::memory_order_acq_rel)) {
            place_ = place;
            return QIAO_OK;
        }
        unlock(presence_, place);
    }
    presence_ = Descriptor();
    qiao::fail(QIAO_ERROR_OUT_OF_RANGE, "%u instances have the timeline already, which is the most", kMostParticipants);
    set_remedy("give each pair of processes a timeline of its own");
    return QIAO_ERROR_OUT_OF_RANGE;
}

SharedTimeline::~SharedTimeline() {
    if (!presence_) return;
    page().participants[place_].store(0, std::memory_order_release);  // first: a free byte of a taken place means another thing
    unlock(presence_, place_);
}

uint64_t SharedTimeline::value() const {
    return page().value.load(std::memory_order_acquire);
}

bool SharedTimeline::raise(uint64_t value, uint64_t& present) {
    present = page().value.load(std::memory_order_relaxed);
    do {
        if (value <= present) return false;
    } while (!page().value.compare_exchange_weak(present, value, std::memory_order_seq_cst));
    wake();
    return true;
}

void SharedTimeline::fail() {
    uint32_t no = 0;
    page().failed.compare_exchange_strong(no, this_process(), std::memory_order_seq_cst);
    wake();
}

std::string SharedTimeline::trouble() const {
    if (const uint32_t process = page().failed.load(std::memory_order_acquire); process != 0)
        return "work that would have raised it failed in process " + std::to_string(process);
    for (uint32_t place = 0; place < kMostParticipants; ++place) {
        const uint32_t process = page().participants[place].load(std::memory_order_acquire);
        if (process == 0 || place == place_ || is_locked(presence_, place)) continue;
        // Who leaves gives up the place before the lock, and who joins takes it behind it: asked again, either is seen.
        if (page().participants[place].load(std::memory_order_acquire) == process && !is_locked(presence_, place))
            return "process " + std::to_string(process) + ", which had it too, ended without releasing it";
    }
    return "";
}

uint32_t SharedTimeline::ticket() const {
    return page().changes.load(std::memory_order_seq_cst);
}

void SharedTimeline::park(uint32_t ticket, uint64_t deadline_ns) const {
    const timespec until{static_cast<time_t>(deadline_ns / 1'000'000'000u), static_cast<long>(deadline_ns % 1'000'000'000u)};
    page().parked.fetch_add(1, std::memory_order_seq_cst);
    syscall(SYS_futex, &page().changes, FUTEX_WAIT_BITSET, ticket, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
    page().parked.fetch_sub(1, std::memory_order_relaxed);
}

void SharedTimeline::wake() const {
    page().changes.fetch_add(1, std::memory_order_seq_cst);
    if (page().parked.load(std::memory_order_seq_cst) != 0) syscall(SYS_futex, &page().changes, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

}  // namespace qiao
