// SPDX-License-Identifier: MIT
#include "pool/broom.hpp"

#include <array>

#include "os/child_setup.hpp"
#include "os/control_group.hpp"
#include "os/poller.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

// For what the kernel has killed to be gone.
constexpr int patience = 10'000;

int broom_main(process::Kit& kit) {
  auto& fds = kit.descriptors;
  if (fds.size() < 3) return 1;
  os::block_signals();
  // The program's end, or its exec, at which its workers die as well.
  os::Poller ends;
  ends.watch(fds[0].get(), 0);
  ends.watch(fds[1].get(), 1);
  ends.wait();
  return os::remove_groups(fds[2].get(), patience) ? 0 : 1;
}

}  // namespace

Broom::Broom(const Bear& bear, int groups) {
  process::Order order;
  order.entry = wire::locate(&broom_main);
  order.tie = process::Tie::none;
  order.set_name("brood-broom");
  const os::UniqueFd program = process::watch_on_program();
  const std::array<int, 3> descriptors{program.get(), process::lifeline(), groups};
  child_ = bear(order, descriptors);
}

Broom::~Broom() {
  os::send_signal(child_, os::kill_signal);
  os::wait_for_end(child_.pidfd.get(), Deadline());
  os::reap(child_);
}

}  // namespace brood::detail
