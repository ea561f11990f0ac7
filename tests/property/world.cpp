#include "property/world.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <unistd.h>

#include "kernels_qpk.h"

namespace property {
namespace {

constexpr std::chrono::seconds kPatience(60);
constexpr size_t kMostBlocks = 10;
constexpr uint64_t kMostWords = 2048;  // of a launch
constexpr uint32_t kGroup = 16;
constexpr size_t kQueues = 2;  // of each card
constexpr uint64_t kPage = 65536;  // the largest there is

uint64_t size_from(uint32_t number) {
    static constexpr uint64_t kBases[] = {1, 60, 256, 1000, 4096, 4096, 10000, 65536, 300000};
    return kBases[number % std::size(kBases)] + number / 16 % 5;
}

Range range_from(uint64_t size, uint32_t at, uint32_t length, uint64_t granule = 1) {
    const uint64_t offset = at % size / granule * granule;
    return {offset, (1 + length % (size - offset)) / granule * granule};
}

Bytes bytes_from(uint64_t size, uint32_t seed) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) {
        seed = seed * 1664525u + 1013904223u;
        byte = static_cast<uint8_t>(seed >> 24);
    }
    return bytes;
}

std::vector<uint32_t> words_of(const Block& block, const Range& range) {
    std::vector<uint32_t> words(range.bytes / 4);
    std::memcpy(words.data(), block.contents->bytes.data() + range.offset, words.size() * 4);
    return words;
}

void set_words(Block& block, const Range& range, const std::vector<uint32_t>& words) {
    std::memcpy(block.contents->bytes.data() + range.offset, words.data(), words.size() * 4);
}

Range words_from(uint64_t size, uint32_t at, uint32_t length) {
    Range range = range_from(size, at, length, 4);
    range.bytes = std::min(range.bytes, kMostWords * 4);
    return range;
}

bool can(const Card& card, qiao_share_type type) {
    return (card.properties.import_types & (1u << type)) != 0;
}

template <class T>
qiao::Address<T> address_at(const Block& block, const Range& range) {
    return qiao::Address<T>(block.address + range.offset);
}

}  // namespace

HostBytes::HostBytes(uint64_t size_bytes)
    : data_(static_cast<uint8_t*>(std::aligned_alloc(kPage, (size_bytes + kPage - 1) / kPage * kPage))) {}
HostBytes::~HostBytes() {
    std::free(data_);
}

std::string Block::describe() const {
    const std::string size = std::to_string(this->size()) + " bytes";
    if (card == nullptr) return size + " of the host";
    static constexpr const char* kKinds[] = {"", "device", "host", "shared"};
    return size + " of " + card->device.id() + ", " + (is_from_pool() ? "pool" : kKinds[static_cast<uint32_t>(memory.kind())]);
}

World::World(const std::vector<std::string>& selectors, bool is_crowded) : is_crowded_(is_crowded), gate_(instance_) {
    for (const std::string& selector : selectors) instance_.find_device(selector.c_str());  // throws with the ids there are
    for (const qiao::Device& device : instance_.devices()) {
        const auto is_named = [&](const std::string& selector) {
            const std::string id = device.id();
            return id == selector || (selector.back() == '*' && id.compare(0, selector.size() - 1, selector, 0, selector.size() - 1) == 0);
        };
        if (std::none_of(selectors.begin(), selectors.end(), is_named)) continue;
        Card& card = cards_.emplace_back();
        card.device = device;
        card.properties = device.properties();
        card.program = qiao::Program::from_package(device, {reinterpret_cast<const std::byte*>(kernels_qpk), kernels_qpk_size});
        card.blend = card.program.kernel<In, Out, uint32_t>("blend");
        card.scramble = card.program.kernel<Out, uint32_t>("scramble");
        card.gather = card.program.kernel<In, In, Out, uint32_t>("gather");
        card.reverse = card.program.kernel<Out, qiao::Local<uint32_t>>("reverse");
        qiao::PoolOptions options;
        options.largest_shared_bytes = 65536;
        card.pool = qiao::Pool(device, options);
        for (size_t i = 0; i < kQueues; ++i) card.lines.push_back(&lines_.emplace_back(Line{&card, qiao::Queue(device)}));
    }
}

World::~World() {
    try {
        open_gate();
    } catch (const qiao::Error&) {  // it is on its way out with another failure
    }
}

