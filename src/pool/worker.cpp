// SPDX-License-Identifier: MIT
#include "pool/worker.hpp"

#include <cxxabi.h>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brood/base/error.hpp>
#include <brood/base/kill_point.hpp>
#include <brood/pool/execution.hpp>
#include <brood/wire/erased_call.hpp>
#include <brood/wire/exception_record.hpp>

#include "lane/worker_end.hpp"
#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/memory.hpp"
#include "os/memory_use.hpp"
#include "os/niceness.hpp"
#include "os/place.hpp"
#include "os/steady_now.hpp"
#include "os/thread_list.hpp"
#include "pool/charter.hpp"
#include "pool/id_table.hpp"
#include "pool/pool_size.hpp"
#include "pool/this_task.hpp"
#include "process/home.hpp"
#include "process/identity.hpp"
#include "process/last_words.hpp"
#include "share/known_blocks.hpp"
#include "share/lending.hpp"

namespace brood::detail {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t count_of(Clock::time_point moment) noexcept {
  return moment.time_since_epoch().count();
}
std::int64_t now() noexcept { return count_of(os::steady_now()); }
// Instead of a moment.
constexpr std::int64_t unknown = 0;

// This worker's, if it has a limit.
std::optional<os::MemoryAllowance> allowance;

// A task that finds less than half of what there was pays for what others have left: this
// worker is replaced before. Looked at after a task, or between a map's items, though not
// more often than this, which is time to touch some hundred pages.
constexpr std::int64_t between_looks = 200'000;

bool is_worn_out(std::int64_t now) noexcept {
  static std::int64_t next_look = 0;
  static bool worn_out = false;
  if (!allowance || worn_out || now < next_look) return worn_out;
  next_look = now + between_looks;
  return worn_out = allowance->is_half_gone();
}

// One claimed task on its way, or the calls that share its slot: what a thunk sees, and
// what this_task tells.
class LaneExecution final : public Execution, public TaskContext {
 public:
  // `since`: when it began; when it has run, when it ended, or `unknown`.
  LaneExecution(lane::WorkerEnd& end, const lane::Claim& claim, lane::AnswerWriter& answer,
                std::int64_t& since)
      : Execution(claim.callable, claim.items, claim.slot->count, answer),
        end_(end),
        claim_(claim),
        writer_(answer),
        since_(since) {
    begun_ = &claim.slot->begun;
    ended_word_ = &claim.slot->ended;
    answer_end_ = &claim.slot->answer_end;
    item_since_ = &claim.slot->item_since;
    goes_apart_ = answer.goes_apart();
    answer.follow(value_begin_);
    has_deadlines_ = (claim.slot->flags & lane::guarded_flag) != 0;
    guarded_ = has_deadlines_ || allowance.has_value();
  }

  // Runs the thunk to its end, whatever that is. False: the task was condemned.
  bool run() {
    std::exception_ptr thrown;
    try {
      TaskScope scope(*this);
      const auto thunk = wire::resolve_as<void(Execution&)>(claim_.code);
      if (claim_.bundle.empty()) {
        thunk(*this);
      } else {
        run_bundle(thunk);
      }
    } catch (const abi::__forced_unwind&) {
      // pthread_exit: the thread that it would end is this process's only one
      // for tasks.
      os::leave(0);
    } catch (...) {
      thrown = std::current_exception();
    }
    kill_point(KillPoint::thunk_left);
    take_time();
    if (has_deadlines_ && !end_guarded()) return false;
    kill_point(KillPoint::items_closed);
    if (thrown) {
      add_exception(thrown);
    } else if (*goes_apart_) {
      end_.add_value_apart(claim_, writer_);
    } else if (ended() < claim_.slot->count) {
      end_.add_trailer(claim_, lane::Trailer::rest, {}, 0);
    }
    os::flush_output();
    return end_.finish(claim_);
  }

  bool stop_requested() const noexcept override {
    return claim_.slot->stop.load(std::memory_order_acquire) == claim_.position;
  }
  JobId id() const noexcept override { return {bundled_ ? bundled_->job : claim_.slot->job}; }
  std::uint64_t sequence() const noexcept override {
    return bundled_ ? IdTable::sequence_of({bundled_->job}) : claim_.slot->sequence;
  }
  std::size_t index() const noexcept override {
    if (bundled_) return 0;
    // The begun item's: `ended` may lag behind while numbers run through.
    const std::uint64_t begun = begun_->load(std::memory_order_relaxed) & ~lane::begun_marks;
    return static_cast<std::size_t>(claim_.slot->first_item + begun - 1);
  }
  void report(std::uint64_t done, std::uint64_t total) noexcept override {
    claim_.slot->progress_done.store(done, std::memory_order_relaxed);
    claim_.slot->progress_total.store(total, std::memory_order_relaxed);
  }

