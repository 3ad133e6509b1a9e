// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <brood/wire/code_ref.hpp>

#include "os/pidfd.hpp"
#include "os/unique_fd.hpp"

namespace brood::process {

enum class StartMethod : std::uint32_t {
  forked,   // a copy of the nursery
  spawned,  // the program anew, by exec; main runs up to brood::init
};

// Whether the child may outlive the program.
enum class Tie : std::uint32_t { lifeline, none };

// What a new process is told: which function to run, and how to live. Travels as
// bytes; the descriptors that the function wants travel beside it.
struct Order {
  static constexpr std::uint64_t right_magic = 0x62726f6f64'6f7264;
  std::uint64_t magic = right_magic;
  wire::CodeRef entry{};
  StartMethod method = StartMethod::forked;
  Tie tie = Tie::lifeline;
  // The process group to join; 0 for one of its own.
  std::int32_t group = 0;
  // Fork contexts: the program's own descriptors stay open.
  std::uint32_t keeps_descriptors = 0;
  std::uint32_t descriptor_count = 0;
  // For the function, which knows what it counts.
  std::uint32_t number = 0;
  char name[16] = {};

  void set_name(std::string_view text) noexcept;
};

// So many orders, a row, travel as one message at most, and are answered by one.
inline constexpr std::size_t most_in_row = 16;

// What became of an order; the child's pidfd travels beside it.
struct Birth {
  std::int32_t pid = 0;
  std::int32_t error = 0;
};

// An order of this kind says good-bye: the program goes on without this nursery.
inline constexpr std::uint64_t farewell = 0;

// What the function finds, in the order in which the descriptors were given.
struct Kit {
  std::vector<os::UniqueFd> descriptors;
  std::uint32_t number = 0;
};

// What a child runs; returns its exit code. May not throw.
using Entry = int (*)(Kit&);

// Of which process a newborn is a copy. A nursery has done once what it can do for all of
// its children: be_a_model.
enum class CopyOf : std::uint8_t { program, nursery };

// The read end of the life-line that a newborn has. A nursery opens one for each of its
// children: for them it would take four times as long, as /proc would have to be told of them.
struct Line {
  int fd = -1;
  bool is_own = false;  // an open file description that nobody else will tie
};

// In a nursery: default handlers, an empty stdin, and no exit handlers of the program's.
void be_a_model() noexcept;

// Becomes the ordered child: a group, a tie, closed descriptors, an empty stdin,
// default signals, a name. Then runs the entry and leaves.
[[noreturn]] void run_child(const Order& order, std::vector<os::UniqueFd> descriptors, Line line,
                            CopyOf original) noexcept;
// The same where the function is known by its address.
[[noreturn]] void run_child(const Order& order, std::vector<os::UniqueFd> descriptors, Line line,
                            CopyOf original, Entry entry) noexcept;

// The program anew, which will find the order and the descriptors in its brood::init.
// All that needs memory is done when it's made, so that a copy of a program with
// threads may go.
class Respawn {
 public:
  Respawn(const Order& order, std::span<const int> descriptors, int lifeline);
  // Replaces this process. Safety: async-signal-safe, after fork too.
  [[noreturn]] void go() const noexcept;

 private:
  os::UniqueFd order_;
  std::vector<int> kept_;
  std::string note_;
  std::vector<std::string> words_;
  std::vector<char*> arguments_;
  std::vector<char*> environment_;
};

// Replaces this process by the program anew, which will find the order and the
// descriptors in its brood::init.
[[noreturn]] void respawn_as_child(const Order& order, std::vector<os::UniqueFd> descriptors,
                                   int lifeline) noexcept;
// For a program that can't read its own in /proc. As main was given them.
void remember_arguments(int count, char** arguments) noexcept;
// The other side of it: does not return in a process that was so replaced.
void run_if_respawned() noexcept;

}  // namespace brood::process
