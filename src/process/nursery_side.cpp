// SPDX-License-Identifier: MIT
//
// A nursery itself: it bears what the program orders.
#include "process/nursery.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <brood/base/error.hpp>
#include <brood/base/kill_point.hpp>
#include <brood/base/timeout.hpp>

#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/clone.hpp"
#include "os/descriptor_shelf.hpp"
#include "process/groups_of_children.hpp"
#include "process/handover.hpp"
#include "process/identity.hpp"
#include "process/last_words.hpp"
#include "wire/image.hpp"

namespace brood::process {
namespace {

using namespace std::chrono_literals;
using detail::kill_point;
using detail::KillPoint;

// What a nursery works with.
struct Household {
  NurserySide own;  // but for its cradle
  Cradle cradle;
  Handover handover;
  GroupsOfChildren brood;
};

// A birth on its way.
struct Labour {
  std::vector<os::UniqueFd> descriptors;
  os::UniqueFd own_end;              // of the life-line, where its end is tied to it
  std::optional<std::size_t> place;  // where it's to share the nursery's table
  std::optional<os::Child> child;
};

// A newborn whose descriptors are all known, and whose end is watched, may begin with the
// nursery's table.
std::optional<std::size_t> place_to_share(const Order& order, const Labour& labour,
                                          Household& house) noexcept {
  if (!labour.own_end || order.keeps_descriptors != 0) return std::nullopt;
  const os::DescriptorShelf& shelf = house.brood.shelf();
  if (!shelf.can_be_left_with(labour.descriptors)) return std::nullopt;
  if (!shelf.can_be_left_with(std::span(&labour.own_end, 1))) return std::nullopt;
  return house.handover.prepare();
}

Labour prepare(const Order& order, std::vector<os::UniqueFd> descriptors, Household& house) {
  Labour labour;
  labour.descriptors = std::move(descriptors);
  if (order.method == StartMethod::forked && order.tie == Tie::lifeline) {
    labour.own_end = os::UniqueFd(os::open_anew(house.own.lifeline.get()));
  }
  labour.place = place_to_share(order, labour, house);
  return labour;
}

[[noreturn]] void live(const Order& order, Labour& labour, Household& house) noexcept {
  kill_point(KillPoint::newborn);
  if (labour.place) {
    house.brood.shelf().leave();
    house.handover.tell_taken(*labour.place);
  }
  const int lifeline = house.own.lifeline.get();
  if (order.method == StartMethod::spawned) {
    respawn_as_child(order, std::move(labour.descriptors), lifeline);
  }
  const Line line = labour.own_end ? Line{labour.own_end.release(), true} : Line{lifeline};
  run_child(order, std::move(labour.descriptors), line, CopyOf::nursery);
}

os::CloneResult clone(Labour& labour, int* number, Household& house) {
  if (labour.place) {
    try {
      return os::clone_process(os::Parent::callers_parent, number, os::Table::shared);
    } catch (const SystemError&) {
      // Somebody plays the kernel, and knows threads and plain copies only.
      house.handover.give_up(*std::exchange(labour.place, std::nullopt));
    }
  }
  return os::clone_process(os::Parent::callers_parent, number);
}

// The nursery's side of a birth; the newborn's does not come back.
// Throws: SystemError.
void bear(const Order& order, Labour& labour, int* number, Household& house) {
  os::CloneResult result = clone(labour, number, house);
  if (result.side == os::Side::child) live(order, labour, house);
  labour.child = std::move(result.child);
  labour.child->pidfd = house.brood.shelf().put(std::move(labour.child->pidfd));
  kill_point(KillPoint::child_cloned);
}

// What is its own from now on stays open in the nursery until the newborn has it.
void settle(const Order& order, Labour& labour, Household& house) {
  if (labour.place) {
    labour.descriptors.push_back(std::move(labour.own_end));
    house.handover.keep(*labour.place, labour.child->pid, std::move(labour.descriptors));
  }
  if (order.tie == Tie::lifeline) house.brood.add(std::move(*labour.child));
  kill_point(KillPoint::child_added);
}

// `descriptors`: those of all the orders, one after another. From one clone to the next the
// nursery writes to few pages: those that its newborns have it must first make copies of.
// False where descriptors ran short.
bool carry_out(std::span<const Order> row, std::vector<os::UniqueFd> descriptors,
               Household& house) {
  std::array<Labour, most_in_row> labours;
  auto given = std::make_move_iterator(descriptors.begin());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto end = given + row[i].descriptor_count;
    labours[i] = prepare(row[i], {std::exchange(given, end), end}, house);
  }
  std::array<Birth, most_in_row> births;
  std::array<int, most_in_row> pidfds{};
  std::size_t born = 0;
  bool is_short = false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    Labour& labour = labours[i];
    try {
      bear(row[i], labour, house.cradle.newborn(i), house);
      births[i] = {labour.child->pid, 0};
      pidfds[born++] = labour.child->pidfd.get();
    } catch (const SystemError& refusal) {
      births[i] = {0, refusal.code()};
      is_short |= refusal.code() == EMFILE;
    }
  }
  os::send_message(house.own.channel.get(), std::as_bytes(std::span(births).first(row.size())),
                   std::span(pidfds).first(born));
  kill_point(KillPoint::birth_answered);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (labours[i].child) {
      settle(row[i], labours[i], house);
    } else if (labours[i].place) {
      house.handover.give_up(*labours[i].place);
    }
  }
  return !is_short;
}

