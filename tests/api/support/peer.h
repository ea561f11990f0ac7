/* Another process with a device of its own, seen from the test. */
#pragma once

#include <string>

#include "message.h"

namespace share {

class Peer {
   public:
    // With the device under test, or that of QIAO_TEST_PEER.
    Peer();
    // Killed if it still runs.
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    // Sends, and waits for the answer.
    Message ask(Command command, uint64_t a = 0, uint64_t b = 0, const qiao_share_handle& handle = {}, int descriptor = -1);
    // The two halves of ask().
    void tell(Command command, uint64_t a = 0, uint64_t b = 0, const qiao_share_handle& handle = {}, int descriptor = -1);
    Message hear();
    // The descriptor of the last answer; the caller closes it.
    int take_descriptor();

    // SIGKILL, and gone when it returns.
    void kill();
    // Waits for it to end by itself.
    int wait();

   private:
    int process_ = -1;
    int socket_ = -1;
    int descriptor_ = -1;
};

}  // namespace share
