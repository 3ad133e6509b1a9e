// SPDX-License-Identifier: MIT
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "state_set.hpp"

// Runs a small world again and again, each time in another order, until every
// order has been seen.
//
// The threads of the world are fibers of this one. One runs at a time, and may be
// left only at a step: before it touches what others touch as well. At each step
// the explorer chooses who goes on, or who is killed; it goes through these choices
// depth first, beginning each execution anew. A state that was met before is not
// gone into again: what a fiber knows is the sum of all that it has read, so the
// same memory, the same sums and the same places mean the same futures.
namespace brood::model {

inline constexpr std::size_t most_fibers = 8;

// What happened, for the trace.
struct Step {
  const char* what;
  const void* where = nullptr;
  std::uint64_t value = 0;
};

struct Findings {
  std::string violation;  // empty: none
  std::string trace;      // of the execution that led there
  std::size_t executions = 0;
  std::size_t states = 0;
  std::size_t choices = 0;
  std::size_t steps = 0;
  std::size_t longest = 0;
  bool complete = false;  // all there was to see was seen
};

enum class Peril : std::uint8_t { none, may_die, will_die };

// What a world tells the explorer of itself.
class World {
 public:
  virtual ~World() = default;
  // All that fibers share, but for their own sums.
  virtual Hash state() const = 0;
  // All fibers have ended.
  virtual void check_end() = 0;
  virtual std::string describe(const Step& step) const = 0;
  // Whether this fiber is killed by chance, or will be; and that it was.
  virtual Peril peril(unsigned fiber) const = 0;
  virtual void died(unsigned fiber) = 0;
  // Why fibers sleep, where nobody is left to wake them.
  virtual std::string stuck() const = 0;
};

class Explorer {
 public:
  using Body = std::function<void()>;

  // Goes through all executions of the world that `make` builds and that spawns
  // its fibers. At the first violation it ends.
  Findings explore(const std::function<World*()>& make, std::size_t most_states);

  // --- by the world ---
  unsigned spawn(const char* name, Body body);
  [[noreturn]] void fail(const std::string& why);
  // Lets others go first; what the running fiber does next happens at once.
  void step(const Step& step);
  // The running fiber goes on only when `ready` says so.
  void sleep_until(std::function<bool()> ready);
  // One of 0 ... count - 1, each in turn.
  unsigned choose(unsigned count, const char* what);
  // The running fiber has learned a value.
  void learn(std::uint64_t value);
  // All that the running fiber still knows is this.
  void know_only(std::uint64_t value);
  // Says what a step led to. For the trace.
  void remark(const Step& step);

  bool inside() const noexcept { return inside_; }
  bool tracing() const noexcept { return tracing_; }
  unsigned running() const noexcept { return running_; }
  bool is_over(unsigned fiber) const noexcept {
    return fibers_[fiber].phase == Phase::ended || fibers_[fiber].phase == Phase::killed;
  }
  const char* name(unsigned fiber) const noexcept { return fibers_[fiber].name; }
  unsigned fiber_count() const noexcept { return fiber_count_; }

 private:
  enum class Phase : std::uint8_t { fresh, active, asleep, ended, killed };
  struct Fiber {
    const char* name = "";
    Body body;
    Phase phase = Phase::fresh;
    std::function<bool()> ready;
    Hash known = 0;
    std::uint32_t births = 0;
    std::jmp_buf place;
  };
  struct Option {
    std::uint8_t fiber;  // or the number that was chosen
    bool kills;
  };
  struct Choice {
    std::uint8_t taken;
    std::uint8_t count;
    bool known;  // what was taken is in `option`
    Option option;
  };
  enum class Ending : int { complete = 1, seen_before, violation };

  Ending run_once(const std::function<World*()>& make);
  bool next_path();
  Option decide(const Option* options, unsigned count);
  std::optional<Option> next_option();
  void go_on_with_someone();
  unsigned list_options();
  bool can_run(unsigned fiber) const;
  void resume(unsigned fiber);
  [[noreturn]] void finish(Ending ending);
  Hash state() const;
  static void begin_fiber();
  void run_fiber();

  Fiber fibers_[most_fibers];
  Option options_[2 * most_fibers] = {};
  unsigned fiber_count_ = 0;
  unsigned running_ = 0;
  World* world_ = nullptr;
  std::vector<Choice> path_;
  std::size_t depth_ = 0;
  std::size_t steps_now_ = 0;
  std::jmp_buf home_;
  StateSet seen_;
  std::size_t most_states_ = 0;
  Findings found_;
  bool inside_ = false;
  bool tracing_ = false;
};

Explorer& explorer() noexcept;

}  // namespace brood::model
