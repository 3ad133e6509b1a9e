// SPDX-License-Identifier: MIT
#include "lane/answer_writer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <brood/base/kill_point.hpp>

#include "lane/layout.hpp"

namespace brood::lane {
namespace {

using detail::kill_point;
using detail::KillPoint;

}  // namespace

AnswerMemory AnswerStore::take_unused() noexcept {
  // Pairs with the release in ParentEnd::release: the program is done with its reading.
  const std::uint64_t taken = taken_.load(std::memory_order_acquire);
  for (AnswerMemory& kept : kept_) {
    if (kept && kept.position <= taken) return std::move(kept);
  }
  return {};
}

void AnswerStore::keep(AnswerMemory memory) noexcept {
  const auto place = std::min_element(
      kept_.begin(), kept_.end(),
      [](const AnswerMemory& a, const AnswerMemory& b) { return a.position < b.position; });
  *place = std::move(memory);
}

bool AnswerStore::is_empty() const noexcept {
  return std::none_of(kept_.begin(), kept_.end(), [](const auto& kept) { return bool(kept); });
}

// Survives: death while it's filled. It holds nothing that the program has yet to read.
void AnswerWriter::make_room(std::size_t more) {
  const std::size_t begin = overflowed_ || !value_begin_ ? 0 : *value_begin_;
  const std::size_t have = size() - begin;
  const std::size_t wanted = std::max({have + more, 2 * have, std::size_t{64} << 10});
  const bool grows = overflowed_ && !memory_.is_sealed;
  AnswerMemory larger;
  if (!overflowed_ && store_) larger = store_->take_unused();
  if (larger.mapping.size() < wanted) larger = memory_of(wanted, grows);
  // The same pages when it grows; the item's first bytes when it moves.
  if (!grows && have != 0) std::memcpy(larger.mapping.data(), begin_ + begin, have);
  memory_ = std::move(larger);
  begin_ = memory_.mapping.data();
  at_ = begin_ + have;
  end_ = begin_ + memory_.mapping.size();
  overflowed_ = goes_apart_ = true;
  kill_point(KillPoint::overflow_moved);
}

// Fresh, or the present one made larger.
AnswerMemory AnswerWriter::memory_of(std::size_t size, bool grows) {
  AnswerMemory made;
  made.memory = grows ? std::move(memory_.memory) : os::make_growing_memory("brood-answer");
  kill_point(KillPoint::overflow_memory_made);
  os::resize_memory(made.memory.get(), size);
  kill_point(KillPoint::overflow_grown);
  made.mapping = os::map_shared(made.memory.get(), size);
  made.mapping.not_in_forks();
  return made;
}

std::optional<std::uint32_t> AnswerWriter::enclose(int descriptor,
                                                   std::shared_ptr<const void> owner) {
  if (enclosed_.size() == most_enclosed) return std::nullopt;
  owners_.push_back(std::move(owner));
  enclosed_.push_back(descriptor);
  goes_apart_ = true;
  return static_cast<std::uint32_t>(enclosed_.size() - 1);
}

AnswerMemory AnswerWriter::take_overflow() {
  AnswerMemory taken = std::move(memory_);
  if (!store_ || taken.mapping.size() > largest_kept) taken.mapping = os::Mapping();
  if (!taken.is_sealed) os::seal_contents(taken.memory.get());
  taken.is_sealed = true;
  kill_point(KillPoint::overflow_sealed);
  return taken;
}

}  // namespace brood::lane
