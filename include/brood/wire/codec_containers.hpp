// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

#include <brood/base/large_memory.hpp>
#include <brood/wire/codec.hpp>

// Any number of elements: the number first, and then the elements.
namespace brood::wire::codec {

// A container of elements that lie one after another, as they do there.
template <typename T, typename Element>
T filled(const Element* first, std::size_t count) {
  T elements;
  elements.reserve(count);
  brood::detail::expect_to_be_filled(elements.data(), count * sizeof(Element));
  elements.assign(first, first + count);
  return elements;
}

template <typename T>
struct Codec<T, Way::text> {
  using Char = typename T::value_type;

  static void put(Writer& out, const T& text) {
    put_count(out, text.size());
    put_run(out, text.data(), text.size());
  }

  static T get(Reader& in) {
    const std::size_t size = in.take_count(sizeof(Char));
    const std::byte* run = take_run<Char>(in, size);
    if constexpr (sizeof(Char) == 1) {
      return filled<T>(reinterpret_cast<const Char*>(run), size);
    } else {
      T text(size, Char{});
      if (size != 0) std::memcpy(text.data(), run, size * sizeof(Char));
      return text;
    }
  }
};

template <typename T>
struct Codec<T, Way::vector> {
  using Element = typename T::value_type;
  static constexpr bool is_run = is_flat_v<Element> && !std::is_same_v<Element, bool>;

  static void put(Writer& out, const T& elements) {
    put_count(out, elements.size());
    if constexpr (is_run) {
      put_run(out, elements.data(), elements.size());
    } else if constexpr (std::is_same_v<Element, bool>) {
      std::byte* to = out.reserve(elements.size());
      for (const bool element : elements) *to++ = std::byte{element};
    } else {
      const Depth::Level level(out.depth(), sizeof(Element));
      for (const Element& element : elements) codec::put(out, element);
    }
  }

  static T get(Reader& in) {
    const std::size_t count = in.take_count(shape::least_bytes_of<Element>);
    if constexpr (is_run) {
      return from_run(take_run<Element>(in, count), count);
    } else {
      const Depth::Level level(in.depth(), sizeof(Element));
      T elements;
      elements.reserve(count);
      for (std::size_t i = 0; i < count; ++i) elements.push_back(codec::get<Element>(in));
      return elements;
    }
  }

 private:
  // Straight from where they lie, if elements may stand there.
  static T from_run(const std::byte* run, std::size_t count) {
    if constexpr (std::is_copy_constructible_v<Element>) {
      if (is_aligned<Element>(run)) [[likely]] {
        const auto* first = reinterpret_cast<const Element*>(run);
        for (std::size_t i = 0; shape::holds_bool<Element> && i < count; ++i) {
          check_bools(first[i]);
        }
        return filled<T>(first, count);
      }
    }
    T elements;
    elements.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      elements.push_back(load<Element>(run + i * sizeof(Element)));
    }
    return elements;
  }
};

template <typename T>
struct Codec<T, Way::sequence> {
  using Element = typename T::value_type;

  static void put(Writer& out, const T& elements) {
    const Depth::Level level(out.depth(), sizeof(Element));
    put_count(out, static_cast<std::size_t>(std::distance(elements.begin(), elements.end())));
    for (const Element& element : elements) codec::put(out, element);
  }

  static T get(Reader& in) {
    const Depth::Level level(in.depth(), sizeof(Element));
    std::size_t count = in.take_count(shape::least_bytes_of<Element>);
    T elements;
    if constexpr (requires { elements.before_begin(); }) {
      auto last = elements.before_begin();
      for (; count != 0; --count) last = elements.insert_after(last, codec::get<Element>(in));
    } else {
      for (; count != 0; --count) elements.push_back(codec::get<Element>(in));
    }
    return elements;
  }
};

template <typename T>
struct Codec<T, Way::keyed> {
  using Key = typename T::key_type;

  static void put(Writer& out, const T& elements) {
    const Depth::Level level(out.depth(), sizeof(typename T::value_type));
    put_count(out, elements.size());
    for (const auto& element : elements) {
      if constexpr (shape::Map<T>) {
        codec::put(out, element.first);
        codec::put(out, element.second);
      } else {
        codec::put(out, element);
      }
    }
  }

  static T get(Reader& in) {
    const Depth::Level level(in.depth(), sizeof(typename T::value_type));
    std::size_t count =
        in.take_count(shape::least_bytes_together(typename shape::PartsOf<T>::type{}));
    T elements;
    if constexpr (requires { elements.reserve(count); }) elements.reserve(count);
    for (; count != 0; --count) {
      Key key = codec::get<Key>(in);
      if constexpr (shape::Map<T>) {
        elements.emplace_hint(elements.end(), std::move(key),
                              codec::get<typename T::mapped_type>(in));
      } else {
        elements.emplace_hint(elements.end(), std::move(key));
      }
    }
    return elements;
  }
};

template <typename T>
struct Codec<T, Way::valarray> {
  using Element = typename T::value_type;

  static void put(Writer& out, const T& elements) {
    put_count(out, elements.size());
    for (std::size_t i = 0; i < elements.size(); ++i) codec::put(out, elements[i]);
  }

  static T get(Reader& in) {
    const std::size_t count = in.take_count(shape::least_bytes_of<Element>);
    T elements(count);
    for (std::size_t i = 0; i < count; ++i) get_into(in, elements[i]);
    return elements;
  }
};

template <typename T>
struct Codec<T, Way::adapter> {
  using Container = typename T::container_type;

  // Reaches the container, which adapters keep from all but their children.
  struct Child : T {
    static const Container& of(const T& adapter) { return adapter.*(&Child::c); }
  };

  static void put(Writer& out, const T& adapter) { codec::put(out, Child::of(adapter)); }

  static T get(Reader& in) {
    if constexpr (requires { typename T::value_compare; }) {
      // Makes the heap anew: the bytes are not believed to be one.
      return T(typename T::value_compare{}, codec::get<Container>(in));
    } else {
      return T(codec::get<Container>(in));
    }
  }
};

}  // namespace brood::wire::codec
