#include "arguments.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "array.h"
#include "errors.h"

namespace qiao::python {
namespace {

struct NamedType {
    std::string_view name;
    ElementType element;
};
constexpr NamedType kTypes[] = {
    {"char", {'i', 1, 1}},  {"uchar", {'u', 1, 1}}, {"short", {'i', 2, 1}}, {"ushort", {'u', 2, 1}}, {"int", {'i', 4, 1}},   {"uint", {'u', 4, 1}},
    {"long", {'i', 8, 1}},  {"ulong", {'u', 8, 1}}, {"half", {'f', 2, 1}},  {"float", {'f', 4, 1}},  {"double", {'f', 8, 1}}, {"size_t", {'u', 8, 1}},
    {"bool", {'u', 1, 1}},
};
constexpr std::string_view kQualifiers[] = {"const",   "volatile", "restrict", "global", "constant", "local",   "private", "__const",
                                            "__global", "__constant", "__local", "__private", "__restrict", "__restrict__", "signed"};

/* What a dtype must be, in NumPy's words. */
std::string dtype_name(const ElementType& element) {
    const char* stem = element.kind == 'f' ? "float" : element.kind == 'u' ? "uint" : "int";
    return stem + std::to_string(element.bytes * 8);
}

template <class T>
void store(std::byte* at, T value) {
    std::memcpy(at, &value, sizeof value);
}

} // namespace

ElementType parse_element(std::string_view text) {
    bool is_unsigned = false;
    std::string_view last;
    for (size_t at = 0; at < text.size();) {
        if (std::isalnum(static_cast<unsigned char>(text[at])) == 0 && text[at] != '_') {
            ++at;
            continue;
        }
        const size_t begin = at;
        while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_'))
            ++at;
        const std::string_view word = text.substr(begin, at - begin);
        if (word == "struct" || word == "union" || word == "enum") return {};
        if (word == "unsigned") {
            is_unsigned = true;
            if (last.empty()) last = "int";
        } else if (std::find(std::begin(kQualifiers), std::end(kQualifiers), word) == std::end(kQualifiers)) {
            last = word;
        }
    }
    size_t digits = last.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(last[digits - 1])) != 0)
        --digits;
    for (const NamedType& each : kTypes) {
        if (each.name != last.substr(0, digits)) continue;
        ElementType element = each.element;
        if (is_unsigned && element.kind == 'i') element.kind = 'u';
        if (digits != last.size()) element.lanes = static_cast<uint32_t>(std::stoul(std::string(last.substr(digits))));
        return element;
    }
    return {};
}

Signature::Signature(Kernel kernel) : kernel_name_(kernel.name()), block_bytes_(kernel.properties().block_size) {
    for (const qiao_kernel_argument& argument : kernel.arguments()) {
        Parameter& added = parameters_.emplace_back();
        added.name = argument.name;
        added.type = argument.type;
        added.kind = argument.kind;
        added.access = argument.access;
        added.offset = argument.offset;
        added.size = argument.size_bytes;
        added.element = parse_element(added.type);
        added.key = py::reinterpret_steal<py::object>(PyUnicode_InternFromString(argument.name));
    }
}

std::string Signature::text() const {
    std::string text = kernel_name_ + "(";
    for (const Parameter& parameter : parameters_) {
        if (&parameter != parameters_.data()) text += ", ";
        text += parameter.type + (parameter.type.ends_with('*') ? "" : " ") + parameter.name;
    }
    return text + ")";
}

std::string Signature::label(const Parameter& parameter) const {
    return "argument '" + parameter.name + "' of kernel '" + kernel_name_ + "'";
}

void Signature::refuse_type(const Parameter& parameter, const std::string& wanted, const std::string& given) const {
    raise_type_error(label(parameter) + " (" + parameter.type + ") takes " + wanted + ", not " + given);
}

