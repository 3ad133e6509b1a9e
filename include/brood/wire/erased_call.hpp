// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/base/export.hpp>
#include <brood/wire/call_type.hpp>
#include <brood/wire/callable.hpp>
#include <brood/wire/code_ref.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

namespace brood::wire {

// A callable without parameters, of whatever type, as bytes: what it was when it
// was made. Made of anything that may travel, brood::task(f, values...) included;
// or of brood::local(f), which is kept as it is and works in this process only.
// Empty by default.
//
// Throws, when it's made: ShipError for a capture that can't travel.
class ErasedCall {
 public:
  ErasedCall() noexcept = default;

  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, ErasedCall>)
  ErasedCall(F&& f) {  // NOLINT: meant to convert
    using Callable = std::decay_t<F>;
    if constexpr (is_local_v<Callable>) {
      if constexpr (require_callable<Callable>()) {
        // Shared, so that what can't be copied may be local too.
        auto kept = std::make_shared<Callable>(std::forward<F>(f));
        local_ = [kept] { std::invoke(*kept); };
      }
    } else if constexpr (require_shippable_callable<Callable>()) {
      if constexpr (require_callable<Callable>()) {
        Buffer bytes;
        bytes.keep_in(&kept_);
        ship_code(bytes, reinterpret_cast<const void*>(&decode_and_call<Callable>));
        bytes.align(16);
        encode_callable<Callable>(bytes, f);
        bytes_.assign(bytes.data(), bytes.data() + bytes.size());
      }
    }
  }

  explicit operator bool() const noexcept { return local_ || !bytes_.empty(); }
  bool is_local() const noexcept { return static_cast<bool>(local_); }
  // Requires: is_local().
  void call_local() const { local_(); }

  // Requires: not empty, not is_local().
  std::span<const std::byte> encoded() const noexcept { return bytes_; }
  // Must stay until it's been run for the last time.
  const Kept& kept() const noexcept { return kept_; }

  // The call, here or in another process of the same program. What it throws goes
  // through.
  static void run(std::span<const std::byte> encoded) {
    Reader in(encoded);
    const auto call = reinterpret_cast<void (*)(Reader&)>(const_cast<void*>(take_code(in)));
    in.align(16);
    call(in);
  }

 private:
  template <typename Callable>
  static void decode_and_call(Reader& in) {
    Callable f = decode_callable<Callable>(in);
    // Called once, so what is bound need not be such as can be copied.
    if constexpr (callable_kind_v<Callable> == CallableKind::task) {
      std::move(f).run();
    } else {
      static_cast<void>(std::invoke(f));
    }
  }

  std::vector<std::byte> bytes_;
  Kept kept_;
  std::function<void()> local_;
};

}  // namespace brood::wire