std::string World::describe() const {
    std::string text;
    for (const Card& card : cards_) text += (text.empty() ? "" : " ") + std::string(card.device.id());
    return text;
}

std::string World::describe_traffic() const {
    std::string text;
    for (const Card& card : cards_) {
        qiao_memory_traffic traffic = QIAO_MEMORY_TRAFFIC_INIT;
        qiao::check(qiao_device_query_traffic(card.device.get(), &traffic));
        text += std::string(card.device.id()) + ": " + std::to_string(traffic.to_device_bytes) + " bytes moved to it, " + std::to_string(traffic.to_host_bytes) +
                " from it, " + std::to_string(traffic.eviction_count) + " evictions\n";
    }
    return text;
}

void World::run(const Sequence& sequence) {
    size_t at = 0;
    try {
        for (; at < sequence.size(); ++at) apply(sequence[at]);
        finish();
    } catch (const std::exception& error) {
        const std::string where = at < sequence.size() ? "operation " + std::to_string(at + 1) + " (" + to_text(sequence[at]) + ")" : "the end";
        throw Failure(where + ": " + error.what());
    }
}

void World::apply(const Operation& operation) {
    switch (operation.verb) {
#define PROPERTY_CASE(name, weight) \
    case Verb::name: return do_##name(operation.numbers);
        PROPERTY_VERBS(PROPERTY_CASE)
#undef PROPERTY_CASE
    }
}

template <class Is>
Block* World::pick(uint32_t number, Is&& is) {
    std::vector<Block*> fitting;
    for (const auto& block : blocks_)
        if (is(*block)) fitting.push_back(block.get());
    return fitting.empty() ? nullptr : fitting[number % fitting.size()];
}

Block* World::pick(uint32_t number) {
    return pick(number, [](const Block&) { return true; });
}

Block* World::pick_of_card(uint32_t number, const Card& card) {
    return pick(number, [&](const Block& block) { return block.card == &card; });
}

Block* World::pick_to_write(uint32_t number, const Card* card) {
    return pick(number, [&](const Block& block) { return block.card != nullptr && (card == nullptr || block.card == card) && !block.is_read_mostly; });
}

// ---------------------------------------------------------------------------------------------- order

void World::before_read(Line& line, const Contents& contents) {
    if (contents.written && contents.written->line != &line) line.queue.after(contents.written->point);
}

void World::before_write(Line& line, const Contents& contents) {
    before_read(line, contents);
    for (const Use& use : contents.read)
        if (use.line != &line) line.queue.after(use.point);
}

void World::after_read(const Line& line, Block& block, const qiao::Point& point) {
    block.contents->read.push_back({&line, point});
}

void World::after_write(const Line& line, Block& block, const qiao::Point& point) {
    block.contents->read.clear();
    block.contents->written = Use{&line, point};
    block.is_stale = block.fetched_by_hand;
}

void World::host_reads(Block& block) {
    if (block.contents->written) {
        open_gate();
        wait(std::exchange(block.contents->written, std::nullopt)->point);
    }
    if (std::exchange(block.is_stale, false) && !block.memory.fetch(0, block.size())) throw Failure("results cannot be fetched after the wait for them");
}

void World::host_writes(Block& block) {
    host_reads(block);
    if (!block.contents->read.empty()) open_gate();
    for (const Use& use : std::exchange(block.contents->read, {})) wait(use.point);
}

void World::wait(const qiao::Point& point) {
    if (!point.wait(kPatience)) throw Failure("value " + std::to_string(point.value()) + " is not reached within a minute");
}

void World::open_gate() {
    if (opened_ < gate_value_) gate_.signal(opened_ = gate_value_);
}

// ---------------------------------------------------------------------------------------------- memory

// What was released may be behind work that waits for the gate, and still have the room, or the bytes that are imported again.
template <class Attempt>
qiao_status World::patiently(const Card& card, Attempt&& attempt) {
    const qiao_status status = attempt();
    if (status != QIAO_ERROR_OUT_OF_MEMORY && status != QIAO_ERROR_OUT_OF_RANGE) return status;
    open_gate();
    card.device.synchronize();
    return attempt();
}

// Bytes are given to a card once.
bool World::has_already(const Card& card, const Block& block) const {
    return std::any_of(blocks_.begin(), blocks_.end(), [&](const auto& one) { return one->card == &card && one->contents == block.contents; });
}

