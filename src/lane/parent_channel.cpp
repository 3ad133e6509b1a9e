// SPDX-License-Identifier: MIT
//
// The parts of a parent's end that use its channel.
#include <algorithm>
#include <chrono>
#include <memory>
#include <span>

#include <brood/base/error.hpp>

#include "lane/outside.hpp"
#include "lane/parent_end.hpp"
#include "os/channel.hpp"

namespace brood::lane {
namespace {

// Whether that much can be read there, whatever its sender does.
bool holds(int memory, std::size_t size) {
  return os::memory_size(memory) >= size && os::is_sealed_against_shrinking(memory);
}

Deadline at_once() noexcept { return Deadline(Timeout(std::chrono::nanoseconds(0))); }

}  // namespace

void ParentEnd::send_outside(std::uint64_t position, const Parcel& parcel, std::size_t items_begin,
                             Note& note) {
  const RequestMemory::Content content{parcel.callable, parcel.items, items_begin};
  const OutsideNote sent{position, content.size()};
  const auto send = [&](int fd) {
    os::send_message(channel_.get(), std::as_bytes(std::span(&sent, 1)), std::span(&fd, 1));
    ++outside_requests_;
  };
  // Where all lies in one block already, as it would there.
  if (parcel.items.empty() || parcel.items.data() == parcel.callable.data() + items_begin) {
    const std::size_t size = parcel.items.empty() ? parcel.callable.size() : content.size();
    note.request = os::HeldBlock(parcel.callable.data(), size);
    if (note.request) return send(note.request.descriptor());
  }
  const auto unused = std::find(kept_is_used_.begin(), kept_is_used_.end(), false);
  const auto place = static_cast<std::size_t>(unused - kept_is_used_.begin());
  RequestMemory passing;
  RequestMemory& memory = unused == kept_is_used_.end() ? passing : kept_[place];
  if (memory && memory.fits(content)) {
    memory.fill(content);
  } else {
    memory = {};
    memory = RequestMemory(content);
  }
  send(memory.fd());
  if (&memory == &passing) return;
  kept_is_used_[place] = true;
  note.kept = static_cast<std::int8_t>(place);
}

ParentEnd::~ParentEnd() {
  if (borrowed_) borrowed_->close();
}

bool ParentEnd::keeps_memory() const noexcept {
  return (copies_ && copies_->may_keep()) || (borrowed_ && borrowed_->may_keep()) ||
         !answers_.is_empty() ||
         std::any_of(kept_.begin(), kept_.end(), [](const auto& kept) { return bool(kept); });
}

ParentEnd::KeptMemory ParentEnd::take_unused_memory() noexcept {
  KeptMemory taken;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    if (!kept_is_used_[i]) std::swap(taken.requests[i], kept_[i]);
  }
  taken.answers = answers_.forget();
  if (copies_) taken.copies = copies_->forget();
  if (borrowed_) taken.views = borrowed_->forget();
  return taken;
}

std::shared_ptr<std::byte> ParentEnd::room_for_copy(std::size_t size) {
  if (!copies_) copies_ = std::make_shared<CopyStore>();
  return copies_->take(size);
}

std::shared_ptr<const std::byte> ParentEnd::lasting_copy(const Answer& answer) {
  auto copy = room_for_copy(answer.trailer_bytes.size());
  std::copy(answer.trailer_bytes.begin(), answer.trailer_bytes.end(), copy.get());
  return copy;
}

// What the worker may write to again is read where it lies once more, or copied. Pages that
// are not mapped yet are copied faster by the kernel.
void ParentEnd::take_over(Answer& answer, int memory, std::size_t size, bool is_to_last) {
  if (os::is_sealed_against_writing(memory)) {
    const auto mapped = std::make_shared<os::Mapping>(os::map_read_only(memory, size));
    answer.outside = {mapped, mapped->data()};
  } else {
    answer.trailer_bytes = is_to_last ? std::span<const std::byte>{} : answers_.find(memory, size);
    answer.is_passing = !answer.trailer_bytes.empty();
    if (answer.is_passing) return;
    auto copy = room_for_copy(size);
    os::read_memory(memory, {copy.get(), size});
    answer.outside = std::move(copy);
  }
  answer.trailer_bytes = {answer.outside.get(), size};
}

void ParentEnd::receive_outside(Answer& answer, std::size_t size, std::uint32_t what) {
  // It was sent before the task was done, so it's there, or never comes.
  auto received = receive_note(channel_.get(), answer.position, at_once());
  if (received && received->empty()) {
    answer.unreadable =
        std::make_exception_ptr(os::no_descriptor_left("take a large value from a worker"));
    return;
  }
  const bool has_bytes = (what & bytes_outside) != 0;
  if (!received || (has_bytes && !holds(received->front().get(), size))) {
    return call_impossible(answer);
  }
  has_started_ = true;  // its note of that was before this one
  try {
    if (has_bytes) {
      // With what they refer to they are kept until somebody decodes them.
      take_over(answer, received->front().get(), size, received->size() > 1);
      received->erase(received->begin());
    }
    for (os::UniqueFd& memory : *received) {
      if (!borrowed_) borrowed_ = std::make_shared<BorrowedMemory>(header().returned);
      auto sealed = borrowed_->borrow(std::move(memory));
      answer.enclosed.push_back(sealed ? std::make_shared<os::SealedMemory>(std::move(*sealed))
                                       : nullptr);
    }
  } catch (const std::exception&) {
    answer.unreadable = std::current_exception();
  }
}

bool ParentEnd::may_have_failed_to_start() const noexcept {
  return !has_started_ && header().startup.load(std::memory_order_acquire) ==
                              static_cast<std::uint32_t>(Startup::failed);
}

// A task may have written over the header; what came over the channel, before any
// task ran, it can't take back.
Startup ParentEnd::startup() noexcept {
  const auto word = static_cast<Startup>(header().startup.load(std::memory_order_acquire));
  if (has_started_ || word == Startup::ready) return Startup::ready;
  try {
    OutsideNote note{1, 0};
    const auto received =
        os::receive_message(channel_.get(), std::as_writable_bytes(std::span(&note, 1)), at_once());
    has_started_ = received && received->size == sizeof note && note.position == 0;
  } catch (const std::exception&) {
    // There is none.
  }
  if (has_started_) return Startup::ready;
  return word == Startup::failed ? Startup::failed : Startup::beginning;
}

std::vector<std::byte> ParentEnd::startup_failure() const {
  const Header& from = header();
  const std::uint64_t size = from.failure_size.load(std::memory_order_acquire);
  if (size > sizeof from.failure) return {};
  return {from.failure, from.failure + size};
}

}  // namespace brood::lane
