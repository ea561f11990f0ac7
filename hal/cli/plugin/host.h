/* Host services, as small as they can be, for a plugin that the command loads itself; and what plugins say, made presentable. */
#pragma once

#include <cstdint>
#include <string>

#include "qiao/plugin.h"

namespace qiao::cli {

/* Stays where it is: the plugin has its address. */
struct Host {
    Host(const std::string& plugin_folder, const std::string& manifest_text);
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    void forget() {
        message.clear();
        remedy.clear();
    }

    std::string message; /* of the last host->error */
    std::string remedy;
    const std::string folder;
    const std::string manifest;
    qiao_host_api api{};
};

uint64_t now_ns();

/* At most 4096 bytes; "" for null. */
std::string bounded(const char* words);

/* "QIAO_ERROR_PLUGIN"; of a number without a name also that it has none. */
std::string status_text(qiao_status status);

} // namespace qiao::cli
