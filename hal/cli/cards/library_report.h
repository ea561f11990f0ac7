/* `qiao doctor --library`: what a vendor's library is, held against a family; for a person, for a program, and as a file to send. */
#pragma once

#include <string>

namespace qiao::cli {

struct LibraryOptions {
    std::string library; /* the file */
    std::string family;  /* "" = the likeliest */
    std::string report;  /* a file to write; "" = none */
    bool json = false;
    bool strict = false; /* fail where a needed function is missing */
};

/* The exit code; throws Failure. The library is read, never loaded. */
int check_library(const LibraryOptions& options);

} // namespace qiao::cli
