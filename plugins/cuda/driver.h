// One library of a family, opened and started: its functions under one signature each, whatever shape the family gives them, and what
// its codes mean.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/host.h"
#include "symbols.h"

namespace qiao::cuda {

using plugin::Host;

// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

// Which way bytes go, in the numbers that all runtimes of this shape share.
enum class Way : int { kToDevice = 1, kToHost = 2, kOnDevice = 3 };

// As CUDA's driver has it.
struct RowsDescription {
    size_t source_x, source_y;
    uint32_t source_type, padding0;
    const void* source_host;
    Address source_device;
    void* source_array;
    size_t source_pitch;
    size_t target_x, target_y;
    uint32_t target_type, padding1;
    void* target_host;
    Address target_device;
    void* target_array;
    size_t target_pitch;
    size_t width, height;
};

struct LaunchConfiguration {
    uint32_t groups[3];
    uint32_t group[3];
    uint32_t local_bytes;
    void* stream;
    void* attributes;
    uint32_t attribute_count;
};

using LaunchFunction = Code (*)(void* function, unsigned groups_x, unsigned groups_y, unsigned groups_z, unsigned group_x, unsigned group_y,
                                unsigned group_z, unsigned local_bytes, void* stream, void** parameters, void** extra);
using LaunchByConfiguration = Code (*)(const LaunchConfiguration*, void* function, void** parameters, void** extra);

// A context, or a device's number where a thread sets devices.
struct Context {
    void* handle = nullptr;
    int ordinal = 0;
};

// A copy of rows; a null host pointer stands for the address.
struct Rows {
    Address target, source;
    void* target_host;
    const void* source_host;
    size_t width, height, target_pitch, source_pitch;
};

class Driver {
  public:
    Driver(const Family& family, std::string path, const Host& host) : family_(family), path_(std::move(path)), host_(host) {}
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    // Finds the functions and starts the library. "" or why it cannot be used.
    std::string start(void* library);

    const Family& family() const { return family_; }
    const std::string& path() const { return path_; }
    const Host& host() const { return host_; }
    void* library() const { return library_; } // as dlopen gave it
    const Symbols& call() const { return call_; }
    const TakenNames& taken() const { return taken_; }
    unsigned version() const { return version_; }

    bool has_rows() const { return call_.copy_rows_async != nullptr; }
    bool has_peer_copies() const { return call_.peer_copy_async != nullptr; }
    bool has_direct_copies() const { return !family_.quirks.no_direct_copy && (call_.copy_async != nullptr || call_.copy_by_kind_async != nullptr); }
    bool has_host_memory() const { return call_.host_allocate != nullptr && call_.host_free != nullptr && call_.host_address != nullptr; }
    bool has_host_register() const {
        return !family_.quirks.no_host_register && call_.host_register != nullptr && call_.host_unregister != nullptr && call_.host_address != nullptr;
    }
    bool has_fill(unsigned bytes) const { return bytes == 1 ? call_.fill8_async != nullptr : bytes == 2 ? call_.fill16_async != nullptr : call_.fill32_async != nullptr; }

    // ------------------------------------------------------------------------------------------ functions of several shapes
    Code write_async(Address to, const void* from, size_t size, void* stream) const;
    Code read_async(void* to, Address from, size_t size, void* stream) const;
    Code copy_async(Address to, Address from, size_t size, void* stream) const;
    Code copy_rows_async(const Rows& rows, void* stream) const;
    Code peer_copy_async(Address to, const Context& to_context, Address from, const Context& from_context, size_t size, void* stream) const;
    Code peer_enable(const Context& other) const;
    Code fill_async(Address to, uint32_t pattern, unsigned pattern_bytes, size_t count, void* stream) const;
    Code module_load(void** module, const void* image, size_t size) const;
    LaunchFunction launch() const { return family_.quirks.launch_by_config ? nullptr : reinterpret_cast<LaunchFunction>(call_.launch); }
    LaunchByConfiguration launch_by_configuration() const { return reinterpret_cast<LaunchByConfiguration>(call_.launch); }

    // Nothing where the family has no number for it, or the library no answer.
    std::optional<int> attribute(DeviceHandle device, Attribute which) const;
    std::optional<int> attribute(void* function, FunctionAttribute which) const;

    // ------------------------------------------------------------------------------------------ codes
    bool ok(Code code) const { return code == family_.results.success; }
    bool not_ready(Code code) const { return code == family_.results.not_ready; }
    bool is(const std::vector<Code>& codes, Code code) const;
    bool means_lost(Code code) const { return is(family_.results.device_lost, code); }
    qiao_status status_of(Code code) const;
    std::string name_of(Code code) const; // the library's own name and words, or the number
    // Reports a failed call; returns its status. `log` is a compiler's.
    qiao_status fail(Code code, std::string message, std::string remedy = "", std::string log = "") const;

    // ------------------------------------------------------------------------------------------ shared by the devices
    // Registers host memory, or counts one user more: a library takes a range once in a process, and several devices may import it.
    // A thread with a device's context.
    Code register_host(void* pointer, size_t size) const;
    void unregister_host(void* pointer) const;

    // Whether bytes copied from one device to another arrive; tried once for each pair, by `attempt`.
    template <typename Attempt>
    bool peer_works(int from, int to, Attempt&& attempt) {
        const std::lock_guard lock(peers_mutex_);
        for (const Peer& peer : peers_)
            if (peer.from == from && peer.to == to) return peer.works;
        const bool works = attempt();
        peers_.push_back({from, to, works});
        return works;
    }

  private:
    struct Peer {
        int from, to;
        bool works;
    };

    const Family& family_;
    const std::string path_;
    const Host host_;
    void* library_ = nullptr;
    Symbols call_;
    TakenNames taken_ = {};
    unsigned version_ = 0;
    std::mutex peers_mutex_;
    std::vector<Peer> peers_;
};

} // namespace qiao::cuda
