/* A kernel package as source of C and C++, for programs that have no file to load. */
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace qiao::cli {

/* "vector-add.qpk" -> "vector_add": what an embedded package is called. */
std::string identifier_of(const std::string& path);

/* Writes NAME_qpk.h and NAME_qpk.c into the folder: `const unsigned char NAME_qpk[]` and `const size_t NAME_qpk_size`. Throws
 * Failure. */
void write_embedded(const std::string& folder, const std::string& name, std::span<const std::byte> package);

} // namespace qiao::cli
