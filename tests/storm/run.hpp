// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <string>

#include <brood/brood.hpp>

// One storm: what was asked for, how far it has come, and how it fails.
namespace brood::storm {

struct Settings {
  std::uint64_t tasks = 100'000;
  std::uint64_t kills = 1'000;
  std::size_t workers = 2;
  std::uint64_t seed = 1;
  Context context = Context::forkserver;
  bool preload = false;  // workers of a nursery of the pool's own
};
std::string command_line(const Settings& settings);

// How tasks ended.
struct Tally {
  std::atomic<std::uint64_t> values{0};
  std::atomic<std::uint64_t> thrown{0};
  std::atomic<std::uint64_t> crashed{0};
  std::atomic<std::uint64_t> timed_out{0};
  std::atomic<std::uint64_t> cancelled{0};
  std::uint64_t sum() const noexcept { return values + thrown + crashed + timed_out + cancelled; }
};

struct Run {
  Settings settings;
  Pool* pool = nullptr;
  Tally tally;
  std::atomic<std::uint64_t> next_task{0};  // the first number not given out
  std::atomic<std::uint64_t> next_client{0};
  std::atomic<std::uint64_t> settled{0};     // tasks; waited for with atomic waits
  std::atomic<std::uint64_t> heard{0};       // callbacks
  std::atomic<std::uint64_t> asked{0};       // callbacks, asked for
  std::atomic<std::uint64_t> sent_kills{0};  // by the killer, from outside
  std::atomic<bool> calm{false};             // enough was killed

  std::atomic<std::uint64_t> stages{0};  // of the storm

  std::uint64_t kills() const noexcept;
  // Changes as long as anything moves.
  std::uint64_t beat() const noexcept { return settled + stages; }
};

// The run that is on, of which failures tell.
Run& run() noexcept;

// Says what is wrong, what else is known, and how to run it again; ends the
// program. From any thread.
[[noreturn]] void fail(const std::string& what);
void require(bool holds, const char* what);

using Random = std::mt19937_64;
inline std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }

}  // namespace brood::storm
