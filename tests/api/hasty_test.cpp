// A plugin whose device_synchronize says TIMEOUT long before the time is over. It fails when it is asked too often meanwhile.
#include <algorithm>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

TEST_SUITE("synchronize.hasty") {
    TEST_CASE("work ends although it is said to be unfinished many times, and one warning names the slot") {
        Session session;
        const Queue queue = session.queue();
        const Program program = session.program();
        const Memory memory = session.allocate(64);
        for (int i = 0; i < 2; ++i)
            wait_for(queue, launch(queue, kernel_of(program, "fill"), items(4), blocks::Fill{address_of(memory), 7, 0}));
        CHECK(download<uint32_t>(memory, 4) == std::vector<uint32_t>(4, 7));
        const std::vector<LogLine> lines = session.log.lines();
        CHECK(std::count_if(lines.begin(), lines.end(), [](const LogLine& line) {
                  return line.level == QIAO_LOG_LEVEL_WARNING && line.text.find("device_synchronize of fixture:0 says TIMEOUT after") != std::string::npos;
              }) == 1);
    }
}
