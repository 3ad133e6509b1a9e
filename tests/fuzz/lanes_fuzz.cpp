// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include <brood/base/error.hpp>

#include "fuzz/fuzz.hpp"
#include "lane/outside.hpp"
#include "lane/parent_end.hpp"
#include "lane/worker_end.hpp"
#include "os/channel.hpp"
#include "os/memory.hpp"

// A worker that does what the input says: it takes tasks and ends them, writes
// anything anywhere, and sends anything over the channel. What the program takes out
// lies within what it gave, and every task comes to an end.

namespace {

using namespace brood;
using namespace brood::lane;

constexpr Geometry small{8, 4096};

enum class Act : std::uint8_t {
  write,
  field,
  work,
  note,
  give,
  take,
  revoke,
  condemn,
  look,
  count_
};

// A step of the input: what is done, and with what.
struct Step {
  std::uint8_t act;
  std::uint8_t which;
  std::uint16_t at;
  std::uint32_t bits;
  std::uint64_t value;
};

testing::Bytes script(std::initializer_list<Step> steps) {
  const auto bytes = std::as_bytes(std::span(steps.begin(), steps.size()));
  return {bytes.begin(), bytes.end()};
}
constexpr std::uint8_t number(Act act) { return static_cast<std::uint8_t>(act); }

class World {
 public:
  void run(const Step& step) {
    switch (static_cast<Act>(step.act % number(Act::count_))) {
      case Act::write: return write(step.at % small.size(), &step.value, sizeof step.value);
      case Act::field: return write_field(step);
      case Act::work: return work(step);
      case Act::note: return send(step);
      case Act::give: return give(step);
      case Act::take: return take();
      case Act::revoke: parent_.revoke(some_position(step)); return;
      case Act::condemn: condemn(step); return;
      case Act::look: return look(step);
      case Act::count_: return;
    }
  }

  // The worker dies: nothing may be left.
  void end() {
    while (const auto answer = parent_.take_dead()) {
      check(*answer);
      parent_.release(*answer);
    }
    testing::require(parent_.outstanding() == 0);
  }

 private:
  void write(std::size_t at, const void* what, std::size_t size) {
    std::memcpy(parent_.data() + std::min(at, small.size() - size), what, size);
  }

  Slot& slot(std::uint64_t place) {
    return reinterpret_cast<Slot*>(parent_.data() + sizeof(Header))[place % small.slots];
  }

  // Aimed at what is read.
  void write_field(const Step& step) {
    Slot& to = slot(step.at);
    switch (step.which % 9) {
      case 0:
        to.word = make_word(small.slots + step.at % 64, static_cast<State>(step.bits % 8));
        break;
      case 1: to.begun = step.value; break;
      case 2: to.ended = step.value; break;
      case 3: to.answer_end = step.value; break;
      case 4: to.trailer_size = step.value; break;
      case 5: to.trailer = static_cast<Trailer>(step.bits); break;
      case 6: to.trailer_outside = step.bits; break;
      case 7: to.run_nanoseconds = step.value; break;
      default: to.item_since = static_cast<std::int64_t>(step.value); break;
    }
  }

  // As an honest worker would, but for what it counts.
  void work(const Step& step) {
    Slot& next = slot(step.at);
    const std::uint64_t word = next.word;
    next.begun = step.value % 4;
    next.ended = step.which % 4;
    next.word = with_state(word, State::done);
  }