void Signature::pack(QueueObject& queue, const py::tuple& positional, py::handle named, std::byte* block) const {
    const size_t given = positional.size();
    if (given > parameters_.size())
        raise_type_error("kernel '" + kernel_name_ + "' takes " + std::to_string(parameters_.size()) + " arguments, " + std::to_string(given) +
                         " were given: " + text());
    for (size_t i = 0; i < given; ++i)
        pack_one(queue, parameters_[i], PyTuple_GET_ITEM(positional.ptr(), static_cast<py::ssize_t>(i)), block);
    size_t taken = 0;
    for (size_t i = given; i < parameters_.size(); ++i) {
        PyObject* value = named ? PyDict_GetItemWithError(named.ptr(), parameters_[i].key.ptr()) : nullptr;
        if (value == nullptr)
            raise_type_error(label(parameters_[i]) + " is missing: " + text());
        pack_one(queue, parameters_[i], value, block);
        ++taken;
    }
    if (!named || static_cast<size_t>(PyDict_GET_SIZE(named.ptr())) == taken) return;
    for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(named)) {
        const auto name = key.cast<std::string>();
        const auto found = std::find_if(parameters_.begin(), parameters_.end(), [&](const Parameter& each) { return each.name == name; });
        if (found == parameters_.end() && name != kQueueWord)
            raise_type_error("kernel '" + kernel_name_ + "' has no argument '" + name + "': " + text());
        if (found != parameters_.end() && static_cast<size_t>(found - parameters_.begin()) < given)
            raise_type_error(label(*found) + " was given twice, by position and by name");
    }
}

void Signature::pack_one(QueueObject& queue, const Parameter& parameter, py::handle value, std::byte* block) const {
    switch (parameter.kind) {
        case QIAO_ARGUMENT_KIND_ADDRESS:
            return pack_address(queue, parameter, value, block);
        case QIAO_ARGUMENT_KIND_LOCAL: {
            if (!py::isinstance<LocalMemory>(value)) refuse_type(parameter, "qiao.local(shape, dtype)", "'" + type_name(value) + "'");
            const uint64_t bytes = value.cast<const LocalMemory&>().bytes;
            if (bytes > UINT32_MAX) raise_value_error(label(parameter) + ": " + std::to_string(bytes) + " bytes of local memory are more than 32 bits count");
            return store(block + parameter.offset, static_cast<uint32_t>(bytes));
        }
        default:
            return pack_value(parameter, value, block);
    }
}

void Signature::pack_address(QueueObject& queue, const Parameter& parameter, py::handle value, std::byte* block) const {
    if (value.is_none()) return store(block + parameter.offset, uint64_t{0});
    const DeviceObject& device = *queue.device;
    py::detail::make_caster<ArrayObject> caster; // one look at the type, where isinstance and cast would be two
    if (!caster.load(value, false)) {
        const bool is_host = py::hasattr(value, "__array_interface__");
        refuse_type(parameter, "an array of " + device.id, "'" + type_name(value) + (is_host ? "' in host memory; copy it with device.array()" : "'"));
    }
    const auto& array = py::detail::cast_op<const ArrayObject&>(caster);
    if (!array.is_usable()) array.check_usable(label(parameter));
    if (array.memory->device.get() != &device)
        raise_value_error(label(parameter) + " is an array of " + array.memory->device->id + ", the kernel runs on " + device.id +
                          "; copy it with device.array()");
    const ElementType& element = parameter.element;
    // bfloat16 and fp8 are kinds of their own to NumPy, and plain bits to OpenCL C; bool has a byte.
    const bool fits = element.kind == 0 || (array.item_size == element.bytes && (array.kind == element.kind || array.kind == 'V' ||
                                                                                   (array.kind == 'b' && element.kind != 'f')));
    if (!fits)
        refuse_type(parameter, "an array of " + dtype_name(element), "one of " + py::str(array.dtype).cast<std::string>() + "; convert it, or see its bits with .view()");
    if (!array.is_packed) raise_value_error(label(parameter) + " is not contiguous (strides " + py::str(array.strides.tuple()).cast<std::string>() +
                                            "); kernels see addresses, not strides: pass a contiguous copy");
    if (!array.is_writable && parameter.access != QIAO_ACCESS_READ)
        raise_value_error(label(parameter) + " may be written by the kernel, but the array is read-only; declare the argument const");
    array.memory->use_on(queue);
    store(block + parameter.offset, array.address);
}

