// System calls: libnuma would be a library more for one of them.
#include "topology/affinity.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

namespace qiao::topology {
namespace {

constexpr size_t kMostCpus = 65536;

struct CpuSet {
    CpuSet() : bits(CPU_ALLOC(kMostCpus)), size(CPU_ALLOC_SIZE(kMostCpus)) {
        if (bits != nullptr) CPU_ZERO_S(size, bits);
    }
    ~CpuSet() { CPU_FREE(bits); }
    CpuSet(const CpuSet&) = delete;
    CpuSet& operator=(const CpuSet&) = delete;
    cpu_set_t* bits;
    size_t size;
};

uint64_t whole_pages(uint64_t bytes) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

} // namespace

int bind_this_thread(std::span<const uint32_t> cpus) {
    CpuSet allowed, wanted;
    if (allowed.bits == nullptr || wanted.bits == nullptr) return ENOMEM;
    if (sched_getaffinity(0, allowed.size, allowed.bits) != 0) return errno;
    size_t count = 0;
    for (const uint32_t cpu : cpus) {
        if (cpu >= kMostCpus || !CPU_ISSET_S(cpu, allowed.size, allowed.bits)) continue;
        CPU_SET_S(cpu, wanted.size, wanted.bits);
        ++count;
    }
    if (count == 0) return EINVAL;
    return sched_setaffinity(0, wanted.size, wanted.bits) == 0 ? 0 : errno;
}

void* allocate_on_node(uint64_t bytes, uint32_t node) {
    const uint64_t size = whole_pages(bytes);
    if (size < bytes || size == 0) {
        errno = ENOMEM;
        return nullptr;
    }
    void* pointer = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pointer == MAP_FAILED) return nullptr;
    constexpr size_t kBits = sizeof(unsigned long) * CHAR_BIT;
    std::vector<unsigned long> nodes(node / kBits + 1);
    nodes[node / kBits] |= 1UL << node % kBits;
    // The kernel counts one bit more than it reads. Without NUMA in it all memory is equally near: nothing is lost.
    if (syscall(SYS_mbind, pointer, size, MPOL_PREFERRED, nodes.data(), nodes.size() * kBits + 1, 0) != 0 && errno != ENOSYS && errno != EPERM) {
        const int error = errno;
        munmap(pointer, size);
        errno = error;
        return nullptr;
    }
    return pointer;
}

int free_pages(void* pointer, uint64_t bytes) {
    return munmap(pointer, whole_pages(bytes)) == 0 ? 0 : errno;
}

} // namespace qiao::topology
