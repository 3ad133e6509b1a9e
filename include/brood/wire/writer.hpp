// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <brood/base/export.hpp>
#include <brood/wire/depth.hpp>

namespace brood::wire {

class OutArchive;

// What a message refers to beside its bytes, kept alive until it has been read.
using Kept = std::vector<std::shared_ptr<const void>>;

// Where the bytes of a message go. What fits is one memcpy; only what does not
// fit reaches the virtual call, so a sink decides where more room comes from (a
// heap, a larger block of a lane) without a cost per value.
//
// Safety: one thread. A message is written once, front to back.
class BROOD_EXPORT Writer {
 public:
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write(const void* from, std::size_t size) {
    std::byte* to = reserve(size);
    if (size != 0) std::memcpy(to, from, size);  // memcpy takes no null pointer, even for nothing
  }

  // Zeros up to the next multiple, counted from the message's first byte.
  // Requires: a power of two.
  void align(std::size_t alignment) {
    const std::size_t padding = (0 - size()) & (alignment - 1);
    if (padding != 0) std::memset(reserve(padding), 0, padding);
  }

  // Room that the caller fills before it writes again; counts as written.
  std::byte* reserve(std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - at_)) [[unlikely]]
      make_room(size);
    std::byte* room = at_;
    at_ += size;
    return room;
  }

  bool has_room(std::size_t size) const noexcept {
    return size <= static_cast<std::size_t>(end_ - at_);
  }

  // Bytes written so far.
  std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

  // How deeply the value that is being written is nested.
  Depth& depth() noexcept { return depth_; }

  // Keeps a thing for the message's reader, so that a reference to it will do.
  // False where nobody would, as in an answer: then the thing itself must be
  // written.
  bool keep(std::shared_ptr<const void> thing) {
    if (!kept_) return false;
    kept_->push_back(std::move(thing));
    return true;
  }
  // Where such things go; null: nowhere.
  void keep_in(Kept* kept) noexcept { kept_ = kept; }

  // Sends memory along with the bytes, by its descriptor, which stays open while the owner
  // lives. Its place among what is sent so, for Reader::enclosed; nothing where no more
  // can be: then the bytes themselves must be written.
  virtual std::optional<std::uint32_t> enclose(int descriptor, std::shared_ptr<const void> owner);

  // The serialization archive that stands on this writer while a value with a
  // user's own hook is written, else null. It owns what such hooks share.
  OutArchive* archive() const noexcept { return archive_; }
  void set_archive(OutArchive* archive) noexcept { archive_ = archive; }

 protected:
  Writer(std::byte* begin, std::byte* end) noexcept : begin_(begin), at_(begin), end_(end) {}
  ~Writer() = default;

  // Afterwards end_ - at_ >= more, with the bytes written so far at begin_, which
  // may have moved; or throws, and what was written so far is as it was.
  virtual void make_room(std::size_t more) = 0;

  std::byte* begin_;
  std::byte* at_;
  std::byte* end_;

 private:
  Depth depth_;
  OutArchive* archive_ = nullptr;
  Kept* kept_ = nullptr;
};

// Gives back what a Buffer was written into.
struct Free {
  BROOD_EXPORT void operator()(std::byte* bytes) const noexcept;
};

// A message that has left its Buffer. Aligned as any scalar needs.
struct Block {
  std::unique_ptr<std::byte[], Free> bytes;
  std::size_t size = 0;

  std::span<const std::byte> view() const noexcept { return {bytes.get(), size}; }
};

// A message on the heap, which grows as it is written. Its first byte is aligned
// as any scalar needs (16 bytes), so it can be read in place.
class BROOD_EXPORT Buffer final : public Writer {
 public:
  Buffer() noexcept : Writer(nullptr, nullptr) {}
  explicit Buffer(std::size_t capacity);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  const std::byte* data() const noexcept { return begin_; }
  std::byte* data() noexcept { return begin_; }
  std::span<const std::byte> view() const noexcept { return {begin_, size()}; }

  // Forgets the bytes, keeps the room of a message that was not large and shared.
  void clear() noexcept;

  // Whether a large message had better lie in shared memory, of which there is not much:
  // one that goes to a worker as it is.
  void prefer_shared(bool wanted) noexcept { prefers_shared_ = wanted; }

  // The bytes, to their new owner; the buffer is then empty and without room.
  Block release() noexcept;

 private:
  void make_room(std::size_t more) override;
  void move_to(std::byte* room, std::size_t size) noexcept;

  bool prefers_shared_ = false;
  bool is_shared_ = false;
};

}  // namespace brood::wire
