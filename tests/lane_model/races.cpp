// SPDX-License-Identifier: MIT
#include "races.hpp"

#include <algorithm>

namespace brood::model {
namespace {

constexpr bool acquires(std::memory_order order) noexcept {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}
constexpr bool releases(std::memory_order order) noexcept {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

Races the_races;

}  // namespace

Races& races() noexcept { return the_races; }

void Races::reset() noexcept {
  ++life_;
  for (std::size_t i = 0; i < most_fibers; ++i) {
    seen_[i] = {};
    seen_[i][i] = 1;
  }
}

void Races::join(Clock& into, const Clock& from) noexcept {
  for (std::size_t i = 0; i < most_fibers; ++i) into[i] = std::max(into[i], from[i]);
}

void Races::spawned(unsigned parent, unsigned child) noexcept {
  if (parent >= most_fibers) return;
  join(seen_[child], seen_[parent]);
  ++seen_[parent][parent];
}

void Races::buried(unsigned dead) noexcept { join(mine(), seen_[dead]); }

Races::Cell& Races::cell(std::uintptr_t key) noexcept {
  const std::size_t mask = cells_.size() - 1;
  for (std::size_t at = (key * 0x9e3779b97f4a7c15 >> 40) & mask;; at = (at + 1) & mask) {
    Cell& found = cells_[at];
    if (found.life == life_ && found.key == key) return found;
    if (found.life == life_) continue;
    found = Cell();
    found.key = key;
    found.life = life_;
    return found;
  }
}

void Races::loaded(const void* word, std::memory_order order) noexcept {
  const Cell& at = cell(reinterpret_cast<std::uintptr_t>(word));
  if (acquires(order) && at.released) join(mine(), at.release);
}

void Races::stored(const void* word, std::memory_order order) noexcept {
  Cell& at = cell(reinterpret_cast<std::uintptr_t>(word));
  at.released = releases(order);
  if (!at.released) return;
  at.release = mine();
  ++mine()[explorer().running()];
}

void Races::exchanged(const void* word, std::memory_order order) noexcept {
  loaded(word, order);
  if (!releases(order)) return;  // goes on with the release that it replaces
  Cell& at = cell(reinterpret_cast<std::uintptr_t>(word));
  if (!at.released) at.release = {};
  at.released = true;
  join(at.release, mine());
  ++mine()[explorer().running()];
}

// Plain memory is looked at in pieces of four bytes, by keys that are odd, which
// words have not.
template <typename Visit>
bool Races::visit(const void* begin, std::size_t size, Visit visit) noexcept {
  const auto first = reinterpret_cast<std::uintptr_t>(begin) / 4;
  const auto last = (reinterpret_cast<std::uintptr_t>(begin) + size - 1) / 4;
  bool race = false;
  for (auto at = first; at <= last; ++at) race |= visit(cell(4 * at + 1));
  return race;
}

bool Races::read(const void* begin, std::size_t size) noexcept {
  const unsigned self = explorer().running();
  return visit(begin, size, [&](Cell& at) {
    at.read_at[self] = mine()[self];
    return at.writer < most_fibers && at.written_at > mine()[at.writer];
  });
}

bool Races::written(const void* begin, std::size_t size) noexcept {
  const unsigned self = explorer().running();
  return visit(begin, size, [&](Cell& at) {
    bool race = at.writer < most_fibers && at.written_at > mine()[at.writer];
    for (std::size_t i = 0; i < most_fibers; ++i) race |= at.read_at[i] > mine()[i];
    at.writer = static_cast<std::uint8_t>(self);
    at.written_at = mine()[self];
    return race;
  });
}

}  // namespace brood::model
