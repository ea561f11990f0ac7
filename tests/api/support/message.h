/* What a test and its peer say to each other: one message each way, with at most one descriptor beside it. */
#pragma once

#include <qiao/qiao.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace share {

enum class Command : uint32_t {
    kImportMemory,   /* of the handle */
    kMakeMemory,     /* a + b: size and kind; the answer has handle and descriptor */
    kFillMemory,     /* by the peer's device: a = pattern of four bytes */
    kReadMemory,     /* by the peer's device; the answer's a = the first four bytes */
    kReadPointer,    /* the same through the host pointer */
    kImportTimeline,
    kMakeTimeline,   /* a = its value */
    kSignal,         /* a = value */
    kWait,           /* a = value, b = time limit */
    kEcho,           /* for each value a, a + 2, ... below b: waits for it, and raises to the next */
    kAnswerByQueue,  /* queued: after value a, fill with pattern b, raise to a + 1 */
    kReleaseAll,
    kLeave,          /* ends without having released anything */
};

struct Message {
    Command command = Command::kReadMemory;
    qiao_status status = QIAO_OK;
    uint64_t a = 0, b = 0;
    qiao_share_handle handle = {};
    char text[256] = "";
};

/* The descriptor stays the caller's; -1 = none. */
inline bool send_message(int socket, const Message& message, int descriptor = -1) {
    iovec part = {const_cast<Message*>(&message), sizeof message};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (descriptor >= 0) {
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof descriptor);
        std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    }
    return sendmsg(socket, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof message);
}

/* The descriptor is the caller's to close. False at the end of the conversation. */
inline bool receive_message(int socket, Message& message, int& descriptor) {
    descriptor = -1;
    iovec part = {&message, sizeof message};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    if (recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_WAITALL) != static_cast<ssize_t>(sizeof message)) return false;
    for (cmsghdr* rights = CMSG_FIRSTHDR(&header); rights != nullptr; rights = CMSG_NXTHDR(&header, rights))
        if (rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) std::memcpy(&descriptor, CMSG_DATA(rights), sizeof descriptor);
    return true;
}

}  // namespace share
