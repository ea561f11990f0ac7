// The table of services that one plugin is given, and its end: after `mute` nothing reaches the instance any more.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "loader/loader.h"

namespace qiao::loader {

class HostServices {
  public:
    HostServices(const Sinks& sinks, std::string plugin_id, std::string plugin_directory, std::string manifest_text);
    HostServices(const HostServices&) = delete;
    HostServices& operator=(const HostServices&) = delete;

    const qiao_host_api* api() const { return &api_; }

    // For a plugin that may go on calling: waits for calls under way; later ones return at once.
    void mute();
    // Mutes and keeps the table for ever, as promised to plugins without plugin_close.
    static void abandon(std::unique_ptr<HostServices> services);

  private:
    struct Services;

    // One word: how many threads are inside the instance through this table, and whether the way is closed.
    static constexpr uint32_t kClosed = 1u << 31;
    std::atomic<uint32_t> gate_{0};

    const Sinks sinks_;
    const std::string plugin_id_, plugin_directory_, manifest_text_;
    qiao_host_api api_{};
    HostServices* next_abandoned_ = nullptr;
};

} // namespace qiao::loader