// A row whose descriptors did not all come.
void refuse(std::size_t row_size, int channel) {
  std::array<Birth, most_in_row> births;
  births.fill({0, EMFILE});
  os::send_message(channel, std::as_bytes(std::span(births).first(row_size)));
}

// All orders, with the descriptors that they speak of, or as many as there was room for.
bool is_a_row(std::span<const Order> row, const os::Received& received) {
  std::size_t given = 0;
  for (const Order& order : row) {
    if (order.magic != Order::right_magic) return false;
    given += order.descriptor_count;
  }
  return received.size == row.size_bytes() && !row.empty() &&
         (received.lost_descriptors || given == received.descriptors.size());
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
  Cradle cradle(std::exchange(own.cradle, os::UniqueFd()).get());
  os::close_descriptors_except(kept);
  be_a_model();
  // Where it's stopped, or busy with a birth, it ends with the program as well.
  os::tie_to_lifeline(own.lifeline.get());
  kill_point(KillPoint::nursery_settled);
  rehearse_last_words();
  os::rehearse_birth();
  wire::main_image();  // its finding is so found
  identity();

  Handover handover;
  kept.push_back(handover.fd());
  Household house{std::move(own), std::move(cradle), std::move(handover), GroupsOfChildren(kept)};
  const int channel = house.own.channel.get();
  const int program = house.own.program.get();
  house.brood.poller().watch(channel, channel_tag);
  // The channel's other end may be held by a copy of the program.
  house.brood.poller().watch(program, program_tag);
  std::uint32_t rows = 0;
  bool is_short = false;
  for (;;) {
    // A copy: adding a child must not disturb the list.
    const std::vector<std::uint64_t> ready = house.brood.poller().wait();
    house.handover.release();
    for (const std::uint64_t tag : ready) {
      if (tag == program_tag) {
        house.brood.kill_all();
        os::leave(0);
      }
      if (tag != channel_tag) {
        house.brood.forget(static_cast<int>(tag));
        house.handover.release_of(static_cast<int>(tag));
        continue;
      }
      // What its newborns are about to take is room for more.
      if (is_short) house.handover.await_all();
      std::array<Order, most_in_row> orders;
      auto received = os::receive_message(channel, std::as_writable_bytes(std::span(orders)));
      if (!received) {
        if (program_died(program)) house.brood.kill_all();
        os::leave(0);
      }
      if (orders[0].magic == farewell) os::leave(0);
      const std::span row = std::span(orders).first(received->size / sizeof(Order));
      if (!is_a_row(row, *received)) continue;
      kill_point(KillPoint::order_taken);
      house.cradle.at(++rows);
      is_short =
          received->lost_descriptors || !carry_out(row, std::move(received->descriptors), house);
      if (received->lost_descriptors) refuse(row.size(), channel);
    }
  }
}

}  // namespace brood::process
