// A timeline's value in a page that processes share. All of them write it, so nothing in it is believed: a value that falls is
// overlooked, and no number in it is an address, an index or a length.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "share/memory_file.h"

namespace qiao {

class SharedTimeline {
public:
    static constexpr uint32_t kMostParticipants = 64;

    static qiao_status create(uint64_t initial_value, std::unique_ptr<SharedTimeline>& out);
    // Takes part in one that another process, or instance, has made.
    static qiao_status import(Descriptor descriptor, std::unique_ptr<SharedTimeline>& out);
    // Leaves: the others go on.
    ~SharedTimeline();
    SharedTimeline(const SharedTimeline&) = delete;
    SharedTimeline& operator=(const SharedTimeline&) = delete;

    static uint64_t file_bytes();
    const Descriptor& descriptor() const { return file_; }

    uint64_t value() const;
    // Raises it from below `value`, and wakes who waits; false, and the value in the way, if it is not below.
    bool raise(uint64_t value, uint64_t& present);

    // It fails for all.
    void fail();
    // Why it has failed, or which participant ended without having left; "" while all is well. Costs a system call for each of the others.
    std::string trouble() const;

    // A wait: take a ticket, look whether there is something to wait for, and park. Returns early when the value was raised or the timeline has failed
    // since the ticket was taken, and now and then for no reason.
    uint32_t ticket() const;
    void park(uint32_t ticket, uint64_t deadline_ns) const;

private:
    struct Page;
    SharedTimeline(Descriptor file, Mapping mapping) : file_(std::move(file)), mapping_(std::move(mapping)) {}
    qiao_status join();
    void wake() const;
    Page& page() const;

    Descriptor file_;      // what is exported
    Mapping mapping_;
    Descriptor presence_;  // an open file of its own: the locks on it go when the process ends
    uint32_t place_ = 0;   // of this participant in the page; its byte of the file is locked
};

}  // namespace qiao
