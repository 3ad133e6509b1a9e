// SPDX-License-Identifier: MIT
#include "watchdog.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "board.hpp"
#include "census.hpp"
#include "killer.hpp"
#include "lane/layout.hpp"
#include "run.hpp"

namespace brood::storm {
namespace {

constexpr std::chrono::seconds patience{60};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void show_child(const ChildSeen& child) {
  const std::string folder = "/proc/" + std::to_string(child.pid);
  std::cerr << "  " << child.pid << ' ' << child.name << ' ' << child.state << " wchan "
            << text_of(folder + "/wchan") << " syscall " << text_of(folder + "/syscall");
  const std::string stack = text_of(folder + "/stack");
  if (!stack.empty()) std::cerr << stack;
}

const char* name_of_state(lane::State state) {
  constexpr const char* names[] = {"free", "queued", "claimed", "done", "revoked", "condemned"};
  const auto index = static_cast<std::size_t>(state);
  return index < std::size(names) ? names[index] : "?";
}

void show_lane(const std::byte* memory) {
  const auto& head = *reinterpret_cast<const lane::Header*>(memory);
  if (head.magic != lane::Header::right_magic) return;  // a later part of a lane
  std::cerr << "lane at " << static_cast<const void*>(memory) << ": asleep " << head.asleep
            << ", startup " << head.startup << ", closing " << head.closing << ", ring_when_idle "
            << head.ring_when_idle << '\n';
  const auto* const slots = reinterpret_cast<const lane::Slot*>(memory + sizeof head);
  for (std::uint64_t i = 0; i < head.slot_count; ++i) {
    const std::uint64_t word = slots[i].word;
    const auto state = lane::state_of(word);
    if (word == 0 || state == lane::State::free || state == lane::State::done) continue;
    std::cerr << "  task " << lane::generation_of(word) << ' ' << name_of_state(state)
              << ((word & lane::waiter_bit) != 0 ? " waiter" : "")
              << ((word & lane::bell_bit) != 0 ? " bell" : "") << ", begun " << slots[i].begun
              << ", ended " << slots[i].ended << " of " << slots[i].count << '\n';
  }
}

void show_lanes() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:brood-lane") == std::string::npos) continue;
    show_lane(reinterpret_cast<const std::byte*>(std::stoull(line, nullptr, 16)));
  }
}

void show_points() {
  const os::KillPlan& plan = board().plan;
  std::cerr << "kill point armed: " << name_of_point(plan.point) << ", countdown " << plan.countdown
            << "\nmet and killed:\n";
  for (std::size_t i = 0; i < os::kill_point_count; ++i) {
    std::cerr << "  " << name_of_point(i) << ' ' << plan.met[i] << ' ' << plan.killed[i] << '\n';
  }
}

void show_own_stacks() {
  std::cerr.flush();
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  const std::string command = "command -v gdb >/dev/null && gdb -p " + std::to_string(::getpid()) +
                              " -batch -nx -ex 'thread apply all bt 30' 1>&2 2>/dev/null";
  if (std::system(command.c_str()) == 0) return;
  for (const auto& thread : {std::string("/proc/self/stack"), std::string("/proc/self/wchan")}) {
    std::cerr << thread << ": " << text_of(thread) << '\n';
  }
}

}  // namespace

void show_everything() {
  std::cerr << "children:\n";
  for (const auto& child : children()) show_child(child);
  if (has_kill_points) show_points();
  show_lanes();
  show_own_stacks();
}

Watchdog::Watchdog() : thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  over_.notify_all();
  thread_.join();
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto before = run().beat();
    if (over_.wait_for(lock, patience, [&] { return is_over_; })) return;
    if (run().beat() != before) continue;
    show_everything();
    fail("nothing has moved for " + std::to_string(patience.count()) + " s");
  }
}

}  // namespace brood::storm
