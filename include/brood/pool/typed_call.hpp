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

#include <brood/pool/core.hpp>
#include <brood/pool/execution.hpp>
#include <brood/pool/here_call.hpp>
#include <brood/pool/here_run.hpp>
#include <brood/pool/scratch.hpp>
#include <brood/pool/value_job.hpp>
#include <brood/pool/work.hpp>
#include <brood/wire/call.hpp>
#include <brood/wire/call_type.hpp>
#include <brood/wire/callable.hpp>
#include <brood/wire/decode.hpp>
#include <brood/wire/encode.hpp>

// One call with its types: to bytes on this side, from bytes in the worker.
namespace brood::detail {

// A call of `Target` as it is made in a worker: the callable and the first
// arguments from one reader, the last `Own` arguments from another.
template <typename Call, typename Target, typename Values, std::size_t Own>
class DecodedCall;

template <typename Call, typename Target, typename... Values, std::size_t Own>
class DecodedCall<Call, Target, wire::TypeList<Values...>, Own> {
 public:
  DecodedCall(wire::Reader& callable, wire::Reader& items)
      : DecodedCall(callable, items, std::index_sequence_for<Values...>{}) {}

  // Requires: called once.
  decltype(auto) operator()() {
    return std::apply(
        [this](auto&... arguments) -> decltype(auto) {
          using Callee = wire::detail::Called<Target, Call::as>;
          return std::invoke(static_cast<Callee>(target_), arguments.give()...);
        },
        arguments_);
  }

 private:
  static constexpr std::size_t bound = sizeof...(Values) - Own;

  template <std::size_t... I>
  DecodedCall(wire::Reader& callable, wire::Reader& items, std::index_sequence<I...>)
      : target_(wire::decode_callable<Target>(callable)),
        // Braces: from left to right.
        arguments_{
            std::tuple_element_t<I, typename Call::Arguments>(I < bound ? callable : items)...} {}

  Target target_;
  typename Call::Arguments arguments_;
};

// The same of a callable that is there already.
template <typename Call, typename Target, typename Values>
class SharedCall;

template <typename Call, typename Target, typename... Values>
class SharedCall<Call, Target, wire::TypeList<Values...>> {
 public:
  SharedCall(const Target& target, wire::Reader& items)
      : SharedCall(target, items, std::index_sequence_for<Values...>{}) {}

  // Requires: called once.
  decltype(auto) operator()() {
    return std::apply(
        [this](auto&... arguments) -> decltype(auto) {
          return std::invoke(target_, arguments.give()...);
        },
        arguments_);
  }

 private:
  template <std::size_t... I>
  SharedCall(const Target& target, wire::Reader& items, std::index_sequence<I...>)
      : target_(target), arguments_{std::tuple_element_t<I, typename Call::Arguments>(items)...} {}

  const Target& target_;
  typename Call::Arguments arguments_;
};

// What a worker runs for apply.
template <typename F, typename... Args>
void run_call(Execution& x) {
  using Types = CallTypes<F, Args...>;
  if (!x.begin_item()) return;
  wire::Reader in(x.callable());
  DecodedCall<typename Types::Call, typename Types::Target, typename Types::Values, 0> call(in, in);
  x.calling();
  if constexpr (std::is_void_v<typename Types::Result>) {
    call();
    x.encoding();
  } else {
    const typename Types::Result result = call();
    x.encoding();
    wire::encode(x.answer(), result);
  }
  x.end_item();
}

// A call whose value is made of the bytes that a worker answered.
template <typename Result>
class TypedCall : public CallJob, public ValueJob<Result> {
 public:
  explicit TypedCall(Core& core) noexcept : CallJob(core) {}
  ~TypedCall() override {
    if (is_made_ || this->has_value()) this->destroy_value();
  }

  bool keep_passing(std::size_t, std::span<const std::byte> value) override {
    if constexpr (wire::is_copied_in_runs<Result>) {
      wire::Reader in(value);
      this->set_value(wire::decode<Result>(in));
      note_answer(value.size());
      is_made_ = true;
    }
    return is_made_;
  }

  void run_here(std::size_t, std::size_t, HereRun&) noexcept override { std::terminate(); }

 protected:
  void decode() override {
    rethrow_record();
    if (is_made_) return;
    if constexpr (std::is_void_v<Result>) {
      this->set_value();
    } else if constexpr (wire::Encodable<Result>) {  // else it's a brood::local's
      wire::Reader in = answer();
      this->set_value(wire::decode<Result>(in));
      forget_answer();
    }
  }
  void run_callback() override { this->call_back(*this); }
};

template <typename F, typename... Args>
inline constinit WorkerCode call_code{&run_call<F, Args...>, &wire::callable_label<F>};

// The job of one call, and where its value will be.
template <typename Result>
struct MadeCall {
  JobRef<Job> job;
  ValueJob<Result>* value;
};

// Makes it for whatever kind of pool.
// Throws: ShipError when a capture can't travel.
template <typename F, typename... Args>
MadeCall<wire::call_result_t<F, Args...>> make_call(Core& core, F&& f, Args&&... args) {
  using Callable = std::decay_t<F>;
  using Result = wire::call_result_t<F, Args...>;
  if (core.runs_here()) {
    using Made = HereCall<Callable, Args...>;
    auto* const made = new Made(core, std::forward<F>(f), std::forward<Args>(args)...);
    return {JobRef<Job>::adopt(made), made};
  }
  if constexpr (wire::is_local_v<F>) {
    wire::detail::throw_local();
  } else {
    wire::Buffer& bytes = scratch();
    wire::Kept kept;
    bytes.keep_in(&kept);
    bytes.prefer_shared(true);
    wire::encode_callable<Callable>(bytes, f);
    (wire::encode_argument(bytes, std::forward<Args>(args)), ...);
    auto job = JobRef<TypedCall<Result>>::adopt(new TypedCall<Result>(core));
    job->set_request(call_code<Callable, Args...>, bytes);
    job->hold(std::move(kept));
    ValueJob<Result>* const value = job.get();
    return {std::move(job), value};
  }
}

}  // namespace brood::detail
