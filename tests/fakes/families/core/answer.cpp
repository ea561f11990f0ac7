#include "core/answer.h"

#include <map>
#include <string>

namespace fakes {

void check(const mock::Status& status, Error out_of_range) {
    switch (status.code()) {
        case mock::Code::kOk:
            return;
        case mock::Code::kInvalid:
            fail(Error::kInvalidValue);
        case mock::Code::kOutOfRange:
            fail(out_of_range);
        case mock::Code::kOutOfMemory:
            fail(Error::kOutOfMemory);
        case mock::Code::kUnsupported:
            fail(Error::kNotSupported);
        case mock::Code::kNotFound:
            fail(Error::kNotFound);
        case mock::Code::kDamaged:
            fail(Error::kInvalidImage);
        case mock::Code::kLost:
        case mock::Code::kCancelled:
            fail(error_of_loss());
    }
    fail(Error::kUnknown);
}

std::atomic<Error>& error_of_loss() {
    static std::atomic<Error> error = Error::kLaunchFailed;
    return error;
}

int code_of(Error error) {
    for (const ErrorCode& code : family().codes) {
        if (code.error == error) return code.number;
    }
    return 999;
}

const char* error_name(int code) {
    static const std::map<int, std::string> names = [] {
        std::map<int, std::string> made;
        for (const ErrorCode& each : family().codes)
            made.emplace(each.number, each.error == Error::kOk ? family().success_name : family().error_prefix + std::string(each.name));
        return made;
    }();
    const auto found = names.find(code);
    return found != names.end() ? found->second.c_str() : nullptr;
}

const char* error_text(int code) {
    static const std::map<int, std::string> texts = [] {
        std::map<int, std::string> made;
        for (const ErrorCode& each : family().codes)
            made.emplace(each.number, "fake " + std::string(family().id) + ": " + std::string(each.name));
        return made;
    }();
    const auto found = texts.find(code);
    return found != texts.end() ? found->second.c_str() : nullptr;
}

int error_word(const char* (*word)(int), int code, const char** out_text) {
    if (out_text == nullptr) return code_of(Error::kInvalidValue);
    *out_text = word(code);
    return *out_text != nullptr ? 0 : code_of(Error::kInvalidValue);
}

} // namespace fakes
