// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/pool/async_result.hpp>
#include <brood/wire/call_type.hpp>

namespace brood {

enum class ReturnWhen { first_completed, first_exception, all_completed };

// What wait() found, each in the order in which it was given.
template <typename Result>
struct WaitResult {
  std::vector<Result> done;
  std::vector<Result> not_done;
};

namespace detail {

// Watches several jobs at once, and hands them out as they settle.
class BROOD_EXPORT Watch {
 public:
  explicit Watch(std::vector<JobRef<Job>> jobs);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // The place of one more settled job among those given. Nothing at the
  // deadline. Blocks: until then. Requires: left() != 0.
  std::optional<std::size_t> next(const Deadline& deadline);
  std::size_t left() const noexcept { return left_; }

 private:
  class State;
  std::unique_ptr<State> state_;
  std::size_t left_;
};

// Blocks as wait() does. Which of the jobs are ready afterwards is for the
// caller to see.
BROOD_EXPORT void wait_for(const std::vector<JobRef<Job>>& jobs, const Deadline& deadline,
                           ReturnWhen when);

[[noreturn]] BROOD_EXPORT void throw_unfinished(std::size_t unfinished, std::size_t all);

template <typename Result>
inline constexpr bool is_result = false;
template <typename Value>
inline constexpr bool is_result<AsyncResult<Value>> = true;

template <typename Results>
consteval bool require_results() {
  static_assert(is_result<std::ranges::range_value_t<Results>>,
                "brood: wait and as_completed take a range of AsyncResult, as apply_async returns "
                "them");
  return is_result<std::ranges::range_value_t<Results>>;
}

template <typename Results>
auto distinct(Results&& results) {
  using Result = std::ranges::range_value_t<Results>;
  std::vector<Result> unique;
  std::unordered_map<const Job*, bool> seen;
  for (auto&& result : results) {
    if (seen.emplace(&result.job(), true).second) unique.push_back(result);
  }
  return unique;
}

template <typename Result>
std::vector<JobRef<Job>> jobs_of(const std::vector<Result>& results) {
  std::vector<JobRef<Job>> jobs;
  jobs.reserve(results.size());
  for (const Result& result : results) jobs.push_back(result.job_ref());
  return jobs;
}

}  // namespace detail

// Waits for several results of any pools. Results given twice count once. No
// error at the timeout: what isn't done is in `not_done`. first_exception waits
// for all where none fails; a cancelled result is no exception.
// Blocks: until the condition holds or the timeout has passed.
template <std::ranges::input_range Results>
auto wait(Results&& results, Timeout timeout = {}, ReturnWhen when = ReturnWhen::all_completed) {
  WaitResult<std::ranges::range_value_t<Results>> found;
  if constexpr (detail::require_results<Results>()) {
    const Deadline deadline(timeout);
    auto unique = detail::distinct(results);
    detail::wait_for(detail::jobs_of(unique), deadline, when);
    for (auto& result : unique) {
      (result.ready() ? found.done : found.not_done).push_back(std::move(result));
    }
  }
  return found;
}

template <typename Value>
auto wait(std::initializer_list<AsyncResult<Value>> results, Timeout timeout = {},
          ReturnWhen when = ReturnWhen::all_completed) {
  return wait<const std::initializer_list<AsyncResult<Value>>&>(results, timeout, when);
}

// The results one by one as they end, those that have ended already first. At
// the timeout, which counts from the call, going on throws TimeoutError.
template <typename Result>
class AsCompleted {
 public:
  AsCompleted(std::vector<Result> results, Timeout timeout)
      : results_(std::move(results)),
        deadline_(timeout),
        watch_(std::make_unique<detail::Watch>(detail::jobs_of(results_))) {}

  class iterator {
   public:
    using value_type = Result;
    using difference_type = std::ptrdiff_t;
    explicit iterator(AsCompleted* all) : all_(all) { advance(); }
    Result& operator*() const noexcept { return *current_; }
    Result* operator->() const noexcept { return current_.get(); }
    iterator& operator++() {
      advance();
      return *this;
    }
    void operator++(int) { advance(); }
    bool operator==(std::default_sentinel_t) const noexcept { return !current_; }

   private:
    void advance() { current_ = all_->next(); }
    AsCompleted* all_;
    std::shared_ptr<Result> current_;
  };

  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::shared_ptr<Result> next() {
    if (watch_->left() == 0) return nullptr;
    const auto place = watch_->next(deadline_);
    if (!place) detail::throw_unfinished(watch_->left(), results_.size());
    // Not kept here, so that it's gone when the caller lets it go.
    return std::make_shared<Result>(std::exchange(results_[*place], Result{}));
  }

  std::vector<Result> results_;
  Deadline deadline_;
  std::unique_ptr<detail::Watch> watch_;
};

template <std::ranges::input_range Results>
auto as_completed(Results&& results, Timeout timeout = {}) {
  if constexpr (detail::require_results<Results>()) {
    return AsCompleted<std::ranges::range_value_t<Results>>(detail::distinct(results), timeout);
  } else {
    return AsCompleted<AsyncResult<wire::NoResult>>({}, timeout);
  }
}
template <typename Value>
auto as_completed(std::initializer_list<AsyncResult<Value>> results, Timeout timeout = {}) {
  return AsCompleted<AsyncResult<Value>>(detail::distinct(results), timeout);
}

}  // namespace brood
