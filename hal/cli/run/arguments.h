/* From what the user gave to what the kernel takes: which SPEC belongs to which parameter, whether it fits, and the
 * packed block. Knows reflection, but no device: the addresses are written into the block by execute.cpp. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/run/spec.h"
#include "qiao/types.h"

namespace qiao::cli {

/* One parameter of a kernel, as reflection tells it. */
struct Parameter {
    std::string name;
    std::string type;
    qiao_argument_kind kind = QIAO_ARGUMENT_KIND_VALUE;
    qiao_access access = 0;
    uint32_t offset = 0;
    uint32_t size_bytes = 0;

    /* Unknown access counts as both. */
    bool may_read() const { return access == 0 || (access & QIAO_ACCESS_READ) != 0; }
    bool may_write() const { return access == 0 || (access & QIAO_ACCESS_WRITE) != 0; }
};

struct Signature {
    std::string kernel;
    std::vector<Parameter> parameters;
    uint32_t block_size = 0;
};

/* "argument 'a' (float*)", for messages. */
std::string describe(const Parameter& parameter);

/* The SPEC of each parameter, in order. A key is a parameter's name or its number from 0; what has no key fills the
 * parameters that are left, in order. Throws Failure for unknown, doubled and missing ones, and if kinds do not fit. */
std::vector<Spec> match_arguments(const Signature& signature, const std::vector<KeyedSpec>& given);

/* The parameter's index, by name or number; throws Failure with the names that exist. */
size_t find_parameter(const Signature& signature, const std::string& key);

/* Throws Failure if the array's element type or size is not what an address parameter points to. */
void check_array(const Parameter& parameter, const Array& array);

/* The block with values and local sizes in place, and 0 for each address. */
std::vector<std::byte> pack_block(const Signature& signature, const std::vector<Spec>& specs);

} // namespace qiao::cli
