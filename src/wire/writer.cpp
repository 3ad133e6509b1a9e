// SPDX-License-Identifier: MIT
#include <brood/wire/writer.hpp>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/base/large_memory.hpp>

namespace brood::wire {

void throw_too_deep() {
  throw ShipError("cannot ship a value: it is nested more than " + std::to_string(deepest) +
                  " levels deep, which would exhaust the stack; pass a flat form of it, such as a "
                  "vector of nodes that refer to each other by index");
}

std::optional<std::uint32_t> Writer::enclose(int, std::shared_ptr<const void>) {
  return std::nullopt;
}

Buffer::Buffer(std::size_t capacity) : Buffer() {
  if (capacity != 0) make_room(capacity);
}

Buffer::Buffer(Buffer&& other) noexcept : Buffer() { *this = std::move(other); }

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(at_, other.at_);
  std::swap(end_, other.end_);
  return *this;
}

Buffer::~Buffer() { std::free(begin_); }

Block Buffer::release() noexcept {
  const std::size_t written = size();
  std::byte* bytes = std::exchange(begin_, nullptr);
  at_ = end_ = nullptr;
  return {std::unique_ptr<std::byte[], Free>{bytes}, written};
}

void Buffer::make_room(std::size_t more) {
  constexpr std::size_t least = 256;
  const std::size_t written = size();
  const auto capacity = static_cast<std::size_t>(end_ - begin_);
  if (more > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - written) {
    throw std::bad_alloc{};
  }
  const std::size_t wanted = std::max({least, written + more, capacity + capacity / 2});
  auto* moved = static_cast<std::byte*>(std::realloc(begin_, wanted));
  if (moved == nullptr) throw std::bad_alloc{};
  brood::detail::expect_to_be_filled(moved + written, wanted - written);
  begin_ = moved;
  at_ = moved + written;
  end_ = moved + wanted;
}

}  // namespace brood::wire
