// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <brood/pool/job.hpp>
#include <brood/pool/options.hpp>

namespace brood::detail {

// Stands for the value of a void result.
struct Nothing {};

template <typename Value>
using stored_t = std::conditional_t<std::is_void_v<Value>, Nothing, Value>;

template <typename Value>
struct CallbacksOf final : Callbacks {
  CallbacksOf(callback_t<Value> value_callback,
              std::function<void(std::exception_ptr)> error_callback)
      : on_value(std::move(value_callback)), on_error(std::move(error_callback)) {}

  void call(const std::exception_ptr& error, const stored_t<Value>& value) const {
    if (error) {
      if (on_error) on_error(error);
    } else if (on_value) {
      if constexpr (std::is_void_v<Value>) {
        on_value();
      } else {
        on_value(value);
      }
    }
  }

  callback_t<Value> on_value;
  std::function<void(std::exception_ptr)> on_error;
};

// Where a handle finds the value of a job, whether it's one call's or a whole
// map's, and what is called back with it. A part of each typed job, which knows
// (Job::has_value) whether it's there.
template <typename Value>
class ValueJob {
 public:
  ValueJob(const ValueJob&) = delete;
  ValueJob& operator=(const ValueJob&) = delete;

  // Requires: the job is opened, and has no error.
  stored_t<Value>& value() noexcept { return value_; }

 protected:
  ValueJob() noexcept {}
  ~ValueJob() {}

  // Requires: at the end of decode().
  template <typename... Given>
  void set_value(Given&&... given) {
    std::construct_at(&value_, std::forward<Given>(given)...);
  }
  // Requires: the job has a value, for the last time.
  void destroy_value() noexcept { std::destroy_at(&value_); }

  void call_back(Job& job) {
    const JobExtras* const extras = job.extras_or_null();
    if (!extras || !extras->callbacks) return;
    job.open();
    static_cast<const CallbacksOf<Value>&>(*extras->callbacks).call(job.error(), value_);
  }

 private:
  union {
    stored_t<Value> value_;
  };
};

// Before the job is submitted.
template <typename Value>
void set_callbacks(Job& job, callback_t<Value> on_value,
                   std::function<void(std::exception_ptr)> on_error) {
  if (!on_value && !on_error) return;
  job.extras().callbacks =
      std::make_unique<CallbacksOf<Value>>(std::move(on_value), std::move(on_error));
  job.listened = true;
}

}  // namespace brood::detail
