// SPDX-License-Identifier: MIT
#include "process/nursery.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brood/base/error.hpp>

#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/clone.hpp"
#include "os/poller.hpp"
#include "process/home.hpp"

namespace brood::process {
namespace {

using namespace std::chrono_literals;

// Longer than any birth on a machine that still works; after it the nursery is
// taken for lost.
constexpr auto birth_patience = 20s;

}  // namespace

// What became of a row, order by order.
class Nursery::Answer {
 public:
  Answer(std::span<const Birth> births, std::vector<os::UniqueFd> pidfds)
      : pidfds_(std::move(pidfds)) {
    std::copy(births.begin(), births.end(), births_.begin());
  }

  // The child of the next. Throws: SystemError where there's none.
  os::Child take() {
    const Birth& birth = births_[taken_++];
    if (birth.error != 0) os::throw_no_process(birth.error, "start a process");
    if (pidfds_taken_ == pidfds_.size()) {  // as many as there was room for came with it
      os::end_child(birth.pid);
      throw os::no_descriptor_left("start a process");
    }
    return {birth.pid, std::move(pidfds_[pidfds_taken_++])};
  }

 private:
  std::array<Birth, most_in_row> births_{};
  std::vector<os::UniqueFd> pidfds_;
  std::size_t taken_ = 0;
  std::size_t pidfds_taken_ = 0;
};

// Births in rows. One row more is on its way than the nursery is at. The first two are of
// one order each, so that it begins at once, then they grow: each wakes both sides once.
//
// Where descriptors run short, what is on the way is given up, and asked for one by one.
class Nursery::Rows {
 public:
  Rows(Nursery& nursery, const NextRequest& next, const Born& born)
      : nursery_(nursery), next_(next), born_(born) {}

  void run() {
    guarded([&] { ask_for_one(); });
    for (;;) {
      guarded([&] { ask_for_one(); });
      if (rows_.empty()) break;
      guarded([&] { take_answer(); });
    }
    if (failure_) std::rethrow_exception(failure_);
    if (is_gone_) nursery_.give_up();
  }

 private:
  struct Row {
    std::size_t size;
    std::vector<os::UniqueFd> room;  // for its pidfds, in the program's table
  };

  // The first that a step throws is what all ends with.
  template <typename Step>
  void guarded(const Step& step) {
    try {
      step();
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
    }
  }

  void ask_for_one() {
    if (failure_ || is_gone_ || (is_short_ && !rows_.empty())) return;
    std::vector<Order> row;
    std::vector<int> descriptors;
    std::vector<os::UniqueFd> room;
    const std::size_t most = is_short_ ? 1 : row_size_;
    for (std::size_t i = on_the_way(); row.size() < most && has_request(i, room); ++i) {
      const Request& request = unborn_[i];
      if (descriptors.size() + request.descriptors.size() > os::most_descriptors) break;
      row.push_back(request.order);
      row.back().descriptor_count = static_cast<std::uint32_t>(request.descriptors.size());
      descriptors.insert(descriptors.end(), request.descriptors.begin(), request.descriptors.end());
    }
    if (row.empty()) return;
    is_gone_ = !nursery_.ask(row, descriptors);
    if (is_gone_) return;
    if (!rows_.empty()) row_size_ = std::min(2 * row_size_, most_in_row);
    rows_.push_back({row.size(), std::move(room)});
  }

  void take_answer() {
    const std::size_t size = rows_.front().size;
    rows_.pop_front();  // and makes room for what comes
    Answer answer = nursery_.answer(size);
    for (std::size_t i = 0; i < size; ++i) {
      guarded([&] { settle(answer); });
    }
    if (rows_.empty()) gives_up_ = false;
  }

  std::size_t on_the_way() const noexcept {
    std::size_t orders = 0;
    for (const Row& row : rows_) orders += row.size;
    return orders;
  }

  // Whether there is an i-th that is not born.
  bool has_request(std::size_t i, std::vector<os::UniqueFd>& room) {
    try {
      if (i == unborn_.size()) {
        auto request = next_();
        if (!request) return false;
        unborn_.push_back(std::move(*request));
      }
      room.push_back(os::duplicate(nursery_.channel_.get()));
      return true;
    } catch (const SystemError& error) {
      if (error.code() != EMFILE || i == 0) throw;
      is_short_ = true;  // those on the way give back what they no longer need
      return false;
    }
  }

  void settle(Answer& answer) {
    std::optional<os::Child> child;
    try {
      child = answer.take();
    } catch (const SystemError& error) {
      if (gives_up_) return;
      // The second time it had all the room that there is: see serve.
      if (error.code() != EMFILE || was_refused_) throw;
      was_refused_ = is_short_ = gives_up_ = true;
      return;
    }
    if (failure_ || gives_up_) return os::end_child(child->pid);
    was_refused_ = false;
    unborn_.pop_front();
    born_(std::move(*child));
  }

  Nursery& nursery_;
  const NextRequest& next_;
  const Born& born_;
  std::deque<Request> unborn_;  // the first are on the way
  std::deque<Row> rows_;
  std::size_t row_size_ = 1;
  bool is_short_ = false;
  bool was_refused_ = false;
  bool gives_up_ = false;  // on what is on the way
  bool is_gone_ = false;   // it may have answered before what is on the way
  std::exception_ptr failure_;
};

Nursery::Nursery(os::Child self, os::UniqueFd channel, int cradle)
    : self_(std::move(self)), channel_(std::move(channel)), cradle_(cradle) {}

Nursery::~Nursery() {
  if (ended_) return;
  try {
    Order bye;
    bye.magic = farewell;
    os::send_message(channel_.get(), std::as_bytes(std::span(&bye, 1)));
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
  Order sent = order;
  sent.descriptor_count = static_cast<std::uint32_t>(descriptors.size());
  if (!ask(std::span(&sent, 1), descriptors)) give_up();
  return answer(1).take();
}

void Nursery::births(const NextRequest& next, const Born& born) {
  const std::lock_guard lock(mutex_);
  Rows(*this, next, born).run();
}

// False when it's gone.
bool Nursery::ask(std::span<const Order> row, std::span<const int> descriptors) {
  return os::send_message(channel_.get(), std::as_bytes(row), descriptors);
}

Nursery::Answer Nursery::answer(std::size_t row_size) {
  std::array<Birth, most_in_row> births;
  auto received = os::receive_message(channel_.get(), std::as_writable_bytes(std::span(births)),
                                      Deadline(birth_patience));
  if (!received || received->size != row_size * sizeof(Birth)) give_up();
  ++answered_;
  return {std::span(births).first(row_size), std::move(received->descriptors)};
}

// It may answer later, and then the answer would be taken for another's. After
// this is_alive() is false, so that whoever asks again asks another one. The same order
// may go there, so a child of which nobody would know is ended, with a hand on what it
// was given.
void Nursery::give_up() {
  os::send_signal(self_, os::kill_signal);
  os::wait_for_end(self_.pidfd.get(), Deadline(2s));
  std::array<Birth, most_in_row> late;
  while (const auto received = os::receive_message(
             channel_.get(), std::as_writable_bytes(std::span(late)), Deadline(0s))) {
    if (received->size % sizeof(Birth) != 0) break;
    ++answered_;
    for (const Birth& birth : std::span(late).first(received->size / sizeof(Birth))) {
      if (birth.error == 0) os::end_child(birth.pid);
    }
  }
  for (const int pid : cradle_.newborns_of(++answered_)) {
    if (pid != 0) os::end_child(pid);
  }
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

}  // namespace brood::process
