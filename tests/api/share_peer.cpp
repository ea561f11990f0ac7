// The other process: does what the messages on its socket, descriptor 3, ask for, with an instance and a device of its own.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/message.h"

using share::Command;
using share::Message;

namespace {

class Peer {
   public:
    explicit Peer(const char* selector) {
        qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
        desc.plugin_path = std::getenv("QIAO_TEST_PLUGIN_PATH");
        expect(qiao_instance_create(&desc, &instance_));
        expect(qiao_instance_find_device(instance_, selector, &device_));
        expect(qiao_queue_create(device_, nullptr, &queue_));
        expect(qiao_queue_get_timeline(queue_, &progress_));
    }

    // The answer to `asked`, and the descriptor that goes with it.
    Message answer(const Message& asked, int given, int& descriptor) {
        Message reply;
        reply.command = asked.command;
        reply.status = act(asked, given, reply, descriptor);
        if (reply.status < 0) {
            qiao_error error = QIAO_ERROR_INIT;
            qiao_error_query(&error);
            std::snprintf(reply.text, sizeof reply.text, "%s", error.message);
        }
        return reply;
    }

    void release() {
        expect(qiao_memory_release(memory_));
        expect(qiao_timeline_release(timeline_));
        expect(qiao_queue_release(queue_));
        expect(qiao_instance_release(instance_));
        memory_ = nullptr;
        timeline_ = nullptr;
    }

   private:
    static void expect(qiao_status status) {
        if (status == QIAO_OK) return;
        qiao_error error = QIAO_ERROR_INIT;
        qiao_error_query(&error);
        std::fprintf(stderr, "the peer: %s: %s\n", qiao_status_get_name(status), error.message);
        std::exit(3);
    }

    qiao_status act(const Message& asked, int given, Message& reply, int& descriptor) {
        switch (asked.command) {
            case Command::kImportMemory:
                return qiao_memory_import(device_, &asked.handle, given, 0, &memory_);
            case Command::kMakeMemory: {
                qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
                desc.size_bytes = asked.a;
                desc.kind = static_cast<qiao_memory_kind>(asked.b);
                desc.flags = QIAO_MEMORY_SHAREABLE;
                const qiao_status status = qiao_memory_allocate(device_, &desc, &memory_);
                return status == QIAO_OK ? qiao_memory_export(memory_, 0, &reply.handle, &descriptor) : status;
            }
            case Command::kFillMemory:
                return finish(fill(static_cast<uint32_t>(asked.a)));
            case Command::kReadMemory: {
                uint32_t first = 0;
                const qiao_status status = qiao_memory_read(memory_, 0, &first, sizeof first);
                reply.a = first;
                return status;
            }
            case Command::kReadPointer:
                reply.a = *static_cast<const uint32_t*>(properties().host_pointer);
                return QIAO_OK;
            case Command::kImportTimeline:
                return qiao_timeline_import(instance_, &asked.handle, given, &timeline_);
            case Command::kMakeTimeline: {
                const qiao_status status = qiao_timeline_create_shareable(instance_, asked.a, &timeline_);
                return status == QIAO_OK ? qiao_timeline_export(timeline_, &reply.handle, &descriptor) : status;
            }
            case Command::kSignal:
                return qiao_timeline_signal(timeline_, asked.a);
            case Command::kWait:
                return qiao_timeline_wait(timeline_, asked.a, asked.b);
            case Command::kEcho: {
                qiao_status status = QIAO_OK;
                for (uint64_t value = asked.a; value < asked.b && status == QIAO_OK; value += 2) {
                    status = qiao_timeline_wait(timeline_, value, UINT64_C(20'000'000'000));
                    if (status == QIAO_OK) status = qiao_timeline_signal(timeline_, value + 1);
                }
                return status;
            }
            case Command::kAnswerByQueue: {
                expect(qiao_queue_after(queue_, timeline_, asked.a, nullptr));
                expect(fill(static_cast<uint32_t>(asked.b)));
                return qiao_queue_signal(queue_, timeline_, asked.a + 1, nullptr);
            }
            case Command::kReleaseAll:
                release();
                return QIAO_OK;
            case Command::kLeave:
                std::_Exit(0);
        }
        return QIAO_ERROR_INVALID_ARGUMENT;
    }

    qiao_memory_properties properties() const {
        qiao_memory_properties properties = QIAO_MEMORY_PROPERTIES_INIT;
        expect(qiao_memory_query(memory_, &properties));
        return properties;
    }
    qiao_status fill(uint32_t pattern) {
        const qiao_memory_properties all = properties();
        return qiao_queue_fill(queue_, {device_, all.address}, all.size_bytes / 4 * 4, &pattern, sizeof pattern, &value_);
    }
    qiao_status finish(qiao_status status) { return status == QIAO_OK ? qiao_timeline_wait(progress_, value_, UINT64_C(20'000'000'000)) : status; }

    qiao_instance* instance_ = nullptr;
    qiao_device* device_ = nullptr;
    qiao_queue* queue_ = nullptr;
    qiao_timeline* progress_ = nullptr;
    uint64_t value_ = 0;
    qiao_memory* memory_ = nullptr;
    qiao_timeline* timeline_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    Peer peer(argv[1]);
    Message asked;
    for (int given; share::receive_message(3, asked, given);) {
        int descriptor = -1;
        const Message reply = peer.answer(asked, given, descriptor);
        if (given >= 0) close(given);
        if (!share::send_message(3, reply, descriptor)) return 1;
        if (descriptor >= 0) close(descriptor);
        if (asked.command == Command::kReleaseAll) return 0;
    }
    return 0;
}
