// SPDX-License-Identifier: MIT
#include "process/nursery.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include <brood/base/error.hpp>
#include <brood/base/kill_point.hpp>

#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/clone.hpp"
#include "os/poller.hpp"
#include "os/syscall.hpp"
#include "os/thread_list.hpp"
#include "process/groups_of_children.hpp"
#include "process/handover.hpp"
#include "process/home.hpp"
#include "process/last_words.hpp"
#include "wire/image.hpp"

namespace brood::process {
namespace {

using namespace std::chrono_literals;
using detail::kill_point;
using detail::KillPoint;

// The answer to an order; the child's pidfd travels beside it.
struct Birth {
  std::int32_t pid = 0;
  std::int32_t error = 0;
};

// Longer than any birth on a machine that still works; after it the nursery is
// taken for lost.
constexpr auto birth_patience = 20s;

// An order of this kind says good-bye: the program goes on without this nursery.
constexpr std::uint64_t farewell = 0;

template <typename Value>
std::span<const std::byte> bytes_of(const Value& value) {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace

Nursery::Nursery(os::Child self, os::UniqueFd channel, int cradle)
    : self_(std::move(self)), channel_(std::move(channel)), cradle_(cradle) {}

Nursery::~Nursery() {
  if (ended_) return;
  try {
    Order bye;
    bye.magic = farewell;
    os::send_message(channel_.get(), bytes_of(bye));
    channel_.reset();
    if (!os::wait_for_end(self_.pidfd.get(), Deadline(2s))) {
      os::send_signal(self_, os::kill_signal);
      os::wait_for_end(self_.pidfd.get(), Deadline(2s));
    }
    os::reap(self_);
  } catch (const SystemError&) {
    // Nothing is left to be done: it ends by itself once the channel is closed.
  }
}

bool Nursery::is_alive() const noexcept {
  return !os::wait_for_end(self_.pidfd.get(), Deadline(0s));
}

os::Child Nursery::birth(const Order& order, std::span<const int> descriptors) {
  const std::lock_guard lock(mutex_);
  if (!ask(order, descriptors)) give_up();
  return answer();
}

// One order more is on its way than the nursery is at.
void Nursery::births(const NextRequest& next, const Born& born) {
  const std::lock_guard lock(mutex_);
  std::size_t on_the_way = 0;
  bool is_gone = false;  // it may have answered before what is on the way
  std::exception_ptr failure;
  const auto ask_for_next = [&] {
    if (failure || is_gone) return;
    const std::optional<Request> request = next();
    if (!request) return;
    is_gone = !ask(request->order, request->descriptors);
    if (!is_gone) ++on_the_way;
  };
  const auto take_answer = [&] {
    --on_the_way;
    os::Child child = answer();
    if (failure) {
      os::end_child(child.pid);
    } else {
      born(std::move(child));
    }
  };
  const auto guarded = [&](const auto& step) {
    try {
      step();
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
  };
  guarded(ask_for_next);
  while (on_the_way != 0) {
    guarded(ask_for_next);
    guarded(take_answer);
  }
  if (failure) std::rethrow_exception(failure);
  if (is_gone) give_up();
}

// False when it's gone.
bool Nursery::ask(const Order& order, std::span<const int> descriptors) {
  Order sent = order;
  sent.descriptor_count = static_cast<std::uint32_t>(descriptors.size());
  return os::send_message(channel_.get(), bytes_of(sent), descriptors);
}

os::Child Nursery::answer() {
  Birth birth;
  auto received = os::receive_message(channel_.get(), std::as_writable_bytes(std::span(&birth, 1)),
                                      Deadline(birth_patience));
  if (!received || received->size != sizeof birth) give_up();
  ++answered_;
  if (birth.error != 0) os::throw_no_process(birth.error, "start a process");
  if (received->descriptors.empty()) {
    os::end_child(birth.pid);
    throw os::no_descriptor_left("start a process");
  }
  return {birth.pid, std::move(received->descriptors.front())};
}

// It may answer later, and then the answer would be taken for another's. After
// this is_alive() is false, so that whoever asks again asks another one. The same order
// may go there, so a child of which nobody would know is ended, with a hand on what it
// was given.
void Nursery::give_up() {
  os::send_signal(self_, os::kill_signal);
  os::wait_for_end(self_.pidfd.get(), Deadline(2s));
  Birth late;
  while (const auto received = os::receive_message(
             channel_.get(), std::as_writable_bytes(std::span(&late, 1)), Deadline(0s))) {
    if (received->size != sizeof late) break;
    ++answered_;
    if (late.error == 0) os::end_child(late.pid);
  }
  if (const int pid = cradle_.newborn_of(++answered_); pid != 0) os::end_child(pid);
  throw ContextError("cannot start a process: the nursery is gone");
}

os::ExitStatus Nursery::end() {
  const std::lock_guard lock(mutex_);
  if (ended_) return *ended_;
  channel_.reset();
  // One that has died of itself is not killed in the middle of it.
  if (!os::wait_for_end(self_.pidfd.get(), Deadline(100ms))) {
    os::send_signal_to_group(self_, os::kill_signal);
    os::wait_for_end(self_.pidfd.get(), Deadline(2s));
  }
  ended_ = os::reap(self_).value_or(os::ExitStatus{os::kill_signal, 0});
  return *ended_;
}

std::optional<std::vector<std::byte>> Nursery::hear(std::size_t most_bytes, int interruption) {
  const std::lock_guard lock(mutex_);
  if (interruption >= 0) {
    constexpr std::uint64_t message_tag = 1;
    os::Poller poller;
    poller.watch(interruption, 0);
    poller.watch(channel_.get(), message_tag);
    const auto& ready = poller.wait();
    if (std::find(ready.begin(), ready.end(), message_tag) == ready.end()) return std::nullopt;
  }
  std::vector<std::byte> message(most_bytes);
  const auto received = os::receive_message(channel_.get(), message);
  message.resize(received ? received->size : 0);
  return message;
}

std::shared_ptr<Nursery> Nursery::clone_here(std::string_view name) {
  auto [here, there] = os::make_channel();
  os::UniqueFd program = watch_on_program();
  os::UniqueFd cradle = Cradle::make_memory();
  os::flush_all_output();
  os::CloneResult result = os::clone_process(os::Parent::caller);
  if (result.side == os::Side::child) {
    os::name_this_process(std::string(name).c_str());
    here.reset();
    serve({std::move(there), std::move(program), os::UniqueFd(leave_home()), std::move(cradle)});
  }
  return std::make_shared<Nursery>(std::move(result.child), std::move(here), cradle.get());
}

std::shared_ptr<Nursery> Nursery::exec_here(const Order& order) {
  auto [here, there] = os::make_channel();
  const os::UniqueFd program = watch_on_program();
  const os::UniqueFd line = os::duplicate(lifeline());
  const os::UniqueFd cradle = Cradle::make_memory();
  Order sent = order;
  sent.descriptor_count = own_descriptors;
  const std::array<int, own_descriptors> descriptors{there.get(), program.get(), line.get(),
                                                     cradle.get()};
  const Respawn respawn(sent, descriptors, lifeline());
  os::CloneResult result = os::clone_process(os::Parent::caller);
  if (result.side == os::Side::child) respawn.go();
  return std::make_shared<Nursery>(std::move(result.child), std::move(here), cradle.get());
}

std::shared_ptr<Nursery> Nursery::make_another(const Order& order,
                                               std::span<const int> descriptors) {
  auto [here, there] = os::make_channel();
  const os::UniqueFd program = watch_on_program();
  const os::UniqueFd cradle = Cradle::make_memory();
  std::vector<int> sent{there.get(), program.get(), lifeline(), cradle.get()};
  sent.insert(sent.end(), descriptors.begin(), descriptors.end());
  os::Child child = birth(order, sent);
  return std::make_shared<Nursery>(std::move(child), std::move(here), cradle.get());
}

namespace {

void answer(int channel, const Birth& birth, const os::Child* child) {
  if (!child) {
    os::send_message(channel, bytes_of(birth));
    return;
  }
  const int fd = child->pidfd.get();
  os::send_message(channel, bytes_of(birth), std::span(&fd, 1));
}

// A newborn whose descriptors are all known, and whose end is watched, may begin with the
// nursery's table.
std::optional<std::size_t> place_to_share(const Order& order,
                                          std::span<const os::UniqueFd> descriptors,
                                          const os::UniqueFd& own_end,
                                          const GroupsOfChildren& brood,
                                          Handover& handover) noexcept {
  if (!own_end || order.keeps_descriptors != 0) return std::nullopt;
  if (!brood.shelf().can_be_left_with(descriptors)) return std::nullopt;
  if (!brood.shelf().can_be_left_with(std::span(&own_end, 1))) return std::nullopt;
  return handover.prepare();
}

struct Newborn {
  os::CloneResult clone;
  std::optional<std::size_t> place;  // where it shares
};

Newborn make_newborn(std::optional<std::size_t> place, int* number) {
  try {
    if (place)
      return {os::clone_process(os::Parent::callers_parent, number, os::Table::shared), place};
  } catch (const SystemError&) {
    // Somebody plays the kernel, and knows threads and plain copies only.
  }
  return {os::clone_process(os::Parent::callers_parent, number), std::nullopt};
}

void carry_out(const Order& order, std::vector<os::UniqueFd> descriptors, int channel, int lifeline,
               Cradle& cradle, GroupsOfChildren& brood, Handover& handover) {
  Birth birth;
  try {
    const bool is_tied = order.method == StartMethod::forked && order.tie == Tie::lifeline;
    os::UniqueFd own_end(is_tied ? os::open_anew(lifeline) : -1);
    auto [result, place] = make_newborn(
        place_to_share(order, descriptors, own_end, brood, handover), cradle.newborn());
    if (result.side == os::Side::child) {
      kill_point(KillPoint::newborn);
      if (place) {
        brood.shelf().leave();
        handover.tell_taken(*place);
      }
      handover.leave();
      if (order.method == StartMethod::spawned) {
        respawn_as_child(order, std::move(descriptors), lifeline);
      }
      const Line line = own_end ? Line{own_end.release(), true} : Line{lifeline};
      run_child(order, std::move(descriptors), line, CopyOf::nursery);
    }
    kill_point(KillPoint::child_cloned);
    birth.pid = result.child.pid;
    answer(channel, birth, &result.child);
    kill_point(KillPoint::birth_answered);
    if (place) {
      descriptors.push_back(std::move(own_end));
      handover.keep(*place, birth.pid, std::move(descriptors));
    }
    if (order.tie == Tie::lifeline) brood.add(std::move(result.child));
    kill_point(KillPoint::child_added);
  } catch (const SystemError& refusal) {
    birth.error = refusal.code();
    answer(channel, birth, nullptr);
  }
}

constexpr std::uint64_t channel_tag = ~std::uint64_t{0};
constexpr std::uint64_t program_tag = channel_tag - 1;

// The program has died, or has gone on without us. False for the latter.
bool program_died(int program) { return os::wait_for_end(program, Deadline(1s)); }

}  // namespace

NurserySide NurserySide::from(Kit& kit) noexcept {
  auto& fds = kit.descriptors;
  return {std::move(fds[0]), std::move(fds[1]), std::move(fds[2]), std::move(fds[3])};
}

void serve(NurserySide own) noexcept {
  os::lead_process_group();
  os::block_signals();
  std::vector<int> kept{own.channel.get(), own.program.get(), own.lifeline.get()};
  Cradle cradle(own.cradle.get());
  own.cradle.reset();
  os::close_descriptors_except(kept);
  be_a_model();
  // Where it's stopped, or busy with a birth, it ends with the program as well.
  os::tie_to_lifeline(own.lifeline.get());
  kill_point(KillPoint::nursery_settled);
  rehearse_last_words();
  os::rehearse_birth();
  wire::main_image();  // its finding is so found

  GroupsOfChildren brood(kept);
  Handover handover;
  brood.poller().watch(own.channel.get(), channel_tag);
  // The channel's other end may be held by a copy of the program.
  brood.poller().watch(own.program.get(), program_tag);
  std::uint32_t orders = 0;
  for (;;) {
    // A copy: adding a child must not disturb the list.
    const std::vector<std::uint64_t> ready = brood.poller().wait();
    handover.release();
    for (const std::uint64_t tag : ready) {
      if (tag == program_tag) {
        brood.kill_all();
        os::leave(0);
      }
      if (tag != channel_tag) {
        brood.forget(static_cast<int>(tag));
        handover.release_of(static_cast<int>(tag));
        continue;
      }
      Order order;
      auto received =
          os::receive_message(own.channel.get(), std::as_writable_bytes(std::span(&order, 1)));
      if (!received) {
        if (program_died(own.program.get())) brood.kill_all();
        os::leave(0);
      }
      if (order.magic == farewell) os::leave(0);
      if (received->size != sizeof order || order.magic != Order::right_magic) continue;
      kill_point(KillPoint::order_taken);
      cradle.at(++orders);
      if (received->lost_descriptors) {
        answer(own.channel.get(), {0, EMFILE}, nullptr);
        continue;
      }
      carry_out(order, std::move(received->descriptors), own.channel.get(), own.lifeline.get(),
                cradle, brood, handover);
    }
  }
}

}  // namespace brood::process
