// SPDX-License-Identifier: MIT
#include "os/own_descriptors.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstddef>

namespace brood::os {
namespace {

using Word = std::uint64_t;
constexpr std::size_t word_bits = 64;
constexpr std::size_t most_descriptors = std::size_t{1} << 16;

// Zero initialised, so it's there before any constructor runs.
constinit std::array<std::atomic<Word>, most_descriptors / word_bits> notes{};
// How many words, from the first, ever held a note: a newborn reads no page beyond them.
constinit std::atomic<std::size_t> used_words{0};

bool has_note(int fd) noexcept {
  return fd >= 0 && static_cast<std::size_t>(fd) < most_descriptors;
}

std::atomic<Word>& word_of(int fd) noexcept {
  return notes[static_cast<std::size_t>(fd) / word_bits];
}
std::span<std::atomic<Word>> words_in_use() noexcept {
  return std::span(notes).first(used_words.load(std::memory_order_relaxed));
}
Word bit_of(int fd) noexcept { return Word{1} << (static_cast<std::size_t>(fd) % word_bits); }

}  // namespace

void note_own_descriptor(int fd) noexcept {
  if (!has_note(fd)) return;
  const std::size_t wanted = static_cast<std::size_t>(fd) / word_bits + 1;
  std::size_t used = used_words.load(std::memory_order_relaxed);
  while (used < wanted && !used_words.compare_exchange_weak(used, wanted)) {
  }
  word_of(fd).fetch_or(bit_of(fd), std::memory_order_relaxed);
}

void forget_own_descriptor(int fd) noexcept {
  if (has_note(fd)) word_of(fd).fetch_and(~bit_of(fd), std::memory_order_relaxed);
}

void note_only(std::span<const int> kept) noexcept {
  for (auto& word : words_in_use()) word.store(0, std::memory_order_relaxed);
  for (const int fd : kept) note_own_descriptor(fd);
}

void sweep_own_descriptors() noexcept {
  descriptor_sweeps.fetch_add(1, std::memory_order_relaxed);
  close_own_descriptors_except({});
}

void close_own_descriptors_except(std::span<const int> kept) noexcept {
  for (const int fd : kept) forget_own_descriptor(fd);
  const std::span words = words_in_use();
  for (std::size_t place = 0; place < words.size(); ++place) {
    Word word = words[place].exchange(0, std::memory_order_relaxed);
    for (; word != 0; word &= word - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(word));
      // Not ::close: ThreadSanitizer knows nothing of raw clones, and would take the
      // parent's threads for this one's.
      ::syscall(SYS_close, static_cast<int>(place * word_bits + bit));
    }
  }
  for (const int fd : kept) note_own_descriptor(fd);
}

}  // namespace brood::os
