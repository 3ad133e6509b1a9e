// SPDX-License-Identifier: MIT
//
// faults FAULT PATIENCE FOLDER: what a brood::Pool does about one fault, told in lines
// of a key and a value, which bench/faults.py reads. FOLDER is an empty one.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <brood/brood.hpp>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t workers = 2;

// Known to nobody at compile time, or what follows would be optimised away.
volatile int* volatile nowhere = nullptr;
volatile bool for_ever = true;

int square(int number) {
  std::this_thread::sleep_for(50ms);
  return number * number;
}

int own_pid() { return ::getpid(); }

bool meet(const std::filesystem::path& mine, const std::filesystem::path& others) {
  std::ofstream(mine) << "here";
  for (const auto end = Clock::now() + 2s; Clock::now() < end;) {
    if (std::filesystem::exists(others)) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

int meet_and_stay(const std::filesystem::path& mine) {
  std::ofstream(mine) << "here";
  for (;;) ::pause();
}

int segfault() {
  *nowhere = 1;
  return 0;
}

int leave() { ::_exit(3); }

int kill_self() { return ::raise(SIGKILL); }

int loop() {
  while (for_ever) {
  }
  return 0;
}

int devour() {
  for (std::vector<std::string> hoard; for_ever;) hoard.emplace_back(std::size_t{8} << 20, 'x');
  return 0;
}

// Has no constructor that somebody else could call, and is no std::exception.
struct Odd {
  explicit Odd(const int& first) : second(first) {}
  const int& second;
};

int throw_odd() {
  const int first = 1;
  throw Odd(first);
}

// Cannot be written, which nobody knows before it is tried.
struct Unwritable {
  template <typename Archive>
  void save(Archive&) const {
    throw std::runtime_error("cannot be written");
  }
  template <typename Archive>
  void load(Archive&) {}
};

Unwritable give_odd() { return {}; }

void fail_to_begin() { throw std::runtime_error("no model here"); }

int square_or_die(int number) { return number == 2 ? kill_self() : square(number); }

template <typename Value>
void tell(const char* key, const Value& value) {
  std::cout << key << '\t' << value << std::endl;
}

std::string name_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const brood::TaskTimeout&) {
    return "TaskTimeout";
  } catch (const brood::TimeoutError&) {
    return "";  // of get: nothing came
  } catch (const brood::MemoryLimitExceeded&) {
    return "MemoryLimitExceeded";
  } catch (const brood::WorkerCrashed&) {
    return "WorkerCrashed";
  } catch (const brood::ShipError&) {
    return "ShipError";
  } catch (const brood::BrokenPool&) {
    return "BrokenPool";
  } catch (const std::bad_alloc&) {
    return "std::bad_alloc";
  } catch (const brood::Error& other) {
    return dynamic_cast<const brood::RemoteError*>(&other) ? "RemoteError" : other.what();
  }
}

class Trial {
 public:
  Trial(Seconds patience, std::filesystem::path folder)
      : patience_(patience), folder_(std::move(folder)) {}

  // The third of six calls is the evil one.
  template <typename Evil>
  void one_of_six(brood::Pool& pool, Evil evil, brood::Timeout deadline = {}) const {
    const auto begin = Clock::now();
    std::vector<brood::AsyncResult<int>> others(5);
    const auto submit_evil = [&] { return pool.apply_async({.timeout = deadline}, evil); };
    decltype(submit_evil()) bad;
    std::exception_ptr refusal;  // a pool that is broken takes no more
    try {
      for (const int i : {0, 1}) others[static_cast<std::size_t>(i)] = pool.apply_async(square, i);
      bad = submit_evil();
      for (const int i : {2, 3, 4}) {
        others[static_cast<std::size_t>(i)] = pool.apply_async(square, i + 1);
      }
    } catch (const brood::BrokenPool&) {
      refusal = std::current_exception();
    }
    tell_outcome(
        [&] {
          if (refusal) std::rethrow_exception(refusal);
          bad.get(patience_);
        },
        begin);
    int right = 0;
    for (std::size_t i = 0; i < others.size(); ++i) {
      const int number = static_cast<int>(i < 2 ? i : i + 1);
      try {
        right += others[i].get(patience_) == number * number;
      } catch (const brood::Error&) {
      }
    }
    tell("others", std::to_string(right) + " of 5");
    tell_after(pool);
  }

