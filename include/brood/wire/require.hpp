// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include <brood/wire/encodable.hpp>
#include <brood/wire/transport.hpp>

// Says in one sentence why a type can't travel. The compiler's note below it
// names the Culprit, which may be deep inside the Whole.
namespace brood::wire {
namespace shape {

template <Reason Why, typename Culprit, typename Whole>
consteval void refuse() {
  static_assert(Why != Reason::raw_pointer,
                "brood: a raw pointer cannot travel to or from a worker: the worker has another "
                "address space; pass the value, a std::vector, a std::string or a std::unique_ptr "
                "instead");
  static_assert(Why != Reason::reference,
                "brood: a reference cannot travel to or from a worker: the worker has another "
                "address space; pass a copy and return the changed value instead");
  static_assert(Why != Reason::view,
                "brood: a view (std::string_view, std::span) cannot travel inside a value or as a "
                "result: what it looks at stays behind; use a std::string or a std::vector "
                "instead");
  static_assert(Why != Reason::function,
                "brood: a std::function cannot travel: what it holds is not known until it runs; "
                "pass the function, the lambda or brood::task(f, args...) itself instead");
  static_assert(Why != Reason::shared_pointer,
                "brood: a std::shared_ptr cannot travel: what is shared in one process cannot be "
                "shared with another; pass the value or a std::unique_ptr, or include "
                "<cereal/types/memory.hpp>, which sends what it points to as a copy");
  static_assert(Why != Reason::array_pointer,
                "brood: a std::unique_ptr to an array cannot travel: it does not know its length; "
                "use a std::vector instead");
  static_assert(Why != Reason::deleter,
                "brood: a std::unique_ptr with a deleter of its own cannot travel: the deleter "
                "owns something in this process; pass the value instead");
  static_assert(Why != Reason::polymorphic_pointer,
                "brood: a std::unique_ptr to a polymorphic type cannot travel: the type of the "
                "object is not known until it runs; use a std::variant of the types instead");
  static_assert(Why != Reason::stateful_order,
                "brood: a container whose comparison or hash has state, or is a function pointer, "
                "cannot travel: its order would be lost; use an empty function object instead");
  static_assert(Why != Reason::half_hook,
                "brood: this type has only one half of its serialization, or two that compete, so "
                "it cannot travel: give it either serialize, or save and load, taking any archive");
  static_assert(
      Why != Reason::no_default,
      "brood: a type with a serialization function of its own cannot travel without a "
      "default constructor: the function fills an object; add one (it may be private if the "
      "function is, with `friend class cereal::access`)");
  static_assert(Why != Reason::base_class,
                "brood: a struct with a base class cannot travel by itself: its fields cannot be "
                "told apart; make the base its first field, or give it a serialize function: "
                "template <class Archive> void serialize(Archive& archive) { archive(a, b); }");
  static_assert(Why != Reason::bit_fields,
                "brood: a struct with bit-fields beside a C array and beside fields that are not "
                "plain numbers cannot travel by itself: give it a serialize function: "
                "template <class Archive> void serialize(Archive& archive) { archive(a, b); }");
  static_assert(Why != Reason::fixed_array,
                "brood: a struct with a C array beside a field that has no default value or "
                "cannot be assigned cannot travel: use a std::array instead of the C array");
  static_assert(Why != Reason::too_many_fields,
                "brood: a struct of more than 64 fields cannot travel by itself: group its fields "
                "into structs, or give it a serialize function: "
                "template <class Archive> void serialize(Archive& archive) { archive(a, b); }");
  static_assert(Why != Reason::a_union,
                "brood: a union cannot travel: nobody knows which member is alive; use a "
                "std::variant instead");
  static_assert(Why != Reason::opaque,
                "brood: this type cannot travel: it has constructors or private fields and no "
                "serialize function. Make it an aggregate, or give it one: "
                "template <class Archive> void serialize(Archive& archive) { archive(a, b); }");
}

template <typename T>
consteval void require_encodable() {
  if constexpr (!Encodable<T>) refuse<verdict_on<T>::reason, typename verdict_on<T>::Culprit, T>();
}

}  // namespace shape

// Compiles if an argument of (possibly reference) type T can travel, and else
// fails with the sentence and nothing more, as long as the caller guards what
// follows by what this returns.
template <typename T>
consteval bool require_encodable_argument() {
  shape::require_encodable<transport_t<T>>();
  return Encodable<transport_t<T>>;
}

// The same for what a function returns; void is fine.
template <typename T>
consteval bool require_encodable_result() {
  if constexpr (std::is_void_v<T>) {
    return true;
  } else {
    shape::require_encodable<std::decay_t<T>>();
    return Encodable<std::decay_t<T>>;
  }
}

}  // namespace brood::wire
