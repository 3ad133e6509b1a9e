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

// Where few bytes are put: in memory that others can open by its name, or in this process's
// own, aligned as usual, so that they travel as bytes.
enum class Small : std::uint8_t { shared, here };

struct Making {
  Small small = Small::shared;
  bool is_view = false;    // a worker may use its memory again when its readers have let go
  bool from_zeros = true;  // what is filled
};

// Bytes that were written once. Large ones are sealed, and mapped by whoever reads
// them. The kernel counts the readers: the memory is free when the last of them has
// let go or died.
//
// Safety: from many threads at once.
class BROOD_EXPORT SharedBlock {
 public:
  // `fill` writes the bytes, and after that nobody can.
  // Throws: SystemError where the kernel grants no memory; what `fill` throws.
  static std::shared_ptr<SharedBlock> make(std::size_t size,
                                           const std::function<void(std::span<std::byte>)>& fill,
                                           const Making& making = {});
  static std::shared_ptr<SharedBlock> copy_of(std::span<const std::byte> bytes,
                                              const Making& making);
  // Memory of this process's own, aligned as usual, which nobody changes while `owner`
  // lives. Large, it's copied once it goes to another process.
  static std::shared_ptr<SharedBlock> of(std::span<const std::byte> bytes,
                                         std::shared_ptr<const void> owner);

  // As a message says it. Where its sink keeps things for its reader (a task's
  // arguments) that's a reference, however large the block. In an answer, whose writer
  // may be gone when it's read, the memory goes along if it's large and the message can
  // take it; else a copy.
  static void put(wire::Writer& out, const std::shared_ptr<SharedBlock>& block);
  // Throws: ShipError for bytes that are none, when the block is gone, and for memory
  // that somebody could still change; or, `from_lender`, somebody but the process that
  // filled it, which only reads it now.
  static std::shared_ptr<SharedBlock> get(wire::Reader& in, bool from_lender = false);

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
[[noreturn]] BROOD_EXPORT void throw_wrong_share();

}  // namespace brood::detail