  void idle(brood::Pool& pool) const {
    ::kill(pool.apply(own_pid), SIGKILL);
    one_of_six(pool, own_pid);
  }

  void during_map(brood::Pool& pool) const {
    const auto begin = Clock::now();
    const auto outcomes = pool.map_outcomes(square_or_die, {0, 1, 2, 3, 4, 5});
    tell_outcome([&] { outcomes[2].value(); }, begin);
    int right = 0;
    for (int i = 0; i < 6; ++i) {
      const auto& outcome = outcomes[static_cast<std::size_t>(i)];
      right += outcome && *outcome == i * i;
    }
    tell("others", std::to_string(right) + " of 5");
    tell_after(pool);
  }

  void orphans(brood::Pool& pool) const {
    for (const char* name : {"a", "b"}) pool.apply_async(meet_and_stay, folder_ / name);
    while (std::distance(std::filesystem::directory_iterator(folder_), {}) <
           static_cast<std::ptrdiff_t>(workers)) {
      std::this_thread::sleep_for(1ms);
    }
    tell("ready", ::getpid());
    for (;;) ::pause();
  }

 private:
  static void tell_outcome(const std::function<void()>& ask, Clock::time_point begin) {
    std::string what = "a result";
    try {
      ask();
    } catch (const std::exception&) {
      what = name_of(std::current_exception());
    }
    tell("gets", what.empty() ? "nothing" : what);
    tell("took", what.empty() ? -1 : Seconds(Clock::now() - begin).count());
  }

  void tell_after(brood::Pool& pool) const {
    try {
      const auto one = pool.apply_async(meet, folder_ / "a", folder_ / "b");
      const auto other = pool.apply_async(meet, folder_ / "b", folder_ / "a");
      tell("after", one.get(patience_) && other.get(patience_) ? "both" : "one");
    } catch (const std::exception&) {
      tell("after", "none (" + name_of(std::current_exception()) + ")");
    }
  }

  Seconds patience_;
  std::filesystem::path folder_;
};

int run(std::string_view fault, const Trial& trial) {
  if (fault == "initializer") {
    brood::Pool pool{{.processes = workers, .initializer = fail_to_begin}};
    trial.one_of_six(pool, own_pid);
    return 0;
  }
  if (fault == "memory bomb") {
    brood::Pool pool{{.processes = workers, .memory_limit = 512 * brood::MiB}};
    pool.map(square, {1, 2});
    trial.one_of_six(pool, devour);
    return 0;
  }
  brood::Pool pool{workers};
  pool.map(square, {1, 2});  // warm, as the others are
  if (fault == "segfault") trial.one_of_six(pool, segfault);
  if (fault == "_exit") trial.one_of_six(pool, leave);
  if (fault == "SIGKILL busy") trial.one_of_six(pool, kill_self);
  if (fault == "SIGKILL idle") trial.idle(pool);
  if (fault == "SIGKILL in a map") trial.during_map(pool);
  if (fault == "endless loop") trial.one_of_six(pool, loop, 1s);
  if (fault == "odd exception") trial.one_of_six(pool, throw_odd);
  if (fault == "odd result") trial.one_of_six(pool, give_odd);
  if (fault == "parent's SIGKILL") trial.orphans(pool);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  if (argc != 4) {
    std::fputs("faults FAULT PATIENCE FOLDER; bench/faults.py calls it\n", stderr);
    return 2;
  }
  return run(argv[1], Trial(Seconds(std::atof(argv[2])), argv[3]));
}