  void send(const Step& step) {
    if (sent_ == 4) return;
    ++sent_;
    const OutsideNote note{step.which % 3 == 0 ? 0 : small.slots + step.at % 16, step.value};
    const auto bytes =
        std::as_bytes(std::span(&note, 1)).first(step.bits % 5 == 0 ? 5 : sizeof note);
    os::UniqueFd memory = os::make_growing_memory("fuzz");
    os::resize_memory(memory.get(), step.bits % 10'000);
    if (step.which % 2 == 0) os::seal_contents(memory.get());
    const int fd = memory.get();
    os::send_message(parent_.worker_channel(), bytes,
                     std::span(&fd, step.which % 5 == 0 ? 0u : 1u));
  }

  void give(const Step& step) {
    const testing::Bytes bytes(step.bits % 3000);
    Parcel parcel;
    parcel.callable = std::span(bytes).first(bytes.size() / 2);
    parcel.items = std::span(bytes).subspan(bytes.size() / 2);
    parcel.count = 1 + step.which % 3;
    parcel.guarded = step.at % 2 == 0;
    parcel.answer_room = step.at % 2000;
    if (step.which % 8 == 7 || !parent_.give(parcel)) return;
  }

  void take() {
    const auto answer = parent_.take();
    if (!answer || answer->impossible) return;
    check(*answer);
    parent_.release(*answer);
  }

  void condemn(const Step& step) {
    if (parent_.outstanding() == 0) return;
    const std::uint64_t position = some_position(step);
    if (const auto running = parent_.running_item(position)) {
      parent_.condemn_item(position, running->begun);
    } else if (!parent_.condemn(position)) {
      return;
    }
    check(parent_.peek_condemned(position));
  }

  void look(const Step& step) {
    parent_.wake();
    parent_.startup();
    parent_.startup_failure();
    parent_.ring_when_idle(step.which % 2 == 0);
    if (parent_.outstanding() == 0) return;
    const std::uint64_t position = some_position(step);
    parent_.set_bell(position);
    parent_.mark_waiter(position);
    parent_.is_open(position);
    parent_.ask_to_stop(position);
  }

  std::uint64_t some_position(const Step& step) {
    return parent_.oldest() + step.at % std::max<std::size_t>(parent_.outstanding(), 1);
  }

  void check(const Answer& answer) {
    const std::byte* const begin = parent_.data();
    testing::require(answer.ended <= 3 && answer.begun <= 3);
    testing::require(answer.values.empty() ||
                     (answer.values.data() >= begin &&
                      answer.values.data() + answer.values.size() <= begin + small.size()));
    unsigned sum = 0;
    for (const std::byte byte : answer.values) sum += std::to_integer<unsigned>(byte);
    for (const std::byte byte : answer.trailer_bytes) sum += std::to_integer<unsigned>(byte);
    const volatile unsigned kept = sum;
    static_cast<void>(kept);
  }

  ParentEnd parent_{small};
  int sent_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  testing::write_seeds({script({{number(Act::give), 0, 1, 100, 0},
                                {number(Act::work), 1, 0, 0, 1},
                                {number(Act::take), 0, 0, 0, 0}}),
                        script({{number(Act::give), 1, 0, 2000, 0},
                                {number(Act::field), 1, 0, 0, 1},
                                {number(Act::field), 0, 0, 2, 0},
                                {number(Act::condemn), 0, 0, 0, 0}}),
                        script({{number(Act::give), 0, 1, 10, 0},
                                {number(Act::note), 4, 0, 101, 64},
                                {number(Act::field), 5, 0, 2, 0},
                                {number(Act::field), 6, 0, 1, 0},
                                {number(Act::field), 4, 0, 0, 64},
                                {number(Act::work), 0, 0, 0, 1},
                                {number(Act::take), 0, 0, 0, 0}}),
                        script({{number(Act::give), 0, 1, 10, 0},
                                {number(Act::revoke), 0, 0, 0, 0},
                                {number(Act::look), 0, 0, 0, 0},
                                {number(Act::write), 0, 0, 0, 77},
                                {number(Act::take), 0, 0, 0, 0}})});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World world;
  for (std::size_t at = 0; at + sizeof(Step) <= size && at < 64 * sizeof(Step);
       at += sizeof(Step)) {
    Step step;
    std::memcpy(&step, data + at, sizeof step);
    world.run(step);
  }
  world.end();
  return 0;
}
