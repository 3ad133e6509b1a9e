// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/base/export.hpp>
#include <brood/wire/capture.hpp>
#include <brood/wire/code_ref.hpp>
#include <brood/wire/decode.hpp>
#include <brood/wire/encode.hpp>
#include <brood/wire/task.hpp>

// Callables to bytes and back, in a process that runs the same program. Each
// kind has its row here, in encode_callable and in decode_callable.
namespace brood::wire {

enum class CallableKind {
  function,         // where its code is
  member_function,  // an adjustment; and where its code is, or an offset in the vtable
  member_data,      // bytes
  empty,            // nothing
  task,             // the callable by its own kind, then the bound values
  values,           // as the callable it vouches for, but bytes unchecked
  local,            // not at all
  encodable,        // as a value
  bytes,            // after the check for captured pointers
  refused,          // does not compile
};

namespace detail {

template <typename F>
inline constexpr bool refused_by_name = std::is_bind_expression_v<F>;
template <typename T>
inline constexpr bool refused_by_name<std::reference_wrapper<T>> = true;
template <typename Call>
inline constexpr bool refused_by_name<std::function<Call>> = true;

template <typename F>
consteval CallableKind kind_of() {
  if constexpr (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) {
    return CallableKind::function;
  } else if constexpr (std::is_member_function_pointer_v<F>) {
    return CallableKind::member_function;
  } else if constexpr (std::is_member_object_pointer_v<F>) {
    return CallableKind::member_data;
  } else if constexpr (!std::is_class_v<F> || refused_by_name<F>) {
    return CallableKind::refused;
  } else if constexpr (std::is_empty_v<F>) {
    return CallableKind::empty;
  } else if constexpr (Encodable<F>) {
    return CallableKind::encodable;
  } else if constexpr (is_trivial<F>()) {
    return CallableKind::bytes;
  } else {
    return CallableKind::refused;
  }
}

template <typename F>
inline constexpr CallableKind kind = kind_of<F>();
template <typename F, typename... Bound>
inline constexpr CallableKind kind<Task<F, Bound...>> = CallableKind::task;
template <typename F>
inline constexpr CallableKind kind<Values<F>> = CallableKind::values;
template <typename F>
inline constexpr CallableKind kind<Local<F>> = CallableKind::local;

template <typename F>
inline constexpr bool shippable = kind<F> != CallableKind::refused;
template <typename F, typename... Bound>
inline constexpr bool shippable<Task<F, Bound...>> = shippable<F>;
template <typename F>
inline constexpr bool shippable<Values<F>> = shippable<F>;

template <typename F>
inline constexpr bool local_only = false;
template <typename F, typename... Bound>
inline constexpr bool local_only<Task<F, Bound...>> = local_only<F>;
template <typename F>
inline constexpr bool local_only<Values<F>> = local_only<F>;
template <typename F>
inline constexpr bool local_only<Local<F>> = true;

// What a task binds travels by the rules for arguments.
template <typename F>
inline constexpr bool bound_values_are_fine = true;
template <typename F, typename... Bound>
inline constexpr bool bound_values_are_fine<Task<F, Bound...>> =
    (require_encodable_argument<Bound>() && ...) && bound_values_are_fine<F>;
template <typename F>
inline constexpr bool bound_values_are_fine<Values<F>> = bound_values_are_fine<F>;

}  // namespace detail

template <typename F>
inline constexpr CallableKind callable_kind_v = detail::kind<std::decay_t<F>>;

// Whether the type may travel; brood::local too, which fails at run time.
template <typename F>
inline constexpr bool is_shippable_callable_v = detail::shippable<std::decay_t<F>>;

// Whether there is a brood::local in it, so that it can't be encoded.
template <typename F>
inline constexpr bool is_local_v = detail::local_only<std::decay_t<F>>;

// Fails to compile, in one sentence, where is_shippable_callable_v is false.
template <typename F>
consteval bool require_shippable_callable() {
  static_assert(
      is_shippable_callable_v<F>,
      "brood: this callable's captures cannot travel to a worker (a std::string, std::tuple, "
      "std::vector or other non-trivial capture): use brood::task(f, values...) to bind values as "
      "arguments, a struct with operator() and encodable members, or brood::local(f) for "
      "Context::thread");
  if constexpr (is_shippable_callable_v<F>) return detail::bound_values_are_fine<std::decay_t<F>>;
  return false;
}

namespace detail {

// A member function pointer of the Itanium C++ ABI: a code address, or an offset
// in the vtable, and what is added to `this`.
struct MemberFunction {
  std::intptr_t target;
  std::intptr_t adjustment;
};

// Throws: ShipError for a null one.
BROOD_EXPORT void ship_member(Writer& out, MemberFunction function);
BROOD_EXPORT MemberFunction take_member(Reader& in);
// Image 0 for a virtual one.
BROOD_EXPORT CodeRef read_member_code(Reader& in);

[[noreturn]] BROOD_EXPORT void throw_local();
[[noreturn]] BROOD_EXPORT void throw_null_member();

// A stateless object, of a type that may have no constructor to call.
template <typename F>
F make_empty() {
  if constexpr (std::is_default_constructible_v<F> && !is_trivial<F>()) {
    return F();
  } else {
    alignas(F) std::byte nothing[sizeof(F)]{};
    return F(reinterpret_cast<F&&>(nothing));
  }
}

template <typename T>
void write_plain(Writer& out, const T& value) {
  out.write(std::addressof(value), sizeof(T));
}

template <typename T>
T read_plain(Reader& in) {
  // Not bit_cast, which asks what GCC forgets: see is_trivial.
  alignas(T) std::byte bytes[sizeof(T)];
  in.read(bytes, sizeof(T));
  return T(std::move(*std::launder(reinterpret_cast<T*>(bytes))));
}

enum class Vouched { no, yes };

template <typename F>
void encode_bytes(Writer& out, const F& f, Vouched vouched) {
  const Bytes<F> clean(f);
  if (vouched == Vouched::no) check_captures(f, clean);
  out.write(clean.bytes.data(), sizeof(F));
}

}  // namespace detail

// Requires: is_shippable_callable_v<F>.
// Throws: ShipError when a capture points into this process's memory, for a null
// function, and for brood::local.
template <typename F>
void encode_callable(Writer& out, const F& f) {
  constexpr CallableKind kind = callable_kind_v<F>;
  if constexpr (kind == CallableKind::function) {
    ship_code(out, reinterpret_cast<const void*>(f));
  } else if constexpr (kind == CallableKind::member_function) {
    detail::ship_member(out, std::bit_cast<detail::MemberFunction>(f));
  } else if constexpr (kind == CallableKind::member_data) {
    if (f == nullptr) detail::throw_null_member();
    detail::write_plain(out, f);
  } else if constexpr (kind == CallableKind::task) {
    encode_callable(out, f.target());
    std::apply([&out](const auto&... bound) { (encode(out, bound), ...); }, f.bound());
  } else if constexpr (kind == CallableKind::values) {
    using Target = std::remove_cvref_t<decltype(f.target())>;
    if constexpr (callable_kind_v<Target> == CallableKind::bytes) {
      detail::encode_bytes(out, f.target(), detail::Vouched::yes);
    } else {
      encode_callable(out, f.target());
    }
  } else if constexpr (kind == CallableKind::local) {
    detail::throw_local();
  } else if constexpr (kind == CallableKind::encodable) {
    encode(out, f);
  } else if constexpr (kind == CallableKind::bytes) {
    detail::encode_bytes(out, f, detail::Vouched::no);
  } else {
    static_assert(kind == CallableKind::empty);
  }
}

template <typename F>
F decode_callable(Reader& in);

namespace detail {

template <typename F>
struct Unwrap;

template <typename F, typename... Bound>
struct Unwrap<Task<F, Bound...>> {
  static Task<F, Bound...> decode_from(Reader& in) {
    // Braces: from left to right.
    return Task<F, Bound...>{decode_callable<F>(in), decode<Bound>(in)...};
  }
};

template <typename F>
struct Unwrap<Values<F>> {
  static Values<F> decode_from(Reader& in) { return Values<F>(decode_callable<F>(in)); }
};

template <typename F>
struct Unwrap<Local<F>> {
  [[noreturn]] static Local<F> decode_from(Reader&) { throw_local(); }
};

}  // namespace detail

// A fresh callable, as it was encoded here or in another process.
// Throws: ShipError for bytes that are none, and for a function whose image can't
// be loaded here.
template <typename F>
F decode_callable(Reader& in) {
  constexpr CallableKind kind = callable_kind_v<F>;
  if constexpr (kind == CallableKind::function) {
    return reinterpret_cast<F>(const_cast<void*>(take_code(in)));
  } else if constexpr (kind == CallableKind::member_function) {
    return std::bit_cast<F>(detail::take_member(in));
  } else if constexpr (kind == CallableKind::empty) {
    return detail::make_empty<F>();
  } else if constexpr (kind == CallableKind::encodable) {
    return decode<F>(in);
  } else if constexpr (kind == CallableKind::member_data || kind == CallableKind::bytes) {
    return detail::read_plain<F>(in);
  } else {
    return detail::Unwrap<F>::decode_from(in);
  }
}

}  // namespace brood::wire