bool World::has_room(const Card& card, uint64_t size_bytes) const {
    return blocks_.size() < kMostBlocks && card.live_bytes + size_bytes <= card.properties.memory_bytes / 4;
}

qiao::Memory World::allocate(const Card& card, const qiao_memory_desc& desc) {
    qiao_memory* made = nullptr;
    qiao::check(patiently(card, [&] { return qiao_memory_allocate(card.device.get(), &desc, &made); }));
    return qiao::Memory::adopt(made);
}

void World::fill_new(Block& block, Line& line, uint32_t way, uint32_t seed) {
    const uint64_t size = block.size();
    if (way % 3 == 0) {
        const uint8_t pattern = static_cast<uint8_t>(seed);
        block.contents->bytes.assign(size, pattern);
        after_write(line, block, line.queue.fill(qiao::Slice<uint8_t>{block.card->device, qiao::Address<uint8_t>(block.address), size}, pattern));
        return;
    }
    block.contents->bytes = bytes_from(size, seed);
    if (way % 3 == 1 && block.memory) return block.memory.write(block.contents->bytes.data(), size);
    const Bytes& bytes = lent_.emplace_back(block.contents->bytes);
    const qiao_place source = {nullptr, reinterpret_cast<uintptr_t>(bytes.data())};
    after_write(line, block, line.queue.copy({source, block.place(0), size, 1, 0, 0, 0, 1, 0, 0}));
}

void World::publish(std::unique_ptr<Block> block) {
    if (block->card != nullptr) block->card->live_bytes += block->size_on_card();
    if (block->memory) {
        block->address = block->memory.address().value();
        block->pointer = static_cast<uint8_t*>(block->memory.host_pointer());
    }
    blocks_.push_back(std::move(block));
}

void World::do_allocate(const Numbers& n) {
    Card& card = this->card(n[0]);
    static constexpr qiao::MemoryKind kKinds[] = {qiao::MemoryKind::kDevice, qiao::MemoryKind::kShared, qiao::MemoryKind::kHost};
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    const bool is_large = is_crowded_ && n[1] % 4 != 0;
    const qiao::MemoryKind kind = is_large ? qiao::MemoryKind::kShared : kKinds[n[1] % std::size(kKinds)];
    desc.kind = static_cast<qiao_memory_kind>(kind);
    desc.size_bytes = is_large ? 50000 + n[2] % 30000 : size_from(n[2]);
    desc.alignment = n[5] % 4 == 0 ? 4096 : 0;
    if (kind == qiao::MemoryKind::kShared && n[5] % 3 == 1) desc.flags = QIAO_MEMORY_FETCH_EXPLICIT;
    if (kind == qiao::MemoryKind::kHost && n[5] % 3 != 1 && can(card, QIAO_SHARE_TYPE_HOST_FILE)) desc.flags = QIAO_MEMORY_SHAREABLE;
    if (!has_room(card, desc.size_bytes) || !card.properties.has(kind)) return;
    auto block = std::make_unique<Block>();
    block->card = &card;
    block->memory = allocate(card, desc);
    block->contents->bytes.resize(desc.size_bytes);
    block->fetched_by_hand = (desc.flags & QIAO_MEMORY_FETCH_EXPLICIT) != 0;
    block->can_be_shared = (desc.flags & QIAO_MEMORY_SHAREABLE) != 0;
    Block& made = *block;
    publish(std::move(block));
    fill_new(made, line_of(card, n[4]), n[6], n[3]);
}

void World::do_pool_allocate(const Numbers& n) {
    Card& card = this->card(n[0]);
    const uint64_t size = size_from(n[1]);
    if (is_crowded_ || !has_room(card, size)) return;  // a segment may be all there is
    Line& line = line_of(card, n[2]);
    auto block = std::make_unique<Block>();
    block->card = &card;
    block->address = card.pool.allocate(size, line.queue).value();
    block->contents->bytes.resize(size);
    Block& made = *block;
    publish(std::move(block));
    fill_new(made, line, n[3] % 2 * 2, n[4]);
}

void World::do_host_allocate(const Numbers& n) {
    if (blocks_.size() >= kMostBlocks) return;
    auto block = std::make_unique<Block>();
    block->contents->bytes = bytes_from(size_from(n[0]), n[1]);
    block->host = std::make_shared<HostBytes>(block->size());
    block->pointer = block->host->data();
    block->address = reinterpret_cast<uintptr_t>(block->pointer);
    std::memcpy(block->pointer, block->contents->bytes.data(), block->size());
    publish(std::move(block));
}

