// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <type_traits>
#include <utility>

namespace brood {

// One value in a snapshot of a live object. It reads as a field or as a call,
// as the live objects have it: `info.name` and `info.name()` are the same, so
// code written for a Thread serves a ThreadInfo too. It compares and prints as
// the value that it holds.
template <typename Value>
class Reading {
 public:
  constexpr Reading() noexcept = default;
  constexpr Reading(Value value) noexcept : value_(value) {}  // NOLINT: meant to convert

  constexpr operator Value() const noexcept { return value_; }  // NOLINT: meant to convert
  constexpr Value operator()() const noexcept { return value_; }

  friend std::ostream& operator<<(std::ostream& out, const Reading& reading)
    requires requires(const Value& value) { out << value; }
  {
    return out << reading.value_;
  }

 private:
  Value value_{};
};

// Of a class type, such as std::string, the reading has all members too.
template <typename Value>
  requires std::is_class_v<Value>
class Reading<Value> : public Value {
 public:
  using Value::Value;
  Reading() = default;
  Reading(const Value& value) : Value(value) {}        // NOLINT: meant to convert
  Reading(Value&& value) : Value(std::move(value)) {}  // NOLINT: meant to convert

  const Value& operator()() const& { return *this; }
  // By value, so that `auto& name = current_thread().name()` does not dangle.
  Value operator()() && { return std::move(*this); }

  // Not left to Value's own operators, because std::optional's would take a
  // reading for the value inside.
  friend bool operator==(const Reading& reading, const Value& value) {
    return static_cast<const Value&>(reading) == value;
  }
  template <typename Other>
  friend bool operator==(const Reading& reading, const Other& other) {
    return static_cast<const Value&>(reading) == other;
  }
};

}  // namespace brood

// A reading and its value meet as the value, so that std::ranges::find and its
// kin take one for the other.
template <typename Value, template <typename> class OfReading, template <typename> class OfValue>
  requires(!std::is_class_v<Value>)
struct std::basic_common_reference<brood::Reading<Value>, Value, OfReading, OfValue> {
  using type = Value;
};
template <typename Value, template <typename> class OfValue, template <typename> class OfReading>
  requires(!std::is_class_v<Value>)
struct std::basic_common_reference<Value, brood::Reading<Value>, OfValue, OfReading> {
  using type = Value;
};
