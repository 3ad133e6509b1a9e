// SPDX-License-Identifier: MIT
//
// handlers CONTEXT WHAT: a program with exit handlers, static objects and handlers of
// fatal signals of its own, made before brood::init. Each says where it runs.
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "failure/victim.hpp"

namespace {

using namespace brood::testing;

void say_here(const std::string& what) { say(what + " in " + std::to_string(::getpid())); }

struct Static {
  ~Static() { say_here("static destructor"); }
} a_static;

Static& local_static() {
  static Static made_at_first_use;
  return made_at_first_use;
}

void on_exit() { say_here("exit handler"); }
void on_quick_exit() { say_here("quick exit handler"); }
void on_exit_of_worker() { say_here("exit handler of a task"); }

// Async-signal-safe, as say() is not.
void on_fault(int) {
  constexpr char text[] = "own handler\n";
  static_cast<void>(!::write(STDOUT_FILENO, text, sizeof text - 1));
  ::_exit(42);
}

void fault() { ::raise(SIGSEGV); }
void call_abort() { std::abort(); }

void run_in_pool(brood::Pool& pool, void (*task)()) {
  try {
    pool.apply(task);
    say("returned");
  } catch (const brood::WorkerCrashed& crash) {
    say("crashed: " + std::to_string(crash.signal()) + ' ' + std::to_string(crash.exit_code()));
  }
}

void run_in_process(brood::Context context, void (*task)()) {
  brood::Process process({.context = context}, task);
  process.start();
  process.join();
  say("ended: " + std::to_string(process.exitcode().value_or(-1000)));
}

void leave_in_every_way(brood::Context context) {
  void (*const ways[])() = {
      [] {},
      [] { std::exit(3); },
      [] { std::quick_exit(4); },
      [] { ::_exit(5); },
      [] {
        std::atexit(on_exit_of_worker);
        std::exit(6);
      },
      [] { throw std::runtime_error("nobody's"); },
  };
  {
    brood::Pool pool({.processes = 2, .context = context});
    for (auto* const way : ways) {
      try {
        run_in_pool(pool, way);
      } catch (const std::runtime_error&) {
        say("threw");
      }
    }
    pool.close();
    pool.join();
  }
  for (auto* const way : ways) run_in_process(context, way);
}

// Threads of a task have the hook that the program had set.
void use_the_hook(brood::Context context) {
  brood::Pool pool({.processes = 1, .context = context});
  run_in_pool(pool, [] {
    brood::Thread thrower([] { throw std::runtime_error("in a thread"); });
    thrower.start();
    thrower.join();
  });
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGSEGV, on_fault);
  ::signal(SIGABRT, on_fault);
  std::atexit(on_exit);
  std::at_quick_exit(on_quick_exit);
  static_cast<void>(local_static());
  brood::set_excepthook([](const brood::ThreadInfo&, std::exception_ptr) { say_here("hook"); });
  brood::init(argc, argv);
  if (argc != 3) return 2;
  const brood::Context context = context_named(argv[1]);
  const std::string what = argv[2];
  say("program " + std::to_string(::getpid()));
  if (what == "leave") leave_in_every_way(context);
  if (what == "hook") use_the_hook(context);
  if (what == "fault") {
    brood::Pool pool({.processes = 1, .context = context});
    run_in_pool(pool, fault);
    run_in_pool(pool, call_abort);
  }
  return 0;
}