// The same bytes with another card.
void World::do_share(const Numbers& n) {
    const Block* block = pick(n[0], [](const Block& one) { return one.can_be_shared; });
    Card& card = this->card(n[1]);
    if (block == nullptr || !has_room(card, block->size()) || !can(card, QIAO_SHARE_TYPE_HOST_FILE)) return;
    if (has_already(card, *block)) return;
    qiao_share_handle handle{};
    int32_t descriptor = -1;
    qiao_memory* imported = nullptr;
    qiao::check(qiao_memory_export(block->memory.get(), 0, &handle, &descriptor));
    const qiao_status status = patiently(card, [&] { return qiao_memory_import(card.device.get(), &handle, descriptor, 0, &imported); });
    close(descriptor);
    qiao::check(status);
    auto other = std::make_unique<Block>();
    other->card = &card;
    other->memory = qiao::Memory::adopt(imported);
    other->contents = block->contents;
    other->can_be_shared = true;
    if (other->memory.host_pointer() != block->pointer) throw Failure("one file has two host pointers");
    publish(std::move(other));
}

// The host's bytes with a card.
void World::do_import(const Numbers& n) {
    const Block* block = pick(n[0], [](const Block& one) { return one.card == nullptr; });
    Card& card = this->card(n[1]);
    if (block == nullptr || !has_room(card, block->size()) || !can(card, QIAO_SHARE_TYPE_HOST_POINTER)) return;
    if (has_already(card, *block)) return;
    qiao_memory* imported = nullptr;
    qiao::check(patiently(card, [&] { return qiao_memory_import_host(card.device.get(), block->pointer, block->size(), 0, &imported); }));
    auto other = std::make_unique<Block>();
    other->card = &card;
    other->memory = qiao::Memory::adopt(imported);
    other->contents = block->contents;
    other->host = block->host;
    if (other->memory.host_pointer() != block->pointer) throw Failure("imported memory has another host pointer");
    publish(std::move(other));
}

void World::release(Block& block, Line& line, bool in_order) {
    if (block.host != nullptr) host_writes(block);  // the host's bytes must stay as long as work uses them
    if (block.card == nullptr) return;
    block.card->live_bytes -= block.size_on_card();
    if (!block.is_from_pool()) return block.memory = qiao::Memory(), void();
    const qiao::Address<std::byte> address(block.address);
    if (in_order) {
        before_write(line, *block.contents);
        block.card->pool.free(address, line.queue);
    } else {
        host_writes(block);
        block.card->pool.free(address);
    }
}

void World::do_release(const Numbers& n) {
    if (blocks_.empty() || (is_crowded_ && n[3] % 3 != 0)) return;
    const auto block = blocks_.begin() + static_cast<std::ptrdiff_t>(n[0] % blocks_.size());
    release(**block, (*block)->card == nullptr ? any_line(n[1]) : line_of(*(*block)->card, n[1]), n[2] % 3 != 0);
    blocks_.erase(block);
}

// ---------------------------------------------------------------------------------------------- the host's hands

void World::do_write(const Numbers& n) {
    Block* block = pick(n[0], [](const Block& one) { return static_cast<bool>(one.memory); });
    if (block == nullptr) return;
    const Range range = range_from(block->size(), n[1], n[2]);
    const Bytes bytes = bytes_from(range.bytes, n[3]);
    host_writes(*block);
    block->memory.write(bytes.data(), range.bytes, range.offset);
    std::copy(bytes.begin(), bytes.end(), block->contents->bytes.begin() + static_cast<std::ptrdiff_t>(range.offset));
}

void World::do_store(const Numbers& n) {
    Block* block = pick(n[0], [](const Block& one) { return one.pointer != nullptr; });
    if (block == nullptr) return;
    Range range = range_from(block->size(), n[1], n[2]);
    if (n[4] % 2 == 0) range.bytes = std::min<uint64_t>(range.bytes, 8);  // as programs do: a value here and there
    const Bytes bytes = bytes_from(range.bytes, n[3]);
    host_writes(*block);
    std::memcpy(block->pointer + range.offset, bytes.data(), range.bytes);
    std::memcpy(block->contents->bytes.data() + range.offset, bytes.data(), range.bytes);
}

