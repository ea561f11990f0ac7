// The driver's cache of compiled pipelines, and the file it is kept in between processes.
#pragma once

#include <mutex>
#include <string>

#include "symbols.h"

namespace qiao::vulkan {

struct Device;

class PipelineCache {
  public:
    // Null where the driver gives none: pipelines are then made without.
    VkPipelineCache get() const { return cache_; }

    void create(Device& device);
    // Saves, and destroys.
    void destroy(Device& device);

    // From now on what is made is kept in that directory, and what lies there is used. The first directory stays.
    void use_directory(Device& device, const char* directory);
    // A file that cannot be written is a line in the log.
    void save(Device& device);

  private:
    VkPipelineCache cache_ = VK_NULL_HANDLE;
    std::mutex mutex_; // guards what follows
    std::string path_; // "" = kept nowhere
    size_t saved_bytes_ = 0;
};

} // namespace qiao::vulkan
