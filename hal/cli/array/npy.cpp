/* The .npy format: magic, version, length, a Python dictionary as text, data. The dictionary is read by a small parser for
 * exactly the three keys that NumPy writes. */
#include "cli/array/npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <numeric>
#include <string_view>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeaderBytes = 64 * 1024; /* NumPy's own headers for plain arrays stay below 200 */
constexpr size_t kMaxDimensions = 32;         /* NumPy's limit */

struct Header {
    std::string descr;
    bool fortran_order = false;
    Shape shape;
};

[[noreturn]] void damaged(const std::string& name, const std::string& message) {
    throw Failure(kExitFailed, name + ": not a usable .npy file: " + message,
                  "write it again with numpy.save, with a plain numeric dtype");
}

/* Reads the header's dictionary from left to right. */
class HeaderParser {
  public:
    HeaderParser(std::string_view header, const std::string& name) : rest_(header), name_(name) {}

    Header parse() {
        Header header;
        bool seen[3] = {false, false, false};
        expect('{');
        while (!accept('}')) {
            const std::string key = string();
            expect(':');
            if (key == "descr") {
                mark(seen[0], key);
                if (peek() == '[') damaged(name_, "its dtype is structured; only plain numbers can be taken");
                header.descr = string();
            } else if (key == "fortran_order") {
                mark(seen[1], key);
                header.fortran_order = boolean();
            } else if (key == "shape") {
                mark(seen[2], key);
                header.shape = tuple();
            } else {
                damaged(name_, "its header has an unknown key '" + key + "'");
            }
            if (!accept(',') && peek() != '}') damaged(name_, "its header is malformed");
        }
        if (!seen[0] || !seen[1] || !seen[2]) damaged(name_, "its header lacks descr, fortran_order or shape");
        skip_space();
        if (!rest_.empty()) damaged(name_, "its header has text after the dictionary");
        return header;
    }

  private:
    void mark(bool& seen, const std::string& key) {
        if (seen) damaged(name_, "its header says '" + key + "' twice");
        seen = true;
    }

    void skip_space() {
        const size_t start = rest_.find_first_not_of(" \t\n");
        rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
    }

    char peek() {
        skip_space();
        return rest_.empty() ? '\0' : rest_.front();
    }

    bool accept(char wanted) {
        if (peek() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char wanted) {
        if (!accept(wanted)) damaged(name_, text("its header lacks a '", wanted, "'"));
    }

    std::string string() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') damaged(name_, "its header lacks a quoted string");
        rest_.remove_prefix(1);
        const size_t end = rest_.find(quote);
        if (end == std::string_view::npos) damaged(name_, "its header has an unterminated string");
        std::string result(rest_.substr(0, end));
        for (char& c : result) {
            if (c < ' ' || c > '~') c = '?'; /* it may be shown on a terminal */
        }
        rest_.remove_prefix(end + 1);
        return result;
    }

    bool boolean() {
        skip_space();
        for (const bool value : {true, false}) {
            const std::string_view word = value ? "True" : "False";
            if (rest_.starts_with(word)) {
                rest_.remove_prefix(word.size());
                return value;
            }
        }
        damaged(name_, "fortran_order is neither True nor False");
    }

    Shape tuple() {
        Shape shape;
        expect('(');
        while (!accept(')')) {
            skip_space();
            uint64_t extent = 0;
            const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
            if (error != std::errc()) damaged(name_, "its shape is not a tuple of sizes");
            rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
            shape.push_back(extent);
            if (shape.size() > kMaxDimensions) damaged(name_, text("it has more than ", kMaxDimensions, " dimensions"));
            if (!accept(',') && peek() != ')') damaged(name_, "its shape is malformed");
        }
        return shape;
    }

    std::string_view rest_;
    const std::string& name_;
};

struct Descr {
    Element element;
    bool swapped;
};

/* "<f4": byte order, kind, bytes. */
Descr parse_descr(const std::string& descr, const std::string& name) {
    const bool has_order = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
    const char order = has_order ? descr[0] : '=';
    const std::string_view type = std::string_view(descr).substr(has_order ? 1 : 0);
    for (const Element element : {Element::F16, Element::F32, Element::F64, Element::I8, Element::I16, Element::I32,
                                  Element::I64, Element::U8, Element::U16, Element::U32, Element::U64}) {
        const uint64_t size = element_size(element);
        if (type != text(element_name(element)[0], size)) continue;
        if (order == '|' && size != 1) break; /* "no byte order" is only said of single bytes */
        const char foreign = std::endian::native == std::endian::little ? '>' : '<';
        return {element, order == foreign && size > 1};
    }
    damaged(name, "its dtype is '" + descr + "'; taken are float16 to float64 and int8 to uint64");
}

