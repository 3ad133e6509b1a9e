// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <brood/pool/job.hpp>
#include <brood/pool/options.hpp>

namespace brood::detail {

// Stands for the value of a void result.
struct Nothing {};

template <typename Value>
using stored_t = std::conditional_t<std::is_void_v<Value>, Nothing, Value>;

// Where a handle finds the value of a job, whether it's one call's or a whole
// map's, and the callbacks that wait for it. A part of each typed job.
template <typename Value>
class ValueJob {
 public:
  explicit ValueJob(Job& job) noexcept : job_(job) {}
  ValueJob(const ValueJob&) = delete;
  ValueJob& operator=(const ValueJob&) = delete;

  Job& job() const noexcept { return job_; }

  // Requires: opened, and no error.
  stored_t<Value>& value() noexcept { return *value_; }

  void set_callbacks(callback_t<Value> on_value, std::function<void(std::exception_ptr)> on_error) {
    if (!on_value && !on_error) return;
    callbacks_ = std::make_unique<Callbacks>(Callbacks{std::move(on_value), std::move(on_error)});
    job_.extras().has_callback = true;
    job_.listened = true;
  }

 protected:
  ~ValueJob() = default;

  void call_back() {
    if (!callbacks_) return;
    job_.open();
    const Callbacks& callbacks = *callbacks_;
    if (job_.error()) {
      if (callbacks.on_error) callbacks.on_error(job_.error());
    } else if (callbacks.on_value) {
      if constexpr (std::is_void_v<Value>) {
        callbacks.on_value();
      } else {
        callbacks.on_value(*value_);
      }
    }
  }

  std::optional<stored_t<Value>> value_;

 private:
  struct Callbacks {
    callback_t<Value> on_value;
    std::function<void(std::exception_ptr)> on_error;
  };

  Job& job_;
  std::unique_ptr<Callbacks> callbacks_;
};

}  // namespace brood::detail
