/* Exceptions: every failing call throws one, with the whole record of the thread's last failure in it. What a program may
 * want to handle has a class of its own; all others are told apart by status(). */
#ifndef QIAO_HPP_ERROR_HPP
#define QIAO_HPP_ERROR_HPP

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "qiao/status.h"

namespace qiao {
inline namespace v0 {

/// The fields of qiao_error, as values.
struct ErrorRecord {
    qiao_status status = QIAO_OK;
    uint32_t line = 0;
    int64_t vendor_code = 0;
    std::string message, remedy, object, plugin, vendor_text, log;
};

/// A call failed, and has changed nothing. what() is status, message, remedy and build log in one text.
class QIAO_EXPORT Error : public std::runtime_error {
  public:
    explicit Error(ErrorRecord record)
        : std::runtime_error(describe(record)), record_(std::make_shared<const ErrorRecord>(std::move(record))) {}

    qiao_status status() const noexcept { return record_->status; }
    /// Lives as long as the exception or a copy of it.
    const ErrorRecord& record() const noexcept { return *record_; }

  private:
    static std::string describe(const ErrorRecord& record) {
        std::string text = std::string(qiao_status_get_name(record.status)) + ": " + record.message;
        if (!record.object.empty()) text += " [" + record.object + "]";
        if (!record.plugin.empty()) text += " [plugin " + record.plugin + "]";
        if (!record.remedy.empty()) text += "; " + record.remedy;
        if (!record.log.empty()) text += "\n" + record.log;
        return text;
    }

    std::shared_ptr<const ErrorRecord> record_;
};

/// The device is gone, or was reset: what was made on it can only be released. See Device::reset.
class QIAO_EXPORT DeviceLostError : public Error {
  public:
    using Error::Error;
};
/// A program does not compile; the record has the log and the line.
class QIAO_EXPORT BuildError : public Error {
  public:
    using Error::Error;
};
/// The device, its plugin or this machine cannot do it: take another way, or another device.
class QIAO_EXPORT UnsupportedError : public Error {
  public:
    using Error::Error;
};
/// Memory of the device or of the host is used up.
class QIAO_EXPORT OutOfMemoryError : public Error {
  public:
    using Error::Error;
};
/// No device, kernel, address or entry of that name.
class QIAO_EXPORT NotFoundError : public Error {
  public:
    using Error::Error;
};

/// Throws the class that belongs to the record's status.
[[noreturn]] inline void throw_error(ErrorRecord record) {
    switch (record.status) {
        case QIAO_ERROR_DEVICE_LOST:
            throw DeviceLostError(std::move(record));
        case QIAO_ERROR_BUILD:
            throw BuildError(std::move(record));
        case QIAO_ERROR_UNSUPPORTED:
            throw UnsupportedError(std::move(record));
        case QIAO_ERROR_OUT_OF_MEMORY:
            throw OutOfMemoryError(std::move(record));
        case QIAO_ERROR_NOT_FOUND:
            throw NotFoundError(std::move(record));
        default:
            throw Error(std::move(record));
    }
}

namespace detail {

/// A failure found on this side of the C interface.
[[noreturn]] inline void refuse(qiao_status status, std::string message, std::string remedy = "",
                                std::string object = "") {
    ErrorRecord record;
    record.status = status;
    record.message = std::move(message);
    record.remedy = std::move(remedy);
    record.object = std::move(object);
    throw_error(std::move(record));
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_last_error(qiao_status status) {
    qiao_error last = QIAO_ERROR_INIT;
    if (status >= 0 || qiao_error_query(&last) != QIAO_OK || last.status != status) {
        refuse(status, qiao_status_get_text(status));
    }
    throw_error({status, last.line, last.vendor_code, last.message, last.remedy, last.object, last.plugin,
                 last.vendor_text, last.log});
}

} // namespace detail

/// For calls of the C interface between those of this one: throws unless the status is QIAO_OK. Must be called on the
/// thread that made the call, before it makes another.
inline void check(qiao_status status) {
    if (status != QIAO_OK) detail::throw_last_error(status);
}

} // namespace v0
} // namespace qiao

#endif
