// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <brood/base/export.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

namespace brood::detail {

// Bytes that were written once, sealed, and are mapped by whoever reads them. The
// kernel counts the readers: the memory is free when the last of them has let go
// or died.
//
// Safety: from many threads at once.
class BROOD_EXPORT SharedBlock {
 public:
  // `fill` writes the bytes, which are zeros before, and after that nobody can.
  // Throws: SystemError where the kernel grants no memory; what `fill` throws.
  static std::shared_ptr<SharedBlock> make(std::size_t size,
                                           const std::function<void(std::span<std::byte>)>& fill);

  // As a message says it. Where its sink keeps things for its reader (a task's
  // arguments) that's a reference, however large the block; elsewhere (an answer,
  // whose writer may be gone when it's read) a copy.
  static void put(wire::Writer& out, const std::shared_ptr<SharedBlock>& block);
  // Throws: ShipError for bytes that are none, and when the block is gone.
  static std::shared_ptr<SharedBlock> get(wire::Reader& in);

  virtual std::span<const std::byte> bytes() const noexcept = 0;

  // What the bytes mean, made at the first asking and kept. `Value` is the same at
  // each asking.
  template <typename Value, typename Make>
  const Value& value(const Make& make) {
    return *static_cast<const Value*>(
        value_or([&make] { return std::static_pointer_cast<const void>(make()); }));
  }

  SharedBlock(const SharedBlock&) = delete;
  SharedBlock& operator=(const SharedBlock&) = delete;
  virtual ~SharedBlock();

 protected:
  SharedBlock() = default;

 private:
  virtual const void* value_or(const std::function<std::shared_ptr<const void>()>& make) = 0;
};

[[noreturn]] BROOD_EXPORT void throw_empty_share();

}  // namespace brood::detail
