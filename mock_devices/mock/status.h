/* How the model says that something failed: a code, what was wrong with its value and limit, and what to do about it.
 * Success costs one null pointer. */
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace mock {

enum class Code : uint8_t {
    kOk,
    kInvalid,     /* an argument makes no sense */
    kOutOfRange,  /* an address, size or count is beyond its limit */
    kOutOfMemory, /* of the card or of the host */
    kUnsupported, /* the card, the CPU or the operating system cannot */
    kNotFound,
    kLost,      /* the card is lost */
    kCancelled, /* something it depended on failed */
    kDamaged,   /* a program's bytes are not what they say */
};

class [[nodiscard]] Status {
  public:
    Status() = default;
    Status(Code code, std::string message, std::string remedy = {})
        : detail_(std::make_shared<const Detail>(Detail{code, std::move(message), std::move(remedy)})) {}

    bool ok() const { return detail_ == nullptr; }
    Code code() const { return detail_ ? detail_->code : Code::kOk; }
    const std::string& message() const { return detail_ ? detail_->message : empty(); }
    const std::string& remedy() const { return detail_ ? detail_->remedy : empty(); }

  private:
    struct Detail {
        Code code;
        std::string message;
        std::string remedy;
    };
    static const std::string& empty() {
        static const std::string text;
        return text;
    }

    std::shared_ptr<const Detail> detail_;
};

/* A value, or why there is none. */
template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}
    Result(Status failure) : value_(std::in_place_index<1>, std::move(failure)) {}

    bool ok() const { return value_.index() == 0; }
    T& value() { return std::get<0>(value_); }
    const T& value() const { return std::get<0>(value_); }
    Status status() const { return ok() ? Status() : std::get<1>(value_); }

  private:
    std::variant<T, Status> value_;
};

/* How a wait ended. */
enum class WaitResult : uint8_t { kReached, kTimeout, kFailed };

} // namespace mock