void World::do_map(const Numbers& n) {
    Block* block = pick(n[0], [](const Block& one) { return static_cast<bool>(one.memory); });
    if (block == nullptr) return;
    const Range range = range_from(block->size(), n[1], n[2]);
    host_writes(*block);
    qiao::Mapping<uint8_t> mapping(block->memory, range.offset, range.bytes, qiao::Access::kReadWrite);
    uint8_t* model = block->contents->bytes.data() + range.offset;
    if (std::memcmp(mapping.data(), model, range.bytes) != 0) throw Failure("a mapping of " + block->describe() + " differs");
    const Range part = range_from(range.bytes, n[3], n[4]);
    const Bytes bytes = bytes_from(part.bytes, n[5]);
    std::memcpy(mapping.data() + part.offset, bytes.data(), part.bytes);
    std::memcpy(model + part.offset, bytes.data(), part.bytes);
    mapping.unmap();
}

// ---------------------------------------------------------------------------------------------- queues

void World::do_fill(const Numbers& n) {
    Block* block = pick(n[0]);
    if (block == nullptr) return;
    const uint32_t width = 1u << n[1] % 5;
    const Range range = range_from(block->size(), n[2], n[3], width);
    if (range.bytes == 0) return;
    const Bytes pattern = bytes_from(width, n[4]);
    Line& line = any_line(n[5]);
    before_write(line, *block->contents);
    uint64_t value = 0;
    qiao::check(qiao_queue_fill(line.queue.get(), block->place(range.offset), range.bytes, pattern.data(), width, &value));
    after_write(line, *block, line.queue.at(value));
    for (uint64_t i = 0; i < range.bytes; ++i) block->contents->bytes[range.offset + i] = pattern[i % width];
}

void World::do_copy(const Numbers& n) {
    Block *source = pick(n[0]), *target = pick(n[1]);
    if (source == nullptr) return;
    Range from = range_from(source->size(), n[2], n[3]), to = range_from(target->size(), n[4], n[3]);
    from.bytes = to.bytes = std::min(from.bytes, to.bytes);
    if (source->contents == target->contents && from.offset < to.end() && to.offset < from.end()) return;
    Line& line = any_line(n[5]);
    before_read(line, *source->contents);
    before_write(line, *target->contents);
    const qiao::Point point = line.queue.copy({source->place(from.offset), target->place(to.offset), from.bytes, 1, 0, 0, 0, 1, 0, 0});
    after_read(line, *source, point);
    after_write(line, *target, point);
    std::memcpy(target->contents->bytes.data() + to.offset, source->contents->bytes.data() + from.offset, from.bytes);
}

// One side of a copy in three dimensions, at the beginning of what the block has.
struct Box {
    uint64_t width, rows, slices, pitch, slice_pitch;
    uint64_t bytes() const { return (slices - 1) * slice_pitch + (rows - 1) * pitch + width; }
    uint64_t at(uint64_t slice, uint64_t row) const { return slice * slice_pitch + row * pitch; }
};

void World::do_copy_boxes(const Numbers& n) {
    Block *source = pick(n[0]), *target = pick(n[1]);
    if (source == nullptr || source->contents == target->contents) return;
    const uint64_t width = 1 + n[3] % 200, rows = 1 + n[2] % 6, slices = 1 + n[2] / 8 % 4;
    const auto box_from = [&](uint32_t number) {
        const uint64_t pitch = width + number % 50;
        return Box{width, rows, slices, pitch, pitch * rows + number / 64 % 100};
    };
    const Box from = box_from(n[4]), to = box_from(n[5]);
    if (from.bytes() > source->size() || to.bytes() > target->size()) return;
    const uint64_t first = n[6] % (source->size() - from.bytes() + 1), to_first = n[7] % (target->size() - to.bytes() + 1);
    Line& line = any_line(n[6]);
    before_read(line, *source->contents);
    before_write(line, *target->contents);
    qiao_copy copy = QIAO_COPY_INIT;
    copy.source = source->place(first);
    copy.target = target->place(to_first);
    copy.size_bytes = width;
    copy.rows = rows;
    copy.slices = slices;
    copy.source_pitch = from.pitch;
    copy.target_pitch = to.pitch;
    copy.source_slice_pitch = from.slice_pitch;
    copy.target_slice_pitch = to.slice_pitch;
    const qiao::Point point = line.queue.copy(copy);
    after_read(line, *source, point);
    after_write(line, *target, point);
    for (uint64_t slice = 0; slice < slices; ++slice)
        for (uint64_t row = 0; row < rows; ++row)
            std::memcpy(target->contents->bytes.data() + to_first + to.at(slice, row), source->contents->bytes.data() + first + from.at(slice, row), width);
}

