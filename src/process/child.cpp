// SPDX-License-Identifier: MIT
//
// The path from birth to the function that a child was made for.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <string>
#include <type_traits>

#include <brood/base/kill_point.hpp>

#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/memory.hpp"
#include "os/own_descriptors.hpp"
#include "process/home.hpp"
#include "process/order.hpp"

namespace brood::process {
namespace {

using detail::kill_point;
using detail::KillPoint;

// "ORDER,LIFELINE,FIRST,SECOND...": descriptor numbers.
constexpr const char* respawn_variable = "BROOD_CHILD";

std::span<char*> main_arguments;

std::vector<int> numbers(std::string_view text) {
  std::vector<int> all;
  while (!text.empty()) {
    int number = -1;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
    all.push_back(number);
    text.remove_prefix(std::min(text.size(), static_cast<std::size_t>(end - text.data()) + 1));
  }
  return all;
}

// What the program was started with, so that the child looks like it.
std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> all;
  for (std::string argument; std::getline(file, argument, '\0');) all.push_back(argument);
  if (all.empty()) all.assign(main_arguments.begin(), main_arguments.end());
  if (all.empty()) all.emplace_back("brood");
  return all;
}

// From here the tie lasts as long as this process: nobody closes its end.
void tie(const Order& order, Line line) noexcept {
  if (line.fd < 0) return;
  if (order.tie == Tie::lifeline && line.is_own) return os::tie_to_own_end(line.fd);
  if (order.tie == Tie::lifeline) os::tie_to_lifeline(line.fd);
  os::UniqueFd{line.fd}.reset();
}

void settle_in(const Order& order, const std::vector<os::UniqueFd>& descriptors, Line line,
               CopyOf original) {
  os::enter_process_group(order.group);
  kill_point(KillPoint::newborn_in_group);
  // No memory of the heap, whose pages a newborn would have to copy.
  std::array<int, os::most_descriptors + 1> numbers{};
  std::size_t count = 0;
  for (const auto& fd : descriptors) numbers[count++] = fd.get();
  if (line.fd >= 0) numbers[count++] = line.fd;
  const std::span kept = std::span(numbers).first(count);
  if (order.keeps_descriptors == 0) {
    os::close_descriptors_except(kept);
  } else {
    os::close_own_descriptors_except(kept);
  }
  kill_point(KillPoint::newborn_without_descriptors);
  tie(order, line);
  kill_point(KillPoint::newborn_tied);
  if (original == CopyOf::program) be_a_model();
  os::unblock_signals();
  if (order.name[0] != '\0') os::name_this_process(order.name);
  kill_point(KillPoint::newborn_settled);
}

}  // namespace

void be_a_model() noexcept {
  os::read_stdin_from_null();
  os::reset_signal_handlers();
  os::leave_by_exit_quickly();
}

void Order::set_name(std::string_view text) noexcept {
  const std::size_t length = std::min(text.size(), sizeof name - 1);
  std::memcpy(name, text.data(), length);
  name[length] = '\0';
}

void run_child(const Order& order, std::vector<os::UniqueFd> descriptors, Line line,
               CopyOf original) noexcept {
  run_child(order, std::move(descriptors), line, original,
            wire::resolve_as<std::remove_pointer_t<Entry>>(order.entry));
}

void run_child(const Order& order, std::vector<os::UniqueFd> descriptors, Line line,
               CopyOf original, Entry entry) noexcept {
  settle_in(order, descriptors, line, original);
  Kit kit{std::move(descriptors), order.number};
  os::leave(entry(kit));
}

Respawn::Respawn(const Order& order, std::span<const int> descriptors, int lifeline)
    : order_(os::copy_to_memory("brood-order", std::as_bytes(std::span(&order, 1)))),
      kept_(descriptors.begin(), descriptors.end()),
      words_(own_arguments()) {
  note_ = std::string(respawn_variable) + '=' + std::to_string(order_.get()) + ',' +
          std::to_string(lifeline);
  for (const int fd : descriptors) note_ += ',' + std::to_string(fd);
  kept_.push_back(order_.get());
  if (lifeline >= 0) kept_.push_back(lifeline);
  for (auto& word : words_) arguments_.push_back(word.data());
  arguments_.push_back(nullptr);
  for (char** variable = os::environment(); variable && *variable; ++variable) {
    environment_.push_back(*variable);
  }
  environment_.push_back(note_.data());
  environment_.push_back(nullptr);
}

void Respawn::go() const noexcept {
  for (const int fd : kept_) os::keep_on_exec(fd);
  kill_point(KillPoint::before_exec);
  os::exec_self(arguments_.data(), environment_.data());
}

void respawn_as_child(const Order& order, std::vector<os::UniqueFd> descriptors,
                      int lifeline) noexcept {
  std::vector<int> numbers_of_them;
  for (const auto& fd : descriptors) numbers_of_them.push_back(fd.get());
  Respawn(order, numbers_of_them, lifeline).go();
}

void remember_arguments(int count, char** arguments) noexcept {
  if (count > 0 && arguments) main_arguments = {arguments, static_cast<std::size_t>(count)};
}

void run_if_respawned() noexcept {
  const char* const note = std::getenv(respawn_variable);  // NOLINT(concurrency-mt-unsafe)
  if (!note) return;
  const std::vector<int> fds = numbers(note);
  ::unsetenv(respawn_variable);  // NOLINT(concurrency-mt-unsafe): one thread
  if (fds.size() < 2) return;
  kill_point(KillPoint::after_exec);

  Order order;
  {
    const os::UniqueFd written(fds[0]);
    if (os::memory_size(written.get()) != sizeof order) return;
    const os::Mapping bytes = os::map_read_only(written.get(), sizeof order);
    std::memcpy(&order, bytes.data(), sizeof order);
  }
  // A variable that somebody else set names no order.
  if (order.magic != Order::right_magic || order.descriptor_count != fds.size() - 2) return;
  std::vector<os::UniqueFd> descriptors;
  for (std::size_t i = 2; i < fds.size(); ++i) {
    os::close_on_exec(fds[i]);
    descriptors.emplace_back(fds[i]);
  }
  run_child(order, std::move(descriptors), {fds[1]}, CopyOf::program);
}

}  // namespace brood::process