 private:
  // What the user's code left behind it says what kind of error it was.
  std::exception_ptr as_told(const std::exception_ptr& thrown) const {
    if (step_ != Step::encoding) return thrown;
    try {
      std::rethrow_exception(thrown);
    } catch (const ShipError&) {
      return thrown;
    } catch (const std::exception& why) {
      return std::make_exception_ptr(
          ShipError(std::string("cannot encode the result of a task: ") + why.what()));
    } catch (...) {
      return std::make_exception_ptr(
          ShipError("cannot encode the result of a task: its serialize function threw"));
    }
  }

  void add_exception(const std::exception_ptr& thrown) {
    wire::Buffer record;
    wire::encode_exception(record, as_told(thrown));
    end_.add_trailer(claim_, lane::Trailer::exception, {record.data(), record.size()},
                     static_cast<std::size_t>(answer_end_->load(std::memory_order_relaxed)));
  }

  // Each is ended here, when it's known where its value ends.
  // Survives: death anywhere, as a single task's does: a call whose end was not
  // published is the one that crashed.
  void run_bundle(Thunk thunk) {
    ended_word_ = &bundled_end_;
    item_since_ = nullptr;
    guarded_ = true;
    std::span<const std::byte> rest = callable_;
    for (lane::BundledCall& call : claim_.bundle) {
      const std::size_t before = ended_;
      bundled_ = &call;
      callable_ = rest.first(call.size);
      rest = rest.subspan(static_cast<std::size_t>(lane::rounded_up(call.size, 16)));
      thunk(*this);
      // The parent has it back, or its value goes another way.
      if (ended_ == before) return;
      call.value_end = static_cast<std::uint32_t>(answer_->size());
      kill_point(KillPoint::bundled_value_measured);
      claim_.slot->ended.store(ended_, std::memory_order_release);
      kill_point(KillPoint::bundled_call_ended);
      if (ended_ != claim_.bundle.size()) os::flush_output();
    }
  }

  // Whether its caller looks out for the end, and takes the time. One that sleeps would take it
  // too late.
  bool is_seen() const noexcept {
    return (claim_.slot->flags & lane::seen_flag) != 0 && !allowance &&
           (claim_.slot->word.load(std::memory_order_relaxed) & lane::waiter_bit) == 0;
  }
  // Survives: death anywhere, as what it writes is believed of a task that's done only.
  void take_time() noexcept {
    if (is_seen()) {
      claim_.slot->item_since.store(since_, std::memory_order_relaxed);
      claim_.slot->run_nanoseconds = lane::untold;
      since_ = unknown;
      return;
    }
    const std::int64_t end = now();
    claim_.slot->run_nanoseconds = static_cast<std::uint64_t>(end - since_);
    since_ = end;
  }

  // Takes `begun` out of the parent's reach, as each begin_item does.
  bool end_guarded() noexcept {
    std::uint64_t begun = begun_->load(std::memory_order_acquire);
    return (begun & lane::condemned_item_bit) == 0 &&
           begun_->compare_exchange_strong(begun, begun | lane::finished_items_bit);
  }

  // Counts a call in progress for this_task, also through exceptions.
  class TaskScope {
   public:
    explicit TaskScope(TaskContext& task) : outer_(exchange_task_context(&task)) {}
    ~TaskScope() { exchange_task_context(outer_); }
    TaskScope(const TaskScope&) = delete;
    TaskScope& operator=(const TaskScope&) = delete;

   private:
    TaskContext* outer_;
  };

  lane::WorkerEnd& end_;
  const lane::Claim& claim_;
  lane::AnswerWriter& writer_;
  std::int64_t& since_;
  bool has_deadlines_ = false;
  const lane::BundledCall* bundled_ = nullptr;  // which is running
  std::atomic<std::uint64_t> bundled_end_{0};   // stands for the slot's
};

void run_errand(const Charter::Errand& errand) {
  if (errand.given) wire::ErasedCall::run(errand.bytes);
}

std::vector<std::byte> record_of_current_exception() {
  wire::Buffer record;
  wire::encode_exception(record, std::current_exception());
  return {record.data(), record.data() + record.size()};
}

void settle_down(const Charter& charter, std::size_t place) {
  if (place < charter.places.size()) os::occupy(charter.places[place]);
  if (!charter.niceness || os::set_niceness(*charter.niceness)) return;
  throw ContextError("cannot give a worker the niceness " + std::to_string(*charter.niceness) +
                     ": what it's a copy of may not have it; give the permission before "
                     "brood::init");
}

bool has_unused_memory() noexcept { return has_unused_blocks() || os::may_hold_freed_memory(); }
void give_back_unused_memory() noexcept {
  forget_unused_blocks();
  if (os::may_hold_freed_memory()) os::give_back_freed_memory();
}

// `group` is where it can enter a control group with the limit, or -1.
bool start(lane::WorkerEnd& end, const Charter& charter, std::size_t place, int group) {
  try {
    settle_down(charter, place);
    if (charter.memory_limit != 0) {
      allowance.emplace(static_cast<std::size_t>(charter.memory_limit), group);
    }
    run_errand(charter.initializer);
    if (allowance) allowance->begin_tasks();
    end.ready();
    return true;
  } catch (const abi::__forced_unwind&) {
    os::leave(0);
  } catch (...) {
    end.could_not_start(record_of_current_exception());
    return false;
  }
}

}  // namespace

