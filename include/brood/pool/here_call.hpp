// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/pool/here_run.hpp>
#include <brood/pool/job.hpp>
#include <brood/pool/value_job.hpp>
#include <brood/wire/call.hpp>
#include <brood/wire/call_type.hpp>
#include <brood/wire/callable.hpp>

// One call with its types, as a thread of this program makes it.
namespace brood::detail {

template <typename F, typename... Args>
struct CallTypes {
  using Flat = typename wire::detail::CallOfUser<F, Args...>::Flattened;
  using Call = wire::detail::call_of<F, Args...>;
  using Target = typename Flat::Target;
  using Values = typename Flat::List;
  using Result = wire::call_result_t<F, Args...>;
};

// Calls f, which is this call's own, as a worker process would: const if it can
// be, else as an lvalue, else moved. A task always gives its bound values away.
template <typename F, typename... Args>
decltype(auto) invoke_own(F& f, Args&&... args) {
  using wire::detail::CallAs;
  constexpr CallAs as = wire::callable_kind_v<F> == wire::CallableKind::task
                            ? CallAs::rvalue
                            : wire::detail::call_as<F, Args&&...>();
  return std::invoke(static_cast<wire::detail::Called<F, as>>(f), std::forward<Args>(args)...);
}

// A call that a thread of this program makes: nothing is encoded.
template <typename F, typename... Args>
class HereCall final : public Job, public ValueJob<typename CallTypes<F, Args...>::Result> {
  using Result = typename CallTypes<F, Args...>::Result;

 public:
  template <typename Function, typename... Given>
  HereCall(Core& core, Function&& f, Given&&... args)
      : Job(core, Shape::call),
        parts_(std::in_place, std::forward<Function>(f),
               std::tuple<wire::transport_t<Args>...>(
                   wire::to_transport(std::forward<Given>(args))...)) {}
  ~HereCall() override {
    if (has_result_) this->destroy_value();
  }

  void run_here(std::size_t, std::size_t, HereRun& run) noexcept override {
    if (!run.begin_call()) return;
    try {
      // What is bound or given goes before the result is there.
      if constexpr (std::is_void_v<Result>) {
        call();
        parts_.reset();
        if (!run.end_items()) return;
        this->set_value();
      } else {
        Result result = call();
        parts_.reset();
        if (!run.end_items()) return;
        this->set_value(std::move(result));
      }
      has_result_ = true;
      run.kept_call();
    } catch (...) {
      parts_.reset();
      if (run.end_items()) run.failed(0, std::current_exception());
    }
  }

  std::size_t item_count() const noexcept override { return 1; }
  Request request(std::size_t, std::size_t) const noexcept override { return {}; }
  std::size_t answer_room(std::size_t) const noexcept override { return 0; }
  void keep(std::size_t, std::size_t, std::span<const std::byte>) override { std::terminate(); }
  void keep_outside(std::size_t, LastingBytes) override { std::terminate(); }
  void keep_failure(std::size_t, Failure failure) override {
    this->extras().failure = std::make_unique<Failure>(std::move(failure));
  }
  void run_callback() override { this->call_back(*this); }

 protected:
  void decode() override {
    const JobExtras* const extras = this->extras_or_null();
    if (extras && extras->failure) std::rethrow_exception(extras->failure->open());
  }

 private:
  struct Parts {
    template <typename Function>
    Parts(Function&& function, std::tuple<wire::transport_t<Args>...> values)
        : f(std::forward<Function>(function)), arguments(std::move(values)) {}
    F f;
    std::tuple<wire::transport_t<Args>...> arguments;
  };

  Result call() {
    return std::apply(
        [&](auto&... arguments) -> Result {
          return invoke_own(parts_->f, std::move(arguments)...);
        },
        parts_->arguments);
  }

  std::optional<Parts> parts_;
  // Of the thread that runs it: the value is there before the job is opened, or is dropped
  // with a job that was cancelled meanwhile.
  bool has_result_ = false;
};

}  // namespace brood::detail
