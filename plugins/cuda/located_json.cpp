// See located_json.h. The parser is fed through an iterator that counts lines; a key's line is known when the key has been read.
#include "located_json.h"

#include <vector>

namespace qiao::cuda {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxDepth = 6;

// Reads a text and counts the line ends it has passed.
class CountingIterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, unsigned* line) : at_(at), line_(line) {}
    reference operator*() const { return *at_; }
    CountingIterator& operator++() {
        if (*at_ == '\n') ++*line_;
        ++at_;
        return *this;
    }
    bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
    bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

  private:
    const char* at_;
    unsigned* line_;
};

class Builder final : public nlohmann::json_sax<Json> {
  public:
    Builder(LocatedJson& out, const unsigned& line) : out_(out), line_(line) {}

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t&) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& key) override {
        Level& level = levels_.back();
        level.key = std::move(key);
        out_.lines.emplace(path(), line_);
        if (!level.node->contains(level.key)) return true;
        return wrong("the key \"" + path() + "\" is there twice");
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
        std::string_view words = error.what();
        if (const size_t end = words.find("] "); end != std::string_view::npos) words.remove_prefix(end + 2);
        return wrong("is not valid JSON: " + std::string(words.substr(0, 300)));
    }

  private:
    struct Level {
        Json* node;
        std::string key; // of the value that comes next
    };

    std::string path() const {
        std::string text;
        for (const Level& level : levels_) {
            if (!level.node->is_object()) continue;
            text += (text.empty() ? "" : ".") + level.key;
        }
        return text;
    }
    bool wrong(std::string problem) {
        out_.problem = std::move(problem);
        out_.problem_line = line_;
        return false;
    }
    Json* add(Json value) {
        if (levels_.empty()) return &(out_.root = std::move(value));
        Level& level = levels_.back();
        if (level.node->is_object()) return &((*level.node)[level.key] = std::move(value));
        level.node->push_back(std::move(value));
        return &level.node->back();
    }
    bool put(Json value) {
        add(std::move(value));
        return true;
    }
    bool open(Json value) {
        if (levels_.size() == kMaxDepth) return wrong("is nested deeper than " + std::to_string(kMaxDepth) + " levels, the limit of a family's file");
        Json* node = add(std::move(value));
        levels_.push_back({node, ""});
        return true;
    }
    bool close() {
        levels_.pop_back();
        return true;
    }

    LocatedJson& out_;
    const unsigned& line_;
    std::vector<Level> levels_;
};

} // namespace

LocatedJson parse_located(std::string_view text) {
    LocatedJson out;
    unsigned line = 1;
    Builder builder(out, line);
    const CountingIterator begin(text.data(), &line), end(text.data() + text.size(), &line);
    if (!Json::sax_parse(begin, end, &builder) && out.problem.empty()) out.problem = "is not valid JSON", out.problem_line = line;
    return out;
}

} // namespace qiao::cuda
