// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

#include <pthread.h>
#include <unistd.h>
#include <unwind.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <brood/base/error.hpp>

namespace brood {
namespace {

// What a thread named "t" with that target writes to stderr.
std::string report_of(std::function<void()> target) {
  ::testing::internal::CaptureStderr();
  Thread thread{{.name = "t"}, std::move(target)};
  thread.start();
  EXPECT_TRUE(thread.join());
  EXPECT_FALSE(thread.is_alive());
  return ::testing::internal::GetCapturedStderr();
}

struct Strange {};

// The default one

TEST(default_excepthook, prints_name_and_type_and_what) {
  EXPECT_EQ(report_of([] { throw std::runtime_error("boom"); }),
            "Exception in thread t: std::runtime_error: boom\n");
}

TEST(default_excepthook, prints_the_dynamic_type) {
  const auto target = [] {
    try {
      throw std::out_of_range("far");
    } catch (std::exception&) {
      throw;
    }
  };
  EXPECT_EQ(report_of(target), "Exception in thread t: std::out_of_range: far\n");
}

TEST(default_excepthook, prints_an_error_of_brood) {
  EXPECT_EQ(report_of([] { throw ValueError("cannot do that"); }),
            "Exception in thread t: brood::ValueError: cannot do that\n");
}

TEST(default_excepthook, prints_what_is_no_exception_class) {
  EXPECT_EQ(report_of([] { throw 5; }), "Exception in thread t: int\n");
  EXPECT_EQ(report_of([] { throw "text"; }), "Exception in thread t: const char*: text\n");
  EXPECT_EQ(report_of([] { throw std::string("text"); }),
            "Exception in thread t: std::string: text\n");
  EXPECT_NE(report_of([] { throw Strange{}; }).find("Strange\n"), std::string::npos);
}

TEST(default_excepthook, prints_nothing_of_a_thread_that_returns) {
  EXPECT_EQ(report_of([] {}), "");
}

TEST(default_excepthook, leaves_the_exit_code_alone) {
  EXPECT_EXIT(([] {
                Thread thread{{.name = "bad"}, [] { throw std::logic_error("no"); }};
                thread.start();
                thread.join();
                std::exit(0);
              }()),
              ::testing::ExitedWithCode(0), "^Exception in thread bad: std::logic_error: no\n$");
}

TEST(default_excepthook, does_without_stderr) {
  EXPECT_EXIT(
      {
        Thread thread{[] { throw std::logic_error("no"); }};
        ::close(STDERR_FILENO);
        thread.start();
        thread.join();
        std::exit(thread.is_alive() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "^$");
}

// Another one

class excepthook : public ::testing::Test {
 protected:
  ~excepthook() override { set_excepthook({}); }
};

TEST_F(excepthook, gets_the_thread_and_the_error) {
  ThreadInfo seen;
  std::exception_ptr error;
  set_excepthook([&](const ThreadInfo& info, std::exception_ptr thrown) {
    seen = info;
    error = std::move(thrown);
  });
  Thread thread{{.name = "t", .daemon = true}, [] { throw std::out_of_range("far"); }};
  thread.start();
  thread.join();
  EXPECT_EQ(seen.name, "t");
  EXPECT_EQ(seen.native_id, thread.native_id());
  EXPECT_EQ(seen.ident, thread.ident());
  EXPECT_TRUE(seen.daemon);
  EXPECT_EQ(seen.state, ThreadState::running);
  EXPECT_THROW(std::rethrow_exception(error), std::out_of_range);
}

TEST_F(excepthook, prints_nothing_by_itself) {
  set_excepthook([](const ThreadInfo&, std::exception_ptr) {});
  EXPECT_EQ(report_of([] { throw 1; }), "");
}

TEST_F(excepthook, runs_in_the_thread_after_the_target_is_destroyed) {
  bool in_thread = false;
  long uses = 0;
  auto argument = std::make_shared<int>(1);
  std::weak_ptr<int> alive = argument;
  Thread thread{[](const std::shared_ptr<int>&) { throw 1; }, std::move(argument)};
  set_excepthook([&](const ThreadInfo& info, const std::exception_ptr&) {
    in_thread = info == current_thread() && info.native_id == static_cast<int>(::gettid());
    uses = alive.use_count();
  });
  thread.start();
  thread.join();
  EXPECT_TRUE(in_thread);
  EXPECT_EQ(uses, 0);
}

TEST_F(excepthook, that_is_empty_is_the_default_one) {
  set_excepthook([](const ThreadInfo&, std::exception_ptr) {});
  set_excepthook(nullptr);
  EXPECT_EQ(report_of([] { throw std::runtime_error("boom"); }),
            "Exception in thread t: std::runtime_error: boom\n");
}

TEST_F(excepthook, that_throws_is_reported_in_one_line) {
  set_excepthook([](const ThreadInfo&, std::exception_ptr) { throw std::domain_error("worse"); });
  EXPECT_EQ(report_of([] { throw std::runtime_error("boom"); }),
            "Exception in the excepthook of thread t: std::domain_error: worse\n");
}

TEST_F(excepthook, that_throws_on_the_error_again_is_reported_in_one_line) {
  set_excepthook(
      [](const ThreadInfo&, std::exception_ptr error) { std::rethrow_exception(error); });
  EXPECT_EQ(report_of([] { throw std::runtime_error("boom"); }),
            "Exception in the excepthook of thread t: std::runtime_error: boom\n");
}

TEST_F(excepthook, may_replace_itself) {
  std::string order;
  set_excepthook([&order](const ThreadInfo&, std::exception_ptr) {
    set_excepthook([&order](const ThreadInfo&, std::exception_ptr) { order += "second"; });
    order += "first ";
  });
  report_of([] { throw 1; });
  report_of([] { throw 1; });
  EXPECT_EQ(order, "first second");
}

TEST_F(excepthook, may_leave_by_pthread_exit) {
  set_excepthook([](const ThreadInfo&, std::exception_ptr) { ::pthread_exit(nullptr); });
  EXPECT_EQ(report_of([] { throw 1; }), "");
}

// What is no error of C++

struct Witness {
  bool* destroyed;
  explicit Witness(bool* into) : destroyed(into) {}
  ~Witness() { *destroyed = true; }
};

TEST_F(excepthook, hears_nothing_of_pthread_exit) {
  bool destroyed = false;
  int calls = 0;
  set_excepthook([&calls](const ThreadInfo&, std::exception_ptr) { ++calls; });
  Thread thread{[](const std::shared_ptr<Witness>&) { ::pthread_exit(nullptr); },
                std::make_shared<Witness>(&destroyed)};
  thread.start();
  EXPECT_TRUE(thread.join());
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(destroyed);
}

TEST_F(excepthook, hears_nothing_of_a_cancelled_thread) {
  int calls = 0;
  set_excepthook([&calls](const ThreadInfo&, std::exception_ptr) { ++calls; });
  Thread thread{[] {
    for (;;) ::pause();
  }};
  thread.start();
  ASSERT_EQ(::pthread_cancel(static_cast<pthread_t>(thread.ident())), 0);
  EXPECT_TRUE(thread.join());
  EXPECT_EQ(calls, 0);
}

void throw_in_another_language() {
  auto* const foreign = new _Unwind_Exception{};
  foreign->exception_class = 0x4F54484552000000;  // "OTHER"
  foreign->exception_cleanup = [](_Unwind_Reason_Code, _Unwind_Exception* caught) {
    delete caught;
  };
  _Unwind_RaiseException(foreign);
}

TEST_F(excepthook, gets_an_object_for_an_exception_of_another_language) {
  bool readable = false;
  set_excepthook([&readable](const ThreadInfo&, const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception&) {
      readable = true;
    }
  });
  report_of(throw_in_another_language);
  EXPECT_TRUE(readable);
  set_excepthook({});
  EXPECT_EQ(report_of(throw_in_another_language),
            "Exception in thread t: brood::OwnError: an exception of another language\n");
}

TEST_F(excepthook, hears_of_each_of_many_threads) {
  std::atomic<int> calls{0};
  set_excepthook([&calls](const ThreadInfo&, std::exception_ptr) { ++calls; });
  std::vector<Thread> threads;
  for (int i = 0; i < 20; ++i) threads.emplace_back([i] { throw i; });
  for (Thread& thread : threads) thread.start();
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(calls, 20);
}

TEST_F(excepthook, may_be_changed_while_threads_report) {
  std::atomic<int> calls{0};
  const auto count = [&calls](const ThreadInfo&, std::exception_ptr) { ++calls; };
  set_excepthook(count);
  std::vector<Thread> threads;
  for (int i = 0; i < 20; ++i) threads.emplace_back([i] { throw i; });
  for (Thread& thread : threads) {
    thread.start();
    set_excepthook(count);
  }
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(calls, 20);
}

}  // namespace
}  // namespace brood