std::string_view header_text(std::string_view file, const std::string& name, size_t& data_start) {
    if (!file.starts_with(kMagic)) damaged(name, "it does not begin with \\x93NUMPY");
    if (file.size() < 10) damaged(name, "it ends within the first ten bytes");
    const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(file[i])); };
    const size_t major = byte(6);
    if (major < 1 || major > 3) damaged(name, text("its version is ", major, "; known are 1 to 3"));
    size_t length = byte(8) | byte(9) << 8;
    data_start = 10;
    if (major > 1) {
        if (file.size() < 12) damaged(name, "it ends within its header");
        length |= byte(10) << 16 | byte(11) << 24;
        data_start = 12;
    }
    if (length > kMaxHeaderBytes) damaged(name, text("its header has ", length, " bytes, more than ", kMaxHeaderBytes));
    if (length > file.size() - data_start) damaged(name, "it ends within its header");
    const std::string_view header = file.substr(data_start, length);
    data_start += length;
    return header;
}

void swap_bytes(Array& array) {
    const size_t size = element_size(array.element);
    for (size_t i = 0; i < array.bytes.size(); i += size) {
        std::reverse(array.bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     array.bytes.begin() + static_cast<std::ptrdiff_t>(i + size));
    }
}

/* Bytes of an array whose first index runs fastest, put into C order. */
std::vector<std::byte> from_fortran_order(const Array& array) {
    const size_t size = element_size(array.element);
    const size_t dimensions = array.shape.size();
    std::vector<uint64_t> strides(dimensions);
    std::exclusive_scan(array.shape.begin(), array.shape.end(), strides.begin(), uint64_t{1}, std::multiplies<>());
    std::vector<std::byte> result(array.bytes.size());
    std::vector<uint64_t> index(dimensions);
    uint64_t source = 0;
    for (size_t target = 0; target < result.size(); target += size) {
        std::memcpy(&result[target], &array.bytes[source * size], size);
        for (size_t d = dimensions; d > 0; --d) { /* the next index in C order: the last one runs fastest */
            source += strides[d - 1];
            if (++index[d - 1] < array.shape[d - 1]) break;
            source -= strides[d - 1] * array.shape[d - 1];
            index[d - 1] = 0;
        }
    }
    return result;
}

} // namespace

Array parse_npy(std::span<const std::byte> bytes, const std::string& name) {
    const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    size_t data_start = 0;
    const Header header = HeaderParser(header_text(file, name, data_start), name).parse();
    const Descr descr = parse_descr(header.descr, name);

    const std::optional<uint64_t> needed = byte_count(descr.element, header.shape);
    const size_t present = file.size() - data_start;
    if (!needed || *needed != present) {
        damaged(name,
                text(type_text(descr.element, header.shape), " needs ",
                     needed ? std::to_string(*needed) : "more than 2^64", " bytes of data, the file has ", present));
    }
    Array array{descr.element, header.shape, {}};
    array.bytes.assign(bytes.begin() + static_cast<std::ptrdiff_t>(data_start), bytes.end());
    if (descr.swapped) swap_bytes(array);
    if (header.fortran_order && header.shape.size() > 1) array.bytes = from_fortran_order(array);
    return array;
}

std::vector<std::byte> format_npy(const Array& array) {
    const char order = element_size(array.element) == 1 ? '|' : std::endian::native == std::endian::little ? '<' : '>';
    std::string shape;
    for (const uint64_t extent : array.shape)
        shape += std::to_string(extent) + ", ";
    if (array.shape.size() > 1) shape.resize(shape.size() - 2);
    if (array.shape.size() == 1) shape.pop_back(); /* "(5,)" */
    std::string header = text("{'descr': '", order, element_name(array.element)[0], element_size(array.element),
                              "', 'fortran_order': False, 'shape': (", shape, "), }");
    header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' '); /* the data begins at a multiple of 64 */
    header += '\n';

    std::string start(kMagic);
    start += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
    start += header;
    std::vector<std::byte> file(start.size() + array.bytes.size());
    std::memcpy(file.data(), start.data(), start.size());
    if (!array.bytes.empty()) std::memcpy(file.data() + start.size(), array.bytes.data(), array.bytes.size());
    return file;
}

} // namespace qiao::cli
