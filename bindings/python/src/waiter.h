/* For event loops: a thread that waits for one point and then makes an eventfd readable. */
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "qiao/qiao.hpp"

namespace qiao::python {

class Waiter {
  public:
    Waiter(Timeline timeline, uint64_t value);
    ~Waiter() { close(); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    int descriptor() const noexcept { return descriptor_; }
    /* Ends the thread, reached or not. */
    void close();

  private:
    void run();

    Timeline timeline_;
    uint64_t value_;
    int descriptor_ = -1;
    std::atomic<bool> is_closing_{false};
    std::thread thread_;
};

} // namespace qiao::python
