// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <optional>
#include <utility>

namespace brood {

// What became of one item: a value, or the error that it ended with.
template <typename Result>
class Outcome {
 public:
  Outcome(Result value) : value_(std::move(value)) {}  // NOLINT: meant to convert
  Outcome(std::exception_ptr error) noexcept : error_(std::move(error)) {}  // NOLINT: likewise

  bool has_value() const noexcept { return value_.has_value(); }
  bool ok() const noexcept { return has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  // Throws the error where there is no value.
  const Result& value() const& {
    require();
    return *value_;
  }
  Result& value() & {
    require();
    return *value_;
  }
  Result&& value() && {
    require();
    return std::move(*value_);
  }
  const Result& get() const& { return value(); }
  Result&& get() && { return std::move(*this).value(); }
  // Requires: has_value().
  const Result& operator*() const& noexcept { return *value_; }
  Result& operator*() & noexcept { return *value_; }
  Result&& operator*() && noexcept { return std::move(*value_); }
  const Result* operator->() const noexcept { return &*value_; }
  Result* operator->() noexcept { return &*value_; }

  // Null where there is a value.
  std::exception_ptr error() const noexcept { return error_; }

 private:
  void require() const {
    if (!value_) std::rethrow_exception(error_);
  }

  std::optional<Result> value_;
  std::exception_ptr error_;
};

// Of a call that returns nothing: it ended well, or with an error.
template <>
class Outcome<void> {
 public:
  Outcome() noexcept = default;
  Outcome(std::exception_ptr error) noexcept : error_(std::move(error)) {}  // NOLINT

  bool has_value() const noexcept { return !error_; }
  bool ok() const noexcept { return has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) std::rethrow_exception(error_);
  }
  void get() const { value(); }
  std::exception_ptr error() const noexcept { return error_; }

 private:
  std::exception_ptr error_;
};

}  // namespace brood
