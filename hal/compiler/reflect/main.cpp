// A process of its own, so that the LLVM that reads bitcode never meets another LLVM in the application's process:
//
//   qiao-kernel-reflect describe BITCODE64 [BITCODE32]
//   qiao-kernel-reflect merge OUT PROGRAM (KERNEL WORK_GROUP_FUNCTION)...
//
// prints one JSON object; on failure one line on stderr and exit status 1. Called by libqiao_compiler only.
#include <cstdio>

#include "reflect.h"

int main(int count, char** arguments) {
    using namespace qiao::reflect;
    const std::vector<std::string> words(arguments + 1, arguments + count);
    nlohmann::json result;
    if (words.size() >= 2 && words.size() <= 3 && words[0] == "describe") {
        result = describe_kernels(words[1], words.size() == 3 ? words[2] : "");
    } else if (words.size() >= 5 && words.size() % 2 == 1 && words[0] == "merge") {
        std::vector<WorkGroupFunction> functions;
        for (size_t i = 3; i < words.size(); i += 2)
            functions.push_back({words[i], words[i + 1]});
        result = merge_kernels(words[1], words[2], functions);
    } else {
        std::fputs(
            "usage: qiao-kernel-reflect describe BITCODE64 [BITCODE32]\n"
            "       qiao-kernel-reflect merge OUT PROGRAM (KERNEL WORK_GROUP_FUNCTION)...\n",
            stderr);
        return 2;
    }
    const std::string text = result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::puts(text.c_str());
    return 0;
}
