// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "thread/gate.hpp"

// What happens to threads at the end of the program. Each body runs in a child,
// whose main thread calls exit as the return from `main` does.
namespace brood {
namespace {

using namespace std::chrono_literals;
using ::testing::ExitedWithCode;

void say(std::string_view word) {
  static_cast<void>(!::write(STDERR_FILENO, word.data(), word.size()));
}

// Opens when the program has begun to exit. Requires: a thread was started, so
// this is asked for before brood waits.
Gate& exit_has_begun() {
  static Gate* const gate = new Gate;
  return *gate;
}
void open_at_exit() {
  exit_has_begun();
  std::atexit([] {
    say("end of main, ");
    exit_has_begun().open();
  });
}

TEST(exit, of_main_waits_for_a_thread_that_is_no_daemon) {
  EXPECT_EXIT(
      {
        auto* const thread = new Thread{[] {
          exit_has_begun().pass();
          say("end of thread");
        }};
        thread->start();
        open_at_exit();
        std::exit(7);
      },
      ExitedWithCode(7), "^end of main, end of thread$");
}

TEST(exit, of_main_waits_for_what_is_started_meanwhile) {
  EXPECT_EXIT(
      {
        auto* const thread = new Thread{[] {
          exit_has_begun().pass();
          static auto* const next = new Thread{[] { say("end of the next"); }};
          next->start();
        }};
        thread->start();
        open_at_exit();
        std::exit(0);
      },
      ExitedWithCode(0), "^end of main, end of the next$");
}

struct SlowToLeave {
  ~SlowToLeave() {
    if (!touched) return;
    exit_has_begun().pass();
    say("end of thread_local");
  }
  bool touched = false;
};

TEST(exit, of_main_waits_for_a_slow_thread_local) {
  EXPECT_EXIT(
      {
        auto* const thread = new Thread{[] {
          thread_local SlowToLeave slow;
          slow.touched = true;
        }};
        thread->start();
        open_at_exit();
        std::exit(0);
      },
      ExitedWithCode(0), "^end of main, end of thread_local$");
}

TEST(exit, of_main_waits_for_a_thread_whose_thread_object_is_static) {
  EXPECT_EXIT(
      {
        static std::optional<Thread> thread;
        thread.emplace([] {
          exit_has_begun().pass();
          say("end of thread");
        });
        thread->start();
        open_at_exit();
        std::exit(0);
      },
      ExitedWithCode(0), "^end of main, end of thread$");
}

TEST(exit, of_main_comes_before_older_statics_are_destroyed) {
  struct World {
    ~World() { say(", end of the world"); }
  };
  EXPECT_EXIT(
      {
        static World world;
        auto* const thread = new Thread{[] {
          exit_has_begun().pass();
          say("end of thread");
        }};
        thread->start();
        open_at_exit();
        std::exit(0);
      },
      ExitedWithCode(0), "^end of main, end of thread, end of the world$");
}

TEST(exit, abandons_a_daemon) {
  EXPECT_EXIT(([] {
                auto* const thread = new Thread{{.daemon = true}, [] {
                                                  for (;;) ::pause();
                                                }};
                thread->start();
                std::exit(0);
              }()),
              ExitedWithCode(0), "^$");
}

TEST(exit, survives_forty_daemons_at_work) {
  EXPECT_EXIT(([] {
                static const int sink = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
                for (int i = 0; i < 40; ++i) {
                  Thread daemon{{.daemon = true}, [] {
                                  for (;;) static_cast<void>(!::write(sink, "x", 1));
                                }};
                  daemon.start();
                }
                std::exit(0);
              }()),
              ExitedWithCode(0), "^$");
}

TEST(exit, of_another_thread_waits_for_nobody) {
  EXPECT_EXIT(
      {
        static Gate gate;
        static Thread quitter{[] {
          gate.pass();
          std::exit(3);
        }};
        quitter.start();
        auto* const waiting = new Thread{[] {
          quitter.join();
          for (;;) ::pause();
        }};
        waiting->start();
        until([&] { return waiting->state() == ThreadState::waiting; });
        gate.open();
        for (;;) ::pause();
      },
      ExitedWithCode(3), "^$");
}

TEST(exit, lets_late_destructors_ask_for_threads) {
  struct Late {
    ~Late() {
      const bool right = current_thread().name == "MainThread" &&
                         current_thread() == main_thread() && enumerate().front() == main_thread();
      say(right ? "all is known" : "something is lost");
    }
  };
  EXPECT_EXIT(
      {
        static Late late;
        Thread thread{[] {}};
        thread.start();
        thread.join();
        std::exit(0);
      },
      ExitedWithCode(0), "^all is known$");
}

TEST(exit, waits_for_a_timer_that_nobody_destroys) {
  EXPECT_EXIT(([] {
                auto* const timer = new Timer{1ms, [] { say("rang"); }};
                timer->start();
                std::exit(0);
              }()),
              ExitedWithCode(0), "^rang$");
}

}  // namespace
}  // namespace brood
