// SPDX-License-Identifier: MIT
#include "os/kill_point.hpp"

#if defined(BROOD_KILL_POINTS)

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace brood::os {
namespace {

// Found once, and inherited by every fork. Only the test's own processes have the
// variable.
KillPlan* open_plan() noexcept {
  const char* const path = std::getenv(kill_plan_variable);  // NOLINT(concurrency-mt-unsafe)
  if (!path) return nullptr;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd == -1) return nullptr;
  void* const page = ::mmap(nullptr, sizeof(KillPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return page == MAP_FAILED ? nullptr : static_cast<KillPlan*>(page);
}

KillPlan* plan() noexcept {
  static KillPlan* const found = open_plan();
  return found;
}

// splitmix64: the draw depends on the seed and on its number alone.
std::uint64_t draw(KillPlan& of) noexcept {
  std::uint64_t z = of.seed.load(std::memory_order_relaxed) +
                    0x9e3779b97f4a7c15 * of.draws.fetch_add(1, std::memory_order_relaxed);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

bool is_chosen(KillPlan& of, KillPoint here) noexcept {
  if (of.countdown.load(std::memory_order_acquire) > 0 &&
      of.point.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(here)) {
    return of.countdown.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  const std::uint32_t chance = of.chance.load(std::memory_order_relaxed);
  if (chance == 0 || is_of_birth(here) || is_of_nursery(here)) return false;
  return (draw(of) >> 32) < chance;
}

}  // namespace
}  // namespace brood::os

namespace brood::detail {

void kill_point(KillPoint here) noexcept {
  os::KillPlan* const plan = os::plan();
  if (!plan) return;
  const auto index = static_cast<std::size_t>(here);
  plan->met[index].fetch_add(1, std::memory_order_relaxed);
  if (!os::is_chosen(*plan, here)) return;
  // Counted first: nobody may hear of a crash that is not in the count.
  plan->killed[index].fetch_add(1, std::memory_order_seq_cst);
  plan->kills.fetch_add(1, std::memory_order_seq_cst);
  ::kill(::getpid(), SIGKILL);
}

}  // namespace brood::detail

#endif
