// SPDX-License-Identifier: MIT
#include <brood/wire/writer.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/base/large_memory.hpp>

#include "base/large_blocks.hpp"

namespace brood::wire {
namespace {

// What is more than half of a lane's arena lies in memory of its own.
constexpr std::size_t worth_sharing = std::size_t{512} << 10;

}  // namespace

void throw_too_deep() {
  throw ShipError("cannot ship a value: it is nested more than " + std::to_string(deepest) +
                  " levels deep, which would exhaust the stack; pass a flat form of it, such as a "
                  "vector of nodes that refer to each other by index");
}

std::optional<std::uint32_t> Writer::enclose(int, std::shared_ptr<const void>) {
  return std::nullopt;
}

void Free::operator()(std::byte* bytes) const noexcept {
  if (!base::give_back_large_block(bytes)) std::free(bytes);
}

Buffer::Buffer(std::size_t capacity) : Buffer() {
  if (capacity != 0) make_room(capacity);
}

Buffer::Buffer(Buffer&& other) noexcept : Buffer() { *this = std::move(other); }

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(at_, other.at_);
  std::swap(end_, other.end_);
  std::swap(prefers_shared_, other.prefers_shared_);
  std::swap(is_shared_, other.is_shared_);
  return *this;
}

Buffer::~Buffer() { Free()(begin_); }

Block Buffer::release() noexcept {
  const std::size_t written = size();
  std::byte* bytes = std::exchange(begin_, nullptr);
  at_ = end_ = nullptr;
  is_shared_ = false;
  return {std::unique_ptr<std::byte[], Free>{bytes}, written};
}

void Buffer::clear() noexcept {
  if (is_shared_) [[unlikely]]
    release();
  at_ = begin_;
}

void Buffer::make_room(std::size_t more) {
  constexpr std::size_t least = 256;
  const std::size_t written = size();
  const auto capacity = static_cast<std::size_t>(end_ - begin_);
  if (more > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - written) {
    throw std::bad_alloc{};
  }
  const std::size_t wanted = std::max({least, written + more, capacity + capacity / 2});
  if (prefers_shared_ && wanted >= worth_sharing) {
    if (const base::LargeBlock block = base::take_large_block(wanted); block.begin) {
      move_to(block.begin, block.size);
      is_shared_ = true;
      return;
    }
  }
  const bool moves = is_shared_;
  auto* const room =
      static_cast<std::byte*>(moves ? std::malloc(wanted) : std::realloc(begin_, wanted));
  if (room == nullptr) throw std::bad_alloc{};
  brood::detail::expect_to_be_filled(room + written, wanted - written);
  if (moves) return move_to(room, wanted);
  begin_ = room;
  at_ = room + written;
  end_ = room + wanted;
}

void Buffer::move_to(std::byte* room, std::size_t size) noexcept {
  const auto written = static_cast<std::size_t>(at_ - begin_);
  if (written != 0) std::memcpy(room, begin_, written);
  Free()(begin_);
  begin_ = room;
  at_ = room + written;
  end_ = room + size;
  is_shared_ = false;
}

}  // namespace brood::wire
