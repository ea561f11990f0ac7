// Addresses of a card that equal those of other cards, as real cards' do that have page tables of their own: each card numbers
// its allocations from one base. The model's own addresses are the host's, so a launch has to be translated; addresses that
// lie in data are not, which is why such a card does not say that it has them.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

namespace qiao::mock_plugin {

class CoincidingAddresses {
  public:
    // For an allocation with this address of the model's.
    uint64_t give(uint64_t model_address, uint64_t size_bytes, uint64_t alignment);
    void take_back(uint64_t number);
    // The model's address of a byte, or of the end of an allocation; 0 = of none.
    uint64_t model_address(uint64_t number) const;

  private:
    static constexpr uint64_t kBase = UINT64_C(1) << 40, kGap = 4096;
    struct Range {
        uint64_t model_address = 0, size_bytes = 0;
    };
    mutable std::mutex mutex_;
    std::map<uint64_t, Range> ranges_;
    uint64_t next_ = kBase;
};

} // namespace qiao::mock_plugin
