// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "os/unique_fd.hpp"

namespace brood::os {

struct SealedMemory;

// Whoever lent memory, and may write to it again when it's back.
//
// Safety: from any thread.
class Lender {
 public:
  // With the number that the memory came with.
  virtual void take_back(SealedMemory memory, std::uint64_t ticket) noexcept = 0;

  Lender() = default;
  Lender(const Lender&) = delete;
  Lender& operator=(const Lender&) = delete;
  virtual ~Lender() = default;
};

// Whose memory is, and how many copies of this process there had been when it came: a
// later one may have it as well, so it can't be given back any more.
struct Loan {
  std::shared_ptr<Lender> lender;  // null: it's sealed for good
  std::uint32_t copies_before = 0;
};

// A range of mapped memory.
class Mapping {
 public:
  Mapping() noexcept = default;
  Mapping(Mapping&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    Mapping taken(std::move(other));
    std::swap(begin_, taken.begin_);
    std::swap(size_, taken.size_);
    return *this;
  }
  ~Mapping();

  std::byte* data() const noexcept { return begin_; }
  std::size_t size() const noexcept { return size_; }
  std::span<const std::byte> bytes() const noexcept { return {begin_, size_}; }
  explicit operator bool() const noexcept { return begin_ != nullptr; }
  // Whether it can serve for so much, and is not far too large for that.
  bool suits(std::size_t wanted) const noexcept {
    constexpr std::size_t most_waste = 8;
    return wanted <= size_ && size_ / most_waste <= wanted;
  }

  // Keeps a child of the program's own fork from having these pages, or not any more.
  void not_in_forks() const noexcept;
  void in_forks() const noexcept;
  // Whether this process may write there. Throws: SystemError.
  void let_write(bool wanted) const;
  // In a copy of the process that does not have it: something else may be there.
  void leave() noexcept { begin_ = nullptr; }
  // Keeps them out of core dumps.
  void not_in_dumps(std::size_t from) const noexcept;

 private:
  friend Mapping map_shared(int, std::size_t);
  friend Mapping map_read_only(int, std::size_t);
  friend Mapping map_private(std::size_t);
  Mapping(std::byte* begin, std::size_t size) noexcept : begin_(begin), size_(size) {}

  std::byte* begin_ = nullptr;
  std::size_t size_ = 0;
};

// Anonymous memory with a descriptor, that may be sealed and passed on. `name`
// is seen in /proc only. It can't be resized: nobody who holds it can make
// another's access fail.
UniqueFd make_memory(const char* name, std::size_t size);
// One that may still grow; see seal_contents and resize_memory.
UniqueFd make_growing_memory(const char* name);
void resize_memory(int fd, std::size_t size);
// No more size changes and no more writing; whoever has it mapped for writing keeps
// that.
void seal_contents(int fd);
// The same, and nobody may write any more, who ever made it. Requires: it's mapped
// nowhere for writing.
void seal_for_good(int fd);
// As seal_contents, where it is mapped for writing: that mapping becomes the only way to
// write there. False where the kernel (before 5.1) has no such seal.
bool seal_but_for_mappings(int fd) noexcept;
std::size_t memory_size(int fd);
// Its own number among the memory of this kernel.
std::uint64_t memory_number(int fd);
// What another process of the same user has under that number, to read. Empty when
// it has nothing there, or is gone.
UniqueFd open_memory_of(int process, int fd) noexcept;
// Whether whoever sent it can't make an access fail by cutting it short.
bool is_sealed_against_shrinking(int fd) noexcept;
// Whether what is there will stay so.
bool is_sealed_against_writing(int fd) noexcept;

// Faster than through a mapping where nothing has been there yet: no page faults,
// and no page is zeroed first.
void write_memory(int fd, std::size_t at, std::span<const std::byte> bytes);

// Its first bytes. Requires: it's as large at least, and can't be made smaller.
void read_memory(int fd, std::span<std::byte> bytes);

// `bytes` in sealed memory of their own.
UniqueFd copy_to_memory(const char* name, std::span<const std::byte> bytes);

Mapping map_shared(int fd, std::size_t size);
// Zeros of this process alone, that cost nothing until they're written.
Mapping map_private(std::size_t size);
Mapping map_read_only(int fd, std::size_t size);

// Memory to be read that nobody can change any more, or nobody but who lent it.
struct SealedMemory {
  UniqueFd memory;  // none where this process has few descriptors left
  Mapping mapping;
  Loan loan;
  std::uint64_t number = 0;  // its own, where it's lent
};
// Who may still write there: nobody, or whoever had it mapped when it was sealed.
enum class Seal : std::uint8_t { for_good, but_for_mappings };
// Whoever made it. Nothing where somebody else could write there, or cut it short.
std::optional<SealedMemory> open_sealed(UniqueFd memory, Seal least = Seal::for_good);

}  // namespace brood::os
