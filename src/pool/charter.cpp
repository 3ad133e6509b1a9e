// SPDX-License-Identifier: MIT
#include "pool/charter.hpp"

#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

#include "os/memory.hpp"

namespace brood::detail {
namespace {

template <typename Number>
void put(wire::Writer& out, Number number) {
  out.write(&number, sizeof number);
}

template <typename Number>
Number take(wire::Reader& in) {
  Number number{};
  in.read(&number, sizeof number);
  return number;
}

void put_bytes(wire::Writer& out, std::span<const std::byte> bytes) {
  put<std::uint64_t>(out, bytes.size());
  out.write(bytes.data(), bytes.size());
}

std::span<const std::byte> take_bytes(wire::Reader& in) {
  const auto size = static_cast<std::size_t>(take<std::uint64_t>(in));
  return {in.take(size), size};
}

void put_errand(wire::Writer& out, const Charter::Errand& errand) {
  put<std::uint64_t>(out, errand.given ? 1 : 0);
  put_bytes(out, errand.bytes);
}

Charter::Errand take_errand(wire::Reader& in) {
  Charter::Errand errand;
  errand.given = take<std::uint64_t>(in) != 0;
  const auto bytes = take_bytes(in);
  errand.bytes.assign(bytes.begin(), bytes.end());
  return errand;
}

template <typename Number>
void put_optional(wire::Writer& out, const std::optional<Number>& number) {
  put<std::uint64_t>(out, number ? 1 : 0);
  put(out, number.value_or(0));
}

template <typename Number>
std::optional<Number> take_optional(wire::Reader& in) {
  const bool given = take<std::uint64_t>(in) != 0;
  const auto number = take<Number>(in);
  return given ? std::optional(number) : std::nullopt;
}

void put_place(wire::Writer& out, const os::Place& place) {
  put<std::uint64_t>(out, place.cpus.size());
  out.write(place.cpus.data(), place.cpus.size() * sizeof(unsigned));
  put_optional(out, place.node);
}

os::Place take_place(wire::Reader& in) {
  os::Place place;
  place.cpus.resize(in.take_count(sizeof(unsigned)));
  in.read(place.cpus.data(), place.cpus.size() * sizeof(unsigned));
  place.node = take_optional<unsigned>(in);
  return place;
}

}  // namespace

os::UniqueFd Charter::to_memory() const {
  wire::Buffer out;
  put_bytes(out, std::as_bytes(std::span(pool_name)));
  put(out, memory_limit);
  put(out, most_items);
  put(out, share);
  put<std::uint64_t>(out, places.size());
  for (const os::Place& place : places) put_place(out, place);
  put_optional(out, niceness);
  put_errand(out, initializer);
  put_errand(out, preload);
  return os::copy_to_memory("brood-charter", {out.data(), out.size()});
}

Charter Charter::from_memory(int fd) {
  // As a rule it's short, and each newborn reads it: a mapping takes longer than a copy.
  std::array<std::byte, 1024> copy;
  const std::size_t size = os::memory_size(fd);
  const bool is_short = size <= copy.size();
  const os::Mapping memory = is_short ? os::Mapping() : os::map_read_only(fd, size);
  if (is_short) os::read_memory(fd, std::span(copy).first(size));
  wire::Reader in(is_short ? std::span<const std::byte>(copy).first(size) : memory.bytes());
  Charter charter;
  const auto name = take_bytes(in);
  charter.pool_name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  charter.memory_limit = take<std::uint64_t>(in);
  charter.most_items = take<std::uint64_t>(in);
  charter.share = take<std::uint64_t>(in);
  const std::size_t places = in.take_count(sizeof(std::uint64_t));
  for (std::size_t i = 0; i < places; ++i) charter.places.push_back(take_place(in));
  charter.niceness = take_optional<int>(in);
  charter.initializer = take_errand(in);
  charter.preload = take_errand(in);
  return charter;
}

}  // namespace brood::detail
