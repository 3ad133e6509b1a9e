// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <brood/wire/writer.hpp>

#include "os/memory.hpp"
#include "os/unique_fd.hpp"

namespace brood::lane {

// Memory for a value that does not fit into its lane.
struct AnswerMemory {
  os::UniqueFd memory;
  os::Mapping mapping;
  bool is_sealed = false;      // it can't grow any more
  std::uint64_t position = 0;  // of the task whose value it holds

  explicit operator bool() const noexcept { return static_cast<bool>(mapping); }
};

// A worker's memory of large answers, kept for the next ones: fresh pages cost several
// times what writing to them does. The program has a copy of what was there before it's
// used again.
class AnswerStore {
 public:
  // `taken`: the latest task whose large answer the program has taken out.
  explicit AnswerStore(const std::atomic<std::uint64_t>& taken) noexcept : taken_(taken) {}

  // None, where each holds what the program has yet to take.
  AnswerMemory take_unused() noexcept;
  // In the place of an older one.
  void keep(AnswerMemory memory) noexcept;
  bool is_empty() const noexcept;
  void clear() noexcept { kept_ = {}; }

 private:
  const std::atomic<std::uint64_t>& taken_;
  // One that the program reads while the next is filled.
  std::array<AnswerMemory, 2> kept_;
};

// Where values go: into the answer area as long as they fit. The first that does
// not fit moves to memory of its own, whole.
class AnswerWriter final : public wire::Writer {
 public:
  // `store`: where memory may be found that was used before.
  explicit AnswerWriter(std::span<std::byte> area, AnswerStore* store = nullptr) noexcept
      : Writer(area.data(), area.data() + area.size()), store_(store) {}

  // Where the value now being written begins is kept there, by somebody else.
  void follow(const std::size_t& value_begin) noexcept { value_begin_ = &value_begin; }
  const bool* overflowed() const noexcept { return &overflowed_; }
  // Whether the value that was written can't lie with the others: it did not fit, or
  // memory goes along with it.
  const bool* goes_apart() const noexcept { return &goes_apart_; }
  // Of the value that goes apart.
  std::size_t apart_size() const noexcept {
    return overflowed_ || !value_begin_ ? size() : size() - *value_begin_;
  }
  // What goes along, open as long as this lives.
  const std::vector<int>& enclosed() const noexcept { return enclosed_; }

  // One message carries this many, and the value itself.
  static constexpr std::size_t most_enclosed = 15;
  std::optional<std::uint32_t> enclose(int descriptor, std::shared_ptr<const void> owner) override;

  // The item that did not fit, for the program: its memory can't be cut short. Without a
  // mapping where it's too large to be kept. Requires: overflowed.
  AnswerMemory take_overflow();

 private:
  void make_room(std::size_t more) override;
  AnswerMemory memory_of(std::size_t size, bool grows);

  AnswerStore* store_;
  const std::size_t* value_begin_ = nullptr;
  bool overflowed_ = false;
  bool goes_apart_ = false;
  AnswerMemory memory_;
  std::vector<int> enclosed_;
  std::vector<std::shared_ptr<const void>> owners_;
};

}  // namespace brood::lane
