/* A number for each dimension of an array: few, so they lie in the object itself, and arrays are made without allocating them. */
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "binding.h"

namespace qiao::python {

class Extents {
  public:
    Extents() = default;
    explicit Extents(size_t size) : size_(static_cast<uint32_t>(size)), many_(size > kFew ? std::make_unique<py::ssize_t[]>(size) : nullptr) {}
    Extents(const py::ssize_t* first, py::ssize_t size) : Extents(static_cast<size_t>(size)) { std::copy_n(first, size, data()); }
    Extents(const Extents& other) : Extents(other.data(), other.size_) {}
    Extents(Extents&&) noexcept = default;
    Extents& operator=(Extents other) noexcept {
        size_ = other.size_;
        std::copy_n(other.few_, kFew, few_);
        many_ = std::move(other.many_);
        return *this;
    }

    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    py::ssize_t* data() { return many_ ? many_.get() : few_; }
    const py::ssize_t* data() const { return many_ ? many_.get() : few_; }
    py::ssize_t& operator[](size_t index) { return data()[index]; }
    py::ssize_t operator[](size_t index) const { return data()[index]; }
    const py::ssize_t* begin() const { return data(); }
    const py::ssize_t* end() const { return data() + size_; }

    py::tuple tuple() const {
        py::tuple all(size_);
        for (size_t i = 0; i < size_; ++i)
            all[i] = (*this)[i];
        return all;
    }

  private:
    static constexpr size_t kFew = 4;

    uint32_t size_ = 0;
    py::ssize_t few_[kFew] = {};
    std::unique_ptr<py::ssize_t[]> many_;
};

} // namespace qiao::python
