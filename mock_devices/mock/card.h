/* Mock cards: memory, queues, loss and reset; and the machine that has them, made from a profile. Everything a card computes
 * is really computed, on the host's processors by the engine that all cards of a process share. */
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mock/memory.h"
#include "mock/profile.h"
#include "mock/queue.h"
#include "mock/status.h"

namespace mock {

class CardCore;
class VirtualClock;

struct MachineOptions {
    /* A discrete card's memory cannot be touched outside copies and launches, and misuse is reported. */
    bool strict = false;
    /* Told of misuse that is no error; may be empty. From any thread. */
    std::function<void(const std::string& text)> report;
    /* Of all cards of a machine. */
    ClockKind clock = ClockKind::kHost;
};

class Card {
  public:
    Card(const CardProfile& profile, const MachineOptions& options);
    /* With the clock of other cards; null = that of the host. */
    Card(const CardProfile& profile, const MachineOptions& options, std::shared_ptr<VirtualClock> clock);
    /* Queues may outlive it. */
    ~Card();
    Card(const Card&) = delete;
    Card& operator=(const Card&) = delete;

    const CardProfile& profile() const;
    bool strict() const;
    ClockKind clock_kind() const;
    /* How many work-groups run at the same time: the engine's workers. */
    uint32_t compute_units() const;
    /* Stack of a work-group; what (private_bytes x items + fixed_stack_bytes) must fit into. */
    uint64_t private_memory_bytes() const;

    Result<Allocation*> allocate(uint64_t size, uint64_t alignment, MemoryKind kind);
    /* Memory of the process, which stays where it is: Memory::import. */
    Result<Allocation*> import(uint64_t address, uint64_t size);
    /* Memory that work in flight may use is kept until that has ended, and reported in strict mode. */
    void free(Allocation* allocation);
    /* Without memory behind it until it is restored; launches and copies that name it are refused. No work in flight uses it. */
    Status evict(Allocation* allocation);
    Status restore(Allocation* allocation);
    uint64_t free_bytes() const;
    uint64_t total_bytes() const;
    /* At once, not in a queue's order. */
    Status write(uint64_t address, const void* source, uint64_t size);
    Status read(uint64_t address, void* target, uint64_t size);

    Result<std::unique_ptr<Queue>> create_queue(const QueueOptions& options);
    /* Until everything submitted before the call has ended. kFailed only if the card is lost. */
    WaitResult synchronize(uint64_t timeout_ns);

    /* The card stops answering: all waits end at once, nothing new is taken. The first reason stays. */
    void set_lost(const std::string& reason);
    /* The same for good: reset fails from then on. */
    void set_removed(const std::string& reason);
    bool removed() const;
    /* Blocks until the card is lost, or was lost since the call; then the loss, or that it was reset. */
    Status await_loss();
    bool lost() const noexcept;
    Status loss() const; /* ok while well */
    /* Called once per loss, without a lock held. Set before the card is used. */
    void on_lost(std::function<void(const std::string& reason)> told);
    /* Anew and well, with empty memory. Queues and allocations made before must not be used again. */
    Status reset();
    /* Keeps what a lost card's running kernel may still need until it has ended. */
    void retire(std::shared_ptr<const void> object);

    /* Nanoseconds since the card was made, or (virtual) its machine; the clock of Times. */
    uint64_t clock_ns() const;
    /* Lets time pass: sleeps, or moves the virtual clock on. */
    void pass_time(uint64_t duration_ns);
    static uint64_t host_ns();

  private:
    friend class Queue;
    std::shared_ptr<CardCore> core_;
};

/* Of the host's time. */
void sleep_ns(uint64_t duration_ns);

class Machine {
  public:
    /* The clock is virtual if the profile or the options say so. */
    Machine(const Profile& profile, const MachineOptions& options);
    const std::string& profile_name() const { return profile_name_; }
    ClockKind clock_kind() const { return clock_kind_; }
    const std::vector<std::unique_ptr<Card>>& cards() const { return cards_; }
    /* Null: the profile has none. */
    const Topology* topology() const { return topology_ ? &*topology_ : nullptr; }

  private:
    std::string profile_name_;
    ClockKind clock_kind_;
    std::optional<Topology> topology_;
    std::vector<std::unique_ptr<Card>> cards_;
};

} // namespace mock
