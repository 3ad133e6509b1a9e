// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <brood/base/export.hpp>
#include <brood/wire/depth.hpp>

namespace brood::wire {

class InArchive;

// What came along with a message's bytes: memory that is sealed, or null where what came
// is not. What's in it is for one taker.
using Enclosed = std::vector<std::shared_ptr<void>>;

// Takes a message apart, front to back. The bytes may come from a worker that
// died while it wrote them or wrote over them, so nothing in them is believed:
// every step checks what is left and throws ShipError. They must not change while
// they are read, except for a type that is_copied_in_runs.
//
// Safety: one thread.
class BROOD_EXPORT Reader {
 public:
  // Refers to the bytes, which outlive the reader and what is taken in place, and to
  // what came along with them, if anything did.
  explicit Reader(std::span<const std::byte> bytes, const Enclosed* enclosed = nullptr) noexcept
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), enclosed_(enclosed) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void read(void* to, std::size_t size) {
    const std::byte* from = take(size);
    if (size != 0) std::memcpy(to, from, size);  // memcpy takes no null pointer, even for nothing
  }

  // Skips the padding that Writer::align wrote.
  void align(std::size_t alignment) { take((0 - position()) & (alignment - 1)); }

  // The next bytes, where they lie.
  const std::byte* take(std::size_t size) {
    if (size > left()) [[unlikely]]
      throw_short(size);
    const std::byte* taken = at_;
    at_ += size;
    return taken;
  }

  // A number of elements, refused if the bytes left can't hold that many. So a
  // caller may make room for them at once.
  // Requires: least_bytes_each > 0.
  std::size_t take_count(std::size_t least_bytes_each) {
    std::uint64_t count = 0;
    read(&count, sizeof count);
    asm("" : "+r"(count));  // not to be read again where it may have changed
    if (count > left() / least_bytes_each) [[unlikely]]
      throw_too_many(count);
    return static_cast<std::size_t>(count);
  }

  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  bool at_end() const noexcept { return at_ == end_; }
  std::size_t position() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

  // What Writer::enclose sent; null where nothing such came.
  std::shared_ptr<void> enclosed(std::uint32_t place) const noexcept {
    return enclosed_ && place < enclosed_->size() ? (*enclosed_)[place] : nullptr;
  }

  // How deeply the value that is being read is nested.
  Depth& depth() noexcept { return depth_; }

  // The serialization archive that stands on this reader while a value with a
  // user's own hook is read, else null.
  InArchive* archive() const noexcept { return archive_; }
  void set_archive(InArchive* archive) noexcept { archive_ = archive; }

 private:
  [[noreturn]] void throw_short(std::size_t needed) const;
  [[noreturn]] void throw_too_many(std::uint64_t count) const;

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  const Enclosed* enclosed_;
  Depth depth_;
  InArchive* archive_ = nullptr;
};

// Throws ShipError: "cannot decode <what>: <reason>".
[[noreturn]] BROOD_EXPORT void throw_undecodable(const std::string& what, const char* reason);

}  // namespace brood::wire
