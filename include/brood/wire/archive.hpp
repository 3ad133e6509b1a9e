// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <cereal/cereal.hpp>

#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

// cereal's archives over a message. They serve the types that their users taught
// cereal: serialize, save and load, save_minimal and load_minimal, members or not,
// private ones too. What such a function hands to the archive goes brood's own
// way wherever brood knows the type, whichever of cereal's headers a translation
// unit has seen, so all of them write the same bytes.
namespace brood::wire {

class OutArchive : public cereal::OutputArchive<OutArchive, cereal::AllowEmptyClassElision> {
  using Base = cereal::OutputArchive<OutArchive, cereal::AllowEmptyClassElision>;

 public:
  // Stands on the writer as long as it lives.
  explicit OutArchive(Writer& out) : Base(this), out_(out) { out.set_archive(this); }
  ~OutArchive() { out_.set_archive(nullptr); }
  OutArchive(const OutArchive&) = delete;
  OutArchive& operator=(const OutArchive&) = delete;

  template <typename... T>
  OutArchive& operator()(T&&... values) {
    (put(values), ...);
    return *this;
  }
  template <typename T>
  OutArchive& operator&(T&& value) {
    return (*this)(value);
  }
  template <typename T>
  OutArchive& operator<<(T&& value) {
    return (*this)(value);
  }

  // By the function that cereal finds for it.
  template <typename T>
  void put_by_hook(const T& value) {
    Base::operator()(value);
  }

  Writer& out() noexcept { return out_; }

 private:
  template <typename T>
  void put(const T& value);
  template <typename T>
  void put(const cereal::NameValuePair<T>& named) {
    put(named.value);
  }
  template <typename T>
  void put(const cereal::base_class<T>& base) {
    put(*base.base_ptr);
  }

  Writer& out_;
};

class InArchive : public cereal::InputArchive<InArchive, cereal::AllowEmptyClassElision> {
  using Base = cereal::InputArchive<InArchive, cereal::AllowEmptyClassElision>;

 public:
  // Stands on the reader as long as it lives.
  explicit InArchive(Reader& in) : Base(this), in_(in) { in.set_archive(this); }
  ~InArchive() { in_.set_archive(nullptr); }
  InArchive(const InArchive&) = delete;
  InArchive& operator=(const InArchive&) = delete;

  template <typename... T>
  InArchive& operator()(T&&... values) {
    (get(values), ...);
    return *this;
  }
  template <typename T>
  InArchive& operator&(T&& value) {
    return (*this)(value);
  }
  template <typename T>
  InArchive& operator>>(T&& value) {
    return (*this)(value);
  }

  template <typename T>
  void get_by_hook(T& value) {
    Base::operator()(value);
  }

  Reader& in() noexcept { return in_; }

 private:
  template <typename T>
  void get(T& value);
  template <typename T>
  void get(cereal::NameValuePair<T>& named) {
    get(named.value);
  }
  template <typename T>
  void get(cereal::base_class<T>& base) {
    get(*base.base_ptr);
  }

  Reader& in_;
};

// What cereal itself asks of an archive.
template <typename T>
  requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(OutArchive& archive, const T& number) {
  archive.out().write(&number, sizeof number);
}
template <typename T>
  requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(InArchive& archive, T& number) {
  archive(number);
}

inline void CEREAL_SAVE_FUNCTION_NAME(OutArchive& archive, const std::string& text) {
  archive(text);
}
inline void CEREAL_LOAD_FUNCTION_NAME(InArchive& archive, std::string& text) { archive(text); }

template <typename T>
void CEREAL_SAVE_FUNCTION_NAME(OutArchive& archive, const cereal::NameValuePair<T>& named) {
  archive(named);
}
template <typename T>
void CEREAL_LOAD_FUNCTION_NAME(InArchive& archive, cereal::NameValuePair<T>& named) {
  archive(named);
}

template <typename T>
void CEREAL_SAVE_FUNCTION_NAME(OutArchive& archive, const cereal::SizeTag<T>& tag) {
  const auto size = static_cast<std::uint64_t>(tag.size);
  archive.out().write(&size, sizeof size);
}
// A container is resized to this at once, so more than a byte each can't be true.
template <typename T>
void CEREAL_LOAD_FUNCTION_NAME(InArchive& archive, cereal::SizeTag<T>& tag) {
  tag.size = static_cast<std::decay_t<decltype(tag.size)>>(archive.in().take_count(1));
}

template <typename T>
void CEREAL_SAVE_FUNCTION_NAME(OutArchive& archive, const cereal::BinaryData<T>& data) {
  archive.out().write(data.data, static_cast<std::size_t>(data.size));
}
template <typename T>
void CEREAL_LOAD_FUNCTION_NAME(InArchive& archive, cereal::BinaryData<T>& data) {
  archive.in().read(data.data, static_cast<std::size_t>(data.size));
}

namespace shape {

// The user has taught cereal to write T, and to read it again.
template <typename T>
inline constexpr bool has_save = cereal::traits::is_output_serializable<T, OutArchive>::value;
template <typename T>
inline constexpr bool has_load = cereal::traits::is_input_serializable<T, InArchive>::value;

}  // namespace shape
}  // namespace brood::wire

CEREAL_REGISTER_ARCHIVE(brood::wire::OutArchive)
CEREAL_REGISTER_ARCHIVE(brood::wire::InArchive)
CEREAL_SETUP_ARCHIVE_TRAITS(brood::wire::InArchive, brood::wire::OutArchive)