// Publishes when the item began before it publishes that it did: a deadline that
// is read too late is harmless, one too early would kill an innocent.
bool Execution::begin_guarded() {
  std::uint64_t before = ended_;
  if (!item_since_) {  // of a bundle, which has no deadlines
    const bool begun = begun_->compare_exchange_strong(before, ended_ + 1);
    kill_point(KillPoint::bundled_call_begun);
    return begun;
  }
  const std::int64_t since = now();
  if (ended_ != 0 && is_worn_out(since)) {
    // The piece ends here, and another worker has the rest.
    count_ = ended_;
    return false;
  }
  item_since_->store(since, std::memory_order_release);
  kill_point(KillPoint::guarded_item_timed);
  const bool begun = begun_->compare_exchange_strong(before, ended_ + 1);
  kill_point(KillPoint::guarded_item_begun);
  return begun;
}

int worker_main(process::Kit& kit) {
  auto& fds = kit.descriptors;
  if (fds.size() < 4) return 1;
  kill_point(KillPoint::worker_begins);
  os::Mapping memory = os::map_shared(fds[0].get(), os::memory_size(fds[0].get()));
  memory.not_in_forks();
  fds[0].reset();
  kill_point(KillPoint::lane_mapped);
  const Charter charter = Charter::from_memory(fds[3].get());
  fds[3].reset();
  process::become((charter.pool_name.empty() ? "PoolWorker" : charter.pool_name) + '-' +
                      std::to_string(os::current_process_id()),
                  true);

  lane::WorkerEnd end(memory.data(), fds[1].get(), fds[2].get());
  // What counts against a limit is given back at once.
  lane::AnswerStore* const answers = charter.memory_limit == 0 ? end.answers() : nullptr;
  std::optional<ViewLending> lending;
  if (charter.memory_limit == 0) {
    os::keep_freed_memory();
    lending.emplace(end.returned_loans());
  }
  end.tidy_when_idle({&has_unused_memory, &give_back_unused_memory});
  process::leave_last_words(end.crash_record(), fds[2].get());
  have_share_of_process(static_cast<std::size_t>(charter.share));
  {
    const os::UniqueFd group = fds.size() > 4 ? std::move(fds[4]) : os::UniqueFd();
    if (!start(end, charter, kit.number, group.get())) return 1;
  }
  std::uint64_t items = 0;
  std::int64_t since = unknown;
  while (charter.most_items == 0 || items < charter.most_items) {
    lane::Claim claim;
    if (!end.take(claim)) break;
    // Once it's done the slot may be another task's.
    const std::uint32_t count = claim.slot->count;
    lane::AnswerWriter answer(claim.answer_area, answers);
    // One look at the clock ends a task and begins the next, or was there in time anyway.
    if (const auto seen = end.seen_at(); seen != Clock::time_point{}) {
      since = count_of(seen);
    } else if (!end.was_at_once() || since == unknown) {
      since = now();
    }
    LaneExecution execution(end, claim, answer, since);
    if (!execution.run()) {
      kill_point(KillPoint::condemned);
      end.wait_for_the_end(claim);
    }
    items += count;
    if (is_worn_out(since)) break;
  }
  kill_point(KillPoint::leaving);
  return 0;
}

int preloading_nursery_main(process::Kit& kit) {
  auto& fds = kit.descriptors;
  constexpr auto own = process::Nursery::own_descriptors;
  if (fds.size() < own + 1) return 1;
  std::vector<std::byte> report{std::byte{0}};
  try {
    run_errand(Charter::from_memory(fds[own].get()).preload);
    const auto threads = process::foreign_threads();
    if (!threads.empty()) {
      throw ContextError("cannot preload: the preload left a thread running ('" + threads.front() +
                         "'), whose locks every worker's copy would keep");
    }
  } catch (...) {
    report = record_of_current_exception();
    report.resize(std::min(report.size(), most_preload_report));
  }
  kill_point(KillPoint::before_preload_report);
  os::send_message(fds[0].get(), report);
  kill_point(KillPoint::preload_reported);
  if (report.size() > 1) return 1;
  process::serve(process::NurserySide::from(kit));
}

}  // namespace brood::detail
