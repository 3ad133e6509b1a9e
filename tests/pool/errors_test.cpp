// SPDX-License-Identifier: MIT
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <stdexcept>
#include <string>
#include <system_error>

#include <unistd.h>

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

class TaskErrors : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, TaskErrors, every_context, name_of);

struct Special : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

TEST_P(TaskErrors, come_back_as_their_standard_type) {
  Pool pool = make_pool();
  EXPECT_THROW(pool.apply([] { throw std::out_of_range("far"); }), std::out_of_range);
  EXPECT_THROW(pool.apply([] { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_THROW(pool.apply([] { throw std::overflow_error("o"); }), std::overflow_error);
  EXPECT_THROW(pool.apply([] { throw Special("nearest"); }), std::invalid_argument);
  EXPECT_THROW(pool.apply([] { throw std::runtime_error("r"); }), std::exception);
}

TEST_P(TaskErrors, keep_their_words) {
  Pool pool = make_pool();
  try {
    pool.apply([] { throw std::runtime_error("verbatim: \xc3\xa9 %s\n"); });
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "verbatim: \xc3\xa9 %s\n");
  }
}

TEST_P(TaskErrors, keep_codes_and_paths) {
  Pool pool = make_pool();
  try {
    pool.apply([] { throw std::system_error(ENOENT, std::generic_category(), "open"); });
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  }
  try {
    pool.apply([] { return std::filesystem::file_size("/no/such/file"); });
    FAIL();
  } catch (const std::filesystem::filesystem_error& error) {
    EXPECT_EQ(error.path1(), "/no/such/file");
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  }
}

TEST_P(TaskErrors, of_an_argument_leave_the_pool_usable) {
  Pool pool = make_pool();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THROW(pool.apply([](int) { throw std::logic_error("again"); }, i), std::logic_error);
  }
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(TaskErrors, of_a_thread_are_the_original_object_and_of_a_process_remote) {
  Pool pool = make_pool();
  try {
    pool.apply([] { throw Special("which"); });
    FAIL();
  } catch (const std::invalid_argument& error) {
    const auto* const remote = dynamic_cast<const RemoteError*>(&error);
    if (GetParam() == Context::thread) {
      EXPECT_EQ(remote, nullptr);
      EXPECT_NE(dynamic_cast<const Special*>(&error), nullptr);
    } else {
      ASSERT_NE(remote, nullptr);
      EXPECT_NE(remote->type_name().find("Special"), std::string::npos);
      EXPECT_GT(remote->worker_pid(), 0);
      EXPECT_NE(remote->worker_pid(), ::getpid());
    }
  }
}

class ProcessErrors : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, ProcessErrors, every_process, name_of);

TEST_P(ProcessErrors, of_no_standard_type_are_plain_remote_errors) {
  Pool pool = make_pool();
  try {
    pool.apply([] { throw 42; });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.type_name(), "int");
  }
  try {
    pool.apply([] { throw std::string("text"); });
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_STREQ(error.what(), "text");
  }
}

TEST_P(ProcessErrors, that_say_nothing_are_empty) {
  struct Speechless : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  Pool pool = make_pool();
  try {
    pool.apply([] { throw Speechless{}; });
    FAIL() << "nothing was thrown";
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "");
  }
}

TEST_P(ProcessErrors, are_caught_as_brood_errors_too) {
  Pool pool = make_pool();
  EXPECT_THROW(pool.apply([] { throw std::domain_error("d"); }), Error);
  EXPECT_THROW(pool.apply([] { throw std::domain_error("d"); }), RemoteError);
}

TEST_P(ProcessErrors, tell_of_a_segfault) {
  Pool pool = make_pool();
  try {
    pool.apply([] { std::raise(SIGSEGV); });
    FAIL();
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.signal(), SIGSEGV);
    EXPECT_EQ(crash.exit_code(), -SIGSEGV);
    EXPECT_GT(crash.pid(), 0);
  }
  EXPECT_EQ(pool.apply([] { return 5; }), 5);
}

TEST_P(ProcessErrors, tell_of_an_exit) {
  Pool pool = make_pool();
  for (const int code : {0, 3}) {
    try {
      pool.apply([](int c) { std::exit(c); }, code);
      FAIL();
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.signal(), 0);
      EXPECT_EQ(crash.exit_code(), code);
    }
  }
  EXPECT_THROW(pool.apply([] { ::_exit(4); }), WorkerCrashed);
  EXPECT_THROW(pool.apply([] { std::abort(); }), WorkerCrashed);
  EXPECT_THROW(pool.apply([] { std::terminate(); }), WorkerCrashed);
}

