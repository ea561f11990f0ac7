// What headers older than Linux 6.7 lack of userfaultfd and PAGEMAP_SCAN. Numbers and layouts are the kernel's.
#pragma once

#include <sys/ioctl.h>

#include <cstdint>

namespace qiao::page_scan {

// userfaultfd(2)
inline constexpr int kUserModeOnly = 1;
inline constexpr uint64_t kFeaturePagefaultFlagWp = 1 << 0;
inline constexpr uint64_t kFeatureWpHugetlbfsShmem = 1 << 12;
inline constexpr uint64_t kFeatureWpUnpopulated = 1 << 13;
inline constexpr uint64_t kFeatureWpAsync = 1 << 15;

// PAGEMAP_SCAN of /proc/PID/pagemap
inline constexpr uint64_t kIsWritten = 1 << 1;         // category
inline constexpr uint64_t kProtectMatching = 1 << 0;   // flags
inline constexpr uint64_t kCheckAsync = 1 << 1;

struct Region {
    uint64_t start, end;  // addresses
    uint64_t categories;
};

struct Arguments {
    uint64_t size;
    uint64_t flags;
    uint64_t start, end;
    uint64_t walk_end;  // out: how far it came
    uint64_t regions;   // address of Regions
    uint64_t region_count;
    uint64_t max_pages;  // 0: any number
    uint64_t category_inverted, category_mask, category_anyof_mask;
    uint64_t return_mask;
};

inline constexpr unsigned long kRequest = _IOWR('f', 16, Arguments);

}  // namespace qiao::page_scan
