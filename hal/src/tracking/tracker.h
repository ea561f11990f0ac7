// One way of finding host writes, behind a HostView that has checked the ranges. What is promised is said there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "object/error.h"
#include "tracking/mapping.h"
#include "tracking/run.h"

namespace qiao {

class Tracker {
public:
    virtual ~Tracker() = default;
    virtual qiao_status take(uint64_t offset, uint64_t size_bytes, bool rearm_all, std::vector<Run>& out) = 0;
    virtual qiao_status peek(uint64_t offset, uint64_t size_bytes, std::vector<Run>& out) const = 0;
    virtual void agreed(uint64_t offset, uint64_t size_bytes) = 0;
    virtual const std::byte* taken() const = 0;
};

// The mappings outlive the tracker; their last page may have bytes behind the view's end.
qiao_status create_scan(uint64_t size_bytes, const Mapping& app, const Mapping& lib, std::unique_ptr<Tracker>& out);
qiao_status create_compare(const Mapping& lib, std::unique_ptr<Tracker>& out);
std::unique_ptr<Tracker> create_full(const Mapping& lib);

}  // namespace qiao
