// Kernels: what their reflection says, held against C structs written by hand.
#include <map>

#include "support/blocks.h"
#include "support/kernels.h"
#include "support/session.h"

using namespace api;

namespace {

qiao_kernel_properties properties_of(qiao_kernel* kernel) {
    qiao_kernel_properties properties = QIAO_KERNEL_PROPERTIES_INIT;
    REQUIRE_OK(qiao_kernel_query(kernel, &properties));
    return properties;
}

std::vector<qiao_kernel_argument> arguments_of(qiao_kernel* kernel) {
    std::vector<qiao_kernel_argument> all;
    for (uint32_t index = 0;; ++index) {
        qiao_kernel_argument argument = QIAO_KERNEL_ARGUMENT_INIT;
        const qiao_status status = qiao_kernel_query_argument(kernel, index, &argument);
        if (status == QIAO_ERROR_NOT_FOUND) return all;
        REQUIRE_OK(status);
        all.push_back(argument);
    }
}

}  // namespace

TEST_SUITE("kernel.query") {
    TEST_CASE("block sizes are those of the packed C structs") {
        Session session;
        const Program program = session.program();
        const std::map<const char*, std::pair<size_t, uint32_t>> expected = {
            {"add", {sizeof(blocks::Add), 3}}, {"fill", {sizeof(blocks::Fill), 2}}, {"count", {sizeof(blocks::Count), 1}},
            {"nothing", {0, 0}}, {"iterate", {sizeof(blocks::Iterate), 2}}, {"take_params", {sizeof(blocks::TakeParams), 2}},
            {"reverse", {sizeof(blocks::Reverse), 3}}, {"two_locals", {sizeof(blocks::TwoLocals), 3}}, {"grid", {sizeof(blocks::Grid), 1}},
            {"required", {sizeof(blocks::Required), 1}}, {"offsets", {sizeof(blocks::Offsets), 1}}};
        for (const auto& [name, size_and_count] : expected) {
            INFO(std::string(name));
            const qiao_kernel_properties properties = properties_of(kernel_of(program, name));
            CHECK(std::string(properties.name) == name);
            CHECK(properties.block_size == size_and_count.first);
            CHECK(properties.argument_count == size_and_count.second);
            CHECK(properties.max_group_size > 0);
            CHECK(properties.max_group_size <= session.properties.max_group_size);
            CHECK((properties.flags & ~(QIAO_KERNEL_GLOBAL_OFFSET | QIAO_KERNEL_REMAINDER)) == 0);
            CHECK(properties.reserved0 == 0);
        }
    }

    TEST_CASE("the group size that a kernel was compiled for is told") {
        Session session;
        const Program program = session.program();
        const qiao_kernel_properties required = properties_of(kernel_of(program, "required")), add = properties_of(kernel_of(program, "add"));
        CHECK(required.required_group[0] == 8);
        CHECK(required.required_group[1] == 2);
        CHECK(required.required_group[2] == 1);
        for (const uint32_t size : add.required_group) CHECK(size == 0);
    }

    TEST_CASE("a caller's wrong struct is refused") {
        Session session;
        const Program program = session.program();
        qiao_kernel* kernel = kernel_of(program, "add");
        qiao_kernel_properties properties = QIAO_KERNEL_PROPERTIES_INIT;
        properties.struct_size = 4;
        CHECK_FAILS(qiao_kernel_query(kernel, &properties), QIAO_ERROR_INVALID_ARGUMENT, "struct_size is 4");
        CHECK(properties.name == nullptr);
        properties = QIAO_KERNEL_PROPERTIES_INIT;
        properties.next = &properties;
        CHECK_FAILS(qiao_kernel_query(kernel, &properties), QIAO_ERROR_INVALID_ARGUMENT, "next");
        CHECK_FAILS(qiao_kernel_query(kernel, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_properties");
        CHECK_FAILS(qiao_kernel_query_argument(kernel, 0, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "out_argument");
    }
}

TEST_SUITE("kernel.arguments") {
    TEST_CASE("addresses, values and byte counts stand where a C struct has them") {
        Session session;
        const Program program = session.program();
        const auto add = arguments_of(kernel_of(program, "add"));
        REQUIRE(add.size() == 3);
        const char* names[] = {"a", "b", "out"};
        for (uint32_t index = 0; index < 3; ++index) {
            CHECK(std::string(add[index].name) == names[index]);
            CHECK(add[index].kind == QIAO_ARGUMENT_KIND_ADDRESS);
            CHECK(add[index].offset == 8 * index);
            CHECK(add[index].size_bytes == 8);
            CHECK(add[index].alignment == 8);
            CHECK(std::string(add[index].type).find("uint*") != std::string::npos);
        }
        const auto params = arguments_of(kernel_of(program, "take_params"));
        REQUIRE(params.size() == 2);
        CHECK(params[1].kind == QIAO_ARGUMENT_KIND_VALUE);
        CHECK(params[1].offset == offsetof(blocks::TakeParams, params));
        CHECK(params[1].size_bytes == sizeof(blocks::Params));
        CHECK(params[1].alignment == alignof(blocks::Params));
        const auto locals = arguments_of(kernel_of(program, "two_locals"));
        REQUIRE(locals.size() == 3);
        CHECK(locals[1].kind == QIAO_ARGUMENT_KIND_LOCAL);
        CHECK(locals[1].offset == offsetof(blocks::TwoLocals, first_bytes));
        CHECK(locals[2].offset == offsetof(blocks::TwoLocals, second_bytes));
        CHECK(arguments_of(kernel_of(program, "nothing")).empty());
    }

    TEST_CASE("what is only read is known, and so is what is written") {
        Session session;
        const Program program = session.program();
        const auto add = arguments_of(kernel_of(program, "add"));
        CHECK((add[0].access & QIAO_ACCESS_WRITE) == 0);
        CHECK((add[1].access & QIAO_ACCESS_WRITE) == 0);
        const bool may_be_written = add[2].access == 0 || (add[2].access & QIAO_ACCESS_WRITE) != 0;
        CHECK(may_be_written);
    }

    TEST_CASE("an index beyond the last is NOT_FOUND") {
        Session session;
        const Program program = session.program();
        qiao_kernel_argument argument = QIAO_KERNEL_ARGUMENT_INIT;
        for (const uint32_t index : {3u, UINT32_MAX}) {
            CHECK_FAILS(qiao_kernel_query_argument(kernel_of(program, "add"), index, &argument), QIAO_ERROR_NOT_FOUND, "add", "3 arguments",
                        std::to_string(index).c_str());
        }
    }
}
