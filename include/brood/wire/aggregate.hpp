// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

// Looks into aggregates without a macro in the user's code: how many fields one
// has, of which types, and each of them by reference.
//
// The language has no pack of structured bindings, so three lists of up to 64 are
// spelt out by the preprocessor: {}, name and decltype(name). The macros end with
// this file.
namespace brood::wire::shape {

inline constexpr std::size_t most_fields = 64;

template <typename... F>
struct Types {
  static constexpr std::size_t size = sizeof...(F);
};

// Converts to whatever a field of Whole wants. Only ever looked at, never run.
template <typename Whole>
struct Anything {
  constexpr explicit Anything(std::size_t = 0) noexcept {}
  template <typename Field>
    requires(!std::is_same_v<Field, Whole>)
  operator Field() const noexcept {
    __builtin_unreachable();
  }
};

template <typename... F>
void refer_to(F&...);

inline constexpr std::size_t unknown_count = static_cast<std::size_t>(-1);

#define BROOD_EIGHT(x, p) x(p##0), x(p##1), x(p##2), x(p##3), x(p##4), x(p##5), x(p##6), x(p##7),
#define BROOD_G0(x)
#define BROOD_G1(x) BROOD_EIGHT(x, field_a)
#define BROOD_G2(x) BROOD_G1(x) BROOD_EIGHT(x, field_b)
#define BROOD_G3(x) BROOD_G2(x) BROOD_EIGHT(x, field_c)
#define BROOD_G4(x) BROOD_G3(x) BROOD_EIGHT(x, field_d)
#define BROOD_G5(x) BROOD_G4(x) BROOD_EIGHT(x, field_e)
#define BROOD_G6(x) BROOD_G5(x) BROOD_EIGHT(x, field_f)
#define BROOD_G7(x) BROOD_G6(x) BROOD_EIGHT(x, field_g)
#define BROOD_R0(x)
#define BROOD_R1(x) x(field_r1),
#define BROOD_R2(x) BROOD_R1(x) x(field_r2),
#define BROOD_R3(x) BROOD_R2(x) x(field_r3),
#define BROOD_R4(x) BROOD_R3(x) x(field_r4),
#define BROOD_R5(x) BROOD_R4(x) x(field_r5),
#define BROOD_R6(x) BROOD_R5(x) x(field_r6),
#define BROOD_R7(x) BROOD_R6(x) x(field_r7),
#define BROOD_NAME(f) f
#define BROOD_TYPE(f) decltype(f)
#define BROOD_BRACES(f) \
  {                     \
  }
#define BROOD_LIST(g, r, x) BROOD_G##g(x) BROOD_R##r(x) x(field_last)
#define BROOD_ROW(step, g) \
  step(g, 0) step(g, 1) step(g, 2) step(g, 3) step(g, 4) step(g, 5) step(g, 6) step(g, 7)
// clang-format off: it never comes to rest with this one
#define BROOD_GRID(step)                                  \
  BROOD_ROW(step, 0) BROOD_ROW(step, 1) BROOD_ROW(step, 2) \
  BROOD_ROW(step, 3) BROOD_ROW(step, 4) BROOD_ROW(step, 5) \
  BROOD_ROW(step, 6) BROOD_ROW(step, 7)
// clang-format on

// Each {} initialises one field, a C array too. A field that takes no {} (its type
// has no default constructor) stops the count, which is then unknown.
template <typename T>
consteval std::size_t count_by_braces() {
  if constexpr (!requires { T{}; }) {
    return unknown_count;
  }
#define BROOD_STEP(g, r)                                                                  \
  else if constexpr (!requires { T{BROOD_LIST(g, r, BROOD_BRACES)}; }) {                  \
    constexpr bool stopped =                                                              \
        requires { T{BROOD_G##g(BROOD_BRACES) BROOD_R##r(BROOD_BRACES) Anything<T>{}}; }; \
    return stopped ? unknown_count : 8 * g + r;                                           \
  }
  BROOD_GRID(BROOD_STEP)
#undef BROOD_STEP
  else {
    return requires { T{BROOD_LIST(7, 7, BROOD_BRACES), Anything<T>{}}; } ? unknown_count
                                                                          : most_fields;
  }
}

// The fields' types, arrays as arrays. Requires: Count is right.
template <typename T, std::size_t Count>
constexpr auto list_fields([[maybe_unused]] T& value) {
  if constexpr (Count == 0) {
    return Types<>{};
  }
#define BROOD_STEP(g, r)                          \
  else if constexpr (Count == 8 * g + r + 1) {    \
    auto& [BROOD_LIST(g, r, BROOD_NAME)] = value; \
    return Types<BROOD_LIST(g, r, BROOD_TYPE)>{}; \
  }
  BROOD_GRID(BROOD_STEP)
#undef BROOD_STEP
}

// Whether a reference can bind to each field: to a bit-field none can. Where the
// compiler can't be asked it is taken for granted.
template <typename T, std::size_t Count>
constexpr auto all_fields_bind([[maybe_unused]] T& value) {
#if defined(__clang__) && __clang_major__ < 16
  return std::true_type{};
#else
  if constexpr (Count == 0) {
    return std::true_type{};
  }
#define BROOD_STEP(g, r)                                                               \
  else if constexpr (Count == 8 * g + r + 1) {                                         \
    auto& [BROOD_LIST(g, r, BROOD_NAME)] = value;                                      \
    return std::bool_constant<requires { refer_to(BROOD_LIST(g, r, BROOD_NAME)); }>{}; \
  }
  BROOD_GRID(BROOD_STEP)
#undef BROOD_STEP
#endif
}

template <std::size_t Count, typename T, typename Visitor>
constexpr decltype(auto) visit_fields([[maybe_unused]] T& value, Visitor&& visitor) {
  if constexpr (Count == 0) {
    return visitor();
  }
#define BROOD_STEP(g, r)                          \
  else if constexpr (Count == 8 * g + r + 1) {    \
    auto& [BROOD_LIST(g, r, BROOD_NAME)] = value; \
    return visitor(BROOD_LIST(g, r, BROOD_NAME)); \
  }
  BROOD_GRID(BROOD_STEP)
#undef BROOD_STEP
}

#undef BROOD_EIGHT
#undef BROOD_G0
#undef BROOD_G1
#undef BROOD_G2
#undef BROOD_G3
#undef BROOD_G4
#undef BROOD_G5
#undef BROOD_G6
#undef BROOD_G7
#undef BROOD_R0
#undef BROOD_R1
#undef BROOD_R2
#undef BROOD_R3
#undef BROOD_R4
#undef BROOD_R5
#undef BROOD_R6
#undef BROOD_R7
#undef BROOD_NAME
#undef BROOD_TYPE
#undef BROOD_BRACES
#undef BROOD_LIST
#undef BROOD_ROW
#undef BROOD_GRID

}  // namespace brood::wire::shape
