// Layouts are written down here once more, by hand: the reflection of compiled source is tested against them.
#include "kernels.h"

#include <doctest/doctest.h>

#include <cstring>

#include "blocks.h"
#include "images.h"
#include "package/package.h"

namespace api {
namespace {

using qiao::package::Argument;
using qiao::package::Kernel;

struct Piece {
    Kernel kernel;
    const char* source;  // "" = built into fixtures only
};

Argument address(const char* name, const char* type, qiao_access access) {
    return {name, type, QIAO_ARGUMENT_KIND_ADDRESS, access, 0, 8, 8};
}
Argument value(const char* name, const char* type, uint32_t size, uint32_t alignment) {
    return {name, type, QIAO_ARGUMENT_KIND_VALUE, 0, 0, size, alignment};
}
Argument local(const char* name) {
    return {name, "local uint*", QIAO_ARGUMENT_KIND_LOCAL, 0, 0, 4, 4};
}

Kernel kernel(const char* name, std::vector<Argument> arguments) {
    Kernel made;
    made.name = name;
    made.arguments = std::move(arguments);
    auto laid_out = qiao::package::lay_out(std::move(made));
    REQUIRE(laid_out);
    return *laid_out;
}

Kernel with_group(Kernel made, uint32_t x, uint32_t y, uint32_t z) {
    made.required_group[0] = x;
    made.required_group[1] = y;
    made.required_group[2] = z;
    return made;
}

constexpr qiao_access kRead = QIAO_ACCESS_READ, kWrite = QIAO_ACCESS_WRITE, kBoth = kRead | kWrite;
constexpr const char *kIn = "global const uint*", *kOut = "global uint*";

std::vector<Piece> make_pieces() {
    return {
        {kernel("add", {address("a", kIn, kRead), address("b", kIn, kRead), address("out", kOut, kWrite)}), R"(
kernel void add(global const uint* a, global const uint* b, global uint* out) {
    size_t i = get_global_id(0);
    out[i] = a[i] + b[i];
}
)"},
        {kernel("fill", {address("out", kOut, kWrite), value("value", "uint", 4, 4)}), R"(
kernel void fill(global uint* out, uint value) { out[get_global_id(0)] = value; }
)"},
        {kernel("count", {address("counter", kOut, kBoth)}), R"(
kernel void count(volatile global uint* counter) { atomic_inc(counter); }
)"},
        {kernel("nothing", {}), R"(
kernel void nothing(void) {}
)"},
        {kernel("iterate", {address("cell", kOut, kBoth), value("rounds", "uint", 4, 4)}), R"(
kernel void iterate(global uint* cell, uint rounds) {
    uint x = *cell;
    for (uint i = 0; i < rounds; ++i) x = x * 1664525u + 1013904223u;
    *cell = x;
}
)"},
        {kernel("take_params", {address("out", "global int*", kWrite), value("p", "struct params", sizeof(blocks::Params), alignof(blocks::Params))}), R"(
struct params { char tag; int a; long b; float c; short d[3]; };
kernel void take_params(global int* out, struct params p) {
    out[0] = p.tag; out[1] = p.a; out[2] = (int)p.b; out[3] = (int)(p.b >> 32); out[4] = (int)p.c;
    out[5] = p.d[0]; out[6] = p.d[1]; out[7] = p.d[2];
}
)"},
        {kernel("reverse", {address("in", kIn, kRead), address("out", kOut, kWrite), local("tile")}), R"(
kernel void reverse(global const uint* in, global uint* out, local uint* tile) {
    tile[get_local_id(0)] = in[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    out[get_global_id(0)] = tile[get_local_size(0) - 1 - get_local_id(0)];
}
)"},
        {kernel("two_locals", {address("out", kOut, kWrite), local("first"), local("second")}), R"(
kernel void two_locals(global uint* out, local uint* first, local uint* second) {
    first[get_local_id(0)] = get_global_id(0);
    second[get_local_id(0)] = 1000 * get_global_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    uint other = get_local_size(0) - 1 - get_local_id(0);
    out[get_global_id(0)] = first[other] + second[other];
}
)"},
        {kernel("grid", {address("out", kOut, kWrite)}), R"(
kernel void grid(global uint* out) {
    size_t i = get_global_id(0) + get_global_size(0) * (get_global_id(1) + get_global_size(1) * get_global_id(2));
    out[4 * i + 0] = get_global_id(0);
    out[4 * i + 1] = get_global_id(1);
    out[4 * i + 2] = get_global_id(2);
    out[4 * i + 3] = get_local_id(0) + get_local_size(0) * (get_local_id(1) + get_local_size(1) * get_local_id(2));
}
)"},
        {with_group(kernel("required", {address("out", kOut, kWrite)}), 8, 2, 1), R"(
kernel __attribute__((reqd_work_group_size(8, 2, 1))) void required(global uint* out) {
    out[get_global_id(0) + get_global_size(0) * get_global_id(1)] = 100 * get_local_size(0) + get_local_size(1);
}
)"},
        {kernel("offsets", {address("out", kOut, kWrite)}), R"(
kernel void offsets(global uint* out) { out[get_global_id(0) - get_global_offset(0)] = get_global_id(0); }
)"},
        {kernel("hold", {address("word", kIn, kRead)}), ""},
        {kernel("fail", {}), ""},
        {kernel("lose", {}), ""},
    };
}

const Piece& piece(const char* name) {
    static const std::vector<Piece> pieces = make_pieces();
    for (const Piece& candidate : pieces) {
        if (candidate.kernel.name == name) return candidate;
    }
    FAIL("the tests have no kernel '", name, "'");
    return pieces.front();
}

}  // namespace

Names portable_kernels() {
    return {"add", "fill", "count", "nothing", "iterate", "take_params", "reverse", "two_locals", "grid", "required", "offsets"};
}

Names fixture_kernels() {
    Names names = portable_kernels();
    names.insert(names.end(), {"hold", "fail", "lose"});
    return names;
}

std::string source_of(const Names& names) {
    std::string source;
    for (const char* name : names) source += piece(name).source;
    return source;
}

namespace {

void add_variant(qiao::package::Writer& writer, const char* format) {
    static constexpr char kBuiltIn[] = "built in";
    qiao::package::Variant variant;
    variant.format = format;
    variant.tool = "by hand";
    const auto* bytes = reinterpret_cast<const std::byte*>(kBuiltIn);
    writer.add_variant(variant, {bytes, bytes + sizeof kBuiltIn});
}

std::vector<std::byte> finish(qiao::package::Writer& writer) {
    const auto package = writer.finish();
    const std::string problem = package ? "" : package.error().message;
    INFO(problem);
    REQUIRE(package);
    return *package;
}

}  // namespace

std::vector<std::byte> package_of(const Names& names) {
    qiao::package::Writer writer;
    writer.set_source("tests.cl", source_of(names), "");
    for (const char* name : names) writer.add_kernel(piece(name).kernel);
    writer.add_source_variant(0);
    add_variant(writer, "fixture");
    return with_image(finish(writer), source_of(portable_kernels()));
}

std::vector<std::byte> foreign_package() {
    qiao::package::Writer writer;
    writer.add_kernel(piece("add").kernel);
    add_variant(writer, "no-such-format");
    return finish(writer);
}

}  // namespace api
