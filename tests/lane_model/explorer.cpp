// SPDX-License-Identifier: MIT
#include "explorer.hpp"

#include <ucontext.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "arena.hpp"
#include "races.hpp"

namespace brood::model {
namespace {

constexpr std::size_t stack_size = std::size_t{256} << 10;
// An execution that is longer goes round in circles.
constexpr std::size_t most_steps = 20'000;

alignas(16) std::byte stacks[most_fibers][stack_size];

Explorer the_explorer;

}  // namespace

Explorer& explorer() noexcept { return the_explorer; }

Findings Explorer::explore(const std::function<World*()>& make, std::size_t most_states) {
  found_ = {};
  seen_.clear();
  path_.clear();
  most_states_ = most_states;
  for (;;) {
    ++found_.executions;
    if (run_once(make) == Ending::violation) {
      // The same way again, telling of it.
      tracing_ = true;
      found_.trace.clear();
      run_once(make);
      tracing_ = false;
      break;
    }
    if (seen_.size() > most_states_) break;
    if (!next_path()) {
      found_.complete = true;
      break;
    }
  }
  found_.states = seen_.size();
  return found_;
}

bool Explorer::next_path() {
  while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().taken;
  path_.back().known = false;
  return true;
}

Explorer::Ending Explorer::run_once(const std::function<World*()>& make) {
  depth_ = 0;
  steps_now_ = 0;
  fiber_count_ = 0;
  races().reset();
  for (Fiber& fiber : fibers_) {
    fiber.body = nullptr;
    fiber.ready = nullptr;
  }
  arena().reset();
  const int ending = _setjmp(home_);
  if (ending == 0) {
    running_ = most_fibers;
    arena().open();
    world_ = make();
    inside_ = true;
    go_on_with_someone();
  }
  inside_ = false;
  arena().close();
  found_.longest = std::max(found_.longest, steps_now_);
  return static_cast<Ending>(ending);
}

void Explorer::finish(Ending ending) {
  inside_ = false;
  std::longjmp(home_, static_cast<int>(ending));
}

void Explorer::fail(const std::string& why) {
  inside_ = false;
  arena().close();
  found_.violation = why.c_str();
  finish(Ending::violation);
}

unsigned Explorer::spawn(const char* name, Body body) {
  if (fiber_count_ == most_fibers) std::abort();
  Fiber& fiber = fibers_[fiber_count_];
  fiber.name = name;
  fiber.body = std::move(body);
  fiber.phase = Phase::fresh;
  fiber.known = fiber_count_;
  races().spawned(running_, fiber_count_);
  return fiber_count_++;
}

void Explorer::learn(std::uint64_t value) {
  if (running_ < most_fibers) fibers_[running_].known = mix(fibers_[running_].known, value);
}

void Explorer::know_only(std::uint64_t value) { fibers_[running_].known = mix(running_, value); }

Hash Explorer::state() const {
  Hash sum = world_->state();
  for (unsigned i = 0; i < fiber_count_; ++i) {
    sum = mix(sum, static_cast<std::uint64_t>(fibers_[i].phase));
    if (!is_over(i)) sum = mix(sum, fibers_[i].known);
  }
  return sum;
}

// What was chosen on the way here is taken again; then everything in turn.
Explorer::Option Explorer::decide(const Option* options, unsigned count) {
  if (depth_ < path_.size()) {
    Choice& again = path_[depth_++];
    again.option = options[again.taken];
    again.known = true;
    return again.option;
  }
  if (count > 1) {
    const Hash now = state();
    arena().close();
    if (!seen_.insert(now)) finish(Ending::seen_before);
    arena().open();
    ++found_.choices;
  }
  arena().close();
  path_.push_back({0, static_cast<std::uint8_t>(count), true, options[0]});
  arena().open();
  ++depth_;
  return options[0];
}

unsigned Explorer::choose(unsigned count, const char* what) {
  Option numbers[most_fibers] = {};
  for (unsigned i = 0; i < count; ++i) numbers[i].fiber = static_cast<std::uint8_t>(i);
  learn(count);
  const unsigned taken = decide(numbers, count).fiber;
  learn(taken);
  remark({what, nullptr, taken});
  return taken;
}

bool Explorer::can_run(unsigned fiber) const {
  const Fiber& one = fibers_[fiber];
  switch (one.phase) {
    case Phase::fresh:
    case Phase::active: return true;
    case Phase::asleep: return one.ready();
    case Phase::ended:
    case Phase::killed: return false;
  }
  return false;
}

// Whoever runs goes on first: it's the cheapest. Chance kills nobody where all
// sleep: that would hide that they do.
unsigned Explorer::list_options() {
  unsigned count = 0;
  if (running_ < fiber_count_ && can_run(running_)) {
    options_[count++] = {static_cast<std::uint8_t>(running_), false};
  }
  for (unsigned i = 0; i < fiber_count_; ++i) {
    if (i != running_ && can_run(i)) options_[count++] = {static_cast<std::uint8_t>(i), false};
  }
  const bool all_sleep = count == 0;
  for (unsigned i = 0; i < fiber_count_; ++i) {
    if (is_over(i)) continue;
    const Peril peril = world_->peril(i);
    if (peril == Peril::will_die || (peril == Peril::may_die && !all_sleep)) {
      options_[count++] = {static_cast<std::uint8_t>(i), true};
    }
  }
  return count;
}

std::optional<Explorer::Option> Explorer::next_option() {
  if (depth_ < path_.size() && path_[depth_].known) return path_[depth_++].option;
  const unsigned count = list_options();
  if (count == 0) return std::nullopt;
  return decide(options_, count);
}

void Explorer::go_on_with_someone() {
  while (const auto taken = next_option()) {
    if (!taken->kills) return resume(taken->fiber);
    fibers_[taken->fiber].phase = Phase::killed;
    remark({fibers_[taken->fiber].name, nullptr, 0});
    remark({"... is killed", nullptr, 0});
    world_->died(taken->fiber);
  }
  for (unsigned i = 0; i < fiber_count_; ++i) {
    if (!is_over(i)) fail(world_->stuck());
  }
  world_->check_end();
  finish(Ending::complete);
}

void Explorer::resume(unsigned fiber) {
  Fiber& next = fibers_[fiber];
  const bool fresh = next.phase == Phase::fresh;
  next.phase = Phase::active;
  if (fiber == running_) return;
  Fiber* const before = running_ < most_fibers ? &fibers_[running_] : nullptr;
  if (before && !is_over(running_) && _setjmp(before->place) != 0) return;
  running_ = fiber;
  if (!fresh) std::longjmp(next.place, 1);
  ucontext_t context;
  ::getcontext(&context);
  context.uc_stack.ss_sp = stacks[fiber];
  context.uc_stack.ss_size = stack_size;
  context.uc_link = nullptr;
  ::makecontext(&context, &begin_fiber, 0);
  ::setcontext(&context);
}

void Explorer::begin_fiber() { explorer().run_fiber(); }

void Explorer::run_fiber() {
  Fiber& self = fibers_[running_];
  self.body();
  self.phase = Phase::ended;
  remark({"ends", nullptr, 0});
  go_on_with_someone();
  std::abort();  // nobody resumes what has ended
}

void Explorer::step(const Step& step) {
  if (!inside_) return;
  if (++steps_now_ > most_steps) fail("goes round in circles");
  ++found_.steps;
  learn(reinterpret_cast<std::uintptr_t>(step.where));
  go_on_with_someone();
}

void Explorer::sleep_until(std::function<bool()> ready) {
  Fiber& self = fibers_[running_];
  if (++steps_now_ > most_steps) fail("goes round in circles");
  ++found_.steps;
  self.ready = std::move(ready);
  self.phase = Phase::asleep;
  go_on_with_someone();
}

void Explorer::remark(const Step& step) {
  if (!tracing_) return;
  const bool was_inside = inside_;
  inside_ = false;
  arena().close();
  found_.trace += "  ";
  found_.trace += running_ < fiber_count_ ? fibers_[running_].name : "-";
  found_.trace += ": " + world_->describe(step) + "\n";
  arena().open();
  inside_ = was_inside;
}

}  // namespace brood::model
