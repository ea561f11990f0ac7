// The calling thread and host memory near NUMA nodes.
#pragma once

#include <cstdint>
#include <span>

namespace qiao::topology {

// 0, or an errno: EINVAL if the thread may run on none of the CPUs.
int bind_this_thread(std::span<const uint32_t> cpus);
// Zeroed pages on the node if it has room, else near it; null with errno. `node` is below 65536.
void* allocate_on_node(uint64_t bytes, uint32_t node);
int free_pages(void* pointer, uint64_t bytes);

} // namespace qiao::topology
