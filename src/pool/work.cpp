// SPDX-License-Identifier: MIT
#include <brood/pool/work.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/pool/execution.hpp>
#include <brood/wire/code_ref.hpp>

namespace brood::detail {
namespace {

// Before anything is known of a map's answers.
constexpr std::size_t guessed_answer = 64;
// What the exception record of a usual what() takes.
constexpr std::size_t usual_trailer = 160;
// A quarter of what a lane has for all.
constexpr std::size_t most_room = std::size_t{256} << 10;
// Whoever encodes the next request has to get memory anew then.
constexpr std::size_t worth_taking_over = std::size_t{64} << 10;

bool workers_have(Thunk thunk) {
  return wire::in_initial_images(reinterpret_cast<const void*>(thunk));
}

// Runs a thunk of a library that the worker may lack: where that is precedes the
// callable. The lane's own fields are the same for all thunks.
void run_far(Execution& x) {
  wire::Reader in(x.callable());
  const auto thunk = reinterpret_cast<Thunk>(const_cast<void*>(wire::take_code(in)));
  in.align(16);
  x.skip_callable(in.position());
  thunk(x);
}

void put_far(wire::Buffer& out, Thunk thunk, std::span<const std::byte> callable) {
  wire::ship_code(out, reinterpret_cast<const void*>(thunk));
  out.align(16);
  out.write(callable.data(), callable.size());
}

LastingBytes copy_of(std::span<const std::byte> bytes) {
  const auto copy = std::make_shared_for_overwrite<std::byte[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  return {{copy, copy.get()}, bytes.size()};
}

}  // namespace

wire::CodeRef Request::code() const {
  if (!label) return {};
  wire::Reader in(callable);
  if (thunk == &run_far) {
    wire::read_code(in);
    in.align(16);
  }
  return wire::code_of(*label, in);
}

void SmallBytes::assign(std::span<const std::byte> bytes) {
  if (bytes.size() > inline_size) {
    wire::Block copy{{static_cast<std::byte*>(std::malloc(bytes.size())), {}}, bytes.size()};
    if (!copy.bytes) throw std::bad_alloc{};
    std::memcpy(copy.bytes.get(), bytes.data(), bytes.size());
    return adopt(std::move(copy));
  }
  clear();
  if (!bytes.empty()) std::memcpy(bytes_, bytes.data(), bytes.size());
  size_ = static_cast<std::uint8_t>(bytes.size());
}

void SmallBytes::adopt(wire::Block block) noexcept {
  if (block.size <= inline_size) return assign({block.bytes.get(), block.size});
  clear();
  const Elsewhere all{block.bytes.release(), block.size};
  std::memcpy(bytes_, &all, sizeof all);
  size_ = is_elsewhere;
}

void SmallBytes::clear() noexcept {
  if (size_ > inline_size) wire::Free()(elsewhere().begin);
  size_ = 0;
}

CallJob::~CallJob() = default;

void CallJob::set_request(const WorkerCode& code, wire::Buffer& callable_and_arguments) {
  code_ = &code;
  if (!workers_have(code.thunk)) {
    wire::Buffer far;
    put_far(far, code.thunk, callable_and_arguments.view());
    runs_far_ = true;
    return bytes_.assign(far.view());
  }
  // A small one's memory is worth more to the next.
  if (callable_and_arguments.size() < worth_taking_over) {
    return bytes_.assign(callable_and_arguments.view());
  }
  bytes_.adopt(callable_and_arguments.release());
}

Request CallJob::request(std::size_t, std::size_t) const noexcept {
  return {runs_far_ ? &run_far : code_->thunk, code_->label, bytes_.view(), {}};
}

// One of the usual size fits for sure, unless it's so large that it goes another way.
std::size_t CallJob::answer_room(std::size_t) const noexcept {
  const std::size_t usual = code_->usual_answer.load(std::memory_order_relaxed) + 16;
  return usual > most_room ? usual_trailer : std::max(usual_trailer, usual);
}

void CallJob::keep(std::size_t, std::size_t, std::span<const std::byte> answer) {
  note_answer(answer.size());
  bytes_.assign(answer);
}

void CallJob::keep_outside(std::size_t, LastingBytes value) {
  note_answer(value.size);
  extras().answer = std::move(value);
  bytes_.clear();
}

wire::Reader CallJob::answer() const noexcept {
  const JobExtras* const extras = extras_or_null();
  if (!extras || !extras->answer.begin) return wire::Reader(bytes_.view());
  return wire::Reader(extras->answer.view(), &extras->answer.enclosed);
}

void CallJob::forget_answer() noexcept {
  bytes_.clear();
  if (extras_or_null()) extras().answer = {};
}

void CallJob::keep_failure(std::size_t, Failure failure) {
  bytes_.clear();
  extras().failure = std::make_unique<Failure>(std::move(failure));
}

void CallJob::rethrow_record() const {
  const JobExtras* const extras = extras_or_null();
  if (extras && extras->failure) std::rethrow_exception(extras->failure->open());
}

MapJob::~MapJob() = default;

void MapJob::set_callable(const WorkerCode& code, std::span<const std::byte> callable) {
  code_ = &code;
  callable_.clear();
  runs_far_ = !workers_have(code.thunk);
  if (runs_far_) {
    put_far(callable_, code.thunk, callable);
  } else {
    callable_.write(callable.data(), callable.size());
  }
}

void MapJob::borrow_items(FlatItems items, std::size_t count) noexcept {
  flat_items_ = items;
  count_ = count;
}

void MapJob::own_flat_items(wire::Buffer bytes, std::size_t stride, std::size_t count) {
  items_ = std::move(bytes);
  flat_items_ = {items_.data(), stride};
  count_ = count;
}

void MapJob::own_items(wire::Buffer bytes, std::vector<std::size_t> offsets) {
  items_ = std::move(bytes);
  offsets_ = std::move(offsets);
  count_ = offsets_.size() - 1;
}

void MapJob::keep_items(std::unique_ptr<LateItems> items, std::size_t count) noexcept {
  late_items_ = std::move(items);
  count_ = count;
}

void MapJob::flat_results(std::byte* begin, std::size_t stride) noexcept {
  results_ = begin;
  results_stride_ = stride;
  results_are_flat_ = true;
}

Request MapJob::request(std::size_t first, std::size_t count) const noexcept {
  Request request{
      runs_far_ ? &run_far : code_->thunk, code_->label, {callable_.data(), callable_.size()}, {}};
  if (encodes_late()) return request;
  if (offsets_.empty()) {
    request.items = {flat_items_.begin + first * flat_items_.stride, count * flat_items_.stride};
  } else {
    request.items = {items_.data() + offsets_[first], offsets_[first + count] - offsets_[first]};
  }
  return request;
}

Request MapJob::late_request(std::size_t first, std::size_t& count, std::size_t most_bytes,
                             wire::Buffer& room) const {
  // As they lie in a lane, so that what is large need not be copied to lie there.
  room.prefer_shared(true);
  room.write(callable_.data(), callable_.size());
  room.align(16);
  const std::size_t begin = room.size();
  std::size_t taken = 0;
  std::size_t expected = 0;
  for (; taken != count; ++taken) {
    expected += late_items_->bytes_of(first + taken);
    if (taken != 0 && expected + answer_room(taken + 1) > most_bytes) break;
    late_items_->encode(first + taken, room);
    room.align(16);
  }
  count = taken;
  Request request = MapJob::request(first, taken);
  request.callable = room.view().first(callable_.size());
  request.items = room.view().subspan(begin);
  return request;
}

std::size_t MapJob::answer_room(std::size_t count) const noexcept {
  if (results_are_flat_) return count * results_stride_ + usual_trailer;
  // Half as much again as was usual, so that an answer rarely has to go another
  // way.
  const std::size_t usual =
      answered_items_ == 0 ? guessed_answer : 3 * answered_bytes_ / (2 * answered_items_) + 16;
  return count * usual + usual_trailer;
}

void MapJob::keep(std::size_t first, std::size_t count, std::span<const std::byte> answer) {
  if (results_are_flat_) {
    const std::size_t size = count * results_stride_;
    if (answer.size() < size) {
      throw ShipError("cannot decode the results of a map: the answer is too short");
    }
    if (size != 0) std::memcpy(results_ + first * results_stride_, answer.data(), size);
    return;
  }
  keep_chunk({first, count, copy_of(answer)});
}

void MapJob::keep_outside(std::size_t item, LastingBytes value) {
  if (results_are_flat_) return keep(item, 1, value.view());
  keep_chunk({item, 1, std::move(value)});
}

bool MapJob::keep_passing(std::size_t item, std::span<const std::byte> value) {
  if (results_are_flat_) keep(item, 1, value);
  return results_are_flat_;
}

void MapJob::note_answer(std::size_t bytes, std::size_t items) noexcept {
  answered_items_ += items;
  answered_bytes_ += bytes;
}

void MapJob::keep_chunk(Chunk chunk) {
  note_answer(chunk.bytes.size, chunk.count);
  chunks_.push_back(std::move(chunk));
}

void MapJob::keep_failure(std::size_t item, Failure failure) {
  failures_.push_back({item, std::move(failure)});
}

}  // namespace brood::detail
