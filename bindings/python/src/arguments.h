/* From Python's arguments to the packed block of a launch. What the kernel takes is read once, when the kernel is got; a
 * launch then compares and copies, and allocates nothing. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "binding.h"

namespace qiao::python {

struct QueueObject;

/* An element as NumPy sees it: 'f', 'i', 'u' and its bytes; 0 where the type is none of the language's numbers. */
struct ElementType {
    char kind = 0;
    uint32_t bytes = 0;
    uint32_t lanes = 1; /* of a vector: int4 has 4 */
};

/* "float", "const unsigned int", "uchar4"; pointers are looked at by who knows that they are. */
ElementType parse_element(std::string_view text);

struct Parameter {
    std::string name;
    std::string type; /* as in the source */
    qiao_argument_kind kind = QIAO_ARGUMENT_KIND_VALUE;
    qiao_access access = 0;
    uint32_t offset = 0, size = 0;
    ElementType element; /* of a value: itself; of an address: what it points to */
    py::object key;      /* the name, as Python interns it */
};

/* Local memory for one argument. */
struct LocalMemory {
    uint64_t bytes = 0;
};

class Signature {
  public:
    Signature() = default;
    explicit Signature(Kernel kernel);

    const std::string& kernel_name() const { return kernel_name_; }
    const std::vector<Parameter>& parameters() const { return parameters_; }
    uint32_t block_bytes() const { return block_bytes_; }
    std::string text() const; /* "scale(global float *data, float factor)" */

    /* Fills `block`, of block_bytes(). Raises TypeError or ValueError that name the argument. `named` may be null; what it
     * has besides parameters is refused, except for the words that the launch itself understands. */
    void pack(QueueObject& queue, const py::tuple& positional, py::handle named, std::byte* block) const;

  private:
    void pack_one(QueueObject& queue, const Parameter& parameter, py::handle value, std::byte* block) const;
    void pack_address(QueueObject& queue, const Parameter& parameter, py::handle value, std::byte* block) const;
    void pack_value(const Parameter& parameter, py::handle value, std::byte* block) const;
    [[noreturn]] void refuse_type(const Parameter& parameter, const std::string& wanted, const std::string& given) const;
    std::string label(const Parameter& parameter) const;

    std::string kernel_name_;
    std::vector<Parameter> parameters_;
    uint32_t block_bytes_ = 0;
};

/* The word that launches take besides the kernel's parameters: the queue. */
inline constexpr const char* kQueueWord = "queue";

} // namespace qiao::python
