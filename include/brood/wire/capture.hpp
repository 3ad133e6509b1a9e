// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <typeinfo>

#include <brood/base/export.hpp>

// A closure says nothing about its captures, so the check looks at its bytes: a
// word that is an address in this process's memory was a reference, `this` or a
// pointer. Only whole aligned words are looked at, and none in a type whose
// alignment is below a pointer's: packed structs with pointers escape.
namespace brood::wire::detail {

// Throws: ShipError naming the offset when something is mapped at `word`.
BROOD_EXPORT void refuse_pointer(std::uintptr_t word, std::size_t offset,
                                 const std::type_info& callable);

// Cheap, and true for all addresses that a program can have.
inline bool may_be_address(std::uintptr_t word) noexcept {
#if defined(__x86_64__)
  constexpr std::uintptr_t end = std::uintptr_t{1} << 47;
#else
  constexpr std::uintptr_t end = std::uintptr_t{1} << 52;
#endif
  constexpr std::uintptr_t lowest = 64 * 1024;
  return word - lowest < end - lowest;
}

inline constexpr std::size_t word_size = sizeof(std::uintptr_t);

// GCC 12 no longer calls a closure trivially copyable once anybody has asked
// whether it can be assigned (a std::optional or a std::tuple of it asks). So what
// makes it so is looked at too, and only then: to look is to ask.
template <typename F>
consteval bool is_trivial() {
  if constexpr (std::is_trivially_copyable_v<F>) {
    return true;
  } else {
    return std::is_trivially_copy_constructible_v<F> && std::is_trivially_move_constructible_v<F> &&
           std::is_trivially_destructible_v<F> && !std::is_copy_assignable_v<F> &&
           !std::is_move_assignable_v<F>;
  }
}

// The bytes of an object that is_trivial. Padding is zero where the compiler can
// do that.
template <typename F>
struct Bytes {
  explicit Bytes(const F& f) noexcept {
#if __has_builtin(__builtin_clear_padding)
    if constexpr (std::is_copy_constructible_v<F>) {
      // A variable: of those alone it's sure that GCC clears them, see is_trivial.
      F copy(f);
      __builtin_clear_padding(&copy);
      std::memcpy(bytes.data(), std::addressof(copy), sizeof(F));
      return;
    }
#endif
    std::memcpy(bytes.data(), std::addressof(f), sizeof(F));
  }

  std::uintptr_t word(std::size_t offset) const noexcept {
    std::uintptr_t value = 0;
    std::memcpy(&value, bytes.data() + offset, word_size);
    return value;
  }

  alignas(F) std::array<std::byte, sizeof(F)> bytes;
};

#if !__has_builtin(__builtin_clear_padding) && defined(__clang__) && __clang_major__ >= 15
#define BROOD_HAS_DUMP_STRUCT 1

// Clang can't clear padding, but it can show each member of an object to a
// function, even a closure's. A word in which a member smaller than a pointer
// lies has padding beside it, or other small members: no pointer. References are
// not shown, so a word that nothing is known of counts.
template <typename F>
class WordMap {
 public:
  explicit WordMap(const F& f) noexcept : begin_(reinterpret_cast<std::uintptr_t>(&f)) { look(f); }

  bool may_hold_pointer(std::size_t offset) const noexcept {
    return whole_[offset / word_size] || !small_[offset / word_size];
  }

  // Called by the compiler's own expansion: a format, then what it shows.
  template <typename... Shown>
  void operator()(const char*, const Shown&... shown) noexcept {
    (take(shown), ...);
  }

 private:
  template <typename T>
  void look(const T& object) noexcept {
    __builtin_dump_struct(&object, *this);
  }

  // Members that it can't print are shown as a pointer to them.
  template <typename T>
  void take(const T& shown) noexcept {
    if (holds(reinterpret_cast<std::uintptr_t>(&shown))) return note(shown);
    if constexpr (std::is_pointer_v<T> && std::is_object_v<std::remove_pointer_t<T>>) {
      if (holds(reinterpret_cast<std::uintptr_t>(shown))) note(*shown);
    }
  }

  template <typename T>
  void note(const T& member) noexcept {
    if constexpr (std::is_array_v<T>) {
      for (const auto& element : member) note(element);
    } else if constexpr (std::is_class_v<T> || std::is_union_v<T>) {
      if constexpr (!std::is_empty_v<T>) look(member);
    } else {
      const std::size_t offset = reinterpret_cast<std::uintptr_t>(&member) - begin_;
      (sizeof(T) < word_size ? small_ : whole_)[offset / word_size] = true;
    }
  }

  bool holds(std::uintptr_t address) const noexcept { return address - begin_ < sizeof(F); }

  std::uintptr_t begin_;
  std::array<bool, sizeof(F) / word_size> small_{};
  std::array<bool, sizeof(F) / word_size> whole_{};
};
#endif

// Throws: ShipError when a word of `bytes`, made from f, is an address.
template <typename F>
void check_captures([[maybe_unused]] const F& f, [[maybe_unused]] const Bytes<F>& bytes) {
  if constexpr (alignof(F) >= alignof(void*)) {
    for (std::size_t offset = 0; offset + word_size <= sizeof(F); offset += word_size) {
      if (!may_be_address(bytes.word(offset))) [[likely]]
        continue;
#ifdef BROOD_HAS_DUMP_STRUCT
      if (!WordMap<F>(f).may_hold_pointer(offset)) continue;
#endif
      refuse_pointer(bytes.word(offset), offset, typeid(F));
    }
  }
}

}  // namespace brood::wire::detail
