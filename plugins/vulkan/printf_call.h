// One call of a kernel's `printf`: its format, and the words that it wrote in place of its arguments. Formats are those of OpenCL C
// (1.2, section 6.12.13). Knows no Vulkan.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qiao::vulkan {

struct PrintfCall {
    std::string format;          // also the text that an argument of %s is
    std::vector<uint32_t> sizes; // bytes of each argument, multiples of four
};

// "4.8:%d items%3B %f,:text": for each call the sizes, '.' between, and the format, in which '%' and two hexadecimal digits are a
// byte. False if that is not what the text is.
bool parse_printf_calls(const char* text, std::vector<PrintfCall>* out);

// Appends what the call printed. `arguments` has as many words as its sizes say.
void format_printf(const std::vector<PrintfCall>& calls, const PrintfCall& call, const uint32_t* arguments, std::string* out);

// The text of all calls that a buffer holds: the number of words used, and for each call its number and its arguments. False if
// some found no room.
bool read_output(const std::vector<PrintfCall>& calls, const uint32_t* words, uint32_t word_count, std::string* out);

} // namespace qiao::vulkan
