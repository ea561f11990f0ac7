// What the loader's tests share: folders of their own, manifests, and sinks that remember what reached them.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "loader/loader.h"

namespace qiao::testing {

class TempFolder {
  public:
    TempFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "qiao-loader-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
        path_ = std::filesystem::canonical(pattern).string();
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }
    // Writes a file, and the folders above it; returns its path.
    std::string write(std::string_view name, std::string_view text) const {
        const std::string path = *this / name;
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream file(path, std::ios::binary);
        file.write(text.data(), static_cast<std::streamsize>(text.size()));
        if (!file.flush()) throw std::runtime_error("cannot write " + path);
        return path;
    }

  private:
    std::string path_;
};

// `more` begins with a comma.
inline std::string manifest(std::string_view id, std::string_view library, std::string_view more = "") {
    return "{\"qiao_manifest\": 1, \"id\": \"" + std::string(id) + "\", \"library\": \"" + std::string(library) +
           "\", \"abi\": {\"major\": 1, \"minor\": 0}" + std::string(more) + "}";
}

class Recorder {
  public:
    struct Line {
        qiao_log_level level;
        std::string source, text;
    };

    loader::Sinks sinks() {
        return {this, log, [](uint64_t, uint64_t, qiao_status) {}, [](uint64_t, const char*) {},
                [](void*, uint64_t, std::string_view, std::string_view) {}};
    }
    std::vector<Line> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    // Messages of a source that contain the text.
    size_t count(std::string_view source, std::string_view text) const {
        size_t found = 0;
        for (const Line& line : lines())
            found += line.source == source && line.text.find(text) != std::string::npos;
        return found;
    }

  private:
    static void log(void* context, qiao_log_level level, const char* source, const char* text) {
        auto& self = *static_cast<Recorder*>(context);
        const std::lock_guard lock(self.mutex_);
        self.lines_.push_back({level, source, text});
    }

    mutable std::mutex mutex_;
    std::vector<Line> lines_;
};

inline std::vector<loader::Candidate> discover(const std::string& path, Recorder& recorder) {
    return loader::discover({path, recorder.sinks()});
}

// The candidate of a manifest; fails the test (by throwing) if there is not exactly one.
inline const loader::Candidate& find(const std::vector<loader::Candidate>& candidates, const std::string& manifest) {
    const loader::Candidate* found = nullptr;
    for (const loader::Candidate& candidate : candidates) {
        if (candidate.manifest != manifest) continue;
        if (found != nullptr) throw std::runtime_error("two candidates of " + manifest);
        found = &candidate;
    }
    if (found == nullptr) throw std::runtime_error("no candidate of " + manifest);
    return *found;
}

inline bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// Sets or (null) unsets a variable until the end of the scope.
class Environment {
  public:
    Environment(const char* name, const char* value) : name_(name) {
        if (const char* old = getenv(name)) {
            had_ = true;
            old_ = old;
        }
        value == nullptr ? unsetenv(name) : setenv(name, value, 1);
    }
    Environment(const char* name, const std::string& value) : Environment(name, value.c_str()) {}
    ~Environment() { had_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    const char* name_;
    bool had_ = false;
    std::string old_;
};

} // namespace qiao::testing
