// The note: LLVM's "User Guide for AMDGPU Backend", Code Object V3 to V5 Metadata.
#include "code_object.h"

#include <elf.h>

#include <cstring>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace qiao::compiler {
namespace {

using nlohmann::json;

constexpr uint32_t kMetadataNote = 32; /* NT_AMDGPU_METADATA */
constexpr uint16_t kMachine = 224;     /* EM_AMDGPU */

template <typename T>
std::optional<T> read_at(std::string_view bytes, uint64_t offset) {
    T value;
    if (offset > bytes.size() || sizeof value > bytes.size() - offset) return std::nullopt;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

/* The description of the first such note in a section of notes. */
std::optional<std::string_view> find_note(std::string_view notes) {
    const auto padded = [](uint64_t size) { return (size + 3) / 4 * 4; };
    for (uint64_t at = 0; at < notes.size();) {
        const auto head = read_at<Elf64_Nhdr>(notes, at);
        if (!head) return std::nullopt;
        const uint64_t text = at + sizeof *head + padded(head->n_namesz);
        if (text > notes.size() || head->n_descsz > notes.size() - text) return std::nullopt;
        if (head->n_type == kMetadataNote) return notes.substr(text, head->n_descsz);
        at = text + padded(head->n_descsz);
    }
    return std::nullopt;
}

std::optional<std::string_view> metadata_in(std::string_view bytes) {
    const auto head = read_at<Elf64_Ehdr>(bytes, 0);
    if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_machine != kMachine) return std::nullopt;
    const uint64_t table = uint64_t{head->e_shnum} * head->e_shentsize;
    if (head->e_shoff > bytes.size() || table > bytes.size() - head->e_shoff) return std::nullopt;
    for (uint16_t i = 0; i < head->e_shnum; ++i) {
        const auto section = read_at<Elf64_Shdr>(bytes, head->e_shoff + uint64_t{i} * head->e_shentsize);
        if (!section) return std::nullopt;
        if (section->sh_type != SHT_NOTE || section->sh_offset > bytes.size() || section->sh_size > bytes.size() - section->sh_offset) continue;
        if (const auto found = find_note(bytes.substr(section->sh_offset, section->sh_size))) return found;
    }
    return std::nullopt;
}

CodeObjectKernel kernel_of(const json& from) {
    CodeObjectKernel kernel;
    kernel.static_local_bytes = from.at(".group_segment_fixed_size").get<uint64_t>();
    kernel.largest_group = from.at(".max_flat_workgroup_size").get<uint64_t>();
    for (const json& argument : from.value(".args", json::array())) {
        const auto kind = argument.at(".value_kind").get<std::string>();
        if (kind.rfind("hidden_", 0) == 0) continue;
        if (kind == "by_value") {
            kernel.arguments.push_back({QIAO_ARGUMENT_KIND_VALUE, argument.at(".size").get<uint64_t>()});
        } else if (kind == "dynamic_shared_pointer") {
            kernel.arguments.push_back({QIAO_ARGUMENT_KIND_LOCAL, 0});
            kernel.local_alignments.push_back(argument.value(".pointee_align", 1u));
        } else {
            kernel.arguments.push_back({QIAO_ARGUMENT_KIND_ADDRESS, 0});
        }
    }
    return kernel;
}

} // namespace

Outcome<std::map<std::string, CodeObjectKernel>> read_code_object(const std::string& bytes) {
    const Failure damaged = {QIAO_ERROR_INTERNAL, "the linker wrote no code object for AMD's cards", "report this as a defect", "", 0};
    const auto metadata = metadata_in(bytes);
    if (!metadata) return damaged;
    const json description = json::from_msgpack(metadata->begin(), metadata->end(), true, false);
    if (!description.is_object()) return damaged;
    std::map<std::string, CodeObjectKernel> kernels;
    for (const json& kernel : description.value("amdhsa.kernels", json::array()))
        kernels[kernel.at(".name").get<std::string>()] = kernel_of(kernel);
    return kernels;
}

} // namespace qiao::compiler
