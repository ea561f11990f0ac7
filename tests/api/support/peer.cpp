#include "peer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <utility>

#include "session.h"

namespace share {

Peer::Peer() {
    int sockets[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    const char* other = std::getenv("QIAO_TEST_PEER");
    const std::string selector = other != nullptr ? other : api::selector();
    const char* program = QIAO_TEST_PEER_PROGRAM;
    process_ = fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {  // nothing but system calls: other threads of the parent may hold locks
        if (sockets[1] == 3) {
            fcntl(3, F_SETFD, 0);
        } else {
            dup2(sockets[1], 3);
        }
        execl(program, program, selector.c_str(), nullptr);
        _exit(127);
    }
    close(sockets[1]);
    socket_ = sockets[0];
}

Peer::~Peer() {
    if (process_ > 0) kill();
    if (socket_ >= 0) close(socket_);
    if (descriptor_ >= 0) close(descriptor_);
}

void Peer::tell(Command command, uint64_t a, uint64_t b, const qiao_share_handle& handle, int descriptor) {
    Message message;
    message.command = command;
    message.a = a;
    message.b = b;
    message.handle = handle;
    REQUIRE(send_message(socket_, message, descriptor));
}

Message Peer::hear() {
    Message reply;
    if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
    REQUIRE_MESSAGE(receive_message(socket_, reply, descriptor_), "the peer has ended");
    return reply;
}

Message Peer::ask(Command command, uint64_t a, uint64_t b, const qiao_share_handle& handle, int descriptor) {
    tell(command, a, b, handle, descriptor);
    return hear();
}

int Peer::take_descriptor() {
    return std::exchange(descriptor_, -1);
}

void Peer::kill() {
    ::kill(process_, SIGKILL);
    waitpid(std::exchange(process_, -1), nullptr, 0);
}

int Peer::wait() {
    int state = 0;
    REQUIRE(waitpid(std::exchange(process_, -1), &state, 0) > 0);
    REQUIRE(WIFEXITED(state));
    return WEXITSTATUS(state);
}

}  // namespace share