// A promise to use the memory, which is a use itself.
void World::do_prefetch(const Numbers& n) {
    Block* block = pick(n[0], [](const Block& one) { return one.card != nullptr; });
    if (block == nullptr) return;
    const Range range = range_from(block->size(), n[1], n[2]);
    Line& line = line_of(*block->card, n[3]);
    before_write(line, *block->contents);
    uint64_t value = 0;
    qiao_device* target = n[4] % 2 == 0 ? block->card->device.get() : nullptr;
    qiao::check(qiao_queue_prefetch(line.queue.get(), block->place(range.offset), range.bytes, target, &value));
    const bool is_stale = block->is_stale;
    after_write(line, *block, line.queue.at(value));
    block->is_stale = is_stale;
}

void World::do_advise(const Numbers& n) {
    Block* block = pick(n[0], [](const Block& one) { return static_cast<bool>(one.memory); });
    if (block == nullptr) return;
    const qiao_memory_advice advice = QIAO_MEMORY_ADVICE_READ_MOSTLY + n[1] % QIAO_MEMORY_ADVICE_NO_PREFERENCE;
    qiao::check(qiao_memory_advise(block->memory.get(), 0, block->size(), advice));
    if (advice == QIAO_MEMORY_ADVICE_READ_MOSTLY) block->is_read_mostly = true;
    if (advice == QIAO_MEMORY_ADVICE_NOT_READ_MOSTLY) block->is_read_mostly = false;
}

void World::do_blend(const Numbers& n) {
    Card& card = this->card(n[0]);
    Block *in = pick_of_card(n[1], card), *out = pick_to_write(n[2], &card);
    if (in == nullptr || out == nullptr) return;
    Range from = words_from(in->size(), n[3], n[4]), to = words_from(out->size(), n[5], n[4]);
    from.bytes = to.bytes = std::min(from.bytes, to.bytes);
    if (from.bytes == 0 || (in->contents == out->contents && from.offset < to.end() && to.offset < from.end())) return;
    Line& line = line_of(card, n[6]);
    before_read(line, *in->contents);
    before_write(line, *out->contents);
    const qiao::Point point = line.queue.launch(card.blend, from.bytes / 4, address_at<const uint32_t>(*in, from), address_at<uint32_t>(*out, to), n[7]);
    after_read(line, *in, point);
    after_write(line, *out, point);
    const std::vector<uint32_t> words = words_of(*in, from);
    std::vector<uint32_t> sums = words_of(*out, to);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += words[i] * n[7];
    set_words(*out, to, sums);
}

void World::do_scramble(const Numbers& n) {
    Block* block = pick_to_write(n[0], nullptr);
    if (block == nullptr) return;
    const Range range = words_from(block->size(), n[1], n[2]);
    if (range.bytes == 0) return;
    Line& line = line_of(*block->card, n[3]);
    before_write(line, *block->contents);
    after_write(line, *block, line.queue.launch(block->card->scramble, range.bytes / 4, address_at<uint32_t>(*block, range), n[4]));
    std::vector<uint32_t> words = words_of(*block, range);
    for (uint32_t& word : words) word = word * 1664525u + n[4];
    set_words(*block, range, words);
}

void World::do_gather(const Numbers& n) {
    Card& card = this->card(n[0]);
    Block *in = pick_of_card(n[1], card), *index = pick_of_card(n[2], card), *out = pick_to_write(n[3], &card);
    if (in == nullptr || out == nullptr || out->contents == in->contents || out->contents == index->contents) return;
    const Range from = words_from(in->size(), n[4], n[5]);
    Range by = words_from(index->size(), n[5], n[6]), to = words_from(out->size(), n[6], n[7]);
    by.bytes = to.bytes = std::min(by.bytes, to.bytes);
    if (from.bytes == 0 || to.bytes == 0) return;
    Line& line = line_of(card, n[7]);
    before_read(line, *in->contents);
    before_read(line, *index->contents);
    before_write(line, *out->contents);
    const uint32_t count = static_cast<uint32_t>(from.bytes / 4);
    const qiao::Point point = line.queue.launch(card.gather, to.bytes / 4, address_at<const uint32_t>(*in, from),
                                                address_at<const uint32_t>(*index, by), address_at<uint32_t>(*out, to), count);
    after_read(line, *in, point);
    after_read(line, *index, point);
    after_write(line, *out, point);
    const std::vector<uint32_t> words = words_of(*in, from);
    std::vector<uint32_t> chosen = words_of(*index, by);
    for (uint32_t& word : chosen) word = words[word % count];
    set_words(*out, to, chosen);
}

