// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>

#include <array>
#include <cstdlib>

#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/pidfd.hpp"
#include "process/home.hpp"

// What a nursery is told to bear in tests.
namespace brood::process {

// Entries of children. They answer over the channel that they are given.
inline int leave_with_seven(Kit&) { return 7; }

inline int say_hello(Kit& kit) {
  const std::array<std::byte, 1> hello{std::byte{42}};
  os::send_message(kit.descriptors.at(0).get(), hello);
  return 0;
}

inline int wait_for_ever(Kit& kit) {
  say_hello(kit);
  os::sleep_until_killed();
}

inline int count_descriptors(Kit& kit) {
  std::array<std::byte, 1> count{};
  for (int fd = 0; fd < 200; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1)
      count[0] = static_cast<std::byte>(std::to_integer<int>(count[0]) + 1);
  }
  os::send_message(kit.descriptors.at(0).get(), count);
  return 0;
}

inline int leave_with_number(Kit& kit) { return static_cast<int>(kit.number); }

inline int exit_in_the_middle(Kit&) { std::exit(5); }

inline Order order_for(Entry entry, Tie tie = Tie::lifeline) {
  Order order;
  order.entry = wire::locate(reinterpret_cast<const void*>(entry));
  order.tie = tie;
  order.set_name("test-child");
  return order;
}

inline int exit_of(const os::Child& child) {
  os::wait_for_end(child.pidfd.get(), Deadline());
  return os::reap(child)->as_exitcode();
}

inline int heard(int channel) {
  std::array<std::byte, 1> message{};
  const auto received = os::receive_message(channel, message);
  return received ? std::to_integer<int>(message[0]) : -1;
}

}  // namespace brood::process
