/* What the compiler's tests share: directories that go away, and compilation through the C interface. */
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "package/package.h"
#include "qiao/compiler.h"
#include "temporary.h"

namespace support {

inline qiao::compiler::TemporaryDirectory directory() {
    auto made = qiao::compiler::TemporaryDirectory::make();
    REQUIRE(made);
    return *std::move(made);
}

inline void write(const std::string& path, std::string_view text) {
    REQUIRE(qiao::compiler::write_file(path, text));
}

/* The environment of this process with one variable changed, until the object goes. */
class Environment {
  public:
    Environment(const char* name, const std::string& value) : name_(name) {
        if (const char* old = getenv(name)) had_ = true, old_ = old;
        setenv(name, value.c_str(), 1);
    }
    ~Environment() {
        if (had_)
            setenv(name_, old_.c_str(), 1);
        else
            unsetenv(name_);
    }

  private:
    const char* name_;
    bool had_ = false;
    std::string old_;
};

/* One compilation's output. By default nothing is cached. */
class Output {
  public:
    explicit Output(const qiao_compiler_desc& desc) {
        status = qiao_compiler_compile(&desc, &output_);
        REQUIRE(output_ != nullptr);
        REQUIRE(qiao_compiler_output_query(output_, &result) == QIAO_OK);
        REQUIRE(result.status == status);
        CAPTURE(result.message);
        CHECK((status == QIAO_OK) == (result.package != nullptr));
        CHECK((status == QIAO_OK) == (std::strlen(result.message) == 0));
        CHECK((status == QIAO_OK) == (std::strlen(result.remedy) == 0));
    }
    ~Output() { qiao_compiler_output_release(output_); }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    std::span<const std::byte> bytes() const {
        return {static_cast<const std::byte*>(result.package), result.package_size};
    }
    qiao::package::Package package() const {
        INFO(std::string(result.message) << "\n" << std::string(result.log));
        REQUIRE(status == QIAO_OK);
        auto opened = qiao::package::Package::open(bytes());
        REQUIRE(opened);
        CHECK(opened->verify());
        return *std::move(opened);
    }
    std::string message() const { return result.message; }
    std::string log() const { return result.log; }

    qiao_status status;
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;

  private:
    qiao_compiler_output* output_ = nullptr;
};

inline qiao_compiler_desc desc(const std::string& source) {
    qiao_compiler_desc made = QIAO_COMPILER_DESC_INIT;
    made.source = source.data();
    made.source_size = source.size();
    made.source_name = "test.cl";
    made.flags = QIAO_COMPILER_NO_CACHE;
    return made;
}

inline bool contains(const std::string& text, std::string_view part) {
    CAPTURE(text);
    return text.find(part) != std::string::npos;
}

} // namespace support
