// All devices at once, and beside them a model: the bytes that each block of memory must have, changed on the host at the moment an
// operation is submitted. Work of different queues is ordered as an application has to order it, and not more: what reads waits for
// what wrote, what writes for what read.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <qiao/qiao.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "property/operation.h"

namespace property {

using Bytes = std::vector<uint8_t>;

// The host's own, whole pages, as devices want them that import it.
class HostBytes {
public:
    explicit HostBytes(uint64_t size_bytes);
    ~HostBytes();
    HostBytes(const HostBytes&) = delete;
    HostBytes& operator=(const HostBytes&) = delete;
    uint8_t* data() const { return data_; }

private:
    uint8_t* data_;
};

// Qiao did not do what the model did.
class Failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Card;

struct Line {
    Card* card;
    qiao::Queue queue;
};

using In = qiao::Address<const uint32_t>;
using Out = qiao::Address<uint32_t>;

struct Card {
    qiao::Device device;
    qiao::DeviceProperties properties;
    qiao::Program program;
    qiao::TypedKernel<In, Out, uint32_t> blend;
    qiao::TypedKernel<Out, uint32_t> scramble;
    qiao::TypedKernel<In, In, Out, uint32_t> gather;
    qiao::TypedKernel<Out, qiao::Local<uint32_t>> reverse;
    qiao::Pool pool;
    std::vector<Line*> lines;
    uint64_t live_bytes = 0;  // but for what can make room
};

// Work that touches bytes and may not have ended.
struct Use {
    const Line* line;
    qiao::Point point;
};

// What memory holds, and who is at it.
struct Contents {
    Bytes bytes;
    std::optional<Use> written;
    std::vector<Use> read;
};

struct Block {
    Card* card = nullptr;  // null = host memory
    std::shared_ptr<Contents> contents = std::make_shared<Contents>();  // of one that is shared: the same
    qiao::Memory memory;                // empty: of a pool, or the host's
    std::shared_ptr<HostBytes> host{};  // the host's, also where a card has imported them
    uint64_t address = 0;               // with the card; a pointer without
    uint8_t* pointer = nullptr;         // the host's way to it, if there is one
    bool can_be_shared = false;
    bool is_read_mostly = false;   // no kernel writes it
    bool fetched_by_hand = false;  // results come when asked for
    bool is_stale = false;         // ... and there are some

    uint64_t size() const { return contents->bytes.size(); }
    // What the library moves it can take from the card for a while.
    uint64_t size_on_card() const { return memory && memory.kind() == qiao::MemoryKind::kShared && card->properties.has_emulated_shared() ? 0 : size(); }
    qiao_place place(uint64_t offset) const { return {card == nullptr ? nullptr : card->device.get(), address + offset}; }
    bool is_from_pool() const { return card != nullptr && !memory; }
    std::string describe() const;
};

struct Range {
    uint64_t offset, bytes;
    uint64_t end() const { return offset + bytes; }
};

class World {
public:
    // The devices that one of the selectors (globs over ids) names. Crowded: with much shared memory, for cards that are too small; then no
    // queue is kept from going on, since work that waits for memory which other work holds would wait for the host.
    World(const std::vector<std::string>& selectors, bool is_crowded);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    std::string describe() const;
    // What the library has moved of shared memory, and how often some had to leave a card.
    std::string describe_traffic() const;

    // Runs a sequence, compares everything and frees it. Throws Failure; the world is of no more use then.
    void run(const Sequence& sequence);

private:
    using Numbers = std::array<uint32_t, 8>;
    void apply(const Operation& operation);

#define PROPERTY_DECLARE(name, weight) void do_##name(const Numbers& numbers);
    PROPERTY_VERBS(PROPERTY_DECLARE)
#undef PROPERTY_DECLARE

    Card& card(uint32_t number) { return cards_[number % cards_.size()]; }
    Line& any_line(uint32_t number) { return lines_[number % lines_.size()]; }
    static Line& line_of(const Card& card, uint32_t number) { return *card.lines[number % card.lines.size()]; }
    template <class Is>
    Block* pick(uint32_t number, Is&& is);
    Block* pick(uint32_t number);
    Block* pick_of_card(uint32_t number, const Card& card);
    Block* pick_to_write(uint32_t number, const Card* card);  // by a kernel, of that card or of any

    void fill_new(Block& block, Line& line, uint32_t way, uint32_t seed);
    bool has_already(const Card& card, const Block& block) const;
    bool has_room(const Card& card, uint64_t size_bytes) const;
    qiao::Memory allocate(const Card& card, const qiao_memory_desc& desc);
    template <class Attempt>
    qiao_status patiently(const Card& card, Attempt&& attempt);
    void publish(std::unique_ptr<Block> block);
    void release(Block& block, Line& line, bool in_order);

    void before_read(Line& line, const Contents& contents);
    void before_write(Line& line, const Contents& contents);
    void after_read(const Line& line, Block& block, const qiao::Point& point);
    void after_write(const Line& line, Block& block, const qiao::Point& point);
    void host_reads(Block& block);
    void host_writes(Block& block);
    void wait(const qiao::Point& point);
    void open_gate();

    void compare(Block& block, const Range& range, uint32_t way);
    void finish();

    const bool is_crowded_;
    qiao::Instance instance_;
    std::deque<Card> cards_;
    std::deque<Line> lines_;
    qiao::Timeline gate_;
    uint64_t gate_value_ = 0, opened_ = 0;
    std::vector<std::unique_ptr<Block>> blocks_;
    std::deque<Bytes> lent_;  // host memory that queued copies read
    uint64_t calls_ = 0;
    std::atomic<uint64_t> called_{0};
};

}  // namespace property
