/* What a corpus is made of: files, each with what its reader must say, so that a file is the case that its name tells. */
#pragma once

#include <string>
#include <string_view>
#include <vector>

struct Case {
    std::string file;
    std::string bytes;
    std::string refusal; /* a part of it; "" = the reader takes the file */
};

struct Corpus {
    std::string_view folder;
    std::vector<Case> cases;
    std::string (*refusal_of)(std::string_view bytes); /* "" = taken */
};

Corpus package_corpus();
Corpus manifest_corpus();
