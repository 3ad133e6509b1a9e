// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/base/export.hpp>

namespace brood::detail {

// What a thread is to run, once, with its arguments; its type left behind.
class BROOD_EXPORT ThreadTarget {
 public:
  ThreadTarget() = default;
  ThreadTarget(const ThreadTarget&) = delete;
  ThreadTarget& operator=(const ThreadTarget&) = delete;
  virtual ~ThreadTarget();
  virtual void run() = 0;
};

template <typename... Parts>
class BoundTarget final : public ThreadTarget {
 public:
  template <typename... Given>
  explicit BoundTarget(std::in_place_t, Given&&... given) : parts_(std::forward<Given>(given)...) {}

  void run() override { run_with(std::index_sequence_for<Parts...>{}); }

 private:
  template <std::size_t... At>
  void run_with(std::index_sequence<At...>) {
    static_cast<void>(std::invoke(std::move(std::get<At>(parts_))...));
  }

  // The callable and its arguments in one, so that a single argument that is a
  // tuple is not taken for the parts.
  std::tuple<Parts...> parts_;
};

// Copies as std::thread does: decayed here and now, handed over as rvalues.
template <typename Target, typename... Args>
std::unique_ptr<ThreadTarget> bind_target([[maybe_unused]] Target&& target,
                                          [[maybe_unused]] Args&&... args) {
  constexpr bool storable = std::is_constructible_v<std::decay_t<Target>, Target> &&
                            (std::is_constructible_v<std::decay_t<Args>, Args> && ...);
  static_assert(storable,
                "brood: the target of a thread and its arguments are copied into it; move in what "
                "cannot be copied, or wrap it in std::ref");
  constexpr bool callable = std::is_invocable_v<std::decay_t<Target>, std::decay_t<Args>...>;
  static_assert(callable || !storable,
                "brood: the target of a thread cannot be called with these arguments; they are "
                "copied and handed over as rvalues, so a parameter T& takes std::ref(x)");
  if constexpr (storable && callable) {
    using Bound = BoundTarget<std::decay_t<Target>, std::decay_t<Args>...>;
    return std::make_unique<Bound>(std::in_place, std::forward<Target>(target),
                                   std::forward<Args>(args)...);
  } else {
    return nullptr;
  }
}

}  // namespace brood::detail
