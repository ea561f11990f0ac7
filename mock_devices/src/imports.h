/* Memory of the process that a card was given where it lies: by address, and who found one may go on reading it. */
#pragma once

#include <deque>
#include <iterator>
#include <map>
#include <shared_mutex>
#include <vector>

#include "mock/memory.h"

namespace mock {

class Imports {
  public:
    Allocation* enter(uint64_t address, uint64_t size, uint64_t charged) {
        std::unique_lock lock(mutex_);
        Allocation* record = spare_records_.empty() ? &records_.emplace_back() : spare_records_.back();
        if (!spare_records_.empty()) spare_records_.pop_back();
        record->address.store(address, std::memory_order_relaxed);
        record->size.store(size, std::memory_order_relaxed);
        record->released.store(false, std::memory_order_relaxed);
        record->charged = charged;
        record->kind = MemoryKind::kHost;
        record->imported = true;
        by_address_[address] = record;
        return record;
    }
    void leave(Allocation* record) {
        std::unique_lock lock(mutex_);
        const auto found = by_address_.find(record->address.load(std::memory_order_relaxed));
        if (found != by_address_.end() && found->second == record) by_address_.erase(found);
        record->size.store(0, std::memory_order_relaxed);
        spare_records_.push_back(record);
    }
    const Allocation* find(uint64_t address) const noexcept {
        std::shared_lock lock(mutex_);
        auto after = by_address_.upper_bound(address);
        if (after == by_address_.begin()) return nullptr;
        const Allocation* found = std::prev(after)->second;
        return address - found->address.load(std::memory_order_relaxed) < found->size.load(std::memory_order_relaxed) ? found : nullptr;
    }

  private:
    mutable std::shared_mutex mutex_; /* guards what follows */
    std::map<uint64_t, Allocation*> by_address_;
    std::deque<Allocation> records_;
    std::vector<Allocation*> spare_records_;
};

} // namespace mock
