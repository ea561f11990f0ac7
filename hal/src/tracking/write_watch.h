// The kernel's record of written pages: userfaultfd protects pages against writing, lifts that itself at the first write to each,
// and PAGEMAP_SCAN tells which are no longer protected. One per process, since each takes two descriptors.
#pragma once

#include <string>
#include <vector>

#include "tracking/mapping.h"
#include "tracking/run.h"

namespace qiao {

class WriteWatch {
public:
    struct Obstacle {
        std::string reason, remedy;
    };
    // This process's, opened at first use and kept; null where it cannot be had. A forked child gets its own.
    static const WriteWatch* get(Obstacle& out_obstacle);

    // The mapping's writes are found from here on; none so far count.
    qiao_status watch(const Mapping& mapping) const;

    enum class Then { kLeave, kProtect };
    // Adds the pages in [offset, offset + size_bytes) of the mapping that were written since they were protected. With
    // kProtect they are protected at the same moment. Pages that were added before a failure may have been protected.
    qiao_status scan(const Mapping& mapping, uint64_t offset, uint64_t size_bytes, Then then, std::vector<Run>& out) const;

private:
    WriteWatch(Descriptor userfault, Descriptor pagemap);
    static const WriteWatch* open(Obstacle& out_obstacle);
    bool finds_a_write() const;

    Descriptor userfault_, pagemap_;
};

}  // namespace qiao