void World::do_reverse(const Numbers& n) {
    Block* block = pick_to_write(n[0], nullptr);
    if (block == nullptr) return;
    Range range = words_from(block->size(), n[1], n[2]);
    range.bytes -= range.bytes % (kGroup * 4);
    if (range.bytes == 0) return;
    Line& line = line_of(*block->card, n[3]);
    before_write(line, *block->contents);
    after_write(line, *block, line.queue.launch(block->card->reverse, qiao::Shape(range.bytes / 4).in_groups(kGroup), address_at<uint32_t>(*block, range),
                                                qiao::Local<uint32_t>(kGroup)));
    std::vector<uint32_t> words = words_of(*block, range);
    for (auto group = words.begin(); group != words.end(); group += kGroup) std::reverse(group, group + kGroup);
    set_words(*block, range, words);
}

void World::do_wait(const Numbers& n) {
    Block* block = pick(n[0]);
    if (block != nullptr) host_reads(*block);
}

void World::do_synchronize(const Numbers& n) {
    open_gate();
    card(n[0]).device.synchronize();
}

// What is submitted to the queue from now on piles up until the gate is opened.
void World::do_hold(const Numbers& n) {
    if (is_crowded_) return;
    if (gate_value_ == opened_) ++gate_value_;
    any_line(n[0]).queue.after(gate_.at(gate_value_));
}

void World::do_open(const Numbers&) {
    open_gate();
}

void World::do_call(const Numbers& n) {
    ++calls_;
    any_line(n[0]).queue.call([this](qiao_status status) noexcept {
        if (status == QIAO_OK) called_.fetch_add(1);
    });
}

// ---------------------------------------------------------------------------------------------- comparing

void World::do_check(const Numbers& n) {
    Block* block = pick(n[0]);
    if (block != nullptr) compare(*block, range_from(block->size(), n[1], n[2]), n[3]);
}

void World::compare(Block& block, const Range& range, uint32_t way) {
    Bytes copied;
    const uint8_t* bytes = nullptr;
    if (way % 3 == 0 && block.pointer != nullptr) {
        host_reads(block);
        bytes = block.pointer + range.offset;
    } else {
        copied.resize(range.bytes);
        bytes = copied.data();
        if (way % 3 == 1 && block.memory) {
            host_reads(block);
            block.memory.read(copied.data(), range.bytes, range.offset);
        } else {
            Line& line = any_line(way);
            before_read(line, *block.contents);
            const qiao_place target = {nullptr, reinterpret_cast<uintptr_t>(copied.data())};
            const qiao::Point point = line.queue.copy({block.place(range.offset), target, range.bytes, 1, 0, 0, 0, 1, 0, 0});
            open_gate();
            wait(point);
        }
    }
    const uint8_t* model = block.contents->bytes.data() + range.offset;
    const uint64_t at = static_cast<uint64_t>(std::mismatch(bytes, bytes + range.bytes, model).first - bytes);
    if (at == range.bytes) return;
    throw Failure(block.describe() + ": byte " + std::to_string(range.offset + at) + " is " + std::to_string(bytes[at]) + " and must be " +
                  std::to_string(model[at]) + (way % 3 == 0 ? ", by pointer" : way % 3 == 1 ? ", read" : ", copied"));
}

void World::finish() {
    open_gate();
    for (const auto& block : blocks_) compare(*block, {0, block->size()}, block->pointer != nullptr ? 0 : 2);
    for (const auto& block : blocks_) release(*block, lines_.front(), false);
    blocks_.clear();
    for (const Card& card : cards_) card.device.synchronize();
    lent_.clear();
    if (called_.load() != calls_) throw Failure(std::to_string(calls_) + " calls were queued, " + std::to_string(called_.load()) + " came");
    for (const Card& card : cards_)
        if (card.live_bytes != 0) throw Failure("the model itself has lost count of memory");
}

}  // namespace property
