/* Handles given out: a stale or foreign one is found out, whatever it points to. */
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "core/answer.h"

namespace fakes {

template <class T>
class Handles {
  public:
    void* add(std::shared_ptr<T> object) {
        const std::unique_lock lock(mutex_);
        void* handle = object.get();
        objects_.emplace(handle, std::move(object));
        return handle;
    }
    std::shared_ptr<T> get(const void* handle) const {
        const std::shared_lock lock(mutex_);
        const auto found = objects_.find(handle);
        require(found != objects_.end(), Error::kInvalidHandle);
        return found->second;
    }
    std::shared_ptr<T> take(const void* handle) {
        const std::unique_lock lock(mutex_);
        const auto found = objects_.find(handle);
        require(found != objects_.end(), Error::kInvalidHandle);
        std::shared_ptr<T> object = std::move(found->second);
        objects_.erase(found);
        return object;
    }
    /* Those for which `chosen` holds; what they kept is released by whoever drops the list. */
    template <class Chosen>
    std::vector<std::shared_ptr<T>> take_all(Chosen chosen) {
        const std::unique_lock lock(mutex_);
        std::vector<std::shared_ptr<T>> taken;
        for (auto at = objects_.begin(); at != objects_.end();) {
            if (!chosen(*at->second)) {
                ++at;
                continue;
            }
            taken.push_back(std::move(at->second));
            at = objects_.erase(at);
        }
        return taken;
    }
    template <class Each>
    void for_each(Each each) const {
        const std::shared_lock lock(mutex_);
        for (const auto& [handle, object] : objects_)
            each(*object);
    }

  private:
    mutable std::shared_mutex mutex_;
    std::unordered_map<const void*, std::shared_ptr<T>> objects_;
};

} // namespace fakes
