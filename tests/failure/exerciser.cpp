// SPDX-License-Identifier: MIT
//
// exerciser CONTEXT: does a little of all that brood promises, in a world that the
// test has made worse. Says "all is well" or "error: WHAT", one line either way.
#include <array>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <numeric>
#include <system_error>
#include <thread>
#include <vector>

#include "failure/victim.hpp"

namespace {

using namespace brood::testing;
using namespace std::chrono_literals;

int square(int x) { return x * x; }
void spin() {
  for (volatile bool forever = true; forever;) {
  }
}
void spin_quietly() {
  block_all_signals();
  spin();
}
std::string large(std::size_t size) { return std::string(size, 'x'); }

// A promise that is broken under bad circumstances, unlike a refusal.
[[noreturn]] void is_wrong(const std::string& what) {
  say("wrong: " + what);
  std::_Exit(1);
}
#define HOLDS(condition) \
  if (!(condition)) is_wrong(#condition)

void do_plain_work(brood::Pool& pool) {
  std::vector<int> items(1000);
  std::iota(items.begin(), items.end(), 0);
  const auto squares = pool.map(square, items);
  for (std::size_t i = 0; i < items.size(); ++i) HOLDS(squares[i] == square(items[i]));
  HOLDS(pool.apply(large, std::size_t{3} << 20).size() == std::size_t{3} << 20);
  HOLDS(pool.apply([](const std::string& text) { return text.size(); },
                   large(std::size_t{3} << 20)) == std::size_t{3} << 20);
}

int signal_of_crash(brood::Pool& pool, int signal) {
  try {
    pool.apply([](int number) { ::raise(number); }, signal);
  } catch (const brood::WorkerCrashed& crash) {
    HOLDS(crash.pid() > 0 && crash.pid() != ::getpid());
    return crash.signal();
  }
  return 0;
}

int code_of_exit(brood::Pool& pool, int code) {
  try {
    pool.apply([](int number) { std::exit(number); }, code);
  } catch (const brood::WorkerCrashed& crash) {
    return crash.exit_code();
  }
  return 0;
}

void survive_failures(brood::Pool& pool) {
  HOLDS(signal_of_crash(pool, SIGKILL) == SIGKILL);
  HOLDS(signal_of_crash(pool, SIGSEGV) == SIGSEGV);
  HOLDS(code_of_exit(pool, 7) == 7);
  bool timed_out = false;
  try {
    pool.apply({.timeout = 20ms}, spin_quietly);
  } catch (const brood::TaskTimeout&) {
    timed_out = true;
  }
  HOLDS(timed_out);
  auto running = pool.apply_async(spin);
  while (pool.poll(running.id()) == brood::JobState::queued) std::this_thread::sleep_for(1ms);
  if (!running.cancel(0ms)) running.get();  // the pool broke: no worker could be born
  HOLDS(!running.successful());
  HOLDS(pool.apply(square, 9) == 81);
}

void wait_in_many_ways(brood::Pool& pool) {
  constexpr std::size_t most = 4;
  std::vector<std::thread> users;
  std::array<std::exception_ptr, most> refusals;
  const auto use = [&](std::exception_ptr& refusal) {
    try {
      for (int round = 0; round < 50; ++round) HOLDS(pool.apply(square, round) == square(round));
    } catch (...) {
      refusal = std::current_exception();
    }
  };
  try {
    users.reserve(most);
    for (std::exception_ptr& refusal : refusals) users.emplace_back(use, std::ref(refusal));
  } catch (const std::system_error&) {
    // So many threads may not be had.
  } catch (const std::bad_alloc&) {
    // Likewise.
  }
  for (auto& user : users) user.join();
  for (const std::exception_ptr& refusal : refusals) {
    if (refusal) std::rethrow_exception(refusal);
  }
  auto slow = pool.apply_async([] { std::this_thread::sleep_for(50ms); });
  HOLDS(!slow.wait(1ms));
  slow.get();
}

void run_processes(brood::Context context) {
  const auto process = [&](auto target) {
    return brood::Process({.daemon = true, .context = context}, target);
  };
  brood::Process leaving = process([] { std::exit(5); });
  leaving.start();
  leaving.join();
  HOLDS(leaving.exitcode() == 5);
  brood::Process killed = process(spin_quietly);
  killed.start();
  killed.kill();
  killed.join();
  HOLDS(killed.exitcode() == -SIGKILL);
  brood::Process asked = process(spin);
  asked.start();
  HOLDS(!asked.join(0ms));
  asked.terminate();
  asked.join();
  HOLDS(asked.exitcode() == -SIGTERM);
}

void exercise(brood::Context context) {
  {
    brood::Pool pool({.processes = 2, .context = context});
    do_plain_work(pool);
    survive_failures(pool);
    wait_in_many_ways(pool);
    // Killed with the pool.
    pool.apply_async(spin_quietly);
  }
  brood::Pool closed({.processes = 1, .context = context});
  closed.apply(square, 2);
  closed.close();
  closed.join();
  run_processes(context);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    brood::init(argc, argv);
    if (argc != 2) return 2;
    exercise(context_named(argv[1]));
    say("all is well");
  } catch (const brood::Error& error) {
    say(std::string("error: ") + error.what());
    return 3;
  } catch (const std::bad_alloc&) {
    say("error: cannot allocate memory");
    return 3;
  }
  return 0;
}