TEST_P(ProcessErrors, of_one_crash_concern_one_item_of_a_map) {
  Pool pool = make_pool();
  std::vector<int> items(200);
  std::iota(items.begin(), items.end(), 0);
  const auto outcomes = pool.map_outcomes(
      [](int i) {
        if (i % 50 == 7) std::raise(SIGKILL);
        return i * 2;
      },
      items);
  ASSERT_EQ(outcomes.size(), items.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (i % 50 == 7) {
      EXPECT_THROW(outcomes[i].value(), WorkerCrashed);
    } else {
      ASSERT_TRUE(outcomes[i].has_value()) << i;
      EXPECT_EQ(*outcomes[i], static_cast<int>(i) * 2);
    }
  }
}

TEST_P(ProcessErrors, lose_nothing_when_idle_workers_are_killed) {
  Pool pool = make_pool(2);
  for (int round = 0; round < 10; ++round) {
    const int pid = pool.apply([] { return static_cast<int>(::getpid()); });
    ::kill(pid, SIGKILL);
    EXPECT_EQ(pool.apply([](int x) { return x; }, round), round);
  }
  EXPECT_EQ(pool.stats().failed, 0u);
}

TEST_P(ProcessErrors, are_retried_when_the_caller_asks) {
  Pool pool = make_pool(2);
  const std::string mark =
      ::testing::TempDir() + "brood-retry-" + std::to_string(::getpid()) + name_of({GetParam(), 0});
  std::filesystem::remove(mark);
  const int result = pool.apply(
      {.retries = 1},
      [](const std::string& path) {
        if (!std::filesystem::exists(path)) {
          std::filesystem::create_directory(path);
          std::raise(SIGKILL);
        }
        return 11;
      },
      mark);
  EXPECT_EQ(result, 11);
  std::filesystem::remove(mark);
  EXPECT_THROW(pool.apply({.retries = 2}, [] { std::raise(SIGKILL); }), WorkerCrashed);
  EXPECT_EQ(pool.stats().crashed, 4u);
}

TEST_P(ProcessErrors, meet_a_deadline_and_replace_the_worker) {
  Pool pool = make_pool(1);
  EXPECT_THROW(pool.apply({.timeout = 30ms},
                          [] {
                            for (;;) ::pause();
                          }),
               TaskTimeout);
  EXPECT_THROW(pool.apply({.timeout = 30ms},
                          [] {
                            for (volatile int i = 0;;) i = i + 1;
                          }),
               TimeoutError);
  EXPECT_EQ(pool.apply({.timeout = 60s}, [] { return 3; }), 3);
}

TEST_P(ProcessErrors, time_one_item_of_a_map_out) {
  Pool pool = make_pool(2);
  const auto outcomes = pool.map_outcomes(
      {.timeout = 100ms},
      [](int i) {
        while (i == 13) ::pause();
        return i;
      },
      std::vector<int>{10, 11, 12, 13, 14, 15, 16});
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (i == 3) {
      EXPECT_THROW(outcomes[i].value(), TaskTimeout);
    } else {
      EXPECT_EQ(outcomes[i].value(), static_cast<int>(i) + 10);
    }
  }
}

struct Sour {
  int value = 0;
  template <class Archive>
  void save(Archive&) const {
    throw std::runtime_error("not for shipping");
  }
  template <class Archive>
  void load(Archive&) {}
};

TEST_P(ProcessErrors, of_encoding_a_result_concern_that_task) {
  Pool pool = make_pool(1);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THROW(pool.apply([] { return Sour{}; }), ShipError);
  }
  EXPECT_EQ(pool.stats().crashed, 0u);
}

TEST_P(ProcessErrors, of_the_initializer_break_the_pool_for_everyone) {
  PoolOptions broken = options(2);
  broken.initializer = [] { throw std::runtime_error("no model"); };
  Pool pool(broken);
  try {
    for (;;) pool.apply([] { return 1; });
  } catch (const BrokenPool& error) {
    EXPECT_NE(std::string(error.what()).find("no model"), std::string::npos) << error.what();
  }
  EXPECT_THROW(pool.apply([] { return 1; }), BrokenPool);
}

TEST_P(ProcessErrors, of_an_initializer_that_dies_break_the_pool_too) {
  PoolOptions broken = options(2);
  broken.initializer = [] { std::raise(SIGSEGV); };
  Pool pool(broken);
  EXPECT_THROW(for (;;) pool.apply([] { return 1; }), BrokenPool);
}

TEST_P(ProcessErrors, of_the_preload_break_the_pool_with_its_cause) {
  PoolOptions broken = options(2);
  broken.preload = [] { throw std::runtime_error("no table"); };
  Pool pool(broken);
  try {
    pool.apply([] { return 1; });
    FAIL();
  } catch (const BrokenPool& error) {
    EXPECT_NE(std::string(error.what()).find("no table"), std::string::npos) << error.what();
  }
}

int preloaded = 0;

TEST_P(ProcessErrors, do_not_come_of_a_preload_whose_work_all_workers_share) {
  PoolOptions ready = options(2);
  ready.preload = task([](int value) { preloaded = value; }, 77);
  Pool pool(ready);
  EXPECT_EQ(pool.apply([] { return preloaded; }), 77);
  EXPECT_EQ(preloaded, 0);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