void Signature::pack_value(const Parameter& parameter, py::handle value, std::byte* block) const {
    std::byte* const at = block + parameter.offset;
    const ElementType& element = parameter.element;
    if (element.kind != 0 && element.lanes == 1 && element.bytes == parameter.size) {
        if (element.kind == 'f' && element.bytes != 2) {
            const double number = PyFloat_AsDouble(value.ptr());
            if (number == -1.0 && PyErr_Occurred() != nullptr) {
                PyErr_Clear();
                refuse_type(parameter, "a number", "'" + type_name(value) + "'");
            }
            if (element.bytes == 4) return store(at, static_cast<float>(number));
            return store(at, number);
        }
        if (element.kind != 'f') {
            if (PyIndex_Check(value.ptr()) == 0) refuse_type(parameter, "an integer", "'" + type_name(value) + "'");
            const py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
            if (!number) throw py::error_already_set();
            const bool is_signed = element.kind == 'i';
            const uint32_t bits = element.bytes * 8;
            bool fits = false;
            uint64_t stored = 0;
            if (is_signed) {
                int overflow = 0;
                const long long wide = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
                fits = overflow == 0 && (bits == 64 || (wide >= -(1LL << (bits - 1)) && wide < (1LL << (bits - 1))));
                stored = static_cast<uint64_t>(wide);
            } else {
                const unsigned long long wide = PyLong_AsUnsignedLongLong(number.ptr());
                fits = PyErr_Occurred() == nullptr && (bits == 64 || wide < (1ULL << bits));
                PyErr_Clear();
                stored = wide;
            }
            if (!fits)
                raise_value_error(label(parameter) + " (" + parameter.type + "): " + py::str(number).cast<std::string>() + " does not fit " + std::to_string(bits) +
                                  " bits" + (is_signed ? "" : " without a sign"));
            std::memcpy(at, &stored, element.bytes); // little-endian, as the block is
            return;
        }
    }
    // Vectors, halves and structs: whatever NumPy makes bytes of.
    py::object bytes;
    if (element.kind != 0) {
        const py::object numpy = py::module_::import("numpy");
        const py::object elements = numpy.attr("asarray")(value, py::arg("dtype") = dtype_name(element));
        // A vector of three takes the room of four.
        const bool is_three = element.lanes == 3;
        if (elements.attr("size").cast<uint32_t>() != element.lanes)
            raise_value_error(label(parameter) + " (" + parameter.type + ") takes " + std::to_string(element.lanes) + " numbers, " +
                              py::str(elements.attr("size")).cast<std::string>() + " were given");
        bytes = (is_three ? numpy.attr("append")(elements, py::make_tuple(0)).attr("astype")(elements.attr("dtype")) : elements).attr("tobytes")();
    } else if (PyObject_CheckBuffer(value.ptr()) != 0) {
        bytes = py::module_::import("builtins").attr("memoryview")(value).attr("tobytes")();
    } else {
        refuse_type(parameter, "the " + std::to_string(parameter.size) + " bytes of its value (a record of NumPy's, bytes)", "'" + type_name(value) + "'");
    }
    const auto text = bytes.cast<std::string>();
    if (text.size() != parameter.size)
        raise_value_error(label(parameter) + " (" + parameter.type + ") has " + std::to_string(parameter.size) + " bytes, " + std::to_string(text.size()) + " were given");
    std::memcpy(at, text.data(), text.size());
}

} // namespace qiao::python
