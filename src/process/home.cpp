// SPDX-License-Identifier: MIT
#include "process/home.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <new>
#include <semaphore>

#include <brood/base/error.hpp>
#include <brood/process/init.hpp>
#include <brood/wire/code_ref.hpp>

#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/clone.hpp"
#include "os/native_thread.hpp"
#include "os/own_descriptors.hpp"
#include "os/proc_numbers.hpp"
#include "os/thread_list.hpp"

namespace brood::process {

constinit std::atomic<std::uint64_t> generation{0};

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool under_thread_sanitizer = true;
#elif defined(__has_feature)
constexpr bool under_thread_sanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool under_thread_sanitizer = false;
#endif

struct Home {
  const int owner = os::current_process_id();
  std::mutex mutex;
  // Guarded by mutex.
  std::shared_ptr<Nursery> nursery;
  std::shared_ptr<Nursery> spare;
  bool had_nursery = false;
  int spare_holders = 0;
  os::UniqueFd lifeline_read;
  os::UniqueFd lifeline_write;

  std::mutex threads_mutex;
  std::vector<int> own_threads;  // guarded by threads_mutex

  std::shared_mutex fork_gate;
};

// Replaced, never destroyed, in a child: there its locks may be held for ever by
// threads that do not exist, and its objects are the parent's.
std::atomic<Home*> current{nullptr};

Home& home() {
  Home* known = current.load(std::memory_order_acquire);
  if (known) return *known;
  auto* const fresh = new Home;
  if (current.compare_exchange_strong(known, fresh)) return *fresh;
  delete fresh;
  return *known;
}

// True in every copy of the program as well: each has the same main.
std::atomic<bool> user_called_init{false};

// Held in the child, the life-line's write end would keep the parent's workers
// alive after it, and its channels could disturb them.
void after_user_fork() noexcept {
  generation.fetch_add(1, std::memory_order_relaxed);
  current.store(nullptr);
  os::sweep_own_descriptors();
}

// At the start: a program whose first pool is of threads forks as well.
[[maybe_unused]] const bool watches_forks = [] {
  os::at_fork(nullptr, nullptr, after_user_fork);
  return true;
}();

void at_program_exit() {
  Home* const mine = current.load();
  if (!mine || mine->owner != os::current_process_id()) return;
  std::shared_ptr<Nursery> nursery;
  std::shared_ptr<Nursery> spare;
  {
    const std::lock_guard lock(mine->mutex);
    nursery = std::move(mine->nursery);
    spare = std::move(mine->spare);
  }
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

void prepare(Home& mine) {
  if (mine.lifeline_read) return;
  const os::Pipe pipe = os::make_pipe();
  mine.lifeline_read = os::UniqueFd(pipe.read_end);
  mine.lifeline_write = os::UniqueFd(pipe.write_end);
  // Before the first nursery, of which all workers are copies.
  wire::mark_initial_images();
  static const bool registered = [] {
    std::atexit(at_program_exit);
    return true;
  }();
  (void)registered;
}

void require_that_children_stay() {
  if (!os::children_live_elsewhere()) return;
  throw ContextError(
      "cannot start worker processes: this program has told the kernel, by unshare or setns, to "
      "have its children in another pid namespace, and may not start threads any more; fork "
      "first, and use brood in the child (unshare --pid --fork)");
}

// The entry of a nursery that another one bore, or that is the program anew.
int serve_as_spare(Kit& kit) {
  if (kit.descriptors.size() < Nursery::own_descriptors) return 1;
  serve(NurserySide::from(kit));
}

// Requires: mine.mutex is held.
void make_nursery(Home& mine) {
  auto others = foreign_threads();
  if (!others.empty() && mine.had_nursery && user_called_init) {
    Order order;
    order.entry = wire::locate(&serve_as_spare);
    order.set_name("brood-nursery");
    mine.nursery = Nursery::exec_here(order);
    return;
  }
  if (!others.empty()) others = lasting_foreign_threads();
  if (!others.empty() && mine.had_nursery) {
    throw ContextError(
        "cannot start worker processes: the nursery and its spare were killed, and a new one "
        "can't be made while other threads run (" +
        list_of(others) + "), as brood::init was never called");
  }
  if (!others.empty()) {
    throw ContextError(
        "cannot start worker processes: brood::init was not called before the program's first "
        "thread (now running: " +
        list_of(others) + "); call brood::init(argc, argv) as the first line of main");
  }
  require_that_children_stay();
  prepare(mine);
  mine.nursery = Nursery::clone_here("brood-nursery");
  mine.had_nursery = true;
}

std::shared_ptr<Nursery> healed(Home& mine) {
  if (mine.nursery && mine.nursery->is_alive()) return mine.nursery;
  if (mine.spare && mine.spare->is_alive()) {
    mine.nursery = std::move(mine.spare);
    return mine.nursery;
  }
  make_nursery(mine);
  return mine.nursery;
}

}  // namespace

void make_home(Caller caller) {
  if (caller == Caller::user) user_called_init = true;
  run_if_respawned();
  Home& mine = home();
  const std::lock_guard lock(mine.mutex);
  if (!mine.nursery) make_nursery(mine);
}

void require_own(std::uint64_t made_in, const char* what) {
  if (made_in == fork_generation()) return;
  throw ContextError(std::string("cannot use this ") + what +
                     ": it belongs to the process that forked this one; make one here");
}

std::shared_ptr<Nursery> home_nursery() {
  make_home(Caller::library);
  Home& mine = home();
  const std::lock_guard lock(mine.mutex);
  return healed(mine);
}

void require_init_for(StartMethod method) {
  if (method != StartMethod::spawned || user_called_init) return;
  throw ContextError(
      "cannot spawn a process: the program started anew would run its main again, since it "
      "never calls brood::init; call brood::init(argc, argv) as the first line of main");
}

os::Child bear(const Order& order, std::span<const int> descriptors) {
  return from_home_nursery(order.method,
                           [&](Nursery& nursery) { return nursery.birth(order, descriptors); });
}

void hold_spare_nursery() {
  Home& mine = home();
  const std::lock_guard lock(mine.mutex);
  ++mine.spare_holders;
}

void drop_spare_nursery() noexcept {
  Home& mine = home();
  std::shared_ptr<Nursery> last;
  const std::lock_guard lock(mine.mutex);
  if (--mine.spare_holders == 0) last = std::move(mine.spare);
}

void renew_spare_nursery() {
  Home& mine = home();
  std::shared_ptr<Nursery> nursery;
  {
    const std::lock_guard lock(mine.mutex);
    if (mine.spare_holders == 0) return;
    // Which may take the spare's place.
    nursery = healed(mine);
    if (mine.spare && mine.spare->is_alive()) return;
  }
  auto twin = make_twin(*nursery);
  const std::lock_guard lock(mine.mutex);
  if (mine.spare_holders > 0 && !(mine.spare && mine.spare->is_alive())) mine.spare = twin;
}

std::shared_ptr<Nursery> make_twin(Nursery& of) {
  Order order;
  order.entry = wire::locate(&serve_as_spare);
  order.set_name("brood-nursery");
  return of.make_another(order, {});
}

os::Child fork_here(const Order& order, std::vector<os::UniqueFd> descriptors, Entry entry) {
  require_that_children_stay();
  Home& mine = home();
  const std::unique_lock gate(mine.fork_gate);
  const auto others = lasting_foreign_threads();
  if (!others.empty()) {
    throw ContextError(
        "cannot fork this program: other threads run, whose locks the copy would "
        "keep for ever (" +
        list_of(others) + "); use Context::forkserver, or fork before they start");
  }
  {
    const std::lock_guard lock(mine.mutex);
    prepare(mine);
  }
  os::flush_all_output();
  os::CloneResult result = os::clone_process(os::Parent::caller);
  if (result.side == os::Side::parent) return std::move(result.child);
  run_child(order, std::move(descriptors), {leave_home()}, CopyOf::program, entry);
}

std::shared_ptr<Nursery> fork_nursery(const Order& order, std::span<const int> descriptors,
                                      Entry entry) {
  {
    Home& mine = home();
    const std::lock_guard lock(mine.mutex);
    prepare(mine);
  }
  auto [here, there] = os::make_channel();
  std::vector<os::UniqueFd> given;
  given.push_back(std::move(there));
  given.push_back(watch_on_program());
  given.push_back(os::duplicate(lifeline()));
  const os::UniqueFd cradle = Cradle::make_memory();
  given.push_back(os::duplicate(cradle.get()));
  for (const int fd : descriptors) given.push_back(os::duplicate(fd));
  Order kept = order;
  kept.keeps_descriptors = 1;
  os::Child child = fork_here(kept, std::move(given), entry);
  return std::make_shared<Nursery>(std::move(child), std::move(here), cradle.get());
}

int lifeline() { return home().lifeline_read.get(); }

os::UniqueFd watch_on_program() {
  try {
    return os::open_pidfd(os::current_process_id());
  } catch (const SystemError&) {
    // A sandbox, or Linux before 5.3. The line tells as much, but for a child that
    // holds its other end without pthread_atfork's knowing.
    return os::duplicate(lifeline());
  }
}

std::shared_mutex& fork_gate() noexcept { return home().fork_gate; }

namespace {

// Among the threads that are of no concern to a fork.
void list_own(int tid) {
  Home& mine = home();
  const std::lock_guard lock(mine.threads_mutex);
  mine.own_threads.push_back(tid);
}
void unlist_own(int tid) {
  Home& mine = home();
  const std::lock_guard lock(mine.threads_mutex);
  std::erase(mine.own_threads, tid);
}

}  // namespace

OwnThread::OwnThread(const char* name) : tid_(os::current_thread_id()) {
  os::name_thread(tid_, name);
  list_own(tid_);
}

OwnThread::~OwnThread() { unlist_own(tid_); }

ForeignWork::ForeignWork() : tid_(os::current_thread_id()) {
  // Who forks has asked who's there, and would not hear of this.
  const std::shared_lock gate(fork_gate());
  unlist_own(tid_);
}

ForeignWork::~ForeignWork() { list_own(tid_); }

StartingThread::StartingThread(const char* name, std::function<void()> body)
    // Shared: the thread may still be in release() when this is gone.
    : known_(std::make_shared<std::binary_semaphore>(0)),
      thread_([name, body = std::move(body), known = known_] {
        const OwnThread own(name);
        known->release();
        body();
      }) {}

std::thread StartingThread::wait() {
  known_->acquire();
  return std::move(thread_);
}

std::thread start_own_thread(const char* name, std::function<void()> body) {
  return StartingThread(name, std::move(body)).wait();
}

std::vector<std::string> foreign_threads() {
  Home& mine = home();
  const std::lock_guard lock(mine.threads_mutex);
  std::vector<int> others = os::thread_ids();
  if (others.empty() && mine.own_threads.empty() && !os::has_one_thread()) {
    return {"a thread without a name, since /proc can't be read"};
  }
  std::erase(others, os::current_thread_id());
  for (const int own : mine.own_threads) std::erase(others, own);
  // ThreadSanitizer's helper takes no lock that a copy would need.
  if (under_thread_sanitizer && !others.empty()) others.erase(others.begin());
  std::vector<std::string> names;
  for (const int tid : others) {
    if (const auto thread = os::look_at_thread(tid); thread && !thread->exiting) {
      names.push_back(thread->name);
    }
  }
  return names;
}

std::vector<std::string> lasting_foreign_threads() {
  const Deadline moment(std::chrono::milliseconds(100));
  for (;;) {
    auto names = foreign_threads();
    if (names.empty() || moment.has_passed()) return names;
    std::this_thread::yield();
  }
}

int leave_home() noexcept {
  generation.fetch_add(1, std::memory_order_relaxed);
  Home* const parents = current.exchange(nullptr);
  if (!parents) return -1;
  parents->lifeline_write.reset();
  return parents->lifeline_read.release();
}

}  // namespace brood::process

namespace brood {

void init() { process::make_home(process::Caller::user); }
void init(int argc, char** argv) {
  process::remember_arguments(argc, argv);
  init();
}

}  // namespace brood
