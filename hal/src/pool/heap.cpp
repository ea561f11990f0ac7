// Two free neighbours are one block if the same queue's work comes first on both: then the later of their values is the
// block's. What has ended by what is known joins the clean lane on its way in.
#include "pool/heap.h"

#include <algorithm>
#include <utility>

#include "dispatch/wait.h"

namespace qiao {

Heap::~Heap() {
    for (auto& [timeline, lane] : lanes_) drop_use(timeline);
}

// There is one: see prepare_blocks.
Block* Heap::new_block() {
    Block* block = idle_blocks_;
    idle_blocks_ = block->next;
    return block;
}

void Heap::recycle(Block* block) {
    block->word.store(0, std::memory_order_release);
    block->before = block->behind = nullptr;
    block->next = idle_blocks_;
    idle_blocks_ = block;
}

void Heap::link(Block* block, Lane& lane, uint64_t value) {
    block->lane = &lane;
    block->value = value;
    block->set(block->address(), BlockState::kFree);
    lane.bins_of(*block).insert(block);
    lane.bytes += block->size_bytes();
    lane.newest = std::max(lane.newest, value);
    if (block->is_whole()) unused_bytes_ += block->size_bytes();
}

void Heap::unlink(Block* block) {
    block->lane->bins_of(*block).remove(block);
    block->lane->bytes -= block->size_bytes();
    if (block->is_whole()) unused_bytes_ -= block->size_bytes();
}

// The block keeps its first granules; the rest is free, in the same order.
void Heap::cut(Block* block, uint64_t granules) {
    if (block->granules == granules) return;
    Block* rest = new_block();
    const uint64_t address = block->address() + (granules << block->segment->granule_bits);
    rest->segment = block->segment;
    rest->granules = block->granules - granules;
    rest->before = block;
    rest->behind = block->behind;
    if (rest->behind != nullptr) rest->behind->before = rest;
    block->behind = rest;
    block->granules = granules;
    rest->set(address, BlockState::kFree);
    rest->segment->start(address).store(rest, std::memory_order_release);
    link(rest, *block->lane, block->value);
}

// Both are in no bin.
void Heap::absorb_behind(Block* block) {
    Block* behind = block->behind;
    block->segment->start(behind->address()).store(nullptr, std::memory_order_release);
    block->granules += behind->granules;
    block->behind = behind->behind;
    if (block->behind != nullptr) block->behind->before = block;
    recycle(behind);
}

Block* Heap::take(Lane* lane, uint64_t granules, bool is_shared) {
    const uint32_t size_class = class_above(granules);
    const auto find = [&](const Lane& from) -> Block* {
        if (is_shared) return from.shared.find(size_class);
        // It is not cut: one that is much larger is left for those who need it. One as large as the device makes them may be
        // below its class.
        if (Block* block = from.own.find(size_class, size_class + 1); block != nullptr) return block;
        Block* block = from.own.find(size_class - 1, size_class - 1);
        return block != nullptr && block->granules >= granules ? block : nullptr;
    };
    Block* block = lane == nullptr ? nullptr : find(*lane);
    if (block == nullptr) block = find(clean_);
    if (block == nullptr) return nullptr;
    prepare_blocks();
    unlink(block);
    block->set(block->address(), BlockState::kCached);
    if (is_shared) cut(block, class_granules(size_class));
    return block;
}

void Heap::give(Block* block) {
    Lane* lane = block->lane;
    uint64_t value = block->value;
    if (lane->timeline != nullptr && lane->timeline->body.reached.load(std::memory_order_acquire) >= value) lane = &clean_;
    const auto joins = [&](const Block* other) { return other != nullptr && other->state() == BlockState::kFree && other->lane == lane; };
    if (Block* behind = block->behind; joins(behind)) {
        value = std::max(value, behind->value);
        unlink(behind);
        absorb_behind(block);
    }
    if (Block* before = block->before; joins(before)) {
        value = std::max(value, before->value);
        unlink(before);
        absorb_behind(before);
        block = before;
    }
    link(block, *lane, value);
    if (idle_limit_bytes_ != 0 && block->is_whole() && unused_bytes_ > idle_limit_bytes_) detach(block->segment);
}

Lane* Heap::find_lane(qiao_timeline* timeline) {
    const auto found = lanes_.find(timeline);
    return found == lanes_.end() ? nullptr : found->second.get();
}

Lane* Heap::make_lane(qiao_timeline* timeline) {
    if (timeline == nullptr) return &clean_;
    if (Lane* lane = find_lane(timeline); lane != nullptr) return lane;
    auto lane = std::make_unique<Lane>();
    lane->timeline = timeline;
    Lane* made = lanes_.emplace(timeline, std::move(lane)).first->second.get();
    add_use(timeline);
    return made;
}

void Heap::clear(Lane& lane, uint64_t passed) {
    const auto free_from_order = [&](Block* block) {
        if (block->value > passed) return;
        unlink(block);
        block->set(block->address(), BlockState::kCached);
        block->lane = &clean_;
        give(block);
    };
    lane.shared.visit(free_from_order);
    lane.own.visit(free_from_order);
}

void Heap::sweep_lanes() {
    std::erase_if(lanes_, [&](auto& entry) {
        const auto& [timeline, lane] = entry;
        if (!timeline->body.of_queue || QueueUse(timeline->body).get() != nullptr) return false;
        clear(*lane, UINT64_MAX);
        drop_use(timeline);
        return true;
    });
    sweep_at_ = std::max<size_t>(16, 2 * lanes_.size());
}

void Heap::prepare_blocks() {
    while (idle_blocks_ == nullptr || idle_blocks_->next == nullptr) recycle(&blocks_.emplace_back());
}

Block* Heap::add(std::unique_ptr<Segment> owner, uint64_t granules) {
    Segment* segment = owner.release();
    Block* block = new_block();
    block->segment = segment;
    block->granules = segment->size_bytes >> segment->granule_bits;
    block->lane = &clean_;
    block->value = 0;
    block->set(segment->address, BlockState::kCached);
    segment->first = block;
    segment->start(segment->address).store(block, std::memory_order_release);
    segment->next = segments_;
    if (segments_ != nullptr) segments_->previous = segment;
    segments_ = segment;
    segment_bytes_ += segment->size_bytes;
    ++segment_count_;
    if (segment->is_shared) cut(block, granules);
    return block;
}

void Heap::detach(Segment* segment) {
    for (Block *block = segment->first, *behind; block != nullptr; block = behind) {
        behind = block->behind;
        unlink(block);
        segment->start(block->address()).store(nullptr, std::memory_order_release);
        recycle(block);
    }
    (segment->previous == nullptr ? segments_ : segment->previous->next) = segment->next;
    if (segment->next != nullptr) segment->next->previous = segment->previous;
    segment_bytes_ -= segment->size_bytes;
    --segment_count_;
    segment->next = std::exchange(leaving_, segment);
}

// Its pieces may be behind the work of different queues: who takes the segment back waits for all of it.
bool Heap::is_unused(const Segment& segment, Unused which) const {
    const Block* block = segment.first;
    while (block != nullptr && block->state() == BlockState::kFree && (which == Unused::kAny || block->lane == &clean_)) block = block->behind;
    return block == nullptr;
}

void Heap::trim(uint64_t keep_bytes, Unused which) {
    for (Segment *segment = segments_, *next; segment != nullptr && segment_bytes_ > keep_bytes; segment = next) {
        next = segment->next;
        if (is_unused(*segment, which)) detach(segment);
    }
}

uint64_t Heap::pending_bytes() const {
    uint64_t bytes = 0;
    for (const auto& [timeline, lane] : lanes_) bytes += lane->bytes;
    return bytes;
}

uint64_t Heap::free_bytes() const {
    return clean_.bytes + pending_bytes();
}

uint64_t Heap::largest_free_bytes() const {
    uint64_t largest = 0;
    const auto look = [&](const Lane& lane) { largest = std::max({largest, lane.shared.largest_bytes(), lane.own.largest_bytes()}); };
    look(clean_);
    for (const auto& [timeline, lane] : lanes_) look(*lane);
    return largest;
}

}  // namespace qiao
